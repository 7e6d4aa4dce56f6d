"""Amounts are exact: what is read is what is kept and what is printed."""

import tomllib
from importlib.resources import files

import moneyed
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seamline.money import (
    MAX_UNITS,
    Amount,
    BadQuantity,
    Currencies,
    Currency,
    Inexact,
    OutOfRange,
    Quantity,
)

STANDARD = Currencies.standard()
GROUPS = tomllib.loads(files("seamline").joinpath("currencies.toml").read_text())
USD, BTC, ETH, JPY = (STANDARD[code] for code in ("USD", "BTC", "ETH", "JPY"))

#: Currencies that an operator could define, from whole coins to 18 decimals.
currencies = st.integers(0, 18).flatmap(
    lambda scale: st.builds(Currency, st.just("OWN"), st.integers(0, scale), st.just(scale))
)
units = st.integers(0, MAX_UNITS)
amounts = st.builds(Amount, units, currencies)
quantities = st.builds(Quantity, st.integers(0, 10**30), st.integers(0, 30))
#: Every plain decimal of up to 60 characters, as a wire may carry it.
texts = st.from_regex(r"(0|[1-9][0-9]{0,28})(\.[0-9]{1,30})?", fullmatch=True)

NOT_PLAIN = [
    "",
    " ",
    " 1",
    "1 ",
    "1\n",
    "\t1",
    "01",
    "00",
    "01.0",
    "-1",
    "-0",
    "+1",
    ".5",
    "1.",
    ".",
    "1..2",
    "1.2.3",
    "1,5",
    "1_000",
    "1e3",
    "1E3",
    "1e-3",
    "0x10",
    "NaN",
    "nan",
    "Infinity",
    "null",
    "true",
    "\u0661\u0662",  # Arabic-Indic digits
    "1.\u0662",
    "\uff11",  # a full-width digit
    "\u00bd",
    "1\x00",
    "\ufeff1",
]


@given(texts)
def test_a_quantity_prints_the_text_it_was_read_from(text):
    """Reading a plain decimal and printing it gives the same characters, trailing zeros too."""
    assert str(Quantity.parse(text)) == text


@given(quantities)
def test_a_quantity_is_read_back_from_its_text(quantity):
    """Printing a quantity and reading the text gives the same quantity."""
    text = str(quantity)
    assert len(text) > 64 or Quantity.parse(text) == quantity


@given(quantities, st.integers(0, 10))
def test_trailing_zeros_do_not_change_a_value(quantity, zeros):
    """100, 100.0 and 100.00 are the same value, and share one shortest form."""
    longer = Quantity(quantity.coefficient * 10**zeros, quantity.places + zeros)
    assert longer.same_value(quantity)
    assert longer.shortest() == quantity.shortest()
    assert not longer.same_value(Quantity(longer.coefficient + 1, longer.places))


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_what_is_not_a_plain_decimal_is_refused(text):
    """Signs, exponents, separators, blanks, leading zeros and foreign digits are refused."""
    with pytest.raises(BadQuantity):
        Quantity.parse(text)


@given(st.text(max_size=70))
def test_no_text_is_read_as_something_else(text):
    """Any text at all is either refused or printed back character by character."""
    try:
        quantity = Quantity.parse(text)
    except BadQuantity:
        return
    assert str(quantity) == text


def test_the_refusal_names_the_text_but_not_a_novel():
    """The message quotes what came, cut at 64 characters."""
    with pytest.raises(BadQuantity, match=r"'1e3' is not a plain decimal such as 12 or 0\.90"):
        Quantity.parse("1e3")
    with pytest.raises(BadQuantity) as refusal:
        Quantity.parse("x" * 10_000)
    assert len(str(refusal.value)) < 120


def test_sixty_four_characters_are_read_and_sixty_five_are_not():
    """The length is checked before any digit, so that nobody sends a megabyte of nines."""
    assert Quantity.parse("1" * 64) == Quantity(int("1" * 64))
    with pytest.raises(BadQuantity):
        Quantity.parse("1" * 65)
    with pytest.raises(BadQuantity):
        Quantity.parse("0." + "0" * 63)


@given(amounts)
def test_an_amount_is_read_back_from_its_text(amount):
    """Printing an amount and reading the text in its currency gives the same units."""
    assert Amount.parse(str(amount), amount.currency) == amount


