"""A whole gateway in the test's process: every dialect connected, all doors open, real books.

The callback door is called through ASGI, or over HTTP once `serve` was called. The operator's door
is the operator API itself. The gateway's clock can be moved on.
"""

import asyncio
from contextlib import AsyncExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch
from urllib.parse import quote, unquote, urlencode

import aiohttp
import msgspec
import structlog
from yarl import URL

from kit.processes import wait_for
from seamline.cli import assembly, settings
from seamline.dialects import dialects
from seamline.dialects.dialect import Reply, Request, Secret
from seamline.edge import server
from seamline.edge.app import Application
from seamline.ledger.audit import audit
from seamline.ledger.ledger import clock_ms
from seamline.ledger.store import StoreUnavailable, TransactionFilter
from seamline.money import Currencies
from seamline.wallet import Integration, Limits

BRAND = "acme"
API_KEY = "operator-key-of-the-tests"
CURRENCIES = ("USD", "EUR", "JPY", "BTC", "ETH")
PAGE = 500
#: Kinds of rows that only keep a key.
MARKS = ("tombstone", "claim")

#: The server as it is, whatever a gateway that is being served has put in its place.
_Server = server.Server


class Place(NamedTuple):
    """Where a gateway keeps what it writes: a folder for its files, and the URL of its ledger."""

    folder: Path
    url: str


def in_file(folder):
    """A place whose ledger is a file in the folder too."""
    return Place(folder, f"sqlite:///{folder}/seamline.db")


def settings_in(
    folder, *, options=None, own=None, limits=None, second=False, allow_from=(), **sections
):
    """Settings with one integration per dialect, under the dialect's name, in sandbox options.

    With *second* there is another one of each, named `second-` and the dialect.

    *options* replaces the options of some dialects, *own* adds currencies, *allow_from* are the
    networks of all of them, *sections* are whole sections such as `server=Server(...)`.
    """
    chosen = {name: (options or {}).get(name) or each.sandbox() for name, each in known().items()}
    brand = settings.Brand(
        currencies=(*CURRENCIES, *(own or {})), limits=limits if limits is not None else Limits()
    )
    given = {
        "server": settings.Server(port=0),
        "store": settings.Store(url=f"sqlite:///{folder}/seamline.db"),
        "ledger": settings.Batching(),
        "api": settings.Api(keys=(Secret(API_KEY),)),
        "exchanges": settings.Exchanges(),
        "log": settings.Log(),
    }
    return settings.Settings(
        **given | sections,
        brands={BRAND: brand},
        integrations={
            prefix + name: Integration(
                name=prefix + name,
                brand=BRAND,
                dialect=name,
                options=each,
                allow_from=allow_from,
            )
            for name, each in chosen.items()
            for prefix in (("", "second-") if second else ("",))
        },
        currencies=Currencies.standard(own),
    )


def known():
    """Every dialect by name."""
    return dialects()


