"""Figures for `/metrics`. Counting is a list and a dictionary; rendering happens when scraped."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from seamline import __version__
from seamline.edge.exchanges import Exchanges
from seamline.ledger.ledger import Ledger

#: Upper bounds in seconds; vendors give up after 5.
BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class CallFigures:
    """Rate, refusals and duration of one call of one integration."""

    __slots__ = ("buckets", "labels", "outcomes", "seconds")

    def __init__(self, *labels: str) -> None:
        self.labels = labels
        self.outcomes: dict[str, int] = {}
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def note(self, outcome: str, seconds: float) -> None:
        """Count one call."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class GatewayCollector(Collector):
    """Renders the figures of a gateway when it is scraped."""

    def __init__(
        self,
        calls: Sequence[CallFigures],
        ledger: Ledger,
        exchanges: Exchanges,
        drift: Callable[[], Mapping[str, int]],
    ) -> None:
        self._calls = calls
        self._ledger = ledger
        self._exchanges = exchanges
        self._drift = drift

    def collect(self) -> Iterable[Metric]:
        """All metrics, in a fixed order."""
        yield from self._call_metrics()
        yield from self._ledger_metrics()
        noted = CounterMetricFamily("seamline_exchanges", "Exchanges noted.", labels=["fate"])
        noted.add_metric(["kept"], self._exchanges.kept)
        noted.add_metric(["dropped"], self._exchanges.dropped)
        yield noted
        build = GaugeMetricFamily("seamline_build", "The running version.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build

    def _call_metrics(self) -> Iterable[Metric]:
        names = ["dialect", "integration", "call"]
        calls = CounterMetricFamily(
            "seamline_calls", "Callbacks answered, by outcome.", labels=[*names, "outcome"]
        )
        seconds = HistogramMetricFamily(
            "seamline_call_seconds", "From the head of the request to its reply.", labels=names
        )
        for call in self._calls:
            for outcome, count in call.outcomes.items():
                calls.add_metric([*call.labels, outcome], count)
            if call.outcomes:
                bounds = [*map(str, BOUNDS), "+Inf"]
                buckets = list(zip(bounds, accumulate(call.buckets), strict=True))
                seconds.add_metric(call.labels, buckets, call.seconds)
        yield calls
        yield seconds

    def _ledger_metrics(self) -> Iterable[Metric]:
        flow = self._ledger.flow
        yield GaugeMetricFamily(
            "seamline_ledger_queue", "Commands waiting.", value=self._ledger.waiting
        )
        sizes = HistogramMetricFamily("seamline_ledger_batch_commands", "Commands per commit.")
        bounds = [*(str(float(2**n)) for n in range(len(flow.sizes) - 1)), "+Inf"]
        sizes.add_metric([], list(zip(bounds, accumulate(flow.sizes), strict=True)), flow.commands)
        yield sizes
        refused = CounterMetricFamily(
            "seamline_ledger_refused", "Commands the ledger could not take.", labels=["why"]
        )
        for why in ("busy", "unavailable", "overdue", "faults"):
            refused.add_metric([why], getattr(flow, why))
        yield refused
        drift = GaugeMetricFamily(
            "seamline_ledger_drift",
            "Balances less movements, in ledger units; anything but 0 is an error.",
            labels=["currency"],
        )
        for currency, units in self._drift().items():
            drift.add_metric([currency], units)
        yield drift


def renderer(collector: Collector) -> Callable[[], bytes]:
    """Renders the collector's and the process's own figures as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return lambda: generate_latest(registry)
