"""The vendor's checklist over HTTP: authorize, place-bet, payout, and what is told of them.

Rows 1 to 5 and 10 to 15 are about bytes (`tests/dialects/nagagames`); rows 53 to 56 are the
simulator's.
"""

import json
from contextlib import contextmanager
from hashlib import sha256

import msgspec
import pytest

from kit.gateway import GatewayRig
from kit.naga import Naga, balance, heard
from seamline.dialects import rsa
from seamline.dialects.dialect import Request
from seamline.dialects.nagagames import DIALECT
from seamline.dialects.nagagames.signature import with_signature
from seamline.money import Currency

HASH_ERROR = (400, "Cannot compare dataHash and checksum!")
SIGNATURE_ERROR = (400, "Cannot verify data!")
TOKEN_ERROR = (401, "Invalid player token")
CHANGED = (409, "Duplicate bet with different data")


@pytest.fixture
def choosy(place):
    """A gateway where one game is switched on, and a currency has no decimals."""
    options = msgspec.structs.replace(DIALECT.sandbox(), games=frozenset({"mahjong", "pandora"}))
    rig = GatewayRig(place, options={"nagagames": options}, own={"CHIP": Currency("CHIP", 0, 0)})
    yield rig.serve()
    rig.audit()
    rig.close()


@contextmanager
def playing(place, *games):
    """A gateway over that place's ledger, at which these games may be played."""
    options = msgspec.structs.replace(DIALECT.sandbox(), games=frozenset(games))
    rig = GatewayRig(place, options={"nagagames": options}).serve()
    try:
        yield rig
        rig.audit()
    finally:
        rig.close()


# The signature at the door.


def test_row06_one_byte_changed(naga):
    """Data that was changed on the way is refused and moves nothing."""
    request = naga.request("place-bet", naga.play())
    changed = request.body.replace(b'"amount":10', b'"amount":90')
    assert naga.told(msgspec.structs.replace(request, body=changed)) == HASH_ERROR
    assert naga.rows() == []


def test_row07_a_forged_hash(naga):
    """Data and hash that fit each other under a signature of other data are refused."""
    request = naga.request("place-bet", naga.play())
    forged = naga.request("place-bet", naga.play(amount=90))
    stolen = request.header(b"x-signature")
    assert naga.told(with_signature(forged, stolen)) == SIGNATURE_ERROR
    assert naga.rows() == []


def test_row07_a_signature_of_a_forged_hash(naga):
    """A rightly signed hash does not make up for data that it is not of."""
    other = sha256(b"{}").hexdigest()
    private = naga.integration.options.private_key.reveal()
    signature = rsa.to_base64(rsa.signature_of(private, other.encode()))
    envelope = {"data": naga.play(), "dataHash": other}
    request = Request("POST", "/place-bet", body=msgspec.json.encode(envelope))
    assert naga.told(with_signature(request, signature)) == HASH_ERROR
    assert naga.rows() == []


def test_row08_a_pretty_printed_body(naga):
    """An indented body under the hash of the compact one is the same bet."""
    request = naga.request("place-bet", naga.play())
    body = json.dumps(json.loads(request.body), indent=2).encode()
    assert naga.told(msgspec.structs.replace(request, body=body)) == balance(90)


@pytest.mark.parametrize("name", [b"X-SIGNATURE", b"X-Signature", b"x-signature"])
def test_row09_the_headers_case(naga, name):
    """The header's name may be written in any case."""
    request = naga.request("place-bet", naga.play())
    headers = ((name, request.header(b"x-signature")),)
    assert naga.told(msgspec.structs.replace(request, headers=headers)) == balance(90)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), (400, "Invalid request")),
        (((b"x-signature", b"%%%"),), SIGNATURE_ERROR),
        (((b"x-signature", b"AAAA"),), SIGNATURE_ERROR),
    ],
    ids=["missing", "not base64", "wrong"],
)
def test_row10_a_bad_header(naga, headers, expected):
    """A missing header and one that is no signature are refused."""
    request = naga.request("place-bet", naga.play())
    assert naga.told(msgspec.structs.replace(request, headers=headers)) == expected


