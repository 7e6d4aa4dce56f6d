"""The server on the loopback: bounds on heads and connections, whole answers."""

import asyncio
import socket
import time

import pytest

from kit.echo import bodies, get, post, serving, until
from seamline.edge.asgi import CLOSE, WHOLE_BODY
from seamline.edge.server import HEAD_LIMIT, BoundedProtocol, listen

pytestmark = pytest.mark.anyio

#: What a hasty server gives a head.
HASTE_S = 0.5


@pytest.fixture
def anyio_backend():
    """The edge runs in asyncio."""
    return "asyncio"


@pytest.fixture
async def served(monkeypatch):
    """An echo that is served."""
    async with serving(monkeypatch) as made:
        yield made


@pytest.fixture
async def hasty(monkeypatch):
    """An echo that does not wait long for a head."""
    async with serving(monkeypatch, head_timeout_s=HASTE_S) as made:
        yield made


# Heads.


def padded(size):
    """A request whose URL and headers have that many bytes together, as the limit counts them."""
    bare = len("/") + len("host") + len("x") + len("y")
    return get("/", b"y: " + b"a" * (size - bare))


async def test_a_head_at_the_limit(served):
    """A head of as many bytes as the limit says is served."""
    assert (await served.talk(padded(HEAD_LIMIT), answers=1)).statuses == [200]


async def test_a_head_too_large_in_one_chunk(served):
    """One byte more is refused with 431, and the connection closed; nobody is asked."""
    heard = await served.talk(padded(HEAD_LIMIT + 1))
    assert (heard.statuses, heard.closed) == ([431], True)
    assert b"connection: close" in heard.answers[0].head
    assert served.app.scopes == []


@pytest.mark.parametrize("size", [1, 100, 4_000])
async def test_a_head_too_large_in_many(served, size):
    """The same when it trickles in; it is refused before its end."""
    raw = b"GET / HTTP/1.1\r\nhost: x\r\n" + (b"x: " + b"a" * 95 + b"\r\n") * 200
    raw = raw[: HEAD_LIMIT + 1] if size == 1 else raw
    step = size if size > 1 else HEAD_LIMIT // 2
    pieces = [raw[at : at + step] for at in range(0, len(raw), step)]
    paused = (part for piece in pieces for part in (piece, 0.0005))
    heard = await served.talk(*paused)
    assert heard.closed
    assert heard.statuses in ([431], [])
    assert served.app.scopes == []


async def test_large_heads_do_not_add_up(served):
    """Each head of a connection has the limit to itself, in one piece or in two."""
    raw = padded(HEAD_LIMIT - 100)
    assert (await served.talk(raw, raw, raw, answers=3)).statuses == [200] * 3
    parts = (raw[:9_000], 0.01, raw[9_000:], 0.01)
    assert (await served.talk(*parts * 3, answers=3)).statuses == [200] * 3


async def test_a_large_body_is_no_head(served):
    """A body larger than any head is served, in one chunk with its head or after it."""
    body = b"b" * (3 * HEAD_LIMIT)
    raw = post(body)
    assert bodies(await served.talk(raw, answers=1)) == [body]
    assert bodies(await served.talk(raw[:60], 0.01, raw[60:], answers=1)) == [body]


