"""The operator API: what is asked, byte for byte, and what is made of any answer. Rows 54 to 58."""

import json

import msgspec
import pytest
from oppigames_world import AT, HERE, SECRET, integration, refusal, said, vectors

from seamline.dialects.dialect import (
    Campaign,
    CampaignId,
    CampaignState,
    Granted,
    Launch,
    Launched,
    VendorError,
)
from seamline.dialects.oppigames import records
from seamline.dialects.oppigames.studio import STUDIO
from seamline.dialects.signing import hmac_sha256

SIGNED = {row["id"]: row["signature"] for row in vectors("signatures")["vectors"]}
EXTRAS = {extra.name: extra for extra in STUDIO.extras}
LAUNCH = Launch(
    game="G1737434469573",
    currency="USD",
    player="18865671",
    nickname="XYZ_player",
    balance="500000.00",
    session="minted here",
)
CAMPAIGN = Campaign(
    id="c1",
    currency="EUR",
    quantity=10,
    valid_from_ms=AT,
    valid_until_ms=AT + 309,
    feature="free",
    stake="0.50",
    reward="257",
    games=("G1", "G2"),
    players=("p1", "p2"),
)


def asked(operation, ask, where=HERE):
    """The request."""
    return operation.compose(ask, where, AT)


def told(operation, ask, body, status=200):
    """What is made of an answer."""
    return operation.read(said(body, status), ask, HERE)


def changed(struct, **fields):
    """The ask with other fields."""
    return msgspec.structs.replace(struct, **fields)


def test_row54_a_launch_is_the_vendors_own_sample():
    """The body in the sample's order, and its published signature (vector O6)."""
    request = asked(STUDIO.launch, LAUNCH)
    assert (request.method, request.path) == ("POST", "/game/url")
    assert request.body == (
        b'{"playerId":"18865671","playerName":"XYZ_player","balance":50000000000,'
        b'"gameId":"G1737434469573","currency":"USD"}'
    )
    assert request.header(b"x-signature").decode() == SIGNED["O6"]
    assert request.header(b"x-timestamp") == str(AT).encode()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, "XYZ_player"),
        ({"nickname": None, "first_name": "Zoë", "last_name": "Ödön"}, "Zoë Ödön"),
        ({"nickname": None, "first_name": "Zoë"}, "Zoë"),
        ({"nickname": None}, "18865671"),
    ],
)
def test_row60_a_player_has_a_name(fields, name):
    """The nickname, else the names, else the id; in any script, not escaped."""
    request = asked(STUDIO.launch, changed(LAUNCH, **fields))
    assert json.loads(request.body)["playerName"] == name
    assert name.encode() in request.body


@pytest.mark.parametrize(
    ("fields", "currency", "balance"),
    [
        ({"balance": None}, "USD", 0),
        ({"balance": "0.123456789"}, "USD", 12_345),
        ({"balance": "7"}, "USD", 700_000),
        ({"currency": "usd"}, "USD", 50_000_000_000),
        ({"demo": True}, "XXX", 0),
        ({"demo": True, "demo_balance": "5.00"}, "XXX", 500_000),
    ],
)
def test_a_launch_says_what_the_player_has(fields, currency, balance):
    """In hundred-thousandths, rounded down; a demo has its own currency and money."""
    body = json.loads(asked(STUDIO.launch, changed(LAUNCH, **fields)).body)
    assert (body["currency"], body["balance"]) == (currency, balance)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"player": None}, "player"),
        ({"player": "x" * 129}, "player"),
        ({"game": " "}, "game"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": "JPY"}, "currency"),
        ({"balance": "-5"}, "balance"),
        ({"balance": "90071992548"}, "balance"),
    ],
)
def test_a_launch_that_the_vendor_would_refuse_is_not_sent(fields, field):
    """Every field is needed, and real play has a currency that the vendor supports."""
    where = integration(currencies=("USD", "EUR"))
    assert refusal(asked, STUDIO.launch, changed(LAUNCH, **fields), where).field == field


def test_a_launch_opens_a_url():
    """The URL, and the vendor's id of the session."""
    body = {"status": "RS_OK", "gameUrl": "https://g/?sessionId=x", "sessionId": "x" * 384}
    opened = told(STUDIO.launch, LAUNCH, body)
    assert opened == Launched(game_url="https://g/?sessionId=x", vendor_session="x" * 384)


@pytest.mark.parametrize("session", ["", "x" * 1025, "a\0", "a\x1f", 7, None])
def test_a_launch_without_a_session_that_can_be_named(session):
    """An id that no call of the vendor's could carry is an answer that nobody can read."""
    with pytest.raises(VendorError, match="sessionId"):
        told(STUDIO.launch, LAUNCH, {"status": "RS_OK", "gameUrl": "g", "sessionId": session})


