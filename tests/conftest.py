"""How property tests run everywhere, and the servers that tests share.

No verdict depends on how busy the machine is.
"""

import signal
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings

from kit.postgres import postgres
from seamline.ledger.postgres.store import PostgresStore
from seamline.money import Currencies

settings.register_profile(
    "house",
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
)
settings.load_profile("house")


def pytest_configure():
    """An ended run leaves through its fixtures, which end their servers."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def empty_ledger(postgres_server):
    """The name of a database with the schema and nothing in it; others are copies of it."""
    url = postgres_server.create_database()
    PostgresStore(url, Currencies({})).close()
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def new_database(postgres_server, empty_ledger):
    """Make a database with the schema and nothing in it, for as long as a block runs."""

    @contextmanager
    def make():
        url = postgres_server.create_database(template=empty_ledger)
        yield url
        postgres_server.drop_database(url.rpartition("/")[2])

    return make


@pytest.fixture
def ledger_url(new_database):
    """The URL of a database with the schema and nothing in it, which is gone after the test."""
    with new_database() as url:
        yield url
