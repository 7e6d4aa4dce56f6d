"""The bodies of the wallet API, read and written (pages "Wallet API").

Fields stand in the vendor's order. Amounts are whole numbers of 1/100000 in every currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec

from seamline.dialects.dialect import Malformed
from seamline.dialects.oppigames.reasons import Declined, Reason
from seamline.dialects.signing import BadJson, parsed, strictly
from seamline.money import Amount, Quantity
from seamline.wallet import Rejection

T = TypeVar("T")

PLACES = 5
#: The other side is JavaScript, which counts exactly no further.
MOST = 2**53 - 1
MAX_ID = 128
MAX_SESSION = 1024
MAX_BATCH = 500

_DIGITS = len(str(MOST))
_BOM = b"\xef\xbb\xbf"

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
SessionId = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_SESSION)]
CurrencyCode = Annotated[str, msgspec.Meta(min_length=3, max_length=10)]


class Asked(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The body of a balance call."""

    session_id: SessionId
    player_id: Identifier


class Bet(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The body of a bet."""

    transaction_id: Identifier
    session_id: SessionId
    player_id: Identifier
    game_id: Identifier
    currency: CurrencyCode
    amount: msgspec.Raw


class Payout(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The body of a payout; `ref_transaction_id` is the bet's."""

    transaction_id: Identifier
    ref_transaction_id: Identifier
    session_id: SessionId
    player_id: Identifier
    game_id: Identifier
    currency: CurrencyCode
    amount: msgspec.Raw
    is_win: bool


class Reward(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The body of a reward; `ref_transaction_id` is a bonus or a jackpot. It has no currency."""

    transaction_id: Identifier
    ref_transaction_id: Identifier
    session_id: SessionId
    reward_type: str
    player_id: Identifier
    game_id: Identifier
    rewarded_amount: msgspec.Raw


class Rollback(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One item of a rollback; `ref_transaction_id` is whatever is to be undone."""

    transaction_id: Identifier
    ref_transaction_id: Identifier
    session_id: SessionId
    player_id: Identifier
    game_id: Identifier


class Retry(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One item of a retry: a payout that had failed."""

    transaction_id: Identifier
    session_id: SessionId
    round_id: Identifier
    player_id: Identifier
    game_id: Identifier
    currency: CurrencyCode
    amount: msgspec.Raw


class Rollbacks(msgspec.Struct, frozen=True):
    """The body of a rollback."""

    transactions: Annotated[tuple[Rollback, ...], msgspec.Meta(max_length=MAX_BATCH)]


class Retries(msgspec.Struct, frozen=True):
    """The body of a retry."""

    transactions: Annotated[tuple[Retry, ...], msgspec.Meta(max_length=MAX_BATCH)]


class Listed(msgspec.Struct, frozen=True):
    """The body of either, its items unread."""

    transactions: tuple[msgspec.Raw, ...]


class Told(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The answer to a balance call."""

    status: str
    session_id: str
    balance: int


class Done(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The answer to a bet, payout or reward."""

    status: str
    transaction_id: str
    balance: int


class Undone(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """What became of one item of a rollback."""

    status: str
    transaction_id: str | None = None


class Repaid(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel",
             omit_defaults=True):  # fmt: skip
    """What became of one item of a retry; an item that could not be read has nothing to echo."""

    status: str
    transaction_id: str | None = None
    session_id: str | None = None
    round_id: str | None = None
    player_id: str | None = None
    currency: str | None = None
    balance: int | None = None


class UndoneBatch(msgspec.Struct, frozen=True):
    """The answer to a rollback."""

    status: str
    data: tuple[Undone, ...]


class RepaidBatch(msgspec.Struct, frozen=True):
    """The answer to a retry."""

    status: str
    data: tuple[Repaid, ...]


class Error(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A refusal; `message` is our own addition, as the vendor's own API has one."""

    status: str
    transaction_id: str | None = None
    session_id: str | None = None
    balance: int | None = None
    message: str | None = None


encode = msgspec.json.Encoder().encode
ASKED = msgspec.json.Decoder(Asked)
BET = msgspec.json.Decoder(Bet)
PAYOUT = msgspec.json.Decoder(Payout)
REWARD = msgspec.json.Decoder(Reward)
ROLLBACK = msgspec.json.Decoder(Rollback)
ROLLBACKS = msgspec.json.Decoder(Rollbacks)
RETRY = msgspec.json.Decoder(Retry)
RETRIES = msgspec.json.Decoder(Retries)
LISTED = msgspec.json.Decoder(Listed)
TOLD = msgspec.json.Decoder(Told)
DONE = msgspec.json.Decoder(Done)
UNDONE = msgspec.json.Decoder(UndoneBatch)
REPAID = msgspec.json.Decoder(RepaidBatch)
ERROR = msgspec.json.Decoder(Error)


def decode(raw: bytes, decoder: msgspec.json.Decoder[T], repeats: str = "transactionId") -> T:
    """Decode a body, or raise `Declined` naming the reason, the field and what was expected.

    The refusal's key is the id that an answer *repeats*, where that can be read. A byte order mark
    before the body is no part of it.
    """
    text = raw.removeprefix(_BOM)
    try:
        return strictly(text, decoder)
    except BadJson as error:
        raise _declined(error, text, repeats) from error


def _declined(error: BadJson, text: bytes, repeats: str) -> Declined:
    """Tell no JSON from a field that is missing, and from one of the wrong type."""
    cause, reason, key = error.__cause__, Reason.MALFORMED_JSON, None
    if isinstance(cause, msgspec.ValidationError) and error.field is not None:
        missing = "missing required field" in str(cause)
        reason = Reason.MISSING_FIELD if missing else Reason.WRONG_TYPE
        key = _echo(text, repeats)
    return Declined(Rejection.MALFORMED, reason, error.detail, field=error.field, key=key)


def _echo(text: bytes, name: str) -> str | None:
    """An id that may be repeated, of a body that is not what it should be."""
    try:
        body = parsed(text)
    except BadJson:
        return None
    found = body.get(name) if isinstance(body, Mapping) else None
    longest = MAX_ID if name == "transactionId" else MAX_SESSION
    return found if isinstance(found, str) and 0 < len(found) <= longest else None


def quantity(raw: msgspec.Raw, field: str, key: str) -> Quantity:
    """Read an amount: a whole number, also written as `50000000.0`, up to 2**53 - 1."""
    text = bytes(raw)
    whole, _, fraction = text.partition(b".")
    if whole.isdigit() and not fraction.strip(b"0") and len(whole) <= _DIGITS:
        value = int(whole)
        if value <= MOST:
            return Quantity(value, PLACES)
    raise Declined(
        Rejection.MALFORMED,
        Reason.WRONG_TYPE,
        f"expected a whole number from 0 to {MOST}, of 1/100000",
        field=field,
        key=key,
    )


def wired(quantity: Quantity | None, field: str = "amount") -> int:
    """An amount as the wire counts it; `Malformed` for what it cannot carry."""
    if quantity is None:
        raise Malformed("expected an amount", field=field)
    exact = quantity.shortest()
    if exact.places > PLACES:
        raise Malformed(f"expected at most {PLACES} decimals", field=field)
    counted: int = exact.coefficient * 10 ** (PLACES - exact.places)
    if counted > MOST:
        raise Malformed(f"expected at most {MOST} of 1/100000", field=field)
    return counted


def told(balance: Amount) -> int:
    """A balance as the wire counts it, rounded down; an overdrawn one is told as 0."""
    spare = PLACES - balance.currency.scale
    units = max(balance.units, 0)
    counted: int = units * 10**spare if spare >= 0 else units // 10**-spare
    return min(counted, MOST)
