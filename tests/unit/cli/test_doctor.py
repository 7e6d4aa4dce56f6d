"""The doctor shows every setting and finds what would go wrong."""

import sqlite3
import time

import pytest

from kit.program import SECRETS, SETTINGS
from seamline.cli import checkup
from seamline.dialects.nagagames.sandbox import PUBLIC_KEY


def lines(out, level):
    """The checks of that level."""
    return [line.strip() for line in out.splitlines() if line.strip().startswith(f"{level} ")]


def test_all_is_well(said, books):
    """With good settings and a good ledger every check is ok, under exit code 0."""
    code, out, err = said("doctor")
    assert (code, err) == (0, "")
    assert not lines(out, "warn") + lines(out, "fail")
    assert len(lines(out, "ok")) == 8


def test_every_setting_has_its_source(said, shop, monkeypatch):
    """A value is shown with where it comes from; a secret is not shown."""
    monkeypatch.setenv("SEAMLINE_LOG__LEVEL", "error")
    _, out, _ = said("doctor")
    shown = {line.split()[0]: line.split()[1:] for line in out.splitlines() if "." in line}
    assert shown["server.port"] == ["0", "file"]
    assert shown["server.ops_port"] == ["none", "default"]
    assert shown["log.level"] == ['"error"', "environment", "variable", "SEAMLINE_LOG__LEVEL"]
    assert shown["api.keys"] == ["[(secret)]", "file"]
    assert not [secret for secret in SECRETS.values() if secret in out]


def test_a_new_gateway_is_only_warned(said, shop):
    """Before the first start there is no ledger, and that is no failure."""
    code, out, _ = said("doctor")
    assert code == 0
    assert lines(out, "warn") == [
        "warn ledger    none at seamline.db yet; `seamline serve` makes it"
    ]


def test_a_ledger_of_an_older_program_fails(said, books):
    """A ledger with another schema fails, and the way out is named."""
    with sqlite3.connect(books / "seamline.db") as database:
        database.execute("PRAGMA user_version = 0")
    database.close()
    code, out, _ = said("doctor")
    assert code == 1
    assert "run `seamline migrate`" in lines(out, "fail")[0]


def test_a_file_that_is_no_ledger_fails(said, shop):
    """What is no database fails in one line."""
    (shop / "seamline.db").write_bytes(b"no database at all" * 100)
    (shop / "seamline.db").chmod(0o600)
    code, out, _ = said("doctor")
    assert code == 1
    assert "file is not a database" in lines(out, "fail")[0]


def test_a_transaction_from_the_future_fails(said, books):
    """A clock behind the newest transaction fails."""
    ahead_ms = int(time.time() * 1000) + 3_600_000
    with sqlite3.connect(books / "seamline.db") as database:
        database.execute("UPDATE transactions SET created_ms = ?", (ahead_ms,))
    database.close()
    code, out, _ = said("doctor")
    assert code == 1
    assert "s in the future; set this machine's clock" in lines(out, "fail")[0]


def test_a_changed_scale_fails(said, books):
    """A currency whose scale is not the stored one fails: its units would mean other amounts."""
    with sqlite3.connect(books / "seamline.db") as database:
        database.execute("UPDATE currencies SET scale = 4 WHERE code = 'USD'")
    database.close()
    code, out, _ = said("doctor")
    assert code == 1
    assert "USD is stored with scale 4" in lines(out, "fail")[0]


@pytest.mark.parametrize(
    ("free_mib", "level", "expected"), [(10, "fail", 1), (500, "warn", 0), (5000, "ok", 0)]
)
def test_free_disk_is_judged(free_mib, level, expected, said, books, monkeypatch):
    """Too little disk for the gateway to be ready fails; little is a warning."""
    usage = type("Usage", (), {"free": free_mib * checkup.MIB})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    code, out, _ = said("doctor")
    assert code == expected
    assert [line for line in lines(out, level) if f"{free_mib} MiB free" in line]


def test_an_old_sqlite_fails(said, books, monkeypatch):
    """A SQLite that can corrupt a ledger fails."""
    monkeypatch.setattr("seamline.cli.stores.OLDEST_SQLITE", 99_000_000)
    code, out, _ = said("doctor")
    assert code == 1
    assert "can corrupt the ledger" in lines(out, "fail")[0]


@pytest.mark.parametrize(
    ("variable", "value", "level", "words"),
    [
        ("ACME_API_KEY", "sandbox_operator_key", "fail", "api.keys[0]"),
        ("SWIPE_API_KEY", "hunter2", "warn", "shorter than 16 characters"),
        (
            "SWIPE_API_KEY",
            SECRETS["SWIPE_INTEGRATION_KEY"],
            "warn",
            "the same key as integrations.swipe.options.api_key",
        ),
    ],
)
def test_a_weak_secret_is_found(variable, value, level, words, said, books, monkeypatch):
    """A key that everybody knows fails; one that is short or used twice is a warning."""
    monkeypatch.setenv(variable, value)
    code, out, _ = said("doctor")
    assert code == int(level == "fail")
    assert words in lines(out, level)[0]
    assert value not in out


def test_no_api_key_is_a_warning(said, books):
    """Without a key the operator API refuses everybody, which is said."""
    text = SETTINGS.replace('keys = ["env:ACME_API_KEY"]', "keys = []")
    (books / "seamline.toml").write_text(text)
    code, out, _ = said("doctor")
    assert code == 0
    assert "/v1 refuses everybody" in lines(out, "warn")[0]


def test_a_secret_that_others_can_read_fails(said, books):
    """A key's file that everybody can read fails; so does a key written in such settings."""
    (books / "key").write_text(SECRETS["SWIPE_API_KEY"])
    (books / "key").chmod(0o644)
    text = SETTINGS.replace("env:SWIPE_API_KEY", "file:key")
    text = text.replace("env:ACME_API_KEY", "a key in the open")
    (books / "seamline.toml").write_text(text)
    (books / "seamline.toml").chmod(0o644)
    code, out, _ = said("doctor")
    assert code == 1
    assert [line.rpartition("; ")[2] for line in lines(out, "fail")] == [
        "run chmod 600 seamline.toml",
        "run chmod 600 key",
    ]


def test_a_public_key_may_be_read_by_everybody(said, books):
    """What only verifies is no secret, though it stands where keys do."""
    (books / "key").write_text(PUBLIC_KEY[PUBLIC_KEY.index("-----BEGIN") :])
    (books / "key").chmod(0o644)
    text = SETTINGS.replace("env:SWIPE_API_KEY", "file:key")
    (books / "seamline.toml").write_text(text)
    code, out, _ = said("doctor")
    assert (code, lines(out, "fail")) == (0, [])


def test_a_ledger_that_a_group_can_read_is_a_warning(said, books):
    """The ledger belongs to the service's user alone."""
    (books / "seamline.db").chmod(0o640)
    code, out, _ = said("doctor")
    assert code == 0
    assert "open to its group" in lines(out, "warn")[0]


def test_the_doctor_changes_nothing(said, books):
    """The ledger is the same byte for byte after a visit."""
    before = (books / "seamline.db").read_bytes()
    said("doctor")
    assert (books / "seamline.db").read_bytes() == before
