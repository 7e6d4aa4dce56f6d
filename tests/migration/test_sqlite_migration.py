"""Schema changes: `schema.sql` is what all migrations make, and old files are migrated."""

from importlib.resources import files

import apsw
import pytest

from kit.books import proven
from kit.command import bet
from kit.world import CURRENCIES, StoreWorld, furnished
from seamline.ledger.sqlite import store as sqlite
from seamline.ledger.store import StoreError

FOLDER = files("seamline.ledger.sqlite")
KNOWN = sqlite._migrations()
NEWEST = max(KNOWN)


def schema(db):
    """What a database consists of: every table and index with its text, and every column."""
    objects = db.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
    ).fetchall()
    tables = [name for kind, name, _, _ in objects if kind == "table"]
    columns = {name: db.execute(f"PRAGMA table_xinfo({name})").fetchall() for name in tables}
    return objects, columns


def test_schema_is_the_sum_of_all_migrations():
    """A database made by `schema.sql` is the same as a migrated one, in every table and index."""
    whole, migrated = apsw.Connection(":memory:"), apsw.Connection(":memory:")
    whole.execute((FOLDER / "schema.sql").read_text())
    sqlite.migrate(migrated)
    assert schema(whole) == schema(migrated)
    assert schema(whole)[0], "there is a schema"


def test_migrations_are_numbered_without_gaps():
    """Migrations count from one, so that a version says exactly what was applied."""
    assert sorted(KNOWN) == list(range(1, NEWEST + 1))


@pytest.mark.parametrize("number", sorted(KNOWN))
def test_a_migration_says_when_it_may_run(number):
    """The first line says whether it expands, beside running older programs, or contracts."""
    assert KNOWN[number].splitlines()[0] in {"-- expand", "-- contract"}


def test_an_empty_file_is_brought_up_to_date(tmp_path):
    """Opening a file of version 0 makes the schema and notes its version."""
    path = tmp_path / "seamline.db"
    path.touch()
    sqlite.SqliteStore(path, CURRENCIES).close()
    db = apsw.Connection(str(path))
    assert db.pragma("user_version") == NEWEST
    assert "transactions" in {name for _, name, _, _ in schema(db)[0]}
    db.close()


def test_migrating_again_changes_nothing(tmp_path):
    """A file that is up to date stays as it is."""
    db = sqlite.connect(tmp_path / "seamline.db")
    assert sqlite.migrate(db) == (0, NEWEST)
    before = schema(db)
    assert sqlite.migrate(db) == (NEWEST, NEWEST)
    assert schema(db) == before
    db.close()


def test_an_older_file_keeps_its_books(tmp_path, monkeypatch):
    """A file of the version before is migrated when it is opened; its rows stay as they were."""
    world = furnished(StoreWorld(tmp_path))
    world.apply(bet("b1"))
    world.close()
    later = {**KNOWN, NEWEST + 1: "-- expand\nALTER TABLE players ADD COLUMN note TEXT;"}
    monkeypatch.setattr(sqlite, "_migrations", lambda: later)
    with pytest.raises(StoreError, match=f"schema {NEWEST}, this program reads {NEWEST + 1}"):
        sqlite.open_reader(world.path, CURRENCIES)
    world.open()
    assert world.store._connection.pragma("user_version") == NEWEST + 1
    assert world.balance("p1") == "90.00"
    proven(world.store)
    world.close()


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    """A migration is applied whole or not at all, and its version is not noted without it."""
    db = sqlite.connect(tmp_path / "seamline.db")
    sqlite.migrate(db)
    before = schema(db)
    broken = "-- expand\nCREATE TABLE half (id INTEGER) STRICT;\nINSERT INTO nowhere VALUES (1);"
    monkeypatch.setattr(sqlite, "_migrations", lambda: {**KNOWN, NEWEST + 1: broken})
    with pytest.raises(apsw.SQLError, match="no such table: nowhere"):
        sqlite.migrate(db)
    assert schema(db) == before
    assert db.pragma("user_version") == NEWEST
    db.close()