class Doors:
    """What a test asks of a gateway through its two doors; how it gets there is the subclass's."""

    #: The integrations by name.
    integrations: dict

    def clock_ms(self):
        """The time of day of the gateway behind the doors."""
        return clock_ms()

    def operator(self, method, target, body=None):
        """One call of the operator API: its status and its decoded answer."""
        raise NotImplementedError

    def send_all(self, name, requests):
        """The replies to requests that are on their way at once, one connection each."""
        raise NotImplementedError

    def send(self, name, request):
        """The reply to one request of the vendor behind that integration."""
        return self.send_all(name, [request])[0]

    def asked(self, method, target, body=None):
        """The answer of the operator API, which must have been willing.

        Where the store is away for the moment, nothing has happened: it is asked again.
        """

        def answered():
            status, answer = self.operator(method, target, body)
            return None if status == HTTPStatus.SERVICE_UNAVAILABLE else (status, answer)

        status, answer = wait_for(answered)
        assert status < 300, (status, answer)
        return answer

    def player(self, name="p1", funds="100.00", currency="USD"):
        """Add a player, with money unless *funds* is None."""
        self.asked("POST", "/v1/players", {"brand": BRAND, "id": name})
        if funds is not None:
            self.deposit(f"fund-{name}-{currency}", funds, player=name, currency=currency)

    def deposit(self, key, amount, *, player="p1", currency="USD"):
        """The cashier puts money in."""
        return self._transfer("deposits", key, amount, player, currency)

    def withdraw(self, key, amount, *, player="p1", currency="USD"):
        """The cashier takes money out."""
        return self._transfer("withdrawals", key, amount, player, currency)

    def _transfer(self, where, key, amount, player, currency):
        body = {"transaction_id": key, "amount": amount, "currency": currency}
        return self.asked("POST", f"/v1/players/{BRAND}/{quote(player, safe='')}/{where}", body)

    def change(self, player, **changes):
        """Change a player's status or limits."""
        return self.asked("PATCH", f"/v1/players/{BRAND}/{quote(player, safe='')}", changes)

    def session(self, integration, name, *, player="p1", currency="USD", game="g1"):
        """Open a session."""
        body = {
            "integration": integration,
            "player": player,
            "currency": currency,
            "game": game,
            "session_id": name,
        }
        self.asked("POST", "/v1/sessions", body)
        return name

    def close_session(self, integration, name):
        """Close a session: no more bets on it."""
        self.asked("DELETE", f"/v1/sessions/{integration}/{quote(name, safe='')}")

    def balance(self, player="p1", currency="USD"):
        """What the player has, as text."""
        answer = self.asked("GET", f"/v1/players/{BRAND}/{quote(player, safe='')}")
        held = {each["currency"]: each["balance"] for each in answer["balances"]}
        return held.get(currency, "none")

    def transactions(self, **query):
        """All transactions, oldest first."""
        return self._pages("/v1/transactions", query)

    def moves(self, integration):
        """What the vendor's calls moved, oldest first: kind, amount and balance after it."""
        return [
            (each["kind"], each["amount"], each["balance"])
            for each in self.transactions(integration=integration)
            if each["kind"] not in MARKS
        ]

    def rounds(self, **query):
        """All rounds, oldest first."""
        return self._pages("/v1/rounds", query)

    def alerts(self):
        """All alerts, oldest first: the key that each is about, and what it says."""
        return [(each["key"], each["alert"]) for each in self._pages("/v1/alerts", {})]

    def exchanges(self):
        """All recorded requests and replies, oldest first."""
        return self._pages("/v1/exchanges", {})

    def _pages(self, path, query):
        found, after = [], None
        while True:
            cursor = {"after": after} if after is not None else {}
            page = self.asked("GET", f"{path}?{urlencode(query | {'limit': PAGE} | cursor)}")
            found += page["items"]
            after = page["next"]
            if after is None:
                return found[::-1]


