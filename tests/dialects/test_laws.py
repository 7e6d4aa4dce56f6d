"""The laws that every dialect keeps, whatever its vendor; a new folder inherits them as they are.

What a dialect can say is learnt from its vectors (see `kit.saying`). The laws about signatures and
raw bytes are in a file of their own.
"""

from importlib.resources import files
from operator import attrgetter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.saying import (
    MOVING,
    NAMES,
    NOW,
    alike,
    call_named,
    of_each_call,
    of_each_dialect,
    refusal,
    route_of,
    routed,
    said,
    sayable,
    well_formed,
)
from kit.vendor import integration_of, templates
from seamline.dialects import dialects, package_of
from seamline.dialects.dialect import Failure, Judgement, Reply
from seamline.dialects.examples import IDS, Example, bare
from seamline.money import Amount, Currencies
from seamline.wallet import (
    Applied,
    Bet,
    Command,
    Integration,
    Kind,
    Policy,
    Rejected,
    Rejection,
    Replayed,
    Verdict,
)

#: What is never replayed, as nothing is recorded of it.
ASKING = frozenset({Kind.BALANCE, Kind.AUTHORIZE, Kind.STATUS})

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
    Kind.STATUS: frozenset({Rejection.REFUNDED_BEFORE}),
}


@of_each_call
def test_each_call_has_a_published_example(name, call_name):
    """The vectors of a dialect hold at least one request of each call, with its commands."""
    shown = {each.call for each in templates(name)}
    assert call_name in shown, f"add an object with `call`: {call_name!r} to the vectors"


@of_each_call
def test_the_first_example_of_a_call_is_a_plain_one(name, call_name):
    """What the demo shows a newcomer is not odd, where a call can be said without being so."""
    shown = [each.commands[0] for each in templates(name) if each.call == call_name]
    odd = [each.note is not None or each.objection is not None for each in shown]
    assert all(odd) or not odd[0]


@of_each_dialect
def test_a_dialect_can_bet_pay_and_refund(name):
    """The vectors of a dialect show how a stake, a payment and what undoes a stake are said."""
    kinds = {command.kind for each in templates(name) for command in each.commands}
    assert kinds >= {Kind.BET, Kind.REFUND} or Kind.AUTHORIZE in kinds
    assert kinds & {Kind.WIN, Kind.REWARD}


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
    assert refusal(dialects()[name].verify, request, integration) is None
    assert routed(name, request) == call_name
    assert alike(call.read(request, integration), items)


@of_each_call
@given(data=st.data())
def test_no_id_of_a_vendors_is_a_key_made_here(name, call_name, data):
    """An id that holds the mark of keys made here is refused, wherever in the body it stands."""
    items, request = data.draw(said(name, call_name))
    ids = {bare(each) for item in items for field in IDS if (each := getattr(item, field))}
    for each in sorted(ids):
        told = request.body.replace(f'"{each}"'.encode(), f'"{each}\\u001f"'.encode())
        marked, call = msgspec.structs.replace(request, body=told), call_named(name, call_name)
        if told != request.body and refusal(call.read, marked, integration_of(name)) is None:
            read = call.read(marked, integration_of(name))
            assert any(isinstance(item, Rejected) for item in read)


@of_each_call
@given(data=st.data())
def test_composing_again_gives_the_same_bytes(name, call_name, data):
    """A repeated request is equal byte for byte: retries keep body and signature."""
    items, request = data.draw(said(name, call_name))
    assert call_named(name, call_name).compose(items, integration_of(name), NOW) == request


def outcomes_of(items, kind, units):
    """Every item done, with that balance in USD."""
    balance = Amount(units, Currencies.standard()["USD"])
    made = [Applied if each.kind in ASKING else kind for each in items]
    return tuple(
        of(
            balance=balance,
            player=each.player or "p1",
            transaction=f"txn_{number}" if each.kind in MOVING or of is Replayed else None,
            moved=balance,
            **(told_of(each) if of is Applied else {}),
        )
        for number, (each, of) in enumerate(zip(items, made, strict=True), 1)
    )


def told_of(command):
    """What else the outcome of a command that asks tells."""
    bet = Bet(state="settled", reference="b1", win_reference="w1")
    return {
        "session": command.session or "s1",
        "bet": bet if command.kind is Kind.STATUS else None,
    }


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
    folder = files(package_of(dialects()[name])) / "vectors"
    assert any(each.name.endswith(".json") for each in folder.iterdir())
    headers = dialects()[name].secret_headers
    assert headers
    assert all(header == header.lower() for header in headers)


@of_each_dialect
def test_paths_are_absolute_and_calls_are_told_apart(name):
    """Calls have names and paths below the integration's base.

    No two share method and path, but where the dialect can say by a request which of them is meant.
    """
    calls = dialects()[name].calls
    assert len({call.name for call in calls}) == len(calls)
    if dialects()[name].which is None:
        assert len({route_of(name, call) for call in calls}) == len(calls)
    assert all(not call.path or call.path.startswith("/") for call in calls)


def test_templates_come_from_vectors():
    """The examples are read from the vectors, not made up here."""
    assert all(isinstance(each, Example) for name in NAMES for each in templates(name))
