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


#: The member of a scope by which our server says that it has the whole request already.
WHOLE = "seamline.whole"


async def read_body(
    receive: Receive, *, limit: int, timeout_s: float, whole: bool = False
) -> bytes:
    """The whole body, or `BodyTooLarge`, `BodyTooSlow`, `Disconnected`.

    Nearly every request comes *whole*; only the others pay for a timer.
    """
    if whole:
        return await _read(receive, limit)
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(receive, limit)
    except TimeoutError:
        raise BodyTooSlow from None


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


async def respond(send: Send, reply: Reply, *extra: tuple[bytes, bytes]) -> None:
    """Send a reply whole."""
    length = b"%d" % len(reply.body)
    headers = [*reply.headers, (b"content-length", length), *extra]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
