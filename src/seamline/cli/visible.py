"""Bytes for people's eyes: what cannot be seen is named, and the first difference is found."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

#: How many bytes are shown on each side of a difference.
AROUND = 16

_SIGNS = {" ": "·", "\n": "⏎\n", "\r": "␍", "\t": "⇥", "\x00": "␀"}


def visible(raw: bytes) -> str:
    """The bytes as text in which spaces, line ends and unusual characters can be told apart."""
    return "".join(map(_shown, raw.decode("utf-8", "surrogateescape")))


def _shown(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # A byte that is not UTF-8, as `surrogateescape` has it.
        return f"<0x{code - 0xDC00:02X}>"
    # Controls, separators and combining marks look like nothing, or like something else.
    if unicodedata.category(character)[0] in "CZM":
        return f"<U+{code:04X}>"
    return character


def difference(ours: bytes, theirs: bytes) -> Iterator[str]:
    """Where two bodies part, for people; one line when they are equal."""
    if ours == theirs:
        yield "the two bodies are equal, byte for byte"
        return
    shorter = min(len(ours), len(theirs))
    pairs = zip(ours, theirs, strict=False)
    at = next((place for place, (one, two) in enumerate(pairs) if one != two), shorter)
    yield f"the bodies are equal up to byte {at}, of {len(ours)} and {len(theirs)}"
    for name, raw in (("--body", ours), ("--compare", theirs)):
        before, after = raw[max(0, at - AROUND) : at], raw[at + 1 : at + 1 + AROUND]
        there = f"0x{raw[at]:02X}" if at < len(raw) else "the end"
        shown = "".join(f"{_flat(part)}" for part in (before, b"", raw[at : at + 1]))
        yield f"  {name:<9} {there:<7} at {shown}{_flat(after)}"


def _flat(raw: bytes) -> str:
    return visible(raw).replace("\n", "")
