"""How PostgreSQL goes about what a batch asks: along indexes, whatever it thinks of the tables."""

import json
import re
from importlib.resources import files

import psycopg
import pytest

from kit.books import proven
from kit.command import bet, refund, reward, win
from kit.world import PostgresWorld, furnished, terms_of
from seamline.ledger.postgres.tables import SQL

#: Steps that go through a whole table, or build one of all that they find.
SLOW = {"Seq Scan", "Hash Join", "Merge Join", "Bitmap Heap Scan"}


def named(module):
    """The queries that a module names."""
    text = files("seamline.ledger.postgres").joinpath(module).read_text()
    return set(re.findall(r'"(\w+)"', text)) & SQL.keys()


BATCHES = sorted(named("loading.py") | named("writing.py") | {"is_written"})


@pytest.fixture(scope="module", params=["uncounted", "counted"])
def db(request, postgres_server, empty_ledger):
    """A connection to a ledger with a few rows, which PostgreSQL knows of or not."""
    world = furnished(PostgresWorld(postgres_server.create_database(template=empty_ledger)))
    world.apply(bet("b1"), win("w1"), reward("j1", claim="c1"), refund("f9", "b9"))
    proven(world.store)
    world.close()
    with psycopg.connect(
        world.url, autocommit=True, cursor_factory=psycopg.RawCursor
    ) as connection:
        if request.param == "counted":
            connection.execute("ANALYZE")
        yield connection


def steps(plan):
    """Every step of a plan, with the table that it reads."""
    yield plan["Node Type"], plan.get("Relation Name")
    for inner in plan.get("Plans", ()):
        yield from steps(inner)


def slow(db, query):
    """The slow steps of a query under the settings of a batch, for values that nobody knows."""
    places = len(set(re.findall(rb"\$\d+", query)))
    with db.transaction(force_rollback=True):
        db.execute(SQL["prepare_batch"])
        db.execute(b"PREPARE asked AS " + query)
        values = "(" + ", ".join(["NULL"] * places) + ")" if places else ""
        ((text,),) = db.execute(f"EXPLAIN (FORMAT JSON) EXECUTE asked{values}").fetchall()
        db.execute("DEALLOCATE asked")
    (explained,) = text if isinstance(text, list) else json.loads(text)
    return [step for step in steps(explained["Plan"]) if step[0] in SLOW]


@pytest.mark.parametrize("name", BATCHES)
def test_batches_go_along_indexes(db, name):
    """No query of a batch goes through a table, or joins by hashing or merging."""
    assert not slow(db, SQL[name])


def test_batches_have_queries():
    """The list is not empty by mistake."""
    assert {"lock_accounts", "write_transactions", "load_transactions"} < set(BATCHES)


def test_a_slow_plan_is_noticed(db):
    """The check sees a scan, a join by hashing and one by merging, where nothing else is left."""
    assert slow(db, b"SELECT * FROM transactions WHERE asked = $1::text")
    joined = b"SELECT * FROM players AS p FULL JOIN sessions AS s ON s.game = p.country"
    assert {"Hash Join", "Merge Join"} & {step for step, _ in slow(db, joined)}


def statements(world, commands, monkeypatch):
    """The names of the statements that a batch runs."""
    ran, ask = [], world.writer._ask

    def recorded(asks):
        ran.extend(each.name for each in asks)
        return ask(asks)

    monkeypatch.setattr(world.writer, "_ask", recorded)
    world.apply(*commands)
    monkeypatch.undo()
    return ran


def test_a_batch_runs_a_handful_of_statements(ledger_url, monkeypatch):
    """A batch of five hundred commands runs as many statements as a batch of five."""
    world = furnished(PostgresWorld(ledger_url, terms_of()))

    def batch(size, prefix):
        commands = []
        for n in range(size):
            commands.append(bet(f"{prefix}{n}", "0.01", f"s{n % 2 + 1}", f"{prefix}{n}"))
            commands.append(refund(f"{prefix}f{n}", f"{prefix}{n}", session=f"s{n % 2 + 1}"))
        return commands

    small = statements(world, batch(5, "x"), monkeypatch)
    big = statements(world, batch(250, "y"), monkeypatch)
    world.close()
    assert small == big
    assert len(big) <= 20
    assert set(big) <= {*BATCHES, "prepare_batch"}


def test_what_is_durable_is_set(ledger_url):
    """The setting that the promises rest on holds on every connection of a store."""
    world = PostgresWorld(ledger_url)
    asked = world.writer._link.connection.execute("SHOW synchronous_commit").fetchone()
    world.close()
    assert asked == ("on",)
