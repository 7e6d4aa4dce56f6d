"""How a command ends when it cannot do its work."""

from __future__ import annotations


class Failure(Exception):
    """A command stops: the text is for the person who ran it, `code` is the exit code."""

    def __init__(self, text: str, *, code: int = 1) -> None:
        super().__init__(text)
        self.code = code
