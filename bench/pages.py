"""What a bet costs on a file, in pages, bytes and time: `python bench/pages.py FILE PLAYERS`.

The bets go to the ledger's writer one batch after the other, without HTTP and without an event
loop. Counts of pages and bytes do not depend on how busy the machine is; times do. The bets stay in
the file: use a copy. With `--log` nothing is copied from the log meanwhile, and its pages are told
apart by the table or index that they belong to; that reads the whole file.
"""

from __future__ import annotations

import argparse
import random
import struct
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import apsw

from bets import SWIPEGAMES, session
from grow import terms_of
from seamline.ledger.rules import decide
from seamline.ledger.sqlite import checkpoint
from seamline.ledger.sqlite.store import SqliteStore
from seamline.money import Currencies

#: About as many as 64 connections make the gateway put in a batch.
BATCH = 50
WARM_UP = 200
TERMS = terms_of(SWIPEGAMES.integration, SWIPEGAMES.policy())
COUNTERS = {
    "pages found in the cache": apsw.SQLITE_DBSTATUS_CACHE_HIT,
    "pages read": apsw.SQLITE_DBSTATUS_CACHE_MISS,
    "pages written to the log": apsw.SQLITE_DBSTATUS_CACHE_WRITE,
}


class Meter:
    """The store, and what its bets have cost."""

    def __init__(self, file: Path, players: int, source: random.Random) -> None:
        self.store = SqliteStore(file, Currencies.standard())
        self._players, self._source = players, source
        self._database = self.store._connection  # noqa: SLF001 - only it has counted
        self.seconds: Counter[str] = Counter()

    def play(self, batches: int) -> None:
        """Bets of random players; the time of each step is added up."""
        writer, clock = self.store.writer, time.perf_counter
        for _ in range(batches):
            names = [session(self._source.randrange(self._players)) for _ in range(BATCH)]
            bets = [SWIPEGAMES.bet(name, self._source) for name in names]
            times = [clock()]
            with writer.transaction():
                book = writer.load(bets, {TERMS.integration: TERMS}, time.time_ns() // 1_000_000)
                times.append(clock())
                for bet in bets:
                    view = book.view(bet, TERMS)
                    book.post(bet, view, decide(bet, view))
                times.append(clock())
                writer.write(book)
                times.append(clock())
            times.append(clock())
            steps = zip(("load", "decide", "write", "commit"), times, times[1:], strict=False)
            self.seconds.update({name: end - begun for name, begun, end in steps})

    def pages(self) -> dict[str, int]:
        """SQLite's counters since the last call."""
        return {name: self._database.status(at, True)[0] for name, at in COUNTERS.items()}

    def owners(self) -> dict[int, str]:
        """The table or index of every page."""
        return dict(self._database.execute("SELECT pageno, name FROM dbstat"))


def measure(meter: Meter, batches: int) -> None:
    """Print what a bet costs, after a warm-up."""
    bets = batches * BATCH
    meter.play(WARM_UP)
    meter.pages()
    meter.seconds.clear()
    before, cpu = _io(), time.process_time()
    meter.play(batches)
    after, cpu = _io(), time.process_time() - cpu
    for name, number in meter.pages().items():
        print(f"{name:26} {number / bets:8.2f}")
    for name, number in after.items():
        print(f"{name:26} {(number - before[name]) / bets:8.0f}")
    for name, seconds in meter.seconds.items():
        print(f"{name + ', us':26} {seconds / bets * 1e6:8.1f}")
    print(f"{'CPU, us':26} {cpu / bets * 1e6:8.1f}")


def tell_apart(log: Path, owners: dict[int, str], bets: int) -> None:
    """Print which tables and indexes the pages in the log are of."""
    pages = list(_logged(log))
    written, distinct = (Counter(owners[page] for page in each) for each in (pages, set(pages)))
    print(f"\n{'pages in the log, per bet':36} written  distinct")
    for name, number in written.most_common():
        print(f"{name:36} {number / bets:7.2f}  {distinct[name] / bets:8.2f}")


def _io() -> dict[str, int]:
    """Bytes that this process has read and written, and device pages that it has read."""
    said = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    names = {"bytes read": "rchar", "bytes written": "wchar", "bytes read from disk": "read_bytes"}
    return {name: int(said[key]) for name, key in names.items()}


def _logged(log: Path) -> Iterator[int]:
    """The page number of each frame of the log, as far as it is of this run."""
    with log.open("rb") as frames:
        header = frames.read(32)
        (size,) = struct.unpack_from(">I", header, 8)
        while (frame := frames.read(24))[8:16] == header[16:24]:
            yield struct.unpack_from(">I", frame)[0]
            frames.seek(size, 1)


def main() -> None:
    """Measure the file of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="a file that grow.py has made; it is changed")
    parser.add_argument("players", type=int, help="how many players it was made with")
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--log", action="store_true", help="tell the pages of the log apart")
    options = parser.parse_args()
    if options.log:
        checkpoint.BEGIN_PAGES = 1 << 40
    meter = Meter(options.file, options.players, random.Random())
    measure(meter, options.batches)
    if options.log:
        bets = (WARM_UP + options.batches) * BATCH
        tell_apart(options.file.with_name(f"{options.file.name}-wal"), meter.owners(), bets)
    meter.store.close()


if __name__ == "__main__":
    main()
