"""A request as a `curl` line that can be pasted into a shell, byte for byte."""

from __future__ import annotations

import re
import shlex

from seamline.dialects.dialect import Request

_PLAIN = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f]*")
_GLOBS = frozenset("[]{}")


def curl(base: str, request: Request, *options: str) -> str:
    """The command that sends the request to *base*, over several lines, and shows the status."""
    query = f"?{request.query.decode('latin-1')}" if request.query else ""
    url = f"{base}{request.path}{query}"
    words = ["curl -sS -w", quoted(rb" %{http_code}\n")]
    words += ["-g"] if _GLOBS & set(url) else []
    words += ["-X", request.method] if request.method != _method_of_curl(request) else []
    lines = [" ".join((*words, *options, quoted(url.encode("latin-1"))))]
    lines += [f"  -H {quoted(_header(name, value))}" for name, value in _headers(request)]
    if request.body:
        # curl reads a file where --data-binary begins with an @.
        option = "--data-raw" if request.body.startswith(b"@") else "--data-binary"
        lines.append(f"  {option} {quoted(request.body)}")
    return " \\\n".join(lines)


def quoted(raw: bytes) -> str:
    """The bytes as one word of a shell; bash's own quotes where a terminal would not keep them."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return _escaped(raw)
    return shlex.quote(text) if _PLAIN.fullmatch(text) else _escaped(raw)


def _escaped(raw: bytes) -> str:
    """The bytes in `$'...'`, every one that is not a plain ASCII character as an escape."""
    safe = {byte: chr(byte) for byte in range(0x20, 0x7F) if byte not in b"'\\"}
    return "$'" + "".join(safe.get(byte, f"\\x{byte:02x}") for byte in raw) + "'"


def _method_of_curl(request: Request) -> str:
    return "POST" if request.body else "GET"


def _headers(request: Request) -> list[tuple[bytes, bytes]]:
    """The headers, and an empty content type where curl would make one up."""
    if request.body and request.header(b"content-type") is None:
        return [*request.headers, (b"content-type", b"")]
    return list(request.headers)


def _header(name: bytes, value: bytes) -> bytes:
    """As curl wants it; `Name:` alone leaves a header of curl's own out."""
    return name.title() + b": " + value if value else name.title() + b":"
