"""Bytes on a socket: what no HTTP client would send, and every answer that comes back."""

import asyncio
import json
import re

import msgspec

from kit.vendor import templates
from seamline.dialects.dialect import Reply
from seamline.money import Amount, Currencies
from seamline.wallet import Rejected, Rejection, Verdict

#: How long a server may take to answer or close before a test gives up.
PATIENCE_S = 10.0

_HEAD = re.compile(rb"HTTP/1\.1 (\d{3})[^\r]*\r\n((?:[^\r]+\r\n)*)\r\n")


class Answer(msgspec.Struct, frozen=True):
    """One HTTP answer as it came."""

    status: int
    head: bytes
    body: bytes


class Heard(msgspec.Struct, frozen=True):
    """Everything that came back on a connection, and whether the server closed it."""

    answers: tuple[Answer, ...]
    closed: bool
    rest: bytes = b""

    @property
    def statuses(self):
        """The statuses in order."""
        return [answer.status for answer in self.answers]


def head_of(request, name, *extra, version=b"1.1", length=True):
    """A request's head: the dialect's headers, then the *extra* lines."""
    query = b"?" + request.query if request.query else b""
    line = f"{request.method} /callbacks/{name}{request.path}".encode() + query
    pairs = [b"%s: %s" % pair for pair in request.headers]
    if length:
        pairs.append(b"content-length: %d" % len(request.body))
    return b"\r\n".join((line + b" HTTP/" + version, b"host: x", *pairs, *extra)) + b"\r\n\r\n"


def whole(request, name, *extra, **options):
    """A request's bytes."""
    return head_of(request, name, *extra, **options) + request.body


async def talk(address, *pieces, answers=None, end=False, patience_s=PATIENCE_S):
    """Send the pieces, pausing where one is a number of seconds; hear until the server closes.

    With *answers*, hear that many at most; with *end*, say after the last piece that no more comes.
    """
    reader, writer = await asyncio.open_connection(*address)
    speaking = asyncio.create_task(_speak(writer, pieces, end=end))
    heard, closed = b"", False
    try:
        async with asyncio.timeout(patience_s):
            while answers is None or len(parsed(heard)[0]) < answers:
                got = await reader.read(65_536)
                heard += got
                if not got:
                    closed = True
                    break
    except TimeoutError:
        closed = False
    except ConnectionError:
        closed = True
    speaking.cancel()
    writer.transport.abort()
    found, rest = parsed(heard)
    return Heard(tuple(found), closed, rest)


async def _speak(writer, pieces, *, end):
    try:
        for piece in pieces:
            if isinstance(piece, bytes):
                writer.write(piece)
                await writer.drain()
            else:
                await asyncio.sleep(piece)
        if end:
            writer.write_eof()
    except (ConnectionError, RuntimeError):
        return  # The server closed first, which is what some tests want.


def parsed(raw):
    """The whole answers in the bytes, and the bytes after them."""
    found = []
    while match := _HEAD.match(raw):
        length = re.search(rb"(?im)^content-length: *(\d+)", match[2])
        size = int(length[1]) if length else 0
        if len(raw) - match.end() < size:
            break
        body = raw[match.end() : match.end() + size]
        if match[1] != b"100":
            found.append(Answer(int(match[1]), match[2], body))
        raw = raw[match.end() + size :]
    return found, raw


def hear(vendor, *pieces, **options):
    """What comes back for raw bytes."""
    return vendor.doors.run(talk(vendor.doors.address, *pieces, **options))


def refused(vendor, reply, *, call=None, status=None):
    """Assert that this is a refusal in the dialect's own words, without a trace of our inside.

    Of a bet, unless another *call* is named.
    """
    call = call or vendor.call_of(vendor.bet()).name
    if isinstance(reply, Heard):
        assert len(reply.answers) == 1, reply
        answer = reply.answers[0]
        reply = Reply(answer.status, answer.body)
    assert reply.status in own_statuses(vendor, call), reply
    assert status is None or reply.status == status
    assert b"Traceback" not in reply.body
    assert b".py" not in reply.body
    assert shape(reply) <= own_shape(vendor, call), reply
    judged = vendor.calls[call].judge(reply, vendor.integration)
    assert judged.verdict is not Verdict.DONE


def shape(reply):
    """The names in a reply's JSON; a reply of other form is its own shape."""
    try:
        found = json.loads(reply.body)
    except ValueError:
        return {reply.body[:16]}
    return set(found) if isinstance(found, dict) else {reply.body[:16]}


#: A refusal may tell a balance.
NOTHING = Amount(0, Currencies.standard()["USD"])

#: Why a request is refused that is as it should be: the gateway is in trouble.
TROUBLE = frozenset({Rejection.BUSY, Rejection.UNAVAILABLE, Rejection.FAULT, Rejection.OVERDUE})


def refusals(vendor, *calls, leave=frozenset()):
    """Every refusal of those calls in the dialect's own words."""
    return [
        vendor.dialect.refuse(
            Rejected(why=why, detail="d", field="f", key="k", balance=NOTHING),
            call,
            vendor.integration,
        )
        for why in Rejection
        if why not in leave
        for call in calls
    ]


def own_shape(vendor, call):
    """Every name that the dialect's refusals have; those within a batch's answer are its items'."""
    replies = refusals(vendor, call) + [
        vendor.calls[call].write(
            each.commands, (Rejected(why=Rejection.CURRENCY),) * len(each.commands),
            vendor.integration,
        )
        for each in templates(vendor.speaks)
        if each.call == call
    ]  # fmt: skip
    return set().union(*map(shape, replies))


def own_statuses(vendor, *calls):
    """Every status of the dialect's refusals, those of a gateway in trouble left out.

    Some vendors want 200 and the refusal in the body; none wants 5xx for what is wrong with it.
    """
    found = {reply.status for reply in refusals(vendor, None, *calls, leave=TROUBLE)}
    assert all(200 <= status < 500 for status in found)
    return found
