"""The gateway with every dialect's sandbox integration: `python bench/sandbox.py PORT FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from bets import BRAND
from seamline.cli.demo import settings_in
from seamline.cli.serve import run
from seamline.cli.settings import Log, Server, Settings, Store


def settings_for(store: Path, port: int) -> Settings:
    """The demo's integrations for the bench's brand, on that file."""
    return msgspec.structs.replace(
        settings_in(store.parent, BRAND),
        server=Server(port=port),
        store=Store(url=f"sqlite:///{store}"),
        log=Log(level="error"),
    )


if __name__ == "__main__":
    run(settings_for(Path(sys.argv[2]), int(sys.argv[1])))
