"""The four reverse calls: read, composed, written and judged."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swipegames_world import (
    BET,
    CALLS,
    LIVE,
    REFUND,
    ROUND,
    SEED,
    SESSION,
    USD,
    applied,
    bet,
    command_of,
    integration,
    post,
    refusal,
    vectors,
)

from seamline.dialects.dialect import Failure, Malformed, Reply, Request
from seamline.dialects.signing import canonical
from seamline.dialects.swipegames import DIALECT
from seamline.dialects.swipegames.sender import judge_refund
from seamline.money import MAX_UNITS, Amount, Currencies, Currency, Quantity
from seamline.wallet import Applied, Command, Kind, Rejected, Rejection, Replayed, Verdict

VECTORS = vectors("calls")["calls"]
MALFORMED = vectors("malformed")["bodies"]
BODY = json.loads(next(row for row in VECTORS if row["id"] == "P1")["body"])
KINDS = {"balance": Kind.BALANCE, "bet": Kind.BET, "win": Kind.WIN, "refund": Kind.REFUND}

ids = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=255
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
    request = CALLS[row["call"]].compose((command_of(row),), LIVE)
    expected = request_of(row)
    assert (request.method, request.path) == (expected.method, expected.path)
    assert (request.query, request.body) == (expected.query, expected.body)
    assert request.header(b"x-request-sign") == expected.header(b"x-request-sign")


@pytest.mark.parametrize(("name", "commands"), [("bet", bets), ("win", wins), ("refund", refunds)])
@given(data=st.data())
def test_what_is_composed_reads_back(name, commands, data):
    """Any command survives the wire, on canonical bytes that verify."""
    command = data.draw(commands)
    request = CALLS[name].compose((command,), LIVE)
    assert refusal(DIALECT.verify, request, LIVE) is None
    assert CALLS[name].read(request, LIVE) == (command,)
    assert request.body == canonical(json.loads(request.body))


def test_what_hangs_on_the_session_is_not_sent():
    """Player, currency and game have no field on this wire; the session stands for them."""
    request = CALLS["bet"].compose((bet(player="p", currency="USD", game="g"),), LIVE)
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
    refused = refusal(CALLS[name].compose, (command,), LIVE)
    assert (refused.why, refused.field) == (Rejection.MALFORMED, field)


@pytest.mark.parametrize("items", [(), (bet(), bet()), (Rejected(why=Rejection.FUNDS),)])
def test_a_call_carries_one_command(items):
    """Nothing, a batch, or an item that was refused has no place on this wire."""
    assert refusal(CALLS["bet"].compose, items, LIVE).field == "kind"


@pytest.mark.parametrize("row", MALFORMED, ids=named)
def test_row25_and_row27_a_malformed_body_is_400_and_names_the_field(row):
    """A rightly signed body that cannot be read in one way only is refused, with its field."""
    request = post("/bet", row["body"])
    assert refusal(DIALECT.verify, request, LIVE) is None
    refused = refusal(CALLS["bet"].read, request, LIVE)
    assert (refused.why, refused.field) == (Rejection.MALFORMED, row["field"])
    assert refused.detail
    assert DIALECT.refuse(refused, "bet").status == 400


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
    reply = DIALECT.refuse(refused, "balance")
    assert (refused.why, refused.field) == (Rejection.SESSION_UNKNOWN, "sessionID")
    assert (reply.status, json.loads(reply.body)["code"]) == (404, "session_not_found")


@pytest.mark.parametrize(
    "query", [b"sessionID=" + b"s" * 256, b"sessionID=%00", b"a=1&a=1", b"%ff"]
)
def test_a_balance_call_that_cannot_be_read_is_404(query):
    """Too long, NUL, repeated or no UTF-8: malformed, and 404 as the call has no 400."""
    refused = refusal(CALLS["balance"].read, Request("GET", "/balance", query), LIVE)
    assert refused.why is Rejection.MALFORMED
    assert DIALECT.refuse(refused, "balance").status == 404


# Writing.


def test_the_published_answers_are_written():
    """The answers of the vectors come out byte for byte."""
    file = vectors("answers")
    for row in file["answers"]:
        command = Command(kind=KINDS[row["call"]], integration="swipe", key=file["key"])
        reply = CALLS[row["call"]].write((command,), (outcome_of(row),), LIVE)
        assert (reply.status, reply.body.decode()) == (row["status"], row["body"])
        assert reply.headers == ((b"content-type", b"application/json"),)


def outcome_of(row):
    """The outcome of a row of answers."""
    if row["outcome"] == "rejected":
        return Rejected(why=Rejection[row["why"]])
    balance = Amount(row["units"], USD)
    if row["outcome"] == "replayed":
        return Replayed(balance=balance, player="p1", transaction=row["transaction"])
    return Applied(
        balance=balance, player="p1", transaction=row["transaction"], moved=Amount(0, USD)
    )


@pytest.mark.parametrize("name", ["bet", "win", "refund"])
@given(units=st.integers(-100, MAX_UNITS), transaction=st.text(min_size=1, max_size=20))
def test_row15_a_replay_is_equal_byte_for_byte(name, units, transaction):
    """The answer to a repeated call is the first one's, whatever it was."""
    balance = Amount(units, USD)
    first = Applied(balance=balance, player="p", transaction=transaction, moved=Amount(5, USD))
    again = Replayed(balance=balance, player="p", transaction=transaction)
    write = CALLS[name].write
    assert write((bet(),), (first,), LIVE) == write((bet(),), (again,), LIVE)


