"""The bodies of replies as the settings have them: filled here, and read back by the other end.

A template is JSON in which `$name` stands for a canonical field. Where a value is `$name` and
nothing else, the field keeps its type; within a longer text it is written out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from operator import itemgetter

from seamline.dialects.loyaltygyre.fields import AMOUNTS
from seamline.money import Amount, BadQuantity, Quantity

#: A JSON value of the settings or of a reply.
Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
Values = Mapping[str, bool | str | None]
#: Makes a reply's body of the values, all of the call's being there.
Fill = Callable[[Values], Json]

_NAME = re.compile(r"\$([a-z_]+)")


def credits_text(balance: Amount, decimals: int) -> str:
    """The shortest plain decimal, rounded down, without a sign: `102.9`, `100`, `0`."""
    return shortest(balance.text(decimals)) if balance.units > 0 else "0"


def shortest(text: str) -> str:
    """A plain decimal without superfluous zeros ("Generating the Signature": as numbers print)."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def check(template: object, known: tuple[str, ...], key: str) -> None:
    """Raise `ValueError`, naming the *key*, unless the template is JSON about *known* fields."""
    if isinstance(template, Mapping):
        for name, each in template.items():
            check(each, known, f"{key}.{name}")
    elif isinstance(template, list | tuple):
        for index, each in enumerate(template):
            check(each, known, f"{key}[{index}]")
    elif isinstance(template, str):
        for name in _NAME.findall(template):
            if name not in known:
                choice = ", ".join(f"${each}" for each in known)
                raise ValueError(f"{key}: expected one of {choice}, got ${name}")
    elif not isinstance(template, bool | int | None):
        detail = "expected text, a whole number, true or false, a list or a table"
        raise ValueError(f"{key}: {detail}")  # noqa: TRY004 - a setting is at fault, not a caller


def compiled(template: object, places: int) -> Fill:
    """What fills the template's names in; with *places* amounts become whole numbers."""
    if isinstance(template, str):
        return _text(template, places)
    if isinstance(template, Mapping):
        return _table({name: compiled(each, places) for name, each in template.items()})
    if isinstance(template, list | tuple):
        parts = [compiled(each, places) for each in template]
        return lambda values: [part(values) for part in parts]
    return lambda _: template  # type: ignore[return-value]


def _table(parts: Mapping[str, Fill]) -> Fill:
    pairs = tuple(parts.items())
    return lambda values: {name: part(values) for name, part in pairs}


def _text(text: str, places: int) -> Fill:
    whole = _NAME.fullmatch(text)
    if whole is not None:
        name = whole[1]
        if places and name in AMOUNTS:
            return lambda values: _value(name, values, places)
        return itemgetter(name)
    if "$" not in text:
        return lambda _: text
    return lambda values: _NAME.sub(lambda found: _written(_value(found[1], values, places)), text)


def _value(name: str, values: Values, places: int) -> Json:
    found = values[name]
    if places and name in AMOUNTS and isinstance(found, str):
        amount = Quantity.parse(found)
        # Amounts have at most the decimals of credits; what the scale cannot hold is cut off.
        spare = places - amount.places
        units: int = amount.coefficient * 10**spare if spare >= 0 else _cut(amount, -spare)
        return units
    return found


def _cut(amount: Quantity, places: int) -> int:
    units: int = amount.coefficient // 10**places
    return units


def _written(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def match(template: object, given: object, places: int) -> dict[str, object] | None:
    """The fields that a reply tells by that template; None when it is another reply."""
    found: dict[str, object] = {}
    return found if _matches(template, given, places, found) else None


def _matches(template: object, given: object, places: int, found: dict[str, object]) -> bool:
    if isinstance(template, str):
        whole = _NAME.fullmatch(template)
        if whole is None:
            return "$" in template or template == given
        found[whole[1]] = _unscaled(whole[1], given, places)
        return True
    if isinstance(template, Mapping):
        return isinstance(given, Mapping) and all(
            name in given and _matches(each, given[name], places, found)
            for name, each in template.items()
        )
    if isinstance(template, list | tuple):
        if not isinstance(given, list) or len(given) != len(template):
            return False
        pairs = zip(template, given, strict=True)
        return all(_matches(each, part, places, found) for each, part in pairs)
    return type(template) is type(given) and template == given


def _unscaled(name: str, given: object, places: int) -> object:
    """An amount as exact decimal text, or None where it is none."""
    if name not in AMOUNTS:
        return given
    if places and type(given) is int and given >= 0:
        return str(Quantity(given, places).shortest())
    if isinstance(given, str) and not places:
        try:
            return str(Quantity.parse(given))
        except BadQuantity:
            return None
    return None
