"""Columns of rows as PostgreSQL's array literals: one parameter per column, however many rows.

The text form, since its type never depends on the values: a list of small numbers and a list of
large ones are the same prepared statement. (PostgreSQL manual, "Array Input and Output Syntax")
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import cast

from seamline.ledger.columns import Cells, Value


def literals(rows: Collection[Cells]) -> tuple[str, ...]:
    """The columns of the rows, each as one array."""
    return tuple(map(literal, zip(*rows, strict=True)))


def literal(values: Iterable[Value]) -> str:
    """An array of values: numbers, texts or bytes, and NULL for None."""
    column = tuple(values)
    kinds = set(map(type, column))
    if len(kinds) == 1:
        items = _ITEMS[kinds.pop()](column)
    else:
        items = ",".join([_ITEMS[type(value)]((value,)) for value in column])
    return "{" + items + "}"


def _texts(values: Sequence[Value]) -> str:
    texts = cast("Sequence[str]", values)
    items = '","'.join(texts)
    if "\\" in items or items.count('"') != 2 * (len(texts) - 1):
        items = '","'.join([each.replace("\\", "\\\\").replace('"', '\\"') for each in texts])
    return f'"{items}"'


def _bytes(values: Sequence[Value]) -> str:
    return '"\\\\x' + '","\\\\x'.join(map(bytes.hex, cast("Sequence[bytes]", values))) + '"'


def _numbers(values: Sequence[Value]) -> str:
    return str([*values])[1:-1]


def _nulls(values: Sequence[Value]) -> str:
    return ",".join(["NULL"] * len(values))


#: A column at a time by the type of its values: a batch has some sixty of them per bet.
_ITEMS: Mapping[type, Callable[[Sequence[Value]], str]] = {
    int: _numbers,
    str: _texts,
    bytes: _bytes,
    type(None): _nulls,
}
