"""What the doctor asks a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator

from seamline.cli.finding import MIB, Finding, of_ledger
from seamline.ledger.postgres.connect import connected
from seamline.ledger.postgres.facts import Facts, facts
from seamline.ledger.postgres.migrate import check_schema, stored_version
from seamline.ledger.postgres.reader import PostgresReader
from seamline.ledger.store import StoreError
from seamline.money import Currencies

#: More of the server's connections in use than this are worth a word.
BUSY_PERCENT = 80


def findings(url: str, name: str, currencies: Currencies) -> Iterator[Finding]:
    """What server and ledger tell, or why they cannot be asked."""
    try:
        yield from _asked(url, name, currencies)
    except StoreError as error:
        yield Finding("fail", "ledger", f"{name}: {error}")


def _asked(url: str, name: str, currencies: Currencies) -> Iterator[Finding]:
    """What server and ledger tell; `StoreError` when they cannot be asked."""
    with connected(url) as link:
        known = facts(link.connection)
        yield Finding("ok", "server", f"PostgreSQL {known.version}")
        yield from (_durability(known), _replication(known), _connections(known))
        if not stored_version(link.connection):
            yield Finding("warn", "ledger", f"none in {name} yet; `seamline serve` makes it")
            return
        check_schema(link.connection)
        yield Finding("ok", "ledger", f"{name}, {known.bytes / MIB:.1f} MiB")
        yield from of_ledger(PostgresReader(link, currencies), currencies)


def _durability(known: Facts) -> Finding:
    """Whether what was committed is there after a power cut."""
    if known.fsync != "on":
        return Finding(
            "fail", "durability", "fsync is off: a power cut ruins the ledger; turn it on"
        )
    if known.full_page_writes != "on":
        text = "full_page_writes is off; turn it on unless the file system never tears a page"
        return Finding("warn", "durability", text)
    text = f"fsync, full_page_writes and synchronous_commit={known.synchronous_commit}"
    return Finding("ok", "durability", text)


def _replication(known: Facts) -> Finding:
    """Whether what was committed is there after the server is lost."""
    names = known.synchronous_standby_names
    if not names:
        text = "no synchronous standby: what was committed last is on this server only"
        return Finding("ok", "replication", text)
    if known.synchronous_commit == "local":
        text = "synchronous_commit=local waits for no standby, though some are named; set it to on"
        return Finding("warn", "replication", text)
    if not known.synchronous:
        text = f"commits wait for {names}, and none of them is to be seen; start it, or let the "
        return Finding("warn", "replication", f"{text}user see it (GRANT pg_monitor)")
    return Finding("ok", "replication", f"{known.synchronous} synchronous standby(s), of {names}")


def _connections(known: Facts) -> Finding:
    text = f"{known.connections} of {known.max_connections} in use"
    if known.connections * 100 > known.max_connections * BUSY_PERCENT:
        text += "; raise max_connections, or put a pooler in between"
        return Finding("warn", "connections", text)
    return Finding("ok", "connections", text)
