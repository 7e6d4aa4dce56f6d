"""From settings to a running gateway: the one place where all the pieces meet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from seamline.cli.settings import Brand, Settings
from seamline.cli.stores import Place, place_of
from seamline.dialects import dialects
from seamline.dialects.dialect import Redact, Reply, Request
from seamline.edge.catalogue import Catalogues
from seamline.edge.exchanges import Exchanges
from seamline.edge.gateway import Connection, Gateway, cashier_of
from seamline.ledger.ledger import Ledger, clock_ms
from seamline.ledger.rows import Terms
from seamline.ledger.store import Store
from seamline.wallet import HOUR_MS, Integration, Policy

if TYPE_CHECKING:
    from seamline.sender.transport import Transport


#: What must not change when a deposit's or withdrawal's id comes again.
CASHIER_POLICY = Policy(fingerprint=("kind", "player", "currency"))


def place(settings: Settings) -> Place:
    """Where the ledger is."""
    return place_of(settings.store.url, prepare=settings.store.prepare, lanes=settings.store.lanes)


def record_path(settings: Settings) -> Path:
    """The file in which exchanges are recorded; the gateways of one machine may share it."""
    chosen = settings.exchanges.path
    return Path(chosen) if chosen is not None else place(settings).record()


def growing_folder(settings: Settings) -> Path:
    """Where the gateway's own files grow and space may run out."""
    path = place(settings).file or record_path(settings)
    return next(each for each in path.absolute().parents if each.exists())


def open_store(settings: Settings) -> Store:
    """The store for writing; raises `StoreError` when it cannot be used."""
    return place(settings).open(settings.currencies)


def connections(settings: Settings) -> Mapping[str, Connection]:
    """Every integration with its dialect and terms."""
    return {
        name: _connection(integration, settings.brands[integration.brand])
        for name, integration in settings.integrations.items()
    }


def _connection(integration: Integration[msgspec.Struct], brand: Brand) -> Connection:
    dialect = dialects()[integration.dialect]
    terms = Terms(
        integration=integration.name,
        brand=integration.brand,
        policy=dialect.policy(integration.options),
        currencies=frozenset(brand.currencies),
        limits=brand.limits,
    )
    networks = tuple(map(ip_network, integration.allow_from))
    return Connection(integration=integration, dialect=dialect, terms=terms, allow_from=networks)


def cashiers(settings: Settings) -> Mapping[str, Terms]:
    """The terms of each brand's cashier."""
    return {
        name: Terms(
            integration=cashier_of(name),
            brand=name,
            policy=CASHIER_POLICY,
            currencies=frozenset(brand.currencies),
        )
        for name, brand in settings.brands.items()
    }


class _Vendors:
    """The way to the vendors' APIs, made for the first request.

    Its HTTP client takes a third of the start-up time, and most gateways start far more often in
    tests and deploys than they launch a game in their first second.
    """

    def __init__(self) -> None:
        self._transport: Transport | None = None

    async def send(self, base_url: str, request: Request, deadline_s: float) -> Reply:
        if self._transport is None:
            from seamline.sender.transport import Transport

            self._transport = Transport()
        return await self._transport.send(base_url, request, deadline_s)

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.close()


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway with its store open; on the way out everything accepted is finished first."""
    connected, tills = connections(settings), cashiers(settings)
    terms = {each.terms.integration: each.terms for each in connected.values()}
    terms |= {till.integration: till for till in tills.values()}
    # Closed from the last to the first, whatever fails on the way in or out.
    async with AsyncExitStack() as stack:
        store = open_store(settings)
        stack.callback(store.close)
        store.writer.adopt(terms.values())
        exchanges = _exchanges(settings, connected)
        stack.callback(exchanges.close)
        vendors = _Vendors()
        stack.push_async_callback(vendors.close)
        ledger = Ledger(
            store.writer,
            terms,
            queue_limit=settings.ledger.queue_limit,
            batch_limit=settings.ledger.batch_limit,
            deadline_ms=round(settings.ledger.deadline_s * 1000),
        )
        stack.push_async_callback(ledger.close)
        built = Gateway(
            ledger=ledger,
            store=store,
            currencies=settings.currencies,
            connections=connected,
            cashiers=tills,
            api_keys=settings.api.keys,
            exchanges=exchanges,
            send=vendors.send,
            clock_ms=clock_ms,
        )
        catalogues = Catalogues(built)
        stack.push_async_callback(catalogues.close)
        catalogues.start()
        yield built


def _redacted(
    redact: Redact[msgspec.Struct],
    integration: Integration[msgspec.Struct],
    request: Request,
    reply: Reply,
    call: str | None,
) -> tuple[Request, Reply]:
    """An exchange as the dialect lets it be recorded, by the integration's own options."""
    return redact(request, reply, call, integration)


def _exchanges(settings: Settings, connected: Mapping[str, Connection]) -> Exchanges:
    """The record of exchanges."""
    return Exchanges(
        record_path(settings),
        hidden_headers={name: each.dialect.secret_headers for name, each in connected.items()},
        redact={
            name: partial(_redacted, each.dialect.redact, each.integration)
            for name, each in connected.items()
            if each.dialect.redact is not None
        },
        max_count=settings.exchanges.max_count,
        max_age_ms=settings.exchanges.max_age_hours * HOUR_MS,
    )
