"""A whole wallet, moved from one store to another: ids, chains and all, row by row.

It may end at any moment and be started again. Rows go over in the order of their keys, in chunks
that are there whole or not at all, so that the last key says where to go on. While it is unfinished
the target carries a mark, and no gateway starts on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import Protocol

import msgspec

from seamline.ledger.columns import Cells
from seamline.ledger.store import Reader, StoreError

#: Rows that are committed together.
CHUNK = 20_000

#: Below every key of a kind: ids of houses are negative, and no name is empty.
_NUMBER, _TEXT = -(2**63), ""


class Table(msgspec.Struct, frozen=True):
    """A table that both backends have: its columns, the first of which are its key."""

    name: str
    columns: tuple[str, ...]
    #: What comes before the first key.
    lowest: Cells = (_NUMBER,)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell one row from another, by which rows are ordered."""
        return self.columns[: len(self.lowest)]


def _table(name: str, columns: str, lowest: Cells = (_NUMBER,)) -> Table:
    return Table(name, tuple(columns.split()), lowest)


#: In the order of references. Not among them: when readiness was last probed, the version of the
#: schema, and what a backend keeps for itself.
TABLES: Sequence[Table] = (
    _table("currencies", "code scale", (_TEXT,)),
    _table("integrations", "id name brand"),
    _table("players", "id brand name country language status limits created_ms"),
    _table(
        "accounts",
        "id player currency balance version chain last loss_on loss_day loss_week loss_month",
    ),
    _table("houses", "id role integration currency"),
    _table("sessions", "id integration name account game opened_ms expires_ms closed_ms"),
    _table(
        "rounds",
        "id integration name game account opened_ms changed_ms first last bets staked wins won "
        "refunds refunded ended",
    ),
    _table(
        "transactions",
        "id integration key kind fingerprint account session round asked units debit credit "
        "balance version previous chain target reversed_by settled_by rejection campaign free dust "
        "feature reference created_ms vouched_ms",
    ),
    _table("claims", "account integration claim paid_by", (_NUMBER, _NUMBER, _TEXT)),
    _table(
        "grants",
        "id integration name vendor_name player game currency reward from_ms until_ms cancelled_ms",
    ),
    _table("alerts", "id integration key alert detail account state created_ms changed_ms"),
    _table(
        "rollups",
        "hour integration currency kind transactions high low",
        (_NUMBER, _NUMBER, _TEXT, _TEXT),
    ),
)


class Source(Protocol):
    """A wallet to read from, as of one moment; nobody changes it meanwhile."""

    def state(self) -> str:
        """Another text whenever the wallet has moved on."""

    def rows(self, table: Table, after: Cells) -> Iterator[Cells]:
        """The rows of a table after a key, in the order of the key."""


class Target(Protocol):
    """A store that is filled; nobody else writes to it meanwhile."""

    def mark(self) -> str | None:
        """What an unfinished transfer noted of its source; None when there is none."""

    def begin(self, state: str) -> None:
        """Remove every row, and note that a transfer of such a source is under way."""

    def last(self, table: Table) -> Cells | None:
        """The largest key of a table."""

    def write(self, table: Table, rows: Sequence[Cells]) -> None:
        """Add rows, all of them or none, and return when they are durable."""

    def rows(self, table: Table, after: Cells) -> Iterator[Cells]:
        """The rows of a table after a key, in the order of the key."""

    def reader(self) -> Reader:
        """What was written so far, for an audit."""

    def finish(self) -> None:
        """Let new ids be above all that are there, and remove the mark: the wallet is whole."""


def transfer(
    source: Source, target: Target, *, progress: Callable[[int], None] = lambda _: None
) -> Mapping[str, int]:
    """Fill the target with what the source holds; how many rows of each table there are.

    `StoreError` when the target holds something else, or does not end up the same. What it still
    needs afterwards is to be audited and finished.
    """
    state, mark = source.state(), target.mark()
    if mark is None and any(target.last(each) for each in TABLES if each.name != "currencies"):
        return _there_already(source, target)
    resumed = mark == state
    if not resumed:
        target.begin(state)
    _copy(source, target, progress)
    counts, difference = compared(source, target)
    if difference is not None and resumed:
        # What was copied before is of another moment: the source moved on in between.
        target.begin(state)
        _copy(source, target, progress)
        counts, difference = compared(source, target)
    if difference is not None:
        raise StoreError(f"the copy differs from its source: {difference}; it is not finished")
    return counts


def _there_already(source: Source, target: Target) -> Mapping[str, int]:
    """The counts when the target is the same wallet; else it is another one, and is left alone."""
    counts, difference = compared(source, target)
    if difference is not None:
        raise StoreError(
            f"the target holds another wallet already ({difference}); name an empty store"
        )
    return counts


def _copy(source: Source, target: Target, progress: Callable[[int], None]) -> None:
    """Everything that the target lacks, table by table."""
    copied = 0
    for table in TABLES:
        rows = source.rows(table, target.last(table) or table.lowest)
        while chunk := tuple(islice(rows, CHUNK)):
            target.write(table, chunk)
            copied += len(chunk)
            progress(copied)


def compared(source: Source, target: Target) -> tuple[Mapping[str, int], str | None]:
    """How many rows of each table are the same, and the first one that is not."""
    counts = {table.name: 0 for table in TABLES}
    for table in TABLES:
        pairs = zip_longest(source.rows(table, table.lowest), target.rows(table, table.lowest))
        for ours, theirs in pairs:
            if ours != theirs:
                return counts, _told(table, ours, theirs)
            counts[table.name] += 1
    return counts, None


def _told(table: Table, ours: Cells | None, theirs: Cells | None) -> str:
    """Where two rows differ, by the key and the names of columns: values may be private."""
    row = ours if theirs is None else theirs
    key = ", ".join(map(str, (row or ())[: len(table.key)]))
    if ours is None or theirs is None:
        return f"{table.name} {key} is in the {'source' if theirs is None else 'target'} only"
    places = zip(table.columns, ours, theirs, strict=True)
    return f"{table.name} {key}: " + ", ".join(name for name, one, two in places if one != two)
