"""The contract's checklist, rows 19 to 34, over HTTP."""

import asyncio
import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from kit.gateway import GatewayRig
from kit.gyre import CREDITS, NAME, OLD_TOKEN, TOKEN, Gyre, bearer, denial, gateway, options
from seamline.dialects.dialect import Reply


@pytest.fixture(scope="module")
def doors(shared_place):
    """A gateway in credits with two bearer tokens, served for the whole file."""
    made = gateway(shared_place)
    yield made
    made.close()


@pytest.fixture
def gyre(doors):
    """The vendor with a new player who has 100 credits; audited afterwards."""
    yield Gyre(doors)
    doors.audit()


@pytest.fixture
def other(place):
    """Makes the vendor at a gateway with other settings; audited afterwards."""
    made = []

    def make(funds="100.00", **given):
        made.append(gateway(place, **given))
        return Gyre(made[0], funds)

    yield make
    for each in made:
        each.audit()
        each.close()


def test_row19_a_purchase_is_allowed_and_paid(gyre):
    """Balance 100, price 50: allow, 50 debited, 50 left."""
    fields = gyre.fields()
    status, body = gyre.post("authorize", fields)
    assert status == 200
    assert body == {
        "decision": "allow",
        "request_id": fields["request_id"],
        "authorization_id": body["authorization_id"],
        "reason_code": "OK",
        "message": None,
        "retryable": False,
        "debited": "50",
        "balance": "50",
    }
    assert gyre.balance() == "50.00"


def test_row20_a_repeat_is_the_same_answer(gyre):
    """The same id again: identical bytes and one row, also after other movements."""
    fields = gyre.fields(amount="30.00")
    first = gyre.raw("authorize", fields)
    gyre.authorize(amount="5")
    assert gyre.raw("authorize", fields) == first
    assert gyre.rows() == [("bet", "30.00"), ("bet", "5.00")]


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": "60"},
        {"box_id": "59"},
        {"action": "purchase"},
        {"prize_id": "1"},
        {"action": "purchase", "box_id": None, "prize_id": "58"},
    ],
)
def test_row21_the_same_id_with_other_content(gyre, changed):
    """409 `DUPLICATE_CONFLICT`, nothing moves, and somebody hears of it."""
    fields = gyre.fields()
    gyre.post("authorize", fields)
    again = {name: each for name, each in (fields | changed).items() if each is not None}
    assert denial(gyre.post("authorize", again)) == (409, "DUPLICATE_CONFLICT")
    assert gyre.balance() == "50.00"
    assert [alert for alert, _ in gyre.alerts()] == ["duplicate_changed"]


def test_row21_another_players_id(gyre, doors):
    """An id is one space for all players: another player's is a conflict, not a purchase."""
    fields = gyre.fields()
    gyre.post("authorize", fields)
    stranger = Gyre(doors)
    answer = stranger.post("authorize", fields | {"player_id": stranger.player})
    assert denial(answer) == (409, "DUPLICATE_CONFLICT")
    assert stranger.balance() == "100.00"


def test_row22_twenty_at_once_are_one(gyre):
    """Twenty parallel requests of one id: one debit, twenty equal answers."""
    fields = gyre.fields()
    answers = gyre.all_at_once("authorize", [fields] * 20)
    assert {json.dumps(each) for each in answers} == {json.dumps(answers[0])}
    assert answers[0][1]["decision"] == "allow"
    assert gyre.rows() == [("bet", "50.00")]


def test_row23_funds_for_one_of_two(gyre):
    """Two ids at once and funds for one: one allow, one `INSUFFICIENT_BALANCE`."""
    answers = gyre.all_at_once("authorize", [gyre.fields(amount="60") for _ in range(2)])
    codes = sorted(body["reason_code"] for _, body in answers)
    assert codes == ["INSUFFICIENT_BALANCE", "OK"]
    assert gyre.balance() == "40.00"


