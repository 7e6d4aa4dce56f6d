"""Work on the database told in steps: each step is one round trip, whatever makes it.

A step names the statements that go out together and is given what they found, so the same steps
serve connections that wait and those that do not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import TypeVar, cast

import msgspec

from seamline.ledger.columns import Row

ResultT = TypeVar("ResultT")


class Ask(msgspec.Struct, frozen=True):
    """A statement by its name in `queries.sql`, and what is bound to its places."""

    name: str
    bound: tuple[str | int | None, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """What a statement found, and how many rows it changed."""

    rows: Sequence[Row]
    changed: int


Steps = Generator[Sequence[Ask], Sequence[Answer], ResultT]


class Collision(Exception):
    """Another batch changed the same rows meanwhile: this one is undone and starts again."""


class Step:
    """Statements that go out together; whoever added one finds its answer when they are there."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []
        self._answers: Sequence[Answer] = ()

    def add(self, name: str, *bound: str | int | None) -> Callable[[], Sequence[Row]]:
        """One more statement; what it found is to be had once the step is made."""
        place = len(self.asks)
        self.asks.append(Ask(name, bound))
        return lambda: self._answers[place].rows

    def make(self) -> Steps[None]:
        """Go."""
        self._answers = yield self.asks


def nothing() -> Sequence[Row]:
    """What was found where nobody asked."""
    return ()


def drive(steps: Steps[ResultT], ask: Callable[[Sequence[Ask]], Sequence[Answer]]) -> ResultT:
    """Go through the steps on a connection that waits."""
    try:
        asks = next(steps)
        while True:
            asks = steps.send(ask(asks))
    except StopIteration as done:
        return cast("ResultT", done.value)


async def walk(
    steps: Steps[ResultT], ask: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer]]]
) -> ResultT:
    """Go through the steps on a connection that lets others go on meanwhile."""
    try:
        asks = next(steps)
        while True:
            asks = steps.send(await ask(asks))
    except StopIteration as done:
        return cast("ResultT", done.value)
