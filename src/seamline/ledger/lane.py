"""A lane of the ledger: commands queue, are decided batch by batch, and are answered.

One commit serves a whole batch (group commit): while it is written, the next batch gathers, and
where a batch has a price of its own, for a moment longer. An outcome is handed back only after
COMMIT has returned, so what was answered is durable.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import compress, islice
from typing import TypeVar

import msgspec
import structlog

from seamline.ledger.book import Book
from seamline.ledger.keys import overdue_of
from seamline.ledger.patience import Patience
from seamline.ledger.rows import Terms
from seamline.ledger.rules import decide
from seamline.ledger.store import Held, StoreUnavailable, Writer
from seamline.wallet import Applied, Command, Kind, Outcome, Rejected, Rejection

ResultT = TypeVar("ResultT")

_LOG = structlog.get_logger("seamline.ledger")

OVERDUE = Rejected(why=Rejection.OVERDUE, detail="the store did not answer in time")
STALLED = Rejected(why=Rejection.UNAVAILABLE, detail="the store does not answer")
CLOSING = Rejected(why=Rejection.BUSY, detail="the gateway is stopping")

#: How long what is owed waits for a store that is away, while nothing else comes.
REST_MS = 1_000

#: The longest that a batch waits for those who were answered with the last one.
LINGER_MS = 5

#: For how long a refund that is owed is tried again although it fails.
FAULTY_MS = 60_000

Waiter = tuple[Command, asyncio.Future[Outcome]]

#: What is to be done, and what refuses it where nobody will.
Errand = tuple[Callable[[], Awaitable[None]], Callable[[StoreUnavailable], None]]


class Debt(msgspec.Struct):
    """A refund that is owed, and since when trying it fails, by the loop's clock."""

    refund: Command
    fails_since_ms: int | None = None


class Flow(msgspec.Struct):
    """Figures of the door since start, for `/metrics`."""

    batches: int = 0
    commands: int = 0
    busy: int = 0
    unavailable: int = 0
    overdue: int = 0
    faults: int = 0
    #: `sizes[n]`: batches of at most 2**n commands.
    sizes: list[int] = msgspec.field(default_factory=lambda: [0] * 16)

    def note(self, size: int) -> None:
        """Count a batch of so many commands."""
        self.batches += 1
        self.commands += size
        self.sizes[min((size - 1).bit_length(), len(self.sizes) - 1)] += 1


class Tempo(msgspec.Struct):
    """How a lane goes: commands per batch, how long they wait, and its clock.

    Who queues behind a batch is refused after `patience_ms`: that moved nothing. Who is in it is
    told after `deadline_ms` that there is no outcome yet.
    """

    batch_limit: int
    patience_ms: int
    deadline_ms: int
    clock: Callable[[], int]


