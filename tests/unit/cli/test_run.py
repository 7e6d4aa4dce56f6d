"""A command ends with 0, 1 or 2, and a mistake is one line that helps."""

import subprocess
import sys

import pytest

from seamline.cli import COMMANDS, run


@pytest.mark.parametrize("arguments", [["--nope"], ["nope"], ["audit", "--nope"], ["backup"]])
def test_wrong_use_is_two(arguments, said, shop):
    """An unknown command or option, or a missing argument, is one line and exit code 2."""
    code, out, err = said(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("seamline: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["serve", "doctor", "migrate", "audit"])
def test_missing_settings_are_two(command, said, shop):
    """A settings file that is not there is named, with what to do, under exit code 2."""
    code, _, err = said(command, "-c", "other.toml")
    assert code == 2
    assert err.startswith("seamline: other.toml: no such file; name your settings with -c FILE")


@pytest.mark.parametrize("command", ["serve", "doctor", "migrate", "audit"])
def test_a_mistake_in_the_settings_is_two(command, said, shop):
    """A mistake in the settings is the one line about its key, under exit code 2."""
    text = (shop / "seamline.toml").read_text()
    (shop / "seamline.toml").write_text(text.replace("port = 0", 'port = "x"'))
    code, _, err = said(command)
    assert code == 2
    assert err == 'seamline: seamline.toml: server.port: expected a whole number, got "x"\n'


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("audit", "seamline.db"),
        ("migrate", "seamline.db"),
        ("backup copy.db", "seamline.db to copy.db"),
    ],
)
def test_a_file_that_is_no_ledger(said, shop, command, named):
    """Which file is no database is said in one line, without a traceback."""
    (shop / "seamline.db").write_bytes(b"not a ledger, but long enough to be looked at" * 40)
    code, _, err = said(*command.split())
    assert code == 1
    assert err == f"seamline: {named}: file is not a database\n"


def test_a_fault_of_the_program_is_not_hidden(monkeypatch, shop):
    """What nobody expected is raised, with its traceback."""
    monkeypatch.setattr("seamline.cli.audit.place", lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        run(["audit"])


@pytest.mark.parametrize("command", COMMANDS)
def test_the_overview_says_what_the_help_says(command, capsys):
    """A command's line in the overview is the first sentence of its own help."""
    assert run([command, "--help"]) == 0
    assert COMMANDS[command] in capsys.readouterr().out


def test_the_overview_imports_no_command():
    """`seamline --help` answers at once: it loads neither commands nor dialects nor servers."""
    program = (
        "import sys; from seamline.cli import run; run(['--help']);"
        "print([each for each in sys.modules if each.startswith('seamline')])"
        "; print({'aiohttp', 'apsw', 'msgspec', 'uvicorn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[-2:] == ["['seamline', 'seamline.cli']", "set()"]
