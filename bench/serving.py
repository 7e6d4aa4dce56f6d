"""Servers under test: started on a free port of the loopback, ended by the pid that was started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import msgspec

#: A server that is not up, or not down, after this long is a failed run.
PATIENCE_S = 60.0
#: The loopback is never asked for through a proxy.
DIRECT = build_opener(ProxyHandler({}))


class Running(msgspec.Struct, frozen=True):
    """A server that answers: its process, its port and how long it took to answer."""

    pid: int
    port: int
    start_s: float

    def rss_mb(self) -> float:
        """Resident memory of the process and its children now, in MiB."""
        return sum(_rss_kb(pid) for pid in _family(self.pid)) / 1024


def free_port() -> int:
    """A port of the loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_ports(count: int) -> Sequence[int]:
    """Ports of the loopback in a row, nobody listens on any of them at the moment."""
    while True:
        first = free_port()
        wanted = range(first, first + count)
        if all(map(_is_free, wanted)):
            return wanted


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


@contextmanager
def serving(
    command: Sequence[str],
    port: int,
    log: Path,
    env: Mapping[str, str] | None = None,
    health: Sequence[int] = (),
) -> Iterator[Running]:
    """The server while the block runs; afterwards it has ended, gracefully, or the run fails.

    It is up when /healthz answers on the port, or on all of the others where those are named.
    """
    begun = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **(env or {})}, stdout=output, stderr=output
        )
    try:
        for each in health or (port,):
            _await_health(process, each, log)
        yield Running(process.pid, port, time.perf_counter() - begun)
    finally:
        ended = stop(process)
    if ended not in (0, -signal.SIGTERM):
        raise SystemExit(f"{command[0]} ended with exit code {ended}:\n{tail(log)}")


def stop(process: subprocess.Popen[bytes], by: signal.Signals = signal.SIGTERM) -> int:
    """Ask the process to end and wait for it; its exit code."""
    if process.poll() is None:
        process.send_signal(by)
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def tail(log: Path, lines: int = 15) -> str:
    """The last lines that the server wrote."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _await_health(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Returns as soon as /healthz answers 200."""
    deadline = time.monotonic() + PATIENCE_S
    while not _healthy(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the server does not answer /healthz:\n{tail(log)}")
        time.sleep(0.01)


def _healthy(port: int) -> bool:
    """Whether /healthz answers 200 now."""
    try:
        with DIRECT.open(f"http://127.0.0.1:{port}/healthz", timeout=5) as reply:
            return bool(reply.status == 200)
    except (URLError, ConnectionError, TimeoutError):
        return False


def _family(pid: int) -> list[int]:
    """The process and everything below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _rss_kb(pid: int) -> int:
    """VmRSS of one process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
