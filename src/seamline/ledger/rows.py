"""What a store keeps, as the rules see it. Ids are the store's own integers; money is in units."""

from __future__ import annotations

import msgspec

from seamline.ledger.chain import START
from seamline.money import Currency
from seamline.wallet import NO_LIMITS, Kind, Limits, PlayerStatus, Policy, Rejection


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger must know of one integration, or of one brand's cashier, to decide for it."""

    integration: str
    brand: str
    policy: Policy
    currencies: frozenset[str]
    limits: Limits = NO_LIMITS


class Player(msgspec.Struct, gc=False):
    """A brand's player; `name` is the brand's own id."""

    id: int
    brand: str
    name: str
    status: PlayerStatus
    limits: Limits
    country: str | None = None
    language: str | None = None
    created_ms: int = 0


class Account(msgspec.Struct, gc=False):
    """A player's money in one currency, and the head of its chain of transactions.

    `last` is the id of the newest transaction (0 before the first). `loss_on` is the day number
    (UTC, since 1970) that the three loss counters stand for.
    """

    id: int
    player: int
    currency: Currency
    balance: int = 0
    version: int = 0
    chain: bytes = START
    last: int = 0
    loss_on: int = 0
    loss_day: int = 0
    loss_week: int = 0
    loss_month: int = 0


class Session(msgspec.Struct, gc=False):
    """One launched game; `name` is the id that the vendor sends back."""

    id: int
    integration: str
    name: str
    player: Player
    account: Account
    game: str
    opened_ms: int
    expires_ms: int
    closed_ms: int | None = None


class Round(msgspec.Struct, gc=False):
    """What happened so far in one round of one account: counts, and units moved.

    A bet whose refund came first counts as a bet and as a refund. `ended` is None where the vendor
    does not say: then the first win ends it.
    """

    id: int
    integration: str
    game: str
    name: str
    account: int
    opened_ms: int
    changed_ms: int
    first: int
    last: int
    bets: int = 0
    staked: int = 0
    wins: int = 0
    won: int = 0
    refunds: int = 0
    refunded: int = 0
    ended: bool | None = None


class Transaction(msgspec.Struct, kw_only=True, gc=False):
    """One recorded command: the double entry, and both the player's balance and version after it.

    `asked` is the amount as the wire said it. `previous` is the account's transaction before this
    one. A tombstone, and a refund that nobody can be found for, have no account. `settled_by` is
    the win that paid a bet, where wins name their bets.
    """

    id: int
    integration: str
    key: str
    kind: Kind
    fingerprint: bytes
    account: int | None = None
    player: str | None = None
    currency: Currency | None = None
    session: int | None = None
    round: int | None = None
    asked: str | None = None
    units: int = 0
    debit: int | None = None
    credit: int | None = None
    balance: int = 0
    version: int = 0
    previous: int = 0
    chain: bytes = START
    target: int | None = None
    reversed_by: int | None = None
    settled_by: int | None = None
    #: When a vendor that asked again was told that its bet stands, where we might have undone it.
    vouched_ms: int | None = None
    rejection: Rejection | None = None
    campaign: str | None = None
    free: bool = False
    dust: str | None = None
    feature: str | None = None
    reference: str | None = None
    #: What it paid that may be paid only once; kept among the claims, set when it is entered.
    claim: str | None = None
    created_ms: int


class Grant(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A campaign of free rounds or a bonus, as it was given through this gateway.

    `name` is the operator's id, `vendor_name` the vendor's. `player` is the store's id; None means
    all, as does a `game` of None. `reward` is the most that it pays, in main units.
    """

    name: str
    vendor_name: str | None
    player: int | None
    game: str | None
    currency: str
    reward: str | None
    from_ms: int
    until_ms: int | None
    cancelled_ms: int | None

    def live(self, now_ms: int) -> bool:
        """Whether it may be played now."""
        begun = self.from_ms <= now_ms and self.cancelled_ms is None
        return begun and (self.until_ms is None or now_ms < self.until_ms)
