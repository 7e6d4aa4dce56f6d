"""`seamline serve`: run the gateway until it is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_network
from socket import socket
from typing import Annotated, NamedTuple, cast

import msgspec
import structlog
from cyclopts import Parameter

from seamline.cli import ended, telemetry
from seamline.cli.assembly import gateway, growing_folder, place
from seamline.cli.failure import Failure
from seamline.cli.settings import Settings
from seamline.cli.shell import DEFAULT, Config, base_url, settings_of
from seamline.cli.supervisor import READY, Supervisor
from seamline.edge.app import Application
from seamline.edge.gateway import Gateway
from seamline.edge.ops import Ops
from seamline.edge.server import listen, serve

_LOG = structlog.get_logger("seamline.serve")

LAST_PORT = 65_535


class Worker(NamedTuple):
    """One of several processes that serve: its number, from 0, and its line to the supervisor."""

    number: int
    line: socket


def command(
    *,
    config: Config = DEFAULT,
    workers: Annotated[
        int | None,
        Parameter(help="How many processes serve, instead of server.workers.", show_default=False),
    ] = None,
) -> int:
    """Run the gateway until SIGTERM or Ctrl-C.

    Requests that it has begun to answer are answered first, for at most
    server.shutdown_timeout_s seconds. Several workers share the port, and one
    that dies is replaced; they need a store for many processes.
    """
    settings = settings_of(config)
    if workers is not None:
        server = msgspec.structs.replace(settings.server, workers=workers)
        settings = msgspec.structs.replace(settings, server=server)
    return run(settings)


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; the exit code. Raises `Failure` when an address is taken."""
    count = settings.server.workers
    _check_workers(settings)
    telemetry.configure(settings.log.format, settings.log.level)
    sockets = _bound(settings)
    if not settings.api.keys:
        _LOG.warning("no_api_keys", meaning="/v1 refuses everybody; set api.keys")
    if count == 1:
        return _run(settings, sockets)
    return Supervisor(partial(_work, settings, sockets), count, sockets).run()


def _check_workers(settings: Settings) -> None:
    """Stop before anything is bound when so many processes cannot serve, or not be measured."""
    server, count = settings.server, settings.server.workers
    if count < 1:
        raise Failure(f"--workers: expected 1 or more, got {count}", code=2)
    if count == 1:
        return
    if not place(settings).shared:
        raise Failure(
            f"server.workers: {count} processes cannot share the file of store.url; serve with 1, "
            "or move to a store for many processes (postgresql://...)",
            code=2,
        )
    if server.ops_port is None:
        raise Failure(
            f"server.workers: {count} processes need server.ops_port: each has figures of its own, "
            "and serves /metrics, /healthz and /readyz on a port of its own, from that one upwards",
            code=2,
        )
    if server.ops_port + count - 1 > LAST_PORT:
        raise Failure(
            f"server.ops_port: {count} workers take the ports from {server.ops_port} upwards, and "
            f"{LAST_PORT} is the last one",
            code=2,
        )


def _bound(settings: Settings) -> list[socket]:
    """The gateway's socket, then each worker's own for the machines' paths, if there are any."""
    server = settings.server
    sockets = [bind(server.host, server.port, setting="server.port")]
    if server.ops_port is not None:
        for number in range(server.workers):
            port = server.ops_port and server.ops_port + number  # 0 picks a free one for each
            sockets.append(bind(server.ops_host, port, setting="server.ops_port"))
    return sockets


def _work(settings: Settings, sockets: Sequence[socket], number: int, line: socket) -> int:
    """Be a worker: serve on the shared socket, and on one that is this worker's own."""
    telemetry.label(worker=number)
    gateways, *ops = sockets
    for other in (*ops[:number], *ops[number + 1 :]):
        other.close()
    return ended(lambda: _run(settings, [gateways, ops[number]], Worker(number, line)))


def _run(settings: Settings, sockets: Sequence[socket], worker: Worker | None = None) -> int:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(settings, sockets, worker))
    return 0


async def _serve(settings: Settings, sockets: Sequence[socket], worker: Worker | None) -> None:
    async with gateway(settings) as built:
        _favour_the_event_loop()
        await serve_gateway(built, settings, sockets, worker)
    _LOG.info("stopped")


async def serve_gateway(
    built: Gateway, settings: Settings, sockets: Sequence[socket], worker: Worker | None = None
) -> None:
    """Serve a gateway on bound sockets until asked to stop."""
    server = settings.server
    ops_port = sockets[1].getsockname()[1] if len(sockets) > 1 else None
    app = Application(
        built,
        disk=growing_folder(settings),
        body_limit=server.body_limit,
        body_timeout_s=server.body_timeout_s,
        ops_port=ops_port,
        trusted_proxies=tuple(map(ip_network, server.trusted_proxies)),
        watches=worker is None or worker.number == 0,
    )
    urls = dict(zip(("url", "ops_url"), map(url_of, sockets), strict=False))

    def announce() -> None:
        _LOG.info("listening", **urls, pid=os.getpid(), integrations=list(built.connections))
        if worker is not None:
            worker.line.send(READY)

    async with _watching(app.ops):
        await serve(
            app,
            sockets,
            max_connections=server.max_connections,
            head_timeout_s=server.header_timeout_s,
            drain_s=server.shutdown_timeout_s,
            orders=worker.line if worker is not None else None,
            announce=announce,
        )


@contextlib.asynccontextmanager
async def _watching(ops: Ops) -> AsyncIterator[None]:
    """Look after the books meanwhile, if this process is the one that does."""
    watch = asyncio.create_task(ops.watch()) if ops.watches else None
    try:
        yield
    finally:
        if watch is not None:
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
    if not 0 <= port <= 65_535:
        raise Failure(f"{setting}: expected 0 to 65535, got {port}", code=2)
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
