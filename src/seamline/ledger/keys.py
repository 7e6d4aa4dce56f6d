"""Under which keys commands may find what was recorded: their own, and those that they mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from seamline.ledger.book import refused_of, stone_of
from seamline.wallet import Command, Kind, Policy


def grouped(commands: Sequence[Command]) -> Mapping[str, list[Command]]:
    """The commands by integration."""
    groups: dict[str, list[Command]] = defaultdict(list)
    for command in commands:
        groups[command.integration].append(command)
    return groups


def keys_of(commands: Sequence[Command], policy: Policy) -> set[str]:
    """The keys that commands carry or mean, and those of tombstones that may stand for them."""
    keys = {command.key for command in commands if command.key is not None}
    undone = {
        command.key
        for command in commands
        if command.kind in policy.reversible and command.key is not None
    }
    found = keys | {stone_of(key) for key in undone} | aims_of(commands, policy)
    if policy.noted_refusals:
        noted = {each.key for each in commands if each.kind in policy.noted_refusals and each.key}
        found |= {refused_of(key) for key in noted}
    return found


def aims_of(commands: Sequence[Command], policy: Policy) -> set[str]:
    """The keys under which the transactions may be that commands name."""
    targets = {command.target for command in commands if command.target is not None}
    found = targets | {stone_of(key) for key in targets}
    if policy.late_space:
        found |= {policy.late_space + key for key in targets}
    if policy.noted_refusals:
        asked = {each.target for each in commands if each.kind is Kind.STATUS and each.target}
        found |= {refused_of(key) for key in asked}
    return found
