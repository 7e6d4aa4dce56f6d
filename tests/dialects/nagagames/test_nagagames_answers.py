"""Answers: written by the wallet, judged by the sender ("Seamless reconciliation")."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nagagames_world import (
    BET,
    CALLS,
    LIVE,
    THB,
    applied,
    bet,
    cancel,
    command_of,
    error_of,
    payout,
    row,
    told,
    vectors,
)

from seamline.dialects.dialect import Failure, Reply
from seamline.dialects.nagagames import DIALECT, wire
from seamline.money import Amount, Currency
from seamline.wallet import Applied, Bet, Command, Kind, Rejected, Rejection, Replayed, Verdict

ANSWERS = vectors("answers")["answers"]
REFUSALS = vectors("refusals")["refusals"]
ERROR = b'{"data":null,"error":{"statusCode":402,"message":"Insufficient balance"}}'
MOVED = b'{"data":{"currency":"THB","balance":90},"error":null}'

#: What each call is about.
ITEMS = {
    "authorize": (command_of(row("N1")),),
    "place-bet": (bet(),),
    "payout": (payout(),),
    "cancel-bet": (cancel(),),
    "bet-status": (command_of(row("N8")),),
    "balance": (command_of(row("VN2")),),
    "player-token": (command_of(row("N10")),),
}


def write(call, outcome, where=LIVE):
    """The reply of a call to one outcome."""
    return CALLS[call].write(ITEMS[call], (outcome,), where)


def judge(call, body, status=200):
    """What the vendor makes of that body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return CALLS[call].judge(Reply(status, raw), LIVE)


def outcome_of(answer):
    """The outcome in a row of vectors."""
    balance = Amount(answer["units"], THB)
    if answer["outcome"] == "replayed":
        return Replayed(balance=balance, player="playerA", transaction="txn_1")
    found = answer.get("bet")
    return Applied(
        balance=balance,
        player="playerA",
        session=answer.get("session"),
        bet=Bet(**found) if found is not None else None,
    )


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda each: f"{each['call']}-{each['id']}")
def test_each_answer_is_written_byte_for_byte(answer):
    """Answers are as the vectors say, and are believed."""
    reply = write(answer["call"], outcome_of(answer))
    assert (reply.status, reply.body.decode()) == (200, answer["body"])
    assert CALLS[answer["call"]].judge(reply, LIVE).verdict is Verdict.DONE


@pytest.mark.parametrize("given_", REFUSALS, ids=lambda each: f"{each['call']}-{each['why']}")
def test_each_refusal_is_written_byte_for_byte(given_):
    """Every reason has its error object, always with HTTP 400."""
    rejected = Rejected(why=Rejection[given_["why"]], field=given_.get("field"), detail="inside")
    reply = DIALECT.refuse(rejected, given_["call"], LIVE)
    assert (reply.status, reply.body.decode()) == (400, given_["body"])


def test_every_reason_has_its_row():
    """The vectors leave no rejection out."""
    assert {each["why"] for each in REFUSALS} == {why.name for why in Rejection}


@pytest.mark.parametrize("why", [Rejection.PLAYER_BLOCKED, Rejection.FAULT, Rejection.FUNDS])
def test_no_refusal_tells_of_our_inside(why):
    """Details are for our own engineers."""
    assert "inside" not in str(error_of(Rejected(why=why, detail="inside", field="inside")))


@pytest.mark.parametrize(
    "why",
    [Rejection.SESSION_UNKNOWN, Rejection.PLAYER_UNKNOWN, Rejection.TARGET_UNKNOWN,
     Rejection.TARGET_KIND, Rejection.TARGET_REFUNDED],
)  # fmt: skip
def test_row38_a_cancel_with_nothing_to_undo_is_done(why):
    """A refusal would lock the player until somebody comes."""
    reply = write("cancel-bet", Rejected(why=why))
    assert told(reply) == (200, {"data": {"betId": BET, "status": "CANCELED"}, "error": None})


@pytest.mark.parametrize("why", [Rejection.TARGET_SETTLED, Rejection.OVERDUE, Rejection.FAULT])
def test_row39_other_refusals_of_a_cancel_are_errors(why):
    """What is paid, and what is not known to be undone, is not CANCELED."""
    status, body = told(write("cancel-bet", Rejected(why=why)))
    assert status == 400
    assert body["error"]


def test_row44_a_bet_that_was_cancelled_before_it_came():
    """Its tombstone is told as a cancelled bet."""
    status, body = told(write("bet-status", Rejected(why=Rejection.REFUNDED_BEFORE)))
    assert status == 200
    assert body["data"]["status"] == "CANCELED"


@pytest.mark.parametrize(
    ("units", "currency", "text"),
    [
        (10_000_000, THB, b"100"),
        (10_050_000, THB, b"100.5"),
        (10_051_999, THB, b"100.51"),
        (999, THB, b"0"),
        (0, THB, b"0"),
        (-1_000_000, THB, b"0"),
        (2**63 - 1, Currency("CHIP", 0, 0), b"9223372036854775807"),
        (2**63 - 1, THB, b"92233720368547.75"),
        (10**18, Currency("CHIP", 0, 0), b"1000000000000000000"),
    ],
)
def test_row52_a_balance_is_a_number_of_two_decimals(units, currency, text):
    """Rounded down, without idle zeros, sign or exponent."""
    assert bytes(wire.balance(Amount(units, currency))) == text


