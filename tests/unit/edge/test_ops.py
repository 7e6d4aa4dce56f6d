"""Health, readiness and metrics; and the watch over the books."""

import asyncio
from collections import Counter
from types import SimpleNamespace

import apsw
import msgspec
import pytest

from kit.books import alerts
from kit.command import bet, refund, win
from kit.door import door
from kit.world import StoreWorld, furnished
from seamline.edge import ops as module
from seamline.edge.gateway import Gateway
from seamline.edge.ops import LEAST_FREE_BYTES, OVERDUE_MS, Ops
from seamline.ledger.ledger import Ledger
from seamline.ledger.sqlite.reader import SqliteReader
from seamline.ledger.store import RoundFilter, StoreUnavailable
from unit.edge.api.asgi_caller import call

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """The edge runs in asyncio."""
    return "asyncio"


TAMPER = """
UPDATE accounts SET balance = balance + ? WHERE id = (SELECT min(id) FROM accounts WHERE id > 0)
"""


class Log:
    """What was logged: level, event and fields."""

    def __init__(self):
        self.lines = []

    def __getattr__(self, level):
        return lambda event, **fields: self.lines.append((level, event, fields))


class Rig:
    """The machines' door on a world."""

    def __init__(self, world, ledger, folder):
        self.world, self.ledger = world, ledger
        gateway = Gateway(
            ledger=ledger,
            store=world.store,
            currencies=None,
            connections={},
            cashiers={},
            api_keys=(),
            exchanges=None,
            send=None,
            clock_ms=lambda: world.now_ms,
        )
        self.ops = Ops(gateway, lambda: b"figures 1\n", folder)

    async def get(self, path, method="GET"):
        """One exchange."""
        return await call(self.ops, method, path)

    async def ready(self):
        """The status of `/readyz`, and its checks that do not hold, with their reasons."""
        got = await self.get("/readyz")
        said = got.json
        assert said["ready"] == (got.status == 200) == all(each["ok"] for each in checks(said))
        wrong = {name: each["reason"] for name, each in said["checks"].items() if not each["ok"]}
        return got.status, wrong

    async def look(self):
        """Look through all of the books once."""
        await self.ops._compare()
        while await self.ops._find_overdue():
            pass

    def tamper(self, units):
        """Change a balance behind the ledger's back."""
        beside = apsw.Connection(str(self.world.path))
        beside.execute(TAMPER, (units,))
        assert beside.changes() == 1
        beside.close()


def checks(said):
    """The checks of a readiness."""
    return said["checks"].values()


@pytest.fixture
async def rig(tmp_path):
    """Machines' paths of a furnished world."""
    world = furnished(StoreWorld(tmp_path))
    async with door(world) as ledger:
        yield Rig(world, ledger, tmp_path)
    world.close()


@pytest.fixture
def logged(monkeypatch):
    """What the machines' door has logged."""
    log = Log()
    monkeypatch.setattr(module, "_LOG", log)
    return log.lines


