"""Sessions, and the launch at the vendor."""

import re

import msgspec
import pytest

from kit.command import bet
from seamline.dialects.dialect import Reply
from seamline.wallet import Rejection
from unit.edge.api.operator_rig import HOUR_MS
from unit.edge.api.test_api_door import problem

S1 = "/v1/sessions/swipe/s1"


def test_a_session_is_opened(rig):
    """Without a launch the vendor is not asked, and there is no URL."""
    rig.player()
    got = rig.session()
    assert got.status == 201
    assert got.json == {"session_id": "s1", "player": "p1", "currency": "USD", "game_url": None}
    assert rig.vendor.asked == []
    assert rig.get(S1).json == {
        "integration": "swipe",
        "brand": "acme",
        "session_id": "s1",
        "player": "p1",
        "currency": "USD",
        "balance": "100.00",
        "game": "g1",
        "opened_ms": rig.world.now_ms,
        "expires_ms": rig.world.now_ms + 4 * HOUR_MS,
        "closed_ms": None,
    }


def test_a_session_id_is_made_when_none_is_given(rig):
    """A minted id is 32 hexadecimal digits, another one each time."""
    rig.player()
    names = {rig.session(session_id=None).json["session_id"] for _ in range(2)}
    assert len(names) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)


def test_the_same_session_again_is_the_same(funded):
    """Equal facts answer 200, other facts 409, and nothing is opened twice."""
    assert funded.session().status == 200
    for changed in ({"game": "g2"}, {"currency": "EUR"}):
        problem(funded.session(**changed), 409, "session_changed")
    funded.player("p2")
    problem(funded.session(player="p2"), 409, "session_changed")


@pytest.mark.parametrize("end", ["closed", "expired"])
def test_a_session_that_is_over_is_not_opened_again(funded, end):
    """The same id again after the end is 409: no game could be played on it."""
    if end == "closed":
        funded.delete(S1)
    else:
        funded.world.now_ms += 4 * HOUR_MS
    problem(funded.session(launch=True), 409, "session_over")
    assert funded.vendor.asked == []


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"integration": "nobody"}, 404, "integration_unknown"),
        ({"player": "nobody"}, 404, "player_unknown"),
        ({"currency": "XXX"}, 422, "currency_unknown"),
        ({"session_id": "x" * 256}, 400, "malformed"),
        ({"session_id": ""}, 400, "malformed"),
        ({"game": ""}, 400, "malformed"),
        ({"launch": "yes"}, 400, "malformed"),
        ({"return_url": "javascript:alert(1)"}, 400, "malformed"),
        ({"integration": "mute", "launch": True}, 501, "not_offered"),
        ({"demo": True}, 400, "malformed"),
        ({"demo": True, "launch": True}, 400, "malformed"),
    ],
)
def test_a_session_needs_facts_that_fit(rig, members, status, code):
    """What is unknown is 404, what the brand lacks 422, what is unreadable 400."""
    rig.player()
    problem(rig.session(**members), status, code)
    assert rig.vendor.asked == []


def test_closing_stops_bets(funded):
    """A closed session takes no bets; closing twice is no mistake; an unknown one is 404."""
    assert funded.delete(S1).status == 204
    assert funded.delete(S1).status == 204
    assert funded.get(S1).json["closed_ms"] == funded.world.now_ms
    assert funded.apply(bet("b1"))[0].why is Rejection.SESSION_CLOSED
    problem(funded.delete("/v1/sessions/swipe/s9"), 404, "session_unknown")
    problem(funded.get("/v1/sessions/swipe/s9"), 404, "session_unknown")
    problem(funded.delete("/v1/sessions/nobody/s1"), 404, "integration_unknown")
    problem(funded.get("/v1/sessions/nobody/s1"), 404, "integration_unknown")


# Launch.


def test_a_launch_asks_the_vendor(rig):
    """The vendor gets session, player, country and language, and its URL is passed on."""
    player = {"brand": "acme", "id": "p1", "country": "MT", "language": "mt"}
    rig.post("/v1/players", player)
    wanted = {
        "launch": True,
        "platform": "mobile",
        "nickname": "Lucky",
        "fallback_language": True,
        "first_name": "Ann",
        "last_name": "Camilleri",
        "return_url": "https://casino.example/lobby",
        "deposit_url": "https://casino.example/cashier",
    }
    got = rig.session(**wanted)
    assert (got.status, got.json["game_url"]) == (201, "https://vendor.example/play")
    base_url, request, deadline_s = rig.vendor.asked[0]
    assert (base_url, request.path, deadline_s) == ("https://vendor.example/api", "/launch", 10.0)
    assert rig.vendor.last == {
        "game": "g1",
        "currency": "USD",
        "session": "s1",
        "player": "p1",
        "country": "MT",
        "first_name": "Ann",
        "last_name": "Camilleri",
        "nickname": "Lucky",
        "fallback_language": True,
        "language": "mt",
        "platform": "mobile",
        "demo": False,
        "return_url": "https://casino.example/lobby",
        "deposit_url": "https://casino.example/cashier",
        "demo_balance": None,
        "balance": "0.00",
    }
    assert rig.session(**wanted | {"language": "en"}).status == 200
    assert rig.vendor.last["language"] == "en"


