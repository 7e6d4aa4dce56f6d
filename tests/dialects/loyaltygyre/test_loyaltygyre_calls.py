"""The callbacks of our contract: read, answered, and what of them may be recorded."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.loyaltygyre.loyaltygyre_world import (
    CALLS,
    CASHED,
    CASINO,
    GOOD,
    NOW,
    integration,
    read,
    request,
    sandbox,
    settings,
    told,
    unread,
    vectors,
)
from kit.vendor import templates
from seamline.dialects.loyaltygyre import wants_catalogue
from seamline.dialects.loyaltygyre.adapter import STALE_MS
from seamline.dialects.loyaltygyre.ids import AUTHORIZATION, ours, paired, parted, theirs
from seamline.dialects.loyaltygyre.refusals import refuse
from seamline.dialects.loyaltygyre.signature import verify
from seamline.money import Currency
from seamline.wallet import Kind, Rejected, Rejection

ROWS = vectors("calls")["calls"]
CREDITS = Currency("CREDITS", 2, 5)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_vectors_are_true_both_ways(row):
    """Each published body stands for its command, and is what its command is said as."""
    using = sandbox()
    call = CALLS[row["call"]]
    (template,) = [
        each.commands
        for each in templates("loyaltygyre")
        if each.call == call.name and (each.commands[0].key == row["command"].get("key"))
    ]
    sent = call.compose(template, using, NOW)
    assert sent.body == row["body"].encode()
    verify(sent, using)
    assert call.read(sent, using) == template


@pytest.mark.parametrize("field", ["player_id", "box_id", "prize_id"])
def test_row31_numbers_are_the_same_ids(field):
    """58 is "58", for players, boxes and prizes; request ids are texts."""
    fields = GOOD | {"prize_id": "9"}
    as_text, as_number = (read("authorize", fields | {field: each}) for each in ("58", 58))
    assert as_text == as_number
    assert unread("authorize", GOOD | {"request_id": 7}).field == "request_id"


@pytest.mark.parametrize(
    ("call", "fields", "missing"),
    [
        ("authorize", GOOD, "player_id"),
        ("authorize", GOOD, "action"),
        ("authorize", GOOD, "box_id"),
        ("authorize", GOOD, "amount"),
        ("authorize", GOOD | {"action": "claim_prize"}, "prize_id"),
        ("authorize", GOOD, "request_id"),
        ("cancel", {"request_id": "x", "player_id": "p", "authorize_request_id": "r"}, "player_id"),
        (
            "cancel",
            {"request_id": "x", "player_id": "p", "authorize_request_id": "r"},
            "authorize_request_id",
        ),
        ("cashback", CASHED, "prize_id"),
        ("cashback", CASHED, "amount"),
        ("shipment", CASHED, "prize_id"),
        ("balance", {"player_id": "p"}, "player_id"),
    ],
)
def test_row28_a_missing_field_is_named(call, fields, missing):
    """What is needed and not there, or null, is 400 `MISSING_FIELD`."""
    for without in ({**fields, missing: None}, {n: v for n, v in fields.items() if n != missing}):
        why = unread(call, without)
        assert (why.why, why.field) == (Rejection.MALFORMED, missing)
        status, body = told(refuse(why, call, integration()))
        assert (status, body["reason_code"], body["decision"]) == (400, "MISSING_FIELD", "deny")
        assert body["message"] is None


@pytest.mark.parametrize("amount", ["-1", -1, "x", 1.234, "1.234", True, "1e2", 1e300, "", [], {}])
def test_row28_a_bad_amount_is_named(amount):
    """A sign, letters, too many decimals, a truth value, an exponent: 400 `INVALID_FIELD`."""
    for call, fields in (("authorize", GOOD), ("cashback", CASHED)):
        why = unread(call, fields | {"amount": amount})
        assert (why.why, why.field) == (Rejection.MALFORMED, "amount")
        assert why.key == f"{call}/{fields['request_id']}"
        body = told(refuse(why, call, integration()))[1]
        assert (body["reason_code"], body["request_id"]) == ("INVALID_FIELD", fields["request_id"])


@pytest.mark.parametrize("amount", ["12.50", 12.5, "12.500"])
def test_amounts_come_as_text_or_number(amount):
    """A JSON number is read from its text, exactly."""
    assert str(read("authorize", GOOD | {"amount": amount}).amount.shortest()) == "12.5"
    raw = json.dumps(GOOD).replace('"50"', "0.30").encode()
    assert str(read("authorize", raw).amount) == "0.30"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b'{"request_id":"r1","request_id":"r2","player_id":"p"}',
        b'{"player_id":"p","player\\u005fid":"q"}',
        b'{"player_id":"\xff"}',
        b'{"player_id":"\\ud800"}',
        b'{"player_id":NaN}',
        b"[" * 100_000,
        b"\xef\xbb\xbf{}",
    ],
)
def test_row29_what_is_no_json_object_is_refused(raw):
    """Names that come twice, half characters, no object: 400 `MALFORMED_JSON`."""
    why = unread("authorize", raw)
    assert (why.why, why.field) == (Rejection.MALFORMED, "body")
    status, body = told(refuse(why, "authorize", integration()))
    assert (status, body["reason_code"]) == (400, "MALFORMED_JSON")


def test_row30_requests_without_id_in_a_window():
    """Alike within a span of five seconds they have one key; the span is the clock's."""
    using = integration(missing_id="window")
    bare = {name: each for name, each in GOOD.items() if name != "request_id"}

    def key(at_ms=NOW, **changes):
        return read("authorize", bare | changes, using, at_ms=at_ms).key

    assert key() == key(NOW + 4_999) == key(amount="50.00", player_id="p1")
    assert key().startswith("window/")
    others = {key(NOW + 5_000), key(player_id="p2"), key(box_id=59), key(amount="51"), key()}
    assert len(others) == 5


