"""The chart as a package, and what it says of itself."""

from __future__ import annotations

import re
import subprocess
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import yaml

from tests.chart import rendering
from tests.chart.rendering import CHART, MONITORING, ROOT
from tests.tools.build import find

META: dict[str, Any] = yaml.safe_load((CHART / "Chart.yaml").read_text())
HUB = "artifacthub.io/"


def test_the_chart_has_the_versions_of_the_program() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    versions = (META["version"], META["appVersion"])
    assert (project["version"], project["version"]) == versions


def test_the_chart_says_what_artifact_hub_shows() -> None:
    said = {
        key.removeprefix(HUB): value
        for key, value in META["annotations"].items()
        if key.startswith(HUB)
    }
    assert {
        "license",
        "category",
        "images",
        "links",
        "changes",
        "containsSecurityUpdates",
        "operator",
        "prerelease",
    } == set(said)
    assert "Apache-2.0" == said["license"]
    [image] = yaml.safe_load(said["images"])
    [container] = rendering.pod(rendering.objects())["spec"]["containers"]
    assert container["image"] == image["image"]
    assert ["linux/amd64", "linux/arm64"] == image["platforms"]
    for one in yaml.safe_load(said["changes"]):
        assert one["kind"] in {
            "added",
            "changed",
            "deprecated",
            "removed",
            "fixed",
            "security",
        }
    for one in yaml.safe_load(said["links"]):
        assert one["url"].startswith("https://")


def test_a_package_holds_what_the_chart_needs_and_no_more(
    helm: str, tmp_path: Path
) -> None:
    command = [find(helm), "package", CHART, "--destination", tmp_path]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=60)
    [package] = tmp_path.glob("*.tgz")
    with tarfile.open(package) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    here = {str(path.relative_to(CHART)) for path in CHART.rglob("*") if path.is_file()}
    assert {name for name in here if name.startswith("ci/")} == here - names
    assert set() == names - here
    assert rendering.objects() == rendering.objects(chart=package)


def test_by_default_alerts_are_in_the_rule_as_they_stand_in_their_file(
    helm: str,
) -> None:
    """Their braces are Prometheus' own, and no template's."""
    text = (CHART / "files" / "alerts.yaml").read_text()
    rendered = rendering.objects(helm=helm, api_versions=(MONITORING,))
    rule = rendering.find_one("PrometheusRule", rendered)
    assert yaml.safe_load(text) == rule["spec"]
    assert re.search(r"{{ *\$", text)


def test_the_dashboard_is_in_its_object_as_it_stands_in_its_file(helm: str) -> None:
    file = CHART / "ci" / "monitoring-values.yaml"
    rendered = rendering.objects(file, helm=helm)
    one = rendering.find_one("ConfigMap", rendered, "imagecompat-dashboard")
    text = (CHART / "files" / "dashboard.json").read_text()
    assert text.rstrip("\n") == one["data"]["imagecompat.json"].rstrip("\n")
    assert "1" == one["metadata"]["labels"]["grafana_dashboard"]
    assert "Kubernetes" == one["metadata"]["annotations"]["grafana_folder"]
