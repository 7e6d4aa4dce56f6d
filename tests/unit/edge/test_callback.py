"""The callback door with a made-up vendor: who is answered how, and what is kept of it."""

import asyncio
import io
import json
import sys
from ipaddress import ip_network
from itertools import islice

import msgspec
import pytest
import structlog

from kit.command import bet
from kit.door import door
from kit.world import StoreWorld, furnished
from seamline.cli import telemetry
from seamline.dialects.dialect import BadSignature, Call, Dialect, Malformed, Reply, Secret
from seamline.edge import callback
from seamline.edge.callback import Callbacks, request_ids
from seamline.edge.exchanges import ExchangeFilter, Exchanges
from seamline.edge.gateway import Connection, Gateway
from seamline.ledger.store import StoreUnavailable
from seamline.wallet import Integration, Policy, Rejected, Rejection
from unit.edge.api.asgi_caller import call

pytestmark = pytest.mark.anyio

SECRET = "the-vendors-secret-key"
SIGNED = ("x-sign", f"by {SECRET}")
HERE = "/callbacks/swipe"
LIMIT = 200


@pytest.fixture
def anyio_backend():
    """The edge runs in asyncio."""
    return "asyncio"


class Options(msgspec.Struct, frozen=True):
    """The made-up vendor has one key."""

    key: Secret = Secret(SECRET)


class Vendor:
    """A protocol in which a body is a list of bets; each of its functions can be broken."""

    def __init__(self):
        self.broken = {}
        self.seen = []

    def _fail(self, stage):
        if stage in self.broken:
            raise self.broken[stage]

    def verify(self, request, integration):
        """The signature names the key."""
        self.seen.append(request)
        self._fail("verify")
        key = integration.options.key.encoded()
        if request.header(b"x-sign") != b"by " + key:
            raise BadSignature("not by our key")

    def read(self, request, _integration):
        """A list of bets; an amount of null is an item that cannot be read."""
        self._fail("read")
        try:
            items = json.loads(request.body)
        except ValueError:
            raise Malformed("expected JSON", field="body") from None
        return tuple(
            bet(key, amount)
            if amount is not None
            else Rejected(why=Rejection.MALFORMED, detail="expected an amount")
            for key, amount in items
        )

    def write(self, items, outcomes, _integration):
        """The name of each outcome."""
        self._fail("write")
        assert len(items) == len(outcomes)
        return answer(200, [named(each) for each in outcomes])

    def refuse(self, rejected, name, _integration):
        """A refusal says why, and of which call."""
        return answer(400, {"why": rejected.why.name, "call": name, "detail": rejected.detail})

    def call(self, name, method, path):
        """One call."""
        return Call(name=name, method=method, path=path, read=self.read, write=self.write,
                    compose=None, judge=None)  # fmt: skip

    def dialect(self):
        """The record."""
        return Dialect(
            name="plain",
            title="Plain Games",
            document="none 1.0",
            options=Options,
            sandbox=Options,
            policy=lambda _: Policy(),
            session_ms=lambda _: 1,
            calls=(self.call("bet", "POST", "/bet"), self.call("check", "PUT", "/bet")),
            verify=self.verify,
            sign=None,
            trials=None,
            signature_header=b"x-sign",
            refuse=self.refuse,
            secret_headers=frozenset({b"x-sign"}),
        )


def answer(status, said):
    """A reply of JSON."""
    return Reply(status, json.dumps(said).encode())


def named(outcome):
    """An outcome in a word."""
    if isinstance(outcome, Rejected):
        return outcome.why.name
    return type(outcome).__name__


