"""Calls an ASGI application in process, with the bytes that a server would hand over."""

from urllib.parse import unquote

import msgspec


class Got(msgspec.Struct):
    """A reply; header names are lower-case text."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        """The body, decoded."""
        return msgspec.json.decode(self.body)


async def call(app, method, target, *, headers=(), chunks=(b"",)):
    """One exchange; None when the application sent no reply. A chunk of None hangs up."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8600),
    }
    waiting, sent = list(chunks), []

    async def receive():
        chunk = waiting.pop(0) if waiting else None
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    if not sent:
        return None
    named = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Got(sent[0]["status"], named, b"".join(each["body"] for each in sent[1:]))
