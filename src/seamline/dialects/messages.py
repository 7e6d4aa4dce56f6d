"""What players may read when something is refused, in their language; the texts are in a table."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files

from seamline.dialects.dialect import total
from seamline.wallet import Rejected, Rejection

#: The language that every message exists in.
DEFAULT = "en"


def texts_of(table: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[Rejection, str]]:
    """The messages by language; a name that is no rejection, or a hole in English, is named."""
    read = {
        language: {Rejection[name]: text for name, text in rows.items()}
        for language, rows in table.items()
    }
    english = total(Rejection, read[DEFAULT])
    return {language: {**english, **rows} for language, rows in read.items()}


MESSAGES = texts_of(
    tomllib.loads((files("seamline.dialects") / "messages.toml").read_text(encoding="utf-8"))
)


def message(rejected: Rejected) -> str:
    """What the player may read; a language such as `de-AT` that has no texts falls back."""
    language = (rejected.language or DEFAULT).lower()
    texts = MESSAGES.get(language) or MESSAGES.get(language[:2]) or MESSAGES[DEFAULT]
    return texts[rejected.why]
