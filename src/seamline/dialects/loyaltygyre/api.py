"""LoyaltyGyre's own API as the operator uses it: boxes, open, cash back, order. Pure.

A POST of theirs has no idempotency key, so none is ever repeated by itself: opening twice would be
two boxes. Done is 200 together with `"status": "success"`; any other 200 leaves it open.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from seamline.dialects.dialect import (
    Extra,
    Malformed,
    Operation,
    Reply,
    Request,
    Studio,
    VendorError,
)
from seamline.dialects.loyaltygyre import prices
from seamline.dialects.loyaltygyre.boxes import compose_boxes, read_boxes
from seamline.dialects.loyaltygyre.fields import MAX_ID
from seamline.dialects.loyaltygyre.ids import paired
from seamline.dialects.loyaltygyre.iframe import open_box
from seamline.dialects.loyaltygyre.options import Options
from seamline.dialects.loyaltygyre.wire import SAID, answer, send
from seamline.money import Quantity
from seamline.wallet import Command, Integration, Kind

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)"
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID, pattern=_PRINTABLE)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_PRINTABLE)]
Long = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Decimal_ = Annotated[
    str, msgspec.Meta(max_length=64, pattern=r"^(0|[1-9][0-9]*)(\.[0-9]+)?$(?!\n)")
]


class _Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator sends; a member that is not known is a mistake."""


class OpenBox(_Ask, frozen=True):
    """Open a box for a player. The price leaves the player first; without one it is the box's."""

    transaction_id: Id
    player_id: Id
    box_id: Id
    price: Decimal_ | None = None


class CashBack(_Ask, frozen=True):
    """Note that a player gives a prize back, and credit it; without an amount by `cashback_rate`.

    A prize is credited once per player; `prize_instance_id`, of your own making, tells two alike
    apart.
    """

    transaction_id: Id
    player_id: Id
    prize_id: Id
    amount: Decimal_ | None = None
    prize_instance_id: Id | None = None


class Order(_Ask, frozen=True):
    """Have a prize sent; it goes on its way when you confirm it in the vendor's dashboard."""

    player_id: Id
    prize_id: Id
    recipient_name: Line
    street: Line
    city: Line
    postal_code: Line
    country: Annotated[Line, msgspec.Meta(examples=["US"])]
    state: Line | None = None
    phone_number: Line | None = None
    email: Line | None = None
    additional_notes: Long | None = None


class Opened(msgspec.Struct, frozen=True):
    """What was in the box: the prize's id alone, its name stands in the catalogue."""

    prize_id: str


class Noted(msgspec.Struct, frozen=True):
    """What the vendor said to it."""

    message: str


class _PrizeId(msgspec.Struct, frozen=True):
    id: int | str


class _Opened(msgspec.Struct, frozen=True):
    status: str
    prize: _PrizeId | None = None
    message: str = ""


_OPENED = msgspec.json.Decoder(_Opened)


def _player(player: str, integration: Integration[Options]) -> dict[str, str]:
    return {integration.options.player_field: player}


def compose_open(ask: OpenBox, integration: Integration[Options], _at_ms: int) -> Request:
    """Play a box."""
    return send(
        "/box/open", _player(ask.player_id, integration) | {"box_id": ask.box_id}, integration
    )


def read_open(
    reply: Reply,
    ask: OpenBox,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> Opened:
    """The prize that was in it."""
    opened = answer(reply, _OPENED)
    if opened.prize is None:
        raise VendorError("LoyaltyGyre answered 200 without a prize", status=200)
    return Opened(str(opened.prize.id))


def reserve_open(ask: OpenBox, integration: Integration[Options]) -> Command:
    """The price of the box, which leaves the player before it is opened."""
    if ask.price is not None:
        price, objection = prices.credits_of(ask.price, integration.options, "price"), None
    else:
        price, objection = prices.of_box(ask.box_id, integration)
    return Command(
        kind=Kind.BET,
        integration=integration.name,
        key=f"open/{ask.transaction_id}",
        player=ask.player_id,
        currency=integration.options.currency,
        amount=price,
        game=ask.box_id,
        feature="open_box",
        priced=ask.price is None,
        objection=objection,
    )


def compose_cashback(ask: CashBack, integration: Integration[Options], _at_ms: int) -> Request:
    """Tell the vendor that a prize was given back; it moves no money itself."""
    _worth(ask, integration)
    body = _player(ask.player_id, integration) | {"prize_id": ask.prize_id}
    return send("/prize/cashback", body, integration)


def read_cashback(
    reply: Reply,
    ask: CashBack,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> Noted:
    """That it was noted."""
    return Noted(answer(reply, SAID).message)


def settle_cashback(ask: CashBack, integration: Integration[Options]) -> Command:
    """What the prize is worth, once per player and prize."""
    prize = paired(ask.prize_id, ask.prize_instance_id)
    return Command(
        kind=Kind.REWARD,
        integration=integration.name,
        key=f"given-back/{ask.transaction_id}",
        player=ask.player_id,
        currency=integration.options.currency,
        amount=_worth(ask, integration),
        reference=prize,
        feature="cashback",
        claim=f"cashback/{prize}",
    )


def _worth(ask: CashBack, integration: Integration[Options]) -> Quantity:
    """The amount as told, or the prize's share of its price."""
    if ask.amount is not None:
        amount = prices.credits_of(ask.amount, integration.options, "amount")
    else:
        found = prices.of_prize(ask.prize_id, integration)
        if found is None:
            detail = "expected an amount, as the prize's price or cashback_rate is not known"
            raise Malformed(detail, field="amount")
        amount = found
    if not amount.coefficient:
        raise Malformed("expected an amount above zero", field="amount")
    return amount


def compose_order(ask: Order, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for a prize to be sent."""
    fields = msgspec.structs.asdict(ask)
    player = fields.pop("player_id")
    told = {name: text for name, text in fields.items() if text is not None}
    return send("/prize/order", _player(player, integration) | told, integration)


def read_order(
    reply: Reply,
    ask: Order,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> Noted:
    """That it was noted; nothing is sent before it is confirmed in the dashboard."""
    return Noted(answer(reply, SAID).message)


def base_url(integration: Integration[Options]) -> str:
    """Where the API lives."""
    return f"{integration.options.base_url}/api"


STUDIO: Studio[Options] = Studio(
    base_url=base_url,
    open=open_box,
    games=Operation(compose=compose_boxes, read=read_boxes, repeatable=True),
    extras=(
        Extra(
            name="open_box",
            summary="Open a box for a player, who pays its price first",
            ask=OpenBox,
            operation=Operation(compose=compose_open, read=read_open),
            reserve=reserve_open,
        ),
        Extra(
            name="cashback",
            summary="Give a prize back and credit it",
            ask=CashBack,
            operation=Operation(compose=compose_cashback, read=read_cashback),
            settle=settle_cashback,
        ),
        Extra(
            name="order",
            summary="Have a prize sent",
            ask=Order,
            operation=Operation(compose=compose_order, read=read_order),
        ),
    ),
)
