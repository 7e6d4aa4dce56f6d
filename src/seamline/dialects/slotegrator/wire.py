"""The bodies of bet, win, refund and balance, and of their answers (document: provider's calls).

Members stand in the order of the document, so that what most providers send is read in one go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import msgspec

from seamline.dialects import fields
from seamline.dialects.signing import Json

T = TypeVar("T")

#: The document gives ids no length; ours is far above any seen.
MAX_ID = 255

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
#: A round may come as a number: the sample is `"3"`, and not every provider quotes it.
RoundId = Id | int

#: The answer to each of the four calls, with the balance afterwards as a JSON number.
DONE = b'{"status":true,"balance":%b}'

_UNSET = msgspec.UNSET


class Which(msgspec.Struct, frozen=True, gc=False):
    """What tells the calls of the one endpoint apart."""

    action: str


class Bet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A bet. Providers of version 1.0.0 send no game; a missing type is a plain bet."""

    action: Literal["bet"]
    type: Literal["bet", "freespin", "tip"] = "bet"
    session_id: Id
    amount: msgspec.Raw
    transaction_id: Id
    round_id: RoundId
    game_id: Id | msgspec.UnsetType = _UNSET


class Win(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A win, read as a bet is; providers newer than 1.0.3 say whether the round is over."""

    action: Literal["win"]
    type: Literal["win", "freespin", "jackpot"] = "win"
    session_id: Id
    amount: msgspec.Raw
    transaction_id: Id
    round_id: RoundId
    game_id: Id | msgspec.UnsetType = _UNSET
    is_finished: msgspec.Raw | msgspec.UnsetType = _UNSET


class Refund(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A refund: its id is the bet's, and it has no amount."""

    action: Literal["refund"]
    session_id: Id
    transaction_id: Id
    round_id: RoundId | msgspec.UnsetType = _UNSET
    game_id: Id | msgspec.UnsetType = _UNSET


class Balance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A question for the balance."""

    action: Literal["balance"]
    session_id: Id


class Failed(msgspec.Struct, frozen=True, gc=False):
    """The answer of either side when it refuses."""

    status: Literal[False]
    code: str
    message: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Any answer to the four calls, as it may come; the code may be a number."""

    status: bool | None = None
    balance: msgspec.Raw | msgspec.UnsetType = _UNSET
    code: str | int | None = None
    message: str | None = None


encode = msgspec.json.Encoder().encode
WHICH = msgspec.json.Decoder(Which)
BET = msgspec.json.Decoder(Bet)
WIN = msgspec.json.Decoder(Win)
REFUND = msgspec.json.Decoder(Refund)
BALANCE = msgspec.json.Decoder(Balance)
ANSWER = msgspec.json.Decoder(Answer)


def optional(text: str | int | msgspec.UnsetType, field: str) -> str | None:
    """Read an id that may be left out, or be a number."""
    if text is _UNSET:
        return None
    return fields.identifier(text if isinstance(text, str) else str(text), field)


def php(members: Mapping[str, Json]) -> bytes:
    """A body as PHP's `json_encode` writes it, which most peers of this protocol use.

    ASCII, no white space, slashes escaped: a peer that decodes and encodes again before it checks
    the signature still finds the same bytes.
    """
    return json.dumps(members, separators=(",", ":")).replace("/", "\\/").encode()
