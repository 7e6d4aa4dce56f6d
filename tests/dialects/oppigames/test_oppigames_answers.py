"""Answers: every vector, both profiles of codes, and what the vendor's end makes of any reply."""

import json

import pytest
from oppigames_world import (
    CALLS,
    HERE,
    ROWS,
    USD,
    integration,
    items_of,
    outcome_of,
    said,
    vectors,
)

from seamline.dialects.dialect import Failure
from seamline.dialects.oppigames import DIALECT
from seamline.dialects.oppigames.reasons import CODES, REASONS, Because, Reason
from seamline.money import Amount, Currency, Quantity
from seamline.wallet import Applied, Rejected, Rejection, Verdict

ANSWERS = vectors("answers")["answers"]
REFUSALS = vectors("refusals")["refusals"]
UNTOUCHED = ("balance", "bet")


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: f"{row['of']}-{row['outcome']}")
def test_each_answer_is_as_written_down(row):
    """Codes, echoes and balances, byte for byte."""
    items, call = items_of(row["of"]), CALLS[ROWS[row["of"]]["call"]]
    where = integration(**row.get("options", {}))
    reply = call.write(items, tuple(outcome_of(row) for _ in items), where)
    assert (reply.status, reply.body.decode()) == (row["status"], row["body"])


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row["why"])
def test_each_refusal_has_its_code_and_status(row):
    """By profile the code, by mode the HTTP status."""
    why = Rejection[row["why"]]
    assert REASONS[why].value == row["reason"]
    for profile in ("documented", "extended"):
        where = integration(status_profile=profile, http_status_mode="semantic")
        reply = DIALECT.refuse(Rejected(why=why, key="k"), "bet", where)
        assert (json.loads(reply.body)["status"], reply.status) == (row[profile], row["semantic"])
    assert DIALECT.refuse(Rejected(why=why), "bet", HERE).status == row["always_200"]


def test_every_rejection_is_written_down():
    """The file of refusals has a row for each."""
    assert [row["why"] for row in REFUSALS] == [why.name for why in Rejection]


@pytest.mark.parametrize("reason", Reason)
def test_row62_the_operators_own_codes_win(reason):
    """A code of the settings is answered for its reason, in either profile."""
    for profile in ("documented", "extended"):
        where = integration(status_profile=profile, status_codes={reason.value: "RS_OWN"})
        rejected = Because(why=Rejection.FAULT, reason=reason)
        assert json.loads(DIALECT.refuse(rejected, "bet", where).body)["status"] == "RS_OWN"


def test_documented_codes_are_those_of_the_pages():
    """Two and a half codes are known; nothing else is answered unless the operator says so."""
    assert {row.documented for row in CODES.values()} == {"RS_ERROR", "RS_ERROR_MISSING_HEADER"}


def test_why_a_player_may_not_play_is_not_told():
    """Whatever bars a player reads the same."""
    barred = (
        Rejection.PLAYER_BLOCKED,
        Rejection.PLAYER_SELF_EXCLUDED,
        Rejection.PLAYER_CLOSED,
    )
    replies = {
        DIALECT.refuse(Rejected(why=why, detail=why.name), "bet", HERE).body for why in barred
    }
    assert len(replies) == 1


def test_the_inside_is_not_told():
    """Details of a request are told to engineers, those of the casino's trouble are not."""
    told = DIALECT.refuse(Rejected(why=Rejection.FAULT, detail="disk /dev/sda"), "bet", HERE)
    assert b"sda" not in told.body
    told = DIALECT.refuse(Rejected(why=Rejection.MALFORMED, detail="d", field="f"), "bet", HERE)
    assert json.loads(told.body)["message"] == "f: d"


@pytest.mark.parametrize(
    ("scale", "units", "told"),
    [(5, 1_234_567, 1_234_567), (2, 1234, 1_234_000), (8, 123_456_789, 123_456), (8, 999, 0),
     (5, -1, 0), (5, 2**60, 2**53 - 1), (18, 10**18, 100_000)],
)  # fmt: skip
def test_balances_are_counted_in_hundred_thousandths(scale, units, told):
    """In every currency, rounded down; an overdrawn one as 0, a huge one as JavaScript's most."""
    balance = Amount(units, Currency("ABC", 2, scale))
    outcome = Applied(balance=balance, player="p", transaction="t", moved=balance)
    reply = CALLS["bet"].write(items_of("O1"), (outcome,), HERE)
    assert json.loads(reply.body)["balance"] == told


