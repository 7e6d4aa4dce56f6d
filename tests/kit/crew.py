"""Real workers under the real supervisor, in a folder whose files say how they behave.

Run as a program, this is the supervisor. A worker serves with the gateway's server, on the shared
address and on one of its own, and answers with its number and process id:

- `/who` at once,
- `/held` as soon as there is a file `released`,
- `/stuck` then too, but it does nothing else meanwhile.

At its start a worker fails as the settings do while there is a file `refused-NUMBER`, is killed
while there is `killed-NUMBER`, and hangs while there is `hung-NUMBER`.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import structlog

from kit.program import PATIENCE_S, wait_for
from seamline.cli import ended, telemetry
from seamline.cli.failure import Failure
from seamline.cli.supervisor import READY, Supervisor
from seamline.dialects.dialect import Reply
from seamline.edge.asgi import respond
from seamline.edge.server import listen, serve

REFUSAL = "store.url: nothing is there"

_LOG = structlog.get_logger("crew")


class Crew:
    """A supervisor and its workers: started, asked, signalled, and gone when the block ends."""

    def __init__(self, folder, count=3, *, drain_s=20.0):
        self.folder, self.count = folder, count
        self._arguments = [sys.executable, __file__, folder, str(count), str(drain_s)]

    def __enter__(self):
        self.log = self.folder / "output"
        with self.log.open("wb") as output:
            # A session of its own, so that all of it can be signalled as a terminal does.
            self.process = subprocess.Popen(
                self._arguments,
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.signal_all(signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def set(self, name):
        """Make that file."""
        (self.folder / name).touch()

    def unset(self, name):
        """Take that file away."""
        (self.folder / name).unlink()

    # What is written.

    def written(self):
        """All that the processes have written."""
        return self.log.read_text()

    def told(self, event, **fields):
        """The lines of the log about that event, with those fields."""
        lines = [json.loads(line) for line in self.written().splitlines() if line[:1] == "{"]
        return [line for line in lines if line["event"] == event and fields.items() <= line.items()]

    def wait_for(self, event, count=1, **fields):
        """The lines about the event as soon as there are so many."""

        def found():
            lines = self.told(event, **fields)
            assert len(lines) >= count or self.process.poll() is None, self.written()
            return lines if len(lines) >= count else None

        return wait_for(found)

    def ready(self):
        """Wait until all are ready; their process ids in the order of their numbers."""
        self.wait_for("workers_ready")
        return [self.pid(number) for number in range(self.count)]

    def pid(self, number):
        """The process that has begun last in that place."""
        return self.told("begins", worker=number)[-1]["pid"]

    # What is asked.

    def address(self, number=None):
        """The address that all share, or that of one worker."""
        shared, *own = self.wait_for("bound")[0]["addresses"]
        return tuple(shared if number is None else own[number])

    def asks(self, path, number=None):
        """A connection on which that was asked, of anybody or of one worker."""
        line = socket.create_connection(self.address(number), timeout=PATIENCE_S)
        line.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        return line

    def hold(self, *numbers):
        """Connections, one for each of the workers, on which an answer is held back."""
        before = len(self.told("holds"))
        lines = [self.asks("/held", number) for number in numbers]
        self.wait_for("holds", before + len(lines))
        return lines

    def who(self):
        """The number and process id of whoever answers just now."""
        return answer(self.asks("/who"))

    # How it ends.

    def signal_all(self, number):
        """What Ctrl-C does on a terminal, and a service manager that stops a service."""
        os.killpg(self.process.pid, number)

    def ended(self):
        """The exit code of the supervisor, when it has ended."""
        return self.process.wait(PATIENCE_S)

    def refuses(self):
        """Whether nobody listens on the shared address."""
        try:
            socket.create_connection(self.address()).close()
        except ConnectionError:
            return True
        return False


def answer(line):
    """The number and process id in the answer on a connection; None when it was cut off."""
    with line:
        said = b"".join(iter(lambda: line.recv(4096), b""))
    return tuple(json.loads(said.partition(b"\r\n\r\n")[2])) if said else None


def is_alive(pid):
    """Whether there is such a process, one that waits to be buried not counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# The program.


def main(folder, count, drain_s):
    """Supervise until asked to stop; the exit code."""
    telemetry.configure("json", "info")
    sockets = [listen("127.0.0.1", 0) for _ in range(1 + count)]
    _LOG.info("bound", addresses=[each.getsockname() for each in sockets])
    return Supervisor(partial(work, folder, drain_s, sockets), count, sockets).run()


def work(folder, drain_s, sockets, number, line):
    """Be a worker."""
    telemetry.label(worker=number)
    _LOG.info("begins", pid=os.getpid())
    shared, *own = sockets
    return ended(lambda: asyncio.run(_serve(folder, drain_s, [shared, own[number]], number, line)))


async def _serve(folder, drain_s, sockets, number, line):
    if (folder / f"refused-{number}").exists():
        raise Failure(REFUSAL, code=2)
    if (folder / f"killed-{number}").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    while (folder / f"hung-{number}").exists():
        time.sleep(0.01)  # noqa: ASYNC251 - it hangs
    await asyncio.sleep(0)  # A signal that was meant for the loop is taken here.
    app = partial(_answer, folder, number)
    options = {"max_connections": 100, "head_timeout_s": 5.0, "drain_s": drain_s, "orders": line}
    await serve(app, sockets, **options, announce=partial(line.send, READY))
    _LOG.info("drained")
    return 0


async def _answer(folder, number, scope, _receive, send):
    path, released = scope["path"], folder / "released"
    if path != "/who":
        _LOG.info("holds")
    while path == "/held" and not released.exists():  # noqa: ASYNC110 - files have no event
        await asyncio.sleep(0.01)
    while path == "/stuck" and not released.exists():
        time.sleep(0.01)  # noqa: ASYNC251 - it does nothing else
    await respond(scope, send, Reply(200, json.dumps([number, os.getpid()]).encode()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
