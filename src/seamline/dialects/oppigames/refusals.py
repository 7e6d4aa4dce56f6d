"""Refusals in the vendor's words: a code, what is repeated of the request, and a few words.

Every answer is HTTP 200 unless `http_status_mode` says otherwise: the vendor tells its codes, not
its statuses, and judges by the code.
"""

from __future__ import annotations

from seamline.dialects.dialect import Reply
from seamline.dialects.messages import message
from seamline.dialects.oppigames import wire
from seamline.dialects.oppigames.options import Options
from seamline.dialects.oppigames.reasons import CODES, Reason, reason_of
from seamline.wallet import Integration, Rejected, Rejection

#: Their details speak of the request alone; those of the rest may speak of the casino's inside.
_ABOUT_THE_REQUEST = frozenset(
    {
        Rejection.CALL_UNKNOWN,
        Rejection.METHOD,
        Rejection.TOO_LARGE,
        Rejection.SIGNATURE,
        Rejection.STALE,
        Rejection.MALFORMED,
    }
)
_MAX_MESSAGE = 300


def refuse(
    rejected: Rejected,
    call: str | None,
    integration: Integration[Options],
    *,
    key: str | None = None,
) -> Reply:
    """The refusal; *key* is repeated as the transaction's id, in a balance call the session's."""
    options = integration.options
    repeated = key or rejected.key or None
    is_balance = call == "balance"
    balance = rejected.balance
    body = wire.Error(
        status=code_of(rejected, options),
        transaction_id=None if is_balance else repeated,
        session_id=repeated if is_balance else None,
        balance=wire.told(balance) if balance is not None else None,
        message=_message(rejected) if options.include_error_message else None,
    )
    row = CODES[reason_of(rejected)]
    fitting = row.transport or options.http_status_mode == "semantic"
    return Reply(row.http if fitting else 200, wire.encode(body))


def code_of(rejected: Rejected, options: Options) -> str:
    """The code of a refusal: as the settings say, else as the profile does."""
    reason: Reason = reason_of(rejected)
    chosen = options.status_codes.get(reason.value)
    if chosen is not None:
        return chosen
    row = CODES[reason]
    return row.extended if options.status_profile == "extended" else row.documented


def _message(rejected: Rejected) -> str:
    """Short and English: where the request is at fault, or what a player may read."""
    if rejected.why not in _ABOUT_THE_REQUEST:
        return message(Rejected(why=rejected.why))
    place = f"{rejected.field}: " if rejected.field else ""
    said = f"{place}{rejected.detail}" or rejected.why.meaning
    return said.encode(errors="replace").decode()[:_MAX_MESSAGE]
