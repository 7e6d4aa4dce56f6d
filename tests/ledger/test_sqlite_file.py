"""The file: one process at a time, a schema and scales that fit, a disk that may be full."""

import asyncio
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from kit.books import proven, transactions
from kit.command import bet, deposit, refund
from kit.door import door
from kit.world import CURRENCIES, NOON, StoreWorld, furnished, settle
from seamline.ledger.rules import decide
from seamline.ledger.sqlite import checkpoint
from seamline.ledger.sqlite.batches import Batches
from seamline.ledger.sqlite.store import SqliteStore, open_reader
from seamline.ledger.store import StoreError, StoreUnavailable
from seamline.money import Currencies, Currency
from seamline.must import Broken
from seamline.wallet import Applied, Rejected, Rejection, Replayed

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """The ledger is used from asyncio."""
    return "asyncio"


@pytest.fixture
def world(tmp_path):
    """A furnished world on SQLite."""
    made = furnished(StoreWorld(tmp_path))
    yield made
    made.close()


OPEN = """
import sys
from pathlib import Path
from seamline.ledger.sqlite.store import SqliteStore
from seamline.ledger.store import StoreError
from seamline.money import Currencies
try:
    SqliteStore(Path(sys.argv[1]), Currencies({})).close()
except StoreError as error:
    sys.exit(str(error))
"""


def opened_elsewhere(path: Path):
    """What another process says when it opens the file."""
    return subprocess.run(
        [sys.executable, "-c", OPEN, str(path)], capture_output=True, text=True, check=False
    )


def test_a_second_process_is_refused(tmp_path):
    """While one process writes the file, another cannot open it for writing; afterwards it can."""
    store = SqliteStore(tmp_path / "seamline.db", Currencies({}))
    second = opened_elsewhere(tmp_path / "seamline.db")
    assert second.returncode == 1
    assert "is open in another Seamline process; stop it first" in second.stderr
    store.close()
    assert opened_elsewhere(tmp_path / "seamline.db").returncode == 0


def test_the_same_process_is_refused_too(world):
    """Two stores on one file would hand out the same ids, also within one process."""
    with pytest.raises(StoreError, match="open in another"):
        SqliteStore(world.path, CURRENCIES)
    assert isinstance(world.apply(bet("b1"))[0], Applied)


def test_readers_need_no_lock(world):
    """Any process may read beside the one that writes."""
    reader = open_reader(world.path, CURRENCIES)
    assert reader.player("acme", "p1") is not None
    reader.close()


def test_a_newer_schema_is_refused(world):
    """A file that a newer program wrote is neither read nor written, and not changed."""
    world.store._connection.pragma("user_version", 999)
    world.close()
    with pytest.raises(StoreError, match=r"schema 999.*use a newer Seamline"):
        SqliteStore(world.path, CURRENCIES)
    with pytest.raises(StoreError, match="schema 999"):
        open_reader(world.path, CURRENCIES)
    db = apsw.Connection(str(world.path))
    assert db.pragma("user_version") == 999
    db.pragma("user_version", world.store.schema)
    db.close()
    world.open()
    proven(world.store)


@pytest.mark.parametrize("scale", [4, 6, None])
def test_a_scale_never_changes(world, scale):
    """Units that were stored with one scale are not read with another one, nor with none."""
    world.close()
    changed = {code: each for code, each in CURRENCIES.items() if code != "USD"}
    if scale is not None:
        changed["USD"] = Currency("USD", 2, scale)
    with pytest.raises(StoreError, match="currency USD is stored with scale 5, the settings say"):
        SqliteStore(world.path, Currencies(changed))
    world.open()
    proven(world.store)


def test_a_new_currency_is_noted(world):
    """A currency may be added; from then on its scale is fixed as well."""
    world.close()
    SqliteStore(world.path, Currencies({**CURRENCIES, "NEW": Currency("NEW", 0, 3)})).close()
    with pytest.raises(StoreError, match="currency NEW is stored with scale 3"):
        SqliteStore(world.path, CURRENCIES)
    world.open = lambda: None
    world.store = SqliteStore(
        world.path, Currencies({**CURRENCIES, "NEW": Currency("NEW", 2, 3)})
    )  # digits may change: people see them, units do not


def test_a_failed_start_frees_the_lock(world):
    """A start that was refused does not keep the file locked."""
    world.close()
    for _ in range(2):
        with pytest.raises(StoreError, match="a scale can never change"):
            SqliteStore(world.path, Currencies({}))
    world.open()


