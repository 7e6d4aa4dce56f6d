"""Operations with money in them: reserved before the vendor is asked, settled after it answered.

What is reserved leaves the player first, durably. It comes back when the vendor certainly did
nothing, and is kept, with an alert for a person, when nobody knows. Before the vendor is asked a
mark is in the ledger, the reserve itself or a notice, and only who set it asks: no other gateway
does. While the vendor is asked there is an alert too, so that a gateway that is killed leaves a
trace.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import structlog

from seamline.dialects.dialect import AnyExtra, Refused, VendorError
from seamline.edge.api import shapes, vendors
from seamline.edge.api.problems import Code, Problem, refusal
from seamline.edge.gateway import Connection, Gateway
from seamline.ledger.store import StoreUnavailable, TransactionEntry, TransactionFilter
from seamline.wallet import (
    Alert,
    Applied,
    Command,
    Kind,
    Outcome,
    Rejected,
    Rejection,
    Replayed,
    beside,
)

_LOG = structlog.get_logger("seamline.api")

#: What stands before a reserve's key in the key of the transaction that tells what became of it.
ASKING, DONE, RETURNED, UNKNOWN = "asking", "done", "returned", "unknown"

#: How much longer than the vendor has for its answer an ask is taken to be under way.
SLACK_MS = 10_000


class Deal(msgspec.Struct, frozen=True):
    """One operation being asked: where, what, and with which ask."""

    gateway: Gateway
    target: Connection
    extra: AnyExtra[msgspec.Struct]
    wanted: msgspec.Struct
    #: What could not be written down about it.
    untold: list[str] = msgspec.field(default_factory=list)

    async def apply(self, command: Command) -> Outcome:
        """The ledger's outcome."""
        return await self.gateway.ledger.apply(command)

    def beside(self, of: Command, what: str, **fields: str | Kind | None) -> Command:
        """A command about the same account, whose key is derived from that of another one."""
        return Command(
            integration=of.integration,
            key=beside(what, of.key or ""),
            session=of.session,
            player=of.player,
            currency=of.currency,
            **fields,  # type: ignore[arg-type]
        )


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """The money in an operation: what takes it first, what pays in the end, and how far it is."""

    reserve: Command | None = None
    settle: Command | None = None
    #: By which every gateway sees that the vendor is asked.
    mark: Command | None = None
    held: Applied | None = None

    @property
    def about(self) -> Command | None:
        """The command that stands for the operation."""
        return self.reserve or self.settle


async def ask(deal: Deal) -> shapes.OperationAnswer:
    """The vendor's answer and what was moved; a problem says what became of the reserve."""
    # Composed once before any money moves: what the vendor would refuse reserves nothing.
    vendors.composed(deal.gateway, deal.target, deal.extra.operation, deal.wanted)
    money = Money(reserve=_named(deal, deal.extra.reserve), settle=_named(deal, deal.extra.settle))
    if money.about is None:
        return await _asked(deal, money)
    return await _watched(deal, await _marked(deal, money, money.about))


async def _watched(deal: Deal, money: Money) -> shapes.OperationAnswer:
    """Ask; the alert about it is over once something is known.

    It stays where the gateway is stopped before that, or fails: somebody has to look.
    """
    try:
        answer = await _asked(deal, money)
    except Problem:
        await _no_longer(deal, money.mark)
        raise
    await _no_longer(deal, money.mark)
    return answer


async def _no_longer(deal: Deal, mark: Command | None) -> None:
    """Close the alert that the vendor is being asked, unless nothing else tells of it.

    Who asked is not to hear if that fails.
    """
    if deal.untold:
        return
    terms, key = deal.target.terms, (mark and mark.key) or ""
    try:
        await deal.gateway.ledger.run(
            lambda writer, now_ms: writer.close_alert(terms, key, Alert.NOTICE, now_ms)
        )
    except StoreUnavailable as error:
        _LOG.warning("alert_left_open", key=key, error=str(error))


