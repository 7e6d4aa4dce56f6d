"""`seamline migrate`: the ledger's schema, brought up to date."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from seamline.cli.assembly import ledger_path, open_store
from seamline.cli.shell import DEFAULT, Config, say, settings_of
from seamline.ledger.sqlite.store import connect


def command(*, config: Config = DEFAULT) -> None:
    """Bring the ledger's schema up to date.

    Stop the gateway first, and make a backup. `seamline serve` does the same
    at its start.
    """
    settings = settings_of(config)
    path = ledger_path(settings)
    before = schema_version(path)
    open_store(settings).close()
    after = schema_version(path)
    if before is None:
        say(f"{path}: made, with schema {after}")
    elif before == after:
        say(f"{path}: schema {after} already; nothing to do")
    else:
        say(f"{path}: schema {before} before, {after} now")


def schema_version(path: Path) -> int | None:
    """The version of the schema in the file, or None when there is no file."""
    if not path.exists():
        return None
    connection = connect(path, read_only=True)
    try:
        return cast("int", connection.pragma("user_version"))
    finally:
        connection.close()
