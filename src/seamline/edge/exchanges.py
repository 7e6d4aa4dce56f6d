"""The inspector's record: every callback's request and reply, kept off the money path.

`note` costs an append to a bounded buffer. A thread writes what was noted to a file of its own, a
bounded number each turn: under more load than that the newest are kept and the rest is counted.
Nothing here can delay or fail a bet.

Several processes of a machine may share the file: each writes what it noted, all read the same, and
whoever writes forgets what is too old or too much.
"""

from __future__ import annotations

import fcntl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, cast

import apsw
import msgspec
import structlog

from seamline.dialects.dialect import Reply, Request
from seamline.ledger.sql import queries
from seamline.wallet import HOUR_MS

SQL = queries(__package__, "exchanges.sql")

#: How often the thread writes, and how many exchanges at most each time.
TURN_S = 0.25
TURN_LIMIT = 500

#: Longer bodies and replies are cut in the record; the ledger has what counts.
TEXT_LIMIT = 8_192

#: How long a write waits for those of other processes; meanwhile the buffer fills.
WAIT_MS = 5_000

_LOG = structlog.get_logger("seamline.exchanges")


class Noted(msgspec.Struct, frozen=True, gc=False):
    """What the callback door hands over; nothing in it is copied or rendered yet."""

    at_ms: int
    request_id: str
    integration: str
    call: str | None
    request: Request
    reply: Reply
    outcome: str
    transaction: str | None
    duration_us: int


#: What hides in an exchange of a call what may not be recorded.
Redact = Callable[[Request, Reply, str | None], tuple[Request, Reply]]


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request and its reply, secrets hidden; bodies as text."""

    id: int
    at_ms: int
    request_id: str
    integration: str
    call: str | None
    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: str
    status: int
    reply: str
    outcome: str
    transaction: str | None
    duration_us: int


class ExchangeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which exchanges to list, newest first. `after` is the last id of the page before."""

    integration: str | None = None
    transaction: str | None = None
    request_id: str | None = None
    outcome: str | None = None
    after: int | None = None
    limit: int = 50


class Exchanges:
    """Bounded in count and age, in a file that may be deleted while no gateway runs."""

    def __init__(
        self,
        path: Path,
        *,
        hidden_headers: Mapping[str, frozenset[bytes]],
        redact: Mapping[str, Redact] = MappingProxyType({}),
        max_count: int = 100_000,
        max_age_ms: int = 72 * HOUR_MS,
    ) -> None:
        self._hidden = hidden_headers
        self._redact = redact
        self._max_count = max_count
        self._max_age_ms = max_age_ms
        self._noted: deque[Noted] = deque(maxlen=TURN_LIMIT)
        self._one_at_a_time = threading.Lock()
        self._stop = threading.Event()
        self.noted = 0
        self.kept = 0
        self._overrun = 0
        self._failed = 0
        self._db, self._share = _opened(path)
        self._thread = threading.Thread(target=self._work, name="exchanges", daemon=True)
        self._thread.start()

    def note(self, noted: Noted) -> None:
        """Take note of an exchange; when the buffer is full the oldest in it gives way."""
        self.noted += 1
        if len(self._noted) == TURN_LIMIT:
            self._overrun += 1
        self._noted.append(noted)

    @property
    def dropped(self) -> int:
        """How many exchanges were noted but not kept: they came too fast, or the disk failed.

        It only grows: what is just being written counts as neither kept nor dropped.
        """
        return self._overrun + self._failed

    def list(self, wanted: ExchangeFilter) -> Sequence[Exchange]:
        """A page of exchanges, newest first, up to the latest; call it in a thread.

        What another process has noted is there as soon as its thread has had its turn.
        """
        bindings = (
            wanted.after if wanted.after is not None else 2**63 - 1,
            wanted.integration,
            wanted.transaction,
            wanted.request_id,
            wanted.outcome,
            wanted.limit,
        )
        with self._one_at_a_time:
            self._write()
            return [_exchange(row) for row in self._db.execute(SQL["list_exchanges"], bindings)]

    def close(self) -> None:
        """Write what is noted and stop."""
        self._stop.set()
        self._thread.join()
        self._db.close()
        if self._share is not None:
            self._share.close()

    def _work(self) -> None:
        while not self._stop.wait(TURN_S):
            self._turn()
        self._turn()

    def _turn(self) -> None:
        with self._one_at_a_time:
            self._write()

    def _write(self) -> None:
        """Write what was noted; a failing disk costs the record, never the service."""
        rows = list(self._rows(len(self._noted)))
        if not rows:
            return
        oldest = rows[-1][0] - self._max_age_ms
        try:
            with self._db:
                # One statement: a call for each row would wrestle the event loop for the
                # interpreter each time.
                self._db.execute(SQL["insert_exchanges"], (_ENCODE(rows).decode(),))
                self._db.execute(SQL["forget"], (oldest, self._max_count))
        except apsw.Error as error:
            self._failed += len(rows)
            _LOG.warning("exchanges_not_kept", count=len(rows), error=str(error))
        else:
            self.kept += len(rows)

    def _rows(self, count: int) -> Iterator[_InsertRow]:
        """What was noted, as rows; one that a dialect cannot render costs no other one."""
        for _ in range(count):
            noted = self._noted.popleft()
            try:
                row = self._row(noted)
            except Exception as error:  # noqa: BLE001 - whatever a dialect's hiding meets
                self._failed += 1
                _LOG.warning("exchange_not_kept", request=noted.request_id, error=repr(error))
            else:
                yield row

    def _row(self, noted: Noted) -> _InsertRow:
        redact = self._redact.get(noted.integration, _as_it_is)
        request, reply = redact(noted.request, noted.reply, noted.call)
        hidden = self._hidden[noted.integration] | _ALWAYS_HIDDEN
        headers = [
            (name.decode("latin-1"), "[hidden]" if name in hidden else value.decode("latin-1"))
            for name, value in request.headers
        ]
        return (
            noted.at_ms,
            noted.request_id,
            noted.integration,
            noted.call,
            request.method,
            request.path,
            request.query.decode("latin-1"),
            msgspec.json.encode(headers).decode(),
            _text(request.body),
            reply.status,
            _text(reply.body),
            noted.outcome,
            noted.transaction,
            noted.duration_us,
        )


