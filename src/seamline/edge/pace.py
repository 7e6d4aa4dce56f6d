"""How often one player may ask: a window that slides, in memory."""

from __future__ import annotations

from collections import deque


class Pace:
    """At most so many commands of one player in so many milliseconds.

    Who has asked nothing for a whole window is forgotten.
    """

    def __init__(self, commands: int, span_ms: int) -> None:
        self._commands = commands
        self._span_ms = span_ms
        self._asked: dict[str, deque[int]] = {}
        self._swept_ms = 0

    def admits(self, who: str, now_ms: int) -> bool:
        """Whether one more may be asked now; if so, it is counted."""
        self._sweep(now_ms)
        asked = self._asked.setdefault(who, deque())
        while asked and asked[0] <= now_ms - self._span_ms:
            asked.popleft()
        if len(asked) >= self._commands:
            return False
        asked.append(now_ms)
        return True

    def _sweep(self, now_ms: int) -> None:
        if now_ms - self._swept_ms < self._span_ms:
            return
        self._swept_ms = now_ms
        gone = [who for who, asked in self._asked.items() if asked[-1] <= now_ms - self._span_ms]
        for who in gone:
            del self._asked[who]