@pytest.fixture
async def watched(rig, monkeypatch):
    """A watch that looks again and again, and a way to wait for its next look."""
    monkeypatch.setattr(module, "WATCH_EVERY_S", 0.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 0.0))
    looked, done = asyncio.Condition(), Counter()

    def counted(find):
        async def look():
            try:
                return await find()
            finally:
                async with looked:
                    done[find.__name__] += 1
                    looked.notify_all()

        return look

    finds = ("_compare", "_find_overdue")
    for find in finds:
        monkeypatch.setattr(rig.ops, find, counted(getattr(rig.ops, find)))
    task = asyncio.create_task(rig.ops.watch())

    async def look(times=2):
        # One that is under way may have begun before what it should see: only the second counts.
        wanted = {find: done[find] + times for find in finds}
        async with asyncio.timeout(10), looked:
            await looked.wait_for(lambda: all(done[find] >= wanted[find] for find in finds))

    yield SimpleNamespace(look=look, task=task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# The three paths.


async def test_health_is_being_alive(rig):
    """A gateway that answers is alive, whatever its store does."""
    got = await rig.get("/healthz")
    assert (got.status, got.json) == (200, {"alive": True})


async def test_a_ledger_that_ended_is_not_alive(rig, monkeypatch):
    """After a fault of its own it takes nothing any more: only a new process does."""
    monkeypatch.setattr(Ledger, "failed", True)
    got = await rig.get("/healthz")
    assert (got.status, got.json) == (503, {"alive": False})


async def test_metrics_are_text(rig):
    """The figures come as the text format of Prometheus."""
    got = await rig.get("/metrics")
    assert (got.status, got.body) == (200, b"figures 1\n")
    assert got.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_a_well_gateway_is_ready(rig):
    """Each check holds and says why."""
    got = await rig.get("/readyz")
    assert got.status == 200
    assert got.json["checks"]["store"] == {"ok": True, "reason": "writable"}
    assert got.json["checks"]["audit"] == {"ok": True, "reason": "not compared yet"}
    assert got.json["checks"]["disk"]["reason"].endswith(" MiB free")
    await rig.look()
    got = await rig.get("/readyz")
    assert got.json["checks"]["audit"]["reason"] == "balances equal movements"


@pytest.mark.parametrize("path", sorted(Ops.paths))
async def test_only_asking_is_allowed(rig, path):
    """Any method but GET and HEAD is 405, and told which one there is."""
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        got = await rig.get(path, method)
        assert (got.status, got.headers["allow"], got.body) == (405, "GET", b"")
    assert (await rig.get(path, "HEAD")).status == 200


# Readiness.


async def test_a_store_that_refuses_writes_is_not_ready(rig, monkeypatch):
    """When the store says that it is away, the gateway is not ready and says what it was told."""

    async def away(_work):
        raise StoreUnavailable("seamline.db: disk full")

    monkeypatch.setattr(rig.world.writer, "transact", away)
    reason = "cannot be written: seamline.db: disk full"
    assert await rig.ready() == (503, {"store": reason})
    monkeypatch.undo()
    assert await rig.ready() == (200, {})


async def test_a_real_write_is_tried(rig):
    """A file that can only be read is found out, not only one that says so."""
    rig.world.writer._db.pragma("query_only", 1)
    status, wrong = await rig.ready()
    assert (status, set(wrong)) == (503, {"store"})
    rig.world.writer._db.pragma("query_only", 0)
    assert await rig.ready() == (200, {})


async def test_a_store_that_hangs_is_not_ready(rig, monkeypatch):
    """A write that takes too long is no write; when it ends at last the gateway is ready again."""
    monkeypatch.setattr(module, "WRITE_WITHIN_S", 0.05)
    goes_on, transact = asyncio.Event(), rig.world.writer.transact

    async def slowly(work):
        await goes_on.wait()
        return await transact(work)

    monkeypatch.setattr(rig.world.writer, "transact", slowly)
    try:
        async with asyncio.timeout(5):
            found = await rig.ready()
    finally:
        goes_on.set()
    assert found == (503, {"store": "cannot be written: no answer in time"})
    monkeypatch.setattr(module, "WRITE_WITHIN_S", 5.0)
    assert await rig.ready() == (200, {})


async def test_a_closing_gateway_is_not_ready(rig):
    """A ledger that takes nothing any more is not ready."""
    await rig.ledger.close()
    assert await rig.ready() == (503, {"store": "cannot be written: the gateway is stopping"})


@pytest.mark.parametrize(
    ("free", "wrong"), [(LEAST_FREE_BYTES, {}), (LEAST_FREE_BYTES - 1, {"disk": "63 MiB free"})]
)
async def test_little_disk_is_not_ready(rig, monkeypatch, free, wrong):
    """Below 64 MiB of free disk the gateway is not ready, before the store fails."""
    asked = []
    monkeypatch.setattr(
        module.shutil, "disk_usage", lambda path: asked.append(path) or SimpleNamespace(free=free)
    )
    assert await rig.ready() == (503 if wrong else 200, wrong)
    assert asked == [rig.world.path.parent]


async def test_wrong_books_are_not_ready(rig, logged):
    """Once balances and movements were found to differ the gateway is not ready, and says it."""
    rig.tamper(7)
    assert await rig.ready() == (200, {})
    await rig.look()
    assert await rig.ready() == (503, {"audit": "drift {'USD': 7}"})
    assert logged == [("error", "ledger_drift", {"units": dict(rig.ops.drift())})]


# The watch.


async def test_drift_is_found_and_found_gone(rig, logged, watched):
    """The watch finds a changed balance, in units and by currency; and sees it mended."""
    await watched.look()
    assert not any(rig.ops.drift().values())
    rig.tamper(-3)
    await watched.look()
    assert {code: units for code, units in rig.ops.drift().items() if units} == {"USD": -3}
    rig.tamper(3)
    await watched.look()
    assert not any(rig.ops.drift().values())


async def test_a_round_that_never_ends_is_told_once(rig, logged):
    """A round with a bet and no end gets one alert after 24 hours, and only one."""
    rig.world.apply(bet("b1", "10.00"), bet("b2", "5.00"))
    await rig.look()
    rig.world.now_ms += OVERDUE_MS
    await rig.look()
    assert alerts(rig.world.store) == []
    rig.world.now_ms += 1
    told = [("round g1/r1 of p1", "round_unsettled", "2 bet(s), 15.00 USD staked, no end")]
    for _ in range(3):
        await rig.look()
        assert alerts(rig.world.store) == told
    rig.ops._looked_at = 0
    await rig.look()
    assert alerts(rig.world.store) == told


async def test_an_alert_names_its_player(rig):
    """The alert leads to the player, and is about when the round opened."""
    opened = rig.world.now_ms
    rig.world.apply(bet("b1", session="s2"))
    rig.world.now_ms += OVERDUE_MS + 1
    await rig.look()
    with rig.world.store.reader() as reader:
        (found,) = reader.alerts(state="open", after=None, limit=10)
    assert (found.integration, found.player, found.currency) == ("swipe", "p2", "USD")
    assert found.created_ms == opened


ENDED = {
    "won": [bet("b1"), win("w1")],
    "lost": [bet("b1"), win("w1", "0")],
    "undone": [bet("b1"), refund("f1", "b1")],
    "undone twice over": [bet("b1"), bet("b2"), refund("f1", "b1"), refund("f2", "b2")],
    "won without a bet": [win("w1")],
}


@pytest.mark.parametrize("how", ENDED)
async def test_rounds_that_ended_are_well(rig, how):
    """A round that was paid, lost or undone gets no alert of this kind."""
    rig.world.apply(*ENDED[how])
    rig.world.now_ms += 2 * OVERDUE_MS
    await rig.look()
    assert "round_unsettled" not in [alert for _, alert, _ in alerts(rig.world.store)]


async def test_a_round_that_goes_on_is_closed_when_nobody_plays_in_it(rig):
    """A paid round that its vendor left open is unsettled, and closed after a day without play."""
    rig.world.apply(bet("b1"), win("w1", ends=False))
    assert [each.round for each in unsettled(rig.world.store)] == ["r1"]
    rig.world.now_ms += OVERDUE_MS + 1
    await rig.look()
    assert unsettled(rig.world.store) == []
    assert alerts(rig.world.store) == []


async def test_the_last_win_ends_a_round_that_goes_on(rig):
    """A round goes on until a win says that it was the last one; a later one opens it no more."""
    rig.world.apply(bet("b1"), win("w1", ends=False), bet("b2"))
    assert [each.round for each in unsettled(rig.world.store)] == ["r1"]
    rig.world.apply(win("w2", ends=True))
    assert unsettled(rig.world.store) == []
    rig.world.apply(bet("b3"), win("w3", ends=False))
    assert unsettled(rig.world.store) == []


def unsettled(store):
    """The rounds that have no end yet."""
    with store.reader() as reader:
        return reader.rounds(RoundFilter(unsettled=True))


async def test_half_undone_is_not_ended(rig):
    """One of two bets undone leaves the round open."""
    rig.world.apply(bet("b1"), bet("b2"), refund("f1", "b1"))
    rig.world.now_ms += OVERDUE_MS + 1
    await rig.look()
    assert [key for key, alert, _ in alerts(rig.world.store)] == ["round g1/r1 of p1"]


async def test_everybody_in_a_round_is_told_of(rig):
    """A table's round holds a stake of each of its players."""
    rig.world.apply(bet("b1", "1.00"), bet("b2", "1.00", "s2"))
    rig.world.now_ms += OVERDUE_MS + 1
    await rig.look()
    told = {key for key, alert, _ in alerts(rig.world.store)}
    assert told == {"round g1/r1 of p1", "round g1/r1 of p2"}


async def test_every_overdue_round_is_found(rig, monkeypatch):
    """However many rounds lie between two looks, each that never ended is found."""
    monkeypatch.setattr("seamline.ledger.reader.OVERDUE_STEP", 3)
    for number in range(10):
        rig.world.apply(bet(f"b{number}", "1.00", round_=f"r{number}"))
    rig.world.now_ms += OVERDUE_MS + 1
    rig.world.session("s9", "p1")
    rig.world.apply(bet("late", "1.00", "s9", "late"))
    await rig.look()
    rig.world.now_ms += OVERDUE_MS
    assert len(alerts(rig.world.store)) == 10
    await rig.look()
    assert len(alerts(rig.world.store)) == 10
    rig.world.now_ms += 1
    await rig.look()
    assert len(alerts(rig.world.store)) == 11


async def test_alerts_are_written_a_few_at_a_time(rig, monkeypatch):
    """One transaction writes a bounded number of alerts, and the next look goes on behind them."""
    monkeypatch.setattr("seamline.ledger.reader.OVERDUE_LIMIT", 3)
    for number in range(7):
        rig.world.apply(bet(f"b{number}", "1.00", round_=f"r{number}"))
    rig.world.now_ms += OVERDUE_MS + 1
    for told in (3, 6, 7):
        assert await rig.ops._find_overdue()
        assert len(alerts(rig.world.store)) == told
    assert not await rig.ops._find_overdue()


async def test_an_alert_that_could_not_be_written_is_written_later(rig, monkeypatch):
    """A store that is away keeps the watch from going on past a round that it did not tell."""
    rig.world.apply(bet("b1"))
    rig.world.now_ms += OVERDUE_MS + 1

    async def away(_work):
        raise StoreUnavailable("away")

    monkeypatch.setattr(rig.world.writer, "transact", away)
    with pytest.raises(StoreUnavailable):
        await rig.look()
    monkeypatch.undo()
    await rig.look()
    assert len(alerts(rig.world.store)) == 1


@pytest.mark.parametrize(
    ("error", "level"), [(StoreUnavailable("away"), "warning"), (RuntimeError("ours"), "exception")]
)
async def test_the_watch_survives(rig, logged, watched, monkeypatch, error, level):
    """Whatever goes wrong is logged, and the watch looks again."""
    failed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def fail(_reader):
        loop.call_soon_threadsafe(failed.set)
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(SqliteReader, "drift", fail)
        async with asyncio.timeout(10):
            await failed.wait()
    await watched.look()
    assert not watched.task.done()
    assert {(line[0], line[1]) for line in logged} == {(level, "watch_failed")}
    assert rig.ops.drift() == {"USD": 0}


async def test_the_watch_takes_little_of_the_time(rig, monkeypatch):
    """A look is followed by a hundred times its time of rest, and a minute once nothing is left."""
    rested, clock = [], iter([0.0, 0.1, 1.0, 4.0, 5.0, 5.25])
    left = iter([False, False, True])

    async def look():
        return next(left)

    async def rest(seconds):
        rested.append(seconds)
        if len(rested) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=rest))
    with pytest.raises(asyncio.CancelledError):
        await rig.ops._keep_looking(look)
    assert rested == [60.0, 300.0, 25.0]


def test_readiness_is_plain_json():
    """The body names each check, so that a person who asks by hand sees what is wrong."""
    said = msgspec.json.encode(module.Readiness(False, {"disk": module.Check(False, "1 MiB free")}))
    assert said == b'{"ready":false,"checks":{"disk":{"ok":false,"reason":"1 MiB free"}}}'
