"""Fault 7: the process is killed at any moment, under load, and nothing is lost or doubled.

Workers send bets, wins, refunds and duplicates, each for a player of its own, and keep a model. The
process is killed; what was acknowledged must be there once, what was not is sent again or refunded.
"""

import asyncio
import random
import time

import aiohttp
import pytest

from kit.gateway import http_client, over_http
from kit.server import ServedGateway, python
from kit.vendor import Vendor, integration_of, value
from seamline.dialects import dialects
from seamline.money import Amount, Currencies
from seamline.wallet import Kind, Verdict

WORKERS = 16
START = "1000.00"

#: A start is to take less than a second; the test fails only when it is far beyond.
READY_WITHIN_S = 10.0

USD = Currencies.standard()["USD"]


class Player:
    """A worker's player: what was acknowledged, what is in doubt, and what the balance must be."""

    def __init__(self, vendor, chance):
        self.vendor, self.chance = vendor, chance
        self.units = Amount.parse(START, USD).units
        self.done, self.open, self.doubt = [], [], []

    async def play(self, client, base):
        """Send one thing after the other until the server is gone."""
        while True:
            command = self.next()
            request = self.vendor.compose(command)
            copies = 2 if self.chance.random() < 0.2 else 1
            try:
                replies = await asyncio.gather(
                    *(over_http(client, base, request) for _ in range(copies))
                )
            except (aiohttp.ClientError, TimeoutError):
                if command not in self.done:
                    self.doubt.append(command)
                return
            for reply in replies:
                self.acknowledged(command, self.vendor.judged((command,), reply))

    def next(self):
        """A bet, or the win or refund of an open one, or something that was done before."""
        if self.repeatable and self.chance.random() < 0.15:
            return self.chance.choice(self.repeatable)
        if self.open and self.chance.random() < 0.6:
            bet = self.open.pop(self.chance.randrange(len(self.open)))
            if self.vendor.can(Kind.REFUND) and self.chance.random() < 0.4:
                return self.vendor.refund(bet)
            return self.vendor.win(bet, f"{self.chance.randint(0, 500) / 100:.2f}")
        return self.vendor.bet(f"{self.chance.randint(1, 300) / 100:.2f}")

    @property
    def repeatable(self):
        """What was done and is done again by its repeat; a bet after its refund may be refused."""
        if self.vendor.policy.refunded_bet_again == "replay":
            return self.done
        refunded = {each.target for each in self.done if each.kind is Kind.REFUND}
        return [each for each in self.done if each.key not in refunded]

    def acknowledged(self, command, said):
        """Every answer is that it is done, and tells the balance of the model."""
        assert said.verdict is Verdict.DONE, said
        if command in self.done:
            return
        self.apply(command)
        if said.told is not None:
            assert said.told == value(self.balance), command

    def apply(self, command):
        """The model moves."""
        self.done.append(command)
        self.units += self.effect(command)
        if command.kind is Kind.BET:
            self.open.append(command)

    def effect(self, command):
        """What a command moves, in units."""
        if command.kind is Kind.REFUND:
            target = next(each for each in self.done if each.key == command.target)
            return Amount.exactly(target.amount, USD).units
        units = Amount.exactly(command.amount, USD).units
        return -units if command.kind is Kind.BET else units

    @property
    def balance(self):
        """What the player must have, as text."""
        return str(Amount(self.units, USD))

    def settle(self):
        """Everything in doubt is sent again; a bet is refunded now and then instead."""
        for command in self.doubt:
            if (
                command.kind is Kind.BET
                and self.vendor.can(Kind.REFUND)
                and self.chance.random() < 0.5
            ):
                self.vendor.done(self.vendor.refund(command))
            else:
                self.vendor.done(command)
                if command not in self.done:
                    self.apply(command)
        self.doubt.clear()

    def check(self):
        """The books have the model's balance, and every acknowledged transaction exactly once."""
        assert self.vendor.balance() == self.balance
        rows = self.vendor.doors.transactions(brand="acme", player=self.vendor.player)
        keys = [row["key"] for row in rows]
        assert len(set(keys)) == len(keys)
        assert {command.key for command in self.done} <= set(keys)


async def load_until_killed(gateway, name, players, after_s):
    """Let all players play; kill the server when the time has come."""
    base = f"{gateway.url}/callbacks/{name}"

    async def kill():
        # Not a wait for a condition: the moment is meant to be any.
        await asyncio.sleep(after_s)
        gateway.process.kill()

    async with http_client() as client:
        await asyncio.gather(kill(), *(player.play(client, base) for player in players))
    await asyncio.to_thread(gateway.process.wait)


def at(place):
    """A gateway of its own process, over that place's ledger."""
    return ServedGateway(place.folder, store={"url": place.url})


