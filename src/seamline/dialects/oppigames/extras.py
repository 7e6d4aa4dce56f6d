"""What only this vendor's API has: stakes of bonuses, jackpots, sessions and rates.

Amounts are decimals in main units, here as in all of the operator API.
"""

from __future__ import annotations

import re

import msgspec

from seamline.dialects.dialect import (
    AnyExtra,
    Extra,
    Malformed,
    Operation,
    Reply,
    Request,
    VendorError,
)
from seamline.dialects.oppigames import api, records
from seamline.dialects.oppigames.options import Options
from seamline.money import BadQuantity, Quantity
from seamline.wallet import Integration

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def compose_bet_amounts(
    ask: records.BetAmountsAsk, integration: Integration[Options], at_ms: int
) -> Request:
    """Ask for the stakes of a currency."""
    body = {"currency": ask.currency.upper()}
    return api.post("/game/allowed-bet-amounts", body, integration, at_ms)


def read_bet_amounts(
    reply: Reply,
    ask: records.BetAmountsAsk,  # noqa: ARG001  the same shape for every operation
    integration: Integration[Options],  # noqa: ARG001
) -> records.BetAmounts:
    """The stakes."""
    told = api.answer(reply, records.STAKES)
    listed = told.data if told.data is not None else told.allowed_bets
    if listed is None:
        raise VendorError("OppiGames answered neither data nor allowedBets", status=reply.status)
    return records.BetAmounts(amounts=tuple(map(api.decimal, listed)))


def compose_jackpot(
    ask: records.JackpotAsk, integration: Integration[Options], at_ms: int
) -> Request:
    """Ask for a jackpot. The vendor has no idempotency key: asked twice, there are two."""
    body = {
        "gameId": ask.game,
        "betPortion": ask.portion_percent,
        "jackpotPool": api.counted(ask.pool, "pool"),
        "forOnce": ask.for_once,
    }
    return api.post("/game/jackpot-configure", body, integration, at_ms)


