"""A wallet is moved whole from one store to another, whatever ends the move in between."""

import re
import sqlite3
import time
from contextlib import closing, contextmanager

import psycopg
import pytest

from kit.books import proven
from kit.command import OTHER, bet, deposit, refund, reward, win, withdrawal
from kit.world import CURRENCIES, PostgresWorld, StoreWorld, furnished, limits
from seamline.cli.stores import place_of
from seamline.ledger import transfer as moving
from seamline.ledger.postgres import transfer as on_postgres
from seamline.ledger.postgres.directory import BLOCK
from seamline.ledger.store import StoreError
from seamline.ledger.transfer import TABLES, compared, transfer
from seamline.wallet import Applied, PlayerStatus, Rejection, Replayed

HOUR_MS = 3_600_000


class Broken(Exception):
    """What ends a transfer in these tests."""


@pytest.fixture
def new_file(tmp_path):
    """A URL of a file that is not there."""
    (tmp_path / "target").mkdir()
    return f"sqlite:///{tmp_path}/target/seamline.db"


@pytest.fixture(params=["sqlite to postgres", "postgres to sqlite"])
def road(request, tmp_path, database, new_file):
    """A furnished world on one backend, and the URL of an empty store of the other."""
    if request.param == "sqlite to postgres":
        world, url = StoreWorld(tmp_path / "source"), database
    else:
        server = request.getfixturevalue("postgres_server")
        world, url = PostgresWorld(server.create_database()), new_file
    lived(furnished(world)).close()
    return world, url


def lived(world):
    """The world after something of every kind happened in it."""
    world.session("s3", "p1", "BTC", integration=OTHER, game="g7")
    world.session("s4", "p2", game='g "4"\\')
    world.grant("free1", "p1", None, "5.00")
    world.cancel("free1")
    world.grant("free2", "p2", "g1")
    world.apply(
        bet("b1", "10.00"),
        bet("b2", "2.00", "s2"),
        deposit("d3", "1.5", currency="BTC"),
        bet("b3", "0.00000001", "s3", "r3", integration=OTHER),
        refund("f9", "b9"),
    )
    world.now_ms += HOUR_MS
    world.apply(
        win("w1", "3.123456789"),
        refund("f2", "b2", session="s2"),
        reward("j1", claim="c1"),
        bet("b4", "1.00", "s4", "r4"),
        bet("b1", "11.00"),
        withdrawal("x1", "5.00"),
    )
    world.close_session("s4")
    world.change("p2", status=PlayerStatus.BLOCKED, language="de")
    world.change("p1", limits=limits('{"session_minutes": 600}'))
    return world


def url_of(world):
    """Where a world's ledger is."""
    return world.url if isinstance(world, PostgresWorld) else f"sqlite:///{world.path}"


@contextmanager
def ends(source, target):
    """Both ends of a transfer."""
    with (
        place_of(source).source(CURRENCIES) as from_,
        place_of(target).target(CURRENCIES) as to,
    ):
        yield from_, to


def moved(source, target):
    """Move a wallet; how many rows there are of each table."""
    with ends(source, target) as (from_, to):
        counts = transfer(from_, to)
        to.finish()
        return counts


def rows(url):
    """Everything in a store."""
    with place_of(url).source(CURRENCIES) as source:
        return {each.name: list(source.rows(each, each.lowest)) for each in TABLES}


@contextmanager
def living(url, terms):
    """A world on the store of a URL."""
    if url.startswith("postgresql"):
        world = PostgresWorld(url, terms)
    else:
        world = StoreWorld(place_of(url).file.parent, terms)
    try:
        yield world
    finally:
        world.close()


def broken_after(monkeypatch, chunks, size=4):
    """Let transfers end after so many chunks of that size."""
    real, left = moving._copy, [chunks]

    def copy(source, target, progress):
        def count(copied):
            left[0] -= 1
            if not left[0]:
                raise Broken
            progress(copied)

        real(source, target, count)

    monkeypatch.setattr(moving, "CHUNK", size)
    monkeypatch.setattr(moving, "_copy", copy)


