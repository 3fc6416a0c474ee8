"""The cluster side against real API servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.compat.features import Features
from app.errors import ClusterError
from app.kube.backoff import Clock
from app.kube.cluster import KubeCluster
from app.kube.connection import Connection
from app.kube.reflector import MAX_LINE_BYTES
from app.ports import Namespace
from tests.tools.scripted import Recorder, bookmark, event, node, node_feature
from tests.tools.servers import ApiServer, Rule

pytestmark = pytest.mark.integration

Eventually = Callable[..., Awaitable[None]]
Paths = Callable[[str], str]

NFD = "node-feature-discovery"
VERBS = ["get", "list", "watch"]
CORE: Rule = {"apiGroups": [""], "resources": ["nodes", "namespaces"], "verbs": VERBS}
FEATURES: Rule = {
    "apiGroups": ["nfd.k8s-sigs.io"],
    "resources": ["nodefeatures"],
    "verbs": ["list", "watch"],
}
NODES = "/api/v1/nodes"
CRD = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
    "nodefeatures.nfd.k8s-sigs.io"
)


async def briefly(seconds: float) -> None:
    """Sleeps as asked, but never for long."""
    await asyncio.sleep(min(seconds, 0.1))


class Watched:
    """A cluster that watches, and what its observer heard."""

    def __init__(self, connection: Connection, trusted: tuple[str, ...]) -> None:
        self.seen = Recorder()
        self.cluster = KubeCluster(
            connection,
            trusted_namespaces=trusted,
            observer=self.seen,
            clock=Clock(sleep=briefly),
        )

    @property
    def nodes(self) -> set[str]:
        return set(self.cluster.snapshot().nodes)

    @property
    def features(self) -> Mapping[str, Features]:
        return self.cluster.snapshot().features


@asynccontextmanager
async def watching(
    kubeconfig: Path, *trusted: str, idle_seconds: float = 90.0
) -> AsyncIterator[Watched]:
    """Watches with what a kubeconfig allows; NFD's namespace is trusted."""
    connection = await Connection.open(kubeconfig=kubeconfig, idle_seconds=idle_seconds)
    watched = Watched(connection, (NFD, *trusted))
    await watched.cluster.start()
    try:
        yield watched
    finally:
        await watched.cluster.stop()
        await connection.close()


@pytest.fixture
def reader(apiserver: ApiServer, node_features: Paths) -> Iterator[Path]:
    """Who may do what the chart allows; nodes and features are gone afterwards."""
    yield apiserver.service_account("reader", [CORE, FEATURES])
    apiserver.call("DELETE", NODES)
    for namespace in (NFD, "other", "untrusted"):
        apiserver.call("DELETE", node_features(namespace))


def content_of(kubeconfig: Path) -> Any:
    return json.loads(kubeconfig.read_text())


def create_node(server: ApiServer, name: str) -> None:
    server.call("POST", NODES, {"kind": "Node", "metadata": {"name": name}})


def publish(server: ApiServer, path: str, content: Mapping[str, Any]) -> None:
    """Creates or replaces a NodeFeature."""
    name = content["metadata"]["name"]
    fresh = json.loads(json.dumps(content))
    del fresh["metadata"]["resourceVersion"]
    del fresh["metadata"]["managedFields"]
    merge = "application/apply-patch+yaml"
    query = "fieldManager=test&force=true"
    server.call("PATCH", f"{path}/{name}?{query}", fresh, content_type=merge)


def flagged(
    name: str, *elements: str, of: str | None = None, namespace: str = NFD
) -> dict[str, Any]:
    return node_feature(name, of=of, namespace=namespace, flags={"f": [*elements]})


def with_flags(*elements: str) -> Features:
    return Features(flags={"f": frozenset(elements)})


