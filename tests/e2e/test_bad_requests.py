"""Requests that nobody should send: a clear answer or a closed connection, and nothing moved."""

import json

import msgspec
import pytest

from kit.raw import head_of, hear, refused, whole
from kit.vendor import bare
from seamline.wallet import Verdict


def with_headers(request, **changes):
    """The request with changed headers; None takes one away."""
    kept = [pair for pair in request.headers if pair[0].decode() not in changes]
    added = [(name.encode(), value) for name, value in changes.items() if value is not None]
    return msgspec.structs.replace(request, headers=(*kept, *added))


# Who sends it.


@pytest.mark.parametrize("given", [None, b"", b"0" * 64, b"x", b"'; --", b"\xff\xfe", b"a" * 4000])
def test_a_signature_that_is_none_is_refused(caller, given):
    """Without the right signature a request is refused before it is read."""
    request = caller.compose(caller.bet())
    name = caller.dialect.signature_header.decode()
    refused(caller, caller.doors.send(caller.name, with_headers(request, **{name: given})))


def test_two_signatures_are_not_a_choice(caller):
    """Of two signature headers the first counts, so that none can be slipped in behind it."""
    request = caller.compose(caller.bet())
    wrong = (caller.dialect.signature_header, b"0" * 64)
    doubled = msgspec.structs.replace(request, headers=(wrong, *request.headers))
    refused(caller, hear(caller, whole(doubled, caller.name), answers=1))


def test_an_integration_that_is_not_there(caller):
    """An unknown integration is 404 with a message."""
    request = caller.compose(caller.bet())
    for name in ("nobody", "", "..", f"{caller.name}x", "%00"):
        heard = hear(caller, whole(request, name), answers=1)
        assert heard.statuses == [404]
        assert json.loads(heard.answers[0].body)["message"]


@pytest.mark.parametrize("path", ["", "/", "/nowhere", "/bet/x", "//bet", "/bet%00", "/bet%ff"])
def test_a_call_that_is_not_there(caller, path):
    """An unknown call is refused in the dialect's words."""
    request = msgspec.structs.replace(caller.compose(caller.bet()), path=path)
    if path in {call.path for call in caller.dialect.calls}:
        pytest.skip("the dialect has this path")
    refused(caller, hear(caller, whole(request, caller.name), answers=1))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_a_method_that_the_call_has_not(caller, method):
    """The right path under another method is refused in the dialect's words."""
    request = msgspec.structs.replace(caller.compose(caller.bet()), method=method)
    refused(caller, hear(caller, whole(request, caller.name), answers=1))


def test_a_head_request_gets_no_body(caller):
    """HEAD is refused with a head alone."""
    request = msgspec.structs.replace(caller.compose(caller.bet()), method="HEAD", body=b"")
    heard = hear(caller, whole(request, caller.name, b"connection: close"))
    assert heard.closed
    assert heard.rest.startswith(b"HTTP/1.1 4")
    assert heard.rest.endswith(b"\r\n\r\n")


def test_a_session_that_nobody_opened(caller):
    """A bet on an unknown session, or of an unknown player, is refused."""
    bet = caller.bet()
    names = {name: caller.ids.uuid() for name in ("session", "player") if getattr(bet, name)}
    refused(caller, caller.send(msgspec.structs.replace(bet, **names)).reply)


# Bodies.


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"}", b"null", b"[]", b"0", b'"', b"\x00", b"\xff\xfe\x00", b"{}" * 9,
     b'{"a":' * 2000, b"[" * 30_000, b"\xef\xbb\xbf{}", b"a=b&c=d", b"<xml/>", b"%7B%7D",
     b'{"amount":NaN}', b'{"\\ud800":1}', bytes(range(256))],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_a_body_that_is_no_call(caller, body):
    """Whatever a rightly signed body holds, it is refused, never a fault."""
    request = msgspec.structs.replace(caller.compose(caller.bet()), body=body)
    signed = caller.dialect.sign(request, caller.integration)
    refused(caller, caller.doors.send(caller.name, signed))


def test_a_member_that_is_nested_too_deeply(caller):
    """A bet with a member of ten thousand brackets is refused, never a fault."""
    request = caller.compose(caller.bet())
    if not request.body.startswith(b"{"):
        pytest.skip("no JSON body")
    body = request.body[:-1] + b',"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    signed = caller.dialect.sign(msgspec.structs.replace(request, body=body), caller.integration)
    refused(caller, caller.doors.send(caller.name, signed))


