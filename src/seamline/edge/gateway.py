"""What the HTTP surfaces share: the ledger, its readers, and who is connected with which keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from seamline.dialects import AnyDialect
from seamline.dialects.dialect import Reply, Request, Secret
from seamline.edge.exchanges import Exchanges
from seamline.edge.peers import Network
from seamline.ledger.ledger import Ledger
from seamline.ledger.rows import Terms
from seamline.ledger.store import Reader, Store
from seamline.money import Currencies
from seamline.wallet import Integration

ResultT = TypeVar("ResultT")

#: Sends a request below a base URL within a deadline in seconds. Raises `TimeoutError` or
#: `ConnectionError` when no complete reply came.
Send = Callable[[str, Request, float], Awaitable[Reply]]


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """An integration together with its dialect and what the ledger knows of it."""

    integration: Integration[msgspec.Struct]
    dialect: AnyDialect
    terms: Terms
    #: Where the vendor calls from; empty for anywhere.
    allow_from: tuple[Network, ...] = ()


def cashier_of(brand: str) -> str:
    """The name under which a brand's deposits and withdrawals are integrated."""
    return f"cashier/{brand}"


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """One running gateway: a value that the surfaces are built from."""

    ledger: Ledger
    store: Store
    currencies: Currencies
    connections: Mapping[str, Connection]
    #: The brands' cashiers, by brand.
    cashiers: Mapping[str, Terms]
    api_keys: Sequence[Secret]
    exchanges: Exchanges
    send: Send
    clock_ms: Callable[[], int]
    #: Waits that many seconds.
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    #: URLs that were built here and given out lately, with the time that each was made for. Other
    #: processes have their own: two that are asked for one launch within a second may give the same
    #: URL, of which the vendor takes one; the other browser has to open the game again.
    given: dict[str, int] = msgspec.field(default_factory=dict)

    async def read(self, work: Callable[[Reader], ResultT]) -> ResultT:
        """Run *work* on a reader, in a thread, so that the event loop goes on."""

        def reading() -> ResultT:
            with self.store.reader() as reader:
                return work(reader)

        return await asyncio.to_thread(reading)
