"""The checklist, rows 38 and 54 to 62: the operator API as we call it, and what hangs on it."""

import json
from random import Random

import pytest

from kit.oppi import START, Oppi, OppiApi, compact, gateway
from seamline.dialects.signing import hmac_sha256

PAID = 25_700_000


@pytest.fixture
def api():
    """The vendor's own API."""
    made = OppiApi()
    yield made
    made.close()


@pytest.fixture
def oppi(place, api):
    """The vendor at a gateway that asks that API, with a new player who has 1000.00 USD."""
    with gateway(place, vendor_base_url=api.url) as rig:
        yield Oppi(rig).start()
        rig.audit()


def give(oppi, api, *, players=None, games=None, told=None, **fields):
    """Ask for a bonus through the operator API: status and answer."""
    count = len(players or [1]) * len(games or [1])
    given = [{"status": "RS_OK", "index": n, "bonusId": f"b{n}-{oppi.ids.uuid()}"} for n in
             range(count)]  # fmt: skip
    api.answers["/game/bonus-configure"] = (200, {"status": "RS_OK", "data": told or given})
    body = {
        "integration": oppi.name,
        "id": f"c-{oppi.ids.uuid()}",
        "currency": "USD",
        "quantity": 10,
        "stake": "0.50",
        "reward": "257.00",
        "feature": "Free Bets",
        "valid_from": "2026-01-01T00:00:00Z",
        "players": players or [oppi.player],
        "games": games or [oppi.game],
    }
    return oppi.doors.operator("POST", "/v1/campaigns", body | fields)


def ask(oppi, name, **body):
    """Ask for one of the vendor's own operations: status and answer."""
    return oppi.doors.operator("POST", f"/v1/integrations/oppigames/operations/{name}", body)


def is_signed(oppi, request, over):
    """Whether the four headers are right, over that text."""
    options = oppi.integration.options
    time = request.header(b"x-timestamp")
    assert abs(int(time) - oppi.doors.clock_ms()) < 60_000
    assert request.header(b"x-api-key") == options.api_key.encode()
    assert request.header(b"content-type") == b"application/json"
    expected = hmac_sha256(options.secrets[0].encoded(), over + b"|" + time)
    return request.header(b"x-signature") == expected.encode()


def test_row38_a_bonus_of_the_player(oppi, api):
    """A bonus that was given here is paid without a word; above what was given, with an alert."""
    status, answer = give(oppi, api)
    assert (status, len(answer["parts"])) == (201, 1)
    reward = oppi.reward_body(answer["vendor_id"])
    oppi.ok("reward", reward, START + PAID)
    assert oppi.alerts(reward["transactionId"]) == []
    more = oppi.reward_body(give(oppi, api)[1]["vendor_id"], PAID + 1)
    oppi.ok("reward", more)
    assert oppi.alerts(more["transactionId"]) == ["campaign_unknown"]


def test_row38_a_bonus_of_another_player(oppi, api):
    """Refused, and its player is still paid."""
    bonus, first = give(oppi, api)[1]["vendor_id"], oppi.player
    session = oppi.session
    oppi.start()
    oppi.no("reward", oppi.reward_body(bonus))
    assert oppi.units() == START
    oppi.ok("reward", oppi.reward_body(bonus, playerId=first, sessionId=session), START + PAID)


def test_row38_a_bonus_that_was_cancelled(oppi, api):
    """Refused once the operator cancelled it, by the vendor's id."""
    bonus = give(oppi, api)[1]["vendor_id"]
    api.answers["/game/bonus-cancel"] = (200, {"status": "RS_OK", "message": "ok"})
    query = f"/v1/campaigns?integration=oppigames&vendor_id={bonus}"
    assert oppi.doors.operator("DELETE", query)[0] == 204
    assert json.loads(api.last.body) == {"bonusId": bonus}
    oppi.no("reward", oppi.reward_body(bonus))
    assert oppi.units() == START


