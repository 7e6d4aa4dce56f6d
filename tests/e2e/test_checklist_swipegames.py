"""The vendor's checklist, rows 2 to 28, at the wallet's end over HTTP: calls, signatures, amounts.

Row 1 is about vectors (`tests/dialects/swipegames`); rows from 45 on are the sender's.
"""

import pytest

from kit.gateway import GatewayRig
from kit.swipe import HEADER, Swipe, balance_query, is_error
from seamline.dialects.dialect import Request
from seamline.dialects.signing import canonical, hmac_sha256
from seamline.dialects.swipegames.signature import signed
from seamline.money import Currency


def test_a02_balance(swipe):
    """The balance of a live session is 200 with the balance in main units."""
    assert swipe.ask(balance_query(swipe.session)) == (200, {"balance": "200.00"})
    assert swipe.rows() == []


@pytest.mark.parametrize("session", ["Zoë/ключ 玩家&x=1+2", "a b+c%2Bd", "=&?#"])
def test_a03_balance_of_a_session_with_any_characters(swipe, session):
    """A session id with anything in it, percent-encoded, is found."""
    name = f"{session} {swipe.ids.uuid()}"
    swipe.doors.session(swipe.name, name, player=swipe.player)
    assert swipe.ask(balance_query(name)) == (200, {"balance": "200.00"})


def test_a04_an_ascii_escaped_signature(swipe):
    """A signature over ASCII-escaped JSON, as of the vendor's Python sample, is 401."""
    session = f"Zoë {swipe.ids.uuid()}"
    swipe.doors.session(swipe.name, session, player=swipe.player)
    escaped = f'{{"sessionID":"{session}"}}'.replace("ë", "\\u00eb").encode()
    status, answer = swipe.ask(balance_query(session), over=escaped)
    assert status == 401
    assert is_error(answer)


def test_a05_a_signed_extra_parameter(swipe):
    """A parameter that nobody knows is accepted when it is signed."""
    query = balance_query(swipe.session) + b"&a=1"
    over = canonical({"a": "1", "sessionID": swipe.session})
    assert swipe.ask(query, over=over)[0] == 200


def test_a06_an_unsigned_extra_parameter(swipe):
    """A parameter that was added after signing is 401."""
    query = balance_query(swipe.session) + b"&a=1"
    assert swipe.ask(query, over=canonical({"sessionID": swipe.session}))[0] == 401


def test_a07_a_session_that_looks_like_a_number(swipe):
    """The value is signed as text: 200 over text, 401 over a number."""
    swipe.doors.session(swipe.name, "123", player=swipe.player)
    assert swipe.ask(b"sessionID=123", over=b'{"sessionID":"123"}')[0] == 200
    assert swipe.ask(b"sessionID=123", over=b'{"sessionID":123}')[0] == 401


@pytest.mark.parametrize("query", [b"", b"sessionID=", b"other=1"])
def test_a08_no_session(swipe, query):
    """A signed balance call without a session is 404 with the error object."""
    status, answer = swipe.ask(query)
    assert status == 404
    assert is_error(answer, "session_not_found")


def right(swipe, fields):
    """The right signature of a bet, as hexadecimal bytes."""
    return swipe.request("bet", fields).header(HEADER)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: None,
        lambda _: b"",
        lambda it: b"0x" + it,
        lambda it: it.upper(),
        lambda it: it[:63],
        lambda it: it + b"0",
        lambda _: b"\xc3\xa9" * 32,
        lambda it: b"sha256=" + it,
    ],
    ids=["missing", "empty", "0x", "upper", "63", "65", "non-ascii", "prefix"],
)
def test_a09_a_bad_header(swipe, spoil):
    """A signature header that is no 64 lower-case hexadecimal digits is 401, never 500."""
    fields = swipe.body("bet")
    header = spoil(right(swipe, fields))
    status, answer = swipe.post("bet", fields, sign=False, header=header)
    assert status == 401
    assert is_error(answer)
    assert swipe.rows() == []


def test_a10_signed_with_the_core_api_key(swipe):
    """The other key of the integration verifies nothing here."""
    request = swipe.request("bet", swipe.body("bet"), sign=False)
    key = swipe.integration.options.api_key
    assert swipe.told(signed(request, over=request.body, key=key))[0] == 401
    assert swipe.rows() == []


def test_a11_one_byte_changed(swipe):
    """One byte of the body changed after signing is 401 and leaves no row."""
    fields = swipe.body("bet")
    raw = canonical(fields).replace(b"100.10", b"900.10")
    assert swipe.post("bet", None, raw=raw, header=right(swipe, fields))[0] == 401
    assert swipe.rows() == []


