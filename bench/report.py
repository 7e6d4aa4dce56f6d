"""The table that people read, and RESULTS.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import msgspec

from load import Load
from steady import Steady

RESULTS = Path(__file__).with_name("RESULTS.md")


class Tally(msgspec.Struct):
    """All rounds of one contestant."""

    name: str
    loads: list[Load] = msgspec.field(default_factory=list)
    recorded: list[int | None] = msgspec.field(default_factory=list)
    rss_mb: list[float] = msgspec.field(default_factory=list)
    start_s: list[float] = msgspec.field(default_factory=list)

    @property
    def rate(self) -> float:
        """The median of its rounds, accepted bets per second."""
        return median(load.rate for load in self.loads)


class Growth(msgspec.Struct, frozen=True):
    """The gateway on a large file, and on an empty one in the same rounds."""

    players: int
    transactions: int
    rate: float
    empty_rate: float
    rss_mb: float
    start_s: float
    gib: float


class Server(msgspec.Struct, frozen=True):
    """What one PostgreSQL server did."""

    #: pgbench's standard load, and a bet as one function.
    yardsticks: Sequence[Tally]
    #: By the number of connections: the gateway with one worker and with two, then the peer.
    contestants: Mapping[int, Sequence[Tally]]


class Report(msgspec.Struct):
    """Everything that one run of the bench found."""

    tallies: list[Tally] = msgspec.field(default_factory=list)
    steady: Steady | None = None
    growth: Growth | None = None
    #: Each dialect on the same gateway.
    vendors: list[Tally] = msgspec.field(default_factory=list)
    #: The yardsticks, the gateway and the peer on one PostgreSQL server.
    on_postgres: Server | None = None
    growth_on_postgres: Growth | None = None
    #: Why something was left out, in words.
    notes: list[str] = msgspec.field(default_factory=list)


def text(report: Report) -> str:
    """Plain tables, readable in a terminal and as Markdown."""
    parts = []
    if report.tallies:
        parts.append(_table(_RATES, [_rates(each) for each in report.tallies]))
        ratios = _ratios({each.name: each.rate for each in report.tallies})
        parts.append(_table(("ratio of medians", "value", "bar"), ratios) if ratios else "")
    if report.steady:
        parts.append(_steady(report.steady))
    if report.vendors:
        parts.append(_vendors(report.vendors))
    if report.on_postgres:
        parts.append(_on_postgres(report.on_postgres))
    if report.growth:
        parts.append("Growth of seamline:\n\n" + _growth(report.growth))
    if report.growth_on_postgres:
        parts.append("Growth on PostgreSQL:\n\n" + _growth(report.growth_on_postgres))
    parts += report.notes
    return "\n\n".join(part for part in parts if part)


def write(report: Report, machine: Mapping[str, str], command: str, date: str) -> None:
    """Put this run into RESULTS.md; what people wrote below its figures stays."""
    facts = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    _, heading, written = RESULTS.read_text().partition("\n## ")
    RESULTS.write_text(
        "# Bench results\n\n"
        f"Run on {date} by `{command}`. Rounds are interleaved, the load generator shares the\n"
        "cores with the servers: read the ratios, not the absolute numbers.\n\n"
        f"{facts}\n\n{text(report)}\n{heading}{written}"
    )


_RATES = (
    "contestant",
    "bets/s (median)",
    "of each round",
    "p50 ms",
    "p99 ms",
    "not 2xx",
    "answered 200",
    "recorded",
    "RSS MiB",
    "start s",
)


def _vendors(tallies: Sequence[Tally]) -> str:
    """The dialects beside the fastest of them."""
    best = max(each.rate for each in tallies)
    rows = [
        (each.name, f"{each.rate:,.0f}", f"{each.rate / best:.2f}", *_rates(each)[2:7])
        for each in tallies
    ]
    names = ("dialect", "bets/s (median)", "of the fastest", *_RATES[2:7])
    return _table(names, rows)


def _on_postgres(server: Server) -> str:
    """One server: what PostgreSQL itself does beside what the gateway and the peer do on it."""
    tallies = [*server.yardsticks, *(each for of in server.contestants.values() for each in of)]
    ratios = [_beside(server.yardsticks, of) for of in server.contestants.values()]
    rows = [
        (f"seamline, better of the two / {name}", *(f"{each:.2f}" for each in values), bar)
        for (name, bar), *values in zip(_BARS, *ratios, strict=True)
    ]
    counts = [f"{count} connections" for count in server.contestants]
    return (
        "On one PostgreSQL server:\n\n"
        + _table(_RATES, [_rates(each) for each in tallies])
        + "\n\n"
        + _table(("ratio of medians", *counts, "bar"), rows)
    )


_BARS = (("TPC-B-like", "> 1"), ("bet function", ">= 0.4, aim 0.6"), ("peer", ">= 10"))


def _beside(yardsticks: Sequence[Tally], contestants: Sequence[Tally]) -> Sequence[float]:
    """The better gateway's rate as a multiple of each yardstick's, and of the peer's."""
    *gateways, peer = contestants
    best = max(each.rate for each in gateways)
    return [best / each.rate for each in (*yardsticks, peer)]


