"""Plain statements on PostgreSQL, and connections for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

import psycopg
from psycopg.rows import TupleRow

from seamline.ledger.columns import Cells, Row
from seamline.ledger.sql import queries
from seamline.ledger.tables import Bound

SQL = {name: text.encode() for name, text in queries(__package__).items()}

Connection: TypeAlias = psycopg.Connection[TupleRow]


class PostgresTables:
    """The statements of `queries.sql` on the connection of a link, whichever that is by now."""

    def __init__(self, link: Callable[[], Connection]) -> None:
        self._link = link

    def rows(self, name: str, *bound: Bound) -> Sequence[Row]:
        """Everything that a query finds."""
        return self._link().execute(SQL[name], bound or None, binary=True).fetchall()

    def change(self, name: str, rows: Collection[Cells]) -> int:
        """Run a statement for each of the rows; how many rows of its table that changed."""
        db = self._link()
        return sum(db.execute(SQL[name], row or None).rowcount for row in rows)
