"""Where the fields of a request stand, compiled once: read from there, and put back there.

A source is `body:/json/pointer` (or a form's field), `query:name`, `header:name`, `path:name` or
`const:text`. What does not lead anywhere is a `ValueError` that names the key of the settings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import msgspec

from seamline.dialects.dialect import Malformed, Request
from seamline.dialects.loyaltygyre.fields import MAX_ID, Type
from seamline.dialects.signing import BadJson, parsed
from seamline.money import BadQuantity, Quantity

#: Said of a field that is not there; the reason code hangs on it.
MISSING = "expected this field, it is missing"
#: The field that a body as a whole goes by.
BODY = "body"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PARAMETER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_HEADER = re.compile(r"[a-z0-9-]+")
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])+)+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999  # the end of the year 9999
_SCALES = {10**places: places for places in range(10)}
_KINDS = ("body", "query", "header", "path", "const")


class Numeral(str):
    """The text of a JSON number with a fraction or an exponent, as it was written."""

    __slots__ = ()


#: What a source may hold.
Value = str | int | bool | Quantity
#: What a JSON text may hold, exactly.
Node = None | bool | int | str | list["Node"] | dict[str, "Node"]


def _numeral(value: object) -> msgspec.Raw:
    """A number with a fraction, written as it was read."""
    return msgspec.Raw(str(value).encode())


_DECODE = msgspec.json.Decoder(float_hook=Numeral).decode
_ENCODE = msgspec.json.Encoder(enc_hook=_numeral).encode


class Source(msgspec.Struct, frozen=True):
    """One place of a request: its kind, and the way to it."""

    kind: str
    name: str
    steps: tuple[str, ...] = ()


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How one field is read, ready to run."""

    name: str
    sources: tuple[Source, ...]
    type: Type
    places: int = 0
    map: Mapping[str, str] | None = None
    default: str | None = None
    required: bool = False
    longest: int = MAX_ID
    numbers: bool = True
    #: The member of the body that the first source is, where that is all that it takes.
    member: str | None = None


class Parts(msgspec.Struct):
    """The places of one request that sources look at, read as far as they are looked at."""

    request: Request
    body: Mapping[str, Node]
    query: Mapping[str, str]
    path: Mapping[str, str]


def source(text: str, path: str, key: str) -> Source:
    """The place that a source's text means; `ValueError` naming the *key* when there is none."""
    kind, colon, name = text.partition(":")
    if not colon or kind not in _KINDS:
        raise ValueError(f"{key}: expected body:, query:, header:, path: or const:, got {text!r}")
    if kind == "body":
        if not _POINTER.fullmatch(name):
            raise ValueError(f"{key}: expected body:/pointer such as body:/user/id, got {text!r}")
        steps = name[1:].split("/")
        return Source(kind, name, tuple(_unescaped(each) for each in steps))
    if kind == "path" and name not in parameters(path):
        raise ValueError(f"{key}: expected {{{name}}} in the path, {path!r} has none")
    if kind == "header":
        name = name.lower()
        if not _HEADER.fullmatch(name):
            raise ValueError(f"{key}: expected the name of a header, got {text!r}")
    if not name:
        raise ValueError(f"{key}: expected something after {kind}:")
    return Source(kind, name)


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def parameters(path: str) -> tuple[str, ...]:
    """The names in braces of a path."""
    return tuple(_PARAMETER.findall(path))


def scale_places(scale: int, key: str) -> int:
    """How many decimals a source's whole numbers have; 100 means cents."""
    if scale not in _SCALES:
        raise ValueError(f"{key}: expected 1, 10, 100 or another power of ten, got {scale}")
    return _SCALES[scale]


# Reading.


def opened(request: Request, path: str, *, form: bool) -> Parts:
    """The request, its body decoded strictly: JSON in one way only, or a form."""
    if not request.body and request.method == "GET":
        body: Mapping[str, Node] = {}
    else:
        body = _form(request.body, BODY) if form else _json(request.body)
    query = _form(request.query, "query") if request.query else {}
    return Parts(request, body, query, _matched(path, request.path))


