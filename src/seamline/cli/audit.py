"""`seamline audit`: the laws of the books, proved again over every stored row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from cyclopts import Parameter

from seamline.cli.assembly import place
from seamline.cli.shell import DEFAULT, Config, progress, say, settings_of
from seamline.ledger.audit import Findings, Law, audit
from seamline.ledger.store import Reader


def command(
    *,
    config: Config = DEFAULT,
    quiet: Annotated[bool, Parameter(help="Say nothing unless a law is broken.")] = False,
) -> int:
    """Prove the laws of the books again, over every stored row.

    Reads one snapshot, beside a running gateway. The exit code is 1 when a law
    is broken; then the first wrong row is named.
    """
    settings = settings_of(config)
    with place(settings).reader(settings.currencies) as reader:
        return audited(reader, quiet=quiet)


def audited(reader: Reader, *, quiet: bool) -> int:
    """Audit a ledger and say what was found. Returns the exit code."""
    with progress("transactions") as count:
        findings = audit(reader, progress=count)
    drift = reader.drift()
    if findings.clean and not any(drift.values()):
        if not quiet:
            _say_all(findings, drift)
        return 0
    _say_all(findings, drift)
    if findings.first is not None:
        say(("first wrong row", "bold red"), f"  {findings.first}")
    say("Stop the gateway, keep a copy of the ledger, and compare it with the last good backup.")
    return 1


def _say_all(findings: Findings, drift: Mapping[str, int]) -> None:
    say(f"{findings.transactions} transactions, {findings.accounts} accounts")
    for law in Law:
        times = findings.broken.get(law, 0)
        verdict = (f"broken {times} times", "bold red") if times else ("kept", "green")
        say(f"{law.name.lower():<10} ", verdict, f"  {law.value}")
    for currency, units in sorted(drift.items()):
        say(f'seamline_ledger_drift{{currency="{currency}"}} {units}')
