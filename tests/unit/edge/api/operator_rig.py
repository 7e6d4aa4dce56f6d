"""A gateway on a real store, with a made-up vendor, and the operator API in front of it."""

import asyncio
from types import SimpleNamespace

import msgspec

from kit.world import CASHIER_POLICY, CURRENCIES, NOON
from seamline.dialects.dialect import (
    CampaignState,
    Dialect,
    Extra,
    Game,
    Jackpot,
    Launched,
    Malformed,
    Operation,
    Reply,
    Request,
    Secret,
    Studio,
    VendorError,
)
from seamline.edge.api import operator_api
from seamline.edge.gateway import Connection, Gateway, cashier_of
from seamline.ledger.ledger import Ledger
from seamline.ledger.rows import Terms
from seamline.ledger.sqlite.store import SqliteStore
from seamline.money import Quantity
from seamline.wallet import Command, Integration, Kind, Policy
from unit.edge.api.asgi_caller import call

KEY, SECOND_KEY = "operator-key-one", "operator-key-two"
HOUR_MS = 3_600_000
_ENCODE = msgspec.json.encode
_DECODE = msgspec.json.decode


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The made-up vendor has one option."""

    base_url: str = "https://vendor.example/api"


def compose(path):
    """Every call of the made-up vendor is a POST of what is asked, as JSON."""

    def composed(ask, _integration, _at_ms):
        if getattr(ask, "platform", "") == "fridge":
            raise Malformed("expected desktop or mobile", field="platform")
        return Request("POST", path, body=_ENCODE(ask))

    return composed


def read(make):
    """The answer made by *make* of the reply's JSON; any status but 200 is a refusal."""

    def readable(reply, _ask, _integration):
        if reply.status != 200:
            raise VendorError("no such game", status=reply.status, code="game_404")
        return make(_DECODE(reply.body) if reply.body else {})

    return readable


class LobbyAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a lobby is asked for."""

    tables: int
    language: str = "en"
    platform: str = "desktop"


def compose_at(ask, _integration, at_ms):
    """The clock is part of what is sent."""
    return Request("POST", "/lobby", body=_ENCODE({"tables": ask.tables, "at_ms": at_ms}))


LOBBY = Extra(
    name="lobby",
    summary="List the tables",
    ask=LobbyAsk,
    operation=Operation(compose=compose_at, read=read(lambda said: said), repeatable=True),
)
ONCE = Extra(
    name="once",
    summary="Ask for something that must not be asked for twice",
    ask=LobbyAsk,
    operation=Operation(compose=compose("/once"), read=read(lambda said: said)),
)


class BuyAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box to buy."""

    transaction_id: str
    price: str
    gift: str | None = None
    session: str = "s1"
    platform: str = "desktop"


def reserve_price(ask, integration):
    """The price leaves the player first."""
    if ask.price == "free":
        raise Malformed("expected a price", field="price")
    return Command(
        kind=Kind.BET,
        integration=integration.name,
        key=f"buy/{ask.transaction_id}",
        session=ask.session,
        amount=Quantity.parse(ask.price),
    )


def settle_gift(ask, integration):
    """What is in the box is paid after it."""
    if ask.gift is None:
        return None
    return Command(
        kind=Kind.REWARD,
        integration=integration.name,
        key=f"gift/{ask.transaction_id}",
        session=ask.session,
        amount=Quantity.parse(ask.gift),
    )


BUY = Extra(
    name="buy",
    summary="Buy a box",
    ask=BuyAsk,
    operation=Operation(compose=compose("/buy"), read=read(lambda said: said)),
    reserve=reserve_price,
    settle=settle_gift,
)
CASH = Extra(
    name="cash",
    summary="Give a box back",
    ask=BuyAsk,
    operation=Operation(compose=compose("/cash"), read=read(lambda said: said)),
    settle=settle_gift,
)
STUDIO = Studio(
    base_url=lambda integration: integration.options.base_url,
    launch=Operation(compose=compose("/launch"), read=read(lambda said: Launched(**said))),
    games=Operation(
        compose=compose("/games"),
        read=read(lambda said: tuple(Game(**each) for each in said)),
        deadline_s=30.0,
    ),
    create_campaign=Operation(
        compose=compose("/new"), read=read(lambda said: msgspec.convert(said, CampaignState))
    ),
    read_campaign=Operation(
        compose=compose("/shown"), read=read(lambda said: CampaignState(**said))
    ),
    cancel_campaign=Operation(compose=compose("/gone"), read=read(lambda _: None)),
    jackpots=Operation(
        compose=compose("/jackpots"),
        read=read(lambda said: tuple(Jackpot(**each) for each in said)),
    ),
    extras=(LOBBY, ONCE, BUY, CASH),
)


def open_here(launch, integration, at_ms):
    """A URL with the second in it, made without asking."""
    if launch.demo:
        raise Malformed("expected real play", field="demo")
    base = integration.options.base_url
    query = f"game={launch.game}&player={launch.player}&balance={launch.balance}"
    moment = f"&at={at_ms // 1000}" if launch.game != "timeless" else ""
    return Launched(game_url=f"{base}/play?{query}{moment}")


#: A vendor that is never asked for a URL.
LOCAL = Studio(base_url=lambda integration: integration.options.base_url, open=open_here)


def dialect(studio):
    """A vendor's protocol without callbacks."""
    return Dialect(
        name="made_up",
        title="Made Up Games",
        document="none",
        options=Options,
        sandbox=Options,
        policy=lambda _: Policy(),
        session_ms=lambda _: 4 * HOUR_MS,
        calls=(),
        verify=lambda *_: None,
        sign=lambda request, _: request,
        trials=lambda *_: (),
        signature_header=b"x-sign",
        refuse=lambda *_: Reply(400),
        secret_headers=frozenset(),
        studio=studio,
    )


