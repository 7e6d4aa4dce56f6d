"""Bytes that are hardly HTTP: slow, huge, ambiguous or garbage; and no secret in any record."""

import asyncio
import random

import msgspec
import pytest

from kit.echo import until
from kit.gateway import API_KEY
from kit.raw import head_of, hear, talk, whole
from kit.server import ServedGateway, secrets
from kit.vendor import Vendor
from seamline.dialects import dialects
from seamline.ledger.ledger import Ledger

# Slow and large heads.


@pytest.mark.parametrize("kept", [0, 1, 40])
def test_a_head_that_never_ends(caller, kept):
    """A caller that sends part of a head and waits is closed, with 408 where it can read it."""
    raw = whole(caller.compose(caller.bet()), caller.name)
    heard = hear(caller, raw[:kept])
    assert heard.closed
    assert heard.statuses in ([], [408])


def test_a_head_that_trickles(caller):
    """One byte at a time is no way around the time limit."""
    raw = whole(caller.compose(caller.bet()), caller.name)
    heard = hear(caller, *(piece for byte in raw[:60] for piece in (bytes([byte]), 0.03)))
    assert heard.closed
    assert heard.statuses == [408]


def test_the_second_head_of_a_connection_has_a_limit_too(caller):
    """A connection that was answered once must send its next head in time as well."""
    caller.expected = "one bet"
    raw = whole(caller.compose(caller.bet()), caller.name)
    heard = hear(caller, raw, 0.1, raw[:30])
    assert heard.statuses == [200, 408]
    assert heard.closed


def test_empty_lines_keep_no_connection_open(caller):
    """Line ends between two requests do not count as a request that is on its way."""
    caller.expected = "one bet"
    raw = whole(caller.compose(caller.bet()), caller.name)
    trickle = (piece for _ in range(600) for piece in (b"\r\n", 0.03))
    heard = hear(caller, raw, *trickle)
    assert heard.statuses[0] == 200
    assert heard.closed


@pytest.mark.parametrize(
    "extra",
    [
        [b"x-large: " + b"a" * 100_000],
        [b"x-%d: 1" % number for number in range(5_000)],
        [b"x" * 20_000 + b": 1"],
    ],
    ids=["100 kB", "5000 lines", "a name"],
)
def test_a_head_that_is_too_large(caller, extra):
    """A head beyond the limit is refused with 431 and the connection closed."""
    heard = hear(caller, whole(caller.compose(caller.bet()), caller.name, *extra))
    assert heard.statuses in ([431], [])
    assert heard.closed


def test_a_url_that_is_too_long(caller):
    """So is a URL that is longer than any."""
    request = msgspec.structs.replace(caller.compose(caller.bet()), query=b"x" * 40_000)
    heard = hear(caller, whole(request, caller.name))
    assert heard.statuses in ([431], [])
    assert heard.closed


# Versions, and several requests on a connection.


def test_http_1_0_is_answered_and_closed(caller):
    """An HTTP/1.0 client gets its answer and the end of the connection."""
    caller.expected = "a bet"
    heard = hear(caller, whole(caller.compose(caller.bet()), caller.name, version=b"1.0"))
    assert heard.statuses == [200]
    assert heard.closed


def test_pipelined_requests_are_answered_in_order(caller):
    """Ten bets in one write get ten answers, in the order of the bets."""
    caller.expected = "ten bets"
    bets = [caller.bet("1.00") for _ in range(10)]
    raw = b"".join(whole(caller.compose(bet), caller.name) for bet in bets)
    heard = hear(caller, raw, answers=10)
    assert heard.statuses == [200] * 10
    rows = caller.doors.transactions(brand="acme", player=caller.player)[1:]
    assert [row["key"] for row in rows] == [bet.key for bet in bets]


@pytest.fixture
def slow(caller, monkeypatch):
    """A ledger that takes its time, so that requests are under way for a while."""
    apply = Ledger.apply

    async def slowly(self, command):
        outcome = await apply(self, command)
        await asyncio.sleep(0.15)
        return outcome

    monkeypatch.setattr(Ledger, "apply", slowly)
    yield caller
    monkeypatch.undo()