async def test_nodes_are_seen_as_they_come_change_and_go(
    apiserver: ApiServer, reader: Path, eventually: Eventually
) -> None:
    create_node(apiserver, "n1")
    async with watching(reader) as watched:
        await eventually(watched.cluster.ready)
        assert {"n1"} == watched.nodes
        create_node(apiserver, "n2")
        await eventually(lambda: watched.nodes == {"n1", "n2"}, 1)
        apiserver.kubectl("label", "node", "n2", "disk=ssd")
        apiserver.kubectl("cordon", "n2")
        apiserver.kubectl("taint", "node", "n2", "gpu=yes:NoExecute")

        def is_changed() -> bool:
            one = watched.cluster.snapshot().nodes["n2"]
            taints = {(taint.key, taint.value, taint.effect) for taint in one.taints}
            return (
                one.labels.get("disk") == "ssd"
                and one.unschedulable
                and ("gpu", "yes", "NoExecute") in taints
            )

        await eventually(is_changed)
        apiserver.call("DELETE", f"{NODES}/n1")
        await eventually(lambda: watched.nodes == {"n2"}, 1)
        assert () == watched.cluster.problems()


async def test_features_are_seen_as_they_come_change_and_go(
    apiserver: ApiServer, reader: Path, node_features: Paths, eventually: Eventually
) -> None:
    create_node(apiserver, "n1")
    create_node(apiserver, "n2")
    publish(apiserver, node_features(NFD), flagged("n1", "a"))
    async with watching(reader) as watched:
        await eventually(watched.cluster.ready)
        assert {"n1": with_flags("a")} == watched.features
        publish(apiserver, node_features(NFD), flagged("n1", "a", "b"))
        await eventually(lambda: watched.features == {"n1": with_flags("a", "b")}, 1)
        publish(apiserver, node_features(NFD), flagged("n2", "c"))
        await eventually(lambda: watched.features.get("n2") == with_flags("c"), 1)
        apiserver.call("DELETE", f"{node_features(NFD)}/n1")
        await eventually(lambda: watched.features == {"n2": with_flags("c")}, 1)


async def test_features_count_only_with_their_node_and_the_workers_own_object(
    apiserver: ApiServer, reader: Path, node_features: Paths, eventually: Eventually
) -> None:
    create_node(apiserver, "bare")
    create_node(apiserver, "n1")
    publish(apiserver, node_features(NFD), flagged("n1-extra", "x", of="n1"))
    publish(apiserver, node_features(NFD), flagged("later", "y"))
    async with watching(reader) as watched:
        await eventually(watched.cluster.ready)
        assert {} == watched.features
        create_node(apiserver, "later")
        await eventually(lambda: watched.features == {"later": with_flags("y")}, 1)
        publish(apiserver, node_features(NFD), flagged("n1", "a"))
        await eventually(lambda: watched.features.get("n1") == with_flags("a", "x"), 1)


async def test_untrusted_namespaces_do_not_count(
    apiserver: ApiServer, reader: Path, node_features: Paths, eventually: Eventually
) -> None:
    create_node(apiserver, "n1")
    forged = flagged("n1", "forged", namespace="untrusted")
    publish(apiserver, node_features("untrusted"), forged)
    publish(apiserver, node_features(NFD), flagged("n1", "a"))
    async with watching(reader, "other") as watched:
        await eventually(watched.cluster.ready)
        again = flagged("z", "forged", of="n1", namespace="untrusted")
        publish(apiserver, node_features("untrusted"), again)
        mine = flagged("z", "b", of="n1", namespace="other")
        publish(apiserver, node_features("other"), mine)
        await eventually(lambda: watched.features == {"n1": with_flags("a", "b")}, 1)


