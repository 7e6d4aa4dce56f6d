"""LoyaltyGyre's list of boxes. One that nobody can read is shown as far as it is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

import msgspec

from seamline.dialects.dialect import Game, GamesFilter, Prize, Reply, Request
from seamline.dialects.loyaltygyre.options import Options
from seamline.dialects.loyaltygyre.wire import answer, key
from seamline.dialects.signing import strictly
from seamline.money import Quantity
from seamline.wallet import Integration

ThingT = TypeVar("ThingT", Game, Prize)

#: 58 and "58" are the same id.
Id = int | Annotated[str, msgspec.Meta(min_length=1)]
_NOTHING = msgspec.Raw(b"null")


class _Image(msgspec.Struct, frozen=True):
    thumbnail: str | None = None
    standard: str | None = None
    high_res: str | None = None


class _Thing(msgspec.Struct, frozen=True):
    id: Id
    name: str
    description: str | None = None
    price: msgspec.Raw = _NOTHING
    image: _Image | None = None


class _Box(_Thing, frozen=True):
    prizes: tuple[msgspec.Raw, ...] = ()


class _Boxes(msgspec.Struct, frozen=True):
    status: str
    data: tuple[msgspec.Raw, ...] = ()
    message: str = ""


class _OddId(msgspec.Struct, frozen=True):
    id: Id


class _OddName(msgspec.Struct, frozen=True):
    name: str


_BOXES = msgspec.json.Decoder(_Boxes)
_BOX = msgspec.json.Decoder(_Box)
_PRIZE = msgspec.json.Decoder(_Thing)
_ODD_ID = msgspec.json.Decoder(_OddId)
_ODD_NAME = msgspec.json.Decoder(_OddName)


def compose_boxes(_wanted: GamesFilter, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for all boxes; the vendor has no filters."""
    return Request("GET", "/boxes", headers=key(integration))


def read_boxes(
    reply: Reply,
    ask: GamesFilter,  # noqa: ARG001  the same shape for every operation
    integration: Integration[Options],
) -> tuple[Game, ...]:
    """The boxes with what is in them; ids as text, as the vendor has them both ways."""
    currency = integration.options.currency

    def box(raw: msgspec.Raw) -> Game:
        listed = strictly(bytes(raw), _BOX)
        return Game(
            id=str(listed.id),
            title=listed.name,
            currencies=(currency,),
            images=_images(listed.image),
            price=_price(listed.price),
            description=listed.description,
            prizes=_each(listed.prizes, _prize, Prize, f"prize {{}} of box {listed.id}"),
        )

    return _each(answer(reply, _BOXES).data, box, Game, "box {} of the list")


def _each(
    listed: tuple[msgspec.Raw, ...],
    read: Callable[[msgspec.Raw], ThingT],
    kind: type[ThingT],
    place: str,
) -> tuple[ThingT, ...]:
    """All of a list, those that cannot be read with what is wrong with them."""
    return tuple(
        _shown(raw, read, kind, place.format(number)) for number, raw in enumerate(listed, 1)
    )


def _shown(
    raw: msgspec.Raw, read: Callable[[msgspec.Raw], ThingT], kind: type[ThingT], place: str
) -> ThingT:
    """One of them; what cannot be read costs the others nothing, and has no price."""
    try:
        return read(raw)
    except ValueError as error:
        problem = f"{place} cannot be read: {error}"
    return kind(id=_known_id(raw), title=_known_name(raw), problem=problem)


def _known_id(raw: msgspec.Raw) -> str:
    try:
        return str(_ODD_ID.decode(raw).id)
    except msgspec.DecodeError:
        return ""


def _known_name(raw: msgspec.Raw) -> str:
    try:
        return _ODD_NAME.decode(raw).name
    except msgspec.DecodeError:
        return ""


def _prize(raw: msgspec.Raw) -> Prize:
    listed = strictly(bytes(raw), _PRIZE)
    return Prize(
        id=str(listed.id),
        title=listed.name,
        description=listed.description,
        price=_price(listed.price),
        images=_images(listed.image),
    )


def _images(image: _Image | None) -> Mapping[str, str]:
    """The URLs by the vendor's name of the size."""
    if image is None:
        return {}
    return {name: url for name, url in msgspec.structs.asdict(image).items() if url}


def _price(raw: msgspec.Raw) -> str | None:
    """A JSON number, or text, as exact decimal text; None where there is none."""
    text = bytes(raw).decode(errors="replace").strip('"')
    return str(Quantity.parse(text).shortest()) if text != "null" else None