class Rig:
    """The door on a world, and short ways to knock."""

    def __init__(self, world, ledger, folder):
        self.world, self.ledger, self.vendor = world, ledger, Vendor()
        dialect = self.vendor.dialect()
        integration = Integration(name="swipe", brand="acme", dialect="plain", options=Options())
        connection = Connection(
            integration=integration, dialect=dialect, terms=world.terms["swipe"]
        )
        hidden = {"swipe": dialect.secret_headers}
        self.exchanges = Exchanges(folder / "x.db", hidden_headers=hidden)
        self.gateway = Gateway(
            ledger=ledger,
            store=world.store,
            currencies=None,
            connections={"swipe": connection},
            cashiers={},
            api_keys=(),
            exchanges=self.exchanges,
            send=None,
            clock_ms=lambda: world.now_ms,
        )
        self.app = Callbacks(self.gateway, body_limit=LIMIT, body_timeout_s=0.05)

    async def call(self, method, path, *, headers=(SIGNED,), chunks=(b"",)):
        """One exchange."""
        return await call(self.app, method, path, headers=headers, chunks=chunks)

    async def bets(self, *items, **options):
        """The reply to a list of keys and amounts."""
        return await self.call("POST", f"{HERE}/bet", chunks=(json.dumps(items).encode(),),
                               **options)  # fmt: skip

    def kept(self):
        """Call and outcome of each exchange that was noted, oldest first."""
        listed = self.exchanges.list(ExchangeFilter(limit=1_000))
        return [(each.call, each.outcome) for each in reversed(listed)]

    def counted(self):
        """Outcomes by call, from the figures."""
        return {each.labels[-1]: each.outcomes for each in self.app.figures if each.outcomes}


@pytest.fixture
async def rig(tmp_path):
    """A door on a furnished world."""
    world = furnished(StoreWorld(tmp_path))
    async with door(world) as ledger:
        made = Rig(world, ledger, tmp_path)
        yield made
    made.exchanges.close()
    world.close()


@pytest.fixture
def logged(monkeypatch):
    """The lines of JSON that the gateway writes, decoded."""
    before, stream = structlog.get_config(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    telemetry.configure("json", "info")
    monkeypatch.setattr(callback, "_LOG", structlog.get_logger("seamline.callback"))
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.configure(**before)


# Paths.


@pytest.mark.parametrize("path", ["/callbacks/nobody/bet", "/callbacks/", "/callbacks//bet",
                                  "/callbacks/swipe2/bet", "/callbacks/Swipe/bet"])  # fmt: skip
async def test_an_integration_that_is_not_there(rig, path):
    """A path of no integration is 404 in JSON; there is nobody to note it for."""
    got = await rig.call("POST", path)
    assert (got.status, got.json) == (404, {"message": "no such integration"})
    assert got.headers["content-type"] == "application/json"
    assert (rig.kept(), rig.counted()) == ([], {})


@pytest.mark.parametrize("path", ["", "/", "/bets", "/bet/", "/bet/1", "//bet"])
async def test_a_path_that_is_no_call(rig, path):
    """A path that the dialect has not is refused in its words, as no call."""
    got = await rig.call("POST", HERE + path)
    assert got.json == {"why": "CALL_UNKNOWN", "call": None, "detail": ""}
    assert "allow" not in got.headers
    assert rig.kept() == [(None, "call_unknown")]
    assert rig.counted() == {"none": {"call_unknown": 1}}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "post"])
async def test_a_method_that_the_path_has_not(rig, method):
    """Another method is refused in the dialect's words, and told which ones there are."""
    got = await rig.call(method, f"{HERE}/bet")
    assert got.json == {"why": "METHOD", "call": None, "detail": "expected POST or PUT"}
    assert got.headers["allow"] == "POST, PUT"
    assert rig.kept() == [(None, "method")]


async def test_two_methods_of_one_path_are_two_calls(rig):
    """The method chooses among the calls of a path, and each has figures of its own."""
    await rig.call("POST", f"{HERE}/bet", chunks=(b"[]",))
    await rig.call("PUT", f"{HERE}/bet", chunks=(b"[]",))
    assert rig.kept() == [("bet", "empty"), ("check", "empty")]
    assert rig.counted() == {"bet": {"empty": 1}, "check": {"empty": 1}}


# What the dialect is given.


async def test_the_dialect_gets_the_request_as_it_came(rig):
    """The path below the integration, the query as sent, the raw body, and the time."""
    body = b'[ ["b1" , "1.0"]\n]'
    await rig.call("POST", f"{HERE}/bet?a=%41&a=b", chunks=(body[:3], body[3:]))
    request = rig.vendor.seen[0]
    assert (request.method, request.path, request.query) == ("POST", "/bet", b"a=%41&a=b")
    assert (request.body, request.at_ms) == (body, rig.world.now_ms)
    assert request.header(b"x-sign") == SIGNED[1].encode()


