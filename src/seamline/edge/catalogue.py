"""The catalogues of vendors whose calls are held against them, kept up to date in the background.

A dialect looks prices up while it reads a call and cannot wait for the vendor: it finds what was
heard last. A copy that the vendor did not renew is believed for a day.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from seamline.dialects.dialect import Game, GamesFilter
from seamline.edge.api import vendors
from seamline.edge.api.problems import Problem
from seamline.edge.gateway import Connection, Gateway
from seamline.wallet import DAY_MS

EVERY_S = 300.0
KEPT_MS = DAY_MS

_LOG = structlog.get_logger("seamline.catalogue")


class Catalogues:
    """Asks each vendor for its games every five minutes, from `start` until `close`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._wanted = [each for each in gateway.connections.values() if wants(each)]
        self._heard_ms: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, where any dialect wants a catalogue."""
        if self._wanted:
            self._task = asyncio.get_running_loop().create_task(self._work(), name="catalogues")

    async def close(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(EVERY_S)

    async def refresh(self) -> None:
        """Ask each vendor once; one in trouble keeps the others waiting for its deadline."""
        await asyncio.gather(*(self._renew(each) for each in self._wanted))

    async def _renew(self, connection: Connection) -> None:
        """Hear the catalogue again, or drop one that is too old to be believed."""
        name, now_ms = connection.integration.name, self._gateway.clock_ms()
        try:
            games = await self._ask(connection)
        except Problem as problem:
            _LOG.warning("catalogue_not_heard", integration=name, why=problem.code.slug)
            if now_ms - self._heard_ms.get(name, 0) > KEPT_MS:
                _keep(connection, None)
        except Exception:  # noqa: BLE001 - logged; the others go on, and so does this one
            _LOG.exception("catalogue_failed", integration=name)
        else:
            self._heard_ms[name] = now_ms
            _keep(connection, games)

    async def _ask(self, connection: Connection) -> Sequence[Game]:
        operation = vendors.offered(connection, "games", lambda studio: studio.games)
        return await vendors.ask(self._gateway, connection, operation, GamesFilter())


def wants(connection: Connection) -> bool:
    """Whether the dialect looks something up, by the integration's options."""
    asks = connection.dialect.wants_catalogue
    return asks is not None and asks(connection.integration.options)


def _keep(connection: Connection, games: Sequence[Game] | None) -> None:
    """Put what was heard where the dialect finds it; what nobody can read has no place there."""
    catalogue = connection.integration.catalogue
    if games is None:
        catalogue.games = catalogue.prizes = None
        return
    prizes = [prize for game in games for prize in game.prizes]
    for problem in (*(game.problem for game in games), *(prize.problem for prize in prizes)):
        if problem is not None:
            _LOG.warning("catalogue_odd", integration=connection.integration.name, problem=problem)
    catalogue.games = {game.id: game.price for game in games if game.problem is None}
    catalogue.prizes = {prize.id: prize.price for prize in prizes if prize.problem is None}