STANDARD = Currencies.standard()


@pytest.mark.parametrize(
    ("currency", "units", "text"),
    [
        (USD, 9990000, "99.90"),
        (USD, 0, "0.00"),
        (USD, 9999999, "99.99"),
        (USD, 1, "0.00"),
        (USD, -1, "0"),
        (USD, -500000, "0"),
        (STANDARD["JPY"], 12399999, "123"),
        (STANDARD["KWD"], 123456, "1.23"),
        (STANDARD["BTC"], 1, "0.00000001"),
        (STANDARD["BTC"], 100000000, "1.00000000"),
        (STANDARD["ETH"], 1, "0.000000000001"),
        (STANDARD["ETH"], 1500000000000, "1.50000000"),
        (STANDARD["DOT"], 19999999999, "1"),
        (STANDARD["SHIB"], 199999, "1"),
        (STANDARD["uETH"], 1, "0.000001"),
        (STANDARD["uETH"], 1000000, "1.00"),
        (STANDARD["nanoTON"], 199999, "1"),
        (Currency("ETH", 8, 18), 1, "0.000000000000000001"),
        (Currency("BTC", 0, 8), 100000000, "1"),
        (Currency("COP#", 3, 5), 123456, "1.234"),
    ],
)
def test_row23_and_row24_balances_have_the_vendors_decimals(currency, units, text):
    """Rounded down to the vendor's decimals, no exponent, no sign; own currencies by digits."""
    reply = CALLS["balance"].write(
        (), (Applied(balance=Amount(units, currency), player="p"),), LIVE
    )
    assert json.loads(reply.body) == {"balance": text}


@given(st.sampled_from(sorted(STANDARD)), st.integers(-(10**9), MAX_UNITS))
def test_every_balance_meets_the_pattern(code, units):
    """Whatever the ledger holds, the sender's end finds a valid balance that is not larger."""
    balance = Amount(units, STANDARD[code])
    reply = CALLS["balance"].write((), (Applied(balance=balance, player="p"),), LIVE)
    judged = CALLS["balance"].judge(reply)
    assert judged.verdict is Verdict.DONE
    told, _ = Amount.rounded_down(judged.balance, balance.currency)
    assert told.units <= max(units, 0)


