"""The glossary.

Shared code uses these words and no others; a vendor's own words stay in its folder. A *brand* (one
casino) has *players*. A player has one *account* per currency. An *integration* connects one brand
to one vendor and speaks that vendor's *dialect*. A *session* is one launched game of one player;
bets and wins of one play form a *round*. A vendor asks by *commands*; each gets an *outcome*:
applied, replayed or rejected. What was applied is recorded as a *transaction*. All times are Unix
milliseconds, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Generic, Literal, TypeVar

import msgspec

from seamline.money import Amount, Quantity

OptionsT = TypeVar("OptionsT", bound=msgspec.Struct)

HOUR_MS, DAY_MS = 3_600_000, 86_400_000

#: Stands between a word of ours and the key that it is about (in ASCII the "unit separator"). No id
#: of a vendor's may hold it.
MARK = "\x1f"


def beside(word: str, key: str) -> str:
    """The key of what is kept beside another key, such as its tombstone; no vendor can name it."""
    return f"{word}{MARK}{key}"


class Kind(StrEnum):
    """What a command asks for, and what a transaction row is."""

    BALANCE = "balance"  #: how much there is; records nothing
    AUTHORIZE = "authorize"  #: who the player of a session is; records nothing
    STATUS = "status"  #: how a bet stands; records nothing
    BET = "bet"  #: a stake leaves the player's account
    TIP = "tip"  #: a gift to the dealer leaves it; no result follows
    WIN = "win"  #: the result of a round is paid
    REWARD = "reward"  #: paid outside a round: bonus payout, jackpot, cashback
    REFUND = "refund"  #: an earlier transaction is undone, by its stored amount
    NOTICE = "notice"  #: something that a person has to do; moves nothing
    DEPOSIT = "deposit"  #: the cashier puts money in
    WITHDRAWAL = "withdrawal"  #: the cashier takes money out
    TOMBSTONE = "tombstone"  #: a refund came before its bet; the bet is refused when it comes
    CLAIM = "claim"  #: a reward that is paid once for all was paid; a mark beside it, without money


class PlayerStatus(StrEnum):
    """Set by the operator. Anything but `active` stops bets, never wins or refunds."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    SELF_EXCLUDED = "self_excluded"
    CLOSED = "closed"


class Rejection(Enum):
    """Why a command moved no money, in order of precedence.

    Numbers are never reused; `later` says whether the very same request could succeed later.
    """

    CALL_UNKNOWN = (10, False, "the vendor's protocol has no such call")
    METHOD = (11, False, "the call exists under another HTTP method")
    TOO_LARGE = (12, False, "the request is larger than the gateway reads")
    SIGNATURE = (13, False, "the signature is missing or does not match")
    STALE = (14, False, "the signed time is outside the accepted window")
    ADDRESS = (15, False, "the caller's address is not one of the integration's")
    MALFORMED = (20, False, "a field is missing, of the wrong type or not readable")
    DUPLICATE_CHANGED = (30, False, "the id is known with other content")
    REFUNDED_BEFORE = (31, False, "a refund of this transaction came first")
    SESSION_UNKNOWN = (40, True, "no such session at this integration")
    PLAYER_UNKNOWN = (41, True, "no such player of this brand")
    SESSION_CLOSED = (42, False, "the session was closed")
    SESSION_EXPIRED = (43, False, "the session is over")
    PLAYER_BLOCKED = (44, True, "the player is blocked")
    PLAYER_SELF_EXCLUDED = (45, True, "the player has excluded themselves")
    PLAYER_CLOSED = (46, False, "the player's account is closed")
    CURRENCY = (50, False, "the currency is not the session's, or not the brand's")
    GAME = (51, False, "the game is not available")
    PRECISION = (52, False, "the amount has more decimals than the currency's ledger scale")
    AMOUNT_RANGE = (53, False, "the amount or the resulting balance is out of range")
    TARGET_UNKNOWN = (60, True, "the transaction referred to is not known")
    TARGET_FOREIGN = (61, False, "the transaction referred to belongs to another player")
    TARGET_KIND = (
        62,
        False,
        "the transaction referred to is of a kind that this call cannot touch",
    )
    TARGET_SETTLED = (63, False, "the bet referred to is already paid")
    TARGET_REFUNDED = (64, False, "the bet referred to is already refunded")
    ALREADY_CLAIMED = (65, False, "this reward was already paid")
    TARGET_EXPIRED = (66, False, "the transaction referred to is too old to be undone")
    CAMPAIGN = (67, False, "the campaign is not known, is over, or is another player's")
    PRICE = (68, False, "the price is not the one in the catalogue")
    OUT_OF_SYNC = (69, True, "the vendor believes in another balance")
    STAKE_LIMIT = (70, True, "the stake is above the player's or the brand's largest stake")
    LOSS_LIMIT = (71, True, "the stake would pass the player's loss limit")
    TIME_LIMIT = (72, False, "the session has reached the player's time limit")
    FUNDS = (80, True, "the balance is smaller than the stake")
    RATE = (85, True, "the player asks too often")
    BUSY = (90, True, "the gateway's queue is full")
    UNAVAILABLE = (91, True, "the store cannot be written")
    FAULT = (92, True, "the gateway failed; nothing was moved")
    OVERDUE = (93, True, "there was no outcome in time; it may still come")

    def __init__(self, number: int, later: bool, meaning: str) -> None:
        self.number = number
        self.later = later
        self.meaning = meaning

    # Members are keys on the hot path; identity is what their equality means anyway.
    __hash__ = object.__hash__


