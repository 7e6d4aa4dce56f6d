"""New ids in the shape of old ones."""

from __future__ import annotations

import re
from random import Random

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(r"(?=[^0-9]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{16,}")
_DIGITS = re.compile(r"[0-9]{2,}")


class Ids:
    """New ids, each in the shape of an example; how unlike they are is the source's to promise."""

    def __init__(self, source: Random) -> None:
        self._source = source

    def like(self, example: str) -> str:
        """An id that looks like the example: UUIDs are new UUIDs, numbers are new numbers."""
        if _UUID.search(example):
            return _UUID.sub(lambda _: self.uuid(), example)
        if _HEX.search(example):
            return _HEX.sub(lambda found: self._digits("0123456789abcdef", found[0]), example)
        if _DIGITS.search(example):
            return _DIGITS.sub(lambda found: self._number(len(found[0])), example)
        return f"{example}-{self._number(12)}"

    def uuid(self) -> str:
        """A UUID of version 4."""
        bits = self._source.getrandbits(128) & ~(0xF << 76) & ~(0x3 << 62) | 4 << 76 | 2 << 62
        text = f"{bits:032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def _digits(self, of: str, example: str) -> str:
        return "".join(self._source.choices(of, k=len(example)))

    def _number(self, length: int) -> str:
        """A number of so many digits, the first of which is no zero."""
        return self._digits("123456789", "0") + self._digits("0123456789", "0" * (length - 1))
