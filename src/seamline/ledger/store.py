"""What a backend promises the ledger. Both backends pass the same contract tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from seamline.ledger.book import Book
from seamline.ledger.changes import AlertRow
from seamline.ledger.rows import Account, Player, Session, Terms
from seamline.money import Currencies
from seamline.wallet import Alert, Command, Limits, Outcome, PlayerStatus

ResultT = TypeVar("ResultT")


#: Decides the commands of a batch and enters what it decided in their book.
Judge = Callable[[Book], Sequence[Outcome]]


class StoreError(Exception):
    """The store cannot be used as it is; the message says what to do. Raised at start."""


class StoreUnavailable(Exception):
    """The store could not be written or read just now: disk full, I/O error. Nothing was moved."""


class Held(Exception):
    """Somebody else holds for long what some of the commands are about. Nothing was moved."""

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__("somebody else holds the accounts")
        self.commands = commands


class Conflict(Exception):
    """Something of that name exists already, with other content."""


class Unknown(Exception):
    """Nothing of that name exists."""


#: Said of a store in which only a part of a wallet is so far.
UNFINISHED = (
    "a wallet is being moved to this store and is not whole yet: run `seamline migrate --from ... "
    "--to ...` again, which goes on"
)


def check_scales(stored: Mapping[str, int], currencies: Currencies) -> None:
    """Refuse, with `StoreError`, a currency whose scale changed under stored units."""
    for code, scale in stored.items():
        if code not in currencies or currencies[code].scale != scale:
            now = currencies[code].scale if code in currencies else "none"
            raise StoreError(
                f"currency {code} is stored with scale {scale}, the settings say {now}; "
                "a scale can never change"
            )


class PlayerChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to change about a player; None leaves it as it is."""

    status: PlayerStatus | None = None
    limits: Limits | None = None
    country: str | None = None
    language: str | None = None


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session to open."""

    name: str
    player: str
    currency: str
    game: str
    opened_ms: int
    expires_ms: int


class NewGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that a vendor gave; without players or games it is for all of them."""

    name: str
    vendor_name: str | None
    currency: str
    reward: str | None
    from_ms: int
    until_ms: int | None
    players: tuple[str, ...] | None
    games: tuple[str, ...] | None


class Writer(Protocol):
    """The writing side. What reads for a decision, or writes, runs inside a transaction."""

    @property
    def lanes(self) -> int:
        """How many batches may be settled side by side."""

    @property
    def patience_ms(self) -> int | None:
        """How long commands queue behind a batch that hangs, if not for half of its deadline."""

    @property
    def lingers(self) -> bool:
        """Whether any batch costs so much that waiting for a larger one pays."""

    async def settle(
        self, commands: Sequence[Command], terms: Mapping[str, Terms], now_ms: int, judge: Judge
    ) -> Sequence[Outcome]:
        """Load what the commands need, let *judge* decide them, write what that changed.

        Returns what *judge* said once that is durable. `StoreUnavailable` when the disk or the
        server fails; then, as with any error that *judge* raises, nothing happened. Where one batch
        meets another one, *judge* may be asked again, with a fresh book. `Held` where the batch
        would go through without some of its commands.
        """

    async def transact(self, work: Callable[[], ResultT]) -> ResultT:
        """Run *work* in a transaction and return its result once that is durable.

        `StoreUnavailable` when the disk or the server fails; then, as with any error that *work*
        raises, nothing happened. One call at a time.
        """

    def adopt(self, terms: Iterable[Terms]) -> None:
        """Refuse, with `StoreError`, an integration that the ledger knows as another brand's."""

    def newest_ms(self) -> int:
        """When the newest transaction was written; 0 when there is none."""

    def transaction(self) -> AbstractContextManager[None]:
        """`transact` as a block, for those who have no event loop."""

    def hurry(self) -> None:
        """The gateway is stopping: nothing is waited for much longer that may never come."""

    async def release(self) -> None:
        """No batch follows: give up what only batches need."""

    async def warm(self, commands: Sequence[Command]) -> None:
        """Whatever makes `load` of these commands quick later. Changes nothing, and never fails."""

    def load(self, commands: Sequence[Command], terms: Mapping[str, Terms], now_ms: int) -> Book:
        """Everything that the rules need to decide the commands, in a handful of queries."""

    def write(self, book: Book) -> None:
        """Everything that the book changed, in a handful of statements."""

    def add_player(
        self, brand: str, name: str, country: str | None, language: str | None, now_ms: int
    ) -> tuple[Player, bool]:
        """The player, and whether it is new; `Conflict` when it exists with other content."""

    def change_player(self, brand: str, name: str, change: PlayerChange) -> Player:
        """The player as changed; `Unknown` when there is none."""

    def open_session(self, terms: Terms, wanted: NewSession) -> tuple[Session, bool]:
        """The session, and whether it is new; opens the player's account in the currency.

        Raises `Unknown` for an unknown player, and `Conflict` when the name stands for another
        player, currency or game.
        """

    def close_session(self, terms: Terms, name: str, now_ms: int) -> Session:
        """The session, closed; closing twice keeps the first time. `Unknown` when there is none.

        Other names of the same launch are closed with it: those under which a vendor names it.
        """

    def grant(self, terms: Terms, wanted: NewGrant) -> None:
        """Note a campaign that a vendor gave; rewards and free rounds are held against it."""

    def cancel_grants(self, terms: Terms, name: str, now_ms: int) -> None:
        """Note that a campaign, by the operator's id or by the vendor's, is over."""

    def end_round(self, number: int) -> None:
        """Close a round that its vendor left open."""

    def set_alert_state(self, alert: int, state: str, now_ms: int) -> None:
        """Move an alert to `open`, `investigating` or `resolved`; `Unknown` when there is none."""

    def close_alert(self, terms: Terms, key: str, alert: Alert, now_ms: int) -> None:
        """Resolve what a command raised, if it did: it is over."""

    def raise_alerts(self, alerts: Sequence[AlertRow]) -> None:
        """Write alerts that no command caused; about the same key again one is no news."""

    def beat(self, now_ms: int) -> None:
        """Write something small, to see that a write goes through."""


class TransactionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which transactions to list, newest first. `after` is the last id of the page before.

    A `key` means the one that has it in the integration, whatever round and game are asked for.
    """

    brand: str | None = None
    player: str | None = None
    integration: str | None = None
    key: str | None = None
    round: str | None = None
    game: str | None = None
    after: int | None = None
    limit: int = 50


class TransactionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction with its names; amounts are decimal text in main units."""

    transaction: str
    integration: str
    brand: str
    player: str | None
    kind: str
    key: str
    asked: str | None
    amount: str
    currency: str | None
    balance: str | None
    version: int
    session: str | None
    game: str | None
    round: str | None
    campaign: str | None
    free: bool
    target: str | None
    reversed_by: str | None
    rejection: str | None
    dust: str | None
    feature: str | None
    reference: str | None
    at_ms: int


class RoundFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which rounds to list, newest first. `after` is the last id of the page before."""

    brand: str | None = None
    player: str | None = None
    integration: str | None = None
    game: str | None = None
    round: str | None = None
    unsettled: bool = False
    after: int | None = None
    limit: int = 50


class RoundEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A round of one player with its names and totals; amounts are decimal text."""

    id: int
    integration: str
    brand: str
    game: str
    round: str
    player: str
    currency: str
    bets: int
    staked: str
    wins: int
    won: str
    refunds: int
    refunded: str
    opened_ms: int
    changed_ms: int


class Overdue(msgspec.Struct, frozen=True):
    """A round that never ended, and the id of its account."""

    round: RoundEntry
    account: int


class AlertEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An alert with its names."""

    id: int
    integration: str
    key: str
    alert: str
    detail: str
    player: str | None
    currency: str | None
    state: str
    created_ms: int
    changed_ms: int


class TotalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Movements of one hour, integration, currency and kind, signed as players see them."""

    hour_ms: int
    integration: str
    currency: str
    kind: str
    transactions: int
    amount: str


class Reader(Protocol):
    """The reading side: what was committed, as of some moment after the call began."""

    def schema(self) -> int:
        """The version of the schema that is stored."""

    def player(self, brand: str, name: str) -> tuple[Player, Sequence[Account]] | None:
        """A player with all accounts, or None."""

    def session(self, integration: str, name: str) -> Session | None:
        """A session, or None."""

    def transactions(self, wanted: TransactionFilter) -> Sequence[TransactionEntry]:
        """A page of transactions, newest first."""

    def rounds(self, wanted: RoundFilter) -> Sequence[RoundEntry]:
        """A page of rounds, newest first."""

    def overdue(self, *, after: int, opened_before_ms: int) -> tuple[Sequence[Overdue], int]:
        """Rounds that never ended, and the id to go on after; looks at and finds only so many."""

    def alerts(self, *, state: str | None, after: int | None, limit: int) -> Sequence[AlertEntry]:
        """A page of alerts, newest first."""

    def totals(self, *, from_ms: int, until_ms: int) -> Sequence[TotalEntry]:
        """The roll-ups of the hours that lie in the span."""

    def drift(self) -> Mapping[str, int]:
        """By currency: players' balances less all movements, in units. All zeros when well."""

    def stream(self, names: Sequence[str]) -> Iterable[tuple[str, tuple[object, ...]]]:
        """Rows of named audit queries, each with the query's name, in one snapshot."""


class Store(Protocol):
    """A backend: one writer, readers, and what operations need."""

    @property
    def schema(self) -> int:
        """The version of the schema that this program writes."""

    @property
    def writer(self) -> Writer:
        """The writing side; used by one thread."""

    def reader(self) -> AbstractContextManager[Reader]:
        """A reader for the calling thread; given back when the block ends."""

    def backup(self, target: Path) -> None:
        """Copy the committed state to a new ledger file, which SQLite opens, beside writers."""

    def close(self) -> None:
        """Release everything; what was committed stays."""
