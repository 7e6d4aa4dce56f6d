"""The four reverse calls as requests: read by the wallet, composed by the sender."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swipegames_world import (
    BET,
    CALLS,
    LIVE,
    ROUND,
    SESSION,
    bet,
    command_of,
    integration,
    post,
    refusal,
    vectors,
)

from seamline.dialects.dialect import Malformed, Request
from seamline.dialects.signing import canonical
from seamline.dialects.swipegames import DIALECT
from seamline.money import Quantity
from seamline.wallet import Command, Kind, Rejected, Rejection

VECTORS = vectors("calls")["calls"]
MALFORMED = vectors("malformed")["bodies"]
BODY = json.loads(next(row for row in VECTORS if row["id"] == "P1")["body"])

ids = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\x1f"), min_size=1, max_size=255
)
uuids = st.uuids().map(str)
amounts = st.builds(Quantity, st.integers(0, 10**40), st.integers(0, 20))
played = {"integration": st.just("swipe"), "key": uuids, "session": ids, "amount": amounts}
bets = st.builds(Command, kind=st.just(Kind.BET), round=uuids, **played) | st.builds(
    Command,
    kind=st.just(Kind.BET),
    round=uuids,
    free=st.booleans(),
    campaign=st.none() | ids,
    **played,
)
wins = (
    st.builds(Command, kind=st.just(Kind.WIN), round=uuids, **played)
    | st.builds(
        Command,
        kind=st.just(Kind.WIN),
        round=uuids,
        free=st.just(True),
        campaign=st.none() | ids,
        **played,
    )
    | ids.flatmap(
        lambda campaign: st.builds(
            Command,
            kind=st.just(Kind.REWARD),
            round=uuids,
            campaign=st.just(campaign),
            claim=st.just(f"payout of {campaign}"),
            **played,
        )
    )
)
refunds = st.builds(
    Command, kind=st.just(Kind.REFUND), round=st.none() | uuids, target=uuids, **played
)


def named(row):
    """The id of a row of vectors."""
    return row["id"]


def request_of(row):
    """The request of a row, as the vendor sends it."""
    signature = ((b"x-request-sign", row["signature"].encode()),)
    if "query" in row:
        return Request("GET", "/balance", row["query"].encode(), signature)
    return Request("POST", f"/{row['call']}", headers=signature, body=row["body"].encode())


def changed(**fields):
    """The vendor's bet with some fields changed, signed."""
    return post("/bet", json.dumps(BODY | fields))


@pytest.mark.parametrize("row", VECTORS, ids=named)
def test_row02_each_vector_reads_as_its_command(row):
    """The published request verifies and is read as the command that it stands for."""
    request = request_of(row)
    assert refusal(DIALECT.verify, request, LIVE) is None
    assert CALLS[row["call"]].read(request, LIVE) == (command_of(row),)


@pytest.mark.parametrize("row", VECTORS, ids=named)
def test_row52_each_command_is_composed_byte_for_byte(row):
    """The command is composed as the published bytes, canonical, with the published signature."""
    request = CALLS[row["call"]].compose((command_of(row),), LIVE, 0)
    expected = request_of(row)
    assert (request.method, request.path) == (expected.method, expected.path)
    assert (request.query, request.body) == (expected.query, expected.body)
    assert request.header(b"x-request-sign") == expected.header(b"x-request-sign")


@pytest.mark.parametrize(("name", "commands"), [("bet", bets), ("win", wins), ("refund", refunds)])
@given(data=st.data())
def test_what_is_composed_reads_back(name, commands, data):
    """Any command survives the wire, on canonical bytes that verify."""
    command = data.draw(commands)
    request = CALLS[name].compose((command,), LIVE, 0)
    assert refusal(DIALECT.verify, request, LIVE) is None
    assert CALLS[name].read(request, LIVE) == (command,)
    assert request.body == canonical(json.loads(request.body))


def test_what_hangs_on_the_session_is_not_sent():
    """Player, currency and game have no field on this wire; the session stands for them."""
    request = CALLS["bet"].compose((bet(player="p", currency="USD", game="g"),), LIVE, 0)
    assert CALLS["bet"].read(request, LIVE) == (bet(),)


