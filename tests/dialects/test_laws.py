"""The laws that every dialect keeps, whatever its vendor; a new folder inherits them as they are.

What a dialect can say is learnt from its vectors (see `kit.vendor`): each published command, and
each neighbour of it (a field left out, free or not) that its wire carries unchanged.
"""

from functools import cache
from importlib.resources import files
from itertools import product
from operator import attrgetter

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kit.vendor import Ids, Template, integration_of, templates
from seamline.dialects import dialects
from seamline.dialects.dialect import Failure, Judgement, Refused, Reply, Request
from seamline.money import Amount, Currencies, Quantity
from seamline.wallet import (
    Applied,
    Command,
    Integration,
    Kind,
    Policy,
    Rejected,
    Rejection,
    Replayed,
    Verdict,
)

NAMES = sorted(dialects())
CALLS = [(name, call.name) for name in NAMES for call in dialects()[name].calls]
MOVING = frozenset({Kind.BET, Kind.WIN, Kind.REWARD, Kind.REFUND})

#: Why a command may be told to be done although it was not: nothing is left to do for it.
SETTLED = {
    Kind.REFUND: frozenset(
        {
            Rejection.SESSION_UNKNOWN,
            Rejection.PLAYER_UNKNOWN,
            Rejection.TARGET_UNKNOWN,
            Rejection.TARGET_KIND,
            Rejection.TARGET_REFUNDED,
            Rejection.TARGET_SETTLED,
        }
    ),
    Kind.WIN: frozenset({Rejection.TARGET_REFUNDED, Rejection.TARGET_SETTLED}),
    Kind.REWARD: frozenset({Rejection.ALREADY_CLAIMED}),
}

quantities = st.builds(Quantity, st.integers(0, 10**14), st.just(2)) | st.builds(
    Quantity, st.integers(0, 10**6), st.just(0)
)
seeds = st.integers(0, 2**32)
#: When everything is said: signed times are held against it.
NOW = 1_795_000_000_000

of_each_dialect = pytest.mark.parametrize("name", NAMES)
of_each_call = pytest.mark.parametrize(("name", "call_name"), CALLS)


def call_named(name, call_name):
    """A call of a dialect."""
    return next(call for call in dialects()[name].calls if call.name == call_name)


@cache
def sayable(name, call_name):
    """The shapes of items that the call carries unchanged, each by an example."""
    examples = {each.commands for each in templates(name) if each.call == call_name}
    near = {(each,) for items in examples if len(items) == 1 for each in neighbours(items[0])}
    return tuple(sorted(examples, key=repr)) + tuple(
        sorted((items for items in near - examples if survives(name, call_name, items)), key=repr)
    )


def neighbours(command):
    """The command with some fields left out, free and not, with and without a campaign."""
    named = ("round", "campaign", "game", "player", "currency", "amount", "session")
    given_ = [name for name in named if getattr(command, name) is not None]
    for kept in product((True, False), repeat=len(given_)):
        left_out = {name: None for name, keep in zip(given_, kept, strict=True) if not keep}
        for free in (False, True):
            bare = msgspec.structs.replace(command, **left_out, free=free)
            yield bare
            yield msgspec.structs.replace(bare, claim=None)


def survives(name, call_name, items):
    """Whether the items are the same after composing and reading."""
    call, integration = call_named(name, call_name), integration_of(name)
    try:
        return call.read(call.compose(items, integration, NOW), integration) == items
    except Refused:
        return False


@st.composite
def said(draw, name, call_name):
    """Items that the call carries: an example with new ids and amounts, and its request."""
    items = draw(st.sampled_from(sayable(name, call_name)))
    ids, new = Ids(draw(seeds)), {}
    fresh = tuple(renewed(each, ids, new, draw) for each in items)
    return fresh, call_named(name, call_name).compose(fresh, integration_of(name), NOW)


def renewed(command, ids, new, draw):
    """The command with new ids, the same new one wherever the old one stood, and a new amount."""
    if not isinstance(command, Command):
        return command
    changed = {}
    for field in ("key", "target", "round", "campaign"):
        old = getattr(command, field)
        if old is not None:
            changed[field] = new.setdefault(old, ids.like(old))
    if command.claim is not None and command.campaign is not None:
        changed["claim"] = command.claim.replace(command.campaign, changed["campaign"])
    if command.amount is not None and command.amount.coefficient:
        changed["amount"] = draw(quantities)
    return msgspec.structs.replace(command, **changed)


def refusal(do, *arguments):
    """How it is refused, or None when it is not; whatever else is raised breaks the law."""
    try:
        do(*arguments)
    except Refused as refused:
        return refused.rejected
    return None


@of_each_call
def test_each_call_has_a_published_example(name, call_name):
    """The vectors of a dialect hold at least one request of each call, with its commands."""
    assert [each for each in templates(name) if each.call == call_name]


