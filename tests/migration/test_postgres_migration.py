"""Schema changes on PostgreSQL: `schema.sql` is what all migrations make, under a lock."""

from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import psycopg
import pytest

from kit.books import proven
from kit.command import bet
from kit.world import CURRENCIES, PostgresWorld, furnished
from seamline.ledger.postgres import migrate as postgres
from seamline.ledger.postgres.connect import open_reader
from seamline.ledger.postgres.store import PostgresStore
from seamline.ledger.store import StoreError

FOLDER = files("seamline.ledger.postgres")
KNOWN = postgres.known()
NEWEST = max(KNOWN)

#: What a schema consists of, by what PostgreSQL itself makes of it.
CATALOG = {
    "relations": "SELECT relname, relkind, relpersistence, reloptions FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace",
    "columns": "SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), "
    "a.attnotnull, a.attidentity, a.attcollation, pg_get_expr(d.adbin, d.adrelid) "
    "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
    "WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) "
    "FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "sequences": "SELECT sequencename, data_type::text, start_value, increment_by, cache_size "
    "FROM pg_sequences WHERE schemaname = 'public'",
    "functions": "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}


def schema(db):
    """What a database consists of."""
    return {name: sorted(map(repr, db.execute(query))) for name, query in CATALOG.items()}


@pytest.fixture
def connect():
    """Connect to a database; the connections are closed after the test."""
    made = []

    def connect_to(url):
        made.append(psycopg.connect(url, autocommit=True))
        return made[-1]

    yield connect_to
    for each in made:
        each.close()


@pytest.fixture
def db(database, connect):
    """A connection to an empty database."""
    return connect(database)


def test_schema_is_the_sum_of_all_migrations(db, ledger_url, connect):
    """A database made by `schema.sql` is the same as a migrated one, in everything it holds."""
    db.execute((FOLDER / "schema.sql").read_text())
    migrated = connect(ledger_url)
    assert schema(db) == schema(migrated)
    assert len(schema(db)["columns"]) > 100


def test_a_difference_is_seen(db, ledger_url, connect):
    """The comparison sees a column, an index, an option and a check that one side lacks."""
    db.execute((FOLDER / "schema.sql").read_text())
    whole = schema(db)
    for change in (
        "ALTER TABLE players ALTER COLUMN country SET NOT NULL",
        "DROP INDEX grants_by_name",
        "ALTER TABLE accounts RESET (fillfactor)",
        "ALTER TABLE houses DROP CONSTRAINT houses_id_check",
        "ALTER TABLE alerts ALTER COLUMN id DROP IDENTITY",
    ):
        before = schema(db)
        db.execute(change)
        assert schema(db) != before, change
    assert schema(connect(ledger_url)) == whole


def test_migrations_are_numbered_without_gaps():
    """Migrations count from one, so that a version says exactly what was applied."""
    assert sorted(KNOWN) == list(range(1, NEWEST + 1))


@pytest.mark.parametrize("number", sorted(KNOWN))
def test_a_migration_says_when_it_may_run(number):
    """The first line says whether it expands, beside running older programs, or contracts."""
    assert KNOWN[number].splitlines()[0] in {"-- expand", "-- contract"}


def test_migrating_again_changes_nothing(db):
    """A database that is up to date stays as it is."""
    with psycopg.connect(db.info.dsn, autocommit=True, cursor_factory=psycopg.RawCursor) as raw:
        assert postgres.migrate(raw) == (0, NEWEST)
        before = schema(db)
        assert postgres.migrate(raw) == (NEWEST, NEWEST)
    assert schema(db) == before


def test_gateways_that_start_at_once_all_come_up(database):
    """Of several gateways on an empty database one makes the schema, and all of them serve."""
    with ThreadPoolExecutor(4) as threads:
        worlds = list(threads.map(PostgresWorld, [database] * 4))
    try:
        furnished(worlds[0])
        for number, world in enumerate(worlds):
            world.apply(bet(f"b{number}", "1.00"))
        assert worlds[3].balance("p1") == "96.00"
        proven(worlds[3].store)
    finally:
        for world in worlds:
            world.close()


def test_an_older_database_keeps_its_books(ledger_url, monkeypatch):
    """A database of the version before is migrated when it is opened; its rows stay."""
    world = furnished(PostgresWorld(ledger_url))
    world.apply(bet("b1"))
    world.close()
    later = {**KNOWN, NEWEST + 1: "-- expand\nALTER TABLE players ADD COLUMN note TEXT;"}
    monkeypatch.setattr(postgres, "known", lambda: later)
    words = f"schema {NEWEST}, this program reads {NEWEST + 1}"
    with pytest.raises(StoreError, match=words), open_reader(world.url, CURRENCIES):
        pass
    world.open()
    assert world.balance("p1") == "90.00"
    proven(world.store)
    world.close()


def test_a_newer_database_is_refused(ledger_url, connect):
    """A database of a newer program is left alone, and that is said."""
    url = ledger_url
    connect(url).execute("UPDATE schema_version SET version = %s, oldest = %s", [NEWEST + 1] * 2)
    with pytest.raises(StoreError, match=f"schema {NEWEST + 1}, this program knows {NEWEST}"):
        PostgresStore(url, CURRENCIES)


def test_programs_of_two_versions_serve_side_by_side(ledger_url, monkeypatch):
    """A newer one adds to the schema; an older one goes on, is ready, and may start again."""
    older = furnished(PostgresWorld(ledger_url))
    later = {**KNOWN, NEWEST + 1: "-- expand\nALTER TABLE players ADD COLUMN note TEXT;"}
    with monkeypatch.context() as newer:
        newer.setattr(postgres, "known", lambda: later)
        PostgresWorld(ledger_url).close()
    older.apply(bet("b1"))
    with older.store.reader() as reader:
        assert reader.schema() == older.store.schema == NEWEST
    older.close()
    older.open()
    older.apply(bet("b2"))
    assert older.balance("p1") == "80.00"
    older.close()
    contract = {**later, NEWEST + 2: "-- contract\nALTER TABLE players DROP COLUMN note;"}
    with monkeypatch.context() as newest:
        newest.setattr(postgres, "known", lambda: contract)
        PostgresWorld(ledger_url).close()
    with pytest.raises(StoreError, match="use a newer Seamline"):
        older.open()


def test_a_migration_does_not_make_everybody_wait(ledger_url, connect, monkeypatch):
    """Whoever reads for long, an audit say, is not waited for: all bets would wait behind that."""
    later = {**KNOWN, NEWEST + 1: "-- expand\nALTER TABLE players ADD COLUMN note TEXT;"}
    monkeypatch.setattr(postgres, "known", lambda: later)
    reading = connect(ledger_url)
    with reading.transaction():
        reading.execute("SELECT FROM players")
        with pytest.raises(StoreError, match="audits, backups and dumps"):
            PostgresStore(ledger_url, CURRENCIES)
    PostgresStore(ledger_url, CURRENCIES).close()


def test_a_migration_that_fails_changes_nothing(ledger_url, connect, monkeypatch):
    """A migration is applied whole or not at all, and its version is not noted without it."""
    url = ledger_url
    before = schema(connect(url))
    broken = "-- expand\nCREATE TABLE half (id INTEGER);\nINSERT INTO nowhere VALUES (1);"
    monkeypatch.setattr(postgres, "known", lambda: {**KNOWN, NEWEST + 1: broken})
    with pytest.raises(StoreError, match='"nowhere" does not exist'):
        PostgresStore(url, CURRENCIES)
    assert schema(connect(url)) == before
    assert connect(url).execute("SELECT version FROM schema_version").fetchall() == [(NEWEST,)]
