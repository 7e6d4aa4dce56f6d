"""The backends that pass the contract. A new one adds a world to `WORLDS`, and no test."""

import tempfile
from contextlib import ExitStack, contextmanager

import pytest

from kit.world import PostgresWorld, StoreWorld, furnished

WORLDS = {"sqlite": (StoreWorld, "new_folder"), "postgres": (PostgresWorld, "new_database")}


@pytest.fixture(scope="session")
def new_folder():
    """Make a folder, for as long as a block runs."""
    return tempfile.TemporaryDirectory


def brief_worlds(request, backend):
    """A way to make empty worlds on a backend under given terms, each for as long as a block."""
    world, name = WORLDS[backend]
    new_place = request.getfixturevalue(name)

    @contextmanager
    def make(terms=None):
        with new_place() as place:
            made = world(place, terms)
            yield made
            made.close()

    return make


@contextmanager
def worlds(make_brief):
    """A way to make empty worlds under given terms; all are gone at the end of the block."""
    with ExitStack() as made:
        yield lambda terms=None: made.enter_context(make_brief(terms))


@pytest.fixture(params=WORLDS)
def backend(request):
    """The name of a backend."""
    return request.param


@pytest.fixture
def brief_world(request, backend):
    """Make an empty world on a backend under given terms, for as long as a block runs.

    For properties that need a world for each of many examples.
    """
    return brief_worlds(request, backend)


@pytest.fixture
def new_world(brief_world):
    """Make an empty world on a backend under given terms; it is gone at the end."""
    with worlds(brief_world) as make:
        yield make


@pytest.fixture
def new_worlds(request):
    """The same for each of the backends."""
    with ExitStack() as stack:
        yield [stack.enter_context(worlds(brief_worlds(request, backend))) for backend in WORLDS]


@pytest.fixture
def world(new_world):
    """Players p1 and p2, sessions s1 and s2, and 100.00 USD for both, on a backend."""
    return furnished(new_world())
