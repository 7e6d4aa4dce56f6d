"""A batch is only a way to write faster: what is decided in it is what would be decided alone."""

from random import Random

import pytest

from kit.anything import any_command, any_policy
from kit.books import proven, seen
from kit.command import bet, refund, reward, say, win
from kit.world import furnished, terms_of
from seamline.wallet import Applied, Kind, Policy, Rejected, Rejection

MINUTE_MS = 60_000
UNDOING = frozenset({Kind.BET, Kind.WIN, Kind.REWARD})


def played(world, script, size_of):
    """The books after the script: lists of commands, and what time passes after each of them."""
    furnished(world)
    world.session("s3", "p1", game="g2")
    world.session("s4", "p1", "EUR")
    world.grant("c1", "p1", "g1", "5.00")
    world.grant("c2", "p2", "g1")
    answers = []
    for commands, span_ms in script:
        rest = list(commands)
        while rest:
            size = size_of()
            answers += world.apply(*rest[:size])
            rest = rest[size:]
        world.now_ms += span_ms
    proven(world.store)
    return seen(world, answers)


def any_script(chance, **options):
    """A hundred commands, with some time after each 25 of them."""
    spans_ms = (MINUTE_MS, 50 * MINUTE_MS, 120 * MINUTE_MS)
    return [
        ([any_command(chance, **options) for _ in range(25)], chance.choice(spans_ms))
        for _ in range(4)
    ]


def alone_and_in_batches(brief_world, seed):
    """The same commands, under the same policy, each alone and then in batches.

    But for what undoes bets here that had no outcome in time: all of a batch are overdue together.
    """
    chance = Random(seed)
    terms, script = terms_of(any_policy(chance)), any_script(chance, ours=False)
    with brief_world(terms) as world:
        alone = played(world, script, lambda: 1)
    with brief_world(terms) as world:
        together = played(world, script, lambda: chance.randint(1, 12))
    for what, said in alone.items():
        assert together[what] == said, what


@pytest.mark.parametrize("seed", range(8))
def test_alone_or_in_batches_it_is_the_same(brief_world, seed):
    """Commands of all kinds, under any policy, get the same answers and leave the same books."""
    alone_and_in_batches(brief_world, seed)


@pytest.mark.parametrize("seed", range(60, 72))
def test_on_every_backend_it_is_the_same(new_worlds, seed):
    """Commands of all kinds, under any policy, are decided alike wherever they are written."""
    chance = Random(seed)
    terms, script = any_policy(chance), any_script(chance)
    sizes = [chance.randint(1, 12) for _ in range(100)]
    told = [played(make(terms_of(terms)), script, iter(sizes).__next__) for make in new_worlds]
    for what, said in told[0].items():
        assert all(other[what] == said for other in told[1:]), what


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(1, 21))
def test_alone_or_in_batches_it_is_the_same_many_more_times(brief_world, hundred):
    """The same law, over many more lists of commands."""
    for seed in range(hundred * 100, hundred * 100 + 100):
        alone_and_in_batches(brief_world, seed)


def test_a_win_that_is_undone_in_the_batch_does_not_stand_in_it(new_world):
    """Its bet can be paid anew by the very next command."""
    world = furnished(new_world(terms_of(Policy(reversible=UNDOING, second_win="reject"))))
    world.apply(bet("b1"), win("w1", "25.00", target="b1"))
    undone, paid = world.apply(refund("f1", "w1"), win("w2", "30.00", target="b1"))
    assert [type(each) for each in (undone, paid)] == [Applied, Applied]
    assert world.balance("p1") == "120.00"
    proven(world.store)


def test_a_session_that_was_taken_over_is_the_newest_in_its_batch_too(new_world):
    """Who then names no game means that one, with its currency."""
    world = furnished(new_world(terms_of(Policy(unknown_session="adopt"))))
    world.session("s4", "p1", "EUR", game="g4")
    first, second = world.apply(
        bet("b1", "1.00", "sx", player="p1", game="g1"), bet("b2", "1.00", "sy", player="p1")
    )
    assert (str(first.balance), str(second.balance)) == ("99.00", "98.00")


def test_what_a_session_is_taken_for_is_decided_in_turn(new_world):
    """A reward that is looked up ahead of its turn does not choose for the bet before it."""
    world = furnished(new_world(terms_of(Policy(unknown_session="adopt"))))
    world.session("s4", "p1", "EUR", game="g4")
    first, second = world.apply(
        bet("b1", "1.00", "sx", player="p1", game="g1"),
        reward("j1", "1.00", "sx", player="p1", game="g4", claim="c1"),
    )
    assert (str(first.balance), str(second.balance)) == ("99.00", "100.00")


def test_an_alert_names_no_account_that_did_not_come_about(new_world):
    """A refusal opens no account: whose id it would have had is somebody else's later."""
    world = furnished(new_world(terms_of(Policy(fingerprint=("kind",)))))
    stake = {"player": "p1", "currency": "USD"}
    world.apply(say(Kind.BET, "b1", "1.00", **stake))
    (refused,) = world.apply(say(Kind.BET, "b1", "1.00", **stake | {"currency": "EUR"}))
    assert isinstance(refused, Rejected)
    assert refused.why is Rejection.DUPLICATE_CHANGED
    world.close()
    world.open()
    world.session("s5", "p2", "BTC")
    with world.store.reader() as reader:
        (alert,) = reader.alerts(state=None, after=None, limit=10)
    assert (alert.alert, alert.player, alert.currency) == ("duplicate_changed", None, None)