async def test_objects_of_one_node_are_merged_in_nfd_masters_order(
    apiserver: ApiServer, reader: Path, node_features: Paths, eventually: Eventually
) -> None:
    def saying(name: str, namespace: str) -> dict[str, Any]:
        elements = {"x": f"{namespace}/{name}", name: "there"}
        spec = {"features": {"attributes": {"a": {"elements": elements}}}}
        return node_feature(name, of="n1", namespace=namespace, spec=spec)

    create_node(apiserver, "n1")
    for name, namespace in (("n1", NFD), ("z", NFD), ("b", "other")):
        publish(apiserver, node_features(namespace), saying(name, namespace))
    async with watching(reader, "other") as watched:
        await eventually(lambda: watched.cluster.ready() and watched.features)
        merged = {"n1": "there", "z": "there", "b": "there", "x": "other/b"}
        assert merged == watched.features["n1"].attributes["a"]


async def test_a_feature_object_of_another_shape_makes_its_node_unknown(
    apiserver: ApiServer, reader: Path, node_features: Paths, eventually: Eventually
) -> None:
    create_node(apiserver, "n1")
    publish(apiserver, node_features(NFD), flagged("n1", "a"))
    async with watching(reader) as watched:
        await eventually(lambda: watched.features)
        odd = node_feature(
            "odd", of="n1", namespace=NFD, spec={"features": {"flags": 1}}
        )
        publish(apiserver, node_features(NFD), odd)
        await eventually(lambda: not watched.features, 1)
        assert "unreadable" in watched.seen.counts
        apiserver.call("DELETE", f"{node_features(NFD)}/odd")
        await eventually(lambda: watched.features == {"n1": with_flags("a")}, 1)


@pytest.mark.parametrize("server", ["apiserver", "paging_apiserver"])
async def test_lists_are_streamed_or_read_in_pages(
    request: pytest.FixtureRequest,
    apiserver: ApiServer,
    reader: Path,
    node_features: Paths,
    eventually: Eventually,
    server: str,
) -> None:
    asked: ApiServer = request.getfixturevalue(server)
    token = content_of(reader)["users"][0]["user"]["token"]
    kubeconfig = asked.write_kubeconfig("reader-of-many", token=token)
    names = {f"n{number:02}" for number in range(45)}
    for name in names:
        create_node(apiserver, name)
        publish(apiserver, node_features(NFD), flagged(name, "a"))
    async with watching(kubeconfig) as watched:
        await eventually(watched.cluster.ready, 15)
        assert names == watched.nodes
        assert names == watched.features.keys()
        is_refused = "Invalid" in watched.seen.counts
        assert is_refused == (server == "paging_apiserver")
        create_node(apiserver, "another")
        await eventually(lambda: "another" in watched.nodes, 5)
        assert () == watched.cluster.problems()


async def test_a_kind_that_is_installed_later_is_picked_up(
    apiserver: ApiServer,
    reader: Path,
    node_features: Paths,
    request: pytest.FixtureRequest,
    eventually: Eventually,
) -> None:
    create_node(apiserver, "n1")
    publish(apiserver, node_features(NFD), flagged("n1", "a"))
    async with watching(reader) as watched:
        await eventually(lambda: watched.features)
        apiserver.call("DELETE", CRD)
        try:
            await eventually(lambda: watched.cluster.status().is_kind_absent, 20)
            assert {} == watched.features
            async with watching(reader) as late:
                await eventually(late.cluster.ready)
                assert late.cluster.status().is_kind_absent
                assert {"n1"} == late.nodes
        finally:
            installer = request.getfixturevalue("install_node_features")
            await asyncio.to_thread(installer)
        await eventually(lambda: not watched.cluster.status().is_kind_absent)
        assert watched.cluster.status().is_data_missing
        publish(apiserver, node_features(NFD), flagged("n1", "b"))
        await eventually(lambda: watched.features == {"n1": with_flags("b")})


