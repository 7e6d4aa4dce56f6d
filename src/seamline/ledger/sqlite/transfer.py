"""The two ends of a transfer that are ledger files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

import apsw

from seamline.ledger.columns import Cells
from seamline.ledger.sql import queries
from seamline.ledger.sqlite.reader import SqliteReader
from seamline.ledger.sqlite.store import appear, connect, locked, migrate, open_reader
from seamline.ledger.store import StoreError
from seamline.ledger.transfer import TABLES, Table
from seamline.money import Currencies

SQL = queries(__package__) | queries(__package__, "transfer.sql")

#: Pages in the log after which the writing connection copies it itself; no bets wait for it.
CHECKPOINT_PAGES = 8_000


class _End:
    """One end of a transfer: rows by table and key."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection

    def rows(self, table: Table, after: Cells) -> Iterator[Cells]:
        """The rows of a table after a key, in the order of the key."""
        return cast("Iterator[Cells]", self._db.cursor().execute(_filled("read", table), after))

    def _value(self, name: str) -> object:
        """The only value of the only row that a query finds, or None."""
        row = self._db.execute(SQL[name]).fetchone()
        return None if row is None else row[0]


class SqliteSource(_End):
    """A ledger file that nobody writes to, read as of one moment."""

    def state(self) -> str:
        """Another text whenever the wallet has moved on."""
        return repr(self._db.execute(SQL["state"]).fetchone())


class SqliteTarget(_End):
    """A ledger file that is filled."""

    def __init__(self, connection: apsw.Connection, currencies: Currencies) -> None:
        super().__init__(connection)
        self._currencies = currencies

    def mark(self) -> str | None:
        """What an unfinished transfer noted of its source; None when there is none."""
        return cast("str", self._value("mark")) if self._value("has_transfer") else None

    def begin(self, state: str) -> None:
        """Remove every row, and note that a transfer of such a source is under way."""
        with self._db:
            for table in reversed(TABLES):
                self._db.execute(SQL["clear"].format(table=table.name))
            self._db.execute(SQL["make_mark"])
            self._db.execute(SQL["empty_mark"])
            self._db.execute(SQL["note_mark"], (state,))

    def last(self, table: Table) -> Cells | None:
        """The largest key of a table."""
        return cast("Cells | None", self._db.execute(_filled("last", table)).fetchone())

    def write(self, table: Table, rows: Sequence[Cells]) -> None:
        """Add rows, all of them or none, and return when they are durable."""
        with self._db:
            self._db.executemany(_filled("put", table, marks=len(table.columns)), rows)

    def reader(self) -> SqliteReader:
        """What was written so far, for an audit."""
        return SqliteReader(self._db, self._currencies)

    def finish(self) -> None:
        """Remove the mark: the wallet is whole. New ids are counted from those that are there."""
        self._db.execute(SQL["drop_mark"])


def _filled(name: str, table: Table, *, marks: int = 0) -> str:
    """A statement for one table."""
    return SQL[name].format(
        table=table.name,
        columns=", ".join(table.columns),
        key=", ".join(table.key),
        backwards=", ".join(f"{column} DESC" for column in table.key),
        marks=", ".join("?" * (marks or len(table.key))),
    )


@contextmanager
def source(path: Path, currencies: Currencies) -> Iterator[SqliteSource]:
    """A file to move from. Its lock is held, so that no gateway writes to it meanwhile."""
    # A reader first: where there is no ledger, or an older one, that is said.
    open_reader(path, currencies).close()
    with locked(path), closing(connect(path, read_only=True)) as connection, connection:
        yield SqliteSource(connection)


@contextmanager
def target(path: Path, currencies: Currencies) -> Iterator[SqliteTarget]:
    """A file to move to, made when there is none. Its lock is held."""
    if not path.parent.is_dir():
        raise StoreError(f"{path.parent}: no such folder; make it first")
    with locked(path), closing(connect(path)) as connection:
        connection.pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        migrate(connection, moving=True)
        yield SqliteTarget(connection, currencies)


@contextmanager
def new_file(path: Path, currencies: Currencies) -> Iterator[SqliteTarget]:
    """A file to copy to, which appears when the block has ended well, whole, or not at all."""
    with appear(path) as part, closing(connect(part)) as connection:
        migrate(connection)
        yield SqliteTarget(connection, currencies)
