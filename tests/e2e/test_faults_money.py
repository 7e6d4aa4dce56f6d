"""Faults 13 to 15, 19, 22 and 23: funds, floods, batches and time, for every dialect."""

import asyncio
import time
from contextlib import closing

import pytest

from kit.gateway import GatewayRig, in_process
from kit.vendor import Vendor, templates
from seamline.dialects import dialects
from seamline.dialects.dialect import Reply
from seamline.wallet import Kind, Verdict


def test_fault_13_the_same_id_after_a_deposit(vendor):
    """Without funds nothing moves; after a deposit the same id is decided afresh, or remembered."""
    bet = vendor.bet("150.00")
    said = vendor.refused(bet)
    assert said.verdict is Verdict.REFUSED
    assert said.reply.status < 500
    assert vendor.balance() == "100.00"
    vendor.doors.deposit(f"more-{bet.key}", "100.00", player=vendor.player)
    if Kind.BET in vendor.policy.remembered_refusals:
        vendor.refused(bet)
        assert vendor.balance() == "200.00"
    else:
        vendor.done(bet)
        assert vendor.balance() == "50.00"


def test_fault_13_the_last_cent_can_be_staked(vendor):
    """A stake of all there is leaves nothing; one cent more is refused."""
    vendor.refused(vendor.bet("100.01"))
    vendor.done(vendor.bet("100.00"))
    assert vendor.balance() == "0.00"
    vendor.refused(vendor.bet("0.01"))


def test_fault_13_ten_bets_for_the_last_money(vendor):
    """Ten bets at once that the balance covers only three times: three are done."""
    answers = vendor.send_all([vendor.bet("30.00") for _ in range(10)])
    assert sorted(each.verdict.value for each in answers).count("done") == 3
    assert {each.verdict for each in answers} == {Verdict.DONE, Verdict.REFUSED}
    assert vendor.balance() == "10.00"


@pytest.mark.parametrize("first", ["vendor", "cashier"])
def test_fault_14_bets_withdrawals_and_credits_at_once(vendor, first):
    """No update is lost when vendor and cashier work on one account at once, in two sessions."""
    kind = Kind.REWARD if vendor.can(Kind.REWARD) else vendor.credits
    rig, base = vendor.doors, f"/callbacks/{vendor.name}"
    said = [vendor.bet("2.00") for _ in range(5)] + [vendor.say(kind, "3.00") for _ in range(5)]
    vendor.open_session()
    said += [vendor.bet("2.00") for _ in range(5)] + [vendor.say(kind, "3.00") for _ in range(5)]
    path = f"/v1/players/acme/{vendor.player}/withdrawals"
    bodies = [
        {"transaction_id": vendor.ids.uuid(), "amount": "1.00", "currency": "USD"}
        for _ in range(10)
    ]

    async def all_at_once():
        # In process, so that both meet in one batch, in either order.
        calls = [in_process(rig.app, vendor.compose(each), base) for each in said]
        cashier = [rig.operate("POST", path, body) for body in bodies]
        ordered = calls + cashier if first == "vendor" else cashier + calls
        return await asyncio.gather(*ordered)

    done = [each if isinstance(each, Reply) else Reply(each[0]) for each in rig.run(all_at_once())]
    assert sorted(reply.status for reply in done) == [200] * 20 + [201] * 10
    assert vendor.balance() == "100.00"
    assert len(vendor.moved()) == 30


@pytest.mark.parametrize("name", sorted(dialects()))
def test_fault_15_ten_thousand_credits_over_few_accounts(place, name):
    """Ten thousand credits at once over four accounts are all paid, in seconds."""
    with closing(GatewayRig(place)) as rig:
        players = [Vendor(rig, name).sit_down("0.01") for _ in range(4)]
        kind = players[0].credits
        commands = [players[turn % 4].say(kind, "0.01") for turn in range(10_000)]

        async def credit_all():
            return await asyncio.gather(*(rig.gateway.ledger.apply(each) for each in commands))

        started = time.monotonic()
        outcomes = rig.run(credit_all())
        assert time.monotonic() - started < 20
        assert {type(each).__name__ for each in outcomes} == {"Applied"}
        assert [each.balance() for each in players] == ["25.01"] * 4
        rig.audit()
        assert sum(len(each.moved()) for each in players) == 10_000


# 19: batches.


def test_fault_19_a_batch_sent_again(vendor):
    """A batch that comes again, whole, moves each of its items once."""
    batches = [each for each in templates(vendor.speaks) if len(each.commands) > 1]
    if not batches:
        pytest.skip(f"{vendor.name} has no batches")
    for batch in batches:
        commands = tuple(vendor.fill(each) for each in batch.commands)
        vendor.send(*commands)
        before = vendor.moved()
        vendor.send(*commands)
        assert vendor.moved() == before


# 22, 23 and 24: time.


def test_fault_23_a_round_that_never_ends_is_visible(vendor):
    """A round with a bet and no result is listed as unsettled until its win or refund comes."""
    vendor.needs(Kind.WIN)
    bet, other = vendor.bet("1.00"), vendor.bet("1.00")
    vendor.done(bet)
    vendor.done(other)

    def unsettled():
        query = {"brand": "acme", "player": vendor.player, "unsettled": "true"}
        return [each["round"] for each in vendor.doors.rounds(**query)]

    assert unsettled() == [bet.round, other.round]
    vendor.done(vendor.win(bet, "0"))
    assert unsettled() == [other.round]
    if vendor.can(Kind.REFUND):
        vendor.done(vendor.refund(other))
        assert unsettled() == []


@pytest.mark.parametrize("hours", [24, 24 * 122], ids=["a day", "four months"])
def test_fault_22_a_retry_after_a_long_time(vendor, hours):
    """A request that comes again after a day or four months is still the same movement."""
    bet = vendor.bet("10.00")
    request = vendor.compose(bet)
    vendor.doors.send(vendor.name, request)
    vendor.doors.pass_time(hours=hours)
    vendor.doors.send(vendor.name, request)
    vendor.send(bet)
    assert vendor.moved() == [("bet", "10.00")]
    if not vendor.can(Kind.REFUND):
        return
    within_ms = vendor.policy.refund_within_ms
    if within_ms is not None and within_ms <= hours * 3_600_000:
        vendor.refused(vendor.refund(bet))
        assert vendor.balance() == "90.00"
    else:
        vendor.done(vendor.refund(bet))
        assert vendor.balance() == "100.00"


@pytest.mark.parametrize("hours", [-3, 3])
def test_fault_24_a_clock_that_jumps(vendor, hours):
    """When the gateway's clock jumps, bets go on, and none is older than the player's last one."""
    vendor.done(vendor.bet("1.00"))
    vendor.doors.pass_time(hours=hours)
    vendor.open_session()
    vendor.done(vendor.bet("1.00"))
    assert vendor.balance() == "98.00"
    times = [
        each["at_ms"] for each in vendor.doors.transactions(brand="acme", player=vendor.player)
    ]
    assert times == sorted(times)