class GatewayRig(Doors):
    """A gateway and the event loop that it lives in."""

    def __init__(self, place, *, body_timeout_s=5.0, prepare=True, **options):
        self.settings = settings_in(
            place.folder,
            store=settings.Store(url=place.url, prepare=prepare),
            exchanges=settings.Exchanges(path=f"{place.folder}/exchanges.db"),
            **options,
        )
        self.integrations = self.settings.integrations
        self.folder = place.folder
        self.ahead_ms = 0
        self.url = None
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._stack = AsyncExitStack()
        # Tracebacks as plain text: the default draws them, which takes longer than a test.
        renderer = structlog.processors.JSONRenderer()
        structlog.configure(processors=[structlog.processors.format_exc_info, renderer])
        self._served = None
        self.run(self._open(body_timeout_s))

    def run(self, coroutine):
        """Run in the gateway's loop; the gateway works while something runs, and only then."""
        return self._runner.run(coroutine)

    async def _open(self, body_timeout_s):
        built = await self._stack.enter_async_context(assembly.gateway(self.settings))
        built.ledger._tempo.clock = self.clock_ms
        self.gateway = msgspec.structs.replace(built, clock_ms=self.clock_ms)
        self.app = Application(
            self.gateway,
            disk=self.folder,
            body_limit=self.settings.server.body_limit,
            body_timeout_s=body_timeout_s,
        )

    def clock_ms(self):
        """The time of day of this gateway."""
        return clock_ms() + self.ahead_ms

    def pass_time(self, *, hours):
        """Let time pass."""
        self.ahead_ms += round(hours * 3_600_000)

    def close(self):
        """Stop serving, finish what was accepted, let go of the file."""
        self.run(self._close())
        self._runner.close()
        structlog.reset_defaults()

    async def _close(self):
        if self._served is not None:
            self._server.should_exit = True
            await self._served
            await self.client.close()
        await self._stack.aclose()

    def serve(self, *, head_timeout_s=5.0, max_connections=1000):
        """Serve on a free port of the loopback."""
        self.run(self._serve(head_timeout_s, max_connections))
        return self

    async def _serve(self, head_timeout_s, max_connections):
        bound = server.listen("127.0.0.1", 0)
        started = asyncio.get_running_loop().create_future()

        class Kept(_Server):
            """A server that says when it listens, and can be told to stop without a signal."""

            async def startup(self, sockets=None):
                """Listen."""
                await super().startup(sockets)
                started.set_result(self)

        async def serving():
            with patch.object(server, "Server", Kept):
                await server.serve(
                    self.app,
                    [bound],
                    max_connections=max_connections,
                    head_timeout_s=head_timeout_s,
                    drain_s=5.0,
                )

        self._served = asyncio.create_task(serving())
        self._server = await started
        self.address = bound.getsockname()
        self.url = f"http://127.0.0.1:{self.address[1]}"
        self.client = http_client()

    # The store.

    @contextmanager
    def away(self):
        """Within the block the store cannot be used: no batch gets through, and no errand."""

        async def fail(*_):
            raise StoreUnavailable("the store is gone")

        with patch.multiple(self.gateway.store.writer, settle=fail, transact=fail):
            yield

    @contextmanager
    def before_batches(self, wait, *, deadline_ms=None):
        """Within the block each batch goes to the store when *wait*, which is called, is over.

        Who is in one is told after *deadline_ms* that there is no outcome yet.
        """
        writer, tempo = self.gateway.store.writer, self.gateway.ledger._tempo
        settle = writer.settle

        async def later(*batch):
            await wait()
            return await settle(*batch)

        deadline_ms = deadline_ms or tempo.deadline_ms
        with (
            patch.object(writer, "settle", later),
            patch.object(tempo, "deadline_ms", deadline_ms),
        ):
            yield

    # The vendor's door.

    def send_all(self, name, requests):
        """The replies to requests that are on their way at once, one connection each."""
        return self.run(self.together(name, requests))

    async def together(self, name, requests):
        """The same for whoever runs in the loop already."""
        return await asyncio.gather(*(self.exchange(name, each) for each in requests))

    async def exchange(self, name, request):
        """One request of the vendor, over HTTP when the gateway is served."""
        base = f"/callbacks/{name}"
        if self.url is None:
            return await in_process(self.app, request, base)
        return await over_http(self.client, self.url + base, request)

    # The operator's door.

    def operator(self, method, target, body=None):
        """One call of the operator API: its status and its decoded answer."""
        return self.run(self.operate(method, target, body))

    async def operate(self, method, target, body=None):
        """The same for whoever runs in the loop already."""
        path, _, query = target.partition("?")
        raw = msgspec.json.encode(body) if body is not None else b""
        headers = ((b"authorization", f"Bearer {API_KEY}".encode()),)
        reply = await in_process(self.app, Request(method, path, query.encode(), headers, raw), "")
        return reply.status, msgspec.json.decode(reply.body) if reply.body else None

    # The books.

    def drift(self):
        """By currency, what players have less what moved; nothing but zeros when well."""
        with self.gateway.store.reader() as reader:
            return {code: units for code, units in reader.drift().items() if units}

    def audit(self):
        """The laws of the books, proved again; names the first that is broken."""
        with self.gateway.store.reader() as reader:
            findings = audit(reader)
        assert findings.clean, str(findings.first)
        assert not self.drift()
        return findings

    def books(self):
        """Everything that could have changed when money moved: rows, rounds and alerts counted.

        The memory of a refused bet is a row that moved nothing; it does not count.
        """
        with self.gateway.store.reader() as reader:
            findings = audit(reader)
            listed = reader.transactions(TransactionFilter(limit=findings.transactions))
        assert findings.clean, str(findings.first)
        refused = sum(each.rejection is not None for each in listed)
        return findings.transactions - refused, findings.accounts, tuple(self.alerts())


def http_client():
    """A client that opens a connection per request under way, and tells the bytes as they are."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=20),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )


async def over_http(client, base, request):
    """One exchange over HTTP."""
    query = f"?{request.query.decode('latin-1')}" if request.query else ""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
    async with client.request(
        request.method,
        URL(f"{base}{request.path}{query}", encoded=True),
        headers=headers,
        data=request.body or None,
        allow_redirects=False,
    ) as reply:
        body = await reply.read()
        told = tuple((name.lower(), value) for name, value in reply.raw_headers)
        return Reply(reply.status, body, told)


async def in_process(app, request, base):
    """One exchange through ASGI, with the bytes that a server would hand over."""
    raw_path = base + request.path
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode("latin-1", "replace"),
        "root_path": "",
        "query_string": request.query,
        "headers": list(request.headers),
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8600),
    }
    coming, sent = [{"type": "http.request", "body": request.body, "more_body": False}], []

    async def receive():
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(each["body"] for each in sent[1:])
    return Reply(sent[0]["status"], body, tuple(sent[0]["headers"]))
