"""What the rules see of the world, what they decide, and what several of them ask."""

from __future__ import annotations

import msgspec

from seamline.ledger.rows import Account, Grant, Player, Round, Session, Terms, Transaction
from seamline.money import MAX_UNITS, Amount, Inexact, OutOfRange, Quantity
from seamline.must import must
from seamline.wallet import (
    Alert,
    Command,
    Kind,
    Outcome,
    PlayerStatus,
    Rejected,
    Rejection,
    Replayed,
)

#: Who may not play, and why.
BARRED = {
    PlayerStatus.BLOCKED: Rejection.PLAYER_BLOCKED,
    PlayerStatus.SELF_EXCLUDED: Rejection.PLAYER_SELF_EXCLUDED,
    PlayerStatus.CLOSED: Rejection.PLAYER_CLOSED,
}

#: What leaves the account for a vendor.
STAKES = frozenset({Kind.BET, Kind.TIP})


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
    #: The win that paid the target.
    settler: Transaction | None = None
    round: Round | None = None
    claimed: bool = False
    #: A refusal of this key was noted before.
    refused_before: bool = False
    #: The late win that came in place of the one that has this key.
    delivered: Transaction | None = None
    #: The bet was undone here, after its vendor was told that it had no outcome.
    withdrawn: bool = False
    grant: Grant | None = None
    #: A campaign is meant, and none was granted that it could be.
    ungranted: bool = False


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
    #: The win of the bet that is undone, which is taken back with it.
    voids: Transaction | None = None
    settles: Transaction | None = None
    #: The target is not there: it is refused should it come.
    buries: bool = False
    rejection: Rejection | None = None
    #: The refusal is noted beside the key, which stays free.
    aside: bool = False


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Either an `answer` that records no transaction, or a `move`; alerts with both."""

    answer: Outcome | None = None
    #: The bet of which the answer says that it stands: nobody undoes it as overdue any more.
    vouches: Transaction | None = None
    move: Move | None = None
    alerts: tuple[Raised, ...] = ()


def transaction_name(transaction: int) -> str:
    """A transaction's id as the outside sees it."""
    return f"txn_{transaction}"


def replay(prior: Transaction, view: View) -> Decision:
    """Say again what was done."""
    units, account = prior.balance, view.account
    if prior.currency is None or prior.player is None:
        return refuse(Rejection.SESSION_UNKNOWN, _less_the_target(view))
    # What its target's key names may be somebody else's by now.
    current = view.terms.policy.replayed_balance == "current"
    if current and account is not None and account.id == prior.account:
        units = account.balance
    moved = Amount(prior.units, prior.currency)
    return Decision(
        answer=Replayed(
            balance=Amount(units, prior.currency),
            player=prior.player,
            transaction=transaction_name(prior.id),
            # As at first: a refund whose target was unknown moved nothing that could be named.
            moved=None if prior.kind is Kind.REFUND and prior.target is None else moved,
        )
    )


def owner(command: Command, view: View) -> tuple[Player, Account] | Rejection:
    """Who plays, and with which money: by a session that is still open, or by the player's name."""
    session = view.session
    if session is not None:
        ended = _ended(session, view.now_ms)
        return (session.player, session.account) if ended is None else ended
    if command.player is not None and view.player is None:
        return Rejection.PLAYER_UNKNOWN
    if command.session is not None or view.player is None:
        return Rejection.SESSION_UNKNOWN
    if command.currency is None and command.kind is Kind.AUTHORIZE:
        return Rejection.SESSION_UNKNOWN
    return (view.player, view.account) if view.account is not None else Rejection.CURRENCY


def is_open(session: Session, now_ms: int) -> bool:
    """Whether the session takes bets."""
    return session.closed_ms is None and session.expires_ms > now_ms


def _ended(session: Session, now_ms: int) -> Rejection | None:
    """Why the session takes no more bets."""
    if session.closed_ms is not None:
        return Rejection.SESSION_CLOSED
    return Rejection.SESSION_EXPIRED if session.expires_ms <= now_ms else None


def is_foreign(command: Command, view: View, target: Transaction) -> bool:
    """Whether a transaction belongs to somebody else than the command is about.

    Without a session it is the name that counts, also one that nobody knows.
    """
    if target.account is None:
        return False
    if view.session is not None:
        return target.account != view.session.account.id
    return command.player is not None and command.player != target.player


def is_paid(view: View, bet: Transaction) -> bool:
    """Whether a bet has a win that still stands."""
    undone = view.settler is not None and view.settler.reversed_by is not None
    return bet.settled_by is not None and not undone


def unattributed(view: View) -> tuple[Raised, ...]:
    """A free round or its win of a campaign that nobody gave here."""
    if not view.ungranted:
        return ()
    return (Raised(Alert.CAMPAIGN_UNKNOWN, "no campaign of the player, game and currency"),)


def exact(command: Command, account: Account) -> int | Rejected:
    """The amount in units; an amount finer than the ledger's scale is refused, never rounded."""
    must(command.amount is not None, "the command has an amount", key=command.key)
    try:
        return Amount.exactly(command.amount or Quantity(0), account.currency).units
    except Inexact as error:
        return rejected(Rejection.PRECISION, account, str(error), field="amount")
    except OutOfRange as error:
        return rejected(Rejection.AMOUNT_RANGE, account, str(error), field="amount")


def credit_of(
    command: Command, account: Account
) -> tuple[int, Quantity | None, tuple[Raised, ...]] | Rejected:
    """What a win is in units, rounded down, and the dust that no unit holds."""
    if command.currency not in (None, account.currency.code):
        detail = f"the account is in {account.currency.code}"
        return rejected(Rejection.CURRENCY, account, detail, field="currency")
    must(command.amount is not None, "the command has an amount", key=command.key)
    try:
        amount, dust = Amount.rounded_down(command.amount or Quantity(0), account.currency)
    except OutOfRange as error:
        return rejected(Rejection.AMOUNT_RANGE, account, str(error), field="amount")
    if account.balance + amount.units > MAX_UNITS:
        detail = "the balance would be out of range"
        return rejected(Rejection.AMOUNT_RANGE, account, detail, field="amount")
    raised = (Raised(Alert.DUST, f"{dust} of {command.amount} fits no unit"),) if dust else ()
    return amount.units, dust, raised


def refuse(why: Rejection, view: View, detail: str = "", raised: Raised | None = None) -> Decision:
    """A refusal that tells the balance where an account is known."""
    if why is Rejection.TARGET_FOREIGN:
        view = _less_the_target(view)
    answer = rejected(why, view.account, detail)
    player = view.session.player if view.session is not None else view.player
    if player is not None and player.language is not None:
        answer = msgspec.structs.replace(answer, language=player.language)
    return Decision(answer=answer, alerts=(raised,) if raised else ())


def _less_the_target(view: View) -> View:
    """The view without the account that only its target leads to: it may be somebody else's."""
    return view if view.session is not None else msgspec.structs.replace(view, account=None)


def refuse_foreign(command: Command, view: View) -> Decision:
    """The refusal of what names somebody else's transaction."""
    detail = f"{command.target} belongs to another account"
    return refuse(Rejection.TARGET_FOREIGN, view, detail, Raised(Alert.TARGET_FOREIGN, detail))


def rejected(
    why: Rejection, account: Account | None, detail: str, *, field: str | None = None
) -> Rejected:
    """A refusal, with the balance of the account where there is one."""
    balance = Amount(account.balance, account.currency) if account is not None else None
    return Rejected(why=why, field=field, detail=detail, balance=balance)
