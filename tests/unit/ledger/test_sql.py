"""Named queries: the file format, and the files."""

import re
from importlib.resources import files

import pytest

from seamline.ledger import sql
from seamline.ledger.sql import queries

STORES = ["seamline.ledger.sqlite"]


def written(folder, text):
    """A package's file with that text."""
    path = folder / "queries.sql"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read queries from a text."""
    monkeypatch.setattr(sql, "files", lambda _: tmp_path)
    return lambda text: (written(tmp_path, text), queries("any"))[1]


def test_a_query_goes_from_its_name_to_the_next(read):
    """A name stands on a line of its own; its query ends where the next name begins."""
    found = read("-- one --\n-- Says one.\nSELECT 1\n\n-- two --\nSELECT 2\n")
    assert found == {"one": "-- Says one.\nSELECT 1", "two": "SELECT 2"}


def test_text_before_the_first_name_is_no_query(read):
    """A heading of the file belongs to no query."""
    assert read("-- All of it.\n\n-- one --\nSELECT 1\n") == {"one": "SELECT 1"}


def test_a_comment_is_no_name(read):
    """Dashes within a line, or several words between them, name nothing."""
    found = read("-- one --\nSELECT 1 -- two --\n-- not a name --\nFROM x\n")
    assert list(found) == ["one"]


@pytest.mark.parametrize("package", STORES)
def test_names_are_unique(package):
    """No query hides another of the same name."""
    text = files(package).joinpath("queries.sql").read_text()
    names = re.findall(r"^-- (\w+) --$", text, re.MULTILINE)
    assert len(names) == len(set(names)) == len(queries(package))


@pytest.mark.parametrize("package", STORES)
def test_each_query_has_one_statement(package):
    """A named query is one statement without a semicolon."""
    for name, query in queries(package).items():
        bare = re.sub(r"--.*", "", query)
        assert ";" not in bare, name
        assert re.match(r"\s*(SELECT|INSERT|UPDATE|WITH)\b", bare), name
