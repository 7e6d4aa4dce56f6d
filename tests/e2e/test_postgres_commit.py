"""A connection that is cut in the middle of COMMIT: the outcome is looked up, never guessed."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from kit.gateway import GatewayRig, Place
from kit.postgres import postgres
from kit.processes import wait_for
from kit.proxy import proxy
from kit.vendor import Vendor
from seamline.cli import settings
from seamline.dialects import dialects
from seamline.wallet import Kind, Verdict


@pytest.fixture
def way(postgres_server):
    """The way to the server, which can be cut."""
    with proxy(postgres_server.port) as made:
        yield made


@contextmanager
def gateway(folder, url, *, deadline_s=10.0, prepare=True):
    """A gateway on a database; its books are audited."""
    rig = GatewayRig(
        Place(folder, url),
        prepare=prepare,
        ledger=settings.Batching(deadline_s=deadline_s),
    )
    try:
        yield rig
        rig.audit()
    finally:
        rig.close()


def keyed(rig, *commands):
    """How many transactions have the keys of these commands."""
    keys = {each.key for each in commands}
    return [row["key"] in keys for row in rig.transactions()].count(True)


@pytest.fixture(scope="module")
def line(postgres_server, tmp_path_factory):
    """One gateway for many cuts, and the way to its server."""
    database = postgres_server.create_database()
    folder = tmp_path_factory.mktemp("gateway")
    with proxy(postgres_server.port) as way, gateway(folder, way.url(database)) as rig:
        yield rig, way
    postgres_server.drop_database(database.rpartition("/")[2])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", sorted(dialects()))
def test_a_cut_commit_is_looked_up(line, name, when):
    """Cut before or after its COMMIT, a bet is one movement, and its vendor hears so."""
    rig, way = line
    vendor, cuts = Vendor(rig, name).sit_down("100.00"), way.cuts
    bet = vendor.bet("1.00")
    way.cut_commit(when)
    vendor.done(bet)
    assert way.cuts == cuts + 1
    assert vendor.balance() == "99.00"
    vendor.done(bet)
    assert (vendor.balance(), keyed(rig, bet)) == ("99.00", 1)
    if vendor.can(Kind.REFUND):
        way.cut_commit(when)
        vendor.done(vendor.refund(bet))
        assert (way.cuts, vendor.balance()) == (cuts + 2, "100.00")


@pytest.mark.parametrize("when", ["before", "after", "silent"])
def test_a_cut_commit_of_many_is_looked_up(tmp_path, way, database, when):
    """A whole batch, without prepared statements: each of its bets is done once."""
    with gateway(tmp_path, way.url(database), prepare=False) as rig:
        vendor = Vendor(rig, "swipegames").sit_down("100.00")
        bets = [vendor.bet("1.00") for _ in range(40)]
        way.cut_commit(when)
        assert {said.verdict for said in vendor.send_all([*bets, *bets])} == {Verdict.DONE}
        assert way.cuts == 1
        assert (vendor.balance(), keyed(rig, *bets)) == ("60.00", 40)


@pytest.mark.parametrize(
    ("name", "when"), [("swipegames", "before"), *((name, "after") for name in sorted(dialects()))]
)
def test_a_cut_commit_that_nobody_can_look_up_is_overdue(tmp_path, way, database, name, when):
    """While nobody can tell, the vendor hears that; afterwards its repeat is answered right."""
    with gateway(tmp_path, way.url(database), deadline_s=0.5) as rig:
        vendor = Vendor(rig, name).sit_down("100.00")
        bet = vendor.bet("1.00")
        way.cut_commit(when, stay_closed=True)
        assert vendor.send(bet).verdict is not Verdict.DONE
        assert rig.gateway.ledger.flow.overdue == 1
        # Also while it is still away: nothing new is begun.
        assert vendor.send(vendor.bet("2.00")).verdict is not Verdict.DONE
        way.reopen()
        wait_for(lambda: settled(rig))
        if vendor.policy.overdue_bet == "undo":
            assert vendor.balance() == "100.00"
            vendor.send(bet)
            assert (vendor.balance(), keyed(rig, bet)) == ("100.00", 1)
        else:
            vendor.done(bet)
            assert (vendor.balance(), keyed(rig, bet)) == ("99.00", 1)


def test_a_lost_commit_is_not_taken_for_another_one_with_its_ids(tmp_path, way, database):
    """A crash may take back what the sequence gave out; another gateway then writes those ids."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with (
        gateway(folders[0], way.url(database)) as rig,
        gateway(folders[1], database) as other,
        psycopg.connect(database, autocommit=True) as db,
        ThreadPoolExecutor(1) as aside,
    ):
        vendor = Vendor(rig, "swipegames").sit_down("100.00")
        theirs = Vendor(other, "swipegames").sit_down("100.00")
        bet, their_bet, cuts = vendor.bet("1.00"), theirs.bet("2.00"), way.cuts
        (block,) = db.execute("SELECT last_value FROM blocks").fetchone()
        way.cut_commit("before", stay_closed=True)
        said = aside.submit(vendor.send, bet)
        wait_for(lambda: way.cuts > cuts)
        wait_for(lambda: not db.execute(HOLDERS).fetchone()[0])
        db.execute("SELECT setval('blocks', %s)", (block,))
        theirs.done(their_bet)
        way.reopen()
        assert said.result(20).verdict is Verdict.DONE
        assert (vendor.balance(), keyed(rig, bet)) == ("99.00", 1)
        assert theirs.balance() == "98.00"


