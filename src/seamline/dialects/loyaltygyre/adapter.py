"""The wallet's end of the callbacks: their requests, read.

There is one call per purchase and no commit ("Workflow"), so to allow is to debit, unless the
casino does that itself (`settlement`). Keys are `kind/request id`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256

import msgspec

from seamline.dialects.dialect import Items, Malformed, Refused, Request
from seamline.dialects.loyaltygyre import mapping, prices
from seamline.dialects.loyaltygyre.fields import ACTIONS
from seamline.dialects.loyaltygyre.ids import authorized, paired
from seamline.dialects.loyaltygyre.options import Options, Plan
from seamline.money import Quantity
from seamline.wallet import Command, Integration, Kind, Rejection

#: How old a request may be that says when it was made.
STALE_MS = 300_000
#: Requests without an id that are alike within one of these spans are one.
BUCKET_MS = 5_000

#: What has the price of a box; a prize that is claimed costs nothing unless it says so.
_PRICED = frozenset({"open_box", "purchase"})


class Asked:
    """One request, read field by field."""

    def __init__(self, call: str, request: Request, integration: Integration[Options]) -> None:
        self.call, self.integration = call, integration
        self.options = integration.options
        self.plan: Plan = self.options.plans[call]
        self.parts = mapping.opened(request, self.plan.path, form=self.plan.form)
        self.at_ms = request.at_ms
        casino = self.text("casino_id")
        if casino is not None and casino != self.options.casino_id:
            raise Refused(Rejection.ADDRESS, "another casino's id", field="casino_id")

    def value(self, name: str) -> mapping.Value | None:
        """The field of that name, or None where it is not there."""
        reading = self.plan.readings.get(name)
        return mapping.value(reading, self.parts) if reading is not None else None

    def text(self, name: str) -> str | None:
        """A field that is a text."""
        found = self.value(name)
        return found if isinstance(found, str) else None

    def needed(self, name: str) -> str:
        """A text that must be there."""
        found = self.text(name)
        if found is None:
            raise Malformed(mapping.MISSING, field=name)
        return found

    def quantity(self, name: str) -> Quantity | None:
        """A field that is a decimal."""
        found = self.value(name)
        return found if isinstance(found, Quantity) else None

    def credits(self, name: str) -> Quantity | None:
        """An amount of credits, with no more decimals than they have."""
        found = self.quantity(name)
        if found is None:
            return None
        if found.shortest().places > self.options.credit_decimals:
            detail = f"expected at most {self.options.credit_decimals} decimals"
            raise Malformed(detail, field=name)
        return found

    def request_id(self) -> str | None:
        """The vendor's id of the request; wherever it stands, it must be the same."""
        reading = self.plan.readings.get("request_id")
        return mapping.one(reading, self.parts) if reading is not None else None

    def stale(self) -> bool:
        """Whether the request says that it was made too long ago."""
        made_ms = self.value("occurred_at")
        return isinstance(made_ms, int) and self.at_ms - made_ms > STALE_MS

    def command(self, kind: Kind, key: str | None, **facts: object) -> Command:
        """A command about the player, in credits."""
        return Command(
            kind=kind,
            integration=self.integration.name,
            key=key,
            player=self.needed("player_id"),
            **{"currency": self.options.currency} | facts,  # type: ignore[arg-type]
        )


def _reader(
    call: str, make: Callable[[Asked, str | None], Command]
) -> Callable[[Request, Integration[Options]], Items]:
    """How a call is read: *make* gives its command; a refusal names the request that it is of."""

    def read(request: Request, integration: Integration[Options]) -> Items:
        """One request into one command."""
        asked = Asked(call, request, integration)
        request_id = asked.request_id()
        try:
            return (make(asked, request_id),)
        except Refused as refused:
            said = refused.rejected
            key = f"{call}/{request_id}" if request_id is not None else None
            raise Refused(said.why, said.detail, field=said.field, key=key) from refused

    return read


def _authorized(asked: Asked, request_id: str | None) -> Command:
    """What a player wants to do; allowed, it is paid."""
    action = asked.needed("action")
    box, prize = asked.text("box_id"), asked.text("prize_id")
    objection = None if action in ACTIONS else Rejection.CALL_UNKNOWN
    if objection is None:
        _check_item(action, box, prize)
    amount = asked.credits("amount")
    priced = amount is None and action in _PRICED
    if priced:
        amount, objection = _priced(asked, box)
    elif objection is None and amount is not None and asked.options.price_check:
        objection = prices.problem(box, prize, amount, asked.integration)
    if asked.stale():
        objection = Rejection.STALE
    command = asked.command(
        Kind.BET,
        f"authorize/{request_id}" if request_id is not None else None,
        amount=amount or prices.NOTHING,
        game=box,
        reference=prize,
        feature=action,
        believed=asked.quantity("balance"),
        only_checked=asked.options.settlement == "check_only",
        priced=priced,
        objection=objection,
    )
    if request_id is None:
        return msgspec.structs.replace(command, key=_window_key(command, asked.at_ms))
    return command


