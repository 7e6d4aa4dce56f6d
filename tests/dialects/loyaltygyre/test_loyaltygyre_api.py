"""LoyaltyGyre's own API: what is sent, and what its answers mean (rows 11 to 18)."""

import json

import msgspec
import pytest

from dialects.loyaltygyre.loyaltygyre_world import NOW, integration, refused
from seamline.dialects.dialect import GamesFilter, Reply, VendorError
from seamline.dialects.loyaltygyre.api import (
    STUDIO,
    CashBack,
    OpenBox,
    Order,
    base_url,
    compose_boxes,
    read_boxes,
    read_open,
    reserve_open,
    settle_cashback,
)
from seamline.wallet import Kind, Rejection

EXTRAS = {each.name: each for each in STUDIO.extras}
OPEN = OpenBox(transaction_id="t1", player_id="p1", box_id="58", price="50")
CASH = CashBack(transaction_id="t2", player_id="p1", prize_id="202", amount="10.5")
ORDER = Order(
    player_id="p1",
    prize_id="202",
    recipient_name="Ann Camilleri",
    street="1 Old Street",
    city="Valletta",
    postal_code="VLT 1111",
    country="MT",
)
IMAGE = {"thumbnail": "https://x/t.png", "standard": "https://x/s.png", "high_res": None}
BOXES = {
    "status": "success",
    "data": [
        {
            "id": 58,
            "name": "Gold",
            "description": "Shiny",
            "price": 50,
            "image": IMAGE,
            "prizes": [
                {"id": 202, "name": "Mug", "description": "Warm", "price": 15.99, "image": IMAGE},
                {"id": "203", "name": "Car"},
            ],
        },
        {"id": "59", "name": "Silver", "price": "12.50"},
    ],
}


def reply(body, status=200):
    """An answer of the vendor."""
    return Reply(status, msgspec.json.encode(body) if not isinstance(body, bytes) else body)


def vendor_error(read, answer):
    """How an answer is refused."""
    with pytest.raises(VendorError) as caught:
        read(answer, None, integration())
    return caught.value


def test_row11_boxes_are_read_with_ids_as_text():
    """Boxes and prizes have text ids whatever the vendor sends, and exact prices."""
    gold, silver = read_boxes(reply(BOXES), GamesFilter(), integration())
    assert (gold.id, gold.title, gold.price, gold.description) == ("58", "Gold", "50", "Shiny")
    assert gold.images == {"thumbnail": "https://x/t.png", "standard": "https://x/s.png"}
    assert gold.currencies == ("CREDITS",)
    mug, car = gold.prizes
    assert (mug.id, mug.title, mug.price) == ("202", "Mug", "15.99")
    assert (car.id, car.price) == ("203", None)
    assert (silver.id, silver.price, silver.prizes) == ("59", "12.5", ())
    raw = b'{"status":"success","data":[{"id":1,"name":"x","price":0.30}]}'
    assert read_boxes(Reply(200, raw), GamesFilter(), integration())[0].price == "0.3"


def listed(*odd):
    """A good box, odd ones, and another good one, read."""
    good = ('{"id":58,"name":"Gold","price":50}', '{"id":60,"name":"Tin","price":1}')
    raw = f'{{"status":"success","data":[{",".join((good[0], *odd, good[1]))}]}}'
    first, *shown, last = read_boxes(Reply(200, raw.encode()), GamesFilter(), integration())
    assert [(each.id, each.price, each.problem) for each in (first, last)] == [
        ("58", "50", None),
        ("60", "1", None),
    ]
    return shown


@pytest.mark.parametrize("price", ["-1", "1e3", '"many"', "true", "[]"])
def test_row11_a_price_that_is_none_is_not_guessed(price):
    """A box whose price is no plain decimal is shown without one, and with what is wrong."""
    (odd,) = listed(f'{{"id":1,"name":"x","price":{price}}}')
    assert (odd.id, odd.title, odd.price) == ("1", "x", None)
    assert odd.problem.startswith("box 2 of the list cannot be read: ")


@pytest.mark.parametrize(
    ("odd", "known"),
    [
        ("5", ("", "")),
        ("null", ("", "")),
        ("{}", ("", "")),
        ('{"id":null,"name":"x"}', ("", "x")),
        ('{"id":"","name":"x"}', ("", "x")),
        ('{"id":1.5,"name":"x"}', ("", "x")),
        ('{"id":7}', ("7", "")),
        ('{"id":7,"name":{"en":"x"}}', ("7", "")),
        ('{"id":7,"name":"x","prizes":{}}', ("7", "x")),
        ('{"id":7,"name":"x","image":"x.png"}', ("7", "x")),
    ],
)
def test_row11_one_odd_box_costs_the_others_nothing(odd, known):
    """What nobody can read is shown as far as it is known, in its place, and says so."""
    (shown,) = listed(odd)
    assert (shown.id, shown.title, shown.price, shown.prizes) == (*known, None, ())
    assert shown.problem.startswith("box 2 of the list cannot be read: ")


