"""What is not known is not unfit: nodes without data, nodes that may appear.

Incidents 18 and 19 of `docs/explanation/incidents.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.tools.helm import Helm
from tests.tools.kubelet import Kubelet
from tests.tools.world import (
    FEATURES,
    FITS_NOWHERE,
    HARMLESS,
    MISFIT,
    NODES,
    Cluster,
    Release,
    read,
    until,
)

pytestmark = pytest.mark.integration

DPDK = "rhel9-metal-dpdk"
CUDA = "registry.example.com/ml/trainer:12.4"
"""Fits the other two nodes."""


@pytest.fixture(scope="module")
def kubelet(cluster: Cluster) -> Iterator[Kubelet]:
    """Two replicas that answer, with `Fail`."""
    helm = Helm("helm4", cluster.server, cluster.folder / "helm4")
    with Release(cluster, helm) as release, cluster.kubelet() as kubelet:
        release.serve(kubelet, {"webhook": {"failurePolicy": "Fail"}})
        yield kubelet


def data_missing(kubelet: Kubelet) -> set[str]:
    """What the replicas' metric says about it."""
    lines = [
        line
        for one in kubelet.ready()
        for line in read(one, "/metrics").splitlines()
        if line.startswith("imagecompat_node_feature_data_missing ")
    ]
    return {line.split()[1] for line in lines}


def test_nobody_is_denied_because_all_node_features_are_gone(
    cluster: Cluster, kubelet: Kubelet
) -> None:
    """Incident 18: NFD is restarted, or its objects are collected."""
    assert MISFIT in cluster.post(FITS_NOWHERE)
    try:
        with cluster.load(HARMLESS) as load:
            load.run_for(1)
            cluster.server.call("DELETE", FEATURES)
            until(lambda: cluster.post(FITS_NOWHERE), lambda said: not said)
            load.run_for(2)
        print(f"\n{load.result}")
        assert {} == load.result.causes()
        until(lambda: data_missing(kubelet), lambda said: said == {"1.0"})
    finally:
        for name in NODES:
            cluster.put_features(name)
    until(lambda: cluster.post(FITS_NOWHERE), lambda said: MISFIT in said)
    until(lambda: data_missing(kubelet), lambda said: said == {"0.0"})


def test_a_node_without_data_may_fit(cluster: Cluster, kubelet: Kubelet) -> None:
    """Incident 18: one node is new, and NFD has not come to it yet."""
    del kubelet
    cluster.put_node("new")
    try:
        until(lambda: cluster.post(FITS_NOWHERE), lambda said: not said)
    finally:
        cluster.server.call("DELETE", "/api/v1/nodes/new")
    until(lambda: cluster.post(FITS_NOWHERE), lambda said: MISFIT in said)


@pytest.mark.parametrize(
    "label", ["karpenter.sh/nodepool", "cloud.google.com/gke-nodepool"]
)
def test_where_a_pool_may_grow_a_misfit_is_a_warning(
    cluster: Cluster, kubelet: Kubelet, label: str
) -> None:
    """Incident 19: the Pod that is pending is what makes the autoscaler add a node."""
    del kubelet
    cluster.put_node(DPDK, **{label: "default"})
    try:
        until(lambda: cluster.post(FITS_NOWHERE), lambda said: not said)
        done = cluster.create(FITS_NOWHERE, "--dry-run=server")
        assert f"Warning: {MISFIT} no node fits" in done.stderr
    finally:
        cluster.put_node(DPDK)
    until(lambda: cluster.post(FITS_NOWHERE), lambda said: MISFIT in said)


def pinned(node: str) -> dict[str, Any]:
    """What the DaemonSet controller writes into its Pods."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": terms}
    return {"affinity": {"nodeAffinity": required}}


def test_a_pod_for_one_node_is_judged_by_that_node(
    cluster: Cluster, kubelet: Kubelet
) -> None:
    del kubelet
    assert MISFIT in cluster.post(CUDA, spec=pinned(DPDK))
    assert "" == cluster.post(CUDA, spec=pinned("ubuntu2404-metal-h100"))


def test_a_pod_of_a_daemon_set_is_never_denied(
    cluster: Cluster, kubelet: Kubelet
) -> None:
    """Incident 19: its controller would try again for ever."""
    del kubelet
    owner = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "name": "agents",
        "uid": "8d8a4d3c-0000-4000-8000-000000000000",
        "controller": True,
    }
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "agents-", "ownerReferences": [owner]},
        "spec": {"containers": [{"name": "main", "image": CUDA}], **pinned(DPDK)},
    }
    cluster.server.call("POST", "/api/v1/namespaces/default/pods?dryRun=All", body)
