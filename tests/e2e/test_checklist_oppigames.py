"""The checklist, rows 2 to 25, at the wallet's end over HTTP: headers, signatures, amounts, bets.

Row 1 is about vectors (`tests/dialects/oppigames`).
"""

import json

import pytest

from kit.oppi import START, Oppi, compact, gateway
from seamline.dialects.signing import hmac_sha256


@pytest.fixture
def oppi(served):
    """The vendor by raw requests, with a new player who has 1000.00 USD; audited afterwards."""
    yield Oppi(served).start()
    served.audit()


@pytest.fixture
def told(place):
    """The same where every reason has a code of its own, and an HTTP status."""
    with gateway(place, status_profile="extended", http_status_mode="semantic") as rig:
        yield Oppi(rig).start()
        rig.audit()


@pytest.mark.parametrize("name", ["x_api_key", "x_signature", "x_timestamp", "content_type"])
@pytest.mark.parametrize("value", [None, b""], ids=["missing", "empty"])
def test_row02_a_missing_header(oppi, name, value):
    """Without one of the four headers, or with an empty one, nothing moves; the answer says so."""
    answer = oppi.post("bet", oppi.bet_body(), **{name: value})
    assert answer["status"] == "RS_ERROR_MISSING_HEADER"
    assert name.replace("_", "-") in answer["message"]
    assert oppi.rows() == []


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        (b"application/json; charset=utf-8", True),
        (b"Application/JSON", True),
        (b"text/plain", False),
        (b"application/x-www-form-urlencoded", False),
    ],
)
def test_row02_the_content_type(told, kind, done):
    """JSON may name its charset; anything else is 415 where statuses are told."""
    reply = told.reply("bet", told.bet_body(), content_type=kind)
    assert reply.status == (200 if done else 415)
    assert len(told.rows()) == done


def test_row03_an_unknown_api_key(oppi):
    """An Auth Key of nobody is refused, also under a signature that is right otherwise."""
    answer = oppi.post("bet", oppi.bet_body(), x_api_key=b"nobody")
    assert answer["status"] == "RS_ERROR"
    assert "x-api-key" in answer["message"]
    assert oppi.rows() == []


def test_row03_an_unknown_api_key_has_a_code(told):
    """Where every reason has a code, an unknown key has the partner's, and is 401."""
    reply = told.reply("bet", told.bet_body(), x_api_key=b"nobody")
    assert reply.status == 401
    assert json.loads(reply.body)["status"] == "RS_ERROR_INVALID_PARTNER"


def test_row04_one_hex_digit_changed(told):
    """A signature with one other digit is refused."""
    right = dict(told.request("bet", fields := told.bet_body()).headers)[b"x-signature"]
    wrong = right[:-1] + (b"0" if right[-1:] != b"0" else b"1")
    reply = told.reply("bet", fields, x_signature=wrong)
    assert reply.status == 401
    assert json.loads(reply.body)["status"] == "RS_ERROR_INVALID_SIGNATURE"
    assert told.rows() == []


def test_row04_one_byte_of_the_body_changed(oppi):
    """A body with one other byte is refused under the old signature."""
    body = compact(oppi.bet_body())
    answer = oppi.post("bet", raw=body.replace(b"50000000", b"90000000"), over=body)
    assert answer["status"] == "RS_ERROR"
    assert oppi.rows() == []


def test_row04_the_timestamp_changed(oppi):
    """Another time is refused under the old signature: it is signed."""
    time = oppi.doors.clock_ms()
    later = str(time + 1).encode()
    answer = oppi.post("bet", oppi.bet_body(), time=time, x_timestamp=later)
    assert "signature mismatch" in answer["message"]
    assert oppi.rows() == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda it: b"0x" + it,
        lambda it: it[:63],
        lambda it: it + b"0",
        lambda it: b"g" + it[1:],
        lambda _: b"\xc3\xa9" * 32,
        lambda it: b"sha256=" + it,
    ],
    ids=["0x", "63", "65", "not hex", "non-ascii", "prefix"],
)
def test_row04_no_signature_at_all(oppi, spoil):
    """A header that is no 64 hexadecimal digits is refused, never a fault."""
    fields = oppi.bet_body()
    right = dict(oppi.request("bet", fields).headers)[b"x-signature"]
    assert oppi.post("bet", fields, x_signature=spoil(right))["status"] == "RS_ERROR"
    assert oppi.rows() == []


