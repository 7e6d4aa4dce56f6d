"""Several workers over one PostgreSQL: one ledger, whoever answers, whoever is killed."""

import asyncio
import os
import signal
from contextlib import closing

import aiohttp
import pytest

from kit.gateway import http_client, over_http
from kit.postgres import postgres
from kit.program import wait_for
from kit.server import ServedByWorkers
from kit.vendor import Vendor
from seamline.dialects import dialects
from seamline.ledger.audit import audit
from seamline.ledger.postgres.store import PostgresStore
from seamline.money import Currencies
from seamline.wallet import Verdict

NAME = "swipegames"
IN_FLIGHT = 100


@pytest.fixture(scope="module")
def server():
    """A database server."""
    with postgres(fast=True) as made:
        yield made


@pytest.fixture
def url(server):
    """A database of its own, whose books are audited afterwards."""
    made = server.create_database()
    yield made
    with closing(PostgresStore(made, Currencies.standard())) as store, store.reader() as reader:
        assert audit(reader).clean
        assert not any(reader.drift().values())


@pytest.fixture
def gateway(tmp_path, url):
    """Two workers that serve."""
    with ServedByWorkers(tmp_path, store={"url": url}) as made:
        yield made


def bets(vendor, count):
    """So many bets of one unit's hundredth, each with its request."""
    made = [vendor.bet("0.01") for _ in range(count)]
    return made, [vendor.compose(each) for each in made]


@pytest.mark.parametrize("name", sorted(dialects()))
def test_ten_identical_bets_are_one(gateway, name):
    """The same bet on ten connections at once, whichever workers they meet: one movement."""
    vendor = Vendor(gateway, name).sit_down("100.00")
    bet = vendor.bet("1.00")
    told = [said.verdict for said in vendor.send_all([bet] * 10)]
    assert Verdict.DONE in told
    vendor.done(bet)
    assert vendor.balance() == "99.00"
    assert len(gateway.transactions(integration=name)) == 1


def test_both_workers_take_part(gateway):
    """Of many connections at once each worker takes some."""
    vendor = Vendor(gateway, NAME).sit_down("100.00")
    gateway.send_all(NAME, bets(vendor, IN_FLIGHT)[1])
    counts = [
        gateway.machine(number, "/metrics")[1].count('outcome="applied"') for number in (0, 1)
    ]
    assert counts == [1, 1]
    assert vendor.balance() == "99.00"


@pytest.mark.parametrize("count", [1, 20])
def test_what_one_decides_holds_in_all(gateway, count):
    """A player who is blocked and a session that is closed through one bet in none."""
    vendor = Vendor(gateway, NAME).sit_down("100.00")
    gateway.change(vendor.player, status="blocked")
    said = vendor.send_all([vendor.bet("1.00") for _ in range(count)])
    assert Verdict.DONE not in {each.verdict for each in said}
    gateway.change(vendor.player, status="active")
    vendor.done(vendor.bet("1.00"))
    vendor.leave()
    said = vendor.send_all([vendor.bet("1.00") for _ in range(count)])
    assert Verdict.DONE not in {each.verdict for each in said}
    assert vendor.balance() == "99.00"


@pytest.mark.parametrize("name", sorted(dialects()))
def test_in_flight_at_a_stop_are_all_answered(gateway, name):
    """SIGTERM with many bets under way at two workers: all answered, exit code 0."""
    vendor = Vendor(gateway, name).sit_down("100.00")
    made, requests = bets(vendor, IN_FLIGHT)

    async def send_and_stop():
        async with http_client() as client:
            base = f"{gateway.url}/callbacks/{name}"
            sending = [asyncio.create_task(over_http(client, base, each)) for each in requests]
            async with asyncio.timeout(10):
                while not any(each.done() for each in sending):  # noqa: ASYNC110 - of the server
                    await asyncio.sleep(0)
            gateway.process.terminate()
            return await asyncio.gather(*sending, return_exceptions=True)

    replies = asyncio.run(send_and_stop())
    assert gateway.process.wait(20) == 0, gateway.written()
    # Who was not accepted yet is refused, and knows that nothing came of it.
    kept = [(bet, reply) for bet, reply in zip(made, replies, strict=True)
            if not isinstance(reply, aiohttp.ClientConnectionError)]  # fmt: skip
    assert not [reply for _, reply in kept if isinstance(reply, Exception)]
    done = {bet.key for bet, reply in kept if vendor.judged((bet,), reply).verdict is Verdict.DONE}
    gateway.start()
    assert done <= {row["key"] for row in gateway.transactions(integration=name)}


