"""The write-ahead log: bounded under constant commits, whoever reads, and whatever fails."""

import asyncio
import os
import threading

import apsw
import pytest

from kit.books import proven, transactions
from kit.command import bet
from kit.door import door
from kit.program import wait_for
from kit.world import StoreWorld, furnished
from seamline.ledger.sqlite import checkpoint
from seamline.ledger.sqlite.checkpoint import Checkpointer
from seamline.ledger.sqlite.store import connect
from seamline.wallet import Applied

pytestmark = pytest.mark.anyio

BEGIN, FINISH = 90, 30
PAGE = 4_096


@pytest.fixture
def anyio_backend():
    """The ledger is used from asyncio."""
    return "asyncio"


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A furnished world whose log is short."""
    monkeypatch.setattr(checkpoint, "BEGIN_PAGES", BEGIN)
    monkeypatch.setattr(checkpoint, "FINISH_PAGES", FINISH)
    made = furnished(StoreWorld(tmp_path))
    made.bets = 0
    yield made
    made.close()


@pytest.fixture
def logged(monkeypatch):
    """The events that were logged."""
    events = []

    class Log:
        """A log of warnings."""

        def warning(self, event, **_):
            """One warning."""
            events.append(event)

    monkeypatch.setattr(checkpoint, "_LOG", Log())
    return events


def log_pages(world):
    """How many pages the log's file has room for."""
    return world.path.with_name("seamline.db-wal").stat().st_size // PAGE


def commit(world, number=1):
    """So many bets, a commit each."""
    for _ in range(number):
        world.bets += 1
        assert isinstance(world.apply(bet(f"b{world.bets}", "0.01"))[0], Applied)


def commit_until(world, condition):
    """Bets, a commit each, until the condition holds."""

    def step():
        commit(world)
        return condition()

    wait_for(step)


def length(world):
    """How many pages the log has and how many of them are copied, without copying any."""
    return world.writer._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)


def test_the_log_stays_bounded(world):
    """However much is committed, the log does not grow beyond a few times its bound."""
    commit(world, 50)
    each = log_pages(world) / 50
    commit(world, 1_000)
    assert log_pages(world) < 1_000 * each, "without checkpoints it would be as long as that"
    commit_until(world, lambda: length(world)[0] < BEGIN)
    assert transactions(world.store)[-1].key == f"b{world.bets}"
    proven(world.store)


async def test_the_log_stays_bounded_under_batches(world):
    """The same through the ledger's door, where a thread commits."""
    async with door(world, batch_limit=4) as ledger:
        for start in range(0, 800, 40):
            bets = (ledger.apply(bet(f"d{start + each}", "0.01")) for each in range(40))
            assert all(isinstance(each, Applied) for each in await asyncio.gather(*bets))
    assert ledger.flow.batches >= 200
    commit_until(world, lambda: length(world)[0] < BEGIN)
    proven(world.store)


def test_the_log_begins_again(world):
    """Once everything is copied the next commit writes at the log's beginning."""
    while length(world)[0] <= BEGIN:
        commit(world)
    wait_for(world.store._checkpointer._nearly_done.is_set)
    commit(world, 2)
    assert length(world)[0] < BEGIN


def test_an_open_snapshot_only_delays(world):
    """A reader keeps what it sees; the log waits for it, and then begins again."""
    beside = connect(world.path, read_only=True)
    beside.execute("BEGIN")
    seen = "SELECT count(*) FROM transactions"
    before = beside.execute(seen).fetchall()
    commit_until(world, lambda: log_pages(world) > 4 * BEGIN)
    assert beside.execute(seen).fetchall() == before
    beside.execute("COMMIT")
    assert beside.execute(seen).fetchall()[0][0] == before[0][0] + world.bets
    beside.close()
    commit_until(world, lambda: length(world)[0] < BEGIN)
    grown = log_pages(world)
    commit(world, 300)
    assert log_pages(world) <= grown + BEGIN
    proven(world.store)


def test_finishing_never_waits(world):
    """While the thread is copying, the committing thread goes on."""
    made = world.store._checkpointer
    made._nearly_done.set()
    with made._copying:
        finishing = threading.Thread(target=made.finish, args=(world.writer._db,))
        finishing.start()
        finishing.join(5)
        assert not finishing.is_alive()
        commit(world, 3)
    assert made._nearly_done.is_set()
    commit(world)
    assert not made._nearly_done.is_set()