def test_row05_upper_case_digits(oppi):
    """A signature in upper-case digits is as good."""
    fields = oppi.bet_body()
    time = oppi.doors.clock_ms()
    right = dict(oppi.request("bet", fields, time=time).headers)[b"x-signature"]
    answer = oppi.post("bet", fields, time=time, x_signature=right.upper())
    assert answer["status"] == "RS_OK"


@pytest.mark.parametrize("off_ms", [-300_000 + 5_000, 300_000 - 5_000, 0])
def test_row06_a_time_within_the_window(oppi, off_ms):
    """Five minutes either way are accepted; the very edge is a pure test."""
    time = oppi.doors.clock_ms() + off_ms
    assert oppi.post("bet", oppi.bet_body(), time=time)["status"] == "RS_OK"


@pytest.mark.parametrize("off_ms", [-300_001 - 5_000, 300_001 + 5_000])
def test_row07_a_time_outside_the_window(told, off_ms):
    """A request that is rightly signed, but too old or too new, moves nothing."""
    reply = told.reply("bet", told.bet_body(), time=told.doors.clock_ms() + off_ms)
    assert reply.status == 401
    assert json.loads(reply.body)["status"] == "RS_ERROR_TOKEN_EXPIRED"
    assert told.rows() == []


@pytest.mark.parametrize(
    "time", ["abc", "2024-11-13T13:27:31.691Z", "-1", "1e12", "17315044516911111"]
)
def test_row07_a_time_that_is_no_milliseconds(told, time):
    """A time in any other form is refused as stale, however it is signed."""
    reply = told.reply("bet", told.bet_body(), time=time)
    assert json.loads(reply.body)["status"] == "RS_ERROR_TOKEN_EXPIRED"
    assert told.rows() == []


def test_row07_an_old_request_played_again(oppi):
    """A captured bet is refused once it is too old; before that it only gets its answer again."""
    request = oppi.request("bet", oppi.bet_body())
    first = oppi.doors.send(oppi.name, request)
    assert oppi.doors.send(oppi.name, request).body == first.body
    old = oppi.request("bet", json.loads(request.body), time=oppi.doors.clock_ms() - 3_600_000)
    assert json.loads(oppi.doors.send(oppi.name, old).body)["status"] == "RS_ERROR"
    assert oppi.rows() == [("bet", "500.00", "500.00")]


def test_row08_a_body_with_spaces(oppi):
    """A body that was spaced out after signing is read as JavaScript would write it."""
    fields = oppi.balance_body()
    spaced = json.dumps(fields).encode()
    assert oppi.post("balance", raw=spaced, over=compact(fields))["status"] == "RS_OK"
    assert oppi.post("balance", raw=b"\xef\xbb\xbf" + spaced + b"\n", over=compact(fields))[
        "status"
    ] == "RS_OK"  # fmt: skip


def test_row08_a_body_with_spaces_where_bytes_decide(place):
    """Without leniency the same is a wrong signature."""
    with gateway(place, lenient_canonical=False) as rig:
        oppi = Oppi(rig).start()
        fields = oppi.balance_body()
        answer = oppi.post("balance", raw=json.dumps(fields).encode(), over=compact(fields))
        assert answer["status"] == "RS_ERROR"
        assert oppi.post("balance", raw=json.dumps(fields).encode())["status"] == "RS_OK"


def test_row09_escapes_under_a_signature_of_their_own(oppi):
    """A body with escapes that JavaScript would not write, signed as it is, is read."""
    oppi.start(player=None)
    name = "Zoë/Ödön"
    oppi.doors.player(name)
    oppi.sit_down(player=name)
    raw = json.dumps(oppi.balance_body(), separators=(",", ":")).replace("/", "\\/").encode()
    assert b"\\u00eb\\/" in raw
    answer = oppi.post("balance", raw=raw)
    assert (answer["status"], answer["balance"]) == ("RS_OK", 10_000_000)


