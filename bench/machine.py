"""Facts about the machine that numbers depend on, without names that identify it."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path


def facts(folder: Path) -> dict[str, str]:
    """Cores, memory, Python, kernel, and how often a second its disk confirms a small write."""
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{_memory_gib():.0f} GiB",
        "Python": platform.python_version(),
        "kernel": platform.release().split("-")[0],
        # Anything much above 0 says that others used the cores too.
        "load average before the run": f"{os.getloadavg()[0]:.1f}",
        "fsync": f"{fsync_rate(folder):.0f} per second (4 KiB appended, then fdatasync)",
    }


def fsync_rate(folder: Path, seconds: float = 2.0) -> float:
    """Durable 4 KiB appends per second, one after the other."""
    probe = folder / "fsync.probe"
    block, count, begun = os.urandom(4096), 0, time.perf_counter()
    with probe.open("wb", buffering=0) as file:
        while time.perf_counter() - begun < seconds:
            file.write(block)
            os.fdatasync(file.fileno())
            count += 1
    took = time.perf_counter() - begun
    probe.unlink()
    return count / took


def _memory_gib() -> float:
    """All memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
