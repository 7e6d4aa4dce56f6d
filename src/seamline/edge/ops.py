"""For machines: `/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import structlog

from seamline.dialects.dialect import Reply
from seamline.edge.asgi import Receive, Scope, Send, respond
from seamline.edge.gateway import Gateway
from seamline.ledger.store import StoreUnavailable

#: Less free disk than this and the gateway reports not ready: a ledger must not fill its disk.
LEAST_FREE_BYTES = 64 * 1024 * 1024

#: How often balances are compared with movements.
DRIFT_EVERY_S = 60.0

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

    def __init__(self, gateway: Gateway, metrics: Callable[[], bytes], disk: Path) -> None:
        self._gateway = gateway
        self._metrics = metrics
        self._disk = disk
        self._drift: Mapping[str, int] | None = None

    def drift(self) -> Mapping[str, int]:
        """The drift by currency as last seen."""
        return self._drift or {}

    async def watch(self) -> None:
        """Compare balances with movements again and again, until cancelled."""
        while True:
            try:
                self._drift = await self._gateway.read(lambda reader: reader.drift())
            except StoreUnavailable as error:
                _LOG.warning("drift_unknown", error=str(error))
            if any(self.drift().values()):
                _LOG.error("ledger_drift", units=dict(self.drift()))
            await asyncio.sleep(DRIFT_EVERY_S)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """One of the three, as ASGI."""
        if scope["method"] not in ("GET", "HEAD"):
            await respond(send, Reply(405, b"", ((b"allow", b"GET"),)))
            return
        path = scope["path"]
        if path == "/metrics":
            kind = b"text/plain; version=0.0.4; charset=utf-8"
            await respond(send, Reply(200, self._metrics(), ((b"content-type", kind),)))
        elif path == "/healthz":
            await respond(send, Reply(200, b'{"alive":true}'))
        else:
            readiness = await self.readiness()
            status = 200 if readiness.ready else 503
            await respond(send, Reply(status, msgspec.json.encode(readiness)))

    async def readiness(self) -> Readiness:
        """Every check, each with its reason."""
        checks = {
            "store": await self._store(),
            "disk": self._free_disk(),
            "ledger": self._verdict(),
        }
        return Readiness(all(check.ok for check in checks.values()), checks)

    async def _store(self) -> Check:
        """A real write, in its turn behind what is queued."""
        try:
            async with asyncio.timeout(WRITE_WITHIN_S):
                await self._gateway.ledger.run(lambda writer, now: writer.beat(now))
        except (StoreUnavailable, TimeoutError) as error:
            return Check(False, f"cannot be written: {error or 'no answer in time'}")
        return Check(True, "writable")

    def _free_disk(self) -> Check:
        free = shutil.disk_usage(self._disk).free
        return Check(free >= LEAST_FREE_BYTES, f"{free // 1_048_576} MiB free")

    def _verdict(self) -> Check:
        if self._drift is None:
            return Check(True, "not compared yet")
        wrong = {currency: units for currency, units in self._drift.items() if units}
        return Check(not wrong, f"drift {wrong}" if wrong else "balances equal movements")