@pytest.mark.parametrize("where", [LIVE, SEED])
@pytest.mark.parametrize("name", ["balance", "bet", "win"])
def test_a_rejected_call_is_answered_by_the_error_object(name, where):
    """Writing a rejection is refusing it, in either era."""
    rejected = Rejected(why=Rejection.SESSION_UNKNOWN)
    reply = CALLS[name].write((bet(),), (rejected,), where)
    assert reply == DIALECT.refuse(rejected, name)
    assert reply.status == 404


UNDONE = ["SESSION_UNKNOWN", "PLAYER_UNKNOWN", "TARGET_UNKNOWN", "TARGET_KIND", "TARGET_REFUNDED"]


@pytest.mark.parametrize("why", UNDONE)
def test_row32_a_refund_with_nothing_to_undo_is_200(why):
    """The live document wants a valid body, or the refund would be repeated for ever."""
    refund = bet(kind=Kind.REFUND, key=REFUND, target=BET)
    reply = CALLS["refund"].write((refund,), (Rejected(why=Rejection[why]),), LIVE)
    assert (reply.status, json.loads(reply.body)) == (200, {"balance": "0", "txID": REFUND})


def test_row32_the_real_balance_is_told_where_it_is_known():
    """A refund of an unknown bet on a known session tells the player's real balance."""
    rejected = Rejected(why=Rejection.TARGET_UNKNOWN, balance=Amount.parse("7.5", USD))
    reply = CALLS["refund"].write((bet(),), (rejected,), LIVE)
    assert json.loads(reply.body)["balance"] == "7.50"


@pytest.mark.parametrize("why", [why for why in Rejection if why.name not in UNDONE])
@pytest.mark.parametrize("where", [LIVE, SEED])
def test_a_refund_that_may_be_owed_is_never_200(why, where):
    """Any other rejection leaves the refund to be sent again."""
    reply = CALLS["refund"].write((bet(),), (Rejected(why=why),), where)
    assert reply.status >= 400


@pytest.mark.parametrize("why", UNDONE[:3])
def test_seed_a_refund_of_an_unknown_transaction_is_an_empty_200(why):
    """The old document wanted an empty body."""
    reply = CALLS["refund"].write((bet(),), (Rejected(why=Rejection[why]),), SEED)
    assert (reply.status, reply.body) == (200, b"")


def test_seed_a_tombstone_is_an_empty_200_and_a_refund_is_not():
    """Where the ledger names no amount moved, the target was unknown; else there is a body."""
    write = CALLS["refund"].write
    assert write((bet(),), (applied(moved=None),), SEED).body == b""
    assert write((bet(),), (applied(),), SEED).body == b'{"balance":"99.90","txID":"txn_1"}'
    assert write((bet(),), (applied(moved=None),), LIVE).body == (
        b'{"balance":"99.90","txID":"txn_1"}'
    )


def test_our_transaction_id_is_never_missing():
    """Where the ledger made no transaction, the vendor's own id is given back."""
    reply = CALLS["win"].write((bet(),), (applied(transaction=None),), LIVE)
    assert json.loads(reply.body)["txID"] == BET


# Judging.

DONE = b'{"balance":"1.00","txID":"t"}'
ERROR = b'{"code":"bet_limit","message":"No."}'
UNUSABLE = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b'{"balance":"1.00"}',
    b'{"txID":"t"}',
    b'{"balance":1,"txID":"t"}',
    b'{"balance":"-1","txID":"t"}',
    b'{"balance":"1E+2","txID":"t"}',
    b'{"balance":"1.","txID":"t"}',
    b'{"balance":"1","txID":null}',
    b'{"balance":"1","balance":"2","txID":"t"}',
    b'{"balance":"1","txID":"\xff"}',
    b"[" * 9_000,
]