class Vendor:
    """The other end of `send`: keeps what was asked, gives `reply` or raises it."""

    def __init__(self):
        self.asked = []
        self.reply = Reply(200, b'{"game_url":"https://vendor.example/play"}')
        self.meanwhile = None
        #: Replies of the next exchanges, before `reply` is given.
        self.first = []

    async def send(self, base_url, request, deadline_s):
        """One exchange."""
        self.asked.append((base_url, request, deadline_s))
        if self.meanwhile is not None:
            await self.meanwhile()
        reply = self.first.pop(0) if self.first else self.reply
        if isinstance(reply, Exception):
            raise reply
        return reply

    @property
    def last(self):
        """What was asked last, decoded."""
        return _DECODE(self.asked[-1][1].body)

    def answers(self, status=200, said=None):
        """The next replies."""
        self.reply = Reply(status, _ENCODE(said) if said is not None else b"")


class Exchanges:
    """The inspector's record, as a list."""

    def __init__(self):
        self.kept = []
        self.wanted = None

    def list(self, wanted):
        """A page, newest first."""
        self.wanted = wanted
        after = wanted.after if wanted.after is not None else 2**63
        return [each for each in reversed(self.kept) if each.id < after][: wanted.limit]


class World:
    """The value that the API is built from; made and closed within one event loop."""

    def __init__(self, folder):
        self.now_ms = NOON
        self.vendor, self.exchanges = Vendor(), Exchanges()
        self.store = SqliteStore(folder / "seamline.db", CURRENCIES)
        shared = {"brand": "acme", "currencies": frozenset(CURRENCIES)}
        till = Terms(integration=cashier_of("acme"), policy=CASHIER_POLICY, **shared)
        connections = {
            name: Connection(
                integration=Integration(
                    name=name, brand="acme", dialect="made_up", options=Options()
                ),
                dialect=dialect(studio),
                terms=Terms(integration=name, policy=Policy(), **shared),
            )
            for name, studio in (("swipe", STUDIO), ("mute", None), ("local", LOCAL))
        }
        terms = {each.terms.integration: each.terms for each in connections.values()}
        self.ledger = Ledger(
            self.store.writer, terms | {till.integration: till}, clock=lambda: self.now_ms
        )
        self.pauses = []
        self.gateway = Gateway(
            ledger=self.ledger,
            store=self.store,
            currencies=CURRENCIES,
            connections=connections,
            cashiers={"acme": till},
            api_keys=(Secret(KEY), Secret(SECOND_KEY)),
            exchanges=self.exchanges,
            send=self.vendor.send,
            clock_ms=lambda: self.now_ms,
            pause=self.pause,
        )
        self.app = operator_api(self.gateway)

    async def pause(self, seconds):
        """Time passes at once."""
        self.pauses.append(seconds)
        self.now_ms += round(seconds * 1000)

    async def close(self):
        """Finish what was accepted, then let go of the file."""
        await self.ledger.close()
        self.store.close()


class Rig:
    """A world and a loop, with the few words that tests say."""

    def __init__(self, folder):
        self.runner = asyncio.Runner()
        self.world = self.runner.run(self._world(folder))
        self.vendor, self.exchanges = self.world.vendor, self.world.exchanges

    async def _world(self, folder):
        return World(folder)

    def close(self):
        """Close the world and the loop."""
        self.runner.run(self.world.close())
        self.runner.close()

    def swap(self, **parts):
        """Serve the same gateway with other parts."""
        changed = SimpleNamespace(**(msgspec.structs.asdict(self.world.gateway) | parts))
        changed.read = self.world.gateway.read
        self.world.app = operator_api(changed)

    async def asking(self, method, target, raw):
        """One request while another one is being answered."""
        headers = (("authorization", f"Bearer {KEY}"),)
        return await call(self.world.app, method, target, headers=headers, chunks=(raw,))

    def call(self, method, target, body=None, *, key=KEY, headers=(), chunks=None):
        """One request with that key; a body that is no bytes is sent as JSON."""
        given = list(headers)
        if key is not None:
            given.append(("authorization", f"Bearer {key}"))
        raw = body if isinstance(body, bytes) else _ENCODE(body) if body is not None else b""
        parts = chunks if chunks is not None else (raw,)
        return self.runner.run(call(self.world.app, method, target, headers=given, chunks=parts))

    def get(self, target, **options):
        """A GET."""
        return self.call("GET", target, **options)

    def post(self, target, body, **options):
        """A POST."""
        return self.call("POST", target, body, **options)

    def patch(self, target, body, **options):
        """A PATCH."""
        return self.call("PATCH", target, body, **options)

    def delete(self, target, **options):
        """A DELETE."""
        return self.call("DELETE", target, **options)

    def apply(self, *commands):
        """The outcomes of commands, one after the other."""
        return [self.runner.run(self.world.ledger.apply(each)) for each in commands]

    def player(self, name="p1", funds="100.00", currency="USD"):
        """Add a player with money."""
        self.post("/v1/players", {"brand": "acme", "id": name})
        if funds is not None:
            transfer = {"transaction_id": f"fund-{name}", "amount": funds, "currency": currency}
            self.post(f"/v1/players/acme/{name}/deposits", transfer)

    def session(self, name="s1", player="p1", **members):
        """Open a session."""
        body = {"integration": "swipe", "player": player, "currency": "USD", "game": "g1"}
        return self.post("/v1/sessions", body | {"session_id": name} | members)
