"""How property tests run everywhere, and the servers that tests share.

No verdict depends on how busy the machine is.
"""

import pytest
from hypothesis import HealthCheck, settings

from kit.postgres import postgres

settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
)
settings.load_profile("house")


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL for all tests of a worker of pytest-xdist, which forces nothing to the disk."""
    with postgres(fast=True) as server:
        yield server


@pytest.fixture
def database(postgres_server):
    """The URL of a new, empty database, which is gone after the test."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url.rpartition("/")[2])
