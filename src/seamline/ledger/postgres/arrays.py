"""Columns of rows as PostgreSQL's array literals: one parameter per column, however many rows.

The text form, since its type never depends on the values: a list of small numbers and a list of
large ones are the same prepared statement. (PostgreSQL manual, "Array Input and Output Syntax")
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import cast

from seamline.ledger.columns import Cells, Value


def literals(rows: Collection[Cells]) -> tuple[str, ...]:
    """The columns of the rows, each as one array."""
    return tuple(map(literal, zip(*rows, strict=True)))


def literal(values: Iterable[Value]) -> str:
    """An array of values: numbers, texts or bytes, and NULL for None."""
    return "{" + ",".join([_ITEM[type(value)](value) for value in values]) + "}"


def _text(value: Value) -> str:
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bytes(value: Value) -> str:
    return f'"\\\\x{cast("bytes", value).hex()}"'


def _null(_: Value) -> str:
    return "NULL"


#: By type: a batch has some sixty values per bet, and asking one by one took twice as long.
_ITEM: Mapping[type, Callable[[Value], str]] = {
    int: str,
    str: _text,
    bytes: _bytes,
    type(None): _null,
}
