"""What the operator API reads and writes, as structs; OpenAPI's schemas are made from them.

A field's limits stand in its type, so that the reader and the document cannot disagree. Times in
answers are Unix milliseconds, amounts are decimal text in main units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from seamline.dialects.dialect import Game, Granted, Jackpot
from seamline.edge.api.fields import (
    Brand,
    Codes,
    Country,
    CurrencyCode,
    Cursor,
    Decimal,
    GameId,
    InstantUtc,
    IntegrationName,
    Key,
    Language,
    Moment,
    Name,
    PageSize,
    PlayerId,
    RoundId,
    SessionId,
    State,
    Url,
)
from seamline.edge.exchanges import Exchange
from seamline.ledger.store import AlertEntry, RoundEntry, TotalEntry, TransactionEntry
from seamline.wallet import PlayerStatus

ItemT = TypeVar("ItemT")


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that a caller sends; a member that is not known is a mistake."""


class Nothing(Shape, frozen=True):
    """No parameters."""


# Players.


class BrandPlayer(Shape, frozen=True):
    """The path of a player."""

    brand: Brand
    id: PlayerId


class NewPlayer(Shape, frozen=True):
    """A player to add."""

    brand: Brand
    id: PlayerId
    country: Country | None = None
    language: Language | None = None


class CurrencyLimitsBody(Shape, frozen=True, omit_defaults=True):
    """Limits in one currency; losses are stakes less wins and refunds, over UTC calendar spans."""

    max_stake: Decimal | None = None
    loss_day: Decimal | None = None
    loss_week: Decimal | None = None
    loss_month: Decimal | None = None


class LimitsBody(Shape, frozen=True, omit_defaults=True):
    """What stops a player's bets; never wins or refunds."""

    session_minutes: Annotated[int, Meta(ge=1, le=525_600)] | None = None
    currencies: Mapping[str, CurrencyLimitsBody] = msgspec.field(default_factory=dict)


class PlayerPatch(Shape, frozen=True):
    """What to change; what is left out stays as it is, and `limits` are replaced as a whole."""

    status: PlayerStatus | UnsetType = UNSET
    limits: LimitsBody | UnsetType = UNSET
    country: Country | UnsetType = UNSET
    language: Language | UnsetType = UNSET


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What a player has in one currency."""

    currency: str
    balance: str


class PlayerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A player with all balances."""

    brand: str
    id: str
    status: PlayerStatus
    country: str | None
    language: str | None
    limits: LimitsBody
    created_ms: int
    balances: Sequence[Balance]


class Transfer(Shape, frozen=True):
    """A deposit or a withdrawal. The same id again moves nothing and gets the same answer."""

    transaction_id: Annotated[
        Name, Meta(description="Yours; unique in the brand's cashier.", examples=["d1"])
    ]
    amount: Decimal
    currency: CurrencyCode


class TransferAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was moved, durably, and the balance after it."""

    transaction: str
    balance: str
    currency: str


# Sessions.


class SessionPath(Shape, frozen=True):
    """The path of a session."""

    integration: IntegrationName
    session_id: SessionId


class NewSessionBody(Shape, frozen=True):
    """A session to open; with `launch` the vendor is asked for the URL to open.

    All after `launch` is for the launch. With `demo` no session is opened, as play money never
    reaches the ledger.
    """

    integration: IntegrationName
    player: PlayerId
    currency: CurrencyCode
    game: GameId
    session_id: SessionId | None = None
    launch: Annotated[bool, Meta(description="Ask the vendor for the URL to open.")] = False
    demo: Annotated[bool, Meta(description="Play money, no session.")] = False
    platform: Annotated[Name, Meta(description="In the vendor's words.", examples=["desktop"])] = (
        "desktop"
    )
    language: Language | None = None
    nickname: Name | None = None
    fallback_language: bool = False
    first_name: Name | None = None
    last_name: Name | None = None
    return_url: Annotated[Url, Meta(description="Where leaving the game leads.")] | None = None
    deposit_url: Annotated[Url, Meta(description="The casino's cashier.")] | None = None
    demo_balance: Decimal | None = None


class LaunchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The session, and the URL to open in the player's browser where the vendor gave one."""

    session_id: str | None
    player: str
    currency: str
    game_url: str | None


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A session with its player's balance."""

    integration: str
    brand: str
    session_id: str
    player: str
    currency: str
    balance: str
    game: str
    opened_ms: int
    expires_ms: int
    closed_ms: int | None


# Records.


class Page(msgspec.Struct, Generic[ItemT], frozen=True, kw_only=True):
    """A page, newest first; `next` is the `after` of the page that follows, null on the last."""

    items: Sequence[ItemT]
    next: str | None


class TransactionPage(Page[TransactionEntry], frozen=True):
    """A page of transactions, newest first."""


class RoundPage(Page[RoundEntry], frozen=True):
    """A page of rounds, newest first."""


class AlertPage(Page[AlertEntry], frozen=True):
    """A page of alerts, newest first."""


