"""The batches' way to the server: libpq's pipeline, with one wait for all answers of a round trip.

psycopg's own pipeline waits on the socket with every statement; a batch has a dozen, and that was a
third of all its time (bench/RESULTS.md). What is used here is psycopg's documented low-level API.
(PostgreSQL manual, 34.5 "Pipeline Mode"; psycopg manual, "pq: libpq wrapper")
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer

from seamline.ledger.postgres.steps import Answer, Ask
from seamline.ledger.postgres.tables import SQL

_GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class Pipe:
    """One connection, from its first batch on: one exchange at a time."""

    def __init__(self, connection: psycopg.AsyncConnection, *, prepare: bool) -> None:
        self.connection = connection
        self._pgconn = connection.pgconn
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._prepare = prepare
        self._prepared: set[str] = set()
        self._loaders: dict[str, psycopg.abc.Transformer] = {}
        self._loop = asyncio.get_running_loop()
        self._results: list[pq.abc.PGresult] = []
        #: What the server warned of during the last exchange.
        self.warnings: list[str] = []
        connection.add_notice_handler(self._note)
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._socket = self._pgconn.socket
        self._loop.add_reader(self._socket, self._readable)

    async def exchange(self, asks: Sequence[Ask]) -> Sequence[Answer]:
        """Send the statements and wait for what they find; the first error of theirs is raised."""
        self._results, self._done = [], self._loop.create_future()
        self.warnings.clear()
        # For each result to come: the name of what is prepared by it, or nothing.
        prepares: list[str | None] = []
        for ask in asks:
            if self._prepare and ask.name not in self._prepared and ask.name not in prepares:
                # Not ahead of BEGIN, nor of what bounds the waiting in it.
                self._pgconn.send_prepare(ask.name.encode(), SQL[ask.name])
                prepares.append(ask.name)
            self._send(ask)
            prepares.append(None)
        self._pgconn.pipeline_sync()
        self._flush()
        await self._done
        for name, result in zip(prepares, self._results, strict=False):
            if result.status not in _GOOD:
                raise psycopg.errors.error_from_result(result)
            if name is not None:
                self._prepared.add(name)
        found = [result for name, result in zip(prepares, self._results, strict=True) if not name]
        return [self._answer(ask.name, result) for ask, result in zip(asks, found, strict=True)]

    async def close(self) -> None:
        """Give the connection up."""
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        await self.connection.close()

    def _note(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self.warnings.append(notice.message_primary or "")

    def _send(self, ask: Ask) -> None:
        values = [None if each is None else str(each).encode() for each in ask.bound]
        if self._prepare:
            self._pgconn.send_query_prepared(ask.name.encode(), values, result_format=1)
        else:
            self._pgconn.send_query_params(SQL[ask.name], values, result_format=1)

    def _flush(self) -> None:
        """Hand the statements to the kernel; what it does not take yet, as soon as it does."""
        if self._done.done():
            return
        try:
            left = self._pgconn.flush()
        except psycopg.OperationalError as error:
            self._done.set_exception(error)
            return
        if left:
            self._loop.add_writer(self._socket, self._flush)
        else:
            self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        """Take what came."""
        try:
            self._take()
        except psycopg.OperationalError as error:
            self._loop.remove_reader(self._socket)
            if not self._done.done():
                self._done.set_exception(error)

    def _take(self) -> None:
        """Every result that is there; the sync point of the exchange is its end."""
        self._pgconn.consume_input()
        while not self._done.done() and not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            if result is None:
                continue  # the end of one statement's results
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                self._done.set_result(None)
            else:
                self._results.append(result)

    def _answer(self, name: str, result: pq.abc.PGresult) -> Answer:
        if not result.nfields:
            return Answer((), result.command_tuples or 0)
        loader = self._loaders.get(name)
        if loader is None:
            loader = self._loaders[name] = Transformer(self.connection)
        loader.set_pgresult(result)
        return Answer(loader.load_rows(0, result.ntuples, tuple), result.ntuples)