@given(amounts)
def test_an_amount_is_the_same_value_as_its_quantity(amount):
    """An amount, taken apart into an exact decimal, is put together again unchanged."""
    assert Amount.exactly(amount.quantity(), amount.currency) == amount


@given(amounts)
def test_an_amount_shows_at_least_the_digits_of_its_currency(amount):
    """People see the currency's digits, and more only where a unit needs them."""
    _, _, fraction = str(amount).partition(".")
    digits = amount.currency.digits
    assert len(fraction) == digits or (len(fraction) > digits and not fraction.endswith("0"))


@given(quantities, currencies)
def test_rounding_down_loses_nothing(quantity, currency):
    """The amount and its dust add up to the original exactly, and the dust is below a unit."""
    try:
        amount, dust = Amount.rounded_down(quantity, currency)
    except OutOfRange:
        assert quantity.coefficient * 10**currency.scale > MAX_UNITS * 10**quantity.places
        return
    rest = dust or Quantity(0)
    places = currency.scale + quantity.places + rest.places
    total = amount.units * 10 ** (places - currency.scale)
    total += rest.coefficient * 10 ** (places - rest.places)
    assert total == quantity.coefficient * 10 ** (places - quantity.places)
    assert rest.coefficient * 10**currency.scale < 10**rest.places
    assert dust is None or dust.coefficient > 0


@given(quantities, currencies)
def test_an_exact_amount_has_no_dust(quantity, currency):
    """A quantity is taken exactly when rounding leaves nothing over, and refused otherwise."""
    try:
        amount = Amount.exactly(quantity, currency)
    except OutOfRange:
        return
    except Inexact:
        assert Amount.rounded_down(quantity, currency)[1] is not None
        return
    assert amount.quantity().same_value(quantity)


@given(units, currencies, st.integers(0, 20))
def test_text_has_the_places_asked_for_and_rounds_towards_zero(number, currency, places):
    """`text(n)` has n decimals and is never further from zero than the amount itself."""
    amount = Amount(number, currency)
    shown = amount.text(places)
    assert len(shown.partition(".")[2]) == places
    scaled = int(shown.replace(".", "")) * 10**currency.scale
    assert 0 <= number * 10**places - scaled < 10**currency.scale
    assert Amount(-number, currency).text(places) in {shown, "-" + shown}


@pytest.mark.parametrize(
    ("text", "code", "number"),
    [
        ("0", "USD", 0),
        ("0.90", "EUR", 90_000),
        ("100.10", "USD", 10_010_000),
        ("12.345", "USD", 1_234_500),
        ("1", "JPY", 100_000),
        ("0.00000001", "BTC", 1),
        ("0.000000000001", "ETH", 1),
        ("14.28444999", "BTC", 1_428_444_999),
        ("90071992.54740993", "BTC", 2**53 + 1),
        ("90071992547.40993", "USD", 2**53 + 1),
        ("92233720368547.75807", "USD", MAX_UNITS),
    ],
)
def test_well_known_values(text, code, number):
    """Values that floating point spoils are exact, up to the last of 64 bits."""
    assert Amount.parse(text, STANDARD[code]).units == number


def test_a_tenth_and_two_tenths_are_three_tenths():
    """0.1 + 0.2 is 0.3, and prints as 0.30 in a currency with two digits."""
    tenth, two = Amount.parse("0.1", USD), Amount.parse("0.2", USD)
    total = Amount(tenth.units + two.units, USD)
    assert total == Amount.parse("0.3", USD)
    assert str(total) == "0.30"


@pytest.mark.parametrize(
    ("text", "currency", "units_kept", "dust"),
    [
        ("14.28444999", USD, 1_428_444, "0.00000999"),
        ("0.000001", USD, 0, "0.000001"),
        ("0.123456789012345678", ETH, 123_456_789_012, "0.000000000000345678"),
        ("0.000000000000000001", ETH, 0, "0.000000000000000001"),
        ("1.999999999", BTC, 199_999_999, "0.000000009"),
    ],
)
def test_finer_values_are_refused_or_leave_dust(text, currency, units_kept, dust):
    """A value finer than the ledger's scale is no exact amount; rounded down, the rest is named."""
    quantity = Quantity.parse(text)
    with pytest.raises(Inexact, match=f"{text} has more than the {currency.scale} decimals"):
        Amount.exactly(quantity, currency)
    amount, rest = Amount.rounded_down(quantity, currency)
    assert (amount.units, str(rest)) == (units_kept, dust)


