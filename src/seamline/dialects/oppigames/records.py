"""What is asked and answered by the calls that only this vendor has, for operators and on the wire.

Amounts are decimals in main units for operators, whole numbers of 1/100000 on the wire.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
SessionId = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
Currency = Annotated[str, msgspec.Meta(min_length=3, max_length=10)]
Page = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=1_000)]


class BetAmountsAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stakes that bonuses may have in a currency."""

    currency: Currency


class JackpotAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new jackpot of a game.

    `portion_percent` of each stake feeds it until it holds `pool`, a decimal in main units. With
    `for_once` it does not fill again.
    """

    game: Id
    portion_percent: Annotated[int, msgspec.Meta(ge=1, le=100)]
    pool: str
    for_once: bool = False


class JackpotIdAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A jackpot to remove."""

    jackpot: Id


class SessionsAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sessions: a page of those of a player, of a game, or of all."""

    page: Page = 1
    limit: Limit = 10
    player: Id | None = None
    game: Id | None = None


class SessionAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of the bets of one session, by the vendor's id of it."""

    session: SessionId
    page: Page = 1
    limit: Limit = 10


class RatesAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an amount is in other currencies."""

    currency: Currency
    amount: str


class BetAmounts(msgspec.Struct, frozen=True, kw_only=True):
    """Stakes, as decimals."""

    amounts: tuple[str, ...]


class PoolState(msgspec.Struct, frozen=True, kw_only=True):
    """A jackpot as the vendor keeps it."""

    jackpot: str
    game: str
    portion_percent: int
    pool: str
    active: bool
    for_once: bool | None = None
    created_at: str | None = None
    updated_at: str | None = None


class SessionState(msgspec.Struct, frozen=True, kw_only=True):
    """A session as the vendor keeps it."""

    session: str
    player: str
    player_name: str | None = None
    game: str
    game_name: str | None = None
    active: bool
    currency: str | None = None
    created_at: str | None = None


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """One bet of a session and what it paid; for reconciliation."""

    transaction: str
    session: str
    player: str
    player_name: str | None = None
    game: str
    game_name: str | None = None
    stake: str | None = None
    payout: str | None = None
    is_win: bool | None = None
    active: bool | None = None
    created_at: str | None = None


class Sessions(msgspec.Struct, frozen=True, kw_only=True):
    """A page; `last` when there is nothing after it, whatever the totals say."""

    items: tuple[SessionState, ...]
    page: int
    last: bool


class Plays(msgspec.Struct, frozen=True, kw_only=True):
    """A page; `last` when there is nothing after it, whatever the totals say."""

    items: tuple[Play, ...]
    page: int
    last: bool


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """The amount in one currency, as the vendor wrote it; to be shown, not to be reckoned with."""

    currency: str
    amount: str


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """The amount in the vendor's currencies."""

    items: tuple[Rate, ...]


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed."""

    jackpot: str


class WireStakes(msgspec.Struct, frozen=True, rename="camel"):
    """`data` in the page's sample, `allowedBets` in its table."""

    data: tuple[int, ...] | None = None
    allowed_bets: tuple[int, ...] | None = None


class WirePool(msgspec.Struct, frozen=True, rename="camel"):
    """A jackpot on the wire; `status` 1 is active."""

    jackpot_id: str
    game_id: str
    bet_portion: int
    jackpot_pool: int
    status: int
    for_once: bool | None = None
    created_at: str | None = None
    updated_at: str | None = None


class WirePools(msgspec.Struct, frozen=True):
    """The answer to a new jackpot."""

    data: tuple[WirePool, ...]


class WireSession(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A session on the wire; `status` 1 is active."""

    session_id: str
    player_id: str
    player_name: str | None = None
    game_id: str
    game_name: str | None = None
    status: int
    currency: str | None = None
    created_at: str | None = None


class WirePlay(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A bet of a session on the wire."""

    transaction_id: str
    session_id: str
    player_id: str
    player_name: str | None = None
    bet_amount: int | None = None
    payout: int | None = None
    is_win: bool | None = None
    session_status: int | None = None
    game_id: str
    game_name: str | None = None
    created_at: str | None = None


class WireSessionPage(msgspec.Struct, frozen=True, rename="camel"):
    """A page of sessions on the wire."""

    total_pages: int
    current_page: int
    result: tuple[WireSession, ...]


class WirePlayPage(msgspec.Struct, frozen=True, rename="camel"):
    """A page of a session's bets on the wire."""

    total_pages: int
    current_page: int
    result: tuple[WirePlay, ...]


class WireSessionAnswer(msgspec.Struct, frozen=True):
    """The answer to a call for sessions."""

    data: WireSessionPage


class WirePlayAnswer(msgspec.Struct, frozen=True):
    """The answer to a call for one session."""

    data: WirePlayPage


class WireRate(msgspec.Struct, frozen=True, rename="camel"):
    """An amount in one currency; a number of whatever form."""

    currency_code: str
    amount: msgspec.Raw


class WireRates(msgspec.Struct, frozen=True):
    """The answer to a call for rates."""

    data: tuple[WireRate, ...]


STAKES = msgspec.json.Decoder(WireStakes)
POOLS = msgspec.json.Decoder(WirePools)
SESSIONS = msgspec.json.Decoder(WireSessionAnswer)
PLAYS = msgspec.json.Decoder(WirePlayAnswer)
RATES = msgspec.json.Decoder(WireRates)
