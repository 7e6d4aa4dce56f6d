"""Several workers on one port: replaced when they die, stopped together, never left alone."""

import os
import re
import signal
import subprocess
import time

import pytest

from kit.crew import REFUSAL, Crew, answer, is_alive
from kit.program import wait_for
from seamline.cli.supervisor import pause_s

ALL = (0, 1, 2)


@pytest.fixture
def crew(tmp_path):
    """Three workers that are ready."""
    with Crew(tmp_path) as made:
        made.ready()
        yield made


# While it runs.


def test_all_answer_on_one_port(crew):
    """While the others are busy each worker takes a caller of the one port."""
    lines = []
    for count in range(1, 4):
        lines.append(crew.asks("/stuck"))
        crew.wait_for("holds", count)
    crew.set("released")
    answers = [answer(line) for line in lines]
    assert sorted(answers) == [(number, crew.pid(number)) for number in ALL]


def test_they_start_one_after_the_other(crew):
    """A worker begins when the one before it is ready, so that the first can prepare the store."""
    assert [line["worker"] for line in crew.told("begins")] == [0, 1, 2]
    assert len(crew.told("workers_ready")) == 1


def test_a_worker_that_is_killed_is_replaced_at_once(crew):
    """After kill -9 of one the others answer everybody, and soon there are as many as before."""
    killed = crew.pid(1)
    os.kill(killed, signal.SIGKILL)
    (end,) = crew.wait_for("worker_ended")
    assert (end["worker"], end["signal"], end["rest_s"]) == (1, 9, 0.0)
    crew.wait_for("begins", 2, worker=1)
    assert crew.pid(1) != killed
    for _ in range(50):
        assert crew.who()[1] != killed
    assert answer(crew.asks("/who", 1)) == (1, crew.pid(1))
    assert len(crew.told("begins")) == 4


def test_the_callers_of_a_dead_worker_wait_for_the_next(crew):
    """A worker's own address stays bound while nobody is there: the next one takes who called."""
    crew.set("hung-2")
    os.kill(crew.pid(2), signal.SIGKILL)
    crew.wait_for("begins", 2, worker=2)
    line = crew.asks("/who", 2)
    crew.unset("hung-2")
    assert answer(line) == (2, crew.pid(2))


def test_a_worker_that_is_asked_to_stop_is_replaced(crew):
    """SIGTERM to one worker lets it finish what it has begun; then another takes its place."""
    (line,) = crew.hold(1)
    asked = crew.pid(1)
    os.kill(asked, signal.SIGTERM)
    os.kill(asked, signal.SIGTERM)
    wait_for(lambda: crew.who() and not crew.told("drained"))
    crew.set("released")
    assert answer(line) == (1, asked)
    (end,) = crew.wait_for("worker_ended")
    assert (end["worker"], end["exit_code"]) == (1, 0)
    crew.wait_for("begins", 2, worker=1)


def test_workers_that_die_again_and_again_get_longer_pauses(crew):
    """What keeps a worker from starting later is waited for, with longer and longer pauses."""
    crew.set("refused-0")
    os.kill(crew.pid(0), signal.SIGKILL)
    ends = crew.wait_for("worker_ended", 4, worker=0)
    assert [end["rest_s"] for end in ends] == [0.0, 0.5, 1.0, 2.0]
    assert [end.get("exit_code") for end in ends] == [None, 2, 2, 2]
    assert crew.process.poll() is None
    assert crew.who()[0] in {1, 2}
    crew.unset("refused-0")
    crew.wait_for("begins", 5, worker=0)
    assert answer(crew.asks("/who", 0)) == (0, crew.pid(0))


