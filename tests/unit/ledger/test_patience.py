"""Waiting for somebody else, while this process goes on or stands still."""

import asyncio
import time

import pytest

from seamline.ledger.patience import PARTS, Patience

pytestmark = pytest.mark.anyio

LIMIT_MS = 40


@pytest.fixture
def anyio_backend():
    """It is used from asyncio."""
    return "asyncio"


async def test_it_ends_after_its_limit():
    """Not before, by the loop's clock."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    begun_s = loop.time()
    Patience(LIMIT_MS, over.set)
    await over.wait()
    assert loop.time() - begun_s >= LIMIT_MS / 1000


async def test_it_is_not_lost_while_the_process_stands_still():
    """A pause longer than the limit is one part of it: who answered meanwhile is heard."""
    over, heard = asyncio.Event(), []
    Patience(LIMIT_MS, over.set)
    asyncio.get_running_loop().call_later(LIMIT_MS / 2_000, heard.append, "answer")
    time.sleep(2 * LIMIT_MS / 1000)  # noqa: ASYNC251 - the loop is to stand still
    await asyncio.sleep(LIMIT_MS / PARTS / 2_000)
    assert (heard, over.is_set()) == (["answer"], False)
    await over.wait()


async def test_who_is_not_waited_for_any_more_ends_nothing():
    """Cancelled in its first part, or in a later one."""
    acted, over = [], asyncio.Event()
    at_once, later = (Patience(LIMIT_MS, lambda: acted.append(1)) for _ in range(2))
    at_once.cancel()
    asyncio.get_running_loop().call_later(LIMIT_MS / PARTS * 2.5 / 1000, later.cancel)
    Patience(2 * LIMIT_MS, over.set)
    await over.wait()
    assert acted == []
