"""Refusals in the vendor's words ("Success/Failure response", error samples of each call).

Every refusal is the error object in an envelope with HTTP 400: an answer that the vendor cannot
read locks the player, while an error lets the player go on. On a place-bet an error promises that
nothing stays debited, as no cancel follows. On a payout or cancel it means "send it again".
Few of the vendor's own texts are known; the others are ours.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from seamline.dialects.dialect import Reply, total
from seamline.dialects.nagagames import wire
from seamline.dialects.nagagames.options import Options
from seamline.dialects.nagagames.signature import HASH, UNUSABLE
from seamline.wallet import Integration, Rejected, Rejection


class Refusal(msgspec.Struct, frozen=True):
    """What is answered; the status is the one of the error object."""

    status: int
    message: str


_INVALID = Refusal(400, "Invalid request")
_BLOCKED = Refusal(403, "Player is blocked")
_TOKEN = Refusal(401, "Invalid player token")
_BET = Refusal(404, "Bet not found")
_CANCELLED = Refusal(409, "Bet already canceled")
_AMOUNT = Refusal(400, "Invalid data: amount")
_FAULT = Refusal(500, "Internal error")

REFUSALS = total(
    Rejection,
    {
        Rejection.CALL_UNKNOWN: Refusal(404, "Not found"),
        Rejection.METHOD: Refusal(405, "Method not allowed"),
        Rejection.TOO_LARGE: Refusal(413, "Request is too large"),
        # "How to sign and verify": what a captured request of a real operator was told.
        Rejection.SIGNATURE: Refusal(400, "Cannot verify data!"),
        Rejection.STALE: Refusal(400, "Cannot verify data!"),
        Rejection.ADDRESS: Refusal(403, "Address is not allowed"),
        Rejection.MALFORMED: _INVALID,
        Rejection.DUPLICATE_CHANGED: Refusal(409, "Duplicate bet with different data"),
        Rejection.REFUNDED_BEFORE: _CANCELLED,
        Rejection.SESSION_UNKNOWN: _TOKEN,
        Rejection.PLAYER_UNKNOWN: Refusal(404, "Player not found"),
        Rejection.SESSION_CLOSED: _TOKEN,
        Rejection.SESSION_EXPIRED: _TOKEN,
        Rejection.PLAYER_BLOCKED: _BLOCKED,
        Rejection.PLAYER_SELF_EXCLUDED: _BLOCKED,
        Rejection.PLAYER_CLOSED: _BLOCKED,
        Rejection.CURRENCY: Refusal(400, "Invalid currency"),
        Rejection.GAME: Refusal(400, "Invalid game"),
        Rejection.PRECISION: _AMOUNT,
        Rejection.AMOUNT_RANGE: _AMOUNT,
        Rejection.TARGET_UNKNOWN: _BET,
        # Whose bet it is stays between that player and the casino.
        Rejection.TARGET_FOREIGN: _BET,
        Rejection.TARGET_KIND: _BET,
        Rejection.TARGET_SETTLED: Refusal(400, "Transaction Seamless Already Resolved"),
        Rejection.TARGET_REFUNDED: _CANCELLED,
        Rejection.ALREADY_CLAIMED: Refusal(409, "Bonus already paid"),
        Rejection.TARGET_EXPIRED: Refusal(400, "Transaction is too old"),
        Rejection.CAMPAIGN: Refusal(400, "Invalid campaign"),
        Rejection.PRICE: Refusal(400, "Invalid price"),
        Rejection.OUT_OF_SYNC: Refusal(409, "Balance is out of sync"),
        Rejection.STAKE_LIMIT: Refusal(403, "Bet limit reached"),
        Rejection.LOSS_LIMIT: Refusal(403, "Loss limit reached"),
        Rejection.TIME_LIMIT: Refusal(403, "Time limit reached"),
        Rejection.FUNDS: Refusal(402, "Insufficient balance"),
        Rejection.RATE: Refusal(429, "Too many requests"),
        Rejection.BUSY: _FAULT,
        Rejection.UNAVAILABLE: _FAULT,
        Rejection.FAULT: _FAULT,
        Rejection.OVERDUE: _FAULT,
    },
)

#: The part of a request that is wrong says more than the kind of mistake.
_BY_FIELD = {
    (Rejection.SIGNATURE, HASH): Refusal(400, "Cannot compare dataHash and checksum!"),
    (Rejection.SIGNATURE, UNUSABLE): _INVALID,
    (Rejection.MALFORMED, wire.BRAND_AND_GROUP): Refusal(400, "Invalid brand or group"),
    (Rejection.MALFORMED, None): _INVALID,
}
_BY_CALL: Mapping[tuple[str | None, Rejection], Refusal] = {
    # More than a ledger can count is more than any player has.
    ("place-bet", Rejection.AMOUNT_RANGE): REFUSALS[Rejection.FUNDS],
    # Nobody sent a token; the named player has none.
    ("player-token", Rejection.SESSION_UNKNOWN): REFUSALS[Rejection.PLAYER_UNKNOWN],
}
#: Of a place in the body as much as a reader needs.
_MAX_FIELD = 60


def refuse(rejected: Rejected, call: str | None, _integration: Integration[Options]) -> Reply:
    """The error object in its envelope, always with HTTP 400."""
    row = _row(rejected, call)
    return Reply(400, wire.encode(wire.Answered(error=wire.Error(row.status, row.message))))


def _row(rejected: Rejected, call: str | None) -> Refusal:
    """What to answer, by what is wrong and where."""
    row = _BY_FIELD.get((rejected.why, rejected.field)) or _BY_CALL.get((call, rejected.why))
    if row is not None:
        return row
    if rejected.why is Rejection.MALFORMED:
        field = (rejected.field or "").encode(errors="replace").decode()[:_MAX_FIELD]
        return Refusal(400, f"Invalid data: {field}")
    return REFUSALS[rejected.why]
