"""`audit`, `backup` and `migrate`: the books are proved, copied and brought up to date."""

import sqlite3
from contextlib import closing

import pytest

from seamline.ledger.audit import Law


@pytest.fixture
def forged(books):
    """Books in which a stake and a balance were made smaller behind the ledger's back."""
    with closing(sqlite3.connect(books / "seamline.db")) as database, database:
        database.execute("UPDATE transactions SET units = units - 1 WHERE key = 'b1'")
        database.execute("UPDATE accounts SET balance = balance - 1")
    return books


def test_clean_books_keep_every_law(said, books):
    """Each law is listed as kept, with the drift of each currency, under exit code 0."""
    code, out, err = said("audit")
    assert (code, err) == (0, "")
    assert out.startswith("5 transactions, 1 accounts\n")
    assert out.count(" kept ") == len(Law)
    assert 'seamline_ledger_drift{currency="USD"} 0\n' in out


def test_quiet_is_quiet(said, books):
    """With --quiet clean books leave no word."""
    assert said("audit", "--quiet") == (0, "", "")


@pytest.mark.parametrize("more", [[], ["--quiet"]])
def test_forged_books_are_found(more, said, forged):
    """A changed row breaks laws, is named as the first wrong row, and gives exit code 1."""
    code, out, _ = said("audit", *more)
    assert code == 1
    assert "broken 1 times" in out
    assert "first wrong row  txn_2: " in out
    assert 'seamline_ledger_drift{currency="USD"} -1\n' in out


def test_no_ledger_is_one(said, shop):
    """Where there is no ledger, audit and backup say so under exit code 1, and make none."""
    for arguments in (["audit"], ["backup", "copy.db"]):
        code, out, err = said(*arguments)
        assert (code, out) == (1, "")
        assert "no ledger at seamline.db" in err
    assert not list(shop.glob("*.db*"))


def test_a_backup_is_one_whole_file(said, books):
    """A backup is one file for its owner alone, and every law is kept in it."""
    code, out, _ = said("backup", "copy.db")
    assert code == 0
    assert "5 transactions" in out
    assert [path.name for path in books.glob("copy*")] == ["copy.db"]
    assert (books / "copy.db").stat().st_mode & 0o077 == 0


def test_a_backup_never_overwrites(said, books):
    """A target that exists is left as it is, under exit code 1."""
    (books / "copy.db").write_text("precious")
    code, _, err = said("backup", "copy.db")
    assert code == 1
    assert "never overwrites" in err
    assert (books / "copy.db").read_text() == "precious"


def test_a_backup_needs_its_folder(said, books):
    """A target in a folder that is not there is wrong use."""
    code, _, err = said("backup", "away/copy.db")
    assert code == 2
    assert "away: no such folder" in err


def test_a_backup_that_is_not_clean_is_kept(said, forged):
    """A copy of forged books gives exit code 1, and nothing is removed."""
    code, out, _ = said("backup", "copy.db")
    assert code == 1
    assert "first wrong row" in out
    assert (forged / "copy.db").exists()
    assert (forged / "seamline.db").exists()


def test_migrate_makes_a_ledger(said, shop):
    """A ledger that is not there is made, and a second time there is nothing to do."""
    code, out, _ = said("migrate")
    assert code == 0
    assert out.startswith("seamline.db: made, with schema ")
    code, out, _ = said("migrate")
    assert code == 0
    assert "nothing to do" in out


def test_migrate_says_both_versions(said, shop):
    """An older ledger is brought up to date; the versions before and after are told."""
    with closing(sqlite3.connect(shop / "seamline.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
    code, out, _ = said("migrate")
    assert code == 0
    assert out.startswith("seamline.db: schema 0 before, ")


def test_migrate_refuses_a_newer_ledger(said, books):
    """A ledger of a newer program is left alone, under exit code 1."""
    with closing(sqlite3.connect(books / "seamline.db")) as database, database:
        database.execute("PRAGMA user_version = 9999")
    code, _, err = said("migrate")
    assert code == 1
    assert "use a newer Seamline" in err