def test_row10_a_name_that_comes_twice(oppi):
    """A name twice, in any spelling, is refused; nothing moves."""
    whole = compact(oppi.bet_body())
    for again in (b'"amount":1', b'"\\u0061mount":1', b'"x":{"a":1,"a":2}'):
        answer = oppi.post("bet", raw=whole[:-1] + b"," + again + b"}")
        assert answer["status"] == "RS_ERROR"
        assert "twice" in answer["message"]
    assert oppi.rows() == []


def test_row11_the_vendors_own_broken_sample(oppi):
    """The page's reward sample lacks a comma: no JSON, and never repaired."""
    raw = compact(oppi.reward_body()).replace(b',"rewardType"', b'"rewardType"')
    assert oppi.post("reward", raw=raw)["status"] == "RS_ERROR"
    assert oppi.rows() == []


def test_row12_balance(oppi):
    """A balance is a whole number, with the session repeated."""
    answer = oppi.post("balance", oppi.balance_body())
    assert answer == {"status": "RS_OK", "sessionId": oppi.session, "balance": START}


def test_row12_balance_of_nobody(told):
    """An unknown player is refused, with the session repeated."""
    reply = told.reply("balance", told.balance_body(playerId="nobody"))
    answer = json.loads(reply.body)
    assert answer["status"] == "RS_ERROR_INVALID_TOKEN"
    assert answer["sessionId"] == told.session
    assert "balance" not in answer


def test_row13_a_bet_debits(oppi):
    """A bet of 500.00 leaves 500.00, by one debit, and repeats the id."""
    fields = oppi.bet_body()
    answer = oppi.post("bet", fields)
    assert answer == {
        "status": "RS_OK",
        "transactionId": fields["transactionId"],
        "balance": 50_000_000,
    }
    assert oppi.rows() == [("bet", "500.00", "500.00")]


def test_row14_a_bet_again(oppi):
    """The same bet under a new time and signature gets the same bytes; one row."""
    fields = oppi.bet_body()
    now = oppi.doors.clock_ms()
    first = oppi.reply("bet", fields, time=now)
    assert oppi.reply("bet", fields, time=now + 1).body == first.body
    assert oppi.reply("bet", dict(reversed(fields.items())), time=now + 2).body == first.body
    assert oppi.rows() == [("bet", "500.00", "500.00")]


def test_row15_a_bet_again_after_another(oppi):
    """A repeat is told the balance of then."""
    fields = oppi.bet_body()
    oppi.ok("bet", fields, 50_000_000)
    oppi.ok("bet", oppi.bet_body(1_000_000), 49_000_000)
    oppi.ok("bet", fields, 50_000_000)


@pytest.mark.parametrize(
    "change",
    [{"amount": 50_000_001}, {"gameId": "other"}, {"currency": "EUR"}, {"playerId": "other"},
     {"sessionId": "other"}],
    ids=repr,
)  # fmt: skip
def test_row16_a_known_id_with_other_content(oppi, change):
    """The same id with any other field is refused, moves nothing and alerts."""
    fields = oppi.bet_body()
    oppi.ok("bet", fields)
    oppi.no("bet", fields | change)
    oppi.ok("bet", fields, 50_000_000)
    assert oppi.rows() == [("bet", "500.00", "500.00")]
    assert "duplicate_changed" in oppi.alerts(fields["transactionId"])


def test_row17_the_id_of_a_bet_in_other_calls(oppi):
    """The id of a bet is taken: as a payout's, a reward's or a rollback's it is refused."""
    fields = oppi.bet_body()
    oppi.ok("bet", fields)
    taken = {"transactionId": fields["transactionId"]}
    oppi.no("payout", oppi.payout_body(fields, **taken))
    oppi.no("reward", oppi.reward_body(**taken))
    (item,) = oppi.batch("rollback", oppi.undo(oppi.ids.uuid(), **taken))
    assert item == {"status": "RS_ERROR"} | taken
    assert oppi.rows() == [("bet", "500.00", "500.00")]


def test_row18_a_bet_twenty_times_at_once(oppi):
    """Twenty equal bets at once make one debit and twenty equal answers."""
    fields = oppi.bet_body()
    requests = [oppi.request("bet", fields) for _ in range(20)]
    replies = oppi.doors.send_all(oppi.name, requests)
    assert {(reply.status, reply.body) for reply in replies} == {(200, replies[0].body)}
    assert oppi.rows() == [("bet", "500.00", "500.00")]


