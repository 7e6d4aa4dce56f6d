"""A private PostgreSQL on the loopback, with the durability that a wallet needs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The bench measures on the servers that the tests run on.
sys.path.append(str(Path(__file__).parent.parent / "tests"))

from kit.postgres import postgres as server

#: What a team would set for a wallet on a small server: memory and checkpoints sized, durability
#: untouched (fsync, synchronous_commit and full_page_writes stay on).
SETTINGS = {
    "shared_buffers": "1GB",
    "wal_buffers": "16MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
}


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URL of a fresh server with trust on the loopback, its files below the folder."""
    with server(folder, **SETTINGS) as running:
        yield running.url()
