"""The door before a store that hangs: nobody waits for it, nothing that is owed is forgotten."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from kit.books import proven, transactions
from kit.command import bet, deposit, say, win
from kit.door import door, why
from kit.echo import until
from kit.world import terms_of
from seamline.ledger import lane as lane_module
from seamline.ledger.keys import overdue_of
from seamline.ledger.ledger import Ledger
from seamline.ledger.sqlite.writer import SqliteWriter
from seamline.ledger.store import StoreUnavailable
from seamline.wallet import Applied, Kind, Policy, Rejection, Replayed

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


class Hanging:
    """A writer whose commits wait until they are let go, and of which so many then fail."""

    def __init__(self, writer):
        self._writer = writer
        self.free = asyncio.Event()
        self.hangs = False
        self.fails = 0
        self.fault = StoreUnavailable("no space")

    def __getattr__(self, name):
        return getattr(self._writer, name)

    async def settle(self, *batch):
        """A batch, as slow as all transactions."""
        return await self._slow(self._writer.settle, *batch)

    async def transact(self, work):
        """An errand, as slow as all transactions."""
        return await self._slow(self._writer.transact, work)

    async def _slow(self, transact, *work):
        """The transaction is done, and nobody hears of it yet."""
        if self.fails:
            self.fails -= 1
            raise self.fault
        result = await transact(*work)
        if self.hangs:
            await self.free.wait()
        return result

    def hang(self, ledger):
        """From now on nothing comes back, and nobody is to wait long for it."""
        self.hangs, ledger._tempo.deadline_ms = True, 20

    def let_go(self, ledger):
        """Everything comes back, and may take its time."""
        self.hangs, ledger._tempo.deadline_ms = False, 60_000
        self.free.set()


@asynccontextmanager
async def hanging(world, **options):
    """A door whose store hangs once a first bet is through."""
    writer = Hanging(world.writer)
    ledger = Ledger(writer, world.terms, clock=lambda: world.now_ms, deadline_ms=60_000, **options)
    await ledger.apply(bet("b0", "1.00", round_="r0"))
    writer.hang(ledger)
    yield ledger, writer
    writer.let_go(ledger)
    await ledger.close()


async def test_nobody_waits_for_a_store_that_hangs(world):
    """What is under way is overdue; what queues, or comes, is refused and moves nothing."""
    async with hanging(world, batch_limit=1) as (ledger, writer):
        under_way, queued = await asyncio.gather(
            ledger.apply(bet("b1")), ledger.apply(bet("b2", round_="r2"))
        )
        late = await ledger.apply(bet("b3", round_="r3"))
        assert [why(each) for each in (under_way, queued, late)] == [
            Rejection.OVERDUE,
            Rejection.UNAVAILABLE,
            Rejection.UNAVAILABLE,
        ]
        assert ledger.flow.overdue == 1
        writer.let_go(ledger)
        assert isinstance(await until_taken(ledger, bet("b4", "2.00", round_="r4")), Applied)
    assert [row.key for row in transactions(world.store) if row.kind == "bet"] == ["b0", "b1", "b4"]
    proven(world.store)


async def test_who_queues_is_refused_long_before_the_batch_is_given_up(world):
    """Else it would wait for its own batch after that, for longer than its vendor waits."""
    writer = Hanging(world.writer)
    async with door(world, writer=writer, batch_limit=1, deadline_ms=2_000) as ledger:
        writer.hangs = True
        under_way = asyncio.create_task(ledger.apply(bet("b1")))
        queued = asyncio.create_task(ledger.apply(bet("b2", round_="r2")))
        assert why(await queued) is Rejection.UNAVAILABLE
        assert not under_way.done()
        writer.let_go(ledger)
        assert why(await under_way) is Applied


@pytest.mark.parametrize("again", ["reject", "replay"])
async def test_an_overdue_bet_is_undone_where_that_is_ours(world, again):
    """A bet that came through after all is given back, before anything else; a repeat is not.

    Nor is a repeat told that it was done, where that is told of bets that their vendors undid.
    """
    policy = Policy(overdue_bet="undo", refunded_bet_again=again)
    world.terms = terms_of(policy)
    async with hanging(world) as (ledger, writer):
        known, new = await asyncio.gather(
            ledger.apply(bet("b0", "1.00", round_="r0")), ledger.apply(bet("b1"))
        )
        assert why(known) == why(new) == Rejection.OVERDUE
        writer.let_go(ledger)
        again = await until_taken(ledger, bet("b1"))
        assert why(again) is Rejection.REFUNDED_BEFORE
        assert why(await ledger.apply(bet("b0", "1.00", round_="r0"))) is Replayed
    assert world.balance("p1") == "99.00"
    proven(world.store)


async def test_a_bet_that_is_overdue_with_its_own_repeat_is_undone(world):
    """Both waited in one batch and heard nothing: nobody was told that the bet stands."""
    world.terms = terms_of(Policy(overdue_bet="undo"))
    async with hanging(world) as (ledger, writer):
        asked = (bet("b1"), bet("b1"), say(Kind.STATUS, None, target="b1"))
        told = await asyncio.gather(*map(ledger.apply, asked))
        assert list(map(why, told)) == [Rejection.OVERDUE] * 3
        writer.let_go(ledger)
        assert why(await until_taken(ledger, bet("b1"))) is Rejection.REFUNDED_BEFORE
    assert world.balance("p1") == "99.00"
    proven(world.store)


@pytest.mark.parametrize(("policy", "named"), [("undo", ["swipe b1"]), ("await_refund", [])])
async def test_the_log_names_the_bets_that_are_ours_to_undo(world, policy, named):
    """Nothing else would tell of them, were the gateway killed before they are undone."""
    world.terms = terms_of(Policy(overdue_bet=policy))
    async with hanging(world) as (ledger, _):
        with capture_logs() as logs:
            await asyncio.gather(ledger.apply(bet("b1")), ledger.apply(win("w0", round_="r0")))
    (line,) = told(logs, "batch_overdue")
    assert (line["commands"], line["bets"]) == (2, named)


async def test_a_refund_that_is_owed_is_not_forgotten(world, monkeypatch):
    """Where it cannot be written at once, it is before anything else when the store is back."""
    monkeypatch.setattr(lane_module, "REST_MS", 60_000)
    world.terms = terms_of(Policy(overdue_bet="undo", refunded_bet_again="reject"))
    async with hanging(world) as (ledger, writer):
        assert why(await ledger.apply(bet("b1"))) is Rejection.OVERDUE
        writer.fails = 1_000
        writer.let_go(ledger)
        with pytest.raises(StoreUnavailable):
            await ledger.run(lambda *_: None)
        for key in ("b1", "b2"):
            assert why(await ledger.apply(bet(key))) is Rejection.UNAVAILABLE
        writer.fails = 0
        assert why(await ledger.apply(bet("b1"))) is Rejection.REFUNDED_BEFORE
    assert world.balance("p1") == "99.00"
    proven(world.store)


async def test_a_refund_that_is_owed_waits_for_nobody(world, monkeypatch):
    """Where nothing else comes it is tried again in a while."""
    monkeypatch.setattr(lane_module, "REST_MS", 10)
    world.terms = terms_of(Policy(overdue_bet="undo"))
    async with hanging(world) as (ledger, writer):
        assert why(await ledger.apply(bet("b1"))) is Rejection.OVERDUE
        writer.fails = 3
        writer.let_go(ledger)
        await until(lambda: (writer.fails, world.balance("p1")) == (0, "99.00"))
    proven(world.store)


def told(logs, event):
    """The lines of the log about that."""
    return [each for each in logs if each["event"] == event]


async def test_a_refund_that_fails_is_owed_still(world, monkeypatch):
    """A fault that passes costs nothing; the player gets the stake back."""
    monkeypatch.setattr(lane_module, "REST_MS", 10)
    world.terms = terms_of(Policy(overdue_bet="undo"))
    async with hanging(world) as (ledger, writer):
        assert why(await ledger.apply(bet("b1"))) is Rejection.OVERDUE
        writer.fails, writer.fault = 3, RuntimeError("interrupted")
        writer.let_go(ledger)
        await until(lambda: (writer.fails, world.balance("p1")) == (0, "99.00"))
    proven(world.store)


async def test_a_refund_that_fails_for_good_is_told(world, monkeypatch):
    """It keeps nobody else from being served, and the log names it once it is given up."""
    monkeypatch.setattr(lane_module, "REST_MS", 1)
    monkeypatch.setattr(lane_module, "FAULTY_MS", 20)
    world.terms = terms_of(Policy(overdue_bet="undo"))
    async with hanging(world) as (ledger, writer):
        assert why(await ledger.apply(bet("b1"))) is Rejection.OVERDUE
        writer.fails, writer.fault = 1_000_000, RuntimeError("a fault of the program")
        writer.let_go(ledger)
        with capture_logs() as logs:
            await until(lambda: told(logs, "refunds_not_written"))
        writer.fails = 0
        assert why(await ledger.apply(bet("b2", "1.00", round_="r2"))) is Applied
    (line,) = told(logs, "refunds_not_written")
    assert line["keys"] == [overdue_of("b1")]
    proven(world.store)


async def test_a_fault_of_the_ledger_itself_keeps_nobody_waiting(world, monkeypatch):
    """Who is in the batch may still be done; all others are refused, at once and for good."""
    async with hanging(world) as (ledger, writer):
        assert not ledger.failed
        monkeypatch.setattr(lane_module, "_answer", lambda *_: 1 // 0)
        asked = [asyncio.create_task(ledger.apply(bet("b1")))]
        await asyncio.sleep(0)
        asked += [asyncio.create_task(ledger.apply(bet("b2")))]
        errand = asyncio.create_task(ledger.run(lambda *_: None))
        with capture_logs() as logs:
            writer.let_go(ledger)
            outcomes = await asyncio.gather(*asked)
            with pytest.raises(StoreUnavailable):
                await errand
        assert ledger.failed
        assert why(await ledger.apply(bet("b3"))) is Rejection.BUSY
    assert list(map(why, outcomes)) == [Rejection.OVERDUE, Rejection.BUSY]
    assert told(logs, "ledger_stopped")


async def test_a_refund_that_could_not_be_written_keeps_nobody_from_stopping(world):
    """The gateway stops; the vendor's own repeat meets the bet."""
    world.terms = terms_of(Policy(overdue_bet="undo"))
    async with hanging(world) as (ledger, writer):
        assert why(await ledger.apply(bet("b1"))) is Rejection.OVERDUE
        writer.fails = 1_000
    assert world.balance("p1") == "89.00"


