"""The operator API: launch URL, catalogue, histories, locks, transfer mode, errors."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl

import msgspec
import pytest
from nagagames_world import LIVE, SECRET, integration, refusal, vectors

from seamline.dialects.dialect import (
    Game,
    GamesFilter,
    Launch,
    Malformed,
    Reply,
    Secret,
    VendorError,
)
from seamline.dialects.nagagames import DIALECT
from seamline.dialects.nagagames.extras import Histories, moment_text
from seamline.dialects.nagagames.transfer import TRANSFER as OF_TRANSFER
from seamline.wallet import Kind

STUDIO = DIALECT.studio
EXTRAS = {each.name: each for each in STUDIO.extras}
WHERE = integration(
    mode="transfer", secret_key=Secret(SECRET), group_code="dpae", brand_code="srot"
)
START = datetime(2026, 3, 1, tzinfo=UTC)


def launch(**changed):
    """Someone opens a game."""
    given = {"game": "mahjong", "currency": "THB", "session": "tok/1", "player": "p1"}
    return Launch(**given | changed)


def url(where=LIVE, **changed):
    """The URL of that launch."""
    return STUDIO.open(launch(**changed), where, 0).game_url


def ask(name, where=LIVE, **fields):
    """The request of an extra."""
    extra = EXTRAS[name]
    return extra.operation.compose(extra.ask(**fields), where, 0)


def read(name, body, status=200, where=LIVE, **fields):
    """The answer of an extra."""
    extra = EXTRAS[name]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return extra.operation.read(Reply(status, raw), extra.ask(**fields), where)


# Launch.


def test_row59_a_real_game():
    """The token, then the codes."""
    assert (
        url() == "https://play.invalid/mahjong/?playerToken=tok%2F1&groupCode=dapd&brandCode=dodo"
    )


def test_row59_all_parameters():
    """The redirect is as it was given, not encoded; the language is the vendor's."""
    assert url(return_url="https://casino.example/lobby:1", language="th-TH") == (
        "https://play.invalid/mahjong/?playerToken=tok%2F1&groupCode=dapd&brandCode=dodo"
        "&redirectUrl=https://casino.example/lobby:1&language=th"
    )


def test_row59_a_game_for_fun():
    """Fun play has no token."""
    assert url(demo=True, session=None) == (
        "https://play.invalid/mahjong/?groupCode=dapd&brandCode=dodo&isFun=true"
    )
    assert "playerToken" not in url(demo=True)


def test_row59_a_game_with_an_address_of_its_own():
    """The catalogue's address of a game goes before the one of all games."""
    where = integration(play_urls={"mahjong": "https://mahjong.example/x/"}, play_url=None)
    assert url(where).startswith("https://mahjong.example/x/?playerToken=")
    assert refusal(STUDIO.open, launch(game="pandora"), where, 0).field == "game"


def test_a_code_cannot_leave_its_place_in_the_address():
    """A game's code is a part of the address, whatever is in it."""
    assert url(game="../a?b#c&d").startswith("https://play.invalid/..%2Fa%3Fb%23c%26d/?playerToken")


@pytest.mark.parametrize(
    "given_",
    ["https://x/?a=1", "https://x/#a", "https://x/&isFun=true", "javascript:alert(1)", "//x",
     "https://x/ y", "https://x/\n", "https://x/" + "a" * 250, 'https://x/"'],
)  # fmt: skip
def test_row59_a_redirect_that_would_end_the_parameter(given_):
    """What is sent raw must not be able to add parameters."""
    found = refusal(STUDIO.open, launch(return_url=given_), LIVE, 0)
    assert found.field == "return_url"


@pytest.mark.parametrize("language", ["en", "zh-CN", "th", "id", "ko", "ja"])
def test_the_vendors_languages(language):
    """A language tag becomes the vendor's two letters."""
    assert url(language=language).endswith(f"&language={language[:2]}")