# What arrives.


def test_a_wallet_is_moved_whole(road):
    """Every row of every table is at both ends, and there is something in every table."""
    world, target = road
    counts = moved(url_of(world), target)
    assert min(counts.values()) > 0
    assert rows(target) == rows(url_of(world))


def test_a_moved_wallet_plays_on(road):
    """Keys, sessions, tombstones and limits are known where the wallet went, and new ids new."""
    world, target = road
    moved(url_of(world), target)
    with living(target, world.terms) as there:
        before = proven(there.store).transactions
        there.now_ms = world.now_ms + HOUR_MS
        there.session("s5", "p1")
        there.player("p3")
        there.grant("free3", "p3", "g1")
        again, late, new, odd = there.apply(
            bet("b1", "10.00"), bet("b9"), bet("n1", "1.00"), win("w7", "2.00", round_="r7")
        )
        assert isinstance(again, Replayed)
        assert late.why is Rejection.REFUNDED_BEFORE
        assert isinstance(new, Applied)
        assert isinstance(odd, Applied)
        assert there.apply(bet("n2", session="s2"))[0].why is Rejection.PLAYER_BLOCKED
        assert proven(there.store).transactions == before + 2


def test_there_and_back_is_the_same(road, tmp_path):
    """Moved to the other backend and back, a wallet is the same in every row."""
    world, target = road
    moved(url_of(world), target)
    back = tmp_path / "back"
    back.mkdir()
    moved(target, f"sqlite:///{back}/seamline.db")
    assert rows(f"sqlite:///{back}/seamline.db") == rows(url_of(world))


def test_stripes_are_added_up(ledger_url, new_file):
    """Roll-ups that several gateways wrote side by side arrive as one row of each hour."""
    world = lived(furnished(PostgresWorld(ledger_url)))
    world.close()
    with psycopg.connect(world.url, autocommit=True) as db:
        assert db.execute(
            "INSERT INTO rollups SELECT hour, integration, currency, kind, stripe + 32, "
            "transactions, high - 1, low + (1::bigint << 32) FROM rollups"
        ).rowcount
        assert db.execute("UPDATE rollups SET transactions = 0, high = 1, low = -(1::bigint << 32)"
                          " WHERE stripe < 32").rowcount  # fmt: skip
    moved(world.url, new_file)
    with living(new_file, world.terms) as there:
        proven(there.store)


def test_when_accounts_changed_is_known_on_postgres(tmp_path, database):
    """An account that was moved says when its last transaction was written."""
    world = lived(furnished(StoreWorld(tmp_path)))
    world.close()
    moved(url_of(world), database)
    with psycopg.connect(database) as db:
        found = db.execute(
            "SELECT a.changed_ms, coalesce(t.created_ms, 0) "
            "FROM accounts AS a LEFT JOIN transactions AS t ON t.id = a.last"
        ).fetchall()
    assert found
    assert all(changed == created for changed, created in found)


def test_new_ids_are_above_all_that_came(ledger_url, database):
    """On PostgreSQL ids of movements, and of what is numbered by itself, go on above the rest."""
    url, target = ledger_url, database
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("ALTER TABLE alerts ALTER COLUMN id RESTART WITH 1000")
        db.execute("ALTER TABLE grants ALTER COLUMN id RESTART WITH 2000")
    world = lived(furnished(PostgresWorld(url)))
    world.close()
    moved(world.url, target)
    with psycopg.connect(target) as db:
        (block,) = db.execute("SELECT nextval('blocks')").fetchone()
        numbered = [
            db.execute(f"SELECT nextval(pg_get_serial_sequence('{name}', 'id'))").fetchone()[0]
            for name in ("alerts", "grants")
        ]
    held = rows(world.url)
    ids = [row[0] for name in ("players", "accounts", "sessions", "rounds", "transactions")
           for row in held[name]]  # fmt: skip
    assert max(ids) < block * BLOCK <= max(ids) + 2 * BLOCK
    assert numbered == [held[name][-1][0] + 1 for name in ("alerts", "grants")]


