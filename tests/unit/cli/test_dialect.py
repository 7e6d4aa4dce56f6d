"""`seamline dialect new` makes a folder that says what is missing, and is whole once that is in."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kit import lantern
from seamline.cli import run, skeleton
from seamline.dialects.dialect import Call, Dialect
from seamline.wallet import Policy

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "src" / "seamline" / "cli" / "template"

#: Names that sort before, between and after the modules that a dialect imports.
NAMES = ("abacus", "lantern", "zither9")

#: A few examples per law are enough to see that a new folder inherits them.
FEW = """
settings.register_profile("few", settings.get_profile("house"), max_examples=3)
settings.load_profile("few")
"""


PYTEST = ("-m", "pytest", "-q", "-n", "0")


def checkout_in(folder, *names):
    """A copy of the checkout with folders of new vendors in it."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    for part in ("src", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "tests" / "conftest.py").open("a") as conftest:
        conftest.write(FEW)
    with contextlib.chdir(folder / "tests"):
        for name in names:
            assert run(["dialect", "new", name, "--title", f"{name.title()} Games"]) == 0
    return folder


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A checkout with three folders of which nothing is written yet."""
    return checkout_in(tmp_path_factory.mktemp("fresh"), *NAMES)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A checkout with a vendor that somebody has filled in."""
    folder = checkout_in(tmp_path_factory.mktemp("filled"), lantern.NAME)
    lantern.fill_in(folder / "src" / "seamline" / "dialects" / lantern.NAME)
    return folder


def tool(folder, *arguments, path=()):
    """What a tool says in a checkout: its exit code and its output."""
    found = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (folder / "src", *path))),
        # It takes hypothesis long to learn all characters; here it knows them.
        "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis"),
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=found,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def laws_of(folder):
    """What pytest says about the laws that the new vendor is held to."""
    laws = sorted((ROOT / "tests" / "dialects").glob("test_*.py"))
    where = [f"tests/dialects/{each.name}" for each in laws]
    where += [f"tests/dialects/{lantern.NAME}", "tests/test_tidy_vendors.py"]
    return tool(folder, *PYTEST, "--tb=short", "-k", lantern.NAME, *where)


# A fresh folder.


def test_a_fresh_folder_is_a_dialect(fresh):
    """A new folder is found, under its name and title, without any other file being touched."""
    asking = "from seamline.dialects import dialects; print([each.title for each in dialects()"
    code, out = tool(fresh, "-c", asking + ".values() if each.name in " + repr(NAMES) + "])")
    assert (code, out) == (0, "['Abacus Games', 'Lantern Games', 'Zither9 Games']\n")


def test_a_fresh_folder_says_what_is_missing(fresh):
    """The tests of a fresh folder fail, and say by file and line what to write."""
    code, out = laws_of(fresh)
    assert code == 1
    failed = set(re.findall(r"^FAILED [^:]+::(\w+)", out, re.MULTILINE))
    assert failed == {
        "test_a_vendor_is_written",
        "test_a_vendor_is_documented",
        "test_each_call_has_a_published_example",
        "test_a_dialect_can_bet_pay_and_refund",
        "test_each_call_is_in_the_vectors",
        "test_every_refusal_is_in_the_vendor_s_words",
    }
    home = "src/seamline/dialects/lantern"
    assert re.search(rf"{home}/README\.md:3: \*not written yet\*: one sentence", out)
    assert re.search(rf"{home}/refusals\.py:\d+: Rejection\.FUNDS: NOT_WRITTEN,", out)
    assert "vectors/calls.json lacks balance, bet, refund, win" in out
    assert "version not written yet' names no version" in out
    for path in (fresh / home).rglob("*.*"):
        if path.suffix in {".py", ".json", ".md"} and path.name not in {"test", "__pycache__"}:
            assert f"{path.relative_to(fresh)}:" in out, "each file has something to write"


def test_a_fresh_folder_stops_nobody_else(fresh):
    """With a folder that is not written yet, what goes through all dialects can be collected."""
    paths = sorted((fresh / "tests").rglob("test_*.py"))
    through_all = [str(path) for path in paths if "dialects()" in path.read_text()]
    assert through_all
    code, out = tool(fresh, *PYTEST, "--collect-only", *through_all)
    assert code == 0, out[-2000:]


def test_the_template_is_in_the_house_format(fresh):
    """Whatever a vendor's name, its folder passes the linter, the formatter and the types."""
    folders = [f"{part}/dialects/{name}" for part in ("src/seamline", "tests") for name in NAMES]
    assert tool(fresh, "-m", "ruff", "check", "--no-cache", *folders) == (
        0,
        "All checks passed!\n",
    )
    code, out = tool(fresh, "-m", "ruff", "format", "--check", "--no-cache", *folders)
    assert code == 0, out
    sources = [each for each in folders if each.startswith("src")]
    code, out = tool(fresh, "-m", "mypy", "--cache-dir", ".mypy_cache", *sources)
    assert code == 0, out


# A folder that is filled in.


