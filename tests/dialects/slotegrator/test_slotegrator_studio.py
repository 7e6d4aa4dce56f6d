"""The provider's API as the operator asks it: what is sent, and what is made of the answers."""

import json

import msgspec
import pytest
from slotegrator_world import HERE, NOW, SAMPLES, integration, refusal, told

from seamline.dialects.dialect import (
    Campaign,
    CampaignId,
    CampaignState,
    Jackpot,
    Launch,
    Launched,
    Reply,
    VendorError,
)
from seamline.dialects.slotegrator import DIALECT
from seamline.wallet import Rejection

STUDIO = DIALECT.studio
EXIT = "https://example.domain.com/api/exit?uuid=4b6d955cdab74fac919b4ebd05c81874"
DEMO = Launch(game="some_game_id", currency="USD", language="en", demo=True, return_url=EXIT)
REAL = Launch(
    game="some_game_id",
    currency="USD",
    language="en",
    session="c4ca4238a0b923820dcc509a6f75849b",
    player="4f6ad0ca25074bec9dd22cf3a689ddb4",
    return_url=EXIT,
)
CAMPAIGN = Campaign(
    id="c4ca4238a0b923820dcc509a6f75849b",
    currency="USD",
    quantity=10,
    valid_from_ms=1_537_522_916_000,
    valid_until_ms=1_537_522_929_000,
    bet_line=2,
    games=("some_game_name",),
    players=("c81e728d9d4c2f636f067f89cc14862c",),
)
CLIENT = integration(client_id="MyClient1")
HOST = "https://provider.example"


def sent(operation, ask, where=HERE):
    """The request of an ask."""
    return operation.compose(ask, where, NOW)


def changed(ask, **fields):
    """The ask with other fields."""
    return msgspec.structs.replace(ask, **fields)


@pytest.mark.parametrize(
    ("operation", "ask", "where", "sample", "path"),
    [
        (STUDIO.launch, DEMO, HERE, "S2", "/demo"),
        (STUDIO.launch, REAL, HERE, "S5", "/game"),
        (STUDIO.jackpots, None, CLIENT, "S14", "/jackpots"),
        (STUDIO.create_campaign, CAMPAIGN, CLIENT, "S15", "/campaigns/create"),
        (STUDIO.cancel_campaign, CampaignId(id=CAMPAIGN.id), CLIENT, "S16", "/campaigns/cancel"),
    ],
)
def test_a01_each_call_is_the_published_one(operation, ask, where, sample, path):
    """Each ask becomes the published bytes, signed, at the endpoint of its own."""
    request = sent(operation, ask, where)
    assert request.body.decode() == SAMPLES[sample]["body"]
    assert request.header(b"x-sign").decode() == SAMPLES[sample]["signature"]
    assert (request.method, request.path, request.at_ms) == ("POST", HOST + path, NOW)
    assert request.header(b"content-type") == b"application/json"


def test_a42_bet_lines_count_from_one_and_bet_ids_from_zero():
    """Our first bet line is `bet_id` 0."""
    for line, bet_id in ((1, 0), (2, 1), (10, 9)):
        body = json.loads(sent(STUDIO.create_campaign, changed(CAMPAIGN, bet_line=line)).body)
        assert body["bet_id"] == bet_id


def test_times_are_whole_seconds():
    """Unix seconds, the fraction cut off."""
    ask = changed(CAMPAIGN, valid_from_ms=1_537_522_916_999, valid_until_ms=1_537_522_929_999)
    body = json.loads(sent(STUDIO.create_campaign, ask).body)
    assert (body["valid_from"], body["valid_until"]) == (1_537_522_916, 1_537_522_929)


def test_a_demo_names_nobody():
    """A demo has no session, player or currency, even where the launch has."""
    whole = changed(REAL, demo=True)
    assert sent(STUDIO.launch, whole).body.decode() == SAMPLES["S2"]["body"]


def test_players_may_be_called_by_their_plain_names():
    """A provider that keeps several currencies for one player gets the name without one."""
    plain = integration(player_ids="plain")
    assert json.loads(sent(STUDIO.launch, REAL, plain).body)["player_id"] == REAL.player
    body = json.loads(sent(STUDIO.create_campaign, CAMPAIGN, plain).body)
    assert body["player_id"] == CAMPAIGN.players[0]


@pytest.mark.parametrize(
    ("language", "said"), [(None, "en"), ("de", "de"), ("pt-BR", "pt"), ("EN_us", "en")]
)
def test_languages_are_two_letters(language, said):
    """A language tag is cut to its two letters; none is English."""
    assert (
        json.loads(sent(STUDIO.launch, changed(DEMO, language=language)).body)["language"] == said
    )


