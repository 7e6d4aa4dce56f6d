"""The rules, played in memory. Reading `kit/tables_*.py` is reading what the ledger does."""

import re

import msgspec
import pytest

from kit import tables_given, tables_guard, tables_late, tables_order, tables_vendors
from kit.command import SWIPE, bet, say
from kit.table import run
from kit.world import BookWorld, furnished, terms_of
from seamline.ledger.rules import _DECIDE, fingerprint
from seamline.must import Broken
from seamline.wallet import Alert, Kind, Policy, Rejection

TABLES = [
    table
    for kind in (tables_order, tables_guard, tables_vendors, tables_given, tables_late)
    for table in kind.TABLES
]

#: Refusals that are given elsewhere: at the wire, at the door, or by no rule so far.
ELSEWHERE = {
    "CALL_UNKNOWN",
    "METHOD",
    "TOO_LARGE",
    "SIGNATURE",
    "STALE",
    "ADDRESS",
    "BUSY",
    "FAULT",
    "OVERDUE",
}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.law)
def test_table(table):
    """Each line of a table holds, in a book in memory."""
    run(table, BookWorld(terms_of(table.policy, table.limits)))


def test_tables_show_every_refusal():
    """Each refusal that the rules can give stands in a table."""
    shown = set(re.findall(r"rejected ([A-Z_]+)", "\n".join(table.lines for table in TABLES)))
    assert shown | ELSEWHERE == {why.name for why in Rejection}
    assert not shown & ELSEWHERE


def test_tables_show_every_alert():
    """Each alert that the rules raise stands in a table; rounds that never end are looked for."""
    shown = {word for table in TABLES for line in table.lines.splitlines()
             for word in line.partition("!")[2].replace(",", " ").split()}  # fmt: skip
    # A round that never ends is found by looking at the books, not by deciding a command.
    assert shown == {alert.value for alert in Alert} - {Alert.ROUND_UNSETTLED} - {"round_unsettled"}


def test_tables_state_laws():
    """Each table's name is a sentence, and no two tables have one name."""
    laws = [table.law for table in TABLES]
    assert all(law.endswith(".") and law[0].isupper() for law in laws)
    assert len(set(laws)) == len(laws)


def test_every_kind_is_decided():
    """The rules know every kind of command; tombstones and claims are no commands."""
    assert set(_DECIDE) == set(Kind) - {Kind.TOMBSTONE, Kind.CLAIM}


def test_table_can_fail():
    """A line that does not hold fails the table, whichever part of it is wrong."""
    for lines in (
        "bet b1 10.00 s1 r1 -> applied 91.00",
        "bet b1 10.00 s1 r1 -> replayed 90.00",
        "bet b1 10.00 s1 r1 -> rejected FUNDS",
        "bet b1 10.00 s1 r1 -> applied 90.00 ! dust",
        "win w1 10.00 s1 r1 -> applied 110.00",
        "p1 has 1.00",
    ):
        with pytest.raises(AssertionError):
            run(TABLES[0]._replace(lines=lines), BookWorld())


def test_what_moves_money_has_an_amount():
    """A command without amount breaks a law of the program: dialects always give one."""
    world = furnished(BookWorld())
    for command in (bet("b1", None), say(Kind.WIN, "w1", None, session="s1")):
        with pytest.raises(Broken, match="the command has an amount"):
            world.apply(command)


def test_what_is_claimed_is_a_reward():
    """A claim of anything else breaks a law of the program: nothing would look at it again."""
    world = furnished(BookWorld())
    with pytest.raises(Broken, match="a claim is a reward's"):
        world.apply(bet("b1", claim="c1"))


def test_what_is_recorded_has_a_key():
    """A command without a key breaks a law of the program before it is entered."""
    world = furnished(BookWorld())
    for key in (None, ""):
        with pytest.raises(Broken, match="what is recorded has a key"):
            world.apply(bet(key))
    assert world.balance("p1") == "100.00"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", Kind.WIN),
        ("session", "s2"),
        ("round", "r2"),
        ("target", "b0"),
        ("campaign", "c1"),
        ("free", True),
    ],
)
def test_fingerprint_knows_its_fields(field, value):
    """The fingerprint differs when one of the policy's fields does, and only then."""
    command = bet("b1")
    changed = msgspec.structs.replace(command, **{field: value})
    whole, rest = Policy(), Policy(fingerprint=("integration", "claim"))
    assert fingerprint(command, whole) != fingerprint(changed, whole)
    assert fingerprint(command, rest) == fingerprint(changed, rest)


def test_fingerprint_tells_absent_from_empty():
    """An absent field, an empty one and one that says None are three different contents."""
    contents = [bet("b1", round_=None), bet("b1", round_=""), bet("b1", round_="None")]
    assert len({fingerprint(content, Policy()) for content in contents}) == 3
    assert fingerprint(bet("b1", None), Policy()) != fingerprint(bet("b1", "0"), Policy())


def test_terms_are_of_the_integration():
    """Each integration is decided by its own policy."""
    terms = terms_of(Policy(win_after_refund="pay"))
    assert terms[SWIPE].policy.win_after_refund == "pay"
    assert terms["cashier/acme"].policy.win_after_refund == "hold"
