"""The figures of `/metrics`: what they say, and that each is explained in the documents."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

import seamline
from seamline.edge.metrics import BOUNDS, CallFigures, GatewayCollector, renderer
from seamline.ledger.lane import Flow

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"


class Rig:
    """Figures to be set, and what a scrape makes of them."""

    def __init__(self):
        self.bet, self.win = CallFigures("d", "swipe", "bet"), CallFigures("d", "swipe", "win")
        self.ledger = SimpleNamespace(waiting=0, flow=Flow())
        self.exchanges = SimpleNamespace(kept=0, dropped=0)
        self.drift = {}
        self.render = renderer(
            GatewayCollector([self.bet, self.win], self.ledger, self.exchanges, lambda: self.drift)
        )

    def families(self):
        """The metrics of a scrape, parsed."""
        return {each.name: each for each in text_string_to_metric_families(self.render().decode())}

    def samples(self, name):
        """The samples of that name, by the values of their labels."""
        return {
            tuple(sample.labels.values()): sample.value
            for family in self.families().values()
            for sample in family.samples
            if sample.name == name
        }


@pytest.fixture
def rig():
    """Figures of a gateway with two calls."""
    return Rig()


def test_a_gateway_that_did_nothing_can_be_scraped(rig):
    """Before the first call the text is whole, and no call has a sample."""
    assert rig.samples("seamline_calls_total") == {}
    assert rig.samples("seamline_call_seconds_count") == {}
    assert rig.samples("seamline_ledger_queue") == {(): 0}
    assert rig.samples("seamline_ledger_drift") == {}


def test_calls_are_counted_by_outcome(rig):
    """Applied, replayed and each reason of a refusal are counted apart, for each call."""
    for outcome in ("applied", "applied", "replayed", "funds"):
        rig.bet.note(outcome, 0.001)
    rig.win.note("applied", 0.001)
    assert rig.samples("seamline_calls_total") == {
        ("bet", "d", "swipe", "applied"): 2,
        ("bet", "d", "swipe", "replayed"): 1,
        ("bet", "d", "swipe", "funds"): 1,
        ("win", "d", "swipe", "applied"): 1,
    }


def test_durations_lie_in_buckets(rig):
    """A bucket counts the calls of at most its bound; the last one counts them all."""
    for seconds in (0.0005, 0.001, 0.0011, 0.3, 7.0):
        rig.bet.note("applied", seconds)
    buckets = {key[-1]: count for key, count in rig.samples("seamline_call_seconds_bucket").items()}
    assert list(buckets) == [*map(str, BOUNDS), "+Inf"]
    assert [buckets[bound] for bound in ("0.001", "0.002", "0.2", "0.5", "5.0", "+Inf")] == [
        2, 3, 3, 4, 4, 5,
    ]  # fmt: skip
    key = ("bet", "d", "swipe")
    assert rig.samples("seamline_call_seconds_count") == {key: 5}
    assert rig.samples("seamline_call_seconds_sum")[key] == pytest.approx(7.3026)


def test_labels_tell_which_call(rig):
    """Each sample of a call names dialect, integration, call, and nothing about a player."""
    rig.bet.note("applied", 0.001)
    (count,) = rig.families()["seamline_calls"].samples
    assert count.labels == {
        "dialect": "d", "integration": "swipe", "call": "bet", "outcome": "applied",
    }  # fmt: skip


def test_the_queue_is_told(rig):
    """The queue is how many commands wait just now."""
    rig.ledger.waiting = 7
    assert rig.samples("seamline_ledger_queue") == {(): 7}


def test_batches_are_told_by_size(rig):
    """Batches count by their commands; the sum is all commands."""
    flow = rig.ledger.flow
    for size in (1, 1, 2, 3, 4, 128):
        flow.batches, flow.commands = flow.batches + 1, flow.commands + size
        flow.sizes[(size - 1).bit_length()] += 1
    buckets = rig.samples("seamline_ledger_batch_commands_bucket")
    found = {bound: count for (bound,), count in buckets.items()}
    assert [found[bound] for bound in ("1.0", "2.0", "4.0", "64.0", "128.0", "+Inf")] == [
        2, 3, 5, 5, 6, 6,
    ]  # fmt: skip
    assert rig.samples("seamline_ledger_batch_commands_count") == {(): 6}
    assert rig.samples("seamline_ledger_batch_commands_sum") == {(): 139}


def test_what_the_ledger_could_not_take_is_told(rig):
    """A full queue, a store that is away and faults are counted apart."""
    flow = rig.ledger.flow
    flow.busy, flow.unavailable, flow.overdue, flow.faults = 1, 2, 4, 3
    assert rig.samples("seamline_ledger_refused_total") == {
        ("busy",): 1, ("unavailable",): 2, ("overdue",): 4, ("faults",): 3,
    }  # fmt: skip


def test_drift_is_told_by_currency(rig):
    """Every currency that was compared has its drift, a zero too."""
    rig.drift = {"USD": 0, "EUR": -5}
    assert rig.samples("seamline_ledger_drift") == {("USD",): 0, ("EUR",): -5}


def test_exchanges_are_told_by_fate(rig):
    """Kept and dropped exchanges are counted apart."""
    rig.exchanges.kept, rig.exchanges.dropped = 10, 2
    assert rig.samples("seamline_exchanges_total") == {("kept",): 10, ("dropped",): 2}


def test_the_version_is_told(rig):
    """The version is a label of a constant."""
    assert rig.samples("seamline_build") == {(seamline.__version__,): 1}


def test_the_process_is_told(rig):
    """Memory, processor time and open files of the process are there too."""
    names = set(rig.families())
    assert {"process_resident_memory_bytes", "process_cpu_seconds", "process_open_fds"} <= names


def test_a_scrape_changes_nothing(rig):
    """Two scrapes of the same figures say the same."""
    rig.bet.note("applied", 0.001)
    lines = [[line for line in rig.render().splitlines() if b"seamline" in line] for _ in range(2)]
    assert lines[0] == lines[1]


def shown(rig):
    """The names on a page of `/metrics`: those of counters end with `_total`."""
    return {
        f"{each.name}_total" if each.type == "counter" else each.name
        for each in rig.families().values()
    }


def test_every_metric_is_documented(rig):
    """The document lists the metrics that there are, all of them, and no others."""
    rows = re.findall(
        r"^\| `(\w+)` \| (?:counter|gauge|histogram) \|", DOCUMENT.read_text(), re.MULTILINE
    )
    assert len(rows) == len(set(rows))
    assert set(rows) == shown(rig)


def test_every_label_is_documented(rig):
    """The row of a metric names each of its labels."""
    rig.bet.note("applied", 0.001)
    rig.drift = {"USD": 0}
    text = DOCUMENT.read_text()
    for family in rig.families().values():
        if not family.name.startswith("seamline"):
            continue
        (row,) = re.findall(rf"^\| `{family.name}(?:_total)?` \|.*$", text, re.MULTILINE)
        labels = {label for each in family.samples for label in each.labels} - {"le"}
        assert labels <= set(re.findall(r"`(\w+)`", row.split("|")[3])), family.name
