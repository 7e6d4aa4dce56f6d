"""What only one vendor's API has: listed with schemas, asked, repeated where that is harmless."""

import re

import msgspec
import pytest

from kit.world import NOON
from seamline.dialects import dialects
from seamline.dialects.dialect import Reply
from seamline.edge.api.vendors import PAUSES_S
from unit.edge.api.test_api_door import problem

OPERATIONS = "/v1/integrations/swipe/operations"
LOBBY = f"{OPERATIONS}/lobby"
ONCE = f"{OPERATIONS}/once"


def test_operations_are_listed_with_their_schemas(rig):
    """Each has a summary and the JSON Schema of what it asks; a vendor without any has none."""
    items = {each["name"]: each for each in rig.get(OPERATIONS).json["items"]}
    lobby = items["lobby"]
    assert lobby["summary"] == "List the tables"
    assert (lobby["repeatable"], lobby["reserves"], lobby["settles"]) == (True, False, False)
    shape = lobby["ask"]["$defs"]["LobbyAsk"]
    assert shape["description"] == "What a lobby is asked for."
    assert shape["required"] == ["tables"]
    for name in ("mute", "local"):
        assert rig.get(f"/v1/integrations/{name}/operations").json == {"items": []}
    problem(rig.get("/v1/integrations/nobody/operations"), 404, "integration_unknown")


def test_an_operation_is_asked(rig):
    """The body is the operation's own, the answer is passed on whatever it is."""
    rig.vendor.answers(200, ["t1", {"seats": 7}])
    got = rig.post(ONCE, {"tables": 2})
    assert got.status == 200
    assert got.json == {
        "answer": ["t1", {"seats": 7}],
        "reserved": None,
        "settled": None,
        "balance": None,
        "currency": None,
    }
    assert rig.vendor.last == {"tables": 2, "language": "en", "platform": "desktop"}
    assert rig.vendor.asked[0][0] == "https://vendor.example/api"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "tables"),
        ({"tables": "2"}, "tables"),
        ({"tables": 1.5}, "tables"),
        ({"tables": 2, "colour": "red"}, "colour"),
        (b'{"tables":1,"tables":2}', "tables"),
        (b"[]", None),
        (b"{", None),
        (b"", None),
    ],
)
def test_an_ask_that_does_not_fit_is_not_sent(rig, body, field):
    """A member that is missing, unknown, doubled or of another type is 400 and named."""
    told = problem(rig.post(LOBBY, body), 400, "malformed")
    assert told.get("field") == field
    assert rig.vendor.asked == []


def test_an_unknown_operation_is_said(rig):
    """A name that is none of the list is 501, an integration that is none 404."""
    told = problem(rig.post(f"{OPERATIONS}/dance", {}), 501, "not_offered")
    assert told["field"] == "name"
    problem(rig.post("/v1/integrations/mute/operations/lobby", {}), 501, "not_offered")
    problem(rig.post("/v1/integrations/nobody/operations/lobby", {}), 404, "integration_unknown")


def test_what_the_vendor_would_refuse_stays_here(rig):
    """An ask that the dialect knows to be wrong is 422 and names the field."""
    told = problem(rig.post(ONCE, {"tables": 1, "platform": "fridge"}), 422, "vendor_refused")
    assert told["field"] == "platform"
    assert rig.vendor.asked == []


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (Reply(404), 422, "vendor_refused"),
        (Reply(500), 502, "vendor_refused"),
        (TimeoutError("no reply"), 504, "vendor_timeout"),
        (ConnectionError("refused"), 502, "vendor_unreachable"),
    ],
)
def test_a_vendor_in_trouble_is_told(rig, reply, status, code):
    """Refusal, trouble, silence and a broken line each have a code; asked once, unless harmless."""
    rig.vendor.reply = reply
    problem(rig.post(ONCE, {"tables": 1}), status, code)
    assert len(rig.vendor.asked) == 1
    assert rig.world.pauses == []
    problem(rig.post(LOBBY, {"tables": 1}), status, code)
    assert len(rig.vendor.asked) == (2 if reply == Reply(404) else 4)


def test_a_wrong_key_is_logged(rig, capsys):
    """A vendor that refuses our key is 502, and the log names the integration."""
    for status, logged in ((401, True), (403, True), (404, False)):
        rig.vendor.reply = Reply(status)
        rig.post(ONCE, {"tables": 1})
        written = capsys.readouterr().out
        assert ("vendor_refused_key" in written) is logged
        assert ("swipe" in written) is logged


@pytest.mark.parametrize("trouble", [Reply(503), TimeoutError(), ConnectionError()])
def test_what_is_harmless_is_asked_again(rig, trouble):
    """Two more tries, half a second and two seconds later, each composed with the clock of then."""
    rig.vendor.answers(200, ["t1"])
    rig.vendor.first = [trouble, trouble]
    assert rig.post(LOBBY, {"tables": 1}).json["answer"] == ["t1"]
    assert tuple(rig.world.pauses) == PAUSES_S == (0.5, 2.0)
    times = [msgspec.json.decode(request.body)["at_ms"] for _, request, _ in rig.vendor.asked]
    assert times == [NOON, NOON + 500, NOON + 2500]


def extras():
    """Every operation of every dialect, with the dialect's name."""
    found = [(name, dialect.studio) for name, dialect in sorted(dialects().items())]
    return [(name, extra) for name, studio in found if studio for extra in studio.extras]


def test_operations_of_a_dialect_have_names_of_their_own():
    """No two operations of a vendor share a name, and each name fits in a path."""
    names = [(name, extra.name) for name, extra in extras()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z0-9_-]+", each) for _, each in names)


def test_operations_of_a_dialect_know_what_they_are_asked():
    """An ask has a schema, refuses members that it does not know, and has an id with money."""
    for _, extra in extras():
        assert msgspec.json.schema(extra.ask)
        assert extra.ask.__struct_config__.forbid_unknown_fields
        assert extra.summary
        if extra.reserve is not None or extra.settle is not None:
            assert "transaction_id" in extra.ask.__struct_fields__
            assert not extra.operation.repeatable
