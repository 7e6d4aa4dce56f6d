"""A row of the table: one method of one path, who answers it, and with what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import get_type_hints

import msgspec

from seamline.edge.api.problems import Code, Headers

JSON = b"application/json"
HTML = b"text/html; charset=utf-8"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A reply that is no problem: a struct as JSON, or `content` as it is, or nothing."""

    status: int = 200
    body: msgspec.Struct | None = None
    content: bytes | None = None
    content_type: bytes = JSON
    headers: Headers = ()


#: Answers a request; its parameters' types say what it reads.
Handler = Callable[..., Awaitable[Answer]]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path.

    The handler takes the gateway, and by keyword any of `path`, `query` and `body`: the types of
    these parameters are what is read from a request, and what the document says of it. `problems`
    are those that the handler itself may raise; the others follow from the rest.
    """

    method: str
    path: str
    summary: str
    tag: str
    handler: Handler
    #: The struct of each status, or None for a reply without a body.
    answers: Mapping[int, type[msgspec.Struct] | None]
    problems: tuple[Code, ...] = ()
    #: Needs no key, and does not touch the store.
    open: bool = False
    #: What the reply is when it is not JSON.
    content_type: bytes = JSON

    @property
    def parts(self) -> tuple[str | None, ...]:
        """The path's segments below `/`; None stands for a parameter."""
        segments = self.path.removeprefix("/").split("/")
        return tuple(None if segment.startswith("{") else segment for segment in segments)

    @property
    def names(self) -> tuple[str, ...]:
        """The path's parameters, in order."""
        segments = self.path.split("/")
        return tuple(segment[1:-1] for segment in segments if segment.startswith("{"))

    def shape(self, part: str) -> type[msgspec.Struct] | None:
        """What the handler wants as its `path`, `query` or `body`; None when it wants none."""
        return _hints(self.handler).get(part)

    def possible(self) -> tuple[Code, ...]:
        """Every problem that a caller of this endpoint may get, by status."""
        found = {Code.FAULT, *self.problems}
        if not self.open:
            found |= {Code.UNAUTHORIZED, Code.UNAVAILABLE, Code.MALFORMED}
        if self.shape("path") is not None or self.shape("query") is not None:
            found.add(Code.MALFORMED)
        if self.shape("body") is not None:
            found |= {Code.MALFORMED, Code.TOO_LARGE}
        return tuple(sorted(found, key=lambda code: (code.status, code.slug)))


@cache
def _hints(handler: Handler) -> Mapping[str, type[msgspec.Struct]]:
    return get_type_hints(handler)