def read_jackpot(
    reply: Reply,
    ask: records.JackpotAsk,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> tuple[records.PoolState, ...]:
    """The jackpots that the vendor now keeps for it."""
    return tuple(
        records.PoolState(
            jackpot=each.jackpot_id,
            game=each.game_id,
            portion_percent=each.bet_portion,
            pool=api.decimal(each.jackpot_pool),
            active=each.status == 1,
            for_once=each.for_once,
            created_at=each.created_at,
            updated_at=each.updated_at,
        )
        for each in api.answer(reply, records.POOLS).data
    )


def compose_jackpot_removal(
    ask: records.JackpotIdAsk, integration: Integration[Options], at_ms: int
) -> Request:
    """Remove a jackpot."""
    return api.post("/game/jackpot-remove", {"jackpotId": ask.jackpot}, integration, at_ms)


def read_jackpot_removal(
    reply: Reply,
    ask: records.JackpotIdAsk,
    integration: Integration[Options],  # noqa: ARG001
) -> records.Removed:
    """What was removed; the page's sample message says "activated" and means nothing."""
    api.answer(reply, api.SAID)
    return records.Removed(jackpot=ask.jackpot)


def compose_sessions(
    ask: records.SessionsAsk, integration: Integration[Options], at_ms: int
) -> Request:
    """Ask for a page of sessions."""
    values = {"page": str(ask.page), "limit": str(ask.limit)}
    if ask.player is not None:
        values["playerId"] = ask.player
    if ask.game is not None:
        values["gameId"] = ask.game
    return api.get("/game/sessions", values, integration, at_ms)


def read_sessions(
    reply: Reply,
    ask: records.SessionsAsk,
    integration: Integration[Options],  # noqa: ARG001
) -> records.Sessions:
    """The page."""
    page = api.answer(reply, records.SESSIONS).data
    items = tuple(
        records.SessionState(
            session=each.session_id,
            player=each.player_id,
            player_name=each.player_name,
            game=each.game_id,
            game_name=each.game_name,
            active=each.status == 1,
            currency=each.currency,
            created_at=each.created_at,
        )
        for each in page.result
    )
    return records.Sessions(items=items, page=ask.page, last=_is_last(page))


def _is_last(page: records.WireSessionPage | records.WirePlayPage) -> bool:
    """The samples' totals disagree with each other, so an empty page is the last one, too."""
    return page.current_page >= page.total_pages or not page.result


def compose_session(
    ask: records.SessionAsk, integration: Integration[Options], at_ms: int
) -> Request:
    """Ask for a page of a session's bets."""
    values = {"sessionId": ask.session, "page": str(ask.page), "limit": str(ask.limit)}
    return api.get("/game/session", values, integration, at_ms)


def read_session(
    reply: Reply,
    ask: records.SessionAsk,
    integration: Integration[Options],  # noqa: ARG001
) -> records.Plays:
    """The page."""
    page = api.answer(reply, records.PLAYS).data
    items = tuple(
        records.Play(
            transaction=each.transaction_id,
            session=each.session_id,
            player=each.player_id,
            player_name=each.player_name,
            game=each.game_id,
            game_name=each.game_name,
            stake=api.decimal(each.bet_amount) if each.bet_amount is not None else None,
            payout=api.decimal(each.payout) if each.payout is not None else None,
            is_win=each.is_win,
            active=each.session_status == 1 if each.session_status is not None else None,
            created_at=each.created_at,
        )
        for each in page.result
    )
    return records.Plays(items=items, page=ask.page, last=_is_last(page))


def compose_rates(ask: records.RatesAsk, integration: Integration[Options], at_ms: int) -> Request:
    """Ask what an amount is elsewhere. Its scale is not stated: it is sent in main units."""
    try:
        amount = Quantity.parse(ask.amount).shortest()
    except BadQuantity as error:
        raise Malformed("expected a decimal such as 12 or 0.90", field="amount") from error
    body = {"currency": ask.currency.upper(), "amount": msgspec.Raw(str(amount).encode())}
    return api.post("/game/conversion-rates", body, integration, at_ms)


def read_rates(
    reply: Reply,
    ask: records.RatesAsk,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> records.Rates:
    """The amounts, each as the vendor wrote it."""
    told = api.answer(reply, records.RATES).data
    return records.Rates(
        items=tuple(
            records.Rate(currency=each.currency_code, amount=_number(each.amount)) for each in told
        )
    )


def _number(token: msgspec.Raw) -> str:
    """A JSON number as it was written."""
    text = bytes(token).decode(errors="replace")
    if _NUMBER.fullmatch(text) is None:
        raise VendorError("OppiGames answered an amount that is no number", status=200)
    return text


EXTRAS: tuple[AnyExtra[Options], ...] = (
    Extra(
        name="allowed_bet_amounts",
        summary="The stakes that bonuses may have in a currency.",
        ask=records.BetAmountsAsk,
        operation=Operation(compose=compose_bet_amounts, read=read_bet_amounts, repeatable=True),
    ),
    Extra(
        name="jackpot_configure",
        summary="Set up a jackpot of a game. Asked twice, there are two.",
        ask=records.JackpotAsk,
        operation=Operation(compose=compose_jackpot, read=read_jackpot),
    ),
    Extra(
        name="jackpot_remove",
        summary="Remove a jackpot.",
        ask=records.JackpotIdAsk,
        operation=Operation(
            compose=compose_jackpot_removal, read=read_jackpot_removal, repeatable=True
        ),
    ),
    Extra(
        name="sessions",
        summary="The sessions that the vendor keeps, by pages.",
        ask=records.SessionsAsk,
        operation=Operation(compose=compose_sessions, read=read_sessions, repeatable=True),
    ),
    Extra(
        name="session",
        summary="The bets of one session and what they paid, by pages: for reconciliation.",
        ask=records.SessionAsk,
        operation=Operation(compose=compose_session, read=read_session, repeatable=True),
    ),
    Extra(
        name="conversion_rates",
        summary="What an amount is in other currencies; to be shown only.",
        ask=records.RatesAsk,
        operation=Operation(compose=compose_rates, read=read_rates, repeatable=True),
    ),
)