@given(units=st.integers(0, 2**63 - 1))
def test_row52_a_balance_is_never_more_than_there_is(units):
    """What is told is what the player has, less a fraction of a cent."""
    text = bytes(wire.balance(Amount(units, THB)))
    read = wire.number(text, "balance")
    assert read.places <= 2
    assert b"e" not in text.lower()
    seen = Amount.exactly(read, THB).units
    assert seen <= units < seen + 1_000


# What the vendor concludes.


@pytest.mark.parametrize("call", ["place-bet", "payout"])
def test_row54_a_success_is_believed(call):
    """Balance and currency are all that it takes; the error may be left out."""
    for body in (MOVED, b'{"data":{"balance":99999992,"currency":"THB"}}'):
        judged = judge(call, body)
        assert judged.verdict is Verdict.DONE
    assert str(judged.balance) == "99999992"


@pytest.mark.parametrize("status", [200, 400, 402, 404, 500])
def test_row53_an_error_object_refuses_a_bet(status):
    """The body says that it is an error, whatever HTTP says; neither payout nor cancel follow."""
    judged = judge("place-bet", ERROR, status)
    assert judged.verdict is Verdict.REFUSED
    assert (judged.code, judged.message) == ("402", "Insufficient balance")


@pytest.mark.parametrize("call", ["payout", "cancel-bet"])
def test_row56_an_error_is_no_end_of_a_payout_or_cancel(call):
    """They are sent until they are done."""
    judged = judge(call, ERROR, 400)
    assert judged.verdict is Verdict.UNKNOWN
    assert judged.code == "402"


BROKEN = [
    b"",
    b"<html>",
    b"null",
    b"{}",
    b"[]",
    b'{"data":null,"error":null}',
    b'{"data":{},"error":null}',
    b'{"data":{"balance":90},"error":null}',
    b'{"data":{"currency":"THB"},"error":null}',
    b'{"data":{"currency":"THB","balance":"x"},"error":null}',
    b'{"data":{"currency":"THB","balance":-1},"error":null}',
    b'{"data":{"currency":7,"balance":1},"error":null}',
    b'{"data":{"currency":"THB","balance":1,"balance":2},"error":null}',
    b'{"data":null,"error":"no"}',
    b'{"data":null,"error":{"statusCode":402}}',
    b'{"data":null,"error":{"statusCode":"402","message":"no"}}',
]


@pytest.mark.parametrize("call", ["place-bet", "payout"])
@pytest.mark.parametrize("body", BROKEN, ids=repr)
def test_row54_an_answer_that_is_none(call, body):
    """An answer that cannot be read says nothing: the vendor cancels, and locks the player."""
    judged = judge(call, body)
    assert judged.verdict is Verdict.UNKNOWN
    assert judged.code is None


def test_row54_a_success_with_a_failure_of_http():
    """Data under a status of failure is no success."""
    for status in (301, 400, 500, 503):
        assert judge("place-bet", MOVED, status).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("failure", Failure)
def test_row55_silence(call, failure):
    """Without an answer nobody knows."""
    judged = CALLS[call].judge(failure, LIVE)
    assert judged.verdict is Verdict.UNKNOWN
    assert failure.value in judged.message


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"data": {"betId": BET, "status": "CANCELED"}, "error": None}),
        (201, {"data": {"betId": "", "status": "CANCELED"}, "error": None}),
        (200, {"data": {"betId": "", "status": "CANCELED"}}),
        (201, {"betId": "", "status": "CANCLED"}),
        (200, {"betId": BET, "status": "CANCELED"}),
    ],
)
def test_row55_a_cancel_is_done(status, body):
    """The vendor's own samples differ, and each of them is a cancelled bet."""
    assert judge("cancel-bet", body, status).verdict is Verdict.DONE


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"betId": BET, "status": "OK"}, "error": None},
        {"data": {"betId": BET}, "error": None},
        {"data": None, "error": None},
        {"status": "CANCELED"},
        {},
    ],
)
def test_row55_a_cancel_that_is_not_said_to_be_done(body):
    """Anything but the very word is sent again."""
    assert judge("cancel-bet", body).verdict is Verdict.UNKNOWN


def test_the_other_answers_are_read():
    """Player, status and token are told in the judgement."""
    player = judge("authorize", {"data": {"nativeId": "p", "currency": "THB", "balance": 1.5}})
    assert (player.verdict, str(player.balance)) == (Verdict.DONE, "1.5")
    standing = {
        "betId": BET,
        "transactionPlaceBetId": "a",
        "transactionPayoutId": None,
        "status": "PENDING",
    }
    assert judge("bet-status", {"data": standing}).code == "PENDING"
    assert judge("player-token", {"data": {"playerToken": "t"}}).transaction == "t"
    assert judge("balance", ERROR, 400).verdict is Verdict.REFUSED


def test_a_status_without_a_bet_is_still_an_answer():
    """A question about a bet that was answered without more is one about an open bet."""
    status, body = told(write("bet-status", applied()))
    assert (status, body["data"]["status"]) == (200, "PENDING")


def test_a_player_without_an_open_session_has_no_token():
    """What cannot be told is refused as an unknown player."""
    status, body = told(write("player-token", applied(session=None)))
    assert (status, body["error"]["statusCode"]) == (400, 404)


def test_the_items_are_of_the_kinds_of_the_calls():
    """The examples above are what the calls carry."""
    kinds = {call: items[0].kind for call, items in ITEMS.items()}
    assert kinds["cancel-bet"] is Kind.REFUND
    assert all(isinstance(items[0], Command) for items in ITEMS.values())
