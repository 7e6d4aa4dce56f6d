"""How the server stops: kindly, and at once when it is told twice."""

import asyncio
import re
import signal
import socket
import time

import pytest

from kit.echo import bodies, get, post, serving, until
from kit.program import furnish, started, wait_for
from kit.raw import parsed
from seamline.edge import server

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """The edge runs in asyncio."""
    return "asyncio"


@pytest.fixture
async def served(monkeypatch):
    """An echo that is served."""
    async with serving(monkeypatch) as made:
        yield made


async def test_what_is_in_flight_is_answered(served):
    """A request that was begun is answered after the server was asked to stop, then closed."""
    served.app.goes_on.clear()
    asking = asyncio.create_task(served.talk(post(b"kept")))
    await served.app.begun.acquire()
    served.stop()
    await until(lambda: not served.made.servers[0].is_serving())
    served.app.goes_on.set()
    heard = await asking
    assert (bodies(heard), heard.closed) == ([b"kept"], True)
    async with asyncio.timeout(5):
        await served.task


async def test_a_request_on_its_way_is_answered(served, monkeypatch):
    """What arrives on an idle connection right after the stop is answered, and the last."""
    monkeypatch.setattr(server, "LINGER_S", 1.0)
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(post(b"one"))
    await reader.readuntil(b"one")
    served.stop()
    await until(lambda: not served.made.servers[0].is_serving())
    writer.write(post(b"two"))
    heard = await asyncio.wait_for(reader.read(), 5)
    (answer,), rest = parsed(heard)
    assert (answer.body, rest) == (b"two", b"")
    assert b"connection: close" in answer.head
    writer.close()


async def test_idle_connections_are_closed(served):
    """A connection on which nothing comes is closed after lingering, and the server ends."""
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(post(b"one"))
    await reader.readuntil(b"one")
    before = time.monotonic()
    served.stop()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    assert time.monotonic() - before >= server.LINGER_S
    writer.close()


async def test_nobody_new_is_taken(served):
    """Once it is stopping the server accepts no connection."""
    served.stop()
    await until(lambda: not served.made.servers[0].is_serving())
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(*served.address)


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_does_not_wait(served, first, second):
    """Whichever signals they are: the first waits for what is in flight, the second does not."""
    served.app.goes_on.clear()
    _, writer = await asyncio.open_connection(*served.address)
    writer.write(post(b"late"))
    await served.app.begun.acquire()
    served.stop(first)
    assert (served.made.should_exit, served.made.force_exit) == (True, False)
    await until(lambda: not served.made.servers[0].is_serving())
    served.stop(second)
    async with asyncio.timeout(10):
        await served.task
    writer.transport.abort()


@pytest.fixture
async def ordered(monkeypatch):
    """An echo that takes orders, with a request in flight, and the end that orders come from."""
    ours, theirs = socket.socketpair()
    async with serving(monkeypatch, orders=theirs) as made:
        made.app.goes_on.clear()
        made.reader, writer = await asyncio.open_connection(*made.address)
        writer.write(post(b"late"))
        await made.app.begun.acquire()
        made.ours = ours
        yield made
    writer.transport.abort()
    ours.close()
    theirs.close()


async def answered_late(served):
    """Whether the request in flight is answered while the server stops."""
    await until(lambda: not served.made.servers[0].is_serving())
    assert not served.task.done()
    served.app.goes_on.set()
    return b"late" in await served.reader.read()


@pytest.mark.parametrize("end", [False, True])
async def test_an_order_stops_gracefully(ordered, end):
    """The first order asks for a graceful stop; a supervisor that is then gone changes nothing."""
    ordered.ours.send(b"s")
    if end:
        ordered.ours.close()
    assert await answered_late(ordered)


@pytest.mark.parametrize("unread", [False, True])
async def test_a_supervisor_that_is_gone_is_an_order(ordered, unread):
    """Whoever loses its supervisor stops gracefully, whatever that one had left unread."""
    if unread:
        ordered.made._orders.send(b"r")
    ordered.ours.close()
    assert await answered_late(ordered)


async def test_signals_beside_an_order_are_the_same_order(ordered):
    """Ctrl-C and service managers signal every process, and the supervisor orders it as well."""
    ordered.stop(signal.SIGINT)
    ordered.ours.send(b"s")
    await until(lambda: not ordered.made.servers[0].is_serving())
    ordered.stop(signal.SIGTERM)
    assert not ordered.made.force_exit
    assert await answered_late(ordered)


@pytest.mark.parametrize("orders", [(b"s", b"s"), (b"ss",)])
async def test_a_second_order_does_not_wait(ordered, orders):
    """The second order stops the waiting, and no signal that comes after it waits again."""
    for each in orders:
        ordered.ours.send(each)
        await until(lambda: ordered.made.should_exit)
    await until(lambda: ordered.made.force_exit)
    ordered.stop(signal.SIGTERM)
    async with asyncio.timeout(10):
        await ordered.task


def test_a_second_sigterm_ends_the_program(tmp_path):
    """A gateway that waits for half a request ends at once when it is told a second time."""
    furnish(tmp_path)
    slow = {"SEAMLINE_SERVER__SHUTDOWN_TIMEOUT_S": "60", "SEAMLINE_SERVER__BODY_TIMEOUT_S": "60"}
    with started(tmp_path, "serve", SEAMLINE_LOG__FORMAT="json", **slow) as program:
        found = program.wait_for(lambda text: re.search(r'"url": "http://[^:]+:(\d+)"', text))
        port = int(found[1])
        with socket.create_connection(("127.0.0.1", port)) as half:
            lines = (b"content-length: 9", b"expect: 100-continue")
            half.sendall(get("/callbacks/swipe/bet", *lines, method=b"POST"))
            assert half.recv(100).startswith(b"HTTP/1.1 100 ")
            program.process.terminate()
            wait_for(lambda: refused_to_connect(port))
            before = time.monotonic()
            assert program.stop(signal.SIGTERM) == 0
            assert time.monotonic() - before < 30.0


def refused_to_connect(port):
    """Whether nobody listens on that port any more."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return True
    return False
