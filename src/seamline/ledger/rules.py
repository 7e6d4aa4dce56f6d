"""The room where money is decided: `decide(command, view)`. No I/O, no clock, no randomness.

Each kind of command has one function: guards in a straight line, then the point of no return. A
guard answers with a `Rejected` value; what is to be recorded is a `Move`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from hashlib import sha256
from operator import attrgetter

import msgspec

from seamline.ledger.rows import Account, Player, Round, Session, Terms, Transaction
from seamline.money import MAX_UNITS, Amount, Inexact, OutOfRange, Quantity
from seamline.must import must
from seamline.wallet import (
    NO_LIMITS,
    Alert,
    Applied,
    Command,
    CurrencyLimits,
    Kind,
    Outcome,
    PlayerStatus,
    Policy,
    Rejected,
    Rejection,
    Replayed,
)

DAY_MS = 86_400_000


class View(msgspec.Struct, kw_only=True, gc=False):
    """What the rules may know of the world about one command."""

    now_ms: int
    terms: Terms
    fingerprint: bytes = b""
    prior: Transaction | None = None
    session: Session | None = None
    player: Player | None = None
    account: Account | None = None
    target: Transaction | None = None
    target_round: Round | None = None
    round: Round | None = None
    claimed: bool = False


class Raised(msgspec.Struct, frozen=True, gc=False):
    """An alert to write beside the decision."""

    alert: Alert
    detail: str


class Move(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What to record: `units` go to the player (`credit`) or leave; zero units are recorded too."""

    units: int = 0
    credit: bool = True
    dust: Quantity | None = None
    reverses: Transaction | None = None
    tombstone: bool = False
    rejection: Rejection | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Either an `answer` that records no transaction, or a `move`; alerts with both."""

    answer: Outcome | None = None
    move: Move | None = None
    alerts: tuple[Raised, ...] = ()


def decide(command: Command, view: View) -> Decision:
    """What becomes of *command*: an answer, or a move to record. The same for every store."""
    if view.prior is not None:
        return _known(command, view, view.prior)
    decision = _DECIDE[command.kind](command, view)
    refused = decision.answer
    if (
        isinstance(refused, Rejected)
        and command.kind in view.terms.policy.remembered_refusals
        and view.account is not None
    ):
        return Decision(move=Move(rejection=refused.why), alerts=decision.alerts)
    return decision


def fingerprint(command: Command, policy: Policy) -> bytes:
    """A digest of the fields that must not change when a key comes again; the amount by value."""
    amount = str(command.amount.shortest()) if command.amount is not None else None
    return sha256(_ENCODE((_facts(policy.fingerprint)(command), amount))).digest()[:16]


def _known(command: Command, view: View, prior: Transaction) -> Decision:
    """The key was seen: a replay when the content is the same, else a refusal."""
    if prior.kind is Kind.TOMBSTONE:
        return _refuse(Rejection.REFUNDED_BEFORE, view)
    if prior.fingerprint != view.fingerprint:
        return _refuse(
            Rejection.DUPLICATE_CHANGED,
            view,
            f"{command.key} is known as a {prior.kind} of {prior.asked}",
            Raised(
                Alert.DUPLICATE_CHANGED,
                f"came as {command.kind} of {command.amount}, is {prior.kind} of {prior.asked}",
            ),
        )
    if prior.rejection is not None:
        return _refuse(prior.rejection, view)
    if prior.currency is None or prior.player is None:
        return _refuse(Rejection.SESSION_UNKNOWN, view)
    units = prior.balance
    if view.terms.policy.replayed_balance == "current" and view.account is not None:
        units = view.account.balance
    return Decision(
        answer=Replayed(
            balance=Amount(units, prior.currency),
            player=prior.player,
            transaction=transaction_name(prior.id),
        )
    )


def transaction_name(transaction: int) -> str:
    """A transaction's id as the outside sees it."""
    return f"txn_{transaction}"


def _look(command: Command, view: View) -> Decision:
    """Balance and authorisation: a live session of a known player; nothing is recorded."""
    session = view.session
    if session is None:
        return _refuse(Rejection.SESSION_UNKNOWN, view)
    if (ended := _ended(session, view.now_ms)) is not None:
        return _refuse(ended, view)
    if command.kind is Kind.AUTHORIZE and (barred := _BARRED.get(session.player.status)):
        return _refuse(barred, view)
    account = session.account
    return Decision(
        answer=Applied(
            balance=Amount(account.balance, account.currency), player=session.player.name
        )
    )


