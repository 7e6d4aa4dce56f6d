"""One exchange with LoyaltyGyre's API: how it is asked, and what is an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from seamline.dialects.dialect import Reply, Request, VendorError
from seamline.dialects.loyaltygyre.options import Options
from seamline.dialects.signing import BadJson, strictly
from seamline.wallet import Integration

T = TypeVar("T", bound=msgspec.Struct)

_SHOWN = 200


class Said(msgspec.Struct, frozen=True):
    """What every answer has."""

    status: str
    message: str = ""


SAID = msgspec.json.Decoder(Said)


def send(path: str, body: Mapping[str, str], integration: Integration[Options]) -> Request:
    """A POST; the vendor's tables speak of query parameters, its samples send JSON."""
    headers = ((b"content-type", b"application/json"), *key(integration))
    return Request("POST", path, headers=headers, body=msgspec.json.encode(body))


def key(integration: Integration[Options]) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of every call: the API key as a bearer token."""
    bearer = b"Bearer " + integration.options.api_keys[0].encoded()
    return ((b"authorization", bearer), (b"accept", b"application/json"))


def answer(reply: Reply, decoder: msgspec.json.Decoder[T]) -> T:
    """The body of a success, or `VendorError` in the vendor's words."""
    if reply.status != 200:
        raise VendorError(_words(reply), status=reply.status)
    try:
        found = strictly(reply.body, decoder)
    except BadJson as error:
        said = f"LoyaltyGyre answered 200 with a body that nobody can read: {error.detail}"
        raise VendorError(said, status=200) from error
    status: str = getattr(found, "status", "")
    if status != "success":
        message: str = getattr(found, "message", "")
        raise VendorError(message[:_SHOWN] or f"status {status[:_SHOWN]!r}", status=200)
    return found


def _words(reply: Reply) -> str:
    try:
        said = strictly(reply.body, SAID)
    except BadJson:
        return f"LoyaltyGyre answered {reply.status} without a message"
    return said.message[:_SHOWN] or f"LoyaltyGyre answered {reply.status}"