@pytest.mark.parametrize("name", ["bet", "win", "refund"])
def test_a_valid_200_is_done(name):
    """A valid answer is done, and tells the balance and the operator's transaction."""
    judged = CALLS[name].judge(Reply(200, DONE))
    assert (judged.verdict, str(judged.balance), judged.transaction) == (Verdict.DONE, "1.00", "t")


@pytest.mark.parametrize("name", ["bet", "win", "refund"])
@pytest.mark.parametrize("body", UNUSABLE)
def test_row48_and_row53_an_unusable_200_is_not_known(name, body):
    """A 200 that breaks the schema, or tells an impossible balance, concludes nothing."""
    judged = CALLS[name].judge(Reply(200, body))
    assert (judged.verdict, judged.balance) == (Verdict.UNKNOWN, None)
    assert judged.message.startswith("200 with an unusable body: ")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"balance":null}', b'{"balance":"-1"}', b'{"balance":"1E+2"}']
)
def test_row53_an_impossible_balance_is_not_known(body):
    """The answer to a balance call is held to the same pattern."""
    assert CALLS["balance"].judge(Reply(200, body)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 429, 499])
def test_row45_a_bet_with_4xx_is_refused(status):
    """4xx promises that nothing was debited: no repeat, no refund."""
    judged = CALLS["bet"].judge(Reply(status, ERROR))
    assert (judged.verdict, judged.code, judged.message) == (Verdict.REFUSED, "bet_limit", "No.")
    assert CALLS["bet"].judge(Reply(status, b"<html>")).verdict is Verdict.REFUSED


