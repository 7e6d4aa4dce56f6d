"""A PostgreSQL that cannot be used stops the start with one line, which holds no password."""

import socket
import subprocess
import sys

import pytest

from kit.postgres import postgres, replica
from kit.program import SETTINGS, environ, furnish, seamline
from kit.world import CURRENCIES
from seamline.cli.stores import place_of
from seamline.ledger.postgres import migrate
from seamline.ledger.store import StoreError

SECRET = "top-secret"
COMMANDS = (["serve"], ["migrate"], ["audit"], ["backup", "copy.db"])


@pytest.fixture(scope="module")
def server():
    """A server for tests that change what others rely on."""
    with postgres(fast=True) as running:
        yield running


@pytest.fixture
def shop(tmp_path):
    """A folder with settings."""
    furnish(tmp_path, SETTINGS.replace('"sqlite:///seamline.db"', '"postgresql://db/x"'))
    return tmp_path


def refused(folder, url, words, commands=COMMANDS, *, doctor=True):
    """Each command says so in one line without the password, makes nothing, and ends with 1."""
    for command in commands:
        done = seamline(folder, *command, SEAMLINE_STORE__URL=url)
        assert (done.returncode, done.stdout) == (1, b""), done
        (line,) = [each for each in done.stderr.decode().splitlines() if _is_told(each)]
        assert words in line, line
        assert SECRET not in done.stderr.decode()
        assert "Traceback" not in done.stderr.decode()
    assert not (folder / "copy.db").exists()
    done = seamline(folder, "doctor", SEAMLINE_STORE__URL=url)
    assert SECRET not in done.stdout.decode()
    if doctor:
        assert done.returncode == 1
        assert words in done.stdout.decode()


def _is_told(line):
    """Whether a line is what a person reads, rather than the log of a gateway that starts."""
    return line.startswith("seamline: ")


def test_a_wrong_password_is_told(shop, server):
    """The user is named, the password is not."""
    url = server.create_user("teller", "right").replace("right", SECRET)
    refused(shop, url, 'password authentication failed for user "teller"')


def test_a_missing_database_is_told(shop, server):
    """A database that is not there is named."""
    refused(shop, server.url("nothing"), 'database "nothing" does not exist')


def test_nobody_at_the_port_is_told(shop):
    """A port at which nobody listens is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    refused(shop, f"postgresql://me:{SECRET}@127.0.0.1:{port}/x", f"port {port} failed")


def test_a_host_without_an_answer_is_told(shop):
    """A host that takes connections and says nothing is given up after seconds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql://me:{SECRET}@127.0.0.1:{port}/x"
        refused(shop, url, "timeout expired", [["serve"], ["audit"]])


def test_an_unknown_host_is_told(shop):
    """A host that has no address is named."""
    url = f"postgresql://me:{SECRET}@nobody.invalid/x"
    refused(shop, url, "nobody.invalid", [["serve"]])


def test_a_wrong_option_is_told(shop):
    """An option of the URL that PostgreSQL does not take is named."""
    url = f"postgresql://me:{SECRET}@127.0.0.1:1/x?sslmode=nonsense"
    refused(shop, url, 'invalid sslmode value: "nonsense"', [["serve"]])


def test_a_replica_is_told(shop, server):
    """A server that takes no writes is refused, with how to find the one that does."""
    with replica(server) as second:
        refused(shop, second.url(), "target_session_attrs=read-write")


@pytest.mark.parametrize("where", ["database", "user", "url"])
def test_commits_that_may_be_lost_are_refused(shop, server, where):
    """With synchronous_commit=off, wherever it is set, nothing starts: answered bets could go."""
    url = server.create_database(f"lax_{where}")
    if where == "database":
        server.execute("ALTER DATABASE {} SET synchronous_commit = off", "lax_database")
    elif where == "user":
        server.execute("CREATE ROLE lax SUPERUSER LOGIN")
        server.execute("ALTER ROLE lax SET synchronous_commit = off")
        url = server.url("lax_user", user="lax")
    else:
        url += "?options=-csynchronous_commit%3Doff"
    refused(shop, url, "synchronous_commit is off", [["serve"], ["migrate"]])


def test_a_user_who_may_not_write_is_told(shop, server):
    """A user without rights in the database is told what was denied."""
    url = server.create_user("guest", SECRET)
    words = "permission denied for schema public"
    refused(shop, url, words, [["serve"], ["migrate"]], doctor=False)  # The doctor only reads.


def refused_here(url, words):
    """Opening is refused with these words, in this process."""
    with pytest.raises(StoreError, match=words) as caught:
        place_of(url).open(CURRENCIES)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_too_old_is_refused(database, monkeypatch):
    """A server older than the oldest that will do is refused, with both versions."""
    monkeypatch.setattr(migrate, "OLDEST_SERVER", 990_000)
    refused_here(database, "PostgreSQL 16 is too old, expected 99 or newer")


def test_a_newer_schema_is_refused(shop, ledger_url, postgres_server):
    """A database of a newer program is refused by every command that would use it."""
    url = ledger_url
    with postgres_server.connect(url.rpartition("/")[2]) as db:
        db.execute("UPDATE schema_version SET version = 9999, oldest = 9999")
    refused(shop, url, "schema 9999, this program")


def test_a_missing_library_is_told(shop):
    """Without psycopg, which is an extra, what to install is told in one line."""
    program = "import sys; sys.modules['psycopg'] = None; from seamline.cli import main; main()"
    for command in COMMANDS:
        (line,) = python(shop, program, *command)
        assert line.endswith("install seamline[postgres]"), line
        assert SECRET not in line


def python(folder, program, *arguments):
    """What a program of Python says on standard error, in lines; it must end with 1."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=environ(SEAMLINE_STORE__URL=f"postgresql://me:{SECRET}@db/x"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr.decode().splitlines()


@pytest.mark.parametrize(
    "url", [f"postgresql://me:{SECRET}/@db/x", f"mysql://me:{SECRET}@db/x", f"postgres:{SECRET}"]
)
def test_a_wrong_url_is_a_mistake_in_the_settings(shop, url):
    """A URL of no store is refused before anything is tried, and is not repeated."""
    done = seamline(shop, "serve", SEAMLINE_STORE__URL=url)
    assert done.returncode == 2
    assert b"store.url: expected " in done.stderr
    assert SECRET.encode() not in done.stderr
