"""A vendor is its folder and nothing else, and the folder is whole."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "seamline"
DIALECTS = SRC / "dialects"

#: What `seamline dialect new` leaves to be filled in.
UNWRITTEN = re.compile("not written yet|NOT_WRITTEN")


def folders() -> list[str]:
    """The vendors: every package below `dialects`."""
    return sorted(path.parent.name for path in DIALECTS.glob("*/__init__.py"))


@pytest.mark.parametrize("vendor", folders())
def test_a_vendor_is_written(vendor):
    """Nothing in a vendor's folder waits to be filled in."""
    unwritten = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((DIALECTS / vendor).rglob("*.*"))
        if path.suffix in {".py", ".md", ".json"}
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNWRITTEN.search(line)
    ]
    assert not unwritten, "\n".join(["to be written:", *unwritten])


@pytest.mark.parametrize("vendor", folders())
def test_a_vendor_is_documented(vendor):
    """The README of a vendor's folder names the version of the document that it implements."""
    dialect = import_module(f"seamline.dialects.{vendor}").DIALECT
    readme = (DIALECTS / vendor / "README.md").read_text()
    versions = re.findall(r"\d+(?:\.\d+)+", dialect.document)
    assert versions, f"the document {dialect.document!r} names no version"
    assert not [version for version in versions if version not in readme]


@pytest.mark.parametrize("vendor", folders())
def test_a_vendor_has_vectors(vendor):
    """A vendor's folder holds test vectors, and no file of them is empty."""
    vectors = sorted((DIALECTS / vendor / "vectors").glob("*.json"))
    assert vectors
    assert all(json.loads(path.read_text()) for path in vectors)


@pytest.mark.parametrize("vendor", folders())
def test_a_vendor_knows_its_secrets(vendor):
    """A dialect says which headers are never recorded, in lower case."""
    headers = import_module(f"seamline.dialects.{vendor}").DIALECT.secret_headers
    assert headers
    assert all(name == name.lower() for name in headers)


@pytest.mark.parametrize("vendor", folders())
def test_a_vendor_is_its_folder_and_nothing_else(vendor):
    """No source outside a vendor's folder names the vendor."""
    outside = [
        path.relative_to(ROOT).as_posix()
        for path in sorted(SRC.rglob("*"))
        if path.is_file()
        and path.suffix in {".py", ".sql", ".toml"}
        and DIALECTS / vendor not in path.parents
        and vendor in path.read_text().lower()
    ]
    assert not outside
