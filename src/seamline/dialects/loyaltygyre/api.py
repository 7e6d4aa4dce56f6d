"""LoyaltyGyre's own API as the operator uses it: boxes, open, cash back, order. Pure.

A POST of theirs has no idempotency key, so none is ever repeated by itself: opening twice would be
two boxes. Done is 200 together with `"status": "success"`; any other 200 leaves it open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec

from seamline.dialects.dialect import (
    Extra,
    Game,
    GamesFilter,
    Malformed,
    Operation,
    Prize,
    Reply,
    Request,
    Studio,
    VendorError,
)
from seamline.dialects.loyaltygyre import prices
from seamline.dialects.loyaltygyre.fields import MAX_ID
from seamline.dialects.loyaltygyre.ids import paired
from seamline.dialects.loyaltygyre.iframe import open_box
from seamline.dialects.loyaltygyre.options import Options
from seamline.dialects.signing import BadJson, strictly
from seamline.money import BadQuantity, Quantity
from seamline.wallet import Command, Integration, Kind

T = TypeVar("T", bound=msgspec.Struct)

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)"
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID, pattern=_PRINTABLE)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_PRINTABLE)]
Long = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Decimal_ = Annotated[
    str, msgspec.Meta(max_length=64, pattern=r"^(0|[1-9][0-9]*)(\.[0-9]+)?$(?!\n)")
]
_SHOWN = 200


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


_NO_PRICE = msgspec.Raw(b"null")


class _Image(msgspec.Struct, frozen=True):
    thumbnail: str | None = None
    standard: str | None = None
    high_res: str | None = None


class _Prize(msgspec.Struct, frozen=True):
    id: int | str
    name: str
    description: str | None = None
    price: msgspec.Raw = _NO_PRICE
    image: _Image | None = None


class _Box(msgspec.Struct, frozen=True):
    id: int | str
    name: str
    description: str | None = None
    price: msgspec.Raw = _NO_PRICE
    image: _Image | None = None
    prizes: tuple[_Prize, ...] = ()


class _Boxes(msgspec.Struct, frozen=True):
    status: str
    data: tuple[_Box, ...] = ()
    message: str = ""


class _PrizeId(msgspec.Struct, frozen=True):
    id: int | str


class _Opened(msgspec.Struct, frozen=True):
    status: str
    prize: _PrizeId | None = None
    message: str = ""


class _Said(msgspec.Struct, frozen=True):
    status: str
    message: str = ""


_BOXES = msgspec.json.Decoder(_Boxes)
_OPENED = msgspec.json.Decoder(_Opened)
_SAID = msgspec.json.Decoder(_Said)


def _send(path: str, body: Mapping[str, str], integration: Integration[Options]) -> Request:
    """A POST; the vendor's tables speak of query parameters, its samples send JSON."""
    headers = ((b"content-type", b"application/json"), *_key(integration))
    return Request("POST", path, headers=headers, body=msgspec.json.encode(body))


def _key(integration: Integration[Options]) -> tuple[tuple[bytes, bytes], ...]:
    key = integration.options.api_keys[0].encoded()
    return ((b"authorization", b"Bearer " + key), (b"accept", b"application/json"))


def _player(player: str, integration: Integration[Options]) -> dict[str, str]:
    return {integration.options.player_field: player}


def _answer(reply: Reply, decoder: msgspec.json.Decoder[T]) -> T:
    """The body of a success, or `VendorError` in the vendor's words."""
    if reply.status != 200:
        raise VendorError(_words(reply), status=reply.status)
    try:
        found = strictly(reply.body, decoder)
    except BadJson as error:
        said = f"LoyaltyGyre answered 200 with a body that nobody can read: {error.detail}"
        raise VendorError(said, status=200) from error
    status: str = getattr(found, "status", "")
    if status != "success":
        message: str = getattr(found, "message", "")
        raise VendorError(message[:_SHOWN] or f"status {status[:_SHOWN]!r}", status=200)
    return found


def _words(reply: Reply) -> str:
    try:
        said = strictly(reply.body, _SAID)
    except BadJson:
        return f"LoyaltyGyre answered {reply.status} without a message"
    return said.message[:_SHOWN] or f"LoyaltyGyre answered {reply.status}"


def compose_boxes(_wanted: GamesFilter, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for all boxes; the vendor has no filters."""
    return Request("GET", "/boxes", headers=_key(integration))


def read_boxes(
    reply: Reply,
    ask: GamesFilter,  # noqa: ARG001  the same shape for every operation
    integration: Integration[Options],
) -> tuple[Game, ...]:
    """The boxes with what is in them; ids as text, as the vendor has them both ways."""
    currency = integration.options.currency
    return tuple(
        Game(
            id=str(box.id),
            title=box.name,
            currencies=(currency,),
            images=_images(box.image),
            price=_price(box.price),
            description=box.description,
            prizes=tuple(_prize(each) for each in box.prizes),
        )
        for box in _answer(reply, _BOXES).data
    )


def _prize(prize: _Prize) -> Prize:
    return Prize(
        id=str(prize.id),
        title=prize.name,
        description=prize.description,
        price=_price(prize.price),
        images=_images(prize.image),
    )


def _images(image: _Image | None) -> Mapping[str, str]:
    """The URLs by the vendor's name of the size."""
    if image is None:
        return {}
    return {name: url for name, url in msgspec.structs.asdict(image).items() if url}


def _price(raw: msgspec.Raw) -> str | None:
    """A JSON number, or text, as exact decimal text; None where there is none."""
    text = bytes(raw).decode(errors="replace").strip('"')
    try:
        return str(Quantity.parse(text).shortest()) if text != "null" else None
    except BadQuantity as error:
        said = "LoyaltyGyre answered a price that is no plain decimal"
        raise VendorError(said, status=200) from error


def compose_open(ask: OpenBox, integration: Integration[Options], _at_ms: int) -> Request:
    """Play a box."""
    return _send(
        "/box/open", _player(ask.player_id, integration) | {"box_id": ask.box_id}, integration
    )


def read_open(
    reply: Reply,
    ask: OpenBox,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> Opened:
    """The prize that was in it."""
    opened = _answer(reply, _OPENED)
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
    return _send("/prize/cashback", body, integration)


def read_cashback(
    reply: Reply,
    ask: CashBack,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> Noted:
    """That it was noted."""
    return Noted(_answer(reply, _SAID).message)


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
    return _send("/prize/order", _player(player, integration) | told, integration)


def read_order(
    reply: Reply,
    ask: Order,  # noqa: ARG001
    integration: Integration[Options],  # noqa: ARG001
) -> Noted:
    """That it was noted; nothing is sent before it is confirmed in the dashboard."""
    return Noted(_answer(reply, _SAID).message)


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
