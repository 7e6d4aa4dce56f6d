"""The sender's end of the seamless calls: what Naga Games sends, and what it makes of an answer.

"Seamless reconciliation". A well-formed error ends a place-bet: no payout and no cancel follow. An
answer that is none makes the vendor cancel, and lock the player until that succeeds. Payouts and
cancels are sent until they are answered. What is an error is said by the body, not by HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from seamline.dialects.dialect import Failure, Items, Judgement, Malformed, Reply, Request
from seamline.dialects.fields import one_command, sayable
from seamline.dialects.nagagames import wire
from seamline.dialects.nagagames.options import Options
from seamline.dialects.nagagames.signature import sign
from seamline.dialects.signing import BadJson, strictly
from seamline.wallet import Command, Integration, Kind, Verdict

_UNSET = msgspec.UNSET
_JSON = ((b"content-type", b"application/json"),)
#: What the vendor's own samples say of a cancelled bet, one of them with a letter missing.
_CANCELLED = frozenset({"CANCELED", "CANCLED"})

Data = wire.Authorize | wire.Play | wire.Cancel | wire.Status | wire.Balance | wire.PlayerToken


def compose_authorize(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed question who is playing."""
    command = one_command(items, Kind.AUTHORIZE)
    options = integration.options
    asked = wire.Authorize(
        player_token=sayable(command.session, "session", wire.MAX_ID),
        game_code=sayable(command.game, "game", wire.MAX_ID),
        brand_code=options.brand_code,
        group_code=options.group_code,
    )
    return _post("/authorize", asked, integration, at_ms)


