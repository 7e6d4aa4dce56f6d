"""`seamline backup`: a copy of the ledger while the gateway runs, and its audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seamline.cli.assembly import place
from seamline.cli.audit import audited
from seamline.cli.failure import Failure
from seamline.cli.shell import DEFAULT, Config, say, settings_of
from seamline.cli.stores import LedgerFile
from seamline.ledger.sqlite.store import connect


def command(
    target: Annotated[Path, Parameter(help="The new file; one that exists is never overwritten.")],
    /,
    *,
    config: Config = DEFAULT,
) -> int:
    """Copy the ledger while the gateway runs, and audit the copy.

    The copy is a file for `sqlite:///`, also of a ledger on PostgreSQL, of
    which it holds everything as of one moment.

    The exit code is 1 when the copy is not clean; it is kept, to be looked at.
    """
    settings = settings_of(config)
    source = place(settings)
    if not target.parent.is_dir():
        raise Failure(f"{target.parent}: no such folder; make it first", code=2)
    source.backup(target, settings.currencies)
    target.chmod(0o600)
    say(f"{source.name} copied to {target}, {target.stat().st_size} bytes")
    try:
        with LedgerFile(target).reader(settings.currencies) as reader:
            return audited(reader, quiet=False)
    finally:
        _tidy(target)


def _tidy(target: Path) -> None:
    """Leave one file: a connection that may write takes the log away when it closes."""
    connection = connect(target)
    connection.pragma("user_version")
    connection.close()