def test_another_language():
    """It is refused, or left to the vendor's default where that is wished for."""
    assert refusal(STUDIO.open, launch(language="de"), LIVE, 0).field == "language"
    assert "language" not in url(language="de", fallback_language=True)


def test_what_cannot_be_opened():
    """Without a token there is no real game; nor is one that is switched off opened."""
    assert refusal(STUDIO.open, launch(session=None), LIVE, 0).field == "session"
    off = integration(games=frozenset({"pandora"}))
    assert refusal(STUDIO.open, launch(), off, 0).field == "game"


# Catalogue.


def test_the_catalogue():
    """The vendor lists code, name, address and image; nothing is signed."""
    request = STUDIO.games.compose(GamesFilter(), LIVE, 0)
    assert (request.method, request.path) == ("GET", "/client/game")
    assert request.query == b"groupCode=dapd&brandCode=dodo"
    listed = [
        {"code": "mahjong", "name": "Mahjong", "playUrl": "https://x", "preview": "https://i/1"},
        {"code": "pandora", "name": "Pandora", "rest": [1.5]},
    ]
    reply = Reply(200, json.dumps(listed).encode())
    found = STUDIO.games.read(reply, GamesFilter(), LIVE)
    assert found[0] == Game(id="mahjong", title="Mahjong", images={"preview": "https://i/1"})
    assert [each.id for each in found] == ["mahjong", "pandora"]
    some = integration(games=frozenset({"pandora"}))
    assert [each.id for each in STUDIO.games.read(reply, GamesFilter(), some)] == ["pandora"]
    with pytest.raises(VendorError):
        STUDIO.games.read(Reply(200, b"{}"), GamesFilter(), LIVE)


def test_the_whole_catalogue():
    """Where a game is played is told by the operation that shows everything."""
    request = ask("catalogue", locale="th", by_plays=True)
    assert request.query == (
        b"brandCode=dodo&groupCode=dapd&locale=th&sortBy=playCount&orderBy=DESC"
    )
    assert read("catalogue", [{"playUrl": "https://x"}]) == [{"playUrl": "https://x"}]


# Extras.


@pytest.mark.parametrize(
    ("name", "fields", "method", "path", "query"),
    [
        ("lobby-url", {"session": "a b"}, "GET", "/client/lobby-url",
         "brandCode=dodo&groupCode=dapd&playerToken=a%20b"),
        ("bet-details", {"bet_id": "b1"}, "GET", "/operator/bet/history",
         "betId=b1&brandCode=dodo&groupCode=dapd"),
        ("unlock-player", {"player_id": "a/b"}, "POST", "/operator/player/a%2Fb/unlock",
         "apiKey=test-api-key"),
        ("lock-player", {"player_id": "7"}, "POST", "/operator/player/7/lock",
         "apiKey=test-api-key"),
    ],
)  # fmt: skip
def test_simple_calls(name, fields, method, path, query):
    """Each call goes where the vendor's page says."""
    request = ask(name, **fields)
    assert (request.method, request.path, request.query.decode()) == (method, path, query)


def test_the_record_of_a_bet():
    """The record is asked for by a body."""
    request = ask("bet-record", bet_id="b1")
    assert (request.method, request.path) == ("POST", "/operator/bet/bet-history")
    assert json.loads(request.body) == {"betId": "b1", "groupCode": "dapd", "brandCode": "dodo"}


def test_deleting_a_session():
    """The key is in a header, the body is flat, and 201 is a success."""
    request = ask("delete-session", player="p1")
    assert request.path == "/operator/player/delete-session"
    assert request.header(b"x-api-key") == b"test-api-key"
    assert json.loads(request.body) == {"nativeId": "p1"}
    done = {"message": "Delete Player Session Successfully", "statusCode": 200}
    assert read("delete-session", done, 201, player="p1") == done


