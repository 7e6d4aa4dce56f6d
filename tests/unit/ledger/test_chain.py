"""The chain: what it covers, and that nothing in it can change unseen."""

import hashlib

import msgspec
import pytest

from kit.command import bet, refund, win
from kit.world import BookWorld, furnished
from seamline.ledger.book import chained
from seamline.ledger.chain import START, link
from seamline.ledger.rows import Transaction
from seamline.money import Currency
from seamline.wallet import Kind, Rejection

#: Fields that the chain leaves out, with the reason.
OUTSIDE = {
    "account": "the chain is the account's own; a row moved to another account breaks both",
    "player": "kept with the account, not on the row",
    "currency": "kept with the account, not on the row",
    "previous": "what it points to is the chain's input",
    "chain": "the result itself",
    "settled_by": "set later; the win's own row covers it by its target",
    "vouched_ms": "set later; it moves nothing, and keeps a refund from moving something",
    "reversed_by": "set later; the refund's own row covers it by its target",
}
OTHER = {
    int: 77,
    str: "other",
    bytes: bytes(16),
    bool: True,
    type(None): 77,
    Kind: Kind.WIN,
}


def row():
    """A bet as it is recorded."""
    world = furnished(BookWorld())
    world.apply(bet("b1", campaign="c1"))
    return world.book.posted[-1]


def test_link_is_sha256_of_the_previous_value_and_the_facts():
    """A chain value can be computed by anybody: SHA-256 over 32 bytes and a MessagePack array."""
    facts = (1, "swipe", "b1", "bet", b"f", 2, None, "1.00", 3, 4, -1, 5, 6, None, None, None,
             False, None, 7)  # fmt: skip
    packed = msgspec.msgpack.encode(facts)
    assert link(START, facts) == hashlib.sha256(bytes(32) + packed).digest()
    assert packed[0] == 0xDC, "an array of more than 15 elements"


def test_a_claim_is_one_fact_more():
    """What a row claimed follows its other facts: no row with a claim equals one without."""
    facts = (1, "swipe", "j1", "reward", b"f", 2, None, "1.00", 3, 4, -1, 5, 6, None, None, None,
             False, None, 7)  # fmt: skip
    whole = msgspec.msgpack.encode((*facts, None, None, "c1"))
    assert link(START, facts, claim="c1") == hashlib.sha256(bytes(32) + whole).digest()
    others = {
        link(START, facts),
        link(START, facts, ("c1", None)),
        link(START, facts, (None, "c1")),
    }
    assert link(START, facts, (None, None), "c1") not in others


@pytest.mark.parametrize("field", [f for f in Transaction.__struct_fields__ if f not in OUTSIDE])
def test_each_fact_is_covered(field):
    """A change of any recorded fact changes the chain value."""
    told = row()
    value = getattr(told, field)
    other = Rejection.FUNDS if field == "rejection" else OTHER[type(value)]
    assert value != other
    changed = msgspec.structs.replace(told, **{field: other})
    assert chained(START, changed) != chained(START, told)


@pytest.mark.parametrize("field", OUTSIDE)
def test_what_is_outside_has_a_reason(field):
    """A field outside the chain does not enter it, and is proved in another way."""
    told = row()
    other = {"player": "p9", "currency": Currency("EUR", 2, 5)}.get(field, 77)
    changed = msgspec.structs.replace(told, **{field: other})
    assert chained(START, changed) == chained(START, told)
    assert OUTSIDE[field]


def test_the_same_facts_chain_differently_after_another_row():
    """A chain value depends on everything before it."""
    told = row()
    assert chained(START, told) != chained(chained(START, told), told)


def test_absent_is_not_empty():
    """An absent fact and an empty one chain differently."""
    told = row()
    absent, empty = (msgspec.structs.replace(told, campaign=each) for each in (None, ""))
    assert chained(START, absent) != chained(START, empty)


def test_an_account_has_one_chain():
    """Each row of an account is chained to the row before it, and the account keeps the last."""
    world = furnished(BookWorld())
    world.apply(bet("b1"), bet("b2", session="s2"), win("w1"), refund("f2", "b2", session="s2"))
    for name in ("p1", "p2"):
        account = world.account(name, "USD")
        chain, version, last = START, 0, 0
        for each in world.book.posted:
            if each.account == account.id:
                assert (each.previous, each.version) == (last, version + 1)
                chain, version, last = chained(chain, each), each.version, each.id
                assert each.chain == chain
        assert (account.chain, account.version, account.last) == (chain, version, last)
        assert version == 3
