"""Refusals in the protocol's words (document: error codes; when each is used is our choice).

Between codes on a bet money is decided: after BET_FAILED_UNKNOWN_ERROR the provider sends a refund,
after any other it takes the bet for not done. A win or refund is sent again whatever the code says.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from seamline.dialects.dialect import Reply, total
from seamline.dialects.messages import message
from seamline.dialects.slotegrator import decimals, wire
from seamline.dialects.slotegrator.options import Options
from seamline.wallet import Integration, Rejected, Rejection

Code = Literal[
    "INVALID_SIGN",
    "WRONG_INPUT_PARAMETERS",
    "ACTION_IS_NOT_EXIST",
    "SESSION_NOT_FOUND",
    "AMOUNT_SHOULD_BE_POSITIVE",
    "INSUFFICIENT_BALANCE",
    "INTERNAL_ERROR",
    "BET_FAILED_KNOWN_ERROR",
    "BET_FAILED_UNKNOWN_ERROR",
    "TRANSACTION_PREPARING_ERROR",
    "TRANSACTION_IN_PROGRESS",
    "TRANSACTION_DENIED",
]


class Refusal(msgspec.Struct, frozen=True):
    """What is answered, to a bet and, where that differs, to the other calls.

    The text is the document's own where it prints one.
    """

    code: Code
    others: Code | None = None
    text: str | None = None
    status: int = 200


_WRONG = Refusal("WRONG_INPUT_PARAMETERS")
_DENIED = Refusal("TRANSACTION_DENIED")
_NO_SESSION = Refusal("SESSION_NOT_FOUND")
_BARRED = Refusal("BET_FAILED_KNOWN_ERROR", "TRANSACTION_DENIED")
_LIMIT = Refusal("INTERNAL_ERROR", text="Not enough limits")
# Whether the bet was debited is not certain: only this code makes the provider send its refund.
_UNCERTAIN = Refusal("BET_FAILED_UNKNOWN_ERROR", "INTERNAL_ERROR")

REFUSALS = total(
    Rejection,
    {
        Rejection.CALL_UNKNOWN: Refusal("ACTION_IS_NOT_EXIST", status=404),
        Rejection.METHOD: Refusal("WRONG_INPUT_PARAMETERS", status=405),
        Rejection.TOO_LARGE: Refusal("WRONG_INPUT_PARAMETERS", status=413),
        Rejection.SIGNATURE: Refusal("INVALID_SIGN"),
        Rejection.STALE: Refusal("INVALID_SIGN"),
        Rejection.ADDRESS: Refusal("INVALID_SIGN", status=403),
        Rejection.MALFORMED: _WRONG,
        Rejection.DUPLICATE_CHANGED: _DENIED,
        Rejection.REFUNDED_BEFORE: _DENIED,
        Rejection.SESSION_UNKNOWN: _NO_SESSION,
        Rejection.PLAYER_UNKNOWN: _NO_SESSION,
        Rejection.SESSION_CLOSED: _NO_SESSION,
        Rejection.SESSION_EXPIRED: _NO_SESSION,
        Rejection.PLAYER_BLOCKED: _BARRED,
        Rejection.PLAYER_SELF_EXCLUDED: _BARRED,
        Rejection.PLAYER_CLOSED: _BARRED,
        Rejection.CURRENCY: _WRONG,
        Rejection.GAME: _BARRED,
        Rejection.PRECISION: _WRONG,
        Rejection.AMOUNT_RANGE: _WRONG,
        Rejection.TARGET_UNKNOWN: _DENIED,
        Rejection.TARGET_FOREIGN: _DENIED,
        Rejection.TARGET_KIND: _DENIED,
        Rejection.TARGET_SETTLED: _DENIED,
        Rejection.TARGET_REFUNDED: _DENIED,
        Rejection.ALREADY_CLAIMED: _DENIED,
        Rejection.TARGET_EXPIRED: _DENIED,
        Rejection.CAMPAIGN: _DENIED,
        Rejection.PRICE: _DENIED,
        Rejection.OUT_OF_SYNC: _DENIED,
        Rejection.STAKE_LIMIT: _LIMIT,
        Rejection.LOSS_LIMIT: _LIMIT,
        Rejection.TIME_LIMIT: _LIMIT,
        Rejection.FUNDS: Refusal("INSUFFICIENT_BALANCE", text="Insufficient balance"),
        Rejection.RATE: Refusal("BET_FAILED_KNOWN_ERROR", "INTERNAL_ERROR"),
        # Nothing was begun: the queue did not take it.
        Rejection.BUSY: Refusal("TRANSACTION_PREPARING_ERROR", "INTERNAL_ERROR"),
        Rejection.UNAVAILABLE: _UNCERTAIN,
        Rejection.FAULT: _UNCERTAIN,
        Rejection.OVERDUE: _UNCERTAIN,
    },
)

#: An amount that is not above zero has a code of its own; one that is too large has not.
_NOT_POSITIVE = Refusal("AMOUNT_SHOULD_BE_POSITIVE")
_TOO_SMALL = frozenset({decimals.NEGATIVE, decimals.ZERO})
#: An `action` that nobody knows came in a well-formed request, unlike an unknown path.
_NO_ACTION = Refusal("ACTION_IS_NOT_EXIST")

#: Faults of the provider's program, which no player ever meets: their text is for engineers.
_FOR_ENGINEERS = frozenset(
    {
        Rejection.CALL_UNKNOWN,
        Rejection.METHOD,
        Rejection.TOO_LARGE,
        Rejection.SIGNATURE,
        Rejection.MALFORMED,
    }
)
_MAX_TEXT = 300


def refuse(rejected: Rejected, call: str | None, _integration: Integration[Options]) -> Reply:
    """The refusal; without a call it is worded as for a bet, where more hangs on it."""
    row = _row(rejected)
    code = row.code if call in (None, "bet") else row.others or row.code
    body = wire.Failed(status=False, code=code, message=row.text or _text(rejected))
    return Reply(row.status, wire.encode(body))


def _row(rejected: Rejected) -> Refusal:
    if rejected.why is Rejection.CALL_UNKNOWN and rejected.field == "action":
        return _NO_ACTION
    if rejected.why is Rejection.AMOUNT_RANGE and rejected.detail in _TOO_SMALL:
        return _NOT_POSITIVE
    return REFUSALS[rejected.why]


def _text(rejected: Rejected) -> str:
    """The message: what a player may read, and where the request is at fault, for engineers."""
    text = message(rejected)
    if rejected.why not in _FOR_ENGINEERS or not rejected.detail:
        return text
    place = f"{rejected.field}: " if rejected.field else ""
    return f"{text} ({place}{rejected.detail})".encode(errors="replace").decode()[:_MAX_TEXT]
