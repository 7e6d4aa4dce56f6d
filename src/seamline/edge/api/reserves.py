"""Operations with money in them: reserved before the vendor is asked, settled after it answered.

What is reserved leaves the player first, durably. It comes back when the vendor certainly did
nothing, and is kept, with an alert for a person, when nobody knows. No reserve asks twice. While
the vendor is asked there is an alert too, so that a gateway that is killed leaves a trace.
"""

from __future__ import annotations

from typing import Any

import msgspec
import structlog

from seamline.dialects.dialect import AnyExtra, Refused, VendorError
from seamline.edge.api import shapes, vendors
from seamline.edge.api.problems import Code, Problem, refusal
from seamline.edge.gateway import Connection, Gateway
from seamline.ledger.store import TransactionEntry, TransactionFilter
from seamline.wallet import (
    Alert,
    Applied,
    Command,
    Kind,
    Outcome,
    Rejected,
    Rejection,
    Replayed,
)

_LOG = structlog.get_logger("seamline.api")

#: What stands before a reserve's key in the key of the transaction that tells what became of it.
DONE, RETURNED, UNKNOWN = "done", "returned", "unknown"

#: The ledger refused for a reason that passes: the same again is decided afresh.
_PASSING = frozenset(
    {Rejection.RATE, Rejection.BUSY, Rejection.UNAVAILABLE, Rejection.FAULT, Rejection.OVERDUE}
)


class Deal(msgspec.Struct, frozen=True):
    """One operation being asked: where, what, and with which ask."""

    gateway: Gateway
    target: Connection
    extra: AnyExtra[msgspec.Struct]
    wanted: msgspec.Struct

    async def apply(self, command: Command) -> Outcome:
        """The ledger's outcome."""
        return await self.gateway.ledger.apply(command)

    def beside(self, of: Command, what: str, **fields: str | Kind | None) -> Command:
        """A command about the same account, whose key is derived from that of another one."""
        return Command(
            integration=of.integration,
            key=f"{what}/{of.key}",
            session=of.session,
            player=of.player,
            currency=of.currency,
            **fields,  # type: ignore[arg-type]
        )


async def ask(deal: Deal) -> shapes.OperationAnswer:
    """The vendor's answer and what was moved; a problem says what became of the reserve."""
    # Composed once before any money moves: what the vendor would refuse reserves nothing.
    vendors.composed(deal.gateway, deal.target, deal.extra.operation, deal.wanted)
    reserve = _reserve(deal)
    if reserve is None:
        return await _asked(deal, None, None)
    mark = (reserve.integration, reserve.key or "")
    if mark in deal.gateway.asking:
        raise _repeated("asking", "the vendor is being asked just now")
    deal.gateway.asking.add(mark)
    try:
        return await _watched(deal, reserve)
    finally:
        deal.gateway.asking.discard(mark)


async def _watched(deal: Deal, reserve: Command) -> shapes.OperationAnswer:
    """Ask with the money reserved; the alert about it is over as soon as anything is known."""
    note = reserve.note or f"{deal.extra.name} {reserve.key}: the vendor is being asked"
    held = await _reserved(deal, msgspec.structs.replace(reserve, note=note))
    try:
        return await _asked(deal, reserve, held)
    finally:
        terms = deal.target.terms
        await deal.gateway.ledger.run(
            lambda writer, now_ms: writer.close_alert(
                terms, reserve.key or "", Alert.NOTICE, now_ms
            )
        )


def _reserve(deal: Deal) -> Command | None:
    """The command that takes the money first."""
    if deal.extra.reserve is None:
        return None
    try:
        return deal.extra.reserve(deal.wanted, deal.target.integration)
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
    # Also where the gateway was stopped while the vendor was being asked: somebody has to look.
    await _tell(deal, reserve, UNKNOWN, "the vendor was asked, and its answer was not heard")
    detail = "the vendor was asked before, and nobody knows whether it acted; the money is kept"
    return _repeated("unknown", detail, before.transaction)


async def _recorded(deal: Deal, reserve: Command, what: str) -> TransactionEntry | None:
    """The transaction that tells of the reserve's fate, if that was it."""
    wanted = TransactionFilter(integration=reserve.integration, key=f"{what}/{reserve.key}")
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


