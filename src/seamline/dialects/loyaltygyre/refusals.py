"""Refusals in the words of our contract: a reason code, a status, and what the player may read.

LoyaltyGyre takes anything but 200 with `allow` for a refusal, and the action does not go on
("Authorizing Purchases"). Whether it repeats a call is not documented.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from seamline.dialects.dialect import Reply, total
from seamline.dialects.loyaltygyre import templates
from seamline.dialects.loyaltygyre.fields import TOLD
from seamline.dialects.loyaltygyre.ids import request_id_of
from seamline.dialects.loyaltygyre.mapping import BODY, MISSING
from seamline.dialects.loyaltygyre.options import Options, Template
from seamline.dialects.messages import MESSAGES, message
from seamline.wallet import Integration, Rejected, Rejection


class Refusal(msgspec.Struct, frozen=True):
    """What is answered; `http` is None for a plain denial, `text` may be read by the player."""

    code: str
    text: str | None = None
    http: int | None = None


_NOT_YOURS = "This action is not available for your account."
_NOT_ELIGIBLE = "You are not eligible for this reward."
_NOT_HERE = "This item is not available now."
_LIMIT = "You reached the limit. Try again later."
_HANDLED = "This action was already handled."
_NOT_DONE = "This action could not be completed."
_LATER = "Please try again later."
_UNREADABLE = Refusal("INVALID_FIELD", http=400)
_AWAY = Refusal("TEMPORARILY_UNAVAILABLE", _LATER, 503)

REFUSALS = total(
    Rejection,
    {
        Rejection.CALL_UNKNOWN: Refusal("UNSUPPORTED_ACTION", _NOT_DONE),
        Rejection.METHOD: Refusal("UNSUPPORTED_ACTION", _NOT_DONE, 405),
        Rejection.TOO_LARGE: Refusal("INVALID_FIELD", http=413),
        Rejection.SIGNATURE: Refusal("UNAUTHORIZED", http=401),
        Rejection.STALE: Refusal("STALE_REQUEST", "Please try again."),
        Rejection.ADDRESS: Refusal("FORBIDDEN", http=403),
        Rejection.MALFORMED: _UNREADABLE,
        Rejection.DUPLICATE_CHANGED: Refusal("DUPLICATE_CONFLICT", _NOT_DONE, 409),
        Rejection.REFUNDED_BEFORE: Refusal("ALREADY_CANCELLED", _HANDLED),
        Rejection.SESSION_UNKNOWN: Refusal("PLAYER_NOT_FOUND", "We could not find your account."),
        Rejection.PLAYER_UNKNOWN: Refusal("PLAYER_NOT_FOUND", "We could not find your account."),
        Rejection.SESSION_CLOSED: Refusal("NOT_ELIGIBLE", _NOT_ELIGIBLE),
        Rejection.SESSION_EXPIRED: Refusal("NOT_ELIGIBLE", _NOT_ELIGIBLE),
        # One text for all three: why is between the player and the casino.
        Rejection.PLAYER_BLOCKED: Refusal("PLAYER_BANNED", _NOT_YOURS),
        Rejection.PLAYER_SELF_EXCLUDED: Refusal("PLAYER_SELF_EXCLUDED", _NOT_YOURS),
        Rejection.PLAYER_CLOSED: Refusal("PLAYER_INACTIVE", _NOT_YOURS),
        Rejection.CURRENCY: _UNREADABLE,
        Rejection.GAME: Refusal("BOX_UNAVAILABLE", _NOT_HERE),
        Rejection.PRECISION: _UNREADABLE,
        Rejection.AMOUNT_RANGE: _UNREADABLE,
        Rejection.TARGET_UNKNOWN: Refusal("UNSUPPORTED_ACTION", _NOT_DONE),
        Rejection.TARGET_FOREIGN: Refusal("UNSUPPORTED_ACTION", _NOT_DONE),
        Rejection.TARGET_KIND: Refusal("UNSUPPORTED_ACTION", _NOT_DONE),
        Rejection.TARGET_SETTLED: Refusal("ALREADY_CANCELLED", _HANDLED),
        Rejection.TARGET_REFUNDED: Refusal("ALREADY_CANCELLED", _HANDLED),
        Rejection.ALREADY_CLAIMED: Refusal("ALREADY_CASHED_BACK", _HANDLED),
        Rejection.TARGET_EXPIRED: Refusal("TOO_LATE", _HANDLED),
        Rejection.CAMPAIGN: Refusal("NOT_ELIGIBLE", _NOT_ELIGIBLE),
        Rejection.PRICE: Refusal("PRICE_MISMATCH", "The price has changed. Please reload."),
        Rejection.OUT_OF_SYNC: Refusal("BALANCE_OUT_OF_SYNC", "Please reload the page."),
        Rejection.STAKE_LIMIT: Refusal("LIMIT_EXCEEDED", _LIMIT),
        Rejection.LOSS_LIMIT: Refusal("LIMIT_EXCEEDED", _LIMIT),
        Rejection.TIME_LIMIT: Refusal("LIMIT_EXCEEDED", _LIMIT),
        Rejection.FUNDS: Refusal(
            "INSUFFICIENT_BALANCE", "You do not have enough credits for this."
        ),
        Rejection.RATE: Refusal("RATE_LIMITED", "Please wait a moment.", 429),
        Rejection.BUSY: _AWAY,
        Rejection.UNAVAILABLE: _AWAY,
        Rejection.FAULT: _AWAY,
        Rejection.OVERDUE: _AWAY,
    },
)

#: Codes that the same request may leave behind: nothing of them is stored.
RETRYABLE = frozenset({"TEMPORARILY_UNAVAILABLE", "RATE_LIMITED"})
_USUAL = Template()
#: What only an allowing reply tells.
_NOTHING_TOLD: Mapping[str, bool | str | None] = dict.fromkeys(TOLD)
_JSON = ((b"content-type", b"application/json"),)
encode = msgspec.json.Encoder().encode


def refuse(rejected: Rejected, call: str | None, integration: Integration[Options]) -> Reply:
    """The refusal of a call, or of a path that is none, in the words that the settings have."""
    return denied(rejected, call, integration, request_id=request_id_of(rejected.key))


def denied(
    rejected: Rejected,
    call: str | None,
    integration: Integration[Options],
    *,
    request_id: str | None,
    row: Refusal | None = None,
) -> Reply:
    """The same, about that request, with another *row* of the table where one is given."""
    options = integration.options
    row = row or _row(rejected, call)
    plan = options.plans.get(call or "authorize") or options.plans["authorize"]
    balance = rejected.balance
    values: dict[str, bool | str | None] = {
        **_NOTHING_TOLD,
        "decision": "deny",
        "request_id": request_id,
        "reason_code": row.code,
        "message": _message(rejected, row, options),
        "retryable": row.code in RETRYABLE,
        "balance": templates.credits_text(balance, options.credit_decimals) if balance else None,
    }
    own = plan.deny.by_code.get(row.code, _USUAL)
    fill = plan.fill_deny if own.body is None else templates.compiled(own.body, plan.places)
    status = own.http or row.http or plan.deny.http or options.deny_http
    return Reply(status, encode(fill(values)), _JSON)


def _row(rejected: Rejected, call: str | None) -> Refusal:
    row = REFUSALS[rejected.why]
    if rejected.why is Rejection.MALFORMED:
        if rejected.field == BODY:
            return Refusal("MALFORMED_JSON", http=400)
        return Refusal("MISSING_FIELD", http=400) if rejected.detail == MISSING else row
    if rejected.why is Rejection.CALL_UNKNOWN and call is None:
        return Refusal(row.code, row.text, 404)
    return row


def _message(rejected: Rejected, row: Refusal, options: Options) -> str | None:
    """What the player may read: the operator's text, the vendor page's, or ours in the language."""
    language = (rejected.language or "en").lower()
    for name in (language, language[:2]):
        own = options.messages.get(name, {}).get(row.code)
        if own is not None:
            return own
        if row.text is not None and name in MESSAGES and name != "en":
            return message(rejected)
    return row.text and options.messages.get("en", {}).get(row.code, row.text)
