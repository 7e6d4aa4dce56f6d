"""`seamline migrate`: the schema brought up to date, or a wallet moved to another store."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from seamline.cli.assembly import place
from seamline.cli.audit import audited
from seamline.cli.failure import Failure
from seamline.cli.settings import Settings
from seamline.cli.shell import DEFAULT, Config, progress, say, settings_of
from seamline.cli.stores import Place, place_of
from seamline.ledger.transfer import transfer
from seamline.money import Currencies


def command(
    *,
    config: Config = DEFAULT,
    source: Annotated[
        str | None,
        Parameter(name="--from", help="The store to move the wallet from, as a URL."),
    ] = None,
    target: Annotated[
        str | None,
        Parameter(name="--to", help="The store to move the wallet to, as a URL."),
    ] = None,
) -> int:
    """Bring the ledger's schema up to date.

    Stop the gateway first, and make a backup. `seamline serve` does the same
    at its start.

    With --from or --to the whole wallet is moved to another store, audited at
    both ends; the end that is left out is store.url of the settings. Stopped
    in between, the same command goes on. The source stays as it is.
    """
    settings = settings_of(config)
    if source is None and target is None:
        _bring_up_to_date(place(settings), settings.currencies)
        return 0
    from_, to = _end(settings, "--from", source), _end(settings, "--to", target)
    if from_.shown == to.shown:
        raise Failure(f"--from and --to are both {to.name}; name two stores", code=2)
    return _moved(from_, to, settings.currencies)


def _bring_up_to_date(ledger: Place, currencies: Currencies) -> None:
    before = ledger.version()
    ledger.open(currencies).close()
    after = ledger.version()
    if before is None:
        say(f"{ledger.name}: made, with schema {after}")
    elif before == after:
        say(f"{ledger.name}: schema {after} already; nothing to do")
    else:
        say(f"{ledger.name}: schema {before} before, {after} now")


def _end(settings: Settings, option: str, url: str | None) -> Place:
    """The store that an option names, or that of the settings."""
    if url is None:
        return place(settings)
    try:
        return place_of(url)
    except ValueError as error:
        raise Failure(f"{option}: {error}", code=2) from error


def _moved(from_: Place, to: Place, currencies: Currencies) -> int:
    """Move the wallet, if it is clean, and prove the books again where it went."""
    with from_.source(currencies) as source:
        with from_.reader(currencies) as reader:
            if audited(reader, quiet=True):
                say(f"{from_.name} is not clean; nothing was moved")
                return 1
        with to.target(currencies) as target:
            with progress("rows copied") as count:
                counts = transfer(source, target, progress=count)
            if audited(target.reader(), quiet=True):
                say(f"{to.name} is not clean, and stays unfinished")
                return 1
            target.finish()
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    say(f"{from_.name} moved to {to.name}: {told}")
    say("The same rows are at both ends, and every law is kept in both.")
    return 0
