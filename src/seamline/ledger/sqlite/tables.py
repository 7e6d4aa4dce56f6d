"""Plain statements on SQLite."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import cast

import apsw

from seamline.ledger.columns import Cells, Row, Value
from seamline.ledger.sql import queries
from seamline.ledger.tables import Bound

SQL = queries(__package__)


class SqliteTables:
    """The statements of `queries.sql` on one connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._run = connection.cursor().execute
        self._many = connection.cursor().executemany

    def rows(self, name: str, *bound: Bound) -> Sequence[Row]:
        """Everything that a query finds."""
        return self._run(SQL[name], tuple(map(_binding, bound))).fetchall()

    def change(self, name: str, rows: Collection[Cells]) -> int:
        """Run a statement for each of the rows; how many rows of its table that changed."""
        before = self._db.total_changes()
        self._many(SQL[name], rows)
        return self._db.total_changes() - before


def _binding(bound: Bound) -> Value:
    """A value as it is; a list as the table that `carray` makes of it."""
    if not isinstance(bound, list):
        return bound
    numbers = bool(bound) and isinstance(bound[0], int)
    listed = array("q", cast("list[int]", bound)) if numbers else tuple(bound)
    return cast("Value", apsw.carray(listed))
