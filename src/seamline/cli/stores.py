"""The kinds of stores, told apart by their URL: the one place that knows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol

import apsw

from seamline.cli.finding import MIB, Finding, of_ledger
from seamline.ledger.sqlite import store as sqlite
from seamline.ledger.sqlite import transfer as sqlite_ends
from seamline.ledger.sqlite.store import OLDEST_SQLITE
from seamline.ledger.store import Reader, Store, StoreError
from seamline.ledger.transfer import Source, Target
from seamline.money import Currencies

#: Where exchanges are recorded when the ledger is no file that the record could lie beside.
RECORD = Path("var/exchanges.db")

_HOST = r"(?:[\w.%-]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?"
#: Strict, so that no part of a password is ever taken for something that may be shown.
_SERVER = re.compile(
    r"postgres(?:ql)?://"
    r"(?:(?P<user>[^:/?@\s]*)(?::(?P<password>[^:/?@\s]*))?@)?"
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)"
    r"(?P<database>/[^:/?@\s]*)?"
    r"(?:\?(?P<options>[^?@\s]*))?"
)


class Place(Protocol):
    """Where a ledger is, or will be."""

    @property
    def name(self) -> str:
        """What people are shown: never a password."""

    @property
    def shown(self) -> str:
        """Its URL without what may be secret."""

    @property
    def shared(self) -> bool:
        """Whether many processes may serve from it at a time."""

    @property
    def secret(self) -> bool:
        """Whether its URL holds a password."""

    @property
    def file(self) -> Path | None:
        """The file on this machine that it is, if it is one."""

    def record(self) -> Path:
        """Where exchanges are recorded unless the settings say otherwise."""

    def open(self, currencies: Currencies) -> Store:
        """The store for writing; `StoreError` when it cannot be used."""

    def reader(self, currencies: Currencies) -> AbstractContextManager[Reader]:
        """What was committed, beside whoever writes; `StoreError` when there is no ledger."""

    def version(self) -> int | None:
        """The version of the schema that is stored; None when there is no ledger."""

    def backup(self, target: Path, currencies: Currencies) -> None:
        """Copy the committed state to a new ledger file, beside whoever writes."""

    def source(self, currencies: Currencies) -> AbstractContextManager[Source]:
        """The ledger to move away from; nobody changes it meanwhile."""

    def target(self, currencies: Currencies) -> AbstractContextManager[Target]:
        """A ledger to fill; nobody else writes to it meanwhile."""

    def findings(self, currencies: Currencies) -> Iterator[Finding]:
        """What the doctor finds about it."""


def place_of(url: str, *, prepare: bool = True, lanes: int = 1) -> Place:
    """Where a URL points to. `ValueError`, which repeats no part of it, when it is of no store."""
    if url.startswith("sqlite:///") and url != "sqlite:///":
        return LedgerFile(Path(url.removeprefix("sqlite:///")))
    if server := _SERVER.fullmatch(url):
        return Database(url, server.groupdict(), prepare=prepare, lanes=lanes)
    if url.startswith(("postgres://", "postgresql://")):
        raise ValueError(
            "expected postgresql://USER@HOST:PORT/DATABASE, got something else behind postgresql://"
            " (in user and password, characters such as : / ? @ are written as %3A %2F %3F %40)"
        )
    kind = re.match(r"[a-z0-9+]{1,16}(?=:)", url)
    got = f"the kind {kind[0]}" if kind else "another text"
    raise ValueError(f"expected sqlite:///PATH or postgresql://..., got {got}")


class LedgerFile:
    """A file of the embedded store: `sqlite:///relative` or `sqlite:////absolute`."""

    shared = secret = False

    def __init__(self, path: Path) -> None:
        self.file = path
        self.name, self.shown = str(path), f"sqlite:///{path}"

    def record(self) -> Path:
        """Beside the ledger."""
        return self.file.with_suffix(".exchanges.db")

    def open(self, currencies: Currencies) -> Store:
        """The file, made when there is none, and locked."""
        with self._named():
            return sqlite.SqliteStore(self.file, currencies)

    @contextmanager
    def reader(self, currencies: Currencies) -> Iterator[Reader]:
        """The file, for reading."""
        with self._named(), closing(sqlite.open_reader(self.file, currencies)) as reader:
            yield reader

    def version(self) -> int | None:
        """The version of the schema in the file; None when there is no file."""
        with self._named():
            return sqlite.stored_version(self.file)

    def backup(self, target: Path, currencies: Currencies) -> None:
        """Copy the file page by page: what a reader refuses stays to be looked at."""
        _ = currencies
        if not self.file.exists():
            raise StoreError(f"no ledger at {self.file}")
        try:
            sqlite.backup(self.file, target)
        except apsw.Error as error:
            raise StoreError(f"{self.name} to {target}: {error}") from error

    @contextmanager
    def source(self, currencies: Currencies) -> Iterator[Source]:
        """The file, locked."""
        with self._named(), sqlite_ends.source(self.file, currencies) as end:
            yield end

    @contextmanager
    def target(self, currencies: Currencies) -> Iterator[Target]:
        """The file, made when there is none, and locked."""
        with self._named(), sqlite_ends.target(self.file, currencies) as end:
            yield end

    def findings(self, currencies: Currencies) -> Iterator[Finding]:
        """SQLite's version, and whether the file can be read."""
        yield _library()
        if not self.file.exists():
            yield Finding("warn", "ledger", f"none at {self.file} yet; `seamline serve` makes it")
            return
        try:
            reader = sqlite.open_reader(self.file, currencies)
        except (StoreError, apsw.Error, OSError) as error:
            yield Finding("fail", "ledger", f"{error}")
            return
        with closing(reader):
            size = self.file.stat().st_size / MIB
            yield Finding("ok", "ledger", f"{self.file}, {size:.1f} MiB")
            yield from of_ledger(reader, currencies)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """SQLite says what is the matter, but not with which file."""
        try:
            yield
        except apsw.Error as error:
            raise StoreError(f"{self.name}: {error}") from error