def test_calls_that_want_a_key():
    """Without an API key in the options nothing is asked, and the option is named."""
    without = integration(api_key=None)
    for name, fields in (
        ("unlock-player", {"player_id": "7"}),
        ("delete-session", {"player": "p"}),
        ("bet-histories", {"start": START, "end": START + timedelta(hours=1)}),
    ):
        with pytest.raises(Malformed) as caught:
            ask(name, without, **fields)
        assert caught.value.rejected.field == "api_key"


def test_money_of_an_answer_is_exact_text():
    """Amounts are decimal text, whatever the vendor's number looks like; the rest is as told."""
    body = b'{"id":"b","amount":1234567890123456.7800,"earn":0,"betLevel":3,"x":{"betSize":0.0001}}'
    assert read("bet-details", body, bet_id="b") == {
        "id": "b",
        "amount": "1234567890123456.7800",
        "earn": "0",
        "betLevel": 3,
        "x": {"betSize": "0.0001"},
    }


@pytest.mark.parametrize("body", [b"", b"<html>", b"[NaN]", b"\xff", b"[" * 9000])
def test_an_answer_that_nobody_can_read(body):
    """It is the vendor's error, with its status."""
    with pytest.raises(VendorError) as caught:
        read("bet-details", body, bet_id="b")
    assert caught.value.status == 200


@pytest.mark.parametrize(
    ("status", "body", "message", "code"),
    [
        (400, {"message": "Brand Not Found", "code": 1201, "timestamp": "2026-01-01T00:00:00Z"},
         "Brand Not Found", "1201"),
        (400, {"statusCode": 400, "message": ["nativeId must be a string", "too short"],
               "error": "Bad Request"}, "nativeId must be a string; too short", "400"),
        (400, {"statusCode": 400, "message": "Player is not found", "error": "Bad Request"},
         "Player is not found", "400"),
        (401, {"statusCode": 401, "message": "Unauthorized"}, "Unauthorized", "401"),
        (400, {"message": "Api Key is invalid"}, "Api Key is invalid", None),
    ],
)  # fmt: skip
def test_row57_three_shapes_of_errors(status, body, message, code):
    """Each shape of the vendor's errors becomes the same kind of error of ours."""
    with pytest.raises(VendorError) as caught:
        read("lobby-url", body, status, session="t")
    error = caught.value
    assert (error.status, error.message, error.code, error.refused) == (status, message, code, True)


def test_row57_an_error_without_words():
    """A status without a readable message is an error, and promises nothing."""
    with pytest.raises(VendorError) as caught:
        read("lobby-url", b"<html>", 403, session="t")
    assert caught.value.status == 403
    assert not caught.value.refused


# Histories.


class Served:
    """The vendor's histories: some rows, told in pages of a range whose ends both belong to it."""

    def __init__(self, count, every):
        self.rows = [
            {"id": f"bet-{n}", "created": moment_text(START + n * every), "amount": n}
            for n in range(count)
        ]
        self.asked = []

    def answer(self, request):
        """One page."""
        query = {name: values[0] for name, values in parse_qs(request.query.decode()).items()}
        self.asked.append(query)
        found = [
            each for each in self.rows if query["startDate"] <= each["created"] <= query["endDate"]
        ]
        skip, limit = int(query["skip"]), int(query["limit"])
        assert limit <= 100
        return Reply(
            200, json.dumps({"data": found[skip : skip + limit], "total": len(found)}).encode()
        )


