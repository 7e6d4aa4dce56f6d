"""Anything at all at the callback door: an answer of the dialect, and no money but by its word.

In process, through ASGI: random bytes, valid requests changed before and after they were signed,
random methods, paths, queries and headers.

On one store: nearly all of it is refused before a store hears of it, and what both stores make of
odd texts is in `test_texts.py`.
"""

from contextlib import suppress
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from kit.gateway import GatewayRig, in_file
from kit.raw import TROUBLE, own_shape, refusals, shape
from kit.vendor import Vendor, renewed, templates
from seamline.cli.ids import Ids
from seamline.dialects import dialects
from seamline.dialects.dialect import Refused, Reply, Request
from seamline.wallet import Kind, Rejected, Rejection, Verdict

NAMES = sorted(dialects())
often = settings(max_examples=300, suppress_health_check=list(HealthCheck))
more = settings(max_examples=10_000, suppress_health_check=list(HealthCheck), deadline=None)

SIGNATURES = sorted({each.signature_header for each in dialects().values()})
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW"]
PIECES = [
    *(b'"', b"null", b"true", b"1e3", b"-1", b"{", b"}", b"[[", b",", b":", b"&", b"=", b"+", b" "),
    *(b"\\u0000", b"\\ud800", b"\xff", b"\x00", b"0" * 40, b"9" * 20, b"%00", b"%ff", b"\n"),
]


class Stage:
    """A gateway and one vendor per dialect, with a player in a session and money."""

    def __init__(self, folder):
        self.rig = GatewayRig(in_file(folder))
        self.vendors = {name: Vendor(self.rig, name).sit_down("1000000.00") for name in NAMES}
        self.shapes = {name: known(self.vendors[name]) for name in NAMES}

    def purses(self):
        """Every player's balance. The memory of a refused bet counts up the version, no more."""
        with self.rig.gateway.store.reader() as reader:
            return [
                [account.balance for account in reader.player("acme", each)[1]]
                for each in (vendor.player for vendor in self.vendors.values())
            ]

    def send(self, name, request):
        """The answer to a request, which must be the dialect's own, and true about money."""
        before = self.purses()
        reply = self.rig.send(name, request)
        assert reply.status < 500 or reply.status in self.shapes[name][0], reply
        assert b"Traceback" not in reply.body
        if not self.done(name, reply):
            assert (reply.status in self.shapes[name][0]) or reply.status == 404, reply
            assert not reply.body or shape(reply) <= self.shapes[name][1], reply
            assert self.purses() == before or self.many(name, request), "a refusal moved money"
        return reply

    def many(self, name, request):
        """Whether it is a batch: of several things some may be done and others not."""
        vendor = self.vendors[name]
        for call in vendor.dialect.calls:
            with suppress(Refused):
                if call.path == request.path and len(call.read(request, vendor.integration)) > 1:
                    return True
        return False

    def done(self, name, reply):
        """Whether some call of the dialect takes the reply for done."""
        vendor = self.vendors[name]
        judged = [call.judge(reply, vendor.integration) for call in vendor.dialect.calls]
        return Verdict.DONE in {each.verdict for each in judged}


