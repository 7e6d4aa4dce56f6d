"""The room where money is decided: `decide(command, view)`. No I/O, no clock, no randomness.

Each kind of command has one function: guards in a straight line, then the point of no return. A
guard answers with a `Rejected` value; what is to be recorded is a `Move`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from operator import attrgetter
from typing import Literal

import msgspec

from seamline.ledger.rows import Transaction
from seamline.ledger.rules.cashier import deposit, withdrawal
from seamline.ledger.rules.refunds import refund
from seamline.ledger.rules.stakes import bet
from seamline.ledger.rules.view import (
    BARRED,
    Decision,
    Move,
    Raised,
    View,
    is_foreign,
    is_paid,
    owner,
    refuse,
    replay,
    transaction_name,
)
from seamline.ledger.rules.wins import FINAL, reward, win
from seamline.money import Amount, Quantity
from seamline.wallet import (
    PASSING,
    Alert,
    Applied,
    Bet,
    Command,
    Kind,
    Policy,
    Rejected,
    Rejection,
)


def decide(command: Command, view: View) -> Decision:
    """What becomes of *command*: an answer, or a move to record. The same for every store."""
    if view.prior is not None:
        return _known(command, view, view.prior)
    if command.hasty and command.kind not in _OWED:
        return refuse(Rejection.RATE, view)
    decision = _DECIDE[command.kind](command, view)
    if command.note is not None and decision.move is not None:
        noted = (*decision.alerts, Raised(Alert.NOTICE, command.note))
        return Decision(move=decision.move, alerts=noted)
    refused, policy = decision.answer, view.terms.policy
    if not isinstance(refused, Rejected) or refused.why in PASSING or view.account is None:
        return decision
    if command.kind in policy.remembered_refusals:
        return Decision(move=Move(rejection=refused.why), alerts=decision.alerts)
    # A win may still be paid, unless it was refused for good: that alone is worth a note. Without a
    # session the account may be its target's, and so somebody else's.
    passes = command.kind is Kind.WIN and (refused.why not in FINAL or view.session is None)
    if command.kind in policy.noted_refusals and not view.refused_before and not passes:
        return Decision(move=Move(rejection=refused.why, aside=True), alerts=decision.alerts)
    return decision


def fingerprint(command: Command, policy: Policy) -> bytes:
    """A digest of the fields that must not change when a key comes again; the amount by value.

    A price that was looked up may have changed since, and is none of them.
    """
    told = command.amount if not command.priced else None
    amount = str(told.shortest()) if told is not None else None
    names = policy.fingerprint
    if command.kind is Kind.REFUND and policy.refund_fingerprint is not None:
        names = policy.refund_fingerprint
    return sha256(_ENCODE((_facts(names)(command), amount))).digest()[:16]


def _known(command: Command, view: View, prior: Transaction) -> Decision:
    """The key was seen: a replay when the content is the same, else a refusal."""
    if prior.kind is Kind.TOMBSTONE:
        late = view.delivered
        if late is None or late.reversed_by is not None:
            return refuse(Rejection.REFUNDED_BEFORE, view)
        return _delivered(command, view, late)
    # Where session, player or currency are no part of the content, whose money it is still is. Its
    # target does not tell: somebody else's transaction may have come under that key since.
    account = view.account if view.target is None else None
    other = account is not None and prior.account not in (None, account.id)
    if prior.fingerprint != view.fingerprint or other or is_foreign(command, view, prior):
        return _changed(command, view, prior)
    if prior.rejection is not None:
        return refuse(prior.rejection, view)
    undone = prior.kind is Kind.BET and prior.reversed_by is not None
    if undone and (view.withdrawn or view.terms.policy.refunded_bet_again == "reject"):
        return refuse(Rejection.REFUNDED_BEFORE, view)
    return _vouched(replay(prior, view), prior, view)


def _delivered(command: Command, view: View, late: Transaction) -> Decision:
    """A win that came after all: the late win in its place has paid it, and is told again."""
    paid = Quantity.parse(late.asked or "0")
    code = late.currency.code if late.currency is not None else None
    other = (
        command.amount is None
        or not paid.same_value(command.amount)
        or command.currency not in (None, code)
        or is_foreign(command, view, late)
    )
    return _changed(command, view, late) if other else replay(late, view)


def _changed(command: Command, view: View, prior: Transaction) -> Decision:
    """The key is known for something else."""
    return refuse(
        Rejection.DUPLICATE_CHANGED,
        view,
        f"{command.key} is known as a {prior.kind} of {prior.asked}",
        Raised(
            Alert.DUPLICATE_CHANGED,
            f"came as {command.kind} of {command.amount}, is {prior.kind} of {prior.asked}",
        ),
    )


def _vouched(decision: Decision, bet: Transaction, view: View) -> Decision:
    """The answer, noted where it is the first to say that a bet stands which may be undone here.

    Another gateway may never have heard how the bet ended, have told its vendor so, and be about
    to undo it; and the vendor asked again at this one.
    """
    stands = bet.kind is Kind.BET and bet.reversed_by is None and bet.rejection is None
    if not stands or bet.vouched_ms is not None or view.terms.policy.overdue_bet != "undo":
        return decision
    return msgspec.structs.replace(decision, vouches=bet)


def _look(command: Command, view: View) -> Decision:
    """Balance and authorisation: a live session, or a known player; nothing is recorded."""
    whose = owner(command, view)
    if isinstance(whose, Rejection):
        return refuse(whose, view)
    player, account = whose
    if command.kind is Kind.AUTHORIZE and (barred := BARRED.get(player.status)):
        return refuse(barred, view)
    if command.objection is not None:
        return refuse(command.objection, view)
    balance = Amount(account.balance, account.currency)
    session = view.session.name if view.session is not None else None
    return Decision(answer=Applied(balance=balance, player=player.name, session=session))


def _status(command: Command, view: View) -> Decision:
    """How a bet stands; what was refunded before it came is told as that."""
    target, account = view.target, view.account
    if target is None or (target.kind is not Kind.BET and target.kind is not Kind.TOMBSTONE):
        return refuse(Rejection.TARGET_UNKNOWN, view)
    if target.kind is Kind.TOMBSTONE or account is None:
        return refuse(Rejection.REFUNDED_BEFORE, view)
    if is_foreign(command, view, target):
        return refuse(Rejection.TARGET_FOREIGN, view)
    paid = is_paid(view, target)
    state: Literal["open", "settled", "refunded", "refused"] = "settled" if paid else "open"
    if target.reversed_by is not None:
        state = "refunded"
    elif target.rejection is not None:
        state = "refused"
    answer = Applied(
        balance=Amount(account.balance, account.currency),
        player=target.player or "",
        transaction=transaction_name(target.id),
        bet=Bet(
            state=state,
            reference=target.reference,
            win_reference=view.settler.reference if paid and view.settler else None,
        ),
    )
    return _vouched(Decision(answer=answer), target, view)


def _notice(command: Command, view: View) -> Decision:
    """Something for a person to do; of a known player, and without money."""
    if view.account is not None:
        return Decision(move=Move())
    unknown = Rejection.PLAYER_UNKNOWN if command.session is None else Rejection.SESSION_UNKNOWN
    return refuse(unknown if view.player is None else Rejection.CURRENCY, view)


@cache
def _facts(fields: tuple[str, ...]) -> Callable[[Command], object]:
    """Reads those fields of a command, compiled once."""
    return attrgetter(*fields)


#: What is owed to a player is done however often they ask.
_OWED = frozenset({Kind.WIN, Kind.REFUND})
_ENCODE = msgspec.msgpack.Encoder().encode
_DECIDE: Mapping[Kind, Callable[[Command, View], Decision]] = {
    Kind.BALANCE: _look,
    Kind.AUTHORIZE: _look,
    Kind.STATUS: _status,
    Kind.NOTICE: _notice,
    Kind.BET: bet,
    Kind.TIP: bet,
    Kind.WIN: win,
    Kind.REWARD: reward,
    Kind.REFUND: refund,
    Kind.DEPOSIT: deposit,
    Kind.WITHDRAWAL: withdrawal,
}