@pytest.mark.parametrize("status", [100, 201, 202, 204, 206, 301, 302, 307, 500, 502, 503, 504])
def test_row46_and_row48_a_bet_with_another_status_is_not_known(status):
    """5xx, redirects and other successes ask for a refund, whatever the body says."""
    for body in (DONE, ERROR, b""):
        assert CALLS["bet"].judge(Reply(status, body)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("status", [201, 204, 302, 400, 401, 404, 409, 500, 503])
@pytest.mark.parametrize("name", ["win", "refund"])
def test_row49_a_win_or_refund_is_sent_until_200(name, status):
    """Whatever is not 200 leaves the win or refund to be sent again, also 4xx."""
    for body in (DONE, ERROR, b""):
        assert CALLS[name].judge(Reply(status, body)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("name", ["balance", "bet", "win", "refund"])
@pytest.mark.parametrize("failure", list(Failure))
def test_row47_silence_is_not_known(name, failure):
    """No answer concludes nothing, and the reason is told."""
    judged = CALLS[name].judge(failure)
    assert judged.verdict is Verdict.UNKNOWN
    assert failure.value in judged.message


@pytest.mark.parametrize(
    ("status", "verdict"), [(404, "refused"), (401, "refused"), (500, "unknown")]
)
def test_a_balance_call_is_judged_by_its_status(status, verdict):
    """A balance call moves nothing: 4xx is a refusal, 5xx tells nothing."""
    assert CALLS["balance"].judge(Reply(status, ERROR)).verdict == verdict


def test_row50_an_empty_200_ends_a_refund_only_in_the_seed_era():
    """A switch: operators of the old document answer an unknown transaction by an empty body."""
    empty = Reply(200, b"")
    assert CALLS["refund"].judge(empty).verdict is Verdict.UNKNOWN
    assert judge_refund(empty, era="seed").verdict is Verdict.DONE
    assert judge_refund(Reply(204, b""), era="seed").verdict is Verdict.UNKNOWN
    assert judge_refund(Reply(200, b"{"), era="seed").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("name", ["balance", "bet", "win", "refund"])
def test_what_is_done_is_judged_done(name):
    """The two ends agree on success, its balance and its transaction."""
    judged = CALLS[name].judge(CALLS[name].write((bet(),), (applied(),), LIVE))
    assert (judged.verdict, str(judged.balance)) == (Verdict.DONE, "99.90")
    assert judged.transaction == (None if name == "balance" else "txn_1")


@pytest.mark.parametrize("name", ["balance", "bet"])
@pytest.mark.parametrize("why", list(Rejection))
def test_what_is_rejected_is_judged_refused_unless_the_gateway_failed(name, why):
    """A bet that moved nothing is refused; only failures of the gateway leave it unknown."""
    judged = CALLS[name].judge(CALLS[name].write((bet(),), (Rejected(why=why),), LIVE))
    failed = why in {Rejection.BUSY, Rejection.UNAVAILABLE, Rejection.FAULT}
    assert judged.verdict is (Verdict.UNKNOWN if failed else Verdict.REFUSED)
    assert judged.message


@pytest.mark.parametrize("why", list(Rejection))
def test_a_rejected_win_is_sent_again(why):
    """No refusal of a win is final for the sender, so the player is paid in the end."""
    judged = CALLS["win"].judge(CALLS["win"].write((bet(),), (Rejected(why=why),), LIVE))
    assert judged.verdict is Verdict.UNKNOWN


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
        reply = DIALECT.refuse(refused, name)
        assert reply.status == 400
        assert json.loads(reply.body)["message"]


@given(st.binary(max_size=80), st.none() | st.binary(max_size=70), st.sampled_from(["GET", "POST"]))
def test_any_request_is_refused_well(raw, header, method):
    """However broken a request is, verifying and reading raise nothing but refusals."""
    headers = () if header is None else ((b"x-request-sign", header),)
    request = Request(method, "/bet", raw, headers, raw)
    refused = refusal(DIALECT.verify, request, LIVE)
    assert refused.why is Rejection.SIGNATURE
    assert DIALECT.refuse(refused, None).status == 401


@given(st.binary(max_size=80))
def test_any_query_is_read_or_refused(raw):
    """However broken a query is, reading it raises nothing but refusals."""
    refused = refusal(CALLS["balance"].read, Request("GET", "/balance", raw), LIVE)
    assert refused is None or DIALECT.refuse(refused, "balance").status == 404


@given(st.integers(0, 599), st.binary(max_size=60))
def test_any_reply_is_judged(status, body):
    """However broken an answer is, it is judged, and never as done unless it is a 200."""
    for call in DIALECT.calls:
        judged = call.judge(Reply(status, body))
        assert judged.verdict is not Verdict.DONE or status == 200


def test_a_malformed_error_is_one_of_ours():
    """Composing refuses in the words of reading, so that one place catches both."""
    with pytest.raises(Malformed):
        CALLS["bet"].compose((bet(amount=None),), integration())


def test_the_policy_follows_the_options():
    """Wins for refunded bets are held or paid as the operator chose; a repeat is stored."""
    assert DIALECT.policy(LIVE.options).win_after_refund == "hold"
    paying = DIALECT.policy(integration(win_after_refund="pay").options)
    assert (paying.win_after_refund, paying.replayed_balance) == ("pay", "stored")
    assert not paying.remembered_refusals


def test_sessions_live_as_long_as_the_options_say():
    """Four hours, or what the operator chose."""
    assert DIALECT.session_ms(LIVE.options) == 4 * 3_600_000
    assert DIALECT.session_ms(integration(session_hours=1).options) == 3_600_000


def test_the_session_of_a_reply_is_kept_as_it_is():
    """A session id is opaque: no case, form or trimming is applied to it."""
    odd = f" {SESSION.upper()} "
    request = CALLS["balance"].compose(
        (Command(kind=Kind.BALANCE, integration="swipe", session=odd),), LIVE
    )
    assert CALLS["balance"].read(request, LIVE)[0].session == odd


def test_the_received_time_does_not_matter():
    """Nothing on this wire is timed, so the same request reads the same at any time."""
    request = msgspec.structs.replace(changed(), received_ms=10**12)
    assert CALLS["bet"].read(request, LIVE) == (bet(),)
