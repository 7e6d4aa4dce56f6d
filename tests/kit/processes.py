"""Programs that tests start: on free ports, as somebody who may, ended by the pids of the started.

PostgreSQL and PgBouncer refuse to run as root. Where the tests do, they are started as `nobody`, in
a folder that belongs to it.
"""

import os
import pwd
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

#: How long anything may take before a test gives up.
PATIENCE_S = 20.0
NOBODY = "nobody"
#: Below the ports that the kernel gives to outgoing connections: a server that is started again
#: finds its port free.
PORTS = range(15_000, 32_000)
#: A first process: it starts a program, buries whoever lost its parent, and ends after the last.
FIRST = """
import ctypes, os, sys
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
program, code = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]), 0
while True:
    try:
        pid, status = os.wait()
    except ChildProcessError:
        sys.exit(code)
    code = os.waitstatus_to_exitcode(status) if pid == program else code
"""


def wait_for(condition, patience_s=PATIENCE_S):
    """What the condition gives, as soon as that is something."""
    deadline_s = time.monotonic() + patience_s
    while time.monotonic() < deadline_s:
        if result := condition():
            return result
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def free_port():
    """A port of the loopback that nobody uses; any, so that two runs hardly ask for the same.

    Hypothesis makes the chance of `random` itself the same in all runs.
    """
    ports = random.SystemRandom().sample(PORTS, len(PORTS))
    return next(port for port in ports if _is_free(port))


def _is_free(port):
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def own_folder(below=None):
    """A new folder that the started programs may write to; gone afterwards.

    Not pytest's `tmp_path`, which nobody but the user of the tests can enter.
    """
    folder = Path(tempfile.mkdtemp(prefix="seamline-", dir=below))
    _give_away(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _give_away(path):
    if os.geteuid() == 0:
        user = pwd.getpwnam(NOBODY)
        os.chown(path, user.pw_uid, user.pw_gid)


def write_private(path, text):
    """Write a file that the started programs alone may read."""
    path.touch(mode=0o600)
    path.write_text(text)
    _give_away(path)
    return path


def run(command):
    """Run a program to its end, which must be a good one; what it wrote."""
    prefix, options = _dropped(command)
    done = subprocess.run(
        [*prefix, *command], **options, capture_output=True, text=True, cwd="/", check=False
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stderr}"
    return done.stdout


def launch(command, log, **env):
    """Start a program; what it writes is added to the log."""
    prefix, options = _dropped(command)
    with log.open("ab") as output:
        return subprocess.Popen(
            [*prefix, *command],
            **options,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,  # a Ctrl-C is for the tests, which then end their programs
        )


def launch_machine(command, log, **env):
    """Start a program below a first process, as on a machine of its own.

    Its orphans stay below that one, and are buried at once when they end. The first process of a
    container may take more than a second for that, in which a watcher sees a dead server run.
    """
    return launch([sys.executable, "-c", FIRST, *command], log, **env)


def _dropped(command):
    """What to put before a command, and how to start it, so that it does not run as root."""
    if os.geteuid() != 0:
        return (), {}
    user = pwd.getpwnam(NOBODY)
    if all(_is_open(Path(each)) for each in command if str(each).startswith("/")):
        return (), {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
    # The project lies where only root can go, such as /root: nobody may still read it there.
    only = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    who = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    return ("setpriv", *who, *only), {}


def _is_open(path):
    """Whether everybody may go to that path, and where its links lead."""
    ways = {path.absolute(), path.resolve()}
    folders = {folder for way in ways for folder in way.parents}
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def family(pid):
    """A process and all below it, parents first; none of one that has ended."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(each for child in children for each in family(int(child)))]


def kill(*pids):
    """End processes and all below them at once, as `kill -9` does; they have ended on return."""
    # Those that stand still have no further children.
    halted = freeze(*pids)
    for each in halted:
        _send(each, signal.SIGKILL)
    wait_for(lambda: not any(map(is_alive, halted)))


def is_alive(pid):
    """Whether a process still does something; one that nobody has asked for its end does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def freeze(*pids):
    """Halt processes and all below them; returns the pids of all."""
    halted = []
    for pid in pids:
        _send(pid, signal.SIGSTOP)
        halted.append(pid)
        below = family(pid)[1:]
        halted += freeze(*[each for each in below if each not in halted])
    return list(dict.fromkeys(halted))


def thaw(pids):
    """Let halted processes go on, the youngest first."""
    for each in reversed(pids):
        _send(each, signal.SIGCONT)


def _send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it has ended by itself


def tail(log, lines=15):
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
