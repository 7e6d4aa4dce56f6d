"""The little of ASGI that the surfaces need, without a framework in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from seamline.dialects.dialect import Reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class BodyTooLarge(Exception):
    """The body has more bytes than the gateway reads."""


class BodyTooSlow(Exception):
    """The body did not arrive in time."""


class Disconnected(Exception):
    """The client went away before its request was complete."""


async def read_body(receive: Receive, *, limit: int, timeout_s: float) -> bytes:
    """The whole body, or `BodyTooLarge`, `BodyTooSlow`, `Disconnected`."""
    message = await receive()
    body: bytes = message.get("body", b"")
    # Nearly every request comes whole; only the others pay for a timer.
    if message.get("more_body"):
        try:
            async with asyncio.timeout(timeout_s):
                body = await _read_rest(receive, body, limit)
        except TimeoutError:
            raise BodyTooSlow from None
    elif message["type"] == "http.disconnect":
        raise Disconnected
    if len(body) > limit:
        raise BodyTooLarge
    return body


async def _read_rest(receive: Receive, start: bytes, limit: int) -> bytes:
    body, more = bytearray(start), True
    while more:
        if len(body) > limit:
            raise BodyTooLarge
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


async def respond(send: Send, reply: Reply, *extra: tuple[bytes, bytes]) -> None:
    """Send a reply whole."""
    length = b"%d" % len(reply.body)
    headers = [*reply.headers, (b"content-length", length), *extra]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