@of_each_dialect
def test_a_dialect_can_bet_win_and_refund(name):
    """The vectors of a dialect show how a stake, a win and what undoes a stake are said."""
    kinds = {command.kind for each in templates(name) for command in each.commands}
    assert kinds >= {Kind.BET, Kind.WIN, Kind.REFUND} or Kind.AUTHORIZE in kinds


@of_each_dialect
def test_what_moves_money_has_a_key_and_an_owner(name):
    """A command that moves money carries a key, an amount unless it undoes, and whose it is."""
    for command in (each for row in templates(name) for each in row.commands):
        if command.kind in MOVING:
            assert command.key
            assert command.amount is not None or command.kind is Kind.REFUND
            assert command.session or command.player or command.target


@of_each_call
@given(data=st.data())
def test_what_is_composed_reads_back(name, call_name, data):
    """Whatever a call can say arrives as it was said, in a request that verifies."""
    items, request = data.draw(said(name, call_name))
    integration, call = integration_of(name), call_named(name, call_name)
    assert (request.method, request.path) == (call.method, call.path)
    assert refusal(dialects()[name].verify, request, integration) is None
    assert call.read(request, integration) == items


@of_each_call
@given(data=st.data())
def test_composing_again_gives_the_same_bytes(name, call_name, data):
    """A repeated request is equal byte for byte: retries keep body and signature."""
    items, request = data.draw(said(name, call_name))
    assert call_named(name, call_name).compose(items, integration_of(name), NOW) == request


def outcomes_of(items, kind, units):
    """Every item done, with that balance in USD."""
    balance = Amount(units, Currencies.standard()["USD"])
    moved = {"moved": balance} if kind is Applied else {}
    return tuple(
        kind(
            balance=balance,
            player=each.player or "p1",
            transaction=f"txn_{number}" if each.kind in MOVING or kind is Replayed else None,
            **moved,
        )
        for number, each in enumerate(items, 1)
    )


@of_each_call
@pytest.mark.parametrize("kind", [Applied, Replayed])
@given(data=st.data())
def test_what_is_done_is_judged_done(name, call_name, kind, data):
    """The sender believes the answer to what was applied or replayed, and hears the balance."""
    items, _ = data.draw(said(name, call_name))
    units = data.draw(st.integers(0, 10**15))
    call, integration = call_named(name, call_name), integration_of(name)
    outcomes = outcomes_of(items, kind, units)
    judged = call.judge(call.write(items, outcomes, integration), integration)
    assert judged.verdict is Verdict.DONE
    if judged.balance is not None:
        told = Amount.rounded_down(judged.balance, outcomes[-1].balance.currency)[0].units
        assert told <= units < told + 1_000, "what is told is the balance in cents, rounded down"


@of_each_call
@pytest.mark.parametrize("why", Rejection, ids=attrgetter("name"))
def test_what_is_rejected_is_never_judged_done(name, call_name, why):
    """No sender takes a rejection for done, but where nothing is left to do."""
    call, integration = call_named(name, call_name), integration_of(name)
    for items in sayable(name, call_name):
        outcomes = tuple(Rejected(why=why, detail="why", field="amount") for _ in items)
        judged = call.judge(call.write(items, outcomes, integration), integration)
        if judged.verdict is Verdict.DONE:
            assert all(why in SETTLED.get(each.kind, ()) for each in items)


@of_each_call
@pytest.mark.parametrize(
    "why", [Rejection.BUSY, Rejection.UNAVAILABLE, Rejection.FAULT], ids=attrgetter("name")
)
def test_trouble_of_the_gateway_is_not_a_verdict_on_a_win(name, call_name, why):
    """A win or refund that met a gateway in trouble is neither done nor refused for good."""
    call, integration = call_named(name, call_name), integration_of(name)
    for items in sayable(name, call_name):
        if any(each.kind in (Kind.WIN, Kind.REFUND, Kind.REWARD) for each in items):
            outcomes = tuple(Rejected(why=why) for _ in items)
            judged = call.judge(call.write(items, outcomes, integration), integration)
            assert judged.verdict is Verdict.UNKNOWN


@of_each_call
@pytest.mark.parametrize("why", Rejection, ids=attrgetter("name"))
def test_every_refusal_is_well_formed(name, call_name, why):
    """Each refusal of each call is an answer that the sender can judge, and holds no key."""
    call, integration = call_named(name, call_name), integration_of(name)
    reply = dialects()[name].refuse(
        Rejected(why=why, detail="the detail", field="f"), call_name, integration
    )
    assert well_formed(reply)
    assert isinstance(call.judge(reply, integration), Judgement)