@pytest.mark.parametrize(
    ("name", "command", "field"),
    [
        ("bet", bet(kind=Kind.WIN), "kind"),
        ("bet", bet(amount=None), "amount"),
        ("bet", bet(amount=Quantity(10**70)), "amount"),
        ("bet", bet(session=None), "session"),
        ("bet", bet(session=""), "session"),
        ("bet", bet(session="s" * 256), "session"),
        ("bet", bet(session="a\0"), "session"),
        ("bet", bet(session="\ud800"), "session"),
        ("bet", bet(round=None), "round"),
        ("bet", bet(round="r1"), "round"),
        ("bet", bet(key="b1"), "key"),
        ("bet", bet(campaign=""), "campaign"),
        ("win", bet(kind=Kind.WIN, campaign="c"), "campaign"),
        ("win", bet(kind=Kind.REWARD), "campaign"),
        ("win", bet(kind=Kind.REWARD, campaign="c", free=True), "free"),
        ("refund", bet(kind=Kind.REFUND), "target"),
        ("balance", bet(kind=Kind.BALANCE, session=None), "session"),
    ],
)
def test_a_command_without_a_place_on_the_wire_is_not_sent(name, command, field):
    """A command that the other end could not read, or would read as another one, is refused."""
    refused = refusal(CALLS[name].compose, (command,), LIVE, 0)
    assert (refused.why, refused.field) == (Rejection.MALFORMED, field)


@pytest.mark.parametrize("items", [(), (bet(), bet()), (Rejected(why=Rejection.FUNDS),)])
def test_a_call_carries_one_command(items):
    """Nothing, a batch, or an item that was refused has no place on this wire."""
    assert refusal(CALLS["bet"].compose, items, LIVE, 0).field == "kind"


@pytest.mark.parametrize("row", MALFORMED, ids=named)
def test_row25_and_row27_a_malformed_body_is_400_and_names_the_field(row):
    """A rightly signed body that cannot be read in one way only is refused, with its field."""
    request = post("/bet", row["body"])
    assert refusal(DIALECT.verify, request, LIVE) is None
    refused = refusal(CALLS["bet"].read, request, LIVE)
    assert (refused.why, refused.field) == (Rejection.MALFORMED, row["field"])
    assert refused.detail
    assert DIALECT.refuse(refused, "bet", LIVE).status == 400


@pytest.mark.parametrize(
    "body", [b"\xff", b'{"amount":"\xff"}', b'{"x":"\xff"}', b"[" * 60_000, b'{"a":' * 9_000, b"\0"]
)
def test_row27_broken_bytes_are_400(body):
    """Invalid UTF-8 and endless nesting are refused like any other broken body."""
    assert refusal(CALLS["bet"].read, post("/bet", body), LIVE).why is Rejection.MALFORMED


def test_row27_invalid_utf8_in_an_unknown_field_is_400():
    """Bytes that are no text are refused even where nobody looks at them."""
    body = json.dumps(BODY).encode()[:-1] + b',"x":"\xff"}'
    assert (
        refusal(CALLS["bet"].read, post("/bet", body), LIVE).detail == "the text is not valid UTF-8"
    )


def test_row26_an_unknown_field_is_ignored():
    """A field that a later version adds does no harm."""
    assert CALLS["bet"].read(changed(futureField={"a": [1, None]}), LIVE) == (bet(),)


@pytest.mark.parametrize(
    "text", ["0", "0.00", "0.90", "100", "100.10", "1.123456789012345678", "9" * 64]
)
def test_row22_plain_amounts_are_read_exactly(text):
    """Whatever the pattern allows is kept to the last decimal."""
    (command,) = CALLS["bet"].read(changed(amount=text), LIVE)
    assert str(command.amount) == text


def test_ids_in_capitals_are_the_same_ids():
    """A UUID in capitals is the same key, or a refund would miss its bet."""
    (command,) = CALLS["bet"].read(changed(txID=BET.upper(), roundID=ROUND.upper()), LIVE)
    assert command == bet()


def test_a_session_of_255_characters_is_read():
    """The longest id that is read has 255 characters, not bytes."""
    (command,) = CALLS["bet"].read(changed(sessionID="é" * 255), LIVE)
    assert command.session == "é" * 255


def test_row17_a_bet_body_at_the_win_path_has_the_same_key():
    """A captured bet reads as a win of the same key and another kind, which the ledger refuses."""
    (as_win,) = CALLS["win"].read(changed(), LIVE)
    assert as_win == bet(kind=Kind.WIN)
    assert "kind" in DIALECT.policy(LIVE.options).fingerprint


def test_row38_a_free_win_moves_nothing():
    """A win of type free is tracking only, with its campaign."""
    (command,) = CALLS["win"].read(changed(type="free", frID="fr"), LIVE)
    assert command == bet(kind=Kind.WIN, free=True, campaign="fr")


def test_row40_a_regular_win_with_a_campaign_is_its_payout():
    """The payout of free rounds is a reward that is claimed once per campaign, round kept."""
    (command,) = CALLS["win"].read(changed(frID="fr"), LIVE)
    assert command == bet(kind=Kind.REWARD, campaign="fr", claim="payout of fr")


