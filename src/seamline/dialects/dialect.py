"""The record that a vendor's folder fills in.

Everything else about a vendor is derived from it. A dialect is tables and pure functions: no I/O,
no clock, no randomness. The edge brings a `Request`, takes a `Reply`; the sender does the same from
the other end. Functions get the `Integration` whose keys and options they use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from seamline.money import Quantity
from seamline.wallet import (
    Command,
    Integration,
    OptionsT,
    Outcome,
    Policy,
    Rejected,
    Rejection,
    Verdict,
)

EnumT = TypeVar("EnumT", bound=Enum)
ValueT = TypeVar("ValueT")
AskT = TypeVar("AskT")
AnswerT = TypeVar("AnswerT")


class Secret:
    """A key from the settings; its text shows up nowhere unless asked for by `reveal()`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not text:
            raise ValueError("expected a secret, got an empty text")
        self._text = text

    def reveal(self) -> str:
        """The secret itself."""
        return self._text

    def encoded(self) -> bytes:
        """The secret as UTF-8 bytes, as signatures want it."""
        return self._text.encode()

    def __repr__(self) -> str:
        return "Secret(...)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Request(msgspec.Struct, frozen=True, gc=False):
    """An HTTP request, raw.

    `path` is what follows the integration's base; `query` is still percent-encoded. Header names
    are lower-case bytes, as ASGI delivers them. `at_ms` is the clock of whoever made or received
    it, which is what a signed time is held against.
    """

    method: str
    path: str
    query: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""
    at_ms: int = 0

    def header(self, name: bytes) -> bytes | None:
        """The first header of that lower-case name, or None."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


class Reply(msgspec.Struct, frozen=True, gc=False):
    """An HTTP reply, raw."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ((b"content-type", b"application/json"),)


class Failure(StrEnum):
    """Why a sender has no reply to judge."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"


class Refused(Exception):
    """The request is refused before the ledger sees it.

    `field` and `detail` are for engineers.
    """

    def __init__(
        self,
        why: Rejection,
        detail: str = "",
        *,
        field: str | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(why, detail, field, key)
        self.rejected = Rejected(why=why, detail=detail, field=field, key=key)


class BadSignature(Refused):
    """The signature check failed; the detail says which part of it."""

    def __init__(self, detail: str) -> None:
        super().__init__(Rejection.SIGNATURE, detail)


class Malformed(Refused):
    """A field cannot be read; the detail says what was expected."""

    def __init__(self, detail: str, *, field: str | None = None, key: str | None = None) -> None:
        super().__init__(Rejection.MALFORMED, detail, field=field, key=key)


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """A sender's conclusion from a reply, with what the reply told."""

    verdict: Verdict
    message: str = ""
    balance: Quantity | None = None
    transaction: str | None = None
    code: str | None = None


#: What one request asks for: commands, and in a batch also items refused while reading.
Items = tuple[Command | Rejected, ...]


class Call(msgspec.Struct, Generic[OptionsT], frozen=True, kw_only=True):
    """One call of a vendor's protocol, seen from both ends.

    `read(compose(items)) == items`, and `judge(write(outcomes))` agrees with the outcomes.
    """

    name: str
    method: str
    path: str
    #: Wallet's end: an authentic request into commands; raises `Malformed`.
    read: Callable[[Request, Integration[OptionsT]], Items]
    #: Wallet's end: the outcomes, in the order of the items, into the vendor's reply.
    write: Callable[[Items, tuple[Outcome, ...], Integration[OptionsT]], Reply]
    #: Sender's end: commands into the request, signed at that time (Unix milliseconds), byte for
    #: byte what the vendor sends.
    compose: Callable[[Items, Integration[OptionsT], int], Request]
    #: Sender's end: a reply, or why there is none, into a conclusion.
    judge: Callable[[Reply | Failure, Integration[OptionsT]], Judgement]
    #: The largest body that is read, in bytes; None for what the server's settings say.
    body_limit: int | None = None


class VendorError(Exception):
    """The vendor's API refused, or answered what nobody can read.

    Carries the HTTP status and the vendor's code. `refused` says whether the vendor certainly did
    nothing, so that reserved money may go back; left out, a status of 4xx says so. `ask_at_fault`
    says whether another ask could succeed; left out, the statuses that are about the ask say so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        refused: bool | None = None,
        ask_at_fault: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        certain = status is not None and 400 <= status < 500
        self.refused = refused if refused is not None else certain
        about_it = status in {400, 404, 409, 422}
        self.ask_at_fault = ask_at_fault if ask_at_fault is not None else about_it


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """A game to open.

    `session` and `player` are None in demo play where the vendor wants none.
    """

    game: str
    currency: str
    session: str | None = None
    player: str | None = None
    country: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    nickname: str | None = None
    language: str | None = None
    #: Open in the vendor's default language rather than refuse one that it does not have.
    fallback_language: bool = False
    platform: str = "desktop"
    demo: bool = False
    return_url: str | None = None
    deposit_url: str | None = None
    demo_balance: str | None = None
    #: What the player has in the currency, as a decimal; None in demo play.
    balance: str | None = None


class Launched(msgspec.Struct, frozen=True, kw_only=True):
    """Where the player's browser goes.

    `vendor_session` is the vendor's own id of the session, where its calls may name that one: it is
    another name of the session from then on.
    """

    game_url: str
    vendor_session: str | None = None


class GamesFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which games are asked for; `currency_groups` and `currencies` are the vendor's own words."""

    bet_lines: bool = True
    currency_groups: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()


