"""The wallet's end of the batches: rollback and retry.

Items are done in order, each for itself; the answer has one entry per item, in the same order, and
is OK as a whole once the batch could be read. More than 500 items are refused as a whole.

A retry repeats a payout that failed, in multiplayer games only. Nobody says whether its id is the
failed payout's or the bet's (page "Retry"), so it is read as a late win that targets that id, in a
key space of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from seamline.dialects.dialect import Items, Malformed, Refused, Reply, Request
from seamline.dialects.fields import identifier
from seamline.dialects.oppigames import wire
from seamline.dialects.oppigames.adapter import seat
from seamline.dialects.oppigames.options import Options
from seamline.dialects.oppigames.reasons import OK, Because, Declined, Reason
from seamline.dialects.oppigames.refusals import code_of
from seamline.dialects.signing import BadJson, parsed
from seamline.wallet import (
    Applied,
    Command,
    Integration,
    Kind,
    Outcome,
    Rejected,
    Rejection,
    Replayed,
    beside,
)

ItemT = TypeVar("ItemT")

BODY_LIMIT = 1024 * 1024
#: Before the id of a retry, in its key.
RETRY = beside("retry", "")
_BOM = b"\xef\xbb\xbf"


def read_rollback(request: Request, integration: Integration[Options]) -> Items:
    """Read what is to be undone. One bare object is taken for a batch of one, if so chosen."""

    def read(item: wire.Rollback) -> Command:
        return _rollback(item, integration)

    try:
        batch = wire.decode(request.body, wire.ROLLBACKS)
    except Declined as declined:
        if integration.options.rollback_accept_single and _is_bare(declined):
            return (read(wire.decode(request.body, wire.ROLLBACK)),)
        return _one_by_one(request.body, wire.ROLLBACK, read, declined)
    return _each(batch.transactions, read)


def _is_bare(declined: Declined) -> bool:
    """Whether a body has no list of transactions, and an id as an item has."""
    rejected = declined.rejected
    return rejected.field == "transactions" and rejected.key is not None


def read_retry(request: Request, integration: Integration[Options]) -> Items:
    """Read payouts that are sent again."""

    def read(item: wire.Retry) -> Command:
        return _retry(item, integration)

    try:
        batch = wire.decode(request.body, wire.RETRIES)
    except Declined as declined:
        return _one_by_one(request.body, wire.RETRY, read, declined)
    return _each(batch.transactions, read)


def _each(items: tuple[ItemT, ...], read: Callable[[ItemT], Command]) -> Items:
    return tuple(_item(item, read) for item in items)


def _item(item: ItemT, read: Callable[[ItemT], Command]) -> Command | Rejected:
    """One item's command, or why it has none."""
    try:
        return read(item)
    except Refused as refused:
        return refused.rejected


def _one_by_one(
    body: bytes,
    decoder: msgspec.json.Decoder[ItemT],
    read: Callable[[ItemT], Command],
    declined: Declined,
) -> Items:
    """The items of a batch in which not every one can be read; raises where it is no batch."""
    text = body.removeprefix(_BOM)
    try:
        parsed(text)
        listed = wire.LISTED.decode(text).transactions
    except (BadJson, msgspec.DecodeError):
        raise declined from None
    if len(listed) > wire.MAX_BATCH:
        raise Malformed(f"expected at most {wire.MAX_BATCH} items", field="transactions")
    return tuple(_item(each, lambda raw: read(wire.decode(bytes(raw), decoder))) for each in listed)


def _rollback(item: wire.Rollback, integration: Integration[Options]) -> Command:
    """Nothing is said of amount and currency: the stored ones are undone."""
    key = identifier(item.transaction_id, "transactionId")
    return Command(
        kind=Kind.REFUND,
        integration=integration.name,
        key=key,
        session=identifier(item.session_id, "sessionId", key),
        player=identifier(item.player_id, "playerId", key),
        game=identifier(item.game_id, "gameId", key),
        target=identifier(item.ref_transaction_id, "refTransactionId", key),
    )


def _retry(item: wire.Retry, integration: Integration[Options]) -> Command:
    key = identifier(item.transaction_id, "transactionId")
    session, reference = seat(item.session_id, key, integration.options)
    return Command(
        kind=Kind.WIN,
        integration=integration.name,
        key=f"{RETRY}{key}",
        session=session,
        player=identifier(item.player_id, "playerId", key),
        currency=identifier(item.currency.upper(), "currency", key),
        amount=wire.quantity(item.amount, "amount", key),
        game=identifier(item.game_id, "gameId", key),
        round=identifier(item.round_id, "roundId", key),
        target=key,
        reference=reference,
        late=True,
    )


def write_rollback(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write what became of each item; there is no balance in this answer."""
    data = tuple(
        wire.Undone(_undone(outcome, integration.options), item.key)
        for item, outcome in zip(items, outcomes, strict=True)
    )
    return Reply(200, wire.encode(wire.UndoneBatch(OK, data)))


def _undone(outcome: Outcome, options: Options) -> str:
    """The code of an item. Of an unknown target nothing was undone; that may be told as an error.

    Such a target is buried in either case, and refused when it comes, even where nobody knows
    the session or the player: they are asked for only when the target is unknown.
    """
    nowhere = isinstance(outcome, Rejected) and outcome.why is Rejection.SESSION_UNKNOWN
    if isinstance(outcome, Rejected) and not nowhere:
        return code_of(outcome, options)
    buried = nowhere or (isinstance(outcome, Applied | Replayed) and outcome.moved is None)
    if buried and options.rollback_unknown == "error":
        return code_of(Because(why=Rejection.TARGET_UNKNOWN, reason=Reason.REF_NOT_FOUND), options)
    return OK


def write_retry(
    items: Items, outcomes: tuple[Outcome, ...], integration: Integration[Options]
) -> Reply:
    """Write what became of each item, with its balance after it and what the request said."""
    data = tuple(
        _repaid(item, outcome, integration.options)
        for item, outcome in zip(items, outcomes, strict=True)
    )
    return Reply(200, wire.encode(wire.RepaidBatch(OK, data)))


def _repaid(item: Command | Rejected, outcome: Outcome, options: Options) -> wire.Repaid:
    balance = wire.told(outcome.balance) if outcome.balance is not None else None
    status = _repaid_code(outcome, options)
    if isinstance(item, Rejected):
        return wire.Repaid(status=status, transaction_id=item.key)
    return wire.Repaid(
        status=status,
        transaction_id=item.target,
        session_id=item.session or item.reference,
        round_id=item.round,
        player_id=item.player,
        currency=item.currency,
        balance=balance,
    )


def _repaid_code(outcome: Outcome, options: Options) -> str:
    """OK also where the bet was paid before by another payout: nothing is owed any more."""
    if isinstance(outcome, Applied | Replayed) or outcome.why is Rejection.TARGET_SETTLED:
        return OK
    return code_of(outcome, options)
