"""The dialects stage: signed bets per second of each dialect, over one gateway and one file."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import seeding
from bets import CURRENCY, GAME, player, session, wire
from contestants import BENCH, count_bets
from load import THREADS, account_for, drive
from report import Tally
from seamline.cli.demo import API_KEY
from seamline.cli.ids import Ids
from seamline.dialects import dialects
from seamline.dialects.examples import Voice, currency_of
from seamline.ledger.audit import audit
from seamline.ledger.sqlite.store import open_reader
from seamline.money import Currencies
from seamline.wallet import Command, Integration, Kind
from serving import Running, free_port, serving

DEPOSIT = 1_000_000


class Sandbox:
    """A gateway that speaks every dialect, seeded once, copied for each round."""

    def __init__(self, folder: Path, players: int) -> None:
        self.folder, self.players = folder / "sandbox", players
        self.folder.mkdir()
        self.seeded, self.store = self.folder / "seeded.db", self.folder / "run.db"
        with self.on(self.seeded) as running:
            asyncio.run(self._seed(running.port))

    async def _seed(self, port: int) -> None:
        for name, dialect in dialects().items():
            where = seeding.Where(name, currency_of(dialect, CURRENCY), f"{name}-")
            await seeding.seed(port, API_KEY, where, self.players, DEPOSIT)

    @contextmanager
    def on(self, store: Path) -> Iterator[Running]:
        """The server on that file."""
        port = free_port()
        command = (sys.executable, str(BENCH / "sandbox.py"), str(port), str(store))
        with serving(command, port, self.folder / "server.log") as running:
            yield running

    def play(self, name: str, tally: Tally, requests: int, seconds: float) -> None:
        """One round of one dialect, on a fresh copy; then the books."""
        slices = self.folder / f"{name}-{len(tally.loads)}"
        # Signed times must be fresh, so that bets are signed just before they are sent.
        path = write_bets(name, slices, requests=requests, players=self.players)
        for stale in self.folder.glob("run.*"):
            stale.unlink()
        shutil.copy(self.seeded, self.store)
        with self.on(self.store) as running:
            load = drive(running.port, path, slices, seconds)
            tally.rss_mb.append(running.rss_mb())
        tally.start_s.append(running.start_s)
        tally.loads.append(load)
        with closing(open_reader(self.store, Currencies.standard())) as reader:
            findings = audit(reader)
        if not findings.clean:
            raise SystemExit(f"{name}: the audit found {findings.first}")
        recorded = count_bets(self.store)
        account_for(name, recorded, accepted=load.accepted, issued=load.issued)
        tally.recorded.append(recorded)
        shutil.rmtree(slices)


def write_bets(name: str, folder: Path, *, requests: int, players: int) -> str:
    """Write unique signed bets of random players for feed.lua; returns where they are sent."""
    folder.mkdir()
    each = -(-requests // THREADS)
    jobs = [(name, folder / str(number), each, players) for number in range(1, THREADS + 1)]
    with multiprocessing.Pool(None, signal.signal, (signal.SIGTERM, signal.SIG_DFL)) as pool:
        return pool.starmap(_write_slice, jobs)[0]


def _write_slice(name: str, file: Path, requests: int, players: int) -> str:
    dialect, source = dialects()[name], random.Random(f"{file.parent.name}/{file.name}")
    integration = Integration(name=name, brand="acme", dialect=name, options=dialect.sandbox())
    calls = {call.name: call for call in dialect.calls}
    now_ms, path = time.time_ns() // 1_000_000, ""
    with file.open("wb", buffering=1 << 20) as output:
        for _ in range(requests):
            call, command = _bet(name, source, source.randrange(players))
            request = calls[call].compose((command,), integration, now_ms)
            path = f"/callbacks/{name}{request.path}"
            raw = wire(request, path)
            output.write(b"%04d" % len(raw) + raw)
    return path


def _bet(name: str, source: random.Random, number: int) -> tuple[str, Command]:
    """One stake of 0.10 to 9.99 of that player."""
    dialect = dialects()[name]
    voice = Voice(
        dialect=dialect,
        integration=name,
        like=Ids(source).like,
        player=player(number),
        session=f"{name}-{session(number)}",
        currency=currency_of(dialect, CURRENCY),
        game=GAME,
    )
    said = voice.say(Kind.BET, f"{source.randrange(10, 1000) / 100:.2f}")
    if said is None:
        raise SystemExit(f"{name} has no published bet")
    return said
