"""What `--help` says is kept in files, so that a change of it is seen.

`UPDATE_GOLDEN=1 pytest tests/golden` writes the files anew.
"""

import os
import sys
from pathlib import Path

import pytest

from seamline.cli import COMMANDS, run

FOLDER = Path(__file__).parent / "help"
PAGES = {
    "seamline": [],
    **{name: [name] for name in COMMANDS},
    "sign-explain": ["sign", "explain"],
    "dialect-list": ["dialect", "list"],
    "dialect-new": ["dialect", "new"],
}


@pytest.mark.parametrize("name", PAGES)
def test_help_is_as_it_was(name, capsys, monkeypatch):
    """The help of every command is the one in its golden file."""
    monkeypatch.setenv("COLUMNS", "80")
    # The overview may have lent these their short help.
    for group in ("sign", "dialect"):
        monkeypatch.delitem(sys.modules, f"seamline.cli.{group}", raising=False)
    assert run([*PAGES[name], "--help"]) == 0
    said = capsys.readouterr().out
    golden = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(said)
    assert said == golden.read_text()


def test_every_golden_file_is_some_command():
    """No golden file is left over from a command that is gone."""
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(PAGES)
