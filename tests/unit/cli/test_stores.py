"""A URL says where the ledger is; what is shown of it is never a password."""

import sys

import pytest

from kit.world import CURRENCIES
from seamline.cli.stores import place_of
from seamline.ledger.store import StoreError

SECRET = "top-secret"


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///var/seamline.db", "var/seamline.db"), ("sqlite:////srv/l.db", "/srv/l.db")],
)
def test_a_url_names_a_file(url, path):
    """Three slashes are relative to where the gateway is started, four absolute."""
    place = place_of(url)
    assert (str(place.file), place.name, place.shown) == (path, path, url)
    assert not place.shared


@pytest.mark.parametrize(
    ("url", "shown", "secret"),
    [
        ("postgresql://db/seamline", "postgresql://db/seamline", False),
        ("postgres://me@db:5433/x", "postgresql://me@db:5433/x", False),
        (f"postgresql://me:{SECRET}@db/x", "postgresql://me@db/x", True),
        (f"postgresql://db/x?password={SECRET}", "postgresql://db/x", True),
        ("postgresql://me@a:1,b:2,[::1]:3/x", "postgresql://me@a:1,b:2,[::1]:3/x", False),
        ("postgresql:///x?host=/run/postgresql", "postgresql:///x", False),
        ("postgresql://me:a%40b%2Fc@db", "postgresql://me@db", True),
    ],
)
def test_a_url_names_a_database(url, shown, secret):
    """A database has a name without password and options, and many processes may share it."""
    place = place_of(url)
    assert (place.name, place.secret, place.shared, place.file) == (shown, secret, True, None)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///",
        "sqlite:x.db",
        "seamline.db",
        "",
        f"mysql://me:{SECRET}@db/x",
        f"postgresql:{SECRET}",
        f"postgresql://me:{SECRET}/@db/x",
        f"postgresql://me:{SECRET}?@db/x",
        f"postgresql://me:{SECRET}@x@db/x",
        f"postgresql://me:{SECRET} @db/x",
        f"postgresql://me:{SECRET}",
        f"postgresql://me:{SECRET}:x@db/x",
        f"postgresql://me@db:{SECRET}/x",
        f"{SECRET}:x",
    ],
)
def test_a_url_of_no_store_is_refused(url):
    """Any other URL is refused, and none of it is repeated: it may hold a password."""
    with pytest.raises(ValueError, match="expected ") as caught:
        place_of(url)
    assert SECRET not in str(caught.value)


def test_a_missing_library_is_named(monkeypatch, tmp_path):
    """Without psycopg a database is refused in every use, with what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    place = place_of(f"postgresql://me:{SECRET}@db/x")
    uses = (
        lambda: place.open(CURRENCIES),
        place.version,
        lambda: place.backup(tmp_path / "copy.db", CURRENCIES),
        place.reader(CURRENCIES).__enter__,
        place.source(CURRENCIES).__enter__,
        place.target(CURRENCIES).__enter__,
    )
    for use in uses:
        with pytest.raises(StoreError, match=r"install seamline\[postgres\]") as caught:
            use()
        assert SECRET not in str(caught.value)
    (found,) = place.findings(CURRENCIES)
    assert (found.level, found.what) == ("fail", "server")
