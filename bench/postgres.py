"""A private PostgreSQL on the loopback, with the durability that a wallet needs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The bench measures on the servers that the tests run on.
sys.path.append(str(Path(__file__).parent.parent / "tests"))

from kit.postgres import Server
from kit.postgres import postgres as server
from kit.processes import own_folder, run

#: What a team would set for a wallet on a small server: memory and checkpoints sized, durability
#: untouched (fsync, synchronous_commit and full_page_writes stay on).
SETTINGS = {
    "shared_buffers": "1GB",
    "wal_buffers": "16MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
}


@contextmanager
def postgres(folder: Path) -> Iterator[Server]:
    """A fresh server with trust on the loopback, its files below the folder."""
    with server(folder, **SETTINGS) as running:
        yield running


__all__ = ["Books", "Server", "own_folder", "postgres", "run"]


class Books:
    """The gateway's books on a server: filled once, then copied for each round."""

    #: The database of the newest copy.
    name = "round"

    def __init__(self, running: Server) -> None:
        self.server = running
        self.seeded = str(running.create_database("seeded"))
        # Who fills it waits for no disk; copies do not inherit this.
        running.execute("ALTER DATABASE {} SET synchronous_commit = off", "seeded")

    @property
    def url(self) -> str:
        """Where the newest copy is."""
        return str(self.server.url(self.name))

    def fresh(self) -> str:
        """A new copy in place of the last one, its statistics taken and all of it on the disk."""
        self.server.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)
        url = str(self.server.create_database(self.name, template="seeded"))
        for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
            self.execute(statement)
        return url

    def bets(self) -> int:
        """How many bets the copy holds."""
        return int(self.execute("SELECT count(*) FROM transactions WHERE kind = 'bet'"))

    def execute(self, statement: str) -> object:
        """Run a statement on the copy; the first value that it found, if any."""
        with self.server.connect(self.name) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None
