"""What most wires share: bodies decoded or refused, ids that can be kept, one command per call."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from seamline.dialects.dialect import Items, Malformed
from seamline.dialects.signing import BadJson, strictly
from seamline.wallet import MARK, Command, Kind

T = TypeVar("T")

#: What every store's indexes hold: PostgreSQL's rows of them end at 2.7 kB.
MOST_BYTES = 2_000


def decode(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a body, or raise `Malformed` naming the field and what was expected.

    No name of the field stands for a body that is none at all.
    """
    try:
        return strictly(raw, decoder)
    except BadJson as error:
        raise Malformed(error.detail, field=error.field) from error


def identifier(text: str, field: str, key: str | None = None) -> str:
    """Read an id: any text that every store can keep, and that no key of ours can be.

    A refusal repeats the *key*, where one was read before.
    """
    if "\0" in text or MARK in text:
        raise Malformed("expected text without U+0000 and U+001F", field=field, key=key)
    # No character has more than four bytes.
    if len(text) > MOST_BYTES // 4 and len(text.encode()) > MOST_BYTES:
        raise Malformed(f"expected at most {MOST_BYTES} bytes of UTF-8", field=field, key=key)
    return text


def sayable(value: str | None, field: str, longest: int) -> str:
    """An id to be sent: 1 to so many characters that the other end can read."""
    if not value or len(value) > longest:
        raise Malformed(f"expected 1 to {longest} characters", field=field)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Malformed("expected text that UTF-8 can carry", field=field) from error
    return identifier(value, field)


def one_command(items: Items, *kinds: Kind) -> Command:
    """The one command of a call that takes no batch, and of no other kind."""
    command = items[0] if len(items) == 1 else None
    if not isinstance(command, Command) or command.kind not in kinds:
        raise Malformed(f"expected one command, a {' or '.join(kinds)}", field="kind")
    return command
