"""`seamline demo`: a gateway with nothing to set up, and requests to paste."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from socket import socket
from typing import Annotated
from uuid import uuid4

from cyclopts import Parameter

from seamline.cli import telemetry
from seamline.cli.assembly import gateway, place
from seamline.cli.curl import curl
from seamline.cli.serve import bind, loop_factory, serve_gateway, url_of
from seamline.cli.settings import (
    Api,
    Batching,
    Brand,
    Exchanges,
    Log,
    Server,
    Settings,
    Store,
)
from seamline.cli.shell import say
from seamline.cli.story import Cast, Step, grows_stale, played, story
from seamline.dialects import dialects
from seamline.dialects.dialect import Reply, Request, Secret
from seamline.dialects.examples import currency_of
from seamline.edge.gateway import Connection, Gateway, cashier_of
from seamline.edge.routes import PREFIX
from seamline.ledger.store import NewSession, Writer
from seamline.money import Currencies, Quantity
from seamline.wallet import Command, Integration, Kind

BRAND = "demo"
CURRENCY = "USD"
FUNDS = "100.00"
GAME = "demo-game"
API_KEY = "sandbox_operator_key"
DEADLINE_S = 10.0


def command(
    *,
    port: Annotated[
        int, Parameter(help="Where to listen on 127.0.0.1; 0 picks a free port.")
    ] = 8600,
    folder: Annotated[
        Path | None,
        Parameter(name="--dir", help="Keep the books there; otherwise they go when the demo ends."),
    ] = None,
) -> None:
    """Play bets against a gateway of your own, with nothing to set up.

    Every vendor's protocol gets a sandbox integration and a player with money.
    The demo plays two rounds, prints signed requests to paste into another
    terminal, and serves until Ctrl-C.
    """
    bound = bind("127.0.0.1", port, setting="--port")
    # Requests wait in the backlog from here on, until the server takes them.
    bound.listen()
    telemetry.configure("text", "warning")
    with _folder(folder) as books, asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_demo(settings_in(books), bound, kept=folder is not None))


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    """The folder that was asked for, or one that is gone afterwards."""
    if wanted is not None:
        yield wanted.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="seamline-demo-") as made:
        yield Path(made)


def settings_in(folder: Path, brand: str = BRAND) -> Settings:
    """Settings with a sandbox integration for each dialect, and the books in that folder."""
    currencies = {currency_of(dialect, CURRENCY) for dialect in dialects().values()} | {CURRENCY}
    return Settings(
        server=Server(),
        store=Store(url=f"sqlite:///{folder}/seamline.db"),
        ledger=Batching(),
        api=Api(keys=(Secret(API_KEY),)),
        exchanges=Exchanges(),
        log=Log(),
        brands={brand: Brand(currencies=tuple(sorted(currencies)))},
        integrations={
            name: Integration(name=name, brand=brand, dialect=name, options=dialect.sandbox())
            for name, dialect in dialects().items()
        },
        currencies=Currencies.standard(),
    )


async def _demo(settings: Settings, bound: socket, *, kept: bool) -> None:
    """Serve, and meanwhile play and print."""
    async with gateway(settings) as built:
        casts = [await _seeded(built, each) for each in built.connections.values()]
        serving = asyncio.create_task(serve_gateway(built, settings, [bound]))
        showing = asyncio.create_task(_show(built, casts, url_of(bound)))
        try:
            # A play that fails ends the demo; a server that stops ends the play.
            await asyncio.wait((serving, showing), return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                await showing
                _say_where(url_of(bound), settings, kept=kept)
            await serving
        finally:
            showing.cancel()
            serving.cancel()


async def _seeded(built: Gateway, connection: Connection) -> Cast:
    """A player of that vendor with money and a session."""
    cast = Cast(
        connection=connection,
        player=f"{connection.integration.name}-player",
        session=str(uuid4()),
        currency=currency_of(connection.dialect, CURRENCY),
        game=GAME,
    )
    await built.ledger.run(partial(_seat, cast=cast))
    deposit = Command(
        kind=Kind.DEPOSIT,
        integration=cashier_of(BRAND),
        key=str(uuid4()),
        player=cast.player,
        currency=cast.currency,
        amount=Quantity.parse(FUNDS),
    )
    await built.ledger.apply(deposit)
    return cast


def _seat(writer: Writer, now_ms: int, *, cast: Cast) -> None:
    """Add the player, unless an earlier demo did, and open the session."""
    integration = cast.connection.integration
    span_ms = cast.connection.dialect.session_ms(integration.options)
    writer.add_player(BRAND, cast.player, None, None, now_ms)
    session = NewSession(
        name=cast.session,
        player=cast.player,
        currency=cast.currency,
        game=GAME,
        opened_ms=now_ms,
        expires_ms=now_ms + span_ms,
    )
    writer.open_session(cast.connection.terms, session)


async def _show(built: Gateway, casts: Sequence[Cast], url: str) -> None:
    """Play each vendor's story over HTTP, then print it anew, with ids nobody has sent."""
    say(("Seamline demo", "bold"), f" at {url}")
    for cast in casts:
        dialect, base = cast.connection.dialect, f"{url}{PREFIX}{cast.connection.integration.name}"

        async def send(request: Request, base: str = base) -> Reply:
            return await built.send(base, request, DEADLINE_S)

        say("\n", (dialect.title, "bold"), f" ({dialect.document}), just played:\n")
        for line in await played(story(cast), send):
            say(line)
        say("\nSend the next ones yourself, in this order, from another terminal:")
        if grows_stale(cast):
            say("(Their time is signed too: after a few minutes start the demo again.)")
        for step in story(cast):
            _print(step, base)
    _print_operator(casts[0], url)


def _print(step: Step, base: str) -> None:
    """A step to paste."""
    again = "; it comes again, and moves nothing" if step.again else ""
    say(("\n# " + " ".join(step.title.split()) + again, "dim"))
    say(curl(base, step.request))


def _print_operator(cast: Cast, url: str) -> None:
    """What the operator's own systems would ask."""
    key = (b"authorization", f"Bearer {API_KEY}".encode())
    name = cast.connection.integration.name
    say("\n", ("The operator's side", "bold"), ", with the key ", API_KEY, ":")
    for what, path, query in (
        ("the player's balances", f"/v1/players/{BRAND}/{cast.player}", ""),
        ("the player's transactions", "/v1/transactions", f"brand={BRAND}&player={cast.player}"),
        ("the vendor's requests and our replies", "/v1/exchanges", f"integration={name}&limit=3"),
    ):
        say((f"\n# {what}", "dim"))
        say(curl(url, Request("GET", path, query.encode(), (key,))))


def _say_where(url: str, settings: Settings, *, kept: bool) -> None:
    """The last lines before the demo goes quiet."""
    say("\nOpen ", (f"{url}/v1/docs", "bold"), " in a browser for everything else.")
    say(
        f"The books are in {place(settings).name}"
        + ("." if kept else ", and are deleted when the demo ends.")
    )
    say("Ctrl-C stops the demo.")
