"""The contract's checklist, rows 35 to 43, over HTTP."""

import json
from urllib.parse import urlencode

import pytest

from kit.gyre import NAME, TOKEN, Gyre, bearer, denial, gateway
from seamline.dialects.dialect import Request

ADDRESS = {
    "name": "Ann Camilleri",
    "street": "1 Old Street",
    "city": "Valletta",
    "postal_code": "VLT 1111",
    "phone": "+356 2122 2222",
    "email": "ann@example.com",
}


@pytest.fixture(scope="module")
def doors(shared_place):
    """A gateway in credits, served for the whole file."""
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

    def make(**given):
        made.append(gateway(place, **given))
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


def test_row37_no_address_is_kept_under_a_casinos_own_names(other, capsys):
    """A mapping's names say nothing of an address; all the same none is recorded, anywhere."""
    gyre = other(endpoints={"shipment": {"request": {
        "request_id": {"from": "body:/no"},
        "player_id": {"from": "body:/a"},
        "prize_id": {"from": "body:/b"},
    }}})  # fmt: skip
    to = {f"x{number}": word for number, word in enumerate(ADDRESS.values())}
    body = {"no": "s-1", "a": gyre.player, "b": "202", "c": to, "d": list(to.values())}
    assert gyre.post("shipment", body)[0] == 202
    assert gyre.post("shipment", body, headers=())[0] == 401
    assert gyre.post("shipment", body, path="/elsewhere")[0] == 404
    found = json.dumps([gyre.doors.exchanges(), gyre.doors.transactions(integration=NAME)])
    found += json.dumps(gyre.doors._pages("/v1/alerts", {})) + capsys.readouterr().out
    assert found.count("s-1") >= 3
    for word in ADDRESS.values():
        assert word not in found


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


def test_row41_two_calls_at_one_place(other):
    """Purchases and cashbacks may come in at one path, told apart by a field; as a form too."""
    place = {"path": "/events", "body": "form"}
    gyre = other(
        endpoints={
            "authorize": place | {"only": {"from": "body:/event", "values": ["buy"]}},
            "cashback": place | {"only": {"from": "body:/event", "values": ["back"]}},
        }
    )

    def event(name, fields):
        return gyre.post("events", urlencode({"event": name} | fields).encode())

    assert event("buy", gyre.fields())[1]["debited"] == "50"
    assert event("back", gyre.cashed())[1]["credited"] == "10.5"
    whole = gyre.fields() | gyre.cashed()  # enough for either call
    assert denial(event("dance", whole)) == (404, "UNSUPPORTED_ACTION")
    assert denial(gyre.post("events", b"%zz=\xff")) == (400, "MALFORMED_JSON")
    assert gyre.rows() == [("bet", "50.00"), ("reward", "10.50")]


def test_row41_a_get_with_everything_in_the_query(other):
    """A call may be a GET whose fields are all in query and path."""
    query = {name: {"from": f"query:{name}"} for name in ("request_id", "action", "amount")}
    fields = query | {"player_id": {"from": "path:player"}, "box_id": {"from": "const:58"}}
    gyre = other(
        endpoints={"authorize": {"method": "GET", "path": "/buy/{player}", "request": fields}}
    )
    said = urlencode({"request_id": "g1", "action": "open_box", "amount": "12.50"}).encode()
    ask = Request("GET", f"/buy/{gyre.player}", said, bearer(TOKEN))
    replies = [gyre.doors.send(NAME, ask) for _ in range(2)]
    assert [json.loads(each.body)["balance"] for each in replies] == ["87.5", "87.5"]
    twice = Request("GET", f"/buy/{gyre.player}", said + b"&amount=1", bearer(TOKEN))
    assert gyre.doors.send(NAME, twice).status == 400
    assert gyre.doors.send(NAME, Request("GET", "/buy/", said, bearer(TOKEN))).status == 404