@pytest.mark.parametrize(
    ("rules", "problems"),
    [
        pytest.param(
            [FEATURES, {**CORE, "resources": ["namespaces"]}],
            ("RBAC does not allow: list nodes", "RBAC does not allow: watch nodes"),
            id="nodes",
        ),
        pytest.param(
            [CORE, {**FEATURES, "verbs": ["list"]}],
            (f"RBAC does not allow: watch nodefeatures in {NFD}",),
            id="features may be listed only",
        ),
    ],
)
async def test_what_rbac_forbids_is_named_until_it_is_granted(
    apiserver: ApiServer,
    node_features: Paths,
    eventually: Eventually,
    rules: list[Rule],
    problems: tuple[str, ...],
) -> None:
    assert node_features(NFD)
    kubeconfig = apiserver.service_account("limited", rules)
    async with watching(kubeconfig) as watched:
        await eventually(lambda: watched.cluster.problems() == problems)
        assert not watched.cluster.ready()
        apiserver.service_account("limited", [CORE, FEATURES])
        await eventually(watched.cluster.ready)
        assert () == watched.cluster.problems()


async def test_a_token_that_is_not_accepted_is_named_and_read_again(
    apiserver: ApiServer, reader: Path, tmp_path: Path, eventually: Eventually
) -> None:
    good = content_of(reader)
    file = tmp_path / "token"
    file.write_text("not-a-token")
    token = good["users"][0]["user"].pop("token")
    good["users"][0]["user"]["tokenFile"] = str(file)
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(json.dumps(good))
    async with watching(kubeconfig) as watched:
        await eventually(lambda: "nodes: Unauthorized" in watched.cluster.problems())
        file.write_text(token)
        await eventually(watched.cluster.ready)
    assert apiserver.url.startswith("https")


async def test_a_namespace_is_known_or_asked_for(
    apiserver: ApiServer, reader: Path, eventually: Eventually
) -> None:
    body = {"metadata": {"name": "team", "labels": {"imagecompat.dev/mode": "warn"}}}
    async with watching(reader) as watched:
        await eventually(watched.cluster.ready)
        apiserver.call("POST", "/api/v1/namespaces", body)
        team = await watched.cluster.namespace("team", deadline_seconds=2)
        labels = {**body["metadata"]["labels"], "kubernetes.io/metadata.name": "team"}  # type: ignore[dict-item]
        assert Namespace("team", labels) == team
        nowhere = await watched.cluster.namespace("nowhere", deadline_seconds=2)
        assert nowhere is None
        apiserver.remove_namespace("team")
        count = watched.cluster.status().namespaces
        await eventually(
            lambda: (
                watched.seen.counts.count("deleted")
                and watched.cluster.status().namespaces <= count
            )
        )
        assert await watched.cluster.namespace("team", deadline_seconds=2) is None


async def test_an_api_server_that_restarts_loses_nothing(
    apiserver: ApiServer,
    paging_apiserver: ApiServer,
    reader: Path,
    node_features: Paths,
    eventually: Eventually,
) -> None:
    create_node(apiserver, "n1")
    create_node(apiserver, "n2")
    publish(apiserver, node_features(NFD), flagged("n1", "a"))
    async with watching(reader) as watched:
        await eventually(lambda: watched.cluster.ready() and watched.features)
        before = watched.cluster.snapshot()
        apiserver.kill()
        try:
            await eventually(watched.cluster.problems)
            assert watched.cluster.ready()
            assert before is watched.cluster.snapshot()
            # Another server goes on, and etcd forgets what we have not seen.
            create_node(paging_apiserver, "n3")
            paging_apiserver.call("DELETE", f"{NODES}/n2")
            publish(paging_apiserver, node_features(NFD), flagged("n1", "b"))
            apiserver.etcd.compact()
        finally:
            await asyncio.to_thread(apiserver.start)
        await eventually(lambda: watched.nodes == {"n1", "n3"}, 20)
        await eventually(lambda: watched.features == {"n1": with_flags("b")}, 20)
        await eventually(lambda: not watched.cluster.problems(), 20)
        assert "Gone" in watched.seen.counts
        assert watched.cluster.stale_seconds() < 60


