"""The wallet's end of the reverse calls: balance, bet, win, refund (Integration Adapter API).

One id space serves all kinds: a bet, win and refund are known by `txID`, so that a captured bet
that is sent again as a win is refused as a changed duplicate.
"""

from __future__ import annotations

import msgspec

from seamline.dialects import fields
from seamline.dialects.dialect import Items, Malformed, Refused, Reply, Request
from seamline.dialects.swipegames import wire
from seamline.dialects.swipegames.decimals import balance_text
from seamline.dialects.swipegames.options import Options
from seamline.dialects.swipegames.refusals import refuse
from seamline.wallet import (
    Applied,
    Command,
    Integration,
    Kind,
    Outcome,
    Rejected,
    Rejection,
    Replayed,
)

_UNSET = msgspec.UNSET

#: Refusals of a refund that leave nothing to undo: the vendor repeats a refund until it gets 200.
_NOTHING_TO_UNDO = frozenset(
    {
        Rejection.SESSION_UNKNOWN,
        Rejection.PLAYER_UNKNOWN,
        Rejection.TARGET_UNKNOWN,
        Rejection.TARGET_KIND,
        Rejection.TARGET_REFUNDED,
    }
)
#: Those of them that say that the transaction is not known.
_UNKNOWN_TARGET = frozenset(
    {Rejection.SESSION_UNKNOWN, Rejection.PLAYER_UNKNOWN, Rejection.TARGET_UNKNOWN}
)


def read_balance(request: Request, integration: Integration[Options]) -> Items:
    """Read the session whose balance is asked for; a call without one knows no session."""
    session = wire.parameters(request.query).get("sessionID")
    if not session:
        raise Refused(Rejection.SESSION_UNKNOWN, "expected a session id", field="sessionID")
    if len(session) > wire.MAX_ID:
        raise Malformed(f"expected at most {wire.MAX_ID} characters", field="sessionID")
    session = fields.identifier(session, "sessionID")
    return (Command(kind=Kind.BALANCE, integration=integration.name, session=session),)


def read_bet(request: Request, integration: Integration[Options]) -> Items:
    """Read a bet; one of type `free` is recorded and moves nothing."""
    play = fields.decode(request.body, wire.PLAY)
    return (_played(Kind.BET, play, integration.name, free=play.type == "free"),)


def read_win(request: Request, integration: Integration[Options]) -> Items:
    """Read a win; a regular one with a campaign is the payout of that campaign's winnings.

    Document, "Free rounds": wins of type `free` are tracking only, the payout alone moves money.
    """
    play = fields.decode(request.body, wire.PLAY)
    if play.type == "free":
        return (_played(Kind.WIN, play, integration.name, free=True),)
    kind = Kind.WIN if play.fr_id is _UNSET else Kind.REWARD
    return (_played(kind, play, integration.name, free=False),)


def read_refund(request: Request, integration: Integration[Options]) -> Items:
    """Read a refund, which names the bet to undo by the vendor's id."""
    undo = fields.decode(request.body, wire.UNDO)
    return (
        Command(
            kind=Kind.REFUND,
            integration=integration.name,
            key=wire.uuid(undo.tx_id, "txID"),
            session=fields.identifier(undo.session_id, "sessionID"),
            amount=wire.quantity(undo.amount),
            round=None if undo.round_id is _UNSET else wire.uuid(undo.round_id, "roundID"),
            target=wire.uuid(undo.orig_tx_id, "origTxID"),
        ),
    )


def _played(kind: Kind, play: wire.Play, integration: str, *, free: bool) -> Command:
    """The command that a bet's or win's body stands for."""
    campaign = None if play.fr_id is _UNSET else fields.identifier(play.fr_id, "frID")
    return Command(
        kind=kind,
        integration=integration,
        key=wire.uuid(play.tx_id, "txID"),
        session=fields.identifier(play.session_id, "sessionID"),
        amount=wire.quantity(play.amount),
        round=wire.uuid(play.round_id, "roundID"),
        campaign=campaign,
        claim=payout_of(campaign) if kind is Kind.REWARD else None,
        free=free,
    )


def payout_of(campaign: str | None) -> str:
    """What a player is paid once per campaign; a second payout is paid too, with an alert."""
    return f"payout of {campaign}"


def write_balance(
    items: Items,  # noqa: ARG001  the answer hangs on the outcome alone
    outcomes: tuple[Outcome, ...],
    integration: Integration[Options],
) -> Reply:
    """Write the balance."""
    outcome = outcomes[0]
    if isinstance(outcome, Rejected):
        return refuse(outcome, "balance", integration)
    return Reply(200, wire.encode(wire.Balance(balance_text(outcome.balance))))


def write_bet(
    items: Items,
    outcomes: tuple[Outcome, ...],
    integration: Integration[Options],
) -> Reply:
    """Write the balance after the bet and our own transaction id."""
    outcome = outcomes[0]
    return (
        refuse(outcome, "bet", integration)
        if isinstance(outcome, Rejected)
        else _done(items, outcome)
    )


def write_win(
    items: Items,
    outcomes: tuple[Outcome, ...],
    integration: Integration[Options],
) -> Reply:
    """Write the balance after the win and our own transaction id."""
    outcome = outcomes[0]
    return (
        refuse(outcome, "win", integration)
        if isinstance(outcome, Rejected)
        else _done(items, outcome)
    )


def write_refund(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write 200 whenever nothing is left to undo, or the vendor would repeat the refund for ever.

    In the seed era a refund of an unknown transaction is answered by an empty body.
    """
    outcome = outcomes[0]
    seed = integration.options.era == "seed"
    if not isinstance(outcome, Rejected):
        unknown = isinstance(outcome, Applied) and outcome.moved is None
        return Reply(200) if seed and unknown else _done(items, outcome)
    if outcome.why not in _NOTHING_TO_UNDO:
        return refuse(outcome, "refund", integration)
    if seed and outcome.why in _UNKNOWN_TARGET:
        return Reply(200)
    balance = balance_text(outcome.balance) if outcome.balance is not None else "0"
    return Reply(200, wire.encode(wire.Done(balance, _key(items))))


def _done(items: Items, outcome: Applied | Replayed) -> Reply:
    """The answer to what was done; a replay's is equal byte for byte to the first one."""
    transaction = outcome.transaction or _key(items)
    return Reply(200, wire.encode(wire.Done(balance_text(outcome.balance), transaction)))


def _key(items: Items) -> str:
    """The vendor's own id of the command, where the ledger made none."""
    item = items[0]
    return (item.key if isinstance(item, Command) else None) or "none"
