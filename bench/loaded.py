"""A real kube-apiserver with 5,000 Nodes and NodeFeatures in its etcd.

Objects are written straight into etcd, as the API server stores them (custom
resources as JSON, under `/registry/GROUP/PLURAL/NAMESPACE/NAME`; a Node in JSON is
read too), because creating them through it takes many minutes. The filled data
folder is kept beside the other built tools, named by what is in it.
"""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench import objects, scene
from tests.tools.build import cache, find
from tests.tools.servers import ADMIN_TOKEN, ApiServer, Etcd

_CRD: Final = (
    Path(__file__).parent.parent / "tests" / "integration" / "nodefeature-crd.json"
)
_CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
FEATURES: Final = (
    f"/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/{objects.NAMESPACE}/nodefeatures"
)
NODES: Final = "/api/v1/nodes"
_CRD_SECONDS: Final = 30.0
_CACHE_SECONDS: Final = 120.0
_CONNECTIONS: Final = 4
_BATCH_BYTES: Final = 1 << 20
"""etcd takes requests of 1.5 MiB."""

_Pair = tuple[bytes, bytes]
"""Key and value."""


@contextlib.contextmanager
def running(folder: Path, nodes: int) -> Iterator[ApiServer]:
    """Runs until left.

    Raises:
        ToolError: etcd or kube-apiserver cannot be had.
    """
    find("etcd"), find("kube-apiserver")
    kept = _filled(folder / "fill", nodes)
    shutil.copytree(kept, folder / "etcd" / "data")
    with Etcd(folder / "etcd") as etcd, ApiServer(folder / "server", etcd) as server:
        _until_served(server)
        for path in (NODES, FEATURES):
            served = _count(server, path)
            if served != nodes:
                raise RuntimeError(f"{path}: {served} objects are served, not {nodes}")
        _until_cached(server)
        yield server


def _until_cached(server: ApiServer) -> None:
    """Until NodeFeatures can be streamed: a server that has just started refuses."""
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    path = f"{FEATURES}?{query}&allowWatchBookmarks=true&timeoutSeconds=1"
    request = urllib.request.Request(
        server.url + path, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}
    )
    tls = ssl.create_default_context(cafile=str(server.ca))
    ends = time.monotonic() + _CACHE_SECONDS
    while True:
        try:
            urllib.request.urlopen(request, timeout=5, context=tls).close()
        except urllib.error.HTTPError as error:
            if error.code != 429 or time.monotonic() > ends:
                raise
            time.sleep(0.2)
        else:
            return


def _count(server: ApiServer, path: str) -> int:
    page = server.call("GET", f"{path}?limit=1")
    return len(page["items"]) + int(page["metadata"].get("remainingItemCount", 0))


def _filled(folder: Path, nodes: int) -> Path:
    """The data folder of an etcd that holds the cluster."""
    pairs = list(_pairs(nodes))
    digest = hashlib.sha256(find("etcd").parent.name.encode())
    digest.update(find("kube-apiserver").parent.name.encode())
    digest.update(_CRD.read_bytes())
    for key, value in pairs:
        digest.update(key + b"\0" + hashlib.sha256(value).digest())
    kept = cache() / "bench" / f"etcd-{digest.hexdigest()[:16]}"
    if kept.exists():
        return kept
    with Etcd(folder / "etcd") as etcd:
        with ApiServer(folder / "server", etcd) as server:
            _install(server)
        _put_all(etcd.url, pairs)
        etcd.compact()
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(folder / "etcd" / "data", partial)
    partial.replace(kept)
    shutil.rmtree(folder)
    return kept


def _install(server: ApiServer) -> None:
    server.call("POST", _CRDS, json.loads(_CRD.read_text()))
    body = {"apiVersion": "v1", "kind": "Namespace"}
    server.put("/api/v1/namespaces", body, objects.NAMESPACE)
    _until_served(server)


def _until_served(server: ApiServer) -> None:
    """Until NodeFeatures can be listed."""
    ends = time.monotonic() + _CRD_SECONDS
    while True:
        try:
            server.call("GET", f"{FEATURES}?limit=1")
        except RuntimeError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return


def _pairs(count: int) -> Iterator[_Pair]:
    nodes, features = scene.cluster(count)
    writer = objects.NodeFeatures()
    for number, (name, node) in enumerate(nodes.items()):
        yield f"/registry/minions/{name}".encode(), objects.node(node, uid=number)
        key = f"/registry/nfd.k8s-sigs.io/nodefeatures/{objects.NAMESPACE}/{name}"
        yield key.encode(), writer.write(name, features[name])


def _put_all(url: str, pairs: Sequence[_Pair]) -> None:
    parts = [pairs[i::_CONNECTIONS] for i in range(_CONNECTIONS)]
    with concurrent.futures.ThreadPoolExecutor(_CONNECTIONS) as pool:
        for done in [pool.submit(_put, url, part) for part in parts]:
            done.result()


def _put(url: str, pairs: Sequence[_Pair]) -> None:
    """Puts objects through etcd's gateway, some in each transaction."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    with contextlib.closing(connection):
        for batch in _batches(pairs):
            puts = [
                {
                    "request_put": {
                        "key": base64.b64encode(key).decode(),
                        "value": base64.b64encode(value).decode(),
                    }
                }
                for key, value in batch
            ]
            connection.request("POST", "/v3/kv/txn", json.dumps({"success": puts}))
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"etcd: {answer.status}: {said[:300]!r}")


def _batches(pairs: Sequence[_Pair]) -> Iterator[list[_Pair]]:
    batch: list[_Pair] = []
    size = 0
    for key, value in pairs:
        if batch and size + len(value) > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append((key, value))
        size += len(value)
    yield batch
