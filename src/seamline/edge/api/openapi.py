"""The OpenAPI document, made from the table and the structs: it cannot disagree with the code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

import seamline
from seamline.edge.api.endpoint import Endpoint
from seamline.edge.api.problems import BASE, RETRY_AFTER_S, Code, ProblemDetails
from seamline.edge.api.shapes import Unread

#: A part of the document, as JSON has it.
Node = dict[str, Any]

_REF = "#/components/schemas/{name}"
_PROBLEM = {"$ref": _REF.format(name="ProblemDetails")}
_SPACE = re.compile(r"\s+")
_ABOUT = (
    "Players, money, sessions and records of a casino behind Seamline, and the vendors' own APIs. "
    "Amounts are decimal text in main units. What moves money takes an id of yours: the same id "
    "again moves nothing and gets the same answer. Errors are RFC 9457 problems whose `code` never "
    "changes. Lists come newest first, in pages."
)
_REPLIES = {200: "Done", 201: "Created", 204: "Done; there is no body"}
_RETRY_AFTER: Node = {
    "Retry-After": {
        "description": "Seconds after which to try again",
        "schema": {"type": "integer"},
        "example": RETRY_AFTER_S,
    }
}
_HEADERS: Mapping[int, Node] = {
    401: {"WWW-Authenticate": {"description": "How to authenticate", "schema": {"type": "string"}}},
    429: _RETRY_AFTER,
    503: _RETRY_AFTER,
}


def document(table: Sequence[Endpoint]) -> Node:
    """The whole document."""
    schemas = _schemas(table)
    paths: dict[str, Node] = {}
    for endpoint in table:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Seamline operator API",
            "version": seamline.__version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in table)],
        "paths": paths,
        "components": {
            "schemas": {name: schemas[name] for name in sorted(_used(paths, schemas))},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "One of the keys of `[api]` in the settings.",
                }
            },
        },
        "security": [{"key": []}],
    }


def _schemas(table: Sequence[Endpoint]) -> dict[str, Node]:
    """Every struct of the table by name."""
    structs: list[type[msgspec.Struct]] = [ProblemDetails]
    for endpoint in table:
        shapes = [endpoint.shape(part) for part in ("path", "query", "body")]
        structs += [each for each in (*shapes, *endpoint.answers.values()) if each is not None]
    _, found = msgspec.json.schema_components(structs, ref_template=_REF)
    if Unread.__name__ in found:
        # What it is made of hangs on the path; the bytes are our own way to keep it.
        found[Unread.__name__] |= {"properties": {}, "required": []}
    return {name: _tidied(schema) for name, schema in found.items()}


def _tidied(schema: Node) -> Node:
    """A schema whose description is one paragraph."""
    if "description" in schema:
        return schema | {"description": _SPACE.sub(" ", schema["description"])}
    return schema


def _used(node: object, schemas: Mapping[str, Node]) -> set[str]:
    """The schemas that a part of the document refers to, and those that these refer to."""
    found: set[str] = set()
    waiting: list[object] = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            name = str(each.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(schemas[name])
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return found


def _operation(endpoint: Endpoint, schemas: Mapping[str, Node]) -> Node:
    """One method of one path."""
    operation: Node = {
        "summary": endpoint.summary,
        "description": _SPACE.sub(" ", endpoint.handler.__doc__ or endpoint.summary),
        "operationId": _operation_id(endpoint),
        "tags": [endpoint.tag],
        "parameters": [
            *_parameters(endpoint, "path", schemas),
            *_parameters(endpoint, "query", schemas),
        ],
        "responses": _responses(endpoint),
    }
    body = endpoint.shape("body")
    if body is not None:
        reference = {"$ref": _REF.format(name=body.__name__)}
        content = {"application/json": {"schema": reference}}
        operation["requestBody"] = {"required": True, "content": content}
    if endpoint.open:
        operation["security"] = []
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    """Such as `post_players_deposits`; unique, as paths and methods are."""
    segments = endpoint.path.removeprefix("/v1/").split("/")
    named = [re.sub(r"\W+", "_", segment).strip("_") for segment in segments]
    return "_".join([endpoint.method.lower(), *named])


def _parameters(endpoint: Endpoint, part: str, schemas: Mapping[str, Node]) -> Iterable[Node]:
    """The parameters that stand in the path or in the query."""
    shape = endpoint.shape(part)
    if shape is None:
        return
    schema = schemas[shape.__name__]
    for name, found in schema["properties"].items():
        value = _given(found)
        parameter: Node = {
            "name": name,
            "in": part,
            "required": name in schema["required"],
            "schema": value,
        }
        if "description" in value:
            parameter["description"] = value.pop("description")
        yield parameter


def _given(schema: Node) -> Node:
    """The schema of a parameter that is there: leaving it out is how to say null."""
    if "anyOf" in schema:
        return dict(next(each for each in schema["anyOf"] if each.get("type") != "null"))
    return dict(schema)


def _responses(endpoint: Endpoint) -> Node:
    """Every status that the endpoint may answer."""
    found: Node = {}
    for status, answer in endpoint.answers.items():
        found[str(status)] = {"description": _REPLIES[status], **_content(endpoint, status, answer)}
    problems: dict[int, list[Code]] = {}
    for code in endpoint.possible():
        for status in code.statuses:
            problems.setdefault(status, []).append(code)
    for status in sorted(problems):
        found[str(status)] = _problem(status, problems[status])
    return found


def _content(endpoint: Endpoint, status: int, answer: type[msgspec.Struct] | None) -> Node:
    if status == 204:
        return {}
    media = endpoint.content_type.decode().partition(";")[0]
    schema = {"$ref": _REF.format(name=answer.__name__)} if answer else {"type": "string"}
    return {"content": {media: {"schema": schema}}}


def _problem(status: int, codes: Sequence[Code]) -> Node:
    """The reply of one status: each of its problems with its meaning."""
    examples = {
        code.slug: {
            "summary": code.title,
            "value": {
                "type": BASE + code.slug,
                "code": code.slug,
                "title": code.title,
                "status": status,
                "detail": code.title,
            },
        }
        for code in codes
    }
    node: Node = {
        "description": "; ".join(f"`{code.slug}`: {code.title}" for code in codes),
        "content": {"application/problem+json": {"schema": _PROBLEM, "examples": examples}},
    }
    if status in _HEADERS:
        node["headers"] = _HEADERS[status]
    return node
