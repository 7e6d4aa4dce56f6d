"""LoyaltyGyre: the casino's end of its callbacks, its iframe and its API. See the README here."""

from __future__ import annotations

from collections.abc import Mapping

from seamline.dialects.dialect import Call, Dialect, Refused, Request
from seamline.dialects.loyaltygyre import adapter, mapping, replies, sender
from seamline.dialects.loyaltygyre.api import STUDIO
from seamline.dialects.loyaltygyre.options import KEY_HEADERS, Options, sandbox, session_ms
from seamline.dialects.loyaltygyre.redaction import redact
from seamline.dialects.loyaltygyre.refusals import refuse
from seamline.dialects.loyaltygyre.signature import HEADER, sign, trials, verify
from seamline.wallet import HOUR_MS, Integration, Kind, Policy, Rejection

CALLS = (
    Call(
        name="authorize",
        method="POST",
        path="/authorize",
        read=adapter.read_authorize,
        write=replies.write_authorize,
        compose=sender.compose("authorize", Kind.BET, sender.say_authorize),
        judge=sender.judge("authorize"),
    ),
    Call(
        name="cancel",
        method="POST",
        path="/cancel",
        read=adapter.read_cancel,
        write=replies.write_cancel,
        compose=sender.compose("cancel", Kind.REFUND, sender.say_cancel),
        judge=sender.judge("cancel"),
    ),
    Call(
        name="cashback",
        method="POST",
        path="/cashback",
        read=adapter.read_cashback,
        write=replies.write_cashback,
        compose=sender.compose("cashback", Kind.REWARD, sender.say_cashback),
        judge=sender.judge("cashback"),
    ),
    Call(
        name="shipment",
        method="POST",
        path="/shipment",
        read=adapter.read_shipment,
        write=replies.write_shipment,
        compose=sender.compose("shipment", Kind.NOTICE, sender.say_shipment),
        judge=sender.judge("shipment"),
    ),
    Call(
        name="balance",
        method="POST",
        path="/balance",
        read=adapter.read_balance,
        write=replies.write_balance,
        compose=sender.compose("balance", Kind.BALANCE, sender.say_balance),
        judge=sender.judge("balance"),
    ),
)


def policy(options: Options) -> Policy:
    """To allow is to debit; a denial stays one under its id, and what nobody heard is undone."""
    count, seconds = options.rate_per_player
    return Policy(
        fingerprint=("kind", "player", "currency", "game", "target", "feature", "reference"),
        replayed_balance="stored",
        refunded_bet_again="reject",
        remembered_refusals=frozenset({Kind.BET}),
        reversible=frozenset({Kind.BET}),
        refund_within_ms=options.cancel_window_h * HOUR_MS,
        second_claim="reject",
        disbelief="reject" if options.on_balance_mismatch == "deny" else "alert",
        shown_decimals=options.credit_decimals,
        overdue_bet="undo",
        pace=(count, seconds * 1000) if count else None,
    )


def routes(options: Options) -> Mapping[str, tuple[str, str]]:
    """Method and path of each call, as the settings have them."""
    return {name: (plan.method, plan.path) for name, plan in options.plans.items()}


def which(request: Request, integration: Integration[Options]) -> str:
    """The call that a request is, of those that come in at its place."""
    there = [
        (name, plan)
        for name, plan in integration.options.plans.items()
        if plan.method == request.method and mapping.leads(plan.path, request.path)
    ]
    if not there:
        return "authorize"
    if len(there) == 1:
        return there[0][0]
    for name, plan in there:
        if plan.only is not None:
            parts = mapping.opened(request, plan.path, form=plan.form)
            if mapping.every(plan.only, parts) & set(plan.values):
                return name
    # Never the first of them for want of a better one: it may move money.
    raise Refused(Rejection.CALL_UNKNOWN, "expected a value that one of the calls here has")


def wants_catalogue(options: Options) -> bool:
    """Whether prices are looked up in the vendor's list of boxes."""
    by_catalogue = options.price_check or options.price_source == "catalogue"
    return by_catalogue or options.cashback_rate is not None


DIALECT = Dialect[Options](
    name="loyaltygyre",
    title="LoyaltyGyre",
    document="LoyaltyGyre documentation, pages as published in 2024.05",
    options=Options,
    sandbox=sandbox,
    policy=policy,
    session_ms=session_ms,
    calls=CALLS,
    verify=verify,
    sign=sign,
    trials=trials,
    signature_header=HEADER,
    refuse=refuse,
    secret_headers=frozenset({HEADER, b"authorization", *(name.encode() for name in KEY_HEADERS)}),
    which=which,
    routes=routes,
    redact=redact,
    currencies=lambda options: (options.currency,),
    wants_catalogue=wants_catalogue,
    studio=STUDIO,
)