@pytest.mark.parametrize(
    "put",
    ["1e3", "01", "-1", " 1", "1 ", "1,5", "NaN", "Infinity", "1" + "0" * 30, "0x1", "1_000", "",
     "1.", ".1", "--1", "\uff11", "1e-5", "1\\u0000", "9" * 10_000, "1." + "0" * 100],
)  # fmt: skip
def test_an_amount_that_is_none(caller, put):
    """An amount that is no plain decimal, or that nothing can hold, is refused."""
    bet = caller.bet("10.37")
    request = caller.compose(bet)
    # White space around a number is JSON's own and no part of the amount.
    spellings = [f'"{put}"', put] if put == put.strip() else [f'"{put}"']
    for old in (b'"10.37"', b"10.37"):
        if old not in request.body:
            continue
        for new in spellings:
            body = request.body.replace(old, new.encode(), 1)
            changed = msgspec.structs.replace(request, body=body)
            signed = caller.dialect.sign(changed, caller.integration)
            refused(caller, caller.doors.send(caller.name, signed))


@pytest.mark.parametrize("put", ["x" * 10_000, "\\u0000", "\\ud800", "\n", "💰" * 3_000])
def test_an_id_that_is_none(caller, put):
    """An id of ten thousand characters, or with characters that nothing can keep, is refused."""
    bet = caller.bet()
    request = caller.compose(bet)
    for text in filter(None, (bare(bet.key), bet.session, bet.round)):
        body = request.body.replace(f'"{text}"'.encode(), f'"{put}"'.encode())
        if body == request.body:
            continue
        signed = caller.dialect.sign(
            msgspec.structs.replace(request, body=body), caller.integration
        )
        refused(caller, caller.doors.send(caller.name, signed))


def padded(caller, size):
    """A bet whose body has that many bytes, rightly signed; the rest is white space."""
    request = caller.compose(caller.bet())
    body = request.body + b" " * (size - len(request.body))
    return caller.dialect.sign(msgspec.structs.replace(request, body=body), caller.integration)


def test_a_body_as_large_as_is_read(caller):
    """65,536 bytes are read and judged by what they say."""
    caller.expected = "a bet"
    reply = caller.doors.send(caller.name, padded(caller, 65_536))
    assert reply.status < 500
    done = caller.judged((caller.bet(),), reply).verdict is Verdict.DONE
    assert len(caller.moved()) == (1 if done else 0)


@pytest.mark.parametrize("size", [65_537, 1_000_000, 10_000_000])
def test_a_body_that_is_too_large(caller, size):
    """One byte more is refused in the dialect's words, without reading it all."""
    heard = hear(caller, whole(padded(caller, size), caller.name))
    refused(caller, heard)
    assert heard.closed


def chunk(raw):
    """A chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(raw), raw)


CHUNKED = b"transfer-encoding: chunked"


def test_a_chunked_body_is_read(caller):
    """A body that comes in chunks, however small, is the same body."""
    caller.expected = "a bet"
    request = caller.compose(caller.bet())
    pieces = [chunk(request.body[at : at + 7]) for at in range(0, len(request.body), 7)]
    head = head_of(request, caller.name, CHUNKED, length=False)
    assert hear(caller, head, *pieces, b"0\r\n\r\n", answers=1).statuses == [200]
    assert caller.moved() == [("bet", "10.00")]


@pytest.mark.parametrize("pause_s", [0.0, 0.02])
def test_a_chunked_body_that_never_ends(caller, pause_s):
    """A body without end is refused when it is too large, or too slow; and the caller is cut."""
    request = caller.compose(caller.bet())
    size = 8_192 if not pause_s else 16
    stream = [piece for _ in range(2_000) for piece in (chunk(b" " * size), pause_s)]
    heard = hear(caller, head_of(request, caller.name, CHUNKED, length=False), *stream)
    refused(caller, heard)
    assert heard.closed


@pytest.mark.parametrize(
    "garbage", [b"zz\r\n", b"-5\r\nhello\r\n", b"fffffffffffffffffff\r\n", b"\0"]
)
def test_a_chunked_body_of_garbage(caller, garbage):
    """Chunks that are none end the connection with a 4xx."""
    request = caller.compose(caller.bet())
    heard = hear(caller, head_of(request, caller.name, CHUNKED, length=False), garbage)
    assert all(400 <= status < 500 for status in heard.statuses)
    assert heard.closed


def test_a_slow_body(caller):
    """A body that does not arrive in time is refused in the dialect's words."""
    request = caller.compose(caller.bet())
    heard = hear(caller, head_of(request, caller.name), request.body[:10])
    refused(caller, heard)
    assert heard.closed


@pytest.mark.parametrize("kept", [0, 1, 10])
def test_a_connection_closed_in_the_middle_of_the_body(caller, kept):
    """Half a body moves nothing."""
    request = caller.compose(caller.bet())
    heard = hear(caller, head_of(request, caller.name), request.body[:kept], end=True)
    assert all(400 <= status < 500 for status in heard.statuses)