async def test_nobody_waits_for_an_errand_that_hangs(world):
    """What queues behind it is refused and moves nothing; afterwards commands are taken again."""
    async with hanging(world) as (ledger, writer):
        errand = asyncio.create_task(ledger.run(lambda *_: None))
        await asyncio.sleep(0)
        assert why(await ledger.apply(bet("b1"))) is Rejection.UNAVAILABLE
        assert why(await ledger.apply(bet("b2"))) is Rejection.UNAVAILABLE
        writer.let_go(ledger)
        await errand
        assert why(await until_taken(ledger, bet("b3"))) is Applied
    assert [row.key for row in transactions(world.store) if row.kind == "bet"] == ["b0", "b3"]
    proven(world.store)


async def until_taken(ledger, command):
    """The outcome once the store has answered again."""
    await ledger.run(lambda *_: None)
    return await ledger.apply(command)


async def test_what_waits_is_looked_for_meanwhile(world, monkeypatch):
    """Between two batches the store hears what the next one will ask for, and no more than that."""
    heard, warm = [], world.writer.warm

    async def listening(commands):
        heard.append([command.key for command in commands])
        await warm(commands)

    monkeypatch.setattr(world.writer, "warm", listening)
    async with door(world, batch_limit=2) as ledger:
        bets = (ledger.apply(bet(f"b{number}", "1.00")) for number in range(5))
        outcomes = await asyncio.gather(*bets)
    assert heard == [["b2", "b3"], ["b4"]]
    assert all(isinstance(outcome, Applied) for outcome in outcomes)


