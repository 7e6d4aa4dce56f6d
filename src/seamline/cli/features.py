"""What the dialects can do, as a table: from their records, and from what their vectors show.

No vendor is named here: whatever a folder says shows up by itself.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from seamline.dialects import AnyDialect, package_of
from seamline.dialects.dialect import Secret, Studio
from seamline.dialects.examples import Example, examples
from seamline.wallet import HOUR_MS, Command, Kind, Policy

#: What stands in a table where a vendor has nothing of the kind.
_NONE = "-"


class Seen(msgspec.Struct, frozen=True):
    """A dialect with what its vectors show."""

    dialect: AnyDialect
    shown: Sequence[Example]

    @property
    def policy(self) -> Policy:
        """What it decides with default settings."""
        return self.dialect.policy(self.dialect.sandbox())

    @property
    def studio(self) -> Studio[msgspec.Struct] | None:
        """The vendor's own API."""
        return self.dialect.studio

    def calls(self, fits: Callable[[Example], bool]) -> str:
        """The names of the calls of which some request fits, in the order of the record."""
        names = {each.call for each in self.shown if fits(each)}
        return ", ".join(call.name for call in self.dialect.calls if call.name in names)


def seen(dialect: AnyDialect) -> Seen:
    """The dialect with what its vectors show."""
    return Seen(dialect, examples(dialect))


def _with(fits: Callable[[Command], bool]) -> Callable[[Seen], str]:
    """The calls that say a command that fits."""
    return lambda seen: seen.calls(lambda shown: any(map(fits, shown.commands)))


def _of_kind(kind: Kind) -> Callable[[Seen], str]:
    """The calls that say a command of that kind; free rounds and late wins have their own rows."""
    return _with(lambda each: each.kind is kind and not each.free and not each.late)


def _batches(seen: Seen) -> str:
    return seen.calls(lambda shown: len(shown.commands) > 1)


def _worded(field: str, **words: str) -> Callable[[Seen], str]:
    """What a field of the policy says, in words for people."""

    def word(seen: Seen) -> str:
        value = str(getattr(seen.policy, field))
        return words.get(value, value)

    return word


def _where(kind: Kind, tell: Callable[[Seen], str]) -> Callable[[Seen], str]:
    """A rule about commands of that kind, told of dialects that can say them."""
    return lambda seen: tell(seen) if _of_kind(kind)(seen) else ""


def _launch(seen: Seen) -> str:
    if seen.studio is None or (seen.studio.launch is None and seen.studio.open is None):
        return ""
    return "asked of the vendor" if seen.studio.launch is not None else "URL built here"


def _campaigns(seen: Seen) -> str:
    words = ("create", "read", "cancel")
    return ", ".join(word for word in words if getattr(seen.studio, f"{word}_campaign", None))


def _has(operation: str) -> Callable[[Seen], str]:
    """Whether the vendor's API has that operation."""
    return lambda seen: "yes" if getattr(seen.studio, operation, None) else ""


def _extras(seen: Seen) -> str:
    return ", ".join(extra.name for extra in seen.studio.extras) if seen.studio else ""


def _options(seen: Seen) -> str:
    fields = msgspec.structs.fields(seen.dialect.options)
    secrets = sum(_holds_secret(field.type) for field in fields)
    needed = sum(field.required for field in fields)
    return f"{len(fields)}: {needed} needed, {secrets} secret"


def _holds_secret(shape: object) -> bool:
    """Whether a value of that type is a secret, or has one in it."""
    return shape is Secret or any(map(_holds_secret, typing.get_args(shape)))


def _session(seen: Seen) -> str:
    hours, rest = divmod(seen.dialect.session_ms(seen.dialect.sandbox()), HOUR_MS)
    slides = ", from each call on" if seen.policy.session_slides_ms is not None else ""
    return f"{hours} h{slides}" if not rest else f"{rest // 60_000 + hours * 60} min{slides}"


Rows = Mapping[str, Callable[[Seen], str]]

#: The tables, by heading: each row's name, and what is told of a dialect.
TABLES: Mapping[str, Rows] = {
    "Calls answered": {
        "who is playing": _of_kind(Kind.AUTHORIZE),
        "balance": _of_kind(Kind.BALANCE),
        "bet": _of_kind(Kind.BET),
        "tip": _of_kind(Kind.TIP),
        "win": _of_kind(Kind.WIN),
        "reward": _of_kind(Kind.REWARD),
        "refund": _of_kind(Kind.REFUND),
        "status of a bet": _of_kind(Kind.STATUS),
        "notice": _of_kind(Kind.NOTICE),
        "free rounds": _with(lambda each: each.free),
        "late win": _with(lambda each: each.late),
        "batches": _batches,
        "signature": lambda seen: seen.dialect.signature_header.decode().title(),
    },
    "Rules": {
        "a repeat is told": _worded(
            "replayed_balance", stored="the first balance", current="the balance now"
        ),
        "a session lives": _session,
        "an unknown session": _worded(
            "unknown_session", reject="refused", adopt="the player's newest"
        ),
        "a win without its bet": _where(
            Kind.WIN, _worded("win_without_bet", pay="paid", reject="refused")
        ),
        "a win after the refund": _where(
            Kind.WIN,
            _worded("win_after_refund", hold="held for a person", pay="paid", reject="refused"),
        ),
        "a second win for a bet": _where(
            Kind.WIN, _worded("second_win", pay="paid", reject="refused")
        ),
        "a refund after the win": _where(
            Kind.WIN,
            _worded("refund_after_win", refund="stake back", void="round undone", reject="refused"),
        ),
        "a bet without an outcome": _worded(
            "overdue_bet", await_refund="the vendor refunds", undo="undone at once"
        ),
        "a campaign's winnings": _worded(
            "campaigns",
            told="paid as told",
            checked="held against what was granted",
            attributed="found by player and game",
        ),
    },
    "The vendor's own API": {
        "launch": _launch,
        "games": _has("games"),
        "campaigns": _campaigns,
        "jackpots": _has("jackpots"),
        "only here": _extras,
    },
    "Settings": {"options": _options},
}


def of(dialect: AnyDialect) -> Mapping[str, str]:
    """What a dialect can do, row by row; rows that say nothing are left out."""
    found = seen(dialect)
    rows = {name: tell(found) for table in TABLES.values() for name, tell in table.items()}
    return {name: text for name, text in rows.items() if text}


def markdown(known: Collection[AnyDialect]) -> str:
    """The same of all dialects, as the text of docs/vendors.md."""
    found = [seen(each) for each in known]
    lines = ["# Vendors", "", *_WHERE_FROM, ""]
    lines += _table(("vendor", "dialect", "document"), map(_named, known))
    for heading, rows in TABLES.items():
        lines += ["", f"## {heading}", ""]
        header = ("what", *(each.dialect.title for each in found))
        lines += _table(header, ([name, *map(tell, found)] for name, tell in rows.items()))
    return "\n".join([*lines, ""])


_WHERE_FROM = (
    "Written by `seamline dialect list --markdown > docs/vendors.md`, from the record and the",
    "vectors of each dialect; never edit it. Calls have the names of their dialect, and rules are",
    "those of its default settings.",
)


def _named(dialect: AnyDialect) -> Sequence[str]:
    package = package_of(dialect)
    link = f"../src/{package.replace('.', '/')}/README.md"
    title = f"[{dialect.title}]({link})" if package.startswith("seamline.") else dialect.title
    return title, f"`{dialect.name}`", dialect.document


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(header)
    yield "|" + "---|" * len(header)
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") or _NONE for cell in cells) + " |"
