"""What the callbacks of our contract are answered, and what a sender makes of it."""

import msgspec
import pytest

from dialects.loyaltygyre.loyaltygyre_world import (
    CALLS,
    CASHED,
    GOOD,
    NOW,
    integration,
    read,
    settings,
    told,
    unread,
)
from seamline.dialects.dialect import Failure, Reply
from seamline.dialects.loyaltygyre import policy
from seamline.dialects.loyaltygyre.fields import REASONS
from seamline.dialects.loyaltygyre.refusals import REFUSALS, refuse
from seamline.money import Amount, Currency
from seamline.wallet import Applied, Rejected, Rejection, Replayed, Verdict

CREDITS = Currency("CREDITS", 2, 5)


def done(command, *, kind=Applied, balance="50.00", moved="50.00"):
    """What the ledger says to it."""
    return kind(
        balance=Amount.parse(balance, CREDITS),
        player=command.player,
        transaction="txn_1",
        moved=Amount.parse(moved, CREDITS) if moved is not None else None,
    )


def written(call, fields, outcome=None, **options):
    """The reply to a request that was done."""
    using = integration(**options)
    command = read(call, fields, using)
    return told(CALLS[call].write((command,), (outcome or done(command),), using))


def test_an_allowed_purchase_is_told_in_full():
    """Decision, ids, what left and what is left, amounts in their shortest form."""
    command = read("authorize", GOOD)
    expected = {
        "decision": "allow",
        "request_id": "r1",
        "authorization_id": "au_cjE",
        "reason_code": "OK",
        "message": None,
        "retryable": False,
        "debited": "50",
        "balance": "50",
    }
    assert written("authorize", GOOD) == (200, expected)
    assert written("authorize", GOOD, done(command, kind=Replayed)) == (200, expected)


def test_a_purchase_without_id_can_be_undone():
    """In the window no request is named, but the authorization leads back to what was allowed."""
    bare = {name: each for name, each in GOOD.items() if name != "request_id"}
    body = written("authorize", bare, missing_id="window")[1]
    assert body["request_id"] is None
    undo = {"request_id": "c1", "player_id": "p1", "authorization_id": body["authorization_id"]}
    using = integration(missing_id="window")
    command = read("cancel", undo, using)
    assert command.target == read("authorize", bare, using).key
    assert CALLS["cancel"].read(CALLS["cancel"].compose((command,), using, NOW), using) == (
        command,
    )
    both = undo | {"authorize_request_id": command.target.partition("/")[2]}
    assert unread("cancel", both, using).field == "authorization_id"


def test_the_other_calls_are_told_in_full():
    """Cancel, cashback, shipment and balance each have their fields."""
    undo = {"request_id": "x", "player_id": "p1", "authorize_request_id": "r1"}
    assert written("cancel", undo)[1]["balance"] == "50"
    assert written("cashback", CASHED)[1]["credited"] == "50"
    shipped = {"request_id": "s1", "player_id": "p1", "prize_id": "202"}
    status, body = written("shipment", shipped)
    assert (status, body) == (
        202,
        {
            "received": True,
            "request_id": "s1",
            "shipment_id": "sh_czE",
            "status": "pending_confirmation",
        },
    )
    again = done(read("shipment", shipped), kind=Replayed)
    assert written("shipment", shipped, again) == (200, body)
    assert written("balance", {"player_id": "p1"}) == (
        200,
        {"player_id": "p1", "balance": "50", "currency": "CREDITS"},
    )


#: The contract's table: the code and status of what can be refused in a call.
TABLE = {
    Rejection.FUNDS: ("INSUFFICIENT_BALANCE", 200),
    Rejection.PLAYER_UNKNOWN: ("PLAYER_NOT_FOUND", 200),
    Rejection.PLAYER_CLOSED: ("PLAYER_INACTIVE", 200),
    Rejection.PLAYER_BLOCKED: ("PLAYER_BANNED", 200),
    Rejection.PLAYER_SELF_EXCLUDED: ("PLAYER_SELF_EXCLUDED", 200),
    Rejection.GAME: ("BOX_UNAVAILABLE", 200),
    Rejection.PRICE: ("PRICE_MISMATCH", 200),
    Rejection.OUT_OF_SYNC: ("BALANCE_OUT_OF_SYNC", 200),
    Rejection.STAKE_LIMIT: ("LIMIT_EXCEEDED", 200),
    Rejection.REFUNDED_BEFORE: ("ALREADY_CANCELLED", 200),
    Rejection.ALREADY_CLAIMED: ("ALREADY_CASHED_BACK", 200),
    Rejection.TARGET_EXPIRED: ("TOO_LATE", 200),
    Rejection.CALL_UNKNOWN: ("UNSUPPORTED_ACTION", 200),
    Rejection.STALE: ("STALE_REQUEST", 200),
    Rejection.DUPLICATE_CHANGED: ("DUPLICATE_CONFLICT", 409),
    Rejection.MALFORMED: ("INVALID_FIELD", 400),
    Rejection.TOO_LARGE: ("INVALID_FIELD", 413),
    Rejection.SIGNATURE: ("UNAUTHORIZED", 401),
    Rejection.ADDRESS: ("FORBIDDEN", 403),
    Rejection.RATE: ("RATE_LIMITED", 429),
    Rejection.BUSY: ("TEMPORARILY_UNAVAILABLE", 503),
    Rejection.UNAVAILABLE: ("TEMPORARILY_UNAVAILABLE", 503),
    Rejection.FAULT: ("TEMPORARILY_UNAVAILABLE", 503),
    Rejection.OVERDUE: ("TEMPORARILY_UNAVAILABLE", 503),
}


