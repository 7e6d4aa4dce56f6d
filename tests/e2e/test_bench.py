"""What the bench grows is what a gateway would have written: its ledgers pass the audit."""

import subprocess
import sys
from pathlib import Path

from kit.postgres import postgres
from seamline.ledger.audit import audit
from seamline.ledger.postgres.connect import open_reader
from seamline.ledger.sqlite import store as sqlite
from seamline.money import Currencies

BENCH = Path(__file__).parents[2] / "bench"
PLAYERS, TRANSACTIONS = 20, 300


def grow(program, where):
    """Run a program of the bench that grows a ledger."""
    command = [sys.executable, BENCH / program, where, str(PLAYERS), str(TRANSACTIONS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_grown_file_is_a_ledger(tmp_path):
    """Players with money and bets, and no law broken."""
    file = tmp_path / "grown.db"
    grow("grow.py", file)
    reader = sqlite.open_reader(file, Currencies.standard())
    checked(reader)
    reader.close()


def test_a_grown_database_is_a_ledger():
    """The same on PostgreSQL; what is written after it waits for the disk again."""
    with postgres(fast=True) as server:
        url = server.create_database("grown")
        grow("grow_database.py", url)
        with open_reader(url, Currencies.standard()) as reader:
            checked(reader)
        with server.connect("grown") as connection:
            assert connection.execute("SHOW synchronous_commit").fetchone()[0] == "on"


def checked(reader):
    """The audit finds all rows, and nothing wrong."""
    findings = audit(reader)
    assert findings.clean, findings.first
    assert findings.transactions == TRANSACTIONS
    assert not any(reader.drift().values())
