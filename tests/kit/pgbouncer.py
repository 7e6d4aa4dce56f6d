"""PgBouncer before a server, with the settings of `deploy/pgbouncer/pgbouncer.ini`.

It is in no wheel of PyPI. Where the machine has none, Debian's package is fetched and unpacked into
the environment of the tests, which needs neither root nor an installation.
"""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg

from kit.postgres import ADMIN
from kit.processes import (
    PATIENCE_S,
    free_port,
    freeze,
    kill,
    launch,
    own_folder,
    tail,
    thaw,
    wait_for,
    write_private,
)

SHIPPED = Path(__file__).parents[2] / "deploy" / "pgbouncer" / "pgbouncer.ini"
PASSWORD = "password-of-the-pooler"
#: Debian's place for it is not on everybody's path.
POSSIBLE = "/usr/sbin:/usr/local/sbin"
UNPACKED = Path(sys.prefix) / "pgbouncer"
NONE = (
    "PgBouncer is not on this machine, and Debian's package could not be fetched. Install it "
    "(apt-get install pgbouncer, or your system's way) and run the tests again. What went wrong: "
)


def program():
    """PgBouncer's program, and the folders with libraries that the machine does not have."""
    installed = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:{POSSIBLE}")
    if installed is not None:
        return Path(installed), ()
    if not UNPACKED.exists():
        _fetch()
    return UNPACKED / "usr/sbin/pgbouncer", tuple(UNPACKED.glob("usr/lib/*-linux-*"))


def _fetch():
    """Unpack Debian's package, and what it needs and the machine lacks, where it is looked for."""
    with tempfile.TemporaryDirectory(dir=UNPACKED.parent, prefix="pgbouncer-") as name:
        folder, unpacked = Path(name), Path(name) / "unpacked"
        _download("pgbouncer", folder)
        needed = _output(["dpkg", "-f", next(folder.glob("pgbouncer_*.deb")), "Depends"], folder)
        for library in re.findall(r"\blib[\w.+-]+", needed):
            if not _is_installed(library):
                _download(library, folder)
        for package in folder.glob("*.deb"):
            _output(["dpkg", "-x", package, unpacked], folder)
        # Another worker may have been first: its copy is as good.
        if not UNPACKED.exists():
            unpacked.rename(UNPACKED)


def _download(package, folder):
    """Fetch a package with the machine's lists, or with new ones in that folder."""
    assert shutil.which("apt-get"), f"{NONE}there is no apt-get."
    command = ["apt-get", "download", package]
    if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0:
        return
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    own = ["-o", f"Dir::State::Lists={folder}/lists", "-o", f"Dir::Cache={folder}"]
    _output(["apt-get", *own, "update"], folder)
    _output(["apt-get", *own, "download", package], folder)


def _is_installed(package):
    status = ["dpkg-query", "-W", "-f", "${Status}", package]
    return b" installed" in subprocess.run(status, capture_output=True, check=False).stdout


def _output(command, folder):
    """What a program writes; that it ends well is needed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{NONE}{' '.join(map(str, command))}: {done.stderr}"
    return done.stdout


@contextmanager
def pgbouncer(server, **settings):
    """A pooler before that server while the block runs, in transaction mode."""
    with own_folder() as folder:
        pooler = Pooler(server, folder, settings)
        try:
            pooler.start()
            yield pooler
        finally:
            pooler.stop()


class Pooler:
    """One PgBouncer: every database of its server, over a few connections."""

    def __init__(self, server, folder, settings):
        self.port, self.log = free_port(), folder / "log"
        self._settings, self.process = folder / "pgbouncer.ini", None
        self._frozen = []
        write_private(folder / "users", f'"{ADMIN}" "{PASSWORD}"\n')
        write_private(self._settings, self._text(server, folder / "users", settings))

    def _text(self, server, users, settings):
        """The shipped settings with addresses of here, and what a test wants otherwise."""
        shipped = configparser.ConfigParser(interpolation=None)
        shipped.read_string(SHIPPED.read_text())
        places = {"listen_port": self.port, "auth_file": users}
        here = {**shipped["pgbouncer"], **places, **settings}
        lines = [f"{name} = {value}" for name, value in here.items()]
        databases = f"[databases]\n* = host=127.0.0.1 port={server.port}\n"
        return "\n".join([databases, "[pgbouncer]", *lines, ""])

    def start(self):
        """Start the pooler; it takes connections when this returns."""
        binary, libraries = program()
        env = {"LD_LIBRARY_PATH": ":".join(map(str, libraries))} if libraries else {}
        self.process = launch([binary, self._settings], self.log, **env)
        wait_for(self.answers)

    def answers(self):
        """Whether queries are answered through the pooler; it must at least be running."""
        code = self.process.poll()
        assert code is None, f"PgBouncer ended with {code}:\n{tail(self.log)}"
        try:
            with psycopg.connect(self.url(), connect_timeout=5) as client:
                client.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def stop(self):
        """End the pooler, and with it every connection through it."""
        if self.process is not None:
            kill(self.process.pid)
            self.process.wait(PATIENCE_S)

    def freeze(self):
        """Halt the pooler: it holds its connections and says nothing."""
        self._frozen = freeze(self.process.pid)

    def thaw(self):
        """Let a halted pooler go on."""
        thaw(self._frozen)
        self._frozen = []

    def url(self, database="postgres"):
        """Where a database of the server is found through the pooler."""
        return f"postgresql://{ADMIN}:{PASSWORD}@127.0.0.1:{self.port}/{database}"
