"""Columns of rows as PostgreSQL's array literals: one parameter per column, however many rows.

The text form, since its type never depends on the values: a list of small numbers and a list of
large ones are the same prepared statement. (PostgreSQL manual, "Array Input and Output Syntax")
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from seamline.ledger.columns import Cells, Value


def literals(rows: Collection[Cells]) -> tuple[str, ...]:
    """The columns of the rows, each as one array."""
    return tuple(map(literal, zip(*rows, strict=True)))


def literal(values: Iterable[Value]) -> str:
    """An array of values: numbers, texts or bytes, and NULL for None."""
    return "{" + ",".join(map(_item, values)) + "}"


def _item(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    return str(value)