def test_row14_other_spellings_of_an_amount(naga):
    """10, 10.0 and 10.00, each under its own hash, debit the same."""
    for number, left in (("10", 90), ("10.0", 80), ("10.00", 70), ('"10.00"', 60)):
        raw = json.dumps(naga.play(amount=7)).replace('"amount": 7', f'"amount": {number}')
        assert naga.post("place-bet", None, raw=raw) == balance(left)
    assert naga.rows() == [("bet", "10.00", f"{left}.00") for left in (90, 80, 70, 60)]


# Authorize and balance.


def test_row16_row19_authorize(naga):
    """Authorize tells the player, the currency and the balance, as often as it is asked."""
    expected = {"nativeId": naga.player, "currency": "USD", "balance": 100}
    assert naga.post("authorize", naga.who()) == expected
    assert naga.post("authorize", naga.who()) == expected
    assert naga.rows() == []


def test_row17_an_unknown_or_expired_token(naga):
    """A token that nobody knows, or that was not used for a day, is 401."""
    assert naga.post("authorize", naga.who(playerToken="nobody")) == TOKEN_ERROR
    naga.doors.pass_time(hours=24.01)
    assert naga.post("authorize", naga.who()) == TOKEN_ERROR


def test_row17_an_unknown_token_on_other_calls(naga):
    """A token that nobody knows bets nothing; a payout of a known bet goes to whose bet it is."""
    bet = naga.play()
    assert naga.post("place-bet", bet | {"playerToken": "nobody"}) == TOKEN_ERROR
    unknown = naga.pay(bet, playerToken="nobody")
    assert isinstance(naga.post("payout", unknown), tuple)
    assert naga.rows() == []
    naga.post("place-bet", bet)
    assert naga.post("payout", unknown) == balance(100)


def test_row17_a_closed_session(naga):
    """A session that the operator closed takes no more bets, and no authorize."""
    naga.leave()
    assert naga.post("authorize", naga.who()) == TOKEN_ERROR
    assert naga.post("place-bet", naga.play()) == TOKEN_ERROR


def test_row17_a_token_that_is_used_stays(naga):
    """Each call keeps the token alive for another day, less a quarter of it."""
    for left in (99, 98, 97):
        naga.doors.pass_time(hours=17)
        assert naga.post("place-bet", naga.play(amount=1)) == balance(left)


def test_row18_a_wrong_brand_or_group(naga):
    """The codes of another casino are refused."""
    for name in ("brandCode", "groupCode"):
        assert naga.post("authorize", naga.who(**{name: "xxxx"})) == (400, "Invalid brand or group")
        assert naga.post("place-bet", naga.play(**{name: "xxxx"})) == (
            400,
            "Invalid brand or group",
        )


def test_a_blocked_player(naga):
    """A blocked player is neither authorized nor takes part."""
    naga.doors.change(naga.player, status="blocked")
    assert naga.post("authorize", naga.who()) == (403, "Player is blocked")
    assert naga.post("place-bet", naga.play()) == (403, "Player is blocked")
    assert naga.rows() == []


def test_a_game_that_is_switched_off(choosy):
    """Other games than those in the options take no authorize and no bets, and pay all the same."""
    naga = Naga(choosy).sit_down()
    game = (400, "Invalid game")
    assert naga.post("authorize", naga.who(gameCode="fulong")) == game
    assert naga.post("place-bet", naga.play(gameCode="fulong")) == game
    assert naga.post("authorize", naga.who(gameCode="mahjong"))["balance"] == 100
    assert naga.post("place-bet", naga.play(gameCode="mahjong")) == balance(90)


def test_row45_balance(naga):
    """The balance is told; a token that nobody knows is 401."""
    expected = {"nativeId": naga.player, "currency": "USD", "balance": 100}
    assert naga.post("balance", {"playerToken": naga.session}) == expected
    assert naga.post("balance", {"playerToken": "nobody"}) == TOKEN_ERROR


def test_row52_numbers_of_the_answers(choosy):
    """Balances are numbers without idle zeros and without exponent, whatever their size."""
    naga = Naga(choosy).sit_down("100.50")
    reply = naga.doors.send(naga.name, naga.request("balance", {"playerToken": naga.session}))
    assert b'"balance":100.5}' in reply.body
    naga = Naga(choosy).sit_down("9000000000000000000", currency="CHIP")
    reply = naga.doors.send(naga.name, naga.request("balance", {"playerToken": naga.session}))
    assert b'"balance":9000000000000000000}' in reply.body