class Lane:
    """One task that takes turns: a batch of commands, or an errand, in a transaction each."""

    def __init__(
        self, writer: Writer, terms: Mapping[str, Terms], tempo: Tempo, flow: Flow
    ) -> None:
        self._writer = writer
        self._terms = terms
        self._tempo = tempo
        self._flow = flow
        self._stalled = False
        self._commands: deque[Waiter] = deque()
        self._under_way: Sequence[Waiter] = ()
        self._owed: list[Debt] = []
        self._errands: deque[Errand] = deque()
        self._filled = asyncio.Event()
        #: How many commands are waited for, and whether as many came the last time.
        self._expected = 1
        self._all_came = False
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._work(), name="ledger")
        self._task.add_done_callback(self._ended)

    @property
    def waiting(self) -> int:
        """How many commands are queued."""
        return len(self._commands)

    @property
    def closed(self) -> bool:
        """Whether nothing is taken any more."""
        return self._closing

    @property
    def failed(self) -> bool:
        """Whether its task has ended by a fault: only a new process takes anything again."""
        task = self._task
        return task.done() and not task.cancelled() and task.exception() is not None

    async def apply(self, command: Command) -> Outcome:
        """Queue the command and wait for its outcome. A store that hangs refuses at once."""
        if self._stalled:
            self._flow.unavailable += 1
            return STALLED
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._commands.append((command, future))
        if len(self._commands) >= self._expected:
            self._filled.set()
        return await future

    async def run(self, errand: Callable[[Writer, int], ResultT]) -> ResultT:
        """Run *errand(writer, now_ms)* in a transaction of its own, between two batches."""
        future: asyncio.Future[ResultT] = self._loop.create_future()

        async def work() -> None:
            try:
                now = self._tempo.clock
                result = await self._writer.transact(lambda: errand(self._writer, now()))
                settle: Callable[[], None] = partial(future.set_result, result)
            except Exception as error:  # noqa: BLE001 - handed to whoever waits
                settle = partial(future.set_exception, error)
            _unless_gone(future, settle)

        def refuse(error: StoreUnavailable) -> None:
            _unless_gone(future, partial(future.set_exception, error))

        self._errands.append((work, refuse))
        self._filled.set()
        return await future

    async def close(self) -> None:
        """Refuse what is new, finish what was accepted, then stop."""
        self._closing = True
        self._filled.set()
        await asyncio.wait((self._task,))

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Nobody may wait for a task that is no more; should it fail, everything is refused."""
        self._closing = True
        while self._commands:
            _, future = self._commands.popleft()
            _unless_gone(future, partial(future.set_result, CLOSING))
        while self._errands:
            _, refuse = self._errands.popleft()
            refuse(StoreUnavailable(CLOSING.detail))
        if self.failed:
            _LOG.critical("ledger_stopped", exc_info=task.exception())
            for _, future in self._under_way:
                _unless_gone(future, partial(future.set_result, OVERDUE))

    async def _work(self) -> None:
        while self._commands or self._errands or self._owed or not self._closing:
            if self._errands:
                with self._watch(()):
                    work, _ = self._errands.popleft()
                    await work()
            if self._commands or self._owed:
                await self._turn()
            elif not self._errands and not self._closing:
                self._filled.clear()
                await self._filled.wait()

    async def _turn(self) -> None:
        """Decide one batch and answer it. What is owed comes first."""
        debts = self._owed
        owed = [(debt.refund, self._loop.create_future()) for debt in debts]
        size = min(len(self._commands), self._tempo.batch_limit)
        asked = [self._commands.popleft() for _ in range(size)]
        self._under_way = batch = [*owed, *asked]
        self._flow.note(len(batch))
        begun_s = self._loop.time()
        with self._watch(batch) as given_up:
            outcomes = await self._settle_or_say_why([command for command, _ in batch])
        self._owed = list(compress(debts, map(self._stands, debts, outcomes)))
        if given_up:
            self._make_good(batch, outcomes)
        _answer(asked, outcomes[len(debts) :])
        if self._owed and not given_up:
            await self._rest()
            return
        if self._writer.lingers:
            await self._linger(size, self._loop.time() - begun_s)
        if self._commands:
            await self._look_ahead()

    def _stands(self, debt: Debt, outcome: Outcome | Exception) -> bool:
        """Whether a refund is owed still: the store is away, or it failed and may not next time."""
        if not isinstance(outcome, Exception):
            return _is_away(outcome)
        now_ms = round(self._loop.time() * 1000)
        debt.fails_since_ms = debt.fails_since_ms or now_ms
        if now_ms < debt.fails_since_ms + FAULTY_MS:
            return True
        _LOG.critical("refunds_not_written", keys=[debt.refund.key], exc_info=outcome)
        return False

    async def _rest(self) -> None:
        """The store is away, and something is owed: try again with what comes, or in a while."""
        if self._closing:
            _LOG.critical("refunds_not_written", keys=[each.refund.key for each in self._owed])
            self._owed.clear()
        elif not self._commands:
            self._filled.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._filled.wait(), REST_MS / 1000)

    async def _linger(self, answered: int, took_s: float) -> None:
        """Wait until as many are there as could be: those who queue, and those who were answered.

        Vendors ask again over the same few connections. Were the next batch to begin at once, they
        would go on in two halves for ever, and each pays for a batch. They are waited for as long
        as the last batch took, or a quarter of it where they did not all come the last time; never
        for longer than `LINGER_MS`.
        """
        self._expected = min(len(self._commands) + answered, self._tempo.batch_limit)
        if len(self._commands) < self._expected and not self._errands:
            self._filled.clear()
            longest_s = min(took_s if self._all_came else took_s / 4, LINGER_MS / 1000)
            watch = self._loop.call_later(longest_s, self._filled.set)
            await self._filled.wait()
            watch.cancel()
        self._all_came = len(self._commands) >= self._expected
        self._expected = 1

    async def _look_ahead(self) -> None:
        """While answers go out, let the store look for what the next batch needs."""
        named = [command for command, _ in islice(self._commands, self._tempo.batch_limit)]
        with self._watch(()):
            await self._writer.warm(named)

    @contextmanager
    def _watch(self, batch: Sequence[Waiter]) -> Iterator[list[str]]:
        """Nobody is kept waiting for a store that hangs; the list is not empty when it did."""
        given_up: list[str] = []
        deadline_s = self._tempo.deadline_ms / 1000
        watches = (
            Patience(self._tempo.patience_ms, self._turn_away),
            # The vendor's clock goes on while this process stands still.
            self._loop.call_later(deadline_s, self._give_up, batch, given_up),
        )
        try:
            yield given_up
        finally:
            for watch in watches:
                watch.cancel()
            self._stalled = False

    def _turn_away(self) -> None:
        """Take nothing more until the store answers, and refuse what queues: it was not begun."""
        self._stalled = True
        _LOG.error("store_does_not_answer", queued=len(self._commands))
        self._refuse_queued()

    def _refuse_queued(self) -> None:
        """Who waited behind others for nothing is not to wait again with the next ones."""
        while self._commands:
            _, future = self._commands.popleft()
            self._flow.unavailable += 1
            _unless_gone(future, partial(future.set_result, STALLED))

    def _give_up(self, batch: Sequence[Waiter], given_up: list[str]) -> None:
        """Tell who is in the batch that there is no outcome yet; it may still come.

        The bets that are ours to undo are named: nothing else tells of them if the gateway is
        killed.
        """
        self._turn_away()
        self._flow.overdue += len(batch)
        undone = (command for command, _ in batch if self._is_ours_to_undo(command))
        bets = [f"{command.integration} {command.key}" for command in undone]
        _LOG.error("batch_overdue", commands=len(batch), bets=bets)
        given_up.extend(command.key or "" for command, _ in batch)
        for _, future in batch:
            _unless_gone(future, partial(future.set_result, OVERDUE))

    def _make_good(self, batch: Sequence[Waiter], outcomes: Sequence[Outcome | Exception]) -> None:
        """Undo bets that came through after their vendors were told otherwise, where it is ours to.

        The refunds come before whatever else is decided, until they are written. Should the gateway
        be killed before that, the vendor's own repeat of the bet meets the bet: a store that hangs
        cannot keep a note either. Who runs the gateway finds the bets in the log.
        """
        for (command, _), outcome in zip(batch, outcomes, strict=True):
            if self._is_ours_to_undo(command) and isinstance(outcome, Applied):
                refund = msgspec.structs.replace(
                    command,
                    kind=Kind.REFUND,
                    key=overdue_of(command.key or ""),
                    target=command.key,
                    amount=None,
                )
                self._owed.append(Debt(refund))

    def _is_ours_to_undo(self, command: Command) -> bool:
        """Whether nobody else undoes it should it have no outcome in time."""
        policy = self._terms[command.integration].policy
        return command.kind is Kind.BET and policy.overdue_bet == "undo"

    async def _settle_or_say_why(
        self, commands: Sequence[Command]
    ) -> Sequence[Outcome | Exception]:
        """The outcomes of a batch. One command's fault must not take the others down with it."""
        judge, begun_s = partial(self._judge, commands), self._loop.time()
        try:
            return await self._writer.settle(commands, self._terms, self._tempo.clock(), judge)
        except StoreUnavailable as error:
            if self._loop.time() - begun_s > self._tempo.patience_ms / 2_000:
                self._refuse_queued()
            self._flow.unavailable += len(commands)
            away = Rejected(why=Rejection.UNAVAILABLE, detail=str(error))
            return [away] * len(commands)
        except Held as held:
            return await self._settle_without(held, commands)
        except Exception as fault:  # noqa: BLE001 - the batch is rolled back; each is told
            if len(commands) == 1:
                self._flow.faults += 1
                return [fault]
            return [(await self._settle_or_say_why([command]))[0] for command in commands]

    async def _settle_without(
        self, held: Held, commands: Sequence[Command]
    ) -> Sequence[Outcome | Exception]:
        """The outcomes where some commands must not keep the others."""
        aside = set(map(id, held.commands))
        self._flow.unavailable += len(aside)
        away = Rejected(why=Rejection.UNAVAILABLE, detail=str(held))
        rest = [each for each in commands if id(each) not in aside]
        outcomes = iter(await self._settle_or_say_why(rest) if rest else ())
        return [away if id(each) in aside else next(outcomes) for each in commands]

    def _judge(self, commands: Sequence[Command], book: Book) -> Sequence[Outcome]:
        """Decide the commands, one after the other, each with what those before it changed."""
        outcomes = []
        for command in commands:
            view = book.view(command, self._terms[command.integration])
            outcomes.append(book.post(command, view, decide(command, view)))
        return outcomes


def _answer(batch: Sequence[Waiter], outcomes: Sequence[Outcome | Exception]) -> None:
    """Tell each its own. Who went away meanwhile gets the answer by asking again."""
    for (_, future), outcome in zip(batch, outcomes, strict=True):
        if isinstance(outcome, Exception):
            _unless_gone(future, partial(future.set_exception, outcome))
        elif not future.done():
            future.set_result(outcome)


def _is_away(outcome: Outcome | Exception) -> bool:
    """Whether nothing was decided, since the store could not be written."""
    return isinstance(outcome, Rejected) and outcome.why is Rejection.UNAVAILABLE


def _unless_gone(future: asyncio.Future[ResultT], settle: Callable[[], None]) -> None:
    """Settle a future unless its waiter was cancelled."""
    if not future.done():
        settle()
