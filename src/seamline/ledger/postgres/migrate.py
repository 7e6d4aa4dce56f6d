"""The schema of a PostgreSQL ledger: its version, and the numbered steps to the newest one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import cast

from seamline.ledger.postgres.tables import Connection, PostgresTables
from seamline.ledger.store import StoreError, check_scales
from seamline.money import Currencies

#: The oldest server that has all that the queries use (`server_version_num`).
OLDEST_SERVER = 140_000


def migrate(connection: Connection) -> tuple[int, int]:
    """Apply the migrations that the database lacks; the versions before and after.

    Under an advisory lock: of several gateways that start at once, one does it.
    """
    tables = PostgresTables(lambda: connection)
    with connection.transaction():
        tables.rows("lock_set_up")
        found, newest = stored_version(connection), max(known())
        if found > newest:
            raise StoreError(
                f"the ledger has schema {found}, this program knows {newest}: use a newer Seamline"
            )
        for version in range(found + 1, newest + 1):
            connection.execute(known()[version].encode())
        if found != newest:
            tables.change("forget_versions", [()])
            tables.change("note_version", [(newest,)])
    return found, newest


def stored_version(connection: Connection) -> int:
    """The version of the schema in the database; 0 where there is none."""
    tables = PostgresTables(lambda: connection)
    if not tables.rows("has_schema")[0][0]:
        return 0
    return cast("int", tables.rows("stored_version")[0][0])


def known() -> Mapping[int, str]:
    """The migrations by number."""
    folder = files(__package__).joinpath("migrations")
    return {
        int(file.name[:4]): file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }


def check_server(connection: Connection) -> None:
    """Refuse a server that is too old, or that only reads."""
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        oldest = OLDEST_SERVER // 10_000
        raise StoreError(f"PostgreSQL {version // 10_000} is too old, expected {oldest} or newer")
    if connection.execute(b"SELECT pg_is_in_recovery()").fetchone() == (True,):
        raise StoreError(
            "the server is a read-only replica, expected the leader: name all hosts in store.url, "
            "with target_session_attrs=read-write"
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
