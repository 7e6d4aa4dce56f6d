"""Tamper evidence: each transaction row is chained to the account's row before it."""

from __future__ import annotations

from hashlib import sha256

import msgspec

_ENCODE = msgspec.msgpack.Encoder().encode

#: The chain of an account that has no transaction yet.
START = bytes(32)

#: What is chained of a row: everything that says what happened, when, and what it led to.
Facts = tuple[
    int,  # id
    str,  # integration
    str,  # key
    str,  # kind
    bytes,  # fingerprint
    int | None,  # session
    int | None,  # round
    str | None,  # asked
    int,  # units
    int | None,  # debit
    int | None,  # credit
    int,  # balance after
    int,  # version after
    int | None,  # target
    str | None,  # rejection
    str | None,  # campaign
    bool,  # free
    str | None,  # dust
    int,  # created_ms
]


#: What rows have had since schema 2; rows that have neither are chained as before.
Later = tuple[str | None, str | None]  # feature, reference


def link(
    previous: bytes, facts: Facts, later: Later = (None, None), claim: str | None = None
) -> bytes:
    """The chain value of a row: SHA-256 over the previous row's and this row's facts.

    What the row claimed is kept in a table of its own, and is one of its facts all the same: a
    claim that is deleted could be paid again.
    """
    whole = facts if later == (None, None) and claim is None else facts + later
    if claim is not None:
        return sha256(previous + _ENCODE((*whole, claim))).digest()
    return sha256(previous + _ENCODE(whole)).digest()
