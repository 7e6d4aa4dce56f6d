"""The PostgreSQL store: one database, any number of gateways on any number of machines."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from seamline.ledger.postgres.links import AWAY, Link, conninfo, said
from seamline.ledger.postgres.migrate import (
    check_server,
    keep_scales,
    known,
    migrate,
    stored_version,
)
from seamline.ledger.postgres.reader import PostgresReader
from seamline.ledger.postgres.writer import PostgresWriter
from seamline.ledger.store import StoreError
from seamline.money import Currencies

#: How many reading threads keep a connection.
READERS = 4


class PostgresStore:
    """One database. Opening it brings the schema up to date and checks server and scales.

    *prepare* off: statements are planned each time, for poolers that cannot keep prepared ones.
    """

    def __init__(self, url: str, currencies: Currencies, *, prepare: bool = True) -> None:
        self._info = conninfo(url)
        self._currencies = currencies
        with connected(self._info) as link:
            migrate(link.connection)
            keep_scales(link.connection, currencies)
        self.writer = PostgresWriter(self._info, currencies, prepare=prepare)
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
        try:
            with reader.link.mended():
                yield reader
        finally:
            if self._idle.qsize() < READERS:
                self._idle.put(reader)
            else:
                reader.link.close()

    def backup(self, target: Path) -> NoReturn:
        """PostgreSQL brings its own tools for that."""
        raise StoreError(
            f"{target} is not written: back PostgreSQL up with pg_basebackup and its log archive"
        )

    def close(self) -> None:
        """Release everything; what was committed stays."""
        self.writer.close()
        while not self._idle.empty():
            self._idle.get().link.close()


@contextmanager
def open_reader(url: str, currencies: Currencies) -> Iterator[PostgresReader]:
    """Read a ledger beside whoever writes it. `StoreError` when there is none."""
    with connected(conninfo(url)) as link:
        found, newest = stored_version(link.connection), max(known())
        if found != newest:
            raise StoreError(
                f"the database has schema {found}, this program reads {newest}: "
                "run `seamline migrate`"
            )
        yield PostgresReader(link, currencies)


@contextmanager
def connected(info: str) -> Iterator[Link]:
    """A link for what happens at start. `StoreError` when the server cannot be used."""
    link = Link(info)
    try:
        check_server(link.connection)
    except AWAY as error:
        raise StoreError(f"store.url: cannot connect: {said(error)}") from error
    try:
        yield link
    finally:
        link.close()
