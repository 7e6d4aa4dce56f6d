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


#: What our server puts into a scope beside ASGI's own: the body, when it came whole, and a way to
#: answer at once, `(scope, status, headers, body) -> bool`. All works without them too.
WHOLE_BODY = "seamline.whole_body"
AT_ONCE = "seamline.at_once"

#: The header that ends a connection after a reply.
CLOSE = (b"connection", b"close")


async def read_body(scope: Scope, receive: Receive, *, limit: int, timeout_s: float) -> bytes:
    """The whole body, or `BodyTooLarge`, `BodyTooSlow`, `Disconnected`."""
    body: bytes | None = scope.get(WHOLE_BODY)
    if body is None:
        try:
            async with asyncio.timeout(timeout_s):
                return await _read(receive, limit)
        except TimeoutError:
            raise BodyTooSlow from None
    if len(body) > limit:
        raise BodyTooLarge
    return body


async def _read(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > limit:
            raise BodyTooLarge
        more = message.get("more_body", False)
    return b"".join(parts)


async def respond(scope: Scope, send: Send, reply: Reply, *extra: tuple[bytes, bytes]) -> None:
    """Send a reply whole."""
    headers = [*reply.headers, (b"content-length", b"%d" % len(reply.body)), *extra]
    at_once = scope.get(AT_ONCE)
    if at_once is not None and at_once(scope, reply.status, headers, reply.body):
        return
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
