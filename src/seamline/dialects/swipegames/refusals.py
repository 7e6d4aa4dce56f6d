"""Refusals in the vendor's words (document: "Adapter error object", status lists of each call).

Choosing between 4xx and 500 on a bet decides about money: 4xx promises that nothing was debited,
500 asks for a refund. On a win or a refund any of them only means "send it again".
"""

from __future__ import annotations

from typing import Literal

import msgspec

from seamline.dialects.dialect import Reply, total
from seamline.dialects.messages import message
from seamline.dialects.swipegames import wire
from seamline.dialects.swipegames.options import Options
from seamline.wallet import Integration, Rejected, Rejection

Code = Literal[
    "insufficient_funds",
    "bet_limit",
    "loss_limit",
    "time_limit",
    "account_blocked",
    "session_not_found",
    "session_expired",
    "game_not_found",
    "currency_not_supported",
    "locale_not_supported",
    "client_connection_error",
]


class Refusal(msgspec.Struct, frozen=True):
    """What is answered beside the text."""

    status: int
    code: Code | None = None
    action: Literal["refresh"] | None = None


_REFUSED = Refusal(400)
_NOT_AUTHENTIC = Refusal(401)
_NO_SESSION = Refusal(404, "session_not_found")
_OVER = Refusal(404, "session_expired", "refresh")
_BLOCKED = Refusal(400, "account_blocked")
_FAILED = Refusal(500)

# 413 and 429 are in no status list of the vendor; what is too large is a bad request, 400.
REFUSALS = total(
    Rejection,
    {
        Rejection.CALL_UNKNOWN: Refusal(404),
        Rejection.METHOD: Refusal(405),
        Rejection.TOO_LARGE: _REFUSED,
        Rejection.SIGNATURE: _NOT_AUTHENTIC,
        Rejection.STALE: _NOT_AUTHENTIC,
        Rejection.ADDRESS: _NOT_AUTHENTIC,
        Rejection.MALFORMED: _REFUSED,
        Rejection.DUPLICATE_CHANGED: _REFUSED,
        # A 500 here would start another refund.
        Rejection.REFUNDED_BEFORE: _REFUSED,
        Rejection.SESSION_UNKNOWN: _NO_SESSION,
        Rejection.PLAYER_UNKNOWN: _NO_SESSION,
        Rejection.SESSION_CLOSED: _OVER,
        Rejection.SESSION_EXPIRED: _OVER,
        Rejection.PLAYER_BLOCKED: _BLOCKED,
        Rejection.PLAYER_SELF_EXCLUDED: _BLOCKED,
        Rejection.PLAYER_CLOSED: _BLOCKED,
        Rejection.CURRENCY: Refusal(400, "currency_not_supported"),
        Rejection.GAME: Refusal(400, "game_not_found"),
        Rejection.PRECISION: _REFUSED,
        Rejection.AMOUNT_RANGE: _REFUSED,
        Rejection.TARGET_UNKNOWN: _REFUSED,
        Rejection.TARGET_FOREIGN: _REFUSED,
        Rejection.TARGET_KIND: _REFUSED,
        Rejection.TARGET_SETTLED: _REFUSED,
        Rejection.TARGET_REFUNDED: _REFUSED,
        Rejection.ALREADY_CLAIMED: _REFUSED,
        Rejection.TARGET_EXPIRED: _REFUSED,
        Rejection.CAMPAIGN: _REFUSED,
        Rejection.PRICE: _REFUSED,
        Rejection.OUT_OF_SYNC: _REFUSED,
        Rejection.STAKE_LIMIT: Refusal(400, "bet_limit"),
        Rejection.LOSS_LIMIT: Refusal(400, "loss_limit"),
        Rejection.TIME_LIMIT: Refusal(400, "time_limit"),
        Rejection.FUNDS: Refusal(400, "insufficient_funds"),
        Rejection.RATE: _REFUSED,
        Rejection.BUSY: _FAILED,
        Rejection.UNAVAILABLE: Refusal(500, "client_connection_error"),
        Rejection.FAULT: _FAILED,
        # The bet may have been debited: a 500 makes the vendor send its refund.
        Rejection.OVERDUE: _FAILED,
    },
)

#: Their details speak of the request alone; those of the rest may speak of the casino's inside.
_ABOUT_THE_REQUEST = frozenset(
    {
        Rejection.CALL_UNKNOWN,
        Rejection.METHOD,
        Rejection.TOO_LARGE,
        Rejection.SIGNATURE,
        Rejection.MALFORMED,
    }
)
_MAX_DETAILS = 300


def refuse(rejected: Rejected, call: str | None, integration: Integration[Options]) -> Reply:
    """The error object; a balance call, which has no 400, gets 404 in its place."""
    row = REFUSALS[rejected.why]
    status = 404 if call == "balance" and row.status == 400 else row.status
    body = wire.Error(
        action=row.action,
        code=row.code,
        details=_details(rejected),
        message=_message(rejected, integration.options),
    )
    return Reply(status, wire.encode(body))


def _message(rejected: Rejected, options: Options) -> str:
    """What the player may read: English, which the document wants, or in the player's language."""
    if options.message_language == "player":
        return message(rejected)
    return message(Rejected(why=rejected.why))


def _details(rejected: Rejected) -> str:
    """Harmless text for engineers: what is meant, and where the request is at fault."""
    if REFUSALS[rejected.why].code == "account_blocked":
        return "the player may not place bets"  # Why is between the player and the casino.
    text = rejected.why.meaning
    if rejected.why in _ABOUT_THE_REQUEST:
        place = f"{rejected.field}: " if rejected.field else ""
        said = f"{place}{rejected.detail}"
        text = f"{text}; {said}" if said else text
    elif rejected.field:
        text = f"{text}; field {rejected.field}"
    return text.encode(errors="replace").decode()[:_MAX_DETAILS]