class BetLine(msgspec.Struct, frozen=True, kw_only=True):
    """One stake for free rounds, in main units, and the cap of a win as its multiple."""

    stake: str
    largest_multiple: str


class Prize(msgspec.Struct, frozen=True, kw_only=True):
    """A thing that can be won; its price is a decimal, `images` are absolute URLs."""

    id: str
    title: str
    description: str | None = None
    price: str | None = None
    images: Mapping[str, str] = msgspec.field(default_factory=dict)
    #: What nobody can read of it, as with a game.
    problem: str | None = None


class Game(msgspec.Struct, frozen=True, kw_only=True):
    """A game of a vendor's catalogue.

    `images` are absolute URLs by the vendor's name of the format. One that nobody can read is shown
    with its `problem` and what is known of it, which may be neither id nor title; it has no price.
    """

    id: str
    title: str
    currencies: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    images: Mapping[str, str] = msgspec.field(default_factory=dict)
    free_rounds: bool = False
    rtp: int | None = None
    bet_lines: Mapping[str, tuple[BetLine, ...]] = msgspec.field(default_factory=dict)
    #: What it costs, as a decimal, where a game is a thing to buy.
    price: str | None = None
    description: str | None = None
    #: What can be won in it, where that is things.
    prizes: tuple[Prize, ...] = ()
    problem: str | None = None


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """Free rounds to give.

    Times are Unix milliseconds; `bet_line` counts from 1. A vendor that knows no bet lines takes
    the `stake` of a round as a decimal in main units. `feature` is the vendor's word for the kind
    of bonus, `reward` the most that is paid, as a decimal.
    """

    id: str
    currency: str
    quantity: int
    valid_from_ms: int
    bet_line: int | None = None
    stake: str | None = None
    feature: str | None = None
    reward: str | None = None
    valid_until_ms: int | None = None
    games: tuple[str, ...] | None = None
    players: tuple[str, ...] | None = None


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """One player's part of a campaign in one game, where the vendor gives each an id of its own.

    Without `vendor_id` it was not given; `problem` says why, in the vendor's words.
    """

    player: str
    game: str
    vendor_id: str | None = None
    problem: str | None = None


