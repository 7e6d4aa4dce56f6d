"""The audit: it passes what is right, and names the first row of whatever was tampered with."""

import pytest

from kit.books import audited, proven
from kit.command import OTHER, bet, deposit, refund, reward, win, withdrawal
from kit.world import furnished, terms_of
from seamline.ledger import audit as auditing
from seamline.ledger.audit import Law, audit
from seamline.ledger.keys import stone_of
from seamline.wallet import Kind, Policy

HOUR_MS = 3_600_000
POLICY = Policy(
    reversible=frozenset({Kind.BET, Kind.WIN, Kind.REWARD}),
    remembered_refusals=frozenset({Kind.BET}),
    overdraft="take_what_is_there",
)
#: Every kind of row that there is, over two players, two integrations and two hours.
HISTORY = [
    bet("b1"),
    win("w1", "30.00"),
    bet("b2", "5.00", "s2"),
    bet("b3", "7.00", round_="r3"),
    refund("f3", "b3", "7.00"),
    refund("f4", "b4", session="s2"),
    bet("b4", session="s2"),
    bet("b5", "999.00"),
    refund("f5", "b5"),
    refund("f6", "b6", session="s9"),
    reward("j1", "2.00", claim="c1"),
    refund("f7", "j1"),
    bet("b7", "1.00", free=True),
    refund("f8", "b7"),
    withdrawal("o1", "1.00"),
    win("w2", "0.123456789", "s2"),
    refund("f9", "w1"),
    bet("b8", "3.00", "s3", "r8", integration=OTHER),
]
LATER = [bet("b9", "4.00", "s2", "r9"), win("w9", "8.00", "s2", "r9"), deposit("d9", "5.00", "p2")]


@pytest.fixture
def world(new_world):
    """A world with that history."""
    made = furnished(new_world(terms_of(POLICY)))
    made.session("s3", "p1", integration=OTHER)
    made.apply(*HISTORY)
    made.now_ms += HOUR_MS
    made.apply(*LATER)
    return made


#: What numbers go by here: transactions by key, sessions and integrations by name, and accounts by
#: their player's.
NUMBERS = """
    SELECT key, id FROM transactions
    UNION SELECT name, id FROM sessions
    UNION SELECT name, id FROM integrations
    UNION SELECT name, accounts.id FROM accounts JOIN players ON players.id = player
"""


def tamper(world, *statements):
    """Change rows past the schema's checks; numbers stand in the statements by their names."""
    numbers = dict(world.rows(NUMBERS))
    world.tamper(*(each.format_map(numbers) for each in statements))


def number(world, name):
    """What has that name."""
    return dict(world.rows(NUMBERS))[name]


def test_what_is_right_passes(world):
    """A history of every kind of row, duplicates and refusals included, breaks no law."""
    world.apply(*HISTORY)
    findings = proven(world.store)
    assert (findings.transactions, findings.accounts) == (24, 2)
    assert findings.first is None


def test_an_empty_store_passes(new_world):
    """A ledger without any row breaks no law."""
    assert proven(new_world().store).transactions == 0


#: What is changed on the row of which key, and the law that the audit must name there.
ROWS = [
    ("b2", "balance = balance + 1", Law.BALANCE),
    ("b2", "version = version + 1", Law.VERSION),
    ("b2", "previous = {fund1}", Law.PREVIOUS),
    ("b2", "units = units + 1", Law.BALANCE),
    ("b2", "units = -units", Law.BALANCE),
    ("b2", "units = 0", Law.BALANCE),
    ("b2", "units = 0, debit = NULL, credit = NULL", Law.BALANCE),
    ("b2", "credit = credit - 1", Law.SIDES),
    ("b2", "credit = 99", Law.SIDES),
    ("b2", "credit = NULL", Law.SIDES),
    ("b2", "debit = 99", Law.SIDES),
    ("b2", "debit = credit, credit = debit", Law.BALANCE),
    ("b2", "chain = fingerprint", Law.CHAIN),
    ("b2", "key = 'other'", Law.CHAIN),
    ("b2", "fingerprint = chain", Law.CHAIN),
    ("b2", "asked = '6.00'", Law.CHAIN),
    ("b2", "session = {s1}", Law.CHAIN),
    ("b2", "campaign = 'c1'", Law.CHAIN),
    ("b2", "free = TRUE", Law.CHAIN),
    ("b2", "dust = '0.1'", Law.CHAIN),
    ("b2", "target = {fund1}", Law.CHAIN),
    ("b2", "rejection = 'FUNDS'", Law.CHAIN),
    ("b2", "created_ms = created_ms - 1", Law.CHAIN),
    ("b2", "created_ms = 0", Law.CHAIN),
    ("b2", "kind = 'win'", Law.SIDES),
    ("b2", "kind = 'withdrawal'", Law.SIDES),
    ("b2", "integration = {other}, round = NULL", Law.CHAIN),
    ("b2", "integration = 77", Law.SIDES),
    ("b2", "account = NULL", Law.SIDES),
    ("b2", "account = {p1}", Law.PREVIOUS),
    ("b2", "account = 77", Law.ACCOUNT),
    ("b2", "round = NULL", Law.CHAIN),
    ("b2", "reversed_by = {w9}", Law.REFUND),
    ("b2", "reversed_by = 77", Law.REFUND),
    ("b3", "reversed_by = NULL", Law.REFUND),
    ("b3", "reversed_by = reversed_by + 1", Law.REFUND),
    ("f3", "target = {fund1}", Law.REFUND),
    ("f3", "units = units + 1", Law.REFUND),
    ("f3", "account = {p2}", Law.REFUND),
    ("f4", "target = {fund1}", Law.CHAIN),
    (stone_of("b4"), "kind = 'bet'", Law.TOMBSTONE),
    (stone_of("b6"), "kind = 'bet'", Law.TOMBSTONE),
    ("j1", "reversed_by = NULL", Law.REFUND),
    ("w1", "reversed_by = NULL", Law.REFUND),
    ("b8", "integration = {cashier/acme}", Law.SIDES),
]