def _bet(command: Command, view: View) -> Decision:
    """A stake: everything is checked, and every check is a promise that nothing was debited."""
    session = view.session
    if session is None:
        return _refuse(Rejection.SESSION_UNKNOWN, view)
    account = session.account
    if (ended := _ended(session, view.now_ms)) is not None:
        return _refuse(ended, view)
    if (barred := _BARRED.get(session.player.status)) is not None:
        return _refuse(barred, view)
    if command.currency is not None and command.currency != account.currency.code:
        return _refuse(Rejection.CURRENCY, view, f"the session plays in {account.currency.code}")
    stake = _exact(command, account)
    if isinstance(stake, Rejected):
        return Decision(answer=stake)
    stake = 0 if command.free else stake
    if (limit := _limit(stake, session, view)) is not None:
        return _refuse(limit, view)
    if account.balance < stake and not command.free:
        return _refuse(Rejection.FUNDS, view)
    if view.round is not None and view.round.staked + stake > MAX_UNITS:
        return _refuse(Rejection.AMOUNT_RANGE, view, "the round's stakes would be out of range")
    # From here the bet must succeed.
    return Decision(move=Move(units=stake, credit=False))


def _win(command: Command, view: View) -> Decision:
    """A win is owed: also on an expired session, to a blocked player, without a known bet."""
    account = view.account
    if account is None:
        return _owed_to_nobody(command, view)
    credit = _credit(command, account)
    if isinstance(credit, Rejected):
        return Decision(answer=credit)
    units, dust, alerts = credit
    if view.round is not None and view.round.won + units > MAX_UNITS:
        return _refuse(Rejection.AMOUNT_RANGE, view, "the round's wins would be out of range")
    # From here the win must be recorded.
    if command.free or not units:
        return Decision(move=Move(dust=None if command.free else dust), alerts=alerts)
    if view.round is None or not view.round.bets:
        alerts += (Raised(Alert.WIN_WITHOUT_BET, f"win of {command.amount}: no bet in the round"),)
    elif view.round.refunds >= view.round.bets:
        alerts += (Raised(Alert.WIN_AFTER_REFUND, f"win of {command.amount}: its bet was undone"),)
        if view.terms.policy.win_after_refund == "hold":
            return Decision(move=Move(), alerts=alerts)
    return Decision(move=Move(units=units, dust=dust), alerts=alerts)


def _reward(command: Command, view: View) -> Decision:
    """A payment outside a round; what its claim names is paid once, or paid again with an alert."""
    account = view.account
    if account is None:
        return _owed_to_nobody(command, view)
    if view.claimed and view.terms.policy.second_claim == "reject":
        return _refuse(Rejection.ALREADY_CLAIMED, view)
    credit = _credit(command, account)
    if isinstance(credit, Rejected):
        return Decision(answer=credit)
    # From here the reward must succeed.
    units, dust, alerts = credit
    if view.claimed:
        alerts += (Raised(Alert.SECOND_PAYOUT, f"{command.claim} again: {command.amount}"),)
    return Decision(move=Move(units=units, dust=dust), alerts=alerts)


def _owed_to_nobody(command: Command, view: View) -> Decision:
    """Money for a session that nobody knows: refused, and one for a person."""
    detail = f"{command.kind} of {command.amount} on {command.session}"
    raised = Raised(Alert.WIN_UNKNOWN_SESSION, detail)
    return _refuse(Rejection.SESSION_UNKNOWN, view, raised=raised)