def test_row24_insufficient_exact_and_zero(gyre):
    """More than there is is denied with the balance, all that there is and nothing are allowed."""
    answer = gyre.authorize(amount="100.01")
    assert denial(answer) == (200, "INSUFFICIENT_BALANCE")
    assert answer[1]["balance"] == "100"
    assert answer[1]["message"] == "You do not have enough credits for this."
    assert gyre.authorize(amount="100")[1]["balance"] == "0"
    assert gyre.authorize(amount="0")[1]["decision"] == "allow"


def test_row24_a_denied_id_stays_denied(gyre, doors):
    """After a deposit the same id is denied all the same; a new one is allowed."""
    fields = gyre.fields(amount="150")
    gyre.post("authorize", fields)
    doors.deposit(f"more-{gyre.player}", "100.00", player=gyre.player, currency="CREDITS")
    assert denial(gyre.post("authorize", fields)) == (200, "INSUFFICIENT_BALANCE")
    assert gyre.authorize(amount="150")[1]["decision"] == "allow"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("blocked", "PLAYER_BANNED"),
        ("self_excluded", "PLAYER_SELF_EXCLUDED"),
        ("closed", "PLAYER_INACTIVE"),
    ],
)
def test_row25_who_may_not_play(doors, status, code):
    """Each status has its code, and all of them one message."""
    gyre = Gyre(doors, status=status)
    answer = gyre.authorize()
    assert denial(answer) == (200, code)
    assert answer[1]["message"] == "This action is not available for your account."
    assert gyre.balance() == "100.00"


def test_row25_nobody_knows_the_player(gyre):
    """An unknown player is denied as that in every call."""
    assert denial(gyre.authorize(player_id="nobody")) == (200, "PLAYER_NOT_FOUND")
    assert denial(gyre.cashback(player_id="nobody")) == (200, "PLAYER_NOT_FOUND")


def test_row26_tokens(gyre):
    """No token or a wrong one is 401 and moves nothing; the old one of a rotation is right."""
    for headers in ((), bearer("wrong"), bearer(TOKEN + "x"), bearer("")):
        answer = gyre.post("authorize", gyre.fields(), headers=headers)
        assert denial(answer) == (401, "UNAUTHORIZED")
    assert gyre.balance() == "100.00"
    answer = gyre.post("authorize", gyre.fields(), headers=bearer(OLD_TOKEN))
    assert answer[1]["decision"] == "allow"


def test_row26_an_address_that_is_none_of_theirs(place):
    """With `allow_from` a call from elsewhere is 403 `FORBIDDEN`, right token or not."""
    rig = GatewayRig(place, options={NAME: options()}, own=CREDITS, allow_from=("203.0.113.0/24",))
    try:
        gyre = Gyre(rig.serve())
        assert denial(gyre.authorize()) == (403, "FORBIDDEN")
        assert gyre.balance() == "100.00"
    finally:
        rig.close()


def signed(secret, body, moment):
    """The headers of a signed callback, made as the contract says."""
    over = body + b"|" + str(moment).encode()
    made = hmac.new(secret, over, sha256).hexdigest()
    return ((b"x-lg-timestamp", str(moment).encode()), (b"x-lg-signature", made.encode()))


def test_row27_signed_callbacks(other):
    """A right signature is let in; an altered byte, an old time and no signature are 401."""
    gyre = other(auth={"type": "hmac", "secrets": ["casino_callback_secret"]})
    key, now_ms = b"casino_callback_secret", gyre.doors.clock_ms()
    body = json.dumps(gyre.fields()).encode()
    old = signed(key, body, now_ms - 301_000)
    ahead = signed(key, body, now_ms + 310_000)
    good = signed(key, body, now_ms)
    for headers, raw in ((old, body), (ahead, body), (good, body.replace(b"50", b"51")), ((), body),
                         (bearer(TOKEN), body), (signed(b"no", body, now_ms), body)):  # fmt: skip
        assert denial(gyre.post("authorize", raw, headers=headers)) == (401, "UNAUTHORIZED")
    assert gyre.balance() == "100.00"
    assert gyre.post("authorize", body, headers=good)[1]["decision"] == "allow"
    # Played again within the window it is the same purchase.
    assert gyre.post("authorize", body, headers=good)[1]["debited"] == "50"
    assert gyre.balance() == "50.00"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"player_id": None}, "MISSING_FIELD"),
        ({"amount": "-1"}, "INVALID_FIELD"),
        ({"amount": "x"}, "INVALID_FIELD"),
        ({"amount": 1.234}, "INVALID_FIELD"),
        ({"amount": True}, "INVALID_FIELD"),
        ({"amount": None}, "MISSING_FIELD"),
        ({"amount": "99999999999999999999"}, "INVALID_FIELD"),
    ],
)
def test_row28_a_field_that_cannot_be_read(gyre, given, code):
    """400 with what is wrong, about that request, and nothing moves."""
    fields = gyre.fields(**given)
    answer = gyre.post("authorize", fields)
    assert denial(answer) == (400, code)
    assert answer[1]["request_id"] == fields["request_id"]
    assert gyre.balance() == "100.00"


