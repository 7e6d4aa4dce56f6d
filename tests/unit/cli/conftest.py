"""A folder with settings to run commands in."""

import pytest

from kit import program
from seamline.cli import run


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A working directory with settings, and their secrets in the environment."""
    program.furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, value in program.SECRETS.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def books(shop):
    """The same, with a ledger in which something happened."""
    program.play(shop)
    return shop


@pytest.fixture
def said(capsys):
    """Run a command within this process: exit code, standard output, standard error."""

    def say(*arguments):
        code = run(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return say
