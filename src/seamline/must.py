"""`must`: a check that stays on.

Python drops `assert` under `-O`; money may not be.
"""

from __future__ import annotations


class Broken(Exception):
    """A law of the ledger did not hold; the transaction around the check is rolled back."""


def must(condition: bool, what: str, **values: object) -> None:
    """Raise `Broken` naming *what* and the *values* unless *condition* holds."""
    if not condition:
        raise Broken(f"{what}: " + ", ".join(f"{name}={value!r}" for name, value in values.items()))
