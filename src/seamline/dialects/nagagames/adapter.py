"""The wallet's end of the seamless calls ("Seamless API").

The vendor's ids are unique per bet and kind, so that keys are `bet/ID`, `payout/ID` and `cancel/ID`
with the bet's id in each. Transaction ids differ from one attempt to the next and identify nothing.
"""

from __future__ import annotations

import msgspec

from seamline.dialects import fields
from seamline.dialects.dialect import Items, Malformed, Refused, Reply, Request
from seamline.dialects.nagagames import wire
from seamline.dialects.nagagames.options import Options
from seamline.dialects.nagagames.refusals import refuse
from seamline.dialects.nagagames.signature import signed_part
from seamline.money import Quantity
from seamline.wallet import (
    Applied,
    Bet,
    Command,
    Integration,
    Kind,
    Outcome,
    Rejected,
    Rejection,
)

_UNSET = msgspec.UNSET

#: Spins whose price was paid before, or by the vendor ("Wager report").
PAID_ELSEWHERE = frozenset({"PREPAID", "WIN_FREESPIN"})

#: A cancel refused for one of these leaves nothing to undo, and a refusal would lock the player.
_NOTHING_TO_UNDO = frozenset(
    {
        Rejection.SESSION_UNKNOWN,
        Rejection.PLAYER_UNKNOWN,
        Rejection.TARGET_UNKNOWN,
        Rejection.TARGET_KIND,
        Rejection.TARGET_REFUNDED,
    }
)

#: "Get bet status".
STATES = {"open": "PENDING", "settled": "RESOLVED", "refunded": "CANCELED", "refused": "FAILED"}


def read_authorize(request: Request, integration: Integration[Options]) -> Items:
    """Read whose token it is, and for which game; the only call of transfer mode."""
    if integration.options.mode == "transfer":
        asked = wire.decode(signed_part(request.body), wire.AUTHORIZE)
    else:
        asked = wire.decode(_data(request, integration), wire.AUTHORIZE)
    _check_codes(asked.brand_code, asked.group_code, integration)
    return (
        Command(
            kind=Kind.AUTHORIZE,
            integration=integration.name,
            session=fields.identifier(asked.player_token, "playerToken"),
            game=fields.identifier(asked.game_code, "gameCode"),
            objection=_objection(asked.game_code, integration),
        ),
    )


def read_place_bet(request: Request, integration: Integration[Options]) -> Items:
    """Read a bet; a free spin is one of 0."""
    play = _play(request, integration)
    amount = wire.amount(play.amount)
    command = Command(
        kind=Kind.BET,
        integration=integration.name,
        key=f"bet/{fields.identifier(play.bet_id, 'betId')}",
        session=fields.identifier(play.player_token, "playerToken"),
        currency=fields.identifier(play.currency, "currency"),
        amount=amount,
        game=fields.identifier(play.game_code, "gameCode"),
        round=_round(play),
        feature=_feature(play),
        reference=fields.identifier(play.transaction_id, "transactionId"),
        ends=_ends(play),
        note=_note(play, amount),
        objection=_objection(play.game_code, integration),
    )
    return (command,)


def read_payout(request: Request, integration: Integration[Options]) -> Items:
    """Read a payout, also one of 0: it finishes its bet."""
    play = _play(request, integration)
    amount = wire.amount(play.amount)
    bet = fields.identifier(play.bet_id, "betId")
    command = Command(
        kind=Kind.WIN,
        integration=integration.name,
        key=f"payout/{bet}",
        session=fields.identifier(play.player_token, "playerToken"),
        currency=fields.identifier(play.currency, "currency"),
        amount=amount,
        game=fields.identifier(play.game_code, "gameCode"),
        round=_round(play),
        target=f"bet/{bet}",
        feature=_feature(play),
        reference=fields.identifier(play.transaction_id, "transactionId"),
        ends=_ends(play),
        note=_inexact(amount),
    )
    return (command,)


def read_cancel_bet(request: Request, integration: Integration[Options]) -> Items:
    """Read which bet is undone; whose it was is the bet's own.

    The signature covers neither path nor method, so a bet's or payout's own request would verify.
    """
    cancel = wire.decode(_data(request, integration), wire.CANCEL)
    for field, value in (("amount", cancel.amount), ("transactionId", cancel.transaction_id)):
        if value is not msgspec.UNSET:
            raise Malformed("expected none in a cancel", field=field)
    bet = fields.identifier(cancel.bet_id, "betId")
    token = cancel.player_token or None
    return (
        Command(
            kind=Kind.REFUND,
            integration=integration.name,
            key=f"cancel/{bet}",
            session=None if token is None else fields.identifier(token, "playerToken"),
            target=f"bet/{bet}",
        ),
    )


def read_bet_status(request: Request, integration: Integration[Options]) -> Items:
    """Read which bet is meant; the vendor's own id of the player says nothing here."""
    status = wire.decode(_data(request, integration), wire.STATUS)
    target = f"bet/{fields.identifier(status.bet_id, 'betId')}"
    return (Command(kind=Kind.STATUS, integration=integration.name, target=target),)


def read_balance(request: Request, integration: Integration[Options]) -> Items:
    """Read whose balance it is."""
    asked = wire.decode(_data(request, integration), wire.BALANCE)
    session = fields.identifier(asked.player_token, "playerToken")
    return (Command(kind=Kind.BALANCE, integration=integration.name, session=session),)


