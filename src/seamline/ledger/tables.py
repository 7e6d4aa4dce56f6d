"""What a backend's tables offer to those who work on them with plain statements, row by row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from seamline.ledger.columns import Cells, Row, Value

#: What is bound to a place of a statement: a value, or a list of them that is joined like a table.
Bound = Value | list[int] | list[str]


class Tables(Protocol):
    """Statements by their names in the backend's `queries.sql`, run in the caller's transaction."""

    def rows(self, name: str, *bound: Bound) -> Sequence[Row]:
        """Everything that a query finds."""

    def change(self, name: str, rows: Collection[Cells]) -> int:
        """Run a statement for each of the rows; how many rows of its table that changed."""
