"""The schema of a PostgreSQL ledger: its version, and the numbered steps to the newest one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import cast

import psycopg

from seamline.ledger.postgres.tables import Connection, PostgresTables
from seamline.ledger.store import UNFINISHED, StoreError, check_scales
from seamline.money import Currencies

#: The oldest server that has all that the queries use (`server_version_num`).
OLDEST_SERVER = 140_000


def migrate(connection: Connection, *, moving: bool = False) -> tuple[int, int]:
    """Apply the migrations that the database lacks; the versions before and after.

    Under an advisory lock: of several gateways that start at once, one does it. A database that a
    transfer has not finished is refused, but to the transfer itself (*moving*).
    """
    tables = PostgresTables(lambda: connection)
    with connection.transaction():
        tables.rows("lock_set_up")
        if not moving:
            _check_whole(tables)
        found, newest = usable_version(connection), max(known())
        if found > newest:
            raise StoreError(
                f"the ledger has schema {found}, this program knows {newest}: use a newer Seamline"
            )
        if found != newest:
            _apply(connection, range(found + 1, newest + 1))
            tables.change("forget_versions", [()])
            tables.change("note_version", [(newest, _oldest())])
    return found, newest


def _apply(connection: Connection, versions: Iterable[int]) -> None:
    """Run the migrations; whoever reads for long is not waited for, as all bets would wait too."""
    PostgresTables(lambda: connection).rows("bound_migration")
    try:
        for version in versions:
            connection.execute(known()[version].encode())
    except psycopg.errors.LockNotAvailable as error:
        raise StoreError(
            "the schema cannot be changed while somebody holds its tables: start again when the "
            "audits, backups and dumps of this database have ended"
        ) from error


def _oldest() -> int:
    """The oldest version that a program may know beside the newest schema."""
    contracts = (number for number, text in known().items() if text.startswith("-- contract"))
    return max(contracts, default=1)


def usable_version(connection: Connection) -> int:
    """The version of the schema; this program's own, where what came after that only adds."""
    found, newest = stored_version(connection), max(known())
    if found <= newest:
        return found
    ((oldest,),) = PostgresTables(lambda: connection).rows("oldest_version")
    return newest if cast("int", oldest) <= newest else found


def stored_version(connection: Connection) -> int:
    """The version of the schema in the database; 0 where there is none."""
    tables = PostgresTables(lambda: connection)
    if not tables.rows("has_schema")[0][0]:
        return 0
    return cast("int", tables.rows("stored_version")[0][0])


def check_schema(connection: Connection) -> None:
    """Refuse a database whose ledger this program cannot read, or that has none."""
    _check_whole(PostgresTables(lambda: connection))
    found, newest = stored_version(connection), max(known())
    if not found:
        raise StoreError("no ledger in the database yet; `seamline serve` or `migrate` makes it")
    if found != newest:
        raise StoreError(
            f"the database has schema {found}, this program reads {newest}: run `seamline migrate`"
        )


def _check_whole(tables: PostgresTables) -> None:
    """Refuse a database in which only a part of a wallet is so far."""
    if tables.rows("has_transfer")[0][0]:
        raise StoreError(UNFINISHED)


def known() -> Mapping[int, str]:
    """The migrations by number."""
    folder = files(__package__).joinpath("migrations")
    return {
        int(file.name[:4]): file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }


def check_server(connection: Connection) -> None:
    """Refuse a server that is too old, that only reads, or that says "done" too early."""
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        oldest = OLDEST_SERVER // 10_000
        raise StoreError(f"PostgreSQL {version // 10_000} is too old, expected {oldest} or newer")
    if connection.execute(b"SELECT pg_is_in_recovery()").fetchone() == (True,):
        raise StoreError(
            "the server is a read-only replica, expected the leader: name all hosts in store.url, "
            "with target_session_attrs=read-write"
        )
    if connection.execute(b"SHOW synchronous_commit").fetchone() == ("off",):
        raise StoreError(
            "synchronous_commit is off, so bets that were answered can be lost: turn it on, "
            "wherever it is off (the server, the database, the user, or the URL)"
        )


def keep_scales(connection: Connection, currencies: Currencies) -> None:
    """Note each currency's scale at its first use; refuse one that changed under stored units."""
    tables = PostgresTables(lambda: connection)
    with connection.transaction():
        tables.rows("lock_set_up")
        stored = dict(cast("list[tuple[str, int]]", tables.rows("all_currencies")))
        check_scales(stored, currencies)
        new = [(code, each.scale) for code, each in currencies.items() if code not in stored]
        tables.change("insert_currency", new)
