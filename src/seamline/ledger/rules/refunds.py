"""Refunds: the target is undone once, by its stored amount."""

from __future__ import annotations

from seamline.ledger.keys import overdue_of
from seamline.ledger.rows import Round, Transaction
from seamline.ledger.rules.view import (
    STAKES,
    Decision,
    Move,
    Raised,
    View,
    is_foreign,
    is_paid,
    refuse,
    refuse_foreign,
)
from seamline.money import MAX_UNITS, Quantity
from seamline.wallet import (
    Alert,
    Command,
    Kind,
    Rejection,
)


def refund(command: Command, view: View) -> Decision:
    """Undo the target once, by its stored amount; a target not seen yet gets a tombstone."""
    target = view.target
    if target is None and command.target == command.key:
        return refuse(Rejection.MALFORMED, view, "a refund cannot undo itself")
    if target is None:
        return Decision(move=Move(buries=True))
    if is_foreign(command, view, target):
        return refuse_foreign(command, view)
    if target.kind is Kind.TOMBSTONE or target.reversed_by is not None:
        return Decision(move=Move())
    if target.vouched_ms is not None and command.key == overdue_of(target.key):
        told = "its vendor was told that it has no outcome, and when it asked again that it stands"
        raised = Raised(Alert.OVERDUE_BET_STANDS, told)
        return refuse(Rejection.TARGET_SETTLED, view, told, raised)
    policy = view.terms.policy
    if target.kind not in policy.reversible:
        raised = Raised(Alert.REFUND_OF_OTHER_KIND, f"{command.target} is a {target.kind}")
        if policy.irreversible == "reject":
            return refuse(Rejection.TARGET_KIND, view, raised=raised)
        return Decision(move=Move(reverses=None), alerts=(raised,))
    within = policy.refund_within_ms
    if within is not None and view.now_ms - target.created_ms > within:
        return refuse(Rejection.TARGET_EXPIRED, view)
    if target.kind is Kind.BET and is_paid(view, target) and policy.refund_after_win == "reject":
        return refuse(Rejection.TARGET_SETTLED, view)
    returned = target.units if target.kind in STAKES else 0
    if view.account is not None and view.account.balance + returned > MAX_UNITS:
        return refuse(Rejection.AMOUNT_RANGE, view, "the balance would be out of range")
    # From here the refund must be recorded, but for what a player has spent.
    return _undo(target, view, _refund_alerts(command, view, target))


def _undo(target: Transaction, view: View, alerts: tuple[Raised, ...]) -> Decision:
    """Give a stake back, or take a credit; with a paid bet's stake, as policy may be, its wins."""
    if target.kind not in STAKES:
        # What the round does not hold any more was taken with its bet.
        units = target.units if view.target_round is None else view.target_round.won
        return _take(min(units, target.units), target, view, alerts)
    voided = is_paid(view, target) and view.terms.policy.refund_after_win == "void"
    win = view.settler if voided else None
    won = _won(win, view.target_round) if win is not None else 0
    if won > target.units:
        return _take(won - target.units, target, view, alerts, win)
    move = Move(units=target.units - won, reverses=target, voids=win)
    return Decision(move=move, alerts=alerts)


def _won(win: Transaction, round_: Round | None) -> int:
    """What a bet won: where its round has no other that stands, all that was won in the round."""
    alone = round_ is not None and round_.bets - round_.refunds <= 1
    return round_.won if round_ is not None and alone else win.units


def _refund_alerts(command: Command, view: View, target: Transaction) -> tuple[Raised, ...]:
    """What a person should look at although the refund is done."""
    alerts: tuple[Raised, ...] = ()
    asked = Quantity.parse(target.asked) if target.asked is not None else None
    if command.amount is not None and asked is not None and not asked.same_value(command.amount):
        alerts += (
            Raised(
                Alert.REFUND_AMOUNT_DIFFERS, f"refund says {command.amount}, the bet was {asked}"
            ),
        )
    if target.kind is Kind.BET and (
        (view.target_round is not None and view.target_round.won) or is_paid(view, target)
    ):
        alerts += (Raised(Alert.REFUND_AFTER_WIN, f"{command.target}: the round has a win"),)
    return alerts


def _take(
    units: int,
    target: Transaction,
    view: View,
    alerts: tuple[Raised, ...],
    win: Transaction | None = None,
) -> Decision:
    """Take from the player, who may have spent it: the integration's overdraft policy."""
    account = view.account
    if account is None:
        return refuse(Rejection.TARGET_UNKNOWN, view)
    if units > account.balance:
        overdraft = view.terms.policy.overdraft
        if overdraft == "reject":
            return refuse(Rejection.FUNDS, view)
        detail = f"takes back {units} units, {account.balance} are there"
        alerts += (Raised(Alert.OVERDRAWN, detail),)
        if overdraft == "take_what_is_there":
            units = max(account.balance, 0)
    move = Move(units=units, credit=False, reverses=target, voids=win)
    return Decision(move=move, alerts=alerts)
