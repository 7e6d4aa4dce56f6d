"""What was recorded: transactions, rounds, alerts, exchanges and totals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from seamline.edge.api import cursor, shapes
from seamline.edge.api.endpoint import Answer
from seamline.edge.api.problems import Code, Problem
from seamline.edge.exchanges import ExchangeFilter
from seamline.edge.gateway import Gateway
from seamline.ledger.store import Reader, RoundFilter, TransactionFilter, Unknown
from seamline.wallet import DAY_MS

ItemT = TypeVar("ItemT")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_LAST_MS = 253_402_300_799_999  # the end of the year 9999

#: What one answer about one round carries at most.
ROUND_LIMIT = 500

#: The longest span of totals, which come by the hour.
TOTALS_DAYS = 31


async def transactions(gateway: Gateway, *, query: shapes.TransactionQuery) -> Answer:
    """A page of transactions."""
    _needs(query.player, "player", query.brand, "brand")
    _needs(query.key, "key", query.integration, "integration")
    _needs(query.round, "round", query.integration, "integration")
    _needs(query.game, "game", query.round, "round")
    wanted = TransactionFilter(
        brand=query.brand,
        player=query.player,
        integration=query.integration,
        key=query.key,
        round=query.round,
        game=query.game,
        after=cursor.open_(query.after, query),
        limit=query.limit + 1,
    )
    found = await gateway.read(lambda reader: reader.transactions(wanted))
    items, after = _page(found, query, query.limit, lambda item: _number(item.transaction))
    return Answer(body=shapes.TransactionPage(items=items, next=after))


async def rounds(gateway: Gateway, *, query: shapes.RoundQuery) -> Answer:
    """A page of rounds."""
    _needs(query.player, "player", query.brand, "brand")
    _needs(query.round, "round", query.integration, "integration")
    wanted = RoundFilter(
        brand=query.brand,
        player=query.player,
        integration=query.integration,
        game=query.game,
        round=query.round,
        unsettled=query.unsettled,
        after=cursor.open_(query.after, query),
        limit=query.limit + 1,
    )
    found = await gateway.read(lambda reader: reader.rounds(wanted))
    items, after = _page(found, query, query.limit, lambda item: item.id)
    return Answer(body=shapes.RoundPage(items=items, next=after))


async def round_(gateway: Gateway, *, path: shapes.RoundPath, query: shapes.RoundPlayer) -> Answer:
    """One round: every player's share of it, and the transactions."""

    def read(reader: Reader) -> shapes.RoundAnswer:
        limit = ROUND_LIMIT + 1
        names = (path.integration, path.game, path.round, query.player)
        integration, game, name, player = names
        shares = reader.rounds(
            RoundFilter(integration=integration, game=game, round=name, player=player, limit=limit)
        )
        moves = reader.transactions(
            TransactionFilter(
                integration=integration, game=game, round=name, player=player, limit=limit
            )
        )
        return shapes.RoundAnswer(
            rounds=shares[:ROUND_LIMIT],
            transactions=moves[:ROUND_LIMIT],
            more=len(shares) > ROUND_LIMIT or len(moves) > ROUND_LIMIT,
        )

    found = await gateway.read(read)
    if not found.rounds:
        detail = f"no round {path.round!r} of game {path.game!r} at {path.integration!r}"
        raise Problem(Code.ROUND_UNKNOWN, detail, field="round")
    return Answer(body=found)


async def alerts(gateway: Gateway, *, query: shapes.AlertQuery) -> Answer:
    """A page of alerts."""
    after, limit = cursor.open_(query.after, query), query.limit + 1
    found = await gateway.read(
        lambda reader: reader.alerts(state=query.state, after=after, limit=limit)
    )
    items, then = _page(found, query, query.limit, lambda item: item.id)
    return Answer(body=shapes.AlertPage(items=items, next=then))


async def change_alert(
    gateway: Gateway, *, path: shapes.AlertPath, body: shapes.AlertPatch
) -> Answer:
    """Move an alert on, or back."""
    try:
        await gateway.ledger.run(
            lambda writer, now_ms: writer.set_alert_state(path.id, body.state, now_ms)
        )
    except Unknown as error:
        raise Problem(Code.ALERT_UNKNOWN, str(error), field="id") from error
    # The newest alert below the next id is this one.
    found = await gateway.read(lambda reader: reader.alerts(state=None, after=path.id + 1, limit=1))
    return Answer(body=found[0])


async def exchanges(gateway: Gateway, *, query: shapes.ExchangeQuery) -> Answer:
    """A page of recorded requests."""
    wanted = ExchangeFilter(
        integration=query.integration,
        transaction=query.transaction,
        request_id=query.request_id,
        outcome=query.outcome,
        after=cursor.open_(query.after, query),
        limit=query.limit + 1,
    )
    found = await asyncio.to_thread(gateway.exchanges.list, wanted)
    items, after = _page(found, query, query.limit, lambda item: item.id)
    return Answer(body=shapes.ExchangePage(items=items, next=after))


async def totals(gateway: Gateway, *, query: shapes.TotalsQuery) -> Answer:
    """The hours of a span."""
    # A span ends before its end; what happens right now is still in it.
    until = _ms(query.until, "until") if query.until is not None else gateway.clock_ms() + 1
    start = _ms(query.from_, "from") if query.from_ is not None else max(until - DAY_MS, 0)
    if not start < until <= start + TOTALS_DAYS * DAY_MS:
        detail = f"expected a span of more than nothing and at most {TOTALS_DAYS} days"
        raise Problem(Code.MALFORMED, detail, field="from")
    found = await gateway.read(lambda reader: reader.totals(from_ms=start, until_ms=until))
    return Answer(body=shapes.Totals(items=found))


def _needs(value: str | None, name: str, other: str | None, other_name: str) -> None:
    """Refuse a filter that is ambiguous without another one."""
    if value is not None and other is None:
        detail = f"expected {other_name} too, as {name} alone does not say which"
        raise Problem(Code.MALFORMED, detail, field=other_name)


def _page(
    found: Sequence[ItemT], query: msgspec.Struct, limit: int, number: Callable[[ItemT], int]
) -> tuple[Sequence[ItemT], str | None]:
    """The items of a page, and the cursor of the next one when more was found than fits."""
    items = found[:limit]
    return items, cursor.seal(number(items[-1]), query) if len(found) > limit else None


def _number(transaction: str) -> int:
    """The store's id of a transaction."""
    return int(transaction.removeprefix("txn_"))


def _ms(text: str, field: str) -> int:
    """Unix milliseconds of a moment given as such, or as ISO 8601 with a zone."""
    ms = int(text) if text.isascii() and text.isdigit() else _iso_ms(text, field)
    if not 0 <= ms <= _LAST_MS:
        raise Problem(Code.MALFORMED, "expected a time from 1970 to 9999", field=field)
    return ms


def _iso_ms(text: str, field: str) -> int:
    detail = "expected Unix milliseconds, or ISO 8601 with a zone such as 2026-01-31T00:00:00Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Problem(Code.MALFORMED, detail, field=field) from error
    if moment.tzinfo is None:
        raise Problem(Code.MALFORMED, detail, field=field)
    return (moment - _EPOCH) // _MS