def test_no_column_is_left_behind(tmp_path, ledger_url):
    """Every column of every table is moved, but for what a backend keeps for itself."""
    listed = {(each.name, column) for each in TABLES for column in each.columns}
    StoreWorld(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "seamline.db")) as file:
        names = [
            name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        in_file = {
            (name, row[1]) for name in names for row in file.execute(f"PRAGMA table_info({name})")
        }
    with psycopg.connect(ledger_url) as db:
        in_database = set(db.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        ))  # fmt: skip
    probe = {("heartbeat", "id"), ("heartbeat", "at_ms")}
    assert in_file == listed | probe
    version = {("schema_version", "version"), ("schema_version", "oldest")}
    own = version | {("rollups", "stripe"), ("accounts", "changed_ms")}
    assert in_database == listed | probe | own


# What ends it.


@pytest.mark.parametrize("chunks", [1, 3, 8, 13, 17])
def test_a_broken_transfer_goes_on(chunks, road, monkeypatch):
    """Ended after any chunk and started again, a transfer ends the same, and copies the rest."""
    world, target = road
    broken_after(monkeypatch, chunks)
    with pytest.raises(Broken):
        moved(url_of(world), target)
    monkeypatch.undo()
    copied = []
    with ends(url_of(world), target) as (from_, to):
        transfer(from_, to, progress=copied.append)
        to.finish()
    assert rows(target) == rows(url_of(world))
    whole = sum(map(len, rows(target).values()))
    assert copied[-1] == whole - sum_of_first(rows(target), chunks, 4)


def sum_of_first(tables, chunks, size):
    """How many rows the first so many chunks have."""
    sizes = [
        len(held[start : start + size])
        for held in tables.values()
        for start in range(0, len(held), size)
    ]
    return sum(sizes[:chunks])


def test_no_gateway_starts_on_a_part(road, monkeypatch):
    """A store that is not whole is opened by nobody, and says what to do."""
    world, target = road
    broken_after(monkeypatch, 9)
    with pytest.raises(Broken):
        moved(url_of(world), target)
    for use in (place_of(target).open, lambda each: place_of(target).reader(each).__enter__()):
        with pytest.raises(StoreError, match="not whole yet: run `seamline migrate --from"):
            use(CURRENCIES)


@pytest.mark.parametrize(
    "act",
    [
        lambda world: world.apply(bet("b7", "1.00")),
        lambda world: world.close_session("s1"),
        lambda world: world.change("p1", status=PlayerStatus.CLOSED),
    ],
    ids=["a bet", "a closed session", "a closed player"],
)
def test_a_source_that_moved_on_is_copied_afresh(act, road, monkeypatch):
    """What happened at the source between two attempts arrives too."""
    world, target = road
    broken_after(monkeypatch, 17)
    with pytest.raises(Broken):
        moved(url_of(world), target)
    monkeypatch.undo()
    world.open()
    act(world)
    world.close()
    moved(url_of(world), target)
    assert rows(target) == rows(url_of(world))


def test_a_copy_that_differs_is_not_finished(road, monkeypatch):
    """A row that did not arrive as it was is named, and the store stays unfinished."""
    world, target = road

    with ends(url_of(world), target) as (from_, to):
        real = to.write
        names = {"players": "language"}

        def write(table, chunk):
            place = table.columns.index(names.get(table.name, table.columns[0]))
            if table.name in names:
                chunk = [(*row[:place], "xx", *row[place + 1 :]) for row in chunk]
            real(table, chunk)

        monkeypatch.setattr(to, "write", write)
        with pytest.raises(StoreError, match=r"differs from its source: players \d+: language"):
            transfer(from_, to)
    with pytest.raises(StoreError, match="not whole yet"):
        place_of(target).open(CURRENCIES)


# What is refused.


