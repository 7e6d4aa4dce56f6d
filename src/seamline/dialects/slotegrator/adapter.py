"""The wallet's end of the four calls: bet, win, refund, balance (document: provider's calls).

An id is the provider's own for each action, and the samples give a bet and its win the same one: so
keys are written `bet/ID` and `win/ID`. A refund has the id of its bet and nothing else of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from seamline.dialects import fields
from seamline.dialects.dialect import Items, Refused, Reply, Request
from seamline.dialects.slotegrator import decimals, wire
from seamline.dialects.slotegrator.options import Options
from seamline.dialects.slotegrator.refusals import refuse
from seamline.money import Quantity
from seamline.wallet import Command, Integration, Kind, Outcome, Rejected, Rejection

BET, WIN, REFUND = "bet/", "win/", "refund/"

#: The calls by what `action` says.
ACTIONS = frozenset({"bet", "win", "refund", "balance"})


class Type(msgspec.Struct, frozen=True):
    """What a `type` makes of a bet or win; the feature is the provider's word, kept as it is."""

    kind: Kind
    feature: str | None = None
    free: bool = False
    #: A free spin is of some campaign, which it does not name.
    campaign: str | None = None


BETS: Mapping[str, Type] = {
    "bet": Type(Kind.BET),
    # Of its amount the document says nothing: it may be none or the nominal stake.
    "freespin": Type(Kind.BET, feature="freespin", free=True, campaign=""),
    "tip": Type(Kind.TIP),
}
#: What is paid without a bet before it is a reward.
WINS: Mapping[str, Type] = {
    "win": Type(Kind.WIN),
    "freespin": Type(Kind.REWARD, feature="freespin", campaign=""),
    "jackpot": Type(Kind.REWARD, feature="jackpot"),
}

_BOOLEANS = {b"true": True, b"false": False}


def which(request: Request, integration: Integration[Options]) -> str:  # noqa: ARG001
    """Which of the four calls it is, by its `action`; any other one is no call of this protocol."""
    try:
        action = wire.WHICH.decode(request.body).action
    except (ValueError, RecursionError):
        # Once more, for words that say what is wrong and where.
        action = fields.decode(request.body, wire.WHICH).action
    if action not in ACTIONS:
        raise Refused(
            Rejection.CALL_UNKNOWN, "expected bet, win, refund or balance", field="action"
        )
    return action


def read_bet(request: Request, integration: Integration[Options]) -> Items:
    """Read a bet, a tip for the dealer, or a free spin, which is recorded and moves nothing."""
    body = fields.decode(request.body, wire.BET)
    type_ = BETS[body.type]
    command = Command(
        kind=type_.kind,
        integration=integration.name,
        key=BET + fields.identifier(body.transaction_id, "transaction_id"),
        session=fields.identifier(body.session_id, "session_id"),
        amount=_amount(body.amount, type_, integration),
        game=wire.optional(body.game_id, "game_id"),
        round=wire.optional(body.round_id, "round_id"),
        campaign=type_.campaign,
        free=type_.free,
        feature=type_.feature,
    )
    return (command,)


def read_win(request: Request, integration: Integration[Options]) -> Items:
    """Read a win of a round, or one that needs no bet: a jackpot, or a free spin's."""
    body = fields.decode(request.body, wire.WIN)
    type_ = WINS[body.type]
    command = Command(
        kind=type_.kind,
        integration=integration.name,
        key=WIN + fields.identifier(body.transaction_id, "transaction_id"),
        session=fields.identifier(body.session_id, "session_id"),
        amount=_amount(body.amount, type_, integration),
        game=wire.optional(body.game_id, "game_id"),
        round=wire.optional(body.round_id, "round_id"),
        campaign=type_.campaign,
        feature=type_.feature,
        ends=_ends(body.is_finished),
    )
    return (command,)


def read_refund(request: Request, integration: Integration[Options]) -> Items:
    """Read a refund: the whole bet, or tip, of that id is undone."""
    body = fields.decode(request.body, wire.REFUND)
    bet = fields.identifier(body.transaction_id, "transaction_id")
    command = Command(
        kind=Kind.REFUND,
        integration=integration.name,
        key=REFUND + bet,
        session=fields.identifier(body.session_id, "session_id"),
        game=wire.optional(body.game_id, "game_id"),
        round=wire.optional(body.round_id, "round_id"),
        target=BET + bet,
    )
    return (command,)


def read_balance(request: Request, integration: Integration[Options]) -> Items:
    """Read the session whose balance is asked for."""
    body = fields.decode(request.body, wire.BALANCE)
    session = fields.identifier(body.session_id, "session_id")
    return (Command(kind=Kind.BALANCE, integration=integration.name, session=session),)


def _ends(raw: msgspec.Raw | msgspec.UnsetType) -> bool | None:
    """Whether the round is over; version 1.0.3 has no word for it, so any other value is none."""
    return None if raw is msgspec.UNSET else _BOOLEANS.get(bytes(raw))


def _amount(raw: msgspec.Raw, type_: Type, integration: Integration[Options]) -> Quantity:
    """The amount; none at all is refused where the integration takes it of free spins only."""
    quantity = decimals.amount(raw)
    free_spin = type_.campaign is not None
    if not (quantity.coefficient or free_spin or integration.options.allow_zero):
        raise Refused(Rejection.AMOUNT_RANGE, decimals.ZERO, field="amount")
    return quantity


def write_bet(
    items: Items,  # noqa: ARG001  the answer hangs on the outcome alone, here and below
    outcomes: tuple[Outcome, ...],
    integration: Integration[Options],
) -> Reply:
    """Write the balance after the bet."""
    return _written(outcomes[0], "bet", integration)


def write_win(
    items: Items,  # noqa: ARG001
    outcomes: tuple[Outcome, ...],
    integration: Integration[Options],
) -> Reply:
    """Write the balance after the win."""
    return _written(outcomes[0], "win", integration)


def write_refund(
    items: Items,  # noqa: ARG001
    outcomes: tuple[Outcome, ...],
    integration: Integration[Options],
) -> Reply:
    """Write the balance after the refund; it is the same where nothing was to be undone."""
    return _written(outcomes[0], "refund", integration)


def write_balance(
    items: Items,  # noqa: ARG001
    outcomes: tuple[Outcome, ...],
    integration: Integration[Options],
) -> Reply:
    """Write the balance."""
    return _written(outcomes[0], "balance", integration)


def _written(outcome: Outcome, call: str, integration: Integration[Options]) -> Reply:
    if isinstance(outcome, Rejected):
        return refuse(outcome, call, integration)
    return Reply(200, wire.DONE % decimals.balance(outcome.balance))
