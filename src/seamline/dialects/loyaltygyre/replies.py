"""The wallet's end of the callbacks: their replies, written by the templates of the settings."""

from __future__ import annotations

from collections.abc import Mapping

from seamline.dialects.dialect import Items, Reply
from seamline.dialects.loyaltygyre import refusals, templates
from seamline.dialects.loyaltygyre.ids import SHIPMENT, authorization, ours, request_id_of
from seamline.dialects.loyaltygyre.options import Options
from seamline.dialects.loyaltygyre.refusals import Refusal
from seamline.wallet import (
    Applied,
    Command,
    Integration,
    Outcome,
    Rejected,
    Rejection,
    Replayed,
)

_JSON = ((b"content-type", b"application/json"),)


def write_authorize(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Allow, with what was debited; or deny. A repeat of what was allowed reads the same."""
    command, outcome = items[0], outcomes[0]
    if not isinstance(command, Command) or isinstance(outcome, Rejected):
        return _denied("authorize", command, outcome, integration)
    told = {
        "authorization_id": authorization(command.key or ""),
        "debited": _moved(command, outcome, integration),
    }
    return _allowed("authorize", command, outcome, integration, told)


def write_cancel(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Allow whatever leaves nothing to undo: an unknown request will be denied when it comes."""
    command, outcome = items[0], outcomes[0]
    if not isinstance(command, Command) or isinstance(outcome, Rejected):
        return _denied("cancel", command, outcome, integration)
    return _allowed("cancel", command, outcome, integration, {})


def write_cashback(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Allow, with what was credited; or deny."""
    command, outcome = items[0], outcomes[0]
    if not isinstance(command, Command) or isinstance(outcome, Rejected):
        return _denied("cashback", command, outcome, integration)
    told = {"credited": _moved(command, outcome, integration)}
    return _allowed("cashback", command, outcome, integration, told)


def write_shipment(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """202 says that it was noted, not that anything may be sent; 200 that it was before."""
    command, outcome = items[0], outcomes[0]
    if not isinstance(command, Command) or isinstance(outcome, Rejected):
        return _denied("shipment", command, outcome, integration)
    told: dict[str, bool | str | None] = {
        "received": True,
        "shipment_id": ours(request_id_of(command.key) or "", SHIPMENT),
        "status": "pending_confirmation",
    }
    return _allowed("shipment", command, outcome, integration, told)


def write_balance(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """The player's credits."""
    command, outcome = items[0], outcomes[0]
    if not isinstance(command, Command) or isinstance(outcome, Rejected):
        return _denied("balance", command, outcome, integration)
    told = {"player_id": command.player, "currency": outcome.balance.currency.code}
    return _allowed("balance", command, outcome, integration, told)


def _allowed(
    call: str,
    command: Command,
    outcome: Applied | Replayed,
    integration: Integration[Options],
    told: Mapping[str, bool | str | None],
) -> Reply:
    """The reply to what was done, by its template."""
    options = integration.options
    plan = options.plans[call]
    values: dict[str, bool | str | None] = {
        "decision": "allow",
        "request_id": request_id_of(command.key),
        "reason_code": "OK",
        "message": None,
        "retryable": False,
        "balance": templates.credits_text(outcome.balance, options.credit_decimals),
        **told,
    }
    new = call == "shipment" and isinstance(outcome, Applied)
    status = plan.allow.http or (202 if new else 200)
    return Reply(status, refusals.encode(plan.fill_allow(values)), _JSON)


def _denied(
    call: str, command: Command | Rejected, outcome: Outcome, integration: Integration[Options]
) -> Reply:
    """The reply to what was refused."""
    rejected = outcome if isinstance(outcome, Rejected) else command
    if not isinstance(rejected, Rejected) or not isinstance(command, Command):
        return refusals.refuse(Rejected(why=Rejection.FAULT), call, integration)
    prize = rejected.why is Rejection.GAME and command.game is None
    return refusals.denied(
        rejected,
        call,
        integration,
        request_id=request_id_of(command.key),
        row=_PRIZE_UNAVAILABLE if prize else None,
    )


_PRIZE_UNAVAILABLE = Refusal("PRIZE_UNAVAILABLE", refusals.REFUSALS[Rejection.GAME].text)


def _moved(command: Command, outcome: Applied | Replayed, integration: Integration[Options]) -> str:
    """What was moved when the command was done for the first time."""
    if outcome.moved is not None:
        return templates.credits_text(outcome.moved, integration.options.credit_decimals)
    return str(command.amount.shortest()) if command.amount is not None else "0"
