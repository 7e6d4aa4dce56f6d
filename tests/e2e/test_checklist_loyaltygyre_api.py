"""The contract's checklist with the operator: rows 6, 11 to 17, and 44, over HTTP."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from kit.gyre import NAME, Gyre, gateway
from seamline.dialects.dialect import Reply
from seamline.dialects.loyaltygyre.iframe import signature
from seamline.wallet import beside

OPERATIONS = f"/v1/integrations/{NAME}/operations"


class Cloud:
    """LoyaltyGyre's own server: what it was asked, and what it says next."""

    def __init__(self):
        self.asked = []
        self.says = Reply(200, b'{"status":"success","prize":{"id":"202"},"message":"ok"}')

    async def send(self, base_url, request, _deadline_s):
        """One exchange."""
        self.asked.append((base_url + request.path, request))
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def answers(self, code, **body):
        """What it says from now on."""
        self.says = Reply(code, json.dumps(body).encode())


@pytest.fixture(scope="module")
def doors(shared_place):
    """A gateway in credits, served for the whole file; its vendor's server is in this process."""
    made = Cloud()

    async def send(_vendors, base_url, request, deadline_s):
        return await made.send(base_url, request, deadline_s)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("seamline.cli.assembly._Vendors.send", send)
        rig = gateway(shared_place)
        rig.cloud = made
        yield rig
        rig.close()


@pytest.fixture
def cloud(doors):
    """LoyaltyGyre's own server, well and unasked."""
    doors.cloud.__init__()
    return doors.cloud


@pytest.fixture
def gyre(doors):
    """The vendor with a new player who has 100 credits; audited afterwards."""
    yield Gyre(doors)
    doors.audit()


def operate(gyre, name, key, **members):
    """One operation of the vendor's API."""
    body = {"transaction_id": f"{key}-{gyre.number}", "player_id": gyre.player} | members
    return gyre.doors.operator("POST", f"{OPERATIONS}/{name}", body)


def test_row12_an_opened_box_costs_its_price(cloud, gyre):
    """200: the price stays gone, and the prize is told; asking again asks nobody."""
    status, body = operate(gyre, "open_box", "o", box_id="58", price="50")
    assert (status, body["answer"], body["balance"]) == (200, {"prize_id": "202"}, "50.00")
    url, request = cloud.asked[0]
    assert url == "https://app.loyaltygyre.com/api/box/open"
    assert json.loads(request.body) == {"player_id": gyre.player, "box_id": "58"}
    status, body = operate(gyre, "open_box", "o", box_id="58", price="50")
    assert (status, body["outcome"], body["answer"]) == (409, "done", '{"prize_id":"202"}')
    assert len(cloud.asked) == 1
    assert gyre.balance() == "50.00"


def test_row12_an_opened_box_is_known_whatever_it_costs_now(cloud, gyre):
    """Asked again after the price changed, or was lost, it was done; anything new has to wait."""
    catalogue = gyre.doors.gateway.connections[NAME].integration.catalogue
    catalogue.games = {"58": "50"}
    assert operate(gyre, "open_box", "o", box_id="58")[1]["balance"] == "50.00"
    for games in ({"58": "60"}, None):
        catalogue.games = games
        status, body = operate(gyre, "open_box", "o", box_id="58")
        assert (status, body["outcome"]) == (409, "done")
    status, body = operate(gyre, "open_box", "new", box_id="58")
    assert (status, body["code"], len(cloud.asked)) == (503, "unavailable", 1)
    assert gyre.balance() == "50.00"


@pytest.mark.parametrize(
    ("status", "told", "message"),
    [
        (400, 422, "Missing or invalid player_id or box_id"),
        (401, 502, "Invalid or missing API key"),
        (404, 422, "Box not found or unavailable"),
    ],
)
def test_row13_a_refusal_gives_the_price_back(cloud, gyre, status, told, message):
    """4xx: the vendor's words, and the credits are back."""
    cloud.answers(status, status="error", message=message)
    got, body = operate(gyre, "open_box", "o", box_id="58", price="50")
    assert (got, body["vendor_message"], body["outcome"]) == (told, message, "returned")
    assert gyre.balance() == "100.00"