def test_finishing_copies_only_what_is_left(world, monkeypatch):
    """Before the bulk is copied the committing thread copies nothing."""
    copied = []
    monkeypatch.setattr(checkpoint, "_copy", lambda db: copied.append(db) or 0)
    made = world.store._checkpointer
    made.finish(world.writer._db)
    assert copied == []
    made._nearly_done.set()
    made.finish(world.writer._db)
    made.finish(world.writer._db)
    assert copied == [world.writer._db]


def test_a_failing_checkpoint_stops_no_commit(world, logged, monkeypatch):
    """A checkpoint that fails is logged; commits go on, and a later one succeeds."""

    class Failing:
        """A connection that cannot copy."""

        def wal_checkpoint(self, **_):
            """Fail as a disk does."""
            raise apsw.IOError("disk")

    copy = checkpoint._copy
    with monkeypatch.context() as broken:
        broken.setattr(checkpoint, "_copy", lambda _: copy(Failing()))
        commit_until(world, lambda: "checkpoint_failed" in logged)
        commit(world, 50)
    commit_until(world, lambda: length(world)[0] < BEGIN)
    assert set(logged) == {"checkpoint_failed"}
    proven(world.store)


def test_a_copying_connection_that_is_gone_stops_no_commit(world, logged):
    """Without the thread's connection the committing one copies, and the thread lives on."""
    made = world.store._checkpointer
    made._db.close()
    commit_until(world, lambda: logged)
    commit(world, 300)
    assert made._thread.is_alive()
    assert log_pages(world) < 6 * BEGIN


def test_copying_ends_when_it_gets_no_further(world, monkeypatch):
    """A pass that leaves as much as the one before is the last: someone reads, or commits fast."""
    left = iter([900, 500, 500, 100])
    monkeypatch.setattr(checkpoint, "_copy", lambda _: next(left))
    world.store._checkpointer._copy_the_bulk()
    assert next(left) == 100


def test_copying_ends_when_little_is_left(world, monkeypatch):
    """What the committing thread may copy itself is left to it."""
    left = iter([900, FINISH, 5])
    monkeypatch.setattr(checkpoint, "_copy", lambda _: next(left))
    world.store._checkpointer._copy_the_bulk()
    assert next(left) == 5


def test_the_thread_sees_its_copies_onto_the_disk(world, monkeypatch):
    """Each pass of the thread is followed by a sync, so that no commit has to wait for it."""
    done, left, sync = [], iter([900, FINISH]), os.fdatasync
    monkeypatch.setattr(checkpoint, "_copy", lambda _: done.append("copied") or next(left))
    monkeypatch.setattr(os, "fdatasync", lambda file: done.append("synced") or sync(file))
    world.store._checkpointer._copy_the_bulk()
    assert done == ["copied", "synced"] * 2


def test_a_failing_sync_stops_no_commit(world, logged, monkeypatch):
    """A sync that fails is logged, and the thread lives on."""

    def fail(_file):
        raise OSError("disk")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        commit_until(world, lambda: "checkpoint_failed" in logged)
    assert world.store._checkpointer._thread.is_alive()
    commit_until(world, lambda: length(world)[0] < BEGIN)
    proven(world.store)


def test_a_short_log_wakes_nobody(tmp_path):
    """Up to its bound the log is left alone; beyond it the thread is told, but not twice."""
    made = Checkpointer(connect(tmp_path / "x.db"))
    made._copy_the_bulk = lambda: None
    made.note(None, "main", checkpoint.BEGIN_PAGES)
    assert not made._nearly_done.wait(0.02)
    made.note(None, "main", checkpoint.BEGIN_PAGES + 1)
    assert made._nearly_done.wait(5)
    made.note(None, "main", checkpoint.BEGIN_PAGES + 1)
    assert not made._long.is_set()
    made.close()


def test_closing_ends_the_thread(tmp_path):
    """Nothing is left running, also when the thread was just told to copy."""
    for told in (False, True):
        made = Checkpointer(connect(tmp_path / "x.db"))
        if told:
            made.note(None, "main", checkpoint.BEGIN_PAGES + 1)
        made.close()
        assert not made._thread.is_alive()


def test_a_closed_store_has_no_log(world):
    """When the store closes, everything is in the one file."""
    commit(world, 5)
    world.close()
    assert not world.path.with_name("seamline.db-wal").exists()
    world.open()
    assert transactions(world.store)[-1].key == "b5"
