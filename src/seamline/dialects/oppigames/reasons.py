"""Why something is refused, as the operator's status table knows it: finer than `Rejection`.

The vendor orders operators to answer exactly its codes, of which its pages tell two and a half.
Hence this list of reasons and, per reason, a code: `documented` says no more than the pages do,
`extended` borrows names that are common among wallets and which nobody has confirmed.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from seamline.dialects.dialect import Refused, total
from seamline.wallet import Rejected, Rejection


class Reason(StrEnum):
    """The operator's own names; keys of the option `status_codes`."""

    MISSING_HEADER = "MISSING_HEADER"
    BAD_CONTENT_TYPE = "BAD_CONTENT_TYPE"
    INVALID_API_KEY = "INVALID_API_KEY"
    IP_DENIED = "IP_DENIED"
    INVALID_SIGNATURE = "INVALID_SIGNATURE"
    STALE_TIMESTAMP = "STALE_TIMESTAMP"
    MALFORMED_JSON = "MALFORMED_JSON"
    MISSING_FIELD = "MISSING_FIELD"
    WRONG_TYPE = "WRONG_TYPE"
    PLAYER_NOT_FOUND = "PLAYER_NOT_FOUND"
    PLAYER_DISABLED = "PLAYER_DISABLED"
    SESSION_INVALID = "SESSION_INVALID"
    GAME_INVALID = "GAME_INVALID"
    WRONG_CURRENCY = "WRONG_CURRENCY"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    LIMIT_REACHED = "LIMIT_REACHED"
    TX_CONFLICT = "TX_CONFLICT"
    REF_NOT_FOUND = "REF_NOT_FOUND"
    REF_ROLLED_BACK = "REF_ROLLED_BACK"
    REWARD_ALREADY_PAID = "REWARD_ALREADY_PAID"
    BAD_REWARD_TYPE = "BAD_REWARD_TYPE"
    INTERNAL = "INTERNAL"
    CALL_UNKNOWN = "CALL_UNKNOWN"
    METHOD = "METHOD"
    TOO_LARGE = "TOO_LARGE"
    BUSY = "BUSY"


class Code(msgspec.Struct, frozen=True, gc=False):
    """What is answered: the code of either profile, and the HTTP status that would fit.

    What never reached the protocol (`transport`) has that HTTP status in every mode.
    """

    documented: str
    extended: str
    http: int
    transport: bool = False


#: The code for whatever has no code of its own (root page, "Status codes").
ERROR = "RS_ERROR"
OK = "RS_OK"
#: The page is cut in the middle of this name; nobody has seen its end.
_MISSING_HEADER = "RS_ERROR_MISSING_HEADER"
#: The `extended` code for trouble of our own, which promises nothing about money.
TROUBLE = "RS_ERROR_UNKNOWN"

CODES = total(
    Reason,
    {
        Reason.MISSING_HEADER: Code(_MISSING_HEADER, _MISSING_HEADER, 400),
        Reason.BAD_CONTENT_TYPE: Code(ERROR, "RS_ERROR_WRONG_SYNTAX", 415),
        Reason.INVALID_API_KEY: Code(ERROR, "RS_ERROR_INVALID_PARTNER", 401),
        Reason.IP_DENIED: Code(ERROR, "RS_ERROR_INVALID_PARTNER", 403),
        Reason.INVALID_SIGNATURE: Code(ERROR, "RS_ERROR_INVALID_SIGNATURE", 401),
        Reason.STALE_TIMESTAMP: Code(ERROR, "RS_ERROR_TOKEN_EXPIRED", 401),
        Reason.MALFORMED_JSON: Code(ERROR, "RS_ERROR_WRONG_SYNTAX", 400),
        Reason.MISSING_FIELD: Code(ERROR, "RS_ERROR_WRONG_SYNTAX", 400),
        Reason.WRONG_TYPE: Code(ERROR, "RS_ERROR_WRONG_TYPES", 400),
        Reason.PLAYER_NOT_FOUND: Code(ERROR, "RS_ERROR_INVALID_TOKEN", 404),
        Reason.PLAYER_DISABLED: Code(ERROR, "RS_ERROR_USER_DISABLED", 403),
        Reason.SESSION_INVALID: Code(ERROR, "RS_ERROR_INVALID_TOKEN", 403),
        Reason.GAME_INVALID: Code(ERROR, "RS_ERROR_INVALID_GAME", 400),
        Reason.WRONG_CURRENCY: Code(ERROR, "RS_ERROR_WRONG_CURRENCY", 400),
        Reason.INSUFFICIENT_FUNDS: Code(ERROR, "RS_ERROR_NOT_ENOUGH_MONEY", 402),
        Reason.LIMIT_REACHED: Code(ERROR, "RS_ERROR_LIMIT_REACHED", 403),
        Reason.TX_CONFLICT: Code(ERROR, "RS_ERROR_DUPLICATE_TRANSACTION", 409),
        Reason.REF_NOT_FOUND: Code(ERROR, "RS_ERROR_TRANSACTION_DOES_NOT_EXIST", 404),
        Reason.REF_ROLLED_BACK: Code(ERROR, "RS_ERROR_TRANSACTION_ROLLED_BACK", 409),
        Reason.REWARD_ALREADY_PAID: Code(ERROR, "RS_ERROR_DUPLICATE_TRANSACTION", 409),
        Reason.BAD_REWARD_TYPE: Code(ERROR, "RS_ERROR_WRONG_SYNTAX", 400),
        Reason.INTERNAL: Code(ERROR, TROUBLE, 500),
        Reason.CALL_UNKNOWN: Code(ERROR, ERROR, 404, transport=True),
        Reason.METHOD: Code(ERROR, ERROR, 405, transport=True),
        Reason.TOO_LARGE: Code(ERROR, ERROR, 413, transport=True),
        Reason.BUSY: Code(ERROR, TROUBLE, 503, transport=True),
    },
)

