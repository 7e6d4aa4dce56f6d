"""Signed bets, made beforehand: the only place in the bench that knows a dialect.

A recipe says which call of a dialect a bet is, and how one is filled in; the bytes and the
signature come from the dialect's own `compose`.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from seamline.dialects import AnyDialect, dialects
from seamline.dialects.dialect import Call, Request, Secret
from seamline.money import Quantity
from seamline.wallet import Command, Integration, Kind, Policy

BRAND = "acme"
CURRENCY = "USD"
GAME = "sg_catch_97"


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How one dialect is benched: integration, options as the settings file has them, the call."""

    integration: str
    dialect: str
    options: Mapping[str, object]
    call: str
    #: A bet of the session, filled from a source of randomness.
    bet: Callable[[str, random.Random], Command]

    def path(self) -> str:
        """Where the call is answered."""
        return f"/callbacks/{self.integration}{self._call().path}"

    def composer(self) -> Callable[[str, random.Random], Request]:
        """Makes the dialect's own signed request of a bet."""
        compose, integration = self._call().compose, self._integration()
        return lambda session, source: compose(
            (self.bet(session, source),), integration, time.time_ns() // 1_000_000
        )

    def policy(self) -> Policy:
        """What the dialect decides differently from others."""
        return self._spoken().policy(self._integration().options)

    def _spoken(self) -> AnyDialect:
        return dialects()[self.dialect]

    def _call(self) -> Call[msgspec.Struct]:
        return next(call for call in self._spoken().calls if call.name == self.call)

    def _integration(self) -> Integration[msgspec.Struct]:
        options = msgspec.convert(self.options, self._spoken().options, dec_hook=_secret)
        return Integration(
            name=self.integration, brand=BRAND, dialect=self.dialect, options=options
        )


def _secret(kind: type, text: object) -> object:
    """Secrets from plain text, as the settings file gives them."""
    if kind is not Secret:
        raise NotImplementedError(kind)
    return Secret(str(text))


def _uuid(source: random.Random) -> str:
    """A UUID of version 4; by hand, which takes a third of the time that `uuid.UUID` takes."""
    digits = f"{source.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _swipegames_bet(session: str, source: random.Random) -> Command:
    """One stake of 0.10 to 9.99 in a round of its own."""
    return Command(
        kind=Kind.BET,
        integration="swipe",
        key=_uuid(source),
        session=session,
        amount=Quantity(source.randrange(10, 1000), 2),
        round=_uuid(source),
    )


SWIPEGAMES = Recipe(
    integration="swipe",
    dialect="swipegames",
    options={
        "integration_api_keys": ["bench-integration-key"],
        "api_key": "bench-api-key",
        "cid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "ext_cid": "acme",
    },
    call="bet",
    bet=_swipegames_bet,
)


def player(number: int) -> str:
    """The id of a bench player."""
    return f"player-{number:07d}"


def session(number: int) -> str:
    """The id of that player's one session."""
    return f"session-{number:07d}"


def write_slices(recipe: Recipe, folder: Path, *, requests: int, players: int, slices: int) -> None:
    """Write unique signed bets of random players, evenly into files 1, 2 ... for feed.lua.

    The same arguments give the same bytes; another folder name gives other bets.
    """
    folder.mkdir()
    each = -(-requests // slices)
    jobs = [(recipe, folder / str(number), each, players) for number in range(1, slices + 1)]
    # The workers are ended by SIGTERM, quietly, whatever this process does on one.
    with multiprocessing.Pool(None, signal.signal, (signal.SIGTERM, signal.SIG_DFL)) as pool:
        pool.starmap(_write_slice, jobs)


def _write_slice(recipe: Recipe, file: Path, requests: int, players: int) -> None:
    compose, path = recipe.composer(), recipe.path()
    source = random.Random(f"{file.parent.name}/{file.name}")
    with file.open("wb", buffering=1 << 20) as output:
        for _ in range(requests):
            request = compose(session(source.randrange(players)), source)
            raw = wire(request, path)
            output.write(b"%04d" % len(raw) + raw)


def read_slice(file: Path) -> Iterator[bytes]:
    """The requests of one file, as they were written."""
    with file.open("rb", buffering=1 << 20) as source:
        while length := source.read(4):
            yield source.read(int(length))


def wire(request: Request, path: str) -> bytes:
    """The request as HTTP/1.1 sends it."""
    target = path + ("?" + request.query.decode() if request.query else "")
    lines = [f"{request.method} {target} HTTP/1.1".encode(), b"host: 127.0.0.1"]
    lines += [name + b": " + value for name, value in request.headers]
    lines += [b"content-length: %d" % len(request.body), b"", request.body]
    return b"\r\n".join(lines)
