"""The operator API of Naga Games through the gateway's own: launch, histories, transfers, locks."""

import json
import socket

import msgspec
import pytest
from aiohttp import web

from kit.gateway import GatewayRig
from kit.naga import Naga
from seamline.dialects.dialect import Secret
from seamline.dialects.nagagames import DIALECT
from seamline.dialects.signing import hmac_sha256

SECRET = "transfer-secret"


class Vendor:
    """The vendor's servers on the loopback: what they were asked, and what they answer."""

    def __init__(self):
        self.asked, self.answers = [], []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    async def start(self):
        """Listen."""
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self.reply)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        await web.SockSite(self.runner, self.socket).start()

    async def reply(self, request):
        """The next answer."""
        self.asked.append((request.method, request.path_qs, await request.read(), request.headers))
        status, body = self.answers.pop(0)
        return web.Response(status=status, body=json.dumps(body).encode())


@pytest.fixture(params=["transfer", "seamless"])
def rig(place, request):
    """A gateway in that mode whose vendor is on the loopback."""
    vendor = Vendor()
    options = msgspec.structs.replace(
        DIALECT.sandbox(), mode=request.param, secret_key=Secret(SECRET), base_url=vendor.url
    )
    made = GatewayRig(place, options={"nagagames": options})
    made.vendor = vendor
    made.run(vendor.start())
    yield made
    made.run(vendor.runner.cleanup())
    made.audit()
    made.close()


in_transfer_mode = pytest.mark.parametrize("rig", ["transfer"], indirect=True)
in_seamless_mode = pytest.mark.parametrize("rig", ["seamless"], indirect=True)


def operate(rig, name, **fields):
    """Ask for an operation of the vendor's."""
    return rig.operator("POST", f"/v1/integrations/nagagames/operations/{name}", fields)


def transfer(rig, name, player, amount="30.00", key="t1"):
    """Move money from one wallet to the other."""
    money = {"player": player, "currency": "USD", "amount": amount, "transaction_id": key}
    return operate(rig, name, **money)


@in_transfer_mode
def test_a_deposit_leaves_the_casinos_wallet(rig):
    """Money that goes to the vendor is gone here before the vendor hears of it, and signed for."""
    naga = Naga(rig).sit_down()
    rig.vendor.answers.append((201, {"balance": 30.5}))
    status, answer = transfer(rig, "deposit", naga.player)
    assert (status, answer["answer"], answer["balance"]) == (200, {"balance": "30.5"}, "70.00")
    ((method, path, body, headers),) = rig.vendor.asked
    assert (method, path) == ("POST", "/operator/transfer/deposit")
    assert headers["x-signature"] == hmac_sha256(SECRET.encode(), body)
    assert json.loads(body) == {
        "nativeId": naga.player,
        "brandCode": "dodo",
        "groupCode": "dapd",
        "currencyCode": "USD",
        "amount": 30,
        "nativeTransactionId": "t1",
    }


@in_transfer_mode
def test_a_refused_deposit_comes_back(rig):
    """What the vendor refused is given back, once."""
    naga = Naga(rig).sit_down()
    rig.vendor.answers.append((400, {"statusCode": 400, "message": "Invalid currency"}))
    status, problem = transfer(rig, "deposit", naga.player)
    assert (status, problem["vendor_message"]) == (422, "Invalid currency")
    assert naga.balance() == "100.00"
    assert transfer(rig, "deposit", naga.player)[0] == 409
    assert len(rig.vendor.asked) == 1
    assert naga.balance() == "100.00"


@in_transfer_mode
@pytest.mark.parametrize(
    "reply",
    [
        (500, {"message": "trouble"}),
        (400, {"message": "Duplicate native transaction id"}),
        (403, "no message"),
    ],
    ids=["trouble", "duplicate", "no words"],
)
def test_a_deposit_that_may_have_been_done_is_kept(rig, reply):
    """Where the vendor may have taken the money it stays reserved, and a person hears of it."""
    naga = Naga(rig).sit_down()
    rig.vendor.answers.append(reply)
    status, problem = transfer(rig, "deposit", naga.player)
    assert status in (502, 504)
    assert problem["outcome"] == "unknown"
    assert naga.balance() == "70.00"
    assert "notice" in [alert for _, alert in rig.alerts()]


@in_transfer_mode
def test_more_than_there_is_is_not_deposited(rig):
    """Who has too little asks the vendor nothing."""
    naga = Naga(rig).sit_down()
    status, problem = transfer(rig, "deposit", naga.player, "100.01")
    assert (status, problem["code"]) == (409, "insufficient_funds")
    assert rig.vendor.asked == []