def test_an_id_may_be_in_the_header():
    """`Idempotency-Key` stands for the id; where both are there they must be equal."""
    header = ((b"idempotency-key", b"r9"),)
    bare = {name: each for name, each in GOOD.items() if name != "request_id"}
    assert read("authorize", bare, headers=header).key == "authorize/r9"
    assert read("authorize", GOOD | {"request_id": "r9"}, headers=header).key == "authorize/r9"
    assert unread("authorize", GOOD, headers=header).field == "request_id"
    latin = ((b"idempotency-key", b"\xff"),)
    assert unread("authorize", bare, headers=latin).why is Rejection.MALFORMED


@pytest.mark.parametrize("bad", ["a\0b", "a\nb", "", "x" * 129])
@pytest.mark.parametrize("field", ["request_id", "player_id", "box_id"])
def test_ids_are_texts_that_a_store_can_keep(field, bad):
    """A control character, nothing, or more than 128 characters is no id."""
    assert unread("authorize", GOOD | {field: bad}).field == field


@pytest.mark.parametrize("odd", ["a|b;c", "Zoë", "玩家", "../..", "a/b", "%2F", "'--"])
def test_odd_ids_are_ids(odd):
    """Separators and slashes in ids are nothing special, and lead back."""
    using = integration()
    command = read("authorize", GOOD | {"request_id": odd, "player_id": odd, "box_id": odd})
    sent = CALLS["authorize"].compose((command,), using, NOW)
    assert CALLS["authorize"].read(sent, using) == (command,)
    assert theirs(ours(odd, AUTHORIZATION), AUTHORIZATION) == odd


@given(first=st.text(min_size=1), second=st.none() | st.text(min_size=1))
def test_two_ids_in_one_text_read_back(first, second):
    """Whatever is in two ids, they come apart as they were."""
    try:
        (first + (second or "")).encode()
    except UnicodeEncodeError:
        return
    assert parted(paired(first, second)) == (first, second)


@pytest.mark.parametrize("bad", ["", "au_", "au_!", "x", "sh_cjE", "au_cjE=", "au_cjF", "au_/w"])
def test_ids_that_are_not_ours_are_refused(bad):
    """Only what we made leads back to a request."""
    fields = {"request_id": "c1", "player_id": "p1", "authorization_id": bad}
    assert unread("cancel", fields).field == "authorization_id"


def test_a_cancellation_names_the_request_in_two_ways():
    """By the request's id or by our authorization; both must mean the same."""
    fields = {"request_id": "c1", "player_id": "p1"}
    by_theirs = read("cancel", fields | {"authorize_request_id": "r1"})
    by_ours = read("cancel", fields | {"authorization_id": "au_cjE"})
    assert by_theirs == by_ours
    assert (by_ours.kind, by_ours.target) == (Kind.REFUND, "authorize/r1")
    both = {"authorize_request_id": "r2", "authorization_id": "au_cjE"}
    assert unread("cancel", fields | both).field == "authorization_id"


def test_another_casinos_id_is_forbidden():
    """`casino_id` may be left out; another casino's is 403 in every call."""
    assert read("authorize", GOOD | {"casino_id": CASINO})
    for call in CALLS:
        why = unread(call, GOOD | {"casino_id": "other"})
        assert told(refuse(why, call, integration()))[0] == 403
        assert told(refuse(why, call, integration()))[1]["reason_code"] == "FORBIDDEN"


def test_an_action_that_nobody_knows_is_an_objection():
    """It is denied as that, once the id is known to be new, whatever else is missing."""
    command = read("authorize", {"request_id": "r1", "action": "steal", "player_id": "p1"})
    assert (command.objection, str(command.amount)) == (Rejection.CALL_UNKNOWN, "0")
    reply = CALLS["authorize"].write(
        (command,), (Rejected(why=Rejection.CALL_UNKNOWN),), integration()
    )
    assert told(reply)[0] == 200
    assert told(reply)[1]["reason_code"] == "UNSUPPORTED_ACTION"


def test_a_prize_costs_nothing_unless_it_says_so():
    """Claiming a prize moves nothing by default; a price is taken as told."""
    claim = {"request_id": "r1", "action": "claim_prize", "player_id": "p1", "prize_id": 202}
    assert str(read("authorize", claim).amount) == "0"
    assert str(read("authorize", claim | {"amount": "1.5"}).amount) == "1.5"