def test_row52_a_fraction_of_a_cent_is_not_told(naga):
    """A balance is rounded down to two decimals."""
    naga.sit_down("0.00019", currency="BTC")
    answer = naga.post("balance", {"playerToken": naga.session})
    assert (answer["balance"], answer["currency"]) == (0, "BTC")


def test_player_token(naga):
    """The token of a player for a game is the newest open session; without one there is none."""
    options = naga.integration.options
    codes = {"groupCode": options.group_code, "brandCode": options.brand_code}
    asked = {"nativeId": naga.player, **codes, "gameCode": naga.game}
    assert naga.post("player-token", asked) == {"playerToken": naga.session}
    none = (404, "Player not found")
    assert naga.post("player-token", asked | {"gameCode": "another"}) == none
    assert naga.post("player-token", asked | {"nativeId": "nobody"}) == none


# Place-bet.


def test_row20_row21_a_bet_and_its_repeats(naga):
    """A bet debits once; the vendor's two repeats get the same answer."""
    bet = naga.play()
    for _ in range(3):
        assert naga.post("place-bet", bet) == balance(90)
    assert naga.rows() == [("bet", "10.00", "90.00")]


def test_row21_a_repeat_is_told_the_balance_now(naga):
    """What a repeat is told is what the player has, not what was left then."""
    bet = naga.play()
    naga.post("place-bet", bet)
    naga.post("place-bet", naga.play(amount=5))
    assert naga.post("place-bet", bet) == balance(85)


@pytest.mark.parametrize(
    "change",
    [
        {"transactionId": "another"},
        {"parentBetId": "another"},
        {"betType": "JACKPOT"},
        {"betType": ...},
        {"isLastFreeSpins": True},
        {"isLastFreeSpins": ...},
        {"amount": 10.0},
    ],
    ids=repr,
)
def test_row22_fields_that_may_differ_in_a_repeat(naga, change):
    """A bet is known by its id; what is no money may differ."""
    bet = naga.play()
    naga.post("place-bet", bet)
    again = {name: value for name, value in (bet | change).items() if value is not ...}
    assert naga.post("place-bet", again) == balance(90)
    assert naga.rows() == [("bet", "10.00", "90.00")]


def test_row22_another_token_of_the_same_player(naga):
    """The player may have opened the game again in between."""
    bet = naga.play()
    naga.post("place-bet", bet)
    naga.open_session()
    assert naga.post("place-bet", bet | {"playerToken": naga.session}) == balance(90)
    assert naga.rows() == [("bet", "10.00", "90.00")]


@pytest.mark.parametrize("change", [{"amount": 11}, {"gameCode": "another"}], ids=repr)
def test_row23_a_known_bet_with_other_content(naga, change):
    """Another amount or game under a known id is 409, moves nothing, and alerts."""
    bet = naga.play()
    naga.post("place-bet", bet)
    assert naga.post("place-bet", bet | change) == CHANGED
    assert naga.rows() == [("bet", "10.00", "90.00")]
    assert naga.alerts(f"bet/{bet['betId']}") == ["duplicate_changed"]


def test_row23_a_known_bet_of_another_player(naga):
    """A player's bet is not answered to another one."""
    bet = naga.play()
    naga.post("place-bet", bet)
    other = Naga(naga.doors).sit_down("55.00")
    assert other.post("place-bet", bet | {"playerToken": other.session}) == CHANGED
    assert other.rows() == []


def test_row24_insufficient_balance(naga):
    """A stake above the balance is 402; the same bet succeeds when there is money."""
    bet = naga.play(amount=100.01)
    assert naga.post("place-bet", bet) == (402, "Insufficient balance")
    assert naga.rows() == []
    naga.doors.deposit(f"more-{bet['betId']}", "0.01", player=naga.player)
    assert naga.post("place-bet", bet) == balance(0)


def test_row25_all_there_is(naga):
    """A stake of exactly the balance leaves nothing."""
    assert naga.post("place-bet", naga.play(amount=100)) == balance(0)