async def test_a_full_disk_refuses_reads_on_and_recovers(world):
    """With the disk full, commands are refused and nothing moves; with space they go on."""
    db = world.store._connection
    async with door(world, batch_limit=64) as ledger:
        db.pragma("max_page_count", db.pragma("page_count") + 2)
        bets = [bet(f"b{n}" + "x" * 200, "0.01", round_=f"r{n}" + "x" * 200) for n in range(300)]
        outcomes = await asyncio.gather(*map(ledger.apply, bets))
        refused = [each for each in outcomes if isinstance(each, Rejected)]
        assert {each.why for each in refused} == {Rejection.UNAVAILABLE}
        assert refused[0].detail == f"{world.path.name}: database or disk is full"
        assert ledger.flow.unavailable == len(refused)
        done = len(outcomes) - len(refused)
        assert world.balance("p1") == f"{100 - done / 100:.2f}", "readable, and nothing half done"
        assert len(transactions(world.store)) == 2 + done
        with pytest.raises(StoreUnavailable):
            await ledger.run(
                lambda writer, now: [
                    writer.add_player("acme", f"q{n}" + "x" * 500, None, None, now)
                    for n in range(100)
                ]
            )
        db.pragma("max_page_count", 1_000_000)
        again = await asyncio.gather(*map(ledger.apply, bets))
        kinds = [type(each) for each in again]
        assert kinds.count(Replayed) == done
        assert kinds.count(Applied) == len(refused)
    assert world.balance("p1") == "97.00"
    proven(world.store)


async def test_a_full_disk_splits_no_batch(world):
    """Of a batch that does not fit, nothing is written: not the part that would have fitted."""
    db = world.store._connection
    async with door(world) as ledger:
        db.pragma("max_page_count", db.pragma("page_count") + 1)
        bets = [bet(f"b{n}" + "x" * 200, "0.01", round_=f"r{n}" + "x" * 200) for n in range(100)]
        outcomes = await asyncio.gather(*map(ledger.apply, bets))
        assert {each.why for each in outcomes} == {Rejection.UNAVAILABLE}
        db.pragma("max_page_count", 1_000_000)
    assert proven(world.store).transactions == 2


def test_a_lost_update_is_refused(world):
    """An account that is newer in the store than in the book is not overwritten."""

    def stale(book):
        for account in book.accounts.values():
            account.version -= 1
        settle_in(world, book, bet("b1"))

    with pytest.raises(Broken, match="each row changed once"):
        with_book(world, stale)
    assert world.balance("p1") == "100.00"
    proven(world.store)


def test_a_reversal_is_marked_once(world):
    """A target that is marked in the store already cannot be marked by another refund."""
    world.apply(bet("b1"))

    def twice(book):
        settle_in(world, book, refund("f1", "b1"))
        book.transactions["swipe", "b1"].reversed_by = None
        settle_in(world, book, refund("f2", "b1"))

    with pytest.raises(Broken, match="each row changed once"):
        with_book(world, twice)
    assert world.balance("p1") == "90.00"
    proven(world.store)


def with_book(world, change):
    """Load a book, change it, and write it, in a transaction."""
    with world.writer.transaction():
        book = world.writer.load([bet("b1"), refund("f1", "b1")], world.terms, NOON)
        change(book)
        world.writer.write(book)


def settle_in(world, book, command):
    """Decide a command in a book that was loaded before."""
    view = book.view(command, world.terms[command.integration])
    return book.post(command, view, decide(command, view))


def test_the_log_is_copied_and_starts_again(world, monkeypatch):
    """The write-ahead log does not grow for ever: it is copied into the database as it runs."""
    monkeypatch.setattr(checkpoint, "BEGIN_PAGES", 50)
    log = world.path.with_name(world.path.name + "-wal")
    sizes = []
    for number in range(60):
        batch = [deposit(f"d{number}.{n}", "1.00") for n in range(50)]
        settle(world.writer, world.terms, batch, NOON)
        sizes.append(log.stat().st_size)
    assert max(sizes) < 8_000_000
    assert world.path.stat().st_size > 300_000, "the database itself has grown"
    assert proven(world.store).transactions == 3_002


def test_a_checkpoint_that_fails_is_no_failed_bet(world, monkeypatch):
    """What was committed is answered as done, also when the log cannot be copied just then."""
    asked = []

    class Full:
        def wal_checkpoint(self, **_):
            asked.append(1)
            raise apsw.FullError("disk full")

    checkpointer = world.store._checkpointer
    finish = checkpointer.finish
    monkeypatch.setattr(checkpointer, "finish", lambda _: finish(Full()))
    checkpointer._nearly_done.set()
    assert isinstance(world.apply(bet("b1"))[0], Applied)
    assert asked
    assert world.balance("p1") == "90.00"


@pytest.mark.parametrize("fits", [True, False])
async def test_only_a_file_larger_than_the_cache_is_looked_through_ahead(world, monkeypatch, fits):
    """What fits is in memory anyway, and looking for it would only cost time."""
    batches, looks = world.writer._batches, []
    pages = batches._db.pragma("page_count")
    monkeypatch.setattr(batches, "_cached_pages", pages if fits else pages - 1)
    monkeypatch.setattr(batches, "warm", looks.append)
    await world.writer.warm([bet("b1")])
    assert len(looks) == (not fits)


@pytest.mark.parametrize("wrong", [apsw.IOError("disk I/O error"), ValueError("no text")])
async def test_looking_ahead_fails_nobody(world, monkeypatch, wrong):
    """What goes wrong is told when the batch itself is loaded."""

    def fail(_):
        raise wrong

    monkeypatch.setattr(Batches, "fits_in_cache", property(fail))
    await world.writer.warm([bet("b1")])
    async with door(world) as ledger:
        outcomes = await asyncio.gather(*(ledger.apply(bet(f"b{n}", "0.01")) for n in range(300)))
    assert {type(each) for each in outcomes} == {Applied}
