"""The book: what a batch sees of itself, and what it hands to the store."""

import pytest

from kit.command import bet, deposit, refund, reward, win
from kit.world import CURRENCIES, NOON, BookWorld, furnished, terms_of
from seamline.ledger.keys import stone_of
from seamline.ledger.rules.view import Decision, Move
from seamline.money import MAX_UNITS, Amount
from seamline.must import Broken
from seamline.wallet import HOUR_MS, Applied, Kind, Policy, Rejected, Rejection, Replayed

USD = CURRENCIES["USD"]


@pytest.fixture
def world():
    """Players p1 and p2 with 100.00 USD each, in memory."""
    return furnished(BookWorld())


def posted(world, key):
    """The row of that key."""
    return next(row for row in world.book.posted if row.key == key)


def post(world, command, move):
    """Enter a move that the rules never decided on."""
    view = world.book.view(command, world.terms[command.integration])
    return world.book.post(command, view, Decision(move=move))


def test_a_row_is_the_double_entry(world):
    """A stake goes from the player to the game house; wins, rewards and deposits come back."""
    world.apply(bet("b1"), win("w1"), reward("j1"))
    account = world.account("p1", "USD").id
    houses = {name[0]: number for name, number in world._houses.items()}
    sides = [(row.debit, row.credit) for row in world.book.posted[-3:]]
    game, bonus = houses["game"], houses["bonus"]
    assert sides == [(account, game), (game, account), (bonus, account)]
    assert (posted(world, "fund1").debit, posted(world, "fund1").credit) == (
        houses["cashier"],
        account,
    )


def test_what_moves_nothing_has_no_sides(world):
    """A free bet, a win of nothing and a tombstone name no accounts to debit or credit."""
    world.apply(bet("b1", free=True), win("w1", "0"), refund("f1", "b9"))
    for key in ("b1", "w1", "f1", stone_of("b9")):
        row = posted(world, key)
        assert (row.units, row.debit, row.credit) == (0, None, None)
        assert row.balance == 100_00000


def test_a_reward_taken_back_returns_to_the_bonus_house():
    """What was paid by a house is taken back by the same house."""
    world = furnished(BookWorld(terms_of(Policy(reversible=frozenset({Kind.REWARD})))))
    world.apply(reward("j1"), refund("f1", "j1"))
    assert posted(world, "f1").credit == posted(world, "j1").debit


def test_the_next_command_of_a_batch_sees_the_one_before(world):
    """Within one batch, money, keys, rounds, claims and reversals are seen at once."""
    outcomes = world.apply(
        bet("b1", "60.00"),
        bet("b2", "60.00"),
        bet("b1", "60.00"),
        refund("f1", "b1"),
        refund("f2", "b1"),
        bet("b3", "60.00"),
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Applied, Rejected, Replayed, Applied, Applied, Applied]
    assert outcomes[1].why is Rejection.FUNDS
    assert str(outcomes[-1].balance) == "40.00"
    assert world.book.reversed == [(posted(world, "f1").id, posted(world, "b1").id)]


def test_an_outcome_tells_what_moved(world):
    """An applied command says its transaction, its player, what moved and what is there now."""
    (outcome,) = world.apply(bet("b1", "12.30"))
    row = posted(world, "b1")
    assert outcome == Applied(
        balance=Amount(87_70000, USD),
        player="p1",
        transaction=f"txn_{row.id}",
        moved=Amount(12_30000, USD),
    )


def test_a_tombstone_is_a_row_of_its_own(world):
    """A refund without a target writes two rows: itself, and a stone that names its target."""
    world.apply(refund("f1", "b1", "10.00", round_="r1"))
    own, stone = world.book.posted[-2:]
    assert (own.kind, own.key, own.target) == (Kind.REFUND, "f1", None)
    assert (stone.kind, stone.key, stone.fingerprint) == (Kind.TOMBSTONE, stone_of("b1"), bytes(16))
    assert (stone.round, stone.previous, stone.version) == (None, own.id, own.version + 1)


def test_a_round_adds_up(world):
    """A round counts its bets, wins and refunds, and adds up what each of them moved."""
    world.apply(
        bet("b1", "10.00"),
        bet("b2", "4.00"),
        bet("b3", "4.00", free=True),
        win("w1", "30.00"),
        win("w0", "0"),
        refund("f2", "b2"),
        refund("f3", "b2"),
    )
    (round_,) = world.book.rounds.values()
    assert (round_.bets, round_.staked) == (3, 14_00000)
    assert (round_.wins, round_.won) == (2, 30_00000)
    assert (round_.refunds, round_.refunded) == (1, 4_00000)
    assert (round_.first, round_.last) == (posted(world, "b1").id, posted(world, "f3").id)


