"""The two ends of a transfer that are PostgreSQL databases."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import psycopg

from seamline.ledger.columns import Cells, Value
from seamline.ledger.postgres.connect import connected
from seamline.ledger.postgres.directory import BLOCK
from seamline.ledger.postgres.links import Link, said
from seamline.ledger.postgres.migrate import check_schema, migrate
from seamline.ledger.postgres.reader import FETCH, PostgresReader
from seamline.ledger.sql import queries
from seamline.ledger.store import StoreError
from seamline.ledger.transfer import TABLES, Table
from seamline.money import Currencies

SQL = queries(__package__) | queries(__package__, "transfer.sql")

#: Columns that only this backend has, with what a moved row gets there. What batches add at the
#: same time is kept in stripes, and is read added up.
OWN: Mapping[str, tuple[str, Value]] = {"rollups": ("stripe", 0)}


#: How long a server may take to see that a program closed its connections, and how often to look.
LEAVING_MS = 1_000
LOOK_AGAIN_MS = 50


class PostgresSource:
    """A database, read as of one moment: in the one transaction of its link."""

    def __init__(self, link: Link) -> None:
        self._db = link.connection

    def state(self) -> str:
        """Another text whenever the wallet has moved on."""
        return repr(self._db.execute(SQL["state"].encode()).fetchone())

    def rows(self, table: Table, after: Cells) -> Iterator[Cells]:
        """The rows of a table after a key, in the order of the key."""
        name = "read_rollups" if table.name == "rollups" else "read"
        # In a transaction of its own, or a part of the one that is open.
        cursor = psycopg.RawServerCursor(self._db, f"rows_of_{table.name}")
        with self._db.transaction(), cursor as found:
            found.itersize = FETCH
            found.execute(_filled(name, table), after, binary=True)
            yield from cast("Iterator[Cells]", found)


class PostgresTarget(PostgresSource):
    """A database that is filled."""

    def __init__(self, link: Link, currencies: Currencies) -> None:
        super().__init__(link)
        self._link = link
        self._currencies = currencies

    def mark(self) -> str | None:
        """What an unfinished transfer noted of its source; None when there is none."""
        return cast("str", self._value("mark")) if self._value("has_transfer") else None

    def _value(self, name: str) -> object:
        """The only value of the only row that a query finds, or None."""
        row = self._db.execute(SQL[name].encode()).fetchone()
        return None if row is None else row[0]

    def begin(self, state: str) -> None:
        """Remove every row, and note that a transfer of such a source is under way."""
        with self._db.transaction():
            self._run("make_mark", "empty_mark", "clear")
            self._db.execute(SQL["note_mark"].encode(), (state,))

    def _run(self, *names: str) -> None:
        for name in names:
            self._db.execute(SQL[name].format(tables=_ALL).encode())

    def last(self, table: Table) -> Cells | None:
        """The largest key of a table."""
        return cast("Cells | None", self._db.execute(_filled("last", table)).fetchone())

    def write(self, table: Table, rows: Sequence[Cells]) -> None:
        """Add rows, all of them or none, and return when they are durable."""
        own = OWN.get(table.name)
        columns = table.columns if own is None else (*table.columns, own[0])
        more = () if own is None else (own[1],)
        with self._db.cursor() as cursor, cursor.copy(_filled("put", table, columns)) as copy:
            for row in rows:
                copy.write_row((*row, *more))

    def reader(self) -> PostgresReader:
        """What was written so far, for an audit."""
        return PostgresReader(self._link, self._currencies)

    def finish(self) -> None:
        """Let new ids be above all that are there, and remove the mark: the wallet is whole."""
        with self._db.transaction():
            self._run("note_changes", "pass_grants", "pass_alerts", "drop_mark", "analyze")
            self._db.execute(SQL["pass_blocks"].encode(), (BLOCK,))


_ALL = ", ".join(table.name for table in TABLES)


def _filled(name: str, table: Table, columns: Sequence[str] | None = None) -> bytes:
    """A statement for one table."""
    text = SQL[name].format(
        table=table.name,
        columns=", ".join(columns or table.columns),
        key=", ".join(table.key),
        backwards=", ".join(f"{column} DESC" for column in table.key),
        marks=", ".join(f"${number}" for number in range(1, len(table.key) + 1)),
    )
    return text.encode()


@contextmanager
def source(url: str) -> Iterator[PostgresSource]:
    """A database to move from. Nobody can write to its tables meanwhile."""
    with connected(url) as link:
        check_schema(link.connection)
        _check_alone(link, "moved")
        with _snapshot(link, "hold_still") as found:
            yield found


@contextmanager
def snapshot(url: str) -> Iterator[PostgresSource]:
    """A database as of one moment, beside whoever writes to it."""
    with connected(url) as link:
        check_schema(link.connection)
        with _snapshot(link) as found:
            yield found


@contextmanager
def target(url: str, currencies: Currencies) -> Iterator[PostgresTarget]:
    """A database to move to. No other transfer, and no gateway, writes to it meanwhile."""
    with connected(url) as link:
        db = link.connection
        db.execute(SQL["wait_briefly"].encode())
        _check_alone(link, "filled")
        try:
            db.execute(SQL["own"].encode())
        except psycopg.errors.LockNotAvailable as error:
            raise StoreError("another transfer to this database is under way") from error
        migrate(db, moving=True)
        yield PostgresTarget(link, currencies)


def _check_alone(link: Link, what: str) -> None:
    """Refuse a database that gateways have open; one that just stopped may still be listed."""
    asks, stop_s = SQL["gateways"].encode(), time.monotonic() + LEAVING_MS / 1000
    while (count := cast("tuple[int]", link.connection.execute(asks).fetchone())[0]) > 0:
        if time.monotonic() > stop_s:
            raise StoreError(
                f"gateways have the database open ({count} connections named seamline); "
                f"stop them before it is {what}"
            )
        time.sleep(LOOK_AGAIN_MS / 1000)


@contextmanager
def _snapshot(link: Link, *locks: str) -> Iterator[PostgresSource]:
    """One transaction that sees one moment, from when the locks are held."""
    db = link.connection
    db.execute(SQL["wait_briefly"].encode())
    db.execute(SQL["snapshot"].encode())
    try:
        for lock in locks:
            db.execute(SQL[lock].format(tables=_ALL).encode())
    except psycopg.errors.LockNotAvailable as error:
        raise StoreError(f"somebody writes to the database: {said(error)}") from error
    yield PostgresSource(link)