def test_row11_one_odd_prize_costs_its_box_nothing():
    """The box and its other prizes are read as ever."""
    (box,) = listed('{"id":7,"name":"x","price":2,"prizes":[{"id":1},{"id":2,"name":"Mug"}]}')
    assert (box.price, box.problem) == ("2", None)
    odd, mug = box.prizes
    assert (odd.id, odd.title, mug.title, mug.problem) == ("1", "", "Mug", None)
    assert odd.problem.startswith("prize 1 of box 7 cannot be read: ")


TWICE = '{"status":"success","data":[{"id":7,"name":"x","price":1,"price":9}]'


def test_row11_a_price_that_comes_twice_is_none():
    """A box that can be read in two ways has no price, however plain the rest is."""
    (box,) = read_boxes(
        Reply(200, f'{TWICE},"message":""}}'.encode()), GamesFilter(), integration()
    )
    assert (box.price, "price" in box.problem) == (None, True)
    assert vendor_error(read_boxes, Reply(200, f'{TWICE},"more":1}}'.encode())).status == 200


def test_row11_an_answer_without_a_list_is_none():
    """What is no list of boxes at all is an answer that nobody can read."""
    for data in ("5", "null", '{"58":{}}', '"x"'):
        raw = f'{{"status":"success","data":{data}}}'.encode()
        assert vendor_error(read_boxes, Reply(200, raw)).status == 200


def test_row12_an_opened_box_tells_its_prize():
    """The prize's id comes as text, as the vendor has it both ways."""
    said = {"status": "success", "message": "Box opened successfully", "prize": {"id": "202"}}
    assert read_open(reply(said), OPEN, integration()).prize_id == "202"
    number = said | {"prize": {"id": 202}}
    assert read_open(reply(number), OPEN, integration()).prize_id == "202"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Missing or invalid player_id or box_id"),
        (401, "Invalid or missing API key"),
        (404, "Box not found or unavailable"),
        (500, "An error occurred while opening the box."),
    ],
)
def test_row13_errors_carry_the_vendors_words(status, message):
    """Status and message are passed on; only a 4xx is a certain refusal."""
    error = vendor_error(read_open, reply({"status": "error", "message": message}, status))
    assert (error.status, error.message) == (status, message)
    assert error.refused is (status < 500)


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b"<html>"),
        Reply(200, b""),
        reply({"status": "success"}),
        reply({"message": "ok"}),
        Reply(302),
        Reply(503, b"<html>"),
        reply({"status": "success", "prize": {"id": None}}),
        Reply(200, b'{"status":"error","status":"success","prize":{"id":"1"}}'),
    ],
)
def test_row14_what_cannot_be_read_is_not_known(answer):
    """A 200 that nobody can read, a redirect, and trouble are no certain refusal."""
    assert not vendor_error(read_open, answer).refused


def test_row15_a_200_that_says_error_is_one():
    """Done is 200 together with success; any other status is an error, and not a certain one."""
    error = vendor_error(read_open, reply({"status": "error", "message": "no luck"}))
    assert (error.message, error.refused) == ("no luck", False)
    assert vendor_error(read_boxes, reply({"status": "odd"})).message == "status 'odd'"


