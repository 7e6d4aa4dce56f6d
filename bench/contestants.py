"""The contestants: how each is started on fresh state, and how its books are read afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import apsw

import peer_books
import seeding
from bets import BRAND, CURRENCY, Recipe
from postgres import Seeded
from seamline.ledger.audit import audit
from seamline.ledger.postgres.connect import open_reader
from seamline.money import Currencies
from seeding import Where
from serving import Running, free_port, free_ports, serving, tail

BENCH = Path(__file__).parent
UVICORN = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")
API_KEY = "bench-operator-key"
#: Main units that every player starts with; more than all bets of a run can take.
DEPOSIT = 1_000_000


class Contestant(Protocol):
    """One server that takes the same signed bets."""

    name: str
    #: How it is fed: a server that keeps nothing may see the same requests again.
    feed: Sequence[str]

    def fresh(self) -> AbstractContextManager[Running]:
        """The server with all players and no bets while the block runs."""

    def recorded(self) -> int | None:
        """How many bets its books hold, after it ended; None when it keeps no books."""


class Bare:
    """The ceiling: signature and JSON, nothing kept."""

    name = "bare"
    feed: Sequence[str] = ("wrap",)

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self.key, self.log = _key(recipe), folder / "bare.log"

    @contextmanager
    def fresh(self) -> Iterator[Running]:
        """A new process; there is no state."""
        port = free_port()
        with serving(_uvicorn("bare", port), port, self.log, {"BENCH_KEY": self.key}) as running:
            yield running

    def recorded(self) -> None:
        """It keeps no books."""


class Gateway:
    """The gateway as `seamline serve` runs it, on whatever store a URL names."""

    feed: Sequence[str] = ()
    workers = 1

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self.recipe, self.folder = recipe, folder
        self.folder.mkdir()

    @contextmanager
    def on(self, url: str) -> Iterator[Running]:
        """The server on that store."""
        port, health = free_port(), free_ports(self.workers)
        settings = self._settings(url, port, health[0])
        command = (_program(), "serve", "-c", str(settings), "--workers", str(self.workers))
        with serving(command, port, self.folder / "server.log", health=health) as running:
            yield running

    def _settings(self, url: str, port: int, ops_port: int) -> Path:
        """A settings file for that store and those ports."""
        file = self.folder / f"{url.rpartition('/')[2]}.toml"
        options = "\n".join(
            f"{name} = {_toml(value)}" for name, value in self.recipe.options.items()
        )
        file.write_text(
            f'[server]\nhost = "127.0.0.1"\nport = {port}\nops_port = {ops_port}\n'
            f'[store]\nurl = "{url}"\n'
            f'[api]\nkeys = ["{API_KEY}"]\n'
            f'[brands.{BRAND}]\ncurrencies = ["{CURRENCY}"]\n'
            f"[integrations.{self.recipe.integration}]\n"
            f'dialect = "{self.recipe.dialect}"\nbrand = "{BRAND}"\n'
            f"[integrations.{self.recipe.integration}.options]\n{options}\n"
        )
        return file


class Seamline(Gateway):
    """The gateway on a SQLite file."""

    name = "seamline"

    def __init__(self, recipe: Recipe, folder: Path, players: int) -> None:
        super().__init__(recipe, folder / "seamline")
        self.seeded, self.store = self.folder / "seeded.db", self.folder / "run.db"
        self._seed(players)
        if self.seeded.with_name("seeded.db-wal").exists():
            raise SystemExit(f"the server left its log behind:\n{tail(self.folder / 'server.log')}")

    @contextmanager
    def fresh(self) -> Iterator[Running]:
        """A new process on a copy of the seeded file."""
        _forget(self.store)
        shutil.copy(self.seeded, self.store)
        os.sync()  # the copy must not be written back while the server is measured
        with self.on(f"sqlite:///{self.store}") as running:
            yield running

    def recorded(self) -> int:
        """Bets in the file, once the audit has found no law broken."""
        self.audit(f"sqlite:///{self.store}")
        return count_bets(self.store)

    def audit(self, url: str) -> None:
        """A failed audit ends the bench."""
        command = (_program(), "audit", "-c", str(self._settings(url, free_port(), 0)))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(
                f"seamline audit: exit code {done.returncode}\n{done.stdout}{done.stderr}"
            )

    def _seed(self, players: int) -> None:
        """Players, deposits and sessions through the operator API."""
        where = Where(self.recipe.integration)
        with self.on(f"sqlite:///{self.seeded}") as running:
            asyncio.run(seeding.seed(running.port, API_KEY, where, players, DEPOSIT))


class SeamlineOnPostgres(Gateway):
    """One or more gateways on a database, each round on a new copy of the seeded one."""

    def __init__(self, recipe: Recipe, folder: Path, seeded: Seeded, *, workers: int) -> None:
        self.name = f"seamline, {workers} worker{'s' * (workers > 1)}"
        super().__init__(recipe, folder / f"seamline-{workers}")
        self.seeded, self.workers = seeded, workers

    @contextmanager
    def fresh(self) -> Iterator[Running]:
        """New processes on a copy of the seeded database."""
        with self.on(self.seeded.fresh().url) as running:
            yield running

    def recorded(self) -> int:
        """Bets in the database, once the audit has found no law broken."""
        self.audit(self.seeded.books.url)
        return self.seeded.books.bets()

    def audit(self, url: str) -> None:
        """A failed audit ends the bench."""
        with open_reader(url, Currencies.standard()) as reader:
            findings, drift = audit(reader), reader.drift()
        if not findings.clean or any(drift.values()):
            raise SystemExit(f"{self.name}: the audit found {findings.first}, drift {drift}")


class Peer:
    """FastAPI, SQLAlchemy and PostgreSQL, a transaction per bet."""

    name = "peer"
    feed: Sequence[str] = ()
    #: Found best on two cores among 1, 2 workers x 8, 16, 32 connections.
    workers = 2
    pool = 32

    def __init__(self, recipe: Recipe, folder: Path, players: int, database: str) -> None:
        self.key, self.log, self.players = _key(recipe), folder / "peer.log", players
        self.database = database
        self.env = {
            "BENCH_KEY": self.key,
            "BENCH_POOL": str(self.pool // self.workers),
            "BENCH_DATABASE": database.replace("postgresql://", "postgresql+asyncpg://"),
        }
        create = (sys.executable, str(BENCH / "peer.py"))
        subprocess.run(create, env={**os.environ, **self.env}, check=True)

    @contextmanager
    def fresh(self) -> Iterator[Running]:
        """New processes on emptied and filled tables."""
        asyncio.run(peer_books.fill(self.database, self.players, DEPOSIT))
        os.sync()  # what the filling left must not be written back while the server is measured
        port = free_port()
        command = (*_uvicorn("peer", port), "--workers", str(self.workers))
        with serving(command, port, self.log, self.env) as running:
            yield running

    def described(self) -> str:
        """What it runs on."""
        version = asyncio.run(peer_books.version(self.database))
        return (
            f"FastAPI, SQLAlchemy and asyncpg on PostgreSQL {version}, {self.workers} workers, "
            f"{self.pool} connections; fsync, synchronous_commit and full_page_writes on"
        )

    def recorded(self) -> int:
        """Bets in the table; the postings must balance with the accounts."""
        return asyncio.run(peer_books.count(self.database, DEPOSIT))


def count_bets(store: Path) -> int:
    """Recorded bets of a closed SQLite store."""
    connection = apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READONLY)
    count = connection.execute("SELECT count(*) FROM transactions WHERE kind = 'bet'").get
    connection.close()
    return int(count)


def _program() -> str:
    """The installed command, from the environment that runs the bench."""
    return str(Path(sys.executable).with_name("seamline"))


def _uvicorn(module: str, port: int) -> tuple[str, ...]:
    """A bench app under uvicorn, at its fastest."""
    command = (sys.executable, "-m", "uvicorn", f"{module}:app", "--app-dir", str(BENCH))
    return (*command, "--host", "127.0.0.1", "--port", str(port), *UVICORN)


def _key(recipe: Recipe) -> str:
    """The key that signs the recipe's calls."""
    keys: Mapping[str, object] = recipe.options
    found = keys["integration_api_keys"]
    return str(found[0] if isinstance(found, list) else found)


def _toml(value: object) -> str:
    """A text or a list of texts, as TOML has them."""
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return f'"{value}"'


def _forget(store: Path) -> None:
    """Remove a store and everything that the gateway keeps beside it."""
    for file in store.parent.glob(f"{store.stem}.*"):
        file.unlink()
