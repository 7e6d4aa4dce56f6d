"""The door: batches, answers, and what happens when many come at once or something breaks."""

import asyncio
import threading

import pytest

from kit.books import balances, proven, transactions
from kit.command import bet, deposit, refund, reward, say, win, withdrawal
from kit.door import door, why
from kit.world import BRAND, NOON, SWIPE
from seamline.ledger import lane as lane_module
from seamline.ledger.lane import CLOSING
from seamline.ledger.ledger import BUSY
from seamline.ledger.store import NewSession, PlayerChange, StoreUnavailable, Unknown
from seamline.wallet import (
    Applied,
    Kind,
    PlayerStatus,
    Rejection,
    Replayed,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """The ledger is used from asyncio."""
    return "asyncio"


@pytest.fixture
def world(world):
    """With one lane, so that it is known what waits for what."""
    world.writer.lanes = 1
    return world


async def test_ten_identical_bets_at_once_are_one_movement(world):
    """The same bet on ten connections moves once, and everybody gets the same answer."""
    async with door(world) as ledger:
        outcomes = await asyncio.gather(*(ledger.apply(bet("b1")) for _ in range(10)))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Applied"] + ["Replayed"] * 9
    assert {(str(each.balance), each.player, each.transaction) for each in outcomes} == {
        ("90.00", "p1", outcomes[0].transaction)
    }
    assert len([row for row in transactions(world.store) if row.key == "b1"]) == 1
    proven(world.store)


@pytest.mark.parametrize("batch_limit", [1, 3, 128])
async def test_identical_bets_meet_across_batches(world, batch_limit):
    """Whether duplicates share a batch or not, one of them moves."""
    async with door(world, batch_limit=batch_limit) as ledger:
        outcomes = await asyncio.gather(*(ledger.apply(bet("b1")) for _ in range(10)))
        assert ledger.flow.batches == -(-10 // batch_limit)
    assert sum(isinstance(outcome, Applied) for outcome in outcomes) == 1
    assert world.balance("p1") == "90.00"


async def test_each_waiter_gets_its_own_answer(world):
    """Outcomes go to those who asked, whatever the size of the batches."""
    async with door(world, batch_limit=7) as ledger:
        bets = [bet(f"b{number}", f"0.{number:02}", round_=f"r{number}") for number in range(1, 31)]
        outcomes = await asyncio.gather(*map(ledger.apply, bets))
    assert [str(each.moved) for each in outcomes] == [f"0.{number:02}" for number in range(1, 31)]


async def test_a_refund_of_nothing_known_says_so_again(world):
    """What it moved cannot be named, the first time and when it is repeated; nothing is 0.00."""
    async with door(world) as ledger:
        await ledger.apply(bet("b1", "0.00"))
        unknown = [await ledger.apply(refund("f1", target="b9")) for _ in range(2)]
        nothing = [await ledger.apply(refund("f2", target="b1")) for _ in range(2)]
    assert [type(each) for each in unknown] == [Applied, Replayed]
    assert [each.moved for each in unknown] == [None, None]
    assert [str(each.moved) for each in nothing] == ["0.00", "0.00"]


async def test_ten_thousand_credits_at_once(world):
    """Ten thousand wins and deposits over two accounts are all paid, none twice, none lost."""
    credits_ = [win(f"w{n}", "0.01", f"s{n % 2 + 1}", f"r{n % 9}") for n in range(5_000)]
    credits_ += [deposit(f"d{n}", "0.01", f"p{n % 2 + 1}") for n in range(5_000)]
    async with door(world) as ledger:
        outcomes = await asyncio.gather(*map(ledger.apply, credits_))
    assert {type(outcome) for outcome in outcomes} == {Applied}
    assert balances(world.store) == {("p1", "USD"): "150.00", ("p2", "USD"): "150.00"}
    assert proven(world.store).transactions == 10_002


async def test_everything_at_once_on_one_account(world):
    """Bets, withdrawals, rewards, wins and refunds at once on one account lose no update."""
    commands = []
    for n in range(100):
        commands += [
            bet(f"b{n}", "1.00", round_=f"r{n}"),
            withdrawal(f"o{n}", "0.50"),
            reward(f"j{n}", "0.25"),
            win(f"w{n}", "0.75", round_=f"r{n}"),
            refund(f"f{n}", f"b{n - 10}") if n >= 10 else deposit(f"d{n}", "5.00"),
        ]
    async with door(world, batch_limit=16) as ledger:
        outcomes = await asyncio.gather(*map(ledger.apply, commands))
    moved = {Kind.BET: -1, Kind.WITHDRAWAL: -1}
    signed = sum(
        moved.get(command.kind, 1) * outcome.moved.units
        for command, outcome in zip(commands, outcomes, strict=True)
        if isinstance(outcome, Applied)
    )
    assert {why(outcome) for outcome in outcomes} <= {Applied, Rejection.FUNDS}
    assert world.balance("p1") == f"{100 + signed / 100_000:.2f}"
    proven(world.store)


async def test_a_full_queue_refuses_before_money_moves(world):
    """Who comes when the queue is full is told so at once; those before are served."""
    async with door(world, queue_limit=5) as ledger:
        bets = [bet(f"b{number}", "1.00") for number in range(8)]
        outcomes = await asyncio.gather(*map(ledger.apply, bets))
        assert ledger.flow.busy == 3
        assert ledger.waiting == 0
        assert isinstance(await ledger.apply(bets[7]), Applied), "later there is room again"
    assert outcomes[5:] == [BUSY] * 3
    assert world.balance("p1") == "94.00"


async def test_closing_finishes_what_was_accepted(world):
    """Commands in the queue are answered, later ones are refused, and nothing waits for ever."""
    async with door(world, batch_limit=2) as ledger:
        waiting = [asyncio.ensure_future(ledger.apply(bet(f"b{n}", "1.00"))) for n in range(9)]
        errand = asyncio.ensure_future(ledger.run(lambda writer, _: writer.newest_ms()))
        await asyncio.sleep(0)
        await ledger.close()
        assert {type(each) for each in await asyncio.gather(*waiting)} == {Applied}
        assert await errand
        assert await ledger.apply(bet("late")) == CLOSING
        with pytest.raises(StoreUnavailable, match="stopping"):
            await asyncio.wait_for(ledger.run(lambda *_: None), timeout=5)
    assert world.balance("p1") == "91.00"


async def test_a_waiter_that_went_away_is_answered_by_retrying(world):
    """A cancelled wait changes nothing: the bet was made once, and the retry is told so."""
    async with door(world) as ledger:
        gone = asyncio.ensure_future(ledger.apply(bet("b1")))
        stayed = asyncio.ensure_future(ledger.apply(bet("b2", "1.00")))
        await asyncio.sleep(0)
        gone.cancel()
        assert isinstance(await stayed, Applied)
        again = await ledger.apply(bet("b1"))
    assert isinstance(again, Replayed)
    assert str(again.balance) == "90.00"
    assert world.balance("p1") == "89.00"


def held_up(world, monkeypatch):
    """Two events: a commit is reached, and goes on once the other one is set."""
    reached, disk = threading.Event(), threading.Event()

    def slow():
        reached.set()
        disk.wait(5)

    world.before_commits(monkeypatch, slow)
    return reached, disk


async def test_nothing_is_answered_before_it_is_durable(world, monkeypatch):
    """While the commit waits for the disk, nobody is answered and the next batch gathers."""
    written, disk = held_up(world, monkeypatch)
    async with door(world) as ledger:
        first = asyncio.ensure_future(ledger.apply(bet("b1")))
        await asyncio.to_thread(written.wait, 5)
        rest = [asyncio.ensure_future(ledger.apply(bet(f"c{n}", "1.00"))) for n in range(5)]
        await asyncio.sleep(0.01)
        assert not first.done()
        assert world.balance("p1") == "100.00", "readers see only what was committed"
        disk.set()
        assert isinstance(await first, Applied)
        await asyncio.gather(*rest)
        assert ledger.flow.batches == 2
    assert world.balance("p1") == "85.00"


@pytest.mark.parametrize(("lingers", "then"), [(False, [2, 2]), (True, [4, 4])])
async def test_who_was_answered_is_waited_for(world, monkeypatch, lingers, then):
    """Two who ask again at once share the next batches with two who came meanwhile, or do not."""
    sizes, settle = [], world.writer.settle

    async def settling(commands, *rest):
        sizes.append(len(commands))
        return await settle(commands, *rest)

    monkeypatch.setattr(world.writer, "lingers", lingers)
    monkeypatch.setattr(world.writer, "settle", settling)
    under_way, disk = held_up(world, monkeypatch)
    async with door(world) as ledger:

        async def play(name):
            for number in range(3):
                await ledger.apply(bet(f"{name}{number}", "1.00"))

        first = [asyncio.ensure_future(play(name)) for name in "ab"]
        await asyncio.to_thread(under_way.wait, 5)
        second = [asyncio.ensure_future(play(name)) for name in "cd"]
        await asyncio.sleep(0)
        disk.set()
        await asyncio.gather(*first, *second)
    assert sizes[:3] == [2, *then]
    assert world.balance("p1") == "88.00"


async def test_who_does_not_come_again_is_not_waited_for(world, monkeypatch):
    """The next batch goes on without those who were answered and left."""
    monkeypatch.setattr(world.writer, "lingers", True)
    under_way, disk = held_up(world, monkeypatch)
    async with door(world) as ledger:
        gone = [asyncio.ensure_future(ledger.apply(bet(key, "1.00"))) for key in ("b1", "b2")]
        await asyncio.to_thread(under_way.wait, 5)
        stays = asyncio.ensure_future(ledger.apply(bet("b3", "1.00")))
        await asyncio.sleep(0)
        disk.set()
        outcomes = await asyncio.wait_for(asyncio.gather(*gone, stays), timeout=30)
    assert [type(each) for each in outcomes] == [Applied] * 3


async def test_one_fault_harms_nobody_else(world, monkeypatch):
    """A command that breaks the program raises alone; the rest of its batch is applied once."""
    decide = lane_module.decide

    def brittle(command, view):
        if command.key == "bad":
            raise ZeroDivisionError("a fault of the program")
        return decide(command, view)

    monkeypatch.setattr(lane_module, "decide", brittle)
    keys = ["b1", "bad", "b2"]
    async with door(world) as ledger:
        asked = (ledger.apply(bet(key, "1.00")) for key in keys)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert ledger.flow.faults == 1
    assert [type(outcome) for outcome in outcomes] == [Applied, ZeroDivisionError, Applied]
    assert world.balance("p1") == "98.00"
    assert "bad" not in {row.key for row in transactions(world.store)}
    proven(world.store)


async def test_a_broken_law_rolls_the_command_back(world, monkeypatch):
    """A stake that the rules let through although it is not covered leaves no trace."""
    decide = lane_module.decide

    def blind(command, view):
        if view.session is not None:
            view.session.account.balance += 1_000_00000
        decision = decide(command, view)
        if view.session is not None:
            view.session.account.balance -= 1_000_00000
        return decision

    monkeypatch.setattr(lane_module, "decide", blind)
    async with door(world) as ledger:
        with pytest.raises(Exception, match="a stake is covered"):
            await ledger.apply(bet("b1", "500.00"))
    assert world.balance("p1") == "100.00"
    assert proven(world.store).transactions == 2


async def test_an_unknown_integration_is_a_fault_of_its_own(world):
    """A command of an integration that is not set up raises; others in its batch do not."""
    async with door(world) as ledger:
        asked = [ledger.apply(bet("b1")), ledger.apply(say(Kind.BET, "b2", integration="nobody"))]
        good, bad = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(good, Applied)
    assert isinstance(bad, KeyError)


async def test_the_clock_never_goes_back(world):
    """When the machine's clock jumps back, rows keep the newest time; forward it goes on."""
    times = iter([NOON + 5_000, NOON - 99_000_000, NOON + 4_999, NOON + 6_000])
    async with door(world, clock=times.__next__) as ledger:
        for number in range(4):
            await ledger.apply(bet(f"b{number}", "1.00"))
    stamps = [row.at_ms - NOON for row in transactions(world.store) if row.kind == "bet"]
    assert stamps == [5_000, 5_000, 5_000, 6_000]
    proven(world.store)


async def test_the_clock_begins_at_the_newest_row(world):
    """A restart with the clock behind does not write rows that are older than stored ones."""
    async with door(world, clock=lambda: NOON - 1) as ledger:
        await ledger.apply(bet("b1"))
    assert world.writer.newest_ms() == NOON
    proven(world.store)


async def test_a_clock_that_was_ahead_once_ends_no_session(world):
    """Decisions follow the clock: one command from the future expires nothing after it."""
    times = iter([NOON + 366 * 86_400_000, NOON + 1])
    async with door(world, clock=times.__next__) as ledger:
        await ledger.apply(deposit("d9"))
        assert isinstance(await ledger.apply(bet("b1")), Applied)
    proven(world.store)


async def test_an_errand_is_seen_by_the_next_command(world):
    """A player, a session and a status that were written are in force for the next bet."""
    wanted = NewSession(
        name="s3", player="p3", currency="USD", game="g1", opened_ms=NOON, expires_ms=NOON + 1000
    )
    async with door(world) as ledger:
        await ledger.run(lambda writer, now: writer.add_player(BRAND, "p3", "MT", "en", now))
        await ledger.run(lambda writer, _: writer.open_session(world.terms[SWIPE], wanted))
        await ledger.apply(deposit("d3", "5.00", "p3"))
        assert isinstance(await ledger.apply(bet("b3", "5.00", "s3")), Applied)
        block = PlayerChange(status=PlayerStatus.BLOCKED)
        await ledger.run(lambda writer, _: writer.change_player(BRAND, "p3", block))
        blocked = await ledger.apply(bet("b4", "0.00", "s3"))
        await ledger.run(lambda writer, now: writer.close_session(world.terms[SWIPE], "s3", now))
        closed = await ledger.apply(bet("b4", "0.00", "s3"))
    assert (why(blocked), why(closed)) == (Rejection.PLAYER_BLOCKED, Rejection.SESSION_CLOSED)


async def test_an_errand_that_fails_leaves_nothing(world):
    """An error within an errand reaches who sent it, and undoes what the errand wrote."""

    def half(writer, now):
        writer.add_player(BRAND, "p3", None, None, now)
        writer.change_player(BRAND, "p9", PlayerChange())

    async with door(world) as ledger:
        with pytest.raises(Unknown):
            await ledger.run(half)
        with world.store.reader() as reader:
            assert reader.player(BRAND, "p3") is None
        assert isinstance(await ledger.apply(bet("b1")), Applied)
        _, new = await ledger.run(lambda w, now: w.add_player(BRAND, "p3", None, None, now))
    assert new


async def test_an_errand_and_commands_take_turns(world):
    """A stream of errands does not keep bets waiting, nor bets an errand."""
    async with door(world, batch_limit=1) as ledger:
        errands = [ledger.run(lambda writer, _: writer.newest_ms()) for _ in range(5)]
        bets = [ledger.apply(bet(f"b{n}", "1.00", round_=f"r{n}")) for n in range(5)]
        done = await asyncio.wait_for(asyncio.gather(*errands, *bets), timeout=10)
    assert len(done) == 10
    assert world.balance("p1") == "95.00"


async def test_an_errand_whose_sender_went_away_is_done(world):
    """A cancelled wait does not stop an errand, nor the ledger after it."""
    async with door(world) as ledger:
        gone = asyncio.ensure_future(
            ledger.run(lambda writer, now: writer.add_player(BRAND, "p3", None, None, now))
        )
        await asyncio.sleep(0)
        gone.cancel()
        assert isinstance(await ledger.apply(bet("b1")), Applied)
    with world.store.reader() as reader:
        assert reader.player(BRAND, "p3") is not None


async def test_the_flow_counts(world):
    """Batches, commands and batch sizes are counted for the metrics."""
    async with door(world, batch_limit=4) as ledger:
        await asyncio.gather(*(ledger.apply(bet(f"b{n}", "1.00")) for n in range(9)))
        flow = ledger.flow
    assert (flow.commands, flow.batches) == (9, 3)
    assert sum(flow.sizes) == 3
    assert flow.sizes[:3] == [1, 0, 2]
