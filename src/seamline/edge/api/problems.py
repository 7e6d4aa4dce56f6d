"""What can go wrong, as RFC 9457 problems: one code each, one table, one way to say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

import msgspec

from seamline.dialects.dialect import total
from seamline.wallet import Rejected, Rejection

#: Where a problem's code is explained; the code is the last part of its `type`.
BASE = "/v1/problems/"

#: Seconds after which a caller may try again when the gateway is busy or cannot write.
RETRY_AFTER_S = 1

Headers = Sequence[tuple[bytes, bytes]]


class Code(Enum):
    """A problem's code: the HTTP status it usually has, and what it means."""

    MALFORMED = (400, "A value is missing, of the wrong type or not readable")
    UNAUTHORIZED = (401, "An API key is needed")
    NOT_FOUND = (404, "There is nothing at this path")
    BRAND_UNKNOWN = (404, "There is no such brand in the settings")
    INTEGRATION_UNKNOWN = (404, "There is no such integration in the settings")
    PLAYER_UNKNOWN = (404, "The brand has no such player")
    SESSION_UNKNOWN = (404, "The integration has no such session")
    ROUND_UNKNOWN = (404, "The integration has no such round")
    ALERT_UNKNOWN = (404, "There is no such alert")
    TARGET_UNKNOWN = (404, "The transaction referred to is not known")
    METHOD_NOT_ALLOWED = (405, "The path exists, but not with this method")
    INSUFFICIENT_FUNDS = (409, "The balance is smaller than the amount")
    DUPLICATE_CHANGED = (409, "The id is known with other content")
    PLAYER_CHANGED = (409, "The player exists with other content")
    PLAYER_BLOCKED = (409, "The player is blocked")
    PLAYER_SELF_EXCLUDED = (409, "The player has excluded themselves")
    PLAYER_CLOSED = (409, "The player's account is closed")
    SESSION_CHANGED = (409, "The session exists with other content")
    SESSION_OVER = (409, "The session is closed or has expired")
    OPERATION_REPEATED = (409, "This operation was asked for before; the vendor is not asked again")
    CONFLICT = (409, "The state of the ledger does not allow this")
    LIMIT_REACHED = (409, "A limit of the player or the brand does not allow this")
    TOO_LARGE = (413, "The body is larger than the gateway reads")
    CURRENCY_UNKNOWN = (422, "The brand does not have this currency")
    PRECISION = (422, "The amount has more decimals than the currency's ledger scale")
    AMOUNT_RANGE = (422, "The amount, or the balance after it, is out of range")
    VENDOR_REFUSED = (422, "The vendor refuses what was asked")
    TOO_OFTEN = (429, "The same was asked for too often within a second")
    FAULT = (500, "The gateway failed")
    NOT_OFFERED = (501, "The vendor's protocol has no such call")
    VENDOR_UNREACHABLE = (502, "The vendor could not be reached")
    BUSY = (503, "The gateway's queue is full")
    UNAVAILABLE = (503, "The store cannot be used just now")
    VENDOR_TIMEOUT = (504, "The vendor did not answer in time")
    OUTCOME_UNKNOWN = (504, "It is not known whether this was done; what was reserved is kept")

    def __init__(self, status: int, title: str) -> None:
        self.status = status
        self.title = title

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status it may have: some may also be the vendor's own trouble."""
        troubled = self in (Code.VENDOR_REFUSED, Code.OUTCOME_UNKNOWN)
        return (self.status, 502) if troubled else (self.status,)

    @property
    def slug(self) -> str:
        """The code as the wire has it."""
        return self.name.lower()


class ProblemDetails(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"kind": "type"}
):
    """An error, as RFC 9457 has it. `code` is the last part of `type` and never changes."""

    kind: str
    code: str
    title: str
    status: int
    detail: str
    #: What of the request is meant: a member such as `limits.session_minutes`, or a parameter.
    field: str | None = None
    #: Under which the gateway's log tells more.
    request_id: str | None = None
    #: The balance that was found, where one was.
    balance: str | None = None
    #: The session that was opened before the vendor was asked.
    session_id: str | None = None
    #: The vendor's own words.
    vendor_status: int | None = None
    vendor_code: str | None = None
    vendor_message: str | None = None
    #: What was recorded for an operation that has money in it.
    transaction: str | None = None
    #: What became of an operation that was asked for before: `done`, `unknown`, `returned` or
    #: `asking`; and what the vendor had answered, as JSON text.
    outcome: str | None = None
    answer: str | None = None


