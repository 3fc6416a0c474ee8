"""A large cluster: how fast it starts there, and with how much memory.

Incident 14 of `docs/explanation/incidents.md`; `bench/README.md` has the figures for
5,000 nodes and more.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any

import pytest

from tests.tools.client import Client
from tests.tools.world import (
    FEATURES,
    FITS_NOWHERE,
    NFD,
    Cluster,
    Release,
    read,
)

pytestmark = pytest.mark.integration

NODES = 1000
WRITERS = 4
LABEL = "many.example.com"
MOST_BYTES = 512 << 20
"""The chart's limit for a Pod."""


@pytest.fixture
def crowd(cluster: Cluster) -> Iterator[int]:
    """Nodes of a pool: the features of one host, whose modules differ."""
    path = resources.files("app.demo") / "data" / "hosts" / "rhel9-metal-dpdk.json"
    features = json.loads(path.read_text())
    with ThreadPoolExecutor(WRITERS) as pool:
        shares = [range(first, NODES, WRITERS) for first in range(WRITERS)]
        list(pool.map(lambda share: add(cluster, share, features), shares))
    yield NODES
    for collection in ("/api/v1/nodes", FEATURES):
        cluster.server.call("DELETE", f"{collection}?labelSelector={LABEL}")


def add(cluster: Cluster, numbers: range, features: dict[str, Any]) -> None:
    """Adds nodes with what nfd-worker publishes of them."""
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", LABEL: "yes"}
    with Client(cluster.server) as client:
        for number in numbers:
            name = f"many-{number:04d}"
            meta = {"name": name, "labels": {**labels, "kubernetes.io/hostname": name}}
            client.call("POST", "/api/v1/nodes", {"metadata": meta})
            owned = {"nfd.node.kubernetes.io/node-name": name, LABEL: "yes"}
            body = {
                "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
                "kind": "NodeFeature",
                "metadata": {"name": name, "namespace": NFD, "labels": owned},
                "spec": {"features": features, "labels": {}},
            }
            client.call("POST", FEATURES, body)


def test_it_starts_on_a_cluster_of_a_thousand_nodes(
    cluster: Cluster, release: Release, crowd: int
) -> None:
    started = time.monotonic()
    with cluster.kubelet() as kubelet:
        replicas = release.serve(kubelet)
        seconds = time.monotonic() - started
        resident = [memory(read(one, "/metrics")) for one in replicas]
        said = cluster.post(FITS_NOWHERE)
    print(
        f"\n{crowd} nodes: two replicas answer {seconds:.1f} s after the install, "
        f"with {', '.join(f'{one >> 20} MiB' for one in resident)}"
    )
    assert f"0 of {crowd + 3} candidate nodes fit" in said
    assert max(resident) < MOST_BYTES
    assert seconds < 120


def memory(metrics: str) -> int:
    """What a process holds of the machine's."""
    found = re.search(
        r"^process_resident_memory_bytes (\S+)$", metrics, flags=re.MULTILINE
    )
    assert found
    return int(float(found[1]))
