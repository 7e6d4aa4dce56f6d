"""Refusals in the vendor's words: total, safe for players, and never a debit behind a 4xx."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swipegames_world import LIVE, USD, integration, vectors

from seamline.dialects.dialect import total
from seamline.dialects.messages import MESSAGES
from seamline.dialects.swipegames import DIALECT
from seamline.dialects.swipegames.refusals import REFUSALS, Code
from seamline.money import Amount
from seamline.wallet import Rejected, Rejection

CALLS = ["balance", "bet", "win", "refund"]
STATUSES = {"balance": {200, 401, 404, 405, 500}, None: {401, 404, 405, 400, 500}}
DOCUMENTED = {
    "insufficient_funds",
    "bet_limit",
    "loss_limit",
    "time_limit",
    "account_blocked",
    "session_not_found",
    "session_expired",
    "game_not_found",
    "currency_not_supported",
    "locale_not_supported",
    "client_connection_error",
}
GATEWAY = {Rejection.BUSY, Rejection.UNAVAILABLE, Rejection.FAULT, Rejection.OVERDUE}


def test_the_published_refusals_are_written():
    """Every refusal of every call comes out byte for byte as in the vectors."""
    rows = vectors("refusals")["refusals"]
    assert {(row["why"], row["call"]) for row in rows} == {
        (why.name, call) for why in Rejection for call in CALLS
    }
    for row in rows:
        reply = DIALECT.refuse(Rejected(why=Rejection[row["why"]]), row["call"], LIVE)
        assert (reply.status, reply.body.decode()) == (row["status"], row["body"])


def test_the_table_is_total():
    """Every rejection has a row; one that is left out is named at the import."""
    assert set(REFUSALS) == set(Rejection)
    without = {why: row for why, row in REFUSALS.items() if why is not Rejection.FUNDS}
    with pytest.raises(TypeError, match="FUNDS"):
        total(Rejection, without)


def test_the_codes_are_the_documented_ones():
    """The type of a code lists the vendor's enumeration and nothing else."""
    assert set(get_args(Code)) == DOCUMENTED


@pytest.mark.parametrize("call", [*CALLS, None])
@pytest.mark.parametrize("why", list(Rejection))
def test_row42_the_error_object_is_well_formed(why, call):
    """There is a message; code and action come from the enumerations; the status is documented."""
    reply = DIALECT.refuse(Rejected(why=why), call, LIVE)
    error = json.loads(reply.body)
    assert error["message"]
    assert error.get("code", "bet_limit") in DOCUMENTED
    assert error.get("action", "refresh") == "refresh"
    assert set(error) <= {"message", "details", "code", "action"}
    assert reply.status in STATUSES.get(call, STATUSES[None])


@pytest.mark.parametrize("why", list(Rejection))
def test_a_bet_asks_for_a_refund_only_when_the_gateway_failed(why):
    """4xx promises that nothing was debited; 500 is kept for failures that may have done more."""
    status = DIALECT.refuse(Rejected(why=why), "bet", LIVE).status
    assert (status == 500) == (why in GATEWAY)
    assert 400 <= status <= 500


@pytest.mark.parametrize("why", list(Rejection))
def test_a_balance_call_has_no_400(why):
    """The document lists no 400 for a balance call; 404 takes its place."""
    bet, balance = (DIALECT.refuse(Rejected(why=why), call, LIVE) for call in ("bet", "balance"))
    assert balance.status == (404 if bet.status == 400 else bet.status)
    assert balance.body == bet.body


