"""Under which keys commands may find what was recorded: their own, and those that they mean.

What is kept beside a transaction has a key made of the transaction's, which no vendor can name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from seamline.wallet import Command, Kind, Policy, beside


def refused_of(key: str) -> str:
    """The key under which the first refusal of a key is noted."""
    return beside("refused", key)


def overdue_of(key: str) -> str:
    """The key of the refund by which a bet is undone that had no outcome in time."""
    return beside("overdue", key)


def stone_of(key: str) -> str:
    """The key of a transaction's tombstone.

    It is apart from the transaction's own: what a refund named too early and no refund can undo, a
    win say, comes under its key all the same.
    """
    return beside("tombstone", key)


def claim_of(claim: str) -> str:
    """The key of the mark that a claim was paid, where it is paid once for all players."""
    return beside("claim", claim)


def asks_of_refusals(command: Command) -> bool:
    """Whether the first refusal of what it names matters to a command."""
    return command.kind is Kind.STATUS or command.late


def grouped(commands: Sequence[Command]) -> Mapping[str, list[Command]]:
    """The commands by integration."""
    groups: dict[str, list[Command]] = defaultdict(list)
    for command in commands:
        groups[command.integration].append(command)
    return groups


def keys_of(commands: Sequence[Command], policy: Policy) -> set[str]:
    """The keys that commands carry or mean, and those of what may be kept beside them."""
    keys = {command.key for command in commands if command.key is not None}
    undone = {
        command.key
        for command in commands
        if command.kind in policy.reversible and command.key is not None
    }
    found = keys | {stone_of(key) for key in undone} | aims_of(commands, policy)
    if policy.late_space:
        paid = {each.key for each in commands if each.kind is Kind.WIN and each.key}
        found |= {policy.late_space + key for key in paid}
    if policy.noted_refusals:
        noted = {each.key for each in commands if each.kind in policy.noted_refusals and each.key}
        found |= {refused_of(key) for key in noted}
    # Where every bet that was undone is refused when it comes again, it matters not who undid it.
    if policy.overdue_bet == "undo" and policy.refunded_bet_again == "replay":
        found |= {overdue_of(each.key) for each in commands if each.kind is Kind.BET and each.key}
    return found


def aims_of(commands: Sequence[Command], policy: Policy) -> set[str]:
    """The keys under which the transactions may be that commands name."""
    targets = {command.target for command in commands if command.target is not None}
    found = targets | {stone_of(key) for key in targets}
    if policy.late_space:
        found |= {policy.late_space + key for key in targets}
    if policy.noted_refusals:
        asked = {each.target for each in commands if asks_of_refusals(each) and each.target}
        found |= {refused_of(key) for key in asked}
    if policy.claimants == "one":
        found |= {claim_of(each.claim) for each in commands if each.claim is not None}
    return found
