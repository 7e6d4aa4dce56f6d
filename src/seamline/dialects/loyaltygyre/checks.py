"""What stops the start although each part of it can be read: a mapping that cannot work.

Each check raises `ValueError` with the key of the settings that is at fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from seamline.dialects.dialect import Malformed
from seamline.dialects.loyaltygyre import mapping
from seamline.dialects.loyaltygyre.fields import ACTIONS, REASONS


def check_path(path: str, key: str) -> None:
    """Each parameter of a path has a name of its own."""
    names = mapping.parameters(path)
    if len(names) != len(set(names)):
        raise ValueError(f"{key}: expected each name in braces once, got {path!r}")


def check_reading(reading: mapping.Reading, key: str, *, bodiless: bool, form: bool) -> None:
    """The sources of a field can be there, and what the settings say themselves can be read."""
    for place in reading.sources:
        if place.kind != "body":
            continue
        if bodiless:
            raise ValueError(f"{key}.from: expected no body:{place.name}, as a GET has no body")
        if form and len(place.steps) > 1:
            raise ValueError(f"{key}.from: expected body:/field of a form, got body:{place.name}")
    if reading.places and reading.type != "decimal":
        raise ValueError(f"{key}.scale: expected none, as {reading.name} is no amount")
    theirs = reading.map or {}
    constants = [place.name for place in reading.sources if place.kind == "const"]
    for text in (*(theirs.get(each, each) for each in constants), *theirs.values()):
        _check_value(reading, text, key)
    if reading.default is not None:
        _check_value(reading, reading.default, f"{key}.default")


def _check_value(reading: mapping.Reading, text: str, key: str) -> None:
    """A text of the settings is one that the field can have."""
    if reading.name == "action" and text not in ACTIONS:
        raise ValueError(f"{key}: expected one of {', '.join(ACTIONS)}, got {text!r}")
    try:
        mapping.canonical(reading, text)
    except Malformed as error:
        raise ValueError(f"{key}: {error.rejected.detail}, got {text!r}") from error


def check_reasons(codes: Iterable[str], key: str) -> None:
    """Each is a reason code of ours."""
    for code in codes:
        if code not in REASONS:
            raise ValueError(f"{key}.{code}: expected a reason code such as {REASONS[0]}")


def check_messages(messages: Mapping[str, Mapping[str, str]]) -> None:
    """Each text for players is for a reason that there is."""
    for language, texts in messages.items():
        check_reasons(texts, f"messages.{language}")


def shape(path: str) -> str:
    """A path without the names of its parameters."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
