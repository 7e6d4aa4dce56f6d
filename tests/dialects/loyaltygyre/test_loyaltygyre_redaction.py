"""What may be recorded: nothing of who gets a prize sent, and where."""

import json

import pytest
from loyaltygyre_world import CALLS, integration

from seamline.dialects.dialect import Reply, Request
from seamline.dialects.loyaltygyre import DIALECT
from seamline.dialects.loyaltygyre.redaction import HIDDEN, by_name

ADDRESS = {
    "request_id": "s1",
    "prize_id": 202,
    "recipient": {"name": "Ann", "street": "1 Old Street"},
    "Shipping-Address": ["Valletta"],
    "order": {"phone_number": 99, "items": [{"e-mail": "ann@example.com", "kept": 1}]},
}
#: A casino's own words for a shipment: nothing in them looks like an address.
MAPPED = {
    "shipment": {
        "path": "/go/{who}/{where}",
        "request": {
            "request_id": {"from": "header:X-Ref"},
            "player_id": {"from": "path:who"},
            "prize_id": {"from": "body:/thing/no"},
            "order_id": {"from": ["query:order", "body:/thing/order"]},
        },
    }
}
PERSONAL = ("Ann", "Old Street", "Valletta")


def recorded(request, call="shipment", using=None, reply=None):
    """The request as it is recorded."""
    shown, _ = DIALECT.redact(request, reply or Reply(200), call, using or integration())
    return shown


