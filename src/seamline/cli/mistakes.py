"""Words for a mistake in the settings: where it is, what stands there, what was expected.

msgspec says "Expected `int`, got `str` - at `$.port`". A person who edits a TOML file wants the key
as it is written there and the value that stands there; and nobody wants a secret's text in it.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from seamline.dialects.dialect import Secret

#: What a secret may be written as.
SECRET = "a secret (env:NAME, file:PATH or the text itself)"  # noqa: S105 - says what one looks like

_WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "array": "a list",
    "object": "a table",
}
_KINDS = {bool: "bool", int: "int", float: "float", str: "str", list: "array", dict: "object"}
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_MISSING = re.compile(r"Object missing required field `(.+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.+)`")
_EXPECTED = re.compile(r"Expected `([^`]+)`(?:, got `[^`]+`)?(.*)", re.DOTALL)

#: Resolves the values of types that are not TOML's own.
Hook = Callable[[type, object], object]


def explained(
    message: str, table: object, shape: object, *, key: str, hook: Hook
) -> tuple[str, str]:
    """The key that does not fit, below *key*, and what is wrong with it."""
    what, _, path = message.rpartition(" - at `$")
    steps = _STEP.findall(path.rstrip("`")) if what else []
    what = what or message
    value, shape, below = _walk(table, shape, steps, hook)
    at = key + below
    if missing := _MISSING.fullmatch(what):
        field = missing[1]
        return f"{at}.{field}", f"missing; expected {wanted(fields(shape)[field])}"
    if unknown := _UNKNOWN.fullmatch(what):
        return f"{at}.{unknown[1]}", f"no such setting; expected one of {', '.join(fields(shape))}"
    if what.startswith("Invalid enum value"):
        return at, f"expected {wanted(shape)}, got {shown(value)}"
    if expected := _EXPECTED.fullmatch(what):
        words = _WORDS.get(expected[1].removesuffix(" | null"), expected[1]) + expected[2]
        return at, f"expected {words}, got {kind(value) if _secret(shape) else shown(value)}"
    field, _, rest = what.partition(": ")
    return (f"{at}.{field}", rest) if field in fields(shape) else (at, what)


def fields(shape: object) -> Mapping[str, object]:
    """The keys of a table of that shape, with the shape of each."""
    bare = _bare(shape)
    if not (isinstance(bare, type) and issubclass(bare, msgspec.Struct)):
        return {}
    return {field.encode_name: field.type for field in msgspec.structs.fields(bare)}


def wanted(shape: object) -> str:
    """What a value of that shape is called."""
    bare = _bare(shape)
    if bare is Secret:
        return SECRET
    if typing.get_origin(bare) is Literal:
        return "one of " + ", ".join(map(str, typing.get_args(bare)))
    made = typing.get_origin(bare) or bare
    if not isinstance(made, type):
        return "a value"
    if issubclass(made, msgspec.Struct | Mapping):
        return _WORDS["object"]
    if made is not str and issubclass(made, Sequence | frozenset):
        return _WORDS["array"]
    return _WORDS.get(made.__name__, "a value")


def kind(value: object) -> str:
    """What sort of value it is, without the value."""
    return _WORDS[_KINDS[type(value)]] if type(value) in _KINDS else "a date or time"


def shown(value: object) -> str:
    """The value as the file has it, cut to a readable length; tables and lists by their kind."""
    if isinstance(value, dict | list):
        return kind(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else f'"{value[:60]}..."'
    return str(value)


def _walk(
    value: object, shape: object, steps: list[tuple[str, str]], hook: Hook
) -> tuple[object, object, str]:
    """Follow msgspec's path through the value and its shape, and write it with real keys."""
    written = ""
    for name, index in steps:
        if index.isdigit():
            value, shape = typing.cast(list[object], value)[int(index)], _item(shape)
            written += f"[{index}]"
            continue
        table = typing.cast(Mapping[str, object], value)
        shape = fields(shape).get(name, object) if name else typing.get_args(_bare(shape))[1]
        step = name or _culprit(table, shape, hook)
        value = table.get(step)
        written += f".{step}"
    return value, shape, written


def _culprit(table: Mapping[str, object], shape: object, hook: Hook) -> str:
    """The first key whose value does not fit: msgspec calls every key of a mapping `[...]`."""
    for key, value in table.items():
        try:
            msgspec.convert(value, shape, dec_hook=hook)
        except msgspec.ValidationError:
            return key
    return "?"


def _bare(shape: object) -> object:
    """The shape without its constraints, and without "or nothing"."""
    if typing.get_origin(shape) is Annotated:
        return _bare(typing.get_args(shape)[0])
    if typing.get_origin(shape) in {typing.Union, types.UnionType}:
        return _bare(next(arm for arm in typing.get_args(shape) if arm is not types.NoneType))
    return shape


def _item(shape: object) -> object:
    """The shape of a list's items."""
    return next(iter(typing.get_args(_bare(shape))), object)


def _secret(shape: object) -> bool:
    """Whether a secret may stand there; where anything may stand, one may."""
    bare = _bare(shape)
    inner = (*typing.get_args(bare), *fields(bare).values())
    return bare in {Secret, object, Any} or any(_secret(part) for part in inner if part is not ...)
