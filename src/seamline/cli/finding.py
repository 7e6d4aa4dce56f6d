"""What one check of the doctor came to, and the checks that every ledger gets."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Literal, cast

import msgspec

from seamline.ledger.store import Reader, TransactionFilter
from seamline.money import Currencies

MIB = 1_048_576

#: Clocks of two machines differ by a little.
CLOCK_SLACK_MS = 2_000

Level = Literal["ok", "warn", "fail"]
LEVELS: Sequence[Level] = ("ok", "warn", "fail")


class Finding(msgspec.Struct, frozen=True):
    """What one check came to: the text says what was found and, unless all is well, what to do."""

    level: Level
    what: str
    text: str


def of_ledger(reader: Reader, currencies: Currencies) -> Iterator[Finding]:
    """What the rows of a ledger tell of scales and clock."""
    yield _scales(reader, currencies)
    yield _clock(reader, time.time_ns() // 1_000_000)


def _scales(reader: Reader, currencies: Currencies) -> Finding:
    """Stored units keep their meaning only while scales stay as they are."""
    known = {code: currency.scale for code, currency in currencies.items()}
    rows = (cast("tuple[str, int]", row) for _, row in reader.stream(["all_currencies"]))
    wrong = [
        f"{code} is stored with scale {scale}" for code, scale in rows if known.get(code) != scale
    ]
    if wrong:
        return Finding("fail", "scales", f"{'; '.join(wrong)}; settings must say the same")
    return Finding("ok", "scales", "as stored")


def _clock(reader: Reader, now_ms: int) -> Finding:
    newest = reader.transactions(TransactionFilter(limit=1))
    ahead_ms = newest[0].at_ms - now_ms if newest else 0
    if ahead_ms > CLOCK_SLACK_MS:
        ahead = f"the newest transaction is {ahead_ms // 1000} s in the future"
        return Finding("fail", "clock", f"{ahead}; set this machine's clock (NTP)")
    return Finding("ok", "clock", "not behind the newest transaction")