def _check_item(action: str, box: str | None, prize: str | None) -> None:
    """Each action needs the thing that it is about."""
    if box is None and (action == "open_box" or (action == "purchase" and prize is None)):
        raise Malformed(mapping.MISSING, field="box_id")
    if prize is None and action == "claim_prize":
        raise Malformed(mapping.MISSING, field="prize_id")


def _priced(asked: Asked, box: str | None) -> tuple[Quantity, Rejection | None]:
    """The price of a request that tells none, which is the box's; or why it is not known."""
    if asked.options.price_source == "request" or box is None:
        raise Malformed(mapping.MISSING, field="amount")
    return prices.of_box(box, asked.integration)


def _window_key(command: Command, at_ms: int) -> str:
    """A key for a request without id: alike within five seconds of the clock is the same one."""
    facts = (command.player, command.feature, command.game, command.reference)
    amount = None if command.priced else str((command.amount or prices.NOTHING).shortest())
    over = json.dumps((*facts, amount, at_ms // BUCKET_MS)).encode()
    return f"window/{sha256(over).hexdigest()[:32]}"


def _undone(asked: Asked, request_id: str | None) -> Command:
    """An allowed action did not happen: its debit is undone."""
    return asked.command(Kind.REFUND, f"cancel/{request_id}", target=_cancelled(asked))


def _cancelled(asked: Asked) -> str:
    """The key of the request to undo, by its own id or by our authorization."""
    told, made = asked.text("authorize_request_id"), asked.text("authorization_id")
    if made is None:
        if told is None:
            raise Malformed(mapping.MISSING, field="authorize_request_id")
        return f"authorize/{told}"
    found = authorized(made)
    if found is None or (told is not None and found != f"authorize/{told}"):
        raise Malformed("expected the authorization_id of that request", field="authorization_id")
    return found


def _cashed(asked: Asked, request_id: str | None) -> Command:
    """A player gives a prize back for credits."""
    options = asked.options
    amount = asked.credits("amount")
    if amount is None or not amount.coefficient:
        raise Malformed("expected an amount above zero", field="amount")
    prize = paired(asked.needed("prize_id"), asked.text("prize_instance_id"))
    objection = None
    if options.cashback_max is not None and _above(amount, Quantity.parse(options.cashback_max)):
        objection = Rejection.STAKE_LIMIT
    return asked.command(
        Kind.REWARD,
        f"cashback/{request_id}",
        currency=asked.text("currency") or options.currency,
        amount=amount,
        reference=prize,
        feature="cashback",
        claim=f"cashback/{prize}" if options.cashback_dedupe == "player_prize" else None,
        objection=objection,
    )


def _above(amount: Quantity, largest: Quantity) -> bool:
    finest = max(amount.places, largest.places)
    return _units(amount, finest) > _units(largest, finest)


def _units(amount: Quantity, places: int) -> int:
    """The amount in whole units of that many decimals."""
    units: int = amount.coefficient * 10 ** (places - amount.places)
    return units


def _shipped(asked: Asked, request_id: str | None) -> Command:
    """A player wants a prize sent: a person's work. The address is not taken over."""
    prize, order = asked.needed("prize_id"), asked.text("order_id")
    ordered = f", order {order}" if order is not None else ""
    return asked.command(
        Kind.NOTICE,
        f"shipment/{request_id}",
        reference=paired(prize, order),
        feature="shipment",
        note=f"prize {prize} is to be shipped{ordered}: confirm it in the vendor's dashboard",
    )


def _looked(asked: Asked, _request_id: str | None) -> Command:
    """Whose credits are asked for."""
    return asked.command(Kind.BALANCE, None)


#: The calls, each from an authentic request into its command.
read_authorize = _reader("authorize", _authorized)
read_cancel = _reader("cancel", _undone)
read_cashback = _reader("cashback", _cashed)
read_shipment = _reader("shipment", _shipped)
read_balance = _reader("balance", _looked)
