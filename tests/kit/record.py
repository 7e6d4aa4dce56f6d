"""Exchanges as the door notes them, and what a record of them holds."""

from seamline.dialects.dialect import Reply, Request
from seamline.edge.exchanges import ExchangeFilter, Noted

HIDDEN = {"swipe": frozenset({b"x-sign"}), "other": frozenset()}
EVERYTHING = ExchangeFilter(limit=10_000)


def noted(number=1, **fields):
    """An exchange with that number in its request id."""
    given = {
        "at_ms": 1_000 + number,
        "request_id": f"r{number}",
        "integration": "swipe",
        "call": "bet",
        "request": Request("POST", "/bet", b"a=1", ((b"host", b"x"),), b"{}"),
        "reply": Reply(200, b"done"),
        "outcome": "applied",
        "transaction": f"t{number}",
        "duration_us": 70,
    }
    return Noted(**given | fields)


def ids(record, wanted=EVERYTHING):
    """The request ids of a page."""
    return [each.request_id for each in record.list(wanted)]
