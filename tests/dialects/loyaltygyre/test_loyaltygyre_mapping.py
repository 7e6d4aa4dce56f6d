"""Fields from where the casino's own interface has them: rows 40 to 42 of the checklist."""

import json

import msgspec
import pytest

from dialects.loyaltygyre.loyaltygyre_world import (
    CALLS,
    NOW,
    integration,
    read,
    refused,
    request,
    settings,
    told,
    unread,
)
from seamline.dialects.loyaltygyre import routes, which
from seamline.dialects.loyaltygyre.refusals import refuse
from seamline.dialects.loyaltygyre.templates import match
from seamline.money import Amount, Currency, Quantity
from seamline.wallet import Applied, Rejected, Rejection, Verdict

CREDITS = Currency("CREDITS", 2, 5)
#: The example of the contract's section on mapping.
EXAMPLE = {
    "path": "/lg/authorize",
    "request": {
        "request_id": {"from": "body:/meta/ref", "required": True},
        "player_id": {"from": "body:/user_id", "type": "text"},
        "action": {
            "from": "body:/type",
            "map": {"box_open": "open_box", "buy": "purchase"},
            "default": "open_box",
        },
        "box_id": {"from": "body:/item/id", "type": "text"},
        "amount": {"from": "body:/item/cost", "type": "decimal", "scale": 100},
    },
    "response": {
        "allow": {
            "http": 200,
            "body": {"ok": True, "credits": "$balance", "ref": "$authorization_id"},
        },
        "deny": {
            "http": 200,
            "body": {"ok": False, "code": "$reason_code", "text": "$message"},
            "by_code": {"INSUFFICIENT_BALANCE": {"http": 402}},
        },
    },
}
BODY = {"meta": {"ref": "r1"}, "user_id": 77, "type": "buy", "item": {"id": 58, "cost": 1299}}


def mapped(**changes):
    """An integration with the example, some of its parts changed."""
    return integration(endpoints={"authorize": EXAMPLE | changes})


def applied(command, balance="87.01", moved="12.99"):
    """What was done for it."""
    return Applied(
        balance=Amount.parse(balance, CREDITS),
        player=command.player,
        transaction="txn_1",
        moved=Amount.parse(moved, CREDITS),
    )


def test_row40_the_example_is_read():
    """Names, nested places, words and cents become the canonical command."""
    command = read("authorize", BODY, mapped())
    assert (command.key, command.player, command.feature) == ("authorize/r1", "77", "purchase")
    assert (command.game, str(command.amount)) == ("58", "12.99")
    left_out = read("authorize", {**BODY, "type": None}, mapped())
    assert left_out.feature == "open_box"


def test_row40_the_example_is_answered():
    """Allow and deny have the casino's bodies, and a reason code a status of its own."""
    using = mapped()
    command = read("authorize", BODY, using)
    write, judge = CALLS["authorize"].write, CALLS["authorize"].judge
    allowed = write((command,), (applied(command),), using)
    assert told(allowed) == (200, {"ok": True, "credits": "87.01", "ref": "au_cjE"})
    assert judge(allowed, using).verdict is Verdict.DONE
    assert judge(allowed, using).balance == Quantity(8701, 2)
    for why, status, code in (
        (Rejection.FUNDS, 402, "INSUFFICIENT_BALANCE"),
        (Rejection.PLAYER_BLOCKED, 200, "PLAYER_BANNED"),
    ):
        denied = write((command,), (Rejected(why=why),), using)
        status_, body = told(denied)
        assert (status_, body["ok"], body["code"]) == (status, False, code)
        assert set(body) == {"ok", "code", "text"}
        assert judge(denied, using).verdict is Verdict.REFUSED
        assert judge(denied, using).code == code


def test_row40_what_is_composed_reads_back():
    """The vendor's end puts everything where the settings read it, in cents and in their words."""
    using = mapped()
    command = read("authorize", BODY, using)
    sent = CALLS["authorize"].compose((command,), using, NOW)
    assert sent.path == "/lg/authorize"
    body = json.loads(sent.body)
    assert body == {**BODY, "user_id": "77", "item": {"id": "58", "cost": 1299}}
    assert CALLS["authorize"].read(sent, using) == (command,)


