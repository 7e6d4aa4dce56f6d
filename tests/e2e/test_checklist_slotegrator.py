"""The aggregator's checklist, rows A2 to A19 and A36 to A43, over HTTP: signatures, calls, amounts.

Row A1 is about vectors (`tests/dialects/slotegrator`); the order of events and the provider's API
are in files of their own.
"""

import json

import msgspec
import pytest

from kit.gateway import GatewayRig
from kit.slotegrator import HEADER, Slotegrator, ok, refused_by
from seamline.dialects.dialect import Secret
from seamline.dialects.signing import hmac_sha256
from seamline.dialects.slotegrator import DIALECT
from seamline.money import Currency


@pytest.fixture
def slote(served):
    """A provider by raw requests, with a new player who has 100.0001 USD; audited afterwards."""
    yield Slotegrator(served).sit_down("100.0001")
    served.audit()


def right(slote, members):
    """The right signature of members, as hexadecimal bytes."""
    return slote.request(members).header(HEADER)


def test_a02_a_bet_with_a_number_or_a_text(slote):
    """Both forms of the sample's bet are done, each under its own signature."""
    text = json.dumps(slote.body("bet")).encode()
    assert slote.post(text) == ok("90")
    number = json.dumps(slote.body("bet")).encode().replace(b'"10.0001"', b"10.0001")
    assert slote.post(number) == ok("79.9999")
    assert slote.rows() == [("bet", "10.0001", "90.00"), ("bet", "10.0001", "79.9999")]


def test_a03_a_signature_that_does_not_fit(slote):
    """The signature of another spelling, amount or token, a cut one or none: nothing is touched."""
    members = slote.body("bet")
    raw = json.dumps(members).encode()
    number = raw.replace(b'"10.0001"', b"10.0001")
    other = json.dumps(members | {"amount": "10.0002"}).encode()
    before = slote.doors.books()
    for header in (
        right(slote, number),
        right(slote, other),
        hmac_sha256(b"another token", raw).encode(),
        right(slote, raw)[:63],
        b"",
    ):
        assert slote.code(raw, header=header) == "INVALID_SIGN"
    assert slote.code(raw, sign=False) == "INVALID_SIGN"
    assert slote.code(other, header=right(slote, raw)) == "INVALID_SIGN"
    assert slote.doors.books() == before


@pytest.mark.parametrize("name", ["X-Sign", "X-SIGN", "x-sign"])
@pytest.mark.parametrize("case", [bytes.lower, bytes.upper])
def test_a04_the_case_of_header_and_digits(slote, name, case):
    """The header's name and its digits may be written in any case."""
    members = slote.body("bet")
    request = slote.request(members, sign=False)
    header = (name.encode(), case(right(slote, members)))
    assert slote.raw(msgspec.structs.replace(request, headers=(header,))) == ok("90")


def test_a05_a_pretty_printed_body(slote):
    """A body with line ends and spaces is fine under its own signature."""
    raw = json.dumps(slote.body("balance"), indent=2).encode()
    assert b"\n" in raw
    assert slote.post(raw) == ok("100.0001")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"x"])
def test_a06_the_signature_comes_first(slote, raw):
    """A bad signature over bad JSON is a bad signature."""
    assert slote.code(raw, header=b"0" * 64) == "INVALID_SIGN"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"x", b"null", b'"bet"', b"a=b", b"\xff"])
def test_a07_signed_and_no_json_object(slote, raw):
    """Rightly signed bytes that are no JSON object are wrong input."""
    assert slote.code(raw) == "WRONG_INPUT_PARAMETERS"


def test_a08_an_action_that_is_none(slote):
    """An unknown action does not exist, a missing one is wrong input; both are answered by 200."""
    assert slote.code(slote.body("bet", action="foo")) == "ACTION_IS_NOT_EXIST"
    assert slote.code(slote.body("bet", action=...)) == "WRONG_INPUT_PARAMETERS"
    assert slote.code(slote.body("bet", action=None)) == "WRONG_INPUT_PARAMETERS"
    assert slote.rows() == []


def test_a09_balance(slote):
    """The balance is a number of four decimals."""
    assert slote.post(slote.body("balance")) == ok("100.0001")
    assert slote.rows() == []


