"""Refusals: each reason in the protocol's words, on each call."""

import json

import pytest
from slotegrator_world import CALLS, HERE

from seamline.dialects.slotegrator import DIALECT
from seamline.dialects.slotegrator.refusals import REFUSALS
from seamline.dialects.slotegrator.sender import CODES
from seamline.wallet import Rejected, Rejection

#: Code of a bet, then of the other calls where it is another, and the HTTP status unless it is 200.
EXPECTED = {
    "CALL_UNKNOWN": ("ACTION_IS_NOT_EXIST", None, 404),
    "METHOD": ("WRONG_INPUT_PARAMETERS", None, 405),
    "TOO_LARGE": ("WRONG_INPUT_PARAMETERS", None, 413),
    "SIGNATURE": ("INVALID_SIGN",),
    "STALE": ("INVALID_SIGN",),
    "ADDRESS": ("INVALID_SIGN", None, 403),
    "MALFORMED": ("WRONG_INPUT_PARAMETERS",),
    "DUPLICATE_CHANGED": ("TRANSACTION_DENIED",),
    "REFUNDED_BEFORE": ("TRANSACTION_DENIED",),
    "SESSION_UNKNOWN": ("SESSION_NOT_FOUND",),
    "PLAYER_UNKNOWN": ("SESSION_NOT_FOUND",),
    "SESSION_CLOSED": ("SESSION_NOT_FOUND",),
    "SESSION_EXPIRED": ("SESSION_NOT_FOUND",),
    "PLAYER_BLOCKED": ("BET_FAILED_KNOWN_ERROR", "TRANSACTION_DENIED"),
    "PLAYER_SELF_EXCLUDED": ("BET_FAILED_KNOWN_ERROR", "TRANSACTION_DENIED"),
    "PLAYER_CLOSED": ("BET_FAILED_KNOWN_ERROR", "TRANSACTION_DENIED"),
    "CURRENCY": ("WRONG_INPUT_PARAMETERS",),
    "GAME": ("BET_FAILED_KNOWN_ERROR", "TRANSACTION_DENIED"),
    "PRECISION": ("WRONG_INPUT_PARAMETERS",),
    "AMOUNT_RANGE": ("WRONG_INPUT_PARAMETERS",),
    "TARGET_UNKNOWN": ("TRANSACTION_DENIED",),
    "TARGET_FOREIGN": ("TRANSACTION_DENIED",),
    "TARGET_KIND": ("TRANSACTION_DENIED",),
    "TARGET_SETTLED": ("TRANSACTION_DENIED",),
    "TARGET_REFUNDED": ("TRANSACTION_DENIED",),
    "ALREADY_CLAIMED": ("TRANSACTION_DENIED",),
    "TARGET_EXPIRED": ("TRANSACTION_DENIED",),
    "CAMPAIGN": ("TRANSACTION_DENIED",),
    "PRICE": ("TRANSACTION_DENIED",),
    "OUT_OF_SYNC": ("TRANSACTION_DENIED",),
    "STAKE_LIMIT": ("INTERNAL_ERROR",),
    "LOSS_LIMIT": ("INTERNAL_ERROR",),
    "TIME_LIMIT": ("INTERNAL_ERROR",),
    "FUNDS": ("INSUFFICIENT_BALANCE",),
    "RATE": ("BET_FAILED_KNOWN_ERROR", "INTERNAL_ERROR"),
    "BUSY": ("TRANSACTION_PREPARING_ERROR", "INTERNAL_ERROR"),
    "UNAVAILABLE": ("BET_FAILED_UNKNOWN_ERROR", "INTERNAL_ERROR"),
    "FAULT": ("BET_FAILED_UNKNOWN_ERROR", "INTERNAL_ERROR"),
    "OVERDUE": ("BET_FAILED_UNKNOWN_ERROR", "INTERNAL_ERROR"),
}


def refused(why, call="bet", **said):
    """Status and members of a refusal."""
    reply = DIALECT.refuse(Rejected(why=why, **said), call, HERE)
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize("why", Rejection, ids=lambda why: why.name)
@pytest.mark.parametrize("call", [None, *CALLS])
def test_each_reason_has_its_code(why, call):
    """A refusal is the documented object; its code hangs on the reason and on whether it is a bet.

    Without a call it is worded as for a bet, of which more could be lost.
    """
    code, others, status = (*EXPECTED[why.name], None, None)[:3]
    expected = code if call in (None, "bet") else others or code
    told_status, members = refused(why, call)
    assert told_status == (status or 200)
    assert list(members) == ["status", "code", "message"]
    assert members["status"] is False
    assert members["code"] == expected
    assert members["message"]


def test_all_codes_are_judged():
    """Each code that we send is one that the other end knows."""
    assert {row.code for row in REFUSALS.values()} <= set(CODES)


@pytest.mark.parametrize(
    ("why", "text"),
    [
        (Rejection.FUNDS, "Insufficient balance"),
        (Rejection.STAKE_LIMIT, "Not enough limits"),
        (Rejection.LOSS_LIMIT, "Not enough limits"),
        (Rejection.TIME_LIMIT, "Not enough limits"),
    ],
)
def test_the_texts_of_the_document(why, text):
    """Where the document prints a text it is that one, in any language."""
    assert refused(why, language="de")[1]["message"] == text


def test_players_are_told_in_their_language_and_nothing_of_the_inside():
    """A blocked player reads a plain sentence; why they are blocked is not in it."""
    _, members = refused(Rejection.PLAYER_BLOCKED, detail="fraud case 7", language="de")
    assert members["message"] == "Dies ist für Ihr Konto nicht verfügbar."
    _, members = refused(Rejection.PLAYER_SELF_EXCLUDED, detail="since May")
    assert members["message"] == "This action is not available for your account."


def test_engineers_are_told_what_is_wrong_with_a_request():
    """A request at fault is refused with field and expectation."""
    _, members = refused(Rejection.MALFORMED, field="amount", detail="expected a decimal")
    assert members["message"].endswith("(amount: expected a decimal)")
    _, members = refused(Rejection.SIGNATURE, detail="the header X-Sign is missing")
    assert "X-Sign is missing" in members["message"]


def test_no_message_grows_without_end():
    """A long detail is cut."""
    assert len(refused(Rejection.MALFORMED, detail="x" * 9000)[1]["message"]) == 300


def test_an_unknown_action_is_a_wellformed_request():
    """An unknown `action` is answered by 200, an unknown path by 404."""
    assert refused(Rejection.CALL_UNKNOWN, None, field="action")[0] == 200
    assert refused(Rejection.CALL_UNKNOWN, None)[0] == 404


def test_an_amount_that_is_too_large_is_not_one_below_zero():
    """Only what is not above zero gets the code that says so."""
    _, members = refused(Rejection.AMOUNT_RANGE, field="amount", detail="more than can be held")
    assert members["code"] == "WRONG_INPUT_PARAMETERS"
