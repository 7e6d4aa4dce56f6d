"""The door of the operator API: finds the row of the table, checks the key, reads, answers.

Paths are matched as they came, before percent-decoding, so that an id may hold a slash.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from urllib.parse import quote

import msgspec
import structlog

from seamline.dialects.dialect import Reply
from seamline.edge.api import reading
from seamline.edge.api.documents import documents
from seamline.edge.api.endpoint import Answer, Endpoint
from seamline.edge.api.problems import Code, Headers, Problem
from seamline.edge.api.shapes import Nothing
from seamline.edge.api.table import TABLE
from seamline.edge.asgi import (
    CLOSE,
    App,
    BodyTooLarge,
    BodyTooSlow,
    Disconnected,
    Receive,
    Scope,
    Send,
    read_body,
)
from seamline.edge.gateway import Gateway
from seamline.ledger.store import StoreUnavailable

BODY_LIMIT = 64 * 1024
BODY_TIMEOUT_S = 5.0

_LOG = structlog.get_logger("seamline.api")
_ENCODE = msgspec.json.Encoder().encode
_PROBLEM_JSON = b"application/problem+json"
_ALWAYS: Headers = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


def operator_api(
    gateway: Gateway, *, body_limit: int = BODY_LIMIT, body_timeout_s: float = BODY_TIMEOUT_S
) -> App:
    """The operator API as an ASGI application that answers everything below `/v1`."""
    return OperatorApi(
        gateway,
        (*TABLE, *documents(TABLE)),
        body_limit=body_limit,
        body_timeout_s=body_timeout_s,
    )


class OperatorApi:
    """One table of endpoints, served. Whatever goes wrong is answered as a problem."""

    def __init__(
        self,
        gateway: Gateway,
        endpoints: Sequence[Endpoint],
        *,
        body_limit: int,
        body_timeout_s: float,
    ) -> None:
        self._gateway = gateway
        self._endpoints = [(endpoint.parts, endpoint) for endpoint in endpoints]
        self._keys = [_digest(key.encoded()) for key in gateway.api_keys]
        self._body_limit = body_limit
        self._body_timeout_s = body_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI."""
        request_id = secrets.token_hex(8)
        try:
            reply = await self._reply(scope, receive, request_id)
        except Disconnected:
            return
        await _send(send, reply, request_id, bare=scope["method"] == "HEAD")

    async def _reply(self, scope: Scope, receive: Receive, request_id: str) -> Reply:
        """The reply, whatever happens; only a client that went away gets none."""
        try:
            return _rendered(await self._answer(scope, receive))
        except Problem as problem:
            return _refused(problem, request_id)
        except StoreUnavailable as error:
            return _refused(Problem(Code.UNAVAILABLE, str(error)), request_id)
        except Disconnected:
            raise
        except Exception:  # noqa: BLE001 - logged, and answered without the traceback
            # The caller gets an id, people get the traceback under it.
            _LOG.exception("request_failed", request_id=request_id, path=scope["path"])
            detail = "the gateway failed; its log tells more under this request id"
            return _refused(Problem(Code.FAULT, detail), request_id)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        """Find the endpoint, check the key, read what it wants, and ask it."""
        segments = _segments(scope)
        here = [found for parts, found in self._endpoints if _matches(parts, segments)]
        if not (here and here[0].open):
            self._authorize(scope)
        endpoint = _by_method(here, scope)
        wanted: dict[str, msgspec.Struct] = {}
        if (shape := endpoint.shape("path")) is not None:
            wanted["path"] = reading.path(_parameters(endpoint, segments), shape)
        # Read even where nothing is wanted: a parameter that nobody knows is a mistake.
        query = reading.query(scope["query_string"], endpoint.shape("query") or Nothing)
        if not isinstance(query, Nothing):
            wanted["query"] = query
        if (shape := endpoint.shape("body")) is not None:
            wanted["body"] = reading.body(await self._body(scope, receive), shape)
        return await endpoint.handler(self._gateway, **wanted)

    def _authorize(self, scope: Scope) -> None:
        """Refuse a request without one of the keys; a wrong key takes as long as a right one."""
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, token = given[0].partition(b" ") if len(given) == 1 else (b"", b"", b"")
        digest = _digest(token.strip())
        found = [hmac.compare_digest(digest, key) for key in self._keys]
        if scheme.lower() == b"bearer" and any(found):
            return
        detail = "expected the header `Authorization: Bearer KEY` with one of the keys of [api]"
        if not self._keys:
            detail = "no API key is set: name one in the settings, [api] keys"
        elif scheme.lower() == b"bearer":
            detail = "the key is none of the keys of [api] in the settings"
        error = b', error="invalid_token"' if scheme else b""
        header = (b"www-authenticate", b'Bearer realm="seamline"' + error)
        raise Problem(Code.UNAUTHORIZED, detail, headers=(header,))

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body, as far as the cap allows."""
        detail = f"expected a body of at most {self._body_limit} bytes"
        too_large = Problem(Code.TOO_LARGE, detail, headers=(CLOSE,))
        if _announced(scope["headers"]) > self._body_limit:
            raise too_large
        try:
            return await read_body(
                scope, receive, limit=self._body_limit, timeout_s=self._body_timeout_s
            )
        except BodyTooLarge:
            raise too_large from None
        except BodyTooSlow:
            late = "the body did not arrive in time"
            raise Problem(Code.MALFORMED, late, headers=(CLOSE,)) from None


async def _send(send: Send, reply: Reply, request_id: str, *, bare: bool) -> None:
    """Send a reply, or with *bare* only its head. What has no content has no length either."""
    headers = [*reply.headers, (b"x-request-id", request_id.encode()), *_ALWAYS]
    if reply.status != 204:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bare else reply.body})


def _segments(scope: Scope) -> list[bytes]:
    """The path's segments below `/`, still percent-encoded."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    root = quote(scope.get("app_root_path", scope.get("root_path", ""))).encode()
    return raw.partition(b"?")[0].removeprefix(root).removeprefix(b"/").split(b"/")