@pytest.mark.parametrize(
    ("count", "every", "hours"),
    [
        (0, timedelta(minutes=1), 1),
        (5, timedelta(minutes=1), 24),
        (100, timedelta(minutes=1), 24),
        (250, timedelta(minutes=1), 24),
        (3, timedelta(hours=24), 72),
        (73, timedelta(hours=1), 72),
        (4000, timedelta(minutes=1), 80),
        (9, timedelta(hours=12), 100),
    ],
)
def test_row58_all_rows_of_a_range_once(count, every, hours):
    """Whoever repeats what comes next has every row of the range once, over pages and days."""
    served, found = Served(count, every), []
    operation = EXTRAS["bet-histories"].operation
    wanted = Histories(start=START, end=START + timedelta(hours=hours), game="mahjong")
    while wanted is not None:
        page = operation.read(served.answer(operation.compose(wanted, LIVE, 0)), wanted, LIVE)
        found += [each["id"] for each in page.items]
        wanted = page.next
    expected = [each["id"] for each in served.rows
                if each["created"] <= moment_text(START + timedelta(hours=hours))]  # fmt: skip
    assert found == expected
    for query in served.asked:
        begun, ended = (datetime.fromisoformat(query[name]) for name in ("startDate", "endDate"))
        assert ended - begun <= timedelta(hours=24)
        assert query["gameCode"] == "mahjong"
        assert query["apiKey"] == "test-api-key"


def test_row58_a_page_of_the_api_survives_json():
    """What comes next can be sent back as it was told."""
    served = Served(150, timedelta(minutes=1))
    operation = EXTRAS["bet-histories"].operation
    wanted = Histories(start=START, end=START + timedelta(hours=24))
    page = operation.read(served.answer(operation.compose(wanted, LIVE, 0)), wanted, LIVE)
    told = msgspec.json.decode(msgspec.json.encode(page))
    assert msgspec.convert(told["next"], Histories) == page.next
    assert told["items"][7]["amount"] == "7"


def test_row58_pages_of_consolidated_records():
    """Records are told by page; a block that begins where a day ends is in the day after it."""
    extra = EXTRAS["consolidated-history"]
    wanted = extra.ask(start=START, end=START + timedelta(hours=30), limit=2)
    queries, found = [], []
    pages = iter([[1, 2], [3], [4, 5], []])
    while wanted is not None:
        request = extra.operation.compose(wanted, LIVE, 0)
        queries.append(dict(parse_qsl(request.query.decode())))
        page = extra.operation.read(Reply(200, json.dumps(next(pages)).encode()), wanted, LIVE)
        found += page.items
        wanted = page.next
    assert found == [1, 2, 3, 4, 5]
    assert [query["page"] for query in queries] == ["1", "2", "1", "2"]
    assert queries[0]["startDateTime"] == "2026-03-01T00:00:00.000Z"
    assert queries[0]["endDateTime"] == "2026-03-01T23:59:59.999Z"
    assert queries[2]["startDateTime"] == "2026-03-02T00:00:00.000Z"
    assert queries[2]["endDateTime"] == "2026-03-02T05:59:59.999Z"


def test_ranges_that_are_none():
    """A range ends after its start, and consolidated ones start on a mark of five minutes."""
    for name in ("bet-histories", "consolidated-history"):
        with pytest.raises(Malformed) as caught:
            ask(name, start=START, end=START)
        assert caught.value.rejected.field == "end"
    with pytest.raises(Malformed) as caught:
        ask("consolidated-history", start=START + timedelta(minutes=1), end=START + timedelta(1))
    assert caught.value.rejected.field == "start"


def test_rows_that_are_none():
    """An answer without rows is the vendor's error."""
    fields = {"start": START, "end": START + timedelta(hours=1)}
    for body in ({"data": {}}, {}, 7, {"data": [], "total": True}):
        with pytest.raises(VendorError):
            read("bet-histories", body, **fields)


# Transfer mode.


