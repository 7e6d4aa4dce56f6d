"""The commands of a batch by integration, and whose accounts they may be about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import cast

from seamline.ledger.columns import Row
from seamline.ledger.keys import aims_of, keys_of, refused_of
from seamline.ledger.rows import Player, Terms
from seamline.wallet import Command, Kind

#: A player, and a game and a currency where they are named.
Seat = tuple[str, str | None, str | None]


class Group:
    """The commands of one integration, and what is known of whose they are."""

    def __init__(self, terms: Terms, number: int, commands: Sequence[Command]) -> None:
        self.terms = terms
        self.number = number
        self.commands = commands
        #: The keys of transactions that commands name.
        self.aims = aims_of(commands, terms.policy)
        #: The keys that tell whose account a command is about.
        self.sought = self.aims | {c.key for c in commands if c.key and c.session is None}
        #: All keys under which there may be something.
        self.keys = keys_of(commands, terms.policy)
        self.sessions: Sequence[Row] = ()
        #: The newest session, with the player, game and currency that it was looked for.
        self.newest: list[tuple[Seat, Row]] = []
        self.players: dict[str, Player] = {}
        #: The accounts of transactions by key, as far as they were looked for and found.
        self.owners: Mapping[str, int] = {}
        #: For each command the accounts of its session, its player or its target.
        self.accounts: Sequence[set[int]] = ()

    @property
    def burying(self) -> Sequence[Command]:
        """The commands that may leave a tombstone: nobody knows what they name.

        Nor, then, whose that is: who it says it is about may be wrong.
        """
        return [
            each
            for each in self.commands
            if (each.kind is Kind.REFUND or each.late)
            and each.target is not None
            and self.owners.keys().isdisjoint(
                # That somebody was refused under its target's key tells nothing of the target.
                aims_of([each], self.terms.policy) - {refused_of(each.target)}
            )
        ]

    @property
    def seats(self) -> set[Seat]:
        """Whose newest session, in which game and currency, a command may stand for."""
        adopts = self.terms.policy.unknown_session == "adopt"
        return {
            (command.player, command.game, command.currency)
            for command in self.commands
            if command.player is not None
            and (adopts if command.session is not None else command.kind is Kind.AUTHORIZE)
        }

    def with_accounts(self, wanted: Callable[[Command], str | None]) -> set[tuple[str, int]]:
        """What commands name, with each account that they may be about."""
        return {
            (name, account)
            for command, accounts in zip(self.commands, self.accounts, strict=True)
            for account in accounts
            if (name := wanted(command)) is not None
        }

    def appoint(self, purses: Sequence[Row]) -> None:
        """Note for each command the accounts that it may be about."""
        appointed = self.accounts = self._named(purses)
        links = list(map(_links, self.commands))
        if len(set(chain.from_iterable(links))) == sum(map(len, links)):
            return  # Mostly no two commands share a link.
        linked = defaultdict[tuple[str, str], set[int]](set)
        for theirs, accounts in zip(links, appointed, strict=True):
            for link in theirs:
                linked[link] |= accounts
        self.accounts = [
            accounts.union(*(linked[link] for link in theirs))
            for theirs, accounts in zip(links, appointed, strict=True)
        ]

    def _named(self, purses: Sequence[Row]) -> Sequence[set[int]]:
        """For each command the accounts of its session, its player and its target."""
        sessions = {row[1]: row[6] for row in self.sessions}
        newest = {seat: row[6] for seat, row in self.newest}
        held = {(name, currency): account for name, currency, account in purses}
        named = []
        for command in self.commands:
            found = {sessions.get(command.session)}
            if newest:
                found.add(newest.get((command.player or "", command.game, command.currency)))
            if held:
                found.add(held.get((command.player, command.currency)))
            if self.owners:
                found |= {self.owners.get(key) for key in keys_of([command], self.terms.policy)}
            found.discard(None)
            named.append(cast("set[int]", found))
        return named


def _links(command: Command) -> Sequence[tuple[str, str]]:
    """What ties commands of one batch together.

    What one does to a player's sessions, or leaves under a key, may decide which account another
    one is about.
    """
    named = (("player", command.player), ("key", command.key), ("key", command.target))
    return [(what, name) for what, name in named if name is not None]
