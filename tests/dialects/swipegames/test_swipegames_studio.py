"""The Core API: every ask signed and canonical, every answer read, every error typed."""

import gzip
import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swipegames_world import API_KEY, CID, LIVE, refusal, vectors

from seamline.dialects.dialect import (
    BetLine,
    Campaign,
    CampaignId,
    CampaignState,
    GamesFilter,
    Launch,
    Launched,
    Reply,
    VendorError,
)
from seamline.dialects.signing import canonical, hmac_sha256
from seamline.dialects.swipegames import DIALECT, core
from seamline.dialects.swipegames.studio import locale
from seamline.wallet import Rejection

STUDIO = DIALECT.studio
ROWS = {row["id"]: row for row in vectors("signatures")["vectors"]}
JANUARY = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000
DAY = 86_400_000
VENDOR_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

LAUNCH = Launch(
    game="sg_catch_97", currency="USD", session="session-123", player="user-1", language="en-US"
)
CAMPAIGN = Campaign(
    id="ext-fr-1",
    currency="USD",
    quantity=10,
    bet_line=5,
    valid_from_ms=JANUARY,
    games=("sg_catch_97",),
)
OPERATIONS = {
    "launch": (STUDIO.launch, LAUNCH),
    "games": (STUDIO.games, GamesFilter()),
    "create_campaign": (STUDIO.create_campaign, CAMPAIGN),
    "read_campaign": (STUDIO.read_campaign, CampaignId(id="ext-fr-1")),
    "cancel_campaign": (STUDIO.cancel_campaign, CampaignId(id="ext-fr-1")),
}


def changed(ask, **fields):
    """The ask with some fields changed."""
    return type(ask)(**{name: getattr(ask, name) for name in ask.__struct_fields__} | fields)


def body_of(request):
    """The JSON of a request."""
    return json.loads(request.body)


def test_the_base_url_is_an_option():
    """Calls go to the URL of the settings."""
    assert STUDIO.base_url(LIVE) == "https://staging.platform.0.swipegames.io/api/v1"


@pytest.mark.parametrize(
    ("row", "name", "ask", "method", "path"),
    [
        ("C1", "launch", LAUNCH, "POST", "/create-new-game"),
        ("C6", "create_campaign", CAMPAIGN, "POST", "/free-rounds"),
        ("C7", "cancel_campaign", CampaignId(id="ext-fr-1"), "DELETE", "/free-rounds"),
    ],
)
def test_row54_and_row56_bodies_are_the_published_bytes(row, name, ask, method, path):
    """The body is canonical, byte for byte the vector's, and so is its signature."""
    request = OPERATIONS[name][0].compose(ask, LIVE, 0)
    assert (request.method, request.path) == (method, path)
    assert request.body.decode() == ROWS[row]["signed"]
    assert request.header(b"x-request-sign").decode() == ROWS[row]["signature"]
    assert request.header(b"content-type") == b"application/json"


@pytest.mark.parametrize(
    ("row", "name", "ask", "path"),
    [
        ("C3", "games", GamesFilter(), "/games"),
        ("C4", "games", GamesFilter(bet_lines=False), "/games"),
        (
            "C5",
            "games",
            GamesFilter(currency_groups=("main",), currencies=("mETH", "uBTC")),
            "/games",
        ),
        ("C7", "read_campaign", CampaignId(id="ext-fr-1"), "/free-rounds"),
    ],
)
def test_row55_gets_sign_the_decoded_values(row, name, ask, path):
    """The signature is over the published object, whose values the URL carries encoded."""
    request = OPERATIONS[name][0].compose(ask, LIVE, 0)
    assert (request.method, request.path, request.body) == ("GET", path, b"")
    assert dict(parse_qsl(request.query.decode())) == json.loads(ROWS[row]["signed"])
    assert request.header(b"x-request-sign").decode() == ROWS[row]["signature"]


