"""One batch on SQLite: everything it needs loaded, everything it changed written, set by set."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import cast

import apsw

from seamline.ledger import columns
from seamline.ledger.book import Book
from seamline.ledger.chain import START
from seamline.ledger.keys import grouped, keys_of
from seamline.ledger.rows import Terms
from seamline.ledger.sql import queries
from seamline.ledger.sqlite.directory import SqliteDirectory
from seamline.money import Currencies
from seamline.must import must
from seamline.wallet import Command, Kind

SQL = queries(__package__)


class Batches:
    """Loads and writes books; runs inside the writer's transaction."""

    def __init__(
        self, connection: apsw.Connection, directory: SqliteDirectory, currencies: Currencies
    ) -> None:
        self._db = connection
        self._run = connection.cursor().execute
        self._many = connection.cursor().executemany
        self._directory = directory
        self._currencies = currencies
        self._newest_ms = self.newest_ms()
        kib, page_size = connection.pragma("cache_size"), connection.pragma("page_size")
        self._cached_pages = -cast("int", kib) * 1024 // cast("int", page_size)

    def newest_ms(self) -> int:
        """When the newest transaction was written."""
        return cast("int", self._run(SQL["newest_time"]).fetchall()[0][0])

    # Load.

    @property
    def fits_in_cache(self) -> bool:
        """Whether the whole file finds room in the page cache: nothing need be looked for then."""
        return cast("int", self._db.pragma("page_count")) <= self._cached_pages

    def warm(self, commands: Sequence[Command]) -> None:
        """Look for what the commands name, so that the pages that lead there are in memory."""
        numbers = self._directory.integrations
        for name, group in grouped(commands).items():
            if name in numbers:
                named = (
                    tuple(command.session or "" for command in group),
                    tuple(command.key or "" for command in group),
                    tuple(command.round or "" for command in group),
                )
                bindings = (numbers[name], *map(apsw.carray, named))
                self._run(SQL["warm"], bindings).fetchall()

    def load(self, commands: Sequence[Command], terms: Mapping[str, Terms], now_ms: int) -> Book:
        """Everything that the rules need to decide the commands, in a handful of queries."""
        self._newest_ms = max(self._newest_ms, now_ms)
        book = Book(
            now_ms,
            written_ms=self._newest_ms,
            new_transaction=self._directory.new_transaction,
            new_round=self._directory.new_round,
            new_session=self._directory.new_session,
            house=self._directory.house,
        )
        groups = grouped(commands)
        for name, group in groups.items():
            self._load_group(book, terms[name], group)
        self._load_targets(book)
        # Now it is known of each command whose account it is about.
        for name, group in groups.items():
            self._load_rounds(book, terms[name], group)
            self._load_given(book, terms[name], group)
        return book

    def _load_group(self, book: Book, terms: Terms, group: list[Command]) -> None:
        """What the commands of one integration need."""
        integration = self._directory.integration(terms)
        sessions = {command.session for command in group if command.session is not None}
        if sessions:
            self._load_sessions(book, terms.integration, integration, sessions)
        keys = keys_of(group, terms.policy)
        if keys:
            self._load_transactions(book, terms.integration, integration, keys)
        players = {command.player for command in group if command.player is not None}
        if players:
            self._load_players(book, terms.brand, players)
            self._load_purses(book, terms, group)
            self._load_newest(book, terms, integration, group)

    def _load_given(self, book: Book, terms: Terms, group: list[Command]) -> None:
        """What was paid and given to the accounts that the commands are about."""
        integration = self._directory.integration(terms)
        claims = [command for command in group if command.claim is not None]
        if claims and terms.policy.claimants == "each":
            self._load_claims(book, terms, integration, claims)
        if terms.policy.campaigns != "told":
            self._load_grants(book, terms, integration, group)

    def _load_sessions(self, book: Book, name: str, integration: int, wanted: set[str]) -> None:
        for row in self._run(SQL["load_sessions"], (integration, apsw.carray(tuple(wanted)))):
            session = columns.session_of(row, name, self._currencies)
            # Two sessions of one account in a batch share one account, or a bet would be lost.
            session.account = book.accounts.setdefault(session.account.id, session.account)
            book.owners[session.account.id] = session.player.name
            book.sessions[name, session.name] = session

    def _load_transactions(self, book: Book, name: str, integration: int, keys: set[str]) -> None:
        for row in self._run(SQL["load_transactions"], (integration, apsw.carray(tuple(keys)))):
            book.transactions[name, row[1]] = columns.transaction_of(row, name, self._currencies)

    def _load_rounds(self, book: Book, terms: Terms, group: list[Command]) -> None:
        """The rounds that are named, of the accounts at hand: a name may be everybody's."""
        wanted = {command.round for command in group if command.round is not None}
        if not wanted or not book.accounts:
            return
        integration, accounts = self._directory.integration(terms), array("q", book.accounts)
        bindings = (integration, apsw.carray(tuple(wanted)), terms.integration)
        for row in self._run(SQL["load_rounds"], (*bindings, apsw.carray(accounts))):
            book.enter_round(columns.round_of(row))

    def _load_players(self, book: Book, brand: str, wanted: set[str]) -> None:
        for row in self._run(SQL["load_players"], (brand, apsw.carray(tuple(wanted)))):
            player = columns.player_of(row)
            book.players[brand, player.name] = player

    def _load_purses(self, book: Book, terms: Terms, group: list[Command]) -> None:
        """The accounts of players that are named with a currency; a new one for who has none."""
        named = (
            (book.players.get((terms.brand, command.player or "")), command.currency)
            for command in group
        )
        wanted = {
            (player.id, currency): player
            for player, currency in named
            if player is not None and currency is not None and currency in terms.currencies
        }
        known = self._directory.purses({player for player, _ in wanted})
        for purse, player in wanted.items():
            if purse in book.purses:
                continue
            account = known.get(purse)
            if account is None:
                account = self._directory.new_purse(*purse)
                book.new_accounts[account.id] = account
            account = book.accounts.setdefault(account.id, account)
            book.purses[purse] = account
            book.owners[account.id] = player.name

    def _load_newest(
        self, book: Book, terms: Terms, integration: int, group: list[Command]
    ) -> None:
        """The newest sessions of players whose session is not known, or not said."""
        for command in group:
            named = (command.game, command.currency)
            wanted = (terms.integration, command.player or "", *named)
            known = (terms.integration, command.session or "") in book.sessions
            if command.player is None or known or wanted in book.newest:
                continue
            adopts = terms.policy.unknown_session == "adopt"
            if not (adopts if command.session is not None else command.kind is Kind.AUTHORIZE):
                continue
            bindings = (integration, terms.brand, command.player, *named)
            for row in self._run(SQL["load_newest_session"], bindings):
                session = columns.session_of(row, terms.integration, self._currencies)
                session.account = book.accounts.setdefault(session.account.id, session.account)
                book.owners[session.account.id] = session.player.name
                book.newest[wanted] = session

    def _load_grants(
        self, book: Book, terms: Terms, integration: int, group: list[Command]
    ) -> None:
        """The campaigns that commands name, or could mean."""
        for command in group:
            if command.campaign is None:
                continue
            if command.campaign:
                bindings: tuple[int, str | int] = (integration, command.campaign)
                found = self._run(SQL["load_grants"], bindings)
                book.grants[terms.integration, command.campaign] = [*map(columns.grant_of, found)]
            elif (account := book.view(command, terms, ahead=True).account) is not None:
                bindings = (integration, account.player)
                found = self._run(SQL["load_given"], bindings)
                book.given[terms.integration, account.player] = [*map(columns.grant_of, found)]

    def _load_claims(
        self, book: Book, terms: Terms, integration: int, commands: list[Command]
    ) -> None:
        for command in commands:
            account = book.view(command, terms, ahead=True).account
            if account is None:
                continue
            bindings = (account.id, integration, apsw.carray((command.claim or "",)))
            for (claim,) in self._run(SQL["load_claims"], bindings):
                book.claims.add((account.id, command.integration, claim))

    def _load_targets(self, book: Book) -> None:
        """The accounts and rounds of transactions that were found by key."""
        found = book.transactions.values()
        missing = {
            each.account
            for each in found
            if each.account is not None and each.account not in book.accounts
        }
        if missing:
            for row in self._run(SQL["load_accounts"], (apsw.carray(array("q", missing)),)):
                account = columns.account_of(row[:11], self._currencies)
                book.accounts[account.id] = account
                book.owners[account.id] = row[11]
        # One that was also found by key is that very one: what the batch does to it is seen by all.
        book.by_id = {each.id: each for each in found}
        paid = {each.settled_by: each for each in found if each.settled_by is not None}
        for number in paid.keys() & book.by_id.keys():
            del paid[number]
        if paid:
            for row in self._run(SQL["load_settlers"], (apsw.carray(array("q", paid)),)):
                number = cast("int", row[0])
                integration = paid[number].integration
                book.by_id[number] = columns.transaction_of(row, integration, self._currencies)
        wanted = {each.round for each in found if each.round is not None} - set(book.rounds_by_id)
        if wanted:
            for row in self._run(SQL["load_rounds_by_id"], (apsw.carray(array("q", wanted)),)):
                book.enter_round(columns.round_of(row))

    # Write.

    def write(self, book: Book) -> None:
        """Everything that the book changed, in a handful of statements."""
        numbers = self._directory.integrations
        if book.adopted or book.slid:
            self._write_sessions(book)
        if book.posted:
            posted = [columns.transaction_row(each, numbers) for each in book.posted]
            self._many(SQL["insert_transaction"], posted)
        # An account opens with its first deposit, not with one that is refused.
        for account in book.new_accounts.values():
            if account.id in book.moved:
                bindings = (account.id, account.player, account.currency.code, START)
                self._run(SQL["insert_account"], bindings)
        if book.moved:
            moved = [columns.account_change(*change) for change in book.moved.values()]
            self._exactly(SQL["update_account"], moved)
        if book.changed:
            self._write_rounds(book)
        if book.claimed:
            self._many(
                SQL["insert_claim"], [(a, numbers[i], claim, t) for a, i, claim, t in book.claimed]
            )
        if book.alerts:
            self._many(SQL["insert_alert"], [columns.alert_row(a, numbers) for a in book.alerts])
        if book.rollups:
            totals = [columns.rollup_row(*entry, numbers) for entry in book.rollups.items()]
            self._many(SQL["add_to_rollup"], totals)
        # At the end, for they may be about rows of this very batch.
        marks = (
            ("mark_reversed", book.reversed),
            ("mark_settled", book.settled),
            ("mark_vouched", book.vouched),
        )
        for name, rows in marks:
            if rows:
                self._exactly(SQL[name], rows)

    def _write_rounds(self, book: Book) -> None:
        """Rounds that were opened, and others that went on."""
        numbers = self._directory.integrations
        self._many(SQL["insert_round"], [columns.round_row(r, numbers) for r in book.opened])
        opened = {round_.id for round_ in book.opened}
        changed = [round_ for number, round_ in book.changed.items() if number not in opened]
        if changed:
            self._many(SQL["update_round"], [columns.round_change(round_) for round_ in changed])

    def _write_sessions(self, book: Book) -> None:
        """Sessions that were bound to a vendor's id, or stay open for longer."""
        numbers = self._directory.integrations
        adopted = [columns.session_row(session, numbers) for session in book.adopted]
        self._many(SQL["insert_session"], adopted)
        slid = [(session.expires_ms, session.id) for session in book.slid.values()]
        self._many(SQL["slide_session"], slid)

    def _exactly(self, sql: str, changes: Sequence[columns.Cells]) -> None:
        """Run the statement per row; each must change one row, or the transaction is undone."""
        before = self._db.total_changes()
        self._many(sql, changes)
        must(self._db.total_changes() - before == len(changes), "each row changed once", sql=sql)
