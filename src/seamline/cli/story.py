"""A short play in any dialect: which calls, as which requests, and how it went, line by line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from random import SystemRandom

import msgspec

from seamline.cli.ids import Ids
from seamline.dialects.dialect import Call, Judgement, Reply, Request
from seamline.dialects.examples import Voice, bare
from seamline.edge.gateway import Connection
from seamline.ledger.ledger import clock_ms
from seamline.money import Quantity
from seamline.wallet import Command, Integration, Kind

#: Ids that nobody has sent: a demo that is kept goes on in the same books.
_IDS = Ids(SystemRandom())


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
    voice = _voice(cast)
    lost, won = voice.say(Kind.BET, "1.50"), voice.say(Kind.BET, "2.00")
    of_lost, of_won = (bet[1] if bet is not None else None for bet in (lost, won))
    refund = voice.say(Kind.REFUND, "1.50", of=of_lost)
    win = voice.say(Kind.WIN, "5.00", of=of_won) or voice.say(Kind.REWARD, "5.00")
    script: Sequence[tuple[str, tuple[str, Command] | None, bool]] = (
        ("balance", voice.say(Kind.BALANCE), False),
        (f"bet     1.50  {_short(lost)}", lost, False),
        (f"bet     1.50  {_short(lost)}", lost, True),
        (f"refund  of    {_short(lost)}", refund, False),
        (f"refund  of    {_short(lost)}", refund, True),
        (f"bet     2.00  {_short(won)}", won, False),
        (f"win     5.00  {_short(won)}", win, False),
    )
    at_ms = clock_ms()
    return [_step(cast, title, *said, again, at_ms) for title, said, again in script if said]


def grows_stale(cast: Cast) -> bool:
    """Whether the vendor signs the time of a request, so that an old one is refused."""
    said = _voice(cast).say(Kind.BET, "1.00")
    if said is None:
        return False
    now, later = (_step(cast, "", *said, again=False, at_ms=at_ms) for at_ms in (0, 60_000))
    return now.request.headers != later.request.headers or now.request.body != later.request.body


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


def _voice(cast: Cast) -> Voice:
    """The vendor, who says something new each time."""
    return Voice(
        dialect=cast.connection.dialect,
        integration=cast.connection.integration.name,
        like=_IDS.like,
        player=cast.player,
        session=cast.session,
        currency=cast.currency,
        game=cast.game,
    )


def _short(said: tuple[str, Command] | None) -> str:
    """The beginning of a command's id."""
    return bare((said[1].key if said is not None else None) or "")[:8]


def _step(
    cast: Cast, title: str, call_name: str, command: Command, again: bool, at_ms: int
) -> Step:
    """The step as the dialect says it."""
    integration = cast.connection.integration
    call = next(each for each in cast.connection.dialect.calls if each.name == call_name)
    request = call.compose((command,), integration, at_ms)
    return Step(title=title, request=request, judge=_judging(call, integration), again=again)


def _judging(
    call: Call[msgspec.Struct], integration: Integration[msgspec.Struct]
) -> Callable[[Reply], Judgement]:
    return lambda reply: call.judge(reply, integration)