def read_player_token(request: Request, integration: Integration[Options]) -> Items:
    """Read whose token is wanted for which game, where that call is switched on."""
    if not integration.options.player_token_call:
        raise Refused(Rejection.CALL_UNKNOWN, "player-token is off: see `player_token_call`")
    asked = wire.decode(_data(request, integration), wire.PLAYER_TOKEN)
    _check_codes(asked.brand_code, asked.group_code, integration)
    return (
        Command(
            kind=Kind.AUTHORIZE,
            integration=integration.name,
            player=fields.identifier(asked.native_id, "nativeId"),
            game=fields.identifier(asked.game_code, "gameCode"),
        ),
    )


def _data(request: Request, integration: Integration[Options]) -> msgspec.Raw:
    """What was hashed, of an envelope that can be read in one way only."""
    if integration.options.mode == "transfer":
        raise Refused(Rejection.CALL_UNKNOWN, "in transfer mode the vendor only authorizes")
    return wire.decode(request.body, wire.ENVELOPE).data


def _play(request: Request, integration: Integration[Options]) -> wire.Play:
    play = wire.decode(_data(request, integration), wire.PLAY)
    _check_codes(play.brand_code, play.group_code, integration)
    return play


def _check_codes(brand: str, group: str, integration: Integration[Options]) -> None:
    """Raise `Malformed` when the request is about another casino."""
    options = integration.options
    if brand != options.brand_code or group != options.group_code:
        raise Malformed("expected the codes of this brand", field=wire.BRAND_AND_GROUP)


def _objection(game: str, integration: Integration[Options]) -> Rejection | None:
    """Games that are switched off take no new bets; what was bet before is finished."""
    games = integration.options.games
    return None if games is None or game in games else Rejection.GAME


def _round(play: wire.Play) -> str:
    """Free spins and the spin that won them are one round, named by that spin ("Free spin")."""
    return fields.identifier(play.parent_bet_id or play.bet_id, "parentBetId")


def _feature(play: wire.Play) -> str | None:
    """The bet type, unknown ones too; it changes nothing that is moved."""
    return None if not play.bet_type else fields.identifier(play.bet_type, "betType")


def _ends(play: wire.Play) -> bool | None:
    """Whether the round is over with this bet's payout.

    The spin that wins free spins names itself as parent and leaves the round open, as free spins
    do until the one that says that it is the last.
    """
    if play.is_last_free_spins is True:
        return True
    return False if play.parent_bet_id else None


def _note(play: wire.Play, amount: Quantity) -> str | None:
    """What a person should look at although the bet is taken as it is."""
    if amount.coefficient and play.bet_type in PAID_ELSEWHERE:
        return f"a bet of type {play.bet_type} with a stake of {amount}; it was debited"
    return _inexact(amount)


def _inexact(amount: Quantity) -> str | None:
    """The vendor counts in doubles, which have no hundredths above 2**53 of them."""
    if wire.hundredths(amount.shortest()) <= wire.INEXACT_HUNDREDTHS:
        return None
    return f"{amount} is more than the vendor can count exactly"


def write_authorize(
    _items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write who it is, and the balance."""
    return _player("authorize", outcomes[0], integration)


def write_balance(
    _items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write the balance, and whose it is."""
    return _player("balance", outcomes[0], integration)


def _player(call: str, outcome: Outcome, integration: Integration[Options]) -> Reply:
    if isinstance(outcome, Rejected):
        return refuse(outcome, call, integration)
    balance = outcome.balance
    told = wire.Player(
        native_id=outcome.player, currency=balance.currency.code, balance=wire.balance(balance)
    )
    return _done(told)


def write_place_bet(
    _items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write the balance after the bet."""
    return _moved("place-bet", outcomes[0], integration)


def write_payout(
    _items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write the balance after the payout."""
    return _moved("payout", outcomes[0], integration)


def _moved(call: str, outcome: Outcome, integration: Integration[Options]) -> Reply:
    if isinstance(outcome, Rejected):
        return refuse(outcome, call, integration)
    balance = outcome.balance
    return _done(wire.Moved(currency=balance.currency.code, balance=wire.balance(balance)))


def write_cancel_bet(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write CANCELED whenever nothing is left to undo; the bet is refused should it come later."""
    outcome = outcomes[0]
    if isinstance(outcome, Rejected) and outcome.why not in _NOTHING_TO_UNDO:
        return refuse(outcome, "cancel-bet", integration)
    return _done(wire.Cancelled(bet_id=bet_id(items), status="CANCELED"))


def write_bet_status(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write how the bet stands; one that was cancelled before it came is CANCELED."""
    outcome = outcomes[0]
    if isinstance(outcome, Rejected) and outcome.why is not Rejection.REFUNDED_BEFORE:
        return refuse(outcome, "bet-status", integration)
    bet = outcome.bet if isinstance(outcome, Applied) else None
    bet = bet or Bet(state="refunded" if isinstance(outcome, Rejected) else "open")
    told = wire.Standing(
        bet_id=bet_id(items),
        transaction_place_bet_id=bet.reference,
        transaction_payout_id=bet.win_reference,
        status=STATES[bet.state],
    )
    return _done(told)


def write_player_token(
    _items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write the token; a player without an open session has none."""
    outcome = outcomes[0]
    session = outcome.session if isinstance(outcome, Applied) else None
    if session is not None:
        return _done(wire.Token(player_token=session))
    if not isinstance(outcome, Rejected):
        outcome = Rejected(why=Rejection.SESSION_UNKNOWN)
    return refuse(outcome, "player-token", integration)


def bet_id(items: Items) -> str:
    """The vendor's id of the bet that the one command is about."""
    item = items[0]
    target = item.target if isinstance(item, Command) else None
    return (target or "").removeprefix("bet/")


def _done(told: wire.Player | wire.Moved | wire.Cancelled | wire.Standing | wire.Token) -> Reply:
    return Reply(200, wire.encode(wire.Answered(data=told)))
