"""What the operator API says of itself: the OpenAPI document, a page to read, each problem."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from seamline.edge.api import docs, openapi, shapes
from seamline.edge.api.endpoint import HTML, Answer, Endpoint, Handler
from seamline.edge.api.problems import Code, Problem, ProblemMeaning, meaning
from seamline.edge.gateway import Gateway


def documents(table: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """The endpoints that describe a table, themselves included."""

    async def show_openapi(_gateway: Gateway) -> Answer:
        return Answer(content=written)

    async def show_page(_gateway: Gateway) -> Answer:
        return Answer(content=page, content_type=HTML, headers=docs.HEADERS)

    own = _endpoints(show_openapi, show_page)
    described = openapi.document((*table, *own))
    written = msgspec.json.encode(described)
    page = docs.page(described).encode()
    return own


def _endpoints(show_openapi: Handler, show_page: Handler) -> tuple[Endpoint, ...]:
    """The rows of the table for the documents."""
    return (
        Endpoint(
            method="GET",
            path="/v1/openapi.json",
            summary="This API as an OpenAPI 3.1 document",
            tag="Documents",
            handler=show_openapi,
            answers={200: OpenApiDocument},
            open=True,
        ),
        Endpoint(
            method="GET",
            path="/v1/docs",
            summary="This API as a page to read",
            tag="Documents",
            handler=show_page,
            answers={200: None},
            open=True,
            content_type=HTML,
        ),
        Endpoint(
            method="GET",
            path="/v1/problems/{code}",
            summary="What a problem's code means",
            tag="Documents",
            handler=show_problem,
            answers={200: ProblemMeaning},
            problems=(Code.NOT_FOUND,),
            open=True,
        ),
    )


class OpenApiDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenAPI document; its own specification says what is in it."""

    openapi: str


async def show_problem(_gateway: Gateway, *, path: shapes.ProblemPath) -> Answer:
    """The meaning of a code."""
    for code in Code:
        if code.slug == path.code:
            return Answer(body=meaning(code))
    raise Problem(Code.NOT_FOUND, f"no problem has the code {path.code!r}", field="code")
