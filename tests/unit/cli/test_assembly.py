"""A gateway from settings: which pieces, opened and closed in which order, and nothing lost."""

import asyncio

import msgspec
import pytest

from kit.command import bet, deposit
from kit.gateway import BRAND, known, settings_in
from seamline.cli import assembly
from seamline.cli.assembly import CASHIER_POLICY, gateway, place
from seamline.cli.settings import Batching, Store
from seamline.cli.settings import Exchanges as Record
from seamline.dialects.dialect import Reply, Request
from seamline.edge.exchanges import ExchangeFilter, Exchanges, Noted
from seamline.ledger.ledger import Ledger
from seamline.ledger.sqlite.store import SqliteStore
from seamline.ledger.store import NewSession, StoreError, TransactionFilter
from seamline.sender.transport import Transport
from seamline.wallet import Applied, Rejected, Rejection

pytestmark = pytest.mark.anyio

NAME = min(known())


@pytest.fixture
def anyio_backend():
    """A gateway runs in asyncio."""
    return "asyncio"


@pytest.fixture
def settings(tmp_path):
    """Settings with one integration per dialect, in a folder of their own."""
    return settings_in(tmp_path)


async def seat(built):
    """A player with money and a session."""

    def errand(writer, now_ms):
        writer.add_player(BRAND, "p1", None, None, now_ms)
        span = {"opened_ms": now_ms, "expires_ms": now_ms + 3_600_000}
        session = NewSession(name="s1", player="p1", currency="USD", game="g1", **span)
        writer.open_session(built.connections[NAME].terms, session)

    await built.ledger.run(errand)
    assert isinstance(await built.ledger.apply(deposit("d1")), Applied)


# The pieces.


async def test_every_integration_is_connected(settings):
    """Each integration has its dialect, and the brand's currencies and limits."""
    async with gateway(settings) as built:
        assert set(built.connections) == set(settings.integrations)
        for name, each in built.connections.items():
            assert (each.dialect.name, each.integration.name) == (name, name)
            assert each.terms.currencies == set(settings.brands[BRAND].currencies)
            assert each.terms.policy == each.dialect.policy(each.integration.options)
            assert each.terms is built.ledger.terms[name]


async def test_every_brand_has_a_cashier(settings):
    """Deposits and withdrawals go through an integration of the brand that no vendor can name."""
    async with gateway(settings) as built:
        (till,) = built.cashiers.values()
        assert (till.integration, till.brand) == (f"cashier/{BRAND}", BRAND)
        assert till.policy is CASHIER_POLICY
        assert till.integration not in built.connections
        assert built.ledger.terms[till.integration] is till


async def test_the_settings_of_the_ledger_and_the_record_are_kept(tmp_path):
    """Queue, batch, count and age are what the settings say."""
    chosen = settings_in(
        tmp_path,
        ledger=Batching(queue_limit=7, batch_limit=3),
        exchanges=Record(max_count=5, max_age_hours=2),
    )
    async with gateway(chosen) as built:
        assert (built.ledger._queue_limit, built.ledger._tempo.batch_limit) == (7, 3)
        assert (built.exchanges._max_count, built.exchanges._max_age_ms) == (5, 7_200_000)
        assert built.exchanges._hidden[NAME] == known()[NAME].secret_headers


async def test_the_record_lies_beside_the_ledger(settings, tmp_path):
    """The files are named after the ledger's."""
    async with gateway(settings):
        pass
    names = {path.name for path in tmp_path.iterdir()}
    record = "seamline.exchanges.db"
    assert names == {"seamline.db", "seamline.db.lock", record, f"{record}.lock"}


def test_the_record_has_a_place_of_its_own(settings, tmp_path):
    """It lies where the settings say, and for a ledger that is no file in the folder `var`."""
    server = msgspec.structs.replace(settings, store=Store(url="postgresql://db/seamline"))
    assert str(assembly.record_path(server)) == "var/exchanges.db"
    for each in (settings, server):
        chosen = msgspec.structs.replace(each, exchanges=Record(path="/srv/record.db"))
        assert str(assembly.record_path(chosen)) == "/srv/record.db"


def test_the_disk_is_looked_at_where_files_grow(settings, tmp_path):
    """That is the ledger's folder; with a ledger that is no file, the nearest one of the record."""
    elsewhere = Record(path=f"{tmp_path}/not/there/record.db")
    chosen = msgspec.structs.replace(settings, exchanges=elsewhere)
    assert assembly.growing_folder(chosen) == tmp_path
    server = msgspec.structs.replace(chosen, store=Store(url="postgresql://db/seamline"))
    assert assembly.growing_folder(server) == tmp_path
    (tmp_path / "not").mkdir()
    assert assembly.growing_folder(server) == tmp_path / "not"