@pytest.mark.parametrize(("key", "change", "law"), ROWS, ids=[f"{k}: {c}" for k, c, _ in ROWS])
def test_a_changed_row_is_named(world, key, change, law):
    """Whatever is changed on a row, the audit names a broken law, at that row or its refund."""
    row = number(world, key)
    if law is Law.TOMBSTONE:  # the refund that put it up is the one that misses it
        row = number(world, "f" + key[-1])
    if key == "f3":  # the bet and what undid it no longer agree
        row = number(world, "b3")
    tamper(world, f"UPDATE transactions SET {change} WHERE key = '{key}'")
    findings = audited(world.store)
    assert findings.first is not None
    assert findings.first.transaction == row, "\n".join(map(str, findings.kept))
    assert law in findings.broken
    assert law in {each.law for each in findings.kept if each.transaction == row}


#: What is changed on the row of a bet that was undone with its win, or of that win.
VOIDED = [
    ("w1", "reversed_by = NULL"),
    ("w1", "reversed_by = reversed_by + 1"),
    ("b2", "reversed_by = (SELECT reversed_by FROM transactions WHERE key = 'b1')"),
    ("b1", "reversed_by = NULL"),
]


@pytest.mark.parametrize(("key", "change"), VOIDED, ids=[f"{k}: {c}" for k, c in VOIDED])
def test_a_bet_and_its_win_are_undone_together(new_world, key, change):
    """One refund that undid a bet with its win is named by both, and by nothing else."""
    world = furnished(new_world(terms_of(Policy(refund_after_win="void"))))
    world.apply(bet("b1"), bet("b2"), win("w1", "25.00", target="b1"), refund("f1", "b1"))
    proven(world.store)
    tamper(world, f"UPDATE transactions SET {change} WHERE key = '{key}'")
    assert Law.REFUND in audited(world.store).broken


def test_a_bet_that_forgot_its_win_is_named(new_world):
    """It could be paid again: the win that names it is found, and no win of a bet undone before."""
    world = furnished(new_world())
    world.apply(bet("b1"), win("w1", target="b1"), win("w2", target="b1"))
    world.apply(bet("b2"), refund("f2", "b2"), win("w3", target="b2"))
    proven(world.store)
    tamper(world, "UPDATE transactions SET settled_by = NULL WHERE key = 'b1'")
    findings = audited(world.store)
    assert findings.broken == {Law.SETTLED: 2}
    assert findings.first.transaction == number(world, "w1")


#: What is changed of the claim that a reward paid.
CLAIMS = [
    "DELETE FROM claims",
    "UPDATE claims SET claim = 'c2'",
    "UPDATE claims SET account = {p2}",
    "UPDATE claims SET integration = integration + 1",
    "UPDATE claims SET paid_by = {fund1}",
    "UPDATE claims SET paid_by = 77",
    "INSERT INTO claims SELECT account, integration, 'c2', paid_by FROM claims",
]


@pytest.mark.parametrize("change", CLAIMS)
def test_a_changed_claim_is_named(world, change):
    """A claim that is gone, or another one, could be paid again: its reward is named."""
    tamper(world, change)
    findings = audited(world.store)
    assert findings.first.transaction == number(world, "j1")
    assert findings.first.law is Law.CHAIN
    assert (Law.CLAIM in findings.broken) == ("SET" in change and "SET claim" not in change)


