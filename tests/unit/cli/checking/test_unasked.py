"""What the chart's webhooks are not asked about."""

from typing import Any

import pytest

from app.cli.checking import unasked
from app.cli.checking.manifests import LIVE, Manifest
from app.scheduling.kinds import KINDS, POD, Kind

MIRROR = {"kubernetes.io/config.mirror": "x"}


def of(
    kind: Kind = POD, place: str = LIVE, metadata: object = None, own: str = "nfd-hook"
) -> str:
    obj: dict[str, Any] = {"metadata": metadata}
    return unasked.why(Manifest(kind, "ml", "p", place, obj), "ml", own)


@pytest.mark.parametrize("namespace", [*unasked.NAMESPACES, "nfd-hook"])
def test_namespaces_that_the_chart_leaves_out(namespace: str) -> None:
    one = Manifest(POD, namespace, "p", "x.yaml:1", {})
    expected = f"the webhook is not asked about namespace {namespace}"
    assert expected == unasked.why(one, namespace, "nfd-hook")
    assert not unasked.why(one, "other", "nfd-hook")


def test_without_settings_the_namespace_is_that_of_the_documentation() -> None:
    one = Manifest(POD, "", "p", "x.yaml:1", {})
    assert unasked.why(one, "imagecompat").endswith("namespace imagecompat")


def test_a_mirror_of_a_static_pod_is_left_alone() -> None:
    text = "Pod ml/p mirrors a static Pod: the webhook leaves it alone"
    assert text == of(metadata={"annotations": MIRROR})


@pytest.mark.parametrize(
    ("kind", "place", "metadata"),
    [
        pytest.param(POD, "x.yaml:1", {"annotations": MIRROR}, id="anybody may write"),
        pytest.param(KINDS["Job"], LIVE, {"annotations": MIRROR}, id="no Pod"),
        pytest.param(POD, LIVE, {"annotations": {}}, id="another Pod"),
        pytest.param(POD, LIVE, {"annotations": 3}, id="a wrong type"),
        pytest.param(POD, LIVE, None, id="nothing"),
    ],
)
def test_all_else_is_no_mirror(kind: Kind, place: str, metadata: object) -> None:
    assert not of(kind, place, metadata)
