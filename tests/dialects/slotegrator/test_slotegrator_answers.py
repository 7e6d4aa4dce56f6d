"""Answers: how balances are written, and what a provider makes of each answer."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slotegrator_world import CALLS, HERE, USD, applied, bet, told, vectors

from seamline.dialects.dialect import Failure, Reply
from seamline.dialects.slotegrator import decimals
from seamline.dialects.slotegrator.sender import CODES
from seamline.money import Amount, Currency, Quantity
from seamline.wallet import Rejected, Rejection, Replayed, Verdict

ANSWERS = vectors("answers")["answers"]
BTC, JPY, WEI = Currency("BTC", 8, 8), Currency("JPY", 0, 5), Currency("WEI", 18, 18)


@pytest.mark.parametrize(
    ("text", "currency", "number"),
    [
        ("90", USD, "90"),
        ("100.0001", USD, "100.0001"),
        ("0.30000", USD, "0.3"),
        ("0.00005", USD, "0"),
        ("0.99999", USD, "0.9999"),
        ("10000000000000", USD, "10000000000000"),
        ("1000", USD, "1000"),
        ("0", USD, "0"),
        ("5000", JPY, "5000"),
        ("0.12345678", BTC, "0.1234"),
        ("1.000000000000000001", WEI, "1"),
    ],
)
def test_a43_balances_are_plain_numbers(text, currency, number):
    """A balance is a JSON number of at most four decimals, rounded down, without exponent."""
    reply = CALLS["bet"].write((bet(),), (applied(text, currency),), HERE)
    assert reply == Reply(200, f'{{"status":true,"balance":{number}}}'.encode())


def test_a43_sums_and_large_balances_are_exact():
    """0.1 and 0.2 are 0.3, and ten to the sixteenth has no exponent."""
    coarse = Currency("WHL", 0, 0)
    third = Amount(Amount.parse("0.1", USD).units + Amount.parse("0.2", USD).units, USD)
    for balance, number in ((third, b"0.3"), (Amount(10**16, coarse), b"1" + b"0" * 16)):
        reply = CALLS["balance"].write((), (applied(balance=balance),), HERE)
        assert reply.body == b'{"status":true,"balance":%b}' % number


def test_an_overdrawn_player_has_nothing():
    """A balance below zero is told as zero: nothing can be staked of it."""
    reply = CALLS["balance"].write((), (applied(balance=Amount(-100_000, USD)),), HERE)
    assert json.loads(reply.body) == {"status": True, "balance": 0}


@given(units=st.integers(0, 10**18))
def test_a_balance_never_says_more_than_there_is(units):
    """What is told is at most the balance, and less by under a ten-thousandth."""
    said = decimals.told(msgspec.Raw(decimals.balance(Amount(units, USD))))
    told_units = Amount.exactly(said, USD).units
    assert told_units <= units < told_units + 10


@pytest.mark.parametrize("call", ["bet", "win", "refund", "balance"])
def test_a_repeat_is_answered_like_the_first(call):
    """What was done before is answered as done."""
    again = Replayed(balance=Amount.parse("90", USD), player="p1", transaction="txn_1")
    reply = CALLS[call].write((bet(),), (again,), HERE)
    assert reply.body == b'{"status":true,"balance":90}'


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row["id"])
def test_each_answer_is_judged_for_a_bet(row):
    """A bet is done, refused for good, or in doubt and to be refunded, as the table says."""
    judged = CALLS["bet"].judge(Reply(row["status"], row["body"].encode()), HERE)
    assert judged.verdict.value == row["bet"]
    assert judged.message == row["shown"]
    assert judged.code == row["code"]
    assert (None if judged.balance is None else str(judged.balance)) == row["balance"]


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row["id"])
@pytest.mark.parametrize("call", ["win", "refund"])
def test_each_answer_is_judged_for_a_win_and_a_refund(row, call):
    """What is not done is sent again, whatever the answer says."""
    judged = CALLS[call].judge(Reply(row["status"], row["body"].encode()), HERE)
    assert judged.verdict.value == row["win"]


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("call", CALLS)
def test_silence_is_unknown(call, failure):
    """Without an answer a bet is refunded, a win or refund sent again."""
    judged = CALLS[call].judge(failure, HERE)
    assert judged.verdict is Verdict.UNKNOWN
    assert judged.message == ("Unknown error" if call == "bet" else f"no answer: {failure.value}")


def test_a_balance_call_that_is_refused():
    """A listed code refuses a question for good; anything else leaves it open."""
    for code in CODES:
        judged = CALLS["balance"].judge(told(status=False, code=code, message="No"), HERE)
        assert (judged.verdict, judged.message) == (Verdict.REFUSED, "No")
    judged = CALLS["balance"].judge(told(status=False, code="NEW", message="No"), HERE)
    assert judged.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("why", Rejection, ids=lambda why: why.name)
def test_our_own_refusals_are_judged_as_they_are_meant(why):
    """Only where a bet may have been debited does our own answer ask for a refund."""
    uncertain = {Rejection.UNAVAILABLE, Rejection.FAULT, Rejection.OVERDUE}
    reply = CALLS["bet"].write((bet(),), (Rejected(why=why),), HERE)
    judged = CALLS["bet"].judge(reply, HERE)
    assert judged.verdict is (Verdict.UNKNOWN if why in uncertain else Verdict.REFUSED)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("1e2", Quantity(100)),
        ("1.0e+15", Quantity(10**15)),
        ("12.5E-3", Quantity(125, 4)),
        ("0.1", Quantity(1, 1)),
        ('"7.25"', Quantity(725, 2)),
        ("1e999", None),
        ("-1", None),
        ("null", None),
        ('"x"', None),
        ("9" * 65, None),
    ],
)
def test_what_a_peer_tells_is_exact(text, means):
    """Numbers of a peer may have exponents and be texts; what is no amount is none."""
    assert decimals.told(msgspec.Raw(text.encode())) == means
