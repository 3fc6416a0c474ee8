"""`helm test`: an image that no node fits, and a Pod that asks for it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from app.compat import parse
from app.compat.features import Features
from app.compat.index import Index, Judgement
from app.demo import nodes
from app.oci.layouts import LayoutArtifacts
from app.ports import Found, Platform, Resolved
from tests.chart import layout, rendering
from tests.chart.rendering import CHART, FILES, Object

HOSTS = nodes.recorded()


def mounted(folder: Path, rendered: list[Object]) -> Path:
    """The folder of layouts as a kubelet mounts it: links into a dated folder."""
    content = rendering.find_one("ConfigMap", rendered, "imagecompat-selftest")
    pod = rendering.pod(rendered)["spec"]
    [volume] = [one for one in pod["volumes"] if one["name"] == "selftest"]
    root = folder / "layouts"
    real = root / "..2026_01_01"
    for item in volume["configMap"]["items"]:
        path = real / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(content["binaryData"][item["key"]]))
    (root / "..data").symlink_to(real.name)
    for one in real.iterdir():
        (root / one.name).symlink_to(f"..data/{one.name}")
    return root


async def test_the_mounted_layout_holds_the_image_and_its_spec(
    helm: str, tmp_path: Path
) -> None:
    artifacts = LayoutArtifacts(mounted(tmp_path, rendering.objects(helm=helm)))
    assert artifacts.holds(layout.REFERENCE)
    platforms = [Platform("linux", "amd64"), Platform("linux", "arm64")]
    found = await artifacts.find(layout.REFERENCE, platforms, deadline_seconds=5)
    assert isinstance(found, Resolved)
    for platform in platforms:
        outcome = found.platforms[platform]
        assert isinstance(outcome, Found)
        assert layout.SPEC == outcome.content


def judged(known: dict[str, Features]) -> Judgement:
    index = Index()
    index.update(known)
    found = index.judge("self-test", parse.read_for_admission(layout.SPEC))
    assert isinstance(found, Judgement)
    return found


@pytest.mark.parametrize("host", HOSTS)
def test_its_spec_is_known_not_to_fit_any_host(host: str) -> None:
    found = judged({host: HOSTS[host]})
    assert (1, 0, 0) == (found.nodes.bit_count(), found.fits, found.unknown)


@pytest.mark.parametrize("feature", ["kernel.version", "system.osrelease", "cpu.model"])
def test_one_published_feature_is_enough_to_know(feature: str) -> None:
    """An admin may have switched the others off in nfd-worker."""
    host = Features(attributes={feature: {"any": "thing"}})
    found = judged({"host": host})
    assert (0, 0) == (found.fits, found.unknown)


def test_the_test_pod_asks_with_rights_of_its_own(helm: str) -> None:
    rendered = rendering.objects(helm=helm)
    [pod] = [one for one in rendered if one["kind"] == "Pod"]
    spec = pod["spec"]
    [container] = spec["containers"]
    wanted = ["imagecompat", "selftest", "--namespace", "default"]
    assert wanted == container["command"]
    assert "Never" == spec["restartPolicy"]
    assert "imagecompat-selftest" == spec["serviceAccountName"]
    assert spec["automountServiceAccountToken"] is True
    hooks = {
        one["kind"]: one["metadata"]["annotations"]["helm.sh/hook-weight"]
        for one in rendered
        if one["metadata"].get("annotations", {}).get("helm.sh/hook") == "test"
    }
    assert {
        "ServiceAccount": "-1",
        "Role": "-1",
        "RoleBinding": "-1",
        "Pod": "0",
    } == hooks


def test_nothing_of_the_test_stays() -> None:
    policies = {
        one["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
        for one in rendering.objects()
        if rendering.is_hook(one)
    }
    assert {"before-hook-creation,hook-succeeded"} == policies


def has_test(*files: Path, **options: Any) -> bool:
    rendered = rendering.objects(*files, **options)
    layouts = "imagecompat-selftest" in {
        one["metadata"]["name"] for one in rendered if one["kind"] == "ConfigMap"
    }
    tests = [
        one
        for one in rendered
        if one["metadata"].get("annotations", {}).get("helm.sh/hook") == "test"
    ]
    settings = rendering.find_one("ConfigMap", rendered, "imagecompat")
    is_told = "/var/lib/imagecompat/layouts" in settings["data"]["settings.yaml"]
    pod = rendering.pod(rendered)["spec"]
    is_mounted = "selftest" in {one["name"] for one in pod["volumes"]}
    assert layouts == bool(tests) == is_told == is_mounted
    return layouts


@pytest.mark.parametrize(
    ("sets", "is_there"),
    [
        pytest.param((), True, id="defaults"),
        pytest.param(("policy.mode=audit",), True, id="audit"),
        pytest.param(("policy.mode=off",), False, id="nothing is judged"),
        pytest.param(("selftest.enabled=false",), False, id="not wanted"),
        pytest.param(
            ("selftest.namespace=kube-system",), False, id="the system's namespace"
        ),
        pytest.param(("selftest.namespace=imagecompat",), False, id="our own"),
        pytest.param(
            ("webhook.exemptNamespaces={default}",), False, id="exempt namespace"
        ),
        pytest.param(("registry.layoutRoot=/x",), False, id="layouts of the admin's"),
    ],
)
def test_there_is_a_test_where_it_can_succeed(
    helm: str, sets: tuple[str, ...], *, is_there: bool
) -> None:
    assert is_there == has_test(sets=sets, helm=helm)


def test_the_admins_folder_of_layouts_is_left_to_the_admin() -> None:
    assert not has_test(CHART / "ci" / "layouts-values.yaml")
    rendered = rendering.objects(CHART / "ci" / "layouts-values.yaml")
    assert 'layoutRoot: "/var/lib/layouts"' in rendering.settings(rendered)


def test_some_file_of_values_has_a_test_and_some_has_none() -> None:
    kinds = {
        file.stem: "Pod" in {one["kind"] for one in rendering.objects(file)}
        for file in FILES
    }
    assert {True, False} == set(kinds.values())
    assert kinds["values-ha"]