@pytest.mark.parametrize(("why", "said"), TABLE.items(), ids=lambda each: getattr(each, "name", ""))
def test_every_reason_has_its_code_and_status(why, said):
    """Codes and statuses are the contract's; only what passes is worth another try."""
    status, body = written("authorize", GOOD, Rejected(why=why))
    assert (body["reason_code"], status, body["decision"]) == (*said, "deny")
    assert body["retryable"] == (status in (429, 503))
    assert body["request_id"] == "r1"


def test_every_reason_is_one_that_the_settings_know():
    """What can be answered is what can be given a status or a text of one's own."""
    made = {refusal.code for refusal in REFUSALS.values()}
    assert made | {"PRIZE_UNAVAILABLE", "MISSING_FIELD", "MALFORMED_JSON"} == set(REASONS)


def test_a_denial_may_have_another_status():
    """`deny_http` is for plain denials; what is wrong with a request keeps its own."""
    denied = Rejected(why=Rejection.FUNDS, balance=Amount.parse("12.30", CREDITS))
    status, body = written("authorize", GOOD, denied, deny_http=402)
    assert (status, body["balance"]) == (402, "12.3")
    conflict = Rejected(why=Rejection.DUPLICATE_CHANGED)
    assert written("authorize", GOOD, conflict, deny_http=402)[0] == 409


def test_a_prize_that_is_not_there_has_its_own_code():
    """Where no box is named it is the prize that is not available."""
    claim = {"request_id": "r", "action": "claim_prize", "player_id": "p", "prize_id": "9"}
    denied = Rejected(why=Rejection.GAME)
    assert written("authorize", claim, denied)[1]["reason_code"] == "PRIZE_UNAVAILABLE"
    assert written("authorize", GOOD, denied)[1]["reason_code"] == "BOX_UNAVAILABLE"


def test_row43_players_read_their_language():
    """English as the contract has it, German, the operator's own words; unknown falls back."""

    def message(language=None, why=Rejection.FUNDS, **options):
        return written("authorize", GOOD, Rejected(why=why, language=language), **options)[1][
            "message"
        ]

    english = "You do not have enough credits for this."
    assert message() == message("en") == message("en-GB") == message("xx") == english
    assert message("de-AT") == message("de") != english
    own = {"de": {"INSUFFICIENT_BALANCE": "Zu wenig Punkte."}, "en": {"TOO_LATE": "Gone."}}
    assert message("de-AT", messages=own) == "Zu wenig Punkte."
    assert message("de", why=Rejection.PRICE, messages=own) != "Zu wenig Punkte."
    assert message("en", messages=own) == message("fr", messages=own) == english
    assert message("fr", why=Rejection.TARGET_EXPIRED, messages=own) == "Gone."


def test_row25_nobody_is_told_why_a_player_may_not():
    """Banned, excluded and closed players read one text."""
    barred = (
        Rejection.PLAYER_BLOCKED,
        Rejection.PLAYER_SELF_EXCLUDED,
        Rejection.PLAYER_CLOSED,
    )
    assert len({REFUSALS[why].text for why in barred}) == 1
    for language in ("en", "de"):
        told_ = {
            written("authorize", GOOD, Rejected(why=why, language=language))[1]["message"]
            for why in barred
        }
        assert len(told_) == 1


def test_a_path_that_is_none_is_404():
    """No call: 404 in the contract's words."""
    status, body = told(refuse(Rejected(why=Rejection.CALL_UNKNOWN), None, integration()))
    assert (status, body["decision"], body["reason_code"]) == (404, "deny", "UNSUPPORTED_ACTION")


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Failure.TIMEOUT, Verdict.UNKNOWN),
        (Reply(500), Verdict.UNKNOWN),
        (Reply(429), Verdict.UNKNOWN),
        (Reply(200, b"x"), Verdict.UNKNOWN),
        (Reply(200, b"{}"), Verdict.UNKNOWN),
        (Reply(404, b"x"), Verdict.REFUSED),
        (Reply(302, b"x"), Verdict.UNKNOWN),
    ],
)
def test_a_sender_knows_what_it_does_not_know(reply, verdict):
    """Only a readable consent is done, only a readable or 4xx answer is a refusal."""
    for call in CALLS.values():
        assert call.judge(reply, integration()).verdict is verdict


def test_a_purchase_in_another_currency_has_no_words():
    """Where the wire names no currency, another than the settings' cannot be said."""
    command = msgspec.structs.replace(read("authorize", GOOD), currency="EUR")
    with pytest.raises(Exception, match="expected CREDITS"):
        CALLS["authorize"].compose((command,), integration(), NOW)
    window = msgspec.structs.replace(read("authorize", GOOD), key="window/1")
    with pytest.raises(Exception, match="begins with authorize"):
        CALLS["authorize"].compose((window,), integration(), NOW)


def test_the_policy_follows_the_settings():
    """Pace, time to cancel and what another balance means are the settings'."""
    found = policy(settings(rate_per_player=(10, 10), cancel_window_h=1))
    assert (found.pace, found.refund_within_ms) == ((10, 10_000), 3_600_000)
    assert (found.disbelief, found.overdue_bet) == ("alert", "undo")
    assert policy(settings(on_balance_mismatch="deny")).disbelief == "reject"
    assert policy(settings(rate_per_player=(0, 1))).pace is None
