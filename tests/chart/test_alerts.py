"""The alerts, judged by Prometheus' own `promtool`.

The cases in `alerts/` are those of `promtool test rules`, with three additions:

* `rule_files` and intervals are the same everywhere, so they are filled in here,
* of an alert's annotations, those that hold no value are filled in, too,
* each alert has a case in which it fires and one in which it does not.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart import rendering
from tests.tools.alerts import FILE as ALERTS
from tests.tools.alerts import expr, groups, promtool, rules

CASES = sorted(Path(__file__).with_name("alerts").glob("*.yaml"))
PREFIX = "https://imagecompat.dev/docs/runbooks/"
SEVERITIES = {"critical", "warning", "info"}


def cases(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text())["tests"]
    return found


def expectations() -> Iterator[tuple[str, bool]]:
    """An alert, and whether a case expects it to fire."""
    for path in CASES:
        for case in cases(path):
            for one in case["alert_rule_test"]:
                yield one["alertname"], bool(one.get("exp_alerts"))


def filled_in(case: dict[str, Any]) -> dict[str, Any]:
    """A case with what is the same in all."""
    for one in case["alert_rule_test"]:
        known = rules()[one["alertname"]]["annotations"]
        same = {key: text for key, text in known.items() if "{{" not in text}
        for alert in one.get("exp_alerts", ()):
            alert["exp_annotations"] = {**same, **alert.get("exp_annotations", {})}
    return {"interval": "1m", **case}


def test_promtool_finds_no_fault_with_the_rules() -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", ALERTS)
    assert (0, f"SUCCESS: {len(rules())} rules found") == (
        done.returncode,
        done.stdout.splitlines()[-2].strip(),
    ), done.stderr


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.stem))
def test_alerts_fire_when_they_should_and_only_then(path: Path, tmp_path: Path) -> None:
    content = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [filled_in(case) for case in cases(path)],
    }
    file = tmp_path / path.name
    file.write_text(yaml.safe_dump(content))
    done = promtool("test", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_case_that_expects_what_does_not_happen_fails(tmp_path: Path) -> None:
    """What passes above has been looked at."""
    wrong = {"alertname": "ImagecompatDown", "eval_time": "10m", "exp_alerts": []}
    content = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": [], "alert_rule_test": [wrong]}],
    }
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump(content))
    done = promtool("test", "rules", file)
    assert done.returncode == 1
    assert "ImagecompatDown" in done.stdout + done.stderr


TOKEN = re.compile(r'\| replace "([^"]+)"')
OTHER_VALUES = (
    "webhook.timeoutSeconds=15",
    "webhook.annotateTimeoutSeconds=5",
    "policy.staleAfterSeconds=90.5",
    "prometheusRule.runbookUrl=https://wiki.example/runbooks/",
)


def test_what_the_chart_replaces_in_the_alerts_is_there() -> None:
    """A text that is not found is left as it is, and nobody says so."""
    template = rendering.CHART / "templates" / "prometheusrule.yaml"
    lines = [line for line in ALERTS.read_text().splitlines() if line[:1] != "#"]
    found = {
        token: sum(token in line for line in lines)
        for token in TOKEN.findall(template.read_text())
    }
    assert {
        PREFIX: len(rules()),
        "2.5 # half of webhook.timeoutSeconds": 2,
        "1 # half of webhook.annotateTimeoutSeconds": 2,
        "120 # policy.staleAfterSeconds": 1,
        "5 s (validate)": 1,
        "2 s (mutate)": 1,
    } == found


def test_alerts_follow_the_values_that_they_depend_on(
    helm: str, tmp_path: Path
) -> None:
    rendered = rendering.objects(
        helm=helm, sets=OTHER_VALUES, api_versions=(rendering.MONITORING,)
    )
    spec = rendering.find_one("PrometheusRule", rendered)["spec"]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(spec))
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", file)
    assert 0 == done.returncode, done.stdout + done.stderr
    there = {rule["alert"]: rule for one in spec["groups"] for rule in one["rules"]}
    assert {f"https://wiki.example/runbooks/{name}.md" for name in rules()} == {
        rule["annotations"]["runbook_url"] for rule in there.values()
    }
    assert {
        "ImagecompatSlow": {"7.5 # half of webhook.timeoutSeconds"}
        | {"2.5 # half of webhook.annotateTimeoutSeconds"},
        "ImagecompatCallsSlow": {"7.5 # half of webhook.timeoutSeconds"}
        | {"2.5 # half of webhook.annotateTimeoutSeconds"},
        "ImagecompatWatchStale": {"90.5 # policy.staleAfterSeconds"},
    } == {
        name: bounds
        for name, rule in there.items()
        if (bounds := set(re.findall(r"> (\S+ # .*)", rule["expr"])))
    }
    said = there["ImagecompatSlow"]["annotations"]["description"]
    assert "gives up after 15 s (validate) or 5 s (mutate)." in said


@pytest.mark.parametrize("alert", rules())
def test_every_alert_was_seen_to_fire_and_to_be_silent(alert: str) -> None:
    assert {True, False} == {fires for name, fires in expectations() if name == alert}


def test_every_group_has_its_cases() -> None:
    names = [group["name"] for group in groups()]
    assert sorted(f"imagecompat.{path.stem}" for path in CASES) == sorted(names)


@pytest.mark.parametrize("alert", rules())
def test_an_alert_says_what_is_wrong_and_where_to_read_on(alert: str) -> None:
    rule = rules()[alert]
    assert re.fullmatch(r"Imagecompat[A-Z]\w+", alert)
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in SEVERITIES
    said = rule["annotations"]
    assert {"summary", "description", "runbook_url"} == said.keys()
    assert f"{PREFIX}{alert}.md" == said["runbook_url"]
    assert all(text.endswith(".") for text in (said["summary"], said["description"]))
    assert "{{" not in said["summary"], "one line for all that an alert is about"


@pytest.mark.parametrize("alert", rules())
def test_replicas_do_not_multiply_an_alert(alert: str) -> None:
    """Whatever is told apart is said: not by Pod, unless a Pod is what it is about."""
    by = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", expr(alert)))))
    per_pod = {"pod"} if alert == "ImagecompatMemoryHigh" else set()
    told = {"cluster", "namespace", "name", "type", "webhook", "certificate", "what"}
    assert by <= told | {"resource", "le"} | per_pod
    assert "cluster" in by
