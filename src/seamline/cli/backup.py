"""`seamline backup`: a copy of the ledger while the gateway runs, and its audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seamline.cli.assembly import ledger_path
from seamline.cli.audit import audited
from seamline.cli.failure import Failure
from seamline.cli.shell import DEFAULT, Config, say, settings_of
from seamline.ledger.sqlite.store import backup, connect
from seamline.ledger.store import StoreError


def command(
    target: Annotated[Path, Parameter(help="The new file; one that exists is never overwritten.")],
    /,
    *,
    config: Config = DEFAULT,
) -> int:
    """Copy the ledger while the gateway runs, and audit the copy.

    The exit code is 1 when the copy is not clean; it is kept, to be looked at.
    """
    settings = settings_of(config)
    source = ledger_path(settings)
    if not source.exists():
        raise StoreError(f"no ledger at {source}")
    if not target.parent.is_dir():
        raise Failure(f"{target.parent}: no such folder; make it first", code=2)
    backup(source, target)
    target.chmod(0o600)
    say(f"{source} copied to {target}, {target.stat().st_size} bytes")
    try:
        return audited(target, settings.currencies, quiet=False)
    finally:
        _tidy(target)


def _tidy(target: Path) -> None:
    """Leave one file: a connection that may write takes the log away when it closes."""
    connection = connect(target)
    connection.pragma("user_version")
    connection.close()
