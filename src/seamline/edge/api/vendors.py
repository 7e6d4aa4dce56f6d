"""The vendors' own APIs, asked through each dialect's studio client: games, campaigns, jackpots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec
import structlog

from seamline.dialects.dialect import (
    Campaign,
    CampaignId,
    CampaignState,
    GamesFilter,
    Operation,
    Refused,
    Reply,
    Request,
    Studio,
    VendorError,
)
from seamline.edge.api import shapes
from seamline.edge.api.endpoint import Answer
from seamline.edge.api.problems import Code, Problem
from seamline.edge.gateway import Connection, Gateway
from seamline.ledger.store import NewGrant, StoreUnavailable, Writer

AskT = TypeVar("AskT")
AnswerT = TypeVar("AnswerT")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

_LOG = structlog.get_logger("seamline.api")

#: How many seconds pass before a repeatable operation is asked again.
PAUSES_S = (0.5, 2.0)

#: Statuses by which a vendor says that our key is wrong.
_KEY_AT_FAULT = frozenset({401, 403})

#: How an exchange with a vendor fails.
FAILURES = (VendorError, TimeoutError, ConnectionError)


async def games(gateway: Gateway, *, query: shapes.GamesQuery) -> Answer:
    """The vendor's catalogue, as it stands now."""
    target = connection(gateway, query.integration)
    wanted = GamesFilter(
        bet_lines=query.bet_lines,
        currency_groups=_split(query.currency_groups),
        currencies=_split(query.currencies),
    )
    operation = offered(target, "games", lambda studio: studio.games)
    found = await ask(gateway, target, operation, wanted)
    return Answer(body=shapes.Games(items=found))


async def create_campaign(gateway: Gateway, *, body: shapes.NewCampaign) -> Answer:
    """Free rounds, given by the vendor."""
    target = connection(gateway, body.integration)
    operation = offered(target, "campaigns", lambda studio: studio.create_campaign)
    if body.currency not in target.terms.currencies:
        detail = f"{body.currency!r} is not a currency of brand {target.terms.brand!r}"
        raise Problem(Code.CURRENCY_UNKNOWN, detail, field="currency")
    wanted = Campaign(
        id=body.id,
        currency=body.currency,
        quantity=body.quantity,
        bet_line=body.bet_line,
        stake=body.stake,
        feature=body.feature,
        reward=body.reward,
        valid_from_ms=_ms(body.valid_from),
        valid_until_ms=_ms(body.valid_until) if body.valid_until is not None else None,
        games=body.games,
        players=body.players,
    )
    state = await ask(gateway, target, operation, wanted)
    given = _given(wanted, state)
    try:
        await gateway.ledger.run(lambda writer, _: _note(writer, target, given))
    except StoreUnavailable as error:
        # Asked again, the vendor might give it again.
        ids = ", ".join(each.vendor_name or each.name for each in given)
        _LOG.error("campaign_not_noted", campaign=wanted.id, vendor_ids=ids, error=str(error))
        detail = f"the vendor gave it as {ids}, but the ledger could not note that: {error}"
        raise Problem(Code.OUTCOME_UNKNOWN, detail, outcome="done") from error
    return Answer(status=201, body=_campaign(body.integration, state))


def _given(wanted: Campaign, state: CampaignState) -> tuple[NewGrant, ...]:
    """What was given: the campaign, or each of its parts that the vendor did not refuse."""
    whole = NewGrant(
        name=wanted.id,
        vendor_name=state.vendor_id,
        currency=wanted.currency,
        reward=wanted.reward,
        from_ms=wanted.valid_from_ms,
        until_ms=wanted.valid_until_ms,
        players=wanted.players,
        games=wanted.games,
    )
    if not state.parts:
        return (whole,)
    return tuple(
        msgspec.structs.replace(
            whole, vendor_name=part.vendor_id, players=(part.player,), games=(part.game,)
        )
        for part in state.parts
        if part.vendor_id is not None
    )


def _note(writer: Writer, target: Connection, given: tuple[NewGrant, ...]) -> None:
    """Keep what was given: rewards and free rounds are held against it."""
    for each in given:
        writer.grant(target.terms, each)