async def _asked(
    deal: Deal, reserve: Command | None, held: Applied | None
) -> shapes.OperationAnswer:
    """Ask the vendor, and do with the money what its answer says."""
    operation = deal.extra.operation
    try:
        answer = await vendors.once(deal.gateway, deal.target, operation, deal.wanted)
    except vendors.FAILURES as error:
        if reserve is None or held is None:
            raise vendors.failed(deal.target, operation, error) from error
        raise await _undone(deal, reserve, held, error) from error
    except Exception as error:
        if reserve is not None:
            # Our reader failed on the vendor's answer: nobody knows what it said.
            await _tell(deal, reserve, UNKNOWN, f"its answer could not be read: {error!r}")
        raise
    if reserve is not None:
        await _remember(deal, reserve, answer)
    paid = await _settled(deal, answer)
    newest = paid or held
    return shapes.OperationAnswer(
        answer=answer,
        reserved=held.transaction if held is not None else None,
        settled=paid.transaction if paid is not None else None,
        balance=str(newest.balance) if newest is not None else None,
        currency=newest.balance.currency.code if newest is not None else None,
    )


async def _undone(deal: Deal, reserve: Command, held: Applied, error: Exception) -> Problem:
    """Give the money back to whom the vendor refused; keep it where nobody knows."""
    problem = vendors.failed(deal.target, deal.extra.operation, error)
    if not (isinstance(error, VendorError) and error.refused):
        await _tell(deal, reserve, UNKNOWN, str(error) or type(error).__name__)
        return _unknown(deal, held, error)
    returned = await deal.apply(
        deal.beside(reserve, RETURNED, kind=Kind.REFUND, target=reserve.key)
    )
    if isinstance(returned, Rejected):
        problem = refusal(returned)
        await _tell(deal, reserve, "unreturned", f"the vendor refused: {error}")
    problem.tell(transaction=held.transaction)
    problem.tell(outcome="kept" if isinstance(returned, Rejected) else "returned")
    return problem


def _unknown(deal: Deal, held: Applied, error: Exception) -> Problem:
    """Nobody knows whether the vendor acted."""
    vendor = error if isinstance(error, VendorError) else None
    return Problem(
        Code.OUTCOME_UNKNOWN,
        f"{deal.target.dialect.title} may have acted, so the money stays reserved: {error}",
        status=504 if isinstance(error, TimeoutError) else 502,
        transaction=held.transaction,
        outcome="unknown",
        vendor_status=vendor.status if vendor is not None else None,
        vendor_code=vendor.code if vendor is not None else None,
        vendor_message=vendor.message if vendor is not None else None,
    )


async def _remember(deal: Deal, reserve: Command, answer: Any) -> None:
    """Note what the vendor answered: who did not hear it can ask again and be told."""
    told = msgspec.json.encode(answer).decode()
    outcome = await deal.apply(deal.beside(reserve, DONE, kind=Kind.NOTICE, reference=told))
    if isinstance(outcome, Rejected):
        why = outcome.why.name.lower()
        _LOG.error("operation_not_noted", key=reserve.key, why=why, answer=told)


async def _tell(deal: Deal, about: Command, what: str, why: str) -> None:
    """An alert for a person, about money that nobody else will look at."""
    note = f"{deal.extra.name} {about.key}: {why}"
    outcome = await deal.apply(deal.beside(about, what, kind=Kind.NOTICE, note=note))
    if isinstance(outcome, Rejected):
        _LOG.error("operation_not_noted", key=about.key, why=outcome.why.name.lower(), note=note)


async def _settled(deal: Deal, answer: Any) -> Applied | Replayed | None:
    """Pay what the answer calls for; the same id again pays nothing twice."""
    settle = deal.extra.settle
    command = settle(deal.wanted, answer, deal.target.integration) if settle is not None else None
    if command is None:
        return None
    outcome = await deal.apply(command)
    if not isinstance(outcome, Rejected):
        return outcome
    if outcome.why not in _PASSING:
        await _tell(deal, command, "unpaid", f"the vendor agreed, but {outcome.why.meaning}")
    raise refusal(outcome)
