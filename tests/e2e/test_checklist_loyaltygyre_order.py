"""The contract's checklist, rows 35 to 44 over HTTP, and rows 6 and 11 to 18 with the operator."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from kit.gyre import NAME, TOKEN, Gyre, bearer, denial, gateway
from seamline.dialects.dialect import Reply
from seamline.dialects.loyaltygyre.iframe import signature

OPERATIONS = f"/v1/integrations/{NAME}/operations"
ADDRESS = {
    "name": "Ann Camilleri",
    "street": "1 Old Street",
    "city": "Valletta",
    "postal_code": "VLT 1111",
    "phone": "+356 2122 2222",
    "email": "ann@example.com",
}


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
def doors(tmp_path_factory):
    """A gateway in credits, served for the whole file; its vendor's server is in this process."""
    made = Cloud()

    async def send(_vendors, base_url, request, deadline_s):
        return await made.send(base_url, request, deadline_s)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("seamline.cli.assembly._Vendors.send", send)
        rig = gateway(tmp_path_factory.mktemp("gyre"))
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


@pytest.fixture
def other(tmp_path):
    """Makes the vendor at a gateway with other settings; audited afterwards."""
    made = []

    def make(**given):
        made.append(gateway(tmp_path, **given))
        return Gyre(made[0])

    yield make
    for each in made:
        each.audit()
        each.close()


# Cancel.


def test_row35_a_purchase_is_undone_once(gyre):
    """Cancel gives the credits back; its repeat is the same answer, another id changes nothing."""
    fields = gyre.fields()
    allowed = gyre.post("authorize", fields)[1]
    undo = {
        "request_id": f"x-{gyre.number}-1",
        "player_id": gyre.player,
        "authorize_request_id": fields["request_id"],
        "reason": "the box did not open",
    }
    first = gyre.raw("cancel", undo)
    body = json.loads(first[1])
    assert (first[0], body["decision"], body["balance"]) == (200, "allow", "100")
    assert gyre.raw("cancel", undo) == first
    by_ours = {
        "request_id": f"x-{gyre.number}-2",
        "player_id": gyre.player,
        "authorization_id": allowed["authorization_id"],
    }
    assert gyre.post("cancel", by_ours)[1]["balance"] == "100"
    assert gyre.balance() == "100.00"


def test_row35_what_was_undone_stays_undone(gyre):
    """After its cancellation the purchase is denied when it comes again, and moves nothing."""
    fields = gyre.fields()
    gyre.post("authorize", fields)
    gyre.cancel(fields)
    assert denial(gyre.post("authorize", fields)) == (200, "ALREADY_CANCELLED")
    assert gyre.balance() == "100.00"


def test_row35_a_cancellation_that_comes_first(gyre):
    """Unknown, it is allowed; the late purchase is denied and moves nothing, however often."""
    fields = gyre.fields()
    status, body = gyre.cancel(fields)
    assert (status, body["decision"]) == (200, "allow")
    for _ in range(2):
        assert denial(gyre.post("authorize", fields)) == (200, "ALREADY_CANCELLED")
    assert gyre.balance() == "100.00"
    assert gyre.cancel(fields)[1]["balance"] == "100"


def test_row35_too_late(other):
    """After the window of the settings a cancellation is denied, and nothing comes back."""
    gyre = other(cancel_window_h=24)
    early, late = gyre.fields(amount="10"), gyre.fields(amount="20")
    gyre.post("authorize", early)
    gyre.post("authorize", late)
    gyre.doors.pass_time(hours=23.9)
    assert gyre.cancel(early)[1]["balance"] == "80"
    gyre.doors.pass_time(hours=1.1)
    assert denial(gyre.cancel(late)) == (200, "TOO_LATE")
    assert gyre.balance() == "80.00"


def test_row35_another_players_purchase(gyre, doors):
    """Nobody undoes another player's purchase."""
    fields = gyre.fields()
    gyre.post("authorize", fields)
    stranger = Gyre(doors)
    status, body = stranger.cancel(fields)
    assert body["decision"] == "deny"
    assert (status, gyre.balance(), stranger.balance()) == (200, "50.00", "100.00")


