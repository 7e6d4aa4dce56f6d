"""The PostgreSQL store: one database, any number of gateways on any number of machines."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seamline.ledger.postgres.connect import connected
from seamline.ledger.postgres.links import Link, conninfo
from seamline.ledger.postgres.migrate import keep_scales, known, migrate
from seamline.ledger.postgres.reader import PostgresReader
from seamline.ledger.postgres.transfer import snapshot
from seamline.ledger.postgres.writer import PostgresWriter
from seamline.ledger.sqlite.transfer import new_file
from seamline.ledger.transfer import transfer
from seamline.money import Currencies

#: How many reading threads keep a connection.
READERS = 4

#: How long a thread may read before its connection is given up: a server that hangs would keep it.
READ_MS = 30_000


class PostgresStore:
    """One database. Opening it brings the schema up to date and checks server and scales.

    *prepare* off: statements are planned each time, for poolers that cannot keep prepared ones.
    *lanes*: how many batches are under way at once. A batch costs the server as much as its first
    ten bets do, so that few large ones beat many small ones until a commit takes very long.
    """

    def __init__(
        self, url: str, currencies: Currencies, *, prepare: bool = True, lanes: int = 1
    ) -> None:
        self._info = conninfo(url)
        self._currencies = currencies
        with connected(self._info) as link:
            migrate(link.connection)
            keep_scales(link.connection, currencies)
        self.writer = PostgresWriter(self._info, currencies, prepare=prepare, lanes=lanes)
        self._idle: queue.SimpleQueue[PostgresReader] = queue.SimpleQueue()

    @property
    def schema(self) -> int:
        """The version of the schema that this program writes."""
        return max(known())

    @contextmanager
    def reader(self) -> Iterator[PostgresReader]:
        """A reader for the calling thread; given back when the block ends."""
        try:
            reader = self._idle.get_nowait()
        except queue.Empty:
            reader = PostgresReader(Link(self._info), self._currencies)
        reader.link.refresh()
        watch = threading.Timer(READ_MS / 1000, reader.link.cut)
        watch.start()
        try:
            with reader.link.mended():
                yield reader
        finally:
            watch.cancel()
            if self._idle.qsize() < READERS:
                self._idle.put(reader)
            else:
                reader.link.close()

    def backup(self, target: Path) -> None:
        """Copy the committed state to a new ledger file, which SQLite opens, beside writers."""
        backup(self._info, target, self._currencies)

    def close(self) -> None:
        """Release everything; what was committed stays."""
        self.writer.close()
        while not self._idle.empty():
            self._idle.get().link.close()


def backup(url: str, target: Path, currencies: Currencies) -> None:
    """Copy a database, as of one moment, to a new ledger file, beside whoever writes to it.

    The file appears whole or not at all.
    """
    with new_file(target, currencies) as to, snapshot(url) as from_:
        transfer(from_, to)
        to.finish()