def _rates(tally: Tally) -> tuple[str, ...]:
    """One contestant's row."""
    loads = tally.loads
    books = [count for count in tally.recorded if count is not None]
    return (
        tally.name,
        f"{tally.rate:,.0f}",
        " ".join(f"{load.rate:,.0f}" for load in loads),
        f"{median(load.p50_ms for load in loads):.1f}",
        f"{median(load.p99_ms for load in loads):.1f}",
        f"{sum(load.failed + load.broken + load.late for load in loads)}",
        f"{sum(load.accepted for load in loads):,}",
        f"{sum(books):,}" if books else "-",
        f"{max(tally.rss_mb):.0f}" if tally.rss_mb else "-",
        f"{median(tally.start_s):.2f}" if tally.start_s else "-",
    )


def _ratios(rates: Mapping[str, float]) -> list[tuple[str, ...]]:
    """The ratios that the design sets bars for."""
    wanted = (("seamline", "bare", "0.25, aim 0.40"), ("seamline", "peer", "15"))
    return [
        (f"{over} / {under}", f"{rates[over] / rates[under]:.2f}", f">= {bar}")
        for over, under, bar in wanted
        if over in rates and under in rates
    ]


def _steady(found: Steady) -> str:
    """Latency at half of the peak."""
    header = ("bets/s asked", "reached", "p50 ms", "p90 ms", "p99 ms", "max ms", "failed", "bar")
    row = (
        f"{found.asked_rate:,.0f}",
        f"{found.rate:,.0f}",
        f"{found.p50_ms:.2f}",
        f"{found.p90_ms:.2f}",
        f"{found.p99_ms:.2f}",
        f"{found.max_ms:.2f}",
        str(found.failed + found.unanswered),
        "p99 <= 10 ms",
    )
    return (
        "Latency of seamline at half of its peak, open loop, from the time a bet was due "
        f"(the driver's own lag: p99 {found.lag_p99_ms:.2f} ms):\n\n" + _table(header, [row])
    )


def _growth(found: Growth) -> str:
    """The large ledger beside the empty one."""
    kept = found.rate / found.empty_rate
    rows = [
        ("players", f"{found.players:,}", ""),
        ("stored transactions", f"{found.transactions:,} ({found.gib:.1f} GiB)", ""),
        ("bets/s, large", f"{found.rate:,.0f}", ""),
        ("bets/s, empty", f"{found.empty_rate:,.0f}", ""),
        ("kept", f"{kept:.2f}", ">= 0.80"),
        ("RSS after load", f"{found.rss_mb:.0f} MiB", "<= 150 MiB"),
        ("start", f"{found.start_s:.2f} s", "< 1 s"),
    ]
    return _table(("what", "value", "bar"), rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    shown = [_line(line, widths) for line in lines]
    return "\n".join([shown[0], _line(["-" * width for width in widths], widths), *shown[1:]])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return f"| {' | '.join(padded)} |"