def test_row57_bonuses_are_asked_for_in_one_call():
    """One per player and game, each with an index; the operator's word for the type is mapped."""
    where = integration(bonus_types={"free": "Free Bets"})
    request = asked(STUDIO.create_campaign, CAMPAIGN, where)
    assert (request.method, request.path) == ("POST", "/game/bonus-configure")
    sent = json.loads(request.body)["bonuses"]
    assert [(each["playerId"], each["gameId"], each["index"]) for each in sent] == [
        ("p1", "G1", 0),
        ("p1", "G2", 1),
        ("p2", "G1", 2),
        ("p2", "G2", 3),
    ]
    assert sent[0] == {
        "playerId": "p1",
        "bonusType": "Free Bets",
        "gameId": "G1",
        "index": 0,
        "currency": "EUR",
        "expiredAt": "2024-11-13T13:27:32.000Z",
        "totalSpinCount": 10,
        "spinBetAmount": 50_000,
        "bonusAmount": 25_700_000,
    }


def test_a_bonus_says_only_what_is_asked():
    """What is left out is not sent, as nobody knows which types need which."""
    bare = changed(CAMPAIGN, stake=None, reward=None, valid_until_ms=None, feature="Wagering")
    (first, *_) = json.loads(asked(STUDIO.create_campaign, bare).body)["bonuses"]
    assert set(first) == {"playerId", "bonusType", "gameId", "index", "currency", "totalSpinCount"}
    assert first["bonusType"] == "Wagering"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"players": None}, "players"),
        ({"games": ()}, "games"),
        ({"players": ("",)}, "players"),
        ({"games": tuple(f"G{n}" for n in range(251))}, "players"),
        ({"feature": None}, "feature"),
        ({"bet_line": 1}, "bet_line"),
        ({"stake": "0.000001"}, "stake"),
        ({"stake": "1e3"}, "stake"),
        ({"reward": "-1"}, "reward"),
        ({"valid_from_ms": AT + 60_001}, "valid_from_ms"),
        ({"valid_until_ms": 10**18}, "valid_until_ms"),
    ],
)
def test_a_bonus_that_the_vendor_cannot_give_is_not_sent(fields, field):
    """A bonus is one player's in one game, of a type, with a stake, from now on."""
    assert refusal(asked, STUDIO.create_campaign, changed(CAMPAIGN, **fields)).field == field


def test_row57_each_bonus_has_a_result_of_its_own():
    """By index, whatever the order; one without an id, or without any answer, was not given."""
    data = [
        {"status": "RS_ERROR", "index": 1, "message": "no such game"},
        {"status": "RS_OK", "index": 0, "bonusId": "b0"},
        {"status": "RS_OK", "index": 2},
        {"status": "RS_OK", "index": 77, "bonusId": "nobody's"},
    ]
    state = told(STUDIO.create_campaign, CAMPAIGN, {"status": "RS_OK", "data": data})
    assert state == CampaignState(
        id="c1",
        parts=(
            Granted(player="p1", game="G1", vendor_id="b0"),
            Granted(player="p1", game="G2", problem="no such game"),
            Granted(player="p2", game="G1", problem="RS_OK"),
            Granted(player="p2", game="G2", problem="no answer"),
        ),
    )


def test_row57_a_single_bonus_is_known_by_its_id():
    """One player's bonus in one game is the whole campaign."""
    one = changed(CAMPAIGN, players=("p1",), games=("G1",))
    data = [{"status": "RS_OK", "index": 0, "bonusId": "b0"}]
    assert told(STUDIO.create_campaign, one, {"status": "RS_OK", "data": data}).vendor_id == "b0"


@pytest.mark.parametrize(
    "body",
    [
        {"status": "RS_ERROR"},
        {"status": "RS_OK", "data": []},
        {"status": "RS_OK", "data": [{"status": "RS_ERROR", "index": 0}]},
        {"status": "RS_OK"},
        {"status": "RS_OK", "data": [{"status": "RS_OK"}]},
    ],
)
def test_row57_when_none_is_given_the_campaign_is_not(body):
    """Nothing was given, or nobody can read what was."""
    with pytest.raises(VendorError):
        told(STUDIO.create_campaign, CAMPAIGN, body)


def test_row58_what_gives_twice_is_asked_once():
    """No idempotency key: bonuses and jackpots are not asked for again without an answer."""
    repeatable = {name: extra.operation.repeatable for name, extra in EXTRAS.items()}
    assert repeatable == {
        "allowed_bet_amounts": True,
        "jackpot_configure": False,
        "jackpot_remove": True,
        "sessions": True,
        "session": True,
        "conversion_rates": True,
    }
    assert not STUDIO.create_campaign.repeatable
    assert STUDIO.cancel_campaign.repeatable
    assert STUDIO.launch.repeatable


