"""The writing side of the embedded store: one connection, one thread.

Durability: WAL with `synchronous=FULL`, so a commit that has returned survives a power cut.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import apsw

from seamline.ledger.registry import Registry
from seamline.ledger.rows import Terms
from seamline.ledger.sqlite.batches import Batches
from seamline.ledger.sqlite.checkpoint import Checkpointer
from seamline.ledger.sqlite.directory import SqliteDirectory
from seamline.ledger.sqlite.tables import SqliteTables
from seamline.ledger.store import Judge, StoreUnavailable
from seamline.money import Currencies
from seamline.wallet import Command, Outcome

ResultT = TypeVar("ResultT")

#: Faults of the disk or the file rather than of the program.
AWAY = (apsw.FullError, apsw.IOError, apsw.BusyError, apsw.ReadOnlyError, apsw.CantOpenError)


def away(error: Exception, file: str | Path) -> StoreUnavailable:
    """What a fault of the disk is to others: it names the file, but not the folder.

    The readiness check tells it to whoever asks.
    """
    return StoreUnavailable(f"{Path(file).name}: {error}")


class SqliteWriter(Registry):
    """The writing side: transactions, and what is done in them by batches and by the registry."""

    _directory: SqliteDirectory

    #: One connection, one transaction at a time.
    lanes = 1

    #: A disk that is slow for a moment is waited for.
    patience_ms = None

    #: A batch has hardly a price of its own here, and while it commits requests are read.
    lingers = False

    def __init__(
        self, connection: apsw.Connection, currencies: Currencies, checkpointer: Checkpointer
    ) -> None:
        self._db = connection
        self._run = connection.cursor().execute
        self._checkpointer = checkpointer
        self._stale = False
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="commit")
        connection.set_wal_hook(checkpointer.note)
        tables = SqliteTables(connection)
        super().__init__(tables, SqliteDirectory(tables, currencies))
        batches = self._batches = Batches(connection, self._directory, currencies)
        self.newest_ms, self.load, self.write = batches.newest_ms, batches.load, batches.write

    async def settle(
        self, commands: Sequence[Command], terms: Mapping[str, Terms], now_ms: int, judge: Judge
    ) -> Sequence[Outcome]:
        """Load what the commands need, let *judge* decide them, write what that changed."""

        def work() -> Sequence[Outcome]:
            book = self.load(commands, terms, now_ms)
            outcomes = judge(book)
            self.write(book)
            return outcomes

        return await self.transact(work)

    async def transact(self, work: Callable[[], ResultT]) -> ResultT:
        """Run *work* in a transaction and return its result once that is durable.

        The statements run right here: they are short, and every one of them in another thread
        would fight the event loop for the interpreter. The commit waits for the disk, so a thread
        does it while the loop takes the next requests.
        """
        with self._undone_on_error():
            self._begin()
            result = work()
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._committer, self._commit)
        return result

    async def warm(self, commands: Sequence[Command]) -> None:
        """Read the pages that the commands will need, in the committing thread.

        In a large file that is half of the work of loading; those of a small one are there anyway.
        One statement that gives back one number does it, so that the thread hardly ever wants the
        interpreter from the event loop.
        """
        loop = asyncio.get_running_loop()
        # What goes wrong here goes wrong again in `load`, where somebody is told: a disk, or a text
        # that is none.
        with contextlib.suppress(apsw.Error, ValueError):
            if not self._batches.fits_in_cache:
                await loop.run_in_executor(self._committer, self._batches.warm, commands)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """`transact` for those who have no event loop: seeding, tools and tests."""
        with self._undone_on_error():
            self._begin()
            yield
            self._commit()

    def _begin(self) -> None:
        """Start a transaction; after one that was undone, with ids and names read again."""
        if self._db.in_transaction:
            self._run("ROLLBACK")
        if self._stale:
            self._directory.refresh()
            self._stale = False
        self._run("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        self._run("COMMIT")
        self._checkpointer.finish(self._db)

    @contextmanager
    def _undone_on_error(self) -> Iterator[None]:
        """Roll back on an error, and name faults of the disk as such.

        A disk that fails may fail the rollback too. SQLite then keeps nothing of the transaction
        either, and the next one starts by trying again.
        """
        try:
            yield
        except BaseException as error:
            self._stale = True
            with contextlib.suppress(apsw.Error):
                if self._db.in_transaction:
                    self._run("ROLLBACK")
            if isinstance(error, AWAY):
                raise away(error, self._db.filename) from error
            raise

    def hurry(self) -> None:
        """Nothing: a commit here ends by itself."""

    async def release(self) -> None:
        """Nothing: batches use the connection that everything uses."""

    def close(self) -> None:
        """Wait for a commit that is under way; no other may follow."""
        self._committer.shutdown()
