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

from tests.tools.helm import (
    CHART,
    NAMESPACE,
    RELEASE,
    VERSIONS,
    Helm,
    former_chart,
)
from tests.tools.load import Load, Result
from tests.tools.world import (
    ASKS,
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


def whole(result: Result) -> None:
    """Nothing failed, and something was asked."""
    assert [] == result.failures
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
    former = former_chart(tmp_path)
    if former is None:
        print("\nthis history has no former chart: HEAD's own, with other values")
    helm = Helm(version, cluster.server, cluster.folder / version)
    diary = Diary()
    with (
        Release(cluster, helm) as release,
        cluster.kubelet() as kubelet,
        Load(cluster.server, HARMLESS) as load,
    ):
        release.install({"policy": {"messages": "counts"}}, former or CHART)
        kubelet.wait_ready(2)
        release.wait_called()
        diary.note("installed with Ignore", load)

        with Load(cluster.server, ASKS) as asked:
            release.install({**FAIL, "policy": {"messages": "full"}})
            kubelet.wait_ready(2)
            assert calls_fail_closed(cluster)
            diary.note("upgraded, and to Fail", asked)
            before = {one.name for one in kubelet.replicas()}
            release.install({"podAnnotations": {"rolled": "again"}})
            after = {one.name for one in kubelet.wait_ready(2)}
            assert set() == before & after
            diary.note("rolled", asked)
            helm.rollback()
            kubelet.wait(lambda: not after & names(kubelet), "the rollback")
            kubelet.wait_ready(2)
            assert calls_fail_closed(cluster)
            diary.note("rolled back", asked)
        whole(asked.result)
        assert asked.result.denied > 0

        helm.uninstall()
        kubelet.wait_gone()
        assert {} == cluster.configurations()
        load.run_for(1)
        diary.note("uninstalled", load)
    whole(load.result)


def names(kubelet: Any) -> set[str]:
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


def dumped(objects: list[dict[str, Any]]) -> str:
    """Objects as kubectl reads them."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
