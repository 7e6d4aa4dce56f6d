"""A vendor of any dialect, who says commands by the dialect's own compose and believes its judge.

What a dialect can say is learnt from its own vectors (see `seamline.dialects.examples`). Ids are
replaced by new ones of the same shape, everything else stays as published.
"""

import json
import re
from functools import cache
from importlib.resources import files
from itertools import count
from random import Random

import msgspec
import pytest

from seamline.cli.ids import Ids
from seamline.dialects import examples as learnt
from seamline.dialects import package_of
from seamline.dialects.examples import IDS, bare, examples, kind_of, like_kind
from seamline.money import Quantity
from seamline.wallet import Integration, Kind, Verdict

__all__ = [
    "Said",
    "Vendor",
    "bare",
    "integration_of",
    "like_kind",
    "renewed",
    "spellings",
    "templates",
]

_IN_NOTES = re.compile(r"[\w-]+")


def templates(name):
    """Everything that the vectors of a dialect show how to say, the plainest first."""
    return examples(_dialect(name))


@cache
def spellings(name):
    """Which spellings of a signed JSON the dialect's signature covers, beside the bytes sent."""
    folder = files(package_of(_dialect(name))) / "vectors"
    read = [json.loads(each.read_text("utf-8")) for each in folder.iterdir()]
    return frozenset().union(*(each["spellings"] for each in read if "spellings" in each))


def renewed(example, like, fresh=None, **given):
    """The fields of a command that are ids, new ones but for the *given*."""
    fresh = {} if fresh is None else fresh
    told = {name: each for name, each in given.items() if name in IDS and each is not None}
    new = learnt.renewed(example, like, told, fresh)
    if example.note is not None:
        # What a person is told of may be named by its id.
        new["note"] = _IN_NOTES.sub(lambda each: fresh.get(each[0], each[0]), example.note)
    return new