async def _marked(deal: Deal, money: Money, about: Command) -> Money:
    """The money with the mark set, and with it the reserve taken; whoever asks again is told."""
    note = f"{deal.extra.name} {about.key}: the vendor is being asked"
    if money.reserve is not None:
        mark = msgspec.structs.replace(about, note=about.note or note)
        return msgspec.structs.replace(money, mark=mark, held=await _reserved(deal, mark))
    for turn in count(1):
        what = ASKING if turn == 1 else f"{ASKING}/{turn}"
        mark = deal.beside(about, what, kind=Kind.NOTICE, note=note)
        outcome = await deal.apply(mark)
        if isinstance(outcome, Rejected):
            raise refusal(outcome)
        if isinstance(outcome, Applied):
            break
        # Only after a clear refusal the same may be asked again, by one.
        if await _recorded(deal, mark, RETURNED) is None:
            raise await _paid_or_not(deal, about, mark)
    return msgspec.structs.replace(money, mark=mark)


async def _paid_or_not(deal: Deal, settle: Command, mark: Command) -> Problem:
    """What became of a settlement whose vendor was asked before."""
    paid = await _found(deal, settle.key)
    if paid is not None and not paid.rejection:
        detail = "the vendor did it before, and is not asked again"
        return _repeated("done", detail, paid.transaction)
    return await _open(deal, settle, mark, None, "nothing was paid")


async def _open(
    deal: Deal, about: Command, mark: Command, transaction: str | None, money: str
) -> Problem:
    """No fate is known: the vendor is being asked just now, or nobody heard its answer."""
    if await _recorded(deal, about, UNKNOWN) is None:
        if await _is_under_way(deal, mark):
            return _repeated("asking", "the vendor is being asked just now", transaction)
        # The gateway was stopped while the vendor was being asked: somebody has to look.
        await _tell(deal, about, UNKNOWN, "the vendor was asked, and its answer was not heard")
        await _no_longer(deal, mark)
    detail = f"the vendor was asked before, and nobody knows whether it acted; {money}"
    return _repeated("unknown", detail, transaction)


async def _is_under_way(deal: Deal, mark: Command) -> bool:
    """Whether whoever set the mark, at whatever gateway, may still be waiting for the vendor."""
    found = await _found(deal, mark.key)
    span_ms = round(deal.extra.operation.deadline_s * 1000) + SLACK_MS
    return found is not None and deal.gateway.clock_ms() < found.at_ms + span_ms


def _named(deal: Deal, names: Callable[[Any, Any], Command | None] | None) -> Command | None:
    """The command that takes the money first, or pays it in the end."""
    if names is None:
        return None
    try:
        return names(deal.wanted, deal.target.integration)
    except Refused as refused:
        raise vendors.would_refuse(deal.target, refused) from refused


async def _reserved(deal: Deal, reserve: Command) -> Applied:
    """Take the money; whoever asks again is told what is known and asks nobody."""
    outcome = await deal.apply(reserve)
    if isinstance(outcome, Replayed):
        raise await _known(deal, reserve, outcome)
    if isinstance(outcome, Applied):
        return outcome
    if outcome.why is Rejection.REFUNDED_BEFORE:
        raise _repeated("returned", "the vendor refused, and the money was given back")
    raise refusal(outcome)


async def _known(deal: Deal, reserve: Command, before: Replayed) -> Problem:
    """What became of it when it was asked for the first time."""
    if await _recorded(deal, reserve, RETURNED) is not None:
        detail = "the vendor refused it before, and the money was given back"
        return _repeated("returned", detail, before.transaction)
    done = await _recorded(deal, reserve, DONE)
    if done is not None:
        detail = "the vendor did it before, and is not asked again"
        return _repeated("done", detail, before.transaction, done.reference)
    return await _open(deal, reserve, reserve, before.transaction, "the money is kept")


async def _recorded(deal: Deal, about: Command, what: str) -> TransactionEntry | None:
    """The transaction that tells of the fate of a command, if that was it."""
    return await _found(deal, beside(what, about.key or ""))


async def _found(deal: Deal, key: str | None) -> TransactionEntry | None:
    """The transaction of that key."""
    wanted = TransactionFilter(integration=deal.target.terms.integration, key=key)
    found = await deal.gateway.read(lambda reader: reader.transactions(wanted))
    return found[0] if found else None


def _repeated(
    outcome: str, detail: str, transaction: str | None = None, answer: str | None = None
) -> Problem:
    """It was asked for before."""
    return Problem(
        Code.OPERATION_REPEATED,
        detail,
        field="transaction_id",
        outcome=outcome,
        transaction=transaction,
        answer=answer,
    )