@of_each_dialect
@pytest.mark.parametrize("why", Rejection, ids=attrgetter("name"))
def test_every_refusal_of_no_call_is_well_formed(name, why):
    """A path that is no call is refused in the dialect's words too."""
    assert well_formed(dialects()[name].refuse(Rejected(why=why), None, integration_of(name)))


@of_each_dialect
@given(detail=st.text(max_size=400), field=st.none() | st.text(max_size=400))
def test_no_detail_spoils_a_refusal(name, detail, field):
    """Whatever the detail says, half characters and all, the refusal stays well-formed."""
    for why in (Rejection.MALFORMED, Rejection.SIGNATURE, Rejection.FAULT):
        reply = dialects()[name].refuse(
            Rejected(why=why, detail=detail, field=field), None, integration_of(name)
        )
        assert well_formed(reply)


def well_formed(reply):
    """Whether a reply is HTTP that a vendor can read: a status, a body of the type it says."""
    kind = dict(reply.headers).get(b"content-type", b"")
    if kind.startswith(b"application/json") and reply.body:
        msgspec.json.decode(reply.body)
    bounded = len(reply.body) < 4_096
    return 200 <= reply.status < 600 and bounded and b"\n" not in b"".join(sum(reply.headers, ()))


def flipped(raw, bit):
    """The bytes with one bit turned over."""
    at, mask = divmod(bit % (8 * len(raw)), 8)
    return raw[:at] + bytes([raw[at] ^ 1 << mask]) + raw[at + 1 :]


def with_signature(request, header, change):
    """The request with a changed signature header."""
    headers = [(key, change(old) if key == header else old) for key, old in request.headers]
    return msgspec.structs.replace(request, headers=tuple(headers))


@of_each_call
@given(data=st.data(), bit=st.integers(0, 2**20))
def test_a_flipped_bit_of_the_signature_is_refused(name, call_name, data, bit):
    """One wrong bit in the signature, and the request is refused as badly signed."""
    _, request = data.draw(said(name, call_name))
    dialect = dialects()[name]
    broken = with_signature(request, dialect.signature_header, lambda old: flipped(old, bit))
    assume(broken != request)
    refused = refusal(dialect.verify, broken, integration_of(name))
    assert refused is not None
    assert refused.why is Rejection.SIGNATURE


@of_each_call
@given(data=st.data(), bit=st.integers(0, 2**20))
def test_a_flipped_bit_of_the_request_changes_nothing(name, call_name, data, bit):
    """One wrong bit in body or query is refused; or it was one that means nothing."""
    items, request = data.draw(said(name, call_name))
    part = "body" if request.body else "query"
    assume(getattr(request, part))
    broken = msgspec.structs.replace(request, **{part: flipped(getattr(request, part), bit)})
    integration, call = integration_of(name), call_named(name, call_name)
    if refusal(dialects()[name].verify, broken, integration) is None:
        assert call.read(broken, integration) == items


@of_each_call
def test_a_missing_signature_is_refused(name, call_name):
    """A request without the signature header is refused, and the detail says so."""
    dialect, integration = dialects()[name], integration_of(name)
    for items in sayable(name, call_name):
        request = call_named(name, call_name).compose(items, integration, NOW)
        bare = tuple(pair for pair in request.headers if pair[0] != dialect.signature_header)
        refused = refusal(
            dialect.verify, msgspec.structs.replace(request, headers=bare), integration
        )
        assert refused.why is Rejection.SIGNATURE
        assert refused.detail


@of_each_call
def test_the_signature_header_is_secret_and_signed_by_sign(name, call_name):
    """The signature is in the header that the dialect names, which is never recorded."""
    dialect, integration = dialects()[name], integration_of(name)
    assert dialect.signature_header in dialect.secret_headers
    for items in sayable(name, call_name):
        request = call_named(name, call_name).compose(items, integration, NOW)
        assert request.header(dialect.signature_header)
        again = dialect.sign(msgspec.structs.replace(request, headers=()), integration)
        assert refusal(dialect.verify, again, integration) is None


header_values = st.binary(max_size=80) | st.text("0123456789abcdef", min_size=64, max_size=64).map(
    str.encode
)


@of_each_call
@given(
    body=st.binary(max_size=200),
    query=st.binary(max_size=80),
    signature=header_values,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
)
def test_any_bytes_are_verified_or_refused(name, call_name, body, query, signature, method):
    """Nothing that comes in makes `verify` raise anything but a refusal."""
    dialect, call = dialects()[name], call_named(name, call_name)
    headers = ((dialect.signature_header, signature),)
    refused = refusal(
        dialect.verify, Request(method, call.path, query, headers, body), integration_of(name)
    )
    assert refused is not None


