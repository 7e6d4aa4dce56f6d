"""From raw requests to structs: path, query and body, each in one way only or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TypeVar, cast
from urllib.parse import unquote_to_bytes

import msgspec

from seamline.dialects.signing import BadJson, strictly
from seamline.edge.api.fields import EXPECTED
from seamline.edge.api.problems import Code, Problem
from seamline.edge.api.shapes import Unread

ShapeT = TypeVar("ShapeT", bound=msgspec.Struct)

_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_PATTERNS = {
    f"Expected `str` matching regex {pattern!r}": f"expected {words}"
    for pattern, words in EXPECTED.items()
}


def body(raw: bytes, shape: type[ShapeT]) -> ShapeT:
    """The body as that struct; a problem names the member and what was expected.

    A body of the shape `Unread` is kept as it came.
    """
    if not raw:
        raise Problem(Code.MALFORMED, "expected a JSON object as the body, it is empty")
    if shape is Unread:
        return cast("ShapeT", Unread(raw=raw))
    return _decoded(raw, _strict(shape), "body")


def path(values: Mapping[str, bytes], shape: type[ShapeT]) -> ShapeT:
    """The parameters of a path as that struct."""
    texts = {name: _text(value, name) for name, value in values.items()}
    return _decoded(msgspec.json.encode(texts), _lax(shape), "path")


def query(raw: bytes, shape: type[ShapeT]) -> ShapeT:
    """The parameters of a query as that struct: each once, none that is not known."""
    texts: dict[str, str] = {}
    for pair in raw.split(b"&") if raw else ():
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        key = _text(name, "query")
        if key in texts:
            raise Problem(Code.MALFORMED, "expected this parameter once", field=key)
        texts[key] = _text(value, key)
    return _decoded(msgspec.json.encode(texts), _lax(shape), "query")


def _text(value: bytes, field: str) -> str:
    """Percent-encoded UTF-8 as text."""
    if _ESCAPE.search(value):
        raise Problem(Code.MALFORMED, "expected %XX wherever there is a %", field=field)
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise Problem(Code.MALFORMED, "expected percent-encoded UTF-8", field=field) from None


def _decoded(raw: bytes, decoder: msgspec.json.Decoder[ShapeT], part: str) -> ShapeT:
    try:
        return strictly(raw, decoder)
    except BadJson as error:
        raise _misread(error, part) from error


def _misread(error: BadJson, part: str) -> Problem:
    """What the decoder found, in words for people."""
    unknown = _UNKNOWN.fullmatch(error.detail)
    if unknown is not None:
        name = f"{error.field}.{unknown['name']}" if error.field else unknown["name"]
        what = "member" if part == "body" else "parameter"
        return Problem(Code.MALFORMED, f"there is no {what} of this name", field=name)
    detail = _PATTERNS.get(error.detail, error.detail)
    return Problem(Code.MALFORMED, detail, field=error.field)


@cache
def _strict(shape: type[msgspec.Struct]) -> msgspec.json.Decoder[ShapeT]:
    return cast("msgspec.json.Decoder[ShapeT]", msgspec.json.Decoder(shape))


@cache
def _lax(shape: type[msgspec.Struct]) -> msgspec.json.Decoder[ShapeT]:
    """Reads numbers and truth values from text."""
    return cast("msgspec.json.Decoder[ShapeT]", msgspec.json.Decoder(shape, strict=False))
