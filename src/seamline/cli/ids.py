"""New ids in the shape of old ones."""

from __future__ import annotations

import re
import secrets
from uuid import uuid4

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(r"(?=[^0-9]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{16,}")
_DIGITS = re.compile(r"[0-9]{2,}")


def like(example: str) -> str:
    """An id that looks like the example and is new: UUIDs stay UUIDs, numbers stay numbers."""
    if _UUID.search(example):
        return _UUID.sub(lambda _: str(uuid4()), example)
    if _HEX.search(example):
        return _HEX.sub(lambda found: secrets.token_hex(len(found[0]))[: len(found[0])], example)
    if _DIGITS.search(example):
        return _DIGITS.sub(lambda found: _number(len(found[0])), example)
    return f"{example}-{_number(12)}"


def _number(length: int) -> str:
    """A random number of so many digits, the first of which is no zero."""
    return str(10 ** (length - 1) + secrets.randbelow(9 * 10 ** (length - 1)))