async def show_campaign(gateway: Gateway, *, query: shapes.CampaignQuery) -> Answer:
    """A campaign as the vendor has it."""
    target = connection(gateway, query.integration)
    operation = offered(target, "campaigns", lambda studio: studio.read_campaign)
    state = await ask(gateway, target, operation, _which(query))
    return Answer(body=_campaign(query.integration, state))


async def cancel_campaign(gateway: Gateway, *, query: shapes.CampaignQuery) -> Answer:
    """End a campaign; what is being played goes on."""
    target = connection(gateway, query.integration)
    operation = offered(target, "campaigns", lambda studio: studio.cancel_campaign)
    which = _which(query)
    await ask(gateway, target, operation, which)
    name = which.id or which.vendor_id or ""
    await gateway.ledger.run(
        lambda writer, now_ms: writer.cancel_grants(target.terms, name, now_ms)
    )
    return Answer(status=204)


async def jackpots(gateway: Gateway, *, query: shapes.IntegrationQuery) -> Answer:
    """The vendor's jackpots, as they stand now."""
    target = connection(gateway, query.integration)
    operation = offered(target, "jackpots", lambda studio: studio.jackpots)
    found = await ask(gateway, target, operation, None)
    return Answer(body=shapes.Jackpots(items=found))


def connection(gateway: Gateway, integration: str) -> Connection:
    """The integration of that name."""
    found = gateway.connections.get(integration)
    if found is None:
        detail = f"no integration {integration!r} in the settings"
        raise Problem(Code.INTEGRATION_UNKNOWN, detail, field="integration")
    return found


def offered(
    target: Connection,
    what: str,
    choose: Callable[[Studio[msgspec.Struct]], Operation[AskT, AnswerT, msgspec.Struct] | None],
) -> Operation[AskT, AnswerT, msgspec.Struct]:
    """The vendor's call, or a problem that says that there is none."""
    studio = target.dialect.studio
    operation = choose(studio) if studio is not None else None
    if operation is None:
        raise not_offered(target, what)
    return operation


def not_offered(target: Connection, what: str, *, field: str = "integration") -> Problem:
    """The vendor's protocol lacks it."""
    title = target.dialect.title
    detail = f"{title}, as integration {target.integration.name!r} speaks it, has no {what}"
    return Problem(Code.NOT_OFFERED, detail, field=field)


async def ask(
    gateway: Gateway,
    target: Connection,
    operation: Operation[AskT, AnswerT, msgspec.Struct],
    wanted: AskT,
) -> AnswerT:
    """Ask the vendor; whatever goes wrong there becomes a problem in the vendor's words.

    What is repeatable is asked again, composed anew, when the vendor could not be heard or was in
    trouble.
    """
    try:
        return await exchanged(gateway, target, operation, wanted)
    except FAILURES as error:
        raise failed(target, operation, error) from error


async def exchanged(
    gateway: Gateway,
    target: Connection,
    operation: Operation[AskT, AnswerT, msgspec.Struct],
    wanted: AskT,
) -> AnswerT:
    """The vendor's answer, or one of `FAILURES`, or a problem for an ask that it would refuse."""
    for pause_s in PAUSES_S if operation.repeatable else ():
        reply = await _tried(gateway, target, operation, wanted)
        if reply is not None:
            return await read(target, operation, wanted, reply)
        await gateway.pause(pause_s)
    return await once(gateway, target, operation, wanted)


async def once(
    gateway: Gateway,
    target: Connection,
    operation: Operation[AskT, AnswerT, msgspec.Struct],
    wanted: AskT,
) -> AnswerT:
    """The same, asked one time."""
    request = composed(gateway, target, operation, wanted)
    reply = await gateway.send(base_url(target), request, operation.deadline_s)
    return await read(target, operation, wanted, reply)


async def _tried(
    gateway: Gateway,
    target: Connection,
    operation: Operation[AskT, AnswerT, msgspec.Struct],
    wanted: AskT,
) -> Reply | None:
    """The vendor's reply, or None when there was none that is worth reading."""
    request = composed(gateway, target, operation, wanted)
    try:
        reply = await gateway.send(base_url(target), request, operation.deadline_s)
    except (TimeoutError, ConnectionError):
        return None
    return reply if reply.status < 500 else None


