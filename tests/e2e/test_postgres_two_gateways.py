"""Two gateways on one PostgreSQL: one process beside it, two workers behind a PgBouncer."""

import asyncio
import random
import time
from contextlib import ExitStack, closing

import pytest

from kit.gateway import http_client, over_http
from kit.load import Client, under_load
from kit.pgbouncer import pgbouncer
from kit.postgres import postgres
from kit.server import ServedByWorkers, ServedGateway
from kit.vendor import Vendor
from seamline.dialects import dialects
from seamline.ledger.audit import audit
from seamline.ledger.postgres.store import PostgresStore
from seamline.money import Currencies
from seamline.wallet import Kind, Verdict

NAMES = sorted(dialects())
RACES = 20


@pytest.fixture(scope="module")
def gateways(tmp_path_factory):
    """Both, for the whole file; no pooler before 1.21 can keep prepared statements."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres(fast=True))
        url = server.create_database("wallet")
        pooler = stack.enter_context(pgbouncer(server))
        pooled = {"url": pooler.url("wallet"), "prepare": False}
        one = ServedGateway(tmp_path_factory.mktemp("one"), store={"url": url})
        two = ServedByWorkers(tmp_path_factory.mktemp("two"), store=pooled)
        yield stack.enter_context(one), stack.enter_context(two)
        for each in (one, two):
            assert '"level": "critical"' not in each.written()
            assert "exc_info" not in each.written()
        store = PostgresStore(url, Currencies.standard())
        with closing(store), store.reader() as reader:
            findings = audit(reader)
            assert findings.clean, "\n".join(map(str, findings.kept))
            assert not any(reader.drift().values())
        one.audit()


@pytest.fixture(params=NAMES)
def vendor(gateways, request):
    """A vendor of each dialect with a player who has 100.00."""
    return Vendor(gateways[0], request.param).sit_down("100.00")


def at_both(gateways, vendor, commands):
    """What is said to commands that go to the gateways in turn, all at once."""

    async def together():
        async with http_client() as client:
            bases = [f"{each.url}/callbacks/{vendor.name}" for each in gateways]
            sent = [
                over_http(client, bases[n % 2], vendor.compose(each))
                for n, each in enumerate(commands)
            ]
            return await asyncio.gather(*sent)

    replies = asyncio.run(together())
    return [vendor.judged((each,), reply) for each, reply in zip(commands, replies, strict=True)]


def test_ten_identical_bets_across_both_are_one(gateways, vendor):
    """One movement, and ten equal answers."""
    bet = vendor.bet("1.00")
    said = at_both(gateways, vendor, [bet] * 10)
    assert {each.verdict for each in said} == {Verdict.DONE}
    assert len({each.reply.body for each in said}) == 1
    assert vendor.moved() == [("bet", "1.00")]
    assert vendor.balance() == "99.00"


def test_refunds_race_their_bets(gateways, vendor):
    """A bet to one gateway and its refund to the other, at the same moment: nothing is left."""
    vendor.needs(Kind.REFUND)
    bets = [vendor.bet("1.00") for _ in range(RACES)]
    pairs = [(bet, vendor.refund(bet)) for bet in bets]
    # To either gateway come bets as well as refunds.
    mixed = [each for n, pair in enumerate(pairs) for each in (pair if n % 2 else pair[::-1])]
    said = dict(zip([each.key for each in mixed], at_both(gateways, vendor, mixed), strict=True))
    for _, refund in pairs:
        if said[refund.key].verdict is not Verdict.DONE:
            vendor.done(refund)
    assert vendor.balance() == "100.00"


def test_one_session_is_opened_at_both(gateways, vendor):
    """The same player, purse and session set down through both at once are one of each."""
    names = [f"{vendor.player}/{number}" for number in range(5)]

    async def call(gateway, path, body):
        return await asyncio.to_thread(gateway.operator, "POST", path, body)

    async def open_all(path, bodies):
        return await asyncio.gather(*(call(g, path, body) for body in bodies for g in gateways))

    players = [{"brand": "acme", "id": name} for name in names]
    sessions = [
        {"integration": vendor.name, "player": name, "currency": "USD", "game": "g1",
         "session_id": f"s/{name}"} for name in names
    ]  # fmt: skip
    for path, bodies in (("/v1/players", players), ("/v1/sessions", sessions)):
        told = asyncio.run(open_all(path, bodies))
        assert sorted(status for status, _ in told) == [200] * 5 + [201] * 5, told


def test_a_storm_through_both(gateways, capsys):
    """Bets, wins, refunds and repeats of the same players through both: all is there once."""
    http, chance, seed = [None], random.Random(time.time_ns()), time.time_ns()

    async def exchange(name, request):
        return await over_http(http[0], f"{chance.choice(gateways).url}/callbacks/{name}", request)

    async def storm():
        async with http_client() as http[0]:
            return await under_load(clients, *[lambda: asyncio.sleep(0)] * 2)

    clients = [
        Client(gateways[0], name, exchange, seed=f"{seed}/{name}/{number}")
        for name in NAMES
        if Vendor(gateways[0], name).can(Kind.WIN)
        for number in range(4)
    ]
    asyncio.run(storm())
    for client in clients:
        client.check()
    met = sum(each.written().count("batch_met_another") for each in gateways)
    refused = sum(len(each.refused_after_s) for each in clients)
    done = sum(len(each.acknowledged_at) for each in clients)
    with capsys.disabled():
        print(f"\nstorm: {done} acknowledged, {refused} refused, {met} batches begun again", end="")  # noqa: T201 - figures for whoever runs the tests
