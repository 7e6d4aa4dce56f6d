"""Named queries: SQL lives in `.sql` files, each query under `-- name --` and a sentence."""

from __future__ import annotations

import re
from importlib.resources import files

_NAME = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def queries(package: str, name: str = "queries.sql") -> dict[str, str]:
    """The queries of a package's `.sql` file by name; comments between name and query are kept."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