def _json(raw: bytes) -> dict[str, Node]:
    try:
        value: object = _DECODE(raw)
    except (ValueError, RecursionError) as error:
        raise Malformed("expected a JSON object", field=BODY) from error
    if _ENCODE(value) != raw:
        # Written differently than we would write it: read again, name by name.
        _strictly(raw)
    if not isinstance(value, dict):
        raise Malformed("expected a JSON object", field=BODY)
    return value


def _strictly(raw: bytes) -> None:
    try:
        parsed(raw)
    except BadJson as error:
        raise Malformed(error.detail, field=BODY) from error


def _form(raw: bytes, field: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise Malformed("expected percent-encoded UTF-8", field=field) from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("expected each name once", field=field)
    return found


def leads(template: str, path: str) -> bool:
    """Whether a path is one of those that the template stands for."""
    parts, segments = template.split("/"), path.split("/")
    return len(parts) == len(segments) and all(
        part.startswith("{") or part == segment
        for part, segment in zip(parts, segments, strict=True)
    )


def _matched(template: str, path: str) -> Mapping[str, str]:
    """The values of a path's parameters."""
    if "{" not in template:
        return {}
    pairs = zip(template.split("/"), path.split("/"), strict=False)
    return {part[1:-1]: text for part, text in pairs if part.startswith("{")}


def value(reading: Reading, parts: Parts) -> Value | None:
    """The field's value in its type; None where it is not there and need not be."""
    found: Node = None
    if reading.member is not None:
        found = parts.body.get(reading.member)
    if found is None and not (reading.member is not None and len(reading.sources) == 1):
        found = next((at for each in reading.sources if (at := _at(each, parts)) is not None), None)
    if found is not None:
        return _converted(reading, found)
    if reading.default is not None:
        return _converted(reading, reading.default, mapped=False)
    if reading.required:
        raise Malformed(MISSING, field=reading.name)
    return None


def canonical(reading: Reading, text: str) -> Value:
    """A text of ours, not of a request, in the field's type."""
    return _converted(reading, text, mapped=False)


def every(reading: Reading, parts: Parts) -> set[str]:
    """What each source that is there says, as text."""
    found = (_at(each, parts) for each in reading.sources)
    return {_text(reading, each) for each in found if each is not None}


def one(reading: Reading, parts: Parts) -> str | None:
    """The one text that all sources that are there say, or `Malformed`."""
    said: str | None = None
    for each in reading.sources:
        found = _at(each, parts)
        if found is None:
            continue
        text = _text(reading, found)
        if said not in (None, text):
            raise Malformed("expected the same in all places", field=reading.name)
        said = text
    if said is None and reading.required and reading.default is None:
        raise Malformed(MISSING, field=reading.name)
    return said if said is not None else reading.default


def _at(place: Source, parts: Parts) -> Node:
    if place.kind == "body":
        node: Node = parts.body  # type: ignore[assignment]
        for step in place.steps:
            node = node.get(step) if isinstance(node, dict) else None
        return node
    if place.kind == "query":
        return parts.query.get(place.name)
    if place.kind == "path":
        return parts.path.get(place.name)
    if place.kind == "const":
        return place.name
    raw = parts.request.header(place.name.encode())
    try:
        return raw.decode() if raw is not None else None
    except UnicodeDecodeError as error:
        raise Malformed("expected UTF-8", field=f"header {place.name}") from error


def _converted(reading: Reading, found: Node, *, mapped: bool = True) -> Value:
    if mapped and reading.map is not None:
        text = _text(reading, found)
        if text not in reading.map and reading.name != "action":
            raise Malformed(f"expected one of {', '.join(reading.map)}", field=reading.name)
        found = reading.map.get(text, text)
    return _READ[reading.type](reading, found)


def _text(reading: Reading, found: Node) -> str:
    """Text, or where numbers are taken a whole number: 58 and "58" are the same id."""
    if type(found) is str and found.isascii() and found.isprintable():
        if 1 <= len(found) <= reading.longest:
            return found
        raise Malformed(f"expected 1 to {reading.longest} characters", field=reading.name)
    if reading.numbers and isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or isinstance(found, Numeral):
        what = "text or a whole number" if reading.numbers else "text"
        raise Malformed(f"expected {what}", field=reading.name)
    if not 1 <= len(found) <= reading.longest:
        raise Malformed(f"expected 1 to {reading.longest} characters", field=reading.name)
    if _CONTROL.search(found):
        raise Malformed("expected text without control characters", field=reading.name)
    return found


def _decimal(reading: Reading, found: Node) -> Quantity:
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise Malformed("expected a decimal such as 12 or 0.90", field=reading.name)
    try:
        quantity = Quantity.parse(str(found))
    except BadQuantity as error:
        raise Malformed("expected a decimal such as 12 or 0.90", field=reading.name) from error
    if not reading.places:
        return quantity
    if quantity.places:
        raise Malformed("expected a whole number", field=reading.name)
    return Quantity(quantity.coefficient, reading.places).shortest()


def _integer(reading: Reading, found: Node) -> int:
    text = _text(reading, found)
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Malformed("expected a whole number", field=reading.name)
    return int(text)


def _truth(reading: Reading, found: Node) -> bool:
    if isinstance(found, bool):
        return found
    if found in ("true", "false"):
        return found == "true"
    raise Malformed("expected true or false", field=reading.name)


def _iso_ms(reading: Reading, found: Node) -> int:
    try:
        moment = datetime.fromisoformat(_text(reading, found))
    except ValueError as error:
        raise Malformed("expected ISO 8601 with a zone", field=reading.name) from error
    if moment.tzinfo is None:
        raise Malformed("expected ISO 8601 with a zone", field=reading.name)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _epoch_s(reading: Reading, found: Node) -> int:
    return _moment(reading, _integer(reading, found) * 1000)


def _epoch_ms(reading: Reading, found: Node) -> int:
    return _moment(reading, _integer(reading, found))


def _moment(reading: Reading, ms: int) -> int:
    if ms > _LAST_MS:
        raise Malformed("expected a time before the year 10000", field=reading.name)
    return ms


_READ: Mapping[Type, Callable[[Reading, Node], Value]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "bool": _truth,
    "iso_time": _iso_ms,
    "epoch_s": _epoch_s,
    "epoch_ms": _epoch_ms,
}


# Writing, for the other end.


class Draft(msgspec.Struct):
    """A request in the making."""

    body: dict[str, Node]
    query: dict[str, str]
    headers: list[tuple[bytes, bytes]]
    path: dict[str, str]


def put(draft: Draft, reading: Reading, said: str) -> None:
    """Put a canonical text where the first source reads it from; a constant is already there."""
    place = reading.sources[0]
    text = _unmapped(reading, said)
    if place.kind == "query":
        draft.query[place.name] = text
    elif place.kind == "header":
        draft.headers.append((place.name.encode(), text.encode()))
    elif place.kind == "path":
        draft.path[place.name] = text
    elif place.kind == "body":
        node = draft.body
        for step in place.steps[:-1]:
            node = node.setdefault(step, {})  # type: ignore[assignment]
        whole = reading.type in ("integer", "epoch_s", "epoch_ms") or reading.places
        node[place.steps[-1]] = int(text) if whole else text


def _unmapped(reading: Reading, said: str) -> str:
    """A canonical text as the source writes it."""
    if reading.map is not None:
        said = next((theirs for theirs, ours in reading.map.items() if ours == said), said)
    if reading.places:
        amount = Quantity.parse(said).shortest()
        if amount.places > reading.places:
            raise Malformed(f"expected at most {reading.places} decimals", field=reading.name)
        return str(amount.coefficient * 10 ** (reading.places - amount.places))
    return said


def drafted(draft: Draft, method: str, path: str, *, form: bool) -> Request:
    """The request that the draft stands for."""
    for name, text in draft.path.items():
        path = path.replace(f"{{{name}}}", text)
    query = urlencode(draft.query).encode()
    if method == "GET":
        return Request(method, path, query, tuple(draft.headers))
    flat = {name: each for name, each in draft.body.items() if isinstance(each, str | int)}
    raw = urlencode(flat).encode() if form else msgspec.json.encode(draft.body)
    kind = (b"content-type", _FORM if form else b"application/json")
    return Request(method, path, query, (kind, *draft.headers), raw)


_FORM = b"application/x-www-form-urlencoded"
