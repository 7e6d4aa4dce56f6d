"""The wire of the operator API: signed requests, what an answer must say, amounts and dates.

An answer is a success when its `status` is `RS_OK`; the HTTP status says nothing (root page).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar
from urllib.parse import quote

import msgspec

from seamline.dialects.dialect import Malformed, Reply, Request, VendorError
from seamline.dialects.oppigames import wire
from seamline.dialects.oppigames.options import Options
from seamline.dialects.oppigames.reasons import OK
from seamline.dialects.oppigames.signature import signed_by_us
from seamline.dialects.signing import BadJson, strictly
from seamline.money import BadQuantity, Quantity
from seamline.wallet import MARK, Integration

T = TypeVar("T")

_ACCEPT = ((b"accept", b"application/json"),)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN = 200
#: What the vendor could name in a call.
_SAYABLE = f"^[^\0{MARK}]+$"


class Said(msgspec.Struct, frozen=True):
    """What every answer says."""

    status: str
    message: str | None = None


class Opened(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a launch."""

    game_url: str
    session_id: Annotated[wire.SessionId, msgspec.Meta(pattern=_SAYABLE)]


class Given(msgspec.Struct, frozen=True, rename="camel"):
    """What became of one bonus, by the index that we gave it."""

    status: str
    index: int
    bonus_id: str | None = None
    message: str | None = None


class GivenAll(msgspec.Struct, frozen=True):
    """The answer to a configuration of bonuses."""

    data: tuple[Given, ...]


SAID = msgspec.json.Decoder(Said)
OPENED = msgspec.json.Decoder(Opened)
GIVEN = msgspec.json.Decoder(GivenAll)


def post(
    path: str, body: Mapping[str, object], integration: Integration[Options], at_ms: int
) -> Request:
    """A signed POST; the bytes that are signed are the bytes that are sent."""
    try:
        text = msgspec.json.encode(body)
    except UnicodeEncodeError as error:
        raise Malformed("expected text that UTF-8 can carry") from error
    request = Request("POST", path, headers=_ACCEPT, body=text, at_ms=at_ms)
    return signed_by_us(request, integration)


def get(
    path: str, values: Mapping[str, str], integration: Integration[Options], at_ms: int
) -> Request:
    """A signed GET; the query is not signed."""
    query = "&".join(f"{quote(name)}={quote(values[name], safe='')}" for name in values)
    request = Request("GET", path, query.encode(), headers=_ACCEPT, at_ms=at_ms)
    return signed_by_us(request, integration)


def answer(reply: Reply, decoder: msgspec.json.Decoder[T]) -> T:
    """The body of a success, or `VendorError` with the vendor's words."""
    said = _read(reply, SAID)
    if said.status != OK:
        message = f"{said.message[:_SHOWN]} ({said.status})" if said.message else said.status
        raise VendorError(message, status=reply.status, code=said.status, refused=True)
    if not 200 <= reply.status < 300:
        raise VendorError(f"OppiGames answered {reply.status} with {OK}", status=reply.status)
    return _read(reply, decoder)


def _read(reply: Reply, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return strictly(reply.body, decoder)
    except BadJson as error:
        place = f" at {error.field}" if error.field else ""
        message = (
            f"OppiGames answered {reply.status} with a body that nobody can read{place}: {error}"
        )
        raise VendorError(message, status=reply.status) from error


def identifier(value: str | None, field: str, longest: int = wire.MAX_ID) -> str:
    """A text of the ask that must be there."""
    if value is None or not value.strip() or len(value) > longest:
        raise Malformed(f"expected a text of 1 to {longest} characters", field=field)
    return value


def counted(text: str, field: str) -> int:
    """A decimal in main units as the wire counts it."""
    try:
        return wire.wired(Quantity.parse(text), field)
    except BadQuantity as error:
        raise Malformed("expected a decimal such as 12 or 0.90", field=field) from error


def decimal(units: int) -> str:
    """What the wire counts as a decimal in main units."""
    if units < 0:
        raise VendorError("OppiGames answered a negative amount", status=200)
    return str(Quantity(units, wire.PLACES).shortest())


def date_text(ms: int, field: str) -> str:
    """Unix milliseconds as `2026-01-01T00:00:00.000Z`; the vendor's pages show no form."""
    try:
        moment = _EPOCH + timedelta(milliseconds=ms)
    except OverflowError as error:
        raise Malformed("expected Unix milliseconds of a year up to 9999", field=field) from error
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
