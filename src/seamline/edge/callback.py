"""The callback door: one handler for every dialect.

A vendor's request comes in raw; its path finds integration and call; the dialect verifies the
signature before anything is parsed, reads commands, and writes the reply that their outcomes
become. Whatever goes wrong, the vendor gets an answer in its own words.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import cast

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
from seamline.edge.gateway import Gateway
from seamline.edge.metrics import CallFigures
from seamline.edge.pace import Pace
from seamline.edge.peers import Network, is_among, peer_of
from seamline.edge.routes import Route, Routes
from seamline.must import must
from seamline.wallet import Applied, Command, Outcome, Rejected, Rejection, Replayed

_LOG = structlog.get_logger("seamline.callback")
_NO_INTEGRATION = Reply(404, b'{"message":"no such integration"}')


class Answer(msgspec.Struct, gc=False):
    """A reply on its way out, and what is noted of it."""

    route: Route
    reply: Reply
    outcome: str
    transaction: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Callbacks:
    """Answers everything below `/callbacks/{integration}`."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        body_limit: int,
        body_timeout_s: float,
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        self._ledger = gateway.ledger
        self._exchanges = gateway.exchanges
        self._clock_ms = gateway.clock_ms
        self._body_timeout_s = body_timeout_s
        self._trusted = trusted_proxies
        self._request_ids = request_ids(gateway.clock_ms())
        self._routes = Routes(gateway.connections, body_limit=body_limit)

    @property
    def figures(self) -> Sequence[CallFigures]:
        """The figures of all calls."""
        return self._routes.figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One exchange, as ASGI."""
        started = time.perf_counter_ns()
        path = scope["path"]
        route = self._routes.find(scope["method"], path)
        if route is None:
            await respond(scope, send, _NO_INTEGRATION)
            return
        body = await self._body(route, scope, receive)
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
        elif not self._may_call(route, scope):
            answer = self._refuse(route, Rejected(why=Rejection.ADDRESS), request_id)
        else:
            answer = await self._answer(route, request, path, request_id)
        id_header = (b"x-request-id", request_id.encode())
        await respond(scope, send, answer.reply, id_header, *answer.headers)
        self._note(answer, request, request_id, time.perf_counter_ns() - started)

    def _note(self, answer: Answer, request: Request, request_id: str, elapsed_ns: int) -> None:
        """Count the exchange and hand it to the recorder."""
        route = answer.route
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

    def _may_call(self, route: Route, scope: Scope) -> bool:
        """Whether the caller's address is one of the integration's, where it names any."""
        allowed = route.connection.allow_from
        return not allowed or is_among(peer_of(scope, self._trusted), allowed)

    async def _body(self, route: Route, scope: Scope, receive: Receive) -> bytes | Rejected | None:
        """The body, why it is refused, or None when the client is gone."""
        try:
            return await read_body(
                scope, receive, limit=route.body_limit, timeout_s=self._body_timeout_s
            )
        except BodyTooLarge:
            detail = f"expected at most {route.body_limit} bytes"
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
        if route.call is None and not route.shared:
            return self._no_call(route, path, request_id)
        connection = route.connection
        integration = connection.integration
        try:
            connection.dialect.verify(request, integration)
            route = route.of(request)
            must(route.call is not None, "the call is known", path=path)
            call = cast("Call[msgspec.Struct]", route.call)
            items = call.read(request, integration)
        except Refused as refused:
            return self._refuse(route, refused.rejected, request_id)
        outcomes = await self._apply(items, route, request.at_ms)
        try:
            reply = call.write(items, outcomes, integration)
        except Exception:  # noqa: BLE001 - logged; what was decided may have moved money
            keys = [item.key for item in items if isinstance(item, Command)]
            _LOG.exception("call_failed", request_id=request_id, path=path, decided=keys)
            return self._refuse(route, Rejected(why=Rejection.OVERDUE), request_id)
        outcome = outcomes[0] if outcomes else None
        if isinstance(outcome, Applied):
            return Answer(route, reply, "applied", outcome.transaction)
        if isinstance(outcome, Replayed):
            return Answer(route, reply, "replayed", outcome.transaction)
        if isinstance(outcome, Rejected):
            return Answer(route, reply, outcome.why.name.lower())
        return Answer(route, reply, "empty")

    def _no_call(self, route: Route, path: str, request_id: str) -> Answer:
        """A path that is no call, or not under this method."""
        methods = self._routes.methods(path)
        why = Rejection.METHOD if methods else Rejection.CALL_UNKNOWN
        detail = f"expected {' or '.join(methods)}" if methods else ""
        answer = self._refuse(route, Rejected(why=why, detail=detail), request_id)
        answer.headers = ((b"allow", ", ".join(methods).encode()),) if methods else ()
        return answer

    async def _apply(self, items: Items, route: Route, at_ms: int) -> tuple[Outcome, ...]:
        """The outcome of each item; items of a batch queue in their order, and commit together."""
        if route.pace is not None:
            items = tuple(_paced(item, route.pace, at_ms) for item in items)
        if len(items) == 1 and isinstance(items[0], Command):
            return (await self._ledger.apply(items[0]),)
        waiting = {
            index: self._ledger.apply(item)
            for index, item in enumerate(items)
            if isinstance(item, Command)
        }
        told = await asyncio.gather(*waiting.values(), return_exceptions=True)
        settled = dict(zip(waiting, map(_outcome, told), strict=True))
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
        return Answer(route, reply, outcome)


def _outcome(told: Outcome | BaseException) -> Outcome:
    """What became of one item of a batch: its fault is no other's."""
    if isinstance(told, Exception):
        _LOG.error("call_failed", exc_info=told)
        return Rejected(why=Rejection.FAULT)
    if isinstance(told, BaseException):
        raise told
    return told


def _paced(item: Command | Rejected, pace: Pace, at_ms: int) -> Command | Rejected:
    """The item, marked where its player asks too often; the ledger knows what only comes again."""
    if isinstance(item, Rejected) or pace.admits(item.player or item.session or "", at_ms):
        return item
    return msgspec.structs.replace(item, hasty=True)


def request_ids(start_ms: int) -> Iterator[str]:
    """Ids that are unique over restarts: the start's time and a counter."""
    start, number = f"{start_ms:x}", 0
    while True:
        number += 1
        yield f"{start}-{number:x}"