@pytest.mark.parametrize("action", ["bet", "win", "refund", "balance"])
def test_a10_an_unknown_session(slote, action):
    """A session that nobody opened is not found, on any call."""
    assert slote.code(slote.body(action, session_id="nobody")) == "SESSION_NOT_FOUND"
    assert slote.rows() == []


def test_a10_a_session_of_another_provider(place):
    """A session belongs to the provider that it was opened for; their ids do not meet either."""
    rig = GatewayRig(place, second=True).serve()
    one, other = Slotegrator(rig), Slotegrator(rig, "second-slotegrator")
    one.sit_down("100.0001")
    other.sit_down(player=one.player)
    for action in ("bet", "balance", "win", "refund"):
        members = other.body(action, session_id=one.session)
        assert other.code(members) == "SESSION_NOT_FOUND"
    bet = one.body("bet")
    assert one.post(bet) == ok("90")
    assert other.post(bet | {"session_id": other.session}) == ok("79.9999")
    rig.audit()
    rig.close()


def test_a11_a_bet_and_a12_its_repeat(slote):
    """A bet is debited once; its repeat hears the balance as it is by then."""
    bet = slote.body("bet")
    assert slote.post(bet) == ok("90")
    assert slote.post(bet) == ok("90")
    slote.post(slote.body("bet", amount="1"))
    assert slote.post(bet) == ok("89")
    assert slote.rows() == [("bet", "10.0001", "90.00"), ("bet", "1.00", "89.00")]


@pytest.mark.parametrize(
    "changed", [{"amount": "5"}, {"round_id": "other"}, {"type": "tip"}, {"type": "freespin"}]
)
def test_a13_a_known_id_with_other_content(slote, changed):
    """Another amount, round or type under a known id is denied, moves nothing, and alerts."""
    bet = slote.body("bet")
    slote.post(bet)
    assert slote.code(bet | changed) == "TRANSACTION_DENIED"
    assert slote.rows() == [("bet", "10.0001", "90.00")]
    assert slote.alerts(f"bet/{bet['transaction_id']}") == ["duplicate_changed"]


def test_a13_a_jackpot_is_no_win_of_a_free_spin(slote):
    """Another type of win under a known id is denied too."""
    win = slote.body("win", type="jackpot", amount="5")
    assert slote.post(win) == ok("105.0001")
    for type_ in ("win", "freespin"):
        assert slote.code(win | {"type": type_}) == "TRANSACTION_DENIED"
    assert slote.balance() == "105.0001"


def test_a13_a_known_id_from_another_session(slote):
    """Another session under a known id is denied, whoever's it is."""
    bet = slote.body("bet")
    slote.post(bet)
    slote.open_session()
    assert slote.code(bet | {"session_id": slote.session}) == "TRANSACTION_DENIED"
    other = Slotegrator(slote.doors).sit_down("50.00")
    assert slote.code(bet | {"session_id": other.session}) == "TRANSACTION_DENIED"
    assert (slote.balance(), other.balance()) == ("90.00", "50.00")


def test_a14_more_than_there_is_and_all_there_is(slote):
    """A bet above the balance is refused with the document's words; one of all of it is done."""
    status, body = slote.post(slote.body("bet", amount="100.0002"))
    assert refused_by(status, body) == "INSUFFICIENT_BALANCE"
    assert json.loads(body)["message"] == "Insufficient balance"
    assert slote.post(slote.body("bet", amount="100.0001")) == ok("0")


def test_a15_a_refused_bet_after_a_deposit(slote):
    """Refusals are not remembered: the same id is decided afresh."""
    bet = slote.body("bet", amount="150")
    assert slote.code(bet) == "INSUFFICIENT_BALANCE"
    slote.doors.deposit(f"more-{bet['transaction_id']}", "100.00", player=slote.player)
    assert slote.post(bet) == ok("50.0001")


@pytest.mark.parametrize("amount", ["-1", -1, "-0.0001"])
def test_a16_below_zero(slote, amount):
    """An amount below zero has a code of its own."""
    assert slote.code(slote.body("bet", amount=amount)) == "AMOUNT_SHOULD_BE_POSITIVE"
    assert slote.code(slote.body("win", amount=amount)) == "AMOUNT_SHOULD_BE_POSITIVE"
    assert slote.rows() == []


