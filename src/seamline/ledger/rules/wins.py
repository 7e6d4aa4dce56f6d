"""Wins and rewards: money that is owed, and what a vendor may have got wrong about it."""

from __future__ import annotations

from seamline.ledger.rows import Account, Transaction
from seamline.ledger.rules.view import (
    Decision,
    Move,
    Raised,
    View,
    credit_of,
    is_foreign,
    is_paid,
    refuse,
    refuse_foreign,
    replay,
    unattributed,
)
from seamline.money import MAX_UNITS, Amount, Quantity
from seamline.wallet import (
    Alert,
    Command,
    Kind,
    Rejected,
    Rejection,
)

#: Why a win of its bet will never be paid.
FINAL = frozenset({Rejection.TARGET_REFUNDED, Rejection.TARGET_SETTLED, Rejection.TARGET_FOREIGN})


def win(command: Command, view: View) -> Decision:
    """A win is owed: also on an expired session, to a blocked player, without a known bet."""
    account = view.account
    if account is None:
        return _owed_to_nobody(command, view)
    target = view.target
    if command.late and target is not None and target.kind is Kind.WIN:
        return _brought_late(command, view, target)
    credit = credit_of(command, account)
    if isinstance(credit, Rejected):
        foreign = Raised(Alert.TARGET_FOREIGN, f"win of {command.amount}: {credit.detail}")
        return Decision(
            answer=credit, alerts=(foreign,) if credit.why is Rejection.CURRENCY else ()
        )
    units, dust, alerts = credit
    if view.round is not None and view.round.won + units > MAX_UNITS:
        return refuse(Rejection.AMOUNT_RANGE, view, "the round's wins would be out of range")
    bet = _bet_of(command, view)
    if isinstance(bet, Rejection):
        return _not_payable(command, view, bet, Move(units=units, dust=dust), alerts)
    if bet is not None and view.terms.policy.bet_as_win == "reject" and _says(bet, command, units):
        raised = Raised(Alert.DUPLICATE_CHANGED, f"the bet of {command.amount} came as its win")
        return refuse(Rejection.DUPLICATE_CHANGED, view, raised=raised)
    # From here the win must be recorded.
    if command.free or not units:
        return Decision(move=Move(dust=None if command.free else dust, settles=bet), alerts=alerts)
    return Decision(move=Move(units=units, dust=dust, settles=bet), alerts=alerts)


def _says(bet: Transaction, command: Command, units: int) -> bool:
    """Whether a win says of itself what its bet did: a win has a reference of its own."""
    return (bet.reference, bet.units) == (command.reference, units)


def _brought_late(command: Command, view: View, known: Transaction) -> Decision:
    """A late win in place of one that came: told again, or refused for good like that one."""
    if is_foreign(command, view, known):
        return refuse_foreign(command, view)
    if known.rejection is None:
        return replay(known, view)
    detail = f"late win of {command.amount}, refused before: {known.rejection.meaning}"
    raised = Raised(Alert.SECOND_PAYOUT, detail)
    # Nobody looks again whether its bet is paid still: the vendor must not take that for done.
    settled = known.rejection is Rejection.TARGET_SETTLED
    return refuse(Rejection.TARGET_KIND if settled else known.rejection, view, raised=raised)


def _bet_of(command: Command, view: View) -> Transaction | Rejection | None:
    """The bet that a win pays: None where only the round has it, or why it cannot be paid."""
    target = view.target
    if command.target is None:
        if view.round is None or not view.round.bets:
            return Rejection.TARGET_UNKNOWN
        undone = view.round.refunds >= view.round.bets
        return Rejection.TARGET_REFUNDED if undone else None
    if target is None or target.rejection is not None:
        return Rejection.TARGET_UNKNOWN
    if target.kind is Kind.TOMBSTONE:
        return Rejection.TARGET_REFUNDED
    if target.kind is not Kind.BET:
        return Rejection.TARGET_KIND
    if is_foreign(command, view, target):
        return Rejection.TARGET_FOREIGN
    if target.reversed_by is not None:
        return Rejection.TARGET_REFUNDED
    return Rejection.TARGET_SETTLED if is_paid(view, target) else target