def test_a_win_taken_back_leaves_the_round():
    """A win that was taken back is no longer won, and does not count as a bet's refund."""
    world = furnished(BookWorld(terms_of(Policy(reversible=frozenset({Kind.WIN})))))
    world.apply(bet("b1", "10.00"), win("w1", "30.00"), refund("f1", "w1"), win("w2", "20.00"))
    (round_,) = world.book.rounds.values()
    assert (round_.won, round_.refunds, round_.refunded) == (20_00000, 0, 0)
    assert world.balance("p1") == "110.00"


def test_rounds_are_of_a_game_and_an_account(world):
    """Two players, or two games, may use one round id."""
    world.apply(bet("b1"), bet("b2", session="s2"), bet("b3", game="g2"), bet("b4"))
    assert sorted(round_.bets for round_ in world.book.rounds.values()) == [1, 1, 2]


def test_roll_ups_are_signed_as_players_see_them(world):
    """Per hour, integration, currency and kind: how many, and what players gained by it."""
    world.now_ms = NOON + HOUR_MS
    world.apply(bet("b1", "10.00"), bet("b2", "1.00"), win("w1", "5.00"), refund("f2", "b2"))
    world.apply(bet("b3", "999.00"), bet("b1", "10.00"))
    hour = NOON // HOUR_MS + 1
    entries = {
        kind: entry for (at, name, _, kind), entry in world.book.rollups.items() if at == hour
    }
    assert entries == {"bet": [2, -11_00000], "win": [1, 5_00000], "refund": [1, 1_00000]}


def test_a_refusal_writes_nothing(world):
    """A refused command leaves no row, no round, no roll-up and no changed account."""
    before = len(world.book.posted), dict(world.book.rollups), len(world.book.rounds)
    moved = dict(world.book.moved)
    world.apply(bet("b1", "999.00", round_="r9"), bet("b2", session="s9"))
    assert before == (len(world.book.posted), dict(world.book.rollups), len(world.book.rounds))
    assert moved == world.book.moved


def test_the_book_covers_stakes_whatever_was_decided(world):
    """A stake or withdrawal that is not covered breaks a law even if the rules let it pass."""
    with pytest.raises(Broken, match="a stake is covered"):
        post(world, bet("b1"), Move(units=100_00001, credit=False))


def test_the_book_keeps_balances_within_64_bits(world):
    """A balance that no store can hold breaks a law even if the rules let it pass."""
    with pytest.raises(Broken, match="a balance fits 64 bits"):
        post(world, win("w1"), Move(units=MAX_UNITS))


def test_a_decision_answers_or_moves(world):
    """A decision that does neither breaks a law of the program."""
    command = bet("b1")
    view = world.book.view(command, world.terms[command.integration])
    with pytest.raises(Broken, match="a decision answers or moves"):
        world.book.post(command, view, Decision())


def test_two_sessions_of_one_account_share_it(world):
    """Money spent in one session is gone in the other, also across integrations."""
    world.session("s3", "p1")
    world.session("s4", "p1", integration="other")
    world.apply(bet("b1", "60.00"), bet("b2", "30.00", session="s3"))
    (refused, taken) = world.apply(
        bet("b3", "60.00", session="s4", integration="other"),
        bet("b4", "10.00", session="s4", integration="other"),
    )
    assert refused.why is Rejection.FUNDS
    assert str(taken.balance) == "0.00"


def test_losses_follow_the_day(world):
    """The three loss counters begin again with their window and carry on within it."""
    account = world.account("p1", "USD")
    world.apply(bet("b1", "10.00"))
    assert (account.loss_day, account.loss_week, account.loss_month) == (10_00000,) * 3
    world.now_ms += 12 * HOUR_MS
    world.session("s3", "p1")
    world.apply(bet("b2", "1.00", session="s3"), win("w2", "3.00", session="s3"))
    assert (account.loss_day, account.loss_week) == (-2_00000, 8_00000)
    world.apply(deposit("d9"))
    assert (account.loss_day, account.loss_month) == (-2_00000, 8_00000)
