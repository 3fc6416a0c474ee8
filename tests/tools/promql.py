"""Metrics in Prometheus expressions, compared with those that exist.

Not a parser: it takes apart what our alerts and the dashboard are made of, and
`promtool` judges their grammar.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.telemetry import METRICS, PREFIX, PROCESS, Metric

FOREIGN: Mapping[str, tuple[str, ...]] = {
    "apiserver_admission_webhook_fail_open_count": ("name", "type"),
    "apiserver_admission_webhook_rejection_count": (
        *("name", "type", "operation", "error_type", "rejection_code"),
    ),
    "apiserver_admission_webhook_request_total": (
        *("name", "type", "operation", "code", "rejected"),
    ),
    "apiserver_admission_webhook_admission_duration_seconds_bucket": (
        *("name", "type", "operation", "rejected", "le"),
    ),
    "apiserver_admission_match_condition_exclusions_total": (
        *("name", "kind", "type", "operation"),
    ),
    "container_memory_working_set_bytes": (),
    "container_spec_memory_limit_bytes": (),
    "kube_pod_container_status_restarts_total": (),
}
"""What others expose -> its labels: the API server (a test compares them with a real
one), the kubelet's cAdvisor and kube-state-metrics."""

TARGET = frozenset({"cluster", "namespace", "pod", "container", "job", "instance"})
"""Labels that scraping adds."""

_WORDS = frozenset(
    {
        *("absent", "changes", "histogram_quantile", "increase", "rate", "time"),
        *("avg", "count", "max", "min", "sum", "topk"),
        *("and", "or", "unless", "offset", "Inf"),
    }
)
"""What is no metric: functions, aggregations, operators."""
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\b(by|on|without|ignoring)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^]]*\]|\boffset\s+\w+|#.*")
"""What holds no metric: ranges, offsets, comments."""


@dataclass(frozen=True)
class Selector:
    """A metric, and what is asked of its labels: name, operator, value."""

    name: str
    matchers: tuple[tuple[str, str, str], ...] = ()


def selectors(expr: str) -> Iterator[Selector]:
    """The metrics of an expression."""
    text = _RANGE.sub(" ", _GROUPING.sub(" ", expr))
    for match in _SELECTOR.finditer(text):
        if match[1] not in _WORDS:
            found = tuple(_MATCHER.findall(match[2] or ""))
            yield Selector(match[1], found)


def grouped_by(expr: str) -> set[str]:
    """The labels that results are told apart by, or joined on."""
    lists = (labels for _, labels in _GROUPING.findall(expr))
    return {name for names in lists for name in re.findall(r"\w+", names)}


def known() -> dict[str, Metric | None]:
    """Every series that may be named -> its row; `None` for what is not ours."""
    found: dict[str, Metric | None] = {row.name: row for row in PROCESS}
    for row in METRICS:
        endings = ("_bucket", "_sum", "_count") if row.kind == "histogram" else ("",)
        found |= {PREFIX + row.name + ending: row for ending in endings}
    return found | dict.fromkeys(FOREIGN)


def labels(name: str) -> frozenset[str]:
    """The labels that a series may have, those of its target included."""
    row = known()[name]
    own = FOREIGN[name] if row is None else row.labels
    return frozenset(own) | TARGET | ({"le"} if name.endswith("_bucket") else set())


def faults(expr: str) -> list[str]:
    """What is named in an expression and does not exist."""
    found, told = [], set[str]()
    for one in selectors(expr):
        if one.name not in known():
            found.append(f"no metric {one.name}")
            continue
        told |= labels(one.name)
        for label, operator, value in one.matchers:
            if label not in labels(one.name):
                found.append(f"{one.name} has no label {label}")
            elif operator == "=" and value not in _values(one.name, label, value):
                found.append(f"{one.name}: {label} is never {value}")
    return found + [f"no label {label}" for label in sorted(grouped_by(expr) - told)]


def _values(name: str, label: str, otherwise: str) -> tuple[str, ...]:
    row = known()[name]
    if row is None or not row.values or label not in row.labels:
        return (otherwise,)
    return row.values[row.labels.index(label)]
