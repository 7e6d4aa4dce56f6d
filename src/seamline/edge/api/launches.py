"""Where a player's browser goes: asked of the vendor, or a URL built here and given out once."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from seamline.dialects.dialect import Launch, Launched, Refused
from seamline.edge.api import vendors
from seamline.edge.api.problems import Code, Problem
from seamline.edge.gateway import Connection, Gateway
from seamline.wallet import Integration

Build = Callable[[Launch, Integration[msgspec.Struct], int], Launched]

SECOND_MS = 1_000

#: How far ahead of the clock a URL may be made, so that it is another one than those before.
AHEAD_S = 2

#: How long a URL that was given out is remembered.
MEMORY_MS = 10 * SECOND_MS


def check_offer(target: Connection) -> None:
    """Raise a problem when the vendor has no launch."""
    studio = target.dialect.studio
    if studio is None or (studio.launch is None and studio.open is None):
        raise vendors.not_offered(target, "launch")


async def launched(gateway: Gateway, target: Connection, wanted: Launch) -> Launched:
    """Where the browser goes for that launch."""
    studio = target.dialect.studio
    if studio is not None and studio.open is not None:
        return _built(gateway, target, wanted, studio.open)
    operation = vendors.offered(target, "launch", lambda studio: studio.launch)
    return await vendors.ask(gateway, target, operation, wanted)


def _built(gateway: Gateway, target: Connection, wanted: Launch, build: Build) -> Launched:
    """A URL that was not given out before: a vendor may take each once only."""
    now_ms = gateway.clock_ms()
    for url in [url for url, at_ms in gateway.given.items() if at_ms < now_ms - MEMORY_MS]:
        del gateway.given[url]
    times = range(now_ms, now_ms + AHEAD_S * SECOND_MS + 1, SECOND_MS)
    try:
        choice = [build(wanted, target.integration, at_ms) for at_ms in times]
    except Refused as refused:
        raise vendors.would_refuse(target, refused) from refused
    if choice[0].game_url == choice[1].game_url:
        return choice[0]  # Time plays no part in it, so it may be given again.
    for each in choice:
        if each.game_url not in gateway.given:
            gateway.given[each.game_url] = now_ms
            return each
    detail = f"this launch was asked for more than {AHEAD_S} times within a second"
    raise Problem(Code.TOO_OFTEN, f"{detail}; try again in the next")
