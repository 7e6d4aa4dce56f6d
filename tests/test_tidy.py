"""The house style of STYLE.md, as far as a program can check it.

A check is a small function from a parsed file to the lines that break a rule. Each is tried on bad
snippets first, so that none passes because it cannot fail.
"""

import ast
import re
import statistics
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import seamline
from seamline.dialects import dialects
from seamline.dialects.dialect import Request
from seamline.wallet import Integration

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "seamline"

MAX_FUNCTION = 70
GROWN_FUNCTION = 40
MAX_FILE = 500
MAX_DIALECT_FILE = 400
MAX_PARAMETERS = 7
MAX_TRY = 5
MEDIAN_FUNCTION = 9
NINTH_DECILE_FUNCTION = 27

#: Where amounts and decisions are made: exact, and the same whenever they are made again.
PURE = ("money.py", "wallet.py", "ledger/", "dialects/", "sender/policy.py")
IMPURE = {
    "float": "a float is not exact",
    "Decimal": "a decimal past the wire is a second kind of amount",
    "datetime.now": "the time is passed in",
    "datetime.utcnow": "the time is passed in",
    "random": "a decision is the same when it is made again",
    "uuid4": "a decision is the same when it is made again",
    "environ": "settings are passed in",
    "getenv": "settings are passed in",
}
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|REPLACE|WITH)\s+[\w*(]")
UNFINISHED = re.compile(r"\b(" + "TO" + "DO|FIX" + "ME)" + r"\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source(NamedTuple):
    """A file of Python."""

    name: str
    text: str
    tree: ast.Module


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every file of Python below the folders of the project."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple(parsed(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths)


def parsed(name: str, text: str) -> Source:
    """The text as a file of that name."""
    return Source(name, text, ast.parse(text))


def functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Every function below a node, nested ones too, with its dotted name."""
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, Function | ast.ClassDef)
        name = f"{prefix}{child.name}" if named else prefix
        if isinstance(child, Function):
            yield name, child
        yield from functions(child, f"{name}." if named else prefix)


def length(function: Function) -> int:
    """The lines from `def` to the end, without the docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    return lines - (function.body[0].end_lineno - function.body[0].lineno + 1)


def is_stub(function: Function) -> bool:
    """Whether a function only declares: a docstring, `...`, or both."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return all(
        isinstance(line, ast.Expr) and getattr(line.value, "value", None) is ... for line in body
    )


# The checks: from a file to what breaks the rule in it.


def too_long(source: Source, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Functions of more than 70 lines, and of more than 40 that no exception names."""
    return [
        f"{source.name}::{name} has {length(function)} lines"
        for name, function in functions(source.tree)
        if length(function) > MAX_FUNCTION
        or (length(function) > GROWN_FUNCTION and f"{source.name}::{name}" not in allowed)
    ]


def file_too_long(source: Source) -> list[str]:
    """A file of more than 500 lines, or 400 for a vendor's."""
    vendor = re.match(r"src/seamline/dialects/\w+/", source.name)
    limit = MAX_DIALECT_FILE if vendor else MAX_FILE
    lines = source.text.count("\n")
    return [f"{source.name} has {lines} lines, more than {limit}"] if lines > limit else []


def too_many_parameters(source: Source) -> list[str]:
    """Functions of more than 7 parameters, `self` and `cls` not counted."""
    found = []
    for name, function in functions(source.tree):
        given = function.args
        every = (*given.posonlyargs, *given.args, *given.kwonlyargs)
        count = len([each for each in every if each.arg not in {"self", "cls"}])
        if count > MAX_PARAMETERS:
            found.append(f"{source.name}::{name} has {count} parameters")
    return found


def try_too_long(source: Source) -> list[str]:
    """`try` blocks whose body is longer than 5 lines, so that nobody sees what may fail."""
    return [
        f"{source.name}:{node.lineno} tries more than {MAX_TRY} lines"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Try)
        and node.body[-1].end_lineno - node.body[0].lineno + 1 > MAX_TRY
    ]


def impure(source: Source) -> list[str]:
    """Names that make amounts inexact or decisions depend on something unseen."""
    return [
        f"{source.name}:{node.lineno} {name}: {IMPURE[name]}"
        for node in inexact_nodes(source.tree)
        for name in names(node)
        if name in IMPURE
    ]


def inexact_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that give a number of seconds, such as `deadline_s: float = 10.0`."""
    for child in ast.iter_child_nodes(node):
        target = getattr(child, "target", None)
        name = getattr(child, "arg", None) or getattr(target, "id", None) or ""
        if isinstance(child, ast.AnnAssign | ast.arg | ast.keyword) and name.endswith("_s"):
            continue
        yield child
        yield from inexact_nodes(child)


def names(node: ast.AST) -> list[str]:
    """What a node names: a variable, an attribute, a module, or a float by writing one."""
    if isinstance(node, ast.Constant):
        return ["float"] if isinstance(node.value, float) else []
    if isinstance(node, ast.Attribute):
        return [f"{getattr(node.value, 'id', '')}.{node.attr}", node.attr]
    if isinstance(node, ast.Import | ast.ImportFrom):
        modules = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        return [part for module in modules for part in module.split(".")]
    return [node.id] if isinstance(node, ast.Name) else []


def asserts(source: Source) -> list[str]:
    """`assert` statements: Python drops them under `-O`; `must` stays."""
    return [
        f"{source.name}:{node.lineno} asserts"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assert)
    ]


def unfinished(source: Source) -> list[str]:
    """Notes to do something later."""
    lines = enumerate(source.text.splitlines(), 1)
    return [f"{source.name}:{number} {line.strip()}" for number, line in lines
            if UNFINISHED.search(line)]  # fmt: skip


def undocumented(source: Source) -> list[str]:
    """The module, and public classes, functions and methods, without a docstring."""
    found = [] if ast.get_docstring(source.tree) else [f"{source.name} has no docstring"]

    def look(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, Function | ast.ClassDef) or child.name.startswith("_"):
                continue
            if ast.get_docstring(child) is None:
                found.append(f"{source.name}::{prefix}{child.name} has no docstring")
            if isinstance(child, ast.ClassDef):
                look(child, f"{child.name}.")

    look(source.tree, "")
    return found


def lawless(source: Source) -> list[str]:
    """Tests whose docstring is not a sentence, so that nobody sees their law."""
    return [
        f"{source.name}::{name} states no law"
        for name, function in functions(source.tree)
        if function.name.startswith("test_") and not is_sentence(ast.get_docstring(function) or "")
    ]


def is_sentence(text: str) -> bool:
    """Whether the first paragraph begins like a sentence and ends with a full stop."""
    first = text.partition("\n\n")[0]
    return first.endswith(".") and not first[0].islower()


def sql_in_python(source: Source) -> list[str]:
    """Texts that begin like a statement of SQL."""
    return [
        f"{source.name}:{node.lineno} {node.value.strip().splitlines()[0]}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]


# The checks on bad snippets.


def body(lines: int) -> str:
    """A function with that many lines, docstring not counted."""
    return 'def grown():\n    """Grow."""\n' + "    x = 1\n" * (lines - 1)


BAD = [
    (too_long, body(71), "::grown has 71 lines"),
    (too_long, body(41), "::grown has 41 lines"),
    (
        too_long,
        "class Plant:\n" + body(41).replace("\n", "\n    ").join(["    ", ""]),
        "Plant.grown",
    ),
    (file_too_long, "x = 1\n" * 501, "501 lines, more than 500"),
    (too_many_parameters, "def f(a, b, c, d, *, e, f, g, h): ...", "::f has 8 parameters"),
    (try_too_long, "try:\n" + "    f()\n" * 6 + "except ValueError:\n    pass", ":1 tries"),
    (impure, "x: float", "float"),
    (impure, "x = 0.1", "float"),
    (impure, "from decimal import Decimal", "Decimal"),
    (impure, "x = datetime.now(UTC)", "datetime.now"),
    (impure, "import random", "random"),
    (impure, "from random import choice", "random"),
    (impure, "x = uuid.uuid4()", "uuid4"),
    (impure, "x = os.environ['X']", "environ"),
    (asserts, "def f(x):\n    assert x", ":2 asserts"),
    (unfinished, "x = 1  # " + "TO" + "DO: y", ":1"),
    (undocumented, "x = 1", "has no docstring"),
    (undocumented, '"""M."""\ndef f(): ...', "::f has no docstring"),
    (undocumented, '"""M."""\nclass C:\n    """C."""\n    def f(self): ...', "::C.f has no"),
    (lawless, "def test_it(): ...", "::test_it"),
    (lawless, 'def test_it():\n    """Bet twice"""', "::test_it"),
    (lawless, 'def test_it():\n    """bet twice."""', "::test_it"),
    (sql_in_python, 'x = "SELECT 1"', ":1 SELECT 1"),
    (sql_in_python, 'x = f"""\nDELETE FROM {y}"""', "DELETE FROM"),
]


@pytest.mark.parametrize(("check", "snippet", "found"), BAD)
def test_each_check_can_fail(check, snippet, found):
    """A check names the place in a snippet that breaks its rule."""
    assert found in " ".join(check(parsed("bad.py", snippet)))


def test_each_check_can_pass():
    """No check finds fault with a short, documented, exact function."""
    good = parsed(
        "good.py", '"""Bets."""\n\n\ndef test_bet(bet):\n    """A bet moves."""\n    bet()\n'
    )
    assert [check(good) for check in {check for check, _, _ in BAD}] == [[]] * 10


def test_seconds_may_be_a_fraction():
    """A deadline is no amount: a name that ends with `_s` may be a float."""
    assert not impure(parsed("good.py", "def f(wait_s: float): g(stop_s=0.5)\nlast_s: float = 1.5"))
    assert impure(parsed("bad.py", "stake: float = 1"))


def test_a_vendor_file_has_less_room():
    """Four hundred lines are the limit within a vendor's folder."""
    assert file_too_long(parsed("src/seamline/dialects/acme/wire.py", "x = 1\n" * 401))
    assert not file_too_long(parsed("src/seamline/dialects/dialect.py", "x = 1\n" * 401))


# The checks on the project.


def breaches(check, *folders: str, only: tuple[str, ...] = ("",)) -> str:
    """What a check finds in the files of those folders, one per line."""
    chosen = [source for source in sources(*folders) if is_below(source.name, only)]
    assert chosen, "nothing to check"
    return "\n".join(line for source in chosen for line in check(source))


def is_below(name: str, places: tuple[str, ...]) -> bool:
    """Whether a file of the project is one of the places, relative to the package."""
    return "" in places or name.removeprefix("src/seamline/").startswith(places)


@cache
def exceptions() -> dict[str, str]:
    """The functions that may be longer than 40 lines, with the reason."""
    lines = (ROOT / "tests" / "tidy_exceptions.txt").read_text().splitlines()
    rows = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return {name: reason.strip() for name, _, reason in rows}


def test_functions_fit_a_screen():
    """No function passes 70 lines, and none passes 40 without a reason."""
    allowed = frozenset(exceptions())
    assert not breaches(lambda source: too_long(source, allowed), "src", "tests", "bench")


def test_exceptions_are_needed_and_explained():
    """Each exception has a reason, and is deleted when its function is short again."""
    long = breaches(too_long, "src", "tests", "bench")
    assert not [name for name, reason in exceptions().items() if not reason or name not in long]


def test_functions_are_short_on_the_whole():
    """Half of all functions have at most 9 lines, nine in ten at most 27."""
    lengths = [
        length(function)
        for source in sources("src")
        for _, function in functions(source.tree)
        if not is_stub(function)
    ]
    median, ninth = statistics.median(lengths), statistics.quantiles(lengths, n=10)[-1]
    assert median <= MEDIAN_FUNCTION, f"the median function has {median} lines"
    assert ninth <= NINTH_DECILE_FUNCTION, f"one function in ten has more than {ninth} lines"


def test_files_are_short():
    """A file has at most 500 lines, a vendor's at most 400."""
    assert not breaches(file_too_long, "src", "tests", "bench")


def test_parameters_are_few():
    """A function has at most 7 parameters."""
    assert not breaches(too_many_parameters, "src", "bench")


def test_a_try_holds_what_may_fail():
    """The body of a `try` has at most 5 lines."""
    assert not breaches(try_too_long, "src")


def test_money_is_exact_and_decisions_repeat():
    """Where money is made and decided there is no float, no clock, no chance and no environment."""
    assert not breaches(impure, "src", only=PURE)


def test_checks_stay_on():
    """The source has no `assert`."""
    assert not breaches(asserts, "src")


def test_nothing_is_left_for_later():
    """No file holds a note to finish it."""
    assert not breaches(unfinished, "src", "tests", "bench")


def test_public_names_are_documented():
    """Each module, class, function and method with a public name has a docstring."""
    assert not breaches(undocumented, "src")


def test_tests_state_laws():
    """The docstring of a test is a sentence."""
    assert not breaches(lawless, "tests")


def test_sql_lives_in_sql_files():
    """No text in the source begins like a statement of SQL."""
    assert not breaches(sql_in_python, "src")


def test_named_queries_are_used():
    """Each query of a `.sql` file is named in the source."""
    nodes = [node for source in sources("src") for node in ast.walk(source.tree)]
    used = {getattr(node, "value", None) for node in nodes if isinstance(node, ast.Constant)}
    used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    named = [
        (path.relative_to(ROOT).as_posix(), name)
        for path in sorted(SRC.rglob("*.sql"))
        for name in re.findall(r"^-- (\w+) --$", path.read_text(), re.MULTILINE)
    ]
    assert named, "no query has a name"
    assert not [(path, name) for path, name in named if name not in used]


def test_there_is_one_version():
    """The newest entry of the changelog, the package and its metadata have the same version."""
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert newest
    assert newest[1] == seamline.__version__ == metadata["version"]


def test_the_readme_is_short_and_leads_on():
    """The README has at most 500 words, and every file that it links to is there."""
    text = (ROOT / "README.md").read_text()
    assert len(text.split()) <= 500
    assert not [link for link in re.findall(r"\]\(([^)]+)\)", text) if not (ROOT / link).exists()]


def test_the_signature_in_the_readme_is_right():
    """Whoever copies the request of the README sends one that a sandbox gateway believes."""
    text = (ROOT / "README.md").read_text()
    path = re.search(r"/callbacks/(\w+)(/\w+)", text)
    header, value = re.search(r"-H '(X-[\w-]+): (\w+)'", text).groups()
    dialect = dialects()[path[1]]
    integration = Integration(
        name=path[1], brand="demo", dialect=path[1], options=dialect.sandbox()
    )
    body = re.search(r"-d '(.+)'", text)[1].encode()
    headers = ((header.lower().encode(), value.encode()),)
    dialect.verify(Request("POST", path[2], headers=headers, body=body), integration)


@pytest.mark.parametrize("lock", ["run", "dev", "bench"])
def test_locks_name_no_host(lock):
    """A lock holds names, versions and hashes; where packages come from is the user's choice."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    assert "--hash=sha256:" in text
    assert not re.search(r"://|--index|--find-links| @ |file:", text)
