"""A PostgreSQL that is away, hangs, starts again or refuses: clear refusals, and nothing lost."""

import asyncio
import time
from contextlib import closing

import psycopg
import pytest

from kit.gateway import GatewayRig, Place
from kit.load import Client, under_load
from kit.postgres import postgres
from kit.processes import wait_for
from kit.vendor import Vendor
from seamline.dialects import dialects
from seamline.ledger.postgres.store import PostgresStore
from seamline.ledger.store import StoreError
from seamline.money import Currencies
from seamline.wallet import Kind, Verdict

NAMES = sorted(dialects())
#: Refusals come after 0.8 s at most where nothing else is going on; vendors wait for 3 s and more.
SOON_S = 3.0


@pytest.fixture(scope="module")
def server():
    """A server that may be ended, for the whole file."""
    with postgres(fast=True, max_connections=20) as made:
        yield made


@pytest.fixture(scope="module")
def shared(server, tmp_path_factory):
    """A gateway on it for the whole file."""
    database = server.create_database("wallet")
    folder = tmp_path_factory.mktemp("gateway")
    with closing(GatewayRig(Place(folder, database))) as made:
        yield made


@pytest.fixture
def rig(shared):
    """The gateway; its books are audited after each test."""
    yield shared
    wait_for(lambda: shared.operator("GET", "/v1/transactions?limit=1")[0] == 200)
    shared.audit()


@pytest.fixture(params=NAMES)
def vendor(rig, request):
    """A vendor of each dialect with a player who has 100.00."""
    return Vendor(rig, request.param).sit_down()


def refused(rig, vendor, *commands):
    """That all commands at once, and after those the first again, are refused soon and alike."""
    verdicts = set()
    for sent in (commands, commands[:1]):
        started = time.monotonic()
        said = vendor.send_all(sent)
        assert time.monotonic() - started < SOON_S
        verdicts |= {each.verdict for each in said}
        assert len({each.reply.status for each in said}) == 1
    assert Verdict.DONE not in verdicts
    assert rig.gateway.ledger.flow.faults == 0


@pytest.mark.parametrize("way", ["frozen", "stopped"])
def test_without_a_server_everything_is_refused_soon(server, rig, vendor, way):
    """In the dialect's words; afterwards the same commands, or their refunds, are done."""
    bets = [vendor.bet("1.00") for _ in range(10)]
    server.freeze() if way == "frozen" else server.stop()
    try:
        refused(rig, vendor, *bets)
    finally:
        server.thaw() if way == "frozen" else server.start()
    again, undone = bets[:5], bets[5:] if vendor.can(Kind.REFUND) else []
    for bet in again:
        vendor.done(bet)
    for bet in undone:
        vendor.done(vendor.refund(bet))
    assert vendor.balance() == "95.00"


def test_a_server_that_was_restarted_meanwhile_is_not_noticed(server, rig, vendor):
    """Who was idle while it ended and came back finds it again with the first bet."""
    vendor.done(vendor.bet("1.00"))
    server.restart()
    vendor.done(vendor.bet("1.00"))
    assert vendor.balance() == "98.00"


def test_restarts_and_cuts_under_load(server, rig):
    """Ended in any way, or all connections cut, under load: nothing is lost or doubled."""
    clients = [
        Client(rig, name, rig.exchange, seed=f"{time.time_ns()}/{name}/{number}")
        for name in NAMES
        if Vendor(rig, name).can(Kind.WIN)
        for number in range(3)
    ]

    async def restart(how):
        await asyncio.to_thread(server.restart, how)

    async def kill():
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)

    async def cut():
        assert await asyncio.to_thread(end_all, server) >= 1

    happenings = (lambda: restart("fast"), lambda: restart("immediate"), kill, cut, cut)
    stalls = rig.run(under_load(clients, *happenings))
    print("longest stalls:", stalls)  # noqa: T201 - figures for whoever runs the tests
    for client in clients:
        client.check()


def end_all(server):
    """Every connection of the gateway is ended by somebody."""
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'wallet'"
    with server.connect() as connection:
        return len(connection.execute(ended).fetchall())


def test_a_server_that_takes_no_writes(server, rig, vendor):
    """Refused while it is read-only, and done as soon as it is not."""
    bet = vendor.bet("1.00")
    vendor.done(bet)
    read_only(server, "on")
    try:
        refused(rig, vendor, vendor.bet("1.00"))
    finally:
        read_only(server, "off")
    assert wait_for(lambda: vendor.send(vendor.bet("0.50")).verdict is Verdict.DONE)
    assert vendor.balance() == "98.50"


def read_only(server, how):
    """Whether transactions may write, on every connection from now on."""
    with server.connect() as connection:
        connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {how}")
        connection.execute("SELECT pg_reload_conf()")
        end_all(server)


def test_a_server_that_takes_no_connections(server, rig, vendor):
    """All are taken when the gateway comes back: refused, and done once there is room."""
    vendor.done(vendor.bet("1.00"))
    end_all(server)
    others = taken(server)
    try:
        refused(rig, vendor, vendor.bet("1.00"))
        with pytest.raises(StoreError, match=r"cannot connect: .*too many clients"):
            PostgresStore(server.url("wallet"), Currencies.standard())
    finally:
        for each in others:
            each.close()
    assert wait_for(lambda: vendor.send(vendor.bet("0.50")).verdict is Verdict.DONE)


def taken(server):
    """All connections that the server gives."""
    held = []
    while True:
        try:
            held.append(server.connect())
        except psycopg.OperationalError:
            return held


FULL = """
CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device'
    USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER no_space BEFORE INSERT ON transactions EXECUTE FUNCTION no_space();
"""


def test_a_server_whose_disk_is_full(server, rig, vendor):
    """Nothing is written: refused, and done once there is space.

    The server says what it says on a full disk, which only root could make.
    """
    with server.connect("wallet") as connection:
        connection.execute(FULL)
        try:
            refused(rig, vendor, vendor.bet("1.00"))
            assert vendor.balance() == "100.00"
        finally:
            connection.execute("DROP FUNCTION no_space CASCADE")
    vendor.done(vendor.bet("1.00"))
    assert vendor.balance() == "99.00"
