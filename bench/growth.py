"""The growth stage: the gateway on a large file beside the gateway on an empty one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

from bets import write_slices
from contestants import BENCH, Seamline, count_bets
from load import THREADS, Load, account_for, drive
from report import Growth

WARM_UP_S = 2.0


class Large:
    """A grown file, and the requests that were not sent to it yet."""

    def __init__(self, gateway: Seamline, folder: Path, players: int, transactions: int) -> None:
        self.gateway, self.folder, self.players = gateway, folder, players
        self.store = folder / "large.db"
        # In a process of its own: what it kept in memory is gone before anything is measured.
        grow = (sys.executable, str(BENCH / "grow.py"), str(self.store))
        subprocess.run((*grow, str(players), str(transactions)), check=True, stdout=sys.stderr)
        self.known = count_bets(self.store)
        self.accepted = self.issued = 0
        self.rates: list[float] = []
        self.rss_mb: list[float] = []
        self.start_s: list[float] = []

    def play(self, number: int, rate: int, seconds: float) -> None:
        """One round on the file as it is, with bets that it has not seen."""
        requests = self._slices(f"large-{number}", rate, seconds)
        warm = self._slices(f"large-warm-{number}", rate, WARM_UP_S)
        with self.gateway.on(f"sqlite:///{self.store}") as running:
            self._note(drive(running.port, self.gateway.recipe.path(), warm, WARM_UP_S))
            load = drive(running.port, self.gateway.recipe.path(), requests, seconds)
            self.rss_mb.append(running.rss_mb())
        self._note(load)
        self.rates.append(load.rate)
        self.start_s.append(running.start_s)

    def check(self) -> None:
        """The audit, and every bet that was answered with 200."""
        recorded = self.gateway.audited(self.store) - self.known
        account_for("large file", recorded, accepted=self.accepted, issued=self.issued)

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
    gateway: Seamline, folder: Path, *, quick: bool, rate: int, rounds: int, seconds: float
) -> Growth:
    """Rounds on the large file and on an empty one, in turns."""
    players, transactions = (20_000, 200_000) if quick else (1_000_000, 10_000_000)
    large = Large(gateway, folder, players, transactions)
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
        file_gib=large.store.stat().st_size / 2**30,
    )


def empty(gateway: Seamline, folder: Path, seconds: float) -> float:
    """The rate on a file with players and no bets."""
    path = gateway.recipe.path()
    with gateway.fresh() as running:
        warm = drive(running.port, path, folder / "warm", WARM_UP_S)
        load = drive(running.port, path, folder / "requests", seconds)
    account_for(
        "empty file",
        gateway.recorded(),
        accepted=warm.accepted + load.accepted,
        issued=warm.issued + load.issued,
    )
    return load.rate
