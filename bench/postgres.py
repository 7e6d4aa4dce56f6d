"""A private PostgreSQL on the loopback, with the durability that a wallet needs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


__all__ = ["Books", "Seeded", "Server", "own_folder", "postgres", "run"]


class Books:
    """A database on a server with the gateway's books in it."""

    def __init__(self, running: Server, name: str) -> None:
        self.server, self.name = running, name
        self.url = str(running.url(name))

    def create(self) -> str:
        """The database, new and empty."""
        self.server.create_database(self.name)
        return self.url

    def copy(self, template: str) -> str:
        """A new copy of another database, in place of the last one."""
        self.server.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)
        self.server.create_database(self.name, template=template)
        for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
            self.execute(statement)
        return self.url

    def bets(self) -> int:
        """How many bets it holds."""
        return int(self.execute("SELECT count(*) FROM transactions WHERE kind = 'bet'"))

    def size(self) -> int:
        """How many bytes it takes."""
        return int(self.execute("SELECT pg_database_size(current_database())"))

    def execute(self, statement: str) -> Any:
        """Run a statement; the first value that it found, if any."""
        with self.server.connect(self.name) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None


class Seeded:
    """Books that were filled once, and a copy of them for each round."""

    def __init__(self, running: Server) -> None:
        self.filled = Books(running, "seeded")
        self.books = Books(running, "round")

    def fresh(self) -> Books:
        """A new copy in place of the last one."""
        self.books.copy(self.filled.name)
        return self.books
