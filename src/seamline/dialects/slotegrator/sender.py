"""The provider's end of the four calls: what it sends, and what it makes of an answer.

Which answer means what for a bet is the table `CODES`: the document sorts three of its twelve codes
only ("Bet error handling"), the rest is our choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import msgspec

from seamline.dialects.dialect import Failure, Items, Judgement, Malformed, Reply, Request
from seamline.dialects.fields import one_command, sayable
from seamline.dialects.signing import BadJson, Json, strictly
from seamline.dialects.slotegrator import decimals, wire
from seamline.dialects.slotegrator.adapter import BET, BETS, REFUND, WIN, WINS, Type
from seamline.dialects.slotegrator.options import Options
from seamline.dialects.slotegrator.refusals import Code
from seamline.dialects.slotegrator.signature import sign
from seamline.wallet import Command, Integration, Kind, Verdict

_JSON = ((b"content-type", b"application/json"),)

#: What a bet's player is shown when nobody knows what became of it ("Bet error handling").
UNKNOWN_ERROR = "Unknown error"

#: What a code says about a bet. Unknown: it may have been debited, so its refund is sent.
CODES: Mapping[Code, Verdict] = {
    "INVALID_SIGN": Verdict.REFUSED,
    "WRONG_INPUT_PARAMETERS": Verdict.REFUSED,
    "ACTION_IS_NOT_EXIST": Verdict.REFUSED,
    "SESSION_NOT_FOUND": Verdict.REFUSED,
    "AMOUNT_SHOULD_BE_POSITIVE": Verdict.REFUSED,
    "INSUFFICIENT_BALANCE": Verdict.REFUSED,
    "INTERNAL_ERROR": Verdict.REFUSED,
    "BET_FAILED_KNOWN_ERROR": Verdict.REFUSED,
    "BET_FAILED_UNKNOWN_ERROR": Verdict.UNKNOWN,
    "TRANSACTION_PREPARING_ERROR": Verdict.REFUSED,
    "TRANSACTION_IN_PROGRESS": Verdict.UNKNOWN,
    "TRANSACTION_DENIED": Verdict.REFUSED,
}

if missing := set(get_args(Code)) - CODES.keys():
    raise TypeError(f"CODES lacks {', '.join(sorted(missing))}")

_BETS: Mapping[Type, str] = {type_: name for name, type_ in BETS.items()}
_WINS: Mapping[Type, str] = {type_: name for name, type_ in WINS.items()}


def compose_bet(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed bet, tip or free spin."""
    command = one_command(items, Kind.BET, Kind.TIP)
    return _post(_play("bet", _BETS, BET, command), integration, at_ms)