@pytest.mark.parametrize(
    ("why", "status", "code", "action"),
    [
        (Rejection.FUNDS, 400, "insufficient_funds", None),
        (Rejection.STAKE_LIMIT, 400, "bet_limit", None),
        (Rejection.LOSS_LIMIT, 400, "loss_limit", None),
        (Rejection.TIME_LIMIT, 400, "time_limit", None),
        (Rejection.PLAYER_BLOCKED, 400, "account_blocked", None),
        (Rejection.SESSION_UNKNOWN, 404, "session_not_found", None),
        (Rejection.SESSION_EXPIRED, 404, "session_expired", "refresh"),
        (Rejection.SESSION_CLOSED, 404, "session_expired", "refresh"),
        (Rejection.GAME, 400, "game_not_found", None),
        (Rejection.CURRENCY, 400, "currency_not_supported", None),
        (Rejection.UNAVAILABLE, 500, "client_connection_error", None),
        (Rejection.SIGNATURE, 401, None, None),
        (Rejection.CALL_UNKNOWN, 404, None, None),
        (Rejection.METHOD, 405, None, None),
        (Rejection.TOO_LARGE, 400, None, None),
        (Rejection.DUPLICATE_CHANGED, 400, None, None),
        (Rejection.REFUNDED_BEFORE, 400, None, None),
    ],
)
def test_row18_and_row43_each_refusal_has_its_status_and_code(why, status, code, action):
    """The client shows its own text and behaviour for a code, so each is the right one."""
    reply = DIALECT.refuse(Rejected(why=why), "bet", LIVE)
    error = json.loads(reply.body)
    assert (reply.status, error.get("code"), error.get("action")) == (status, code, action)


@pytest.mark.parametrize("why", list(Rejection))
def test_row42_players_read_the_texts_of_all_dialects(why):
    """The message is the shared text: English, or the player's language where settings say so."""
    rejected = Rejected(why=why, language="de-AT")
    said = [
        json.loads(DIALECT.refuse(rejected, "bet", using).body)["message"]
        for using in (LIVE, integration(message_language="player"))
    ]
    assert said == [MESSAGES["en"][why], MESSAGES["de"][why]]


def test_details_of_a_request_name_the_field_and_what_was_expected():
    """An engineer at the vendor reads what is wrong with the request."""
    rejected = Rejected(why=Rejection.MALFORMED, field="txID", detail="expected a UUID")
    assert json.loads(DIALECT.refuse(rejected, "bet", LIVE).body)["details"].endswith(
        "; txID: expected a UUID"
    )


@pytest.mark.parametrize("why", [why for why in Rejection if why.number >= 30])
def test_row42_details_of_the_casino_stay_inside(why):
    """What the ledger says to its own engineers, and the balance, are not told to the vendor."""
    rejected = Rejected(why=why, detail="SECRET", balance=Amount.parse("123.45", USD))
    body = DIALECT.refuse(rejected, "bet", LIVE).body
    assert b"SECRET" not in body
    assert b"123" not in body


def test_row42_why_a_player_may_not_play_stays_inside():
    """The vendor learns that a player may not bet, and not that they have excluded themselves."""
    whys = (Rejection.PLAYER_BLOCKED, Rejection.PLAYER_SELF_EXCLUDED, Rejection.PLAYER_CLOSED)
    assert len({DIALECT.refuse(Rejected(why=why), "bet", LIVE).body for why in whys}) == 1


@given(st.text(), st.none() | st.text())
def test_any_detail_makes_a_readable_error_object(detail, field):
    """No text, however long or broken, spoils the error object."""
    rejected = Rejected(why=Rejection.MALFORMED, detail=detail, field=field)
    error = json.loads(DIALECT.refuse(rejected, "bet", LIVE).body)
    assert len(error["details"]) <= 300


def test_a_long_detail_is_cut():
    """An error object stays small, whatever the request held."""
    rejected = Rejected(why=Rejection.MALFORMED, detail="x" * 10_000)
    assert len(json.loads(DIALECT.refuse(rejected, "bet", LIVE).body)["details"]) == 300


def test_a_detail_with_half_a_character_is_written():
    """Text that UTF-8 cannot carry is replaced."""
    rejected = Rejected(why=Rejection.MALFORMED, detail="\ud800", field="\udfff")
    assert json.loads(DIALECT.refuse(rejected, "bet", LIVE).body)["details"].endswith("; ?: ?")
