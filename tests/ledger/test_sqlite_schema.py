"""The schema refuses what the program should never write: the last line before the disk."""

import apsw
import pytest

from kit.command import bet
from kit.world import StoreWorld, furnished

ROW = {
    "id": 900,
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
    "free": 0,
    "dust": None,
    "created_ms": 1,
}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    """The connection of a store with a few rows."""
    world = furnished(StoreWorld(tmp_path_factory.mktemp("schema")))
    world.apply(bet("b1"))
    yield world.store._connection
    world.close()


def insert(db, table, row):
    """Insert a row and undo it."""
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    with db:
        db.execute("SAVEPOINT tried")
        try:
            db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
        finally:
            db.execute("ROLLBACK TO tried")


def test_a_right_row_is_taken(db):
    """The row that the others are made from is a right one."""
    insert(db, "transactions", ROW)
    insert(db, "transactions", ROW | {"units": 0, "debit": None, "credit": None, "balance": -5})
    insert(db, "transactions", ROW | {"kind": "refund", "balance": -5})


@pytest.mark.parametrize(
    "changes",
    [
        {"key": None},
        {"key": ""},
        {"key": "b1"},
        {"units": -1},
        {"units": None},
        {"units": 1.5},
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
        {"chain": b"short"},
        {"chain": None},
        {"fingerprint": None},
        {"free": 2},
        {"free": None},
        {"created_ms": None},
        {"created_ms": "yesterday"},
        {"version": None},
        {"previous": None},
        {"kind": None},
        {"id": 1},
    ],
    ids=str,
)
def test_a_wrong_transaction_is_refused(db, changes):
    """A row without key, with a key that is known, or with sides that contradict it is refused."""
    with pytest.raises(apsw.ConstraintError):
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
        ("houses", {"id": 7, "role": "game", "integration": 1, "currency": "USD"}),
        ("houses", {"id": -9, "role": "cellar", "integration": 1, "currency": "USD"}),
        ("accounts", {"player": 1, "currency": "USD"}),
        ("accounts", {"player": 1, "currency": "EUR", "chain": b"x"}),
        ("accounts", {"player": 1, "currency": "EUR", "version": -1}),
        ("alerts", {"integration": 1, "key": "k", "alert": "dust", "state": "lost"}),
    ],
    ids=str,
)
def test_a_wrong_row_of_another_table_is_refused(db, table, row):
    """Empty names, doubles, unknown states and house ids that look like players' are refused."""
    whole = {
        "players": {"status": "active", "limits": "{}", "created_ms": 1},
        "sessions": {"game": "g", "opened_ms": 1, "expires_ms": 2},
        "accounts": {
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
    }
    with pytest.raises(apsw.ConstraintError):
        insert(db, table, whole.get(table, {}) | row)


def test_every_table_is_strict(db):
    """A column holds its type and nothing else, in every table."""
    tables = db.execute("PRAGMA table_list").fetchall()
    lax = [name for _, name, kind, _, _, strict in tables
           if kind == "table" and not strict and not name.startswith("sqlite_")]  # fmt: skip
    assert not lax
