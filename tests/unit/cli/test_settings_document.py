"""The document of the settings and the settings agree."""

import re
from pathlib import Path

import msgspec
import pytest

from seamline.cli import COMMANDS
from seamline.cli.settings import Brand, Settings
from seamline.wallet import CurrencyLimits, Limits

DOCS = Path(__file__).parents[3] / "docs"
ROW = re.compile(r"^\| `([\w.]+)` \| (?:`(.*?)`|(\w+)) \| (.+) \|$", re.MULTILINE)
SECTIONS = ("server", "store", "ledger", "api", "exchanges", "log")
SHAPES = {
    **{field.name: field.type for field in msgspec.structs.fields(Settings)},
    "brands.NAME": Brand,
    "brands.NAME.limits": Limits,
    "brands.NAME.limits.currencies.CODE": CurrencyLimits,
}
NAMED = {
    "integrations.NAME.dialect",
    "integrations.NAME.brand",
    "integrations.NAME.allow_from",
    "integrations.NAME.options",
    "currencies.CODE.digits",
    "currencies.CODE.scale",
}


def documented():
    """Each key of the document, with its default."""
    found = ROW.findall((DOCS / "settings.md").read_text())
    return {key: quoted or plain for key, quoted, plain, _ in found}


def written(default):
    """A default as the document has it."""
    if default is msgspec.NODEFAULT:
        return "required"
    if default is None:
        return "none"
    return "[]" if default == () else msgspec.json.encode(default).decode()


def declared():
    """Each key of the structs, with its default."""
    tables = {key: SHAPES[key] for key in (*SECTIONS, *SHAPES) if key in SECTIONS or "." in key}
    return {
        f"{key}.{field.encode_name}": written(field.default)
        for key, shape in tables.items()
        for field in msgspec.structs.fields(shape)
        if not f"{key}.{field.encode_name}".endswith(("NAME.limits", "limits.currencies"))
    }


def test_every_setting_is_documented():
    """The document has every setting with its default, and no other."""
    expected = declared()
    found = documented()
    assert found.keys() == expected.keys() | NAMED
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("command", [*COMMANDS, "sign explain"])
def test_every_command_is_documented(command):
    """Each command has a chapter in the document of the commands."""
    assert f"\n## `seamline {command}" in (DOCS / "commands.md").read_text()
