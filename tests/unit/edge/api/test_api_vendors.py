"""The vendor's own API, as the operator asks it."""

import apsw
import pytest

from kit.world import CURRENCIES, NOON
from seamline.dialects import dialects
from seamline.dialects.dialect import Reply
from seamline.edge.gateway import Connection
from seamline.ledger.rows import Terms
from seamline.ledger.store import StoreUnavailable
from seamline.wallet import Integration, Policy
from unit.edge.api.test_api_door import problem

CAMPAIGN = {
    "integration": "swipe",
    "id": "fr1",
    "currency": "USD",
    "quantity": 10,
    "bet_line": 1,
    "valid_from": "2026-11-18T12:00:00Z",
}
STATE = {"id": "fr1", "vendor_id": "v1", "valid_from_ms": NOON, "games": ["g1"]}
SHOWN = {
    "integration": "swipe",
    "id": "fr1",
    "vendor_id": "v1",
    "currency": None,
    "quantity": None,
    "largest_stake": None,
    "largest_multiple": None,
    "valid_from": "2026-11-18T12:00:00Z",
    "valid_until": None,
    "cancelled_at": None,
    "games": ["g1"],
    "parts": [],
}


def test_games_are_passed_on(rig):
    """The catalogue is the vendor's, with a longer deadline; the filters reach the vendor."""
    rig.vendor.answers(200, [{"id": "g1", "title": "Catch", "rtp": 97}])
    got = rig.get(
        "/v1/games?integration=swipe&bet_lines=false&currency_groups=main,x&currencies=THB"
    )
    assert [each["title"] for each in got.json["items"]] == ["Catch"]
    assert rig.vendor.last == {
        "bet_lines": False,
        "currency_groups": ["main", "x"],
        "currencies": ["THB"],
    }
    assert rig.vendor.asked[0][2] == 30.0
    rig.get("/v1/games?integration=swipe")
    assert rig.vendor.last == {"bet_lines": True, "currency_groups": [], "currencies": []}


@pytest.mark.parametrize("query", ["currencies=a,,b", "currencies=", "currencies=a%20b", "x=1", ""])
def test_a_list_of_codes_reads_in_one_way(rig, query):
    """Empty codes, spaces and unknown parameters are 400, as is no integration."""
    target = f"/v1/games?integration=swipe&{query}" if query else "/v1/games"
    problem(rig.get(target), 400, "malformed")
    assert rig.vendor.asked == []


def test_a_campaign_is_given(rig):
    """Times are ISO 8601 on our side and milliseconds on the vendor's."""
    rig.vendor.answers(200, STATE)
    body = CAMPAIGN | {
        "valid_from": "2026-11-18T13:00:00.001+01:00",
        "valid_until": "2026-11-19T12:00:00Z",
        "games": ["g1"],
        "players": ["p1", "p2"],
    }
    got = rig.post("/v1/campaigns", body)
    assert (got.status, got.json) == (201, SHOWN)
    asked = rig.vendor.last
    assert (asked["valid_from_ms"], asked["valid_until_ms"]) == (NOON + 1, NOON + 86_400_000)
    assert (asked["games"], asked["players"]) == (["g1"], ["p1", "p2"])
    rig.post("/v1/campaigns", CAMPAIGN)
    assert (rig.vendor.last["games"], rig.vendor.last["valid_until_ms"]) == (None, None)


def test_a_campaign_that_cannot_be_noted_is_not_asked_for_again(rig, monkeypatch):
    """The vendor gave it: to call that unavailable would have it given twice."""

    async def away(_work):
        raise StoreUnavailable("no space")

    rig.vendor.answers(200, STATE)
    monkeypatch.setattr(rig.world.gateway.ledger, "run", away)
    told = problem(rig.post("/v1/campaigns", CAMPAIGN), 504, "outcome_unknown")
    assert told["detail"].startswith("the vendor gave it as v1, ")
    assert told["outcome"] == "done"


def grants(folder):
    """What is kept of campaigns: both names, player, game, reward and whether it is over."""
    query = (
        "SELECT g.name, vendor_name, p.name, game, reward, cancelled_ms IS NOT NULL"
        " FROM grants AS g LEFT JOIN players AS p ON p.id = g.player ORDER BY g.id"
    )
    reading = apsw.Connection(str(folder / "seamline.db"), flags=apsw.SQLITE_OPEN_READONLY)
    return reading.execute(query).fetchall()


def test_what_is_given_is_kept(rig, tmp_path):
    """A campaign is kept per player and game, under both ids; a cancelled one is marked."""
    rig.player()
    rig.vendor.answers(200, STATE)
    rig.post("/v1/campaigns", CAMPAIGN | {"players": ["p1", "stranger"], "reward": "5.00"})
    rig.post("/v1/campaigns", CAMPAIGN | {"id": "fr2"})
    assert grants(tmp_path) == [
        ("fr1", "v1", "p1", None, "5.00", 0),
        ("fr2", "v1", None, None, None, 0),
    ]
    rig.delete("/v1/campaigns?integration=swipe&id=fr1")
    assert [each[-1] for each in grants(tmp_path)] == [1, 0]
    rig.delete("/v1/campaigns?integration=swipe&vendor_id=v1")
    assert [each[-1] for each in grants(tmp_path)] == [1, 1]


