"""The inspector's record: every callback's request and reply, kept off the money path.

`note` costs an append. A thread writes what was noted to a file of its own, at most so many a
second; beyond that the newest are kept and the rest is counted, never waited for.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request and its reply, secrets scrubbed; bodies as text."""

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
    """Bounded in count and age."""

    def list(self, wanted: ExchangeFilter) -> Sequence[Exchange]:
        """A page of exchanges, newest first; reads the file, so call it in a thread."""
        raise NotImplementedError
