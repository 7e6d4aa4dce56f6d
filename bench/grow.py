"""Fills a SQLite store with players and bets, fast, through the ledger's own rules and book.

Only loading is left out: what a batch needs is kept in memory instead of being read back, and the
journal is off while the file grows. Every row is what the gateway itself would have written, chain
included, so `seamline audit` must find nothing wrong. Every bet has a round of its own, which makes
the largest tables that so many bets can make.

Run by itself: `python bench/grow.py FILE PLAYERS TRANSACTIONS`.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import apsw

from bets import BRAND, CURRENCY, GAME, SWIPEGAMES, Recipe, player, session
from seamline.cli.assembly import CASHIER_POLICY
from seamline.edge.gateway import cashier_of
from seamline.ledger.book import Book
from seamline.ledger.rows import Session, Terms
from seamline.ledger.rules import decide
from seamline.ledger.sqlite.checkpoint import Checkpointer
from seamline.ledger.sqlite.store import SqliteStore
from seamline.ledger.sqlite.writer import SqliteWriter
from seamline.ledger.store import NewSession, Writer
from seamline.money import Currencies, Quantity
from seamline.wallet import Applied, Command, Kind, Policy

#: Commands that are decided on one book.
BATCH = 10_000
#: The history is spread evenly over this time before now.
SPAN_MS = 30 * 86_400_000
DEPOSIT = Quantity(1_000_000)
#: The indexes grow at random places and must stay in memory while they do.
CACHE_KIB = 4_000_000


class Clock:
    """The time of each batch: from SPAN_MS ago until now, in even steps."""

    def __init__(self, batches: int) -> None:
        self.opened_ms = time.time_ns() // 1_000_000 - SPAN_MS
        self._step = SPAN_MS // max(1, batches)
        self._now_ms = self.opened_ms

    def next_ms(self) -> int:
        """The time of the next batch."""
        self._now_ms += self._step
        return self._now_ms


def clock_for(players: int, bets: int) -> Clock:
    """A clock for batches of so many deposits, then so many bets."""
    return Clock(-(-players // BATCH) + -(-bets // BATCH))


class Grower(ABC):
    """A store that grows; keeps every session, with its player and account, in memory."""

    writer: Writer

    def __init__(self, recipe: Recipe, clock: Clock) -> None:
        self.recipe, self.clock = recipe, clock
        self.game = terms_of(recipe.integration, recipe.policy())
        self.cashier = terms_of(cashier_of(BRAND), CASHIER_POLICY)
        self.sessions: list[Session] = []

    @abstractmethod
    def blank(self, terms: Terms, first: Command) -> Book:
        """A book at the next time, with hardly anything in it."""

    def deposit(self, first: int, last: int) -> None:
        """A deposit for each of these players."""
        self._settle(
            self.cashier,
            [self._deposit(number) for number in range(first, last)],
            self.sessions[first:last],
        )

    def add_bets(self, number: int, source: random.Random) -> None:
        """Bets of random players, all of them taken."""
        chosen = source.choices(self.sessions, k=number)
        self._settle(self.game, [self.recipe.bet(each.name, source) for each in chosen], chosen)

    def _deposit(self, number: int) -> Command:
        return Command(
            kind=Kind.DEPOSIT,
            integration=self.cashier.integration,
            key=f"seed-{number}",
            player=player(number),
            currency=CURRENCY,
            amount=DEPOSIT,
        )

    def _settle(
        self, terms: Terms, commands: Sequence[Command], sessions: Sequence[Session]
    ) -> None:
        """Decide and write one batch; each command must be applied."""
        book = self.blank(terms, commands[0])
        for each in sessions:
            _seat(book, each)
        for command in commands:
            view = book.view(command, terms)
            outcome = book.post(command, view, decide(command, view))
            if not isinstance(outcome, Applied):
                raise SystemExit(f"{command} was not applied: {outcome}")
        self.writer.write(book)


def _seat(book: Book, session: Session) -> None:
    """What the writer would have loaded for that session."""
    account, owner = session.account, session.player
    book.sessions[session.integration, session.name] = session
    book.players[BRAND, owner.name] = owner
    book.purses[owner.id, CURRENCY] = account
    book.accounts[account.id] = account
    book.owners[account.id] = owner.name


class FileGrower(Grower):
    """A SQLite file that grows."""

    def __init__(self, path: Path, recipe: Recipe, clock: Clock) -> None:
        super().__init__(recipe, clock)
        SqliteStore(path, Currencies.standard()).close()  # makes the schema
        self.connection = apsw.Connection(str(path))
        # A file that was not finished is thrown away: nothing here need survive a crash.
        for pragma, value in (("journal_mode", "OFF"), ("synchronous", "OFF")):
            self.connection.pragma(pragma, value)
        self.connection.pragma("cache_size", -CACHE_KIB)
        # There is no log to copy; the writer wants somebody who would.
        self.checkpointer = Checkpointer(apsw.Connection(str(path)))
        writer = SqliteWriter(self.connection, Currencies.standard(), self.checkpointer)
        self.writer, self._close = writer, writer.close

    def add_players(self, first: int, last: int) -> None:
        """Players with a session and a deposit each."""
        opened, closes = self.clock.opened_ms, self.clock.opened_ms + 2 * SPAN_MS
        for number in range(first, last):
            name = player(number)
            self.writer.add_player(BRAND, name, "MT", None, opened)
            wanted = NewSession(
                name=session(number),
                player=name,
                currency=CURRENCY,
                game=GAME,
                opened_ms=opened,
                expires_ms=closes,
            )
            self.sessions.append(self.writer.open_session(self.game, wanted)[0])
        self.deposit(first, last)

    def blank(self, terms: Terms, first: Command) -> Book:
        """What the writer loads for the first command alone."""
        return self.writer.load([first], {terms.integration: terms}, self.clock.next_ms())

    def close(self) -> None:
        """The file as the gateway keeps it."""
        self._close()
        self.connection.pragma("journal_mode", "WAL")
        self.connection.close()
        self.checkpointer.close()


def terms_of(integration: str, policy: Policy) -> Terms:
    """What the ledger must know to decide for the bench's brand."""
    currencies = frozenset((CURRENCY,))
    return Terms(integration=integration, brand=BRAND, policy=policy, currencies=currencies)


def grow(path: Path, recipe: Recipe, *, players: int, transactions: int) -> None:
    """Make the file: that many players with a deposit each, and bets for the other transactions."""
    gc.disable()  # millions of live rows, no cycles
    bets = transactions - players
    grower = FileGrower(path, recipe, clock_for(players, bets))
    source = random.Random("grow")
    # One transaction: each commit would write the scattered pages of the indexes once more.
    with grower.writer.transaction():
        for first in range(0, players, BATCH):
            grower.add_players(first, min(players, first + BATCH))
        for first in range(0, bets, BATCH):
            grower.add_bets(min(BATCH, bets - first), source)
    grower.close()
    gc.enable()


if __name__ == "__main__":
    _, file, people, rows = sys.argv
    begun = time.monotonic()
    grow(Path(file), SWIPEGAMES, players=int(people), transactions=int(rows))
    print(f"{Path(file).stat().st_size / 2**30:.2f} GiB in {time.monotonic() - begun:.0f} s")