def test_row55_a_hash_in_a_code_is_encoded():
    """The URL carries `COP%23`, the signature is over `COP#`."""
    request = STUDIO.games.compose(GamesFilter(currencies=("COP#", "PHPT")), LIVE, 0)
    assert b"additionalCurrencies=COP%23%2CPHPT" in request.query
    over = canonical({"additionalCurrencies": "COP#,PHPT", "cID": CID, "extCID": "test_ext_cid"})
    signature = hmac_sha256(API_KEY.encode(), over)
    assert request.header(b"x-request-sign").decode() == signature


def test_row61_the_catalogue_is_asked_for_packed_and_with_time():
    """The catalogue can be over 1 MB and take 20 seconds."""
    assert STUDIO.games.compose(GamesFilter(), LIVE, 0).header(b"accept-encoding") == b"gzip"
    assert STUDIO.games.deadline_s >= 30


def test_a_launch_carries_all_that_is_known():
    """Optional members are sent under the vendor's names."""
    launch = changed(
        LAUNCH,
        country="BR",
        nickname="Zoë 🎲",
        platform="mobile",
        language="pt-BR",
        return_url="https://casino.example/lobby?a=1&b=<2>",
        deposit_url="https://casino.example/cash",
    )
    body = body_of(STUDIO.launch.compose(launch, LIVE, 0))
    assert body["user"] == {"id": "user-1", "country": "BR", "nickName": "Zoë 🎲"}
    assert (body["platform"], body["locale"]) == ("mobile", "pt_br")
    assert body["returnURL"] == launch.return_url
    assert body["depositURL"] == launch.deposit_url


def test_a_demo_needs_no_player_and_no_session():
    """Play money is the vendor's; a starting balance is sent as text."""
    demo = Launch(game="g", currency="USD", demo=True, demo_balance="10000.00")
    body = body_of(STUDIO.launch.compose(demo, LIVE, 0))
    assert (body["demo"], body["initDemoBalance"]) == (True, "10000.00")
    assert not {"user", "sessionID"} & set(body)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (None, "en_us"),
        ("en-US", "en_us"),
        ("en_us", "en_us"),
        ("DE", "de"),
        ("zh-Hant-TW", "zh_tw"),
        ("fil", "fil"),
    ],
)
def test_languages_take_the_vendors_form(language, expected):
    """A language tag becomes lower case with an underscore."""
    assert locale(language) == expected


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"language": "english"}, "language"),
        ({"language": ""}, "language"),
        ({"language": "en-US\n"}, "language"),
        ({"platform": "tablet"}, "platform"),
        ({"session": None}, "session"),
        ({"session": " "}, "session"),
        ({"session": "s" * 256}, "session"),
        ({"player": None}, "player"),
        ({"game": ""}, "game"),
        ({"currency": ""}, "currency"),
        ({"country": "br"}, "country"),
        ({"nickname": ""}, "nickname"),
        ({"return_url": ""}, "return_url"),
        ({"deposit_url": ""}, "deposit_url"),
        ({"demo_balance": "100"}, "demo_balance"),
        ({"demo": True, "demo_balance": "1e3"}, "demo_balance"),
    ],
)
def test_a_launch_that_the_vendor_would_refuse_is_not_sent(fields, field):
    """What is missing or wrong is refused before it is sent, naming the field."""
    refused = refusal(STUDIO.launch.compose, changed(LAUNCH, **fields), LIVE, 0)
    assert (refused.why, refused.field) == (Rejection.MALFORMED, field)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 100}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"bet_line": 0}, "bet_line"),
        ({"stake": "7"}, "stake"),
        ({"bet_line": 100}, "bet_line"),
        ({"bet_line": 1.5}, "bet_line"),
        ({"valid_until_ms": JANUARY + 31 * DAY}, "valid_until_ms"),
        ({"valid_until_ms": JANUARY + 30 * DAY + 1}, "valid_until_ms"),
        ({"valid_until_ms": JANUARY}, "valid_until_ms"),
        ({"valid_from_ms": 10**18}, "valid_from_ms"),
        ({"games": ()}, "games"),
        ({"players": ()}, "players"),
        ({"players": ("",)}, "players"),
        ({"id": ""}, "id"),
        ({"id": "x" * 256}, "id"),
        ({"currency": ""}, "currency"),
    ],
)
def test_row59_a_campaign_out_of_limits_is_not_sent(fields, field):
    """1 to 99 rounds, bet line 1 to 99, 30 days, and no list that could be taken for "all"."""
    refused = refusal(STUDIO.create_campaign.compose, changed(CAMPAIGN, **fields), LIVE, 0)
    assert (refused.why, refused.field) == (Rejection.MALFORMED, field)


