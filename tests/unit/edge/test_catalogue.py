"""Catalogues that calls are held against, kept up to date."""

import asyncio

import msgspec
import pytest

from seamline.dialects.dialect import Game, Operation, Prize, Reply, Request, Studio, VendorError
from seamline.edge import catalogue
from seamline.edge.catalogue import EVERY_S, KEPT_MS, Catalogues, wants
from seamline.edge.gateway import Connection
from unit.edge.api.operator_rig import Options, Rig, dialect

BOXES = (
    Game(id="58", title="Gold", price="50", prizes=(Prize(id="202", title="Mug", price="15.99"),)),
    Game(id="59", title="Silver"),
)


def read(reply, _ask, _integration):
    """The boxes, or a refusal."""
    if reply.status != 200:
        raise VendorError("no", status=reply.status)
    if reply.body:
        raise KeyError("a bug of a dialect")
    return BOXES


def connection(rig, *, wanted=True, studio=None):
    """The made-up vendor, whose calls look something up."""
    games = Operation(compose=lambda *_: Request("GET", "/boxes"), read=read)
    studio = studio or Studio(base_url=lambda _: "https://vendor.example", games=games)
    found = msgspec.structs.replace(dialect(studio), wants_catalogue=lambda _: wanted)
    plain = rig.world.gateway.connections["swipe"]
    integration = msgspec.structs.replace(plain.integration, options=Options(), name="boxes")
    return Connection(integration=integration, dialect=found, terms=plain.terms)


@pytest.fixture
def rig(tmp_path):
    """A gateway on a new store, and the loop that it lives in."""
    made = Rig(tmp_path)
    yield made
    made.close()


@pytest.fixture
def heard(rig):
    """Catalogues of one vendor that answers, and what its integration holds."""
    rig.vendor.reply = Reply(200)
    rig.world.one = connection(rig)
    made = msgspec.structs.replace(rig.world.gateway, connections={"boxes": rig.world.one})
    return Catalogues(made), rig.world.one.integration.catalogue


def test_what_the_vendor_offers_is_known(rig, heard):
    """Before the vendor was heard nothing is known; then prices of games and prizes are."""
    catalogues, kept = heard
    assert (kept.games, kept.prizes) == (None, None)
    rig.runner.run(catalogues.refresh())
    assert kept.games == {"58": "50", "59": None}
    assert kept.prizes == {"202": "15.99"}


def test_what_nobody_can_read_has_no_price(rig, heard, monkeypatch, capsys):
    """An odd game or prize is none that a call could be held against; somebody hears of it."""
    catalogues, kept = heard
    odd = Prize(id="203", title="", price="1", problem="prize 2: no name")
    prizes = (*BOXES[0].prizes, odd)
    games = (
        msgspec.structs.replace(BOXES[0], prizes=prizes),
        Game(id="7", title="", price="1", problem="box 2: no name"),
    )
    monkeypatch.setitem(read.__globals__, "BOXES", games)
    rig.runner.run(catalogues.refresh())
    assert (kept.games, kept.prizes) == ({"58": "50"}, {"202": "15.99"})
    log = capsys.readouterr().out
    assert log.count("catalogue_odd") == 2
    assert "box 2: no name" in log


@pytest.mark.parametrize("trouble", [Reply(500), TimeoutError(), ConnectionError()])
def test_the_last_copy_is_kept_for_a_day(rig, heard, trouble):
    """A vendor in trouble leaves the last copy standing, for a day and not longer."""
    catalogues, kept = heard
    rig.runner.run(catalogues.refresh())
    rig.vendor.reply = trouble
    rig.world.now_ms += KEPT_MS
    rig.runner.run(catalogues.refresh())
    assert kept.games == {"58": "50", "59": None}
    rig.world.now_ms += 1
    rig.runner.run(catalogues.refresh())
    assert (kept.games, kept.prizes) == (None, None)


def test_a_dialect_that_fails_stops_nobody(rig, heard, capsys):
    """A fault while reading is logged, and the next time is tried again."""
    catalogues, kept = heard
    rig.vendor.reply = Reply(200, b"x")
    rig.runner.run(catalogues.refresh())
    assert "a bug of a dialect" in capsys.readouterr().out
    rig.vendor.reply = Reply(200)
    rig.runner.run(catalogues.refresh())
    assert kept.games is not None


def test_it_asks_again_and_again_until_it_is_closed(rig, heard, monkeypatch):
    """Every five minutes the vendor is asked anew; after the close it is asked no more."""
    catalogues, kept = heard
    waits = []

    async def sleep(seconds):
        waits.append(seconds)
        await asyncio.Event().wait() if len(waits) == 3 else await real(0)

    real = asyncio.sleep
    monkeypatch.setattr(catalogue.asyncio, "sleep", sleep)

    async def run():
        catalogues.start()
        while len(waits) < 3:
            await real(0)
        await catalogues.close()

    rig.runner.run(run())
    assert waits == [EVERY_S] * 3 == [300.0] * 3
    assert len(rig.vendor.asked) == 3
    assert kept.games is not None


def test_who_looks_nothing_up_is_not_asked(rig):
    """Without a wish there is no catalogue, and nothing runs."""
    assert not wants(connection(rig, wanted=False))
    assert not wants(rig.world.gateway.connections["swipe"])
    assert wants(connection(rig))

    async def run():
        catalogues = Catalogues(rig.world.gateway)
        catalogues.start()
        await catalogues.close()

    rig.runner.run(run())
    assert rig.vendor.asked == []
