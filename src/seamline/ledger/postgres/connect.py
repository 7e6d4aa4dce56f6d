"""What a program does first with a database: connect, and refuse one that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import make_conninfo

from seamline.ledger.postgres.links import AWAY, Link, conninfo, said
from seamline.ledger.postgres.migrate import check_schema, check_server
from seamline.ledger.postgres.reader import PostgresReader
from seamline.ledger.store import StoreError
from seamline.money import Currencies

#: What connections of commands, and of a gateway's first steps, are called; those of a gateway that
#: serves have another name, by which others know that it is there.
NAME = "seamline command"


@contextmanager
def open_reader(url: str, currencies: Currencies) -> Iterator[PostgresReader]:
    """Read a ledger beside whoever writes it. `StoreError` when there is none."""
    with connected(url) as link:
        check_schema(link.connection)
        yield PostgresReader(link, currencies)


@contextmanager
def connected(url: str) -> Iterator[Link]:
    """A link for the block. `StoreError` when the server cannot be used, or fails meanwhile."""
    link = Link(make_conninfo(conninfo(url), application_name=NAME))
    try:
        _check(link)
        yield link
    except psycopg.Error as error:
        raise StoreError(said(error)) from error
    finally:
        link.close()


def _check(link: Link) -> None:
    try:
        check_server(link.connection)
    except AWAY as error:
        raise StoreError(f"cannot connect: {said(error)}") from error
