"""What is told of the dialects is what their records and vectors say."""

import re
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from seamline.cli import features
from seamline.dialects import dialects
from seamline.dialects.dialect import Operation, Studio
from seamline.dialects.examples import Example
from seamline.wallet import Command, Kind, Policy

ROOT = Path(__file__).parents[3]
HOUR_MS = 3_600_000


class Options(msgspec.Struct):
    """Settings of nobody."""


def told(row, *, shown=(), calls=(), **parts):
    """What a row tells of a dialect with those parts."""
    parts = {
        "policy": lambda _: Policy(),
        "sandbox": Options,
        "session_ms": lambda _: HOUR_MS,
        "studio": None,
        "options": Options,
        **parts,
    }
    dialect = SimpleNamespace(calls=[SimpleNamespace(name=name) for name in calls], **parts)
    rows = {name: tell for table in features.TABLES.values() for name, tell in table.items()}
    return rows[row](features.Seen(dialect, shown))


def shown(call, *kinds, **fields):
    """A request of that call."""
    return Example(call, tuple(Command(kind=kind, integration="i", **fields) for kind in kinds))


def test_the_page_is_what_the_dialects_say():
    """The page docs/vendors.md is written anew whenever a dialect can do something else."""
    page = (ROOT / "docs" / "vendors.md").read_text(encoding="utf-8")
    assert page == features.markdown(dialects().values()), (
        "run: seamline dialect list --markdown > docs/vendors.md"
    )


def test_both_lists_name_every_dialect(said):
    """The list on the terminal, and the page, have every dialect with its document."""
    for arguments in ([], ["--markdown"]):
        code, out, _ = said("dialect", "list", *arguments)
        assert code == 0
        assert all(each.name in out and each.document in out for each in dialects().values())


def test_the_page_is_printed_as_it_is(said):
    """What `--markdown` prints is the page byte for byte, to be sent to a file."""
    assert said("dialect", "list", "--markdown")[1] == features.markdown(dialects().values())


def test_every_kind_of_a_vendor_has_a_row():
    """What a vendor can say is in the table; what cashier and ledger write themselves is not."""
    own = {Kind.DEPOSIT, Kind.WITHDRAWAL, Kind.TOMBSTONE, Kind.CLAIM}
    for kind in set(Kind) - own:
        every = [
            tell(
                features.Seen(
                    SimpleNamespace(calls=[SimpleNamespace(name="c")]), [shown("c", kind)]
                )
            )
            for name, tell in features.TABLES["Calls answered"].items()
            if name != "signature"
        ]
        assert every.count("c") == 1, kind


def test_every_operation_of_a_studio_has_a_row():
    """What operators can ask of vendors is in the table."""
    nothing = Operation(compose=lambda *_: None, read=lambda *_: None)
    filled = dict.fromkeys(Studio.__struct_fields__, nothing) | {
        "base_url": None,
        "extras": [SimpleNamespace(name="lobby")],
    }
    rows = {
        name: told(name, studio=Studio(**filled))
        for name in features.TABLES["The vendor's own API"]
    }
    assert rows == {
        "launch": "asked of the vendor",
        "games": "yes",
        "campaigns": "create, read, cancel",
        "jackpots": "yes",
        "only here": "lobby",
    }
    left_out = Studio.__struct_fields__[0], "launch", "open", "extras", "games", "jackpots"
    campaigns = {name for name in Studio.__struct_fields__ if name.endswith("_campaign")}
    assert set(Studio.__struct_fields__) == {*left_out, *campaigns}


def test_calls_are_in_the_order_of_the_record():
    """Several calls that say the same are all named, each once."""
    bets = [shown("late", Kind.BET), shown("early", Kind.BET), shown("late", Kind.BET)]
    assert told("bet", shown=bets, calls=("early", "late")) == "early, late"


def test_free_late_and_many_have_rows_of_their_own():
    """A free bet is no bet, a late win no win, and only several commands are a batch."""
    free = [shown("c", Kind.BET, free=True)]
    late = [shown("c", Kind.WIN, late=True)]
    assert (told("bet", shown=free, calls="c"), told("free rounds", shown=free, calls="c")) == (
        "",
        "c",
    )
    assert (told("win", shown=late, calls="c"), told("late win", shown=late, calls="c")) == (
        "",
        "c",
    )
    assert told("batches", shown=free, calls="c") == ""
    assert told("batches", shown=[shown("c", Kind.BET, Kind.BET)], calls="c") == "c"


@pytest.mark.parametrize(
    ("studio", "said"),
    [
        (None, ""),
        (Studio(base_url=None), ""),
        (Studio(base_url=None, open=lambda *_: None), "URL built here"),
    ],
)
def test_how_games_are_launched(studio, said):
    """A URL that is built here is told apart from one that is asked for."""
    assert told("launch", studio=studio) == said


@pytest.mark.parametrize(("span_ms", "said"), [(4 * HOUR_MS, "4 h"), (HOUR_MS // 2 * 3, "90 min")])
def test_how_long_a_session_lives(span_ms, said):
    """Whole hours are told as such, all else in minutes; and whether calls prolong it."""
    assert told("a session lives", session_ms=lambda _: span_ms) == said
    sliding = Policy(session_slides_ms=span_ms)
    assert told("a session lives", session_ms=lambda _: span_ms, policy=lambda _: sliding) == (
        f"{said}, from each call on"
    )


def test_rules_about_wins_need_wins():
    """Of a dialect without wins no rule about wins is told."""
    wins = [shown("c", Kind.WIN)]
    assert told("a second win for a bet", shown=wins, calls="c") == "paid"
    assert told("a second win for a bet") == ""


def test_a_cell_cannot_break_the_table():
    """A vertical bar in a text stays in its cell, and nothing is told by a dash."""
    assert features._row(("a|b", "")) == "| a\\|b | - |"


def test_what_is_logged_as_trouble_is_explained():
    """Every event of the log from a warning on stands in the pages for who runs a gateway."""
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md"))
    logged = re.compile(r'_LOG\.(?:warning|error|critical|exception)\(\s*"(\w+)"')
    sources = (ROOT / "src").rglob("*.py")
    events = {event for each in sources for event in logged.findall(each.read_text("utf-8"))}
    assert "batch_overdue" in events
    assert {event for event in events if f"`{event}`" not in pages} == set()