@in_transfer_mode
def test_a_withdrawal_comes_into_the_casinos_wallet(rig):
    """What the vendor gave up is paid here, once per transfer."""
    naga = Naga(rig).sit_down()
    rig.vendor.answers += [(200, {"ok": True}), (200, {"ok": True})]
    status, answer = transfer(rig, "withdraw", naga.player, "12.50")
    assert (status, answer["balance"]) == (200, "112.50")
    transfer(rig, "withdraw", naga.player, "12.50")
    assert naga.balance() == "112.50"


@in_transfer_mode
def test_a_refused_withdrawal_pays_nothing(rig):
    """Without the vendor's agreement nothing is paid."""
    naga = Naga(rig).sit_down()
    rig.vendor.answers.append((400, {"message": "Insufficient balance"}))
    assert transfer(rig, "withdraw", naga.player)[0] == 422
    assert naga.balance() == "100.00"


@in_transfer_mode
def test_transfer_mode_authorizes_and_takes_no_bets(rig):
    """The vendor asks who is playing; it has no business with bets."""
    naga = Naga(rig).sit_down()
    assert naga.post("authorize", naga.who())["nativeId"] == naga.player
    for call, data in (("place-bet", naga.play()), ("cancel-bet", {"betId": "1"})):
        assert naga.post(call, data) == (404, "Not found")
    spoilt = naga.request("authorize", naga.who(gameCode="xx"))
    body = spoilt.body.replace(b'"xx"', b'"yy"')
    assert naga.told(msgspec.structs.replace(spoilt, body=body)) == (400, "Cannot verify data!")


@in_seamless_mode
def test_row59_a_launch_is_built_here(rig):
    """Opening a session tells the URL of the game, and asks the vendor nothing."""
    rig.player("p1")
    wanted = {
        "integration": "nagagames",
        "player": "p1",
        "currency": "USD",
        "game": "mahjong",
        "launch": True,
        "return_url": "https://casino.example/lobby",
    }
    answer = rig.asked("POST", "/v1/sessions", wanted)
    assert answer["game_url"] == (
        f"https://mahjong.sandbox.invalid/?playerToken={answer['session_id']}"
        "&groupCode=dapd&brandCode=dodo&redirectUrl=https://casino.example/lobby"
    )
    assert rig.vendor.asked == []


@in_seamless_mode
def test_row57_an_error_of_the_vendor_is_told(rig):
    """The vendor's words and code reach the operator."""
    rig.vendor.answers.append((400, {"message": "Brand Not Found", "code": 1201}))
    status, problem = operate(rig, "lobby-url", session="t")
    assert status == 422
    assert (problem["vendor_code"], problem["vendor_message"]) == ("1201", "Brand Not Found")


@in_seamless_mode
def test_row58_histories_over_pages_and_days(rig):
    """What comes next is asked for as it was told, until there is nothing more."""
    pages = [[{"id": f"a{n}"} for n in range(100)], [{"id": "a100"}], [{"id": "b0"}]]
    rig.vendor.answers += [(200, {"data": rows, "total": total})
                           for rows, total in zip(pages, (101, 101, 1), strict=True)]  # fmt: skip
    wanted = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T12:00:00Z"}
    found = []
    while wanted is not None:
        status, answer = operate(rig, "bet-histories", **wanted)
        assert status == 200, answer
        found += [each["id"] for each in answer["answer"]["items"]]
        wanted = answer["answer"]["next"]
    assert found == [*(f"a{n}" for n in range(101)), "b0"]
    assert "skip=100" in rig.vendor.asked[1][1]
    assert "startDate=2026-03-02T00%3A00%3A00.000Z" in rig.vendor.asked[2][1]


@in_seamless_mode
def test_a_player_is_unlocked(rig):
    """201 with a message is a success; so is deleting a session."""
    rig.vendor.answers.append((201, {"message": "Player Unlocked Successfully"}))
    status, answer = operate(rig, "unlock-player", player_id="7")
    assert (status, answer["answer"]["message"]) == (200, "Player Unlocked Successfully")


@in_seamless_mode
def test_transfers_are_not_offered_in_seamless_mode(rig):
    """No money moves for a call that this casino does not have."""
    naga = Naga(rig).sit_down()
    status, problem = transfer(rig, "deposit", naga.player)
    assert (status, problem["field"]) == (422, "mode")
    assert naga.balance() == "100.00"