def _refund(command: Command, view: View) -> Decision:
    """Undo the target once, by its stored amount; a target not seen yet gets a tombstone."""
    target = view.target
    if target is None and command.target == command.key:
        return _refuse(Rejection.MALFORMED, view, "a refund cannot undo itself")
    if target is None:
        return Decision(move=Move(tombstone=True))
    if view.session is not None and target.account not in (None, view.session.account.id):
        detail = f"{command.target} belongs to another account"
        return _refuse(Rejection.TARGET_FOREIGN, view, detail, Raised(Alert.TARGET_FOREIGN, detail))
    if target.kind is Kind.TOMBSTONE or target.reversed_by is not None:
        return Decision(move=Move())
    if target.kind not in view.terms.policy.reversible:
        raised = Raised(Alert.REFUND_OF_OTHER_KIND, f"{command.target} is a {target.kind}")
        return Decision(move=Move(reverses=None), alerts=(raised,))
    returned = target.units if target.kind is Kind.BET else 0
    if view.account is not None and view.account.balance + returned > MAX_UNITS:
        return _refuse(Rejection.AMOUNT_RANGE, view, "the balance would be out of range")
    # From here the refund must be recorded.
    alerts = _refund_alerts(command, view, target)
    if target.kind is Kind.BET:
        return Decision(move=Move(units=target.units, reverses=target), alerts=alerts)
    return _take_back(target, view, alerts)


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
    if target.kind is Kind.BET and view.target_round is not None and view.target_round.won:
        alerts += (Raised(Alert.REFUND_AFTER_WIN, f"{command.target}: the round has a win"),)
    return alerts


def _take_back(target: Transaction, view: View, alerts: tuple[Raised, ...]) -> Decision:
    """Reverse a credit, which the player may have spent: the integration's overdraft policy."""
    account = view.account
    if account is None:
        return _refuse(Rejection.TARGET_UNKNOWN, view)
    units = target.units
    if units > account.balance:
        detail = f"takes back {units} units, {account.balance} are there"
        alerts += (Raised(Alert.OVERDRAWN, detail),)
        if view.terms.policy.overdraft == "take_what_is_there":
            units = max(account.balance, 0)
    return Decision(move=Move(units=units, credit=False, reverses=target), alerts=alerts)


def _deposit(command: Command, view: View) -> Decision:
    """The cashier puts money in; not for a closed player."""
    account = _cashier(command, view)
    if isinstance(account, Decision):
        return account
    if view.player is not None and view.player.status is PlayerStatus.CLOSED:
        return _refuse(Rejection.PLAYER_CLOSED, view)
    units = _exact(command, account)
    if isinstance(units, Rejected):
        return Decision(answer=units)
    if account.balance + units > MAX_UNITS:
        return _refuse(Rejection.AMOUNT_RANGE, view, "the balance would be out of range")
    # From here the deposit must succeed.
    return Decision(move=Move(units=units))


def _withdrawal(command: Command, view: View) -> Decision:
    """The cashier takes money out; also for players who may not play."""
    account = _cashier(command, view)
    if isinstance(account, Decision):
        return account
    units = _exact(command, account)
    if isinstance(units, Rejected):
        return Decision(answer=units)
    if account.balance < units:
        return _refuse(Rejection.FUNDS, view)
    # From here the withdrawal must succeed.
    return Decision(move=Move(units=units, credit=False))


def _cashier(command: Command, view: View) -> Account | Decision:
    """The account that a deposit or withdrawal is for, or why there is none."""
    if view.player is None:
        return _refuse(Rejection.PLAYER_UNKNOWN, view)
    if command.currency not in view.terms.currencies:
        return _refuse(Rejection.CURRENCY, view, f"{command.currency} is not one of the brand's")
    if view.account is None:
        return _refuse(Rejection.FUNDS, view)
    return view.account


def _ended(session: Session, now_ms: int) -> Rejection | None:
    """Why the session takes no more bets."""
    if session.closed_ms is not None:
        return Rejection.SESSION_CLOSED
    return Rejection.SESSION_EXPIRED if session.expires_ms <= now_ms else None


def _exact(command: Command, account: Account) -> int | Rejected:
    """The amount in units; an amount finer than the ledger's scale is refused, never rounded."""
    must(command.amount is not None, "the command has an amount", key=command.key)
    try:
        return Amount.exactly(command.amount or Quantity(0), account.currency).units
    except Inexact as error:
        return _rejected(Rejection.PRECISION, account, str(error), field="amount")
    except OutOfRange as error:
        return _rejected(Rejection.AMOUNT_RANGE, account, str(error), field="amount")


