"""PostgreSQL's own yardsticks: `pgbench`, with its standard load and with a bet as one function."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from load import Load
from postgres import Seeded, Server, own_folder, run

BENCH = Path(__file__).parent
#: Client counts that are tried; the best one plays.
CLIENTS = (8, 16, 32, 64)
TRIAL_S = 3.0
WARM_UP_S = 2.0
#: So large that transactions hardly ever wait for each other's branch: 5 million accounts, 0.8 GB.
SCALE = 50


class Yardstick(Protocol):
    """A load that pgbench puts on the server."""

    server: Server

    @property
    def name(self) -> str:
        """What it is called in the tables."""

    @property
    def options(self) -> Sequence[str]:
        """What pgbench is told beside the load."""

    def fresh(self) -> str:
        """The database for a round."""

    def recorded(self) -> int | None:
        """How many transactions it holds after the round; None where they are not counted."""


class TpcB:
    """pgbench's standard load, "TPC-B (sort of)": three updates, a select and an insert."""

    name = "pgbench, TPC-B-like"
    options = ()

    def __init__(self, server: Server) -> None:
        self.server = server
        server.create_database("tpcb")
        _pgbench(server, "-i", "-q", "-s", str(SCALE), "tpcb")

    def fresh(self) -> str:
        """The one that is there; pgbench itself vacuums it."""
        return "tpcb"

    def recorded(self) -> None:
        """Its history is emptied with each run."""


class Function:
    """A bet as one function of the database, on a copy of the gateway's seeded books."""

    name = "pgbench, bet function"

    def __init__(self, seeded: Seeded, players: int) -> None:
        self.seeded, self.server = seeded, seeded.books.server
        self.options = ("-n", "-f", str(BENCH / "bet.pgbench"), "-D", f"players={players}")

    def fresh(self) -> str:
        """A copy with the function in it."""
        books = self.seeded.fresh()
        books.execute((BENCH / "bet.sql").read_text())
        return books.name

    def recorded(self) -> int:
        """The bets in the copy."""
        return self.seeded.books.bets()


def best_clients(stick: Yardstick) -> int:
    """The number of clients that does most."""
    database = stick.fresh()
    rates = {clients: _round(stick, database, clients, TRIAL_S).rate for clients in CLIENTS}
    return max(CLIENTS, key=rates.__getitem__)


def measure(stick: Yardstick, clients: int, seconds: float) -> tuple[Load, int | None]:
    """A round on a fresh database, after warming up; and how many bets it left there."""
    database = stick.fresh()
    warm = _round(stick, database, clients, WARM_UP_S)
    load = _round(stick, database, clients, seconds)
    recorded = stick.recorded()
    if recorded is not None and recorded != warm.accepted + load.accepted:
        raise SystemExit(f"{stick.name}: {warm.accepted + load.accepted} done, {recorded} recorded")
    return load, None if recorded is None else recorded - warm.accepted


def _round(stick: Yardstick, database: str, clients: int, seconds: float) -> Load:
    """That many clients for so long; one transaction in ten is timed."""
    with own_folder() as folder:
        timed = ("--log", f"--log-prefix={folder}/took", "--sampling-rate=0.1")
        many = ("-M", "prepared", "-j", "2", "-c", str(clients), "-T", f"{seconds:g}")
        output = _pgbench(stick.server, *many, *timed, *stick.options, database)
        took_ms = sorted(_times_ms(folder))
    done, failed, rate = (
        float(found[1])
        for found in (
            re.search(pattern, output)
            for pattern in (r"processed: (\d+)", r"failed transactions: (\d+)", r"tps = ([\d.]+)")
        )
        if found
    )
    return Load(
        replies=int(done + failed),
        seconds=done / rate,
        failed=int(failed),
        broken=0,
        late=0,
        issued=int(done + failed),
        exhausted=0,
        p50_ms=took_ms[len(took_ms) // 2],
        p90_ms=took_ms[len(took_ms) * 9 // 10],
        p99_ms=took_ms[len(took_ms) * 99 // 100],
        max_ms=took_ms[-1],
    )


def _times_ms(folder: Path) -> Iterator[float]:
    """How long each logged transaction took: the third column, in microseconds."""
    for file in folder.iterdir():
        for line in file.read_text().splitlines():
            yield int(line.split()[2]) / 1000


def _pgbench(server: Server, *options: str) -> str:
    """Run pgbench as the server's own administrator; what it said."""
    where = ("-h", "127.0.0.1", "-p", str(server.port), "-U", "seamline")
    return str(run([server.programs / "pgbench", *where, *options]))
