"""A limit on how long somebody else is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: In how many parts a limit passes.
PARTS = 4


class Patience:
    """Calls *act* when *limit_ms* have passed, unless it is cancelled before.

    The time passes in parts, one after the other: however long this process itself stands still
    (its machine is paused, its processor is somebody else's), that is one part. What has answered
    meanwhile is heard before the next one is over.
    """

    def __init__(self, limit_ms: int, act: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._part_s = limit_ms / 1000 / PARTS
        self._left = PARTS
        self._act = act
        self._begin()

    def _begin(self) -> None:
        self._handle = self._loop.call_later(self._part_s, self._end)

    def _end(self) -> None:
        self._left -= 1
        if self._left:
            self._begin()
        else:
            self._act()

    def cancel(self) -> None:
        """It is waited for no longer."""
        self._handle.cancel()
