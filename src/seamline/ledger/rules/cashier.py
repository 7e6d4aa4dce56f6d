"""The cashier: deposits and withdrawals of the brand itself."""

from __future__ import annotations

from seamline.ledger.rows import Account
from seamline.ledger.rules.view import (
    Decision,
    Move,
    View,
    exact,
    refuse,
)
from seamline.money import MAX_UNITS
from seamline.wallet import (
    Command,
    PlayerStatus,
    Rejected,
    Rejection,
)


def deposit(command: Command, view: View) -> Decision:
    """The cashier puts money in; not for a closed player."""
    account = _cashier(command, view)
    if isinstance(account, Decision):
        return account
    if view.player is not None and view.player.status is PlayerStatus.CLOSED:
        return refuse(Rejection.PLAYER_CLOSED, view)
    units = exact(command, account)
    if isinstance(units, Rejected):
        return Decision(answer=units)
    if account.balance + units > MAX_UNITS:
        return refuse(Rejection.AMOUNT_RANGE, view, "the balance would be out of range")
    # From here the deposit must succeed.
    return Decision(move=Move(units=units))


def withdrawal(command: Command, view: View) -> Decision:
    """The cashier takes money out; also for players who may not play."""
    account = _cashier(command, view)
    if isinstance(account, Decision):
        return account
    units = exact(command, account)
    if isinstance(units, Rejected):
        return Decision(answer=units)
    if account.balance < units:
        return refuse(Rejection.FUNDS, view)
    # From here the withdrawal must succeed.
    return Decision(move=Move(units=units, credit=False))


def _cashier(command: Command, view: View) -> Account | Decision:
    """The account that a deposit or withdrawal is for, or why there is none."""
    if view.player is None:
        return refuse(Rejection.PLAYER_UNKNOWN, view)
    if view.account is None or command.currency not in view.terms.currencies:
        return refuse(Rejection.CURRENCY, view, f"{command.currency} is not one of the brand's")
    return view.account