def test_what_is_filled_in_keeps_all_laws(filled):
    """Vectors, refusals and a README make a fresh folder a dialect that keeps every law."""
    code, out = laws_of(filled)
    assert code == 0, out[-4000:]
    assert "skipped" not in out


# The template and the frame.


def text_of(*parts):
    """Everything that a part of the template says."""
    paths = [path for part in parts for path in (TEMPLATE / part).rglob("*.txt")]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


@pytest.mark.parametrize("frame", [Dialect, Call])
def test_the_template_knows_the_whole_frame(frame):
    """Every field of the record and of a call is in the template: given, or named in a comment."""
    given = (TEMPLATE / "vendor" / "__init__.py.txt").read_text(encoding="utf-8")
    assert not [name for name in frame.__struct_fields__ if not re.search(rf"\b{name}\b", given)]


def test_the_template_asks_every_question():
    """The README of the template asks for each field of the policy."""
    asked = text_of("vendor")
    missing = [name for name in Policy.__struct_fields__ if f"`{name}`" not in asked]
    assert not missing, "add a row to src/seamline/cli/template/vendor/README.md.txt"


def test_the_template_is_no_package():
    """No part of the template is Python that could be imported or linted by mistake."""
    assert all(path.suffix == ".txt" for path in TEMPLATE.rglob("*") if path.is_file())


# How the command is used.


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty checkout."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "seamline"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_was_made_is_told(said, here):
    """Each file is named, then what to do next; the title is the name where none was given."""
    code, out, err = said("dialect", "new", "lantern")
    assert (code, err) == (0, "")
    made = re.findall(r"^made  (\S+)$", out, re.MULTILINE)
    assert made
    assert all((here / path).is_file() for path in made)
    assert "pytest tests/dialects -k lantern" in out
    assert 'title="Lantern"' in (here / "src/seamline/dialects/lantern/__init__.py").read_text()


def test_nothing_is_overwritten(said, here):
    """Where a file is in the way nothing at all is written."""
    world = here / "tests" / "dialects" / "lantern" / "lantern_world.py"
    world.parent.mkdir(parents=True)
    world.write_text("mine")
    code, _, err = said("dialect", "new", "lantern")
    assert code == 2
    assert err == f"seamline: {world}: exists already, and nothing is overwritten\n"
    assert world.read_text() == "mine"
    assert [path for path in here.rglob("*") if path.is_file()] == [here / "pyproject.toml", world]


@pytest.mark.parametrize("name", ["Acme", "9lives", "two_words", "two-words", "", "../x", "class"])
def test_a_name_must_be_a_package(name, said, here):
    """A name that cannot be a folder and a module everywhere is refused."""
    code, _, err = said("dialect", "new", name)
    assert code == 2
    assert err.startswith("seamline: NAME: expected a word of at most 20 letters a-z and digits")
    assert not (here / "src").exists()


@pytest.mark.parametrize("title", ['"', "a\nb", "x" * 41, "a\\b", " ", "|"])
def test_a_title_must_fit_in_its_places(title, said, here):
    """A title that would break a text of Python or a table is refused."""
    code, _, err = said("dialect", "new", "lantern", "--title", title)
    assert code == 2
    assert err.startswith("seamline: --title: expected at most 40 letters, digits, spaces and ")
    assert not (here / "src").exists()


@pytest.mark.parametrize("content", [None, '[project]\nname = "other"\n', "[tool]\n", "no toml"])
def test_a_checkout_is_needed(content, said, tmp_path, monkeypatch):
    """Outside of a checkout of this project the command says so, and what to do."""
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "pyproject.toml").write_text(content)
    code, _, err = said("dialect", "new", "lantern")
    assert code == 2
    assert "is in no checkout of Seamline: run this in one, or name a folder with --dir" in err


def test_a_package_of_its_own_is_found_by_its_entry_point(said, tmp_path):
    """With --dir a whole project is made, which a checkout tests too once it is installed."""
    home = tmp_path / "elsewhere"
    code, out, _ = said("dialect", "new", "lantern", "--dir", str(home))
    assert code == 0
    assert f"pip install -e {home}" in out
    project = skeleton.tomllib.loads((home / "pyproject.toml").read_text())["project"]
    entry = project["entry-points"]["seamline.dialects"]
    assert entry == {"lantern": "seamline_lantern"}
    # What an installer makes of it.
    installed = home / "src" / "seamline_lantern-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: seamline-lantern\n")
    (installed / "entry_points.txt").write_text("[seamline.dialects]\nlantern = seamline_lantern\n")
    lantern.fill_in(home / "src" / "seamline_lantern")
    laws = (*PYTEST, "-k", "lantern and published", "tests/dialects/test_laws.py")
    code, out = tool(ROOT, *laws, path=[home / "src"])
    assert code == 0, out
    assert "4 passed" in out
    code, out = tool(home, "-m", "pytest", "-q", "-p", "no:cacheprovider", path=[ROOT / "src"])
    assert code == 0, out
