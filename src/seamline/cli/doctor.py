"""`seamline doctor`: every setting with its source, and what the gateway stands on."""

from __future__ import annotations

import os
from pathlib import Path

from seamline.cli.checkup import checkup
from seamline.cli.finding import LEVELS
from seamline.cli.settings import sources
from seamline.cli.shell import DEFAULT, Config, say, settings_of

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def command(*, config: Config = DEFAULT) -> int:
    """Show all settings and their sources, and check this machine.

    Only reads, so it works beside a running gateway. The exit code is 1 when a
    check fails; a warning is for you to judge.
    """
    settings = settings_of(config)
    say(("Settings", "bold"), f" in {config}; secrets are not shown")
    _say_settings(config)
    say("\n", ("Checks", "bold"))
    found = list(checkup(settings, config))
    width = max(len(finding.what) for finding in found)
    for finding in found:
        level = (f"{finding.level:<5}", _STYLES[finding.level])
        say("  ", level, f"{finding.what:<{width}}  {finding.text}")
    worst = max((LEVELS.index(finding.level) for finding in found), default=0)
    return int(LEVELS[worst] == "fail")


def _say_settings(config: Path) -> None:
    origins = sources(config, os.environ)
    keys = max(len(each.key) for each in origins)
    values = min(max(len(each.value) for each in origins), 40)
    for each in origins:
        say(f"  {each.key:<{keys}}  {each.value:<{values}}  {each.source}")