def test_row38_a_bonus_that_nobody_gave_here(oppi, new_place):
    """Paid with an alert, as it may come from the vendor's back office; or refused, if chosen."""
    reward = oppi.reward_body()
    oppi.ok("reward", reward, START + PAID)
    assert oppi.alerts(reward["transactionId"]) == ["campaign_unknown"]
    with new_place() as place, gateway(place, unknown_bonus="reject") as rig:
        strict = Oppi(rig).start()
        strict.no("reward", strict.reward_body())
        strict.ok("reward", strict.reward_body(kind="jackpot"), START + PAID)
        assert strict.units() == START + PAID


def test_row54_launch(oppi, api):
    """The bytes that are signed are the bytes that are sent; the answer's URL is passed on."""
    api.answers["/game/url"] = (
        200,
        {"status": "RS_OK", "gameUrl": "https://g.example/?mode=real", "sessionId": "a" * 384},
    )
    body = {"integration": "oppigames", "player": oppi.player, "currency": "USD", "game": "G1",
            "launch": True, "nickname": "XYZ_player"}  # fmt: skip
    status, answer = oppi.doors.operator("POST", "/v1/sessions", body)
    assert (status, answer["game_url"]) == (201, "https://g.example/?mode=real")
    assert api.last.body == compact(
        {"playerId": oppi.player, "playerName": "XYZ_player", "balance": START, "gameId": "G1",
         "currency": "USD"}
    )  # fmt: skip
    assert is_signed(oppi, api.last, api.last.body)
    # The wallet's calls name a session of the vendor's making, which is then this launch's.
    oppi.game = "G1"
    oppi.ok("bet", oppi.bet_body(sessionId="b" * 96), START // 2)


def launched(oppi, api, vendor_session, **fields):
    """Launch a game that the vendor names so: our own id of the session."""
    told = {"status": "RS_OK", "gameUrl": "https://g", "sessionId": vendor_session}
    api.answers["/game/url"] = (200, told)
    body = {"integration": "oppigames", "player": oppi.player, "currency": "USD", "launch": True}
    status, answer = oppi.doors.operator("POST", "/v1/sessions", body | {"game": "G1"} | fields)
    assert (status, answer["game_url"]) == (201, "https://g")
    return answer["session_id"]


def test_row54_a_launch_is_known_by_the_vendors_name(place, api):
    """Also where unknown sessions are refused, bets name the session as the launch's answer did."""
    with gateway(place, vendor_base_url=api.url, session_policy="strict") as rig:
        oppi = Oppi(rig).start()
        oppi.game = "G1"
        ours = launched(oppi, api, "a" * 384)
        assert ours != "a" * 384
        oppi.no("bet", oppi.bet_body(1, sessionId="b" * 384))
        bet = oppi.bet_body(1, sessionId="a" * 384)
        oppi.ok("bet", bet, START - 1)
        told = oppi.ok("balance", oppi.balance_body(sessionId="a" * 384))
        assert (told["sessionId"], told["balance"]) == ("a" * 384, START - 1)
        rig.close_session("oppigames", ours)
        oppi.no("bet", oppi.bet_body(1, sessionId="a" * 384))
        oppi.ok("payout", oppi.payout_body(bet, 1, sessionId="a" * 384), START)
        rig.audit()


def test_row54_a_name_that_the_vendor_gave_before(place, api):
    """It stays the session that it was; the new player cannot be taken for the old one."""
    with gateway(place, vendor_base_url=api.url, session_policy="strict") as rig:
        oppi = Oppi(rig).start()
        oppi.game = "G1"
        launched(oppi, api, "a" * 384)
        first = oppi.player
        oppi.start()
        launched(oppi, api, "a" * 384)
        oppi.no("bet", oppi.bet_body(1, sessionId="a" * 384))
        oppi.ok("bet", oppi.bet_body(1, sessionId="a" * 384, playerId=first), START - 1)
        rig.pass_time(hours=1)
        oppi.player = first
        launched(oppi, api, "a" * 384)
        oppi.ok("bet", oppi.bet_body(1, sessionId="a" * 384), START - 2)
        rig.audit()


def test_row54_a_demo(oppi, api):
    """A demo has a currency of its own, so that nothing of it can touch real money."""
    api.answers["/game/url"] = (200, {"status": "RS_OK", "gameUrl": "https://g", "sessionId": "x"})
    body = {"integration": "oppigames", "player": oppi.player, "currency": "USD", "game": "G1",
            "launch": True, "demo": True}  # fmt: skip
    assert oppi.doors.operator("POST", "/v1/sessions", body)[0] == 201
    assert json.loads(api.last.body)["currency"] == "XXX"


def test_row55_a_call_without_a_body(oppi, api):
    """A GET signs two quote characters; its query is not signed."""
    page = {"totalPages": 1, "currentPage": 1, "totalCount": 41, "result": []}
    api.answers["/game/sessions"] = (200, {"status": "RS_OK", "data": page})
    status, answer = ask(oppi, "sessions", player="p|1", limit=5)
    assert (status, answer["answer"]) == (200, {"items": [], "page": 1, "last": True})
    assert (api.last.method, api.last.query) == ("GET", b"page=1&limit=5&playerId=p%7C1")
    assert is_signed(oppi, api.last, b'""')


def test_row55_a_call_without_a_body_signed_barely(place, api):
    """The other reading of the page is a matter of settings."""
    with gateway(place, vendor_base_url=api.url, empty_body_mode="bare") as rig:
        oppi = Oppi(rig)
        page = {"totalPages": 1, "currentPage": 1, "totalCount": 0, "result": []}
        api.answers["/game/session"] = (200, {"status": "RS_OK", "data": page})
        assert ask(oppi, "session", session="s1")[0] == 200
        assert is_signed(oppi, api.last, b"")


@pytest.mark.parametrize("told", [{"status": "RS_ERROR", "message": "no"}, {}, [], {"status": 1}])
def test_row56_an_error_with_200(oppi, api, told):
    """Success is the code, not HTTP: anything else is the vendor's error, with its words."""
    api.answers["/game/allowed-bet-amounts"] = (200, told)
    status, answer = ask(oppi, "allowed_bet_amounts", currency="EUR")
    assert (status, answer["code"]) == (502, "vendor_refused")
    if told == {"status": "RS_ERROR", "message": "no"}:
        assert (answer["vendor_code"], answer["vendor_status"]) == ("RS_ERROR", 200)
    assert len(api.asked) == 1, "an answer is not asked for again"


def test_row57_some_bonuses_are_given(oppi, api):
    """Each bonus has a result of its own, by its index; what was given is known by its id."""
    first = oppi.player
    oppi.start()
    players = [first, oppi.player]
    told = [
        {"status": "RS_ERROR", "index": 1},
        {"status": "RS_OK", "index": 0, "bonusId": "bonus-of-the-first"},
    ]
    status, answer = give(oppi, api, players=players, told=told)
    assert (status, answer["vendor_id"]) == (201, None)
    assert [(each["player"], each["vendor_id"], each["problem"]) for each in answer["parts"]] == [
        (first, "bonus-of-the-first", None),
        (oppi.player, None, "RS_ERROR"),
    ]
    sent = json.loads(api.last.body)["bonuses"]
    assert [(each["playerId"], each["index"]) for each in sent] == [(first, 0), (oppi.player, 1)]
    oppi.no("reward", oppi.reward_body("bonus-of-the-first"))
    reward = oppi.reward_body("bonus-of-the-first", playerId=first, sessionId="of the first")
    oppi.ok("reward", reward)
    assert oppi.alerts(reward["transactionId"]) == []


def test_row57_no_bonus_is_given(oppi, api):
    """When every one is refused, so is the campaign."""
    status, answer = give(oppi, api, told=[{"status": "RS_ERROR", "index": 0}])
    assert (status, answer["vendor_code"]) == (502, "RS_ERROR")


def test_row58_a_bonus_without_an_answer(oppi, api):
    """Asked once only, as twice would give twice; nobody knows what became of it."""
    api.answers["/game/bonus-configure"] = None
    body = {"integration": "oppigames", "id": "c1", "currency": "USD", "quantity": 1,
            "feature": "Free Bets", "valid_from": "2026-01-01T00:00:00Z",
            "players": [oppi.player], "games": ["G1"]}  # fmt: skip
    status, answer = oppi.doors.operator("POST", "/v1/campaigns", body)
    assert (status, answer["code"]) == (502, "vendor_unreachable")
    assert len(api.asked) == 1


def test_row58_what_may_be_asked_again(oppi, api):
    """A call that changes nothing is asked three times, signed anew with a new time."""
    api.answers["/game/conversion-rates"] = (503, {})
    assert ask(oppi, "conversion_rates", currency="EUR", amount="1.70")[0] == 502
    assert len(api.asked) == 3
    assert len({each.header(b"x-timestamp") for each in api.asked}) == 3
    assert {each.body for each in api.asked} == {b'{"currency":"EUR","amount":1.7}'}
    assert all(is_signed(oppi, each, each.body) for each in api.asked)


@pytest.mark.parametrize("currency", ["XXX", "xxx"])
def test_row59_demo_money(oppi, currency):
    """A bet in the demo currency is refused; so is one on a session of another player's."""
    oppi.no("bet", oppi.bet_body(currency=currency))
    assert oppi.rows() == []


def test_row60_names_in_any_script(oppi, api):
    """Ids and names in any script come and go as they are."""
    name = "Zoë/Ödön 玩家 \u2028"
    oppi.doors.player(name, "1000.00")
    oppi.sit_down(player=name)
    fields = oppi.bet_body()
    assert oppi.ok("bet", fields)["balance"] == START // 2
    api.answers["/game/url"] = (200, {"status": "RS_OK", "gameUrl": "https://g", "sessionId": "x"})
    body = {"integration": "oppigames", "player": name, "currency": "USD", "game": "G1",
            "launch": True}  # fmt: skip
    assert oppi.doors.operator("POST", "/v1/sessions", body)[0] == 201
    sent = json.loads(api.last.body)
    assert (sent["playerId"], sent["playerName"]) == (name, name)
    assert is_signed(oppi, api.last, api.last.body)


def test_row61_the_books_after_a_storm(oppi):
    """Any mix of calls, half of them repeated, leaves a balance that is the sum of its entries."""
    chance, said = Random(61), []
    for _ in range(250):
        if said and chance.random() < 0.5:
            call, fields = chance.choice(said)
        else:
            call, fields = stormy(oppi, chance, list(said))
            said.append((call, fields))
        items = {"transactions": [fields, fields]} if call in ("rollback", "retry") else fields
        assert oppi.reply(call, items).status == 200
    oppi.doors.audit()
    listed = oppi.doors.transactions(brand="acme", player=oppi.player)
    assert len(listed) > 50
    assert listed[-1]["balance"] == oppi.balance()


def stormy(oppi, chance, said):
    """Another call, about whatever was said before."""
    bets = [fields for call, fields in said if call == "bet"] or [oppi.bet_body()]
    kind = chance.choice(["bet", "bet", "payout", "reward", "rollback", "retry"])
    amount = chance.randrange(0, 60_000_000)
    any_of = chance.choice(said)[1] if said else bets[0]
    made = {
        "bet": lambda: oppi.bet_body(amount),
        "payout": lambda: oppi.payout_body(chance.choice(bets), amount),
        "reward": lambda: oppi.reward_body(amount=amount),
        "rollback": lambda: oppi.undo(any_of),
        "retry": lambda: oppi.again(any_of["transactionId"], amount),
    }
    return kind, made[kind]()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "RS_ERROR"),
        ({"status_profile": "extended"}, "RS_ERROR_NOT_ENOUGH_MONEY"),
        (
            {
                "status_profile": "extended",
                "status_codes": {"INSUFFICIENT_FUNDS": "RS_ERROR_NO_MONEY"},
            },
            "RS_ERROR_NO_MONEY",
        ),
        ({"status_codes": {"INSUFFICIENT_FUNDS": "RS_ERROR_NO_MONEY"}}, "RS_ERROR_NO_MONEY"),
    ],
)
def test_row62_codes_are_a_matter_of_settings(place, options, code):
    """One profile or the other, and what the operator says wins over both."""
    with gateway(place, **options) as rig:
        oppi = Oppi(rig).start()
        oppi.no("bet", oppi.bet_body(START + 1), code)
