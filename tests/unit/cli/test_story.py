"""The demo's story can be told in every dialect, and says how it went."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from kit.saying import call_named, routed
from seamline.cli.assembly import connections
from seamline.cli.demo import CURRENCY, GAME, settings_in
from seamline.cli.story import Cast, Step, grows_stale, played, story
from seamline.dialects import dialects
from seamline.dialects.dialect import Judgement, Reply, Request
from seamline.money import Quantity
from seamline.wallet import Kind, Verdict

CONNECTED = connections(settings_in(Path("/nowhere")))


def cast_of(name):
    """A player at the sandbox integration of a dialect."""
    return Cast(connection=CONNECTED[name], player="p1", session="s1", currency=CURRENCY, game=GAME)


def test_the_demo_has_every_dialect():
    """Each dialect has one integration in the demo, under its own name."""
    assert CONNECTED.keys() == dialects().keys()
    assert all(name == each.dialect.name for name, each in CONNECTED.items())


@pytest.mark.parametrize("name", dialects())
def test_each_step_is_an_authentic_call(name):
    """A vendor's gateway believes each request of the story, and reads the command back."""
    connection = CONNECTED[name]
    kinds = []
    for step in story(cast_of(name)):
        connection.dialect.verify(step.request, connection.integration)
        call = call_named(name, routed(name, step.request))
        kinds.append(call.read(step.request, connection.integration)[0].kind)
    assert {Kind.BET, Kind.REFUND} <= set(kinds)
    assert {Kind.WIN, Kind.REWARD} & set(kinds)


@pytest.mark.parametrize("name", dialects())
def test_a_repeat_is_the_same_request(name):
    """What comes again is the same request byte for byte."""
    steps = story(cast_of(name))
    repeats = [(one, two) for one, two in pairwise(steps) if two.again]
    assert repeats
    assert all(one.request == two.request for one, two in repeats)


@pytest.mark.parametrize("name", dialects())
def test_no_two_stories_share_an_id(name):
    """A story that is told again moves money again: its ids are new."""
    one, two = story(cast_of(name)), story(cast_of(name))
    bets = {step.request for steps in (one, two) for step in steps if step.title.startswith("bet")}
    assert len(bets) == 4


def test_a_repeat_that_moved_money_is_not_called_harmless():
    """A line says that nothing moved only when a repeat left the balance as it was."""
    balances = iter(["98.50", "97.00", "97.00"])

    async def send(_):
        return Reply(200, next(balances).encode())

    def judge(reply):
        return Judgement(verdict=Verdict.DONE, balance=Quantity.parse(reply.body.decode()))

    request = Request("POST", "/bet")
    steps = [
        Step(title="bet", request=request, judge=judge, again=again)
        for again in (False, True, True)
    ]
    lines = asyncio.run(played(steps, send))
    assert ["nothing moved" in line for line in lines] == [False, False, True]
    assert lines[1].startswith("bet again ")


@pytest.mark.parametrize("name", dialects())
def test_it_is_told_whether_requests_grow_stale(name):
    """A vendor whose bets are other bytes a minute later signs the time, and no other one."""
    connection = CONNECTED[name]
    bet = next(step for step in story(cast_of(name)) if step.title.startswith("bet"))
    call = call_named(name, routed(name, bet.request))
    items = call.read(bet.request, connection.integration)
    again = call.compose(items, connection.integration, bet.request.at_ms + 60_000)
    same = (again.headers, again.body) == (bet.request.headers, bet.request.body)
    assert grows_stale(cast_of(name)) is not same


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_is_none_is_refused(said, port):
    """Before anything is set up, in one line."""
    code, _, err = said("demo", "--port", str(port))
    assert (code, err) == (2, f"seamline: --port: expected 0 to 65535, got {port}\n")