# The vendors' API.


class Counted:
    """A transport that counts how often it was made and closed."""

    made = 0
    closed = 0

    def __init__(self):
        Counted.made += 1

    async def send(self, base_url, request, deadline_s):
        """What was asked, as the answer."""
        return Reply(200, f"{base_url}{request.path} {deadline_s}".encode())

    async def close(self):
        """The end."""
        Counted.closed += 1


@pytest.fixture
def counted(monkeypatch):
    """A transport to count."""
    monkeypatch.setattr("seamline.sender.transport.Transport", Counted)
    Counted.made = Counted.closed = 0
    return Counted


async def test_the_transport_is_made_for_the_first_request(settings, counted):
    """A gateway that asks no vendor makes no client; one that does makes one, and closes it."""
    async with gateway(settings):
        pass
    assert (counted.made, counted.closed) == (0, 0)
    async with gateway(settings) as built:
        for _ in range(3):
            reply = await built.send("http://vendor", Request("GET", "/games"), 2.0)
        assert reply.body == b"http://vendor/games 2.0"
        assert (counted.made, counted.closed) == (1, 0)
    assert (counted.made, counted.closed) == (1, 1)


async def test_a_real_vendor_is_reached(settings):
    """The transport is the sender's own, and tells a connection that nobody accepts."""
    async with gateway(settings) as built:
        with pytest.raises(ConnectionError):
            await built.send("http://127.0.0.1:1", Request("GET", "/"), 2.0)


# The end.


async def test_pieces_close_in_order(settings, monkeypatch):
    """The door first, so that nothing new comes; the store last, when nothing needs it any more."""
    closed = []

    def watch(kind, *, waits):
        real = kind.close

        async def later(self):
            await real(self)
            closed.append(kind.__name__)

        def now(self):
            real(self)
            closed.append(kind.__name__)

        monkeypatch.setattr(kind, "close", later if waits else now)

    for kind, waits in (
        (Ledger, True),
        (Transport, True),
        (Exchanges, False),
        (SqliteStore, False),
    ):
        watch(kind, waits=waits)
    async with gateway(settings) as built:
        with pytest.raises(ConnectionError):
            await built.send("http://127.0.0.1:1", Request("GET", "/"), 2.0)
    assert closed == ["Ledger", "Transport", "Exchanges", "SqliteStore"]


async def test_everything_accepted_is_finished(settings):
    """Bets that wait when the gateway closes are decided, durable, and answered."""
    async with gateway(settings) as built:
        await seat(built)
        waiting = [
            asyncio.create_task(built.ledger.apply(bet(f"b{n}", "0.10", integration=NAME)))
            for n in range(300)
        ]
        await asyncio.sleep(0)
        assert built.ledger.waiting > 0
    outcomes = await asyncio.gather(*waiting)
    assert all(isinstance(each, Applied) for each in outcomes)
    async with gateway(settings) as again:
        found = await again.read(
            lambda reader: reader.transactions(TransactionFilter(integration=NAME, limit=1_000))
        )
    assert len(found) == 300


async def test_what_comes_too_late_is_told_so(settings):
    """After the end a command is refused, not lost in a queue."""
    async with gateway(settings) as built:
        await seat(built)
    outcome = await built.ledger.apply(bet("b1", "1.00", integration=NAME))
    assert isinstance(outcome, Rejected)
    assert outcome.why is Rejection.BUSY


async def test_what_was_noted_is_kept(settings):
    """The record of the last exchanges is written at the end."""
    asked, said = Request("POST", "/bet"), Reply(200)
    noted = Noted(1, "r1", NAME, "bet", asked, said, "applied", "t1", 5)
    async with gateway(settings) as built:
        built.exchanges.note(noted)
    async with gateway(settings) as again:
        assert [each.request_id for each in again.exchanges.list(ExchangeFilter())] == ["r1"]


async def test_an_error_closes_everything_too(settings):
    """Whatever ends the gateway, the next one can open the file."""
    with pytest.raises(ZeroDivisionError):
        async with gateway(settings):
            raise ZeroDivisionError
    async with gateway(settings):
        pass


async def test_one_process_per_file(settings):
    """A second gateway on the file does not start, says what to do, and the first goes on."""
    async with gateway(settings) as built:
        with pytest.raises(StoreError, match="one process per file"):
            async with gateway(settings):
                pass
        await seat(built)


def test_the_store_is_opened_for_writing(settings):
    """Tools open the file that the settings name, and hold it like a gateway does."""
    store = assembly.open_store(settings)
    with pytest.raises(StoreError, match="one process per file"):
        assembly.open_store(settings)
    store.close()
    assert place(settings).file.exists()