def test_row41_header_query_path_and_constant():
    """Each kind of source is read; of several the first that is there."""
    fields = {
        "request_id": {"from": ["query:ref", "header:X-Ref"]},
        "player_id": {"from": "path:player"},
        "action": {"from": "const:open_box"},
        "box_id": {"from": "query:box"},
        "amount": {"from": "header:X-Cost", "scale": 100},
    }
    using = mapped(path="/players/{player}/open", request=fields)
    given = {"path": "/players/p-1/open", "query": b"box=a%2Fb&ref=r-7"}
    headers = ((b"x-cost", b"1050"),)
    command = read("authorize", b"{}", using, headers=headers, **given)
    assert (command.key, command.player, command.game) == ("authorize/r-7", "p-1", "a/b")
    assert str(command.amount) == "10.5"
    by_header = {"path": "/players/p-1/open", "query": b"box=1"}
    other = read("authorize", b"{}", using, headers=(*headers, (b"x-ref", b"r-8")), **by_header)
    assert other.key == "authorize/r-8"
    sent = CALLS["authorize"].compose((command,), using, NOW)
    assert (sent.path, sent.query) == ("/players/p-1/open", b"ref=r-7&box=a%2Fb")
    assert CALLS["authorize"].read(sent, using) == (command,)


def test_row41_a_form():
    """A form-urlencoded body is read by its fields' names; one that comes twice is refused."""
    using = integration(endpoints={"authorize": {"body": "form"}})
    raw = b"request_id=r1&action=open_box&player_id=77&box_id=58&amount=12.50"
    command = read("authorize", raw, using)
    assert (command.player, str(command.amount)) == ("77", "12.50")
    sent = CALLS["authorize"].compose((command,), using, NOW)
    assert dict(sent.headers)[b"content-type"] == b"application/x-www-form-urlencoded"
    assert CALLS["authorize"].read(sent, using) == (command,)
    for bad in (raw + b"&amount=1", raw + b"&x=%zz%ff", b"\xff"):
        assert unread("authorize", bad, using).field == "body"


@pytest.mark.parametrize(
    ("cost", "amount"),
    [(1, "0.01"), (0, "0"), ("1299", "12.99"), (100, "1"), (2**53 + 1, "90071992547409.93")],
)
def test_row41_cents_are_exact(cost, amount):
    """A whole number is divided without any rounding."""
    found = read("authorize", BODY | {"item": {"id": 58, "cost": cost}}, mapped())
    assert str(found.amount) == amount


@pytest.mark.parametrize("cost", [1.5, "1.5", -1, True, "x", 1e3, [], {}])
def test_row41_what_is_no_whole_number_of_cents_is_refused(cost):
    """A fraction of a cent, a sign or a truth value is 400 and named."""
    why = unread("authorize", BODY | {"item": {"id": 58, "cost": cost}}, mapped())
    assert (why.why, why.field) == (Rejection.MALFORMED, "amount")


def test_amounts_may_be_told_in_cents():
    """With a scale the reply's amounts are whole numbers, and read back as what they were."""
    response = {
        "scale": 100,
        "allow": {"body": {"left": "$balance", "text": "$balance left, $retryable"}},
        "deny": {"body": {"no": "$reason_code"}},
    }
    using = mapped(response=response)
    command = read("authorize", BODY, using)
    reply = CALLS["authorize"].write((command,), (applied(command, "87.01"),), using)
    assert told(reply)[1] == {"left": 8701, "text": "8701 left, false"}
    assert CALLS["authorize"].judge(reply, using).balance == Quantity(8701, 2)
    coarse = mapped(response=response | {"scale": 10})
    reply = CALLS["authorize"].write((command,), (applied(command, "87.09"),), coarse)
    assert told(reply)[1]["left"] == 870


def test_calls_may_share_a_place():
    """A field tells two calls apart that come in at one place; another value is none of them."""
    place = {"path": "/events", "method": "POST"}
    using = integration(
        endpoints={
            "authorize": place | {"only": {"from": "body:/event", "values": ["buy", "open"]}},
            "cashback": place | {"only": {"from": "body:/event", "values": ["back"]}},
        }
    )
    for event, call in (("buy", "authorize"), ("open", "authorize"), ("back", "cashback")):
        assert which(request("events", {"event": event}), using) == call
    for event in ("dance", "Buy", None):
        why = refused(which, request("events", {"event": event}), using)
        assert why.why is Rejection.CALL_UNKNOWN
        status, body = told(refuse(why, None, using))
        assert (status, body["reason_code"]) == (404, "UNSUPPORTED_ACTION")
    assert which(request("cancel", {}), using) == "cancel"
    chosen = routes(using.options)
    assert chosen["authorize"] == chosen["cashback"] == ("POST", "/events")