class CampaignState(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor says of a campaign; None where it does not say.

    With `parts` the campaign consists of them, and some may not have been given.
    """

    id: str
    vendor_id: str | None = None
    currency: str | None = None
    quantity: int | None = None
    largest_stake: str | None = None
    largest_multiple: str | None = None
    valid_from_ms: int | None = None
    valid_until_ms: int | None = None
    cancelled_at_ms: int | None = None
    games: tuple[str, ...] | None = None
    parts: tuple[Granted, ...] = ()


class CampaignId(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign, by the operator's id or by the vendor's."""

    id: str | None = None
    vendor_id: str | None = None


class Jackpot(msgspec.Struct, frozen=True, kw_only=True):
    """A jackpot as the vendor shows it; `amount` is a decimal in main units."""

    name: str
    amount: str
    currency: str


class Operation(msgspec.Struct, Generic[AskT, AnswerT, OptionsT], frozen=True, kw_only=True):
    """One call of the vendor's own API.

    `compose` gives the request, signed at that time (Unix milliseconds), and raises `Malformed` for
    an ask that the vendor would refuse; `read` gives its answer, or raises `VendorError`.
    `deadline_s` is for one exchange. What is `repeatable` is asked again when no answer came, or
    the vendor was in trouble (5xx): it changes nothing, or the same thing.
    """

    compose: Callable[[AskT, Integration[OptionsT], int], Request]
    read: Callable[[Reply, AskT, Integration[OptionsT]], AnswerT]
    deadline_s: float = 10.0
    repeatable: bool = False


class Extra(msgspec.Struct, Generic[AskT, AnswerT, OptionsT], frozen=True, kw_only=True):
    """A call of the vendor's API that only this vendor has, open to operators as it is.

    `ask` is the struct of its parameters, whose docstring and types become the API's documentation;
    the answer is any value that JSON can carry. Where money hangs on it, `ask` has a
    `transaction_id` of the operator's making: the money that `reserve` names leaves the player
    before the call and comes back when the vendor refuses; what `settle` names is paid after it.
    An outcome that is not known keeps the reserve, with an alert for a person.
    """

    name: str
    summary: str
    ask: type[AskT]
    operation: Operation[AskT, AnswerT, OptionsT]
    reserve: Callable[[AskT, Integration[OptionsT]], Command] | None = None
    settle: Callable[[AskT, Integration[OptionsT]], Command | None] | None = None


#: Any extra: what it asks and answers is its own.
AnyExtra = Extra[Any, Any, OptionsT]  # type: ignore[explicit-any]


class Studio(msgspec.Struct, Generic[OptionsT], frozen=True, kw_only=True):
    """The vendor's API as the operator uses it; None where the vendor has no such call."""

    #: The base URL of the vendor's API for an integration, without a trailing slash; empty where
    #: requests have whole URLs as their paths.
    base_url: Callable[[Integration[OptionsT]], str]
    launch: Operation[Launch, Launched, OptionsT] | None = None
    #: In place of `launch`: the URL is built here, at that time, without asking the vendor.
    open: Callable[[Launch, Integration[OptionsT], int], Launched] | None = None
    games: Operation[GamesFilter, tuple[Game, ...], OptionsT] | None = None
    create_campaign: Operation[Campaign, CampaignState, OptionsT] | None = None
    read_campaign: Operation[CampaignId, CampaignState, OptionsT] | None = None
    cancel_campaign: Operation[CampaignId, None, OptionsT] | None = None
    jackpots: Operation[None, tuple[Jackpot, ...], OptionsT] | None = None
    #: What only this vendor has.
    extras: tuple[AnyExtra[OptionsT], ...] = ()


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a signature may have been made: with which key, over which bytes."""

    key: str
    over: str
    signed: bytes
    signature: str


#: What hides in an exchange what may not be recorded.
Redact = Callable[[Request, Reply, str | None, Integration[OptionsT]], tuple[Request, Reply]]


class Dialect(msgspec.Struct, Generic[OptionsT], frozen=True, kw_only=True):
    """A vendor's protocol.

    One module-level value `DIALECT` in each folder below `seamline.dialects`.
    """

    name: str
    title: str
    #: The vendor document and version that the folder implements.
    document: str
    options: type[OptionsT]
    #: Options with made-up sandbox keys, for the demo and the tests.
    sandbox: Callable[[], OptionsT]
    policy: Callable[[OptionsT], Policy]
    #: How long a new session lives, in milliseconds.
    session_ms: Callable[[OptionsT], int]
    calls: tuple[Call[OptionsT], ...]
    #: Before anything is parsed; raises `BadSignature` saying which check failed.
    verify: Callable[[Request, Integration[OptionsT]], None]
    #: Put the vendor's signature on a request.
    sign: Callable[[Request, Integration[OptionsT]], Request]
    #: Every likely way to have signed the request wrongly, the right one first.
    trials: Callable[[Request, Integration[OptionsT]], Sequence[Trial]]
    #: The header that carries the signature.
    signature_header: bytes
    #: A refusal in the vendor's words; the call by its name, or None when no call was found.
    refuse: Callable[[Rejected, str | None, Integration[OptionsT]], Reply]
    #: Header names, lower-case, whose values are never recorded or logged.
    secret_headers: frozenset[bytes]
    #: Which call it is, by name, of those that share its method and path; asked after `verify`.
    which: Callable[[Request, Integration[OptionsT]], str] | None = None
    #: Other methods and paths than the calls' own, by name of the call, where options may choose
    #: them. A segment `{name}` of a path stands for any text.
    routes: Callable[[OptionsT], Mapping[str, tuple[str, str]]] | None = None
    #: An exchange as it may be recorded, of the call by its name, or None when no call was found;
    #: None for as it is, less the secret headers.
    redact: Redact[OptionsT] | None = None
    #: Currencies that the brand must have for these options; None for any.
    currencies: Callable[[OptionsT], tuple[str, ...]] | None = None
    #: Whether `read` looks something up in the integration's catalogue, which is then kept up to
    #: date from the studio's games; None for never.
    wants_catalogue: Callable[[OptionsT], bool] | None = None
    studio: Studio[OptionsT] | None = None


def total(keys: type[EnumT], table: Mapping[EnumT, ValueT]) -> Mapping[EnumT, ValueT]:
    """Return the *table*; a member of *keys* without a row stops the import and is named."""
    missing = [member.name for member in keys if member not in table]
    if missing:
        raise TypeError(f"table over {keys.__name__} lacks {', '.join(missing)}")
    return table
