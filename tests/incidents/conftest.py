"""One cluster for all of this folder, and one release that comes and goes in it.

* `cluster`: etcd and kube-apiserver with aggregator routing, and three nodes with
  recorded features; `cluster.kubelet()` runs the Pods of the release while entered.
* `release`: installs the chart with values, and takes it away behind the test.

Tests of an outage install without a kubelet: then nobody is behind the Service.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tools import needed
from tests.tools.helm import Helm
from tests.tools.world import Cluster, Release, started


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster; ready in about six seconds."""
    needed.programs(*needed.CLUSTER)
    with started(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def release(cluster: Cluster) -> Iterator[Release]:
    """A release of the chart that is not installed yet."""
    release = Release(cluster, Helm("helm4", cluster.server, cluster.folder / "helm4"))
    with release:
        yield release
