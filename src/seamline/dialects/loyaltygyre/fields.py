"""The canonical fields of each call: what is needed of a request, and what a reply may tell.

Everything here is our own contract: LoyaltyGyre prescribes none ("Authorizing Purchases": the
interface is the casino's). Each name can be mapped to another place, see `mapping.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Type = Literal["text", "integer", "decimal", "bool", "iso_time", "epoch_s", "epoch_ms"]

#: The longest id that is read.
MAX_ID = 128

#: Why something is denied, as LoyaltyGyre reads it; `refusals.py` says when.
REASONS = (
    "INSUFFICIENT_BALANCE",
    "PLAYER_NOT_FOUND",
    "PLAYER_INACTIVE",
    "PLAYER_BANNED",
    "PLAYER_SELF_EXCLUDED",
    "NOT_ELIGIBLE",
    "BOX_UNAVAILABLE",
    "PRIZE_UNAVAILABLE",
    "PRICE_MISMATCH",
    "BALANCE_OUT_OF_SYNC",
    "LIMIT_EXCEEDED",
    "ALREADY_CANCELLED",
    "ALREADY_CASHED_BACK",
    "TOO_LATE",
    "UNSUPPORTED_ACTION",
    "STALE_REQUEST",
    "DUPLICATE_CONFLICT",
    "MISSING_FIELD",
    "INVALID_FIELD",
    "MALFORMED_JSON",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "RATE_LIMITED",
    "TEMPORARILY_UNAVAILABLE",
)

#: What a player can be asked to be allowed ("Authorizing Purchases").
ACTIONS = ("open_box", "purchase", "claim_prize")


class Field(msgspec.Struct, frozen=True):
    """One field of a request: where it stands unless mapped, and how it is read."""

    source: tuple[str, ...]
    type: Type = "text"
    required: bool = False
    #: Whether a whole number is taken for the text that it is.
    numbers: bool = False


def _body(name: str, kind: Type = "text", *, required: bool = False) -> Field:
    # The vendor has ids of players, boxes and prizes both ways: 58 and "58".
    return Field((f"body:/{name}",), kind, required, name in _NUMBERED)


_NUMBERED = ("player_id", "box_id", "prize_id", "prize_instance_id", "order_id")

_ID = Field(("body:/request_id", "header:idempotency-key"), required=True)
_CASINO = _body("casino_id")
_PLAYER = _body("player_id", required=True)

#: The fields of each call's request, by name.
REQUESTS: Mapping[str, Mapping[str, Field]] = {
    "authorize": {
        "request_id": _ID,
        "casino_id": _CASINO,
        "action": _body("action", required=True),
        "player_id": _PLAYER,
        "box_id": _body("box_id"),
        "prize_id": _body("prize_id"),
        "amount": _body("amount", "decimal"),
        "balance": _body("balance", "decimal"),
        "occurred_at": _body("occurred_at", "iso_time"),
    },
    "cancel": {
        "request_id": _ID,
        "casino_id": _CASINO,
        "authorize_request_id": _body("authorize_request_id"),
        "authorization_id": _body("authorization_id"),
        "player_id": _PLAYER,
    },
    "cashback": {
        "request_id": _ID,
        "casino_id": _CASINO,
        "player_id": _PLAYER,
        "prize_id": _body("prize_id", required=True),
        "prize_instance_id": _body("prize_instance_id"),
        "amount": _body("amount", "decimal", required=True),
        "currency": _body("currency"),
    },
    "shipment": {
        "request_id": _ID,
        "casino_id": _CASINO,
        "player_id": _PLAYER,
        "prize_id": _body("prize_id", required=True),
        "order_id": _body("order_id"),
    },
    "balance": {"casino_id": _CASINO, "player_id": _PLAYER},
}

_DECIDED = ("decision", "request_id", "reason_code", "message", "retryable")

#: What a reply of each call may tell, by name; `$name` stands for it in a template.
REPLIES: Mapping[str, tuple[str, ...]] = {
    "authorize": (*_DECIDED, "authorization_id", "debited", "balance"),
    "cancel": (*_DECIDED, "balance"),
    "cashback": (*_DECIDED, "credited", "balance"),
    "shipment": (*_DECIDED, "received", "shipment_id", "status"),
    "balance": (*_DECIDED, "player_id", "balance", "currency"),
}

#: All of these names.
TOLD = frozenset(name for names in REPLIES.values() for name in names)

#: Names of replies that are amounts: decimal text, unless a scale makes them whole numbers.
AMOUNTS = frozenset({"debited", "credited", "balance"})

#: The body of a reply to what was allowed, unless a template says otherwise.
ALLOWED: Mapping[str, Mapping[str, str]] = {
    "authorize": {
        name: f"${name}"
        for name in (
            "decision",
            "request_id",
            "authorization_id",
            "reason_code",
            "message",
            "retryable",
            "debited",
            "balance",
        )
    },
    "cancel": {name: f"${name}" for name in (*_DECIDED, "balance")},
    "cashback": {name: f"${name}" for name in (*_DECIDED, "credited", "balance")},
    "shipment": {name: f"${name}" for name in ("received", "request_id", "shipment_id", "status")},
    "balance": {name: f"${name}" for name in ("player_id", "balance", "currency")},
}

#: The body of a refusal, unless a template says otherwise.
DENIED: Mapping[str, str] = {name: f"${name}" for name in (*_DECIDED, "balance")}
