"""The bodies of the Integration Adapter API, read and written (OpenAPI, adapter schemas).

Fields stand in the order of their wire names, so that an encoded struct is canonical JSON.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar
from urllib.parse import parse_qsl

import msgspec

from seamline.dialects.dialect import Malformed
from seamline.dialects.swipegames.options import UUID
from seamline.money import BadQuantity, Quantity

T = TypeVar("T")

#: The vendor states no limit for its ids; ours is far above any seen.
MAX_ID = 255

Identifier = Annotated[str, msgspec.Meta(max_length=MAX_ID)]
CampaignName = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]


class Play(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    rename={"fr_id": "frID", "round_id": "roundID", "session_id": "sessionID", "tx_id": "txID"},
):
    """The body of a bet and of a win: the two schemas are the same."""

    amount: str
    fr_id: CampaignName | msgspec.UnsetType = msgspec.UNSET
    round_id: str
    session_id: Identifier
    tx_id: str
    type: Literal["free", "regular"]


class Undo(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    rename={
        "orig_tx_id": "origTxID",
        "round_id": "roundID",
        "session_id": "sessionID",
        "tx_id": "txID",
    },
):
    """The body of a refund. The round came with 1.5.0 and is optional."""

    amount: str
    orig_tx_id: str
    round_id: str | msgspec.UnsetType = msgspec.UNSET
    session_id: Identifier
    tx_id: str


class Balance(msgspec.Struct, frozen=True, gc=False):
    """The answer to a balance call."""

    balance: str


class Done(msgspec.Struct, frozen=True, gc=False, rename={"tx_id": "txID"}):
    """The answer to a bet, win or refund; `tx_id` is the operator's own."""

    balance: str
    tx_id: str


class Error(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"action_data": "actionData"},
):
    """The adapter's error object; `message` may be shown to the player."""

    action: str | None = None
    action_data: str | None = None
    code: str | None = None
    details: str | None = None
    message: str


encode = msgspec.json.Encoder().encode
PLAY = msgspec.json.Decoder(Play)
UNDO = msgspec.json.Decoder(Undo)
BALANCE = msgspec.json.Decoder(Balance)
DONE = msgspec.json.Decoder(Done)
ERROR = msgspec.json.Decoder(Error)


def quantity(text: str, field: str = "amount") -> Quantity:
    """Read an amount of the wire."""
    try:
        return Quantity.parse(text)
    except BadQuantity as error:
        raise Malformed("expected a decimal such as 12 or 0.90", field=field) from error


def uuid(text: str, field: str) -> str:
    """Read a UUID into lower case, as two spellings of one UUID are the same id."""
    if UUID.fullmatch(text) is None:
        raise Malformed("expected a UUID", field=field)
    return text.lower()


def parameters(query: bytes) -> dict[str, str]:
    """The decoded parameters of a URL, all of them; a name that comes twice is `Malformed`."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise Malformed("expected a query of percent-encoded UTF-8") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("expected each query parameter once")
    return found
