"""Refusals in the vendor's words (document: "Adapter error object", status lists of each call).

Choosing between 4xx and 500 on a bet decides about money: 4xx promises that nothing was debited,
500 asks for a refund. On a win or a refund any of them only means "send it again".
"""

from __future__ import annotations

from typing import Literal

import msgspec

from seamline.dialects.dialect import Reply, total
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
    """What is answered; `message` may be read by the player."""

    status: int
    message: str
    code: Code | None = None
    action: Literal["refresh"] | None = None


_NOT_ACCEPTED = "The request could not be accepted."
_NOT_NOW = "The casino cannot answer just now. Please try again."
_BLOCKED = "Your account cannot place bets. Please contact support."
_OVER = "Your session has ended. Please refresh the game."

# 413 and 429 are in no status list of the vendor; what is too large is a bad request, 400.
REFUSALS = total(
    Rejection,
    {
        Rejection.CALL_UNKNOWN: Refusal(404, _NOT_ACCEPTED),
        Rejection.METHOD: Refusal(405, _NOT_ACCEPTED),
        Rejection.TOO_LARGE: Refusal(400, _NOT_ACCEPTED),
        Rejection.SIGNATURE: Refusal(401, _NOT_ACCEPTED),
        Rejection.STALE: Refusal(401, _NOT_ACCEPTED),
        Rejection.ADDRESS: Refusal(401, _NOT_ACCEPTED),
        Rejection.MALFORMED: Refusal(400, _NOT_ACCEPTED),
        Rejection.DUPLICATE_CHANGED: Refusal(400, _NOT_ACCEPTED),
        # A 500 here would start another refund.
        Rejection.REFUNDED_BEFORE: Refusal(400, "This bet was cancelled."),
        Rejection.SESSION_UNKNOWN: Refusal(
            404, "Your session was not found. Please open the game again.", "session_not_found"
        ),
        Rejection.PLAYER_UNKNOWN: Refusal(
            404, "Your session was not found. Please open the game again.", "session_not_found"
        ),
        Rejection.SESSION_CLOSED: Refusal(404, _OVER, "session_expired", "refresh"),
        Rejection.SESSION_EXPIRED: Refusal(404, _OVER, "session_expired", "refresh"),
        Rejection.PLAYER_BLOCKED: Refusal(400, _BLOCKED, "account_blocked"),
        Rejection.PLAYER_SELF_EXCLUDED: Refusal(400, _BLOCKED, "account_blocked"),
        Rejection.PLAYER_CLOSED: Refusal(400, _BLOCKED, "account_blocked"),
        Rejection.CURRENCY: Refusal(
            400, "This currency cannot be used here.", "currency_not_supported"
        ),
        Rejection.GAME: Refusal(400, "This game is not available.", "game_not_found"),
        Rejection.PRECISION: Refusal(400, "This stake cannot be accepted."),
        Rejection.AMOUNT_RANGE: Refusal(400, "This amount cannot be accepted."),
        Rejection.TARGET_UNKNOWN: Refusal(400, _NOT_ACCEPTED),
        Rejection.TARGET_FOREIGN: Refusal(400, _NOT_ACCEPTED),
        Rejection.TARGET_KIND: Refusal(400, _NOT_ACCEPTED),
        Rejection.TARGET_SETTLED: Refusal(400, _NOT_ACCEPTED),
        Rejection.TARGET_REFUNDED: Refusal(400, _NOT_ACCEPTED),
        Rejection.ALREADY_CLAIMED: Refusal(400, _NOT_ACCEPTED),
        Rejection.TARGET_EXPIRED: Refusal(400, _NOT_ACCEPTED),
        Rejection.CAMPAIGN: Refusal(400, _NOT_ACCEPTED),
        Rejection.PRICE: Refusal(400, _NOT_ACCEPTED),
        Rejection.OUT_OF_SYNC: Refusal(400, _NOT_ACCEPTED),
        Rejection.STAKE_LIMIT: Refusal(400, "The stake is above your limit.", "bet_limit"),
        Rejection.LOSS_LIMIT: Refusal(400, "You have reached your loss limit.", "loss_limit"),
        Rejection.TIME_LIMIT: Refusal(400, "You have reached your time limit.", "time_limit"),
        Rejection.FUNDS: Refusal(400, "Your balance is too small.", "insufficient_funds"),
        Rejection.RATE: Refusal(400, _NOT_NOW),
        Rejection.BUSY: Refusal(500, _NOT_NOW),
        Rejection.UNAVAILABLE: Refusal(500, _NOT_NOW, "client_connection_error"),
        Rejection.FAULT: Refusal(500, _NOT_NOW),
        # The bet may have been debited: a 500 makes the vendor send its refund.
        Rejection.OVERDUE: Refusal(500, _NOT_NOW),
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


def refuse(rejected: Rejected, call: str | None, _integration: Integration[Options]) -> Reply:
    """The error object; a balance call, which has no 400, gets 404 in its place."""
    row = REFUSALS[rejected.why]
    status = 404 if call == "balance" and row.status == 400 else row.status
    body = wire.Error(
        action=row.action, code=row.code, details=_details(rejected), message=row.message
    )
    return Reply(status, wire.encode(body))


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