GARBAGE = {
    "garbage": b"\x00\x01\x02\r\n\r\n",
    "a head too large": b"POST / HTTP/1.1\r\nx: " + b"a" * 20_000,
    "a head too slow": b"POST / HTTP/1.1\r\nx: ",
}


@pytest.mark.parametrize("what", GARBAGE)
def test_what_follows_a_request_never_answers_it(slow, what):
    """A bet that is under way is answered by its own outcome or not at all.

    A 4xx that is meant for what came behind it would promise that nothing was debited.
    """
    slow.expected = "a bet"
    raw = whole(slow.compose(slow.bet()), slow.name)
    heard = hear(slow, raw, 0.02, GARBAGE[what])
    assert slow.moved() == [("bet", "10.00")]
    assert heard.statuses[:1] in ([], [200])
    assert heard.closed


@pytest.mark.parametrize("what", GARBAGE)
def test_what_follows_in_the_same_write_never_answers_it(slow, what):
    """The same, when bet and garbage come in one piece."""
    slow.expected = "a bet, perhaps"
    raw = whole(slow.compose(slow.bet()), slow.name)
    heard = hear(slow, raw + GARBAGE[what])
    assert heard.closed
    if slow.moved():
        assert heard.statuses[:1] in ([], [200])


# Ambiguous lengths.


@pytest.mark.parametrize(
    "extra",
    [
        b"content-length: 0",
        b"content-length: -1",
        b"content-length: 5, 6",
        b"content-length: 99999999999999999999",
        b"content-length: +5",
        b"transfer-encoding: chunked",
        b"transfer-encoding: gzip, chunked, identity",
        b"Content-Length : 3",
        b"x: y\r\n z: folded",
        b"no colon here",
        b"x: a\x00b",
    ],
    ids=repr,
)
def test_a_length_that_can_be_read_in_two_ways(caller, extra):
    """Two lengths, or none that is a number, end the connection; no second request is smuggled."""
    caller.expected = "a bet, perhaps"
    hidden = whole(caller.compose(caller.bet("7.77")), caller.name)
    raw = whole(caller.compose(caller.bet("1.00")), caller.name, extra)
    heard = hear(caller, raw + hidden[:0], end=True)
    assert all(status < 500 for status in heard.statuses)
    assert caller.moved() in ([], [("bet", "1.00")])
    if caller.moved():
        assert heard.statuses == [200]


# Garbage.


def noise(seed):
    """Bytes at random, some of which begin like a request."""
    chance = random.Random(seed)
    start = chance.choice([b"", b"POST ", b"GET / HTTP/1.1\r\n", b"POST /callbacks/"])
    return start + chance.randbytes(chance.randint(1, 400)) + b"\r\n\r\n"


SPOKEN = {
    "tls": bytes.fromhex("16030100c8010000c40303") + bytes(180),
    "http2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
    "http9": b"GET /healthz HTTP/9.9\r\n\r\n",
    "lower": b"post /healthz http/1.1\r\n\r\n",
    "nul": bytes(300),
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "no path": b"GET  HTTP/1.1\r\n\r\n",
    "connect": b"CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    "upgrade": b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
    "websocket": b"GET /callbacks/x/bet HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\n"
    b"upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: eA==\r\n\r\n",
    "path": b"GET /callbacks/\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
    "utf8": b"GET /callbacks/%ff%fe?%00=%ff HTTP/1.1\r\nhost: x\r\n\r\n",
    "absolute": b"GET http://evil.example/v1/players HTTP/1.1\r\nhost: x\r\n\r\n",
}


@pytest.mark.parametrize("what", SPOKEN)
def test_other_protocols_are_turned_away(caller, what):
    """Another protocol, or a broken request line, gets a 4xx or the end of the connection."""
    heard = hear(caller, SPOKEN[what], end=True)
    assert heard.closed
    assert all(status < 500 for status in heard.statuses)
    assert not [each for each in heard.answers if b"Traceback" in each.body]


