"""`seamline serve`: run the gateway until it is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_network
from socket import socket
from typing import cast

import structlog

from seamline.cli import telemetry
from seamline.cli.assembly import gateway, ledger_path
from seamline.cli.failure import Failure
from seamline.cli.settings import Settings
from seamline.cli.shell import DEFAULT, Config, base_url, settings_of
from seamline.edge.app import Application
from seamline.edge.gateway import Gateway
from seamline.edge.server import listen, serve

_LOG = structlog.get_logger("seamline.serve")


def command(*, config: Config = DEFAULT) -> None:
    """Run the gateway until SIGTERM or Ctrl-C.

    Requests that it has begun to answer are answered first, for at most
    server.shutdown_timeout_s seconds.
    """
    run(settings_of(config))


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `Failure` when an address is taken."""
    telemetry.configure(settings.log.format, settings.log.level)
    server = settings.server
    sockets = [bind(server.host, server.port, setting="server.port")]
    if server.ops_port is not None:
        sockets.append(bind(server.ops_host, server.ops_port, setting="server.ops_port"))
    if not settings.api.keys:
        _LOG.warning("no_api_keys", meaning="/v1 refuses everybody; set api.keys")
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(settings, sockets))


async def _serve(settings: Settings, sockets: list[socket]) -> None:
    async with gateway(settings) as built:
        _favour_the_event_loop()
        await serve_gateway(built, settings, sockets)
    _LOG.info("stopped")


async def serve_gateway(built: Gateway, settings: Settings, sockets: list[socket]) -> None:
    """Serve a gateway on bound sockets until asked to stop."""
    server = settings.server
    app = Application(
        built,
        disk=ledger_path(settings).parent,
        body_limit=server.body_limit,
        body_timeout_s=server.body_timeout_s,
        ops_port=sockets[1].getsockname()[1] if len(sockets) > 1 else None,
        trusted_proxies=tuple(map(ip_network, server.trusted_proxies)),
    )
    watch = asyncio.create_task(app.ops.watch())
    _LOG.info("listening", url=url_of(sockets[0]), integrations=list(built.connections))
    await serve(
        app,
        sockets,
        max_connections=server.max_connections,
        head_timeout_s=server.header_timeout_s,
        drain_s=server.shutdown_timeout_s,
    )
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch


def _favour_the_event_loop() -> None:
    """Keep what is not a bet from delaying one.

    A thread gives the interpreter back after a tenth of a millisecond instead of five, and the
    collector neither walks what was loaded at start nor runs a full pass every few thousand bets:
    requests leave next to no cycles behind.
    """
    sys.setswitchinterval(0.0001)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def url_of(bound: socket) -> str:
    """Where a bound socket is reached from this machine."""
    return base_url(*bound.getsockname()[:2])


def bind(host: str, port: int, *, setting: str) -> socket:
    """A bound socket, or the `Failure` that says why not and which *setting* to change."""
    try:
        return listen(host, port)
    except OSError as error:
        raise Failure(
            f"cannot listen on {host}:{port}: {error.strerror}; "
            f"stop what uses it, or set {setting} to another port (0 picks a free one)"
        ) from error


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop of uvloop where there is one for this Python, else asyncio's own."""
    if find_spec("uvloop") is None:
        return None
    return cast("Callable[[], asyncio.AbstractEventLoop]", import_module("uvloop").new_event_loop)
