"""What goes through every row takes memory for a few of them, and leaves others alone."""

import pytest

from kit.command import bet, deposit
from kit.world import CURRENCIES, PostgresWorld, furnished
from seamline.ledger.audit import audit
from seamline.ledger.postgres import reader as reading
from seamline.ledger.postgres.connect import open_reader
from seamline.ledger.postgres.transfer import snapshot
from seamline.ledger.transfer import TABLES

HELD = b"SELECT name FROM pg_cursors WHERE NOT is_holdable"


@pytest.fixture
def world(ledger_url):
    """A world with some hundred transactions."""
    made = furnished(PostgresWorld(ledger_url))
    made.apply(*(deposit(f"d{n}", "1.00", f"p{n % 2 + 1}") for n in range(300)))
    yield made
    made.close()


def test_an_audit_fetches_few_rows_at_a_time(world, monkeypatch):
    """While an audit goes through a table, the rest of its rows wait on the server."""
    monkeypatch.setattr(reading, "FETCH", 10)
    seen = set()
    with open_reader(world.url, CURRENCIES) as reader:
        for name, _ in reader.stream(["audit_accounts", "audit_transactions"]):
            held = [row[0] for row in reader.link.connection.execute(HELD)]
            assert held == [name]
            seen.add(name)
    assert seen == {"audit_accounts", "audit_transactions"}


def test_a_transfer_fetches_few_rows_at_a_time(world):
    """While a transfer goes through a table, the rest of its rows wait on the server."""
    with snapshot(world.url) as source:
        for table in TABLES:
            rows = source.rows(table, table.lowest)
            if next(rows, None) is not None:
                assert [row[0] for row in source._db.execute(HELD)] == [f"rows_of_{table.name}"]
            rows.close()
            assert not source._db.execute(HELD).fetchall()


def test_bets_are_written_beside_an_audit(world):
    """Nobody who bets waits for an audit, which goes on seeing the moment of its beginning."""
    written = []

    def write(_):
        written.append(len(written))
        world.apply(bet(f"b{len(written)}", "0.01"))

    with open_reader(world.url, CURRENCIES) as reader:
        rows = reader.stream(["audit_transactions"])
        first = next(iter(rows))
        write(first)
        assert len(list(rows)) == 301
        write(first)
        assert audit(reader).transactions == 304
        assert audit(reader).clean
    assert len(written) == 2