class Problem(Exception):
    """The request ends here, with this problem; *more* are further members of `ProblemDetails`."""

    def __init__(
        self,
        code: Code,
        detail: str = "",
        *,
        field: str | None = None,
        status: int | None = None,
        headers: Headers = (),
        **more: str | int | None,
    ) -> None:
        super().__init__(code, detail, field)
        self.code = code
        self.status = status or code.status
        self.headers = headers
        if self.status in (429, 503):
            self.headers = (*headers, (b"retry-after", str(RETRY_AFTER_S).encode()))
        self._members = {"detail": detail or code.title, "field": field, **more}

    def tell(self, **more: str | int | None) -> None:
        """Add members of `ProblemDetails`."""
        self._members |= more

    def details(self, request_id: str | None) -> ProblemDetails:
        """The body of the reply."""
        members = {
            "type": BASE + self.code.slug,
            "code": self.code.slug,
            "title": self.code.title,
            "status": self.status,
            "request_id": request_id,
            **self._members,
        }
        return msgspec.convert(members, ProblemDetails)


class ProblemMeaning(msgspec.Struct, frozen=True, kw_only=True):
    """What a problem's code means."""

    code: str
    status: int
    title: str


#: What the ledger's refusals are to the operator. A vendor's refusals cannot come to the cashier;
#: should one come all the same, the operator is told the truth.
REFUSALS: Mapping[Rejection, Code] = total(
    Rejection,
    {
        Rejection.CALL_UNKNOWN: Code.NOT_FOUND,
        Rejection.METHOD: Code.METHOD_NOT_ALLOWED,
        Rejection.TOO_LARGE: Code.TOO_LARGE,
        Rejection.SIGNATURE: Code.UNAUTHORIZED,
        Rejection.STALE: Code.UNAUTHORIZED,
        Rejection.ADDRESS: Code.UNAUTHORIZED,
        Rejection.MALFORMED: Code.MALFORMED,
        Rejection.DUPLICATE_CHANGED: Code.DUPLICATE_CHANGED,
        Rejection.REFUNDED_BEFORE: Code.CONFLICT,
        Rejection.SESSION_UNKNOWN: Code.SESSION_UNKNOWN,
        Rejection.PLAYER_UNKNOWN: Code.PLAYER_UNKNOWN,
        Rejection.SESSION_CLOSED: Code.SESSION_OVER,
        Rejection.SESSION_EXPIRED: Code.SESSION_OVER,
        Rejection.PLAYER_BLOCKED: Code.PLAYER_BLOCKED,
        Rejection.PLAYER_SELF_EXCLUDED: Code.PLAYER_SELF_EXCLUDED,
        Rejection.PLAYER_CLOSED: Code.PLAYER_CLOSED,
        Rejection.CURRENCY: Code.CURRENCY_UNKNOWN,
        Rejection.GAME: Code.CONFLICT,
        Rejection.PRECISION: Code.PRECISION,
        Rejection.AMOUNT_RANGE: Code.AMOUNT_RANGE,
        Rejection.TARGET_UNKNOWN: Code.TARGET_UNKNOWN,
        Rejection.TARGET_FOREIGN: Code.CONFLICT,
        Rejection.TARGET_KIND: Code.CONFLICT,
        Rejection.TARGET_SETTLED: Code.CONFLICT,
        Rejection.TARGET_REFUNDED: Code.CONFLICT,
        Rejection.ALREADY_CLAIMED: Code.CONFLICT,
        Rejection.TARGET_EXPIRED: Code.CONFLICT,
        Rejection.CAMPAIGN: Code.CONFLICT,
        Rejection.PRICE: Code.CONFLICT,
        Rejection.OUT_OF_SYNC: Code.CONFLICT,
        Rejection.STAKE_LIMIT: Code.LIMIT_REACHED,
        Rejection.LOSS_LIMIT: Code.LIMIT_REACHED,
        Rejection.TIME_LIMIT: Code.LIMIT_REACHED,
        Rejection.FUNDS: Code.INSUFFICIENT_FUNDS,
        Rejection.RATE: Code.BUSY,
        Rejection.BUSY: Code.BUSY,
        Rejection.UNAVAILABLE: Code.UNAVAILABLE,
        Rejection.FAULT: Code.FAULT,
        Rejection.OVERDUE: Code.OUTCOME_UNKNOWN,
    },
)


def refusal(rejected: Rejected) -> Problem:
    """A refusal of the ledger as a problem, with the balance where there is one."""
    return Problem(
        REFUSALS[rejected.why],
        rejected.detail,
        field=rejected.field,
        balance=str(rejected.balance) if rejected.balance is not None else None,
    )


def meaning(code: Code) -> ProblemMeaning:
    """What a code means, for whoever follows a problem's `type`."""
    return ProblemMeaning(code=code.slug, status=code.status, title=code.title)
