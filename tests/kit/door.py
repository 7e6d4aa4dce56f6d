"""A ledger's door on a world, opened and closed around a test."""

from contextlib import asynccontextmanager

from seamline.ledger.ledger import Ledger
from seamline.wallet import Rejected


@asynccontextmanager
async def door(world, **options):
    """The door to the world's store, by the world's clock unless another one is given."""
    options.setdefault("clock", lambda: world.now_ms)
    options.setdefault("writer", world.writer)
    ledger = Ledger(terms=world.terms, **options)
    yield ledger
    await ledger.close()


def why(outcome):
    """The name of a refusal, or of the kind of outcome."""
    return outcome.why if isinstance(outcome, Rejected) else type(outcome)