class Player:
    """A vendor's client that bets on one connection after the other, and knows what it was told."""

    def __init__(self, gateway, name):
        self.gateway, self.name = gateway, name
        self.vendor = Vendor(gateway, name).sit_down("1000.00")
        self.acknowledged, self.doubt = [], []

    async def play(self, stopped):
        """Bet until told to stop."""
        base = f"{self.gateway.url}/callbacks/{self.name}"
        async with http_client() as client:
            while not stopped.is_set():
                bet = self.vendor.bet("0.01")
                try:
                    reply = await over_http(client, base, self.vendor.compose(bet))
                except (aiohttp.ClientError, ConnectionError):
                    self.doubt.append(bet)
                    continue
                said = self.vendor.judged((bet,), reply)
                (self.acknowledged if said.verdict is Verdict.DONE else self.doubt).append(bet)

    def settle(self):
        """Say again what nobody answered; what the player must have then."""
        for bet in self.doubt:
            self.vendor.done(bet)
        return 1000 - 0.01 * (len(self.acknowledged) + len(self.doubt))


def test_a_worker_killed_under_load_loses_nothing(gateway):
    """After kill -9 of a worker under load the others answer; nothing is lost, nothing doubled."""
    players = [Player(gateway, name) for name in sorted(dialects()) for _ in range(4)]

    async def play_and_kill():
        stopped = asyncio.Event()
        playing = [asyncio.create_task(each.play(stopped)) for each in players]
        for number in (0, 1):
            before = sum(len(each.acknowledged) for each in players)
            pid = gateway.pid(number)
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(20):
                while (  # noqa: ASYNC110 - of other processes
                    gateway.pid(number) == pid
                    or sum(len(each.acknowledged) for each in players) < before + 200
                ):
                    await asyncio.sleep(0.02)
        stopped.set()
        await asyncio.gather(*playing)

    asyncio.run(play_and_kill())
    for player in players:
        left = player.settle()
        assert player.vendor.balance() == f"{left:.2f}"
        keys = [row["key"] for row in gateway.transactions(
            integration=player.name, player=player.vendor.player, brand="acme")]  # fmt: skip
        assert len(keys) == len(set(keys)) == len(player.acknowledged) + len(player.doubt)
    assert gateway.terminate()[0] == 0


def test_a_database_that_is_away_is_waited_for(tmp_path):
    """A worker that dies while the database is away is replaced when it is back."""
    with postgres(fast=True) as server:
        database = server.create_database()
        with ServedByWorkers(tmp_path, store={"url": database}) as gateway:
            server.stop()
            before = gateway.pid(1)
            os.kill(before, signal.SIGKILL)
            wait_for(lambda: len(gateway.lines("worker_ended", worker=1)) >= 3)
            assert gateway.process.poll() is None
            server.start()
            wait_for(lambda: gateway.pid(1) != before)
            wait_for(lambda: gateway.machine(1, "/readyz")[0] == 200)
            assert gateway.terminate()[0] == 0


def test_a_database_that_is_not_there_at_the_start_ends_all(tmp_path):
    """At the first start the one message says so, with exit code 1."""
    url = "postgresql://seamline@127.0.0.1:1/seamline"
    with pytest.raises(AssertionError, match="ended with 1"):
        ServedByWorkers(tmp_path, workers=3, store={"url": url}).start()
    said = (tmp_path / "output-1").read_text()
    assert said.count(": cannot connect: ") == 1


def test_no_orphan_keeps_the_port(gateway):
    """After kill -9 of the supervisor the same port is served again by a new one."""
    pids = [gateway.pid(number) for number in (0, 1)]
    vendor = Vendor(gateway, NAME).sit_down("100.00")
    vendor.done(vendor.bet("1.00"))
    gateway.kill()
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))  # noqa: PTH110
    gateway.start()
    vendor.done(vendor.bet("1.00"))
    assert vendor.balance() == "98.00"
