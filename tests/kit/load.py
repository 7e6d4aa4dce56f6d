"""Players who bet through several gateways while something happens, and know what must be true.

Each sends one thing after the other to any gateway. What was not acknowledged is sent again, or
refunded where it was a bet, until it is; a bet that was refunded once, by whatever way, is nothing.
"""

import asyncio
import random
import time
from itertools import pairwise

import aiohttp

from kit.vendor import Vendor
from seamline.money import Amount, Currencies
from seamline.wallet import Kind, Verdict

USD = Currencies.standard()["USD"]
START = "1000.00"


class Client:
    """One player of one vendor, with a model of the account."""

    def __init__(self, doors, name, exchange, *, seed):
        self.vendor = Vendor(doors, name, seed=seed).sit_down(START)
        self.exchange, self.chance = exchange, random.Random(seed)
        self.done, self.open, self.doubt, self.undone = {}, [], [], {}
        #: When each acknowledgement came, and how long each refusal took.
        self.acknowledged_at, self.refused_after_s = [], []

    async def play(self, stopped):
        """Play until told to stop."""
        while not stopped.is_set():
            await self.say(self._next(), copies=2 if self.chance.random() < 0.2 else 1)

    async def settle(self):
        """Everything in doubt is said again until it is done."""
        while self.doubt:
            await self.say(self._resolved(self.doubt.pop()))

    async def say(self, command, copies=1):
        """Send a command, now and then on several connections at once; keep what came of it."""
        request = self.vendor.compose(command)
        told = await asyncio.gather(*(self._told(command, request) for _ in range(copies)))
        if True in told:
            self._is_done(command)
        elif command.key not in self.done:
            self.doubt.append(command)
            await asyncio.sleep(0.02)  # A vendor that repeats at once would be one too many.

    async def _told(self, command, request):
        """Whether the answer is that it is done."""
        started = time.monotonic()
        try:
            reply = await self.exchange(self.vendor.name, request)
        except (aiohttp.ClientError, TimeoutError):
            return False
        done = self.vendor.judged((command,), reply).verdict is Verdict.DONE
        if done:
            self.acknowledged_at.append(time.monotonic())
        else:
            self.refused_after_s.append(time.monotonic() - started)
        return done

    def _next(self):
        """What is in doubt, a bet, the win or refund of an open one, or what was done before."""
        if self.doubt and self.chance.random() < 0.7:
            return self._resolved(self.doubt.pop(self.chance.randrange(len(self.doubt))))
        if self.done and self.chance.random() < 0.15:
            return self._again(self.chance.choice(list(self.done.values())))
        if self.open and self.chance.random() < 0.6:
            bet = self.open.pop(self.chance.randrange(len(self.open)))
            if self.vendor.can(Kind.REFUND) and self.chance.random() < 0.4:
                return self._refund(bet)
            return self.vendor.win(bet, f"{self.chance.randint(0, 500) / 100:.2f}")
        return self.vendor.bet(f"{self.chance.randint(1, 300) / 100:.2f}")

    def _again(self, command):
        """What was done is said again, as it was; a bet after its refund may be refused."""
        return self.undone.get(command.key, command)

    def _resolved(self, command):
        """What a vendor does about it: the bet is refunded, where no other bet is owed."""
        refunds = self.vendor.policy.overdue_bet == "undo" or self.chance.random() < 0.5
        if command.kind is Kind.BET and self.vendor.can(Kind.REFUND) and refunds:
            return self._refund(command)
        return command

    def _refund(self, bet):
        if bet.key not in self.undone:
            self.undone[bet.key] = self.vendor.refund(bet)
        return self.undone[bet.key]

    def _is_done(self, command):
        if command.key in self.done:
            return
        self.done[command.key] = command
        if command.kind is Kind.BET and command.key not in self.undone:
            self.open.append(command)

    def check(self):
        """The books have the model's balance, and every acknowledged transaction exactly once."""
        units = Amount.parse(START, USD).units
        for command in self.done.values():
            if command.kind is Kind.REFUND or command.key in self.undone:
                continue
            moved = Amount.exactly(command.amount, USD).units
            units += -moved if command.kind is Kind.BET else moved
        assert self.vendor.balance() == str(Amount(units, USD)), self.vendor.player
        rows = self.vendor.doors.transactions(brand="acme", player=self.vendor.player)
        keys = [row["key"] for row in rows]
        assert len(set(keys)) == len(keys)
        assert self.done.keys() <= set(keys), self.done.keys() - set(keys)


async def under_load(clients, *happenings):
    """Let the clients play while things happen, one after the other; then settle what is open.

    Each is a coroutine function. Returns for each the longest time in which nothing was
    acknowledged, from its begin until the next one's.
    """
    stopped, begun = asyncio.Event(), []
    async with asyncio.TaskGroup() as playing:
        for each in clients:
            playing.create_task(each.play(stopped))
        for happen in happenings:
            await acknowledged(clients, 200)
            begun.append(time.monotonic())
            await happen()
            await acknowledged(clients, 200)
        stopped.set()
    times = sorted(at for each in clients for at in each.acknowledged_at)
    async with asyncio.timeout(30):
        await asyncio.gather(*(each.settle() for each in clients))
    ends = [*begun[1:], time.monotonic()]
    return [longest_gap(times, *span) for span in zip(begun, ends, strict=True)]


async def acknowledged(clients, number):
    """Returns once so many more were acknowledged."""
    wanted = sum(len(each.acknowledged_at) for each in clients) + number
    async with asyncio.timeout(90):
        while (  # noqa: ASYNC110 - of other processes
            sum(len(each.acknowledged_at) for each in clients) < wanted
        ):
            await asyncio.sleep(0.02)


def longest_gap(times, begin, end):
    """The longest time between two of the times, one of them at least in that span."""
    pairs = pairwise(times)
    return max(after - before for before, after in pairs if after >= begin and before <= end)
