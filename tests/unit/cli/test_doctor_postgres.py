"""The doctor asks a PostgreSQL server what the promises of the ledger rest on."""

import msgspec
import psycopg
import pytest

from kit.postgres import postgres
from kit.program import SETTINGS, furnish
from seamline.cli import server as asked
from seamline.ledger.postgres.facts import Facts

WELL = Facts(
    version="16.4",
    fsync="on",
    full_page_writes="on",
    synchronous_commit="on",
    synchronous_standby_names="",
    synchronous=0,
    connections=5,
    max_connections=100,
    bytes=1,
)


@pytest.fixture(scope="module")
def safe():
    """A server whose commits are on disk."""
    with postgres() as running:
        yield running


@pytest.fixture
def moved(safe, books, said):
    """A folder with settings for a database, to which its books were moved; and the URL."""
    url = safe.create_database()
    assert said("migrate", "--to", url)[0] == 0
    furnish(books, SETTINGS.replace("sqlite:///seamline.db", url))
    (books / "seamline.db").unlink()
    return books, url


def lines(out, level):
    """The checks of that level."""
    return [line.strip() for line in out.splitlines() if line.strip().startswith(f"{level} ")]


def test_all_is_well(said, moved):
    """With a good server and a good ledger every check is ok, and each promise is named."""
    code, out, err = said("doctor")
    assert (code, err) == (0, "")
    assert not lines(out, "warn") + lines(out, "fail")
    names = [line.split()[1] for line in lines(out, "ok")]
    assert names == ["settings", "server", "durability", "replication", "connections", "ledger",
                     "scales", "clock", "disk", "secrets", "files"]  # fmt: skip


def test_the_doctor_says_where_the_ledger_is_but_not_how_to_get_in(said, moved, safe, monkeypatch):
    """The URL is shown without its password; settings that hold one must not be for all to read."""
    folder, url = moved
    with_password = url.replace("seamline@", "seamline:top-secret@")
    furnish(folder, SETTINGS.replace("sqlite:///seamline.db", with_password))
    (folder / "seamline.toml").chmod(0o644)
    code, out, _ = said("doctor")
    assert code == 1
    assert "top-secret" not in out
    assert f'"{url}"' in out
    assert "seamline.toml  holds a secret" in lines(out, "fail")[0]


def test_a_transaction_from_the_future_fails(said, moved):
    """A clock behind the newest transaction fails."""
    with psycopg.connect(moved[1]) as db:
        db.execute("UPDATE transactions SET created_ms = created_ms + 3600000")
    code, out, _ = said("doctor")
    assert code == 1
    assert "s in the future; set this machine's clock" in lines(out, "fail")[0]


def test_a_changed_scale_fails(said, moved):
    """A currency whose scale is not the stored one fails: its units would mean other amounts."""
    with psycopg.connect(moved[1]) as db:
        db.execute("UPDATE currencies SET scale = 4 WHERE code = 'USD'")
    code, out, _ = said("doctor")
    assert code == 1
    assert "USD is stored with scale 4" in lines(out, "fail")[0]


def test_an_empty_database_is_only_warned_of(said, shop, safe, monkeypatch):
    """Before the first start there is no ledger, and the doctor makes none."""
    url = safe.create_database()
    monkeypatch.setenv("SEAMLINE_STORE__URL", url)
    code, out, _ = said("doctor")
    assert code == 0
    (line,) = lines(out, "warn")
    assert line.endswith(f"none in {url} yet; `seamline serve` makes it")
    with psycopg.connect(url) as db:
        assert not db.execute("SELECT FROM pg_tables WHERE schemaname = 'public'").fetchall()


@pytest.mark.parametrize(
    ("check", "changes", "level", "words"),
    [
        (asked._durability, {}, "ok", "synchronous_commit=on"),
        (asked._durability, {"fsync": "off"}, "fail", "fsync is off"),
        (asked._durability, {"full_page_writes": "off"}, "warn", "full_page_writes is off"),
        (asked._replication, {}, "ok", "on this server only"),
        (
            asked._replication,
            {"synchronous_standby_names": "ANY 1 (a, b)", "synchronous": 2},
            "ok",
            "2 synchronous standby(s), of ANY 1 (a, b)",
        ),
        (
            asked._replication,
            {"synchronous_standby_names": "a"},
            "warn",
            "commits wait for a, and none of them is to be seen",
        ),
        (
            asked._replication,
            {"synchronous_standby_names": "a", "synchronous_commit": "local"},
            "warn",
            "waits for no standby",
        ),
        (asked._connections, {"connections": 80}, "ok", "80 of 100 in use"),
        (asked._connections, {"connections": 81}, "warn", "raise max_connections"),
    ],
)
def test_facts_are_judged(check, changes, level, words):
    """What could lose a commit fails or is a warning, and so is a server that is nearly full."""
    found = check(msgspec.structs.replace(WELL, **changes))
    assert found.level == level
    assert words in found.text


def test_standbys_are_counted(safe, said, moved):
    """A server that waits for standbys which are not there is told from one with none."""
    with safe.connect() as db:
        db.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        db.execute("SELECT pg_reload_conf()")
    try:
        code, out, _ = said("doctor")
    finally:
        with safe.connect(options="-csynchronous_commit=local") as db:
            db.execute("ALTER SYSTEM RESET synchronous_standby_names")
            db.execute("SELECT pg_reload_conf()")
    assert code == 0
    assert "commits wait for nobody" in lines(out, "warn")[0]
