"""Operations with money in them: reserved before the vendor is asked, settled after it answered.

What is reserved leaves the player first, durably. It comes back when the vendor certainly did
nothing, and is kept, with an alert for a person, when nobody knows. No reserve asks twice. While
the vendor is asked there is an alert too, so that a gateway that is killed leaves a trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from seamline.dialects.dialect import AnyExtra, Refused, VendorError
from seamline.edge.api import shapes, vendors
from seamline.edge.api.problems import Code, Problem, refusal
from seamline.edge.gateway import Connection, Gateway
from seamline.ledger.store import TransactionEntry, TransactionFilter
from seamline.wallet import (
    PASSING,
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
            key=beside(what, of.key or ""),
            session=of.session,
            player=of.player,
            currency=of.currency,
            **fields,  # type: ignore[arg-type]
        )


async def ask(deal: Deal) -> shapes.OperationAnswer:
    """The vendor's answer and what was moved; a problem says what became of the reserve."""
    # Composed once before any money moves: what the vendor would refuse reserves nothing.
    vendors.composed(deal.gateway, deal.target, deal.extra.operation, deal.wanted)
    reserve, settle = _money(deal, deal.extra.reserve), _money(deal, deal.extra.settle)
    about = reserve or settle
    if about is None:
        return await _asked(deal, None, None, None)
    mark = (about.integration, about.key or "")
    if mark in deal.gateway.asking:
        raise _repeated("asking", "the vendor is being asked just now")
    deal.gateway.asking.add(mark)
    try:
        return await _watched(deal, about, reserve, settle)
    finally:
        deal.gateway.asking.discard(mark)


async def _watched(
    deal: Deal, about: Command, reserve: Command | None, settle: Command | None
) -> shapes.OperationAnswer:
    """Ask with the money reserved; the alert about it is over as soon as anything is known."""
    note = f"{deal.extra.name} {about.key}: the vendor is being asked"
    if reserve is not None:
        noted = msgspec.structs.replace(reserve, note=reserve.note or note)
        held: Applied | None = await _reserved(deal, noted)
    else:
        noted, held = deal.beside(about, ASKING, kind=Kind.NOTICE, note=note), None
        await _not_paid(deal, about)
        outcome = await deal.apply(noted)
        if isinstance(outcome, Rejected):
            raise refusal(outcome)
    try:
        return await _asked(deal, reserve, held, settle)
    finally:
        terms, key = deal.target.terms, noted.key or ""
        await deal.gateway.ledger.run(
            lambda writer, now_ms: writer.close_alert(terms, key, Alert.NOTICE, now_ms)
        )


async def _not_paid(deal: Deal, settle: Command) -> None:
    """Whoever asks again for what was paid, or may have been, is told so and asks nobody."""
    wanted = TransactionFilter(integration=settle.integration, key=settle.key)
    paid = await deal.gateway.read(lambda reader: reader.transactions(wanted))
    if paid and not paid[0].rejection:
        detail = "the vendor did it before, and is not asked again"
        raise _repeated("done", detail, paid[0].transaction)
    if await _recorded(deal, settle, UNKNOWN) is not None:
        detail = "the vendor was asked before, and nobody knows whether it acted; nothing was paid"
        raise _repeated("unknown", detail)


def _money(deal: Deal, names: Callable[[Any, Any], Command | None] | None) -> Command | None:
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
    # Also where the gateway was stopped while the vendor was being asked: somebody has to look.
    await _tell(deal, reserve, UNKNOWN, "the vendor was asked, and its answer was not heard")
    detail = "the vendor was asked before, and nobody knows whether it acted; the money is kept"
    return _repeated("unknown", detail, before.transaction)


async def _recorded(deal: Deal, reserve: Command, what: str) -> TransactionEntry | None:
    """The transaction that tells of the reserve's fate, if that was it."""
    wanted = TransactionFilter(integration=reserve.integration, key=beside(what, reserve.key or ""))
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
    deal: Deal, reserve: Command | None, held: Applied | None, settle: Command | None
) -> shapes.OperationAnswer:
    """Ask the vendor, and do with the money what its answer says."""
    operation, about = deal.extra.operation, reserve or settle
    try:
        answer = await vendors.once(deal.gateway, deal.target, operation, deal.wanted)
    except vendors.FAILURES as error:
        if about is None:
            raise vendors.failed(deal.target, operation, error) from error
        raise await _undone(deal, about, held, error) from error
    except Exception as error:
        if about is not None:
            # Our reader failed on the vendor's answer: nobody knows what it said.
            await _tell(deal, about, UNKNOWN, f"its answer could not be read: {error!r}")
        raise
    if reserve is not None:
        await _remember(deal, reserve, answer)
    paid = await _settled(deal, settle) if settle is not None else None
    newest = paid or held
    return shapes.OperationAnswer(
        answer=answer,
        reserved=held.transaction if held is not None else None,
        settled=paid.transaction if paid is not None else None,
        balance=str(newest.balance) if newest is not None else None,
        currency=newest.balance.currency.code if newest is not None else None,
    )


async def _undone(deal: Deal, about: Command, held: Applied | None, error: Exception) -> Problem:
    """Give the money back to whom the vendor refused; keep it where nobody knows."""
    problem = vendors.failed(deal.target, deal.extra.operation, error)
    if not (isinstance(error, VendorError) and error.refused):
        await _tell(deal, about, UNKNOWN, str(error) or type(error).__name__)
        return _unknown(deal, held, error)
    if held is None:
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


async def _settled(deal: Deal, settle: Command) -> Applied | Replayed:
    """Pay what was agreed; the same id again pays nothing twice."""
    outcome = await deal.apply(settle)
    if not isinstance(outcome, Rejected):
        return outcome
    if outcome.why not in PASSING:
        await _tell(deal, settle, "unpaid", f"the vendor agreed, but {outcome.why.meaning}")
    raise refusal(outcome)
