"""The OpenAPI document as a page to read: plain HTML, made once, nothing fetched, no script."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from html import escape
from typing import Any

from seamline.edge.api.problems import Headers

Node = Mapping[str, Any]

_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d5d8dc, #3a4048);
  --soft: light-dark(#f4f5f7, #1d2127); --accent: light-dark(#0b5cad, #7cb8f2); }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1rem; }
a { color: var(--accent); }
h2 { border-bottom: 1px solid var(--line); margin-top: 2.5rem; }
section { border: 1px solid var(--line); border-radius: 8px; margin: 1rem 0; padding: 0 1rem 1rem; }
h3 { font-size: 1rem; overflow-wrap: anywhere; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); border-radius: 6px; overflow-x: auto; padding: .75rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
caption { font-weight: 600; padding: .5rem 0; text-align: left; }
th, td { border-top: 1px solid var(--line); padding: .3rem .75rem .3rem 0; text-align: left;
  vertical-align: top; }
.method { color: var(--accent); }
"""
_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
HEADERS: Headers = (
    (
        b"content-security-policy",
        f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'".encode(),
    ),
)


def page(document: Node) -> str:
    """The document as one page of HTML."""
    by_tag: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    links: dict[str, list[str]] = {tag: [] for tag in by_tag}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = operation["tags"][0]
            by_tag[tag].append(_operation(document, path, method.upper(), operation))
            links[tag].append(_link(path, method.upper(), operation))
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1><p>{_text(document['info']['description'])}</p>",
        "<p>Every call but those below Documents needs the header ",
        "<code>Authorization: Bearer KEY</code>. The same as ",
        '<a href="/v1/openapi.json">OpenAPI 3.1</a>.</p><nav>',
        *(f"<p><b>{escape(tag)}</b><br>{'<br>'.join(found)}</p>" for tag, found in links.items()),
        "</nav><main>",
    ]
    for tag, sections in by_tag.items():
        parts += [f"<h2>{escape(tag)}</h2>", *sections]
    return "\n".join([*parts, "</main></body></html>\n"])


def _link(path: str, method: str, operation: Node) -> str:
    target, summary = escape(operation["operationId"]), escape(operation["summary"])
    return f'<a href="#{target}">{method} {escape(path)}</a> {summary}'


def _operation(document: Node, path: str, method: str, operation: Node) -> str:
    """One method of one path."""
    parts = [
        f'<section id="{escape(operation["operationId"])}">',
        f'<h3><span class="method">{method}</span> {escape(path)}</h3>',
        f"<p>{_text(operation['summary'])}. {_text(operation['description'])}</p>",
    ]
    if operation["parameters"]:
        rows = [
            (
                each["name"],
                each["in"],
                each["required"],
                each.get("description", ""),
                each["schema"],
            )
            for each in operation["parameters"]
        ]
        parts.append(_table("Parameters", ("Name", "In", "", "Meaning", "Limits"), map(_row, rows)))
    body = _body(operation)
    if body is not None:
        schema = document["components"]["schemas"][body]
        parts += [f"<p>{_text(schema['description'])}</p>", _members(schema)]
    parts.append(f"<pre>{escape(_curl(document, path, method, operation))}</pre>")
    answers = [
        (status, _text(reply["description"])) for status, reply in operation["responses"].items()
    ]
    parts += [_table("Replies", ("Status", "Meaning"), answers), "</section>"]
    return "\n".join(parts)


def _body(operation: Node) -> str | None:
    """The name of the body's schema."""
    if "requestBody" not in operation:
        return None
    reference: str = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return reference.rpartition("/")[2]


def _members(schema: Node) -> str:
    """The members of a body."""
    rows = [
        (name, "body", name in schema["required"], _described(member), member)
        for name, member in schema["properties"].items()
    ]
    return _table("Body (JSON)", ("Name", "In", "", "Meaning", "Limits"), map(_row, rows))


def _described(schema: Node) -> str:
    described: str = _value(schema).get("description", "")
    return described


def _value(schema: Node) -> Node:
    """The schema of a value that is not null."""
    choices: list[Node] = schema.get("anyOf", [schema])
    return next(each for each in choices if each.get("type") != "null")


def _row(row: tuple[str, str, bool, str, Node]) -> tuple[str, ...]:
    name, where, required, meaning, schema = row
    needed = "needed" if required else ""
    return f"<code>{escape(name)}</code>", where, needed, _text(meaning), escape(_limits(schema))


def _limits(schema: Node) -> str:
    """A schema in a few words."""
    value = _value(schema)
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2]
    said = [" | ".join(map(str, value["enum"])) if "enum" in value else value.get("type", "")]
    words = {"minimum": "from", "maximum": "to", "maxLength": "at most", "format": ""}
    said += [f"{word} {value[key]}".strip() for key, word in words.items() if key in value]
    if schema.get("default") is not None:
        said.append(f"default {json.dumps(schema['default'])}")
    return ", ".join(said)


def _curl(document: Node, path: str, method: str, operation: Node) -> str:
    """A call to copy."""
    for each in operation["parameters"]:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", str(_example(each["schema"])))
    needed = [
        each for each in operation["parameters"] if each["in"] == "query" and each["required"]
    ]
    query = "&".join(f"{each['name']}={_example(each['schema'])}" for each in needed)
    lines = [f"curl -X {method} 'http://127.0.0.1:8600{path}{'?' + query if query else ''}'"]
    if operation.get("security") != []:
        lines.append('-H "Authorization: Bearer $SEAMLINE_API_KEY"')
    body = _body(operation)
    if body is not None:
        schema = document["components"]["schemas"][body]
        shown = {
            name: _example(_value(member))
            for name, member in schema["properties"].items()
            if name in schema["required"]
        }
        lines.append(f"-d '{json.dumps(shown)}'")
    return " \\\n  ".join(lines)


def _example(schema: Node) -> Any:
    """A value that the schema allows, the one that it shows where it shows one."""
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return "2026-01-31T00:00:00Z"
    return schema.get("minimum", "...")


def _table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; the cells are HTML already."""
    head = "".join(f"<th>{each}</th>" for each in heads)
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table><caption>{caption}</caption><tr>{head}</tr>{''.join(lines)}</table>"


def _text(text: str) -> str:
    """Text as HTML, with `code` between backticks."""
    pieces = escape(text).split("`")
    marked = [f"<code>{each}</code>" if index % 2 else each for index, each in enumerate(pieces)]
    return "".join(marked)