def composed(
    gateway: Gateway,
    target: Connection,
    operation: Operation[AskT, AnswerT, msgspec.Struct],
    wanted: AskT,
) -> Request:
    """The signed request; a problem for an ask that the vendor would refuse."""
    try:
        return operation.compose(wanted, target.integration, gateway.clock_ms())
    except Refused as refused:
        raise would_refuse(target, refused) from refused


def would_refuse(target: Connection, refused: Refused) -> Problem:
    """The dialect knows that the vendor would refuse this."""
    rejected = refused.rejected
    said = rejected.detail or rejected.why.meaning
    detail = f"{target.dialect.title} would refuse this: {said}"
    # Where the dialect has milliseconds, the API has a time.
    field = rejected.field.removesuffix("_ms") if rejected.field is not None else None
    return Problem(Code.VENDOR_REFUSED, detail, field=field)


async def read(
    target: Connection,
    operation: Operation[AskT, AnswerT, msgspec.Struct],
    wanted: AskT,
    reply: Reply,
) -> AnswerT:
    """The vendor's answer, or `VendorError`."""
    # A catalogue can be megabytes: read beside the event loop, not on it.
    return await asyncio.to_thread(operation.read, reply, wanted, target.integration)


def failed(
    target: Connection,
    operation: Operation[AskT, AnswerT, msgspec.Struct],
    error: Exception,
) -> Problem:
    """What went wrong between the vendor and us, one of `FAILURES`."""
    title = target.dialect.title
    if isinstance(error, VendorError):
        if error.status in _KEY_AT_FAULT:
            # Every ask of this integration will fail until somebody looks at its keys.
            _LOG.error("vendor_refused_key", integration=target.integration.name, title=title)
        return _refused(error, title)
    if isinstance(error, TimeoutError):
        detail = f"{title} did not answer within {operation.deadline_s:g} s; it may have acted"
        return Problem(Code.VENDOR_TIMEOUT, detail)
    if isinstance(error, ConnectionRefusedError):
        return Problem(Code.VENDOR_UNREACHABLE, f"{title} could not be reached: {error}")
    detail = f"the connection to {title} broke; it may have acted: {error}"
    return Problem(Code.VENDOR_UNREACHABLE, detail)


def base_url(target: Connection) -> str:
    """Where the vendor's API lives."""
    studio = target.dialect.studio
    return studio.base_url(target.integration) if studio is not None else ""


def _refused(error: VendorError, title: str) -> Problem:
    """The vendor's refusal: 422 when the ask is at fault, else 502."""
    certain = "" if error.refused else "; it may have acted"
    return Problem(
        Code.VENDOR_REFUSED,
        f"{title}: {error.message}{certain}",
        status=422 if error.ask_at_fault else 502,
        vendor_status=error.status,
        vendor_code=error.code,
        vendor_message=error.message,
    )


def _which(query: shapes.CampaignQuery) -> CampaignId:
    """One of the two ids."""
    if (query.id is None) == (query.vendor_id is None):
        raise Problem(Code.MALFORMED, "expected either id or vendor_id", field="id")
    return CampaignId(id=query.id, vendor_id=query.vendor_id)


def _campaign(integration: str, state: CampaignState) -> shapes.CampaignAnswer:
    return shapes.CampaignAnswer(
        integration=integration,
        id=state.id,
        vendor_id=state.vendor_id,
        currency=state.currency,
        quantity=state.quantity,
        largest_stake=state.largest_stake,
        largest_multiple=state.largest_multiple,
        valid_from=_moment(state.valid_from_ms),
        valid_until=_moment(state.valid_until_ms),
        cancelled_at=_moment(state.cancelled_at_ms),
        games=state.games,
        parts=state.parts,
    )


def _split(codes: str | None) -> tuple[str, ...]:
    return tuple(codes.split(",")) if codes is not None else ()


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS


def _moment(ms: int | None) -> datetime | None:
    return _EPOCH + timedelta(milliseconds=ms) if ms is not None else None