REASONS = total(
    Rejection,
    {
        Rejection.CALL_UNKNOWN: Reason.CALL_UNKNOWN,
        Rejection.METHOD: Reason.METHOD,
        Rejection.TOO_LARGE: Reason.TOO_LARGE,
        Rejection.SIGNATURE: Reason.INVALID_SIGNATURE,
        Rejection.STALE: Reason.STALE_TIMESTAMP,
        Rejection.ADDRESS: Reason.IP_DENIED,
        Rejection.MALFORMED: Reason.WRONG_TYPE,
        Rejection.DUPLICATE_CHANGED: Reason.TX_CONFLICT,
        Rejection.REFUNDED_BEFORE: Reason.REF_ROLLED_BACK,
        Rejection.SESSION_UNKNOWN: Reason.SESSION_INVALID,
        Rejection.PLAYER_UNKNOWN: Reason.PLAYER_NOT_FOUND,
        Rejection.SESSION_CLOSED: Reason.SESSION_INVALID,
        Rejection.SESSION_EXPIRED: Reason.SESSION_INVALID,
        Rejection.PLAYER_BLOCKED: Reason.PLAYER_DISABLED,
        Rejection.PLAYER_SELF_EXCLUDED: Reason.PLAYER_DISABLED,
        Rejection.PLAYER_CLOSED: Reason.PLAYER_DISABLED,
        Rejection.CURRENCY: Reason.WRONG_CURRENCY,
        Rejection.GAME: Reason.GAME_INVALID,
        Rejection.PRECISION: Reason.WRONG_TYPE,
        Rejection.AMOUNT_RANGE: Reason.WRONG_TYPE,
        Rejection.TARGET_UNKNOWN: Reason.REF_NOT_FOUND,
        Rejection.TARGET_FOREIGN: Reason.TX_CONFLICT,
        Rejection.TARGET_KIND: Reason.TX_CONFLICT,
        Rejection.TARGET_SETTLED: Reason.TX_CONFLICT,
        Rejection.TARGET_REFUNDED: Reason.REF_ROLLED_BACK,
        Rejection.ALREADY_CLAIMED: Reason.REWARD_ALREADY_PAID,
        Rejection.TARGET_EXPIRED: Reason.REF_NOT_FOUND,
        # A bonus that was cancelled, or is somebody else's, is none that this player can be paid.
        Rejection.CAMPAIGN: Reason.REF_NOT_FOUND,
        # The wire has no price and no belief, so nothing is refused for these two.
        Rejection.PRICE: Reason.WRONG_TYPE,
        Rejection.OUT_OF_SYNC: Reason.TX_CONFLICT,
        Rejection.STAKE_LIMIT: Reason.LIMIT_REACHED,
        Rejection.LOSS_LIMIT: Reason.LIMIT_REACHED,
        Rejection.TIME_LIMIT: Reason.LIMIT_REACHED,
        Rejection.FUNDS: Reason.INSUFFICIENT_FUNDS,
        Rejection.RATE: Reason.LIMIT_REACHED,
        Rejection.BUSY: Reason.BUSY,
        Rejection.UNAVAILABLE: Reason.INTERNAL,
        Rejection.FAULT: Reason.INTERNAL,
        Rejection.OVERDUE: Reason.INTERNAL,
    },
)


class Because(Rejected, frozen=True, kw_only=True, gc=False):
    """A refusal before the ledger, with the reason that `Rejection` does not tell apart."""

    reason: Reason


class Declined(Refused):
    """A request is refused for that reason."""

    def __init__(
        self,
        why: Rejection,
        reason: Reason,
        detail: str,
        *,
        field: str | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(why, detail, field=field, key=key)
        self.rejected = Because(why=why, reason=reason, detail=detail, field=field, key=key)


def reason_of(rejected: Rejected) -> Reason:
    """The reason of a refusal, whoever refused."""
    return rejected.reason if isinstance(rejected, Because) else REASONS[rejected.why]