def test_pauses_are_bounded():
    """The first replacement comes at once; no pause is longer than the bound, however many."""
    pauses = [pause_s(lives) for lives in range(2_000)]
    assert pauses[:4] == [0.0, 0.0, 0.5, 1.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 10.0


def test_every_line_of_a_worker_has_its_number(crew):
    """Lines of the log that a worker writes carry its number, those of the supervisor none."""
    assert {line.get("worker") for line in crew.told("begins")} == set(ALL)
    assert ["worker" in line for line in (*crew.told("bound"), *crew.told("workers_ready"))] == [
        False, False,
    ]  # fmt: skip


# The first start.


@pytest.mark.parametrize("number", ALL)
def test_what_keeps_one_from_starting_ends_all(tmp_path, number):
    """A worker that cannot start at first ends the whole, with one message and its exit code."""
    with Crew(tmp_path) as crew:
        crew.set(f"refused-{number}")
        assert crew.ended() == 2
        assert crew.written().count(REFUSAL) == 1
        assert len(crew.told("begins")) == number + 1
        assert not [line for line in crew.told("begins") if is_alive(line["pid"])]
        assert crew.refuses()


def test_a_worker_that_is_killed_at_first_ends_all(tmp_path):
    """Of a worker that could say nothing it is said that a signal ended it."""
    with Crew(tmp_path) as crew:
        crew.set("killed-1")
        assert crew.ended() == 1
        (line,) = crew.told("worker_not_started")
        assert (line["worker"], line["signal"]) == (1, 9)


def test_a_fault_of_the_program_is_told(tmp_path):
    """A worker that fails as nobody expected leaves a traceback and ends the whole."""
    with Crew(tmp_path, drain_s="no number") as crew:
        assert crew.ended() == 1
        assert "Traceback" in crew.written()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_does_not_wait_for_a_start(tmp_path, number):
    """A signal to all while a worker hangs at its start ends all at once, with exit code 0."""
    with Crew(tmp_path) as crew:
        crew.set("hung-1")
        crew.wait_for("begins", worker=1)
        before = time.monotonic()
        crew.signal_all(number)
        assert crew.ended() == 0
        assert time.monotonic() - before < 10.0
        assert "Traceback" not in crew.written()
        assert not [line for line in crew.told("begins") if is_alive(line["pid"])]


def test_a_stop_may_reach_the_starting_worker_first(tmp_path):
    """SIGTERM that ends a worker at its first start is a stop of all, with exit code 0.

    A service manager sends it to all processes, in any order.
    """
    with Crew(tmp_path) as crew:
        crew.set("hung-1")
        (begun,) = crew.wait_for("begins", worker=1)
        os.kill(begun["pid"], signal.SIGTERM)
        assert crew.ended() == 0
        assert crew.refuses()


def test_ctrl_c_is_the_supervisors_affair(tmp_path):
    """A worker that Ctrl-C reaches while it starts goes on: it is told by the supervisor."""
    with Crew(tmp_path) as crew:
        crew.set("hung-1")
        (begun,) = crew.wait_for("begins", worker=1)
        os.kill(begun["pid"], signal.SIGINT)
        crew.unset("hung-1")
        assert crew.ready()[1] == begun["pid"]


# The end.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("to", ["the supervisor", "all"])
def test_a_stop_finishes_what_was_begun(crew, to, number):
    """One signal, to the supervisor or to all at once: begun answers come, newcomers are refused.

    A terminal and a service manager signal every process, and the supervisor passes it on as well.
    """
    lines = crew.hold(*ALL)
    pids = [crew.pid(each) for each in ALL]
    (crew.process.send_signal if to == "the supervisor" else crew.signal_all)(number)
    wait_for(crew.refuses)
    with pytest.raises(subprocess.TimeoutExpired):
        crew.process.wait(0.5)
    assert all(map(is_alive, pids))
    crew.set("released")
    assert [answer(line) for line in lines] == list(zip(ALL, pids, strict=True))
    assert crew.ended() == 0
    assert len(crew.told("drained")) == 3
    assert not [pid for pid in pids if is_alive(pid)]
    assert "Traceback" not in crew.written()
    assert not crew.told("worker_ended")


@pytest.mark.parametrize("to", ["the supervisor", "all"])
def test_a_second_signal_stops_waiting(crew, to):
    """Who is told twice waits for no answer any more."""
    lines = crew.hold(*ALL)
    send = crew.process.send_signal if to == "the supervisor" else crew.signal_all
    send(signal.SIGTERM)
    wait_for(crew.refuses)
    before = time.monotonic()
    send(signal.SIGTERM)
    assert crew.ended() == 0
    assert time.monotonic() - before < 10.0
    for line in lines:
        line.close()


def test_who_is_cut_off_shows_in_the_exit_code(crew):
    """A worker that dies while it finishes what it has begun makes the exit code 1."""
    (line,) = crew.hold(1)
    crew.process.terminate()
    wait_for(crew.refuses)
    os.kill(crew.pid(1), signal.SIGKILL)
    assert crew.ended() == 1
    (cut,) = crew.told("worker_cut_off")
    assert (cut["worker"], cut["signal"]) == (1, 9)
    line.close()


def test_workers_outlive_no_supervisor(crew):
    """After kill -9 of the supervisor each worker finishes what it has begun, and leaves the port.

    None of them waits for another one to end first, also when some of them were replaced.
    """
    for number in (2, 0):
        os.kill(crew.pid(number), signal.SIGKILL)
        crew.wait_for("begins", 2, worker=number)
        assert answer(crew.asks("/who", number)) == (number, crew.pid(number))
    pids = [crew.pid(number) for number in ALL]
    (held,) = crew.hold(0)
    crew.process.kill()
    wait_for(lambda: not any(map(is_alive, pids[1:])))
    assert is_alive(pids[0])
    crew.set("released")
    assert answer(held) == (0, pids[0])
    wait_for(lambda: not is_alive(pids[0]))
    assert crew.refuses()
    assert len(re.findall('"drained"', crew.written())) == 3


def test_a_worker_without_a_supervisor_does_not_wait_for_ever(tmp_path):
    """After kill -9 of the supervisor an answer that never comes holds the port for one drain."""
    with Crew(tmp_path, drain_s=1.0) as crew:
        pids = crew.ready()
        (held,) = crew.hold(2)
        crew.process.kill()
        wait_for(lambda: not any(map(is_alive, pids)))
        held.close()
