"""The commands, one thin file each, with `settings.py` and `telemetry.py` beside them.

A command's module is imported when it is run, so that `seamline --help` answers at once. A command
returns its exit code: 0 when all is well, 1 when a check failed, 2 when it was used wrongly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

import seamline

if TYPE_CHECKING:
    from cyclopts import App

#: Each command and what it does, in the order of the overview.
COMMANDS: Mapping[str, str] = {
    "demo": "Play bets against a gateway of your own, with nothing to set up.",
    "serve": "Run the gateway until SIGTERM or Ctrl-C.",
    "doctor": "Show all settings and their sources, and check this machine.",
    "migrate": "Bring the ledger's schema up to date.",
    "audit": "Prove the laws of the books again, over every stored row.",
    "backup": "Copy the ledger while the gateway runs, and audit the copy.",
    "sign": "Sign a request as the vendor would.",
    "dialect": "Show what each dialect can do, or begin a new one.",
}


def main() -> NoReturn:
    """Run the command that the arguments name, and end with its exit code."""
    # What a command makes, the ledger first of all, is for its user alone.
    os.umask(0o077)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command; what went wrong is one line on standard error. Returns the exit code."""
    return ended(lambda: _app(arguments)(arguments, exit_on_error=False, print_error=False) or 0)


def ended(work: Callable[[], int]) -> int:
    """The exit code of the work; what went wrong is one line on standard error."""
    try:
        return work()
    except tuple(_expected()) as error:
        code, text = next(
            say(error) for kind, say in _expected().items() if isinstance(error, kind)
        )
        sys.stderr.write(f"seamline: {' '.join(text.split())}\n")
        return code


def _app(arguments: Sequence[str]) -> App:
    from cyclopts import App, Parameter

    # A command's own help is its docstring; the overview must not import them all to read it.
    overview = COMMANDS.keys().isdisjoint(arguments)

    app = App(
        name="seamline",
        help="A seamless wallet gateway: many vendors' protocols, one exactly-once ledger.",
        version=seamline.__version__,
        help_format="plaintext",
        help_formatter="default" if sys.stdout.isatty() else "plain",
        default_parameter=Parameter(negative=()),
        result_action="return_value",
    )
    for place, (name, what) in enumerate(COMMANDS.items()):
        target = f"seamline.cli.{name}:command"
        app.command(target, name=name, help=what if overview else None, sort_key=place)
    return app


def _expected() -> Mapping[type[Exception], Callable[[Exception], tuple[int, str]]]:
    """What may go wrong without a fault of the program: the exit code and the text of each.

    Asked for only when something was raised, so that its imports cost nothing before.
    """
    from apsw import Error as SqliteError
    from cyclopts import CycloptsError

    from seamline.cli.failure import Failure
    from seamline.cli.settings import SettingsError
    from seamline.ledger.store import StoreError, StoreUnavailable

    return {
        CycloptsError: lambda error: (2, f"{error} See `seamline --help`."),
        SettingsError: lambda error: (2, str(error)),
        Failure: lambda error: (getattr(error, "code", 1), str(error)),
        StoreError: lambda error: (1, str(error)),
        StoreUnavailable: lambda error: (1, str(error)),
        SqliteError: lambda error: (1, f"the ledger cannot be used: {error}"),
        OSError: lambda error: (1, str(error)),
    }