#: How many transactions are under way that took ids.
HOLDERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle in transaction'
"""


@pytest.mark.parametrize("name", sorted(dialects()))
def test_an_overdue_bet_that_another_gateway_vouched_for_stands(tmp_path, way, database, name):
    """Its vendor asked again there and heard that it is done: the first one does not undo it."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with (
        gateway(folders[0], way.url(database), deadline_s=0.5) as rig,
        gateway(folders[1], database) as other,
    ):
        vendor = Vendor(rig, name).sit_down("100.00")
        bet = vendor.bet("1.00")
        way.cut_commit("after", stay_closed=True)
        assert vendor.send(bet).verdict is not Verdict.DONE
        vendor.doors = other
        vendor.done(bet)
        way.reopen()
        wait_for(lambda: settled(rig))
        vendor.done(bet)
        assert (vendor.balance(), keyed(other, bet)) == ("99.00", 1)
        undoes = vendor.policy.overdue_bet == "undo"
        told = [alert for _, alert in other.alerts() if alert == "overdue_bet_stands"]
        assert len(told) == undoes


@pytest.mark.parametrize("level", ["notice", "error"])
def test_a_cancelled_wait_for_standbys_is_no_answer(tmp_path, level):
    """A COMMIT that was only done with a warning is waited for again, and answered after that.

    Also where clients are told of errors only.
    """
    with (
        postgres(fast=True) as server,
        gateway(tmp_path, server.create_database("wallet")) as rig,
        ThreadPoolExecutor(1) as aside,
    ):
        server.execute(f"ALTER DATABASE wallet SET client_min_messages = {level}")
        vendor = Vendor(rig, "swipegames").sit_down("100.00")
        end_all(server)
        bet = vendor.bet("1.00")
        standbys(server, "nobody")
        said = aside.submit(vendor.send, bet)
        for _ in range(2):
            assert cancel(server, wait_for(lambda: waiting_for_standbys(server)))
        wait_for(lambda: waiting_for_standbys(server))
        assert not said.done()
        standbys(server, "")
        assert said.result(20).verdict is Verdict.DONE
        assert (vendor.balance(), keyed(rig, bet)) == ("99.00", 1)


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_server_that_prefers_another_isolation(tmp_path, way, database, level):
    """The first batch of a connection is as good as any other one."""
    with psycopg.connect(database, autocommit=True) as db:
        name = sql.Identifier(db.info.dbname)
        preferred = sql.SQL("ALTER DATABASE {} SET default_transaction_isolation = {}")
        db.execute(preferred.format(name, level))
    with gateway(tmp_path, database) as rig:
        vendor = Vendor(rig, "swipegames").sit_down("100.00")
        vendor.done(vendor.bet("1.00"))
        assert rig.gateway.ledger.flow.faults == 0


def end_all(server):
    """Every connection to the wallet is ended, so that the next ones ask for its settings anew."""
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'wallet'"
    with server.connect() as connection:
        connection.execute(ended)


def standbys(server, names):
    """Which standbys every COMMIT waits for from now on."""
    with server.connect() as connection:
        connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        connection.execute("SELECT pg_reload_conf()")
    # Who connects is told by the server's first process, once that has heard of it.
    wait_for(lambda: standbys_of(server) == names)


def standbys_of(server):
    """Which standbys the COMMITs of a new connection wait for."""
    with server.connect() as connection:
        return connection.execute("SHOW synchronous_standby_names").fetchone()[0]


def waiting_for_standbys(server):
    """The process whose COMMIT waits for them, if any."""
    waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_type = %s"
    with server.connect() as connection:
        return [pid for (pid,) in connection.execute(waits, ("client backend",))]


def cancel(server, pids):
    """Cancel what these processes do; whether each was there."""
    with server.connect() as connection:
        return connection.execute(
            "SELECT bool_and(pg_cancel_backend(pid)) FROM unnest(%s::int[]) AS pid", (pids,)
        ).fetchone()[0]


def settled(rig):
    """Whether nothing is under way any more, after the gateway has worked for a while."""
    rig.run(asyncio.sleep(0.05))
    lanes = rig.gateway.ledger._lanes
    return not any(lane._stalled or lane._owed or lane.waiting for lane in lanes)
