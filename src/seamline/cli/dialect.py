"""`seamline dialect`: what the dialects can do, and the folder of a new one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from seamline.cli import features, skeleton
from seamline.cli.shell import say
from seamline.dialects import dialects

command = App(name="dialect", help="Show what each dialect can do, or begin a new one.")


@command.command(name="list")
def listed(
    *,
    markdown: Annotated[bool, Parameter(help="The tables of docs/vendors.md.")] = False,
) -> None:
    """Show what each dialect can do.

    Learnt from its record and its vectors; rules as with default settings.
    """
    if markdown:
        say(features.markdown(dialects().values()).rstrip("\n"))
        return
    for dialect in dialects().values():
        say((dialect.name, "bold"), f"  {dialect.title} ({dialect.document})")
        for feature, text in features.of(dialect).items():
            say(f"  {feature:<28}", text)


@command.command
def new(
    name: Annotated[str, Parameter(help="The folder's name: letters a-z and digits.")],
    /,
    *,
    title: Annotated[str | None, Parameter(help="The vendor's name for people.")] = None,
    folder: Annotated[
        Path | None,
        Parameter(name="--dir", help="Make a package of its own there, outside of a checkout."),
    ] = None,
) -> None:
    """Make the folder of a new vendor, to be filled in.

    Run it in a checkout. What is made works and is tested, but fails its tests
    until every "not written yet" in it is gone. Nothing is overwritten.
    """
    package = f"seamline.dialects.{name}" if folder is None else f"seamline_{name}"
    vendor = skeleton.Vendor(name=name, title=title or name.capitalize(), package=package)
    if folder is None:
        home = skeleton.checkout_around(Path.cwd())
        made = skeleton.in_checkout(home, vendor)
    else:
        home, made = folder, skeleton.alone(folder, vendor)
    skeleton.write(made)
    for path in made:
        say(("made  ", "green"), str(path.relative_to(home) if folder is None else path))
    say()
    for line in _next(name, folder):
        say(line)


def _next(name: str, folder: Path | None) -> tuple[str, ...]:
    """What to do with it."""
    if folder is None:
        return (
            "What is to be written, by file and line, then what must hold:",
            f"  pytest tests/test_tidy_vendors.py -k {name}",
            f"  pytest tests/dialects -k {name}",
            "ADDING_A_DIALECT.md goes through it step by step.",
        )
    return (
        "Seamline finds it by the entry point in its pyproject.toml, once it is installed:",
        f"  pip install -e {folder}",
        f"In a checkout with that environment, `pytest tests/dialects -k {name}` tests it too.",
    )
