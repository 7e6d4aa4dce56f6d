"""`Ledger.apply`: the only door to money. Behind it commands go down lanes, to be decided there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from seamline.ledger.lane import CLOSING, Flow, Lane, Tempo
from seamline.ledger.rows import Terms
from seamline.ledger.store import StoreUnavailable, Writer
from seamline.wallet import Command, Outcome, Rejected, Rejection

ResultT = TypeVar("ResultT")

BUSY = Rejected(why=Rejection.BUSY, detail="the queue is full")


def clock_ms() -> int:
    """The time of day in Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Ledger:
    """The door. Commands about one session, or one player, go down one lane, in their order.

    A store with one writer has one lane. One that settles several batches side by side has more;
    what meets across them all the same, its locks and unique keys keep apart.
    """

    def __init__(
        self,
        writer: Writer,
        terms: Mapping[str, Terms],
        *,
        queue_limit: int = 10_000,
        batch_limit: int = 128,
        deadline_ms: int = 3_000,
        clock: Callable[[], int] = clock_ms,
    ) -> None:
        self._writer = writer
        self.terms = terms
        self.flow = Flow()
        # Who queues may see its own batch hang too, and is to hear of that in time.
        patience_ms = min(deadline_ms // 2, writer.patience_ms or deadline_ms)
        self._tempo = Tempo(batch_limit, patience_ms, deadline_ms, clock)
        self._queue_limit = queue_limit
        self._lanes = [Lane(writer, terms, self._tempo, self.flow) for _ in range(writer.lanes)]

    @property
    def waiting(self) -> int:
        """How many commands are queued."""
        return sum(lane.waiting for lane in self._lanes)

    @property
    def failed(self) -> bool:
        """Whether a lane has ended by a fault of the program: its commands are refused for good."""
        return any(lane.failed for lane in self._lanes)

    async def apply(self, command: Command) -> Outcome:
        """Decide the command, exactly once per key, and answer when that is durable.

        A full queue refuses at once with `BUSY`, a store that cannot be written with `UNAVAILABLE`;
        no money moved in either case. A fault of the program raises, and moved none either. A store
        that does not answer is `OVERDUE` to those whose outcome may still come.
        """
        lane = self._lanes[hash(_whose(command)) % len(self._lanes)]
        if lane.closed:
            return CLOSING
        if self.waiting >= self._queue_limit:
            self.flow.busy += 1
            return BUSY
        return await lane.apply(command)

    async def run(self, errand: Callable[[Writer, int], ResultT]) -> ResultT:
        """Run *errand(writer, now_ms)* in a transaction of its own, between two batches.

        Raises `StoreUnavailable` when the ledger is closing: nobody would run it any more.
        """
        lane = self._lanes[0]
        if lane.closed:
            raise StoreUnavailable(CLOSING.detail)
        return await lane.run(errand)

    async def close(self) -> None:
        """Refuse what is new, finish what was accepted, then stop."""
        self._writer.hurry()
        # Who waits for the end may be cancelled; what was accepted is finished all the same.
        await asyncio.shield(self._finish())

    async def _finish(self) -> None:
        await asyncio.gather(*(lane.close() for lane in self._lanes))
        await self._writer.release()


def _whose(command: Command) -> tuple[str, str | None]:
    """What tells best which account a command is about, without looking it up."""
    named = command.session or command.player or command.target or command.key
    return command.integration, named