@pytest.mark.parametrize("amount", ["0", 0])
def test_a16_zero(slote, amount):
    """A bet and a win of nothing are done."""
    bet = slote.body("bet", amount=amount)
    assert slote.post(bet) == ok("100.0001")
    assert slote.post(slote.result(bet, amount)) == ok("100.0001")


@pytest.mark.parametrize("amount", ["1e1", "abc", True, None, "1.00001", 1.00001, "", [], "9" * 40])
def test_a17_amounts_that_are_none(slote, amount):
    """What is no amount of four decimals is wrong input, and the message names the field."""
    status, body = slote.post(slote.body("bet", amount=amount))
    assert refused_by(status, body) == "WRONG_INPUT_PARAMETERS"
    assert "amount" in json.loads(body)["message"]
    assert slote.rows() == []


def test_a17_the_noise_of_a_float(slote):
    """96.24049999999998 is 96.2405."""
    raw = json.dumps(slote.body("bet")).encode().replace(b'"10.0001"', b"96.24049999999998")
    assert slote.post(raw) == ok("3.7596")
    assert slote.rows() == [("bet", "96.2405", "3.7596")]


def test_a17_an_exponent_of_a_float(slote):
    """A number may have an exponent, and is read exactly; 0.00001 has a decimal too many."""
    raw = json.dumps(slote.body("bet")).encode()
    status, body = slote.post(raw.replace(b'"10.0001"', b"1.0e-5"))
    assert refused_by(status, body) == "WRONG_INPUT_PARAMETERS"
    assert slote.post(raw.replace(b'"10.0001"', b"1.00001e+1")) == ok("90")
    assert slote.post(raw) == ok("90")
    assert slote.rows() == [("bet", "10.0001", "90.00")]


def test_a18_a_limit(slote):
    """A stake above the player's limit is a known refusal with the document's words."""
    slote.doors.change(slote.player, limits={"currencies": {"USD": {"max_stake": "5"}}})
    status, body = slote.post(slote.body("bet"))
    assert refused_by(status, body) == "INTERNAL_ERROR"
    assert json.loads(body)["message"] == "Not enough limits"
    assert slote.post(slote.body("bet", amount="5")) == ok("95.0001")


@pytest.mark.parametrize("status", ["blocked", "self_excluded", "closed"])
def test_a19_a_player_who_may_not_play(slote, status):
    """A bet is a known failure with a message for the player; wins and refunds are done."""
    bet, lost = slote.body("bet"), slote.body("bet", amount="5")
    slote.post(bet)
    slote.post(lost)
    slote.doors.change(slote.player, status=status)
    assert slote.code(slote.body("bet")) == "BET_FAILED_KNOWN_ERROR"
    assert slote.post(slote.result(bet, "20")) == ok("105")
    assert slote.post(slote.undo(lost)) == ok("110")


def test_a36_fifty_equal_bets_at_once(slote):
    """One debit, and nobody is refused."""
    request = slote.request(slote.body("bet"))
    replies = slote.doors.send_all(slote.name, [request] * 50)
    assert {(reply.status, reply.body) for reply in replies} == {ok("90")}
    assert slote.rows() == [("bet", "10.0001", "90.00")]


def test_a36_ten_bets_for_the_money_of_five(slote):
    """Exactly five of ten bets of 20 at once are done."""
    requests = [slote.request(slote.body("bet", amount="20")) for _ in range(10)]
    bodies = [json.loads(each.body) for each in slote.doors.send_all(slote.name, requests)]
    assert sum(each["status"] for each in bodies) == 5
    assert {each.get("code") for each in bodies} == {None, "INSUFFICIENT_BALANCE"}
    assert slote.balance() == "0.0001"


@pytest.mark.parametrize("game", ["another_game", ...])
def test_a37_the_game_of_a_bet(slote, game):
    """The game may be another one than was launched, or be left out."""
    bet = slote.body("bet", game_id=game)
    assert slote.post(bet) == ok("90")
    assert slote.post(slote.result(bet, game_id=game)) == ok("100.0001")
    assert slote.post(slote.undo(bet, game_id=game)) == ok("110.0002")


def test_a38_members_of_newer_versions(slote):
    """Members that this version lacks are ignored."""
    more = {"is_finished": True, "currency": "EUR", "finished": 1, "player_id": "someone"}
    for action in ("bet", "win", "refund", "balance"):
        members = slote.body(action, round_id="r38") if action != "balance" else slote.body(action)
        assert slote.post(members | more)[1].startswith(b'{"status":true')


