"""The folder of a new vendor, made from the files in `template/`.

`@NAME@`, `@TITLE@` and `@PACKAGE@` in them stand for the vendor; `vendor` in the name of a file
does too. What is written is a plain dialect that works, with every choice "not written yet".
"""

from __future__ import annotations

import keyword
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from seamline.cli.failure import Failure

_NAME = re.compile(r"[a-z][a-z0-9]{0,19}")
_TITLE = re.compile(r"[^\W_][\w .&'-]{0,39}")
_FROM = re.compile(r"^(?:from .*\n(?:[ )].*\n)*)+", re.MULTILINE)
_STATEMENT = re.compile(r"from (\S+) .*\n(?:[ )].*\n)*")


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """What the template is filled with; raises `Failure` for what cannot be a name or title."""

    name: str
    title: str
    package: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or keyword.iskeyword(self.name):
            wanted = "a word of at most 20 letters a-z and digits, a letter first"
            raise Failure(f"NAME: expected {wanted}, got {self.name!r}", code=2)
        if not _TITLE.fullmatch(self.title):
            wanted = "at most 40 letters, digits, spaces and . & ' -"
            raise Failure(f"--title: expected {wanted}, got {self.title!r}", code=2)

    def fill(self, text: str) -> str:
        """The text about this vendor."""
        for mark, value in (
            ("@NAME@", self.name),
            ("@TITLE@", self.title),
            ("@PACKAGE@", self.package),
        ):
            text = text.replace(mark, value)
        return text


def checkout_around(folder: Path) -> Path:
    """The checkout of Seamline that the folder is in. Raises `Failure` when it is in none."""
    for each in (folder, *folder.parents):
        pyproject = each / "pyproject.toml"
        if pyproject.is_file() and _project(pyproject) == "seamline":
            return each
    raise Failure(
        f"{folder} is in no checkout of Seamline: run this in one, "
        "or name a folder with --dir for a package of its own",
        code=2,
    )


def _project(pyproject: Path) -> object:
    """The name of a project; None where the file does not say one."""
    try:
        table = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except ValueError:
        return None
    project = table.get("project")
    return project.get("name") if isinstance(project, dict) else None


def in_checkout(root: Path, vendor: Vendor) -> Mapping[Path, str]:
    """The files of a vendor in a checkout, with their content."""
    homes = {
        "vendor": root / "src" / "seamline" / "dialects" / vendor.name,
        "tests": root / "tests" / "dialects" / vendor.name,
    }
    return _filled(homes, vendor)


def alone(folder: Path, vendor: Vendor) -> Mapping[Path, str]:
    """The files of a package of its own, with the entry point by which Seamline finds it."""
    homes = {
        "vendor": folder / "src" / vendor.package,
        "tests": folder / "tests",
        "package": folder,
    }
    return _filled(homes, vendor)


def _filled(homes: Mapping[str, Path], vendor: Vendor) -> Mapping[Path, str]:
    """Each file of these parts of the template, about the vendor, below the home of its part."""
    template = files("seamline.cli") / "template"
    return {
        home.joinpath(*place[:-1], place[-1].replace("vendor", vendor.name)): _in_order(
            vendor.fill(text)
        )
        for part, home in homes.items()
        for place, text in _files(template / part)
    }


def _files(folder: Traversable, *place: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every file of the template below a folder, by its path without `.txt`."""
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        if each.is_dir():
            yield from _files(each, *place, each.name)
        elif each.name.endswith(".txt"):
            yield (*place, each.name.removesuffix(".txt")), each.read_text(encoding="utf-8")


def _in_order(text: str) -> str:
    """The text with each block of `from` imports in the order of the modules."""

    def sort(block: re.Match[str]) -> str:
        statements = list(_STATEMENT.finditer(block[0]))
        return "".join(each[0] for each in sorted(statements, key=lambda each: each[1]))

    return _FROM.sub(sort, text)


def write(made: Mapping[Path, str]) -> None:
    """Write the files; raises `Failure`, with nothing written, when something is in the way."""
    taken = sorted(str(path) for path in made if path.exists())
    if taken:
        raise Failure(f"{taken[0]}: exists already, and nothing is overwritten", code=2)
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
