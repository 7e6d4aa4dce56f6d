"""The embedded store: one SQLite file, one writing process, any number of readers."""

from __future__ import annotations

import fcntl
import os
import queue
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import cast

import apsw

from seamline.ledger.sql import queries
from seamline.ledger.sqlite.checkpoint import Checkpointer
from seamline.ledger.sqlite.reader import SqliteReader
from seamline.ledger.sqlite.writer import AWAY, SqliteWriter, away
from seamline.ledger.store import UNFINISHED, StoreError, check_scales
from seamline.money import Currencies

SQL = queries(__package__)

#: Below this version a checkpoint beside a write can corrupt the file (sqlite.org/wal.html).
OLDEST_SQLITE = 3_051_003

#: Page caches. The operating system keeps what does not fit; these save copies of the hottest: the
#: writer's holds the inner pages of the indexes of ten million transactions, and what recent bets
#: touched. All of it counts as memory of this process.
WRITER_CACHE_KB = 64_000
READER_CACHE_KB = 2_000

#: How many reading threads keep a connection.
READERS = 4


def connect(path: Path, *, read_only: bool = False) -> apsw.Connection:
    """A connection with the settings that the promises of this store rest on."""
    if apsw.SQLITE_VERSION_NUMBER < OLDEST_SQLITE:
        raise StoreError(f"SQLite {apsw.sqlite_lib_version()} is too old, expected 3.51.3 or newer")
    write = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    flags = apsw.SQLITE_OPEN_READONLY if read_only else write
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_timeout(5_000)
    connection.pragma("mmap_size", 0)
    connection.pragma("cache_size", -READER_CACHE_KB if read_only else -WRITER_CACHE_KB)
    if not read_only:
        connection.pragma("journal_mode", "WAL")
        connection.pragma("synchronous", "FULL")
        # `checkpoint.py` copies the log into the database.
        connection.pragma("wal_autocheckpoint", 0)
    return connection


class SqliteStore:
    """One file. Opening it takes its lock, brings the schema up to date and checks the scales."""

    def __init__(self, path: Path, currencies: Currencies) -> None:
        self._path = path
        self._currencies = currencies
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(locked(path))
            connection = _prepared(path, currencies)
            self._lock = stack.pop_all()
        # The lock file keeps other gateways out. Whoever else locks the database must not stop the
        # event loop that writes to it: it gets a refusal at once.
        connection.set_busy_timeout(0)
        self._connection = connection
        self._checkpointer = Checkpointer(connect(path))
        self.writer = SqliteWriter(connection, currencies, self._checkpointer)
        self._idle: queue.SimpleQueue[SqliteReader] = queue.SimpleQueue()

    @property
    def schema(self) -> int:
        """The version of the schema that this program writes."""
        return max(_migrations())

    @contextmanager
    def reader(self) -> Iterator[SqliteReader]:
        """A reader for the calling thread; given back when the block ends."""
        try:
            with self._borrowed() as reader:
                yield reader
        except AWAY as error:
            raise away(error, self._path) from error

    @contextmanager
    def _borrowed(self) -> Iterator[SqliteReader]:
        """An idle reader or a new one; a few are kept for the next."""
        try:
            reader = self._idle.get_nowait()
        except queue.Empty:
            reader = open_reader(self._path, self._currencies)
        try:
            yield reader
        finally:
            if self._idle.qsize() < READERS:
                self._idle.put(reader)
            else:
                reader.close()

    def backup(self, target: Path) -> None:
        """Copy the committed state to a new file while the server runs."""
        backup(self._path, target)

    def close(self) -> None:
        """Copy the log into the file, then release everything."""
        self.writer.close()
        while not self._idle.empty():
            self._idle.get().close()
        self._connection.close()
        self._checkpointer.close()
        self._lock.close()


def open_reader(path: Path, currencies: Currencies) -> SqliteReader:
    """Read a ledger file beside whoever writes it. `StoreError` when there is none."""
    if not path.exists():
        raise StoreError(f"no ledger at {path}")
    connection = connect(path, read_only=True)
    try:
        _check_whole(connection)
        _check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return SqliteReader(connection, currencies)


def stored_version(path: Path) -> int | None:
    """The version of the schema in a file, or None when there is no file."""
    if not path.exists():
        return None
    with closing(connect(path, read_only=True)) as connection:
        return _version(connection)


def backup(source: Path, target: Path) -> None:
    """Copy a ledger file, committed state only, beside whoever writes it.

    The target appears whole or not at all.
    """
    with (
        appear(target) as part,
        closing(connect(source, read_only=True)) as from_,
        closing(apsw.Connection(str(part))) as to,
    ):
        # In one step: between two steps a commit elsewhere would start the copy anew.
        with to.backup("main", from_, "main") as copy:
            copy.step(-1)
        to.pragma("journal_mode", "WAL")


@contextmanager
def appear(target: Path) -> Iterator[Path]:
    """Where to write a file that is there, under its own name, when the block has ended well."""
    if target.exists():
        raise StoreError(f"{target} exists already; a backup never overwrites")
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    yield part
    part.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _prepared(path: Path, currencies: Currencies) -> apsw.Connection:
    """A connection to a file whose schema and scales fit this program; closed when they do not."""
    connection = connect(path)
    try:
        migrate(connection)
        _keep_scales(connection, currencies)
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: apsw.Connection, *, moving: bool = False) -> tuple[int, int]:
    """Apply the migrations that the file lacks; the versions before and after.

    A file that a transfer has not finished is refused, but to the transfer itself (*moving*).
    """
    if not moving:
        _check_whole(connection)
    found, known = _version(connection), _migrations()
    newest = max(known)
    if found > newest:
        raise StoreError(
            f"the ledger has schema {found}, this program knows {newest}: use a newer Seamline"
        )
    for version in range(found + 1, newest + 1):
        with connection:
            connection.execute(known[version])
            connection.pragma("user_version", version)
    return found, newest


def _migrations() -> Mapping[int, str]:
    """The migrations by number."""
    folder = files(__package__).joinpath("migrations")
    return {
        int(file.name[:4]): file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }


def _check_whole(connection: apsw.Connection) -> None:
    """Refuse a file in which only a part of a wallet is so far."""
    if connection.execute(SQL["has_transfer"]).fetchone():
        raise StoreError(UNFINISHED)


def _check_version(connection: apsw.Connection, path: Path) -> None:
    found, newest = _version(connection), max(_migrations())
    if found != newest:
        raise StoreError(
            f"{path} has schema {found}, this program reads {newest}: run `seamline migrate`"
        )


def _version(connection: apsw.Connection) -> int:
    return cast("int", connection.pragma("user_version"))


def _keep_scales(connection: apsw.Connection, currencies: Currencies) -> None:
    """Note each currency's scale at its first use; refuse one that changed under stored units."""
    stored = dict(cast("Iterator[tuple[str, int]]", connection.execute(SQL["all_currencies"])))
    check_scales(stored, currencies)
    new = [(code, each.scale) for code, each in currencies.items() if code not in stored]
    if new:
        with connection:
            connection.executemany(SQL["insert_currency"], new)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file's lock for this process; the kernel frees it however the process ends."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(lock, path)
        yield
    finally:
        os.close(lock)


def _lock(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StoreError(
            f"{path} is open in another Seamline process; stop it first (one process per file)"
        ) from error