async def test_nothing_is_read_before_the_signature(rig):
    """A request with a bad signature never reaches the reader, and says what was wrong with it."""
    rig.vendor.broken["read"] = AssertionError("read")
    got = await rig.bets(["b1", "1.00"], headers=[("x-sign", "by me")])
    assert got.json == {"why": "SIGNATURE", "call": "bet", "detail": "not by our key"}
    assert rig.kept() == [("bet", "signature")]


async def test_what_cannot_be_read_is_refused(rig):
    """A reader's refusal is put in the dialect's words, for that call."""
    got = await rig.call("POST", f"{HERE}/bet", chunks=(b"{",))
    assert got.json == {"why": "MALFORMED", "call": "bet", "detail": "expected JSON"}


# Bodies.


async def test_a_body_that_is_too_large_ends_the_connection(rig):
    """One byte over the limit is refused in the dialect's words, and the connection closes."""
    at_limit = b"[]".ljust(LIMIT)
    got = await rig.call("POST", f"{HERE}/bet", chunks=(at_limit,))
    assert (got.status, got.headers.get("connection")) == (200, None)
    got = await rig.call("POST", f"{HERE}/bet", chunks=(at_limit, b" "))
    assert got.json == {"why": "TOO_LARGE", "call": "bet", "detail": "expected at most 200 bytes"}
    assert got.headers["connection"] == "close"
    assert rig.kept() == [("bet", "empty"), ("bet", "too_large")]
    assert len(rig.vendor.seen) == 1


@pytest.mark.parametrize("path", ["/bet", "/nowhere"])
@pytest.mark.parametrize("begun", [b"", b"[["])
async def test_a_slow_body_ends_the_connection(rig, path, begun):
    """A body that stops coming, or never begins, is refused in time, and the connection closes."""
    coming = [{"type": "http.request", "body": begun, "more_body": True}] if begun else []
    sent = []

    async def receive():
        return coming.pop() if coming else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {"method": "POST", "path": HERE + path, "query_string": b"", "headers": []}
    async with asyncio.timeout(5):
        await rig.app(scope, receive, send)
    said = json.loads(sent[1]["body"])
    assert (said["why"], said["detail"]) == ("MALFORMED", "the body did not arrive in time")
    assert (b"connection", b"close") in sent[0]["headers"]
    assert [outcome for _, outcome in rig.kept()] == ["malformed"]


@pytest.mark.parametrize("chunks", [(None,), (b"[[", None)])
async def test_who_hangs_up_gets_no_answer(rig, chunks):
    """A client that goes away before its request is whole has asked nothing."""
    assert await rig.call("POST", f"{HERE}/bet", chunks=chunks) is None
    assert (rig.kept(), rig.counted(), rig.vendor.seen) == ([], {}, [])


# Faults.


@pytest.mark.parametrize(
    ("stage", "why"), [("verify", "FAULT"), ("read", "FAULT"), ("write", "OVERDUE")]
)
async def test_a_dialect_that_fails(rig, logged, stage, why):
    """The vendor gets its own words for a fault; the log gets the traceback, but no secret.

    Where only the answer cannot be written, nobody says that nothing was moved.
    """
    rig.vendor.broken[stage] = ZeroDivisionError("a mistake of ours")
    got = await rig.bets(["b1", "1.00"])
    assert got.json == {"why": why, "call": "bet", "detail": ""}
    assert rig.kept() == [("bet", why.lower())]
    failed, refused = logged()
    assert (failed["event"], failed["level"]) == ("call_failed", "error")
    assert (failed["request_id"], failed["path"]) == (got.headers["x-request-id"], f"{HERE}/bet")
    assert "Traceback" in failed["exception"]
    assert "ZeroDivisionError: a mistake of ours" in failed["exception"]
    assert (refused["event"], refused["why"]) == ("call_refused", why.lower())
    assert SECRET not in json.dumps([failed, refused])
    assert "mistake" not in got.body.decode()


