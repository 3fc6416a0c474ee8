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
