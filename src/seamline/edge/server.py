"""uvicorn with limits on slow and large request heads, and a drain that cuts nobody off."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from asyncio import TimerHandle, Transport
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from seamline.edge.asgi import AT_ONCE, CLOSE, WHOLE_BODY, App, Scope

#: The largest request head, in bytes.
HEAD_LIMIT = 16_384

#: How many new connections the kernel keeps until they are accepted.
BACKLOG = 2_048

#: How long an idle connection stays open while stopping, so that a request on its way is answered.
LINGER_S = 0.25


class BoundedProtocol(HttpToolsProtocol):
    """Refuses heads that are too large (431) or too slow (408)."""

    head_timeout_s = 5.0

    _timer: TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _chunk_bytes = 0
    _stopping = False
    _broken = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A new connection must send a head in time."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a head; a whole request in one chunk starts no timer."""
        if self._broken:
            return
        self._chunk_bytes = len(data)
        super().data_received(data)
        # Bytes that come while nothing is asked, empty lines say, are not on their way to anything:
        # they count as a head.
        if not self._in_head and not self._is_idle():
            self._stop_waiting()
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_LIMIT:
            self._refuse(b"431 Request Header Fields Too Large")
        elif self._timer is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is whole; refuse it when it is too large."""
        self._in_head, self._head_bytes = False, 0
        if self._chunk_bytes > HEAD_LIMIT and self._too_large():
            self._refuse(b"431 Request Header Fields Too Large")
            return
        # White space after a value is no part of it (RFC 9110, section 5.5); the parser leaves it.
        self.headers[:] = [(name, value.rstrip(b" \t")) for name, value in self.headers]
        super().on_headers_complete()
        self.scope[AT_ONCE] = self.reply  # type: ignore[literal-required]
        if self._stopping:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The request is whole; its body is handed over without being asked for."""
        if self.cycle is not None and not self._broken:
            self.cycle.scope[WHOLE_BODY] = bytes(self.cycle.body)  # type: ignore[literal-required]
            super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """Part of the body; none is taken once the head was refused."""
        if self.cycle is not None and not self._broken:
            super().on_body(body)

    def reply(
        self, scope: Scope, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> bool:
        """Answer the current request at once and in one system call; False when that cannot be.

        ASGI's way takes two messages and two writes, each with checks that a reply written by us
        does not need.
        """
        cycle = self.cycle
        if cycle.scope is not scope or cycle.response_started or self.flow.write_paused:
            return False
        if cycle.disconnected:
            return True
        parts = [STATUS_LINE[status]]
        for name, value in (*cycle.default_headers, *headers):
            parts += (name, b": ", value, b"\r\n")
        if CLOSE in headers:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", b"" if scope["method"] == "HEAD" else body)
        self.transport.write(b"".join(parts))
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()
        return True

    def on_response_complete(self) -> None:
        """The response is whole; after a refused head nothing follows it."""
        if self._broken and not self.pipeline:
            self.transport.close()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse bytes that are no HTTP."""
        if not self._owes_an_answer():
            super().send_400_response(msg)

    def shutdown(self) -> None:
        """Finish what was asked; close only what stays idle a little longer."""
        self._stopping = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        self.loop.call_later(LINGER_S, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self._is_idle():
            self.transport.close()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _owes_an_answer(self) -> bool:
        """Whether a whole request is still being answered.

        What follows it can then not be refused in writing: the refusal would come first and be
        taken for the answer, "nothing was debited" for a bet that was. The connection is closed
        after the answers that are owed.
        """
        owed = bool(self.pipeline) or not (self._is_idle() or self.cycle.more_body)
        self._broken = self._broken or owed
        return owed

    def _too_large(self) -> bool:
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        return size > HEAD_LIMIT

    def _wait_for_head(self) -> None:
        self._timer = self.loop.call_later(
            self.head_timeout_s, self._refuse, b"408 Request Timeout"
        )

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing() and not self._owes_an_answer():
            head = b"HTTP/1.1 " + status + b"\r\n"
            self.transport.write(head + b"content-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()


class Server(uvicorn.Server):
    """Leaves signals to us, so that what follows `serve` is run before the process ends."""

    def __init__(
        self, config: uvicorn.Config, orders: socket.socket | None, announce: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._orders = orders
        self._announce = announce
        self._orders_taken = 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """The first signal asks for a graceful stop, whichever it is; the second stops waiting.

        Where orders come from a supervisor, only these stop the waiting: Ctrl-C and service
        managers signal all processes at once, and the supervisor passes on what it was sent.
        """
        self.force_exit |= self.should_exit and self._orders is None
        self.should_exit = True

    def _take_orders(self, orders: socket.socket) -> None:
        """Stop; at the second order without waiting. A supervisor that is gone has ordered once."""
        try:
            told = orders.recv(16)
        except ConnectionResetError:  # It died before it had read all that it was told.
            told = b""
        if not told:
            asyncio.get_running_loop().remove_reader(orders)
        self._orders_taken += len(told)
        self.force_exit |= self._orders_taken > 1
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM, SIGINT and orders ask for a graceful stop; a second one stops waiting."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for each in signals:
            loop.add_signal_handler(each, self.handle_exit, each, None)
        if self._orders is not None:
            loop.add_reader(self._orders, self._take_orders, self._orders)
        self._announce()
        try:
            yield
        finally:
            for each in signals:
                loop.remove_signal_handler(each)
            if self._orders is not None:
                loop.remove_reader(self._orders)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises `OSError` when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    bound.set_inheritable(True)
    return bound


async def serve(
    app: App,
    sockets: Sequence[socket.socket],
    *,
    max_connections: int,
    head_timeout_s: float,
    drain_s: float,
    orders: socket.socket | None = None,
    announce: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain for at most *drain_s* seconds.

    On *orders* a supervisor asks for the same, with one byte or by its end, and with a second byte
    for no more waiting. To *announce* is due once all of them are heard: whoever was told of a
    server may stop it, and finds it listening.
    """
    protocol = type("Protocol", (BoundedProtocol,), {"head_timeout_s": head_timeout_s})
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        # uvicorn counts the connection that asks as well, and refuses at its limit.
        limit_concurrency=max_connections + 1,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, round(drain_s)),
        backlog=BACKLOG,
    )
    await Server(config, orders, announce).serve(list(sockets))
