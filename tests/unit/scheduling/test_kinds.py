from __future__ import annotations

import pytest

from app.scheduling import kinds


@pytest.mark.parametrize(
    ("template", "name"),
    [
        pytest.param((), "Pod", id="pod"),
        pytest.param(("spec", "template"), "ReplicationController", id="rc"),
        pytest.param(("spec", "template"), "Deployment", id="deployment"),
        pytest.param(("spec", "template"), "ReplicaSet", id="replicaset"),
        pytest.param(("spec", "template"), "StatefulSet", id="statefulset"),
        pytest.param(("spec", "template"), "DaemonSet", id="daemonset"),
        pytest.param(("spec", "template"), "Job", id="job"),
        pytest.param(
            ("spec", "jobTemplate", "spec", "template"), "CronJob", id="cronjob"
        ),
    ],
)
def test_the_template_of_each_workload_is_known(
    template: tuple[str, ...], name: str
) -> None:
    assert template == kinds.KINDS[name].template
    assert bool(template) == kinds.KINDS[name].is_template


def test_the_table_holds_eight_kinds() -> None:
    assert 8 == len(kinds.KINDS)


@pytest.mark.parametrize(
    ("expected", "kind", "api_version"),
    [
        pytest.param(kinds.POD, "Pod", "v1", id="core"),
        pytest.param(kinds.KINDS["Job"], "Job", "batch/v1", id="batch"),
        pytest.param(kinds.KINDS["Job"], "Job", "batch/v1beta1", id="any-version"),
        pytest.param(None, "Job", "v1", id="another-group"),
        pytest.param(None, "DaemonSet", "apps.kruise.io/v1", id="a-namesake"),
        pytest.param(None, "Service", "v1", id="no-workload"),
        pytest.param(None, "pod", "v1", id="case-counts"),
    ],
)
def test_a_manifest_is_found_by_kind_and_group(
    expected: kinds.Kind | None, kind: str, api_version: str
) -> None:
    assert expected == kinds.find(kind, api_version)
