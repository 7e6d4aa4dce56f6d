"""For machines: `/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec
import structlog

from seamline.dialects.dialect import Reply
from seamline.edge.asgi import Receive, Scope, Send, respond
from seamline.edge.gateway import Gateway
from seamline.ledger.changes import AlertRow
from seamline.ledger.rules.view import Raised
from seamline.ledger.store import Overdue, Reader, StoreUnavailable, Writer
from seamline.wallet import DAY_MS, Alert

#: Less free disk than this and the gateway reports not ready: a ledger must not fill its disk.
LEAST_FREE_BYTES = 64 * 1024 * 1024

#: How often the books are looked after.
WATCH_EVERY_S = 60.0

#: A round that has not ended so long after it opened is one for a person.
OVERDUE_MS = DAY_MS

#: How long a write may take before the store counts as not writable.
WRITE_WITHIN_S = 2.0

_LOG = structlog.get_logger("seamline.ops")


class Check(msgspec.Struct, frozen=True):
    """One thing that must hold for the gateway to be ready, and why it does not."""

    ok: bool
    reason: str


class Readiness(msgspec.Struct, frozen=True):
    """The body of `/readyz`."""

    ready: bool
    checks: Mapping[str, Check]


class Ops:
    """Answers the three paths; keeps the ledger's drift up to date."""

    paths = frozenset({"/healthz", "/readyz", "/metrics"})

    def __init__(
        self, gateway: Gateway, metrics: Callable[[], bytes], disk: Path, *, watches: bool = True
    ) -> None:
        self._gateway = gateway
        self._metrics = metrics
        self._disk = disk
        #: Whether this process looks after the books; of several one is enough.
        self.watches = watches
        self._drift: Mapping[str, int] | None = None
        self._looked_at = 0
        self._beat: asyncio.Task[None] | None = None

    def drift(self) -> Mapping[str, int]:
        """The drift by currency as last seen."""
        return self._drift or {}

    async def watch(self) -> None:
        """Look after the books again and again, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for look in (self._compare, self._find_overdue):
                tasks.create_task(self._keep_looking(look))

    async def _keep_looking(self, look: Callable[[], Awaitable[bool]]) -> None:
        """Look once a minute, and sooner while a look says that it left some for the next."""
        while True:
            started, more = time.monotonic(), False
            try:
                more = await look()
            except StoreUnavailable as error:
                _LOG.warning("watch_failed", error=str(error))
            except Exception:  # noqa: BLE001 - a watch that ended would report old figures for ever
                _LOG.exception("watch_failed")
            # A large ledger takes longer to look through; it never takes more than 1% of the time.
            rest = 100 * (time.monotonic() - started)
            await asyncio.sleep(rest if more else max(WATCH_EVERY_S, rest))

    async def _compare(self) -> bool:
        """Compare balances with movements, all of them."""
        self._drift = await self._gateway.read(lambda reader: reader.drift())
        if any(self._drift.values()):
            _LOG.error("ledger_drift", units=dict(self._drift))
        return False

    async def _find_overdue(self) -> bool:
        """Raise an alert for the next rounds that should have ended by now; close those left open.

        A few at a time: bets wait while alerts are written. Returns whether any may be left.
        """
        before_ms = self._gateway.clock_ms() - OVERDUE_MS
        look = partial(_look, after=self._looked_at, before_ms=before_ms)
        overdue, last = await self._gateway.read(look)
        if overdue:
            wind_up = partial(_wind_up, overdue=overdue, idle_ms=before_ms)
            await self._gateway.ledger.run(wind_up)
        before, self._looked_at = self._looked_at, last
        return last > before

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """One of the three, as ASGI."""
        if scope["method"] not in ("GET", "HEAD"):
            await respond(scope, send, Reply(405, b"", ((b"allow", b"GET"),)))
            return
        path = scope["path"]
        if path == "/metrics":
            kind = b"text/plain; version=0.0.4; charset=utf-8"
            await respond(scope, send, Reply(200, self._metrics(), ((b"content-type", kind),)))
        elif path == "/healthz":
            failed = self._gateway.ledger.failed
            said = b'{"alive":false}' if failed else b'{"alive":true}'
            await respond(scope, send, Reply(503 if failed else 200, said))
        else:
            readiness = await self.readiness()
            status = 200 if readiness.ready else 503
            await respond(scope, send, Reply(status, msgspec.json.encode(readiness)))

    async def readiness(self) -> Readiness:
        """Every check, each with its reason."""
        checks = {
            "store": await self._store(),
            "schema": await self._schema(),
            "disk": self._free_disk(),
            "audit": self._verdict(),
        }
        return Readiness(all(check.ok for check in checks.values()), checks)

    async def _store(self) -> Check:
        """A real write, in its turn behind what is queued; probes share one that is under way."""
        if self._beat is None or self._beat.done():
            self._beat = asyncio.create_task(self._gateway.ledger.run(_beat))
        try:
            async with asyncio.timeout(WRITE_WITHIN_S):
                await asyncio.shield(self._beat)
        except (StoreUnavailable, TimeoutError) as error:
            return Check(False, f"cannot be written: {str(error) or 'no answer in time'}")
        return Check(True, "writable")

    async def _schema(self) -> Check:
        """Whether the stored schema is the one that this program writes."""
        ours = self._gateway.store.schema
        try:
            found = await self._gateway.read(_schema_of)
        except StoreUnavailable as error:
            return Check(False, f"cannot be read: {error}")
        return Check(found == ours, f"version {found}, this program writes {ours}")

    def _free_disk(self) -> Check:
        free = shutil.disk_usage(self._disk).free
        return Check(free >= LEAST_FREE_BYTES, f"{free // 1_048_576} MiB free")

    def _verdict(self) -> Check:
        if self._drift is None:
            return Check(True, "not compared yet" if self.watches else "compared by worker 0")
        wrong = {currency: units for currency, units in self._drift.items() if units}
        return Check(not wrong, f"drift {wrong}" if wrong else "balances equal movements")


def _beat(writer: Writer, now_ms: int) -> None:
    writer.beat(now_ms)


def _schema_of(reader: Reader) -> int:
    return reader.schema()


def _look(reader: Reader, *, after: int, before_ms: int) -> tuple[Sequence[Overdue], int]:
    return reader.overdue(after=after, opened_before_ms=before_ms)


def _wind_up(writer: Writer, _now_ms: int, *, overdue: Sequence[Overdue], idle_ms: int) -> None:
    """Close rounds that were paid and left open; a bet that was not paid is for a person."""
    left = [each for each in overdue if each.round.wins and each.round.changed_ms < idle_ms]
    for each in left:
        writer.end_round(each.round.id)
    writer.raise_alerts([_unsettled(each) for each in overdue if each not in left])


def _unsettled(overdue: Overdue) -> AlertRow:
    """The alert about a round that never ended."""
    round_ = overdue.round
    detail = f"{round_.bets} bet(s), {round_.staked} {round_.currency} staked, no end"
    return AlertRow(
        round_.integration,
        # Many players may be in one round: each has a stake in it.
        f"round {round_.game}/{round_.round} of {round_.player}",
        Raised(Alert.ROUND_UNSETTLED, detail),
        overdue.account,
        round_.opened_ms,
    )