def test_a_campaign_may_be_given_in_part(rig, tmp_path):
    """Where each player's part has an id of its own, those that were given are kept by it."""
    rig.player()
    parts = [
        {"player": "p1", "game": "g1", "vendor_id": "b1", "problem": None},
        {"player": "p1", "game": "g2", "vendor_id": None, "problem": "NO_SUCH_GAME"},
    ]
    rig.vendor.answers(200, {"id": "fr1", "parts": parts})
    body = CAMPAIGN | {"players": ["p1"], "games": ["g1", "g2"]}
    got = rig.post("/v1/campaigns", body)
    assert (got.status, got.json["vendor_id"], got.json["parts"]) == (201, None, parts)
    assert grants(tmp_path) == [("fr1", "b1", "p1", "g1", None, 0)]


@pytest.mark.parametrize(
    ("members", "status", "field"),
    [
        ({"valid_from": "2026-11-18T12:00:00"}, 400, "valid_from"),
        ({"valid_from": 1}, 400, "valid_from"),
        ({"valid_until": "soon"}, 400, "valid_until"),
        ({"quantity": 0}, 400, "quantity"),
        ({"quantity": 1.5}, 400, "quantity"),
        ({"bet_line": "1"}, 400, "bet_line"),
        ({"games": []}, 400, "games"),
        ({"players": [""]}, 400, "players[0]"),
        ({"id": ""}, 400, "id"),
        ({"currency": "XXX"}, 422, "currency"),
        ({"integration": "nobody"}, 404, "integration"),
        ({"integration": "mute"}, 501, "integration"),
    ],
)
def test_a_campaign_that_makes_no_sense_is_not_sent(rig, members, status, field):
    """Each member has its limits, and the vendor never sees one outside them."""
    got = rig.post("/v1/campaigns", CAMPAIGN | members)
    assert (got.status, got.json["field"]) == (status, field)
    assert rig.vendor.asked == []


@pytest.mark.parametrize("which", ["id=fr1", "vendor_id=v1"])
def test_a_campaign_is_shown_and_cancelled(rig, which):
    """By the operator's id or by the vendor's."""
    rig.vendor.answers(200, STATE)
    got = rig.get(f"/v1/campaigns?integration=swipe&{which}")
    assert (got.status, got.json) == (200, SHOWN)
    name, _, value = which.partition("=")
    assert rig.vendor.last == {"id": None, "vendor_id": None} | {name: value}
    rig.vendor.answers(200)
    assert rig.delete(f"/v1/campaigns?integration=swipe&{which}").status == 204
    assert rig.vendor.asked[-1][1].path == "/gone"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("which", ["", "&id=fr1&vendor_id=v1"])
def test_one_of_the_two_ids_is_needed(rig, method, which):
    """Neither id, or both, is 400."""
    got = rig.call(method, f"/v1/campaigns?integration=swipe{which}")
    assert problem(got, 400, "malformed")["field"] == "id"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1/games?integration=swipe"),
        ("GET", "/v1/campaigns?integration=swipe&id=fr1"),
        ("DELETE", "/v1/campaigns?integration=swipe&id=fr1"),
    ],
)
def test_whatever_goes_wrong_at_the_vendor_has_a_name(rig, method, target):
    """A refusal, a silence and a broken line are told apart."""
    rig.vendor.reply = Reply(404)
    told = problem(rig.call(method, target), 422, "vendor_refused")
    assert (told["vendor_code"], told["vendor_message"]) == ("game_404", "no such game")
    rig.vendor.reply = TimeoutError()
    problem(rig.call(method, target), 504, "vendor_timeout")
    rig.vendor.reply = ConnectionError("no route")
    broken = problem(rig.call(method, target), 502, "vendor_unreachable")["detail"]
    assert "no route" in broken
    assert "may have acted" in broken
    rig.vendor.reply = ConnectionRefusedError("no route")
    never = problem(rig.call(method, target), 502, "vendor_unreachable")["detail"]
    assert "could not be reached" in never


@pytest.mark.parametrize(
    "target",
    [
        "/v1/games?integration=mute",
        "/v1/jackpots?integration=mute",
        "/v1/jackpots?integration=local",
        "/v1/games?integration=local",
        "/v1/campaigns?integration=mute&id=x",
    ],
)
def test_what_a_vendor_does_not_offer_is_said(rig, target):
    """A call that the vendor's protocol does not have is 501, with the vendor's title."""
    assert "Made Up Games" in problem(rig.get(target), 501, "not_offered")["detail"]


def test_jackpots_are_passed_on(rig):
    """The jackpots are the vendor's; an unknown integration is 404."""
    major = {"name": "major", "amount": "1234.50", "currency": "EUR"}
    rig.vendor.answers(200, [major])
    got = rig.get("/v1/jackpots?integration=swipe")
    assert (got.status, got.json) == (200, {"items": [major]})
    problem(rig.get("/v1/jackpots?integration=nobody"), 404, "integration_unknown")


@pytest.mark.parametrize("name", sorted(dialects()))
def test_every_dialect_can_be_asked_to_launch(rig, name):
    """A plain launch passes each dialect's own checks and reaches the vendor at its base URL."""
    found = dialects()[name]
    if found.studio is None or found.studio.launch is None:
        pytest.skip(f"{name} has no launch")
    integration = Integration(name="real", brand="acme", dialect=name, options=found.sandbox())
    terms = Terms(
        integration="real", brand="acme", policy=Policy(), currencies=frozenset(CURRENCIES)
    )
    real = Connection(integration=integration, dialect=found, terms=terms)
    rig.player()
    rig.swap(connections={"real": real})
    rig.vendor.reply = ConnectionError("nobody there")
    problem(rig.session(integration="real", launch=True, language="en"), 502, "vendor_unreachable")
    base_url, request, deadline_s = rig.vendor.asked[0]
    assert base_url == found.studio.base_url(integration)
    # A vendor whose endpoints have nothing in common has whole URLs for paths.
    assert request.path.startswith("/" if base_url else "https://")
    assert deadline_s > 0