class ExchangePage(Page[Exchange], frozen=True):
    """A page of recorded requests and their replies, newest first."""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Movements by hour, integration, currency and kind, signed as players see them."""

    items: Sequence[TotalEntry]


class TransactionQuery(Shape, frozen=True):
    """Which transactions."""

    brand: Brand | None = None
    player: PlayerId | None = None
    integration: IntegrationName | None = None
    key: Key | None = None
    round: RoundId | None = None
    game: GameId | None = None
    after: Cursor | None = None
    limit: PageSize = 50


class RoundQuery(Shape, frozen=True):
    """Which rounds."""

    brand: Brand | None = None
    player: PlayerId | None = None
    integration: IntegrationName | None = None
    round: RoundId | None = None
    game: GameId | None = None
    unsettled: Annotated[bool, Meta(description="Only rounds with a bet still open.")] = False
    after: Cursor | None = None
    limit: PageSize = 50


class RoundPath(Shape, frozen=True):
    """The path of a round."""

    integration: IntegrationName
    game: GameId
    round: RoundId


class RoundPlayer(Shape, frozen=True):
    """Whose round."""

    player: PlayerId | None = None


class RoundAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Every player's share of a round, and the transactions, newest first.

    `more` says that there are more of either than one answer carries; the lists page through them.
    """

    rounds: Sequence[RoundEntry]
    transactions: Sequence[TransactionEntry]
    more: bool


class AlertQuery(Shape, frozen=True):
    """Which alerts."""

    state: State | None = None
    after: Cursor | None = None
    limit: PageSize = 50


class AlertPath(Shape, frozen=True):
    """The path of an alert."""

    id: Annotated[int, Meta(ge=1, le=2**63 - 2, examples=[1])]


class AlertPatch(Shape, frozen=True):
    """The state to move an alert to."""

    state: State


class ExchangeQuery(Shape, frozen=True):
    """Which recorded requests."""

    integration: IntegrationName | None = None
    transaction: Name | None = None
    request_id: Name | None = None
    outcome: Name | None = None
    after: Cursor | None = None
    limit: PageSize = 50


class TotalsQuery(Shape, frozen=True, rename={"from_": "from"}):
    """Which hours; the last 24 when nothing is said."""

    from_: Moment | None = None
    until: Moment | None = None


# Vendors.


class GamesQuery(Shape, frozen=True):
    """Which games; the last two are the vendor's own words."""

    integration: IntegrationName
    bet_lines: Annotated[bool, Meta(description="With the stakes for free rounds.")] = True
    currency_groups: Codes | None = None
    currencies: Codes | None = None


class IntegrationQuery(Shape, frozen=True):
    """Which vendor."""

    integration: IntegrationName


class NewCampaign(Shape, frozen=True):
    """Free rounds to give; no `games` or `players` means all, where the vendor can.

    What a round costs is a `bet_line`, counted from 1, or a `stake`: as the vendor has it.
    """

    integration: IntegrationName
    id: Annotated[Name, Meta(description="Yours; asking twice gives one.", examples=["fr1"])]
    currency: CurrencyCode
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    valid_from: InstantUtc
    bet_line: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    stake: Decimal | None = None
    feature: Annotated[Name, Meta(description="The vendor's word for the bonus.")] | None = None
    reward: Decimal | None = None
    valid_until: InstantUtc | None = None
    games: Annotated[tuple[GameId, ...], Meta(min_length=1)] | None = None
    players: Annotated[tuple[PlayerId, ...], Meta(min_length=1)] | None = None


class CampaignQuery(Shape, frozen=True):
    """Which campaign: by the operator's id, or by the vendor's."""

    integration: IntegrationName
    id: Annotated[Name, Meta(examples=["fr1"])] | None = None
    vendor_id: Name | None = None


class CampaignAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor says of a campaign; null where it does not say.

    `parts` are there where the vendor gives each player's part an id of its own; one without a
    `vendor_id` was not given.
    """

    integration: str
    id: str
    vendor_id: str | None
    currency: str | None
    quantity: int | None
    largest_stake: str | None
    largest_multiple: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    cancelled_at: datetime | None
    games: Sequence[str] | None
    parts: Sequence[Granted] = ()


class Games(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's catalogue."""

    items: Sequence[Game]


class Jackpots(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's jackpots; amounts are decimal text in main units."""

    items: Sequence[Jackpot]


# Operations that only some vendors have.


class IntegrationPath(Shape, frozen=True):
    """The path of an integration."""

    integration: IntegrationName


class OperationPath(Shape, frozen=True):
    """The path of an operation."""

    integration: IntegrationName
    name: Annotated[Name, Meta(description="One of the list.", examples=["lobby"])]


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """An object whose members are those of the `ask` that the list of operations shows."""

    raw: bytes


class OperationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An operation of a vendor's API; `ask` is the JSON Schema of its body.

    `reserves` and `settles` say whether money leaves the player before the vendor is asked, and
    whether some is paid after it; then `ask` has a `transaction_id` of yours. What is `repeatable`
    is asked again by itself when the vendor is in trouble.
    """

    name: str
    summary: str
    ask: Mapping[str, Any]
    reserves: bool
    settles: bool
    repeatable: bool


class OperationList(msgspec.Struct, frozen=True, kw_only=True):
    """The operations that an integration has beside those that all have."""

    items: Sequence[OperationEntry]


class OperationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor answered, and what money moved by it, durably.

    `reserved` and `settled` are transactions; `balance` is the player's after them.
    """

    answer: Any
    reserved: str | None = None
    settled: str | None = None
    balance: str | None = None
    currency: str | None = None


class ProblemPath(Shape, frozen=True):
    """The path of a problem's meaning."""

    code: Annotated[Name, Meta(examples=["insufficient_funds"])]