def test_another_wallet_is_left_alone(road):
    """A target that holds another wallet is refused, and nothing of it is changed."""
    world, target = road
    with living(target, world.terms) as there:
        furnished(there)
        there.apply(bet("theirs"))
    before = rows(target)
    with pytest.raises(StoreError, match="holds another wallet already"):
        moved(url_of(world), target)
    assert rows(target) == before


def test_a_wallet_that_was_moved_is_there(road):
    """Moving the same wallet again finds it there, and changes nothing."""
    world, target = road
    counts = moved(url_of(world), target)
    assert moved(url_of(world), target) == counts


def test_a_wallet_that_went_on_is_left_alone(road):
    """A target on which bets were written since is another wallet by now."""
    world, target = road
    moved(url_of(world), target)
    with living(target, world.terms) as there:
        there.now_ms = world.now_ms
        there.apply(bet("since", "1.00"))
    with pytest.raises(StoreError, match="holds another wallet already"):
        moved(url_of(world), target)


def test_gateways_keep_a_database_for_themselves(tmp_path, ledger_url):
    """A database that a gateway has open is neither filled nor moved away from."""
    world = furnished(PostgresWorld(ledger_url))
    world.writer.newest_ms()
    file = furnished(StoreWorld(tmp_path))
    file.close()
    for source, target in ((world.url, f"sqlite:///{tmp_path}/x.db"), (url_of(file), world.url)):
        with pytest.raises(StoreError, match="gateways have the database open"):
            moved(source, target)
    world.close()


def test_a_gateway_that_is_just_leaving_is_waited_for(tmp_path, ledger_url, monkeypatch):
    """The server may list its connections a moment longer than they are there."""
    world = furnished(PostgresWorld(ledger_url))
    looks, pause = [], time.sleep

    def close_at_the_second_look(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            world.close()
        pause(seconds)

    monkeypatch.setattr(on_postgres, "LEAVING_MS", 60_000)
    monkeypatch.setattr(time, "sleep", close_at_the_second_look)
    moved(world.url, f"sqlite:///{tmp_path}/x.db")
    assert len(looks) >= 2


def test_a_source_holds_still(road):
    """While a wallet is moved nobody can write to where it comes from."""
    world, target = road
    refused = pytest.raises((StoreError, psycopg.errors.LockNotAvailable))
    with ends(url_of(world), target), refused as caught:
        write_to(world)
    assert "is open in another" in str(caught.value) or "lock timeout" in str(caught.value)
    write_to(world)


def write_to(world):
    """Change something, without waiting for anybody."""
    if isinstance(world, PostgresWorld):
        with psycopg.connect(world.url, options="-clock_timeout=100") as db:
            db.execute("UPDATE players SET language = 'fr'")
    else:
        world.open()
        world.close()


def test_one_transfer_at_a_time(road):
    """A second transfer to the same store is refused while the first goes on."""
    _, target = road
    with (
        place_of(target).target(CURRENCIES),
        pytest.raises(StoreError, match=r"another (transfer|Seamline process)"),
        place_of(target).target(CURRENCIES),
    ):
        pass


def test_rows_come_in_the_order_of_keys(road):
    """Both backends order every table alike, whatever its texts: by bytes."""
    world, target = road
    world.open()
    world.player("Zoë")
    world.player("a\u00e4\U0001f600")
    world.player("\uffff")
    world.session("S1", "p1")
    world.close()
    moved(url_of(world), target)
    for each in TABLES:
        with place_of(target).source(CURRENCIES) as source:
            keys = [row[: len(each.key)] for row in source.rows(each, each.lowest)]
        assert keys == sorted(keys, key=_bytes)


def _bytes(key):
    return [part.encode() if isinstance(part, str) else part for part in key]


def test_a_difference_is_told_without_values(road):
    """The first row that differs is named by its key and its columns, not by what they hold."""
    world, target = road
    moved(url_of(world), target)
    with living(target, world.terms) as there:
        there.change("p1", language="fr")
        there.session("s8", "p1")
    with ends(url_of(world), target) as (from_, to):
        _, difference = compared(from_, to)
    assert re.fullmatch(r"players \d+: language", difference)
