"""A ledger's door on a world, opened and closed around a test."""

from contextlib import asynccontextmanager

from seamline.ledger.ledger import Ledger


@asynccontextmanager
async def door(world, **options):
    """The door to the world's store, by the world's clock unless another one is given."""
    options.setdefault("clock", lambda: world.now_ms)
    ledger = Ledger(world.writer, world.terms, **options)
    yield ledger
    await ledger.close()