def _library() -> Finding:
    version = apsw.sqlite_lib_version()
    if apsw.SQLITE_VERSION_NUMBER < OLDEST_SQLITE:
        return Finding("fail", "sqlite", f"{version} can corrupt the ledger; install a newer apsw")
    return Finding("ok", "sqlite", version)


class Database:
    """A database of PostgreSQL, whose library is an extra of this package."""

    shared, file = True, None

    def __init__(
        self, url: str, parts: Mapping[str, str | None], *, prepare: bool, lanes: int
    ) -> None:
        self._url, self._prepare, self._lanes = url, prepare, lanes
        self.secret = bool(parts["password"]) or "password=" in (parts["options"] or "")
        user = f"{parts['user']}@" if parts["user"] else ""
        self.name = self.shown = f"postgresql://{user}{parts['hosts']}{parts['database'] or ''}"

    def record(self) -> Path:
        """In the folder of this machine's other files."""
        return RECORD

    def open(self, currencies: Currencies) -> Store:
        """The database, with its schema up to date."""
        url = self._reached()
        from seamline.ledger.postgres.store import PostgresStore

        with self._named():
            return PostgresStore(url, currencies, prepare=self._prepare, lanes=self._lanes)

    @contextmanager
    def reader(self, currencies: Currencies) -> Iterator[Reader]:
        """A connection for reading."""
        url = self._reached()
        from seamline.ledger.postgres.connect import open_reader

        with self._named(), open_reader(url, currencies) as reader:
            yield reader

    def version(self) -> int | None:
        """The version of the schema in the database; None when there is none."""
        url = self._reached()
        from seamline.ledger.postgres.connect import connected
        from seamline.ledger.postgres.migrate import stored_version

        with self._named(), connected(url) as link:
            return stored_version(link.connection) or None

    def backup(self, target: Path, currencies: Currencies) -> None:
        """Copy the database, as of one moment, to a file of the embedded store."""
        url = self._reached()
        from seamline.ledger.postgres.store import backup

        with self._named():
            backup(url, target, currencies)

    @contextmanager
    def source(self, currencies: Currencies) -> Iterator[Source]:
        """The database, whose tables nobody can write to meanwhile."""
        _ = currencies
        url = self._reached()
        from seamline.ledger.postgres.transfer import source

        with self._named(), source(url) as end:
            yield end

    @contextmanager
    def target(self, currencies: Currencies) -> Iterator[Target]:
        """The database, in which no gateway is."""
        url = self._reached()
        from seamline.ledger.postgres.transfer import target

        with self._named(), target(url, currencies) as end:
            yield end

    def findings(self, currencies: Currencies) -> Iterator[Finding]:
        """What server and ledger tell, or why they cannot be asked."""
        try:
            self._reached()
        except StoreError as error:
            yield Finding("fail", "server", f"{error}")
            return
        from seamline.cli.server import findings

        yield from findings(self._url, self.name, currencies)

    def _reached(self) -> str:
        """The URL, if there is a library for it."""
        try:
            import psycopg  # noqa: F401 - whether it can be loaded
        except ImportError as error:
            raise StoreError(
                f"{self.name}: PostgreSQL needs psycopg, which cannot be loaded: "
                "install seamline[postgres]"
            ) from error
        return self._url

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say of which database it is that something is the matter with."""
        try:
            yield
        except StoreError as error:
            raise StoreError(f"{self.name}: {error}") from error
