"""The aggregator's checklist, rows A34 and A40 to A42, against a provider on the loopback.

The operator asks through `/v1`; the provider checks each signature and answers as it is told to.
"""

import asyncio
import json
import socket
from datetime import UTC, datetime

import msgspec
import pytest
from aiohttp import web

from kit.gateway import GatewayRig
from kit.slotegrator import Slotegrator, ok
from seamline.dialects.dialect import BadSignature, Request
from seamline.dialects.slotegrator import DIALECT
from seamline.ledger.ledger import clock_ms

DAY_MS = 86_400_000


class Provider:
    """A provider's API: remembers what it was asked, and answers what it is told to."""

    def __init__(self, rig, bound):
        self.rig, self.bound = rig, bound
        self.asked = []
        self.answers = {}

    async def open(self):
        """Listen."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.SockSite(self.runner, self.bound).start()

    async def answer(self, request):
        """Check the signature over the bytes that came; answer as told, or hang up."""
        raw = await request.read()
        headers = [(name.lower().encode(), text.encode()) for name, text in request.headers.items()]
        came = Request(request.method, "", headers=headers, body=raw)
        try:
            DIALECT.verify(came, self.rig.integrations["slotegrator"])
        except BadSignature:
            return web.Response(status=500, text="bad signature")
        self.asked.append((request.path, json.loads(raw)))
        status, body = self.answers.get(request.path, (200, None))
        if body is None:
            request.transport.abort()
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text)


@pytest.fixture(scope="module")
def rig(shared_place):
    """A gateway whose provider listens on the loopback."""
    bound = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    options = msgspec.structs.replace(DIALECT.sandbox(), base_url=url)
    made = GatewayRig(shared_place, options={"slotegrator": options})
    made.serve()
    made.provider = Provider(made, bound)
    made.run(made.provider.open())
    yield made
    made.audit()
    made.run(made.provider.runner.cleanup())
    made.close()


@pytest.fixture
def slote(rig):
    """A new player who has 100.00 USD, at a provider that was asked nothing yet."""
    rig.provider.asked.clear()
    rig.provider.answers.clear()
    return Slotegrator(rig).sit_down()


def launch(slote, **changed):
    """Ask for a launch: status and answer."""
    body = {"integration": slote.name, "player": slote.player, "currency": "USD", "game": "g1"}
    given = {"launch": True, "language": "de-AT", "return_url": "https://casino.example/exit"}
    return slote.doors.operator("POST", "/v1/sessions", body | given | changed)


@pytest.mark.parametrize("more", [{}, {"status": True}])
def test_a40_a_launch(slote, more):
    """The provider hears the session that it will name in its calls; its URL is passed on."""
    provider = slote.doors.provider
    provider.answers["/game"] = (200, {"url": "https://games.example/1"} | more)
    status, answer = launch(slote)
    assert (status, answer["game_url"]) == (201, "https://games.example/1")
    assert provider.asked == [
        (
            "/game",
            {
                "client_id": "sandbox_casino",
                "game_id": "g1",
                "currency": "USD",
                "language": "de",
                "session_id": answer["session_id"],
                "player_id": f"{slote.player}USD",
                "return_url": "https://casino.example/exit",
            },
        )
    ]
    slote.session = answer["session_id"]
    assert slote.post(slote.body("bet", amount="10")) == ok("90")


def test_a40_a_demo(slote):
    """A demo has an endpoint of its own, names nobody, and opens no session."""
    provider = slote.doors.provider
    provider.answers["/demo"] = (200, {"url": "https://games.example/demo"})
    status, answer = launch(slote, demo=True)
    assert status < 300
    assert answer["game_url"] == "https://games.example/demo"
    ((path, members),) = provider.asked
    assert path == "/demo"
    assert list(members) == ["client_id", "game_id", "language", "return_url"]


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ((403, {"status": False, "code": 403, "message": "Wrong sign"}), "403", "Wrong sign"),
        (
            (200, {"status": False, "code": "WRONG_INPUT_PARAMETERS", "message": "no such game"}),
            "WRONG_INPUT_PARAMETERS",
            "no such game",
        ),
        ((502, "<html>Bad gateway</html>"), None, "502"),
        ((200, "{}"), None, "url"),
    ],
)
def test_a41_a_refusal_is_passed_on(slote, answer, code, said):
    """Whatever the provider answers, the operator gets one problem with the provider's words."""
    slote.doors.provider.answers["/game"] = answer
    status, problem = launch(slote)
    assert status == (422 if code == "WRONG_INPUT_PARAMETERS" else 502)
    assert problem["code"] == "vendor_refused"
    assert problem.get("vendor_code") == code
    assert said in problem["detail"]