@pytest.mark.parametrize("seed", range(6))
def test_row35_a_cancellation_that_races_its_purchase(gyre, seed):
    """On two connections at once, in whichever order: the player has what there was."""
    fields = gyre.fields()
    undo = {
        "request_id": f"x-{gyre.number}-{seed}",
        "player_id": gyre.player,
        "authorize_request_id": fields["request_id"],
    }
    both = [gyre.request("authorize", fields), gyre.request("cancel", undo)]
    gyre.doors.send_all(NAME, both[::-1] if seed % 2 else both)
    assert gyre.balance() == "100.00"


# Cashback.


def test_row36_a_prize_is_credited_once(gyre):
    """Credited; the same id again gets the same answer and credits nothing."""
    fields = gyre.cashed()
    first = gyre.raw("cashback", fields)
    body = json.loads(first[1])
    assert (body["decision"], body["credited"], body["balance"]) == ("allow", "10.5", "110.5")
    assert gyre.raw("cashback", fields) == first
    assert denial(gyre.post("cashback", fields | {"amount": "11"})) == (409, "DUPLICATE_CONFLICT")
    assert gyre.balance() == "110.50"


@pytest.mark.parametrize(
    ("dedupe", "balance"), [("request_id", "121.00"), ("player_prize", "110.50")]
)
def test_row36_the_same_prize_under_a_new_id(other, dedupe, balance):
    """Paid again where only ids count; denied where a prize is given back once."""
    gyre = other(cashback_dedupe=dedupe)
    gyre.cashback()
    again = gyre.cashback()
    assert gyre.balance() == balance
    if dedupe == "player_prize":
        assert denial(again) == (200, "ALREADY_CASHED_BACK")
        one = gyre.cashback(prize_instance_id="i1")
        assert one[1]["decision"] == gyre.cashback(prize_id="203")[1]["decision"] == "allow"
        assert denial(gyre.cashback(prize_instance_id="i1"))[1] == "ALREADY_CASHED_BACK"


def test_row36_above_the_cap(other):
    """More than `cashback_max` is denied; the cap itself is not."""
    gyre = other(cashback_max="50")
    assert denial(gyre.cashback(amount="50.01")) == (200, "LIMIT_EXCEEDED")
    assert gyre.cashback(amount="50")[1]["balance"] == "150"


def test_row36_another_wallet(gyre):
    """A cashback in a currency of the brand goes to that account; another is 400."""
    answer = gyre.cashback(currency="EUR", amount="5")
    assert (answer[1]["credited"], gyre.doors.balance(gyre.player, "EUR")) == ("5", "5.00")
    assert denial(gyre.cashback(currency="XXX"))[0] == 400
    assert gyre.balance() == "100.00"


# Shipment and balance.


def shipped(gyre, **given):
    """The fields of a shipment notice."""
    plain = {
        "request_id": f"s-{gyre.number}-1",
        "player_id": gyre.player,
        "prize_id": 202,
        "order_id": "o-17",
    }
    return plain | given


def test_row37_a_shipment_is_noted_for_people(gyre):
    """202 and an alert; the repeat is 200 with the same body and no second alert."""
    fields = shipped(gyre, recipient=ADDRESS)
    status, body = gyre.raw("shipment", fields)
    assert status == 202
    told = json.loads(body)
    assert told == {
        "received": True,
        "request_id": fields["request_id"],
        "shipment_id": told["shipment_id"],
        "status": "pending_confirmation",
    }
    assert gyre.raw("shipment", fields) == (200, body)
    assert gyre.alerts() == [("notice", f"shipment/{fields['request_id']}")]
    assert gyre.balance() == "100.00"


def test_row37_no_address_is_kept(gyre, doors, capsys):
    """Neither records, alerts, exchanges nor the log hold a word of the recipient."""
    gyre.post("shipment", shipped(gyre, recipient=ADDRESS))
    gyre.post("shipment", shipped(gyre, recipient=ADDRESS, request_id=""))
    gyre.post("shipment", json.dumps(ADDRESS).encode()[:-1])
    found = json.dumps([doors.exchanges(), doors.transactions(integration=NAME)])
    found += json.dumps(doors._pages("/v1/alerts", {})) + capsys.readouterr().out
    assert f"s-{gyre.number}-1" in found
    for word in ADDRESS.values():
        assert word not in found
    assert "[hidden]" in found


def test_row38_a_shipment_without_address(gyre):
    """The recipient may be left out."""
    assert gyre.post("shipment", shipped(gyre))[0] == 202
    assert denial(gyre.post("shipment", shipped(gyre, player_id="nobody", request_id="s-0"))) == (
        200,
        "PLAYER_NOT_FOUND",
    )


