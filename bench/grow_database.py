"""Fills a PostgreSQL database with players and bets, as grow.py fills a file.

Players, accounts and sessions are copied in; every transaction is decided by the ledger's own rules
and written by the gateway's own writer, so `seamline audit` must find nothing wrong.

Run by itself: `python bench/grow_database.py URL PLAYERS TRANSACTIONS`, on an empty database.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Iterable

import psycopg

from bets import BRAND, CURRENCY, GAME, SWIPEGAMES, Recipe, player, session
from grow import BATCH, SPAN_MS, Clock, Grower, clock_for
from seamline.ledger.book import Book
from seamline.ledger.postgres.directory import BLOCK, PostgresDirectory
from seamline.ledger.postgres.store import PostgresStore
from seamline.ledger.postgres.tables import PostgresTables
from seamline.ledger.rows import Account, Player, Session, Terms
from seamline.money import Currencies
from seamline.wallet import NO_LIMITS, Command, PlayerStatus

PLAYER_COLUMNS = "players (id, brand, name, country, status, limits, created_ms)"
ACCOUNT_COLUMNS = (
    "accounts (id, player, currency, balance, version, chain, last, loss_on, loss_day, loss_week, "
    "loss_month)"
)
SESSION_COLUMNS = "sessions (id, integration, name, account, game, opened_ms, expires_ms)"


class DatabaseGrower(Grower):
    """A database that grows; nobody else writes to it."""

    def __init__(self, url: str, recipe: Recipe, clock: Clock) -> None:
        super().__init__(recipe, clock)
        currencies = Currencies.standard()
        self.currency = currencies[CURRENCY]
        self.store = PostgresStore(url, currencies)
        self.connection = psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor)
        # For connections to come, the writer's first: until `settle` nobody waits for the disk.
        self._alter("SET synchronous_commit = off")
        self.writer = self.store.writer
        self.writer.adopt((self.game, self.cashier))
        self.directory = PostgresDirectory(PostgresTables(lambda: self.connection), currencies)
        with self.connection.transaction():
            self.directory.set_down((self.game, self.cashier))
        self.next_id = 1

    def add_players(self, count: int) -> None:
        """Players, each with an account without money and a session."""
        self.sessions = [self._session(number) for number in range(count)]
        opened, closes = self.clock.opened_ms, self.clock.opened_ms + 2 * SPAN_MS
        number, chain = self.directory.integration(self.game), "\\x" + bytes(32).hex()
        owners = [each.player for each in self.sessions]
        accounts = [each.account for each in self.sessions]
        self._copy(
            PLAYER_COLUMNS,
            ((p.id, BRAND, p.name, "MT", p.status.value, "{}", opened) for p in owners),
        )
        self._copy(
            ACCOUNT_COLUMNS,
            ((a.id, a.player, CURRENCY, 0, 0, chain, 0, 0, 0, 0, 0) for a in accounts),
        )
        self._copy(
            SESSION_COLUMNS,
            ((s.id, number, s.name, s.account.id, GAME, opened, closes) for s in self.sessions),
        )

    def blank(self, terms: Terms, first: Command) -> Book:  # noqa: ARG002 - nothing is loaded
        """A book with ids and houses."""
        return Book(
            self.clock.next_ms(),
            new_transaction=self._new_id,
            new_round=self._new_id,
            house=self.directory.house,
        )

    def settle(self) -> None:
        """The database as the gateway keeps it: used ids marked as such, all of it on the disk."""
        self.store.close()
        self._alter("RESET synchronous_commit")
        self.connection.execute(f"SELECT setval('blocks', {self.next_id // BLOCK + 1})")
        self.connection.execute("VACUUM ANALYZE")
        self.connection.execute("CHECKPOINT")
        self.connection.close()

    def _alter(self, change: str) -> None:
        name = psycopg.sql.Identifier(self.connection.info.dbname)
        alter = psycopg.sql.SQL("ALTER DATABASE {} " + change).format(name)
        self.connection.execute(alter.as_string().encode())

    def _session(self, number: int) -> Session:
        name, opened = player(number), self.clock.opened_ms
        owner = Player(
            self._new_id(), BRAND, name, PlayerStatus.ACTIVE, NO_LIMITS, "MT", None, opened
        )
        account = Account(self._new_id(), owner.id, self.currency)
        bounds = (opened, opened + 2 * SPAN_MS)
        return Session(
            self._new_id(), self.game.integration, session(number), owner, account, GAME, *bounds
        )

    def _new_id(self) -> int:
        self.next_id += 1
        return self.next_id

    def _copy(self, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {columns} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def grow(url: str, recipe: Recipe, *, players: int, transactions: int) -> None:
    """That many players with a deposit each, and bets for the other transactions."""
    gc.disable()  # millions of live rows, no cycles
    bets = transactions - players
    grower = DatabaseGrower(url, recipe, clock_for(players, bets))
    source = random.Random("grow")
    grower.add_players(players)
    for first in range(0, players, BATCH):
        with grower.writer.transaction():
            grower.deposit(first, min(players, first + BATCH))
    for first in range(0, bets, BATCH):
        with grower.writer.transaction():
            grower.add_bets(min(BATCH, bets - first), source)
    grower.settle()
    gc.enable()


if __name__ == "__main__":
    _, where, people, rows = sys.argv
    begun = time.monotonic()
    grow(where, SWIPEGAMES, players=int(people), transactions=int(rows))
    print(f"{int(rows):,} transactions in {time.monotonic() - begun:.0f} s")
