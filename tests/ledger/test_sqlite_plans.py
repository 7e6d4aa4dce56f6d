"""How SQLite goes about each named query: nothing that bets wait for may read a whole table."""

import apsw
import pytest

from kit.command import bet, refund
from kit.world import NOON, StoreWorld, furnished, terms_of
from seamline.ledger.sql import queries

SQL = queries("seamline.ledger.sqlite")

#: Queries that go through a table, each with the reason why that is right.
THROUGH = {
    "has_transfer": "the names of all tables, read at start",
    "all_currencies": "a few hundred rows, read at start",
    "all_integrations": "a few rows, read at start and after a rollback",
    "all_houses": "a few rows, read at start and after a rollback",
    "newest_time": "one row: the first one backwards by rowid",
    "list_overdue_rounds": "a bounded number of rounds from an id on, taken first",
    "drift": "accounts and roll-ups, for a gauge that is read now and then",
    "audit_houses": "an audit reads everything",
    "audit_accounts": "an audit reads everything",
    "audit_transactions": "an audit reads everything",
    "audit_heads": "an audit reads everything",
    "audit_rounds": "an audit reads everything",
    "audit_unpaid": "an audit reads everything",
    "audit_claims": "an audit reads everything",
    "audit_keys": "an audit reads everything",
    "audit_rollups": "an audit reads everything",
}


@pytest.fixture
def world(tmp_path):
    """A furnished world on SQLite."""
    made = furnished(StoreWorld(tmp_path))
    yield made
    made.close()


def plan(world, name):
    """The steps in which SQLite runs a query, on a store with its statistics."""
    cursor = world.store._connection.cursor()
    numbered = {f"?{number}" for number in range(1, 20) if f"?{number}" in SQL[name]}
    bindings = (None,) * (len(numbered) or SQL[name].count("?"))
    return [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {SQL[name]}", bindings)]


def scanned(steps):
    """The steps that go through a table rather than search it."""
    # A list that is bound, and the queue of a recursive walk, are no tables.
    allowed = ("SCAN wanted", "SCAN carray", "SCAN walk", "SCAN CONSTANT ROW", "SCAN (subquery")
    return [step for step in steps if step.startswith("SCAN") and not step.startswith(allowed)]


@pytest.mark.parametrize("name", SQL)
def test_queries_search(world, name):
    """No named query scans a table, but for those with a reason; and no reason is left over."""
    assert bool(scanned(plan(world, name))) == (name in THROUGH), plan(world, name)


def test_every_exception_is_a_query():
    """Each exception names a query and gives a reason."""
    assert THROUGH.keys() <= SQL.keys()
    assert all(THROUGH.values())


def test_a_scan_is_noticed(world):
    """The check sees a scan where there is one."""
    SQL["bad"] = "SELECT * FROM transactions WHERE asked = ?1"
    try:
        assert scanned(plan(world, "bad"))
    finally:
        del SQL["bad"]


def statements(world, commands):
    """How many statements a batch runs, counting a statement over many rows once."""
    ran = []

    def trace(_cursor, sql, _bindings):
        if not ran or ran[-1] != sql:
            ran.append(sql)
        return True

    world.store._connection.exec_trace = trace
    world.apply(*commands)
    world.store._connection.exec_trace = None
    return len(ran)


def test_a_batch_runs_a_handful_of_statements(tmp_path):
    """A batch of five hundred commands runs as many statements as a batch of five."""
    world = furnished(StoreWorld(tmp_path, terms_of()))
    world.apply(bet("b0", "0.01"), refund("f0", "b0"))

    def batch(size, prefix):
        commands = []
        for n in range(size):
            commands.append(bet(f"{prefix}{n}", "0.01", f"s{n % 2 + 1}", f"{prefix}{n}"))
            commands.append(refund(f"{prefix}f{n}", f"{prefix}{n}", session=f"s{n % 2 + 1}"))
        return commands

    small, big = statements(world, batch(5, "x")), statements(world, batch(250, "y"))
    assert small == big
    assert big <= 12
    world.close()


def test_what_is_durable_is_set(world):
    """The settings that the promises rest on: write-ahead log, full synchronisation, no mmap."""
    connection = world.store._connection
    assert connection.pragma("journal_mode") == "wal"
    assert connection.pragma("synchronous") == 2
    assert connection.pragma("mmap_size") == 0
    assert apsw.SQLITE_VERSION_NUMBER >= 3_051_003
    assert connection.pragma("user_version") >= 1
    assert world.now_ms == NOON
