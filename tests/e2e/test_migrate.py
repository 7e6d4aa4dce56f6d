"""A wallet is moved by the program as people run it, and killed while it does."""

import os
import pty
import signal
import subprocess
import sys

import pytest

from kit.program import PATIENCE_S, SETTINGS, environ, furnish, play, seamline, started, wait_for
from seamline.cli.stores import place_of
from seamline.ledger.transfer import TABLES
from seamline.money import Currencies

FILE = "sqlite:///seamline.db"
CURRENCIES = Currencies.standard()

#: The program, which dies after so many chunks, or when all is done but nobody was told.
DYING = """
import os, signal
from seamline.cli import main
from seamline.ledger import transfer
from seamline.ledger.postgres.transfer import PostgresTarget
from seamline.ledger.sqlite.transfer import SqliteTarget

transfer.CHUNK = 20
left = int(os.environ["CHUNKS"])

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def written(write, self, *given):
    global left
    write(self, *given)
    left -= 1
    if not left:
        die()

for kind in (PostgresTarget, SqliteTarget):
    kind.write = lambda self, *given, real=kind.write: written(real, self, *given)
    kind.finish = lambda self, real=kind.finish: (real(self), left > 99 and die())
main()
"""


@pytest.fixture
def shop(tmp_path):
    """A folder with settings and a ledger in which something happened."""
    furnish(tmp_path)
    play(tmp_path)
    return tmp_path


@pytest.fixture(params=["to postgres", "to sqlite"])
def road(request, shop, database):
    """A folder, where a wallet is, and where there is none."""
    if request.param == "to postgres":
        return shop, FILE, database
    there = database
    assert seamline(shop, "migrate", "--to", there).returncode == 0
    return shop, there, "sqlite:///new.db"


def rows(folder, url):
    """Everything in a store."""
    if url.startswith("sqlite:///"):
        url = f"sqlite:///{folder}/{url.removeprefix('sqlite:///')}"
    with place_of(url).source(CURRENCIES) as source:
        return {each.name: list(source.rows(each, each.lowest)) for each in TABLES}


def dying(folder, source, target, chunks):
    """Run the program that dies; its exit code."""
    done = subprocess.run(
        [sys.executable, "-c", DYING, "migrate", "--from", source, "--to", target],
        cwd=folder,
        env=environ(CHUNKS=str(chunks)),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode


def test_a_wallet_moves(road):
    """The command says what it moved, and every row is at both ends."""
    folder, source, target = road
    done = seamline(folder, "migrate", "--from", source, "--to", target)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"5 transactions" in done.stdout
    assert b"every law is kept in both" in done.stdout
    assert rows(folder, source) == rows(folder, target)


def test_a_killed_transfer_ends_the_same(road):
    """Killed every few chunks, and when all is done, the same command ends with the same rows."""
    folder, source, target = road
    deaths = 0
    while dying(folder, source, target, 4) == -signal.SIGKILL:
        deaths += 1
    assert deaths >= 3
    other = seamline(folder, "audit", "--quiet", SEAMLINE_STORE__URL=target)
    assert (other.returncode, other.stdout) == (0, b"")
    assert rows(folder, source) == rows(folder, target)


def test_a_transfer_that_nobody_saw_end_ended(road):
    """Killed when all was done, the same command finds it done."""
    folder, source, target = road
    assert dying(folder, source, target, 999) == -signal.SIGKILL
    done = seamline(folder, "migrate", "--from", source, "--to", target)
    assert done.returncode == 0, done.stderr
    assert rows(folder, source) == rows(folder, target)


def test_no_command_takes_a_part_for_a_wallet(road):
    """On a store that is not whole no gateway starts, nor audit, backup or migrate."""
    folder, source, target = road
    assert dying(folder, source, target, 4) == -signal.SIGKILL
    for command in (["serve"], ["audit"], ["migrate"], ["backup", "x.db"], ["doctor"]):
        if target.startswith("sqlite") and command[0] == "backup":
            continue  # Of a file every page is copied, and the audit of the copy refuses it.
        done = seamline(folder, *command, SEAMLINE_STORE__URL=target)
        assert done.returncode == 1
        assert b"is not whole yet: run `seamline migrate --from" in done.stderr + done.stdout


def test_a_moved_wallet_is_served(shop, database):
    """A casino that outgrew its file moves it, changes one URL, and goes on."""
    assert seamline(shop, "migrate", "--to", database).returncode == 0
    furnish(shop, SETTINGS.replace(FILE, database))
    with started(shop, "serve") as running:
        url = running.wait_for(url_of)
        wait_for(lambda: '"event": "listening"' in running.written)
        assert seamline(shop, "audit", "--quiet").returncode == 0
        assert seamline(shop, "backup", "copy.db").returncode == 0
        refused = seamline(shop, "migrate", "--to", "sqlite:///other.db")
        assert refused.returncode == 1
        assert b"gateways have the database open" in refused.stderr
        assert url
        assert running.stop(signal.SIGTERM) == 0
    assert rows(shop, "sqlite:///copy.db") == rows(shop, database)


def url_of(text):
    """Where the gateway listens, once its log says so."""
    found = text.partition('"url": "')[2].partition('"')[0]
    return found or None


def test_forged_books_are_not_moved(shop, database):
    """A wallet that is not clean stays where it is, and the target stays empty."""
    program = "import sqlite3; d = sqlite3.connect('seamline.db'); "
    program += "d.execute('UPDATE accounts SET balance = balance + 1'); d.commit()"
    subprocess.run([sys.executable, "-c", program], cwd=shop, check=True)
    done = seamline(shop, "migrate", "--to", database)
    assert done.returncode == 1
    assert b"seamline.db is not clean; nothing was moved" in done.stdout
    again = seamline(shop, "audit", SEAMLINE_STORE__URL=database)
    assert b"no ledger in the database yet" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--to", "mysql://me:pa55@db/x"], 2, b"--to: expected sqlite:///PATH or postgresql://"),
        (["--from", "sqlite:///"], 2, b"--from: expected sqlite:///PATH"),
        (["--from", FILE], 2, b"--from and --to are both seamline.db"),
        (["--from", "sqlite:///none.db"], 1, b"no ledger at none.db"),
        (["--to", "sqlite:///none/x.db"], 1, b"none: no such folder; make it first"),
    ],
)
def test_wrong_ends_are_one_line(shop, arguments, code, words):
    """An end that is of no store, not there, or both, is told in one line."""
    done = seamline(shop, "migrate", *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert b"pa55" not in done.stderr
    assert not (shop / "none.db").exists()


def test_progress_is_for_terminals(shop, database):
    """On a terminal the rows that were copied are counted."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", DYING, "migrate", "--to", database]
    with subprocess.Popen(
        command, cwd=shop, env=environ(CHUNKS="-1", TERM="xterm"), stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        written = b"".join(iter(lambda: _read(ours), b""))
        assert process.wait(PATIENCE_S) == 0
    os.close(ours)
    assert b"rows copied" in written


def _read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # The other end is closed.
        return b""