async def test_after_a_fault_the_next_request_is_served(rig):
    """A fault leaves nothing behind: a bet whose answer failed is a repeat when it comes again."""
    rig.vendor.broken["write"] = ZeroDivisionError()
    await rig.bets(["b1", "1.00"])
    rig.vendor.broken.clear()
    assert (await rig.bets(["b1", "1.00"])).json == ["Replayed"]
    assert rig.world.balance("p1") == "99.00"


async def test_a_ledger_that_fails(rig, logged, monkeypatch):
    """A fault while money is decided is answered and logged like any other; nothing moved."""

    def fail(*_):
        raise ZeroDivisionError("in the ledger")

    monkeypatch.setattr(rig.ledger._lanes[0], "_judge", fail)
    got = await rig.bets(["b1", "1.00"])
    assert got.json == {"why": "FAULT", "call": "bet", "detail": ""}
    assert "ZeroDivisionError: in the ledger" in logged()[0]["exception"]
    monkeypatch.undo()
    assert rig.world.balance("p1") == "100.00"


async def test_a_store_that_is_away(rig, monkeypatch):
    """What the ledger cannot take is an outcome, which the dialect writes itself."""

    async def away(_work):
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(rig.world.writer, "transact", away)
    assert (await rig.bets(["b1", "1.00"])).json == ["UNAVAILABLE"]
    assert rig.kept() == [("bet", "unavailable")]


async def test_refusals_are_logged_with_their_request(rig, logged):
    """The line about a refusal says which request of which call, why, and in which field."""
    got = await rig.call("POST", f"{HERE}/bet", chunks=(b"{",))
    (line,) = logged()
    assert (line["event"], line["level"]) == ("call_refused", "info")
    assert line["request_id"] == got.headers["x-request-id"]
    assert (line["integration"], line["call"], line["why"]) == ("swipe", "bet", "malformed")
    assert (line["field"], line["detail"]) == ("body", "expected JSON")


# Batches.


async def test_a_batch_keeps_its_order_and_commits_once(rig):
    """Items are decided in their order, and what cannot be read among them stays in its place."""
    items = (["b1", "60.00"], ["x", None], ["b2", "60.00"], ["b1", "60.00"], ["b3", "40.00"])
    got = await rig.bets(*items)
    assert got.json == ["Applied", "MALFORMED", "FUNDS", "Replayed", "Applied"]
    assert rig.world.balance("p1") == "0.00"
    assert (rig.ledger.flow.batches, rig.ledger.flow.commands) == (1, 4)
    assert rig.kept() == [("bet", "applied")]


async def test_a_fault_of_one_item_is_no_other_ones(rig, monkeypatch, logged):
    """The others are told what became of them; its own is in the log."""
    apply = rig.ledger.apply

    async def failing(command):
        if command.key == "b2":
            raise ZeroDivisionError("a mistake of ours")
        return await apply(command)

    monkeypatch.setattr(rig.ledger, "apply", failing)
    got = await rig.bets(["b1", "1.00"], ["b2", "1.00"], ["b3", "1.00"])
    assert got.json == ["Applied", "FAULT", "Applied"]
    assert rig.world.balance("p1") == "98.00"
    assert "ZeroDivisionError: a mistake of ours" in logged()[0]["exception"]


async def test_a_batch_of_bad_items_moves_nothing(rig):
    """When no item can be read the ledger is not asked; the dialect writes the answer."""
    got = await rig.bets(["x", None], ["y", None])
    assert got.json == ["MALFORMED", "MALFORMED"]
    assert rig.ledger.flow.batches == 0
    assert rig.kept() == [("bet", "malformed")]


async def test_a_request_for_nothing(rig):
    """A request without items is answered by the dialect, and noted as empty."""
    got = await rig.bets()
    assert (got.status, got.json) == (200, [])
    assert rig.kept() == [("bet", "empty")]
    assert rig.counted() == {"bet": {"empty": 1}}


# What is kept.