def _credit(
    command: Command, account: Account
) -> tuple[int, Quantity | None, tuple[Raised, ...]] | Rejected:
    """What a win is in units, rounded down, and the dust that no unit holds."""
    if command.currency not in (None, account.currency.code):
        detail = f"the account is in {account.currency.code}"
        return _rejected(Rejection.CURRENCY, account, detail, field="currency")
    must(command.amount is not None, "the command has an amount", key=command.key)
    try:
        amount, dust = Amount.rounded_down(command.amount or Quantity(0), account.currency)
    except OutOfRange as error:
        return _rejected(Rejection.AMOUNT_RANGE, account, str(error), field="amount")
    if account.balance + amount.units > MAX_UNITS:
        detail = "the balance would be out of range"
        return _rejected(Rejection.AMOUNT_RANGE, account, detail, field="amount")
    raised = (Raised(Alert.DUST, f"{dust} of {command.amount} fits no unit"),) if dust else ()
    return amount.units, dust, raised


def _limit(stake: int, session: Session, view: View) -> Rejection | None:
    """The first limit that the stake would pass, the player's own and the brand's alike."""
    for limits in (session.player.limits, view.terms.limits):
        if limits is NO_LIMITS:
            continue
        minutes = limits.session_minutes
        if minutes is not None and view.now_ms - session.opened_ms >= minutes * 60_000:
            return Rejection.TIME_LIMIT
        in_currency = limits.currencies.get(session.account.currency.code)
        if in_currency is not None and stake:
            passed = _money_limit(stake, session.account, in_currency, view.now_ms)
            if passed is not None:
                return passed
    return None


def _money_limit(
    stake: int, account: Account, limits: CurrencyLimits, now_ms: int
) -> Rejection | None:
    """The limit in money that a stake of that many units would pass."""
    if limits.max_stake is not None and stake > _units(limits.max_stake, account):
        return Rejection.STAKE_LIMIT
    losses = losses_on(account, now_ms // DAY_MS)
    largest = (limits.loss_day, limits.loss_week, limits.loss_month)
    for lost, limit in zip(losses, largest, strict=True):
        if limit is not None and lost + stake > _units(limit, account):
            return Rejection.LOSS_LIMIT
    return None


def losses_on(account: Account, day: int) -> tuple[int, int, int]:
    """Net losses of the day, ISO week and month that *day* lies in (days since 1970, UTC)."""
    if account.loss_on == day:
        return account.loss_day, account.loss_week, account.loss_month
    then, now = date.fromordinal(_EPOCH + account.loss_on), date.fromordinal(_EPOCH + day)
    same_week = then.isocalendar()[:2] == now.isocalendar()[:2]
    same_month = (then.year, then.month) == (now.year, now.month)
    return 0, account.loss_week if same_week else 0, account.loss_month if same_month else 0


def _units(text: str, account: Account) -> int:
    """A limit in the account's units; finer than the scale rounds down, to the stricter side."""
    return Amount.rounded_down(Quantity.parse(text), account.currency)[0].units


def _refuse(why: Rejection, view: View, detail: str = "", raised: Raised | None = None) -> Decision:
    """A refusal that tells the balance where an account is known."""
    return Decision(answer=_rejected(why, view.account, detail), alerts=(raised,) if raised else ())


def _rejected(
    why: Rejection, account: Account | None, detail: str, *, field: str | None = None
) -> Rejected:
    balance = Amount(account.balance, account.currency) if account is not None else None
    return Rejected(why=why, field=field, detail=detail, balance=balance)


@cache
def _facts(fields: tuple[str, ...]) -> Callable[[Command], object]:
    """Reads those fields of a command, compiled once."""
    return attrgetter(*fields)


_ENCODE = msgspec.msgpack.Encoder().encode
_EPOCH = date(1970, 1, 1).toordinal()
_BARRED = {
    PlayerStatus.BLOCKED: Rejection.PLAYER_BLOCKED,
    PlayerStatus.SELF_EXCLUDED: Rejection.PLAYER_SELF_EXCLUDED,
    PlayerStatus.CLOSED: Rejection.PLAYER_CLOSED,
}
_DECIDE: Mapping[Kind, Callable[[Command, View], Decision]] = {
    Kind.BALANCE: _look,
    Kind.AUTHORIZE: _look,
    Kind.BET: _bet,
    Kind.WIN: _win,
    Kind.REWARD: _reward,
    Kind.REFUND: _refund,
    Kind.DEPOSIT: _deposit,
    Kind.WITHDRAWAL: _withdrawal,
}
