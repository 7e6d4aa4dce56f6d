"""Two gateways on a cluster whose leader dies, hangs or hands over: nothing is lost or doubled."""

import asyncio
import random
import time
from contextlib import ExitStack, closing

import psycopg
import pytest

from kit.gateway import http_client, over_http
from kit.load import Client, under_load
from kit.patroni import patroni
from kit.server import ServedGateway
from kit.vendor import Vendor, integration_of
from seamline.dialects import dialects
from seamline.ledger.audit import audit
from seamline.ledger.postgres.store import PostgresStore
from seamline.money import Currencies
from seamline.wallet import Kind

DATABASE = "wallet"
PLAYERS = 3
#: With only the database process killed.
STALL_S = 3.0


class _Nobody:
    """Doors that lead nowhere, to ask a vendor what it can say."""

    def __init__(self, name):
        self.integrations = {name: integration_of(name)}


PLAYABLE = [each for each in sorted(dialects()) if Vendor(_Nobody(each), each).can(Kind.WIN)]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A cluster and two gateways on it, for the whole file."""
    with patroni() as cluster, ExitStack() as stack:
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        store = {"url": cluster.url(DATABASE)}
        gateways = [
            stack.enter_context(ServedGateway(tmp_path_factory.mktemp("gateway"), store=store))
            for _ in range(2)
        ]
        yield cluster, gateways


@pytest.fixture
def cluster(running):
    """The cluster, whole before the test; afterwards its books are audited."""
    running[0].wait_until_whole()
    yield running[0]
    running[0].wait_until_whole()
    store = PostgresStore(running[0].url(DATABASE), Currencies.standard())
    with closing(store), store.reader() as reader:
        findings = audit(reader)
        assert findings.clean, "\n".join(map(str, findings.kept))
        assert not any(reader.drift().values())


@pytest.fixture
def played(running, cluster, capsys, request):
    """Play through both gateways while things happen; how long each of them stalled."""

    async def together(clients, http, *happenings):
        async with http_client() as http[0]:
            return await under_load(clients, *happenings)

    def play(*happenings):
        http, chance = [None], random.Random(time.time_ns())

        async def exchange(name, vendor_request):
            base = f"{chance.choice(running[1]).url}/callbacks/{name}"
            return await over_http(http[0], base, vendor_request)

        seed = time.time_ns()
        clients = [
            Client(running[1][0], name, exchange, seed=f"{seed}/{name}/{number}")
            for name in PLAYABLE
            for number in range(PLAYERS)
        ]
        stalls = asyncio.run(together(clients, http, *happenings))
        for client in clients:
            client.check()
        refusals = [after_s for client in clients for after_s in client.refused_after_s]
        with capsys.disabled():
            print(  # noqa: T201 - figures for whoever runs the tests
                f"\n{request.node.name}: longest stall "
                f"{', '.join(f'{each:.2f}' for each in stalls)} s; "
                f"{sum(len(each.acknowledged_at) for each in clients)} acknowledged, "
                f"{len(refusals)} refused, the slowest after {max(refusals, default=0):.2f} s",
                end="",
            )
        return stalls

    return play


def test_a_killed_leader_database_under_load(cluster, played):
    """When the leader's database is killed, others go on within seconds, and all is there once."""

    async def kill():
        await asyncio.to_thread(cluster.kill_leader_database)

    assert max(played(kill)) < STALL_S


def test_a_switchover_under_load(cluster, played):
    """A planned change of the leader loses and doubles nothing."""

    async def change():
        await asyncio.to_thread(cluster.switchover)

    assert max(played(change)) < 2 * STALL_S


@pytest.mark.slow
def test_a_lost_leader_node_under_load(cluster, played):
    """When the whole node is lost, the others go on after the leader's 20 s."""
    lost = []

    async def lose():
        lost.append(await asyncio.to_thread(cluster.kill_leader_node))

    stalls = played(lose)
    lost[0].start()
    assert max(stalls) < 60


@pytest.mark.slow
def test_a_frozen_leader_node_under_load(cluster, played):
    """A leader that hangs is replaced; when it wakes up nobody takes its word."""

    async def hang():
        frozen = await asyncio.to_thread(cluster.freeze_leader)
        await asyncio.to_thread(cluster.wait_for_leader, other_than=frozen)
        # The database wakes up alone: there is no Patroni yet to stop it.
        frozen.thaw_database()
        await asyncio.sleep(2)  # Time enough for whoever would believe it.
        frozen.thaw()

    assert max(played(hang)) < 60
