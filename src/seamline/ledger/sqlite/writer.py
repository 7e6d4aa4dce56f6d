"""The writing side of the embedded store: one connection, one thread.

Durability: WAL with `synchronous=FULL`, so a commit that has returned survives a power cut.
"""

from __future__ import annotations

import asyncio
import contextlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import TypeVar, cast

import apsw
import msgspec

from seamline.ledger.book import AlertRow, Book, stone_of
from seamline.ledger.chain import START
from seamline.ledger.rows import Account, Player, Session, Terms
from seamline.ledger.sql import queries
from seamline.ledger.sqlite import rows
from seamline.ledger.sqlite.checkpoint import Checkpointer
from seamline.ledger.store import (
    Conflict,
    NewSession,
    PlayerChange,
    StoreError,
    StoreUnavailable,
    Unknown,
)
from seamline.money import Currencies
from seamline.must import must
from seamline.wallet import NO_LIMITS, Command, Kind, PlayerStatus

ResultT = TypeVar("ResultT")

SQL = queries(__package__)

#: Faults of the disk or the file rather than of the program.
AWAY = (apsw.FullError, apsw.IOError, apsw.BusyError, apsw.ReadOnlyError, apsw.CantOpenError)


class SqliteWriter:
    """The writing side; keeps small dictionaries of names and hands out ids."""

    def __init__(
        self, connection: apsw.Connection, currencies: Currencies, checkpointer: Checkpointer
    ) -> None:
        self._db = connection
        self._run = connection.cursor().execute
        self._many = connection.cursor().executemany
        self._currencies = currencies
        self._checkpointer = checkpointer
        self._stale = False
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="commit")
        connection.set_wal_hook(checkpointer.note)
        self._refresh()
        self._newest_ms = self.newest_ms()

    def _refresh(self) -> None:
        """Read the names and the newest ids; again after a rollback, which may have undone some."""
        last = cast("tuple[int, ...]", self._run(SQL["last_ids"]).fetchall()[0])
        ids = [count(number + 1).__next__ for number in last[:6]]
        self._new_transaction, self._new_round, self._new_account = ids[:3]
        self._new_player, self._new_session, self._new_integration = ids[3:]
        self._new_house: Callable[[], int] = count(last[6] - 1, -1).__next__
        self._integrations = {
            name: number for number, name, _ in self._run(SQL["all_integrations"])
        }
        self._houses = {
            (role, name, currency): number
            for number, role, name, currency in self._run(SQL["all_houses"])
        }

    async def transact(self, work: Callable[[], ResultT]) -> ResultT:
        """Run *work* in a transaction and return its result once that is durable.

        The statements run right here: they are short, and every one of them in another thread
        would fight the event loop for the interpreter. The commit waits for the disk, so a thread
        does it while the loop takes the next requests.
        """
        with self._undone_on_error():
            self._begin()
            result = work()
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._committer, self._commit)
        return result

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """`transact` for those who have no event loop: seeding, tools and tests."""
        with self._undone_on_error():
            self._begin()
            yield
            self._commit()

    def _begin(self) -> None:
        """Start a transaction; after one that was undone, with ids and names read again."""
        if self._db.in_transaction:
            self._run("ROLLBACK")
        if self._stale:
            self._refresh()
            self._stale = False
        self._run("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        self._run("COMMIT")
        self._checkpointer.finish(self._db)

    @contextmanager
    def _undone_on_error(self) -> Iterator[None]:
        """Roll back on an error, and name faults of the disk as such.

        A disk that fails may fail the rollback too. SQLite then keeps nothing of the transaction
        either, and the next one starts by trying again.
        """
        try:
            yield
        except BaseException as error:
            self._stale = True
            with contextlib.suppress(apsw.Error):
                if self._db.in_transaction:
                    self._run("ROLLBACK")
            if isinstance(error, AWAY):
                raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
            raise

    def close(self) -> None:
        """Wait for a commit that is under way; no other may follow."""
        self._committer.shutdown()

    def newest_ms(self) -> int:
        """When the newest transaction was written."""
        return cast("int", self._run(SQL["newest_time"]).fetchall()[0][0])

    # Load.

    def load(self, commands: Sequence[Command], terms: Mapping[str, Terms], now_ms: int) -> Book:
        """Everything that the rules need to decide the commands, in a handful of queries."""
        self._newest_ms = max(self._newest_ms, now_ms)
        book = Book(
            now_ms,
            written_ms=self._newest_ms,
            new_transaction=self._new_transaction,
            new_round=self._new_round,
            house=self._house,
        )
        grouped: dict[str, list[Command]] = defaultdict(list)
        for command in commands:
            grouped[command.integration].append(command)
        for name, group in grouped.items():
            self._load_group(book, terms[name], group)
        self._load_targets(book)
        return book

    def _load_group(self, book: Book, terms: Terms, group: list[Command]) -> None:
        """What the commands of one integration need."""
        integration = self._integration(terms)
        sessions = {command.session for command in group if command.session is not None}
        if sessions:
            self._load_sessions(book, terms.integration, integration, sessions)
        keys = _keys(group, terms.policy.reversible)
        if keys:
            self._load_transactions(book, terms.integration, integration, keys)
        rounds = {command.round for command in group if command.round is not None}
        if rounds:
            self._load_rounds(book, terms.integration, integration, rounds)
        players = {command.player for command in group if command.player is not None}
        if players:
            self._load_players(book, terms.brand, players)
            self._load_purses(book, terms, group)
        claims = [command for command in group if command.claim is not None]
        if claims:
            self._load_claims(book, terms, integration, claims)

    def _load_sessions(self, book: Book, name: str, integration: int, wanted: set[str]) -> None:
        for row in self._run(SQL["load_sessions"], (integration, apsw.carray(tuple(wanted)))):
            session = rows.session_of(row, name, self._currencies)
            # Two sessions of one account in a batch share one account, or a bet would be lost.
            session.account = book.accounts.setdefault(session.account.id, session.account)
            book.owners[session.account.id] = session.player.name
            book.sessions[name, session.name] = session

    def _load_transactions(self, book: Book, name: str, integration: int, keys: set[str]) -> None:
        for row in self._run(SQL["load_transactions"], (integration, apsw.carray(tuple(keys)))):
            book.transactions[name, row[1]] = rows.transaction_of(row, name, self._currencies)

    def _load_rounds(self, book: Book, name: str, integration: int, wanted: set[str]) -> None:
        bindings = (integration, apsw.carray(tuple(wanted)), name)
        for row in self._run(SQL["load_rounds"], bindings):
            self._enter_round(book, row)

    def _load_players(self, book: Book, brand: str, wanted: set[str]) -> None:
        for row in self._run(SQL["load_players"], (brand, apsw.carray(tuple(wanted)))):
            player = rows.player_of(row)
            book.players[brand, player.name] = player

    def _load_purses(self, book: Book, terms: Terms, group: list[Command]) -> None:
        """The accounts that cashier commands name; a deposit may open one."""
        for command in group:
            player = book.players.get((terms.brand, command.player or ""))
            if player is None or command.currency not in terms.currencies:
                continue
            purse = (player.id, command.currency)
            if purse in book.purses:
                continue
            account = self._purse(player.id, command.currency)
            if account is None and command.kind is Kind.DEPOSIT:
                account = self._new_purse(player.id, command.currency)
                book.new_accounts[account.id] = account
            if account is not None:
                account = book.accounts.setdefault(account.id, account)
                book.purses[purse] = account
                book.owners[account.id] = player.name

    def _load_claims(
        self, book: Book, terms: Terms, integration: int, commands: list[Command]
    ) -> None:
        for command in commands:
            account = book.view(command, terms).account
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
                account = rows.account_of(row[:11], self._currencies)
                book.accounts[account.id] = account
                book.owners[account.id] = row[11]
        wanted = {each.round for each in found if each.round is not None} - set(book.rounds_by_id)
        if wanted:
            for row in self._run(SQL["load_rounds_by_id"], (apsw.carray(array("q", wanted)),)):
                self._enter_round(book, row)

    @staticmethod
    def _enter_round(book: Book, row: rows.Row) -> None:
        round_ = rows.round_of(row)
        book.rounds[round_.integration, round_.game, round_.name, round_.account] = round_
        book.rounds_by_id[round_.id] = round_

    # Write.

    def write(self, book: Book) -> None:
        """Everything that the book changed, in a handful of statements."""
        numbers = self._integrations
        if book.posted:
            posted = [rows.transaction_row(each, numbers) for each in book.posted]
            self._many(SQL["insert_transaction"], posted)
        # An account opens with its first deposit, not with one that is refused.
        for account in book.new_accounts.values():
            if account.id in book.moved:
                bindings = (account.id, account.player, account.currency.code, START)
                self._run(SQL["insert_account"], bindings)
        if book.moved:
            moved = [rows.account_change(*change) for change in book.moved.values()]
            self._exactly(SQL["update_account"], moved)
        if book.opened:
            self._many(SQL["insert_round"], [rows.round_row(r, numbers) for r in book.opened])
        opened = {round_.id for round_ in book.opened}
        changed = [round_ for number, round_ in book.changed.items() if number not in opened]
        if changed:
            self._many(SQL["update_round"], [rows.round_change(round_) for round_ in changed])
        if book.reversed:
            self._exactly(SQL["mark_reversed"], book.reversed)
        if book.claimed:
            self._many(
                SQL["insert_claim"], [(a, numbers[i], claim, t) for a, i, claim, t in book.claimed]
            )
        if book.alerts:
            self._many(SQL["insert_alert"], [rows.alert_row(a, numbers) for a in book.alerts])
        if book.rollups:
            totals = [rows.rollup_row(*entry, numbers) for entry in book.rollups.items()]
            self._many(SQL["add_to_rollup"], totals)

    def _exactly(self, sql: str, changes: Sequence[rows.Row]) -> None:
        """Run the statement per row; each must change one row, or the transaction is undone."""
        before = self._db.total_changes()
        self._many(sql, changes)
        must(self._db.total_changes() - before == len(changes), "each row changed once", sql=sql)

    # Names, players and sessions.

    def adopt(self, terms: Iterable[Terms]) -> None:
        """Refuse to go on with an integration that the ledger knows as another brand's."""
        brands = {name: brand for _, name, brand in self._run(SQL["all_integrations"])}
        for each in terms:
            brand = brands.get(each.integration, each.brand)
            if brand != each.brand:
                raise StoreError(
                    f"integration {each.integration} belongs to brand {brand} in the ledger, the "
                    f"settings say {each.brand}: give it another name"
                )

    def _integration(self, terms: Terms) -> int:
        number = self._integrations.get(terms.integration)
        if number is None:
            number = self._new_integration()
            self._run(SQL["insert_integration"], (number, terms.integration, terms.brand))
            self._integrations[terms.integration] = number
        return number

    def _house(self, role: str, integration: str, currency: str) -> int:
        number = self._houses.get((role, integration, currency))
        if number is None:
            number = self._new_house()
            bindings = (number, role, self._integrations[integration], currency)
            self._run(SQL["insert_house"], bindings)
            self._houses[role, integration, currency] = number
        return number

    def _purse(self, player: int, currency: str) -> Account | None:
        purses = [
            rows.account_of(row, self._currencies)
            for row in self._run(SQL["load_purses"], (player,))
        ]
        return next((purse for purse in purses if purse.currency.code == currency), None)

    def _new_purse(self, player: int, currency: str) -> Account:
        """An account that is not stored yet."""
        return Account(self._new_account(), player, self._currencies[currency])

    def _open_account(self, player: int, currency: str) -> Account:
        account = self._new_purse(player, currency)
        self._run(SQL["insert_account"], (account.id, player, currency, START))
        return account

    def _find_player(self, brand: str, name: str) -> Player | None:
        found = self._run(SQL["load_players"], (brand, apsw.carray((name,)))).fetchall()
        return rows.player_of(found[0]) if found else None

    def add_player(
        self, brand: str, name: str, country: str | None, language: str | None, now_ms: int
    ) -> tuple[Player, bool]:
        """The player, and whether it is new; `Conflict` when it exists with other content."""
        known = self._find_player(brand, name)
        if known is not None:
            if (known.country, known.language) != (country, language):
                raise Conflict(f"player {name!r} exists with another country or language")
            return known, False
        player = Player(
            self._new_player(),
            brand,
            name,
            PlayerStatus.ACTIVE,
            NO_LIMITS,
            country,
            language,
            now_ms,
        )
        self._run(
            SQL["insert_player"],
            (player.id, brand, name, country, language, player.status.value, "{}", now_ms),
        )
        return player, True

    def change_player(self, brand: str, name: str, change: PlayerChange) -> Player:
        """The player as changed; `Unknown` when there is none."""
        player = self._find_player(brand, name)
        if player is None:
            raise Unknown(f"no player {name!r} of brand {brand!r}")
        player.status = change.status or player.status
        player.limits = change.limits if change.limits is not None else player.limits
        player.country = change.country or player.country
        player.language = change.language or player.language
        text = msgspec.json.encode(player.limits).decode()
        self._run(
            SQL["update_player"],
            (player.status.value, text, player.country, player.language, player.id),
        )
        return player

    def open_session(self, terms: Terms, wanted: NewSession) -> tuple[Session, bool]:
        """The session, and whether it is new; opens the player's account in the currency."""
        integration = self._integration(terms)
        known = self._find_session(terms, integration, wanted.name)
        if known is not None:
            facts = (known.player.name, known.account.currency.code, known.game)
            if facts != (wanted.player, wanted.currency, wanted.game):
                detail = f"session {wanted.name!r} exists for another player, currency or game"
                raise Conflict(detail)
            return known, False
        player = self._find_player(terms.brand, wanted.player)
        if player is None:
            raise Unknown(f"no player {wanted.player!r} of brand {terms.brand!r}")
        account = self._purse(player.id, wanted.currency)
        account = account or self._open_account(player.id, wanted.currency)
        number, bounds = self._new_session(), (wanted.opened_ms, wanted.expires_ms)
        row = (number, integration, wanted.name, account.id, wanted.game, *bounds)
        self._run(SQL["insert_session"], row)
        opened = Session(
            number, terms.integration, wanted.name, player, account, wanted.game, *bounds
        )
        return opened, True

    def _find_session(self, terms: Terms, integration: int, name: str) -> Session | None:
        book = Book(0, new_transaction=int, new_round=int, house=lambda *_: 0)
        self._load_sessions(book, terms.integration, integration, {name})
        return book.sessions.get((terms.integration, name))

    def close_session(self, terms: Terms, name: str, now_ms: int) -> Session:
        """The session, closed; closing twice keeps the first time. `Unknown` when there is none."""
        session = self._find_session(terms, self._integration(terms), name)
        if session is None:
            raise Unknown(f"no session {name!r} at integration {terms.integration!r}")
        if session.closed_ms is None:
            session.closed_ms = now_ms
            self._run(SQL["close_session"], (now_ms, session.id))
        return session

    def set_alert_state(self, alert: int, state: str, now_ms: int) -> None:
        """Move an alert to `open`, `investigating` or `resolved`; `Unknown` when there is none."""
        before = self._db.total_changes()
        self._run(SQL["set_alert_state"], (state, now_ms, alert))
        if self._db.total_changes() == before:
            raise Unknown(f"no alert {alert}")

    def raise_alerts(self, alerts: Sequence[AlertRow]) -> None:
        """Write alerts that no command caused; about the same key again one is no news."""
        self._many(SQL["insert_alert"], [rows.alert_row(a, self._integrations) for a in alerts])

    def beat(self, now_ms: int) -> None:
        """Write something small, to see that a write goes through."""
        self._run(SQL["beat"], (now_ms,))


def _keys(group: list[Command], reversible: frozenset[Kind]) -> set[str]:
    """The keys that the commands carry or mean, and those of tombstones that may stand for them."""
    keys = {command.key for command in group if command.key is not None}
    targets = {command.target for command in group if command.target is not None}
    undone = {each.key for each in group if each.kind in reversible and each.key is not None}
    return keys | targets | {stone_of(key) for key in undone | targets}