FIELDS = EXAMPLE["request"]
BROKEN = [
    ({"endpoints": {"buy": {}}}, "endpoints.buy"),
    ({"endpoints": {"authorize": {"path": "authorize"}}}, "endpoints.authorize.path"),
    ({"endpoints": {"authorize": {"path": "/a b"}}}, "endpoints.authorize.path"),
    ({"endpoints": {"authorize": {"method": "GET"}}}, "endpoints.authorize.request"),
    ({"endpoints": {"authorize": {"path": "/cancel"}}}, "endpoints.cancel.path"),
    ({"endpoints": {"authorize": {"request": {}}}}, "endpoints.authorize.request.action"),
    ({"request": FIELDS | {"playr_id": {"from": "body:/x"}}}, "request.playr_id"),
    ({"request": FIELDS | {"player_id": {"from": "body:user"}}}, "request.player_id.from"),
    ({"request": FIELDS | {"player_id": {"from": "body:"}}}, "request.player_id.from"),
    ({"request": FIELDS | {"player_id": {"from": "body:/a~2"}}}, "request.player_id.from"),
    ({"request": FIELDS | {"player_id": {"from": "path:player"}}}, "request.player_id.from"),
    ({"request": FIELDS | {"player_id": {"from": "cookie:player"}}}, "request.player_id.from"),
    ({"request": FIELDS | {"player_id": {"from": "query:"}}}, "request.player_id.from"),
    ({"request": FIELDS | {"player_id": {"from": "header:X Y"}}}, "request.player_id.from"),
    ({"request": FIELDS | {"player_id": {"from": []}}}, "request.player_id.from"),
    ({"request": FIELDS | {"amount": {"from": "body:/x", "scale": 7}}}, "request.amount.scale"),
    ({"request": FIELDS | {"amount": {"from": "body:/x", "type": "text"}}}, "request.amount.type"),
    ({"request": FIELDS | {"box_id": {"from": "body:/x", "type": "bool"}}}, "request.box_id.type"),
    (
        {"request": FIELDS | {"occurred_at": {"from": "body:/x", "type": "text"}}},
        "request.occurred_at.type",
    ),
    ({"response": {"allow": {"body": {"x": "$credits"}}}}, "response.allow.body.x"),
    ({"response": {"allow": {"body": {"x": ["$no"]}}}}, "response.allow.body.x[0]"),
    ({"response": {"deny": {"body": {"x": 1.5}}}}, "response.deny.body.x"),
    (
        {"response": {"deny": {"by_code": {"TOO_LATE": {"body": {"x": "$why"}}}}}},
        "response.deny.by_code.TOO_LATE.body.x",
    ),
    (
        {"response": {"allow": {"body": {"ok": 1}}, "deny": {"body": {"ok": 1}}}},
        "endpoints.authorize.response",
    ),
    ({"response": {"scale": 3}}, "response.scale"),
    # What could be read, and could never work.
    ({"endpoints": {"authorize": {"path": "/{a}/{a}"}}}, "endpoints.authorize.path"),
    ({"method": "GET", "request": FIELDS}, "request.request_id.from"),
    ({"body": "form", "request": FIELDS}, "request.request_id.from"),
    ({"request": FIELDS | {"box_id": {"from": "body:/x", "scale": 100}}}, "request.box_id.scale"),
    ({"request": FIELDS | {"action": {"from": "const:fly"}}}, "request.action"),
    (
        {"request": FIELDS | {"action": {"from": "body:/x", "default": "fly"}}},
        "request.action.default",
    ),
    ({"request": FIELDS | {"action": {"from": "body:/x", "map": {"x": "fly"}}}}, "request.action"),
    (
        {"request": FIELDS | {"amount": {"from": "body:/x", "default": "much"}}},
        "request.amount.default",
    ),
    ({"response": {"deny": {"by_code": {"TO_LATE": {"http": 402}}}}}, "by_code.TO_LATE"),
    ({"response": {"deny": {"by_code": {"OK": {"http": 402}}}}}, "by_code.OK"),
    (
        {
            "response": {
                "allow": {"body": {"ok": 1}},
                "deny": {"body": {"ok": 0}, "by_code": {"TOO_LATE": {"body": {"ok": 1}}}},
            }
        },
        "response.deny.by_code.TOO_LATE",
    ),
    (
        {"endpoints": {"cashback": {"path": "/e/{a}"}, "shipment": {"path": "/e/{b}"}}},
        "endpoints.shipment.path",
    ),
]