def test_row29_bodies_that_are_none(gyre):
    """A doubled name and no JSON are 400, more than 64 KiB is 413."""
    doubled = json.dumps(gyre.fields())[:-1].encode() + b',"amount":"1"}'
    assert denial(gyre.post("authorize", doubled)) == (400, "MALFORMED_JSON")
    assert denial(gyre.post("authorize", b"amount=50")) == (400, "MALFORMED_JSON")
    big = json.dumps(gyre.fields(note="x" * 65 * 1024)).encode()
    assert gyre.post("authorize", big)[0] == 413
    assert gyre.balance() == "100.00"


def test_row30_no_id_is_refused(gyre):
    """Without an id a purchase is 400; the header stands for it."""
    fields = gyre.fields(request_id=None)
    assert denial(gyre.post("authorize", fields)) == (400, "MISSING_FIELD")
    header = (*bearer(TOKEN), (b"idempotency-key", f"k-{gyre.number}".encode()))
    for _ in range(2):
        assert gyre.post("authorize", fields, headers=header)[1]["balance"] == "50"
    assert gyre.rows() == [("bet", "50.00")]


def test_row30_no_id_in_a_window(other):
    """In window mode alike purchases within one span of five seconds are one debit."""
    gyre = other(missing_id="window")
    span_ms = 5_000
    gyre.doors.ahead_ms += span_ms - gyre.doors.clock_ms() % span_ms
    fields = gyre.fields(request_id=None, amount="10")
    answers = [gyre.raw("authorize", fields) for _ in range(3)]
    assert len(set(answers)) == 1
    assert gyre.balance() == "90.00"
    gyre.post("authorize", fields | {"box_id": "59"})
    assert gyre.balance() == "80.00"
    gyre.doors.ahead_ms += span_ms
    made = gyre.post("authorize", fields)[1]["authorization_id"]
    assert gyre.balance() == "70.00"
    undo = {"request_id": f"c-{made}", "player_id": gyre.player, "authorization_id": made}
    assert gyre.post("cancel", undo)[1]["balance"] == "80"


def test_row31_a_number_is_the_same_id(gyre):
    """Box 58 and box "58" are one: the repeat is a repeat."""
    fields = gyre.fields()
    first = gyre.raw("authorize", fields)
    assert gyre.raw("authorize", fields | {"box_id": 58}) == first
    assert gyre.balance() == "50.00"


@pytest.mark.parametrize("checking", [True, False])
def test_row32_the_catalogues_price(place, monkeypatch, checking):
    """Checked, another price is denied and an unknown box too; unchecked both are allowed."""
    monkeypatch.setattr("seamline.cli.assembly._Vendors.send", boxes)
    rig = gateway(place, price_check=checking)
    try:
        gyre = Gyre(rig)
        if checking:
            heard(rig)
        expected = {"49": "PRICE_MISMATCH", "50": "OK"} if checking else {"49": "OK", "50": "OK"}
        for amount, code in expected.items():
            assert gyre.authorize(amount=amount)[1]["reason_code"] == code
        unknown = gyre.authorize(box_id="7", amount="1")[1]["reason_code"]
        assert unknown == ("BOX_UNAVAILABLE" if checking else "OK")
        rig.audit()
    finally:
        rig.close()


