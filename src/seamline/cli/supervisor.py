"""One process that keeps others: starts them, replaces those that end, and ends with them.

The supervisor opens no ledger, runs no event loop and starts no thread, so that it can fork: a
worker is a copy of it, with the bound sockets and the settings as they were read at the start. The
two hold the ends of a line. The worker says on it when it is ready; the supervisor, when to stop. A
line that breaks tells either that the other one is gone, whatever ended it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from select import select
from socket import socket, socketpair
from types import FrameType
from typing import NoReturn

import structlog

#: What is said on the line: by a worker once, and by the supervisor once or twice. Twice, or what
#: follows, is not to wait for answers any more.
READY = b"r"
STOP = b"s"

#: A worker that was ready for so long was well; what ended it gives no reason to wait.
STEADY_S = 10.0

#: The pause after two short lives in a row; it doubles up to a bound.
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_LOG = structlog.get_logger("seamline.supervisor")

_Handler = Callable[[int, FrameType | None], object] | int | None

#: What a worker does, from its number and its end of the line to its exit code.
Work = Callable[[int, socket], int]


def pause_s(short_lives: int) -> float:
    """How long to wait after so many short lives in a row: not at all after the first."""
    if short_lives <= 1:
        return 0.0
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(short_lives - 2, 10))


class _Place:
    """A worker's place: who fills it, and when it may be filled again."""

    def __init__(self, number: int) -> None:
        self.number = number
        #: Whether a worker was ever ready here. Until then nothing is known to work.
        self.proven = False
        self.pid = 0
        self.line: socket | None = None
        self.ready_at_s: float | None = None
        self.due_at_s = 0.0
        self.short_lives = 0

    def filled(self, pid: int, line: socket) -> None:
        """A worker starts."""
        self.pid, self.line, self.ready_at_s = pid, line, None

    def ready(self) -> None:
        """The worker serves."""
        self.proven, self.ready_at_s = True, time.monotonic()

    def empty(self) -> float:
        """The worker is gone; returns the seconds until the next may start."""
        now_s, since_s = time.monotonic(), self.ready_at_s
        steady = since_s is not None and now_s - since_s >= STEADY_S
        self.short_lives = 0 if steady else self.short_lives + 1
        self.line, self.ready_at_s = None, None
        rest_s = pause_s(self.short_lives)
        self.due_at_s = now_s + rest_s
        return rest_s