def test_a_claim_that_nobody_made_is_named(world):
    """It would keep a reward from being paid; where it names no reward it is named by itself."""
    row = number(world, "b1")
    tamper(world, f"INSERT INTO claims SELECT account, integration, 'x', {row} FROM claims")
    findings = audited(world.store)
    assert findings.broken == {Law.CLAIM: 1}
    assert findings.first.account == number(world, "p1")
    assert f"txn_{row}" in findings.first.found


def test_a_claim_is_not_moved_to_another_reward(world):
    """Both rewards are named: the one that lost it, and the one that did not have it."""
    world.apply(reward("j2", "2.00"), reward("j3", "2.00", claim="c1"))
    proven(world.store)
    row = number(world, "j2")
    tamper(world, f"UPDATE claims SET paid_by = {row}")
    findings = audited(world.store)
    named = {each.transaction for each in findings.kept}
    assert {number(world, "j1"), row} <= named


CHAIN = "SELECT chain FROM transactions WHERE key = 'b1'"
SPARE = "CREATE TABLE spare AS SELECT * FROM rollups WHERE kind = 'reward'"

#: What is changed elsewhere, and the law that is named with it; the account where there is one.
ELSEWHERE = [
    ("UPDATE accounts SET balance = balance + 1 WHERE id = {p2}", Law.HEAD, "p2"),
    ("UPDATE accounts SET version = version + 1 WHERE id = {p2}", Law.HEAD, "p2"),
    (f"UPDATE accounts SET chain = ({CHAIN}) WHERE id = {{p2}}", Law.HEAD, "p2"),
    ("UPDATE accounts SET last = {fund1} WHERE id = {p2}", Law.HEAD, "p2"),
    ("UPDATE rollups SET low = low + 1 WHERE kind = 'bet'", Law.ROLLUP, None),
    ("UPDATE rollups SET transactions = 0 WHERE kind = 'win'", Law.ROLLUP, None),
    ("UPDATE rollups SET hour = 1 WHERE kind = 'reward'", Law.ROLLUP, None),
    ("DELETE FROM rollups WHERE kind = 'reward'", Law.ROLLUP, None),
    (
        f"{SPARE}; UPDATE spare SET hour = 1; INSERT INTO rollups SELECT * FROM spare",
        Law.ROLLUP,
        None,
    ),
    ("UPDATE rounds SET last = {fund1} WHERE name = 'r9'", Law.ROUND, "p2"),
]


@pytest.mark.parametrize(("change", "law", "account"), ELSEWHERE, ids=lambda each: str(each)[:60])
def test_a_changed_total_is_named(world, change, law, account):
    """An account's head, a roll-up or a round's end that was changed is named."""
    tamper(world, *change.split("; "))
    findings = audited(world.store)
    assert law in findings.broken
    finding = next(each for each in findings.kept if each.law is law and each.transaction is None)
    assert finding.account == (account and number(world, account))


@pytest.mark.parametrize(
    "column", ["account", "first", "bets", "staked", "wins", "won", "refunds", "refunded"]
)
def test_a_changed_round_is_named(world, column):
    """A round whose totals were changed is named with its last transaction."""
    tamper(world, f"UPDATE rounds SET {column} = {column} + 1 WHERE name = 'r9'")
    findings = audited(world.store)
    assert list(findings.broken) == [Law.ROUND]
    assert findings.first.transaction == number(world, "w9")


def test_a_deleted_round_is_named(world):
    """The transactions of a round that is gone are named by the first of them."""
    tamper(world, "DELETE FROM rounds WHERE name = 'r9'")
    findings = audited(world.store)
    assert list(findings.broken) == [Law.ROUND]
    assert findings.first.transaction == number(world, "b9")


@pytest.mark.parametrize(("key", "next_key"), [("fund2", "b2"), ("b2", "f4"), ("b1", "w1")])
def test_a_deleted_row_is_noticed_at_the_next(world, key, next_key):
    """The account's next row points to what is gone."""
    row = number(world, next_key)
    tamper(world, f"DELETE FROM transactions WHERE key = '{key}'")
    findings = audited(world.store)
    assert findings.first.transaction == row
    assert {Law.PREVIOUS, Law.VERSION, Law.BALANCE, Law.CHAIN} <= findings.broken.keys()


def test_a_deleted_last_row_is_noticed_at_the_account(world):
    """The account's head is ahead of its last row that is left."""
    tamper(world, "DELETE FROM transactions WHERE key = 'd9'")
    findings = audited(world.store)
    assert {Law.HEAD, Law.ROLLUP, Law.SUM} == findings.broken.keys()
    assert findings.first.account == number(world, "p2")