MONEY = {"player": "safutest03", "currency": "THB", "amount": "10.00"}
TRANSFER_ID = "3b380261-d3d6-b086-9cbe-0f70fe730e00"
ASKS = {
    "create-player": {"player": "zdev293221", "currency": "THB"},
    "withdraw": MONEY | {"transaction_id": TRANSFER_ID},
    "wallet-balance": {"player": "safutest03"},
}
VECTORS = [each for each in vectors("transfer")["vectors"] if each["operation"] in ASKS]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each["operation"])
def test_transfers_are_signed_as_published(vector):
    """The HMAC is over the fields in their order; they stand in the body, or in the query."""
    request = ask(vector["operation"], WHERE, **ASKS[vector["operation"]])
    assert request.header(b"x-signature").decode() == vector["signature"]
    assert request.path == f"/operator/transfer/{vector['operation']}"
    if request.method == "POST":
        assert request.body.decode() == vector["signed"]
    else:
        assert dict(parse_qsl(request.query.decode())) == json.loads(vector["signed"])


def test_fields_below_data():
    """The signature stays, wherever the fields stand in the body."""
    below = integration(mode="transfer", secret_key=Secret(SECRET), group_code="dpae",
                        brand_code="srot", transfer_body="data")  # fmt: skip
    flat, deep = (ask("withdraw", where, **ASKS["withdraw"]) for where in (WHERE, below))
    assert json.loads(deep.body) == {"data": json.loads(flat.body)}
    assert deep.header(b"x-signature") == flat.header(b"x-signature")


def test_what_became_of_a_transfer():
    """It is asked by its id, which is part of the path."""
    request = ask("transaction", WHERE, transaction_id="a/b")
    assert request.path == "/operator/transfer/transactions/a%2Fb"
    assert request.query == b"brandCode=srot&groupCode=dpae"


def test_a_deposit_reserves_and_a_withdrawal_settles():
    """Money leaves before it is sent, and is paid after it came, under the id of the transfer."""
    given_ = EXTRAS["deposit"].ask(**ASKS["withdraw"])
    reserve = EXTRAS["deposit"].reserve(given_, WHERE)
    assert (reserve.kind, reserve.key) == (Kind.BET, f"deposit/{TRANSFER_ID}")
    settle = EXTRAS["withdraw"].settle(given_, WHERE)
    assert (settle.kind, settle.key) == (Kind.REWARD, f"withdraw/{TRANSFER_ID}")
    for command in (reserve, settle):
        assert (command.player, command.currency, str(command.amount)) == (
            "safutest03",
            "THB",
            "10",
        )
    assert EXTRAS["deposit"].settle is EXTRAS["withdraw"].reserve is None


@pytest.mark.parametrize("amount", ["0", "0.00", "-1", "1.001", "1e3", "x", ""])
def test_a_transfer_of_nothing(amount):
    """Only amounts that can be moved are asked for."""
    for name in ("deposit", "withdraw"):
        with pytest.raises(Malformed) as caught:
            ask(name, WHERE, **ASKS["withdraw"] | {"amount": amount})
        assert caught.value.rejected.field == "amount"


def test_an_id_that_the_vendor_knows_already():
    """It may be one that was carried out: no money goes back for it."""
    body = {"statusCode": 400, "message": "Duplicate native transaction id"}
    with pytest.raises(VendorError) as caught:
        read("deposit", body, 400, WHERE, **ASKS["withdraw"])
    assert not caught.value.refused
    with pytest.raises(VendorError) as caught:
        read("deposit", {"message": "Invalid currency"}, 400, WHERE, **ASKS["withdraw"])
    assert caught.value.refused


def test_transfers_are_of_transfer_mode():
    """In seamless mode nothing of it is asked."""
    fields = ASKS | {"deposit": ASKS["withdraw"], "transaction": {"transaction_id": "t"}}
    for extra in OF_TRANSFER:
        with pytest.raises(Malformed) as caught:
            ask(extra.name, LIVE, **fields[extra.name])
        assert caught.value.rejected.field == "mode"


def test_every_extra_is_told_apart():
    """Names are unique, and no ask takes a field that it does not know."""
    assert len(EXTRAS) == len(STUDIO.extras)
    assert all(extra.ask.__struct_config__.forbid_unknown_fields for extra in STUDIO.extras)