def test_noise_is_turned_away(caller):
    """Two hundred connections of noise, and the gateway answers as before."""

    async def all_at_once():
        address = caller.doors.address
        return await asyncio.gather(*(talk(address, noise(seed), end=True) for seed in range(200)))

    for heard in caller.doors.run(all_at_once()):
        assert heard.closed
        assert all(status < 500 for status in heard.statuses)


def test_a_percent_encoded_path_is_the_same_path(caller):
    """The path is compared decoded: `/%62et` is `/bet`, and its repeat is a repeat."""
    request = caller.compose(caller.bet())
    if not request.path:
        pytest.skip("the path is the integration's own")
    caller.expected = "one bet"
    letters = "".join(f"%{ord(letter):02x}" for letter in request.path[1:])
    encoded = msgspec.structs.replace(request, path=f"/{letters}")
    assert hear(caller, whole(encoded, caller.name), answers=1).statuses == [200]
    assert hear(caller, whole(request, caller.name), answers=1).statuses == [200]
    assert caller.moved() == [("bet", "10.00")]


@pytest.mark.parametrize("space", [b" ", b"\t", b" \t "])
def test_white_space_around_a_value_is_no_part_of_it(caller, space):
    """Also around a signature: what a proxy may add there refuses nobody."""
    caller.expected = "a bet"
    request = caller.compose(caller.bet())
    wide = [(name, space + value + space) for name, value in request.headers]
    request = msgspec.structs.replace(request, headers=wide)
    assert hear(caller, whole(request, caller.name), answers=1).statuses == [200]
    assert caller.moved() == [("bet", "10.00")]


def test_a_client_that_expects_to_continue(caller):
    """`Expect: 100-continue` is answered, then the request itself."""
    caller.expected = "a bet"
    request = caller.compose(caller.bet())
    head = head_of(request, caller.name, b"expect: 100-continue")
    assert hear(caller, head, 0.1, request.body, answers=1).statuses == [200]


def test_too_many_connections_are_turned_away(tmp_path):
    """Above the limit of connections a caller is refused at once; afterwards all is as before."""
    from kit.gateway import GatewayRig, in_file

    rig = GatewayRig(in_file(tmp_path)).serve(max_connections=20)
    name = min(dialects())
    vendor = Vendor(rig, name).sit_down()

    async def crowd():
        idle = [await asyncio.open_connection(*rig.address) for _ in range(30)]
        heard = await talk(rig.address, whole(vendor.compose(vendor.bet()), name), answers=1)
        for _, writer in idle:
            writer.transport.abort()
        return heard

    assert rig.run(crowd()).statuses == [503]
    assert vendor.moved() == []
    rig.run(until(lambda: not rig._server.server_state.connections))
    vendor.done(vendor.bet())
    rig.close()


# What is recorded.


def test_no_secret_is_written_anywhere(tmp_path):
    """No key and no signature is in the log, in the record of exchanges, or in an answer."""
    told, signatures = [], []
    with ServedGateway(tmp_path) as gateway:
        for name in sorted(dialects()):
            vendor = Vendor(gateway, name).sit_down()
            right = vendor.compose(vendor.bet())
            header = vendor.dialect.signature_header
            signatures.append(right.header(header))
            wrong = msgspec.structs.replace(right, headers=((header, b"deadbeef" * 8),))
            signatures.append(b"deadbeef" * 8)
            bare = msgspec.structs.replace(right, headers=())
            lost = msgspec.structs.replace(right, path="/nowhere")
            told += vendor.doors.send_all(name, [right, wrong, bare, lost])
            said = vendor.send(vendor.bet("1000000.00"))
            told.append(said.reply)
        told.append(gateway.operator("GET", "/v1/players/acme/nobody"))
        assert gateway.exchanges()
        gateway.terminate()
    kept = b"".join(
        path.read_bytes()
        for path in tmp_path.iterdir()
        if path.is_file() and path.name != "seamline.toml"
    )
    everything = kept + repr(told).encode()
    assert API_KEY in secrets()
    for secret in [*(each.encode() for each in secrets()), *signatures]:
        assert secret not in everything
    assert b"Traceback" not in everything
    assert b"call_refused" in kept