def compose_place_bet(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed bet."""
    command = one_command(items, Kind.BET)
    play = _play(command, _id_in(command.key, "bet", "key"), integration)
    return _post("/place-bet", play, integration, at_ms)


def compose_payout(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed payout; its key and its target hold the same id."""
    command = one_command(items, Kind.WIN)
    bet = _id_in(command.key, "payout", "key")
    if command.target != f"bet/{bet}":
        raise Malformed(f"expected the bet of the payout, bet/{bet}", field="target")
    return _post("/payout", _play(command, bet, integration), integration, at_ms)


def compose_cancel_bet(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed cancel; with the token where the session is known."""
    command = one_command(items, Kind.REFUND)
    bet = _id_in(command.key, "cancel", "key")
    if command.target != f"bet/{bet}":
        raise Malformed(f"expected the bet that is cancelled, bet/{bet}", field="target")
    token = _UNSET if command.session is None else sayable(command.session, "session", wire.MAX_ID)
    return _post("/cancel-bet", wire.Cancel(bet_id=bet, player_token=token), integration, at_ms)


def compose_bet_status(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed question how a bet stands."""
    command = one_command(items, Kind.STATUS)
    status = wire.Status(bet_id=_id_in(command.target, "bet", "target"))
    return _post("/bet-status", status, integration, at_ms)


def compose_balance(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed question for the balance."""
    command = one_command(items, Kind.BALANCE)
    asked = wire.Balance(player_token=sayable(command.session, "session", wire.MAX_ID))
    return _post("/balance", asked, integration, at_ms)


def compose_player_token(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed question for a player's token."""
    command = one_command(items, Kind.AUTHORIZE)
    options = integration.options
    asked = wire.PlayerToken(
        native_id=sayable(command.player, "player", wire.MAX_ID),
        group_code=options.group_code,
        brand_code=options.brand_code,
        game_code=sayable(command.game, "game", wire.MAX_ID),
    )
    if command.session is not None:
        raise Malformed("expected no session, as one is asked for", field="session")
    return _post("/player-token", asked, integration, at_ms)


def _play(command: Command, bet: str, integration: Integration[Options]) -> wire.Play:
    """The fields of a place-bet or payout, as far as they are switched on."""
    options = integration.options
    if command.amount is None:
        raise Malformed("expected an amount", field="amount")
    wire.amount(str(command.amount).encode())
    round_ = sayable(command.round, "round", wire.MAX_ID)
    feature = command.feature
    return wire.Play(
        bet_id=bet,
        currency=sayable(command.currency, "currency", wire.MAX_ID),
        game_code=sayable(command.game, "game", wire.MAX_ID),
        player_token=sayable(command.session, "session", wire.MAX_ID),
        group_code=options.group_code,
        transaction_id=sayable(command.reference, "reference", wire.MAX_ID),
        amount=wire.js_number(command.amount),
        parent_bet_id=_parent(command, bet, round_),
        brand_code=options.brand_code,
        bet_type=_UNSET if feature is None else sayable(feature, "feature", wire.MAX_ID),
        is_last_free_spins=_last(command, bet, round_) if options.last_free_spins else _UNSET,
    )


def _parent(command: Command, bet: str, round_: str) -> str | None:
    """The spin that won the free spins: another one, or this one where its round goes on."""
    return round_ if round_ != bet or command.ends is False else None


def _last(command: Command, bet: str, round_: str) -> bool | None:
    """Whether this is the last free spin; null where there are no free spins."""
    if command.ends is None and round_ != bet:
        raise Malformed("expected whether a free spin is the last one", field="ends")
    return command.ends


def _id_in(key: str | None, kind: str, field: str) -> str:
    """The bet's id in a key such as `bet/ID`."""
    found, _, bet = (key or "").partition("/")
    if found != kind:
        raise Malformed(f"expected a key such as {kind}/ID", field=field)
    return sayable(bet, field, wire.MAX_ID)


def _post(path: str, data: Data, integration: Integration[Options], at_ms: int) -> Request:
    """A signed POST; the encoded fields are what is hashed."""
    text = wire.encode(data)
    if integration.options.mode == "transfer":
        body = wire.encode({"data": msgspec.Raw(text)})
    else:
        digest = sha256(text).hexdigest()
        body = wire.encode(wire.Envelope(data=msgspec.Raw(text), data_hash=digest))
    request = Request("POST", path, headers=_JSON, body=body, at_ms=at_ms)
    return sign(request, integration)


def judge_authorize(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to authorize; nothing was at stake."""
    return _judged(reply, _player_told)


def judge_balance(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a balance call; nothing was at stake."""
    return _judged(reply, _player_told)


def judge_place_bet(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a bet: a well-formed error refuses it, no other answer does.

    Done: the vendor stores PENDING and plays. Refused: PLACEBET_OPERATOR_ERROR. Not known:
    PENDING_CANCELED after silence, PLACEBET_CHECK_FAIL after an unreadable answer.
    """
    return _judged(reply, _moved_told)


def judge_payout(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a payout: whatever is not done is sent again.

    Done: RESOLVED. An error has a code (PAYOUT_OPERATOR_ERROR), an unreadable answer has none
    (PAYOUT_CHECK_FAIL).
    """
    return _until_done(_judged(reply, _moved_told))


def judge_cancel_bet(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a cancel: whatever is not CANCELED is sent again.

    The vendor's samples have a status of 201, no envelope and a misspelt word: all are accepted.
    """
    return _until_done(_judged(reply, _cancelled_told, bare=True))


def judge_bet_status(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from how a bet stands; the code is its status."""
    return _judged(reply, _standing_told)


def judge_player_token(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer with a token."""
    return _judged(reply, _token_told)


def _judged(
    reply: Reply | Failure, read: Callable[[bytes], Judgement], *, bare: bool = False
) -> Judgement:
    """Done for the wanted data, refused for an error object, else not known.

    Where *bare*, the data may come without its envelope.
    """
    if isinstance(reply, Failure):
        return Judgement(verdict=Verdict.UNKNOWN, message=f"no answer: {reply.value}")
    try:
        told = strictly(reply.body, wire.TOLD)
    except BadJson as problem:
        message = f"{reply.status} with a body that is no answer: {problem}"
        return Judgement(verdict=Verdict.UNKNOWN, message=message)
    data = bytes(told.data)
    if told.error is not None:
        code = str(told.error.status_code)
        return Judgement(verdict=Verdict.REFUSED, message=told.error.message, code=code)
    if not 200 <= reply.status < 300:
        message = f"{reply.status} without an error object"
        return Judgement(verdict=Verdict.UNKNOWN, message=message)
    try:
        return read(reply.body if bare and data == b"null" else data)
    except Malformed as error:
        problem_ = error.rejected
        message = f"an answer that is unusable: {problem_.field or 'data'}: {problem_.detail}"
        return Judgement(verdict=Verdict.UNKNOWN, message=message)


def _until_done(judged: Judgement) -> Judgement:
    """What is refused is not over: it is sent again until it is done."""
    if judged.verdict is Verdict.REFUSED:
        return replace(judged, verdict=Verdict.UNKNOWN)
    return judged


def _player_told(data: bytes) -> Judgement:
    player = wire.decode(data, wire.PLAYER)
    balance = wire.number(bytes(player.balance), "balance")
    return Judgement(verdict=Verdict.DONE, balance=balance)


def _moved_told(data: bytes) -> Judgement:
    moved = wire.decode(data, wire.MOVED)
    return Judgement(verdict=Verdict.DONE, balance=wire.number(bytes(moved.balance), "balance"))


def _cancelled_told(data: bytes) -> Judgement:
    cancelled = wire.decode(data, wire.CANCELLED)
    if cancelled.status not in _CANCELLED:
        raise Malformed("expected CANCELED", field="status")
    return Judgement(verdict=Verdict.DONE)


def _standing_told(data: bytes) -> Judgement:
    standing = wire.decode(data, wire.STANDING)
    return Judgement(verdict=Verdict.DONE, code=standing.status)


def _token_told(data: bytes) -> Judgement:
    return Judgement(verdict=Verdict.DONE, transaction=wire.decode(data, wire.TOKEN).player_token)
