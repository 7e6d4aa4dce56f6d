"""One request to a vendor, over a real socket."""

import asyncio
import gzip
import socket
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from seamline.dialects.dialect import Request
from seamline.sender.transport import Transport


@asynccontextmanager
async def serving(answer):
    """The base URL of a server that answers everything by *answer*."""
    runner = web.AppRunner(_application(answer), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/base"
    finally:
        await runner.cleanup()


def _application(answer):
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", answer)
    return application


def exchange(answer, request, *, deadline_s=5.0, **options):
    """The reply of a server to one request."""

    async def run():
        transport = Transport(**options)
        async with serving(answer) as base_url:
            try:
                return await transport.send(base_url, request, deadline_s)
            finally:
                await transport.close()

    return asyncio.run(run())


async def echo(request):
    """What came, byte for byte."""
    seen = {name.lower(): value for name, value in request.headers.items()}
    body = (await request.read()).decode()
    said = {"line": f"{request.method} {request.raw_path}", "headers": seen, "body": body}
    return web.json_response(said, status=201, headers={"X-Mixed-Case": "Kept"})


def sent(request):
    """What a server sees of a request."""
    import json

    return json.loads(exchange(echo, request).body)


def test_a_request_arrives_as_it_was_signed():
    """Path, query and body reach the vendor byte for byte, whatever is encoded in them."""
    query = b"a=%7e%2F+b&c=%C3%BC&d=1%2C2&e"
    request = Request("POST", "/x%2Fy//z", query, ((b"x-sign", b"abc"),), b'{"a": 1}')
    seen = sent(request)
    assert seen["line"] == f"POST /base/x%2Fy//z?{query.decode()}"
    assert seen["body"] == '{"a": 1}'
    assert seen["headers"]["x-sign"] == "abc"


def test_nothing_is_added_to_what_is_signed():
    """The client adds neither a content type nor an encoding that the dialect did not choose."""
    headers = sent(Request("GET", "/games"))["headers"]
    assert not {"content-type", "accept-encoding", "cookie"} & set(headers)
    assert headers["user-agent"].startswith("seamline/")
    own = ((b"content-type", b"text/x"), (b"user-agent", b"mine"))
    headers = sent(Request("POST", "/", headers=own, body=b"x"))["headers"]
    assert (headers["content-type"], headers["user-agent"]) == ("text/x", "mine")


def test_a_delete_may_carry_a_body():
    """Some vendors want one."""
    assert sent(Request("DELETE", "/x", body=b"{}"))["body"] == "{}"


def test_the_reply_comes_with_its_status_and_headers():
    """Header names are lower-case bytes, values as they came."""
    reply = exchange(echo, Request("GET", "/"))
    assert reply.status == 201
    assert dict(reply.headers)[b"x-mixed-case"] == b"Kept"


def test_a_packed_reply_is_unpacked():
    """Gzip is undone, and the headers no longer speak of it."""

    async def packed(_request):
        return web.Response(
            body=gzip.compress(b"x" * 100_000), headers={"Content-Encoding": "gzip"}
        )

    reply = exchange(packed, Request("GET", "/"))
    assert reply.body == b"x" * 100_000
    assert not {b"content-encoding", b"content-length"} & {name for name, _ in reply.headers}


@pytest.mark.parametrize("packed", [False, True])
def test_a_reply_is_read_only_as_far_as_the_limit(packed):
    """One byte over the limit, counted unpacked, and there is no reply."""

    async def long(request):
        body = b"x" * int(request.query["size"])
        if packed:
            return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
        return web.Response(body=body)

    limit = 1_000_000
    fits = exchange(long, Request("GET", "/", b"size=1000000"), body_limit=limit)
    assert len(fits.body) == limit
    with pytest.raises(ConnectionError, match="longer than 1000000 bytes"):
        exchange(long, Request("GET", "/", b"size=1000001"), body_limit=limit)


def test_a_redirect_is_a_reply():
    """A signed request goes to one place; where else to go is for people to decide."""

    async def elsewhere(_request):
        raise web.HTTPFound("http://127.0.0.1:1/")

    assert exchange(elsewhere, Request("GET", "/")).status == 302


@pytest.mark.parametrize("when", ["before the head", "within the body"])
def test_the_deadline_spans_everything(when):
    """A vendor that is slow anywhere is given up at the deadline."""

    async def slow(request):
        if when == "before the head":
            await asyncio.sleep(30)
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(300):
            await response.write(b"x")
            await asyncio.sleep(0.1)
        return response

    with pytest.raises(TimeoutError, match="no reply within"):
        exchange(slow, Request("GET", "/"), deadline_s=0.3)


def test_a_reply_that_breaks_off_is_none():
    """A body shorter than announced is no reply, however much of it came."""

    async def broken(request):
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"x" * 50)
        request.transport.close()
        return response

    with pytest.raises(ConnectionError):
        exchange(broken, Request("GET", "/"))


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/", headers=((b"x-a", b"1\r\nx-b: 2"),)),
        Request("GET", "/", "\u00fc".encode()),
    ],
)
def test_what_cannot_be_sent_is_a_connection_error(request_):
    """Nobody above has to know the client's own errors."""
    with pytest.raises(ConnectionError):
        exchange(echo, request_)


def test_nobody_there_is_a_connection_error():
    """A closed port, and a name that is none, are connection errors."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    async def run(base_url):
        transport = Transport()
        try:
            await transport.send(base_url, Request("GET", "/"), 5.0)
        finally:
            await transport.close()

    with pytest.raises(ConnectionRefusedError):
        asyncio.run(run(f"http://127.0.0.1:{port}"))
    for base_url in ("http://", "nonsense"):
        with pytest.raises(ConnectionError):
            asyncio.run(run(base_url))


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_nothing_is_asked_twice_by_itself(method):
    """A kept connection that breaks in the second exchange is the caller's to see."""
    asked = []

    async def breaks(request):
        asked.append(request.path)
        if request.path == "/base/2":
            request.transport.abort()
        return web.Response()

    async def run():
        transport = Transport()
        async with serving(breaks) as base_url:
            await transport.send(base_url, Request(method, "/1"), 5.0)
            with pytest.raises(ConnectionError) as broken:
                await transport.send(base_url, Request(method, "/2"), 5.0)
            await transport.close()
        assert not isinstance(broken.value, ConnectionRefusedError)

    asyncio.run(run())
    assert asked == ["/base/1", "/base/2"]


def test_connections_are_kept_and_closed():
    """Two requests use one connection; after `close` a third opens a new pool."""
    ports = []

    async def note(request):
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.Response()

    async def run():
        transport = Transport()
        async with serving(note) as base_url:
            for _ in range(2):
                await transport.send(base_url, Request("GET", "/"), 5.0)
            await transport.close()
            await transport.send(base_url, Request("GET", "/"), 5.0)
            await transport.close()
            await transport.close()

    asyncio.run(run())
    assert ports[0] == ports[1] != ports[2]