def test_a_language_that_cannot_be_said():
    """A language without a two-letter code is refused, or becomes English where that is wanted."""
    strange = changed(DEMO, language="fil")
    assert refusal(STUDIO.launch.compose, strange, HERE, NOW).field == "language"
    fallen = changed(strange, fallback_language=True)
    assert json.loads(sent(STUDIO.launch, fallen).body)["language"] == "en"


def test_no_exit_is_left_out():
    """Without a return URL the game has no exit."""
    assert "return_url" not in json.loads(sent(STUDIO.launch, changed(REAL, return_url=None)).body)


@pytest.mark.parametrize(
    ("operation", "ask", "field"),
    [
        ("launch", changed(REAL, session=None), "session"),
        ("launch", changed(REAL, session="x" * 256), "session"),
        ("launch", changed(REAL, player=None), "player"),
        ("launch", changed(REAL, player=" "), "player"),
        ("launch", changed(REAL, player="x" * 253), "player"),
        ("launch", changed(REAL, game=""), "game"),
        ("launch", changed(REAL, currency=""), "currency"),
        ("launch", changed(REAL, return_url=""), "return_url"),
        ("create_campaign", changed(CAMPAIGN, games=None), "games"),
        ("create_campaign", changed(CAMPAIGN, games=()), "games"),
        ("create_campaign", changed(CAMPAIGN, games=("a", "b")), "games"),
        ("create_campaign", changed(CAMPAIGN, players=None), "players"),
        ("create_campaign", changed(CAMPAIGN, players=("a", "b")), "players"),
        ("create_campaign", changed(CAMPAIGN, quantity=0), "quantity"),
        ("create_campaign", changed(CAMPAIGN, quantity=100_001), "quantity"),
        ("create_campaign", changed(CAMPAIGN, quantity=True), "quantity"),
        ("create_campaign", changed(CAMPAIGN, bet_line=0), "bet_line"),
        ("create_campaign", changed(CAMPAIGN, bet_line=None), "bet_line"),
        ("create_campaign", changed(CAMPAIGN, valid_until_ms=None), "valid_until_ms"),
        ("create_campaign", changed(CAMPAIGN, valid_until_ms=1_537_522_916_900), "valid_until_ms"),
        ("create_campaign", changed(CAMPAIGN, valid_from_ms=0, valid_until_ms=NOW),
         "valid_until_ms"),
        ("create_campaign", changed(CAMPAIGN, id=""), "id"),
        ("cancel_campaign", CampaignId(vendor_id="n1"), "id"),
    ],
)  # fmt: skip
def test_what_the_provider_would_refuse_is_not_sent(operation, ask, field):
    """An ask that cannot be right is refused here, and the field is named."""
    refused = refusal(getattr(STUDIO, operation).compose, ask, HERE, NOW)
    assert (refused.why, refused.field) == (Rejection.MALFORMED, field)


@pytest.mark.parametrize(
    ("operation", "ask", "option"),
    [
        ("jackpots", None, "jackpots_url"),
        ("create_campaign", CAMPAIGN, "create_campaign_url"),
        ("cancel_campaign", CampaignId(id="c1"), "cancel_campaign_url"),
    ],
)
def test_a_provider_may_lack_the_optional_calls(operation, ask, option):
    """Without an endpoint in the settings the call is refused, and the setting is named."""
    refused = refusal(getattr(STUDIO, operation).compose, ask, integration(**{option: None}), NOW)
    assert refused.field == option


def test_an_endpoint_may_have_a_query():
    """An endpoint such as `/api.php?call=game` is asked as it stands; the query is not signed."""
    where = integration(game_url="/api.php?call=game", base_url="https://provider.example/x")
    request = sent(STUDIO.launch, REAL, where)
    assert (request.path, request.query) == (HOST + "/x/api.php", b"call=game")
    assert request.header(b"x-sign").decode() == SAMPLES["S5"]["signature"]


def test_each_endpoint_may_be_a_url_of_its_own():
    """The provider hands over one URL per call: they may live on different hosts."""
    urls = {
        "demo_url": "https://demo.example",
        "game_url": "https://games.example/open?v=1",
        "jackpots_url": "http://jackpots.example:8080/all",
        "create_campaign_url": "/campaigns",
        "cancel_campaign_url": "https://campaigns.example/cancel",
    }
    where = integration(base_url="https://rest.example/api", **urls)
    asks = (
        (STUDIO.launch, DEMO, "https://demo.example", b""),
        (STUDIO.launch, REAL, "https://games.example/open", b"v=1"),
        (STUDIO.jackpots, None, "http://jackpots.example:8080/all", b""),
        (STUDIO.create_campaign, CAMPAIGN, "https://rest.example/api/campaigns", b""),
        (STUDIO.cancel_campaign, CampaignId(id="c1"), "https://campaigns.example/cancel", b""),
    )
    for operation, ask, url, query in asks:
        request = sent(operation, ask, where)
        assert (STUDIO.base_url(where) + request.path, request.query) == (url, query)


