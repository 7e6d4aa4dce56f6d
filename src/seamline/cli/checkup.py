"""The doctor's checks: each finds nothing, or says what is the matter and what to do about it."""

from __future__ import annotations

import shutil
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from seamline.cli.assembly import growing_folder, place
from seamline.cli.finding import MIB, Finding, Level
from seamline.cli.settings import Settings
from seamline.dialects.dialect import Secret
from seamline.edge.ops import LEAST_FREE_BYTES

#: Less free disk than this is worth a word.
LITTLE_FREE_BYTES = 1024 * MIB

#: What stands before a key that everybody may know, and at the end of what stands before others.
PUBLIC_KEY, PRIVATE_KEY = "-----BEGIN PUBLIC KEY-----", "PRIVATE KEY-----"

#: A key of fewer characters than this can be guessed.
SHORT_SECRET = 16

#: The keys and indexes that lead to a value of the settings file.
Steps = tuple[str | int, ...]


def checkup(settings: Settings, config: Path) -> Iterator[Finding]:
    """Every check in turn, reading only."""
    brands, integrations = len(settings.brands), len(settings.integrations)
    yield Finding("ok", "settings", f"{brands} brand(s), {integrations} integration(s)")
    yield from place(settings).findings(settings.currencies)
    yield _disk(growing_folder(settings))
    yield from _keys(settings)
    yield from _files(settings, config)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text = f"{free // MIB} MiB free in {folder}"
    if free < LEAST_FREE_BYTES:
        return Finding("fail", "disk", f"{text}; the gateway reports not ready: make room")
    return (
        Finding("warn", "disk", f"{text}; make room")
        if free < LITTLE_FREE_BYTES
        else Finding("ok", "disk", text)
    )


def _keys(settings: Settings) -> Iterator[Finding]:
    """What is wrong with the secrets themselves."""
    places: dict[Secret, list[str]] = defaultdict(list)
    for steps, secret in secrets(settings):
        places[secret].append(written(steps))
    if not settings.api.keys:
        yield Finding("warn", "api.keys", "none: /v1 refuses everybody; add one")
    weak = [finding for secret, at in places.items() for finding in _weak(secret, at)]
    yield from weak or [Finding("ok", "secrets", f"{len(places)}, all different, none short")]


def _weak(secret: Secret, places: Sequence[str]) -> Iterator[Finding]:
    text, place = secret.reveal(), places[0]
    if text.startswith("sandbox_"):
        yield Finding("fail", place, "a sandbox key, which everybody knows; ask for a real one")
    elif len(text) < SHORT_SECRET:
        yield Finding("warn", place, f"shorter than {SHORT_SECRET} characters; use a longer one")
    if len(places) > 1:
        others = ", ".join(places[1:])
        yield Finding("warn", place, f"the same key as {others}; give each a key of its own")


def _files(settings: Settings, config: Path) -> Iterator[Finding]:
    """Whether others on this machine can read what holds secrets or money."""
    tree = tomllib.loads(config.read_text(encoding="utf-8"))
    files: dict[Path, str] = {}
    for steps, secret in secrets(settings):
        scheme, _, name = _text_at(tree, steps).partition(":")
        if PUBLIC_KEY in secret.reveal() and PRIVATE_KEY not in secret.reveal():
            continue  # It only verifies.
        if scheme == "file":
            files[config.parent / name] = "holds a secret"
        elif scheme != "env":
            files[config] = "holds a secret"
    ledger = place(settings)
    if ledger.secret and _text_at(tree, ("store", "url")) == settings.store.url:
        files[config] = "holds a secret"
    if ledger.file is not None and ledger.file.exists():
        files[ledger.file] = "is the ledger"
    open_to_others = [found for path, why in files.items() if (found := _mode(path, why))]
    yield from open_to_others or [Finding("ok", "files", "nothing secret can be read by others")]


def _mode(path: Path, why: str) -> Finding | None:
    mode = path.stat().st_mode
    if not mode & 0o077:
        return None
    who = "everybody on this machine" if mode & 0o007 else "its group"
    level: Level = "fail" if mode & 0o007 and why == "holds a secret" else "warn"
    return Finding(level, str(path), f"{why} and is open to {who}; run chmod 600 {path}")


def secrets(settings: Settings) -> Iterator[tuple[Steps, Secret]]:
    """Every secret of the settings, and where the file has it."""
    yield from below(("api", "keys"), settings.api.keys)
    for name, each in settings.integrations.items():
        yield from below(("integrations", name, "options"), each.options)


def below(steps: Steps, value: object) -> Iterator[tuple[Steps, Secret]]:
    """Every secret in the value, which stands at those steps."""
    if isinstance(value, Secret):
        yield steps, value
    elif isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            yield from below((*steps, field.encode_name), getattr(value, field.name))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from below((*steps, name), inner)
    elif isinstance(value, tuple | list):
        for index, inner in enumerate(value):
            yield from below((*steps, index), inner)


def _text_at(tree: object, steps: Steps) -> str:
    """What the file says there; a default that the file leaves out is no secret of the file."""
    for step in steps:
        if isinstance(tree, dict):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int):
            tree = tree[step]
    return tree if isinstance(tree, str) else "env:"


def written(steps: Steps) -> str:
    """The steps as a person writes the key: `api.keys[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)[1:]
