"""The bodies of the seamless calls, read and written ("Data order before hashing").

Every body is an envelope around `data`. Fields stand in the documented order, which is the one that
is hashed. Numbers are kept as they were written: what is hashed is their text.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

import msgspec

from seamline.dialects import fields
from seamline.dialects.dialect import Malformed
from seamline.money import MAX_TEXT, Amount, Quantity

T = TypeVar("T")

#: Ids and tokens; transaction ids are longer in the vendor's own samples than its tables say.
MAX_ID = 255
#: Amounts are Decimal(20,2).
MAX_PLACES = 2
MAX_HUNDREDTHS = 10**20
#: Where the numbers of JavaScript begin to lack hundredths.
INEXACT_HUNDREDTHS = 2**53

#: What a refusal names when the codes of brand and group are not the integration's.
BRAND_AND_GROUP = "brandCode, groupCode"

_NUMBER = re.compile(rb"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?")

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
#: What may be left out, which is another hash than null. Empty text names nothing either, as in the
#: vendor's own samples of a cancel; refusing it would lock the player or owe a payout for ever.
Optional = Annotated[str, msgspec.Meta(max_length=MAX_ID)] | msgspec.UnsetType | None


class Envelope(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What every call of the vendor sends. The signature covers the hash alone."""

    data: msgspec.Raw
    data_hash: str


class Authorize(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """The question who is playing."""

    player_token: Identifier
    game_code: Identifier
    brand_code: str
    group_code: str


class Play(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A place-bet and a payout: the two have the same fields.

    The last two are switched on in the vendor's back office, each by itself.
    """

    bet_id: Identifier
    currency: Identifier
    game_code: Identifier
    player_token: Identifier
    group_code: str
    transaction_id: Identifier
    amount: msgspec.Raw
    parent_bet_id: Optional = msgspec.UNSET
    brand_code: str
    bet_type: Optional = msgspec.UNSET
    is_last_free_spins: bool | msgspec.UnsetType | None = msgspec.UNSET


class Cancel(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A bet is undone; the token comes where the operator had it switched on.

    The last two never come: a body that has them was signed for another call.
    """

    bet_id: Identifier
    player_token: Optional = msgspec.UNSET
    amount: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    transaction_id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Status(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """The question how a bet stands. `player_id` is the vendor's own id of the player."""

    bet_id: Identifier
    player_id: Optional = msgspec.UNSET


class Balance(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """The question how much a player has."""

    player_token: Identifier


class PlayerToken(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """The question which token a player has for a game."""

    native_id: Identifier
    group_code: str
    brand_code: str
    game_code: Identifier


class Player(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """The answer to authorize and to balance."""

    native_id: str
    currency: str
    balance: msgspec.Raw


class Moved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer to place-bet and payout: the balance after it."""

    currency: str
    balance: msgspec.Raw


class Cancelled(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """The answer to a cancel; anything but that very status locks the player."""

    bet_id: str
    status: str


class Standing(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """How a bet stands, and the vendor's own ids of its two transactions."""

    bet_id: str
    transaction_place_bet_id: str | None
    transaction_payout_id: str | None
    status: str


class Token(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """The token of a player."""

    player_token: str


class Error(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The error object; its status may differ from the one of HTTP."""

    status_code: int
    message: str


class Answered(msgspec.Struct, frozen=True, gc=False):
    """Every answer of ours: one of both is null."""

    data: Player | Moved | Cancelled | Standing | Token | None = None
    error: Error | None = None


class Told(msgspec.Struct, frozen=True, gc=False):
    """Every answer as the vendor may read it."""

    data: msgspec.Raw = msgspec.Raw(b"null")
    error: Error | None = None


encode = msgspec.json.Encoder().encode
ENVELOPE = msgspec.json.Decoder(Envelope)
AUTHORIZE = msgspec.json.Decoder(Authorize)
PLAY = msgspec.json.Decoder(Play)
CANCEL = msgspec.json.Decoder(Cancel)
STATUS = msgspec.json.Decoder(Status)
BALANCE = msgspec.json.Decoder(Balance)
PLAYER_TOKEN = msgspec.json.Decoder(PlayerToken)
PLAYER = msgspec.json.Decoder(Player)
MOVED = msgspec.json.Decoder(Moved)
CANCELLED = msgspec.json.Decoder(Cancelled)
STANDING = msgspec.json.Decoder(Standing)
TOKEN = msgspec.json.Decoder(Token)
TOLD = msgspec.json.Decoder(Told)


def decode(raw: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a body or a part of one, or raise `Malformed`."""
    return fields.decode(bytes(raw), decoder)


def amount(token: bytes | msgspec.Raw, field: str = "amount") -> Quantity:
    """Read an amount of the wire, a number or a number in quotes, of at most two decimals."""
    quantity = number(bytes(token), field)
    if quantity.places > MAX_PLACES:
        quantity = quantity.shortest()
        if quantity.places > MAX_PLACES:
            raise Malformed(f"expected at most {MAX_PLACES} decimals", field=field)
    if hundredths(quantity) >= MAX_HUNDREDTHS:
        raise Malformed("expected at most 18 digits before the decimal point", field=field)
    return quantity


def number(token: bytes, field: str) -> Quantity:
    """Read a JSON number, also in quotes, exactly; one below zero is `Malformed`."""
    if token.isdigit() and len(token) <= MAX_TEXT:
        return Quantity(int(token))
    bare = token[1:-1] if token[:1] == b'"' else token
    match = _NUMBER.fullmatch(bare) if len(bare) <= MAX_TEXT else None
    if match is None:
        raise Malformed("expected a number such as 12 or 0.9", field=field)
    sign, whole, fraction, exponent = match.groups(default=b"")
    coefficient, places = int(whole + fraction), len(fraction) - int(exponent or b"0")
    if sign and coefficient:
        raise Malformed("expected a number that is not negative", field=field)
    if abs(places) > MAX_TEXT:
        raise Malformed("expected a number such as 12 or 0.9", field=field)
    return Quantity(coefficient, places) if places >= 0 else Quantity(coefficient * 10**-places)


def hundredths(quantity: Quantity) -> int:
    """A quantity of at most two decimals as a whole number."""
    scale: int = 10 ** (MAX_PLACES - quantity.places)
    return quantity.coefficient * scale


def js_number(quantity: Quantity) -> msgspec.Raw:
    """A quantity as JavaScript writes it, as far as its doubles are exact: no idle zeros."""
    return msgspec.Raw(str(quantity.shortest()).encode())


def balance(amount_: Amount) -> msgspec.Raw:
    """A balance: a number of at most two decimals, rounded down, without exponent.

    The vendor knows no debts, so an overdrawn player has nothing.
    """
    if amount_.units <= 0:
        return msgspec.Raw(b"0")
    text = amount_.text(MAX_PLACES)
    return msgspec.Raw(text.rstrip("0").rstrip(".").encode())