async def _asked(deal: Deal, money: Money) -> shapes.OperationAnswer:
    """Ask the vendor, and do with the money what its answer says."""
    operation, about, held = deal.extra.operation, money.about, money.held
    try:
        answer = await vendors.once(deal.gateway, deal.target, operation, deal.wanted)
    except vendors.FAILURES as error:
        if about is None:
            raise vendors.failed(deal.target, operation, error) from error
        raise await _undone(deal, money, about, error) from error
    except Exception as error:
        if about is not None:
            # Our reader failed on the vendor's answer: nobody knows what it said.
            await _tell(deal, about, UNKNOWN, f"its answer could not be read: {error!r}")
            await _no_longer(deal, money.mark)
        raise
    if money.reserve is not None:
        await _remember(deal, money.reserve, answer)
    paid = await _settled(deal, money.settle) if money.settle is not None else None
    newest = paid or held
    return shapes.OperationAnswer(
        answer=answer,
        reserved=held.transaction if held is not None else None,
        settled=paid.transaction if paid is not None else None,
        balance=str(newest.balance) if newest is not None else None,
        currency=newest.balance.currency.code if newest is not None else None,
    )


async def _undone(deal: Deal, money: Money, about: Command, error: Exception) -> Problem:
    """Give the money back to whom the vendor refused; keep it where nobody knows."""
    problem, held = vendors.failed(deal.target, deal.extra.operation, error), money.held
    if not (isinstance(error, VendorError) and error.refused):
        await _tell(deal, about, UNKNOWN, str(error) or type(error).__name__)
        return _unknown(deal, held, error)
    if held is None:
        await _note(deal, deal.beside(money.mark or about, RETURNED, kind=Kind.NOTICE))
        return problem
    returned = await deal.apply(deal.beside(about, RETURNED, kind=Kind.REFUND, target=about.key))
    if isinstance(returned, Rejected):
        problem = refusal(returned)
        await _tell(deal, about, "unreturned", f"the vendor refused: {error}")
    problem.tell(transaction=held.transaction)
    problem.tell(outcome="kept" if isinstance(returned, Rejected) else "returned")
    return problem


def _unknown(deal: Deal, held: Applied | None, error: Exception) -> Problem:
    """Nobody knows whether the vendor acted."""
    vendor = error if isinstance(error, VendorError) else None
    kept = "so the money stays reserved" if held is not None else "and nothing was paid"
    return Problem(
        Code.OUTCOME_UNKNOWN,
        f"{deal.target.dialect.title} may have acted, {kept}: {error}",
        status=504 if isinstance(error, TimeoutError) else 502,
        transaction=held.transaction if held is not None else None,
        outcome="unknown",
        vendor_status=vendor.status if vendor is not None else None,
        vendor_code=vendor.code if vendor is not None else None,
        vendor_message=vendor.message if vendor is not None else None,
    )


async def _remember(deal: Deal, reserve: Command, answer: Any) -> None:
    """Note what the vendor answered: who did not hear it can ask again and be told."""
    told = msgspec.json.encode(answer).decode()
    await _note(deal, deal.beside(reserve, DONE, kind=Kind.NOTICE, reference=told))


async def _tell(deal: Deal, about: Command, what: str, why: str) -> None:
    """An alert for a person, about money that nobody else will look at."""
    note = f"{deal.extra.name} {about.key}: {why}"
    await _note(deal, deal.beside(about, what, kind=Kind.NOTICE, note=note))


async def _note(deal: Deal, notice: Command) -> None:
    """Write it down; where that cannot be, what it says is in the log."""
    outcome = await deal.apply(notice)
    if isinstance(outcome, Rejected):
        why, said = outcome.why.name.lower(), notice.note or notice.reference
        _LOG.error("operation_not_noted", key=notice.key, why=why, said=said)
        deal.untold.append(notice.key or "")


async def _settled(deal: Deal, settle: Command) -> Applied | Replayed:
    """Pay what was agreed; the same id again pays nothing twice."""
    outcome = await deal.apply(settle)
    if not isinstance(outcome, Rejected):
        return outcome
    await _tell(deal, settle, "unpaid", f"the vendor agreed, but {outcome.why.meaning}")
    raise refusal(outcome)