@pytest.mark.parametrize("amount", ["-1", "0.001", '"abc"', "1" + "0" * 20, "null"])
def test_row26_a_bad_amount(naga, amount):
    """Negative, too fine, too long or no number: 400, and nothing moves."""
    raw = json.dumps(naga.play(amount=7)).replace('"amount": 7', f'"amount": {amount}')
    assert naga.post("place-bet", None, raw=raw) == (400, "Invalid data: amount")
    assert naga.rows() == []


def test_row26_the_largest_amounts(naga):
    """More than the ledger can count is an error that the vendor can read, and nothing moves."""
    huge = "999999999999999999.99"
    bet = naga.play()

    def with_amount(data):
        return json.dumps(data).replace('"amount": 10', f'"amount": {huge}')

    dear = with_amount(naga.play())
    assert naga.post("place-bet", None, raw=dear) == (402, "Insufficient balance")
    naga.post("place-bet", bet)
    pay = naga.pay(bet)
    for _ in range(2):
        refused = naga.post("payout", None, raw=with_amount(pay))
        assert refused == (400, "Invalid data: amount")
    assert naga.rows() == [("bet", "10.00", "90.00")]
    assert naga.post("payout", pay) == balance(100)


def test_row26_a_missing_amount(naga):
    """Without an amount nothing is bet."""
    assert naga.post("place-bet", naga.play(amount=...)) == (400, "Invalid data: amount")


def test_row27_a_wrong_currency(naga):
    """Another currency than the player's is 400, on a bet and on its payout."""
    bet = naga.play()
    assert naga.post("place-bet", bet | {"currency": "EUR"}) == (400, "Invalid currency")
    assert naga.post("place-bet", bet | {"currency": "usd"}) == (400, "Invalid currency")
    assert naga.post("place-bet", bet) == balance(90)
    assert naga.post("payout", naga.pay(bet, currency="EUR")) == (400, "Invalid currency")
    assert naga.rows() == [("bet", "10.00", "90.00")]


def test_row28_fifty_equal_bets_at_once(naga):
    """Fifty equal bets at once are all done, by one debit."""
    assert naga.post_all("place-bet", [naga.play()] * 50) == [balance(90)] * 50
    assert naga.rows() == [("bet", "10.00", "90.00")]


def test_row29_ten_bets_for_the_money_of_five(naga):
    """Ten different bets of 20 at once: exactly five succeed."""
    answers = naga.post_all("place-bet", [naga.play(amount=20) for _ in range(10)])
    assert sum(isinstance(each, dict) for each in answers) == 5
    assert answers.count((402, "Insufficient balance")) == 5
    assert naga.balance() == "0.00"


# Payout.


def test_row30_row31_a_payout_and_its_repeat(naga):
    """A payout credits once, and its bet is resolved."""
    bet = naga.play(amount=20)
    assert naga.post("place-bet", bet) == balance(80)
    pay = naga.pay(bet, amount=35)
    assert naga.post("payout", pay) == balance(115)
    assert naga.post("payout", pay | {"transactionId": "another"}) == balance(115)
    assert naga.status(bet) == "RESOLVED"
    assert naga.rows() == [("bet", "20.00", "80.00"), ("win", "35.00", "115.00")]


def test_row32_a_payout_of_another_amount(naga):
    """A second payout of a bet with another amount is 409 and pays nothing."""
    bet = naga.play()
    naga.post("place-bet", bet)
    naga.post("payout", naga.pay(bet, amount=5))
    assert naga.post("payout", naga.pay(bet, amount=6)) == CHANGED
    assert naga.balance() == "95.00"
    assert naga.alerts(f"payout/{bet['betId']}") == ["duplicate_changed"]


def test_a_bet_that_is_sent_as_a_payout(naga):
    """The path is not signed: the bet's own bytes pay nothing, its payout does."""
    bet = naga.play(amount=40)
    sent = naga.request("place-bet", bet)
    assert naga.told(sent) == balance(60)
    for _ in range(2):
        assert naga.told(msgspec.structs.replace(sent, path="/payout")) == CHANGED
    assert naga.alerts(f"payout/{bet['betId']}") == ["duplicate_changed"]
    assert naga.status(bet) == "PENDING"
    assert naga.post("payout", naga.pay(bet, amount=40)) == balance(100)
    assert naga.rows() == [("bet", "40.00", "60.00"), ("win", "40.00", "100.00")]


