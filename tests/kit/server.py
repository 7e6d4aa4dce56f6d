"""`seamline serve` as a process of its own, with every dialect connected, and ways to end it."""

import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import msgspec

from kit.gateway import API_KEY, BRAND, CURRENCIES, Doors, http_client, known, over_http
from kit.program import PATIENCE_S, SEAMLINE, wait_for
from kit.vendor import integration_of
from seamline.dialects.dialect import Request, Secret

#: What a started program runs: the command itself, or a file of Python with faults built in.
PROGRAM = (str(SEAMLINE),)


def settings_text(**tables):
    """A settings file: each dialect's sandbox options under its name, and changed tables."""
    given = {
        "server": {"port": 0},
        "store": {"url": "sqlite:///seamline.db"},
        "api": {"keys": [API_KEY]},
        "log": {"format": "json"},
    }
    lines = [
        line
        for name, table in (given | tables).items()
        for line in (f"[{name}]", *_pairs(given.get(name, {}) | table))
    ]
    lines += [f"[brands.{BRAND}]", *_pairs({"currencies": list(CURRENCIES)})]
    for name, dialect in known().items():
        lines += [f"[integrations.{name}]", *_pairs({"dialect": name, "brand": BRAND})]
        options = msgspec.to_builtins(dialect.sandbox(), enc_hook=_revealed)
        lines += [f"[integrations.{name}.options]", *_pairs(options)]
    return "\n".join(lines) + "\n"


def _pairs(table):
    """The pairs of a table of TOML."""
    return [f"{key} = {_toml(held)}" for key, held in table.items() if held is not None]


def _toml(held):
    """A value of TOML: a table stands in one line, texts, numbers and lists are those of JSON."""
    if isinstance(held, dict):
        return "{" + ", ".join(_pairs(held)) + "}"
    return json.dumps(held)


def _revealed(held):
    if isinstance(held, Secret):
        return held.reveal()
    raise NotImplementedError(type(held))


def secrets():
    """Every secret of the sandbox options and the operator's key, as text."""
    found = [API_KEY]
    for dialect in known().values():
        msgspec.to_builtins(dialect.sandbox(), enc_hook=lambda held: found.append(_revealed(held)))
    return found


class ServedGateway(Doors):
    """One ledger file, and the process that serves it: started, ended, started again."""

    def __init__(self, folder, *, program=PROGRAM, **tables):
        self.folder = Path(folder)
        self.integrations = {name: integration_of(name) for name in known()}
        (self.folder / "seamline.toml").write_text(settings_text(**tables))
        (self.folder / "seamline.toml").chmod(0o600)
        self.program = program
        self.process = None
        self.starts = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self, program=None):
        """Start serving; returns the seconds until `/readyz` said that it is ready."""
        self.starts += 1
        self.log = self.folder / f"output-{self.starts}"
        started = time.monotonic()
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*(program or self.program), "serve"],
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        self.url = wait_for(self._listening)
        self.address = re.fullmatch(r"http://(.*):(\d+)", self.url).groups()
        wait_for(lambda: asyncio.run(self._ready()))
        return time.monotonic() - started

    def _listening(self):
        code = self.process.poll()
        assert code is None, f"ended with {code}: {self.written()}"
        found = re.search(r'"url": "(http://[^"]+)"', self.written())
        return found and found[1]

    async def _ready(self):
        reply = await self._ask(Request("GET", "/readyz"))
        return reply.status == 200

    async def _ask(self, request):
        async with http_client() as client:
            return await over_http(client, self.url, request)

    def written(self):
        """Everything that the process has written since it was started."""
        return self.log.read_text()

    def kill(self):
        """End the process at once, whatever it does."""
        self.process.kill()
        return self.process.wait(PATIENCE_S)

    def terminate(self):
        """Ask the process to stop; the exit code and the seconds that it took."""
        started = time.monotonic()
        self.process.terminate()
        return self.process.wait(PATIENCE_S), time.monotonic() - started

    def audit(self):
        """`seamline audit` over the file; its exit code must be 0."""
        done = subprocess.run(
            [SEAMLINE, "audit"], cwd=self.folder, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()

    # The doors.

    def operator(self, method, target, body=None):
        """One call of the operator API."""
        path, _, query = target.partition("?")
        raw = msgspec.json.encode(body) if body is not None else b""
        headers = ((b"authorization", f"Bearer {API_KEY}".encode()),)
        reply = asyncio.run(self._ask(Request(method, path, query.encode(), headers, raw)))
        return reply.status, msgspec.json.decode(reply.body) if reply.body else None

    def send_all(self, name, requests):
        """The replies to requests that are on their way at once."""

        async def together():
            async with http_client() as client:
                base = f"{self.url}/callbacks/{name}"
                return await asyncio.gather(*(over_http(client, base, each) for each in requests))

        return asyncio.run(together())


class ServedByWorkers(ServedGateway):
    """The same with several processes behind one address, each with a machines' port of its own."""

    def __init__(self, folder, *, workers=2, server=None, **options):
        server = {"port": 0, "ops_port": 0, "workers": workers} | (server or {})
        super().__init__(folder, server=server, **options)
        self.workers = workers

    def lines(self, event, **fields):
        """The lines of the log about that event, with those fields."""
        lines = [json.loads(line) for line in self.written().splitlines() if line[:1] == "{"]
        return [line for line in lines if line["event"] == event and fields.items() <= line.items()]

    def _listening(self):
        super()._listening()
        lines = self.lines("listening")
        return lines[0]["url"] if self.lines("workers_ready") and lines else None

    async def _ready(self):
        return all(self.machine(number, "/readyz")[0] == 200 for number in range(self.workers))

    def machine(self, number, path):
        """What a worker answers on the machines' port that is its own: status and body."""
        url = self.lines("listening", worker=number)[-1]["ops_url"]
        try:
            with urlopen(f"{url}{path}", timeout=PATIENCE_S) as reply:
                return reply.status, reply.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def answers(self, path):
        """The status of what is answered on the shared address."""
        return asyncio.run(self._ask(Request("GET", path))).status

    def pid(self, number):
        """The process that has listened last in that place."""
        return self.lines("listening", worker=number)[-1]["pid"]


def python(text):
    """A program of Python that may change Seamline before it runs its commands."""
    return (sys.executable, "-c", text)
