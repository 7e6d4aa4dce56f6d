"""What boxes cost and prizes are worth, by the catalogue that the vendor was heard to have.

Whatever the catalogue says is an objection and no refusal: a known id comes before its price.
"""

from __future__ import annotations

from seamline.dialects.dialect import Malformed
from seamline.dialects.loyaltygyre.options import Options
from seamline.money import Quantity
from seamline.wallet import Integration, Rejection

NOTHING = Quantity(0)


def of_box(box: str, integration: Integration[Options]) -> tuple[Quantity, Rejection | None]:
    """What a box costs; or nothing, and why that is not known."""
    offers = integration.catalogue.games
    if offers is None:
        return NOTHING, Rejection.UNAVAILABLE
    text = offers.get(box)
    price = Quantity.parse(text).shortest() if text is not None else None
    if price is None or price.places > integration.options.credit_decimals:
        return NOTHING, Rejection.GAME
    return price, None


def problem(
    box: str | None, prize: str | None, amount: Quantity, integration: Integration[Options]
) -> Rejection | None:
    """Why the catalogue speaks against it: no such thing, at another price, or not known now."""
    catalogue = integration.catalogue
    offers = catalogue.prizes if box is None and prize is not None else catalogue.games
    if offers is None:
        return Rejection.UNAVAILABLE
    thing = box or prize or ""
    if thing not in offers:
        return Rejection.GAME
    price = offers[thing]
    # What a prize is worth is for show; only boxes are priced in credits.
    wrong = box is not None and price is not None and not Quantity.parse(price).same_value(amount)
    return Rejection.PRICE if wrong else None


def of_prize(prize: str, integration: Integration[Options]) -> Quantity | None:
    """What a prize is worth when it is given back: its price times the rate, rounded down."""
    options = integration.options
    price = (integration.catalogue.prizes or {}).get(prize)
    if price is None or options.cashback_rate is None:
        return None
    whole, rate = Quantity.parse(price), Quantity.parse(options.cashback_rate)
    product = Quantity(whole.coefficient * rate.coefficient, whole.places + rate.places)
    spare = product.places - options.credit_decimals
    if spare <= 0:
        return product
    return Quantity(product.coefficient // 10**spare, options.credit_decimals)


def credits_of(text: str, options: Options, field: str) -> Quantity:
    """An amount that an operator told, with no more decimals than credits have."""
    amount = Quantity.parse(text)
    if amount.shortest().places > options.credit_decimals:
        raise Malformed(f"expected at most {options.credit_decimals} decimals", field=field)
    return amount
