"""An open-loop driver: requests leave at a constant rate whatever the server does.

Each request has a time at which it is due, and its latency counts from then, not from when a
connection became free: a server that stalls is charged for everyone who waits. One thread, raw
sockets, one request at a time on each connection.

Run by itself: `python bench/steady.py PORT FOLDER RATE SECONDS`, with slices from bets.py.
"""

from __future__ import annotations

import itertools
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bets import read_slice

#: How long replies may still come after the last request was due.
GRACE_S = 5.0
SUCCESS = b"HTTP/1.1 200"


class Steady(msgspec.Struct, frozen=True):
    """What a constant rate met: latencies from the due time, in milliseconds.

    `lag_ms` is how late the driver itself was at worst to notice that a request was due: a large
    one says that the machine, not the server, was too slow.
    """

    asked_rate: float
    rate: float
    accepted: int
    failed: int
    unanswered: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    lag_p99_ms: float


class Driver:
    """Connections, what is due, what is on its way, and what was measured."""

    def __init__(self, port: int, connections: int) -> None:
        self.epoll = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        self.idle: deque[int] = deque()
        self.due: deque[tuple[float, bytes]] = deque()
        self.sent: dict[int, float] = {}
        self.partial: dict[int, bytes] = {}
        self.latencies: list[float] = []
        self.lags: list[float] = []
        self.failed = 0
        for _ in range(connections):
            self._connect(port)

    def run(self, requests: Iterator[bytes], rate: float, seconds: float) -> None:
        """Send *rate* requests per second for *seconds*, then wait for the last replies."""
        begun = time.perf_counter()
        total, queued = int(rate * seconds), 0
        end = begun + seconds + GRACE_S
        while (now := time.perf_counter()) < end:
            while queued < total and (at := begun + queued / rate) <= now:
                self.due.append((at, next(requests)))
                self.lags.append(now - at)
                queued += 1
            self._send_due()
            if queued == total and not self.due and not self.sent:
                return
            self._receive(begun + queued / rate if queued < total else end)

    def close(self) -> None:
        """Close every connection."""
        for each in self.sockets.values():
            each.close()
        self.epoll.close()

    def _connect(self, port: int) -> None:
        """One more idle connection."""
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self.sockets[connection.fileno()] = connection
        self.idle.append(connection.fileno())
        self.epoll.register(connection.fileno(), select.EPOLLIN)

    def _send_due(self) -> None:
        """Put what is due on idle connections; the rest waits, its clock running."""
        while self.due and self.idle:
            at, request = self.due.popleft()
            connection = self.idle.popleft()
            # A request is far smaller than an empty socket buffer: it goes out in one piece.
            self.sockets[connection].send(request)
            self.sent[connection] = at

    def _receive(self, until: float) -> None:
        """Read what has come; wait for it until the next request is due."""
        # epoll counts in milliseconds, select in microseconds: select waits on the epoll.
        wait = max(0.0, until - time.perf_counter())
        if not select.select([self.epoll], [], [], wait)[0]:
            return
        for connection, _ in self.epoll.poll(0):
            self._read(connection)

    def _read(self, connection: int) -> None:
        """One piece of a reply; when it is complete, its latency."""
        piece = self.sockets[connection].recv(65536)
        if not piece:
            raise SystemExit("the server closed a connection under constant load")
        reply = self.partial.pop(connection, b"") + piece
        if not _complete(reply):
            self.partial[connection] = reply
            return
        self.latencies.append(time.perf_counter() - self.sent.pop(connection))
        self.failed += not reply.startswith(SUCCESS)
        self.idle.append(connection)


def _complete(reply: bytes) -> bool:
    """Whether the whole body has come, by its content-length."""
    head, found, body = reply.partition(b"\r\n\r\n")
    if not found:
        return False
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    return len(body) >= int(length)


def steady(port: int, slices: Path, rate: float, seconds: float, connections: int = 64) -> Steady:
    """Drive the server at that rate; every request is sent once."""
    files = sorted(slices.iterdir(), key=lambda file: int(file.name))
    requests = itertools.chain.from_iterable(read_slice(file) for file in files)
    driver = Driver(port, connections)
    begun = time.perf_counter()
    driver.run(requests, rate, seconds)
    took = time.perf_counter() - begun
    unanswered = len(driver.sent) + len(driver.due)
    driver.close()
    times = sorted(1e3 * each for each in driver.latencies)
    return Steady(
        asked_rate=rate,
        rate=len(times) / took,
        accepted=len(times) - driver.failed,
        failed=driver.failed,
        unanswered=unanswered,
        p50_ms=quantile(times, 0.50),
        p90_ms=quantile(times, 0.90),
        p99_ms=quantile(times, 0.99),
        max_ms=times[-1] if times else 0.0,
        lag_p99_ms=1e3 * quantile(sorted(driver.lags), 0.99),
    )


def quantile(ordered: list[float], share: float) -> float:
    """The value that *share* of the values do not pass."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


if __name__ == "__main__":
    _, number, folder, per_second, time_s = sys.argv
    found = steady(int(number), Path(folder), float(per_second), float(time_s))
    print(msgspec.json.encode(found).decode())