def test_row32_a_known_id_comes_before_its_price(place, monkeypatch):
    """A repeat of what was allowed is that, although the price has changed since."""
    monkeypatch.setattr("seamline.cli.assembly._Vendors.send", boxes)
    rig = gateway(place, price_check=True)
    try:
        gyre = Gyre(rig)
        heard(rig)
        fields = gyre.fields()
        first = gyre.raw("authorize", fields)
        rig.gateway.connections[NAME].integration.catalogue.games = {"58": "99"}
        assert gyre.raw("authorize", fields) == first
        assert denial(gyre.authorize())[1] == "PRICE_MISMATCH"
    finally:
        rig.close()


def test_check_only_leaves_the_debit_to_the_casino(other):
    """Checked, allowed and remembered, but not debited; a cancelled id is not allowed again."""
    gyre = other(settlement="check_only")
    assert denial(gyre.authorize(amount="100.01")) == (200, "INSUFFICIENT_BALANCE")
    fields = gyre.fields(amount="60")
    first = gyre.raw("authorize", fields)
    body = json.loads(first[1])
    assert (body["decision"], body["debited"], body["balance"]) == ("allow", "0", "100")
    gyre.doors.asked(
        "POST",
        f"/v1/players/acme/{gyre.player}/withdrawals",
        {"transaction_id": body["authorization_id"], "amount": "60.00", "currency": "CREDITS"},
    )
    assert gyre.raw("authorize", fields) == first
    assert denial(gyre.post("authorize", fields | {"amount": "61"})) == (409, "DUPLICATE_CONFLICT")
    assert denial(gyre.authorize(amount="60")) == (200, "INSUFFICIENT_BALANCE")
    undone = gyre.cancel(fields)[1]
    assert (undone["decision"], undone["balance"]) == ("allow", "40")
    assert denial(gyre.post("authorize", fields)) == (200, "ALREADY_CANCELLED")
    assert gyre.balance() == "40.00"


@pytest.fixture
def priced(place, monkeypatch):
    """The vendor where boxes cost what the catalogue says, which was heard; audited afterwards."""
    monkeypatch.setattr("seamline.cli.assembly._Vendors.send", boxes)
    rig = gateway(place, price_source="catalogue", missing_id="window")
    heard(rig)
    yield Gyre(rig)
    rig.audit()
    rig.close()


def prices(gyre, games):
    """What the vendor was heard to ask for its boxes from now on; None for nothing heard."""
    gyre.doors.gateway.connections[NAME].integration.catalogue.games = games


@pytest.mark.parametrize("later", [{"58": "60"}, {"58": "0"}, {"58": None}, {}, None])
def test_row20_a_repeat_is_the_same_whatever_the_price_is_now(priced, later):
    """A purchase at the catalogue's price reads as at first after that changed, or went away."""
    bought, denied = priced.fields(amount=None), priced.fields(amount=None, box_id="59")
    answers = [priced.raw("authorize", each) for each in (bought, denied)]
    assert denial((answers[1][0], json.loads(answers[1][1]))) == (200, "BOX_UNAVAILABLE")
    prices(priced, {"59": "1"} | later if later is not None else None)
    assert [priced.raw("authorize", each) for each in (bought, denied)] == answers
    told = priced.post("authorize", bought | {"amount": "50"})
    assert denial(told) == (409, "DUPLICATE_CONFLICT")
    assert priced.rows() == [("bet", "50.00")]


def test_row34_a_catalogue_that_is_away(priced):
    """Nothing new is allowed without a price, nothing of it is stored, and it is allowed later."""
    fields = priced.fields(amount=None)
    prices(priced, None)
    answer = priced.post("authorize", fields)
    assert denial(answer) == (503, "TEMPORARILY_UNAVAILABLE")
    assert answer[1]["retryable"] is True
    prices(priced, {"58": "30"})
    assert priced.post("authorize", fields)[1]["debited"] == "30"
    assert priced.rows() == [("bet", "30.00")]


