"""The ceiling: a raw ASGI app that checks the signature, decodes the bet and answers.

It stores nothing. What it reaches is what the HTTP server and the signature leave to anyone who
writes in Python; a wallet is measured as a fraction of it.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

KEY = os.environ["BENCH_KEY"].encode()

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Bet(msgspec.Struct, frozen=True, gc=False):
    """The fields of a bet, as the wire names them."""

    type: str
    sessionID: str  # noqa: N815 - the wire's own name
    amount: str
    txID: str  # noqa: N815 - the wire's own name
    roundID: str  # noqa: N815 - the wire's own name


class Taken(msgspec.Struct, frozen=True, gc=False):
    """The reply to a bet, as the wire names it."""

    balance: str
    txID: str  # noqa: N815 - the wire's own name


BET = msgspec.json.Decoder(Bet)
TAKEN = msgspec.json.Encoder()
JSON = [(b"content-type", b"application/json")]


def answer(headers: list[tuple[bytes, bytes]], body: bytes) -> tuple[int, bytes]:
    """Status and body: 401 for a wrong signature, before anything is parsed."""
    given = next((value for name, value in headers if name == b"x-request-sign"), b"")
    wanted = hmac.digest(KEY, body, sha256).hex().encode()
    if not hmac.compare_digest(given, wanted):
        return 401, b'{"message":"wrong signature"}'
    try:
        bet = BET.decode(body)
    except msgspec.ValidationError:
        return 400, b'{"message":"malformed"}'
    return 200, TAKEN.encode(Taken("100.00", bet.txID))


async def app(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Answers every path; only `/healthz` is answered without a signature."""
    if scope["type"] != "http":
        return
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    status, reply = (200, b"{}") if scope["path"] == "/healthz" else answer(scope["headers"], body)
    length = (b"content-length", str(len(reply)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*JSON, length]})
    await send({"type": "http.response.body", "body": reply})