def _not_payable(
    command: Command, view: View, why: Rejection, move: Move, alerts: tuple[Raised, ...]
) -> Decision:
    """A win without a bet that could be paid: what the policy makes of it.

    One that moves no money is recorded in any case where the policy would pay or hold it.
    """
    policy = view.terms.policy
    moves = bool(move.units) and not command.free
    # A bet that was refused is known: nothing was staked, and a late win of it is no lost one.
    lost = command.late and view.target is None
    without = policy.late_win_without_bet if lost else policy.win_without_bet
    alert, choice = {
        Rejection.TARGET_UNKNOWN: (Alert.WIN_WITHOUT_BET, without),
        Rejection.TARGET_REFUNDED: (Alert.WIN_AFTER_REFUND, policy.win_after_refund),
        Rejection.TARGET_SETTLED: (Alert.SECOND_PAYOUT, policy.second_win),
        Rejection.TARGET_FOREIGN: (Alert.TARGET_FOREIGN, "reject"),
        Rejection.TARGET_KIND: (Alert.REFUND_OF_OTHER_KIND, "reject"),
    }[why]
    raised = Raised(alert, f"win of {command.amount}: {why.meaning}")
    if choice == "reject":
        return refuse(why, view, raised=raised if moves else None)
    buries = lost and why is Rejection.TARGET_UNKNOWN
    if not moves:
        dust = None if command.free else move.dust
        return Decision(move=Move(dust=dust, buries=buries), alerts=alerts)
    held = choice == "hold"
    paid = Move() if held else Move(units=move.units, dust=move.dust, buries=buries)
    return Decision(move=paid, alerts=(*alerts, raised))


def reward(command: Command, view: View) -> Decision:
    """A payment outside a round; what its claim names is paid once, or paid again with an alert."""
    account = view.account
    if account is None:
        return _owed_to_nobody(command, view)
    if command.objection is not None:
        return refuse(command.objection, view)
    if view.claimed and view.terms.policy.second_claim == "reject":
        raised = Raised(Alert.SECOND_PAYOUT, f"{command.claim} again: {command.amount}")
        return refuse(Rejection.ALREADY_CLAIMED, view, raised=raised)
    credit = credit_of(command, account)
    if isinstance(credit, Rejected):
        return Decision(answer=credit)
    units, dust, alerts = credit
    granted = _granted(command, view, account, units)
    if isinstance(granted, Rejection):
        return refuse(granted, view)
    # From here the reward must succeed.
    alerts += granted
    if view.claimed:
        alerts += (Raised(Alert.SECOND_PAYOUT, f"{command.claim} again: {command.amount}"),)
    return Decision(move=Move(units=units, dust=dust), alerts=alerts)


def _granted(
    command: Command, view: View, account: Account, units: int
) -> tuple[Raised, ...] | Rejection:
    """What is odd about a reward's campaign, or why it is not paid."""
    policy, grant = view.terms.policy, view.grant
    if policy.campaigns != "checked" or command.campaign is None:
        return unattributed(view)
    if grant is None:
        if policy.unknown_campaign == "reject":
            return Rejection.CAMPAIGN
        return (Raised(Alert.CAMPAIGN_UNKNOWN, f"{command.campaign} was not given here"),)
    if grant.player not in (None, account.player) or grant.cancelled_ms is not None:
        return Rejection.CAMPAIGN
    most = Quantity.parse(grant.reward) if grant.reward is not None else None
    if most is not None and units > Amount.rounded_down(most, account.currency)[0].units:
        detail = f"{command.amount} paid, {grant.reward} was given"
        return (Raised(Alert.CAMPAIGN_UNKNOWN, detail),)
    return ()


def _owed_to_nobody(command: Command, view: View) -> Decision:
    """Money for a session that nobody knows: refused, and one for a person."""
    detail = f"{command.kind} of {command.amount} for {command.player or command.session}"
    raised = Raised(Alert.WIN_UNKNOWN_SESSION, detail)
    # A known player without an account has none because the brand has no such currency.
    foreign = command.session is None and view.player is not None
    return refuse(Rejection.CURRENCY if foreign else Rejection.SESSION_UNKNOWN, view, raised=raised)
