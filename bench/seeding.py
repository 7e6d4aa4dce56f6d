"""Players, money and sessions of the gateway, through its operator API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import aiohttp
import msgspec

from bets import BRAND, CURRENCY, GAME, player, session

CONNECTIONS = 64


class Where(msgspec.Struct, frozen=True):
    """Which integration the sessions are for, in which currency, and what their ids begin with."""

    integration: str
    currency: str = CURRENCY
    prefix: str = ""


async def seed(port: int, key: str, where: Where, players: int, deposit: int) -> None:
    """Create players with a deposit and a session each, many at a time."""
    numbers = iter(range(players))
    gateway = aiohttp.ClientSession(
        f"http://127.0.0.1:{port}",
        headers={"authorization": f"Bearer {key}"},
        connector=aiohttp.TCPConnector(limit=CONNECTIONS),
    )
    async with gateway as http, asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(_seed_each(http, numbers, where, deposit))


async def _seed_each(
    http: aiohttp.ClientSession, numbers: Iterator[int], where: Where, deposit: int
) -> None:
    """Take numbers until none is left; each is one player."""
    for number in numbers:
        name = player(number)
        await _post(http, "/v1/players", {"brand": BRAND, "id": name, "country": "MT"})
        money = {
            "transaction_id": f"seed-{where.currency}-{number}",
            "amount": f"{deposit}.00",
            "currency": where.currency,
        }
        await _post(http, f"/v1/players/{BRAND}/{name}/deposits", money)
        launched = {
            "integration": where.integration,
            "player": name,
            "currency": where.currency,
            "game": GAME,
            "launch": False,
            "session_id": f"{where.prefix}{session(number)}",
        }
        await _post(http, "/v1/sessions", launched)


async def _post(http: aiohttp.ClientSession, path: str, body: Mapping[str, object]) -> None:
    """One call that must be taken."""
    async with http.post(path, json=body) as reply:
        if reply.status not in (200, 201):
            raise SystemExit(f"POST {path}: status {reply.status}, {await reply.text()}")
