"""The schema refuses what the program should never write: the last line before the disk."""

import psycopg
import pytest

from kit.command import bet
from kit.world import PostgresWorld, furnished

ROW = {
    "id": 1,
    "integration": 1,
    "key": "k900",
    "kind": "bet",
    "fingerprint": bytes(16),
    "account": 1,
    "session": None,
    "round": None,
    "asked": "1.00",
    "units": 100,
    "debit": 1,
    "credit": -1,
    "balance": 5,
    "version": 9,
    "previous": 1,
    "chain": bytes(32),
    "target": None,
    "reversed_by": None,
    "rejection": None,
    "campaign": None,
    "free": False,
    "dust": None,
    "created_ms": 1,
}
WHOLE = {
    "players": {"id": 1, "status": "active", "limits": "{}", "created_ms": 1},
    "sessions": {"id": 1, "game": "g", "opened_ms": 1, "expires_ms": 2},
    "accounts": {
        "id": 1,
        "balance": 0,
        "version": 0,
        "chain": bytes(32),
        "last": 0,
        "loss_on": 0,
        "loss_day": 0,
        "loss_week": 0,
        "loss_month": 0,
    },
    "alerts": {"detail": "", "state": "open", "created_ms": 1, "changed_ms": 1},
    "grants": {"integration": 1, "name": "x", "currency": "USD", "from_ms": 1},
}


@pytest.fixture
def db(ledger_url):
    """A connection to a database with a few rows."""
    world = furnished(PostgresWorld(ledger_url))
    world.apply(bet("b1"))
    world.close()
    with psycopg.connect(world.url, autocommit=True) as connection:
        yield connection


def insert(db, table, row):
    """Insert a row and undo it; integration and ids are those that the world has."""
    known = db.execute(
        "SELECT s.integration, s.account, a.player FROM sessions AS s "
        "JOIN accounts AS a ON a.id = s.account WHERE s.name = 's1'"
    ).fetchone()
    own = dict(zip(("integration", "account", "player"), known, strict=True))
    row |= {name: own[name] for name in own if row.get(name) == 1}
    row |= {side: own["account"] for side in ("debit", "credit") if row.get(side) == 1}
    names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    with db.transaction(force_rollback=True):
        db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))


def test_a_right_row_is_taken(db):
    """The row that the others are made from is a right one."""
    insert(db, "transactions", dict(ROW))
    insert(db, "transactions", ROW | {"units": 0, "debit": None, "credit": None, "balance": -5})
    insert(db, "transactions", ROW | {"kind": "refund", "balance": -5})


WRONG = [
    {"key": None},
    {"key": ""},
    {"key": "b1"},
    {"units": -1},
    {"units": None},
    {"units": "x"},
    {"units": 0},
    {"units": 0, "debit": None},
    {"debit": None},
    {"credit": None},
    {"debit": None, "credit": None},
    {"debit": 2, "credit": -1},
    {"account": 2},
    {"balance": -1},
    {"balance": -1, "kind": "withdrawal"},
    {"balance": None},
    {"balance": 2**63},
    {"chain": b"short"},
    {"chain": None},
    {"fingerprint": None},
    {"free": "2"},
    {"free": None},
    {"created_ms": None},
    {"created_ms": "yesterday"},
    {"version": None},
    {"previous": None},
    {"kind": None},
    {"id": None},
]


@pytest.mark.parametrize("changes", WRONG, ids=str)
def test_a_wrong_transaction_is_refused(db, changes):
    """A row without key, with a key that is known, or with sides that contradict it is refused."""
    with pytest.raises((psycopg.IntegrityError, psycopg.DataError)):
        insert(db, "transactions", ROW | changes)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("players", {"brand": "", "name": "x"}),
        ("players", {"brand": "acme", "name": ""}),
        ("players", {"brand": "acme", "name": "p1"}),
        ("players", {"brand": "acme", "name": "x", "status": "happy"}),
        ("sessions", {"integration": 1, "name": "", "account": 1}),
        ("sessions", {"integration": 1, "name": "s1", "account": 1}),
        ("claims", {"account": 1, "integration": 1, "claim": "", "paid_by": 1}),
        ("houses", {"id": 7, "role": "game", "integration": 1, "currency": "BTC"}),
        ("houses", {"id": -900, "role": "cellar", "integration": 1, "currency": "USD"}),
        ("accounts", {"player": 1, "currency": "USD"}),
        ("accounts", {"player": 1, "currency": "EUR", "chain": b"x"}),
        ("accounts", {"player": 1, "currency": "EUR", "version": -1}),
        ("accounts", {"player": 1, "currency": "XXX"}),
        ("accounts", {"player": -5, "currency": "EUR"}),
        ("alerts", {"integration": 1, "key": "k", "alert": "dust", "state": "lost"}),
        ("alerts", {"integration": 1, "key": "k", "alert": "dust", "id": 900}),
        ("grants", {"player": -5}),
        ("heartbeat", {"id": 2, "at_ms": 1}),
    ],
    ids=str,
)
def test_a_wrong_row_of_another_table_is_refused(db, table, row):
    """Empty names, doubles, unknown states and house ids that look like players' are refused."""
    with pytest.raises((psycopg.IntegrityError, psycopg.ProgrammingError)) as caught:
        insert(db, table, WHOLE.get(table, {}) | row)
    assert not isinstance(caught.value, psycopg.errors.UndefinedColumn)


def test_names_are_ordered_by_bytes(db):
    """What is looked for by name is compared byte by byte, whatever the server's language."""
    lax = db.execute(
        "SELECT c.relname, a.attname FROM pg_index AS i "
        "JOIN pg_class AS c ON c.oid = i.indrelid "
        "JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) "
        "WHERE c.relnamespace = 'public'::regnamespace AND a.atttypid = 'text'::regtype "
        "AND a.attcollation <> (SELECT oid FROM pg_collation WHERE collname = 'C')"
    ).fetchall()
    assert not lax
