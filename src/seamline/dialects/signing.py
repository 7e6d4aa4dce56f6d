"""What signatures are made of: HMAC, canonical JSON, JSON as JavaScript writes it, and strict JSON.

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
from json.encoder import encode_basestring
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
_BOM = b"\xef\xbb\xbf"
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LAST_INDEX = 2**32 - 2
_LONE = re.compile("[\ud800-\udfff]")
#: No honest number is longer, and the exact arithmetic of a longer one would cost too much.
_LONGEST_NUMBER = 64
#: Decimals of so many digits are told apart by doubles; a longer one is rounded to its double.
_SAFE_DIGITS, _MOST_DIGITS = 15, 17
#: The bits of a double's whole-number part, its exponents, and the power of ten below which the
#: distance of two doubles no longer shrinks with them.
_BITS, _LEAST_EXPONENT, _LARGEST_EXPONENT, _DENSE = 53, -1074, 971, -290


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


def as_javascript(raw: bytes) -> bytes:
    """Write a JSON text again as `JSON.stringify(JSON.parse(text))` of JavaScript does.

    Without white space; names in the order as received, but those that are array indexes (`0` to
    `4294967294`) first and ascending, as JavaScript keeps them; numbers as the double that
    JavaScript takes them for, so `102.90` is `102.9` and 2**53 + 1 loses its last digit. A byte
    order mark before the text is dropped.

    Raises `BadJson` for what is no JSON, has a name twice in one object, or holds a number that is
    longer than 64 characters or larger than any double.
    """
    try:
        written = _rewritten(_TOKENS.decode(raw.removeprefix(_BOM).decode()))
    except BadJson:
        raise
    except (ValueError, RecursionError) as error:
        raise BadJson(_unreadable(error)) from error
    return _LONE.sub(lambda half: f"\\u{ord(half[0]):04x}", written).encode()


class _Number(str):
    """The text of a JSON number, told from that of a string."""

    __slots__ = ()


#: Keeps numbers as they were written.
_TOKENS = json.JSONDecoder(
    object_pairs_hook=_once, parse_constant=_constant, parse_int=_Number, parse_float=_Number
)


def _rewritten(value: object) -> str:
    """A value that the decoder made, as JavaScript writes it; half characters are left as is."""
    if isinstance(value, _Number):
        return _js_number(value)
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        members = (
            f"{encode_basestring(name)}:{_rewritten(value[name])}" for name in _js_order(value)
        )
        return f"{{{','.join(members)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_rewritten, value))}]"
    return "null" if value is None else "true" if value else "false"


def _js_order(names: Iterable[str]) -> list[str]:
    """Array indexes by their number, then the other names as they came."""
    return sorted(names, key=lambda name: int(name) if _is_index(name) else _LAST_INDEX + 1)


def _is_index(name: str) -> bool:
    return _INDEX.fullmatch(name) is not None and int(name) <= _LAST_INDEX


def _js_number(text: str) -> str:
    """A JSON number as JavaScript prints its nearest double (ECMA-262, `Number::toString`)."""
    if len(text) <= _SAFE_DIGITS and text.isdigit():
        return text
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if match is None:
        raise BadJson(f"a number of {len(text)} characters, expected at most {_LONGEST_NUMBER}")
    sign, whole, fraction, exponent = match.groups(default="")
    digits = (whole + fraction).lstrip("0")
    # The number is 0.DIGITS times ten to the power of `point`.
    point = len(digits) - len(fraction) + int(exponent or "0")
    digits = digits.rstrip("0")
    if not digits:
        return "0"
    if len(digits) > _SAFE_DIGITS or not _DENSE < point < 300:
        digits, point = _as_double(digits, point)
    return sign + _js_spelled(digits, point) if digits else "0"


def _js_spelled(digits: str, point: int) -> str:
    """The number 0.DIGITS times ten to the power of *point*, plainly or with an exponent."""
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    mantissa = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
    return f"{mantissa}e{point - 1:+d}"


def _as_double(digits: str, point: int) -> tuple[str, int]:
    """The shortest digits that stand for the same double, and their point; none for zero.

    Of several that are equally short the one nearest to the double. All in whole numbers.
    """
    if point < -325:
        return "", 0
    # An exponent far out of range is not worth its power of ten.
    double = _nearest(int(digits), min(point, 310) - len(digits))
    if double[1] > _LARGEST_EXPONENT:
        raise BadJson("a number that is larger than any double")
    if not double[0]:
        return "", 0
    for length in range(_SAFE_DIGITS if point > _DENSE else 1, _MOST_DIGITS + 1):
        power = point - length
        for candidate in _around(double, power):
            if _nearest(candidate, power) == double:
                found = str(candidate)
                return found.rstrip("0"), len(found) + power
    raise BadJson("a number that no double is near to")


def _nearest(coefficient: int, power: int) -> tuple[int, int]:
    """The double nearest to `coefficient * 10**power`, as (m, e) of m * 2**e; even on a tie."""
    above, below = _fraction(coefficient, 10, power)
    exponent = max(above.bit_length() - below.bit_length() - _BITS, _LEAST_EXPONENT)
    if _over(above, below, exponent)[0] >> _BITS:
        exponent += 1
    whole, rest, scale = _over(above, below, exponent)
    whole += 2 * rest > scale or (2 * rest == scale and whole & 1)
    if whole >> _BITS:
        whole, exponent = whole >> 1, exponent + 1
    return whole, exponent


def _over(above: int, below: int, exponent: int) -> tuple[int, int, int]:
    """The whole part of `above / below / 2**exponent`, the rest, and what that is a part of."""
    top, scale = above << max(-exponent, 0), below << max(exponent, 0)
    return *divmod(top, scale), scale


def _around(double: tuple[int, int], power: int) -> tuple[int, int]:
    """The multiples of `10**power` next to a double, the nearer (on a tie the even) one first."""
    above, below = _fraction(double[0], 2, double[1])
    scale, unit = _fraction(below, 10, power)
    whole, rest = divmod(above * unit, scale)
    up = 2 * rest > scale or (2 * rest == scale and whole & 1)
    return (whole + 1, whole) if up else (whole, whole + 1)


def _fraction(coefficient: int, base: int, power: int) -> tuple[int, int]:
    """`coefficient * base**power` as two whole numbers, one over the other."""
    return (coefficient * base**power, 1) if power >= 0 else (coefficient, base**-power)