def test_a41_a_provider_that_hangs_up(slote):
    """No answer at all is a problem too; a launch is asked for again before that is said."""
    slote.doors.provider.answers["/game"] = (200, None)
    status, problem = launch(slote)
    assert (status, problem["code"]) == (502, "vendor_unreachable")
    assert len(slote.doors.provider.asked) == 3
    assert len({json.dumps(members) for _, members in slote.doors.provider.asked}) == 1


def test_a41_a_provider_that_keeps_silent(slote, monkeypatch):
    """A provider that does not answer in time is a problem of its own."""

    async def silent(*_):
        await asyncio.sleep(0)
        raise TimeoutError

    rig = slote.doors
    transport = rig.gateway.send.__self__._transport
    monkeypatch.setattr(transport, "send", silent)
    status, problem = launch(slote)
    assert (status, problem["code"]) == (504, "vendor_timeout")


def test_jackpots(slote):
    """The provider's jackpots as it writes them."""
    level = {"name": "grand", "amount": 1234.5678, "currency": "USD"}
    slote.doors.provider.answers["/jackpots"] = (200, {"status": True, "jackpots": [level]})
    status, answer = slote.doors.operator("GET", f"/v1/jackpots?integration={slote.name}")
    assert status == 200
    assert answer["items"] == [{"name": "grand", "amount": "1234.5678", "currency": "USD"}]
    assert slote.doors.provider.asked == [("/jackpots", {"client_id": "sandbox_casino"})]


def campaign(slote, name, *, quantity=10):
    """Give free spins: status and answer."""
    from_ms = clock_ms() - DAY_MS
    body = {
        "integration": slote.name,
        "id": name,
        "currency": "USD",
        "quantity": quantity,
        "bet_line": 2,
        "valid_from": moment(from_ms),
        "valid_until": moment(from_ms + 7 * DAY_MS),
        "games": ["g1"],
        "players": [slote.player],
    }
    return slote.doors.operator("POST", "/v1/campaigns", body)


def moment(ms):
    """Unix milliseconds as the operator API writes times."""
    return datetime.fromtimestamp(ms // 1000, UTC).isoformat()


def test_a42_a_campaign_and_its_end(slote):
    """201 is success; the provider's id is kept; to cancel, the provider is told ours."""
    provider, name = slote.doors.provider, slote.ids.uuid()
    provider.answers["/campaigns/create"] = (201, {"status": True, "new_campaign_id": "n7"})
    provider.answers["/campaigns/cancel"] = (200, {"status": True})
    status, answer = campaign(slote, name)
    assert (status, answer["id"], answer["vendor_id"]) == (201, name, "n7")
    ((path, members),) = provider.asked
    assert path == "/campaigns/create"
    assert members["bet_id"] == 1, "bet lines count from one, bet ids from zero"
    assert members["player_id"] == f"{slote.player}USD"
    assert members["valid_until"] - members["valid_from"] == 7 * DAY_MS // 1000
    target = f"/v1/campaigns?integration={slote.name}&id={name}"
    assert slote.doors.operator("DELETE", target)[0] == 204
    assert provider.asked[1] == (
        "/campaigns/cancel",
        {"client_id": "sandbox_casino", "campaign_id": name},
    )


def test_a34_free_spins_count_for_the_players_campaign(slote):
    """A free spin and its win are of the player's oldest campaign, which the provider never names.

    Once that is cancelled they are done all the same, and a person hears of it.
    """
    provider, name = slote.doors.provider, slote.ids.uuid()
    provider.answers["/campaigns/create"] = (200, {"status": True, "new_campaign_id": "n8"})
    provider.answers["/campaigns/cancel"] = (200, {"status": True})
    campaign(slote, name)
    bet = slote.body("bet", type="freespin", amount="1")
    win = slote.result(bet, "3", type="freespin")
    assert slote.post(bet) == ok("100")
    assert slote.post(win) == ok("103")
    rows = slote.doors.transactions(brand="acme", player=slote.player)[1:]
    assert [row["campaign"] for row in rows] == [name, name]
    keys = [f"bet/{bet['transaction_id']}", f"win/{win['transaction_id']}"]
    assert slote.alerts(*keys) == []
    slote.doors.operator("DELETE", f"/v1/campaigns?integration={slote.name}&id={name}")
    late = slote.result(bet, "2", type="freespin")
    assert slote.post(late) == ok("105")
    assert slote.alerts(f"win/{late['transaction_id']}") == ["campaign_unknown"]


def test_what_the_provider_would_refuse_is_not_asked(slote):
    """A campaign of this protocol has one player and one game."""
    body = {
        "integration": slote.name,
        "id": "c1",
        "currency": "USD",
        "quantity": 1,
        "valid_from": "2026-01-01T00:00:00Z",
        "bet_line": 1,
    }
    status, problem = slote.doors.operator("POST", "/v1/campaigns", body)
    assert (status, problem["field"]) == (422, "players")
    assert slote.doors.provider.asked == []
