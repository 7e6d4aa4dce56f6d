"""What signatures are made of: HMAC, canonical JSON, and JSON that reads in one way only.

Pure and shared by all dialects; no vendor is named here. Raw bytes and keys come in, text comes
out. Nothing raises anything but `BadJson` for input that somebody else wrote.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec
import rfc8785

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

T = TypeVar("T")

#: A JSON value; numbers with a fraction are whatever the decoder makes of them.
Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]

_ENCODE = msgspec.json.Encoder().encode
_AT = re.compile(r"(?P<said>.*?)(?: - at `(?:key in )?\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
_SHOWN = 60


class BadJson(ValueError):
    """The text is no JSON, can be read in two ways, or is not of the wanted shape.

    `field` is the place as `user.id`, or None where the whole text is meant.
    """

    def __init__(self, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


def hmac_sha256(key: bytes, over: bytes) -> str:
    """HMAC-SHA256 as 64 lower-case hexadecimal digits."""
    absorbed, finish = _absorbed(key)
    inner, outer = absorbed.copy(), finish.copy()
    inner.update(over)
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=256)
def _absorbed(key: bytes) -> tuple[Hash, Hash]:
    """Both hashes of RFC 2104 with the key already taken in: half the work of each signature."""
    block = (sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    return sha256(bytes(b ^ 0x36 for b in block)), sha256(bytes(b ^ 0x5C for b in block))


def same(expected: str, given: bytes) -> bool:
    """Whether both are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(expected.encode(), given)


def canonical(value: Json) -> bytes:
    """Return the one text of *value* by RFC 8785; raise `BadJson` for what has none."""
    try:
        return rfc8785.dumps(value)
    except (ValueError, RecursionError) as error:
        raise BadJson(f"no canonical form: {error}") from error


def strictly(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode JSON that can be read in one way only, or raise `BadJson` naming the field.

    Refused: invalid UTF-8, lone surrogates, a byte order mark, a name that comes twice at any
    depth. Names that the shape does not know are let through.
    """
    try:
        value = decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _misshapen(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise BadJson(_unreadable(error)) from error
    # The encoder writes every name once. A text equal to its output therefore has no name twice,
    # and nothing that the shape does not know; any other text is read again, name by name.
    if _ENCODE(value) != raw:
        parsed(raw)
    return value


def parsed(raw: bytes) -> Json:
    """Read any JSON text as strictly as `strictly` does, into plain values."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_constant)
        # Text that cannot be written again holds half of a surrogate pair.
        json.dumps(value, ensure_ascii=False).encode()
    except BadJson:
        raise
    except (ValueError, RecursionError) as error:
        raise BadJson(_unreadable(error)) from error
    return cast(Json, value)


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Make an object of its members, none of which may come twice, however it is spelled."""
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise BadJson(f"the name {name[:_SHOWN]!a} comes twice in one object", name)
        members[name] = value
    return members


def _constant(name: str) -> object:
    raise BadJson(f"{name} is not JSON")


def _unreadable(error: Exception) -> str:
    """Say why a text is no JSON, without quoting it."""
    if isinstance(error, UnicodeError):
        return "the text is not valid UTF-8"
    if isinstance(error, RecursionError):
        return "the text is nested too deeply"
    return f"the text is not JSON: {error}"


def _misshapen(message: str) -> BadJson:
    """Turn the decoder's message into the field and what was expected of it."""
    match = _AT.fullmatch(message)
    said, path = (match["said"], match["path"] or "") if match else (message, "")
    missing = _MISSING.fullmatch(said)
    if missing is None:
        return BadJson(said, path or None)
    name = missing["name"]
    return BadJson("expected this field, it is missing", f"{path}.{name}" if path else name)