def mutated(data, raw):
    """The bytes with a few of them cut, doubled, changed or put in."""
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        upto = data.draw(st.integers(at, min(len(raw), at + 12)))
        put = data.draw(
            st.binary(max_size=6)
            | st.sampled_from(
                [b'"', b"null", b"1e3", b"{", b"[[", b"\\u0000", b"\\ud800", b"\xff", b"-1", b"&"]
            )
        )
        raw = raw[:at] + put + raw[upto:]
    return raw


@of_each_call
@given(data=st.data())
def test_any_signed_bytes_are_read_or_refused(name, call_name, data):
    """A vendor's own mistakes, rightly signed, are read as items or refused; nothing else."""
    dialect, integration = dialects()[name], integration_of(name)
    call = call_named(name, call_name)
    _, request = data.draw(said(name, call_name))
    part = "body" if request.body else "query"
    raw = data.draw(st.binary(max_size=120)) if data.draw(st.booleans()) else mutated(
        data, getattr(request, part)
    )  # fmt: skip
    try:
        request = dialect.sign(msgspec.structs.replace(request, **{part: raw}), integration)
    except Refused:
        assume(False)
    if refusal(dialect.verify, request, integration) is None:
        refused = refusal(call.read, request, integration)
        assert refused is not None or call.read(request, integration)
        if refused is not None:
            assert well_formed(dialect.refuse(refused, call_name, integration))


@of_each_call
@given(
    status=st.integers(100, 599),
    body=st.binary(max_size=120) | st.just(b'{"balance":"1e3"}') | st.just(b"{}"),
)
def test_any_reply_is_judged(name, call_name, status, body):
    """No reply, however broken, stops a sender from coming to a verdict."""
    judged = call_named(name, call_name).judge(Reply(status, body), integration_of(name))
    assert isinstance(judged, Judgement)
    assert judged.verdict is not Verdict.DONE or status < 300


@of_each_call
@pytest.mark.parametrize("failure", Failure)
def test_silence_is_never_done(name, call_name, failure):
    """Without a reply nobody knows what happened."""
    judged = call_named(name, call_name).judge(failure, integration_of(name))
    assert judged.verdict is Verdict.UNKNOWN


@of_each_call
@given(data=st.data(), raw=st.binary(max_size=80))
def test_trials_explain_any_request(name, call_name, data, raw):
    """The explanation of a signature begins with the right way and survives any bytes."""
    dialect, integration = dialects()[name], integration_of(name)
    _, request = data.draw(said(name, call_name))
    right = dialect.trials(request, integration)[0]
    assert right.signature.encode() == request.header(dialect.signature_header)
    part = "body" if request.body else "query"
    broken = msgspec.structs.replace(request, **{part: raw})
    assert all(trial.signature for trial in dialect.trials(broken, integration))


@of_each_dialect
def test_the_sandbox_is_complete(name):
    """The sandbox options are of the dialect's own type and give a policy and a session length."""
    dialect = dialects()[name]
    options = dialect.sandbox()
    assert isinstance(options, dialect.options)
    assert isinstance(dialect.policy(options), Policy)
    assert dialect.session_ms(options) > 0


@of_each_dialect
def test_the_fingerprint_names_fields_of_a_command(name):
    """What must not change when a key comes again are fields that commands have, the kind too."""
    dialect = dialects()[name]
    policy = dialect.policy(dialect.sandbox())
    assert set(policy.fingerprint) <= set(Command.__struct_fields__)
    assert "kind" in policy.fingerprint


@of_each_dialect
def test_keys_are_not_shown(name):
    """An integration that is printed shows none of its keys."""
    dialect = dialects()[name]
    options = dialect.sandbox()
    shown = repr(Integration(name=name, brand="acme", dialect=name, options=options))
    for each in secrets_of(options):
        assert each.reveal() not in shown


def secrets_of(options):
    """Every secret in a dialect's options."""
    values = msgspec.structs.astuple(options)
    flat = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
    found = [each for each in flat if hasattr(each, "reveal")]
    assert found, "a dialect without secrets signs nothing"
    return found


@of_each_dialect
def test_vectors_and_secret_headers_are_there(name):
    """A dialect has vectors, and names the headers that are never recorded, in lower case."""
    folder = files(f"seamline.dialects.{name}") / "vectors"
    assert any(each.name.endswith(".json") for each in folder.iterdir())
    headers = dialects()[name].secret_headers
    assert headers
    assert all(header == header.lower() for header in headers)


@of_each_dialect
def test_paths_are_absolute_and_calls_are_told_apart(name):
    """Calls have names, paths below the integration's base, and no two share method and path."""
    calls = dialects()[name].calls
    assert len({call.name for call in calls}) == len(calls)
    assert len({(call.method, call.path) for call in calls}) == len(calls)
    assert all(not call.path or call.path.startswith("/") for call in calls)


def test_templates_come_from_vectors():
    """The examples are read from the vectors, not made up here."""
    assert all(isinstance(each, Template) for name in NAMES for each in templates(name))