def rounds(place, name, number, seed, capsys):
    """Kill and restart that many times, on one ledger; every law is checked after each."""
    chance = random.Random(seed)
    with at(place) as gateway:
        players = [
            Player(Vendor(gateway, name, seed=f"{seed}/{each}").sit_down(START), chance)
            for each in range(WORKERS)
        ]
        for turn in range(number):
            before = sum(len(player.done) for player in players)
            asyncio.run(load_until_killed(gateway, name, players, chance.uniform(0.2, 0.9)))
            ready_s = gateway.start()
            doubt = sum(len(player.doubt) for player in players)
            for player in players:
                player.settle()
                player.check()
            gateway.audit()
            done = sum(len(player.done) for player in players)
            with capsys.disabled():
                print(  # noqa: T201 - a figure for whoever runs the tests
                    f"\n{name}: kill {turn + 1}: {done - before} acknowledged, {doubt} in doubt, "
                    f"ready again after {ready_s:.2f} s",
                    end="",
                )
            assert done > before
            assert ready_s < READY_WITHIN_S


def playable():
    """The dialects that have rounds to play."""
    return [name for name in sorted(dialects()) if Vendor(_Nobody(name), name).can(Kind.WIN)]


class _Nobody:
    """Doors that lead nowhere, to ask a vendor what it can say."""

    def __init__(self, name):
        self.integrations = {name: integration_of(name)}


@pytest.mark.parametrize("name", playable())
def test_fault_07_killed_under_load(place, capsys, name):
    """A kill -9 under load loses nothing acknowledged and doubles nothing."""
    rounds(place, name, 1, time.time_ns(), capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", playable())
def test_fault_07_killed_thirty_times(place, capsys, name):
    """Thirty times, on one ledger."""
    rounds(place, name, 30, time.time_ns(), capsys)


SUDDEN = """
import os, signal
from inspect import iscoroutinefunction
from seamline.cli import main
{imports}

seen = 0

def die_at(of, name, *, after):
    method = getattr(of, name)
    def reached(this):
        global seen
        seen += not this
        if seen == {turn} and this == after:
            os.kill(os.getpid(), signal.SIGKILL)
    def wrapped(*arguments):
        reached(False)
        result = method(*arguments)
        reached(True)
        return result
    async def awaited(*arguments):
        reached(False)
        result = await method(*arguments)
        reached(True)
        return result
    setattr(of, name, awaited if iscoroutinefunction(method) else wrapped)

die_at({of}, {name!r}, after={after})
main()
"""
#: By store: what it imports, and what stands for a batch's write and its COMMIT, each with the turn
#: at which the process dies. On SQLite the first COMMITs after a start are of readiness.
SQLITE = """
from seamline.ledger.sqlite.batches import Batches
from seamline.ledger.sqlite.writer import SqliteWriter
"""
POSTGRES = """
from seamline.ledger.postgres import writer
from seamline.ledger.postgres.links import Line
"""
POINTS = {
    ("sqlite", "write"): (SQLITE, "Batches", "write", 2),
    ("sqlite", "commit"): (SQLITE, "SqliteWriter", "_commit", 12),
    ("postgres", "write"): (POSTGRES, "writer", "walk", 4),
    ("postgres", "commit"): (POSTGRES, "Line", "commit", 2),
}


MOMENTS = ("before write", "after write", "before commit", "after commit")


@pytest.mark.parametrize(("point", "name"), list(zip(MOMENTS, playable(), strict=False)))
def test_fault_07_killed_at_a_chosen_point(place, backend, name, point):
    """Killed right before or after a write or a COMMIT, a bet and its retry are one movement."""
    killed_at(place, backend, name, point)


@pytest.mark.slow
@pytest.mark.parametrize("name", playable())
@pytest.mark.parametrize("point", MOMENTS)
def test_fault_07_killed_at_every_point(place, backend, name, point):
    """The same at each of the points, for each of the dialects."""
    killed_at(place, backend, name, point)


def killed_at(place, backend, name, point):
    """Bets until the process dies at a point, then all of them again."""
    moment, what = point.split()
    imports, of, method, turn = POINTS[backend, what]
    told = {"imports": imports, "of": of, "name": method, "turn": turn}
    with at(place) as gateway:
        vendor = Vendor(gateway, name).sit_down(START)
        gateway.kill()
        gateway.start(python(SUDDEN.format(**told, after=moment == "after")))
        sent, lost = [], None
        for _ in range(40):
            sent.append(vendor.bet("1.00"))
            try:
                vendor.done(sent[-1])
            except aiohttp.ClientError:
                lost = sent[-1]
                break
        assert lost is not None, "the process was to die"
        gateway.process.wait()
        gateway.start()
        applied = lost.key in {each["key"] for each in gateway.transactions(integration=name)}
        assert applied == (point == "after commit")
        for bet in sent:
            vendor.done(bet)
        assert vendor.balance() == str(Amount.parse(f"{1000 - len(sent)}", USD))
        assert vendor.moved() == [("bet", "1.00")] * len(sent)
        gateway.audit()


def test_two_processes_never_share_a_file(tmp_path):
    """A second process on the same ledger file ends at once and says why; the first goes on."""
    with ServedGateway(tmp_path) as gateway:
        second = ServedGateway(tmp_path)
        second.starts = 10
        with pytest.raises(AssertionError, match="open in another Seamline process"):
            second.start()
        assert second.process.wait() == 1
        gateway.player()
        assert gateway.balance() == "100.00"