def test_zeros_beyond_the_scale_are_no_precision():
    """Eighteen decimals are exact when the last ones are zeros."""
    assert Amount.parse("1.000000000000000000", USD) == Amount(100_000, USD)
    assert Amount.rounded_down(Quantity.parse("1.100000000"), USD) == (Amount(110_000, USD), None)


@pytest.mark.parametrize(
    "text", ["92233720368547.75808", "92233720368548", "1" + "0" * 30, "9" * 64]
)
def test_more_than_64_bits_is_refused(text):
    """One unit above 2**63 - 1 is out of range, rounded or not."""
    with pytest.raises(OutOfRange, match="is more than the ledger can hold"):
        Amount.parse(text, USD)
    with pytest.raises(OutOfRange):
        Amount.rounded_down(Quantity.parse(text), USD)


@pytest.mark.parametrize(
    ("number", "currency", "text"),
    [
        (0, USD, "0.00"),
        (-1, USD, "-0.00001"),
        (-100_000, USD, "-1.00"),
        (-123_456, USD, "-1.23456"),
        (-(2**63), USD, "-92233720368547.75808"),
        (-150_000, JPY, "-1.5"),
        (-100_000, JPY, "-1"),
        (5, Currency("WHOLE", 0, 0), "5"),
        (-5, Currency("WHOLE", 0, 0), "-5"),
    ],
)
def test_overdrawn_balances_are_printed(number, currency, text):
    """A negative amount prints with its sign in front, whatever its size."""
    assert str(Amount(number, currency)) == text


@pytest.mark.parametrize(
    ("places", "text"), [(0, "-1"), (2, "-1.99"), (5, "-1.99999"), (8, "-1.99999000")]
)
def test_overdrawn_balances_round_towards_zero(places, text):
    """A debt shown with fewer decimals is never shown larger than it is."""
    assert Amount(-199_999, USD).text(places) == text


@given(amounts)
@example(Amount(MAX_UNITS, USD))
def test_a_debt_prints_like_the_amount_with_a_sign(amount):
    """The text of a negative amount is a minus and the text of the amount."""
    sign = "-" if amount.units else ""
    assert str(Amount(-amount.units, amount.currency)) == sign + str(amount)


@pytest.mark.parametrize(("digits", "scale"), [(3, 2), (-1, 5), (2, 19), (19, 19)])
def test_a_currency_with_impossible_decimals_is_refused(digits, scale):
    """Digits and scale are checked where a currency is made, and the message names both."""
    with pytest.raises(ValueError, match=f"got digits {digits} and scale {scale}"):
        Currency("BAD", digits, scale)


# The table.


def test_every_standard_currency_can_hold_any_balance():
    """No scale is below the 5 decimals that vendors send, and each leaves room for 9,000,000."""
    for currency in STANDARD.values():
        assert currency.scale >= 5, currency
        assert MAX_UNITS // 10**currency.scale >= 9_000_000, currency


def test_no_code_stands_twice():
    """A code belongs to one group, so that no group overrides another."""
    assert len(STANDARD) == sum(len(group) for group in GROUPS.values())
    assert set(GROUPS) == {"fiat", "crypto", "sub_crypto", "virtual"}


#: Currencies younger than the oracle's release of November 2022.
YOUNGER = {
    "XCG": "Caribbean guilder, since 2025-03-31 in place of ANG",
    "ZWG": "Zimbabwe gold, since 2024-09 in place of ZWL",
}


def test_fiat_digits_agree_with_the_oracle():
    """Fiat digits are what py-moneyed knows as a currency's sub-unit, without exception."""
    known = {code: row for code, row in GROUPS["fiat"].items() if code not in YOUNGER}
    oracle = {code: moneyed.CURRENCIES[code].sub_unit for code in known}
    assert {code: 10**digits for code, (digits, _) in known.items()} == oracle
    assert all(GROUPS["fiat"][code] == [2, 5] for code in YOUNGER)


def codes(text):
    """The words of a list of codes."""
    return set(text.split())


