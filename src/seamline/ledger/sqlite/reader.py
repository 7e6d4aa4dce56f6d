"""The reading side of the embedded store: a read-only connection beside the writer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import apsw

from seamline.ledger.columns import Row
from seamline.ledger.reader import TableReader
from seamline.ledger.sqlite.tables import SQL, SqliteTables
from seamline.money import Currencies


class SqliteReader(TableReader):
    """What was committed. Used by one thread at a time."""

    def __init__(self, connection: apsw.Connection, currencies: Currencies) -> None:
        super().__init__(SqliteTables(connection), currencies)
        self._db = connection

    def close(self) -> None:
        """Release the connection."""
        self._db.close()

    def schema(self) -> int:
        """The version of the schema that is stored."""
        return cast("int", self._db.pragma("user_version"))

    def stream(self, names: Sequence[str]) -> Iterator[tuple[str, Row]]:
        """Rows of named audit queries, each with the query's name, in one snapshot."""
        with self._db:
            for name in names:
                for row in self._db.cursor().execute(SQL[name]):
                    yield name, row