async def test_a_store_that_hangs_while_it_looks_ahead(world, monkeypatch):
    """What waited is refused when the time is over, and the next command is taken again."""
    async with door(world, batch_limit=1, deadline_ms=60_000) as ledger:

        async def hang(_commands):
            ledger._lanes[0]._turn_away()  # as the deadline does

        monkeypatch.setattr(world.writer, "warm", hang)
        known, waited = await asyncio.gather(
            ledger.apply(bet("b1")), ledger.apply(bet("b2", round_="r2"))
        )
        assert (why(known), why(waited)) == (Applied, Rejection.UNAVAILABLE)
        assert why(await until_taken(ledger, bet("b3", round_="r3"))) is Applied
    assert ledger.flow.overdue == 0
    proven(world.store)


@pytest.mark.parametrize(
    "unheard", [bet("b1", session="nobody"), bet("\ud800"), deposit("d9", player="nobody")]
)
async def test_looking_ahead_changes_nothing_and_never_fails(world, monkeypatch, unheard):
    """Whatever the commands are, looking for what they need leaves the books as they were."""
    before = transactions(world.store)
    if isinstance(world.writer, SqliteWriter):
        monkeypatch.setattr(world.writer._batches, "_cached_pages", 0)
    await world.writer.warm([bet("b1"), unheard])
    assert transactions(world.store) == before
    world.apply(bet("b1"))
    proven(world.store)


@pytest.mark.parametrize(
    ("waited_ms", "patience_ms", "told"), [(0, 60_000, Applied), (40, 60, Rejection.UNAVAILABLE)]
)
async def test_nobody_waits_twice_for_a_store_that_is_away(world, waited_ms, patience_ms, told):
    """Who queued while others waited in vain is refused with them; unless that was quick."""

    async def fail(*_):
        del writer.settle
        await asyncio.sleep(waited_ms / 1000)
        raise StoreUnavailable("nobody answers")

    async with hanging(world, batch_limit=1) as (ledger, writer):
        writer.let_go(ledger)
        writer.settle, ledger._tempo.patience_ms = fail, patience_ms
        first, queued = await asyncio.gather(
            ledger.apply(bet("b1")), ledger.apply(bet("b2", round_="r2"))
        )
        assert (why(first), why(queued)) == (Rejection.UNAVAILABLE, told)
    proven(world.store)
