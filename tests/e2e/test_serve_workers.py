"""`seamline serve --workers`: refused where it cannot work; several gateways with figures each.

Here each worker keeps a ledger of its own, so that no database server is needed.
"""

import json
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from kit.gateway import known
from kit.program import PATIENCE_S, SETTINGS, environ, furnish, seamline, started, wait_for
from kit.server import ServedByWorkers, python
from seamline.dialects.dialect import Request

#: A gateway whose workers have a ledger each, as if that were one that they share.
APART = """
import os
from pathlib import Path
from seamline.cli import assembly, main
from seamline.cli.stores import LedgerFile
from seamline.ledger.sqlite.store import SqliteStore

def open_store(settings):
    return SqliteStore(Path(f"ledger-{os.getpid()}.db"), settings.currencies)

LedgerFile.shared = True
assembly.open_store = open_store
main()
"""

NAME = min(known())


@pytest.fixture
def gateway(tmp_path):
    """Two workers that serve."""
    with ServedByWorkers(tmp_path, program=python(APART)) as made:
        yield made


def call(gateway, times):
    """Let a vendor call so often, with a signature that is wrong."""
    for _ in range(times):
        gateway.send_all(NAME, [Request("POST", "/bet", b"", (), b"{}")])


def counted(figures):
    """The calls that a worker has counted."""
    return sum(map(float, re.findall(r"^seamline_calls_total\{.*\} (\S+)$", figures, re.MULTILINE)))


# What is refused.


@pytest.mark.parametrize("how", ["option", "setting", "variable"])
def test_a_file_takes_one_process(tmp_path, how):
    """With SQLite several workers are refused in one line that names the setting and a way out."""
    text = "[server]\nops_port = 0\n" + ("workers = 2\n" if how == "setting" else "")
    furnish(tmp_path, SETTINGS.replace("[server]\n", text))
    option = ["--workers", "2"] if how == "option" else []
    variable = {"SEAMLINE_SERVER__WORKERS": "2"} if how == "variable" else {}
    done = seamline(tmp_path, "serve", *option, **variable)
    assert done.returncode == 2
    assert done.stderr == (
        b"seamline: server.workers: 2 processes cannot share the file of store.url; serve with 1, "
        b"or move to a store for many processes (postgresql://...)\n"
    )
    assert not (tmp_path / "seamline.db").exists()


def test_one_worker_is_the_gateway_itself(tmp_path):
    """With one worker, asked for on the command line, the process serves the file as ever."""
    text = SETTINGS.replace("[server]\n", "[server]\nworkers = 2\n")
    furnish(tmp_path, text)
    with started(tmp_path, "serve", "--workers", "1") as running:
        running.wait_for(lambda written: '"listening"' in written)
        (line,) = [json.loads(each) for each in running.written.splitlines() if "listening" in each]
        assert line["pid"] == running.process.pid
        assert "worker" not in line
        assert "ops_url" not in line
        assert running.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "server.workers: 2 processes need server.ops_port: each has figures of its own, "),
        (("ops_port = 65535",), "server.ops_port: 2 workers take the ports from 65535 upwards, "),
    ],
)
def test_each_worker_needs_a_port_for_its_figures(tmp_path, more, said):
    """Several workers on one port for machines are refused: a scrape would hit any of them."""
    text = "\n".join(("[server]", "workers = 2", *more, ""))
    furnish(tmp_path, SETTINGS.replace("[server]\n", text))
    done = started_apart(tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"seamline: {said}")
    assert done.stderr.count(b"\n") == 1


def test_no_workers_are_a_mistake(tmp_path):
    """At least one process must serve."""
    furnish(tmp_path)
    done = seamline(tmp_path, "serve", "--workers", "0")
    assert (done.returncode, done.stderr) == (
        2, b"seamline: --workers: expected 1 or more, got 0\n",
    )  # fmt: skip