@pytest.mark.parametrize(("broken", "key"), BROKEN, ids=[key for _, key in BROKEN])
def test_row42_a_broken_mapping_stops_the_start(broken, key):
    """What leads nowhere is named by its key, with what was expected."""
    given = broken if "endpoints" in broken else {"endpoints": {"authorize": EXAMPLE | broken}}
    with pytest.raises(ValueError, match=r"expected") as caught:
        settings(**given)
    assert key in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"endpoints": {"authorize": {"respons": {}}}},
        {"endpoints": {"authorize": {"request": {"box_id": {"form": "body:/x"}}}}},
        {"endpoints": {"authorize": {"response": {"allow": {"https": 200}}}}},
        {"endpoints": {"authorize": {"response": {"allow": {"http": 99}}}}},
        {"settlement": "check"},
    ],
)
def test_row42_unknown_keys_are_mistakes(given):
    """A key that nobody knows stops the start."""
    with pytest.raises(msgspec.ValidationError):
        settings(**given)


def test_row42_each_call_needs_its_fields():
    """Leaving out a needed field's source is a mistake for each call; optional ones may go."""
    for call in CALLS:
        with pytest.raises(ValueError, match=f"endpoints.{call}.request"):
            settings(endpoints={call: {"request": {}}})
    only = {"request_id": {"from": "body:/r"}, "player_id": {"from": "body:/p"}}
    with pytest.raises(ValueError, match="authorize_request_id or authorization_id"):
        settings(endpoints={"cancel": {"request": only}})
    settings(endpoints={"cancel": {"request": only | {"authorization_id": {"from": "body:/a"}}}})
    bare = {name: each for name, each in FIELDS.items() if name != "request_id"}
    settings(missing_id="window", endpoints={"authorize": EXAMPLE | {"request": bare}})


def test_times_are_read_in_three_ways():
    """ISO 8601 with a zone, seconds and milliseconds; anything else is 400."""
    for kind, good, bad in (
        ("iso_time", "2026-11-18T12:00:00Z", "2026-11-18T12:00:00"),
        ("epoch_s", NOW // 1000, "1e9"),
        ("epoch_ms", str(NOW), 10**16),
    ):
        fields = FIELDS | {"occurred_at": {"from": "body:/when", "type": kind}}
        using = mapped(request=fields)
        assert read("authorize", BODY | {"when": good}, using)
        assert unread("authorize", BODY | {"when": bad}, using).field == "occurred_at"


def test_a_word_that_is_not_mapped():
    """An unknown action is decided as that; an unknown word of another field is 400."""
    assert read("authorize", BODY | {"type": "steal"}, mapped()).objection is Rejection.CALL_UNKNOWN
    fields = FIELDS | {"box_id": {"from": "body:/item/id", "map": {"gold": "58"}}}
    using = mapped(request=fields)
    assert unread("authorize", BODY, using).field == "box_id"
    gold = BODY | {"item": {"id": "gold", "cost": 1}}
    assert read("authorize", gold, using).game == "58"


def test_longest_texts_are_bounded():
    """`max_len` bounds a text; the usual bound is 128 characters."""
    fields = FIELDS | {"player_id": {"from": "body:/user_id", "max_len": 3}}
    assert unread("authorize", BODY | {"user_id": "1234"}, mapped(request=fields)).field == (
        "player_id"
    )
    assert unread("authorize", BODY | {"user_id": "x" * 129}, mapped()).field == "player_id"


def test_a_template_matches_only_its_own():
    """A reply is read by a template where all that is fixed is equal, types included."""
    template = {"ok": True, "list": [1, "$balance"], "text": "a $message"}
    good = {"ok": True, "list": [1, "5"], "text": "a b", "more": 1}
    assert match(template, good, 0) == {"balance": "5"}
    for bad in ({}, [], good | {"ok": 1}, good | {"list": [1]}, good | {"list": "x"}, None):
        assert match(template, bad, 0) is None
    assert match({"x": "$balance"}, {"x": "1e3"}, 0) == {"balance": None}
    assert match({"x": "$balance"}, {"x": -5}, 2) == {"balance": None}


def test_a_compiled_mapping_is_kept():
    """The settings are compiled once, not for each call."""
    options = settings()
    assert options.plans is options.plans
    assert refused(lambda: read("authorize", b"[]", integration())).field == "body"
