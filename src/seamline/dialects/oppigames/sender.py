"""The sender's end of the wallet calls: what OppiGames sends, and what it makes of an answer.

Success is the code `RS_OK`, whatever the HTTP status of a readable answer. Whatever else a payout,
reward, rollback or retry is answered, it is sent again; a bet that was refused is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from seamline.dialects.dialect import Failure, Items, Judgement, Malformed, Reply, Request
from seamline.dialects.fields import sayable
from seamline.dialects.oppigames import adapter, wire
from seamline.dialects.oppigames.batches import RETRY
from seamline.dialects.oppigames.options import Options
from seamline.dialects.oppigames.reasons import OK, TROUBLE, Declined
from seamline.dialects.oppigames.signature import sign
from seamline.money import Quantity
from seamline.wallet import Command, Integration, Kind, Verdict

T = TypeVar("T")


def compose_balance(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed balance call."""
    command = _command(items, Kind.BALANCE)
    body = wire.Asked(_session(command), _id(command.player, "player"))
    return _post("/user/balance", body, integration, at_ms)


def compose_bet(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed bet."""
    command = _command(items, Kind.BET)
    body = wire.Bet(
        transaction_id=_id(command.key, "key"),
        session_id=_session(command),
        player_id=_id(command.player, "player"),
        game_id=_id(command.game, "game"),
        currency=_currency(command),
        amount=_amount(command),
    )
    return _post("/transaction/bet", body, integration, at_ms)


def compose_payout(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed payout; a note says that `isWin` contradicts the amount."""
    command = _command(items, Kind.WIN)
    is_win = bool(command.amount and command.amount.coefficient)
    if command.note not in (None, adapter.CONTRADICTION):
        raise Malformed(f"expected none, or {adapter.CONTRADICTION!r}", field="note")
    if command.note is not None:
        is_win = not is_win
    body = wire.Payout(
        transaction_id=_id(command.key, "key"),
        ref_transaction_id=_id(command.target, "target"),
        session_id=_session(command),
        player_id=_id(command.player, "player"),
        game_id=_id(command.game, "game"),
        currency=_currency(command),
        amount=_amount(command),
        is_win=is_win,
    )
    return _post("/transaction/payout", body, integration, at_ms)


def compose_reward(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed reward of a bonus (its campaign) or of a jackpot (its reference)."""
    command = _command(items, Kind.REWARD)
    is_bonus = command.campaign is not None
    kind = command.feature or (adapter.BONUS if is_bonus else adapter.JACKPOT)
    if (adapter.reward_type(kind) == adapter.BONUS) != is_bonus:
        raise Malformed("expected a bonus with a campaign, a jackpot without", field="feature")
    about = command.campaign if is_bonus else command.reference
    body = wire.Reward(
        transaction_id=_id(command.key, "key"),
        ref_transaction_id=_id(about, "campaign" if is_bonus else "reference"),
        session_id=_session(command),
        reward_type=kind,
        player_id=_id(command.player, "player"),
        game_id=_id(command.game, "game"),
        rewarded_amount=_amount(command),
    )
    return _post("/transaction/reward", body, integration, at_ms)


def compose_rollback(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed rollback of one or more transactions."""
    body = wire.Rollbacks(
        tuple(
            wire.Rollback(
                transaction_id=_id(command.key, "key"),
                ref_transaction_id=_id(command.target, "target"),
                session_id=_session(command),
                player_id=_id(command.player, "player"),
                game_id=_id(command.game, "game"),
            )
            for command in _commands(items, Kind.REFUND)
        )
    )
    return _post(integration.options.rollback_path, body, integration, at_ms)


def compose_retry(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed retry of one or more payouts."""
    body = wire.Retries(tuple(map(_retry, _commands(items, Kind.WIN))))
    return _post("/transaction/retry", body, integration, at_ms)


def _retry(command: Command) -> wire.Retry:
    key = _id(command.target, "target")
    if not command.late or command.key != f"{RETRY}{key}":
        raise Malformed("expected a late win whose key is made of its target", field="key")
    return wire.Retry(
        transaction_id=key,
        session_id=_session(command),
        round_id=_id(command.round, "round"),
        player_id=_id(command.player, "player"),
        game_id=_id(command.game, "game"),
        currency=_currency(command),
        amount=_amount(command),
    )


def _command(items: Items, kind: Kind) -> Command:
    """The one command of a single call."""
    commands = _commands(items, kind)
    if len(commands) != 1 or commands[0].late:
        raise Malformed(f"expected one {kind}", field="kind")
    return commands[0]


def _commands(items: Items, kind: Kind) -> tuple[Command, ...]:
    """The commands of a batch; nothing else has a place in it."""
    commands = tuple(
        each for each in items if isinstance(each, Command) and each.kind is kind and not each.free
    )
    if len(commands) != len(items) or len(items) > wire.MAX_BATCH:
        raise Malformed(f"expected up to {wire.MAX_BATCH} items, each a {kind}", field="kind")
    return commands


def _id(value: str | None, field: str) -> str:
    """An id that the other end can read."""
    return sayable(value, field, wire.MAX_ID)


def _session(command: Command) -> str:
    """The session; where sessions do not count, what stands in its place."""
    return sayable(command.session or command.reference, "session", wire.MAX_SESSION)


def _currency(command: Command) -> str:
    currency = sayable(command.currency, "currency", 10)
    if len(currency) < 3 or currency != currency.upper():
        raise Malformed("expected a currency of 3 to 10 capital letters", field="currency")
    return currency


def _amount(command: Command) -> msgspec.Raw:
    return msgspec.Raw(b"%d" % wire.wired(command.amount))


def _post(
    path: str, body: msgspec.Struct, integration: Integration[Options], at_ms: int
) -> Request:
    """A signed POST: the bytes that are signed are the bytes that are sent."""
    return sign(Request("POST", path, body=wire.encode(body), at_ms=at_ms), integration)


def judge_balance(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a balance call; nothing was at stake."""
    return _over(reply, _judged(reply, wire.TOLD, _told))


def judge_bet(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a bet: a code other than `RS_OK` says that nothing was debited.

    Silence, 5xx, trouble of the operator's own and what cannot be read ask for a rollback.
    """
    return _over(reply, _judged(reply, wire.DONE, _done))


def judge_payout(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a payout or reward: whatever is not done is sent again."""
    return _judged(reply, wire.DONE, _done)


def judge_rollback(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a rollback: done when every item is."""
    return _judged(reply, wire.UNDONE, lambda answer: _batch(answer.status, answer.data))


def judge_retry(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a retry: done when every item is; the last balance is told."""
    return _judged(reply, wire.REPAID, _repaid)


def _judged(
    reply: Reply | Failure, decoder: msgspec.json.Decoder[T], read: Callable[[T], Judgement]
) -> Judgement:
    """What *read* says of an `RS_OK`, else not known, with the answer's own words."""
    if isinstance(reply, Failure):
        return Judgement(verdict=Verdict.UNKNOWN, message=f"no answer: {reply.value}")
    try:
        error = wire.decode(reply.body, wire.ERROR)
    except Declined as declined:
        return _unusable(reply, declined)
    if error.status != OK or not 200 <= reply.status < 300:
        message = error.message or f"{reply.status} with status {error.status}"
        return Judgement(verdict=Verdict.UNKNOWN, message=message, code=error.status)
    try:
        return read(wire.decode(reply.body, decoder))
    except Malformed as malformed:
        return _unusable(reply, malformed)
    except Declined as declined:
        return _unusable(reply, declined)


def _unusable(reply: Reply, problem: Declined | Malformed) -> Judgement:
    rejected = problem.rejected
    message = f"{reply.status} with an unusable body: {rejected.field or 'body'}: {rejected.detail}"
    return Judgement(verdict=Verdict.UNKNOWN, message=message)


def _told(answer: wire.Told) -> Judgement:
    return Judgement(verdict=Verdict.DONE, balance=_balance(answer.balance), code=answer.status)


def _done(answer: wire.Done) -> Judgement:
    return Judgement(
        verdict=Verdict.DONE,
        balance=_balance(answer.balance),
        transaction=answer.transaction_id,
        code=answer.status,
    )


def _repaid(answer: wire.RepaidBatch) -> Judgement:
    judged = _batch(answer.status, answer.data)
    last = answer.data[-1].balance if answer.data else None
    if last is None:
        return judged
    return msgspec.structs.replace(judged, balance=_balance(last))


def _batch(status: str, items: tuple[wire.Undone | wire.Repaid, ...]) -> Judgement:
    """Done when every item is; else the first that is not, by its id. No item says nothing."""
    if not items:
        return Judgement(verdict=Verdict.UNKNOWN, message="no item was answered", code=status)
    for each in items:
        if each.status != OK:
            message = f"{each.transaction_id}: {each.status}"
            return Judgement(verdict=Verdict.UNKNOWN, message=message, code=each.status)
    return Judgement(verdict=Verdict.DONE, transaction=items[0].transaction_id, code=status)


def _balance(counted: int) -> Quantity:
    if not 0 <= counted <= wire.MOST:
        raise Malformed(f"expected a whole number from 0 to {wire.MOST}", field="balance")
    return Quantity(counted, wire.PLACES)


def _over(reply: Reply | Failure, judged: Judgement) -> Judgement:
    """Refused, where a readable answer has another code than `RS_OK` and than trouble."""
    if isinstance(reply, Failure) or judged.verdict is Verdict.DONE or reply.status >= 500:
        return judged
    if judged.code in (None, OK, TROUBLE):
        return judged
    return msgspec.structs.replace(judged, verdict=Verdict.REFUSED)