class FakeApi:
    """An API server in this process, for what a real one does not do."""

    def __init__(self, lines: Mapping[str, list[bytes]], silence: bool) -> None:
        self.lines = lines
        self.silence = silence
        self.requests: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path)
        kind = request.path.rpartition("/")[2]
        response = web.StreamResponse()
        await response.prepare(request)
        if "sendInitialEvents" in request.query:
            for line in self.lines.get(kind, []):
                await response.write(line)
            await response.write(bookmark("10", ends_list=True))
        if self.silence:
            await asyncio.sleep(30)
        return response

    @asynccontextmanager
    async def served(self, folder: Path) -> AsyncIterator[Path]:
        """Serves it; a kubeconfig for it."""
        application = web.Application()
        application.router.add_get("/{path:.*}", self.answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        content = {
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": f"http://{host}:{port}"}}],
            "users": [{"name": "c", "user": {"token": "t"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        }
        path = folder / "fake.kubeconfig"
        path.write_text(json.dumps(content))
        try:
            yield path
        finally:
            await runner.cleanup()


@pytest.mark.parametrize(
    ("size", "known"),
    [
        pytest.param(MAX_LINE_BYTES, {"small", "large"}, id="as large as may be"),
        pytest.param(MAX_LINE_BYTES + 1, {"small"}, id="one byte larger"),
    ],
)
async def test_an_object_over_the_bound_is_lost_and_the_rest_is_not(
    tmp_path: Path, eventually: Eventually, size: int, known: set[str]
) -> None:
    large = event("ADDED", flagged("large", "a")).strip().ljust(size) + b"\n"
    lines = {
        "nodes": [event("ADDED", node(name)) for name in ("small", "large")],
        "nodefeatures": [large, event("ADDED", flagged("small", "a"))],
    }
    async with (
        FakeApi(lines, silence=True).served(tmp_path) as kubeconfig,
        watching(kubeconfig) as watched,
    ):
        await eventually(watched.cluster.ready)
        assert known == watched.features.keys()
        assert ("oversized" in watched.seen.counts) == (known == {"small"})
        assert (watched.cluster.stale_seconds() < 60) == (known != {"small"})


async def test_silence_ends_a_watch_and_the_next_one_goes_on(
    tmp_path: Path, eventually: Eventually
) -> None:
    api = FakeApi({"nodes": [event("ADDED", node("n1"))]}, silence=True)
    async with (
        api.served(tmp_path) as kubeconfig,
        watching(kubeconfig, idle_seconds=1.1) as watched,
    ):
        await eventually(lambda: api.requests.count(NODES) >= 3)
        assert {"n1"} == watched.nodes
        assert "silent" in watched.seen.counts
        assert "failed" not in {kind for kind, *_ in watched.seen.notes}


async def test_watches_that_end_at_once_make_no_hot_loop(
    tmp_path: Path, eventually: Eventually
) -> None:
    api = FakeApi({}, silence=False)
    async with (
        api.served(tmp_path) as kubeconfig,
        watching(kubeconfig) as watched,
    ):
        await eventually(watched.cluster.ready)
        await asyncio.sleep(1)
        # The pauses are cut to a tenth of a second here.
        assert 5 <= api.requests.count(NODES) <= 13
        assert "ShortWatch" in watched.seen.counts


async def test_an_authority_that_is_not_trusted_is_named(
    apiserver: ApiServer, reader: Path, tmp_path: Path
) -> None:
    content = content_of(reader)
    del content["clusters"][0]["cluster"]["certificate-authority-data"]
    path = tmp_path / "config"
    path.write_text(json.dumps(content))
    connection = await Connection.open(kubeconfig=path)
    try:
        with pytest.raises(ClusterError, match="no trust in the API server") as caught:
            async with connection.get(NODES, {}):
                pass
    finally:
        await connection.close()
    assert "TlsFailure" == caught.value.reason
    assert apiserver.url in content["clusters"][0]["cluster"]["server"]
