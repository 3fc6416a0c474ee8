"""The metrics of one process."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any, Final, TypeVar, cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from app.telemetry.table import METRICS, PREFIX, Metric

_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The API server's own admission buckets, and finer ones below."""

_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)


class Metrics:
    """The metrics of one process; several may live side by side in tests."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._labelled: dict[tuple[object, ...], Any] = {}
        for row in METRICS:
            self._add(row)
            if row.kind == "counter" and row.values:
                for values in product(*row.values):
                    self._counters[row.name].labels(*values)

    def _add(self, row: Metric) -> None:
        name = PREFIX + row.name
        match row.kind:
            case "counter":
                self._counters[row.name] = Counter(
                    name, row.help, row.labels, registry=self._registry
                )
            case "gauge":
                self._gauges[row.name] = Gauge(
                    name, row.help, row.labels, registry=self._registry
                )
            case "histogram":
                self._histograms[row.name] = Histogram(
                    name,
                    row.help,
                    row.labels,
                    registry=self._registry,
                    buckets=_SECONDS,
                )

    def count(self, name: str, **labels: str) -> None:
        """Adds one to the counter `name`."""
        self._of(self._counters, name, labels).inc()

    def set(self, name: str, value: float, **labels: str) -> None:
        """Sets the gauge `name`."""
        self._of(self._gauges, name, labels).set(value)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Adds an observation to the histogram `name`."""
        self._of(self._histograms, name, labels).observe(seconds)

    def _of(
        self, metrics: Mapping[str, _Metric], name: str, labels: Mapping[str, str]
    ) -> _Metric:
        """The metric with its labels; label sets are few, so each is kept."""
        if not labels:
            return metrics[name]
        key = (name, *labels.items())
        known = self._labelled.get(key)
        if known is None:
            known = self._labelled[key] = metrics[name].labels(**labels)
        return cast("_Metric", known)

    def text(self) -> bytes:
        """What `/metrics` answers, in Prometheus' text format."""
        return generate_latest(self._registry)