def body_of(body, call="shipment", using=None):
    """A body as it is recorded, decoded."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return recorded(Request("POST", "/x", body=raw), call, using).body


def test_row37_of_a_shipment_only_what_is_read_is_recorded():
    """The usual fields are shown; whatever else comes is hidden, under any name, at any depth."""
    odd = {"request_id": "s1", "player_id": 7, "prize_id": "202", "a": "Ann", "b": {"c": ["Malta"]},
           "order_id": {"d": "Old Street"}}  # fmt: skip
    assert json.loads(body_of(odd)) == {
        "request_id": "s1",
        "player_id": 7,
        "prize_id": "202",
        "a": HIDDEN,
        "b": {"c": HIDDEN},
        "order_id": {"d": HIDDEN},
    }


def test_row37_what_is_read_is_what_the_settings_say():
    """With a mapping its places are shown, of body, query, path and headers, and no others."""
    using = integration(endpoints=MAPPED)
    thing = {"no": 202, "order": "o1", "for": "Ann"}
    request = Request(
        "POST",
        "/go/p1/Valletta",
        b"order=o1&x=Old+Street",
        ((b"x-ref", b"s1"), (b"x-note", b"Old Street"), (b"content-type", b"application/json")),
        json.dumps({"thing": thing, "prize_id": "Ann", "y": ["Ann"]}).encode(),
    )
    assert CALLS["shipment"].read(request, using)[0].reference == "202/o1"
    shown = recorded(request, using=using)
    assert (shown.path, shown.query) == (f"/go/p1/{HIDDEN}", b"order=o1&x=%5Bhidden%5D")
    assert shown.headers == [
        (b"x-ref", b"s1"),
        (b"x-note", HIDDEN.encode()),
        (b"content-type", b"application/json"),
    ]
    hidden = {"no": 202, "order": "o1", "for": HIDDEN}
    assert json.loads(shown.body) == {"thing": hidden, "prize_id": HIDDEN, "y": HIDDEN}


def test_row37_a_mapped_form_is_recorded_as_far_as_it_is_read():
    """The fields of a form that the mapping reads are shown, all others are hidden."""
    fields = {
        name: {"from": f"body:/{name[:1]}"} for name in ("request_id", "player_id", "order_id")
    }
    fields["prize_id"] = {"from": "body:/z"}
    using = integration(endpoints={"shipment": {"body": "form", "request": fields}})
    assert body_of(b"r=s1&p=p1&z=202&s=1+Old+Street", using=using) == (
        b"r=s1&p=p1&z=202&s=%5Bhidden%5D"
    )


@pytest.mark.parametrize("raw", [b'{"a":"Ann"', b"\xffAnn", b"Ann", b'["Ann"]', b'"Ann"'])
def test_row37_a_shipment_that_cannot_be_read_is_hidden(raw):
    """Of a body that is no object and no form nothing is shown."""
    assert b"Ann" not in body_of(raw)
    assert body_of(b"") == b""


@pytest.mark.parametrize("call", ["authorize", "shipment", None])
@pytest.mark.parametrize("depth", [10, 300, 600, 900, 100_000])
def test_row37_however_deep_a_body_is_nothing_of_it_is_recorded(call, depth):
    """What nobody can walk through is hidden whole, and fails nothing."""
    raw = b'{"a":' * depth + b'{"name":"Ann"}' + b"}" * depth
    assert b"Ann" not in body_of(raw, call=call)


def test_row37_a_request_that_is_no_call_may_be_a_shipment():
    """Where no call was found only fields that some call reads are shown."""
    shown = json.loads(body_of({"amount": "5", "prize_id": 1, "x": "Ann"}, call=None))
    assert shown == {"amount": "5", "prize_id": 1, "x": HIDDEN}
    request = Request("POST", "/shipmnet", b"x=Ann", ((b"x-note", b"Ann"),))
    lost = recorded(request, call=None)
    assert (lost.path, lost.query) == ("/shipmnet", b"x=%5Bhidden%5D")
    assert lost.headers == [(b"x-note", HIDDEN.encode())]


def test_row37_what_tells_two_calls_apart_is_recorded():
    """The field that says which call it is is one that is read."""
    parts = {"path": "/lg", "only": {"from": "body:/event", "values": ["ship"]}}
    using = integration(endpoints={
        "shipment": parts, "balance": parts | {"only": {"from": "body:/event", "values": ["look"]}}
    })  # fmt: skip
    for call in ("shipment", None):
        assert json.loads(body_of({"event": "ship", "to": "Ann"}, call, using)) == {
            "event": "ship",
            "to": HIDDEN,
        }


# Elsewhere by names.


def test_row37_no_address_is_recorded_elsewhere():
    """In other calls, queries and replies values under personal names are hidden."""
    raw = json.dumps(ADDRESS).encode()
    request = Request("POST", "/authorize", b"street=1+Old+Street&x=1", body=raw)
    shown, reply = DIALECT.redact(request, Reply(200, raw), "authorize", integration())
    for text in (shown.body, reply.body, shown.query):
        assert not any(word.encode() in text for word in PERSONAL)
    assert b"x=1" in shown.query
    assert json.loads(reply.body)["request_id"] == "s1"


def test_a_purchase_is_recorded_as_it_came():
    """What holds nothing personal is shown byte for byte, headers and all."""
    request = Request("POST", "/authorize", b"a=1", ((b"x-note", b"n"),), b'{"amount": "50"}')
    assert recorded(request, "authorize") == request


def test_row37_values_under_personal_names_are_hidden():
    """At any depth and in any spelling; the rest stays."""
    text = by_name(json.dumps(ADDRESS).encode()).decode()
    for word in (*PERSONAL, "99", "ann@example.com"):
        assert word not in text
    kept = json.loads(text)
    assert (kept["request_id"], kept["prize_id"], kept["order"]["items"][0]["kept"]) == (
        "s1",
        202,
        1,
    )
    assert kept["recipient"] == HIDDEN


@pytest.mark.parametrize("name", ["e-mail", "Post Code", "tel", "addr", "line1", "address_line_2"])
def test_row37_one_name_alone_is_enough(name):
    """A personal name is found where no other one is in the body, however it is parted."""
    body = {"request_id": "s1", "more": {name: "Ann of Old"}}
    assert json.loads(by_name(json.dumps(body).encode())) == {
        "request_id": "s1",
        "more": {name: HIDDEN},
    }


def test_row37_an_address_in_a_form_or_in_disguise_is_not_recorded():
    """Forms, escaped names, and bodies that cannot be read show nothing either."""
    form = by_name(b"request_id=s1&recipient%5Bstreet%5D=1+Old+Street&city=Valletta")
    assert b"Old" not in form
    assert b"Valletta" not in form
    assert b"s1" in form
    assert b"Ann" not in by_name(b'{"\\u006eame":"Ann"}')
    assert by_name(b'{"name":"Ann"') == HIDDEN.encode()
    assert by_name(b"\xffstreet") == HIDDEN.encode()
    plain = b'{"request_id":"r1","amount":"50"}'
    assert by_name(plain) == plain