def test_a_request_that_was_made_long_ago_is_stale():
    """Older than five minutes by its own word is an objection; one without a time is not."""
    for age_ms, objection in ((STALE_MS, None), (STALE_MS + 1000, Rejection.STALE)):
        text = datetime.fromtimestamp((NOW - age_ms) // 1000, UTC).isoformat()
        assert read("authorize", GOOD | {"occurred_at": text}).objection is objection


def priced(**options):
    """An integration with a known catalogue."""
    using = integration(**options)
    using.catalogue.games = {"58": "50", "60": None, "61": "0.001"}
    using.catalogue.prizes = {"202": "15.99"}
    return using


def test_row32_prices_are_held_against_the_catalogue():
    """Another price, an unknown box and an unknown prize are objections, only when checked."""
    checking = priced(price_check=True)
    for fields, objection in (
        ({}, None),
        ({"amount": "50.00"}, None),
        ({"amount": "49"}, Rejection.PRICE),
        ({"box_id": "59"}, Rejection.GAME),
        ({"box_id": "60", "amount": "1"}, None),
        ({"action": "purchase", "box_id": None, "prize_id": 202}, None),
        ({"action": "purchase", "box_id": None, "prize_id": 203}, Rejection.GAME),
    ):
        assert read("authorize", GOOD | fields, checking).objection is objection
        assert read("authorize", GOOD | fields, priced()).objection is None


def test_who_debits_is_a_setting():
    """A purchase is debited here unless the settings leave that to the casino."""
    assert not read("authorize", GOOD).only_checked
    assert read("authorize", GOOD, integration(settlement="check_only")).only_checked


def test_row32_a_price_may_come_from_the_catalogue():
    """With that source an amount may be left out; while none was heard anything new is put off."""
    bare = {name: each for name, each in GOOD.items() if name != "amount"}
    using = priced(price_source="catalogue")
    command = read("authorize", bare, using)
    assert (str(command.amount), command.priced) == ("50", True)
    assert not read("authorize", GOOD, using).priced
    for options in ({"price_source": "catalogue"}, {"price_check": True}):
        fields = bare if "price_source" in options else GOOD
        unheard = read("authorize", fields, integration(**options))
        assert unheard.objection is Rejection.UNAVAILABLE
    status, body = told(refuse(Rejected(why=unheard.objection), "authorize", using))
    assert (status, body["retryable"]) == (503, True)


@pytest.mark.parametrize("box", ["59", "60", "61"])
def test_what_has_no_price_is_not_given_away(box):
    """A box that is not in the catalogue, or there has no price in credits, is never free."""
    bare = {name: each for name, each in GOOD.items() if name != "amount"}
    using = priced(price_source="catalogue")
    command = read("authorize", bare | {"box_id": box}, using)
    assert command.objection is Rejection.GAME
    prize = {"action": "purchase", "box_id": None, "prize_id": "202"}
    assert unread("authorize", bare | prize, using).field == "amount"


def test_a_catalogue_is_wanted_by_whom_it_serves():
    """Prices that are checked or looked up need it; nothing else does."""
    assert not wants_catalogue(settings())
    for given_ in ({"price_check": True}, {"price_source": "catalogue"}, {"cashback_rate": "1"}):
        assert wants_catalogue(settings(**given_))


def test_cashbacks_are_capped_and_claimed():
    """Above the cap is an objection; by prize and instance it is claimed where settings say so."""
    capped = integration(cashback_max="10.5")
    assert read("cashback", CASHED, capped).objection is None
    assert read("cashback", CASHED | {"amount": "10.51"}, capped).objection is Rejection.STAKE_LIMIT
    assert read("cashback", CASHED).claim is None
    by_prize = integration(cashback_dedupe="player_prize")
    assert read("cashback", CASHED, by_prize).claim == "cashback/202"
    one = read("cashback", CASHED | {"prize_instance_id": "i/1"}, by_prize)
    assert (one.claim, one.reference) == ("cashback/202/i%2F1", "202/i%2F1")
    assert unread("cashback", CASHED | {"amount": "0"}).field == "amount"
    assert read("cashback", CASHED | {"currency": "EUR"}).currency == "EUR"


def test_a_shipment_holds_no_address():
    """The command names prize and order, and nothing of the recipient."""
    recipient = {"name": "Ann Camilleri", "street": "1 Old Street", "city": "Valletta"}
    fields = {"request_id": "s1", "player_id": "p1", "prize_id": 202, "recipient": recipient}
    command = read("shipment", fields | {"order_id": "o1"})
    assert "prize 202" in command.note
    assert "order o1" in command.note
    for word in ("Camilleri", "Old Street", "Valletta"):
        assert word not in repr(command)


def test_a_request_is_read_from_its_own_call():
    """The same body means what its path says."""
    assert request("cancel", {}).path == "/cancel"
    assert read("cashback", CASHED).kind is Kind.REWARD
