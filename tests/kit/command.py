"""Short ways to say commands."""

from seamline.money import Quantity
from seamline.wallet import Command, Kind

SWIPE = "swipe"
OTHER = "other"
CASHIER = "cashier/acme"


def say(kind, key, amount=None, *, integration=SWIPE, **fields):
    """A command of that kind; the amount is text as on a wire."""
    quantity = Quantity.parse(amount) if amount is not None else None
    return Command(kind=kind, integration=integration, key=key, amount=quantity, **fields)


def bet(key, amount="10.00", session="s1", round_="r1", **fields):
    """A stake."""
    return say(Kind.BET, key, amount, session=session, round=round_, **fields)


def win(key, amount="10.00", session="s1", round_="r1", **fields):
    """The result of a round."""
    return say(Kind.WIN, key, amount, session=session, round=round_, **fields)


def refund(key, target, amount=None, session="s1", round_=None, **fields):
    """An earlier transaction is undone."""
    return say(Kind.REFUND, key, amount, session=session, round=round_, target=target, **fields)


def reward(key, amount="10.00", session="s1", **fields):
    """A payment outside a round."""
    return say(Kind.REWARD, key, amount, session=session, **fields)


def balance(session="s1"):
    """How much there is."""
    return say(Kind.BALANCE, None, session=session)


def deposit(key, amount="100.00", player="p1", currency="USD"):
    """The cashier puts money in."""
    fields = {"integration": CASHIER, "player": player, "currency": currency}
    return say(Kind.DEPOSIT, key, amount, **fields)


def withdrawal(key, amount="10.00", player="p1", currency="USD"):
    """The cashier takes money out."""
    fields = {"integration": CASHIER, "player": player, "currency": currency}
    return say(Kind.WITHDRAWAL, key, amount, **fields)
