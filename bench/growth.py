"""The growth stage: the gateway on a large ledger beside the gateway on an empty one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Protocol

from bets import write_slices
from contestants import BENCH, Seamline, SeamlineOnPostgres, count_bets
from load import THREADS, Load, account_for, drive
from postgres import Books
from report import Growth

WARM_UP_S = 2.0


class Place(Protocol):
    """Where a large ledger is kept."""

    url: str

    def grow(self, players: int, transactions: int) -> None:
        """Make it. In a process of its own: what that kept in memory is gone afterwards."""

    def bets(self) -> int:
        """How many bets it holds."""

    def gib(self) -> float:
        """How large it is."""


class LargeFile:
    """A SQLite file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "large.db"
        self.url = f"sqlite:///{self.file}"

    def grow(self, players: int, transactions: int) -> None:
        """Make it."""
        _run("grow.py", str(self.file), players, transactions)

    def bets(self) -> int:
        """How many bets it holds."""
        return count_bets(self.file)

    def gib(self) -> float:
        """How large it is."""
        return self.file.stat().st_size / 2**30


class LargeDatabase:
    """A database beside the small ones on the same server."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.url = books.url

    def grow(self, players: int, transactions: int) -> None:
        """Make it; at the end all of it is on the disk."""
        _run("grow_database.py", self.books.create(), players, transactions)

    def bets(self) -> int:
        """How many bets it holds."""
        return self.books.bets()

    def gib(self) -> float:
        """How large it is."""
        return self.books.size() / 2**30


def _run(program: str, where: str, players: int, transactions: int) -> None:
    grow = (sys.executable, str(BENCH / program), where, str(players), str(transactions))
    subprocess.run(grow, check=True, stdout=sys.stderr)


class Large:
    """A grown ledger, and the requests that were not sent to it yet."""

    def __init__(
        self,
        gateway: Seamline | SeamlineOnPostgres,
        place: Place,
        folder: Path,
        *,
        players: int,
        transactions: int,
    ) -> None:
        self.gateway, self.place, self.folder, self.players = gateway, place, folder, players
        place.grow(players, transactions)
        self.known = place.bets()
        self.accepted = self.issued = 0
        self.rates: list[float] = []
        self.rss_mb: list[float] = []
        self.start_s: list[float] = []

    def play(self, number: int, rate: int, seconds: float) -> None:
        """One round on the file as it is, with bets that it has not seen."""
        requests = self._slices(f"large-{number}", rate, seconds)
        warm = self._slices(f"large-warm-{number}", rate, WARM_UP_S)
        with self.gateway.on(self.place.url) as running:
            self._note(drive(running.port, self.gateway.recipe.path(), warm, WARM_UP_S))
            load = drive(running.port, self.gateway.recipe.path(), requests, seconds)
            self.rss_mb.append(running.rss_mb())
        self._note(load)
        self.rates.append(load.rate)
        self.start_s.append(running.start_s)

    def check(self) -> None:
        """The audit, and every bet that was answered with 200."""
        self.gateway.audit(self.place.url)
        recorded = self.place.bets() - self.known
        account_for("large ledger", recorded, accepted=self.accepted, issued=self.issued)

    def _slices(self, name: str, rate: int, seconds: float) -> Path:
        """Signed bets of all the players."""
        folder, count = self.folder / name, int(rate * seconds)
        write_slices(
            self.gateway.recipe, folder, requests=count, players=self.players, slices=THREADS
        )
        return folder

    def _note(self, load: Load) -> None:
        self.accepted += load.accepted
        self.issued += load.issued


def grown(
    gateway: Seamline | SeamlineOnPostgres,
    place: Place,
    folder: Path,
    *,
    quick: bool,
    rate: int,
    rounds: int,
    seconds: float,
) -> Growth:
    """Rounds on the large ledger and on an empty one, in turns."""
    players, transactions = (20_000, 200_000) if quick else (1_000_000, 10_000_000)
    large = Large(gateway, place, folder, players=players, transactions=transactions)
    empty_rates = []
    for number in range(rounds):
        large.play(number, rate, seconds)
        empty_rates.append(empty(gateway, folder, seconds))
    large.check()
    return Growth(
        players=players,
        transactions=transactions,
        rate=median(large.rates),
        empty_rate=median(empty_rates),
        rss_mb=max(large.rss_mb),
        start_s=median(large.start_s),
        gib=place.gib(),
    )


def empty(gateway: Seamline | SeamlineOnPostgres, folder: Path, seconds: float) -> float:
    """The rate on a ledger with players and no bets."""
    path = gateway.recipe.path()
    with gateway.fresh() as running:
        warm = drive(running.port, path, folder / "warm", WARM_UP_S)
        load = drive(running.port, path, folder / "requests", seconds)
    account_for(
        "empty ledger",
        gateway.recorded(),
        accepted=warm.accepted + load.accepted,
        issued=warm.issued + load.issued,
    )
    return load.rate
