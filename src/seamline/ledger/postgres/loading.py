"""One batch, loaded: first whose accounts it is about, then everything else behind their locks.

What is read once the accounts are locked is as the last gateway left it, and stays so until this
batch is written: a key is looked for when nobody else can be writing it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from seamline.ledger import columns
from seamline.ledger.book import Book
from seamline.ledger.columns import Row
from seamline.ledger.keys import grouped
from seamline.ledger.postgres.arrays import literal, literals
from seamline.ledger.postgres.directory import BLOCK, PostgresDirectory, ids_of
from seamline.ledger.postgres.groups import Group
from seamline.ledger.postgres.steps import Collision, Step, Steps, nothing
from seamline.ledger.rows import Account, Player, Session, Terms
from seamline.ledger.store import Held
from seamline.money import Currencies
from seamline.wallet import Command

#: The most ids that one command takes: for its transaction and a tombstone, a round, a session that
#: it is the first to name, and an account.
IDS = 5


class Loading:
    """One batch on its way into a book."""

    def __init__(
        self,
        directory: PostgresDirectory,
        currencies: Currencies,
        commands: Sequence[Command],
        terms: Mapping[str, Terms],
        now_ms: int,
        *,
        patient: bool = True,
    ) -> None:
        self._patient = patient
        self._currencies = currencies
        self._size = len(commands)
        self._groups = [
            Group(terms[name], directory.integration(terms[name]), group)
            for name, group in grouped(commands).items()
        ]
        self._ids: Iterator[int] = iter(())
        #: Whose the locked accounts are.
        self._players: dict[int, Player] = {}
        self._book = Book(
            now_ms,
            new_transaction=self._new_id,
            new_round=self._new_id,
            new_session=self._new_id,
            house=directory.house,
        )

    def _new_id(self) -> int:
        return next(self._ids)

    def steps(self) -> Steps[Book]:
        """Everything that the rules need, in two round trips; three where campaigns are held."""
        yield from self._find()
        yield from self._lock_and_load()
        for group in self._groups:
            self._seat(group)
        yield from self._load_campaigns()
        return self._book

    # Whose accounts.

    def _find(self) -> Steps[None]:
        """Find out whose accounts the commands are about."""
        step = Step()
        step.add("prepare_batch")
        told = [self._whose(group, step) for group in self._groups]
        yield from step.make()
        for enter in told:
            enter()

    def _whose(self, group: Group, step: Step) -> Callable[[], None]:
        """Ask for sessions, players and targets; what is to be called with the answers."""
        number, brand, commands = group.number, group.terms.brand, group.commands
        names = {command.session for command in commands if command.session is not None}
        sessions = step.add("find_sessions", number, literal(names)) if names else nothing
        named = literal({command.player for command in commands if command.player is not None})
        players = step.add("load_players", brand, named) if named != "{}" else nothing
        purses = step.add("find_purses", brand, named) if named != "{}" else nothing
        sought = literal(group.sought)
        owners = step.add("find_accounts", number, sought) if sought != "{}" else nothing
        newest = [
            (seat, step.add("find_newest_session", number, brand, *seat)) for seat in group.seats
        ]

        def enter() -> None:
            group.sessions = sessions()
            group.players = {each.name: each for each in map(columns.player_of, players())}
            group.newest = [(seat, row) for seat, rows in newest for row in rows()]
            group.owners = dict(cast("Sequence[tuple[str, int]]", owners()))
            group.appoint(purses())

        return enter

    # Behind the locks.

    def _lock_and_load(self) -> Steps[None]:
        """Lock the accounts, and read what is about them."""
        if not self._patient and (burying := [c for each in self._groups for c in each.burying]):
            # Nobody else is to wait for what they may be waiting for: see `_held`.
            raise Held(burying)
        step = Step()
        for name, numbers in self._held():
            step.add(name, literal(numbers))
        wanted = {each for group in self._groups for found in group.accounts for each in found}
        lock = "lock_accounts" if self._patient else "lock_free_accounts"
        locked = step.add(lock, literal(sorted(wanted)))
        blocks = step.add("take_blocks", -(-self._size * IDS // BLOCK))
        told = [self._behind_locks(group, step) for group in self._groups]
        yield from step.make()
        self._ids = ids_of(cast("int", row[0]) for row in blocks())
        for row in locked():
            self._enter_account(row)
        self._check_locked(wanted - self._book.accounts.keys())
        for enter in told:
            enter()

    def _check_locked(self, missing: set[int]) -> None:
        """Raise `Held` with the commands that are about accounts of somebody else."""
        held = [
            command
            for group in self._groups
            for command, accounts in zip(group.commands, group.accounts, strict=True)
            if not missing.isdisjoint(accounts)
        ]
        if held:
            raise Held(held)

    def _held(self) -> Iterator[tuple[str, Sequence[int]]]:
        """Which integrations are held, and how: see the queries."""
        owned = {group.number for group in self._groups if group.burying}
        # One after the other, lowest first: so does every batch.
        for number in sorted(group.number for group in self._groups):
            yield "own_integrations" if number in owned else "share_integrations", [number]

    def _enter_account(self, row: Row) -> None:
        account = columns.account_of(row[:11], self._currencies)
        self._book.accounts[account.id] = account
        self._book.purses[account.player, account.currency.code] = account
        self._book.clocks[account.id] = cast("int", row[11])
        player = self._players[account.id] = columns.player_of(row[12:])
        self._book.owners[account.id] = player.name

    def _behind_locks(self, group: Group, step: Step) -> Callable[[], None]:
        """Ask for transactions, rounds and claims; what is to be called with the answers."""
        number, name = group.number, group.terms.integration
        keys, aims = literal(group.keys), literal(group.aims)
        found = step.add("load_transactions", number, keys) if keys != "{}" else nothing
        settlers = step.add("load_settlers", number, aims) if aims != "{}" else nothing
        theirs = step.add("load_rounds_of", number, aims, name) if aims != "{}" else nothing
        pairs = group.with_accounts(lambda command: command.round)
        rounds = step.add("load_rounds", number, *literals(pairs), name) if pairs else nothing
        by_account = group.terms.policy.claimants == "each"
        claims = group.with_accounts(lambda command: command.claim) if by_account else ()
        paid = step.add("load_claims", number, *literals(claims)) if claims else nothing

        def enter() -> None:
            self._enter_transactions(group, found(), settlers())
            for row in (*rounds(), *theirs()):
                self._book.enter_round(columns.round_of(row))
            for claim, account in paid():
                self._book.claims.add((cast("int", account), name, cast("str", claim)))

        return enter

    def _enter_transactions(
        self, group: Group, found: Sequence[Row], settlers: Sequence[Row]
    ) -> None:
        book, name, sought = self._book, group.terms.integration, group.sought
        for row in found:
            one = columns.transaction_of(row, name, self._currencies)
            owned = one.account is not None and one.account not in book.accounts
            if owned and one.key in sought:
                raise Collision("it came while this batch looked for its account")
            book.transactions[name, one.key] = book.by_id[one.id] = one
        for row in settlers:
            one = columns.transaction_of(row, name, self._currencies)
            book.by_id.setdefault(one.id, one)

    # Who sits where.

    def _seat(self, group: Group) -> None:
        """Enter sessions and players with their accounts."""
        book, name = self._book, group.terms.integration
        for row in group.sessions:
            session = self._session(row, name)
            book.sessions[name, session.name] = session
        for seat, row in group.newest:
            book.newest[name, *seat] = self._session(row, name)
        for each in group.players.values():
            book.players[group.terms.brand, each.name] = each
        for command in group.commands:
            named = group.players.get(command.player or "")
            if named is not None and command.currency in group.terms.currencies:
                self._give_purse(named, command.currency or "")

    def _session(self, row: Row, integration: str) -> Session:
        account = self._book.accounts[cast("int", row[6])]
        return columns.found_session(row, integration, self._players[account.id], account)

    def _give_purse(self, player: Player, currency: str) -> None:
        """The account of a player in a currency, made up where there is none: it may stay empty."""
        if (player.id, currency) not in self._book.purses:
            account = Account(self._new_id(), player.id, self._currencies[currency])
            self._book.accounts[account.id] = self._book.new_accounts[account.id] = account
            self._book.owners[account.id] = player.name
            self._book.purses[player.id, currency] = account

    # Campaigns.

    def _load_campaigns(self) -> Steps[None]:
        """What was given to players, where commands are held against it."""
        step = Step()
        told = [
            self._campaigns(group, step)
            for group in self._groups
            if group.terms.policy.campaigns != "told"
        ]
        if step.asks:
            yield from step.make()
            for enter in told:
                enter()

    def _campaigns(self, group: Group, step: Step) -> Callable[[], None]:
        """Ask for the campaigns that commands name, or could mean."""
        book, name, number = self._book, group.terms.integration, group.number
        names = {command.campaign for command in group.commands if command.campaign}
        views = [
            book.view(command, group.terms, ahead=True)
            for command in group.commands
            if command.campaign == ""
        ]
        players = {view.account.player for view in views if view.account is not None}
        named = step.add("load_grants", number, literal(names)) if names else nothing
        given = step.add("load_given", number, literal(players)) if players else nothing

        def enter() -> None:
            for row in named():
                listed = book.grants.setdefault((name, cast("str", row[0])), [])
                listed.append(columns.grant_of(row[1:]))
            for row in given():
                theirs = book.given.setdefault((name, cast("int", row[0])), [])
                theirs.append(columns.grant_of(row[1:]))

        return enter
