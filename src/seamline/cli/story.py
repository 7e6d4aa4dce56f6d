"""A short play in any dialect: which calls, as which requests, and how it went, line by line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

import msgspec

from seamline.dialects.dialect import Call, Judgement, Refused, Reply, Request
from seamline.edge.gateway import Connection
from seamline.ledger.ledger import clock_ms
from seamline.money import Quantity
from seamline.wallet import Command, Integration, Kind


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """Who plays what."""

    connection: Connection
    player: str
    session: str
    currency: str
    game: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One call: what it is for people, and the request, signed and ready to send."""

    title: str
    request: Request
    judge: Callable[[Reply], Judgement]
    again: bool = False


def story(cast: Cast) -> Sequence[Step]:
    """A bet sent twice, its refund sent twice, then a round that wins; new ids every time.

    A step that the vendor's protocol has no call for is left out.
    """
    lost, won = _ids(cast, "1.50"), _ids(cast, "2.00")
    refund = {**lost, "key": str(uuid4()), "target": lost["key"]}
    win = {**won, "key": str(uuid4()), "amount": Quantity.parse("5.00")}
    script: Sequence[tuple[str, Kind, dict[str, object], bool]] = (
        ("balance", Kind.BALANCE, {}, False),
        (f"bet     1.50  {_short(lost)}", Kind.BET, lost, False),
        (f"bet     1.50  {_short(lost)}", Kind.BET, lost, True),
        (f"refund  of    {_short(lost)}", Kind.REFUND, refund, False),
        (f"refund  of    {_short(lost)}", Kind.REFUND, refund, True),
        (f"bet     2.00  {_short(won)}", Kind.BET, won, False),
        (f"win     5.00  {_short(won)}", Kind.WIN, win, False),
    )
    steps = (_step(cast, title, kind, fields, again) for title, kind, fields, again in script)
    return [step for step in steps if step is not None]


async def played(steps: Sequence[Step], send: Callable[[Request], Awaitable[Reply]]) -> list[str]:
    """Send each step in turn; one line each, saying where a repeat moved nothing."""
    lines = []
    before: Quantity | None = None
    for step in steps:
        reply = await send(step.request)
        balance = step.judge(reply).balance
        same = balance is not None and before is not None and balance.same_value(before)
        title = f"{step.title} again" if step.again else step.title
        line = f"{title:<29} {reply.status} {reply.body.decode(errors='replace')}"
        lines.append(f"{line:<71}  nothing moved" if step.again and same else line)
        before = balance
    return lines


def _ids(cast: Cast, amount: str) -> dict[str, object]:
    """A new round with its stake."""
    ids = {"key": str(uuid4()), "round": str(uuid4()), "game": cast.game}
    return {**ids, "amount": Quantity.parse(amount)}


def _short(fields: dict[str, object]) -> str:
    return str(fields["key"])[:8]


def _step(
    cast: Cast, title: str, kind: Kind, fields: dict[str, object], again: bool
) -> Step | None:
    """The step in the first call of the dialect that can say it."""
    integration = cast.connection.integration
    whose = {"session": cast.session, "player": cast.player, "currency": cast.currency}
    said = {"kind": kind, "integration": integration.name, **whose, **fields}
    command = msgspec.structs.replace(Command(kind=kind, integration=integration.name), **said)
    for call in cast.connection.dialect.calls:
        try:
            request = call.compose((command,), integration, clock_ms())
        except Refused:
            continue
        return Step(title=title, request=request, judge=_judging(call, integration), again=again)
    return None


def _judging(
    call: Call[msgspec.Struct], integration: Integration[msgspec.Struct]
) -> Callable[[Reply], Judgement]:
    return lambda reply: call.judge(reply, integration)