@pytest.mark.parametrize(
    "fields", [{"quantity": 1, "bet_line": 99}, {"quantity": 99, "bet_line": 1}]
)
def test_row59_and_row60_the_limits_themselves_are_sent(fields):
    """The ends of the ranges are good, and dates end in `Z` with milliseconds."""
    campaign = changed(
        CAMPAIGN, valid_until_ms=JANUARY + 30 * DAY, players=("p1", "p2"), games=None, **fields
    )
    body = body_of(STUDIO.create_campaign.compose(campaign, LIVE, 0))
    assert body["validFrom"] == "2026-01-01T00:00:00.000Z"
    assert body["validUntil"] == "2026-01-31T00:00:00.000Z"
    assert body["userIDs"] == ["p1", "p2"]
    assert "gameIDs" not in body


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_dates_survive(ms):
    """Writing a time and reading it back loses no millisecond."""
    assert core.date_ms(core.date_text(ms, "x")) == ms


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00.000Z", "2026-01-01T02:00:00+02:00"])
def test_dates_of_any_zone_are_read(text):
    """The vendor may name a zone in another way than we do."""
    assert core.date_ms(text) == JANUARY


@pytest.mark.parametrize("name", ["read_campaign", "cancel_campaign"])
def test_row65_a_campaign_is_named_by_one_id(name):
    """By ours where it is known, else by the vendor's; without any nothing is sent."""
    compose = OPERATIONS[name][0].compose

    def sent(campaign):
        request = compose(campaign, LIVE, 0)
        return json.loads(request.body) if request.body else dict(parse_qsl(request.query.decode()))

    assert sent(CampaignId(vendor_id=VENDOR_ID)).get("id") == VENDOR_ID
    assert "id" not in sent(CampaignId(id="c", vendor_id=VENDOR_ID))
    assert refusal(compose, CampaignId(), LIVE, 0).field == "id"
    assert refusal(compose, CampaignId(vendor_id="7"), LIVE, 0).field == "vendor_id"


@pytest.mark.parametrize("name", OPERATIONS)
def test_text_that_utf8_cannot_carry_is_not_sent(name):
    """Half of a surrogate pair has no canonical form."""
    operation, ask = OPERATIONS[name]
    broken = {"launch": "game", "games": None}.get(name, "id")
    ask = changed(ask, **{broken: "\ud800"} if broken else {"currencies": ("\ud800",)})
    assert refusal(operation.compose, ask, LIVE, 0).why is Rejection.MALFORMED


@pytest.mark.parametrize(
    "wanted",
    [
        GamesFilter(currency_groups=("fiat",)),
        GamesFilter(currencies=("USD,EUR",)),
        GamesFilter(currencies=("",)),
    ],
)
def test_a_filter_that_the_vendor_would_refuse_is_not_sent(wanted):
    """Groups come from the vendor's list, and a code holds no comma."""
    assert refusal(STUDIO.games.compose, wanted, LIVE, 0).why is Rejection.MALFORMED


# Answers.


def reply(value, status=200):
    """A JSON answer."""
    return Reply(status, json.dumps(value).encode())