def test_a_port_that_is_taken_is_named(tmp_path):
    """An address of any worker that is taken stops the start before anybody serves."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = f"[server]\nworkers = 2\nops_port = {port - 1}\n"
        furnish(tmp_path, SETTINGS.replace("[server]\n", text))
        done = started_apart(tmp_path)
    assert done.returncode == 1
    assert re.search(rb"seamline: cannot listen on .*; .* set server.ops_port to", done.stderr)


def test_a_store_that_cannot_be_opened_is_told_once(tmp_path):
    """What keeps the first worker from opening its store ends the command with that message."""
    furnish(tmp_path, SETTINGS.replace("[server]\n", "[server]\nworkers = 3\nops_port = 0\n"))
    (tmp_path / "broken.db").write_bytes(b"no ledger " * 500)
    done = started_apart(tmp_path, APART.replace("ledger-{os.getpid()}.db", "broken.db"))
    assert done.returncode == 1
    assert done.stderr.count(b"file is not a database") == 1, done.stderr
    assert done.stderr.startswith(b"seamline: ")
    assert done.stderr.count(b"\n") == 1


def started_apart(folder, program=APART):
    """`serve` to its end with workers that have a ledger each."""
    return subprocess.run(
        [*python(program), "serve"],
        cwd=folder,
        env=environ(),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )


# What each has of its own.


def test_figures_are_those_of_the_process(gateway):
    """Each worker counts what it answered, on its own port; together they count each call once."""
    call(gateway, 7)
    figures = [gateway.machine(number, "/metrics") for number in range(2)]
    assert [status for status, _ in figures] == [200, 200]
    assert sum(counted(text) for _, text in figures) == 7.0
    started_at = {re.search(r"^process_start_time_seconds (\S+)$", text, re.MULTILINE)[1]
                  for _, text in figures}  # fmt: skip
    assert len(started_at) == 2


def test_machines_are_served_on_their_ports_only(gateway):
    """The shared port has no figures and no health, and a machines' port nothing else."""
    for path in ("/metrics", "/healthz", "/readyz"):
        assert gateway.answers(path) == 404
    for number in range(2):
        assert gateway.machine(number, "/healthz") == (200, '{"alive":true}')
        assert gateway.machine(number, "/v1/docs")[0] == 404
    assert gateway.answers("/v1/docs") == 200


def test_worker_0_alone_watches_the_books(gateway):
    """The others say who compares balances with movements."""
    said = [json.loads(gateway.machine(number, "/readyz")[1])["checks"]["audit"]["reason"]
            for number in range(2)]  # fmt: skip
    assert said[0] in {"not compared yet", "balances equal movements"}
    assert said[1] == "compared by worker 0"


def test_a_replaced_worker_keeps_its_port(gateway):
    """Whoever takes the place of a dead worker is found on its port, and counts from 0."""
    call(gateway, 3)
    before, url = gateway.pid(1), gateway.lines("listening", worker=1)[0]["ops_url"]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: gateway.pid(1) != before)
    assert gateway.lines("listening", worker=1)[-1]["ops_url"] == url
    status, figures = gateway.machine(1, "/metrics")
    assert (status, counted(figures)) == (200, 0.0)


def test_the_supervisor_can_fork(gateway):
    """It has one thread and no ledger open: a fork would take half of either."""
    of = Path(f"/proc/{gateway.process.pid}")
    assert "\nThreads:\t1\n" in (of / "status").read_text()
    files = {os.readlink(each) for each in (of / "fd").iterdir()}  # noqa: PTH115 - sockets too
    assert not [name for name in files if ".db" in name]


def test_logs_say_which_worker(gateway):
    """Every line of a worker has its number, and the supervisor's have none."""
    code, _ = gateway.terminate()
    assert code == 0
    for event in ("listening", "stopped"):
        assert {line.get("worker") for line in gateway.lines(event)} == {0, 1}
    assert "worker" not in gateway.lines("workers_ready")[0]


# What they share.


def test_every_worker_shows_the_exchanges_of_all(gateway):
    """`GET /v1/exchanges` gives what all workers recorded, whoever answers; none is lost."""
    call(gateway, 20)
    wait_for(lambda: len(gateway.exchanges()) == 20)
    killed = gateway.pid(1)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: gateway.lines("worker_ended", worker=1))
    assert len(gateway.exchanges()) == 20
    wait_for(lambda: gateway.pid(1) != killed)
    os.kill(gateway.pid(0), signal.SIGKILL)
    wait_for(lambda: gateway.lines("worker_ended", worker=0))
    assert len({each["id"] for each in gateway.exchanges()}) == 20


def test_the_record_is_trimmed_for_all(tmp_path):
    """The largest count holds for the workers together."""
    record = {"max_count": 5}
    with ServedByWorkers(tmp_path, program=python(APART), exchanges=record) as gateway:
        call(gateway, 20)
        wait_for(lambda: gateway.terminate()[0] == 0)
        gateway.start()
        assert len(gateway.exchanges()) == 5