def test_a_bonus_is_cancelled_by_the_vendors_id():
    """The operator's id says nothing to the vendor."""
    request = asked(STUDIO.cancel_campaign, CampaignId(vendor_id="b0"))
    assert (request.path, request.body) == ("/game/bonus-cancel", b'{"bonusId":"b0"}')
    assert refusal(asked, STUDIO.cancel_campaign, CampaignId(id="c1")).field == "vendor_id"
    assert told(STUDIO.cancel_campaign, CampaignId(vendor_id="b0"), {"status": "RS_OK"}) is None


@pytest.mark.parametrize(
    ("name", "ask", "path", "body"),
    [
        (
            "allowed_bet_amounts",
            records.BetAmountsAsk(currency="eur"),
            "/game/allowed-bet-amounts",
            b'{"currency":"EUR"}',
        ),
        (
            "jackpot_configure",
            records.JackpotAsk(game="G1", portion_percent=5, pool="1500.00"),
            "/game/jackpot-configure",
            b'{"gameId":"G1","betPortion":5,"jackpotPool":150000000,"forOnce":false}',
        ),
        (
            "jackpot_remove",
            records.JackpotIdAsk(jackpot="j1"),
            "/game/jackpot-remove",
            b'{"jackpotId":"j1"}',
        ),
        (
            "conversion_rates",
            records.RatesAsk(currency="USD", amount="170.50"),
            "/game/conversion-rates",
            b'{"currency":"USD","amount":170.5}',
        ),
    ],
)
def test_each_post_is_asked_as_documented(name, ask, path, body):
    """Compact, in the page's order, signed over the bytes that are sent."""
    request = asked(EXTRAS[name].operation, ask)
    assert (request.method, request.path, request.body) == ("POST", path, body)
    over = body + f"|{AT}".encode()
    assert request.header(b"x-signature").decode() == hmac_sha256(SECRET.encode(), over)
    assert EXTRAS[name].ask is type(ask)


@pytest.mark.parametrize(
    ("name", "ask", "query"),
    [
        ("sessions", records.SessionsAsk(), b"page=1&limit=10"),
        (
            "sessions",
            records.SessionsAsk(page=2, limit=5, player="p 1", game="G&1"),
            b"page=2&limit=5&playerId=p%201&gameId=G%261",
        ),
        ("session", records.SessionAsk(session="s/1"), b"sessionId=s%2F1&page=1&limit=10"),
    ],
)
def test_row55_each_get_is_asked_as_documented(name, ask, query):
    """The query is percent-encoded and not signed: the published signatures O7 and O8."""
    request = asked(EXTRAS[name].operation, ask)
    assert (request.method, request.path) == ("GET", f"/game/{name}")
    assert (request.query, request.body) == (query, b"")
    assert request.header(b"x-signature").decode() == SIGNED["O7"]
    bare = asked(EXTRAS[name].operation, ask, integration(empty_body_mode="bare"))
    assert bare.header(b"x-signature").decode() == SIGNED["O8"]


@pytest.mark.parametrize("member", ["data", "allowedBets"])
def test_stakes_are_read_under_either_name(member):
    """The page's sample and its table disagree."""
    ask = records.BetAmountsAsk(currency="EUR")
    found = told(
        EXTRAS["allowed_bet_amounts"].operation, ask, {"status": "RS_OK", member: [50000, 1]}
    )
    assert found == records.BetAmounts(amounts=("0.5", "0.00001"))


def test_a_jackpot_is_read():
    """As the page's sample has it."""
    ask = records.JackpotAsk(game="G1", portion_percent=5, pool="1500")
    row = {
        "jackpotId": "j1",
        "gameId": "G1",
        "betPortion": 5,
        "jackpotPool": 150_000_000,
        "status": 1,
        "forOnce": False,
        "createdAt": "2024-11-13T13:27:31.691Z",
        "updatedAt": "2024-11-13T13:27:31.691Z",
    }
    (found,) = told(EXTRAS["jackpot_configure"].operation, ask, {"status": "RS_OK", "data": [row]})
    assert (found.jackpot, found.pool, found.active) == ("j1", "1500", True)
    remove = records.JackpotIdAsk(jackpot="j1")
    body = {"status": "RS_OK", "message": "Jackpot activated"}
    assert told(EXTRAS["jackpot_remove"].operation, remove, body) == records.Removed(jackpot="j1")