def test_one_endpoint_may_serve_both_launches():
    """Some providers tell a demo from a game by its members."""
    where = integration(demo_url="", game_url="")
    assert sent(STUDIO.launch, DEMO, where).path == sent(STUDIO.launch, REAL, where).path == HOST


def test_a40_a_launch_has_no_status():
    """The URL is used, with or without a status beside it."""
    for more in ({}, {"status": True}, {"status": None, "x": 1}):
        reply = told(url="https://games.example/1?a=b", **more)
        launched = STUDIO.launch.read(reply, REAL, HERE)
        assert launched == Launched(game_url="https://games.example/1?a=b")


@pytest.mark.parametrize(
    "url", ["", "/play", "javascript:alert(1)", "data:text/html,x", "https://"]
)
def test_a40_a_launch_leads_to_a_page(url):
    """What a browser could not open, or would run, is an error and no launch."""
    with pytest.raises(VendorError, match="https"):
        STUDIO.launch.read(told(url=url), REAL, HERE)


def test_jackpots():
    """Amounts keep their decimals, whether they are numbers or texts; none at all is fine."""
    body = b'{"status":true,"jackpots":[{"name":"mini","amount":12.3400,"currency":"USD"},' \
           b'{"name":"grand","amount":"1000000","currency":"EUR"}]}'  # fmt: skip
    assert STUDIO.jackpots.read(Reply(200, body), None, HERE) == (
        Jackpot(name="mini", amount="12.3400", currency="USD"),
        Jackpot(name="grand", amount="1000000", currency="EUR"),
    )
    assert STUDIO.jackpots.read(told(status=True, jackpots=[]), None, HERE) == ()


def test_a42_a_campaign_is_created_by_201():
    """Any status of success will do; the provider's id is kept beside ours."""
    for status in (200, 201, 202):
        reply = Reply(status, b'{"status":true,"new_campaign_id":"n1"}')
        state = STUDIO.create_campaign.read(reply, CAMPAIGN, HERE)
        assert state == CampaignState(id=CAMPAIGN.id, vendor_id="n1")


def test_a_cancelled_campaign_tells_nothing():
    """A cancelled campaign is answered by a status alone."""
    assert STUDIO.cancel_campaign.read(told(status=True), CampaignId(id="c1"), HERE) is None


OPERATIONS = [
    (STUDIO.launch, REAL),
    (STUDIO.jackpots, None),
    (STUDIO.create_campaign, CAMPAIGN),
    (STUDIO.cancel_campaign, CampaignId(id="c1")),
]


@pytest.mark.parametrize(("operation", "ask"), OPERATIONS)
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(403, b'{"status":false,"code":403,"message":"Wrong sign"}'), "403"),
        (Reply(400, b'{"status":false,"code":"WRONG_INPUT_PARAMETERS","message":"x"}'),
         "WRONG_INPUT_PARAMETERS"),
        (told(status=False, code="WRONG_INPUT_PARAMETERS", message="unknown game"),
         "WRONG_INPUT_PARAMETERS"),
        (told(status=False, url="https://x", new_campaign_id="n", jackpots=[]), None),
        (Reply(502, b"<html>Bad gateway</html>"), None),
        (Reply(500, b'{"url":"x","status":true,"new_campaign_id":"n","jackpots":[]}'), None),
        (Reply(200, b""), None),
        (Reply(200, b"[]"), None),
        (Reply(200, b"{}"), None),
        (told(status="yes", url=7, new_campaign_id=7, jackpots={}), None),
        (Reply(200, b'{"status":true,"status":false,"url":"x"}'), None),
    ],
)  # fmt: skip
def test_a41_failures_are_told_in_the_providers_words(operation, ask, reply, code):
    """A refusal under any status, and what nobody can read, is one error with status and code."""
    with pytest.raises(VendorError) as failed:
        operation.read(reply, ask, HERE)
    assert failed.value.code == code
    assert failed.value.status == reply.status
    assert str(failed.value)


@pytest.mark.parametrize("amount", [b"null", b"-1", b'"much"', b"{}"])
def test_a_jackpot_of_no_amount(amount):
    """A jackpot whose amount nobody can read is an error, not a guess."""
    body = b'{"status":true,"jackpots":[{"name":"mini","amount":%b,"currency":"USD"}]}' % amount
    with pytest.raises(VendorError, match="mini"):
        STUDIO.jackpots.read(Reply(200, body), None, HERE)


def test_what_is_not_offered():
    """There is no catalogue, and a campaign cannot be read back."""
    assert STUDIO.games is None
    assert STUDIO.read_campaign is None
    assert not STUDIO.extras