def test_a12_a_body_with_spaces(swipe):
    """The raw bytes are what is signed: spaces are fine under a signature over them."""
    raw = canonical(swipe.body("bet")).replace(b",", b" ,\n ")
    assert swipe.post("bet", None, raw=raw)[0] == 200
    assert swipe.rows() == [("bet", "100.10", "99.90")]


@pytest.mark.parametrize("name", ["x-request-sign", "X-REQUEST-SIGN", "X-Request-Sign"])
def test_a13_the_headers_case(swipe, name):
    """The header's name may be written in any case."""
    fields = swipe.body("bet")
    request = Request(
        "POST",
        "/bet",
        headers=((name.encode(), right(swipe, fields)),),
        body=canonical(fields),
    )
    assert swipe.told(request)[0] == 200


def test_a14_a_bet_debits(swipe):
    """A bet of 100.10 leaves 99.90 of 200.00, by one debit, and names our transaction."""
    fields = swipe.body("bet")
    status, answer = swipe.post("bet", fields)
    assert status == 200
    assert answer["balance"] == "99.90"
    (row,) = swipe.doors.transactions(brand="acme", player=swipe.player)[1:]
    assert answer == {"balance": "99.90", "txID": row["transaction"]}
    assert (row["kind"], row["key"], row["round"]) == ("bet", fields["txID"], fields["roundID"])


def test_a15_a_bet_again(swipe):
    """The same bytes again get the identical answer, also after other movements; one debit."""
    request = swipe.request("bet", swipe.body("bet"))
    first = swipe.raw(request)
    assert swipe.raw(request) == first
    swipe.post("bet", swipe.body("bet", amount="1.00"))
    assert swipe.raw(request) == first
    assert swipe.rows() == [("bet", "100.10", "99.90"), ("bet", "1.00", "98.90")]


def test_a16_a_bet_twenty_times_at_once(swipe):
    """Twenty equal bets at once make one debit and twenty equal answers."""
    request = swipe.request("bet", swipe.body("bet"))
    replies = swipe.doors.send_all(swipe.name, [request] * 20)
    assert {(reply.status, reply.body) for reply in replies} == {(200, replies[0].body)}
    assert swipe.rows() == [("bet", "100.10", "99.90")]


def test_a17_a_known_id_with_other_content(swipe):
    """Another amount, session, round or kind under a known id is 400, moves nothing, alerts."""
    fields = swipe.body("bet")
    swipe.post("bet", fields)
    bet_session = swipe.session
    other = swipe.open_session().session
    changes = [
        ("bet", {"amount": "100.11"}),
        ("bet", {"sessionID": other}),
        ("bet", {"roundID": swipe.ids.uuid()}),
        ("bet", {"type": "free"}),
        ("win", {}),
        ("win", {"frID": "campaign"}),
    ]
    for call, change in changes:
        status, answer = swipe.post(call, fields | change)
        assert status == 400, (call, change)
        assert is_error(answer)
    undo = swipe.undo(fields, txID=fields["txID"], origTxID=swipe.ids.uuid(), sessionID=bet_session)
    assert swipe.post("refund", undo)[0] == 400
    assert swipe.rows() == [("bet", "100.10", "99.90")]
    assert swipe.alerts(fields["txID"]) == ["duplicate_changed"]


def test_a18_insufficient_funds(swipe):
    """A bet above the balance is 400 with the code and a message; nothing moves."""
    status, answer = swipe.post("bet", swipe.body("bet", amount="200.01"))
    assert status == 400
    assert is_error(answer, "insufficient_funds")
    assert swipe.rows() == []


def test_a18_a_refused_bet_is_no_win(swipe):
    """The path is not signed: a refused bet's bytes sent to `/win`, or again, pay nothing."""
    body = swipe.body("bet", amount="5000.00")
    assert swipe.post("bet", body)[0] == 400
    assert swipe.post("win", body)[0] == 400
    assert swipe.post("bet", body)[0] == 400
    assert swipe.rows() == []


def test_a19_all_there_is(swipe):
    """A bet of exactly the balance leaves nothing."""
    status, answer = swipe.post("bet", swipe.body("bet", amount="200.00"))
    assert (status, answer["balance"]) == (200, "0.00")


def test_a20_a_failure_before_the_commit(swipe):
    """With the store away a bet is 500 and debits nothing; the refund that follows is 200."""
    fields = swipe.body("bet")
    with swipe.doors.away():
        status, answer = swipe.post("bet", fields)
    assert status == 500
    assert is_error(answer, "client_connection_error")
    assert swipe.rows() == []
    status, answer = swipe.post("refund", swipe.undo(fields))
    assert (status, answer["balance"]) == (200, "200.00")
    assert swipe.balance() == "200.00"


