"""The body of a request, however it comes; and a reply, whole."""

import asyncio

import pytest

from seamline.dialects.dialect import Reply
from seamline.edge.asgi import (
    AT_ONCE,
    WHOLE_BODY,
    BodyTooLarge,
    BodyTooSlow,
    Disconnected,
    read_body,
    respond,
)

pytestmark = pytest.mark.anyio

LIMIT = 10
GONE = {"type": "http.disconnect"}


@pytest.fixture
def anyio_backend():
    """The edge runs in asyncio."""
    return "asyncio"


def part(body, *, more=True):
    """A message with part of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


def coming(*messages):
    """A client that sends these messages, and then nothing any more."""
    waiting = list(messages)

    async def receive():
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    receive.waiting = waiting
    return receive


def read(*messages, timeout_s=5.0):
    """The body that these messages make."""
    return read_body({}, coming(*messages), limit=LIMIT, timeout_s=timeout_s)


async def test_a_body_that_comes_whole():
    """A body in one message is that message's bytes."""
    assert await read(part(b"abc", more=False)) == b"abc"


async def test_a_message_without_members_is_an_empty_body():
    """Of a message, `body` and `more_body` may both be missing."""
    assert await read({"type": "http.request"}) == b""


async def test_a_body_in_parts():
    """Parts are put together in their order, empty ones among them."""
    assert await read(part(b"ab"), part(b""), part(b"cd"), part(b"e", more=False)) == b"abcde"


@pytest.mark.parametrize("sizes", [(10,), (5, 5), (10, 0), (0, 10), (1,) * 10])
async def test_a_body_at_the_limit(sizes):
    """As many bytes as the limit says are read, in however many parts."""
    parts = [part(b"x" * size) for size in sizes]
    parts[-1]["more_body"] = False
    assert await read(*parts) == b"x" * LIMIT


@pytest.mark.parametrize("sizes", [(11,), (10, 1), (1, 10), (1,) * 11])
async def test_one_byte_over_the_limit(sizes):
    """One byte more is too large, in however many parts."""
    parts = [part(b"x" * size) for size in sizes]
    parts[-1]["more_body"] = False
    with pytest.raises(BodyTooLarge):
        await read(*parts)


async def test_a_body_that_the_server_has_is_not_asked_for():
    """A body that our server hands over is taken as it is, and capped like any other."""
    assert await read_body({WHOLE_BODY: b"abc"}, coming(), limit=LIMIT, timeout_s=5.0) == b"abc"
    with pytest.raises(BodyTooLarge):
        await read_body({WHOLE_BODY: b"x" * 11}, coming(), limit=LIMIT, timeout_s=5.0)


async def test_a_body_without_end_is_left_at_the_limit():
    """Nothing is read beyond the part that passes the limit."""
    receive = coming(*[part(b"xxxx") for _ in range(100)])
    with pytest.raises(BodyTooLarge):
        await read_body({}, receive, limit=LIMIT, timeout_s=5.0)
    assert len(receive.waiting) == 97


@pytest.mark.parametrize("begun", [[], [part(b"ab")], [part(b"a"), part(b"")]])
async def test_a_body_that_stops_coming_is_too_slow(begun):
    """A body that does not end in time is too slow, even when none of it came at all."""
    async with asyncio.timeout(5):
        with pytest.raises(BodyTooSlow):
            await read(*begun, timeout_s=0.02)


async def test_a_trickle_is_too_slow():
    """The time is for the whole body: single bytes do not win more of it."""

    async def trickle():
        await asyncio.sleep(0.01)
        return part(b"")

    async with asyncio.timeout(5):
        with pytest.raises(BodyTooSlow):
            await read_body({}, trickle, limit=LIMIT, timeout_s=0.05)


@pytest.mark.parametrize("begun", [[], [part(b"ab")]])
async def test_a_client_that_goes_away(begun):
    """A client that hangs up before its body is whole has sent no request."""
    with pytest.raises(Disconnected):
        await read(*begun, GONE)


async def test_who_is_stopped_is_not_slow():
    """A gateway that is told to stop reading does not blame the client."""
    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_reply_is_sent_whole():
    """A reply is a start with its headers, its length and the extra ones, and one body."""
    sent = []

    async def send(message):
        sent.append(message)

    reply = Reply(418, b"tea", ((b"x-pot", b"short"), (b"x-pot", b"stout")))
    await respond({}, send, reply, (b"x-extra", b"1"))
    headers = [(b"x-pot", b"short"), (b"x-pot", b"stout"), (b"content-length", b"3"),
               (b"x-extra", b"1")]  # fmt: skip
    assert sent == [
        {"type": "http.response.start", "status": 418, "headers": headers},
        {"type": "http.response.body", "body": b"tea"},
    ]


@pytest.mark.parametrize("taken", [True, False])
async def test_a_reply_goes_out_at_once_where_the_server_can(taken):
    """A server that takes a whole reply gets it; where it cannot now, ASGI's messages follow."""
    sent, offered = [], []

    async def send(message):
        sent.append(message["type"])

    def at_once(*reply):
        offered.append(reply)
        return taken

    scope = {AT_ONCE: at_once}
    await respond(scope, send, Reply(200, b"x", ()), (b"x-extra", b"1"))
    assert offered == [(scope, 200, [(b"content-length", b"1"), (b"x-extra", b"1")], b"x")]
    assert sent == ([] if taken else ["http.response.start", "http.response.body"])
