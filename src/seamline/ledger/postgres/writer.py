"""The writing side on PostgreSQL: batches side by side on connections of their own.

Durability: `synchronous_commit=on`, so a commit that has returned survives a power cut; where the
server has synchronous standbys, it survives the server too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import psycopg
import structlog

from seamline.ledger.book import Book
from seamline.ledger.postgres import links
from seamline.ledger.postgres.directory import PostgresDirectory
from seamline.ledger.postgres.links import Line, Link, Unanswered, said
from seamline.ledger.postgres.loading import Loading
from seamline.ledger.postgres.steps import Answer, Ask, Collision, drive, walk
from seamline.ledger.postgres.tables import SQL, PostgresTables
from seamline.ledger.postgres.writing import write
from seamline.ledger.registry import Registry
from seamline.ledger.rows import Terms
from seamline.ledger.store import Judge, StoreUnavailable
from seamline.money import Currencies
from seamline.wallet import Command, Outcome

ResultT = TypeVar("ResultT")

#: How often a batch, or an errand, starts again when it met another gateway's.
TRIES = 8

#: How long an errand may take before its connection is given up.
ERRAND_MS = 2_500

#: How long to wait before looking again for a batch of which nobody knows whether it was written,
#: and for how long that goes on when the gateway is stopping.
LOOK_AGAIN_MS = 100
LAST_LOOK_MS = 5_000

#: Two gateways met: the same work again, behind the other one, goes through.
MET = (Collision, *links.MET)

_LOG = structlog.get_logger("seamline.postgres")


class Batch:
    """Commands to be settled, and what was written of them as far as anybody can tell."""

    def __init__(
        self, commands: Sequence[Command], terms: Mapping[str, Terms], now_ms: int, judge: Judge
    ) -> None:
        self.commands = commands
        self.terms = terms
        self.now_ms = now_ms
        self.judge = judge
        #: By id and chain of the first transaction of each attempt whose COMMIT was not answered:
        #: what it decided.
        self.doubtful: dict[tuple[int, str], Sequence[Outcome]] = {}
        #: Whether to wait for accounts that somebody else holds.
        self.patient = True


class PostgresWriter(Registry):
    """The writing side: batches on lines of their own, everything else on one link."""

    _directory: PostgresDirectory

    #: While no leader answers, everybody hears so within a second.
    patience_ms = 800

    #: Four round trips cost as much as a dozen bets (bench/RESULTS.md).
    lingers = True

    def __init__(self, info: str, currencies: Currencies, *, prepare: bool, lanes: int) -> None:
        self.lanes = lanes
        self._currencies = currencies
        self._link = Link(info)
        tables = PostgresTables(lambda: self._link.connection)
        super().__init__(tables, PostgresDirectory(tables, currencies))
        self._lines = [Line(info, prepare=prepare) for _ in range(lanes)]
        self._errands = ThreadPoolExecutor(1, thread_name_prefix="errand")
        self._hurried = False

    # Batches.

    async def settle(
        self, commands: Sequence[Command], terms: Mapping[str, Terms], now_ms: int, judge: Judge
    ) -> Sequence[Outcome]:
        """Load what the commands need, let *judge* decide them, write what that changed."""
        line = self._lines.pop()
        try:
            return await self._settle_on(line, Batch(commands, terms, now_ms, judge))
        finally:
            self._lines.append(line)

    async def _settle_on(self, line: Line, batch: Batch) -> Sequence[Outcome]:
        """Try until the batch is through, or is known to have moved nothing."""
        for _ in range(TRIES):
            try:
                return await self._attempt(line, batch)
            except MET as met:
                await line.rollback()
                _LOG.info("batch_met_another", what=said(met))
            except psycopg.errors.LockNotAvailable as held:
                await line.rollback()
                _LOG.warning("batch_waited_for_a_lock", what=said(held))
                if not batch.patient:
                    raise StoreUnavailable(said(held)) from held
                batch.patient = False
            except Unanswered as error:
                return await self._find_out(line, batch, str(error))
            except BaseException:
                await line.rollback()
                raise
        raise StoreUnavailable("other gateways write to the same accounts all the time")

    async def _attempt(self, line: Line, batch: Batch) -> Sequence[Outcome]:
        """Load, decide, write, commit."""
        await line.begin()
        loading = Loading(
            self._directory,
            self._currencies,
            batch.commands,
            batch.terms,
            batch.now_ms,
            patient=batch.patient,
        )
        book = await walk(loading.steps(), line.ask)
        for mark, outcomes in batch.doubtful.items():
            # Behind the locks: an attempt that still was under way has ended by now.
            (answer,) = await line.ask([Ask("is_written", mark)])
            if answer.rows:
                # Not a rollback: what a leader found again after a crash may be on no other node.
                await line.commit()
                return outcomes
        outcomes = batch.judge(book)
        await walk(write(book, self._directory.integrations), line.ask)
        if book.posted:
            first = book.posted[0]
            batch.doubtful[first.id, f"\\x{first.chain.hex()}"] = outcomes
        await line.commit()
        return outcomes

    async def _find_out(self, line: Line, batch: Batch, why: str) -> Sequence[Outcome]:
        """COMMIT went unanswered: look for what it wrote until somebody can tell.

        What is not there behind the locks will never be, and is done again.
        """
        _LOG.error("commit_unanswered", why=why, commands=len(batch.commands))
        # Whoever holds the accounts may be the attempt itself.
        batch.patient = True
        stop_s: float | None = None
        clock = asyncio.get_running_loop().time
        while stop_s is None or clock() < stop_s:
            try:
                return await self._attempt(line, batch)
            except (StoreUnavailable, Unanswered, psycopg.errors.LockNotAvailable, *MET) as error:
                await line.rollback()
                _LOG.warning("commit_still_unanswered", why=said(error))
            except BaseException:
                await line.rollback()
                raise
            if self._hurried:
                stop_s = stop_s or clock() + LAST_LOOK_MS / 1000
            await asyncio.sleep(LOOK_AGAIN_MS / 1000)
        _LOG.critical("commit_never_answered", keys=[each.key for each in batch.commands])
        raise StoreUnavailable(why)

    async def warm(self, commands: Sequence[Command]) -> None:
        """Nothing: the server reads its own pages."""

    # Errands.

    async def transact(self, work: Callable[[], ResultT]) -> ResultT:
        """Run *work* in a transaction, in a thread, and return its result once that is durable."""
        loop = asyncio.get_running_loop()
        errand = loop.run_in_executor(self._errands, self._errand, work)
        while not errand.done():
            # Again and again: while it looks for a server there is no connection to cut.
            if not (await asyncio.wait((errand,), timeout=ERRAND_MS / 1000))[0]:
                self._link.cut()
        return errand.result()

    def _errand(self, work: Callable[[], ResultT]) -> ResultT:
        for _ in range(TRIES):
            try:
                with self.transaction():
                    return work()
            except MET as met:
                _LOG.info("errand_met_another", what=said(met))
        raise StoreUnavailable("other gateways write to the same rows all the time")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """`transact` as a block, for those who have no event loop."""
        with self._link.transaction():
            yield

    def load(self, commands: Sequence[Command], terms: Mapping[str, Terms], now_ms: int) -> Book:
        """Everything that the rules need to decide the commands; for tools and tests."""
        loading = Loading(self._directory, self._currencies, commands, terms, now_ms)
        return drive(loading.steps(), self._ask)

    def write(self, book: Book) -> None:
        """Everything that the book changed; for tools and tests."""
        drive(write(book, self._directory.integrations), self._ask)

    def _ask(self, asks: Sequence[Ask]) -> Sequence[Answer]:
        """Run the statements of a step one after the other."""
        cursors = [
            self._link.connection.execute(SQL[ask.name], ask.bound or None, binary=True)
            for ask in asks
        ]
        return [
            Answer(cursor.fetchall() if cursor.description else (), cursor.rowcount)
            for cursor in cursors
        ]

    def adopt(self, terms: Iterable[Terms]) -> None:
        """Set down integrations and their houses; `StoreError` for one that is another brand's."""
        wanted = tuple(terms)
        with self._link.transaction(bounded=False):
            super().adopt(wanted)
            self._directory.set_down(wanted)

    def newest_ms(self) -> int:
        """When the newest transaction was written; 0 when there is none."""
        (row,) = self._tables.rows("newest_time")
        return int(str(row[0]))

    def hurry(self) -> None:
        """The gateway is stopping: what nobody can tell is not waited for much longer."""
        self._hurried = True

    async def release(self) -> None:
        """No batch follows: give their connections up."""
        for line in self._lines:
            await line.drop()

    def close(self) -> None:
        """Release the connection for everything else."""
        self._errands.shutdown()
        self._link.close()
