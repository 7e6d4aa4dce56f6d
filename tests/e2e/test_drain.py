"""A server that is asked to stop answers what it took, loses nothing, and ends in time."""

import asyncio
import time

import aiohttp
import pytest

from kit.gateway import http_client, over_http
from kit.server import ServedGateway, python
from kit.vendor import Vendor
from seamline.dialects import dialects
from seamline.wallet import Verdict

#: How long a stop may take.
STOPPED_WITHIN_S = 5.0

IN_FLIGHT = 200

#: A gateway whose batches take their time, so that a stop finds many requests under way.
SLOW = """
import asyncio
from seamline.ledger.sqlite.writer import SqliteWriter
from seamline.cli import main

transact = SqliteWriter.transact

async def slowly(self, work):
    await asyncio.sleep(0.1)
    return await transact(self, work)

SqliteWriter.transact = slowly
main()
"""


@pytest.fixture(params=sorted(dialects()))
def name(request):
    """Each dialect."""
    return request.param


async def send_all(gateway, name, requests, *, then):
    """The replies, or what happened instead, of requests at once; *then* is done meanwhile."""
    base = f"{gateway.url}/callbacks/{name}"
    async with http_client() as client:
        sending = [asyncio.create_task(over_http(client, base, each)) for each in requests]
        await then(client)
        return await asyncio.gather(*sending, return_exceptions=True)


async def until(condition):
    """Wait until the condition holds, without standing in the way of what makes it hold."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - conditions of other processes have no event
            await asyncio.sleep(0.005)


def test_two_hundred_in_flight_are_all_answered(tmp_path, name):
    """SIGTERM with 200 bets under way: 200 answers, exit code 0, less than 5 seconds."""
    with ServedGateway(tmp_path, program=python(SLOW)) as gateway:
        vendor = Vendor(gateway, name).sit_down("1000.00")
        bets = [vendor.bet("1.00") for _ in range(IN_FLIGHT)]

        async def stop(client):
            await until(lambda: len(client.connector._acquired) >= IN_FLIGHT)
            # All are on their connections; give the last of them to the server's loop.
            async with client.get(f"{gateway.url}/healthz") as reply:
                assert reply.status == 200
            stop.at = time.monotonic()
            gateway.process.terminate()

        replies = asyncio.run(
            send_all(gateway, name, [vendor.compose(bet) for bet in bets], then=stop)
        )
        assert gateway.process.wait(20) == 0, gateway.written()
        assert time.monotonic() - stop.at < STOPPED_WITHIN_S
        lost = [reply for reply in replies if isinstance(reply, Exception)]
        assert not lost
        said = [vendor.judged((bet,), reply) for bet, reply in zip(bets, replies, strict=True)]
        acknowledged = [bet.key for bet, each in zip(bets, said, strict=True)
                        if each.verdict is Verdict.DONE]  # fmt: skip
        assert len(acknowledged) == IN_FLIGHT
        assert "Traceback" not in gateway.written()
        gateway.start()
        keys = [row["key"] for row in gateway.transactions(integration=name)]
        assert sorted(keys) == sorted(acknowledged)
        assert vendor.balance() == "800.00"
        gateway.audit()


class Sender:
    """A client that sends bet after bet on one kept connection until it is refused."""

    def __init__(self, vendor):
        self.vendor = vendor
        self.acknowledged, self.doubt, self.broken = [], [], []

    async def run(self, gateway, name):
        """Send until no connection can be made any more."""
        base = f"{gateway.url}/callbacks/{name}"
        async with http_client() as client:
            while True:
                bet = self.vendor.bet("0.01")
                try:
                    reply = await over_http(client, base, self.vendor.compose(bet))
                except aiohttp.ClientConnectorError:
                    return
                except aiohttp.ClientPayloadError as error:
                    self.broken.append(error)
                    return
                except (aiohttp.ClientError, ConnectionError):
                    self.doubt.append(bet)
                    continue
                said = self.vendor.judged((bet,), reply)
                if said.verdict is Verdict.DONE:
                    self.acknowledged.append(bet.key)
                else:
                    # A gateway that is stopping may say so, in the dialect's words.
                    assert said.verdict is Verdict.UNKNOWN, said


def test_clients_that_go_on_sending_see_whole_answers(tmp_path, name):
    """During a stop there are whole answers or refused connections; what was told is kept."""
    with ServedGateway(tmp_path) as gateway:
        senders = [Sender(Vendor(gateway, name).sit_down("1000.00")) for _ in range(20)]

        async def run_and_stop():
            running = [asyncio.create_task(each.run(gateway, name)) for each in senders]
            await until(lambda: sum(len(each.acknowledged) for each in senders) >= 200)
            run_and_stop.at = time.monotonic()
            gateway.process.terminate()
            await asyncio.gather(*running)

        asyncio.run(run_and_stop())
        assert gateway.process.wait(20) == 0, gateway.written()
        assert time.monotonic() - run_and_stop.at < STOPPED_WITHIN_S
        assert not [each.broken for each in senders if each.broken]
        assert "Traceback" not in gateway.written()
        gateway.start()
        gateway.audit()
        kept = {row["key"] for row in gateway.transactions(integration=name)}
        for sender in senders:
            assert set(sender.acknowledged) <= kept
            for bet in sender.doubt:
                sender.vendor.done(bet)
        kept = [row["key"] for row in gateway.transactions(integration=name)]
        assert len(set(kept)) == len(kept)
        gateway.audit()


def test_an_idle_server_stops_at_once(tmp_path):
    """With idle connections only, a stop takes about as long as these may linger."""
    with ServedGateway(tmp_path) as gateway:

        async def idle_then_stop():
            async with http_client() as client:
                for _ in range(5):
                    async with client.get(f"{gateway.url}/healthz") as reply:
                        assert reply.status == 200
                return await asyncio.to_thread(gateway.terminate)

        code, took_s = asyncio.run(idle_then_stop())
        assert code == 0
        assert took_s < STOPPED_WITHIN_S


def test_a_caller_that_never_finishes_does_not_hold_the_stop(tmp_path):
    """Half a request keeps nobody waiting longer than the limits say."""
    with ServedGateway(tmp_path, server={"shutdown_timeout_s": 2.0}) as gateway:
        host, port = gateway.address

        async def dangle_then_stop():
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST /callbacks/x/bet HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
            await writer.drain()
            stopped = await asyncio.to_thread(gateway.terminate)
            writer.transport.abort()
            return stopped

        code, took_s = asyncio.run(dangle_then_stop())
        assert code == 0
        assert took_s < STOPPED_WITHIN_S