#: What py-moneyed lists beside currencies in use. No casino keeps a balance in funds, units of
#: account and metals; CNH is a name for yuan traded offshore, not an ISO code.
NOT_MONEY = codes(
    "BOV CHE CHW CLF COU MXV USN UYI UYW XAG XAU XBA XBB XBC XBD XDR XFO XFU XPD XPT XSU XTS XUA "
    "XXX XXY CNH"
)
#: Codes that ISO has moved to its list three since 2010; py-moneyed still gives them countries.
WITHDRAWN = codes("ANG BYR CUC EEK HRK LTL LVL MRO SLL STD TMM USS VEF ZMK ZWD ZWL ZWN ZWR")
THREE_DECIMALS = codes("BHD IQD JOD KWD LYD OMR TND")
NO_DECIMALS = codes("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF")


def test_every_currency_in_use_is_there():
    """Every code in use that the oracle names with its countries has a row of ours."""
    in_use = {
        code
        for code, currency in moneyed.CURRENCIES.items()
        if currency.countries and code not in NOT_MONEY | WITHDRAWN
    }
    assert in_use <= set(GROUPS["fiat"])
    assert not set(GROUPS["fiat"]) & (NOT_MONEY | WITHDRAWN)


def test_only_the_seven_currencies_of_thousandths_have_three_digits():
    """The seven currencies of thousandths have 3 digits, IQD too, where cash lists say 0."""
    assert {code for code, (digits, _) in GROUPS["fiat"].items() if digits == 3} == THREE_DECIMALS
    assert STANDARD["IQD"].digits == 3


def test_only_the_sixteen_currencies_without_cents_have_no_digits():
    """The sixteen currencies without a minor unit have 0 digits, all others 2 or 3."""
    assert {code for code, (digits, _) in GROUPS["fiat"].items() if digits == 0} == NO_DECIMALS
    assert {digits for digits, _ in GROUPS["fiat"].values()} == {0, 2, 3}


#: Decimals that Swipe Games 1.8.2 gives; 18 (ETH, MATIC), 15 (mETH) and 12 (uETH) do not fit.
VENDOR_DECIMALS = {
    "ADA": 6, "BCH": 8, "BNB": 8, "BTC": 8, "DOGE": 8, "DOT": 0, "LTC": 8, "LUNA": 0, "SHIB": 0,
    "SOL": 9, "TON": 9, "TRX": 6, "UNI": 0, "USDC": 6, "USDT": 6, "XLM": 0, "XRP": 6,
    "mBCH": 5, "mBTC": 5, "uBTC": 2, "mLTC": 5, "milliTON": 6, "microTON": 3, "nanoTON": 0,
    "FUN": 2,
}  # fmt: skip


def test_crypto_is_kept_as_finely_as_vendors_send_it():
    """The ledger's scale is at least a vendor's decimals, so that no stake is refused for it."""
    too_coarse = {code for code, places in VENDOR_DECIMALS.items() if STANDARD[code].scale < places}
    assert not too_coarse
    assert STANDARD["ETH"].scale == STANDARD["MATIC"].scale == 12


@pytest.mark.parametrize(
    ("sub", "coin", "power"),
    [
        ("mBCH", "BCH", 3),
        ("mBTC", "BTC", 3),
        ("uBTC", "BTC", 6),
        ("mETH", "ETH", 3),
        ("uETH", "ETH", 6),
        ("mLTC", "LTC", 3),
        ("milliTON", "TON", 3),
        ("microTON", "TON", 6),
        ("nanoTON", "TON", 9),
    ],
)
def test_sub_units_are_as_fine_as_their_coin(sub, coin, power):
    """A sub-unit is kept at its coin's own resolution, or at 5 decimals where that is finer."""
    assert STANDARD[sub].scale == max(5, STANDARD[coin].scale - power)


def test_codes_are_case_sensitive():
    """A code is opaque: `mBTC` is a currency and `MBTC` is not."""
    assert "mBTC" in STANDARD
    assert "MBTC" not in STANDARD
    assert "usd" not in STANDARD


def test_an_operator_adds_currencies_of_their_own():
    """Own currencies stand beside the standard ones, and win where a code is the same."""
    own = Currencies.standard({"GEM": Currency("GEM", 0, 5), "USD": Currency("USD", 3, 5)})
    assert own["GEM"].scale == 5
    assert own["USD"].digits == 3
    assert len(own) == len(STANDARD) + 1
    assert list(own)[-1] == "GEM"
