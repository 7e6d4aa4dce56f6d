"""The sender's end of the reverse calls: what Swipe Games sends, and what it makes of an answer."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import msgspec

from seamline.dialects import fields
from seamline.dialects.dialect import Failure, Items, Judgement, Malformed, Reply, Request
from seamline.dialects.fields import one_command, sayable
from seamline.dialects.signing import BadJson, strictly
from seamline.dialects.swipegames import wire
from seamline.dialects.swipegames.options import Options
from seamline.dialects.swipegames.signature import sign
from seamline.wallet import Command, Integration, Kind, Verdict

_UNSET = msgspec.UNSET
_JSON = ((b"content-type", b"application/json"),)


def compose_balance(items: Items, integration: Integration[Options], _at_ms: int) -> Request:
    """Make the signed balance call."""
    command = one_command(items, Kind.BALANCE)
    query = "sessionID=" + quote(sayable(command.session, "session", wire.MAX_ID), safe="")
    return sign(Request("GET", "/balance", query.encode()), integration)


def compose_bet(items: Items, integration: Integration[Options], _at_ms: int) -> Request:
    """Make the signed bet."""
    return _post("/bet", _play(one_command(items, Kind.BET)), integration)


def compose_win(items: Items, integration: Integration[Options], _at_ms: int) -> Request:
    """Make the signed win, or the payout of a campaign."""
    command = one_command(items, Kind.WIN, Kind.REWARD)
    # On the wire only the campaign tells a payout from a win, and only `free` a tracked win.
    if not command.free and (command.campaign is not None) != (command.kind is Kind.REWARD):
        raise Malformed("expected a reward where a campaign is paid", field="campaign")
    if command.free and command.kind is Kind.REWARD:
        raise Malformed("expected a reward that moves money", field="free")
    return _post("/win", _play(command), integration)


def compose_refund(items: Items, integration: Integration[Options], _at_ms: int) -> Request:
    """Make the signed refund."""
    command = one_command(items, Kind.REFUND)
    round_ = command.round
    undo = wire.Undo(
        amount=_amount(command),
        orig_tx_id=wire.uuid(sayable(command.target, "target", wire.MAX_ID), "target"),
        round_id=_UNSET if round_ is None else wire.uuid(round_, "round"),
        session_id=sayable(command.session, "session", wire.MAX_ID),
        tx_id=wire.uuid(sayable(command.key, "key", wire.MAX_ID), "key"),
    )
    return _post("/refund", undo, integration)


def _play(command: Command) -> wire.Play:
    """The body of a bet or win. The wire has no field for player, currency and game."""
    campaign = command.campaign
    return wire.Play(
        amount=_amount(command),
        fr_id=_UNSET if campaign is None else sayable(campaign, "campaign", wire.MAX_ID),
        round_id=wire.uuid(sayable(command.round, "round", wire.MAX_ID), "round"),
        session_id=sayable(command.session, "session", wire.MAX_ID),
        tx_id=wire.uuid(sayable(command.key, "key", wire.MAX_ID), "key"),
        type="free" if command.free else "regular",
    )


def _amount(command: Command) -> str:
    """The amount as text that the other end can read."""
    if command.amount is None:
        raise Malformed("expected an amount", field="amount")
    return str(wire.quantity(str(command.amount)))


def _post(path: str, body: wire.Play | wire.Undo, integration: Integration[Options]) -> Request:
    """A signed POST; the struct's encoding is the canonical JSON that is signed."""
    return sign(Request("POST", path, headers=_JSON, body=wire.encode(body)), integration)


def judge_balance(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a balance call; nothing was at stake."""
    judged = _judged(reply, _balance_told)
    return judged if judged.verdict is Verdict.DONE else _refused_by_4xx(judged, reply)


def judge_bet(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a bet: only 4xx promises that nothing was debited.

    500 and silence ask for a refund. So do other 5xx, redirects and an unusable 200, of which the
    document says nothing.
    """
    judged = _judged(reply, _done)
    return judged if judged.verdict is Verdict.DONE else _refused_by_4xx(judged, reply)


def judge_win(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a win: whatever is not done is sent again."""
    return _judged(reply, _done)


def judge_refund(reply: Reply | Failure, integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a refund: whatever is not done is sent again.

    Operators of the seed era answer an unknown transaction by 200 with an empty body.
    """
    seed = integration.options.era == "seed"
    if seed and isinstance(reply, Reply) and reply.status == 200 and not reply.body:
        return Judgement(verdict=Verdict.DONE)
    return _judged(reply, _done)


def _judged(reply: Reply | Failure, read: Callable[[bytes], Judgement]) -> Judgement:
    """Done for a valid 200, else not known, with what the error object tells."""
    if isinstance(reply, Failure):
        return Judgement(verdict=Verdict.UNKNOWN, message=f"no answer: {reply.value}")
    if reply.status != 200:
        return _failed(reply)
    try:
        return read(reply.body)
    except Malformed as error:
        problem = error.rejected
        message = f"200 with an unusable body: {problem.field or 'body'}: {problem.detail}"
        return Judgement(verdict=Verdict.UNKNOWN, message=message)


def _balance_told(body: bytes) -> Judgement:
    answer = fields.decode(body, wire.BALANCE)
    return Judgement(verdict=Verdict.DONE, balance=wire.quantity(answer.balance, "balance"))


def _done(body: bytes) -> Judgement:
    answer = fields.decode(body, wire.DONE)
    return Judgement(
        verdict=Verdict.DONE,
        balance=wire.quantity(answer.balance, "balance"),
        transaction=answer.tx_id,
    )


def _failed(reply: Reply) -> Judgement:
    """Not known, with the error object's words where it can be read."""
    try:
        error = strictly(reply.body, wire.ERROR)
    except BadJson:
        message = f"{reply.status} without an error object"
        return Judgement(verdict=Verdict.UNKNOWN, message=message)
    return Judgement(verdict=Verdict.UNKNOWN, message=error.message, code=error.code)


def _refused_by_4xx(judged: Judgement, reply: Reply | Failure) -> Judgement:
    if isinstance(reply, Reply) and 400 <= reply.status < 500:
        return msgspec.structs.replace(judged, verdict=Verdict.REFUSED)
    return judged
