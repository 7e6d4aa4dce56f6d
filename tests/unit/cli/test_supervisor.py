"""The supervisor where no process can be started. tests/e2e has its life as a whole."""

import errno
import os
import time
from socket import socketpair

import pytest

from seamline.cli.supervisor import FIRST_PAUSE_S, Supervisor


@pytest.fixture
def full(monkeypatch):
    """A machine on which nothing can be started."""

    def fork():
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)


def test_no_process_at_the_start_is_a_failure(full):
    """When not even the first worker can be started, the supervisor says why and ends."""
    with pytest.raises(OSError, match="temporarily unavailable"):
        Supervisor(lambda *_: 0, 2).run()


def test_no_process_later_is_a_reason_to_wait(full):
    """A worker that cannot be replaced now is replaced later, after longer and longer pauses."""
    supervisor = Supervisor(lambda *_: 0, 1)
    place = supervisor._places[0]
    ours, theirs = socketpair()
    with ours, theirs, supervisor._signals:
        place.filled(1, ours)
        place.ready()
        place.empty()
        for pause_s in (FIRST_PAUSE_S, 2 * FIRST_PAUSE_S):
            place.due_at_s = 0.0
            before = time.monotonic()
            supervisor._fill_places()
            assert before + pause_s <= place.due_at_s <= time.monotonic() + pause_s
            assert 0 < supervisor._patience_s() <= pause_s
