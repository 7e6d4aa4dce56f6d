"""The backends that pass the contract. A new one adds a world to `WORLDS`, and no test."""

import pytest

from kit.world import StoreWorld, furnished

WORLDS = {"sqlite": StoreWorld}


@pytest.fixture(params=WORLDS)
def new_world(request, tmp_path):
    """Make an empty world on a backend under given terms; all are closed at the end."""
    made = []

    def make(terms=None):
        made.append(WORLDS[request.param](tmp_path / str(len(made)), terms))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def world(new_world):
    """Players p1 and p2, sessions s1 and s2, and 100.00 USD for both, on a backend."""
    return furnished(new_world())
