"""Install, upgrade, rollback and uninstall under load, with Helm 3 and Helm 4.

20 admissions a second, and each is answered as it must be: with `Ignore` while the
webhook comes, with `Fail` while it changes and goes. Incidents 6, 11 and 16 of
`docs/explanation/incidents.md`.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools import former
from tests.tools.former import Former
from tests.tools.helm import CHART, NAMESPACE, RELEASE, VERSIONS, Helm, merged
from tests.tools.kubelet import Kubelet
from tests.tools.load import Load, Result
from tests.tools.world import (
    FITS_NOWHERE,
    HARMLESS,
    MISFIT,
    VALIDATING,
    VALUES,
    Cluster,
    Release,
    until,
)

pytestmark = pytest.mark.integration

FAIL = {"webhook": {"failurePolicy": "Fail"}}


STALL_SECONDS = 2.0
"""Of a round of the kubelet: with the lag of endpoints, still less than the drain."""
TRIES = 3


def whole(result: Result) -> None:
    """Nothing failed, and something was asked."""
    assert {} == result.causes()
    assert result.admitted > 0


class Diary:
    """Prints what each step took."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def note(self, text: str, load: Load) -> None:
        """The step that is over."""
        now = time.monotonic()
        print(f"\n{text}: {now - self._since:.1f} s; so far {load.result}", end="")
        self._since = now


def calls_fail_closed(cluster: Cluster) -> bool:
    """Whether the stored configuration says `Fail`."""
    webhooks = cluster.configurations()[VALIDATING]["webhooks"]
    return {"Fail"} == {
        one["failurePolicy"]
        for one in webhooks
        if one["name"] == "pods.imagecompat.dev"
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_no_admission_fails_from_the_install_to_the_uninstall(
    cluster: Cluster, version: str, tmp_path: Path
) -> None:
    """From the release before, as far as there is one.

    Again where the machine stood still, and endpoints were later than a drain is.
    """
    before = former.chart(tmp_path)
    print(f"\n{before}")
    helm = Helm(version, cluster.server, cluster.folder / version)
    for _ in range(TRIES):
        results, stall_seconds = lived(cluster, helm, before)
        if stall_seconds < STALL_SECONDS or not any(one.failures for one in results):
            break
        print(f"\nthe machine stood still for {stall_seconds:.1f} s")
    for one in results:
        whole(one)
    assert results[1].denied > 0


def lived(cluster: Cluster, helm: Helm, before: Former) -> tuple[list[Result], float]:
    """The life of a release, under load; and the kubelet's longest round."""
    diary = Diary()
    with (
        Release(cluster, helm) as release,
        cluster.kubelet() as kubelet,
        Load(cluster.server, HARMLESS) as load,
    ):
        helm.install(merged(VALUES, former.VALUES), before.chart)
        assert "stuckSeconds" not in settings(cluster)
        kubelet.wait_ready(2)
        release.wait_called()
        diary.note("installed with Ignore", load)

        with cluster.load() as asked:
            change(cluster, release, kubelet, asked, diary)

        helm.uninstall()
        kubelet.wait_gone()
        assert {} == cluster.configurations()
        load.run_for(1)
        diary.note("uninstalled", load)
    return [load.result, asked.result], kubelet.slowest_seconds


def change(
    cluster: Cluster, release: Release, kubelet: Kubelet, asked: Load, diary: Diary
) -> None:
    """Other chart and policy, other Pods, and back again."""
    old = objects(release.helm)
    release.install(FAIL)
    new = objects(release.helm)
    kept = old.keys() & new.keys()
    print(f"\n{len(kept)} objects, and of each another state", end="")
    assert kept
    assert [] == [one for one in kept if old[one] == new[one]]
    assert "stuckSeconds" in settings(cluster)
    kubelet.wait_ready(2)
    assert calls_fail_closed(cluster)
    diary.note("upgraded, and to Fail", asked)
    before = names(kubelet)
    release.install({"podAnnotations": {"rolled": "again"}})
    kubelet.wait_ready(2)
    after = names(kubelet)
    assert set() == before & after
    diary.note("rolled", asked)
    release.helm.rollback()
    kubelet.wait(lambda: not after & names(kubelet), "the rollback")
    kubelet.wait_ready(2)
    assert calls_fail_closed(cluster)
    diary.note("rolled back", asked)


def objects(helm: Helm) -> dict[tuple[str, str], Any]:
    """What Helm has installed, by kind and name."""
    text = helm.run("get", "manifest", RELEASE).stdout
    made = [one for one in yaml.safe_load_all(text) if one]
    return {(one["kind"], one["metadata"]["name"]): one for one in made}


def settings(cluster: Cluster) -> str:
    """The settings file of the release."""
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{RELEASE}"
    text: str = cluster.server.call("GET", path)["data"]["settings.yaml"]
    return text


def names(kubelet: Kubelet) -> set[str]:
    """Of the replicas that have not been told to end."""
    return {one.name for one in kubelet.replicas()}


def test_what_helm_renders_can_be_applied_and_deleted_by_kubectl(
    cluster: Cluster, release: Release
) -> None:
    values = {**VALUES, "uninstallHook": {"enabled": False}}
    flags = ["--namespace", NAMESPACE, "--no-hooks"]
    text = release.helm.run(
        "template", RELEASE, str(CHART), *flags, values=values
    ).stdout
    kubectl = cluster.server.kubectl
    with cluster.kubelet() as kubelet:
        kubectl("apply", "--server-side", "-f", "-", stdin=text)
        kubelet.wait_ready(2)
        release.wait_called()
        kubectl("apply", "--server-side", "-f", "-", stdin=text)
        assert MISFIT in cluster.post(FITS_NOWHERE)
        made = [one for one in yaml.safe_load_all(text) if one]
        configurations = [one for one in made if "webhooks" in one]
        for some in (configurations, made):
            kubectl("delete", "--ignore-not-found", "-f", "-", stdin=dumped(some))
        kubelet.wait_gone()
    until(lambda: cluster.post(FITS_NOWHERE), lambda said: not said)


@pytest.mark.parametrize("version", VERSIONS)
def test_helm_test_hears_the_webhook(cluster: Cluster, version: str) -> None:
    """With the chart's own image of the test, which fits no node."""
    helm = Helm(version, cluster.server, cluster.folder / version)
    with Release(cluster, helm) as release, cluster.kubelet() as kubelet:
        release.install({"registry": {"layoutRoot": None}})
        kubelet.wait_ready(2)
        done = helm.run("test", RELEASE)
        assert "Succeeded" in done.stdout
        assert MISFIT in kubelet.said_once()


def dumped(objects: list[dict[str, Any]]) -> str:
    """Objects as kubectl reads them."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