def _matches(parts: Sequence[str | None], segments: Sequence[bytes]) -> bool:
    return len(parts) == len(segments) and all(
        part is None or part.encode() == segment
        for part, segment in zip(parts, segments, strict=True)
    )


def _by_method(here: Sequence[Endpoint], scope: Scope) -> Endpoint:
    """The endpoint of this path that the method means."""
    if not here:
        raise Problem(Code.NOT_FOUND, "this path is not one of /v1/docs")
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    for endpoint in here:
        if endpoint.method == method:
            return endpoint
    known = sorted({endpoint.method for endpoint in here})
    allowed = ", ".join([*known, "HEAD"] if "GET" in known else known)
    raise Problem(
        Code.METHOD_NOT_ALLOWED, f"expected {allowed}", headers=((b"allow", allowed.encode()),)
    )


def _parameters(endpoint: Endpoint, segments: Sequence[bytes]) -> Mapping[str, bytes]:
    """The path's parameters, still percent-encoded."""
    values = [
        segment for part, segment in zip(endpoint.parts, segments, strict=True) if part is None
    ]
    return dict(zip(endpoint.names, values, strict=True))


def _announced(headers: Sequence[tuple[bytes, bytes]]) -> int:
    """The body's length as the header has it; 0 where it does not say."""
    length = next((value for name, value in headers if name == b"content-length"), b"0")
    return int(length) if length.isdigit() else 0


def _rendered(answer: Answer) -> Reply:
    """An answer as bytes."""
    if answer.status == 204:
        return Reply(204, b"", answer.headers)
    body = answer.content if answer.content is not None else _ENCODE(answer.body)
    return Reply(answer.status, body, ((b"content-type", answer.content_type), *answer.headers))


def _refused(problem: Problem, request_id: str) -> Reply:
    """A problem as bytes."""
    _LOG.info("request_refused", request_id=request_id, code=problem.code.slug)
    details = _ENCODE(problem.details(request_id))
    headers = ((b"content-type", _PROBLEM_JSON), *problem.headers)
    return Reply(problem.status, details, headers)


def _digest(key: bytes) -> bytes:
    """Of one length whatever the key's, so that comparing tells nothing of it."""
    return sha256(key).digest()
