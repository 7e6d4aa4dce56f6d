"""The bench, in one run: `python bench/run.py [--quick] [--only ...] [--write]`.

Contestants take turns, round by round, so that a slow minute of the machine hits all of them. Each
round starts on fresh state, and afterwards every accepted bet is looked for in the books.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import grow_database
import machine
import report
from bets import SWIPEGAMES, Recipe, write_slices
from contestants import Bare, Contestant, Peer, Seamline, SeamlineOnPostgres
from growth import WARM_UP_S, LargeDatabase, LargeFile, grown
from load import CONNECTIONS, THREADS, account_for, drive
from pgbench import Function, TpcB, Yardstick, best_clients, measure
from postgres import Books, Seeded, postgres
from report import Report, Tally
from seamline.dialects import dialects
from steady import Steady, steady
from vendors import Sandbox

PLAYERS = 10_000
#: More than any contestant that keeps books can take in a second.
REQUESTS_PER_SECOND = 40_000
#: Signing takes longer than sending: no more than one dialect takes in a second.
VENDOR_REQUESTS_PER_SECOND = 15_000
#: Over how many connections the gateway and the peer are asked on PostgreSQL.
ON_POSTGRES = (CONNECTIONS, 2 * CONNECTIONS, 4 * CONNECTIONS)
STAGES = ("bare", "seamline", "peer", "steady", "dialects", "growth", "postgres", "postgres-growth")


def main() -> None:
    """Run the chosen stages and print what they found; with --write into RESULTS.md too."""
    options = parse(sys.argv[1:])
    # An ended bench must end its servers: leave through the context managers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    with tempfile.TemporaryDirectory(prefix="seamline-bench-", dir=options.folder) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL may run as another user
        facts = machine.facts(folder)
        found = stages(options, folder)
    print("\n" + report.text(found))
    if options.write:
        command = " ".join(["python bench/run.py", *sys.argv[1:]])
        report.write(found, facts, command, time.strftime("%Y-%m-%d", time.gmtime()))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; --quick is fewer and shorter rounds, and a small growth stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seconds each; not for records")
    parser.add_argument("--only", default=",".join(STAGES), help="comma-separated stages")
    parser.add_argument("--rounds", type=int, help="rounds per contestant (5; quick: 2)")
    parser.add_argument("--seconds", type=float, help="seconds per round (10; quick: 3)")
    parser.add_argument("--folder", type=Path, help="where files go; must be a real disk")
    parser.add_argument("--write", action="store_true", help="write bench/RESULTS.md")
    options = parser.parse_args(arguments)
    options.only = options.only.split(",")
    unknown = set(options.only) - set(STAGES)
    if unknown:
        parser.error(f"--only: {', '.join(sorted(unknown))}; known are {', '.join(STAGES)}")
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = options.seconds or (3.0 if options.quick else 10.0)
    return options


def stages(options: argparse.Namespace, folder: Path) -> Report:
    """Every chosen stage, one after the other."""
    found = Report()
    with ExitStack() as stack:
        say("signing requests")
        prepare_requests(SWIPEGAMES, folder, options.seconds)
        contestants = entered(stack, options.only, folder, found)
        found.tallies = [Tally(each.name) for each in contestants]
        for number in range(options.rounds):
            for contestant, tally in zip(contestants, found.tallies, strict=True):
                play(contestant, tally, folder, options.seconds)
                say(f"round {number + 1}: {tally.name} {tally.loads[-1].rate:,.0f} bets/s")
        gateway = next((each for each in contestants if isinstance(each, Seamline)), None)
        if gateway is not None:
            peak = found.tallies[contestants.index(gateway)].rate
            if "steady" in options.only:
                found.steady = at_half(gateway, folder, peak, options.seconds)
            if "growth" in options.only:
                found.growth = grow_and_play(gateway, LargeFile(folder), folder, options)
        if "dialects" in options.only:
            found.vendors = of_each_dialect(folder, options)
        if {"postgres", "postgres-growth"} & set(options.only):
            on_postgres(folder, options, found)
    return found


def prepare_requests(recipe: Recipe, folder: Path, seconds: float) -> None:
    """Signed bets for one round, and others for warming up."""
    for name, time_s in (("requests", seconds), ("warm", WARM_UP_S)):
        count = int(REQUESTS_PER_SECOND * time_s)
        write_slices(recipe, folder / name, requests=count, players=PLAYERS, slices=THREADS)


def entered(stack: ExitStack, only: Sequence[str], folder: Path, found: Report) -> list[Contestant]:
    """The chosen contestants, seeded."""
    contestants: list[Contestant] = []
    if "bare" in only:
        contestants.append(Bare(SWIPEGAMES, folder))
    if {"seamline", "steady", "growth"} & set(only):
        say("seeding seamline")
        contestants.append(Seamline(SWIPEGAMES, folder, PLAYERS))
    if "peer" in only:
        peer = Peer(SWIPEGAMES, folder, PLAYERS, stack.enter_context(postgres(folder)).url())
        contestants.append(peer)
        found.notes.append(f"peer: {peer.described()}")
    return contestants


def play(
    contestant: Contestant,
    tally: Tally,
    folder: Path,
    seconds: float,
    connections: int = CONNECTIONS,
) -> None:
    """One round: fresh state, warm-up, load, a graceful end, the books."""
    with contestant.fresh() as running:
        ask = partial(drive, running.port, SWIPEGAMES.path(), connections=connections)
        warm = ask(folder / "warm", WARM_UP_S, *contestant.feed)
        load = ask(folder / "requests", seconds, *contestant.feed)
        tally.rss_mb.append(running.rss_mb())
    recorded = contestant.recorded()
    if recorded is not None:
        account_for(
            contestant.name,
            recorded,
            accepted=warm.accepted + load.accepted,
            issued=warm.issued + load.issued,
        )
    tally.loads.append(load)
    tally.recorded.append(None if recorded is None else recorded - warm.accepted)
    tally.start_s.append(running.start_s)


def at_half(gateway: Seamline, folder: Path, peak: float, seconds: float) -> Steady:
    """Latency under a constant rate of half the peak."""
    say(f"constant rate of {peak / 2:,.0f} bets/s")
    with gateway.fresh() as running:
        warm = drive(running.port, SWIPEGAMES.path(), folder / "warm", WARM_UP_S)
        found = steady(running.port, folder / "requests", peak / 2, seconds)
    sent = found.accepted + found.failed + found.unanswered
    account_for(
        gateway.name,
        gateway.recorded(),
        accepted=warm.accepted + found.accepted,
        issued=warm.issued + sent,
    )
    return found


def of_each_dialect(folder: Path, options: argparse.Namespace) -> list[Tally]:
    """Signed bets of each dialect, in turns, over one gateway that speaks them all."""
    say("seeding a gateway with every dialect")
    gateway = Sandbox(folder, PLAYERS)
    tallies = [Tally(name) for name in dialects()]
    for number in range(options.rounds):
        for tally in tallies:
            count = int(VENDOR_REQUESTS_PER_SECOND * options.seconds)
            gateway.play(tally.name, tally, count, options.seconds)
            say(f"round {number + 1}: {tally.name} {tally.loads[-1].rate:,.0f} bets/s")
    return tallies


def on_postgres(folder: Path, options: argparse.Namespace, found: Report) -> None:
    """The stages on one PostgreSQL server."""
    with postgres(folder) as server:
        seeded = Seeded(server)
        # Through the operator API this takes minutes: one request is one transaction there.
        grow_database.grow(
            seeded.filled.create(), SWIPEGAMES, players=PLAYERS, transactions=PLAYERS
        )
        gateway = SeamlineOnPostgres(SWIPEGAMES, folder, seeded, workers=1)
        if "postgres" in options.only:
            peer = Peer(SWIPEGAMES, folder, PLAYERS, server.create_database("peer"))
            two = SeamlineOnPostgres(SWIPEGAMES, folder, seeded, workers=2)
            sticks = (TpcB(server), Function(seeded, PLAYERS))
            found.on_postgres = beside_yardsticks(sticks, (gateway, two, peer), folder, options)
        if "postgres-growth" in options.only:
            large = LargeDatabase(Books(server, "large"))
            found.growth_on_postgres = grow_and_play(gateway, large, folder, options)


def beside_yardsticks(
    sticks: Sequence[Yardstick],
    contestants: Sequence[Contestant],
    folder: Path,
    options: argparse.Namespace,
) -> report.Server:
    """The server's own yardsticks, each with the clients that suit it, and those who use it."""
    clients = [best_clients(stick) for stick in sticks]
    yardsticks = [
        Tally(f"{stick.name}, {count} clients")
        for stick, count in zip(sticks, clients, strict=True)
    ]
    tallies = {
        count: [Tally(f"{each.name}, {count} connections") for each in contestants]
        for count in ON_POSTGRES
    }
    for number in range(options.rounds):
        for stick, count, tally in zip(sticks, clients, yardsticks, strict=True):
            load, recorded = measure(stick, count, options.seconds)
            tally.loads.append(load)
            tally.recorded.append(recorded)
            say(f"round {number + 1}: {tally.name} {load.rate:,.0f}/s")
        for count in ON_POSTGRES:
            for contestant, tally in zip(contestants, tallies[count], strict=True):
                play(contestant, tally, folder, options.seconds, count)
                say(f"round {number + 1}: {tally.name} {tally.loads[-1].rate:,.0f} bets/s")
    return report.Server(yardsticks, tallies)


def grow_and_play(
    gateway: Seamline | SeamlineOnPostgres,
    place: LargeFile | LargeDatabase,
    folder: Path,
    options: argparse.Namespace,
) -> report.Growth:
    """The rate on a large ledger; three rounds are enough for a ratio."""
    say("growing a large ledger (minutes)")
    return grown(
        gateway,
        place,
        folder,
        quick=options.quick,
        rate=REQUESTS_PER_SECOND,
        rounds=min(3, options.rounds),
        seconds=options.seconds,
    )


def say(words: str) -> None:
    """Progress, on standard error: standard output is the report."""
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    main()