@pytest.mark.parametrize(
    ("action", "type_"), [("bet", "bonus"), ("bet", "win"), ("win", "tip"), ("win", None)]
)
def test_a39_an_unknown_type(slote, action, type_):
    """A type that the action has not is wrong input."""
    assert slote.code(slote.body(action, type=type_)) == "WRONG_INPUT_PARAMETERS"
    assert slote.rows() == []


def test_a43_balances_are_plain_numbers(slote):
    """A tenth and two tenths are three tenths."""
    slote.sit_down(None)
    for amount, balance in (("0.1", "0.1"), ("0.2", "0.3"), ("0.00001", "0.3")):
        slote.doors.deposit(f"{amount}-{slote.player}", amount, player=slote.player)
        assert slote.post(slote.body("balance")) == ok(balance)


def test_a43_a_balance_of_ten_to_the_sixteenth(place):
    """A large balance has no exponent and loses no digit."""
    rig = GatewayRig(place, own={"WHL": Currency("WHL", 0, 0)}).serve()
    slote = Slotegrator(rig).sit_down("10000000000000001", currency="WHL")
    assert slote.post(slote.body("balance")) == ok("10000000000000001")
    assert slote.post(slote.body("bet", amount="1")) == ok("10000000000000000")
    assert slote.code(slote.body("bet", amount="0.5")) == "WRONG_INPUT_PARAMETERS"
    rig.audit()
    rig.close()


# What the protocol leaves to HTTP.


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method(slote, method):
    """The address takes POST alone; the answer is a refusal all the same."""
    request = msgspec.structs.replace(slote.request(slote.body("bet")), method=method)
    status, body = slote.raw(request)
    assert (status, json.loads(body)["code"]) == (405, "WRONG_INPUT_PARAMETERS")
    assert slote.rows() == []


@pytest.mark.parametrize("path", ["/bet", "/", "/x/y"])
def test_another_path(slote, path):
    """There is one address; below it there is nothing."""
    request = msgspec.structs.replace(slote.request(slote.body("bet")), path=path)
    status, body = slote.raw(request)
    assert (status, json.loads(body)["code"]) == (404, "ACTION_IS_NOT_EXIST")


def test_a_body_that_is_too_large(slote):
    """More than 64 KiB are not read."""
    status, body = slote.post(json.dumps(slote.body("bet", x="y" * 70_000)).encode())
    assert (status, json.loads(body)["code"]) == (413, "WRONG_INPUT_PARAMETERS")


@pytest.mark.parametrize("kind", [None, b"text/plain", b"application/x-www-form-urlencoded"])
def test_an_odd_content_type(slote, kind):
    """What says that it is something else is read as JSON all the same."""
    request = slote.request(slote.body("bet"))
    headers = [pair for pair in request.headers if pair[0] != b"content-type"]
    headers += [] if kind is None else [(b"content-type", kind)]
    assert slote.raw(msgspec.structs.replace(request, headers=tuple(headers))) == ok("90")


@pytest.mark.parametrize("name", ["a|b;c", "bet/1", "win/2/3", "Zoë ключ 玩家", "x" * 255, "%00"])
def test_ids_of_any_characters(slote, name):
    """Ids are taken as they are."""
    bet = slote.body("bet", transaction_id=f"{name}"[:200] + slote.ids.uuid()[:8], round_id=name)
    assert slote.post(bet) == ok("90")
    assert slote.post(slote.result(bet, transaction_id=bet["transaction_id"])) == ok("100.0001")
    assert slote.post(slote.undo(bet)) == ok("110.0002")


def test_two_tokens_during_a_change(place):
    """Calls under the new and the old token are taken while both are set."""
    tokens = (Secret("sandbox_new"), Secret("sandbox_old"))
    options = msgspec.structs.replace(DIALECT.sandbox(), tokens=tokens)
    rig = GatewayRig(place, options={"slotegrator": options}).serve()
    slote = Slotegrator(rig).sit_down("100.0001")
    for token, balance in (("sandbox_new", "90"), ("sandbox_old", "79.9999")):
        raw = json.dumps(slote.body("bet")).encode()
        assert slote.post(raw, header=hmac_sha256(token.encode(), raw).encode()) == ok(balance)
    rig.close()
