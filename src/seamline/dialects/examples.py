"""What a dialect can say, learnt from its own vectors, and said anew with other ids.

Each object in `vectors/*.json` that names a `call` and the `command` (or `commands`) that it stands
for is an example. An id that comes several times in a command is one id there: a refund that has
its bet's id keeps having it. Where ids are written `kind/id`, the kind stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files

import msgspec

from seamline.dialects import AnyDialect, package_of
from seamline.money import Quantity
from seamline.wallet import MARK, Command, Kind

#: The fields of a command that are new each time, in the order in which they are renewed.
IDS = ("key", "reference", "round", "target", "campaign", "claim")

_WORD = re.compile(r"[\w-]+")
_KIND = re.compile(f"[^/{MARK}]*[/{MARK}]")

#: What vectors are made of.
Json = Mapping[str, "Json"] | list["Json"] | str | int | bool | None


class Example(msgspec.Struct, frozen=True):
    """One published request: which call carries which commands."""

    call: str
    commands: tuple[Command, ...]


@cache
def examples(dialect: AnyDialect) -> tuple[Example, ...]:
    """Everything that the vectors of a dialect show how to say, the plainest first."""
    found = [
        _example(row, dialect.name)
        for path in (files(package_of(dialect)) / "vectors").iterdir()
        if path.name.endswith(".json")
        for row in _rows(json.loads(path.read_text(encoding="utf-8")))
    ]
    return tuple(sorted(set(found), key=_fancy))


def _rows(node: Json) -> Iterator[Mapping[str, Json]]:
    """Every object in a file of vectors that says which commands a call stands for."""
    if isinstance(node, dict):
        if isinstance(node.get("call"), str) and ("command" in node or "commands" in node):
            yield node
        else:
            for each in node.values():
                yield from _rows(each)
    elif isinstance(node, list):
        for each in node:
            yield from _rows(each)


def _example(row: Mapping[str, Json], integration: str) -> Example:
    listed = row.get("commands", [row.get("command")])
    written = listed if isinstance(listed, list) else []
    commands = (_command(each, integration) for each in written if isinstance(each, dict))
    return Example(str(row["call"]), tuple(commands))


def _command(given: dict[str, Json], integration: str) -> Command:
    """A command as vectors write it: plain JSON, amounts as decimal text."""
    amounts = {
        name: Quantity.parse(str(given[name]))
        for name in ("amount", "believed")
        if given.get(name) is not None
    }
    bare = Command(kind=Kind(str(given["kind"])), integration=integration)
    return msgspec.structs.replace(bare, **given | amounts | {"kind": bare.kind})


def _fancy(example: Example) -> tuple[bool, bool, int, str]:
    """Free rounds, campaigns, batches and what is odd are special; then the fullest come first."""
    first = example.commands[0]
    given = sum(value is not None for value in msgspec.structs.astuple(first))
    odd = first.note is not None or first.objection is not None
    special = odd or first.free or first.campaign is not None or first.kind is Kind.REWARD
    return len(example.commands) > 1, special, -given, repr(example)


def currency_of(dialect: AnyDialect, otherwise: str) -> str:
    """What its bets are in: where no session tells, the currency of the published ones."""
    for each in examples(dialect):
        first = each.commands[0]
        if first.kind is Kind.BET and first.session is None and first.currency is not None:
            return first.currency
    return otherwise


def kind_of(name: str) -> str:
    """What stands before an id that is unique in its kind only: `bet/` of `bet/77`, or nothing."""
    found = _KIND.match(name)
    return found[0] if found is not None else ""


def bare(name: str) -> str:
    """An id without the kind before it."""
    return name.removeprefix(kind_of(name))


def like_kind(example: str, name: str) -> str:
    """The id as the kind that the example has: `bet/77` like `win/1` is `win/77`."""
    return kind_of(example) + bare(name) if kind_of(example) else name


def renewed(
    example: Command,
    like: Callable[[str], str],
    given: Mapping[str, str],
    fresh: dict[str, str] | None = None,
) -> dict[str, str]:
    """The ids of a command, new ones but for the *given*, and a note with them in it.

    *like* makes an id in the shape of another. The same new one stands wherever the same old one
    stood; *fresh* is what is new already, by the old, and grows.
    """
    fresh = {} if fresh is None else fresh
    old = {name: value for name in IDS if (value := getattr(example, name))}
    fresh.update({bare(old[name]): bare(given[name]) for name in old if name in given})
    for name in old.keys() - given.keys() - {"claim"}:
        part = bare(old[name])
        fresh[part] = fresh.get(part) or like(part)
    new = {name: kind_of(old[name]) + fresh[bare(old[name])] for name in old if name != "claim"}
    new |= {name: given[name] for name in old if name in given}
    if "claim" in old and "claim" not in given:
        new["claim"] = _claimed(old["claim"], like, fresh)
    if example.note is not None:
        # What a person is told of may be named by its id.
        new["note"] = _WORD.sub(lambda found: fresh.get(found[0], found[0]), example.note)
    return new


def _claimed(claim: str, like: Callable[[str], str], fresh: dict[str, str]) -> str:
    """A claim with new ids in it; one that holds no other id of the command is an id itself."""
    for part in sorted(fresh, key=len, reverse=True):
        if part in claim:
            return claim.replace(part, fresh[part])
    return kind_of(claim) + fresh.setdefault(bare(claim), like(bare(claim)))


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """Says commands in a dialect, about one player: examples with new ids, amounts and people."""

    dialect: AnyDialect
    integration: str
    #: Makes an id in the shape of another, never one twice.
    like: Callable[[str], str]
    player: str
    session: str
    currency: str
    game: str

    def example(self, kind: Kind) -> Example | None:
        """The plainest published request of that kind that moves money, if it should."""
        for each in examples(self.dialect):
            first = each.commands[0]
            if first.kind is kind and not first.free and not first.late:
                return each
        return None

    def say(
        self, kind: Kind, amount: str | None = None, *, of: Command | None = None
    ) -> tuple[str, Command] | None:
        """The call and a command of that kind, about another one; None where there is no such."""
        example = self.example(kind)
        if example is None:
            return None
        command = example.commands[0]
        told = {
            "session": self.session,
            "player": self.player,
            "currency": self.currency,
            "game": self.game,
        }
        whose = {name: value for name, value in told.items() if getattr(command, name) is not None}
        ids = renewed(command, self.like, _ties(command, of) if of is not None else {})
        changed = msgspec.structs.replace(command, integration=self.integration, **whose, **ids)
        if amount is not None and command.amount is not None:
            changed = msgspec.structs.replace(changed, amount=Quantity.parse(amount))
        return example.call, changed


def _ties(command: Command, of: Command) -> dict[str, str]:
    """What ties a command to the one that it is about, as far as its wire has it."""
    ties = {}
    if command.round is not None and of.round is not None:
        ties["round"] = of.round
    if command.target is not None and of.key is not None:
        ties["target"] = like_kind(command.target, of.key)
    return ties
