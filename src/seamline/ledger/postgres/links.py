"""Connections to PostgreSQL: found among the hosts of the URL, kept, and cut when they hang."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias

import psycopg
from psycopg.abc import ConnDict
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from seamline.ledger.patience import Patience
from seamline.ledger.postgres.pipe import Pipe
from seamline.ledger.postgres.steps import Answer, Ask
from seamline.ledger.postgres.tables import SQL, Connection
from seamline.ledger.store import StoreError, StoreUnavailable

AsyncConnection: TypeAlias = psycopg.AsyncConnection[TupleRow]

#: Faults of the server, or of the way to it, rather than of the program.
AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.IdleInTransactionSessionTimeout,
    OSError,
    TimeoutError,
)

#: Two gateways met at the same rows: the same work again, behind the other one, goes through. For
#: psycopg the last two are faults of the server, and so in `AWAY` too.
MET = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)

#: One command's own fault, though psycopg takes it for the server's: a text that no index holds.
TOO_LONG = (psycopg.errors.ProgramLimitExceeded,)

#: How long a batch waits for a connection, and then for each answer, before it gives up. It has
#: moved nothing then, and its vendors hear so within a second.
CONNECT_MS = 700
ANSWER_MS = 800

#: How long it waits for its COMMIT to be answered, before it goes to look for what it wrote.
COMMIT_MS = 1_500

BEGIN, COMMIT, ROLLBACK = Ask("begin"), Ask("commit"), Ask("rollback")

#: What every connection asks for unless the URL says otherwise. A host that vanished without a word
#: is given up after three seconds.
DEFAULTS = {"application_name": "seamline", "connect_timeout": "2", "tcp_user_timeout": "3000"}


class Unanswered(Exception):
    """The connection was lost while COMMIT was under way: it may have happened or not."""


def conninfo(url: str) -> str:
    """The URL with what every connection asks for. `StoreError` when it is none."""
    try:
        return make_conninfo(**DEFAULTS | _texts(conninfo_to_dict(url)))
    except psycopg.ProgrammingError as error:
        raise StoreError(
            f"store.url: expected postgresql://user@host:port/database, got one that PostgreSQL "
            f"does not take: {str(error).strip()}"
        ) from error


def hosts(info: str) -> Sequence[str]:
    """One connection string for each host that is named."""
    named = _texts(conninfo_to_dict(info))
    places = named.pop("host", "").split(",")
    ports = named.pop("port", "").split(",")
    if len(ports) == 1:
        ports *= len(places)
    return [
        make_conninfo(**named | ({"host": host} if host else {}) | ({"port": port} if port else {}))
        for host, port in zip(places, ports, strict=True)
    ]


def _texts(parameters: ConnDict) -> dict[str, str]:
    return {name: str(value) for name, value in parameters.items() if value is not None}


class Link:
    """One connection for plain statements, made when it is needed and again when it was lost."""

    def __init__(self, info: str) -> None:
        self._info = info
        self._db: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The connection, in working order as far as this side knows."""
        if self._db is None or self._db.closed:
            # Never prepared: whoever pools connections may hand out another one each time.
            self._db = psycopg.Connection.connect(
                self._info,
                autocommit=True,
                cursor_factory=psycopg.RawCursor,
                prepare_threshold=None,
            )
        return self._db

    def refresh(self) -> None:
        """Give up a connection that ended while nobody used it.

        Never in a transaction: the rest of that would go on without its beginning.
        """
        if self._db is not None and _has_ended(self._db):
            self.close()

    @contextmanager
    def transaction(self, *, bounded: bool = True) -> Iterator[Connection]:
        """A transaction; `StoreUnavailable` when the server is away, and then nothing happened.

        Unless it went away in the middle of COMMIT: whoever asked asks again, and is told. It does
        not wait long for what others hold, nor hold anything long in a gateway that stands still,
        unless it is not *bounded*.
        """
        self.refresh()
        with self.mended(), self.connection.transaction():
            if bounded:
                self.connection.execute(SQL["bound_errand"])
            yield self.connection

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Name faults of the server as such, and begin with a new connection after one."""
        try:
            yield
        except (*TOO_LONG, *MET):
            raise
        except AWAY as error:
            self.close()
            raise StoreUnavailable(said(error)) from error

    def cut(self) -> None:
        """End the connection from another thread: what waits on it fails at once."""
        if self._db is not None:
            _shut(self._db.pgconn)

    def close(self) -> None:
        """Release the connection."""
        if self._db is not None:
            self._db.close()
            self._db = None


class Line:
    """One connection for batches: several statements go out together, as one round trip."""

    def __init__(self, info: str, *, prepare: bool) -> None:
        self._hosts = hosts(info)
        self._prepare = prepare
        self._pipe: Pipe | None = None
        self._begun = False

    async def begin(self) -> None:
        """Begin with the next statements; on a new connection where the last one was lost."""
        self._begun = False
        if self._pipe is not None and _has_ended(self._pipe.connection):
            await self.drop()
        if self._pipe is None:
            try:
                self._pipe = Pipe(await _in_time(self._first()), prepare=self._prepare)
            except AWAY as error:
                raise StoreUnavailable(said(error)) from error

    async def _first(self) -> AsyncConnection:
        """The first host that answers as it should. One that hangs must not hold up the others."""
        attempts = {asyncio.create_task(_connected(host)) for host in self._hosts}
        lost: BaseException = TimeoutError("no host of store.url answers")
        try:
            for attempt in asyncio.as_completed(tuple(attempts)):
                try:
                    return await attempt
                except AWAY as error:
                    lost = error
        finally:
            for attempt in attempts:
                attempt.cancel()
        raise lost

    async def ask(self, asks: Sequence[Ask]) -> Sequence[Answer]:
        """Send the statements together; everything that they found.

        `StoreUnavailable` when no answer comes: as no COMMIT was sent, nothing happened.
        """
        try:
            if self._begun:
                return await self._exchange(asks, ANSWER_MS)
            _, *answers = await self._exchange((BEGIN, *asks), ANSWER_MS)
        except (psycopg.errors.LockNotAvailable, *TOO_LONG, *MET):
            raise
        except AWAY as error:
            await self.drop()
            raise StoreUnavailable(said(error)) from error
        self._begun = True
        return answers

    async def commit(self) -> None:
        """Commit. `Unanswered` when nobody knows whether that happened, or will last.

        A server on which somebody cancels the wait for its standbys says that it is done, and only
        warns that it may be so on no other node.
        """
        try:
            await self._exchange((COMMIT,), COMMIT_MS)
            if self._pipe is not None and self._pipe.warnings:
                raise Unanswered("; ".join(self._pipe.warnings))
        except MET:
            raise
        except AWAY as error:
            await self.drop()
            raise Unanswered(said(error)) from error

    async def rollback(self) -> None:
        """Undo the transaction; where the connection is lost, that undid it."""
        if self._pipe is None:
            return
        try:
            await self._exchange((ROLLBACK,), ANSWER_MS)
        except AWAY:
            await self.drop()

    async def drop(self) -> None:
        """Give the connection up."""
        if self._pipe is not None:
            pipe, self._pipe = self._pipe, None
            await pipe.close()

    async def _exchange(self, asks: Sequence[Ask], limit_ms: int) -> Sequence[Answer]:
        """One round trip on a connection that is cut when it hangs for so long.

        Never cancelled: a server that is asked to cancel a COMMIT that waits for its standbys says
        that it is done, and it is not.
        """
        if self._pipe is None:
            raise StoreUnavailable("the connection was lost")
        pgconn = self._pipe.connection.pgconn
        watch = Patience(limit_ms, partial(_shut, pgconn))
        try:
            return await self._pipe.exchange(asks)
        finally:
            watch.cancel()


async def _in_time(connecting: Coroutine[None, None, AsyncConnection]) -> AsyncConnection:
    """The connection, or `TimeoutError`."""
    async with asyncio.timeout(None) as limit:
        watch = Patience(CONNECT_MS, partial(limit.reschedule, 0))
        try:
            return await connecting
        finally:
            watch.cancel()


async def _connected(info: str) -> AsyncConnection:
    return await psycopg.AsyncConnection.connect(info, autocommit=True)


def said(error: BaseException) -> str:
    """What went wrong with a connection, in one line."""
    text = " ".join(str(error).split())
    return f"PostgreSQL: {text or 'no answer in time'}"


def _has_ended(idle: Connection | AsyncConnection) -> bool:
    """Whether a connection was lost while nobody used it: only then it has something to say."""
    if idle.closed:
        return True
    heard = select.poll()
    heard.register(idle.pgconn.socket, select.POLLIN)
    return bool(heard.poll(0))


def _shut(pgconn: psycopg.pq.abc.PGconn) -> None:
    """Shut the socket down: whoever waits for it sees its end."""
    with contextlib.suppress(psycopg.OperationalError, OSError):
        handle = socket.socket(fileno=os.dup(pgconn.socket))
        with handle:
            handle.shutdown(socket.SHUT_RDWR)
