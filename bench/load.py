"""wrk, fed with signed requests; what it saw."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

FEED = Path(__file__).with_name("feed.lua")
CONNECTIONS = 64
THREADS = 2


class Load(msgspec.Struct, frozen=True):
    """One run of wrk: what was issued, what came back and how fast.

    `failed` counts replies with a status of 400 and more, `broken` connections, `late` timeouts.
    """

    replies: int
    seconds: float
    failed: int
    broken: int
    late: int
    issued: int
    exhausted: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    statuses: Sequence[tuple[int, int]] = ()

    @property
    def accepted(self) -> int:
        """Replies that said the bet was taken."""
        return self.replies - self.failed

    @property
    def rate(self) -> float:
        """Accepted bets per second."""
        return self.accepted / self.seconds


def drive(
    port: int,
    path: str,
    slices: Path,
    seconds: float,
    *options: str,
    connections: int = CONNECTIONS,
) -> Load:
    """Send the signed requests as fast as replies come, over so many connections.

    Options are those of feed.lua: `wrap`, `statuses`. A run that ran out of requests is no run.
    """
    command = ["wrk", f"-t{THREADS}", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s"]
    command += ["-s", str(FEED), f"http://127.0.0.1:{port}{path}", "--", str(slices), *options]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    load = msgspec.json.decode(output.splitlines()[-1], type=Load)
    if load.exhausted:
        raise SystemExit(f"all {load.issued} requests were sent before the time was over")
    return load


def account_for(name: str, recorded: int, *, accepted: int, issued: int) -> None:
    """Every bet that was answered with 200 is recorded, and none that was never sent."""
    if not accepted <= recorded <= issued:
        raise SystemExit(f"{name}: {accepted} answered, {recorded} recorded, {issued} sent")
