"""`seamline sign` and `seamline sign explain`: the vendor's signature, made and explained."""

from __future__ import annotations

import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from seamline.cli.assembly import connections
from seamline.cli.curl import curl
from seamline.cli.explain import explanation
from seamline.cli.failure import Failure
from seamline.cli.settings import Settings
from seamline.cli.shell import DEFAULT, Config, base_url, say, settings_of
from seamline.cli.visible import difference
from seamline.dialects.dialect import Refused, Request
from seamline.edge.gateway import Connection
from seamline.edge.routes import PREFIX

command = App(name="sign")

_METHOD_AND_PATH = re.compile(r"([A-Z]+) ?(/[^?]*)(?:\?(.*))?")

Call = Annotated[str, Parameter(help="A call's name, such as bet, or METHOD/PATH: POST/bet.")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Sent:
    """What was sent, beside the call."""

    config: Config = DEFAULT
    integration: Annotated[
        str | None, Parameter(help="Its name in the settings; needed when there are several.")
    ] = None
    body: Annotated[
        str,
        Parameter(help="The text, @FILE, or - for standard input.", allow_leading_hyphen=True),
    ] = ""
    query: Annotated[
        str, Parameter(help="As in the URL, percent-encoded.", allow_leading_hyphen=True)
    ] = ""
    header: Annotated[
        tuple[str, ...],
        Parameter(name=["--header", "-H"], help="'Name: value'; may come again."),
    ] = ()


@command.default
def sign(call: Call, /, *, sent: Sent = Sent()) -> None:
    """Sign a request as the vendor would.

    Prints the header that carries the signature, and the request as curl. Use
    the real keys with care: the gateway believes what this prints.
    """
    settings = settings_of(sent.config)
    connection = _connection(settings, sent.integration)
    integration, dialect = connection.integration, connection.dialect
    try:
        signed = dialect.sign(_request(call, sent, connection), integration)
    except Refused as refused:
        raise Failure(f"cannot be signed: {refused.rejected.detail}") from refused
    signature = signed.header(dialect.signature_header)
    if signature is not None:
        say(f"{dialect.signature_header.decode().title()}: {signature.decode()}\n")
    server = settings.server
    say(curl(f"{base_url(server.host, server.port)}{PREFIX}{integration.name}", signed))


@command.command
def explain(
    call: Call,
    /,
    *,
    sent: Sent = Sent(),
    signature: Annotated[
        str, Parameter(help="What the signature's header held.", allow_leading_hyphen=True)
    ],
    show: Annotated[bool, Parameter(help="Show the whole signature that was expected.")] = False,
    compare: Annotated[
        str | None,
        Parameter(
            help="Another body, given as --body is: where does it differ?",
            allow_leading_hyphen=True,
        ),
    ] = None,
) -> int:
    """Say whether a signature matches a request, and if not, why.

    Shows the signed bytes with every invisible character, and which key made
    the signature over what. The exit code is 1 when it does not match. A key's
    text is never shown.
    """
    connection = _connection(settings_of(sent.config), sent.integration)
    request = _request(call, sent, connection)
    found = explanation(request, connection, signature, show=show)
    for label, text in found.lines:
        say((f"{label:<10}", "bold"), text)
    if compare is not None:
        for line in difference(request.body, _bytes(compare)):
            say(line)
    return 0 if found.matches else 1


def _connection(settings: Settings, name: str | None) -> Connection:
    """The integration of that name, or the only one."""
    connected = connections(settings)
    if name is None and len(connected) == 1:
        return next(iter(connected.values()))
    if name is None or name not in connected:
        known = ", ".join(connected) or "none in the settings"
        asked = "which integration?" if name is None else f"no integration {name!r};"
        raise Failure(f"{asked} --integration takes one of: {known}", code=2)
    return connected[name]


def _request(call: str, sent: Sent, connection: Connection) -> Request:
    """The request that the arguments describe."""
    method, path, query = _target(call, connection)
    body = _bytes(sent.body)
    headers = tuple(map(_header, sent.header))
    if body and not any(name == b"content-type" for name, _ in headers):
        headers = ((b"content-type", _content_type(body)), *headers)
    return Request(
        method=method,
        path=path,
        query=os.fsencode(sent.query or query),
        headers=headers,
        body=body,
        at_ms=time.time_ns() // 1_000_000,
    )


def _target(call: str, connection: Connection) -> tuple[str, str, str]:
    """Method, path and query of a call, given by name or as METHOD/PATH."""
    if spelled := _METHOD_AND_PATH.fullmatch(call):
        return spelled[1], spelled[2], spelled[3] or ""
    for each in connection.dialect.calls:
        if each.name == call:
            return each.method, each.path, ""
    known = ", ".join(each.name for each in connection.dialect.calls)
    raise Failure(f"no call {call!r}; expected METHOD/PATH or one of: {known}", code=2)


def _bytes(text: str) -> bytes:
    """The text itself, a file's content, or standard input, byte for byte."""
    if text == "-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return os.fsencode(text)
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise Failure(f"{text[1:]}: cannot be read: {error.strerror}", code=2) from error


def _header(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise Failure(f"--header: expected 'Name: value', got {text!r}", code=2)
    return os.fsencode(name.strip().lower()), os.fsencode(value.strip())


def _content_type(body: bytes) -> bytes:
    json = body.lstrip()[:1] in (b"{", b"[")
    return b"application/json" if json else b"application/x-www-form-urlencoded"
