"""The doctor's checks: each finds nothing, or says what is the matter and what to do about it."""

from __future__ import annotations

import shutil
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, cast

import apsw
import msgspec

from seamline.cli.assembly import ledger_path
from seamline.cli.settings import Settings
from seamline.dialects.dialect import Secret
from seamline.edge.ops import LEAST_FREE_BYTES
from seamline.ledger.sqlite.reader import SqliteReader
from seamline.ledger.sqlite.store import OLDEST_SQLITE, open_reader
from seamline.ledger.store import StoreError, TransactionFilter

MIB = 1_048_576

#: Less free disk than this is worth a word.
LITTLE_FREE_BYTES = 1024 * MIB

#: A key of fewer characters than this can be guessed.
SHORT_SECRET = 16

#: Clocks of two machines differ by a little.
CLOCK_SLACK_MS = 2_000

Level = Literal["ok", "warn", "fail"]
LEVELS: Sequence[Level] = ("ok", "warn", "fail")

#: The keys and indexes that lead to a value of the settings file.
Steps = tuple[str | int, ...]


class Finding(msgspec.Struct, frozen=True):
    """What one check came to: the text says what was found and, unless all is well, what to do."""

    level: Level
    what: str
    text: str


def checkup(settings: Settings, config: Path) -> Iterator[Finding]:
    """Every check in turn, reading only."""
    brands, integrations = len(settings.brands), len(settings.integrations)
    yield Finding("ok", "settings", f"{brands} brand(s), {integrations} integration(s)")
    yield _sqlite()
    yield from _ledger(settings)
    yield _disk(ledger_path(settings))
    yield from _keys(settings)
    yield from _files(settings, config)


def _sqlite() -> Finding:
    version = apsw.sqlite_lib_version()
    if apsw.SQLITE_VERSION_NUMBER < OLDEST_SQLITE:
        return Finding("fail", "sqlite", f"{version} can corrupt the ledger; install a newer apsw")
    return Finding("ok", "sqlite", version)


def _ledger(settings: Settings) -> Iterator[Finding]:
    """Whether the ledger can be read, and what it tells of scales and clock."""
    path = ledger_path(settings)
    if not path.exists():
        yield Finding("warn", "ledger", f"none at {path} yet; `seamline serve` makes it")
        return
    try:
        reader = open_reader(path, settings.currencies)
    except (StoreError, apsw.Error, OSError) as error:
        yield Finding("fail", "ledger", f"{error}")
        return
    with closing(reader):
        yield Finding("ok", "ledger", f"{path}, {path.stat().st_size / MIB:.1f} MiB")
        yield _scales(reader, settings)
        yield _clock(reader, time.time_ns() // 1_000_000)


def _scales(reader: SqliteReader, settings: Settings) -> Finding:
    """Stored units keep their meaning only while scales stay as they are."""
    known = {code: currency.scale for code, currency in settings.currencies.items()}
    rows = (cast("tuple[str, int]", row) for _, row in reader.stream(["all_currencies"]))
    wrong = [
        f"{code} is stored with scale {scale}" for code, scale in rows if known.get(code) != scale
    ]
    if wrong:
        return Finding("fail", "scales", f"{'; '.join(wrong)}; settings must say the same")
    return Finding("ok", "scales", "as stored")


def _clock(reader: SqliteReader, now_ms: int) -> Finding:
    newest = reader.transactions(TransactionFilter(limit=1))
    ahead_ms = newest[0].at_ms - now_ms if newest else 0
    if ahead_ms > CLOCK_SLACK_MS:
        ahead = f"the newest transaction is {ahead_ms // 1000} s in the future"
        return Finding("fail", "clock", f"{ahead}; set this machine's clock (NTP)")
    return Finding("ok", "clock", "not behind the newest transaction")


def _disk(path: Path) -> Finding:
    folder = next(each for each in path.absolute().parents if each.exists())
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
    for steps, _ in secrets(settings):
        scheme, _, name = _text_at(tree, steps).partition(":")
        if scheme == "file":
            files[config.parent / name] = "holds a secret"
        elif scheme != "env":
            files[config] = "holds a secret"
    if (ledger := ledger_path(settings)).exists():
        files[ledger] = "is the ledger"
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
