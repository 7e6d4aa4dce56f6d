"""The vendor's end of the callbacks: what LoyaltyGyre would send by our contract, and conclude."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from seamline.dialects.dialect import Failure, Items, Judgement, Malformed, Reply, Request
from seamline.dialects.loyaltygyre import mapping, templates
from seamline.dialects.loyaltygyre.ids import authorization, parted
from seamline.dialects.loyaltygyre.options import Options
from seamline.dialects.loyaltygyre.signature import sign
from seamline.dialects.signing import BadJson, parsed
from seamline.money import BadQuantity, Quantity
from seamline.wallet import Command, Integration, Kind, Verdict

Say = Callable[[Command], dict[str, str | None]]


def compose(
    call: str, kind: Kind, say: Say
) -> Callable[[Items, Integration[Options], int], Request]:
    """How a call of that kind is composed; *say* gives its fields."""

    def composed(items: Items, integration: Integration[Options], at_ms: int) -> Request:
        """The request with its fields where the settings read them, authenticated."""
        command = items[0] if len(items) == 1 else None
        if not isinstance(command, Command) or command.kind is not kind:
            raise Malformed(f"expected one command, a {kind}", field="kind")
        plan = integration.options.plans[call]
        if "currency" not in plan.readings and command.currency != integration.options.currency:
            raise Malformed(f"expected {integration.options.currency}", field="currency")
        draft = mapping.Draft(body={}, query={}, headers=[], path={})
        for name, text in say(command).items():
            if text is None or name not in plan.readings:
                continue
            mapping.put(draft, plan.readings[name], _sayable(text, name))
        request = mapping.drafted(draft, plan.method, plan.path, form=plan.form)
        return sign(replace(request, at_ms=at_ms), integration)

    return composed


def _sayable(text: str, field: str) -> str:
    """Text that UTF-8 can carry."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Malformed("expected text that UTF-8 can carry", field=field) from error
    return text


def say_authorize(command: Command) -> dict[str, str | None]:
    """The fields of an authorization, the price among them."""
    if command.amount is None:
        raise Malformed("expected an amount", field="amount")
    return {
        "request_id": _name(command.key, "authorize"),
        "action": command.feature,
        "player_id": command.player,
        "box_id": command.game,
        "prize_id": command.reference,
        "amount": _decimal(command.amount),
        "balance": _decimal(command.believed),
    }


def say_cancel(command: Command) -> dict[str, str | None]:
    """The fields of a cancellation."""
    target = command.target or ""
    without_id = target.startswith("window/")
    return {
        "request_id": _name(command.key, "cancel"),
        "authorize_request_id": None if without_id else _name(target, "authorize"),
        "authorization_id": authorization(target) if without_id else None,
        "player_id": command.player,
    }


def say_cashback(command: Command) -> dict[str, str | None]:
    """The fields of a cashback."""
    if command.amount is None or not command.amount.coefficient:
        raise Malformed("expected an amount above zero", field="amount")
    prize, instance = parted(command.reference)
    return {
        "request_id": _name(command.key, "cashback"),
        "player_id": command.player,
        "prize_id": prize,
        "prize_instance_id": instance,
        "amount": _decimal(command.amount),
        "currency": command.currency,
    }


def say_shipment(command: Command) -> dict[str, str | None]:
    """The fields of a shipment notice; an address is nothing that a command holds."""
    prize, order = parted(command.reference)
    return {
        "request_id": _name(command.key, "shipment"),
        "player_id": command.player,
        "prize_id": prize,
        "order_id": order,
    }


def say_balance(command: Command) -> dict[str, str | None]:
    """The field of a balance call."""
    return {"player_id": command.player}


def _name(key: str | None, kind: str) -> str | None:
    """The vendor's id within a key of that kind."""
    found, slash, name = (key or "").partition("/")
    if not slash or found != kind:
        raise Malformed(f"expected a key that begins with {kind}/", field="key")
    return name


def _decimal(amount: Quantity | None) -> str | None:
    return str(amount) if amount is not None else None


def judge(call: str) -> Callable[[Reply | Failure, Integration[Options]], Judgement]:
    """How a reply to that call is judged: allowed by its template, denied, or nobody knows."""

    def judged(reply: Reply | Failure, integration: Integration[Options]) -> Judgement:
        """Done for what allows; a 5xx, 429 or silence leaves it open whether it was done."""
        if isinstance(reply, Failure):
            return Judgement(verdict=Verdict.UNKNOWN, message=f"no answer: {reply.value}")
        plan = integration.options.plans[call]
        if reply.status >= 500 or reply.status == 429:
            return Judgement(verdict=Verdict.UNKNOWN, message=f"{reply.status}")
        try:
            body = parsed(reply.body)
        except BadJson as error:
            verdict = Verdict.REFUSED if 400 <= reply.status < 500 else Verdict.UNKNOWN
            return Judgement(verdict=verdict, message=f"{reply.status}: {error.detail}")
        told = templates.match(plan.allow.body, body, plan.places)
        usual = (200, 202) if call == "shipment" else (200,)
        expected = (plan.allow.http,) if plan.allow.http is not None else usual
        if told is not None and reply.status in expected and _allows(told):
            return Judgement(
                verdict=Verdict.DONE,
                balance=_quantity(told.get("balance")),
                transaction=_text(told.get("authorization_id") or told.get("shipment_id")),
            )
        denied = templates.match(plan.deny.body, body, plan.places) or {}
        return Judgement(
            verdict=Verdict.REFUSED if reply.status >= 400 or denied else Verdict.UNKNOWN,
            message=_text(denied.get("message")) or "",
            balance=_quantity(denied.get("balance")),
            code=_text(denied.get("reason_code")),
        )

    return judged


def _allows(told: dict[str, object]) -> bool:
    """Whether what was told is a consent, where the template tells it in words."""
    received = told.get("received", True)
    return told.get("decision", "allow") == "allow" and received is True


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _quantity(value: object) -> Quantity | None:
    if not isinstance(value, str):
        return None
    try:
        return Quantity.parse(value)
    except BadQuantity:
        return None
