"""The reading side of the PostgreSQL store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seamline.ledger.columns import Row
from seamline.ledger.postgres.links import Link
from seamline.ledger.postgres.migrate import usable_version
from seamline.ledger.postgres.tables import SQL, PostgresTables
from seamline.ledger.reader import TableReader
from seamline.money import Currencies

#: Rows that an audit fetches at a time.
FETCH = 10_000


class PostgresReader(TableReader):
    """What was committed. Used by one thread at a time."""

    def __init__(self, link: Link, currencies: Currencies) -> None:
        super().__init__(PostgresTables(lambda: link.connection), currencies)
        self.link = link

    def schema(self) -> int:
        """The version of the schema, as far as this program can tell and need care."""
        return usable_version(self.link.connection)

    def stream(self, names: Sequence[str]) -> Iterator[tuple[str, Row]]:
        """Rows of named audit queries, each with the query's name, in one snapshot."""
        db = self.link.connection
        with db.transaction():
            db.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for name in names:
                with db.cursor(name, binary=True) as cursor:
                    cursor.itersize = FETCH
                    cursor.execute(SQL[name])
                    for row in cursor:
                        yield name, row
