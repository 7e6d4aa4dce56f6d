"""The opaque text that says where the next page of a list begins."""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2s

import msgspec

from seamline.edge.api.problems import Code, Problem

_CHECK = 6
_ID = 8


def seal(last: int, query: msgspec.Struct) -> str:
    """A cursor behind the item of that id, good for the same list with the same filters only."""
    number = last.to_bytes(_ID, "big")
    return base64.urlsafe_b64encode(number + _check(number, query)).decode().rstrip("=")


def open_(cursor: str | None, query: msgspec.Struct) -> int | None:
    """The id behind which the page begins; a problem for a text that `seal` did not give."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    last = int.from_bytes(raw[:_ID], "big")
    # Sealing again also refuses what base64 reads in more than one way.
    if len(raw) != _ID + _CHECK or last >= 2**63 or seal(last, query) != cursor:
        detail = "expected the `next` of a page of this list with the same filters"
        raise Problem(Code.MALFORMED, detail, field="after")
    return last


def _check(number: bytes, query: msgspec.Struct) -> bytes:
    """A checksum over list, filters and id; not over the page's size, which may change."""
    filters = msgspec.structs.asdict(query) | {"after": None, "limit": None}
    over = msgspec.json.encode((type(query).__name__, sorted(filters.items())))
    return blake2s(number + over, digest_size=_CHECK).digest()