DONE = {
    "balance": {"status": "RS_OK", "sessionId": "s", "balance": 5},
    "bet": {"status": "RS_OK", "transactionId": "t", "balance": 5},
    "payout": {"status": "RS_OK", "transactionId": "t", "balance": 5},
    "reward": {"status": "RS_OK", "transactionId": "t", "balance": 5},
    "rollback": {"status": "RS_OK", "data": [{"status": "RS_OK", "transactionId": "t"}]},
    "retry": {"status": "RS_OK", "data": [{"status": "RS_OK", "transactionId": "t", "balance": 5}]},
}


@pytest.mark.parametrize("name", CALLS)
def test_a_good_answer_is_done(name):
    """Done, with the balance where the answer has one, and with names that nobody knows."""
    judged = CALLS[name].judge(said(DONE[name] | {"new": 1}), HERE)
    assert judged.verdict is Verdict.DONE
    assert judged.balance == (None if name == "rollback" else Quantity(5, 5))
    assert judged.transaction == (None if name == "balance" else "t")


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", [200, 400, 402, 409])
def test_a_code_that_is_no_success(name, status):
    """A refused bet is over; whatever pays or undoes is sent again."""
    judged = CALLS[name].judge(said({"status": "RS_ERROR", "message": "no"}, status), HERE)
    assert judged.verdict is (Verdict.REFUSED if name in UNTOUCHED else Verdict.UNKNOWN)
    assert (judged.code, judged.message) == ("RS_ERROR", "no")


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "reply",
    [
        said({"status": "RS_ERROR"}, 500),
        said({"status": "RS_ERROR"}, 503),
        said({"status": "RS_ERROR_UNKNOWN"}),
        said({"status": "RS_OK"}, 500),
        said({"status": "RS_OK"}),
        said({}),
        said([]),
        said(b""),
        said(b"<html>", 404),
        said(b'{"status":"RS_OK","status":"RS_OK","transactionId":"t","balance":5}'),
        said({"status": "RS_OK", "transactionId": "t", "sessionId": "s", "balance": "5"}),
        said({"status": "RS_OK", "transactionId": "t", "sessionId": "s", "balance": -5}),
        said({"status": "RS_OK", "transactionId": "t", "sessionId": "s", "balance": 2**53}),
        said({"status": "RS_OK", "data": {}}),
        Failure.TIMEOUT,
        Failure.CONNECTION,
    ],
    ids=repr,
)
def test_an_answer_that_says_nothing(name, reply):
    """Trouble, silence and what cannot be read leave it open what happened."""
    judged = CALLS[name].judge(reply, HERE)
    assert judged.verdict is Verdict.UNKNOWN
    assert judged.message


@pytest.mark.parametrize("name", ["rollback", "retry"])
def test_a_batch_is_done_when_every_item_is(name):
    """One item that is not makes the batch one to send again, and is named."""
    data = [{"status": "RS_OK", "transactionId": "a"}, {"status": "RS_X", "transactionId": "b"}]
    judged = CALLS[name].judge(said({"status": "RS_OK", "data": data}), HERE)
    assert (judged.verdict, judged.code, judged.message) == (Verdict.UNKNOWN, "RS_X", "b: RS_X")
    done = CALLS[name].judge(said({"status": "RS_OK", "data": data[:1]}), HERE)
    assert (done.verdict, done.transaction) == (Verdict.DONE, "a")
    nothing = CALLS[name].judge(said({"status": "RS_OK", "data": []}), HERE)
    assert nothing.verdict is Verdict.UNKNOWN


def test_the_batch_repeats_what_each_item_said():
    """An item that could not be read has its id at most."""
    (command,) = items_of("O4b")
    broken = Rejected(why=Rejection.MALFORMED, key="k")
    outcome = Applied(balance=Amount(7, USD), player="p", transaction="t", moved=Amount(7, USD))
    reply = CALLS["retry"].write((broken, command), (broken, outcome), HERE)
    first, second = json.loads(reply.body)["data"]
    assert first == {"status": "RS_ERROR", "transactionId": "k"}
    assert (second["roundId"], second["balance"]) == ("r1", 7)
