"""Rules as tables: a line says what happens, `->` what is answered, `!` which alerts are raised.

    bet b1 10.00 s1 r1        -> applied 90.00
    bet b1 11.00 s1 r1        -> rejected DUPLICATE_CHANGED ! duplicate_changed
    refund f1 of b1 s1        -> applied 100.00
    p1 has 100.00

A command is its kind, its key (`-` for none), and then in any order: an amount, a session (`s...`),
a round (`r...`), `free`, `late`, `priced`, `only_checked`, `hasty`, `ends`, `goes-on`, and pairs
such as `of b1`, `for p1`, `in USD`, `game g2`, `claim c1`, `campaign c1` (`-` for one that is not
named), `note n1`, `reference t1`, `believes 9.00`, `objects PRICE`, `from other`. `^` is in the
keys that no vendor can name. An answer's balance may be left out, `-` is for none; to `status` it
is how the bet stands. Other lines furnish the world:

    player p3                 session s3 p3 BTC           close s1
    status p1 blocked         limits p1 {"session_minutes": 60}
    at 2026-12-31T23:59       after 90m                 grant c1 p1 g1 5.00
    cancel c1

A table begins with players p1 and p2, sessions s1 and s2, and 100.00 USD for both.
"""

import re
from typing import NamedTuple

from kit.command import CASHIER, say
from kit.world import furnished, limits, ms
from seamline.money import Quantity
from seamline.must import Broken
from seamline.wallet import (
    MARK,
    Applied,
    Command,
    Kind,
    Limits,
    PlayerStatus,
    Policy,
    Rejection,
    Replayed,
)

_PAIRS = {
    "of": "target",
    "for": "player",
    "in": "currency",
    "game": "game",
    "claim": "claim",
    "campaign": "campaign",
    "from": "integration",
    "note": "note",
    "reference": "reference",
}
_AMOUNT = re.compile(r"\d+(\.\d+)?")
_SPANS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Table(NamedTuple):
    """A law, the lines that show it, and the terms under which it holds."""

    law: str
    lines: str
    policy: Policy = Policy()
    limits: Limits = Limits()


def command_of(text: str) -> Command:
    """The command that the left side of a line says."""
    kind, key, *words = (word.replace("^", MARK) for word in text.split())
    fields: dict[str, object] = {}
    while words:
        word = words.pop(0)
        if word in _PAIRS:
            fields[_PAIRS[word]] = words.pop(0)
        elif word in ("free", "late", "priced", "only_checked", "hasty"):
            fields[word] = True
        elif word in ("ends", "goes-on"):
            fields["ends"] = word == "ends"
        elif word == "believes":
            fields["believed"] = Quantity.parse(words.pop(0))
        elif word == "objects":
            fields["objection"] = Rejection[words.pop(0)]
        elif _AMOUNT.fullmatch(word):
            fields["amount"] = word
        else:
            fields[{"s": "session", "r": "round"}[word[0]]] = word
    if fields.get("campaign") == "-":
        fields["campaign"] = ""
    if kind in ("deposit", "withdrawal"):
        fields.setdefault("integration", CASHIER)
    return say(Kind(kind), None if key == "-" else key, **fields)


def answer_of(outcome, told: bool) -> str:
    """An outcome as a table writes it, with its balance where the table tells one."""
    balance = f" {outcome.balance}" if told and outcome.balance is not None else ""
    if isinstance(outcome, Applied):
        return f"applied {outcome.bet.state}" if outcome.bet is not None else f"applied{balance}"
    return f"replayed{balance}" if isinstance(outcome, Replayed) else (
        f"rejected {outcome.why.name}{balance}"
    )  # fmt: skip


def run(table: Table, world) -> None:
    """Play the table in the world; the first line that does not hold fails."""
    furnished(world)
    known = len(world.alerts())
    for line in filter(None, (line.strip() for line in table.lines.splitlines())):
        said, _, expected = (part.strip() for part in line.partition("->"))
        if not expected:
            _furnish(world, said)
            continue
        answer, _, alerts = (part.strip() for part in expected.partition("!"))
        try:
            (outcome,) = world.apply(command_of(said))
        except Broken:
            assert answer == "fault", line
            continue
        told = re.search(r"\d|^-$", answer.split()[-1]) is not None
        assert answer_of(outcome, told) == answer.removesuffix(" -"), line
        raised = world.alerts()[known:]
        assert [alert for _, alert in raised] == alerts.replace(",", " ").split(), line
        known += len(raised)


def _furnish(world, said: str) -> None:
    """A line that is no command."""
    match said.split(maxsplit=2):
        case ["player", name]:
            world.player(name)
        case ["session", name, rest]:
            player, currency, *game = rest.split()
            world.session(name, player, currency, **({"game": game[0]} if game else {}))
        case ["close", name]:
            world.close_session(name)
        case ["status", name, status]:
            world.change(name, status=PlayerStatus(status))
        case ["limits", name, text]:
            world.change(name, limits=limits(text))
        case ["grant", name, rest]:
            player, game, *reward = rest.split()
            world.grant(name, player, game, *reward)
        case ["cancel", name]:
            world.cancel(name)
        case ["at", moment]:
            world.now_ms = ms(moment)
        case ["after", span]:
            world.now_ms += int(span[:-1]) * _SPANS[span[-1]]
        case [name, "has", rest]:
            amount, *currency = rest.split()
            assert world.balance(name, *currency) == amount, said
        case _:
            raise ValueError(f"no such line: {said}")