GAME = {
    "title": "Cash Garage",
    "id": "sg_catch_97",
    "locales": ["en_us"],
    "currencies": ["USD", "mBTC"],
    "platforms": ["desktop"],
    "images": {"baseURL": "https://cdn.example/g/", "square": "/s.png", "horizontal": "h.png"},
    "hasFreeSpins": True,
    "rtp": 97,
    "betLines": [{"currency": "USD", "values": [{"maxBet": "1.00", "maxCoeff": "5"}]}],
    "addedLater": 1,
}


def test_row64_a_launch_may_fall_back_to_the_vendors_language():
    """The flag of 1.10.0 is sent when it is set, and left out when it is not."""
    for wanted in (True, False):
        launch = Launch(game="g", currency="USD", session="s", player="p", fallback_language=wanted)
        body = json.loads(STUDIO.launch.compose(launch, LIVE, 0).body)
        assert body.get("fallbackToDefaultLocale", False) is wanted
        assert ("fallbackToDefaultLocale" in body) is wanted


def test_a_launch_tells_where_to_go():
    """The URL of the launcher; the vendor's own id of the session is in none of its calls."""
    answer = reply({"gameURL": "https://launcher.example/?gsID=1", "gsID": VENDOR_ID})
    opened = STUDIO.launch.read(answer, LAUNCH, LIVE)
    assert opened == Launched(game_url="https://launcher.example/?gsID=1")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_row61_the_catalogue_is_read(pack):
    """Games with their bet lines and whole image URLs, packed or not."""
    answer = Reply(200, pack(json.dumps([GAME]).encode()))
    (game,) = STUDIO.games.read(answer, GamesFilter(), LIVE)
    assert (game.id, game.languages, game.free_rounds, game.rtp) == (
        "sg_catch_97",
        ("en_us",),
        True,
        97,
    )
    assert game.images == {
        "square": "https://cdn.example/g/s.png",
        "horizontal": "https://cdn.example/g/h.png",
    }
    assert game.bet_lines == {"USD": (BetLine(stake="1.00", largest_multiple="5"),)}


def test_row63_a_catalogue_without_bet_lines_is_read():
    """Without bet lines the vendor says that no game has free rounds, and so do we."""
    bare = {name: value for name, value in GAME.items() if name != "betLines"}
    (game,) = STUDIO.games.read(reply([bare | {"hasFreeSpins": False}]), GamesFilter(), LIVE)
    assert (game.bet_lines, game.free_rounds) == ({}, False)


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"[]", mtime=0)[:-3],
        b"\x1f\x8bxxxx",
        gzip.compress(b"[", mtime=0) + b"",
        b"\x1f\x8b",
    ],
)
def test_a_broken_package_is_an_error(body):
    """Packed data that is cut short or no package is a vendor's error, not a fault of ours."""
    with pytest.raises(VendorError):
        STUDIO.games.read(Reply(200, body), GamesFilter(), LIVE)


def test_a_package_that_grows_without_end_is_an_error(monkeypatch):
    """Unpacking stops at a limit."""
    monkeypatch.setattr(core, "MAX_UNPACKED", 1000)
    with pytest.raises(VendorError, match="above 1000 bytes"):
        STUDIO.games.read(Reply(200, gzip.compress(b" " * 2000, mtime=0)), GamesFilter(), LIVE)


def test_row57_a_campaign_that_exists_is_no_error():
    """409 on creating says that an earlier try worked, whose answer was lost."""
    created = STUDIO.create_campaign.read(
        reply({"id": VENDOR_ID, "extID": "ext-fr-1"}), CAMPAIGN, LIVE
    )
    assert created == CampaignState(id="ext-fr-1", vendor_id=VENDOR_ID)
    exists = STUDIO.create_campaign.read(reply({"message": "exists"}, 409), CAMPAIGN, LIVE)
    assert exists == CampaignState(id="ext-fr-1")