@pytest.mark.parametrize(
    ("says", "status"),
    [
        (TimeoutError("no reply"), 504),
        (ConnectionError("reset"), 502),
        (Reply(500, b'{"status":"error","message":"An error occurred"}'), 502),
        (Reply(200, b"<html>"), 502),
        (Reply(200, b'{"status":"error","message":"?"}'), 502),
    ],
)
def test_row14_what_nobody_knows_keeps_the_price(cloud, gyre, says, status):
    """Timeout, 500 and an unreadable 200: the price is kept, once asked, and a person alerted."""
    cloud.says = says
    got, body = operate(gyre, "open_box", "o", box_id="58", price="50")
    assert (got, body["code"]) == (status, "outcome_unknown")
    assert len(cloud.asked) == 1
    assert gyre.balance() == "50.00"
    assert gyre.alerts() == []
    assert (beside("unknown", f"open/o-{gyre.number}"), "notice") in gyre.doors.alerts()
    assert operate(gyre, "open_box", "o", box_id="58", price="50")[0] == 409
    assert len(cloud.asked) == 1


def test_row15_a_200_that_says_error(cloud, gyre):
    """200 with `status: error` is an error in the vendor's words; an order moves nothing."""
    cloud.answers(200, status="error", message="out of stock")
    members = {"prize_id": "202", "recipient_name": "Ann", "street": "1", "city": "V"}
    body = members | {"player_id": gyre.player, "postal_code": "1", "country": "MT"}
    got, told = gyre.doors.operator("POST", f"{OPERATIONS}/order", body)
    assert (got, told["vendor_message"]) == (502, "out of stock")


def test_row16_a_prize_given_back_is_credited_once(cloud, gyre):
    """The vendor notes it, then the player is credited; the repeat asks and credits nothing."""
    cloud.answers(200, status="success", message="Cashback decision recorded")
    first = operate(gyre, "cashback", "c", prize_id="202", amount="10.5")
    assert (first[0], first[1]["balance"]) == (200, "110.50")
    status, told = operate(gyre, "cashback", "c", prize_id="202", amount="10.5")
    assert (status, told["outcome"], len(cloud.asked)) == (409, "done", 1)
    again = operate(gyre, "cashback", "c2", prize_id="202", amount="10.5")
    assert (again[0], gyre.balance()) == (409, "110.50")


def test_row17_an_order_without_postal_code_is_not_sent(cloud, gyre):
    """It is 400 here, and the vendor hears nothing."""
    body = {"player_id": gyre.player, "prize_id": "1", "recipient_name": "A", "street": "1",
            "city": "V", "country": "MT"}  # fmt: skip
    status, told = gyre.doors.operator("POST", f"{OPERATIONS}/order", body)
    assert (status, told["field"]) == (400, "postal_code")
    assert cloud.asked == []


def test_row11_the_boxes_are_listed(cloud, gyre):
    """`GET /v1/games` shows boxes with prices and prizes, ids as text."""
    cloud.answers(200, status="success", data=[
        {"id": 58, "name": "Gold", "price": 50, "prizes": [{"id": 202, "name": "Mug"}]}
    ])  # fmt: skip
    items = gyre.doors.asked("GET", f"/v1/games?integration={NAME}")["items"]
    assert [(each["id"], each["price"], each["prizes"][0]["id"]) for each in items] == [
        ("58", "50", "202")
    ]


def launch(gyre, **members):
    """The URL of a launched box."""
    body = {
        "integration": NAME,
        "player": gyre.player,
        "currency": "CREDITS",
        "game": "58",
        "launch": True,
    }
    return gyre.doors.asked("POST", "/v1/sessions", body | members)["game_url"]


def test_row06_no_two_urls_are_equal(gyre):
    """Two launches within a second have different times and signatures."""
    first, second = (dict(parse_qsl(urlsplit(launch(gyre)).query)) for _ in range(2))
    assert first["timestamp"] != second["timestamp"]
    assert first["sig"] != second["sig"]
    assert first["balance"] == second["balance"] == "100"


def test_row44_from_the_url_to_the_last_credit(cloud, gyre, doors):
    """URL, purchase, cashback, balance: what the frame is told is what the books hold."""
    told = dict(parse_qsl(urlsplit(launch(gyre)).query))
    sig = told.pop("sig")
    key = doors.integrations[NAME].options.api_keys[0].reveal()
    assert signature(told, key) == sig
    fields = gyre.fields(box_id=told["box"], player_id=told["player"], balance=told["balance"])
    assert gyre.post("authorize", fields)[1]["balance"] == "50"
    assert gyre.cashback(amount="12.25")[1]["balance"] == "62.25"
    gone = gyre.fields(amount="2.25")
    gyre.post("authorize", gone)
    gyre.cancel(gone)
    assert gyre.post("balance", {"player_id": gyre.player})[1]["balance"] == "62.25"
    moved = [("bet", "50.00"), ("reward", "12.25"), ("bet", "2.25"), ("refund", "2.25")]
    assert gyre.rows() == moved
    assert gyre.balance() == "62.25"
    assert dict(parse_qsl(urlsplit(launch(gyre)).query))["balance"] == "62.25"
    assert cloud.asked == []