@pytest.mark.parametrize("query", [b"", b"sessionID=", b"other=1", b"sessionID"])
def test_row08_a_balance_call_without_session_is_404(query):
    """A missing or blank session is a session that nobody knows, told by an error object."""
    request = DIALECT.sign(Request("GET", "/balance", query), LIVE)
    assert refusal(DIALECT.verify, request, LIVE) is None
    refused = refusal(CALLS["balance"].read, request, LIVE)
    reply = DIALECT.refuse(refused, "balance", LIVE)
    assert (refused.why, refused.field) == (Rejection.SESSION_UNKNOWN, "sessionID")
    assert (reply.status, json.loads(reply.body)["code"]) == (404, "session_not_found")


@pytest.mark.parametrize(
    "query", [b"sessionID=" + b"s" * 256, b"sessionID=%00", b"a=1&a=1", b"%ff"]
)
def test_a_balance_call_that_cannot_be_read_is_404(query):
    """Too long, NUL, repeated or no UTF-8: malformed, and 404 as the call has no 400."""
    refused = refusal(CALLS["balance"].read, Request("GET", "/balance", query), LIVE)
    assert refused.why is Rejection.MALFORMED
    assert DIALECT.refuse(refused, "balance", LIVE).status == 404


# Whatever comes in.

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
nearly = st.dictionaries(
    st.sampled_from([*BODY, "frID", "origTxID", "x"]),
    json_values | st.sampled_from([BET, "regular", "free", "1.00"]),
    max_size=8,
)
bodies = st.binary(max_size=200) | nearly.map(json.dumps).map(str.encode)


@pytest.mark.parametrize("name", ["bet", "win", "refund"])
@given(body=bodies)
def test_any_signed_body_is_read_or_refused_well(name, body):
    """However broken a signed body is, it is read or gives a well-formed refusal."""
    refused = refusal(CALLS[name].read, post(f"/{name}", body), LIVE)
    if refused is not None:
        reply = DIALECT.refuse(refused, name, LIVE)
        assert reply.status == 400
        assert json.loads(reply.body)["message"]


@given(st.binary(max_size=80), st.none() | st.binary(max_size=70), st.sampled_from(["GET", "POST"]))
def test_any_request_is_refused_well(raw, header, method):
    """However broken a request is, verifying and reading raise nothing but refusals."""
    headers = () if header is None else ((b"x-request-sign", header),)
    request = Request(method, "/bet", raw, headers, raw)
    refused = refusal(DIALECT.verify, request, LIVE)
    assert refused.why is Rejection.SIGNATURE
    assert DIALECT.refuse(refused, None, LIVE).status == 401


@given(st.binary(max_size=80))
def test_any_query_is_read_or_refused(raw):
    """However broken a query is, reading it raises nothing but refusals."""
    refused = refusal(CALLS["balance"].read, Request("GET", "/balance", raw), LIVE)
    assert refused is None or DIALECT.refuse(refused, "balance", LIVE).status == 404


def test_a_malformed_error_is_one_of_ours():
    """Composing refuses in the words of reading, so that one place catches both."""
    with pytest.raises(Malformed):
        CALLS["bet"].compose((bet(amount=None),), integration(), 0)


def test_the_policy_follows_the_options():
    """Wins for refunded bets are held or paid as chosen; refused bets are remembered."""
    assert DIALECT.policy(LIVE.options).win_after_refund == "hold"
    paying = DIALECT.policy(integration(win_after_refund="pay").options)
    assert (paying.win_after_refund, paying.replayed_balance) == ("pay", "stored")
    assert paying.remembered_refusals == {Kind.BET}


def test_sessions_live_as_long_as_the_options_say():
    """Four hours, or what the operator chose."""
    assert DIALECT.session_ms(LIVE.options) == 4 * 3_600_000
    assert DIALECT.session_ms(integration(session_hours=1).options) == 3_600_000


def test_the_session_of_a_reply_is_kept_as_it_is():
    """A session id is opaque: no case, form or trimming is applied to it."""
    odd = f" {SESSION.upper()} "
    request = CALLS["balance"].compose(
        (Command(kind=Kind.BALANCE, integration="swipe", session=odd),), LIVE, 0
    )
    assert CALLS["balance"].read(request, LIVE)[0].session == odd


def test_the_received_time_does_not_matter():
    """Nothing on this wire is timed, so the same request reads the same at any time."""
    request = msgspec.structs.replace(changed(), at_ms=10**12)
    assert CALLS["bet"].read(request, LIVE) == (bet(),)