CONFIGURED = {
    "id": VENDOR_ID,
    "extID": "ext-fr-1",
    "quantity": 10,
    "maxBet": "2.00",
    "currency": "USD",
    "validFrom": "2026-01-01T00:00:00.000Z",
}


@pytest.mark.parametrize("number", ["20", "20.50", "0.1", "1e2"])
def test_a_campaign_is_read_back(number):
    """The cap is a JSON number there; it is kept as it was written."""
    raw = json.dumps(CONFIGURED)[:-1] + f',"maxMult":{number},"deletedAt":"2026-01-02T00:00:00Z"}}'
    state = STUDIO.read_campaign.read(Reply(200, raw.encode()), CampaignId(id="ext-fr-1"), LIVE)
    assert state == CampaignState(
        id="ext-fr-1",
        vendor_id=VENDOR_ID,
        currency="USD",
        quantity=10,
        largest_stake="2.00",
        largest_multiple=number,
        valid_from_ms=JANUARY,
        cancelled_at_ms=JANUARY + DAY,
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"maxMult": "20"},
        {"maxMult": -1},
        {"maxMult": None},
        {"validFrom": "yesterday"},
        {"validFrom": "2026-01-01T00:00:00"},
        {"quantity": "10"},
    ],
)
def test_a_campaign_that_nobody_can_read_is_an_error(fields):
    """A wrong type or a date without zone is told, not guessed."""
    answer = reply(CONFIGURED | {"maxMult": 20} | fields)
    with pytest.raises(VendorError) as raised:
        STUDIO.read_campaign.read(answer, CampaignId(id="ext-fr-1"), LIVE)
    assert raised.value.status == 200


def test_row65_cancelling_needs_no_body():
    """A 200 is enough, whatever it holds."""
    assert STUDIO.cancel_campaign.read(Reply(200, b""), CampaignId(id="c"), LIVE) is None


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "currency_not_supported"),
        (400, "locale_not_supported"),
        (400, None),
        (401, None),
        (403, "account_blocked"),
        (403, "game_not_found"),
        (404, "game_not_found"),
        (404, None),
        (500, None),
    ],
)
def test_row58_errors_are_typed(name, status, code):
    """Status, code and message of the vendor's error object are carried along."""
    operation, ask = OPERATIONS[name]
    error = {"message": "No.", "details": "why"} | ({"code": code} if code else {})
    with pytest.raises(VendorError) as raised:
        operation.read(reply(error, status), ask, LIVE)
    assert (raised.value.status, raised.value.code) == (status, code)
    assert raised.value.message == "No. (why)"


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"", b"{}", b"\xff", b"[" * 9_000])
def test_row58_an_error_without_error_object_is_typed(name, body):
    """A 502 from something in between has a status and no code."""
    operation, ask = OPERATIONS[name]
    with pytest.raises(VendorError) as raised:
        operation.read(Reply(502, body), ask, LIVE)
    assert (raised.value.status, raised.value.code) == (502, None)
    assert "502" in raised.value.message


@pytest.mark.parametrize("name", ["launch", "games", "create_campaign", "read_campaign"])
@pytest.mark.parametrize("status", [200, 201, 204, 302])
def test_an_answer_that_nobody_can_read_is_an_error(name, status):
    """Only a 200 of the documented shape counts."""
    operation, ask = OPERATIONS[name]
    for body in (b"", b"{", b"null", b'{"gameURL":1}'):
        with pytest.raises(VendorError) as raised:
            operation.read(Reply(status, body), ask, LIVE)
        assert raised.value.status == status


@pytest.mark.parametrize("name", OPERATIONS)
@given(status=st.integers(100, 599), body=st.binary(max_size=60))
def test_any_answer_is_read_or_a_vendor_error(name, status, body):
    """However broken an answer is, nothing but a vendor's error is raised."""
    operation, ask = OPERATIONS[name]
    try:
        operation.read(Reply(status, body), ask, LIVE)
    except VendorError as error:
        assert error.status == status  # noqa: PT017  other statuses return
