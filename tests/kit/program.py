"""The program as people use it: a folder with settings and books, commands run or started in it."""

import asyncio
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from kit.command import bet, deposit, refund, win
from kit.processes import PATIENCE_S, wait_for
from seamline.cli.assembly import gateway
from seamline.cli.settings import load
from seamline.ledger.store import NewSession

SEAMLINE = Path(sys.executable).with_name("seamline")

SECRETS = {
    "ACME_API_KEY": "operator key 0123456789",
    "SWIPE_INTEGRATION_KEY": "integration key 0123456789",
    "SWIPE_API_KEY": "core key 0123456789",
}
SETTINGS = """
[server]
port = 0
[store]
url = "sqlite:///seamline.db"
[api]
keys = ["env:ACME_API_KEY"]
[brands.acme]
currencies = ["USD"]
[integrations.swipe]
dialect = "swipegames"
brand = "acme"
[integrations.swipe.options]
integration_api_keys = ["env:SWIPE_INTEGRATION_KEY"]
api_key = "env:SWIPE_API_KEY"
cid = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
ext_cid = "acme"
"""


def furnish(folder, text=SETTINGS):
    """Write the settings, for nobody else to read."""
    path = folder / "seamline.toml"
    path.touch(mode=0o600)
    path.write_text(text)


def play(folder):
    """Make a ledger there: a player, a deposit, a bet that wins and one that is refunded."""
    url = f'url = "sqlite:///{folder}/seamline.db"'
    path = folder / "play.toml"
    path.write_text(SETTINGS.replace('url = "sqlite:///seamline.db"', url))
    asyncio.run(_play(load(path, SECRETS)))
    path.unlink()
    (folder / "seamline.db").chmod(0o600)


async def _play(settings):
    async with gateway(settings) as built:
        await built.ledger.run(lambda writer, now: _seat(writer, built, now))
        for command in (deposit("d1"), bet("b1"), win("w1"), bet("b2"), refund("f1", "b2")):
            await built.ledger.apply(command)


def _seat(writer, built, now_ms):
    writer.add_player("acme", "p1", None, None, now_ms)
    session = NewSession(
        name="s1",
        player="p1",
        currency="USD",
        game="g1",
        opened_ms=now_ms,
        expires_ms=now_ms + 3_600_000,
    )
    writer.open_session(built.connections["swipe"].terms, session)


def environ(**more):
    """The environment of a started program."""
    return {**os.environ, **SECRETS, **more}


def seamline(folder, *arguments, given=b"", **more):
    """Run a command to its end in that folder."""
    return subprocess.run(
        [SEAMLINE, *arguments],
        cwd=folder,
        env=environ(**more),
        input=given,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )


class Started:
    """A command that runs, with what it has written so far."""

    def __init__(self, process, output):
        self.process = process
        self._output = output

    @property
    def written(self):
        """Everything on standard output and standard error so far."""
        return self._output.read_text()

    def wait_for(self, found):
        """What *found* makes of the output, as soon as that is something."""
        return wait_for(lambda: found(self.written) or self._ended())

    def _ended(self):
        code = self.process.poll()
        assert code is None, f"ended with {code}: {self.written}"

    def stop(self, number):
        """Send a signal to this process alone, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def started(folder, *arguments, **more):
    """Start a command in that folder; it has ended when the block has."""
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [SEAMLINE, *arguments],
            cwd=folder,
            env=environ(**more),
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield Started(process, output)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE_S)