def test_row17_an_order_needs_its_fields():
    """Without postal code nothing is composed; optional fields are left out when not given."""
    with pytest.raises(msgspec.ValidationError, match="postal_code"):
        msgspec.convert(
            {n: v for n, v in msgspec.to_builtins(ORDER).items() if n != "postal_code"}, Order
        )
    for bad in ({"postal_code": ""}, {"city": "a\nb"}, {"street": "x" * 201}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(msgspec.to_builtins(ORDER) | bad, Order)
    sent = EXTRAS["order"].operation.compose(ORDER, integration(), NOW)
    body = json.loads(sent.body)
    assert (sent.method, sent.path, body["postal_code"]) == ("POST", "/prize/order", "VLT 1111")
    assert "email" not in body


@pytest.mark.parametrize("name", ["open_box", "cashback", "order"])
def test_row18_calls_carry_the_key_as_bearer(name):
    """Bearer key, JSON body, https; a redirect is not followed but an error."""
    ask = {"open_box": OPEN, "cashback": CASH, "order": ORDER}[name]
    operation = EXTRAS[name].operation
    sent = operation.compose(ask, integration(), NOW)
    headers = dict(sent.headers)
    assert headers[b"authorization"] == b"Bearer the-api-key"
    assert headers[b"content-type"] == b"application/json"
    assert sent.query == b""
    assert base_url(integration()) == "https://app.loyaltygyre.com/api"
    assert vendor_error(operation.read, Reply(302)).status == 302
    assert not operation.repeatable


def test_row18_the_list_is_a_get_that_may_be_repeated():
    """GET /boxes has the key and no body; it is asked again when it was not heard."""
    sent = compose_boxes(GamesFilter(), integration(), NOW)
    assert (sent.method, sent.path, sent.body) == ("GET", "/boxes", b"")
    assert dict(sent.headers)[b"authorization"] == b"Bearer the-api-key"
    assert STUDIO.games.repeatable
    assert STUDIO.games.deadline_s == 10.0


def test_ids_are_sent_as_text_under_the_name_that_the_vendor_wants():
    """`player_id`, or `user_id` where settings say so."""
    sent = EXTRAS["open_box"].operation.compose(OPEN, integration(), NOW)
    assert json.loads(sent.body) == {"player_id": "p1", "box_id": "58"}
    other = integration(player_field="user_id")
    sent = EXTRAS["cashback"].operation.compose(CASH, other, NOW)
    assert json.loads(sent.body) == {"user_id": "p1", "prize_id": "202"}


def test_the_price_is_reserved():
    """As told, else the catalogue's; without either there is an objection to anything new."""
    command = reserve_open(OPEN, integration())
    assert (command.kind, command.key, str(command.amount)) == (Kind.BET, "open/t1", "50")
    assert (command.player, command.currency, command.game) == ("p1", "CREDITS", "58")
    bare = msgspec.structs.replace(OPEN, price=None)
    assert reserve_open(bare, integration()).objection is Rejection.UNAVAILABLE
    using = integration()
    using.catalogue.games = {"58": "12.5", "60": None}
    looked_up = reserve_open(bare, using)
    assert (str(looked_up.amount), looked_up.priced, looked_up.objection) == ("12.5", True, None)
    assert not reserve_open(OPEN, using).priced
    unpriced = msgspec.structs.replace(bare, box_id="60")
    assert reserve_open(unpriced, using).objection is Rejection.GAME
    fine = msgspec.structs.replace(OPEN, price="0.001")
    assert refused(reserve_open, fine, integration()).field == "price"


def test_row16_a_prize_is_claimed_once():
    """The credit has the operator's id as key, and is claimed by player and prize."""
    command = settle_cashback(CASH, integration())
    assert (command.kind, command.key, str(command.amount)) == (
        Kind.REWARD,
        "given-back/t2",
        "10.5",
    )
    assert command.claim == "cashback/202"
    one = msgspec.structs.replace(CASH, prize_instance_id="i1")
    assert settle_cashback(one, integration()).claim == "cashback/202/i1"


@pytest.mark.parametrize(
    ("price", "rate", "worth"),
    [
        ("15.99", "0.5", "7.99"),
        ("100", "1", "100"),
        ("0.3", "0.1", "0.03"),
        ("10", "0.333", "3.33"),
    ],
)
def test_a_prize_is_worth_its_share(price, rate, worth):
    """Without an amount it is the price times the rate, rounded down; exact, never a float."""
    bare = msgspec.structs.replace(CASH, amount=None)
    using = integration(cashback_rate=rate)
    using.catalogue.prizes = {"202": price}
    assert str(settle_cashback(bare, using).amount) == worth


def test_a_prize_without_a_worth_is_not_given_back():
    """No amount and no rate, or no price, or nothing left of it: refused before it is sent."""
    bare = msgspec.structs.replace(CASH, amount=None)
    compose = EXTRAS["cashback"].operation.compose
    without_rate = integration()
    without_rate.catalogue.prizes = {"202": "10"}
    with_rate = integration(cashback_rate="0.001")
    assert refused(compose, bare, without_rate, NOW).field == "amount"
    assert refused(compose, bare, with_rate, NOW).field == "amount"
    with_rate.catalogue.prizes = {"202": "1"}
    assert refused(compose, bare, with_rate, NOW).field == "amount"
    zero = msgspec.structs.replace(CASH, amount="0")
    assert refused(compose, zero, integration(), NOW).field == "amount"