def compose_win(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed win, jackpot or win of a free spin."""
    command = one_command(items, Kind.WIN, Kind.REWARD)
    members = _play("win", _WINS, WIN, command)
    if command.ends is not None:
        members["is_finished"] = command.ends
    return _post(members, integration, at_ms)


def compose_refund(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed refund, whose id is the bet's."""
    command = one_command(items, Kind.REFUND)
    bet = _own_id(command.target, BET, "target")
    if _own_id(command.key, REFUND, "key") != bet:
        raise Malformed("expected the id of the bet that is refunded", field="key")
    if command.amount is not None:
        raise Malformed("expected none, as the whole bet is refunded", field="amount")
    members: dict[str, Json] = {
        "action": "refund",
        "session_id": sayable(command.session, "session", wire.MAX_ID),
        "transaction_id": bet,
    }
    if command.round is not None:
        members["round_id"] = sayable(command.round, "round", wire.MAX_ID)
    return _post(members | _game(command), integration, at_ms)


def compose_balance(items: Items, integration: Integration[Options], at_ms: int) -> Request:
    """Make the signed question for the balance."""
    command = one_command(items, Kind.BALANCE)
    session = sayable(command.session, "session", wire.MAX_ID)
    return _post({"action": "balance", "session_id": session}, integration, at_ms)


def _play(
    action: str,
    types: Mapping[Type, str],
    space: str,
    command: Command,
) -> dict[str, Json]:
    """The members of a bet or win. The wire names no player, currency or campaign."""
    asked = Type(command.kind, command.feature, command.free, command.campaign)
    spelled = types.get(asked)
    if spelled is None:
        expected = " or ".join(types.values())
        raise Malformed(f"expected what makes a {action} a {expected}", field="feature")
    if command.amount is None:
        raise Malformed("expected an amount", field="amount")
    return {
        "action": action,
        "type": spelled,
        "session_id": sayable(command.session, "session", wire.MAX_ID),
        "amount": decimals.said(command.amount),
        "transaction_id": _own_id(command.key, space, "key"),
        "round_id": sayable(command.round, "round", wire.MAX_ID),
        **_game(command),
    }


def _game(command: Command) -> dict[str, Json]:
    return {} if command.game is None else {"game_id": sayable(command.game, "game", wire.MAX_ID)}


def _own_id(key: str | None, space: str, field: str) -> str:
    """The provider's id in a key of ours."""
    if key is None or not key.startswith(space):
        raise Malformed(f"expected {space}ID", field=field)
    return sayable(key.removeprefix(space), field, wire.MAX_ID)


def _post(members: Mapping[str, Json], integration: Integration[Options], at_ms: int) -> Request:
    """The signed POST to the one endpoint; the very bytes that are sent are signed.

    A text of JSON holds no quote that is not escaped: nothing but the amount can be taken for it.
    """
    body = wire.php(members)
    if integration.options.amount_as == "number" and "amount" in members:
        amount = str(members["amount"]).encode()
        body = body.replace(b'"amount":"%b"' % amount, b'"amount":%b' % amount, 1)
    return sign(Request("POST", "", headers=_JSON, body=body, at_ms=at_ms), integration)


def judge_bet(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a bet: done, refused for good, or to be refunded.

    Silence, an answer that nobody can read and a code that nobody lists leave the bet in doubt, and
    doubt is answered by a refund ("Bet error handling").
    """
    judged = _judged(reply)
    if judged.verdict is Verdict.DONE:
        return judged
    verdict = _BY_TEXT.get(judged.code or "", Verdict.UNKNOWN)
    shown = judged.message if verdict is Verdict.REFUSED else UNKNOWN_ERROR
    return msgspec.structs.replace(judged, verdict=verdict, message=shown)


def judge_win(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a win or refund: whatever is not done is sent again."""
    return _judged(reply)


def judge_balance(reply: Reply | Failure, _integration: Integration[Options]) -> Judgement:
    """Conclude from the answer to a balance call; nothing was at stake."""
    judged = _judged(reply)
    if judged.verdict is Verdict.DONE or judged.code not in _BY_TEXT:
        return judged
    return msgspec.structs.replace(judged, verdict=Verdict.REFUSED)


_BY_TEXT: Mapping[str, Verdict] = {str(code): verdict for code, verdict in CODES.items()}


def _judged(reply: Reply | Failure) -> Judgement:
    """Done, or not known with what the answer says.

    The body decides, also under a status of trouble; success needs a status of success besides.
    """
    if isinstance(reply, Failure):
        return _unknown(f"no answer: {reply.value}")
    try:
        answer = strictly(reply.body, wire.ANSWER)
    except BadJson as error:
        return _unknown(f"{reply.status} with an unusable body: {error.detail}")
    if answer.status is False:
        code = None if answer.code is None else str(answer.code)
        return Judgement(verdict=Verdict.UNKNOWN, message=answer.message or "", code=code)
    if answer.status is None or not 200 <= reply.status < 300:
        return _unknown(f"{reply.status} without a status in the body")
    balance = decimals.told(answer.balance) if isinstance(answer.balance, msgspec.Raw) else None
    if balance is None:
        return _unknown("done, without a usable balance")
    return Judgement(verdict=Verdict.DONE, balance=balance)


def _unknown(message: str) -> Judgement:
    return Judgement(verdict=Verdict.UNKNOWN, message=message)
