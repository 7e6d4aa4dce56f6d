"""The backends that pass the contract. A new one adds a world to `WORLDS`, and no test."""

from contextlib import ExitStack, contextmanager
from itertools import count

import pytest

from kit.world import PostgresWorld, StoreWorld, furnished

WORLDS = {"sqlite": (StoreWorld, "files"), "postgres": (PostgresWorld, "databases")}


@pytest.fixture
def files(tmp_path):
    """Folders for worlds in files."""
    return (tmp_path / str(number) for number in count())


@contextmanager
def worlds_of(request, backend):
    """A way to make empty worlds on a backend under given terms; all are closed at the end."""
    world, places = WORLDS[backend]
    made, places = [], request.getfixturevalue(places)

    def make(terms=None):
        made.append(world(next(places), terms))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(params=WORLDS)
def new_world(request):
    """Make an empty world on a backend under given terms."""
    with worlds_of(request, request.param) as make:
        yield make


@pytest.fixture
def new_worlds(request):
    """The same for each of the backends."""
    with ExitStack() as stack:
        yield [stack.enter_context(worlds_of(request, backend)) for backend in WORLDS]


@pytest.fixture
def world(new_world):
    """Players p1 and p2, sessions s1 and s2, and 100.00 USD for both, on a backend."""
    return furnished(new_world())