def test_row19_two_bets_at_once_and_money_for_one(oppi):
    """One of them is done, the other is refused; nothing goes below zero."""
    requests = [oppi.request("bet", oppi.bet_body(60_000_000)) for _ in range(2)]
    replies = oppi.doors.send_all(oppi.name, requests)
    answers = sorted((json.loads(each.body) for each in replies), key=lambda it: it["status"])
    assert [each["status"] for each in answers] == ["RS_ERROR", "RS_OK"]
    assert [each["balance"] for each in answers] == [40_000_000, 40_000_000]


def test_row20_not_enough_money(oppi):
    """A refused bet stays refused under its id, also after a deposit; a new one is done."""
    fields = oppi.bet_body(START + 1)
    assert oppi.no("bet", fields)["balance"] == START
    oppi.doors.deposit(f"more-{oppi.player}", "500.00", player=oppi.player)
    assert oppi.no("bet", fields)["balance"] == START + 50_000_000
    oppi.ok("bet", oppi.bet_body(START + 1), 50_000_000 - 1)


def test_row21_all_there_is_and_nothing(oppi):
    """A bet of the whole balance leaves 0, and a bet of 0 is done then."""
    oppi.ok("bet", oppi.bet_body(START), 0)
    oppi.ok("bet", oppi.bet_body(0), 0)


@pytest.mark.parametrize(
    "amount",
    [b"-1", b'"5"', b"1.5", b"true", b"null", b"9007199254740992", b"5e7", b"[1]", b"{}",
     b"1.00000000001", b"123456789012345678901234567890"],
    ids=repr,
)  # fmt: skip
def test_row22_amounts_that_are_refused(oppi, amount):
    """Anything but a whole number up to 2**53 - 1 is refused, naming the field; nothing moves."""
    fields = oppi.bet_body(50_000_000)
    raw = compact(fields).replace(b"50000000", amount)
    answer = oppi.post("bet", raw=raw)
    assert answer["status"] == "RS_ERROR"
    assert answer["transactionId"] == fields["transactionId"]
    assert "amount" in answer["message"]
    assert oppi.rows() == []


def test_row22_an_amount_that_is_missing(told):
    """A missing field has the code of a missing field, a wrong one that of a wrong type."""
    missing = json.loads(told.reply("bet", told.bet_body(None)).body)
    assert missing["status"] == "RS_ERROR_WRONG_SYNTAX"
    wrong = json.loads(told.reply("bet", told.bet_body("5")).body)
    assert wrong["status"] == "RS_ERROR_WRONG_TYPES"


def test_row23_a_fraction_of_nothing(oppi):
    """An amount with a fraction of zeros is a whole number."""
    fields = oppi.bet_body()
    raw = compact(fields).replace(b"50000000", b"50000000.0")
    assert oppi.post("bet", raw=raw)["balance"] == 50_000_000
    oppi.ok("bet", fields, 50_000_000)


def test_row24_currencies(told):
    """Another currency than the session's is refused; lower case means the same one."""
    refused = json.loads(told.reply("bet", told.bet_body(currency="EUR")).body)
    assert refused["status"] == "RS_ERROR_WRONG_CURRENCY"
    told.ok("bet", told.bet_body(currency="usd"))
    payout = told.payout_body(told.bet_body(0), currency="EUR")
    assert told.reply("payout", payout).status != 200
    assert told.rows() == [("bet", "500.00", "500.00")]


@pytest.mark.parametrize("status", ["blocked", "self_excluded", "closed"])
def test_row25_a_player_who_may_not_play(oppi, status):
    """Bets are refused, without a word on why; what is owed is paid."""
    fields = oppi.bet_body()
    oppi.ok("bet", fields)
    oppi.doors.change(oppi.player, status=status)
    answer = oppi.no("bet", oppi.bet_body())
    assert "exclu" not in answer["message"]
    oppi.ok("payout", oppi.payout_body(fields), 60_000_000)


def test_the_signature_of_the_tests_is_the_documented_one(oppi):
    """What these tests sign is HMAC-SHA256 over the body, `|` and the time."""
    request = oppi.request("bet", oppi.bet_body(), time=1731504451691)
    secret = oppi.integration.options.secrets[0].encoded()
    over = request.body + b"|1731504451691"
    assert request.header(b"x-signature") == hmac_sha256(secret, over).encode()
