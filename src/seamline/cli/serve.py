"""`seamline serve`: run the gateway until it is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from socket import socket

import structlog

from seamline.cli import telemetry
from seamline.cli.assembly import gateway, ledger_path
from seamline.cli.failure import Failure
from seamline.cli.settings import Settings
from seamline.edge.app import Application
from seamline.edge.gateway import Gateway
from seamline.edge.server import listen, serve

_LOG = structlog.get_logger("seamline.serve")


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `Failure` when an address is taken."""
    telemetry.configure(settings.log.format, settings.log.level)
    sockets = [_listen(settings.server.host, settings.server.port)]
    if settings.server.ops_port is not None:
        sockets.append(_listen(settings.server.ops_host, settings.server.ops_port))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, sockets))


async def _serve(settings: Settings, sockets: list[socket]) -> None:
    async with gateway(settings) as built:
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
    )
    watch = asyncio.create_task(app.ops.watch())
    host, port = sockets[0].getsockname()[:2]
    _LOG.info("listening", url=f"http://{host}:{port}", integrations=list(built.connections))
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


def _listen(host: str, port: int) -> socket:
    try:
        return listen(host, port)
    except OSError as error:
        raise Failure(
            f"cannot listen on {host}:{port}: {error.strerror}; "
            "stop what uses it, or set server.port to another one (0 picks a free one)"
        ) from error


def _loop_factory():
    import uvloop

    return uvloop.new_event_loop