def test_swapped_rows_are_named(world):
    """Two rows that changed places break the chain at the first of the two places."""
    one, two = number(world, "b1"), number(world, "w1")
    tamper(
        world,
        f"UPDATE transactions SET id = -1 WHERE id = {one}",
        f"UPDATE transactions SET id = {one} WHERE id = {two}",
        f"UPDATE transactions SET id = {two} WHERE id = -1",
    )
    findings = audited(world.store)
    assert findings.first.transaction == one
    assert Law.CHAIN in findings.broken


def test_an_older_row_after_a_newer_one_is_named(world):
    """Rows stand in the order of their times."""
    tamper(world, "UPDATE transactions SET created_ms = 5 WHERE key = 'w9'")
    findings = audited(world.store)
    assert Law.TIME in findings.broken
    assert findings.first.transaction == number(world, "w9")


def test_a_balance_below_zero_by_a_bet_is_named(world):
    """A bet that overdrew is named even where every sum is right."""
    tamper(
        world,
        "UPDATE transactions SET units = 20000000, balance = balance - 19500000 WHERE key = 'b2'",
    )
    findings = audited(world.store)
    assert findings.first.transaction == number(world, "b2")
    assert Law.FUNDS in findings.broken


def test_a_key_that_came_twice_is_named(world):
    """Where the index of identity was removed, the newer of two rows of one key is named."""
    newer = max(number(world, "b9"), number(world, "w9"))
    tamper(
        world,
        "CREATE TABLE loose AS SELECT * FROM transactions",
        "UPDATE loose SET key = 'b9' WHERE key = 'w9'",
        "DROP TABLE transactions",
        "ALTER TABLE loose RENAME TO transactions",
    )
    findings = audited(world.store)
    named = {each.transaction for each in findings.kept if each.law is Law.IDENTITY}
    assert named == {newer}


def test_a_house_of_another_kind_is_named(world):
    """A house account that changed its role, integration or currency no longer fits its rows."""
    tamper(
        world,
        "DELETE FROM houses WHERE role = 'cashier' AND currency = 'EUR'",
        "UPDATE houses SET currency = 'EUR' WHERE role = 'cashier' AND currency = 'USD'",
    )
    findings = audited(world.store)
    assert findings.first.transaction == number(world, "fund1")
    assert {Law.SIDES, Law.SUM} <= findings.broken.keys()


def test_one_wrong_row_is_no_flood(world):
    """After a wrong row the audit goes on from what is stored."""
    tamper(world, "UPDATE transactions SET chain = fingerprint WHERE key = 'b2'")
    findings = audited(world.store)
    assert findings.broken == {Law.CHAIN: 2}, "the row itself, and the one chained to it"


def test_all_are_counted_and_some_are_kept(world, monkeypatch):
    """Every broken law is counted each time; only the first findings of each are kept."""
    monkeypatch.setattr(auditing, "KEPT", 3)
    tamper(world, "UPDATE transactions SET chain = fingerprint")
    findings = audited(world.store)
    assert findings.broken[Law.CHAIN] == 24
    assert len([each for each in findings.kept if each.law is Law.CHAIN]) == 3
    assert findings.first.transaction == number(world, "fund1")
    assert not findings.clean


def test_a_finding_reads_well(world):
    """A finding names the place, the law, what was expected and what was found."""
    row = number(world, "b2")
    tamper(world, "UPDATE transactions SET balance = 1 WHERE key = 'b2'")
    assert str(audited(world.store).first) == (
        f"txn_{row}: the balance after is the balance before and what moved: "
        "expected 9500000, found 1"
    )
    tamper(world, "UPDATE rollups SET low = 7 WHERE kind = 'reward'")
    kept = [str(each) for each in audited(world.store).kept]
    assert any(line.startswith("totals: a roll-up is the sum") for line in kept)
    assert any(line.startswith((f"account {number(world, 'p2')}: ", "txn_")) for line in kept)


def test_progress_is_told(world, monkeypatch):
    """Whoever waits hears how many transactions were read."""
    monkeypatch.setattr(auditing, "STRIDE", 10)
    heard = []
    with world.store.reader() as reader:
        audit(reader, progress=heard.append)
    assert heard == [10, 20]


def test_nothing_is_remembered_of_what_is_finished(world):
    """The audit's memory does not grow with transactions: rounds and refunds are forgotten."""
    books = auditing._Books(lambda _: None)
    with world.store.reader() as reader:
        for name, row in reader.stream(["audit_houses", "audit_accounts", "audit_transactions"]):
            {"h": books.house, "a": books.account, "t": books.transaction}[name[6]](row)
    assert (books._rounds, books._undone, books._unburied) == ({}, {}, {})