#: Trouble of the moment: it is never stored, so that the same command can be done the next time.
PASSING = frozenset(
    {Rejection.RATE, Rejection.BUSY, Rejection.UNAVAILABLE, Rejection.FAULT, Rejection.OVERDUE}
)


class Catalogue(msgspec.Struct, kw_only=True):
    """What a vendor offers for a price, by id, as it was heard last; None while nothing was heard.

    Prices are decimals, None where there is none. Kept up to date for those dialects that look
    something up in it.
    """

    games: Mapping[str, str | None] | None = None
    #: What can be won in the games.
    prizes: Mapping[str, str | None] | None = None


class Integration(msgspec.Struct, Generic[OptionsT], frozen=True, kw_only=True):
    """One brand's connection to one vendor.

    `options` is the dialect's own settings struct. `allow_from` are the networks, such as
    `203.0.113.0/24`, that the vendor calls from; empty for anywhere.
    """

    name: str
    brand: str
    dialect: str
    options: OptionsT
    allow_from: tuple[str, ...] = ()
    catalogue: Catalogue = msgspec.field(default_factory=Catalogue)


class Command(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a vendor, or the cashier, asks for; already authentic, not yet decided.

    `key` identifies it within its integration, in the space that the dialect defines; where ids are
    only unique per kind, it is written `kind/id`. `amount` is what the wire said, in main units.
    A `session` says whose account it is; without one `player` and `currency` do. `free` records
    without moving money (free rounds, tracking). `target` is the key of the transaction that a
    refund undoes, or of the bet that a win pays. `claim` names what a reward pays only once,
    whatever the key (a bonus). `campaign` is the id of a free-rounds campaign, empty where
    there is one that the wire does not name.
    """

    kind: Kind
    integration: str
    key: str | None = None
    session: str | None = None
    player: str | None = None
    currency: str | None = None
    amount: Quantity | None = None
    game: str | None = None
    round: str | None = None
    target: str | None = None
    campaign: str | None = None
    claim: str | None = None
    free: bool = False
    #: The vendor's word for what kind of bet or win it is (`freespin`, `jackpot`); recorded as is.
    feature: str | None = None
    #: The vendor's own id of the movement, where that is not the key; recorded as is.
    reference: str | None = None
    #: A win says that its round is over, or goes on; None where the vendor does not say.
    ends: bool | None = None
    #: A win that could not be delivered before, said by another call: `target` is the lost win's
    #: key or its bet's, nobody knows which.
    late: bool = False
    #: What a person should know or do; an alert where the command is applied.
    note: str | None = None
    #: What the vendor believes the balance to be; compared, never trusted.
    believed: Quantity | None = None
    #: A bet that is checked like any other, and recorded, while its stake is debited elsewhere.
    only_checked: bool = False
    #: The amount is a price that the dialect looked up, as the wire told none. It may be another
    #: one when the key comes again, so it is no part of what must be equal then.
    priced: bool = False
    #: Why the dialect would refuse it; stands only where the key is new.
    objection: Rejection | None = None
    #: Its player asks too often; stands only where the key is new, and never for what is owed.
    hasty: bool = False


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a dialect decides differently from others, as data for the rules.

    `fingerprint` names the command fields that must be equal when a key comes again, beside the
    amount, which is always compared, by value, where the wire told it.
    """

    fingerprint: tuple[str, ...] = ("kind", "session", "round", "target", "campaign", "free")
    #: The same of a refund, where its target decides alone; None for as of all others.
    refund_fingerprint: tuple[str, ...] | None = None
    #: The balance told to a duplicate: the one stored with the first answer, or the balance now.
    replayed_balance: Literal["stored", "current"] = "stored"
    #: A bet that comes again after its refund: the first answer again, or a refusal. One that was
    #: undone here, as `overdue_bet` has it, is always refused.
    refunded_bet_again: Literal["replay", "reject"] = "replay"
    #: Kinds whose refusals are stored, so that the same key can never succeed later.
    remembered_refusals: frozenset[Kind] = frozenset()
    #: Kinds whose first refusal is noted, for those who ask how a bet stands, or bring late a win
    #: that was refused for good; the same key is decided afresh all the same.
    noted_refusals: frozenset[Kind] = frozenset()
    #: Sessions that nobody opened: refused, or taken for the named player's newest of that game and
    #: currency (at most a day old), under which name the id is then known.
    unknown_session: Literal["reject", "adopt"] = "reject"
    #: From each call on a session stays open for at least three quarters of this; None: as opened.
    session_slides_ms: int | None = None
    #: Whether a bet must name the game that was launched.
    bet_game: Literal["any", "launched"] = "any"
    #: Whether a round is known by its game and name, or by its name in whatever game.
    round_game: Literal["named", "any"] = "named"
    #: A win whose target, or without a target whose round, has no bet: paid with an alert, or
    #: rejected until the bet comes.
    win_without_bet: Literal["pay", "reject"] = "pay"
    #: The same for a late win.
    late_win_without_bet: Literal["pay", "reject"] = "pay"
    #: What a late win's key has before the key of its target, where late wins have a space of their
    #: own: who undoes a target that is only known by its late win undoes that.
    late_space: str | None = None
    #: A win for a refunded bet: recorded without money until a person decides, paid, or rejected.
    win_after_refund: Literal["hold", "pay", "reject"] = "hold"
    #: A second win that names the same bet: paid with an alert, or rejected with one.
    second_win: Literal["pay", "reject"] = "pay"
    #: A win with the `reference` and the amount of the bet that it names, as the bet's own request
    #: has them: paid, or rejected with an alert, where nothing that is signed tells the two apart.
    bet_as_win: Literal["pay", "reject"] = "pay"
    #: Kinds of transactions that a refund undoes; one of another kind moves nothing.
    reversible: frozenset[Kind] = frozenset({Kind.BET, Kind.TIP})
    #: A refund of another kind: recorded with an alert, or rejected with one.
    irreversible: Literal["record", "reject"] = "record"
    #: A refund of a bet that was paid: the stake back with an alert, the stake back and its win
    #: taken, with all of a round that has no other bet, or rejected.
    refund_after_win: Literal["refund", "void", "reject"] = "refund"
    #: How long after a transaction it can be undone.
    refund_within_ms: int | None = None
    #: What to do when a reversal finds less than it must take back.
    overdraft: Literal["allow_negative", "take_what_is_there", "reject"] = "allow_negative"
    #: Whom a claim is paid to once: each account, or one of all players.
    claimants: Literal["each", "one"] = "each"
    #: What a second payment of one claim does: paid with an alert, or rejected.
    second_claim: Literal["alert", "reject"] = "alert"
    #: A reward's campaign: recorded as told, or held against what was granted; a free bet's or
    #: win's without one: left so, or the player's oldest one of that game.
    campaigns: Literal["told", "checked", "attributed"] = "told"
    #: A checked campaign that was not granted here: paid with an alert, or rejected.
    unknown_campaign: Literal["alert", "reject"] = "alert"
    #: The vendor believes in another balance than the account's.
    disbelief: Literal["ignore", "alert", "reject"] = "ignore"
    #: How many decimals of a balance the vendor is shown; None for all.
    shown_decimals: int | None = None
    #: A bet without an outcome in time: its refund is owed by the vendor, or made at once.
    overdue_bet: Literal["await_refund", "undo"] = "await_refund"
    #: How many commands one player may send in how many milliseconds. What comes again counts, but
    #: is not refused for it; neither are wins and refunds.
    pace: tuple[int, int] | None = None


class Bet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a bet stands: what a status command is told."""

    state: Literal["open", "settled", "refunded", "refused"]
    reference: str | None = None
    #: The vendor's own id of the win that paid it.
    win_reference: str | None = None


class Applied(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Done, durably.

    `transaction` is None for commands that record nothing; `balance` is after the command.
    """

    balance: Amount
    player: str
    transaction: str | None = None
    moved: Amount | None = None
    #: The session that the command was taken for; told where a command names none.
    session: str | None = None
    #: How the bet stands that a status command asks about.
    bet: Bet | None = None


class Replayed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Done before under the same key; nothing moved now.

    `transaction` and `moved` are the first one's.
    """

    balance: Amount
    player: str
    transaction: str
    moved: Amount | None = None


class Rejected(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Not done; no money moved.

    `field` and `detail` speak to engineers, never to players. `language` is the player's, where one
    is known. `key` is the command's, where a request could be read that far.
    """

    why: Rejection
    field: str | None = None
    detail: str = ""
    balance: Amount | None = None
    language: str | None = None
    key: str | None = None


Outcome = Applied | Replayed | Rejected


class CurrencyLimits(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Limits in one currency, in main units as decimal text.

    Losses count stakes less wins and refunds.
    """

    max_stake: str | None = None
    loss_day: str | None = None
    loss_week: str | None = None
    loss_month: str | None = None


class Limits(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What stops a bet, set by the operator for a brand or a player.

    Calendar windows are UTC, weeks ISO.
    """

    session_minutes: int | None = None
    currencies: Mapping[str, CurrencyLimits] = msgspec.field(default_factory=dict)


#: No limits at all; the one value that players and brands without limits share.
NO_LIMITS = Limits()


class Verdict(StrEnum):
    """What a sender concludes from a reply: done, refused for good, or not known."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Alert(StrEnum):
    """Something a person should look at; written in the transaction that caused it."""

    DUPLICATE_CHANGED = "duplicate_changed"  #: a known id came with other content
    WIN_AFTER_REFUND = "win_after_refund"
    WIN_WITHOUT_BET = "win_without_bet"
    REFUND_AFTER_WIN = "refund_after_win"
    REFUND_AMOUNT_DIFFERS = "refund_amount_differs"
    REFUND_OF_OTHER_KIND = "refund_of_other_kind"
    TARGET_FOREIGN = "target_foreign"
    WIN_UNKNOWN_SESSION = "win_unknown_session"
    SECOND_PAYOUT = "second_payout"
    DUST = "dust"
    OVERDRAWN = "overdrawn"
    CAMPAIGN_UNKNOWN = "campaign_unknown"  #: a reward or free round of a campaign not granted here
    BALANCE_DIFFERS = "balance_differs"  #: the vendor believes in another balance
    NOTICE = "notice"  #: what the vendor, or a dialect, wants a person to know
    OVERDUE_BET_STANDS = "overdue_bet_stands"  #: it was told as without outcome, later as done
    ROUND_UNSETTLED = "round_unsettled"  #: a round with a bet and no end, a day after it opened