PLAY = {
    "transactionId": "t1",
    "sessionId": "s1",
    "playerId": "p1",
    "playerName": "P",
    "betAmount": 50_000_000,
    "payout": 10_000_000,
    "isWin": True,
    "sessionStatus": 0,
    "gameId": "G1",
    "gameName": "Game",
    "createdAt": "2024-11-13T13:27:31.691Z",
}


@pytest.mark.parametrize(
    ("current", "total", "rows", "last"),
    [(1, 3, 10, False), (3, 3, 4, True), (1, 1, 10, True), (2, 3, 0, True)],
)
def test_pages_end_where_they_end(current, total, rows, last):
    """The samples' totals disagree with each other, so pages are not computed from them."""
    ask = records.SessionAsk(session="s1", page=current)
    page = {"totalPages": total, "currentPage": current, "totalCount": 41, "result": [PLAY] * rows}
    found = told(EXTRAS["session"].operation, ask, {"status": "RS_OK", "data": page})
    assert (found.page, found.last, len(found.items)) == (current, last, rows)
    if rows:
        assert (found.items[0].stake, found.items[0].payout) == ("500", "100")
        assert found.items[0].active is False


def test_a_session_is_read():
    """As the page's sample has it."""
    row = {"sessionId": "s1", "playerId": "p1", "gameId": "G1", "status": 1, "currency": "USD"}
    page = {"totalPages": 1, "currentPage": 1, "totalCount": 41, "result": [row]}
    ask = records.SessionsAsk()
    found = told(EXTRAS["sessions"].operation, ask, {"status": "RS_OK", "data": page})
    assert found.items[0] == records.SessionState(
        session="s1", player="p1", game="G1", active=True, currency="USD"
    )


def test_rates_are_read_as_written():
    """Their scale is stated nowhere: they are passed on digit by digit, to be shown."""
    body = b'{"status":"RS_OK","data":[{"currencyCode":"EUR","amount":170.50}]}'
    ask = records.RatesAsk(currency="USD", amount="1")
    found = EXTRAS["conversion_rates"].operation.read(said(body), ask, HERE)
    assert found == records.Rates(items=(records.Rate(currency="EUR", amount="170.50"),))
    with pytest.raises(VendorError, match="no number"):
        EXTRAS["conversion_rates"].operation.read(
            said({"status": "RS_OK", "data": [{"currencyCode": "EUR", "amount": "x"}]}), ask, HERE
        )
    assert refusal(asked, EXTRAS["conversion_rates"].operation, changed(ask, amount="1e3"))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"status": "RS_ERROR", "message": "no"}, 200, "RS_ERROR"),
        ({"status": "RS_ERROR"}, 500, "RS_ERROR"),
        ({"status": "RS_OK"}, 500, None),
        ({"gameUrl": "x", "sessionId": "y"}, 200, None),
        ({"status": "RS_OK", "gameUrl": 7, "sessionId": "y"}, 200, None),
        (b"<html>", 502, None),
        (b'{"status":"RS_OK","status":"RS_OK","gameUrl":"x","sessionId":"y"}', 200, None),
        (b'{"status":"RS_OK","gameUrl":"x","sessionId":"y",}', 200, None),
    ],
)
def test_row56_anything_but_a_readable_success_is_an_error(body, status, code):
    """With the HTTP status, and with the vendor's code and words where it has any."""
    with pytest.raises(VendorError) as raised:
        told(STUDIO.launch, LAUNCH, body, status)
    assert (raised.value.status, raised.value.code) == (status, code)
    if code is not None:
        assert code in raised.value.message
    assert raised.value.refused == (code is not None)


def test_negative_amounts_are_none():
    """A stake below zero is an answer that nobody can read."""
    ask = records.BetAmountsAsk(currency="EUR")
    with pytest.raises(VendorError, match="negative"):
        told(EXTRAS["allowed_bet_amounts"].operation, ask, {"status": "RS_OK", "data": [-1]})
    with pytest.raises(VendorError, match="neither"):
        told(EXTRAS["allowed_bet_amounts"].operation, ask, {"status": "RS_OK"})


def test_the_address_is_a_matter_of_settings():
    """Only one base is documented, and it looks like staging."""
    assert STUDIO.base_url(HERE) == "https://s-apis.oppigames.com"
    assert STUDIO.base_url(integration(vendor_base_url="https://x/y")) == "https://x/y"


@pytest.mark.parametrize("name", EXTRAS)
def test_what_operators_may_ask_is_described(name):
    """Each operation has a summary, and its parameters a schema."""
    assert EXTRAS[name].summary.endswith(".")
    assert msgspec.json.schema(EXTRAS[name].ask)
    assert EXTRAS[name].reserve is None
