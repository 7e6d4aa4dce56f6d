"""What the commands share: the settings file that they take, and how they speak."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from seamline.cli.failure import Failure
from seamline.cli.settings import Settings, load

Config = Annotated[Path, Parameter(name=["--config", "-c"], help="The settings file.")]
DEFAULT = Path("seamline.toml")

#: A text, or a text in a style of rich, which shows on a terminal only.
Part = str | tuple[str, str]


def settings_of(config: Path) -> Settings:
    """The settings in the file. Raises `SettingsError`, or `Failure` when there is no file."""
    if not config.exists():
        raise Failure(
            f"{config}: no such file; name your settings with -c FILE, "
            "or try `seamline demo`, which needs none",
            code=2,
        )
    return load(config, os.environ)


def say(*parts: Part) -> None:
    """Write one line to standard output, never wrapped."""
    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    console.print(Text.assemble(*parts))


@contextmanager
def progress(noun: str) -> Iterator[Callable[[int], None]]:
    """A function that shows a count, on a terminal only; what it showed is gone afterwards."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(noun) as status:
        yield lambda count: status.update(f"{count:,} {noun}")


def base_url(host: str, port: int) -> str:
    """Where a gateway that listens on the address is reached from this machine."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