def test_a21_a_bet_that_took_too_long(swipe):
    """A bet that was debited although the vendor gave up is undone by its refund: net zero."""
    fields = swipe.body("bet")
    swipe.post("bet", fields)
    status, answer = swipe.post("refund", swipe.undo(fields))
    assert (status, answer["balance"]) == (200, "200.00")
    assert swipe.rows() == [("bet", "100.10", "99.90"), ("refund", "100.10", "200.00")]


@pytest.mark.parametrize(
    ("amount", "left"),
    [("0", "200.00"), ("0.90", "199.10"), ("100", "100.00"), ("1.50000", "198.50")],
)
def test_a22_amounts_that_are_accepted(swipe, amount, left):
    """Plain decimals in main units are accepted, zero and less than one too."""
    status, answer = swipe.post("bet", swipe.body("bet", amount=amount))
    assert (status, answer["balance"]) == (200, left)


@pytest.mark.parametrize(
    "amount",
    ["01.0", "00", ".5", "1.", "-1", "+1", "1e3", "1E3", "1\n", " 1", "1 ", "1,5", "", "٣",
     "NaN", "Infinity", "0x10", "1_0", 100.1, 100, None, True, ["1"], {"a": "1"}, "9" * 65],
    ids=repr,
)  # fmt: skip
def test_a22_amounts_that_are_refused(swipe, amount):
    """Anything else is 400 and names the field; nothing moves."""
    fields = swipe.body("bet") | {"amount": amount}
    status, answer = swipe.post("bet", fields)
    assert status == 400
    assert is_error(answer)
    assert "amount" in answer["details"]
    assert swipe.rows() == []


def test_a22_eighteen_decimals_that_fit_no_unit(swipe):
    """A stake with eighteen decimals, of a currency with fewer, is 400; nothing is rounded."""
    status, answer = swipe.post("bet", swipe.body("bet", amount="1.000000000000000001"))
    assert status == 400
    assert is_error(answer)
    assert swipe.rows() == []


@pytest.fixture
def crypto(place):
    """A gateway where the operator keeps a currency WEI with eighteen decimals."""
    rig = GatewayRig(place, own={"WEI": Currency("WEI", 18, 18)}).serve()
    yield rig
    rig.audit()
    rig.close()


def test_a23_eighteen_decimals_round_trip(crypto):
    """With a scale of 18 an amount of 18 decimals is moved and told exactly, without exponent."""
    swipe = Swipe(crypto).sit_down("1", currency="WEI")
    stake = "0.123456789012345678"
    status, answer = swipe.post("bet", swipe.body("bet", amount=stake))
    assert (status, answer["balance"]) == (200, "0.876543210987654322")
    status, answer = swipe.post("win", swipe.body("win", amount="0.000000000000000001"))
    assert (status, answer["balance"]) == (200, "0.876543210987654323")


def test_a23_eight_decimals_of_bitcoin(swipe):
    """A satoshi is told as 0.00000001, not as 1E-8."""
    swipe.sit_down("0.00000002", currency="BTC")
    status, answer = swipe.post("bet", swipe.body("bet", amount="0.00000001"))
    assert (status, answer["balance"]) == (200, "0.00000001")


def test_a23_a_stake_finer_than_the_ledger(swipe):
    """ETH is kept with 12 decimals: a finer stake is 400 and the details name the amount."""
    swipe.sit_down("1", currency="ETH")
    status, answer = swipe.post("bet", swipe.body("bet", amount="0.1234567890123"))
    assert status == 400
    assert is_error(answer)
    assert "amount" in answer["details"]
    assert swipe.rows() == []


def test_a23_a_win_finer_than_the_ledger(swipe):
    """A finer win is credited rounded down, and the dust is kept on the transaction."""
    swipe.sit_down("1", currency="ETH")
    fields = swipe.body("win", amount="0.123456789012345678")
    status, answer = swipe.post("win", fields)
    assert (status, answer["balance"]) == (200, "1.123456789012")
    (row,) = swipe.doors.transactions(brand="acme", player=swipe.player)[1:]
    assert (row["amount"], row["dust"]) == ("0.123456789012", "0.000000000000345678")
    assert "dust" in swipe.alerts(fields["txID"])