def known(vendor):
    """Every status and every name that a refusal of the dialect can have, faults left out."""
    calls = [None, *(call.name for call in vendor.dialect.calls)]
    names = set().union(*(own_shape(vendor, call) for call in calls))
    return {reply.status for reply in refusals(vendor, *calls, leave=TROUBLE)}, names


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """The stage; when all is over the books are audited."""
    made = Stage(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.rig.audit()
    made.rig.close()


@st.composite
def valid(draw, vendor):
    """A request that the vendor could send: any published command, about this player.

    Ids come from a small pool, so that commands meet: repeats, refunds of what is there, rounds.
    """
    template = draw(st.sampled_from(templates(vendor.name)))
    commands = tuple(met(draw, vendor, each) for each in template.commands)
    compose = vendor.calls[template.call].compose
    try:
        return compose(commands, vendor.integration, vendor.doors.clock_ms())
    except Refused as refused:
        # Not every call carries every amount; that all are refused would be noticed.
        if refused.rejected.field != "amount":
            raise
        reject()


def met(draw, vendor, example):
    """The example about this player, with ids and an amount that others have too."""
    amount = draw(st.sampled_from(["0", "1.00", "2.5", "3000000"]))

    def pooled(part):
        return Ids(Random(f"{vendor.player}/{draw(st.integers(0, 30))}")).like(part)

    ids = renewed(example, pooled)
    fields = {name: ids[name] for name in ("key", "target", "round") if name in ids}
    return vendor.fill(example, amount if example.amount is not None else None, **fields)


def spoiled(draw, raw):
    """The bytes with some cut, changed or put in."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        upto = draw(st.integers(at, min(len(raw), at + 20)))
        raw = raw[:at] + draw(st.sampled_from(PIECES) | st.binary(max_size=5)) + raw[upto:]
    return raw


@st.composite
def changed(draw, vendor, *, signed):
    """A valid request with something else in it, signed before or after the change."""
    request = draw(valid(vendor))
    part = draw(st.sampled_from(["body", "query", "method", "path", "headers"]))
    if part in ("body", "query"):
        new = spoiled(draw, getattr(request, part))
    elif part == "method":
        new = draw(st.sampled_from(METHODS))
    elif part == "path":
        other = draw(st.sampled_from([call.path for call in vendor.dialect.calls]))
        new = draw(st.sampled_from([other, other + "/", "/" + other, other + "%00", other.upper()]))
    else:
        new = (*request.headers, *draw(headers))
    request = msgspec.structs.replace(request, **{part: new})
    if not signed:
        return request
    try:
        return vendor.dialect.sign(request, vendor.integration)
    except Refused:
        return request


header = st.tuples(
    st.sampled_from([*SIGNATURES, b"content-type", b"cookie", b"x", b"authorization"]),
    st.binary(max_size=70),
)
headers = st.lists(header, max_size=4)
anything = st.builds(
    Request,
    st.sampled_from(METHODS),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20).map("/{}".format),
    st.binary(max_size=60),
    headers.map(tuple),
    st.binary(max_size=200),
)


@pytest.mark.parametrize("name", NAMES)
@often
@given(request=anything)
def test_random_requests_are_refused(stage, name, request):
    """What nobody signed is refused in the dialect's words and moves nothing."""
    before = stage.purses()
    reply = stage.send(name, request)
    assert 400 <= reply.status < 500 or reply.status in stage.shapes[name][0]
    assert stage.purses() == before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
@often
@given(data=st.data())
def test_changed_requests_are_answered_well(stage, name, signed, data):
    """A changed request is refused, or done and meant so; nothing in between."""
    stage.send(name, data.draw(changed(stage.vendors[name], signed=signed)))


@pytest.mark.parametrize("name", NAMES)
@often
@given(data=st.data())
def test_valid_requests_are_answered_well(stage, name, data):
    """Any order of valid requests is answered, and their repeats answer the same way."""
    request = data.draw(valid(stage.vendors[name]))
    first = stage.send(name, request)
    before = stage.purses()
    again = stage.send(name, request)
    # A vendor may want to hear that something was noted before: 202, then 200.
    assert again.status // 100 == first.status // 100
    assert stage.purses() == before, "a repeat moved money"


@pytest.mark.parametrize("name", NAMES)
@often
@given(body=st.binary(max_size=300), data=st.data())
def test_signed_noise_is_refused(stage, name, body, data):
    """Random bytes under a right signature are refused, on every call."""
    vendor = stage.vendors[name]
    call = data.draw(st.sampled_from(vendor.dialect.calls))
    request = Request(call.method, call.path, b"", (), body)
    try:
        request = vendor.dialect.sign(request, vendor.integration)
    except Refused:
        return
    before = stage.purses()
    stage.send(name, request)
    assert stage.purses() == before


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
@more
@given(data=st.data())
def test_changed_requests_are_answered_well_for_long(stage, name, signed, data):
    """The same laws over many more changed requests."""
    stage.send(name, data.draw(changed(stage.vendors[name], signed=signed)))


def test_the_oracle_can_tell(stage):
    """The stage would notice a refusal that moves money, and an answer in other words."""
    name = NAMES[0]
    vendor = stage.vendors[name]
    bet = vendor.compose(vendor.bet("1.00"))
    assert stage.done(name, stage.send(name, bet))
    assert not stage.done(name, Reply(400, b"{}"))
    send = stage.rig.send
    call = vendor.call_of(vendor.bet()).name
    refusal = vendor.dialect.refuse(Rejected(why=Rejection.FUNDS), call, vendor.integration)
    assert not stage.done(name, refusal)
    try:
        stage.rig.send = lambda name, request: (send(name, request), refusal)[1]
        with pytest.raises(AssertionError, match="a refusal moved money"):
            stage.send(name, vendor.compose(vendor.bet("1.00")))
        stage.rig.send = lambda *_: Reply(refusal.status, b'{"stack":1}')
        with pytest.raises(AssertionError):
            stage.send(name, bet)
    finally:
        del stage.rig.send
    assert vendor.can(Kind.BET)