def test_row33_a_payout_of_nothing(naga):
    """A lost spin is told by a payout of 0, which resolves the bet."""
    bet = naga.play()
    naga.post("place-bet", bet)
    assert naga.post("payout", naga.pay(bet, amount=0)) == balance(90)
    assert naga.status(bet) == "RESOLVED"
    assert naga.rows() == [("bet", "10.00", "90.00"), ("win", "0.00", "90.00")]


def test_row34_a_payout_before_its_bet(naga):
    """Without its bet a payout is 404 and pays nothing; after the bet it is paid."""
    bet = naga.play()
    pay = naga.pay(bet, amount=25)
    for _ in range(2):
        assert naga.post("payout", pay) == (404, "Bet not found")
    assert naga.rows() == []
    naga.post("place-bet", bet)
    assert naga.post("payout", pay) == balance(115)


def test_row35_a_payout_that_comes_late(naga):
    """An expired token and a blocked player do not keep a payout or a cancel from being done."""
    won, undone = naga.play(), naga.play()
    naga.post("place-bet", won)
    naga.post("place-bet", undone)
    naga.doors.pass_time(hours=24 * 120)
    naga.doors.change(naga.player, status="blocked")
    assert naga.post("payout", naga.pay(won, amount=25)) == balance(105)
    assert naga.cancel(undone, playerToken=naga.session)["status"] == "CANCELED"
    assert naga.status(won) == "RESOLVED"
    assert naga.balance() == "115.00"


def test_row35_a_payout_of_a_disabled_game(place):
    """The operator takes a game out of the settings and starts again: what was bet is finished."""
    with playing(place, "mahjong", "pandora") as rig:
        naga = Naga(rig)
        naga.game = "pandora"
        naga.sit_down()
        won, undone = naga.play(), naga.play()
        for each in (won, undone):
            assert isinstance(naga.post("place-bet", each), dict)
    with playing(place, "mahjong") as rig:
        naga.doors, naga.integration = rig, rig.integrations[naga.name]
        assert naga.post("place-bet", naga.play()) == (400, "Invalid game")
        assert naga.post("authorize", naga.who()) == (400, "Invalid game")
        assert naga.post("payout", naga.pay(won, amount=25)) == balance(105)
        assert naga.cancel(undone)["status"] == "CANCELED"
        assert naga.status(won) == "RESOLVED"
        assert naga.post("place-bet", naga.play(gameCode="mahjong")) == balance(105)


def test_row51_an_unknown_bet_type(naga):
    """A new bet type is taken and shown as it came."""
    bet = naga.play(betType="SOMETHING_NEW")
    assert naga.post("place-bet", bet) == balance(90)
    (row,) = naga.doors.transactions(brand="acme", player=naga.player)[1:]
    assert (row["feature"], row["reference"]) == ("SOMETHING_NEW", bet["transactionId"])


@pytest.mark.parametrize("put", ["a|b;c/d", "é 麻将 😀", "%2F..", "x" * 255])
def test_ids_of_any_characters(naga, put):
    """`|`, `;`, `/` and whatever else in ids: the bet, its payout and its status are found."""
    bet = naga.play(betId=f"{put[:200]}{naga.ids.uuid()}")
    assert naga.post("place-bet", bet) == balance(90)
    assert naga.post("payout", naga.pay(bet)) == balance(100)
    assert naga.status(bet) == "RESOLVED"


# What is not a call.


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method(naga, method):
    """Another method is refused in an envelope too."""
    request = msgspec.structs.replace(naga.request("balance", {}), method=method)
    assert naga.told(request) == (405, "Method not allowed")


def test_a_call_that_is_not_there(naga):
    """An unknown path is refused in an envelope too."""
    request = msgspec.structs.replace(naga.request("balance", {}), path="/nothing")
    assert naga.told(request) == (404, "Not found")


def test_a_body_that_is_too_large(naga):
    """More than 64 KiB are refused in an envelope."""
    request = msgspec.structs.replace(naga.request("balance", {}), body=b" " * 65_537)
    reply = naga.doors.send(naga.name, request)
    assert heard(reply) == (413, "Request is too large")
