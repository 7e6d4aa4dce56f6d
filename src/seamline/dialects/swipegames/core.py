"""The wire of the Core API: signed requests, bodies of the answers, errors and dates."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

import msgspec

from seamline.dialects.dialect import Malformed, Reply, Request, VendorError
from seamline.dialects.signing import BadJson, Json, canonical, strictly
from seamline.dialects.swipegames.options import UUID, Options
from seamline.dialects.swipegames.signature import signed
from seamline.wallet import Integration

T = TypeVar("T")

MAX_TEXT = 2_000
#: A catalogue is "over 1 MB"; an answer that unpacks to more than this is no catalogue.
MAX_UNPACKED = 64 * 1024 * 1024

_GZIP_MAGIC = b"\x1f\x8b"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN = 200


class Opened(msgspec.Struct, frozen=True, rename={"game_url": "gameURL", "gs_id": "gsID"}):
    """The answer of create-new-game; `gs_id` never comes back in a reverse call."""

    game_url: str
    gs_id: str


class Lines(msgspec.Struct, frozen=True):
    """The bet lines of one currency; the first one is line 1."""

    currency: str
    values: tuple[Line, ...]


class Line(
    msgspec.Struct, frozen=True, rename={"largest_bet": "maxBet", "coefficient": "maxCoeff"}
):
    """One bet line: the stake, and the cap of a win as its multiple."""

    largest_bet: str
    coefficient: str


class Listed(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={"has_free_spins": "hasFreeSpins", "bet_lines": "betLines"},
):
    """One game of the catalogue; `images` are paths below its member `baseURL`."""

    id: str
    title: str
    locales: tuple[str, ...]
    currencies: tuple[str, ...]
    platforms: tuple[str, ...]
    images: Mapping[str, str]
    has_free_spins: bool
    rtp: int
    bet_lines: tuple[Lines, ...] = ()


class Created(msgspec.Struct, frozen=True, rename={"ext_id": "extID"}):
    """The answer to a new campaign; `id` is the vendor's."""

    id: str
    ext_id: str


class Configured(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "ext_id": "extID",
        "max_bet": "maxBet",
        "max_mult": "maxMult",
        "valid_from": "validFrom",
        "valid_until": "validUntil",
        "deleted_at": "deletedAt",
        "game_ids": "gameIDs",
    },
):
    """A campaign as read back. `max_mult` is a JSON number, kept as it was written."""

    id: str
    ext_id: str
    quantity: int
    max_bet: str
    max_mult: msgspec.Raw
    currency: str
    valid_from: str
    valid_until: str | None = None
    deleted_at: str | None = None
    game_ids: tuple[str, ...] | None = None


class CoreError(msgspec.Struct, frozen=True):
    """The Core API's error object; branch on `code` first and on the status second."""

    message: str
    code: str | None = None
    details: str | None = None


OPENED = msgspec.json.Decoder(Opened)
GAMES = msgspec.json.Decoder(tuple[Listed, ...])
CREATED = msgspec.json.Decoder(Created)
CONFIGURED = msgspec.json.Decoder(Configured)
ERROR = msgspec.json.Decoder(CoreError)


def send(method: str, path: str, body: Json, integration: Integration[Options]) -> Request:
    """A call with a canonical body, which is what is signed."""
    try:
        text = canonical(body)
    except BadJson as error:
        raise Malformed(error.detail) from error
    headers = ((b"content-type", b"application/json"), (b"accept", b"application/json"))
    request = Request(method, path, headers=headers, body=text)
    return signed(request, over=text, key=integration.options.api_key)


def ask(
    path: str,
    values: Mapping[str, str],
    integration: Integration[Options],
    *,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Request:
    """A GET: the decoded values are signed, all of them as text; the URL carries them encoded."""
    try:
        over = canonical(values)
    except BadJson as error:
        raise Malformed(error.detail) from error
    query = "&".join(f"{quote(name)}={quote(values[name], safe='')}" for name in sorted(values))
    accept = (b"accept", b"application/json")
    request = Request("GET", path, query.encode(), headers=(accept, *headers))
    return signed(request, over=over, key=integration.options.api_key)


def client(integration: Integration[Options]) -> dict[str, str]:
    """Who asks: the two ids in every call of the Core API."""
    return {"cID": integration.options.cid, "extCID": integration.options.ext_cid}


def answer(reply: Reply, decoder: msgspec.json.Decoder[T]) -> T:
    """The body of a 200, or `VendorError`."""
    ok(reply)
    try:
        return strictly(unpacked(reply), decoder)
    except BadJson as error:
        place = f" at {error.field}" if error.field else ""
        message = f"Swipe Games answered 200 with a body that nobody can read{place}: {error}"
        raise VendorError(message, status=200) from error


def ok(reply: Reply) -> None:
    """Raise `VendorError` with the vendor's words unless the status is 200."""
    if reply.status == 200:
        return
    try:
        error = strictly(unpacked(reply), ERROR)
    except BadJson:
        message = f"Swipe Games answered {reply.status} without an error object"
        raise VendorError(message, status=reply.status) from None
    details = f" ({error.details[:_SHOWN]})" if error.details else ""
    message = f"{error.message[:_SHOWN]}{details}"
    raise VendorError(message, status=reply.status, code=error.code)


def unpacked(reply: Reply) -> bytes:
    """The body, inflated where it is still gzip; JSON never starts with these two bytes."""
    if not reply.body.startswith(_GZIP_MAGIC):
        return reply.body
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(reply.body, MAX_UNPACKED)
    except zlib.error as error:
        message = f"Swipe Games answered gzip that does not unpack: {error}"
        raise VendorError(message, status=reply.status) from error
    if not inflater.eof:
        message = f"Swipe Games answered gzip that is cut short, or above {MAX_UNPACKED} bytes"
        raise VendorError(message, status=reply.status)
    return body


def date_text(ms: int, field: str) -> str:
    """Unix milliseconds as `2026-01-01T00:00:00.000Z`: the vendor's SDK refuses `+00:00`."""
    try:
        moment = _EPOCH + timedelta(milliseconds=ms)
    except OverflowError as error:
        raise Malformed("expected Unix milliseconds of a year up to 9999", field=field) from error
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def date_ms(text: str) -> int:
    """Unix milliseconds of a date-time that names its zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise VendorError(f"Swipe Games answered {text[:40]!r} for a date", status=200) from error
    if moment.tzinfo is None:
        raise VendorError(f"Swipe Games answered {text[:40]!r}, a date without zone", status=200)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def limited(value: str | None, field: str, longest: int = MAX_TEXT) -> str:
    """A text of the ask that must be there."""
    if value is None or not value.strip() or len(value) > longest:
        raise Malformed(f"expected a text of 1 to {longest} characters", field=field)
    return value


def uuid(value: str, field: str) -> str:
    """A UUID of the ask."""
    if UUID.fullmatch(value) is None:
        raise Malformed("expected a UUID", field=field)
    return value
