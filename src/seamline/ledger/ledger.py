"""`Ledger.apply`: the only door to money. Commands queue, are decided in batches, and are answered.

One commit serves a whole batch (group commit): while it is written, the next batch gathers. An
outcome is handed back only after COMMIT has returned, so what was answered is durable.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from seamline.ledger.rows import Terms
from seamline.ledger.rules import decide
from seamline.ledger.store import StoreUnavailable, Writer
from seamline.wallet import Command, Outcome, Rejected, Rejection

ResultT = TypeVar("ResultT")

BUSY = Rejected(why=Rejection.BUSY, detail="the queue is full")
CLOSING = Rejected(why=Rejection.BUSY, detail="the gateway is stopping")


def clock_ms() -> int:
    """The time of day in Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Flow(msgspec.Struct):
    """Figures of the door since start, for `/metrics`."""

    batches: int = 0
    commands: int = 0
    busy: int = 0
    unavailable: int = 0
    faults: int = 0
    #: `sizes[n]`: batches of at most 2**n commands.
    sizes: list[int] = msgspec.field(default_factory=lambda: [0] * 16)


class Ledger:
    """The door. Used from one event loop; the writing happens in one thread of its own."""

    def __init__(
        self,
        writer: Writer,
        terms: Mapping[str, Terms],
        *,
        queue_limit: int = 10_000,
        batch_limit: int = 256,
        clock: Callable[[], int] = clock_ms,
    ) -> None:
        self._writer = writer
        self.terms = terms
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._clock = clock
        self._now_ms = writer.newest_ms()
        self._commands: deque[tuple[Command, asyncio.Future[Outcome]]] = deque()
        self._errands: deque[Callable[[], None]] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
        self._thread.start()
        self.flow = Flow()

    @property
    def waiting(self) -> int:
        """How many commands are queued."""
        return len(self._commands)

    async def apply(self, command: Command) -> Outcome:
        """Decide the command, exactly once per key, and answer when that is durable.

        A full queue refuses at once with `BUSY`, a store that cannot be written with `UNAVAILABLE`;
        no money moved in either case. A fault of the program raises, and moved none either.
        """
        if self._closing:
            return CLOSING
        if len(self._commands) >= self._queue_limit:
            self.flow.busy += 1
            return BUSY
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._commands.append((command, future))
        self._wake.set()
        return await future

    async def run(self, errand: Callable[[Writer, int], ResultT]) -> ResultT:
        """Run *errand(writer, now_ms)* in a write transaction of its own, between two batches."""
        future: asyncio.Future[ResultT] = self._loop.create_future()

        def work() -> None:
            try:
                with self._writer.transaction():
                    result = errand(self._writer, self._now())
                settle: Callable[[], None] = partial(future.set_result, result)
            except Exception as error:  # noqa: BLE001 - handed to whoever waits
                settle = partial(future.set_exception, error)
            self._loop.call_soon_threadsafe(_unless_gone, future, settle)

        self._errands.append(work)
        self._wake.set()
        return await future

    async def close(self) -> None:
        """Refuse what is new, finish what was accepted, then stop the thread."""
        self._closing = True
        self._wake.set()
        await asyncio.to_thread(self._thread.join)

    # What follows runs in the writer's thread.

    def _work(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._commands or self._errands:
                if self._errands:
                    self._errands.popleft()()
                if self._commands:
                    self._turn()
            if self._closing and not self._commands:
                return

    def _turn(self) -> None:
        """Decide one batch and answer it."""
        size = min(len(self._commands), self._batch_limit)
        batch = [self._commands.popleft() for _ in range(size)]
        self.flow.batches += 1
        self.flow.commands += size
        self.flow.sizes[(size - 1).bit_length()] += 1
        outcomes = self._settle_or_say_why([command for command, _ in batch])
        self._loop.call_soon_threadsafe(_answer, [future for _, future in batch], outcomes)

    def _settle_or_say_why(self, commands: Sequence[Command]) -> Sequence[Outcome | Exception]:
        """The outcomes of a batch. One command's fault must not take the others down with it."""
        try:
            return self._settle(commands)
        except StoreUnavailable as error:
            self.flow.unavailable += len(commands)
            away = Rejected(why=Rejection.UNAVAILABLE, detail=str(error))
            return [away] * len(commands)
        except Exception as fault:  # noqa: BLE001 - the batch is rolled back; each is told
            if len(commands) == 1:
                self.flow.faults += 1
                return [fault]
            return [self._settle_or_say_why([command])[0] for command in commands]

    def _settle(self, commands: Sequence[Command]) -> Sequence[Outcome]:
        """Load, decide, write: one transaction."""
        writer, terms = self._writer, self.terms
        with writer.transaction():
            book = writer.load(commands, terms, self._now())
            outcomes = []
            for command in commands:
                view = book.view(command, terms[command.integration])
                outcomes.append(book.post(command, view, decide(command, view)))
            writer.write(book)
        return outcomes

    def _now(self) -> int:
        """The time, which for the ledger never goes back."""
        self._now_ms = max(self._clock(), self._now_ms)
        return self._now_ms


def _answer(
    futures: Sequence[asyncio.Future[Outcome]], outcomes: Sequence[Outcome | Exception]
) -> None:
    """Wake everybody who waits for a batch; who went away meanwhile gets the answer by retrying."""
    for future, outcome in zip(futures, outcomes, strict=True):
        if isinstance(outcome, Exception):
            _unless_gone(future, partial(future.set_exception, outcome))
        elif not future.done():
            future.set_result(outcome)


def _unless_gone(future: asyncio.Future[ResultT], settle: Callable[[], None]) -> None:
    """Settle a future unless its waiter was cancelled."""
    if not future.done():
        settle()