def test_the_session_is_there_before_the_vendor_is_asked(rig):
    """A vendor that calls back while it is being asked finds the session, durably."""
    rig.player()
    seen = []

    async def call_back():
        seen.append(await rig.world.ledger.apply(bet("b1", "1.00")))

    rig.vendor.meanwhile = call_back
    rig.session(launch=True)
    assert str(seen[0].balance) == "99.00"


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (Reply(404), 422, "vendor_refused"),
        (Reply(400), 422, "vendor_refused"),
        (Reply(401), 502, "vendor_refused"),
        (Reply(500), 502, "vendor_refused"),
        (TimeoutError("no reply"), 504, "vendor_timeout"),
        (ConnectionError("refused"), 502, "vendor_unreachable"),
        (ConnectionResetError("reset"), 502, "vendor_unreachable"),
    ],
)
def test_a_launch_that_fails_says_how(rig, reply, status, code):
    """A refusal carries the vendor's own words; the session that was opened is named."""
    rig.player()
    rig.vendor.reply = reply
    told = problem(rig.session(launch=True), status, code)
    assert told["session_id"] == "s1"
    assert "Made Up Games" in told["detail"]
    if code == "vendor_refused":
        said = (told["vendor_status"], told["vendor_code"], told["vendor_message"])
        assert said == (reply.status, "game_404", "no such game")
    rig.vendor.answers(200, {"game_url": "https://vendor.example/play"})
    assert rig.session(launch=True).status == 200


def test_what_the_vendor_would_refuse_is_not_sent(rig):
    """An ask that the dialect knows to be wrong is 422 and names the field."""
    rig.player()
    told = problem(rig.session(launch=True, platform="fridge"), 422, "vendor_refused")
    assert told["field"] == "platform"
    assert rig.vendor.asked == []


@pytest.mark.parametrize("status", ["blocked", "self_excluded", "closed"])
def test_who_may_not_play_gets_no_game(rig, status):
    """A launch for a barred player is 409; neither session nor vendor is touched."""
    rig.player()
    rig.patch("/v1/players/acme/p1", {"status": status})
    problem(rig.session(launch=True), 409, f"player_{status}")
    problem(rig.get(S1), 404, "session_unknown")
    assert rig.vendor.asked == []


def test_a_demo_has_no_session(rig):
    """Demo play opens nothing, so that what the vendor may send cannot touch real money."""
    rig.player()
    got = rig.session(session_id=None, launch=True, demo=True)
    assert (got.status, got.json["session_id"]) == (201, None)
    assert (rig.vendor.last["session"], rig.vendor.last["demo"]) == (None, True)
    problem(
        rig.session(session_id=None, launch=True, demo=True, player="p9"), 404, "player_unknown"
    )


def test_an_unreadable_answer_of_a_dialect_is_a_fault(rig, capsys):
    """A dialect that fails is a fault of ours: 500, and the session stays."""
    rig.player()
    rig.vendor.reply = Reply(200, msgspec.json.encode({"url": "x"}))
    problem(rig.session(launch=True), 500, "fault")
    assert "TypeError" in capsys.readouterr().out
    assert rig.get(S1).status == 200


# URLs that are built here.


def local(rig, **members):
    """Launch at the vendor whose URLs are built here; each launch has a session of its own."""
    return rig.session(integration="local", session_id=None, launch=True, **members)


def test_a_url_may_be_built_here(rig):
    """The vendor is not asked; the URL holds the account's balance and the gateway's time."""
    rig.player()
    got = local(rig)
    second = rig.world.now_ms // 1000
    assert got.status == 201
    assert got.json["session_id"]
    assert got.json["game_url"] == (
        f"https://vendor.example/api/play?game=g1&player=p1&balance=100.00&at={second}"
    )
    assert rig.vendor.asked == []


def test_no_url_is_given_twice(rig):
    """Equal launches within a second get the next seconds, two at most, then none."""
    rig.player()
    second = rig.world.now_ms // 1000
    given = [local(rig).json["game_url"].rpartition("at=")[2] for _ in range(3)]
    assert given == [str(second), str(second + 1), str(second + 2)]
    told = problem(local(rig), 429, "too_often")
    assert "within a second" in told["detail"]
    assert local(rig, game="g2").json["game_url"].endswith(f"at={second}")
    rig.world.now_ms += 1000
    assert local(rig).json["game_url"].endswith(f"at={second + 3}")


def test_given_urls_are_forgotten(rig):
    """The memory of URLs lasts for seconds, not for ever."""
    rig.player()
    for _ in range(20):
        local(rig)
        rig.world.now_ms += 1000
    assert len(rig.world.gateway.given) <= 11


def test_a_url_without_time_is_the_same(rig):
    """Where time plays no part in a URL, it is given as often as it is asked for."""
    rig.player()
    assert len({local(rig, game="timeless").json["game_url"] for _ in range(5)}) == 1
    assert rig.world.gateway.given == {}


def test_what_the_dialect_refuses_to_build_is_told(rig):
    """A demo that the vendor does not have is 422 and names the field."""
    rig.player()
    assert problem(local(rig, demo=True), 422, "vendor_refused")["field"] == "demo"
