"""Files of registries that values mount are where the settings look for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from app.settings.loading import Accepted, judge
from app.settings.sections import Settings
from tests.chart import rendering
from tests.chart.rendering import CHART, Object

FILE = CHART / "ci" / "registries-values.yaml"
HOST = "registry.corp.example:5000"


@pytest.fixture(scope="module")
def rendered() -> list[Object]:
    return rendering.objects(FILE)


@pytest.fixture(scope="module")
def settings(rendered: list[Object]) -> Settings:
    """What the webhook reads in its Pod."""
    text = rendering.settings(rendered)
    accepted = judge(text.encode(), "settings.yaml")
    assert isinstance(accepted, Accepted), accepted
    return accepted.settings


def paths(value: object) -> Iterator[Path]:
    """Every path in settings."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from paths(one)


def test_every_value_arrives_as_it_is_written(settings: Settings) -> None:
    given: dict[str, Any] = yaml.safe_load(FILE.read_text())["registry"]
    found = settings.registry.model_dump(mode="json", by_alias=True)
    for name, value in given.items():
        if name == "hosts":
            assert {**found[name][HOST], **value[HOST]} == found[name][HOST]
        elif name == "proxy":
            assert {**found[name], **value} == found[name]
        else:
            assert value == found[name], name


def test_every_file_is_mounted(rendered: list[Object], settings: Settings) -> None:
    pod = rendering.pod(rendered)["spec"]
    [container] = pod["containers"]
    mounts = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    assert {one["name"] for one in pod["volumes"]} >= set(mounts.values())
    named = list(paths(settings.registry.model_dump()))
    assert 10 == len(named)
    for path in named:
        where = PurePosixPath(path)
        inside = [one for one in mounts if where.is_relative_to(one)]
        assert inside, path
        volume = mounts[inside[0]]
        (found,) = (one for one in container["volumeMounts"] if one["name"] == volume)
        assert found["readOnly"], path


def test_the_proxy_and_the_registry_may_be_reached(rendered: list[Object]) -> None:
    policy = rendering.find_one("NetworkPolicy", rendered)["spec"]
    ports = {one["port"] for rule in policy["egress"] for one in rule["ports"]}
    assert {443, 3128, 5000} <= ports
