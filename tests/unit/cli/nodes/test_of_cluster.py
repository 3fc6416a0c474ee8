"""Nodes of a cluster, over scripted answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.cli.nodes import of_cluster
from app.cli.nodes.known import KnownNodes
from app.cli.nodes.of_cluster import MAX_RESTARTS, MOST_NAMED, Wanted
from app.errors import ClusterError, ConfigError
from tests.tools.scripted import Answer, FakeTime, ScriptedApi
from tests.unit.cli.nodes.samples import features, node, node_feature

NODES = "/api/v1/nodes"
FEATURES = (
    "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/node-feature-discovery/nodefeatures"
)
GPU_FEATURES = FEATURES.replace("node-feature-discovery", "gpu")


def page(*items: Any, token: str = "") -> Answer:
    """A page of a list."""
    content = {"metadata": {"continue": token, "resourceVersion": "7"}, "items": items}
    return Answer(chunks=(json.dumps(content).encode(),))


def refused(status: int, message: str = "no") -> Answer:
    """A Status."""
    return Answer(status=status, chunks=(json.dumps({"message": message}).encode(),))


async def gather(api: ScriptedApi, wanted: Wanted | None = None) -> KnownNodes:
    """What is known over these answers."""
    return await of_cluster.gather(wanted or Wanted(), api, "cluster kind")


def scripted(**answers: list[Answer]) -> ScriptedApi:
    """An API server with `nodes`, `features` and `gpu` to tell."""
    paths = {"nodes": NODES, "features": FEATURES, "gpu": GPU_FEATURES}
    script = {paths[key]: value for key, value in answers.items()}
    return ScriptedApi(FakeTime(), script)


async def test_nodes_and_features_come_page_by_page() -> None:
    api = scripted(
        nodes=[page(node("a"), token="next"), page(node("b"))],
        features=[
            page(node_feature("a", features(major="6")), token="more"),
            page(node_feature("b", features(major="5"))),
        ],
    )
    known = await gather(api)
    versions = {
        name: one.attributes["kernel.version"]
        for name, one in known.snapshot.features.items()
    }
    assert {"a": {"major": "6"}, "b": {"major": "5"}} == versions
    assert ("cluster kind", ()) == (known.origin, known.notes)
    tokens = [query.get("continue") for _, query in api.requests]
    assert [None, "next", None, "more"] == tokens


async def test_each_trusted_namespace_is_listed_nfds_own_first() -> None:
    own = node_feature("a", features(major="own", minor="1"), namespace="gpu")
    other = node_feature("a", features(major="later"), name="x")
    api = scripted(nodes=[page(node("a"))], gpu=[page(own)], features=[page(other)])
    wanted = Wanted(namespaces=("gpu", "node-feature-discovery"))
    known = await gather(api, wanted)
    merged = {"major": "later", "minor": "1"}
    assert merged == known.snapshot.features["a"].attributes["kernel.version"]


async def test_names_are_asked_for_one_by_one_with_their_features_only() -> None:
    api = scripted(
        nodes=[page(node("a")), page(node("b"))],
        features=[page(node_feature("a", features(major="6")))],
    )
    known = await gather(api, Wanted(names=("b", "a")))
    assert {"a", "b"} == set(known.snapshot.nodes)
    queries = [
        {k: v for k, v in query.items() if k != "limit"} for _, query in api.requests
    ]
    assert [
        {"fieldSelector": "metadata.name=a"},
        {"fieldSelector": "metadata.name=b"},
        {"labelSelector": "nfd.node.kubernetes.io/node-name in (a,b)"},
    ] == queries


@pytest.mark.parametrize("count", [MOST_NAMED, MOST_NAMED + 1])
async def test_many_names_are_found_in_one_list_of_all(count: int) -> None:
    names = [f"n{number:02}" for number in range(count)]
    is_few = count <= MOST_NAMED
    pages = [page(node(name)) for name in names]
    if not is_few:
        pages = [page(*map(node, [*names, "other"]))]
    api = scripted(nodes=pages, features=[page()])
    known = await gather(api, Wanted(names=tuple(names)))
    assert names == sorted(known.snapshot.nodes)
    assert is_few is ("labelSelector" in api.requests[-1][1])


async def test_labels_are_the_api_servers_to_select() -> None:
    api = scripted(nodes=[page(node("a"))], features=[page()])
    await gather(api, Wanted(selector="pool in (gpu)"))
    assert "pool in (gpu)" == api.requests[0][1]["labelSelector"]


async def test_a_name_that_is_not_there_is_named() -> None:
    api = scripted(nodes=[page(), page(node("a"))])
    with pytest.raises(ConfigError) as caught:
        await gather(api, Wanted(names=("a", "B,x=y", "0")))
    assert "cluster kind: no such node: 0, B,x=y" == caught.value.message
    assert 2 == len(api.requests)


async def test_labels_that_no_node_has_are_named() -> None:
    with pytest.raises(ConfigError, match="no node has the labels 'a=b'"):
        await gather(scripted(nodes=[page()]), Wanted(selector="a=b"))
    with pytest.raises(ConfigError, match="no label selector"):
        await gather(scripted(), Wanted(selector="=="))


@pytest.mark.parametrize(
    ("answers", "reason", "text"),
    [
        pytest.param(
            {"nodes": [refused(401, "Unauthorized")]},
            "Unauthorized",
            "the credentials are not accepted, or have expired: "
            "the API server answered 401: Unauthorized",
            id="expired",
        ),
        pytest.param(
            {"nodes": [refused(403, "nodes is forbidden")]},
            "Forbidden",
            "no right to list nodes: the API server answered 403: nodes is forbidden",
            id="nodes",
        ),
        pytest.param(
            {"nodes": [page(node("a"))], "features": [refused(403)]},
            "Forbidden",
            "no right to list nodefeatures in node-feature-discovery: "
            "the API server answered 403: no",
            id="features",
        ),
        pytest.param(
            {"nodes": [page(node("a"))], "features": [refused(503)]},
            "ServerError",
            "the API server answered 503: no",
            id="features that are not there now",
        ),
        pytest.param(
            {"nodes": [refused(500)]},
            "ServerError",
            "the API server answered 500: no",
            id="broken",
        ),
        pytest.param(
            {"nodes": [Answer(status=0, fault=ClusterError("Unreachable", "no way"))]},
            "Unreachable",
            "no way",
            id="unreachable",
        ),
    ],
)
async def test_what_cannot_be_asked_is_an_error_that_names_what_is_missing(
    answers: dict[str, list[Answer]], reason: str, text: str
) -> None:
    with pytest.raises(ClusterError) as caught:
        await gather(scripted(**answers))
    assert (reason, text) == (caught.value.reason, caught.value.message)


async def test_without_the_kind_nothing_is_known_of_any_node() -> None:
    api = scripted(nodes=[page(node("a"))], features=[refused(404)])
    wanted = Wanted(namespaces=("node-feature-discovery", "gpu"))
    known = await gather(api, wanted)
    assert ({"a"}, 0) == (set(known.snapshot.nodes), len(known.snapshot.features))
    expected = "the kind NodeFeature is not installed: nothing is known of any node"
    assert (expected,) == known.notes


async def test_namespaces_without_features_are_a_note() -> None:
    known = await gather(scripted(nodes=[page(node("a"))], features=[page()]))
    expected = "no NodeFeature in node-feature-discovery: name NFD's --nfd-namespace"
    assert (expected,) == known.notes
    empty = await gather(scripted(nodes=[page()], features=[page()]))
    assert () == empty.notes


async def test_what_cannot_be_read_is_a_note() -> None:
    broken = node_feature("a", {"flags": {"f": {"elements": 5}}})
    api = scripted(nodes=[page(node("a"), {"metadata": 5})], features=[page(broken)])
    known = await gather(api)
    assert {} == known.snapshot.features
    assert (
        "1 of the nodes cannot be read",
        "NodeFeature node-feature-discovery/a cannot be read",
    ) == known.notes


@pytest.mark.parametrize("expiries", [MAX_RESTARTS, MAX_RESTARTS + 1])
async def test_a_list_that_expires_begins_anew(expiries: int) -> None:
    halves = [page(node("a"), token="old"), refused(410, "expired")] * expiries
    api = scripted(nodes=[*halves, page(node("b"))], features=[page()])
    if expiries <= MAX_RESTARTS:
        assert {"b"} == set((await gather(api)).snapshot.nodes)
        return
    with pytest.raises(ClusterError, match="410: expired"):
        await gather(api)
