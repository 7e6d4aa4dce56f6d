"""Amounts: whole ledger units of a currency, and the exact decimals that they come from.

A wire carries text. `Quantity` keeps that text's value exactly, before the currency is known;
`Amount` is the value in a currency's ledger units. Nothing else in the project knows how many
decimals a currency has, and nothing here is ever a float.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

import msgspec

#: The largest number of units that fits the signed 64-bit columns of every store.
MAX_UNITS = 2**63 - 1

#: Longer amounts are refused before a single digit is read.
MAX_TEXT = 64

_PLAIN = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?")


class BadQuantity(ValueError):
    """The text is not a plain decimal such as `12`, `0.90` or `100.00`."""


class Inexact(ValueError):
    """The value has more decimals than the currency's ledger scale."""


class OutOfRange(ValueError):
    """The value does not fit 64 bits of ledger units."""


class Quantity(msgspec.Struct, frozen=True, gc=False, order=False):
    """An exact decimal, `coefficient / 10**places`, never negative, without a currency."""

    coefficient: int
    places: int = 0

    @classmethod
    def parse(cls, text: str) -> Quantity:
        """Read a plain decimal: ASCII digits, no sign, no exponent, no superfluous leading zero."""
        match = _PLAIN.fullmatch(text) if len(text) <= MAX_TEXT else None
        if match is None:
            raise BadQuantity(f"{text[:MAX_TEXT]!r} is not a plain decimal such as 12 or 0.90")
        whole, fraction = match.groups()
        if fraction is None:
            return cls(int(whole))
        return cls(int(whole + fraction), len(fraction))

    def __str__(self) -> str:
        """The same decimals as were read: `parse(str(q)) == q`."""
        if not self.places:
            return str(self.coefficient)
        digits = str(self.coefficient).zfill(self.places + 1)
        return f"{digits[: -self.places]}.{digits[-self.places :]}"

    def shortest(self) -> Quantity:
        """The same value without trailing zeros: equal values have equal shortest forms."""
        coefficient, places = self.coefficient, self.places
        while places and coefficient % 10 == 0:
            coefficient, places = coefficient // 10, places - 1
        return Quantity(coefficient, places)

    def same_value(self, other: Quantity) -> bool:
        """Whether both stand for the same number: 100, 100.0 and 100.00 do."""
        return self.shortest() == other.shortest()


class Currency(msgspec.Struct, frozen=True, gc=False):
    """A currency: people see `digits` decimals, the ledger keeps `scale` decimals."""

    code: str
    digits: int
    scale: int

    def __post_init__(self) -> None:
        if not 0 <= self.digits <= self.scale <= 18:
            raise ValueError(
                f"currency {self.code}: expected 0 <= digits <= scale <= 18, "
                f"got digits {self.digits} and scale {self.scale}"
            )


class Amount(msgspec.Struct, frozen=True, gc=False):
    """`units` of the currency's ledger scale; negative only as a player's overdrawn balance."""

    units: int
    currency: Currency

    @classmethod
    def parse(cls, text: str, currency: Currency) -> Amount:
        """Read a plain decimal exactly, or raise `BadQuantity`, `Inexact` or `OutOfRange`."""
        return cls.exactly(Quantity.parse(text), currency)

    @classmethod
    def exactly(cls, quantity: Quantity, currency: Currency) -> Amount:
        """The quantity in units, or raise `Inexact` when the scale is too coarse for it."""
        amount, dust = cls.rounded_down(quantity, currency)
        if dust is not None:
            raise Inexact(
                f"{quantity} has more than the {currency.scale} decimals of {currency.code}"
            )
        return amount

    @classmethod
    def rounded_down(cls, quantity: Quantity, currency: Currency) -> tuple[Amount, Quantity | None]:
        """The quantity in whole units, and the rest that no unit holds, if there is one."""
        spare = currency.scale - quantity.places
        if spare >= 0:
            units, rest = quantity.coefficient * 10**spare, 0
        else:
            units, rest = divmod(quantity.coefficient, 10**-spare)
        if units > MAX_UNITS:
            raise OutOfRange(f"{quantity} {currency.code} is more than the ledger can hold")
        dust = Quantity(rest, quantity.places).shortest() if rest else None
        return cls(units, currency), dust

    def __str__(self) -> str:
        """Exact: at least the currency's `digits` decimals, more where units need them."""
        whole, fraction = self._parts()
        kept = max(self.currency.digits, len(fraction.rstrip("0")))
        return f"{whole}.{fraction[:kept]}" if kept else whole

    def text(self, places: int) -> str:
        """Exactly *places* decimals, rounded towards zero where the ledger holds more."""
        whole, fraction = self._parts()
        return f"{whole}.{fraction.ljust(places, '0')[:places]}" if places else whole

    def quantity(self) -> Quantity:
        """The same value as an exact decimal; the amount must not be negative."""
        return Quantity(self.units, self.currency.scale).shortest()

    def _parts(self) -> tuple[str, str]:
        """The signed whole part and the fraction, `scale` digits long."""
        scale = self.currency.scale
        digits = str(abs(self.units)).zfill(scale + 1)
        sign = "-" if self.units < 0 else ""
        return sign + digits[: len(digits) - scale], digits[len(digits) - scale :]


class Currencies(Mapping[str, Currency]):
    """The currencies of an installation, by their case-sensitive code."""

    def __init__(self, known: Mapping[str, Currency]) -> None:
        self._known = dict(known)

    @classmethod
    def standard(cls, own: Mapping[str, Currency] | None = None) -> Currencies:
        """ISO 4217, crypto and sub-units from `currencies.toml`, then the operator's *own*."""
        table = files(__package__).joinpath("currencies.toml").read_bytes()
        groups = msgspec.toml.decode(table, type=dict[str, dict[str, tuple[int, int]]])
        known = {
            code: Currency(code, digits, scale)
            for group in groups.values()
            for code, (digits, scale) in group.items()
        }
        return cls(known | dict(own or {}))

    def __getitem__(self, code: str) -> Currency:
        return self._known[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
