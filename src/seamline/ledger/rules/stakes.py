"""Bets and tips: everything is checked, and every check is a promise that nothing was debited."""

from __future__ import annotations

from datetime import date

from seamline.ledger.rows import Account, Player
from seamline.ledger.rules.view import (
    BARRED,
    Decision,
    Move,
    Raised,
    View,
    exact,
    owner,
    refuse,
    unattributed,
)
from seamline.money import MAX_UNITS, Amount, Quantity
from seamline.wallet import (
    DAY_MS,
    NO_LIMITS,
    Alert,
    Command,
    CurrencyLimits,
    Rejected,
    Rejection,
)

_EPOCH = date(1970, 1, 1).toordinal()


def bet(command: Command, view: View) -> Decision:
    """A stake: everything is checked, and every check is a promise that nothing was debited."""
    whose = owner(command, view)
    if isinstance(whose, Rejection):
        return refuse(whose, view)
    player, account = whose
    if (barred := BARRED.get(player.status)) is not None:
        return refuse(barred, view)
    if command.currency is not None and command.currency != account.currency.code:
        return refuse(Rejection.CURRENCY, view, f"the session plays in {account.currency.code}")
    if (objection := _objection(command, view)) is not None:
        return refuse(objection, view)
    alerts = _disbelieved(command, view, account)
    if alerts and view.terms.policy.disbelief == "reject":
        return refuse(Rejection.OUT_OF_SYNC, view)
    stake = exact(command, account)
    if isinstance(stake, Rejected):
        return Decision(answer=stake)
    stake = 0 if command.free else stake
    if (limit := _limit(stake, player, account, view)) is not None:
        return refuse(limit, view)
    if account.balance < stake and not command.free:
        return refuse(Rejection.FUNDS, view)
    if view.round is not None and view.round.staked + stake > MAX_UNITS:
        return refuse(Rejection.AMOUNT_RANGE, view, "the round's stakes would be out of range")
    # From here the bet must succeed.
    moved = 0 if command.only_checked else stake
    return Decision(move=Move(units=moved, credit=False), alerts=alerts + unattributed(view))


def _objection(command: Command, view: View) -> Rejection | None:
    """What speaks against a bet beside its player and money: the dialect, or the game."""
    if command.objection is not None or view.terms.policy.bet_game == "any":
        return command.objection
    launched = view.session.game if view.session is not None else None
    return Rejection.GAME if command.game not in (None, launched) else None


def _disbelieved(command: Command, view: View, account: Account) -> tuple[Raised, ...]:
    """The vendor believes in another balance than the one that it was shown."""
    if command.believed is None or view.terms.policy.disbelief == "ignore":
        return ()
    decimals = view.terms.policy.shown_decimals
    # What is overdrawn is shown as 0.
    balance = Amount(max(0, account.balance), account.currency)
    shown = Quantity.parse(str(balance) if decimals is None else balance.text(decimals))
    if shown.same_value(command.believed):
        return ()
    return (Raised(Alert.BALANCE_DIFFERS, f"{command.believed} believed, {shown} is there"),)


def _limit(stake: int, player: Player, account: Account, view: View) -> Rejection | None:
    """The first limit that the stake would pass, the player's own and the brand's alike."""
    for limits in (player.limits, view.terms.limits):
        if limits is NO_LIMITS:
            continue
        minutes = limits.session_minutes
        opened_ms = view.session.opened_ms if view.session is not None else view.now_ms
        if minutes is not None and view.now_ms - opened_ms >= minutes * 60_000:
            return Rejection.TIME_LIMIT
        in_currency = limits.currencies.get(account.currency.code)
        if in_currency is not None and stake:
            passed = _money_limit(stake, account, in_currency, view.now_ms)
            if passed is not None:
                return passed
    return None


def _money_limit(
    stake: int, account: Account, limits: CurrencyLimits, now_ms: int
) -> Rejection | None:
    """The limit in money that a stake of that many units would pass."""
    if limits.max_stake is not None and stake > units_of(limits.max_stake, account):
        return Rejection.STAKE_LIMIT
    losses = losses_on(account, now_ms // DAY_MS)
    largest = (limits.loss_day, limits.loss_week, limits.loss_month)
    for lost, limit in zip(losses, largest, strict=True):
        if limit is not None and lost + stake > units_of(limit, account):
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


def units_of(text: str, account: Account) -> int:
    """A limit in the account's units; finer than the scale rounds down, to the stricter side."""
    return Amount.rounded_down(Quantity.parse(text), account.currency)[0].units