class Vendor:
    """One vendor's game server, with one player in one session at a time."""

    _seeds = count(1)

    def __init__(self, doors, name, *, seed=None):
        self.doors, self.name = doors, name
        self.integration = doors.integrations[name]
        self.speaks = self.integration.dialect
        self.dialect = _dialect(self.speaks)
        self.calls = {call.name: call for call in self.dialect.calls}
        self.ids = Ids(Random(f"{name}/{seed if seed is not None else next(self._seeds)}"))
        self.player = self.session = None
        self.currency, self.game = "USD", "g1"

    # The stage.

    def sit_down(self, funds="100.00", *, currency="USD", player=None):
        """A new player with that money opens a session; commands are about them from now on."""
        self.player = player or f"player-{self.ids.uuid()}"
        self.currency = currency
        if player is None:
            self.doors.player(self.player, funds, currency)
        return self.open_session()

    def open_session(self):
        """The same player opens another session."""
        self.session = self.ids.uuid()
        self.doors.session(
            self.name, self.session, player=self.player, currency=self.currency, game=self.game
        )
        return self

    def leave(self):
        """The session is closed."""
        self.doors.close_session(self.name, self.session)

    def balance(self):
        """What the player has, by the books, with all decimals that the currency shows."""
        return self.doors.balance(self.player, self.currency)

    def moved(self):
        """What was done on this player's account since the first deposit: kind and amount."""
        listed = self.doors.transactions(brand="acme", player=self.player)
        done = [each for each in listed[1:] if not each["rejection"] and each["kind"] != "claim"]
        return [(each["kind"], each["amount"]) for each in done]

    def alerts_about(self, *commands):
        """The alerts about these commands."""
        keys = {command.key for command in commands}
        return [alert for key, alert in self.doors.alerts() if key in keys]

    @property
    def policy(self):
        """What the dialect decides differently from others."""
        return self.dialect.policy(self.integration.options)

    @property
    def adopts(self):
        """Whether a session that nobody opened is taken for the named player's newest."""
        return self.policy.unknown_session == "adopt"

    # Commands.

    def template(self, kind, *, free=False, like=lambda _: True):
        """The plainest published command of that kind, or None when the dialect has none."""
        for each in templates(self.speaks):
            first = each.commands[0]
            if (first.kind, first.free) == (kind, free) and like(first):
                return each
        return None

    def can(self, kind, *, free=False):
        """Whether the dialect can say such a command."""
        return self.template(kind, free=free) is not None

    def needs(self, *kinds):
        """Skip the test where the dialect has no such command."""
        for kind in kinds:
            if not self.can(kind):
                pytest.skip(f"{self.name} has no {kind}")

    def say(self, kind, amount=None, *, free=False, **fields):
        """A command of that kind: new ids, this player and session, that amount."""
        template = self.template(kind, free=free)
        assert template is not None, f"{self.name} has no vector of a {kind}"
        return self.fill(template.commands[0], amount, **fields)

    def fill(self, example, amount=None, **fields):
        """The example with new ids, about this player and session."""
        new = renewed(example, self.ids.like, **fields)
        stage = {"session": self.session, "player": self.player, "currency": self.currency}
        stage |= {"game": self.game, "integration": self.name}
        new |= {name: value for name, value in stage.items() if getattr(example, name) is not None}
        if amount is not None:
            new["amount"] = Quantity.parse(amount)
        return msgspec.structs.replace(example, **new | fields)

    def bet(self, amount="10.00", **fields):
        """A stake."""
        return self.say(Kind.BET, amount, **fields)

    def win(self, of=None, amount="10.00", **fields):
        """The result of a bet's round; of a round of its own when *of* is None."""
        if of is not None:
            fields = self._about(of, self.template(Kind.WIN).commands[0]) | fields
        return self.say(Kind.WIN, amount, **fields)

    def owed(self, kind, amount="10.00", **fields):
        """A command of that kind that is done when it comes.

        Where a win needs its bet, one of nothing was done before.
        """
        if kind is Kind.WIN and not self.pays_without_bet:
            bet = self.bet("0")
            self.done(bet)
            return self.win(bet, amount, **fields)
        return self.say(kind, amount, **fields)

    @property
    def pays_without_bet(self):
        """Whether a win is paid that names no known bet or round."""
        return self.policy.win_without_bet == "pay"

    @property
    def credits(self):
        """The kind that pays without any bet before it; skips where there is none."""
        kinds = [Kind.WIN] if self.pays_without_bet else []
        for kind in (*kinds, Kind.REWARD):
            if self.can(kind):
                return kind
        return pytest.skip(f"{self.name} pays nothing without a bet")

    def refund(self, of, amount=None, **fields):
        """A transaction is undone; by its own amount and round, where the call has such fields.

        Where ids are per kind, a call that cannot name the transaction's kind names another one.
        """

        def kindred(each):
            return kind_of(each.target or "") == kind_of(of.key)

        template = self.template(Kind.REFUND, like=kindred) or self.template(Kind.REFUND)
        example = template.commands[0]
        about = self._about(of, example) | {"session": of.session}
        if amount is None and example.amount is not None and of.amount is not None:
            amount = str(of.amount)
        about = {name: value for name, value in about.items() if getattr(example, name) is not None}
        return self.fill(example, amount, **about | fields)

    def _about(self, of, example):
        """What ties a command such as the example to another one, as far as the wire has it."""
        ties = {"round": of.round, "target": like_kind(example.target or "", of.key)}
        return {name: value for name, value in ties.items() if getattr(example, name) is not None}

    # The wire.

    def call_of(self, command):
        """The call that carries a command."""
        matching = (each.call for each in templates(self.speaks)
                    if (each.commands[0].kind, each.commands[0].free, each.commands[0].late)
                    == (command.kind, command.free, command.late))  # fmt: skip
        return self.calls[next(matching)]

    def compose(self, *commands):
        """The signed request."""
        return self.call_of(commands[0]).compose(commands, self.integration, self.doors.clock_ms())

    def send(self, *commands):
        """Say it; the vendor's conclusion and the reply."""
        return self.judged(commands, self.doors.send(self.name, self.compose(*commands)))

    def send_all(self, commands):
        """Say them all at once, on a connection each."""
        replies = self.doors.send_all(self.name, [self.compose(each) for each in commands])
        return [self.judged((each,), reply) for each, reply in zip(commands, replies, strict=True)]

    def judged(self, commands, reply):
        """What the vendor makes of the reply."""
        judgement = self.call_of(commands[0]).judge(reply, self.integration)
        return Said(judgement.verdict, judgement, reply)

    def done(self, *commands):
        """Say it; it must be done. The balance that was told."""
        said = self.send(*commands)
        assert said.verdict is Verdict.DONE, said
        return said

    def refused(self, *commands):
        """Say it; it must not be done."""
        said = self.send(*commands)
        assert said.verdict is not Verdict.DONE, said
        return said


class Said(msgspec.Struct, frozen=True):
    """What became of a command, as the vendor sees it."""

    verdict: Verdict
    judgement: msgspec.Struct
    reply: msgspec.Struct

    @property
    def told(self):
        """The balance in the answer, as its value; None where the answer has none."""
        balance = self.judgement.balance
        return str(balance.shortest()) if balance is not None else None


def value(text):
    """A decimal without trailing zeros, to compare with what was told."""
    return str(Quantity.parse(text).shortest())


def integration_of(name):
    """A dialect's sandbox integration."""
    dialect = _dialect(name)
    return Integration(name=name, brand="acme", dialect=name, options=dialect.sandbox())


def _dialect(name):
    from seamline.dialects import dialects

    return dialects()[name]
