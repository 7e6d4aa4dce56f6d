"""Amounts as this protocol writes them: JSON numbers or texts, main units, four decimals at most.

A number is taken from its characters, exactly; no float comes near it.
"""

from __future__ import annotations

import re

import msgspec

from seamline.dialects.dialect import Malformed, Refused
from seamline.money import Amount, BadQuantity, Quantity
from seamline.wallet import Rejection

#: More decimals than these are noise of a PHP float, or wrong.
PLACES = 4

#: Whole digits that are read; more are no amount of money.
MAX_WHOLE = 10**16

#: What is said of an amount below zero, which has a code of its own.
NEGATIVE = "expected an amount that is not negative"
#: And of none at all, where the integration does not take it.
ZERO = "expected an amount above zero"

_NUMBER = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE](\+?[0-9]{1,2}|-[0-9]{1,3}))?")
_BELOW_ZERO = re.compile(r"-(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
#: How far from four decimals a float's noise may lie: 1e-8.
_NOISE = 8


def amount(raw: msgspec.Raw, field: str = "amount") -> Quantity:
    """Read an amount, a text or a number, or raise `Malformed`; below zero it is `AMOUNT_RANGE`."""
    token = bytes(raw)
    text = _text(token, field)
    try:
        quantity = Quantity.parse(text)
    except BadQuantity as error:
        if token.startswith(b"-") or _BELOW_ZERO.fullmatch(text):
            raise Refused(Rejection.AMOUNT_RANGE, NEGATIVE, field=field) from error
        # PHP writes a float below 1e-4 as 1.0e-5 and one above 1e15 as 1.0e+25; texts may not.
        found = None if token.startswith(b'"') else told(raw)
        if found is None:
            raise Malformed("expected a decimal such as 12 or 0.9001", field=field) from error
        quantity = found
    if quantity.coefficient >= MAX_WHOLE * 10**quantity.places:
        raise Malformed("expected at most 16 digits before the point", field=field)
    return quantity if quantity.places <= PLACES else _without_noise(quantity, field)


def _text(token: bytes, field: str) -> str:
    """The characters of a text or number of JSON."""
    if not token.startswith(b'"'):
        return token.decode(errors="replace")
    if b"\\" not in token:
        return token[1:-1].decode(errors="replace")
    try:
        return msgspec.json.decode(token, type=str)
    except msgspec.DecodeError as error:
        raise Malformed("expected a decimal such as 12 or 0.9001", field=field) from error


def _without_noise(quantity: Quantity, field: str) -> Quantity:
    """The nearest value of four decimals, which must be as near as a float's noise.

    PHP writes 96.2405 as 96.24049999999998 now and then.
    """
    spare = 10 ** (quantity.places - PLACES)
    rounded = (quantity.coefficient + spare // 2) // spare
    if abs(quantity.coefficient - rounded * spare) * 10**_NOISE > 10**quantity.places:
        raise Malformed(f"expected at most {PLACES} decimals", field=field)
    return Quantity(rounded, PLACES).shortest()


def told(raw: msgspec.Raw) -> Quantity | None:
    """A balance or jackpot as a peer tells it, with any exponent; None for what is no such amount.

    A peer may write a number or a text.
    """
    match = _NUMBER.fullmatch(bytes(raw).strip(b'"').decode(errors="replace"))
    if match is None or len(match[0]) > 64:
        return None
    whole, fraction, exponent = match[1], match[2] or "", int(match[3] or 0)
    coefficient, places = int(whole + fraction), len(fraction) - exponent
    if places >= 0:
        return Quantity(coefficient, places)
    return Quantity(coefficient * 10**-places)


def said(quantity: Quantity) -> str:
    """An amount for the wire, without idle zeros; `Malformed` for more than four decimals."""
    quantity = quantity.shortest()
    if quantity.places > PLACES:
        raise Malformed(f"expected at most {PLACES} decimals", field="amount")
    if quantity.coefficient >= MAX_WHOLE * 10**quantity.places:
        raise Malformed("expected at most 16 digits before the point", field="amount")
    return str(quantity)


def balance(amount: Amount) -> bytes:
    """A balance as a JSON number: rounded down to four decimals, no zeros at the end, no exponent.

    An overdrawn player has nothing to play with: the protocol knows no balance below zero.
    """
    if amount.units <= 0:
        return b"0"
    return amount.text(PLACES).rstrip("0").rstrip(".").encode()
