"""Real servers, started once a session and shared by every file in this folder.

What a test creates it removes again: others find the same servers. A program
that cannot be had is a skip, with the reason.

* `apiserver`: kube-apiserver with etcd, RBAC on; see `tests/tools/servers.py` for
  what it can do (`call`, `kubectl`, `service_account`, `kill` and `start`, ...).
* `paging_apiserver`: another one on the same etcd that refuses streaming lists.
* `node_features`: the NodeFeature CRD is installed; the collection's path in a
  namespace by `node_features("node-feature-discovery")`.
* `install_node_features`: brings the CRD back, for who took it away.
* `eventually`: waits for a condition, in async tests.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.tools import needed
from tests.tools.servers import ApiServer, Etcd

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NODE_FEATURE_CRD = "nodefeatures.nfd.k8s-sigs.io"
NFD_NAMESPACES = ("node-feature-discovery", "other", "untrusted")


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A kube-apiserver with etcd; ready in about five seconds."""
    needed.programs("etcd", "kube-apiserver", "kubectl")
    folder = tmp_path_factory.mktemp("apiserver")
    with Etcd(folder / "etcd") as etcd, ApiServer(folder / "one", etcd) as server:
        yield server


@pytest.fixture(scope="session")
def paging_apiserver(
    apiserver: ApiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    """A second kube-apiserver on the same etcd, without streaming lists."""
    with ApiServer(
        tmp_path_factory.mktemp("paging"),
        apiserver.etcd,
        authority=apiserver.authority,
        flags=["--feature-gates=WatchList=false"],
    ) as server:
        yield server


def install_crd(server: ApiServer) -> None:
    """Installs the NodeFeature CRD; returns when objects of it can be listed."""
    crd = json.loads(Path(__file__).with_name("nodefeature-crd.json").read_text())
    try:
        server.call("POST", CRDS, crd)
    except RuntimeError as error:
        if ": 409: " not in str(error):
            raise
    ends = time.monotonic() + 20
    while True:
        try:
            server.call("GET", "/apis/nfd.k8s-sigs.io/v1alpha1/nodefeatures?limit=1")
        except RuntimeError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def _crd(apiserver: ApiServer) -> None:
    install_crd(apiserver)
    for name in NFD_NAMESPACES:
        body = {"apiVersion": "v1", "kind": "Namespace"}
        apiserver.put("/api/v1/namespaces", body, name)


@pytest.fixture
def node_features(apiserver: ApiServer, _crd: None) -> Callable[[str], str]:
    """The CRD and the namespaces for NodeFeatures are there; paths by namespace."""
    install_crd(apiserver)

    def path(namespace: str) -> str:
        return f"/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/{namespace}/nodefeatures"

    return path


@pytest.fixture
def install_node_features(apiserver: ApiServer) -> Callable[[], None]:
    """Installs the CRD again, for who took it away."""
    return lambda: install_crd(apiserver)


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    """Waits until a condition holds, at most ten seconds."""

    async def wait(holds: Callable[[], object], seconds: float = 10.0) -> None:
        ends = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < ends, "this did not happen in time"
            await asyncio.sleep(0.02)

    return wait
