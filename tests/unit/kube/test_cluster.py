"""The cluster as a review sees it, from recorded answers."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from app.compat.features import Features
from app.errors import ClusterError, ConfigError
from app.kube.cluster import KubeCluster, Status
from app.ports import Cluster, Namespace
from tests.tools.scripted import (
    Answer,
    FakeTime,
    Recorder,
    ScriptedApi,
    bookmark,
    event,
    node,
    node_feature,
)

NODES = "/api/v1/nodes"
NAMESPACES = "/api/v1/namespaces"
FEATURES = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/nfd/nodefeatures"
OTHER = FEATURES.replace("/nfd/", "/other/")


def listed(*objects: Mapping[str, Any]) -> Answer:
    """A streaming list that ends well."""
    added = b"".join(event("ADDED", one) for one in objects)
    return Answer((added + bookmark("10", ends_list=True),))


class Patient(ScriptedApi):
    """Lets whoever asks for more than there is wait, as a watch does."""

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        if isinstance(self.script, dict) and not self.script.get(path):
            self.script[path] = [Answer(status=0, fault=_Forever())]
        return super().get(path, query)


class _Forever(asyncio.CancelledError):
    """Ends the task, as `stop` would."""


async def started(
    script: dict[str, list[Answer]],
    trusted: tuple[str, ...] = ("nfd",),
    time: FakeTime | None = None,
) -> tuple[KubeCluster, Recorder]:
    """A cluster whose watches have read the script to its end."""
    time = time or FakeTime()
    seen = Recorder()
    cluster = KubeCluster(
        Patient(time, script),
        trusted_namespaces=trusted,
        observer=seen,
        clock=time.clock(),
    )
    await cluster.start()
    await asyncio.gather(*cluster._tasks, return_exceptions=True)
    return cluster, seen


def everything(
    *, nodes: Answer | None = None, features: Answer | None = None
) -> dict[str, list[Answer]]:
    """All three kinds, the Namespaces `default` and `team`."""
    namespaces = (
        {"metadata": {"name": "default"}},
        {"metadata": {"name": "team", "labels": {"k": "v"}}},
    )
    return {
        NODES: [nodes or listed(node("n1"), node("n2"))],
        FEATURES: [features or listed(node_feature("n1", flags={"f": ["x"]}))],
        NAMESPACES: [listed(*namespaces)],
    }


X = Features(flags={"f": frozenset({"x"})})


async def test_it_is_a_cluster_as_the_checker_wants_one() -> None:
    cluster, _ = await started(everything())
    port: Cluster = cluster
    assert {"n1", "n2"} == port.snapshot().nodes.keys()
    assert {"n1": X} == port.snapshot().features
    assert cluster.ready()
    assert () == cluster.problems()
    assert 0.0 == port.stale_seconds()


async def test_the_state_in_numbers() -> None:
    cluster, _ = await started(everything())
    status = Status(
        nodes=2,
        known=1,
        feature_sets=1,
        namespaces=2,
        is_kind_absent=False,
        is_data_missing=False,
    )
    assert status == cluster.status()


@pytest.mark.parametrize("missing", [NODES, FEATURES, NAMESPACES])
async def test_nobody_is_ready_before_all_three_are_synced(missing: str) -> None:
    script = everything()
    script[missing] = []
    cluster, _ = await started(script)
    assert not cluster.ready()
    assert 1 == len(cluster.problems())
    assert "first list not complete" in cluster.problems()[0]
    assert math.inf == cluster.stale_seconds()
    assert not cluster.status().is_data_missing


async def test_our_view_is_as_old_as_its_oldest_watch() -> None:
    time = FakeTime()
    cluster, _ = await started(everything(), time=time)
    time.now += 50
    assert 50.0 == cluster.stale_seconds()


async def test_each_resource_is_as_silent_as_its_most_silent_watch() -> None:
    script = everything()
    script[OTHER] = []
    cluster, _ = await started(script, trusted=("nfd", "other"), time=FakeTime())
    assert {
        "nodes": 0.0,
        "nodefeatures": math.inf,
        "namespaces": 0.0,
    } == cluster.silences()


async def test_silence_grows_with_time() -> None:
    time = FakeTime()
    cluster, _ = await started(everything(), time=time)
    time.now += 7
    assert {7.0} == set(cluster.silences().values())


async def test_a_verb_that_rbac_lacks_is_named_with_its_resource() -> None:
    script = everything()
    script[NODES] = [Answer((b"",), status=403)] * 2
    script[FEATURES] = [Answer((b"",), status=403), listed()]
    cluster, _ = await started(script)
    assert not cluster.ready()
    assert (
        "RBAC does not allow: list nodes",
        "RBAC does not allow: watch nodes",
        "RBAC does not allow: watch nodefeatures in nfd",
    ) == cluster.problems()


async def test_a_fault_is_named_with_its_resource() -> None:
    script = everything()
    script[NODES] = [Answer(status=0, fault=ClusterError("Timeout", "no answer"))]
    cluster, _ = await started(script)
    assert ("nodes: Timeout",) == cluster.problems()


async def test_a_watch_that_is_lost_later_keeps_us_ready() -> None:
    script = everything()
    script[NODES].append(Answer(status=0, fault=ClusterError("Timeout", "no answer")))
    cluster, _ = await started(script)
    assert cluster.ready()
    assert ("nodes: Timeout",) == cluster.problems()


async def test_without_the_kind_all_nodes_are_unknown_and_we_are_ready() -> None:
    cluster, seen = await started(everything(features=Answer((b"",), status=404)))
    assert cluster.ready()
    assert cluster.status().is_kind_absent
    assert not cluster.status().is_data_missing
    assert {} == cluster.snapshot().features
    assert [("installed", "nodefeatures", False)] == [
        note for note in seen.notes if note[0] == "installed"
    ]


async def test_nodes_without_any_feature_object_are_noticed() -> None:
    cluster, _ = await started(everything(features=listed()))
    assert cluster.status().is_data_missing
    cluster, _ = await started(everything(nodes=listed(), features=listed()))
    assert not cluster.status().is_data_missing


async def test_a_lost_object_makes_us_stale_but_not_unready() -> None:
    added = event("ADDED", node("n1"))
    broken = Answer((added + b"no json\n" + bookmark("10", ends_list=True),))
    cluster, _ = await started(everything(nodes=broken))
    assert cluster.ready()
    assert ("nodes: an object could not be read",) == cluster.problems()
    assert math.inf == cluster.stale_seconds()


async def test_each_trusted_namespace_has_a_watch_of_its_own() -> None:
    script = everything()
    mine = node_feature("extra", of="n1", namespace="other", flags={"g": ["y"]})
    script[OTHER] = [listed(mine)]
    cluster, _ = await started(script, trusted=("nfd", "other", "nfd"))
    merged = Features(flags={"f": frozenset({"x"}), "g": frozenset({"y"})})
    assert {"n1": merged} == cluster.snapshot().features


async def test_changes_of_every_kind_are_seen() -> None:
    script = everything()
    script[NODES].append(
        Answer((event("ADDED", node("n3", "11")), event("DELETED", node("n2", "12"))))
    )
    script[FEATURES].append(
        Answer(
            (
                event("ADDED", node_feature("n3", version="11", flags={"f": ["x"]})),
                event("DELETED", node_feature("n1", version="12")),
            )
        )
    )
    script[NAMESPACES].append(
        Answer(
            (
                event("MODIFIED", {"metadata": {"name": "team", "labels": {"k": "w"}}}),
                event("DELETED", {"metadata": {"name": "default"}}),
            )
        )
    )
    cluster, _ = await started(script)
    assert {"n1", "n3"} == cluster.snapshot().nodes.keys()
    assert {"n3": X} == cluster.snapshot().features
    team = await cluster.namespace("team", deadline_seconds=1)
    assert Namespace("team", {"k": "w"}) == team
    assert 1 == cluster.status().namespaces


def body(name: str) -> bytes:
    return json.dumps({"metadata": {"name": name, "labels": {"k": "v"}}}).encode()


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        pytest.param(Namespace("new", {"k": "v"}), Answer((body("new"),)), id="there"),
        pytest.param(None, Answer((b"{}",), status=404), id="gone"),
        pytest.param(None, Answer((b"{}",), status=500), id="refused"),
        pytest.param(None, Answer((b"no json",)), id="no object"),
        pytest.param(None, Answer((b"a" * (2**21 + 1),)), id="too large"),
        pytest.param(
            None, Answer(status=0, fault=ClusterError("Timeout", "")), id="no answer"
        ),
    ],
)
async def test_an_unknown_namespace_is_asked_for_once(
    found: Namespace | None, answer: Answer
) -> None:
    script = everything()
    script[f"{NAMESPACES}/new"] = [answer]
    cluster, _ = await started(script)
    assert found == await cluster.namespace("new", deadline_seconds=1)


async def test_a_known_namespace_is_not_asked_for() -> None:
    cluster, _ = await started(everything())
    assert Namespace("default") == await cluster.namespace(
        "default", deadline_seconds=1
    )


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "x" * 64, "a?b"])
async def test_what_is_no_namespace_name_is_not_asked_for(name: str) -> None:
    cluster, _ = await started(everything())
    assert await cluster.namespace(name, deadline_seconds=1) is None


async def test_a_namespace_that_takes_too_long_is_not_to_be_had() -> None:
    cluster = KubeCluster(_Waiting(FakeTime(), []), trusted_namespaces=["nfd"])
    assert await cluster.namespace("new", deadline_seconds=0) is None


@pytest.mark.parametrize(
    ("trusted", "message"),
    [
        ((), "no namespace is trusted"),
        (("nfd", "../x"), r"'\.\./x': no namespace name"),
        (("Nfd",), "'Nfd': no namespace name"),
        (("x" * 64,), "no namespace name"),
    ],
)
def test_trusted_namespaces_must_be_names(
    trusted: tuple[str, ...], message: str
) -> None:
    api = ScriptedApi(FakeTime(), [])
    with pytest.raises(ConfigError, match=message):
        KubeCluster(api, trusted_namespaces=trusted)
    assert not KubeCluster(api, trusted_namespaces=["x" * 63]).ready()


async def test_a_fault_of_ours_does_not_end_a_watch_for_good() -> None:
    script = everything()
    script[NODES] = [
        Answer(status=0, fault=ZeroDivisionError("ours")),
        listed(node("n1")),
    ]
    time = FakeTime()
    cluster, seen = await started(script, time=time)
    assert cluster.ready()
    assert {"n1"} == cluster.snapshot().nodes.keys()
    assert ("failed", "nodes", "Internal") in seen.notes
    assert "crash" in seen.counts
    assert [30.0] == time.sleeps


async def test_stop_ends_the_watches_and_keeps_what_is_known() -> None:
    time = FakeTime()
    cluster = KubeCluster(
        _Waiting(time, everything()), trusted_namespaces=["nfd"], clock=time.clock()
    )
    await cluster.start()
    for _ in range(50):
        await asyncio.sleep(0)
    assert cluster.ready()
    tasks = list(cluster._tasks)
    assert not any(task.done() for task in tasks)
    await cluster.stop()
    assert all(task.cancelled() for task in tasks)
    assert {"n1": X} == cluster.snapshot().features


class _Waiting(ScriptedApi):
    """A second request is never answered."""

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        if isinstance(self.script, dict) and self.script.get(path):
            return super().get(path, query)
        return _Never()


class _Never:
    async def __aenter__(self) -> Callable[[], None]:
        await asyncio.Event().wait()
        raise AssertionError("nobody comes here")

    async def __aexit__(self, *_: object) -> None:
        return
