"""The dashboard and the alerts name what exists."""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.telemetry import METRICS, PREFIX, Metrics
from tests.tools import alerts, promql

FILE = alerts.FILE.with_name("dashboard.json")
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
ROWS = (
    "Now",
    "Traffic and decisions",
    "Latency",
    "Fail-open",
    "Causes",
    "Registries",
    "Caches",
    "Nodes",
    "Certificates",
    "Settings",
    "Process",
)


def shown() -> list[dict[str, Any]]:
    """The panels that show something."""
    return [panel for panel in PANELS if panel["type"] != "row"]


def queries() -> Iterator[tuple[str, str]]:
    """Panel and expression, with Grafana's variables filled in."""
    for panel in shown():
        for target in panel["targets"]:
            expr = target["expr"].replace("$namespace", ".*")
            expr = expr.replace("$__rate_interval", "5m").replace("$__range", "6h")
            yield panel["title"], expr


def expressions() -> Iterator[Any]:
    """Every expression of ours."""
    for number, (title, expr) in enumerate(queries()):
        yield pytest.param(expr, id=f"panel {number} {title}")
    for alert in alerts.rules():
        yield pytest.param(alerts.expr(alert), id=alert)


@pytest.mark.parametrize("expr", list(expressions()))
def test_an_expression_names_only_metrics_and_labels_that_exist(expr: str) -> None:
    assert [] == promql.faults(expr)
    assert list(promql.selectors(expr))


@pytest.mark.parametrize(
    ("expr", "fault"),
    [
        ("rate(imagecompat_reviews_total[5m])", "no metric imagecompat_reviews_total"),
        (
            "imagecompat_admission_duration_seconds",
            "no metric imagecompat_admission_duration_seconds",
        ),
        ('imagecompat_ready{mode="x"}', "imagecompat_ready has no label mode"),
        (
            'imagecompat_admission_causes_total{code="IC999"}',
            "imagecompat_admission_causes_total: code is never IC999",
        ),
        ("sum by (le) (imagecompat_ready)", "no label le"),
    ],
)
def test_what_does_not_exist_is_found(expr: str, fault: str) -> None:
    assert [fault] == promql.faults(expr)


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    named = {one.name for _, expr in queries() for one in promql.selectors(expr)}
    rows = {id(row) for name in named if (row := promql.known().get(name))}
    assert [] == [PREFIX + row.name for row in METRICS if id(row) not in rows]


def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"test:query{number}", "expr": expr}
        for number, (_, expr) in enumerate(queries())
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "test", "rules": rules}]}))
    done = alerts.promtool("check", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_finds_no_fault_with_what_we_print() -> None:
    metrics = Metrics()
    for row in METRICS:
        labels = dict.fromkeys(row.labels, "x")
        match row.kind:
            case "counter":
                metrics.count(row.name, **labels)
            case "gauge":
                metrics.set(row.name, 1, **labels)
            case "histogram":
                metrics.observe(row.name, 0.1, **labels)
    done = alerts.promtool("check", "metrics", stdin=metrics.text().decode())
    assert (0, "") == (done.returncode, done.stdout + done.stderr)


def test_rows_are_those_that_people_look_for_in_this_order() -> None:
    assert ROWS == tuple(one["title"] for one in PANELS if one["type"] == "row")


def test_both_types_of_calls_are_timed() -> None:
    """The API server calls one kind of webhook `validating`, the other `admit`."""
    text = " ".join(expr for _, expr in queries())
    duration = "webhook_admission_duration_seconds_bucket"
    found = set(re.findall(rf'{duration}{{[^}}]*type="(\w+)"', text))
    assert {"validating", "admit"} == found


def test_the_data_source_is_a_variable() -> None:
    names = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert ("datasource", "prometheus") == (
        names["datasource"]["type"],
        names["datasource"]["query"],
    )
    used = [one["datasource"] for one in (*shown(), names["namespace"])]
    used += [target["datasource"] for panel in shown() for target in panel["targets"]]
    assert all(one == SOURCE for one in used)
    assert names.keys() == {"datasource", "namespace"}


def test_panels_have_numbers_of_their_own_and_say_what_they_show() -> None:
    assert len(PANELS) == len({panel["id"] for panel in PANELS})
    for panel in shown():
        assert panel["title"]
        assert panel["description"].endswith((".", "..."))
        references = [target["refId"] for target in panel["targets"]]
        assert sorted(set(references)) == references


def test_no_panel_lies_on_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in PANELS:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        columns = range(at["x"], at["x"] + at["w"])
        for cell in itertools.product(columns, range(at["y"], at["y"] + at["h"])):
            assert cell not in taken, f"{panel['title']} lies on {taken.get(cell)}"
            taken[cell] = panel["title"]


def test_grafana_knows_the_shape() -> None:
    assert DASHBOARD["schemaVersion"] >= 39
    assert {"id", "__inputs"}.isdisjoint(DASHBOARD), "made for provisioning"
    assert DASHBOARD["uid"] == "imagecompat"
    kinds = {"row", "stat", "timeseries", "bargauge"}
    assert kinds == {panel["type"] for panel in PANELS}