def test_row39_the_balance(gyre):
    """A known player's credits, and `PLAYER_NOT_FOUND` for anybody else."""
    assert gyre.post("balance", {"player_id": gyre.player}) == (
        200,
        {"player_id": gyre.player, "balance": "100", "currency": "CREDITS"},
    )
    assert denial(gyre.post("balance", {"player_id": "nobody"})) == (200, "PLAYER_NOT_FOUND")


# Mapping.


def test_row40_a_mapped_casino_over_http(other):
    """The contract's example: path, nested fields, cents, own bodies, 402 on too little."""
    gyre = other(
        endpoints={
            "authorize": {
                "path": "/lg/{casino}/authorize",
                "request": {
                    "request_id": {"from": "body:/meta/ref", "required": True},
                    "player_id": {"from": "body:/user_id", "type": "text"},
                    "action": {"from": "body:/type", "map": {"box_open": "open_box"}},
                    "box_id": {"from": "body:/item/id", "type": "text"},
                    "amount": {"from": "body:/item/cost", "type": "decimal", "scale": 100},
                    "casino_id": {"from": "header:X-Casino"},
                },
                "response": {
                    "allow": {"body": {"ok": True, "credits": "$balance"}},
                    "deny": {
                        "body": {"ok": False, "code": "$reason_code"},
                        "by_code": {"INSUFFICIENT_BALANCE": {"http": 402}},
                    },
                },
            }
        }
    )

    def open_box(ref, cost, **more):
        body = {"meta": {"ref": ref}, "user_id": gyre.player, "type": "box_open"}
        fields = body | {"item": {"id": 58, "cost": cost}} | more
        return gyre.post("authorize", fields, path="/lg/acme/authorize")

    assert open_box("m1", 1299) == (200, {"ok": True, "credits": "87.01"})
    assert open_box("m1", 1299) == (200, {"ok": True, "credits": "87.01"})
    assert open_box("m2", 999999) == (402, {"ok": False, "code": "INSUFFICIENT_BALANCE"})
    assert open_box("m3", 1, type="steal") == (200, {"ok": False, "code": "UNSUPPORTED_ACTION"})
    assert open_box("m4", 1.5) == (400, {"ok": False, "code": "INVALID_FIELD"})
    assert gyre.post("authorize", gyre.fields())[0] == 404
    assert gyre.balance() == "87.01"


def test_row43_a_players_language(gyre, doors):
    """A German player reads German; a language without texts falls back to English."""
    doors.change(gyre.player, language="de-AT")
    german = gyre.authorize(amount="500")[1]["message"]
    doors.change(gyre.player, language="xx")
    english = gyre.authorize(amount="500")[1]["message"]
    assert english == "You do not have enough credits for this."
    assert german not in (None, english)


# The vendor's API, and all of it together.


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
    assert (f"unknown/open/o-{gyre.number}", "notice") in gyre.doors.alerts()
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
    """The vendor notes it, then the player is credited; the repeat credits nothing."""
    cloud.answers(200, status="success", message="Cashback decision recorded")
    first = operate(gyre, "cashback", "c", prize_id="202", amount="10.5")
    assert (first[0], first[1]["balance"]) == (200, "110.50")
    assert operate(gyre, "cashback", "c", prize_id="202", amount="10.5") == first
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


def test_ids_with_separators_end_to_end(gyre, doors):
    """`|`, `;`, slashes and other letters in ids are ids; a launch with them is refused."""
    odd = f"a|b;c/{gyre.number} Zoë"
    doors.player(odd, "10.00", "CREDITS")
    fields = gyre.fields(player_id=odd, request_id=f"r|;/{gyre.number}", amount="1")
    assert gyre.post("authorize", fields)[1]["balance"] == "9"
    undo = {"request_id": f"u|{gyre.number}", "player_id": odd}
    undo |= {"authorize_request_id": fields["request_id"]}
    assert gyre.post("cancel", undo)[1]["balance"] == "10"
    body = {"integration": NAME, "player": odd, "currency": "CREDITS", "game": "58"}
    status, told = doors.operator("POST", "/v1/sessions", body | {"launch": True})
    assert (status, told["field"]) == (422, "player")


def test_keys_are_never_recorded(gyre, doors):
    """The record of exchanges holds no token."""
    gyre.post("authorize", gyre.fields(), headers=bearer(TOKEN))
    assert TOKEN not in json.dumps(doors.exchanges())
