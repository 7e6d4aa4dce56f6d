"""The callback door: one handler for every dialect.

A vendor's request comes in raw; its path finds integration and call; the dialect verifies the
signature before anything is parsed, reads commands, and writes the reply that their outcomes
become. Whatever goes wrong, the vendor gets an answer in its own words.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import msgspec
import structlog

from seamline.dialects.dialect import Call, Items, Refused, Reply, Request
from seamline.edge.asgi import (
    CLOSE,
    BodyTooLarge,
    BodyTooSlow,
    Disconnected,
    Receive,
    Scope,
    Send,
    read_body,
    respond,
)
from seamline.edge.exchanges import Noted
from seamline.edge.gateway import Connection, Gateway
from seamline.edge.metrics import CallFigures
from seamline.wallet import Applied, Command, Outcome, Rejected, Rejection, Replayed

_LOG = structlog.get_logger("seamline.callback")
_NO_INTEGRATION = Reply(404, b'{"message":"no such integration"}')

PREFIX = "/callbacks/"


class Route(msgspec.Struct, frozen=True):
    """One call of one integration and its figures; `call` is None for paths that are none."""

    connection: Connection
    call: Call[msgspec.Struct] | None
    base: int
    figures: CallFigures


class Answer(msgspec.Struct, gc=False):
    """A reply on its way out, and what is noted of it."""

    reply: Reply
    outcome: str
    transaction: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Callbacks:
    """Answers everything below `/callbacks/{integration}`."""

    def __init__(self, gateway: Gateway, *, body_limit: int, body_timeout_s: float) -> None:
        self._ledger = gateway.ledger
        self._exchanges = gateway.exchanges
        self._clock_ms = gateway.clock_ms
        self._body_limit = body_limit
        self._body_timeout_s = body_timeout_s
        self._request_ids = request_ids(gateway.clock_ms())
        self._routes: dict[tuple[str, str], Route] = {}
        self._strays: dict[str, Route] = {}
        self._methods: dict[str, list[str]] = {}
        for name, connection in gateway.connections.items():
            self._connect(name, connection)

    def _connect(self, name: str, connection: Connection) -> None:
        base, labels = f"{PREFIX}{name}", (connection.dialect.name, name)
        self._strays[name] = Route(connection, None, len(base), CallFigures(*labels, "none"))
        for call in connection.dialect.calls:
            path = base + call.path
            route = Route(connection, call, len(base), CallFigures(*labels, call.name))
            self._routes[call.method, path] = route
            self._methods.setdefault(path, []).append(call.method)

    @property
    def figures(self) -> list[CallFigures]:
        """The figures of all calls."""
        return [route.figures for route in (*self._routes.values(), *self._strays.values())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One exchange, as ASGI."""
        started = time.perf_counter_ns()
        path = scope["path"]
        route = self._routes.get((scope["method"], path)) or self._stray(path)
        if route is None:
            await respond(scope, send, _NO_INTEGRATION)
            return
        body = await self._body(scope, receive)
        if body is None:
            return
        request_id = next(self._request_ids)
        request = Request(
            scope["method"],
            path[route.base :],
            scope["query_string"],
            scope["headers"],
            body if isinstance(body, bytes) else b"",
            self._clock_ms(),
        )
        if isinstance(body, Rejected):
            answer = self._refuse(route, body, request_id)
            answer.headers = (CLOSE,)
        else:
            answer = await self._answer(route, request, path, request_id)
        id_header = (b"x-request-id", request_id.encode())
        await respond(scope, send, answer.reply, id_header, *answer.headers)
        self._note(route, request, answer, request_id, time.perf_counter_ns() - started)

    def _note(
        self, route: Route, request: Request, answer: Answer, request_id: str, elapsed_ns: int
    ) -> None:
        """Count the exchange and hand it to the recorder."""
        route.figures.note(answer.outcome, elapsed_ns / 1e9)
        self._exchanges.note(
            Noted(
                request.at_ms,
                request_id,
                route.connection.integration.name,
                route.call.name if route.call is not None else None,
                request,
                answer.reply,
                answer.outcome,
                answer.transaction,
                elapsed_ns // 1000,
            )
        )

    def _stray(self, path: str) -> Route | None:
        """The integration that a path without a call belongs to."""
        return self._strays.get(path.removeprefix(PREFIX).partition("/")[0])

    async def _body(self, scope: Scope, receive: Receive) -> bytes | Rejected | None:
        """The body, why it is refused, or None when the client is gone."""
        try:
            return await read_body(
                scope, receive, limit=self._body_limit, timeout_s=self._body_timeout_s
            )
        except BodyTooLarge:
            detail = f"expected at most {self._body_limit} bytes"
            return Rejected(why=Rejection.TOO_LARGE, detail=detail)
        except BodyTooSlow:
            detail = "the body did not arrive in time"
            return Rejected(why=Rejection.MALFORMED, detail=detail, field="body")
        except Disconnected:
            return None

    async def _answer(self, route: Route, request: Request, path: str, request_id: str) -> Answer:
        """The answer, also when the program fails."""
        try:
            return await self._serve(route, request, path, request_id)
        except Exception:  # noqa: BLE001 - logged, and answered in the vendor's words
            # The vendor gets its own words for "try again"; people get the traceback.
            _LOG.exception("call_failed", request_id=request_id, path=path)
            return self._refuse(route, Rejected(why=Rejection.FAULT), request_id)

    async def _serve(self, route: Route, request: Request, path: str, request_id: str) -> Answer:
        """Verify, read, apply, write."""
        connection, call = route.connection, route.call
        if call is None:
            methods = self._methods.get(path)
            why = Rejection.METHOD if methods else Rejection.CALL_UNKNOWN
            detail = f"expected {' or '.join(methods)}" if methods else ""
            answer = self._refuse(route, Rejected(why=why, detail=detail), request_id)
            answer.headers = ((b"allow", ", ".join(methods).encode()),) if methods else ()
            return answer
        integration = connection.integration
        try:
            connection.dialect.verify(request, integration)
            items = call.read(request, integration)
        except Refused as refused:
            return self._refuse(route, refused.rejected, request_id)
        outcomes = await self._apply(items)
        reply = call.write(items, outcomes, integration)
        outcome = outcomes[0] if outcomes else None
        if isinstance(outcome, Applied):
            return Answer(reply, "applied", outcome.transaction)
        if isinstance(outcome, Replayed):
            return Answer(reply, "replayed", outcome.transaction)
        if isinstance(outcome, Rejected):
            return Answer(reply, outcome.why.name.lower())
        return Answer(reply, "empty")

    async def _apply(self, items: Items) -> tuple[Outcome, ...]:
        """The outcome of each item; items of a batch queue in their order, and commit together."""
        if len(items) == 1 and isinstance(items[0], Command):
            return (await self._ledger.apply(items[0]),)
        waiting = {
            index: self._ledger.apply(item)
            for index, item in enumerate(items)
            if isinstance(item, Command)
        }
        settled = dict(zip(waiting, await asyncio.gather(*waiting.values()), strict=True))
        return tuple(
            item if isinstance(item, Rejected) else settled[index]
            for index, item in enumerate(items)
        )

    def _refuse(self, route: Route, rejected: Rejected, request_id: str) -> Answer:
        """A refusal in the dialect's words."""
        name = route.call.name if route.call is not None else None
        reply = route.connection.dialect.refuse(rejected, name, route.connection.integration)
        outcome = rejected.why.name.lower()
        _LOG.info(
            "call_refused",
            request_id=request_id,
            integration=route.connection.integration.name,
            call=name,
            why=outcome,
            field=rejected.field,
            detail=rejected.detail,
        )
        return Answer(reply, outcome)


def request_ids(start_ms: int) -> Iterator[str]:
    """Ids that are unique over restarts: the start's time and a counter."""
    start, number = f"{start_ms:x}", 0
    while True:
        number += 1
        yield f"{start}-{number:x}"
