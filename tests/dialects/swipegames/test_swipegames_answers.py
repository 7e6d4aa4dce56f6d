"""The answers to the four reverse calls: written by the wallet, judged by the sender."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swipegames_world import (
    BET,
    CALLS,
    LIVE,
    REFUND,
    SEED,
    USD,
    applied,
    bet,
    vectors,
)

from seamline.dialects.dialect import Failure, Reply
from seamline.dialects.swipegames import DIALECT
from seamline.dialects.swipegames.sender import judge_refund
from seamline.money import MAX_UNITS, Amount, Currencies, Currency
from seamline.wallet import Applied, Command, Kind, Rejected, Rejection, Replayed, Verdict

KINDS = {"balance": Kind.BALANCE, "bet": Kind.BET, "win": Kind.WIN, "refund": Kind.REFUND}


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
    judged = CALLS["balance"].judge(reply, LIVE)
    assert judged.verdict is Verdict.DONE
    told, _ = Amount.rounded_down(judged.balance, balance.currency)
    assert told.units <= max(units, 0)


@pytest.mark.parametrize("where", [LIVE, SEED])
@pytest.mark.parametrize("name", ["balance", "bet", "win"])
def test_a_rejected_call_is_answered_by_the_error_object(name, where):
    """Writing a rejection is refusing it, in either era."""
    rejected = Rejected(why=Rejection.SESSION_UNKNOWN)
    reply = CALLS[name].write((bet(),), (rejected,), where)
    assert reply == DIALECT.refuse(rejected, name, LIVE)
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


@pytest.mark.parametrize("why", UNDONE[3:])
def test_seed_a_refund_of_a_known_transaction_has_a_body(why):
    """Only what is not known at all is answered by an empty body."""
    reply = CALLS["refund"].write((bet(),), (Rejected(why=Rejection[why]),), SEED)
    assert json.loads(reply.body) == {"balance": "0", "txID": BET}


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
    judged = CALLS[name].judge(Reply(200, DONE), LIVE)
    assert (judged.verdict, str(judged.balance), judged.transaction) == (Verdict.DONE, "1.00", "t")


@pytest.mark.parametrize("name", ["bet", "win", "refund"])
@pytest.mark.parametrize("body", UNUSABLE)
def test_row48_and_row53_an_unusable_200_is_not_known(name, body):
    """A 200 that breaks the schema, or tells an impossible balance, concludes nothing."""
    judged = CALLS[name].judge(Reply(200, body), LIVE)
    assert (judged.verdict, judged.balance) == (Verdict.UNKNOWN, None)
    assert judged.message.startswith("200 with an unusable body: ")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"balance":null}', b'{"balance":"-1"}', b'{"balance":"1E+2"}']
)
def test_row53_an_impossible_balance_is_not_known(body):
    """The answer to a balance call is held to the same pattern."""
    assert CALLS["balance"].judge(Reply(200, body), LIVE).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 429, 499])
def test_row45_a_bet_with_4xx_is_refused(status):
    """4xx promises that nothing was debited: no repeat, no refund."""
    judged = CALLS["bet"].judge(Reply(status, ERROR), LIVE)
    assert (judged.verdict, judged.code, judged.message) == (Verdict.REFUSED, "bet_limit", "No.")
    assert CALLS["bet"].judge(Reply(status, b"<html>"), LIVE).verdict is Verdict.REFUSED


@pytest.mark.parametrize("status", [100, 201, 202, 204, 206, 301, 302, 307, 500, 502, 503, 504])
def test_row46_and_row48_a_bet_with_another_status_is_not_known(status):
    """5xx, redirects and other successes ask for a refund, whatever the body says."""
    for body in (DONE, ERROR, b""):
        assert CALLS["bet"].judge(Reply(status, body), LIVE).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("status", [201, 204, 302, 400, 401, 404, 409, 500, 503])
@pytest.mark.parametrize("name", ["win", "refund"])
def test_row49_a_win_or_refund_is_sent_until_200(name, status):
    """Whatever is not 200 leaves the win or refund to be sent again, also 4xx."""
    for body in (DONE, ERROR, b""):
        assert CALLS[name].judge(Reply(status, body), LIVE).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("name", ["balance", "bet", "win", "refund"])
@pytest.mark.parametrize("failure", list(Failure))
def test_row47_silence_is_not_known(name, failure):
    """No answer concludes nothing, and the reason is told."""
    judged = CALLS[name].judge(failure, LIVE)
    assert judged.verdict is Verdict.UNKNOWN
    assert failure.value in judged.message


@pytest.mark.parametrize(
    ("status", "verdict"), [(404, "refused"), (401, "refused"), (500, "unknown")]
)
def test_a_balance_call_is_judged_by_its_status(status, verdict):
    """A balance call moves nothing: 4xx is a refusal, 5xx tells nothing."""
    assert CALLS["balance"].judge(Reply(status, ERROR), LIVE).verdict == verdict


def test_row50_an_empty_200_ends_a_refund_only_in_the_seed_era():
    """A switch: operators of the old document answer an unknown transaction by an empty body."""
    empty = Reply(200, b"")
    assert CALLS["refund"].judge(empty, LIVE).verdict is Verdict.UNKNOWN
    assert judge_refund(empty, SEED).verdict is Verdict.DONE
    assert judge_refund(Reply(204, b""), SEED).verdict is Verdict.UNKNOWN
    assert judge_refund(Reply(200, b"{"), SEED).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("name", ["balance", "bet", "win", "refund"])
def test_what_is_done_is_judged_done(name):
    """The two ends agree on success, its balance and its transaction."""
    judged = CALLS[name].judge(CALLS[name].write((bet(),), (applied(),), LIVE), LIVE)
    assert (judged.verdict, str(judged.balance)) == (Verdict.DONE, "99.90")
    assert judged.transaction == (None if name == "balance" else "txn_1")


@pytest.mark.parametrize("name", ["balance", "bet"])
@pytest.mark.parametrize("why", list(Rejection))
def test_what_is_rejected_is_judged_refused_unless_the_gateway_failed(name, why):
    """A bet that moved nothing is refused; only failures of the gateway leave it unknown."""
    judged = CALLS[name].judge(CALLS[name].write((bet(),), (Rejected(why=why),), LIVE), LIVE)
    failed = why in {Rejection.BUSY, Rejection.UNAVAILABLE, Rejection.FAULT, Rejection.OVERDUE}
    assert judged.verdict is (Verdict.UNKNOWN if failed else Verdict.REFUSED)
    assert judged.message


@pytest.mark.parametrize("why", list(Rejection))
def test_a_rejected_win_is_sent_again(why):
    """No refusal of a win is final for the sender, so the player is paid in the end."""
    judged = CALLS["win"].judge(CALLS["win"].write((bet(),), (Rejected(why=why),), LIVE), LIVE)
    assert judged.verdict is Verdict.UNKNOWN


@given(st.integers(0, 599), st.binary(max_size=60))
def test_any_reply_is_judged(status, body):
    """However broken an answer is, it is judged, and never as done unless it is a 200."""
    for call in DIALECT.calls:
        judged = call.judge(Reply(status, body), LIVE)
        assert judged.verdict is not Verdict.DONE or status == 200