class Supervisor:
    """Keeps *count* workers. The listening sockets are closed when the end begins.

    Workers are started one after the other, each when the one before it is ready. One that ends
    before that, when none was ever ready in its place, ends everything, with its exit code: what
    keeps it from starting would keep every other one, and it has said what it is. Later, whatever
    ends a worker, another one takes its place.
    """

    def __init__(self, work: Work, count: int, sockets: Sequence[socket] = ()) -> None:
        self._work = work
        self._places = [_Place(number) for number in range(count)]
        self._sockets = sockets
        self._signals = _Signals()
        self._stopping = False
        self._code = 0

    def run(self) -> int:
        """Keep the workers until SIGTERM or SIGINT, then until each has ended; the exit code."""
        with self._signals:
            while True:
                self._fill_places()
                lines = {each.line: each for each in self._places if each.line is not None}
                if self._stopping and not lines:
                    return self._code
                watched: list[_Signals | socket] = [self._signals, *lines]
                readable, _, _ = select(watched, [], [], self._patience_s())
                if self._signals in readable:
                    self._stop(self._signals.count())
                for line, place in lines.items():
                    if line in readable:
                        self._hear(place, line)

    def _fill_places(self) -> None:
        """Start the workers that are due, up to the first place that none was ever ready in."""
        for place in self._places:
            if self._stopping:
                return
            if place.line is None and place.due_at_s <= time.monotonic():
                self._fill(place)
            if not place.proven:
                return

    def _fill(self, place: _Place) -> None:
        ours, theirs = socketpair()
        try:
            pid = self._signals.fork()
        except OSError as error:
            # No memory or too many processes: at the start a reason to give up, later to wait.
            ours.close()
            theirs.close()
            if not place.proven:
                raise
            rest_s = place.empty()
            _LOG.error("worker_not_started", worker=place.number, error=str(error), rest_s=rest_s)
            return
        if not pid:
            self._become(place.number, ours, theirs)
        theirs.close()
        place.filled(pid, ours)

    def _become(self, number: int, ours: socket, theirs: socket) -> NoReturn:
        """Be the worker from here on; of the supervisor's own work nothing is run any more."""
        code = 1
        try:
            # As long as a worker held the supervisor's ends, the others would not notice its death.
            for line in (ours, *(each.line for each in self._places if each.line is not None)):
                line.close()
            code = self._work(number, theirs)
        except BaseException:  # noqa: BLE001 - the last place where it can be told
            traceback.print_exc()
        finally:
            _exit(code)

    def _patience_s(self) -> float | None:
        """How long nothing need be done unless something is heard."""
        waiting = [each.due_at_s for each in self._places if each.line is None and each.proven]
        if self._stopping or not waiting:
            return None
        return max(0.0, min(waiting) - time.monotonic())

    def _hear(self, place: _Place, line: socket) -> None:
        """The worker is ready, or gone."""
        if received(line):
            first = not place.proven
            place.ready()
            if first and all(each.proven for each in self._places):
                _LOG.info("workers_ready", workers=len(self._places))
            return
        line.close()
        _, status = os.waitpid(place.pid, 0)
        self._ended(place, os.waitstatus_to_exitcode(status))

    def _ended(self, place: _Place, code: int) -> None:
        """Fill the place again, or learn from this end what the supervisor's own is to be."""
        was_ready, rest_s = place.ready_at_s is not None, place.empty()
        how: dict[str, object] = {"signal": -code} if code < 0 else {"exit_code": code}
        if self._stopping:
            # Who was not ready was ended by our signal, and had nothing to finish.
            if code and was_ready:
                _LOG.error("worker_cut_off", worker=place.number, **how)
                self._code = self._code or 1
        elif place.proven:
            _LOG.warning("worker_ended", worker=place.number, **how, rest_s=rest_s)
        elif code == -signal.SIGTERM:
            # A service manager stops all of us at once, and our own signal is still on its way.
            _LOG.warning("worker_not_started", worker=place.number, **how)
            self._stop(1)
        else:
            if code < 0:
                _LOG.error("worker_not_started", worker=place.number, **how)
            self._code = code if code > 0 else 1
            self._stop(1)

    def _stop(self, times: int) -> None:
        """Ask all workers to stop, as often as we were asked."""
        self._stopping = True
        # The kernel refuses newcomers once nobody has the socket open any more.
        for each in self._sockets:
            each.close()
        for place in self._places:
            if place.line is None:
                continue
            # A worker that has just ended will be heard of.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                place.line.send(STOP * times)
            if place.ready_at_s is None:
                os.kill(place.pid, signal.SIGTERM)


def received(line: socket) -> bytes:
    """What was said on a line that is readable; nothing when the other end is closed."""
    try:
        return line.recv(16)
    except ConnectionResetError:  # It was closed before all that we said was read.
        return b""


def _exit(code: int) -> NoReturn:
    """End this process without what Python does at its end: that is the supervisor's to do."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


class _Signals:
    """SIGTERM and SIGINT as something that `select` waits for."""

    def __enter__(self) -> None:
        self._heard, self._written = socketpair()
        self._heard.setblocking(False)
        self._written.setblocking(False)
        # Before the handlers, which note nothing themselves.
        signal.set_wakeup_fd(self._written.fileno(), warn_on_full_buffer=False)
        self._before = {each: signal.signal(each, _noted) for each in _STOPPING}

    def __exit__(self, *_: object) -> None:
        self._forget(self._before)

    def fileno(self) -> int:
        """What `select` looks at."""
        return self._heard.fileno()

    def count(self) -> int:
        """How many have come since the last time."""
        return len(self._heard.recv(4096))

    def fork(self) -> int:
        """Fork; the new process has no part in this one's signals.

        SIGTERM ends it until it has a handler of its own. Ctrl-C reaches it as well as us: it
        ignores that, and is told by us.
        """
        with _held_back(_STOPPING):
            pid = os.fork()
            if not pid:
                self._forget({signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.SIG_IGN})
            return pid

    def _forget(self, handlers: dict[signal.Signals, _Handler]) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        self._heard.close()
        self._written.close()


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The wakeup socket has it."""


@contextlib.contextmanager
def _held_back(signals: Sequence[signal.Signals]) -> Iterator[None]:
    """Within the block these signals wait."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