async def test_every_answer_is_noted(rig):
    """What was applied, repeated and refused is in the figures and in the record alike."""
    await rig.bets(["b1", "10.00"])
    await rig.bets(["b1", "10.00"])
    await rig.bets(["b2", "1000.00"])
    await rig.bets(["b3", "1.00"], headers=())
    await rig.call("GET", f"{HERE}/bet")
    outcomes = ["applied", "replayed", "funds", "signature"]
    assert rig.kept() == [*(("bet", each) for each in outcomes), (None, "method")]
    assert rig.counted() == {"bet": dict.fromkeys(outcomes, 1), "none": {"method": 1}}
    figures = next(each for each in rig.app.figures if each.labels[-1] == "bet")
    assert figures.labels == ("plain", "swipe", "bet")
    assert sum(figures.buckets) == 4
    assert 0 < figures.seconds < 10


async def test_an_exchange_holds_request_and_reply(rig):
    """The record has both sides of the exchange and the transaction, but not the signature."""
    got = await rig.bets(["b1", "10.00"])
    (kept,) = rig.exchanges.list(ExchangeFilter())
    assert kept.request_id == got.headers["x-request-id"]
    assert (kept.integration, kept.method, kept.path) == ("swipe", "POST", "/bet")
    assert (kept.body, kept.status, kept.reply) == ('[["b1", "10.00"]]', 200, '["Applied"]')
    assert kept.at_ms == rig.world.now_ms
    assert kept.transaction is not None
    assert kept.duration_us > 0
    assert kept.headers == [("x-sign", "[hidden]")]


async def test_a_repeat_names_the_first_transaction(rig):
    """The record of a repeat leads to the transaction of the first request."""
    await rig.bets(["b1", "10.00"])
    await rig.bets(["b1", "10.00"])
    repeat, first = rig.exchanges.list(ExchangeFilter())
    assert repeat.transaction == first.transaction is not None


async def test_every_answer_has_an_id_of_its_own(rig):
    """Replies and refusals carry ids, and no two are equal."""
    given = [await rig.bets([f"b{number}", "1.00"]) for number in range(20)]
    given += [await rig.call("GET", f"{HERE}{path}") for path in ("/bet", "/nowhere")]
    assert len({got.headers["x-request-id"] for got in given}) == 22


def test_ids_are_unique_over_restarts():
    """Ids begin with the time of the start: two runs have none in common."""
    first, second = (set(islice(request_ids(start), 1_000)) for start in (1_000_000, 1_000_001))
    assert len(first) == len(second) == 1_000
    assert not first & second


async def test_a_caller_from_elsewhere_is_refused(rig):
    """Where an integration names its networks, another address is told nothing but that."""
    connection = rig.gateway.connections["swipe"]
    for network, expected in (("127.0.0.0/8", 200), ("203.0.113.0/24", 400)):
        here = msgspec.structs.replace(connection, allow_from=(ip_network(network),))
        gateway = msgspec.structs.replace(rig.gateway, connections={"swipe": here})
        rig.app = Callbacks(gateway, body_limit=LIMIT, body_timeout_s=0.05)
        got = await rig.bets(["b1", "1.00"])
        assert got.status == expected
    assert got.json["why"] == "ADDRESS"
    assert rig.world.balance("p1") == "99.00"


async def test_who_asks_too_often_is_refused(rig):
    """A player's commands beyond the policy's pace are refused one by one; repeats are not."""
    connection = rig.gateway.connections["swipe"]
    terms = msgspec.structs.replace(connection.terms, policy=Policy(pace=(2, 1_000)))
    here = msgspec.structs.replace(connection, terms=terms)
    gateway = msgspec.structs.replace(rig.gateway, connections={"swipe": here})
    rig.app = Callbacks(gateway, body_limit=LIMIT, body_timeout_s=0.05)
    got = await rig.bets(["b1", "1.00"], ["b2", "1.00"], ["b3", "1.00"])
    assert got.json == ["Applied", "Applied", "RATE"]
    assert (await rig.bets(["b1", "1.00"])).json == ["Replayed"]
    rig.world.now_ms += 1_000
    assert (await rig.bets(["b3", "1.00"])).json == ["Applied"]