@pytest.mark.parametrize("begun", [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n"])
async def test_a_slow_head(hasty, begun):
    """A head that does not end in time, and not before, is refused with 408 and closed."""
    before = time.monotonic()
    heard = await hasty.talk(begun)
    assert (heard.statuses, heard.closed) == ([408], True)
    assert time.monotonic() - before >= HASTE_S


async def test_a_silent_connection(hasty):
    """A connection on which nothing comes is closed in time."""
    heard = await hasty.talk()
    assert heard.closed
    assert hasty.app.scopes == []


async def test_a_request_stops_the_clock(hasty):
    """Whoever has sent a head in time may wait for the answer as long as it takes."""
    hasty.app.goes_on.clear()
    asking = asyncio.create_task(hasty.talk(get(), answers=1))
    await hasty.app.begun.acquire()
    await asyncio.sleep(1.5 * HASTE_S)
    hasty.app.goes_on.set()
    assert (await asking).statuses == [200]


# Answers.


@pytest.fixture
def writes(monkeypatch):
    """Everything that is written to sockets, write by write."""
    found, made = [], BoundedProtocol.connection_made

    class Counting:
        """A transport whose writes are kept."""

        def __init__(self, under):
            self._under = under

        def __getattr__(self, name):
            return getattr(self._under, name)

        def write(self, part):
            """One write."""
            found.append(bytes(part))
            self._under.write(part)

    monkeypatch.setattr(
        BoundedProtocol, "connection_made", lambda self, under: made(self, Counting(under))
    )
    return found


@pytest.mark.parametrize(
    ("sent", "status", "body"),
    [
        (get("/path"), 200, b"/path"),
        (post(b"body"), 200, b"body"),
        (post(b"b" * 60_000), 200, b"b" * 60_000),
        (get("/nothing"), 204, b""),
        (get("/path", method=b"HEAD"), 200, b""),
    ],
    ids=["GET", "POST", "a large body", "204", "HEAD"],
)
async def test_an_answer_is_one_write(writes, served, sent, status, body):
    """The socket sees one write per answer, whatever the method and the status."""
    reader, writer = await asyncio.open_connection(*served.address)
    for _ in range(2):
        writes.clear()
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert await reader.readexactly(len(body)) == body
        assert writes == [head + body]
    writer.transport.abort()


async def test_a_refusal_is_one_write(writes, hasty):
    """So is a refusal that no application saw."""
    for raw in (padded(HEAD_LIMIT + 1), b"GET / HTTP/1.1\r\n", b"nonsense\r\n\r\n"):
        writes.clear()
        heard = await hasty.talk(raw)
        assert heard.statuses in ([431], [408], [400])
        assert len(writes) == 1


async def test_a_reply_that_closes_ends_the_connection(served):
    """An answer that says `connection: close` is whole, and the last."""
    served.app.extra = (CLOSE,)
    heard = await served.talk(post(b"one") + post(b"two"))
    assert (bodies(heard), heard.closed, heard.rest) == ([b"one"], True, b"")
    assert heard.answers[0].head.count(b"connection: close") == 1


async def test_a_client_that_wants_the_end_gets_it(served):
    """Who asks with `connection: close`, or in HTTP/1.0, is answered and closed."""
    old = b"GET /old HTTP/1.0\r\n\r\n"
    for raw in (get("/old", b"connection: close"), old):
        heard = await served.talk(raw)
        assert (bodies(heard), heard.closed) == ([b"/old"], True)
        assert b"connection: close" in heard.answers[0].head


# Connections.


async def test_a_connection_is_kept(served):
    """Request after request on one connection, each answered."""
    reader, writer = await asyncio.open_connection(*served.address)
    for number in range(5):
        writer.write(post(b"n%d" % number))
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"connection: close" not in head
        assert await reader.readexactly(2) == b"n%d" % number
    writer.transport.abort()


async def test_a_head_answer_keeps_the_connection(served):
    """HEAD tells the length of what is not sent; the next answer is where it belongs."""
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(get("/path", method=b"HEAD") + get("/next"))
    assert b"content-length: 5\r\n" in await reader.readuntil(b"\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    assert await reader.readexactly(5) == b"/next"
    writer.transport.abort()


async def test_pipelined_requests_are_answered_in_order(served):
    """Twenty requests in one write get twenty answers, in their order."""
    raw = b"".join(post(b"n%d" % number) for number in range(20))
    heard = await served.talk(raw, answers=20)
    assert bodies(heard) == [b"n%d" % number for number in range(20)]


async def test_a_client_that_expects_to_continue(served):
    """`Expect: 100-continue` is answered before the body is sent, then the request itself."""
    head = get("/", b"content-length: 4", b"expect: 100-continue", method=b"POST")
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(head)
    async with asyncio.timeout(5):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"body")
    await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(4) == b"body"
    writer.transport.abort()


async def test_a_whole_body_is_handed_over(served):
    """The server hands over a body that came whole, and only such a one."""
    await served.talk(post(b"body"), answers=1)
    _, writer = await asyncio.open_connection(*served.address)
    writer.write(post(b"body")[:-1])
    await until(lambda: len(served.app.scopes) == 2)
    assert [each.get(WHOLE_BODY) for each in served.app.scopes] == [b"body", None]
    writer.transport.abort()


async def test_a_body_in_parts_is_the_same_body(served):
    """A body is put together from what comes after its head, before or after it is asked for."""
    raw = post(b"0123456789")
    for at in (len(raw) - 10, len(raw) - 9, len(raw) - 1):
        assert bodies(await served.talk(raw[:at], raw[at:], answers=1)) == [b"0123456789"]
        assert bodies(await served.talk(raw[:at], 0.02, raw[at:], answers=1)) == [b"0123456789"]


async def test_a_body_that_never_begins_is_cut(served):
    """A head whose body never comes is not waited for without end."""
    served.app.timeout_s = 0.05
    heard = await served.talk(get("/", b"content-length: 4", method=b"POST"))
    assert (heard.statuses, heard.closed) == ([400], True)


async def test_as_many_connections_as_were_set(monkeypatch):
    """The largest number of connections is served; one more is refused with 503 and closed."""
    async with serving(monkeypatch, max_connections=3) as made:
        others = [await asyncio.open_connection(*made.address) for _ in range(2)]
        assert (await made.talk(get(), answers=1)).statuses == [200]
        await until(lambda: len(made.made.server_state.connections) == 2)
        others.append(await asyncio.open_connection(*made.address))
        await until(lambda: len(made.made.server_state.connections) == 3)
        heard = await made.talk(get())
        assert (heard.statuses, heard.closed) == ([503], True)
        for _, writer in others:
            writer.transport.abort()
        await until(lambda: not made.made.server_state.connections)
        assert (await made.talk(get(), answers=1)).statuses == [200]


async def test_one_connection_is_enough(monkeypatch):
    """A server for one connection serves that one."""
    async with serving(monkeypatch, max_connections=1) as made:
        assert (await made.talk(get(), answers=1)).statuses == [200]


# Listening.


def test_an_address_that_is_taken():
    """A port that is in use is an error at once, and leaves no socket behind."""
    with listen("127.0.0.1", 0) as bound, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", bound.getsockname()[1])


def test_a_port_is_free_again_at_once():
    """A server that was stopped can be started on the same port."""
    with listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            bound.accept()[0].close()
    listen("127.0.0.1", port).close()


def test_ipv6_is_an_address_too():
    """A host with colons is an address of version 6."""
    try:
        bound = listen("::1", 0)
    except OSError:
        pytest.skip("no IPv6 loopback here")
    assert bound.family == socket.AF_INET6
    bound.close()