def test_row30_a_window_knows_no_price(priced):
    """Without an id, too, a purchase is the same one after the price has changed."""
    span_ms = 5_000
    priced.doors.ahead_ms += span_ms - priced.doors.clock_ms() % span_ms
    fields = priced.fields(request_id=None, amount=None)
    first = priced.raw("authorize", fields)
    prices(priced, {"58": "20"})
    assert priced.raw("authorize", fields) == first
    assert priced.rows() == [("bet", "50.00")]


async def boxes(_self, _base_url, _request, _deadline_s):
    """The vendor's list: one box."""
    box = {"id": 58, "name": "Gold", "price": 50}
    return Reply(200, json.dumps({"status": "success", "data": [box]}).encode())


def heard(rig):
    """Wait until the catalogue was heard."""
    for _ in range(1000):
        if rig.gateway.connections[NAME].integration.catalogue.games is not None:
            return
        rig.run(asyncio.sleep(0.01))
    raise AssertionError("the vendor was not asked for its boxes")


@pytest.mark.parametrize("choice", ["log", "deny"])
def test_row33_another_balance(other, choice):
    """LoyaltyGyre believes in another balance: allowed with an alert, or denied."""
    gyre = other(on_balance_mismatch=choice)
    answer = gyre.authorize(balance="99", amount="10")
    if choice == "deny":
        assert denial(answer) == (200, "BALANCE_OUT_OF_SYNC")
        assert gyre.balance() == "100.00"
    else:
        assert answer[1]["balance"] == "90"
        assert [alert for alert, _ in gyre.alerts()] == ["balance_differs"]
    right = "100" if choice == "deny" else "90.00"
    assert gyre.authorize(balance=right, amount="10")[1]["decision"] == "allow"


def test_row34_a_wallet_that_is_away(gyre, doors):
    """503, worth another try, not stored: the same id is allowed later."""
    fields = gyre.fields()
    with doors.away():
        answer = gyre.post("authorize", fields)
    assert denial(answer) == (503, "TEMPORARILY_UNAVAILABLE")
    assert answer[1]["retryable"] is True
    assert gyre.post("authorize", fields)[1]["debited"] == "50"
    assert gyre.balance() == "50.00"


def test_a_player_who_asks_too_often(other):
    """More calls in ten seconds than allowed are 429, worth another try, and not stored.

    What comes again, and what undoes, is no new call.
    """
    gyre = other(rate_per_player=[3, 10])
    many = [gyre.fields(amount="1") for _ in range(5)]
    answers = [gyre.post("authorize", each) for each in many]
    assert [status for status, _ in answers] == [200, 200, 200, 429, 429]
    assert denial(answers[3])[1] == "RATE_LIMITED"
    assert answers[3][1]["retryable"] is True
    assert gyre.post("authorize", many[0]) == answers[0]
    undone = gyre.cancel(many[0])
    assert (undone[0], gyre.balance()) == (200, "98.00")
    gyre.doors.ahead_ms += 11_000
    assert gyre.post("authorize", many[3])[1]["decision"] == "allow"


def test_a_stale_request(gyre, doors):
    """Made more than five minutes ago by its own word it is denied; a repeat of a known one not."""
    now_s = doors.clock_ms() // 1000
    new, old = (datetime.fromtimestamp(now_s - age, UTC).isoformat() for age in (10, 400))
    assert denial(gyre.authorize(occurred_at=old)) == (200, "STALE_REQUEST")
    fields = gyre.fields(occurred_at=new)
    first = gyre.raw("authorize", fields)
    assert gyre.raw("authorize", fields | {"occurred_at": old}) == first


def test_an_unknown_action(gyre):
    """An action that nobody knows is denied as that."""
    assert denial(gyre.authorize(action="steal")) == (200, "UNSUPPORTED_ACTION")
    assert gyre.balance() == "100.00"


def test_limits_of_the_player(gyre, doors):
    """A stake above the player's limit is `LIMIT_EXCEEDED`."""
    limits = {"currencies": {"CREDITS": {"max_stake": "40.00"}}}
    doors.change(gyre.player, limits=limits)
    assert denial(gyre.authorize()) == (200, "LIMIT_EXCEEDED")
    assert gyre.authorize(amount="40")[1]["decision"] == "allow"