def test_a24_a_currency_without_decimals(swipe):
    """A balance in yen has no fraction."""
    swipe.sit_down("5000", currency="JPY")
    status, answer = swipe.post("bet", swipe.body("bet", amount="100"))
    assert (status, answer["balance"]) == (200, "4900")
    assert swipe.ask(balance_query(swipe.session)) == (200, {"balance": "4900"})


@pytest.mark.parametrize("call", ["bet", "win", "refund"])
@pytest.mark.parametrize(
    "change",
    [
        {"txID": ""},
        {"txID": "no-uuid"},
        {"txID": 7},
        {"txID": "c27ccade-5a45-4157-a85f-7d023a689ea5\n"},
        {"sessionID": 7},
        {"amount": 1},
        {"roundID": "no-uuid"},
        {"roundID": 7},
    ],
    ids=repr,
)
def test_a25_a_wrong_field(swipe, call, change):
    """A field of the wrong form is 400, names the field, and leaves no row."""
    status, answer = swipe.post(call, swipe.body(call) | change)
    assert status == 400
    assert is_error(answer)
    assert next(iter(change)) in answer["details"]
    assert swipe.rows() == []


@pytest.mark.parametrize("call", ["bet", "win", "refund"])
def test_a25_a_missing_or_null_field(swipe, call):
    """Without a field that is required, or with null in it, a call is 400; nothing moves."""
    whole = swipe.body(call)
    for name in whole:
        if (call, name) == ("refund", "roundID"):
            continue
        for fields in (
            {key: text for key, text in whole.items() if key != name},
            whole | {name: None},
        ):
            status, answer = swipe.post(call, fields)
            assert status == 400, fields
            assert name in answer["details"]
    assert swipe.rows() == []


@pytest.mark.parametrize(
    ("call", "change"),
    [
        ("bet", {"type": "bonus"}),
        ("bet", {"type": None}),
        ("bet", {"frID": None}),
        ("win", {"frID": None}),
        ("win", {"frID": ""}),
        ("refund", {"roundID": None}),
        ("refund", {"origTxID": "no-uuid"}),
    ],
    ids=repr,
)
def test_a25_an_unknown_type_or_a_null_campaign(swipe, call, change):
    """An unknown type, and null where a field may be left out, are 400."""
    assert swipe.post(call, swipe.body(call) | change)[0] == 400
    assert swipe.rows() == []


def test_a26_an_unknown_field(swipe):
    """A field that the document does not know is ignored, as the schema is open."""
    fields = swipe.body("bet") | {"somethingNew": {"deep": [1, None]}}
    assert swipe.post("bet", fields)[0] == 200
    assert swipe.rows() == [("bet", "100.10", "99.90")]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"7", b'"x"', b"{}", b"{'a':1}", b"\xff\xfe", b"{}{}", b"[" * 5000],
    ids=repr,
)
def test_a27_a_body_that_is_no_bet(swipe, raw):
    """Malformed JSON and an empty body are 400 with the error object."""
    status, answer = swipe.post("bet", None, raw=raw)
    assert status == 400
    assert is_error(answer)


def test_a27_a_name_that_comes_twice(swipe):
    """A duplicate key is refused, in plain and in escaped spelling."""
    whole = canonical(swipe.body("bet"))
    for again in (b'"amount":"1.00"', b'"\\u0061mount":"1.00"', b'"x":{"a":1,"a":2}'):
        status, answer = swipe.post("bet", None, raw=whole[:-1] + b"," + again + b"}")
        assert status == 400
        assert is_error(answer)
    assert swipe.rows() == []


def test_a28_a_win_is_credited_once(swipe):
    """A win credits once, a win of 0 is recorded, and a repeat gets the stored answer."""
    bet = swipe.body("bet")
    swipe.post("bet", bet)
    win = swipe.request("win", swipe.body("win", amount="50.00", roundID=bet["roundID"]))
    first = swipe.raw(win)
    assert first[0] == 200
    assert b'"balance":"149.90"' in first[1]
    lost = swipe.body("win", amount="0", roundID=swipe.ids.uuid())
    assert swipe.post("win", lost)[1]["balance"] == "149.90"
    assert swipe.raw(win) == first
    assert swipe.rows() == [
        ("bet", "100.10", "99.90"),
        ("win", "50.00", "149.90"),
        ("win", "0.00", "149.90"),
    ]


def test_the_signature_of_the_tests_is_the_documented_one(swipe):
    """What these tests sign is HMAC-SHA256 over the raw body with the Integration API key."""
    request = swipe.request("bet", swipe.body("bet"))
    key = swipe.integration.options.integration_api_keys[0].encoded()
    assert request.header(HEADER) == hmac_sha256(key, request.body).encode()
