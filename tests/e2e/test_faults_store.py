"""Fault 20: the store is away. Nothing moves, vendors hear it at once, and the books stay exact."""

import asyncio
import time

import apsw
import pytest

from kit.gateway import GatewayRig
from kit.vendor import Vendor
from seamline.dialects import dialects
from seamline.wallet import Kind, Verdict

#: A busy machine's second; vendors wait for 5 s at most, and the store would for far longer.
FAST_S = 3.0

#: What is about the file; PostgreSQL has its own ways to fail, in tests of its own.
in_a_file = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def rig(place):
    """A gateway of its own, as the store of it is going to fail."""
    made = GatewayRig(place).serve()
    yield made
    made.audit()
    made.close()


@pytest.fixture(params=sorted(dialects()))
def vendor(rig, request):
    """A vendor of each dialect with a player who has 100.00."""
    return Vendor(rig, request.param).sit_down()


def timed(vendor, *commands):
    """What was said to commands at once, and that it was said fast."""
    started = time.monotonic()
    answers = vendor.send_all(commands)
    assert time.monotonic() - started < FAST_S
    return answers


def test_fault_20_a_store_that_is_away_refuses_fast(vendor, rig):
    """Every command is refused at once, none is done, and a bet asks for its refund."""
    bets = [vendor.bet("1.00") for _ in range(10)]
    with rig.away():
        answers = timed(vendor, *bets)
    assert Verdict.DONE not in {each.verdict for each in answers}
    assert len({(each.reply.status, each.judgement) for each in answers}) == 1
    assert vendor.moved() == []


def test_fault_20_refunds_and_retries_leave_the_books_exact(vendor, rig):
    """What was refused while the store was away can be refunded, or sent again, afterwards."""
    vendor.needs(Kind.REFUND, Kind.WIN)
    paid = vendor.bet("10.00")
    vendor.done(paid)
    lost, again = vendor.bet("5.00"), vendor.bet("7.00")
    win, refund = vendor.win(paid, "20.00"), vendor.refund(lost)
    with rig.away():
        for said in timed(vendor, lost, again, win, refund):
            assert said.verdict is not Verdict.DONE
        unpaid = timed(vendor, win, refund)
    assert {each.verdict for each in unpaid} == {Verdict.UNKNOWN}, "they are sent again"
    vendor.done(win)
    vendor.done(refund)
    vendor.refused(lost)
    vendor.done(again)
    assert vendor.balance() == "103.00"


def test_fault_20_the_operator_is_told_too(vendor, rig):
    """The cashier and readiness say that the store is away, and that it is back."""
    body = {"transaction_id": "d9", "amount": "1.00", "currency": "USD"}
    path = f"/v1/players/acme/{vendor.player}/deposits"
    with rig.away():
        status, problem = rig.operator("POST", path, body)
        assert (status, problem["code"]) == (503, "unavailable")
        assert readiness(rig) == (503, False)
    assert rig.operator("POST", path, body)[0] == 201
    assert readiness(rig) == (200, True)


def readiness(rig):
    """The status of `/readyz`, and what it says of the store."""

    async def ask():
        async with rig.client.get(f"{rig.url}/readyz") as reply:
            return reply.status, (await reply.json())["checks"]["store"]["ok"]

    return rig.run(ask())


@in_a_file
def test_fault_20_a_full_disk(vendor, rig):
    """When the file cannot grow, bets are refused, reading goes on, and growth brings them back."""
    db = rig.gateway.store.writer._db
    db.pragma("max_page_count", db.pragma("page_count") + 2)
    said = []
    for _ in range(400):
        said.append(vendor.send(vendor.bet("0.01")))
        if said[-1].verdict is not Verdict.DONE:
            break
    assert said[-1].verdict is not Verdict.DONE, "the file was to be full"
    done = sum(each.verdict is Verdict.DONE for each in said)
    assert len(vendor.moved()) == done
    assert vendor.balance() == f"{100 - done / 100:.2f}"
    db.pragma("max_page_count", 2**30)
    vendor.done(vendor.bet("0.01"))
    assert len(vendor.moved()) == done + 1


@in_a_file
def test_fault_20_a_commit_that_fails(vendor, rig, monkeypatch):
    """A batch whose COMMIT fails is refused as a whole; the next one goes through."""
    writer = rig.gateway.store.writer
    bets = [vendor.bet("1.00") for _ in range(5)]

    def fail():
        raise apsw.IOError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(writer, "_commit", fail)
        answers = timed(vendor, *bets)
    assert Verdict.DONE not in {each.verdict for each in answers}
    assert vendor.moved() == []
    for bet in bets:
        vendor.done(bet)
    assert vendor.balance() == "95.00"


def test_fault_20_a_fault_of_the_program_hits_one_command(vendor, rig, monkeypatch):
    """A command that makes the program fail takes no other command of its batch down with it."""
    from seamline.ledger import lane as door

    bets = [vendor.bet("1.00") for _ in range(8)]
    decide = door.decide

    def fail_once(command, view):
        if command.key == bets[3].key:
            raise ZeroDivisionError("a fault of the program")
        return decide(command, view)

    with monkeypatch.context() as broken:
        broken.setattr(door, "decide", fail_once)
        answers = vendor.send_all(bets)
    verdicts = [each.verdict for each in answers]
    assert verdicts[3] is not Verdict.DONE
    assert verdicts.count(Verdict.DONE) == 7
    assert b"ZeroDivision" not in answers[3].reply.body
    vendor.done(bets[3])
    assert vendor.balance() == "92.00"


def test_fault_20_a_full_queue_refuses_at_once(place):
    """More commands than the queue holds are refused at once, and can be sent again."""
    from seamline.cli.settings import Batching

    rig = GatewayRig(place, ledger=Batching(queue_limit=20, batch_limit=10)).serve()
    for name in sorted(dialects()):
        vendor = Vendor(rig, name).sit_down()
        bets = [vendor.bet("0.10") for _ in range(200)]
        answers = vendor.send_all(bets)
        refused = [bet for bet, each in zip(bets, answers, strict=True)
                   if each.verdict is not Verdict.DONE]  # fmt: skip
        assert refused, "the queue was to be full"
        assert len(vendor.moved()) == 200 - len(refused)
        for bet in refused:
            vendor.done(bet)
        assert vendor.balance() == "80.00"
    rig.audit()
    rig.close()


def test_fault_20_a_slow_store_loses_nothing(vendor, rig):
    """A vendor that gave up waiting refunds; whatever the order, nothing was taken in the end."""
    vendor.needs(Kind.REFUND)
    bet, reached, gate = vendor.bet("10.00"), asyncio.Event(), asyncio.Event()

    async def held():
        reached.set()
        await gate.wait()

    async def give_up_then_refund():
        request = vendor.compose(bet)
        waiting = asyncio.create_task(rig.exchange(vendor.name, request))
        await reached.wait()
        waiting.cancel()
        refunding = asyncio.create_task(
            rig.exchange(vendor.name, vendor.compose(vendor.refund(bet)))
        )
        gate.set()
        return await refunding

    with rig.before_batches(held):
        reply = rig.run(give_up_then_refund())
    assert vendor.judged((vendor.refund(bet),), reply).verdict is Verdict.DONE
    assert vendor.balance() == "100.00"