def _as_it_is(request: Request, reply: Reply, _call: str | None) -> tuple[Request, Reply]:
    return request, reply


_ALWAYS_HIDDEN = frozenset({b"authorization", b"cookie", b"proxy-authorization"})

_InsertRow = tuple[
    int, str, str, str | None, str, str, str, str, str, int, str, str, str | None, int
]  # fmt: skip


def _opened(path: Path) -> tuple[apsw.Connection, BinaryIO | None]:
    """The file and our share in it; without any file the record lasts as long as the process.

    The record must not keep a gateway down.
    """
    share = None
    try:
        share, alone = _share(path)
        db = _open_or_begin_anew(path) if alone else _open(path)
        # From now on others may open it too.
        fcntl.flock(share, fcntl.LOCK_SH)
    except (apsw.Error, OSError, _OtherShape) as error:
        _LOG.warning("exchanges_in_memory", file=str(path), error=str(error))
        if share is not None:
            share.close()
        return _open(None), None
    return db, share


def _share(path: Path) -> tuple[BinaryIO, bool]:
    """A lock beside the file that says who has it open, and whether nobody else has.

    Who is alone stays so until it gives the lock for others to share. The kernel takes it back
    however a process ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    share = path.with_name(f"{path.name}.lock").open("ab")
    try:
        fcntl.flock(share, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # Somebody may be making it just now.
        fcntl.flock(share, fcntl.LOCK_SH)
        return share, False
    return share, True


def _open_or_begin_anew(path: Path) -> apsw.Connection:
    """The file; a broken one is put aside, which nobody else may have open for that."""
    try:
        return _open(path)
    except (apsw.NotADBError, apsw.CorruptError, _OtherShape) as error:
        aside = path.with_name(f"{path.name}.broken")
        _LOG.warning("exchanges_broken", error=str(error), kept_as=str(aside))
        path.replace(aside)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _open(path)


class _OtherShape(Exception):
    """The file holds a record of another version."""


def _open(path: Path | None) -> apsw.Connection:
    """The file, or a database in memory, with its table."""
    db = apsw.Connection(str(path) if path is not None else ":memory:")
    db.set_busy_timeout(WAIT_MS)
    db.pragma("journal_mode", "WAL")
    # A power cut may cost the newest exchanges; they are not worth an fsync.
    db.pragma("synchronous", "OFF")
    db.pragma("cache_size", -2_000)
    db.execute(SQL["create_exchanges"])
    columns = [row[1] for row in db.execute("PRAGMA table_info(exchanges)")]
    if columns != list(_COLUMNS):
        db.close()
        raise _OtherShape(f"its columns are {columns}")
    return db


def _text(body: bytes) -> str:
    """A body for people: cut when long, and with marks where it is not text."""
    return body[:TEXT_LIMIT].decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _exchange(row: tuple[object, ...]) -> Exchange:
    facts = dict(zip(Exchange.__struct_fields__, row, strict=True))
    facts["headers"] = _HEADERS.decode(cast("str", facts["headers"]))
    return msgspec.convert(facts, Exchange)


#: The table's columns: the members of `Exchange`, in their order.
_COLUMNS = Exchange.__struct_fields__
_ENCODE = msgspec.json.Encoder().encode
_HEADERS = msgspec.json.Decoder(list[tuple[str, str]])
