from typing import Any

import pytest

from app.cli.checking import live
from app.cli.checking.live import Named
from app.cli.checking.manifests import Found
from app.errors import ClusterError, ConfigError
from app.scheduling.kinds import KINDS
from tests.unit.cli.fakeapi import FakeApi

APPS = "/apis/apps/v1/namespaces/ml"
EMPTY: dict[str, Any] = {
    path: {"items": []}
    for path in (
        "/api/v1/namespaces/ml/pods",
        "/api/v1/namespaces/ml/replicationcontrollers",
        f"{APPS}/deployments",
        f"{APPS}/replicasets",
        f"{APPS}/statefulsets",
        f"{APPS}/daemonsets",
        "/apis/batch/v1/namespaces/ml/jobs",
        "/apis/batch/v1/namespaces/ml/cronjobs",
    )
}


def named(name: str, **more: object) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ml", **more}}


def owned(name: str, kind: str, version: str) -> dict[str, Any]:
    owner = {"apiVersion": version, "kind": kind, "name": "x", "controller": True}
    return named(name, ownerReferences=[owner])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("po/x", "Pod"),
        ("pods/x", "Pod"),
        ("Deployment/x", "Deployment"),
        ("deploy/x", "Deployment"),
        ("deployment.apps/x", "Deployment"),
        ("deployments.v1.apps/x", "Deployment"),
        ("rs/x", "ReplicaSet"),
        ("sts/x", "StatefulSet"),
        ("ds/x", "DaemonSet"),
        ("rc/x", "ReplicationController"),
        ("job/x", "Job"),
        ("cronjob.batch/x", "CronJob"),
        ("cj/x", "CronJob"),
    ],
)
def test_objects_go_by_the_names_that_kubectl_takes(text: str, kind: str) -> None:
    assert (Named(KINDS[kind], "x"),) == live.parse([text])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("deploy", "deploy: expected TYPE/NAME"),
        ("deploy/", "deploy/: expected TYPE/NAME"),
        ("deploy/a/b", "deploy/a/b: expected TYPE/NAME"),
        ("svc/x", "svc/x: no type that runs images; expected one of pods, "),
        ("deployment.batch/x", "deployment.batch/x: no type that runs images"),
    ],
)
def test_other_names_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        live.parse([text])
    assert caught.value.message.startswith(message)


async def test_an_object_is_read_in_its_namespace() -> None:
    found = Found()
    api = FakeApi({f"{APPS}/deployments/web": named("web") | {"spec": {"a": 1}}})
    await live.read(api, live.parse(["deploy/web"]), "ml", found)
    (one,) = found.manifests
    assert ("Deployment ml/web", "cluster") == (one.label, one.place)
    assert {"a": 1} == one.object["spec"]


async def test_a_pod_is_read_as_it_was_created() -> None:
    """The webhook was asked before the scheduler chose a node."""
    found = Found()
    path = "/api/v1/namespaces/ml/pods/web"
    api = FakeApi({path: named("web") | {"spec": {"nodeName": "a", "b": 1}}})
    await live.read(api, live.parse(["pod/web"]), "ml", found)
    (one,) = found.manifests
    assert ("a", {"nodeName": "", "b": 1}) == (one.runs_on, one.object["spec"])


@pytest.mark.parametrize("spec", [{"nodeName": 3}, {"nodeName": ""}, {}])
async def test_a_pod_that_runs_nowhere_is_left_as_it_is(spec: dict[str, Any]) -> None:
    found = Found()
    api = FakeApi({"/api/v1/namespaces/ml/pods/web": named("web") | {"spec": spec}})
    await live.read(api, live.parse(["pod/web"]), "ml", found)
    assert ("", spec) == (found.manifests[0].runs_on, found.manifests[0].object["spec"])


async def test_a_node_that_somebody_wrote_into_a_pod_stays() -> None:
    found = Found()
    wrote: dict[str, Any] = {"fieldsV1": {"f:spec": {"f:nodeName": {}}}}
    others: list[dict[str, Any]] = [{"fieldsV1": {"f:status": {}}}, {"manager": "x"}]
    pod = named("web", managedFields=[*others, wrote]) | {"spec": {"nodeName": "a"}}
    api = FakeApi({"/api/v1/namespaces/ml/pods/web": pod})
    await live.read(api, live.parse(["pod/web"]), "ml", found)
    (one,) = found.manifests
    assert ("", {"nodeName": "a"}) == (one.runs_on, one.object["spec"])


async def test_runtime_classes_are_read() -> None:
    found = Found()
    path = "/apis/node.k8s.io/v1/runtimeclasses"
    api = FakeApi({f"{path}/a": {"handler": "x"}, f"{path}/c": 403})
    absent, notes = await live.read_runtime_classes(api, ["a", "b", "c"], found)
    assert ({"a": {"handler": "x"}}, ["b"]) == (found.runtime_classes, absent)
    (note,) = notes
    assert note.startswith("RuntimeClass c: cannot be read: ")


async def test_an_object_that_is_not_there_is_the_callers_mistake() -> None:
    with pytest.raises(ConfigError, match="there is no Deployment ml/web"):
        await live.read(FakeApi(), live.parse(["deploy/web"]), "ml", Found())


async def test_an_object_that_must_not_be_read_is_not_known() -> None:
    api = FakeApi({f"{APPS}/deployments/web": 403})
    with pytest.raises(ClusterError, match=r"ml/web: cannot be read: .* 403"):
        await live.read(api, live.parse(["deploy/web"]), "ml", Found())


async def test_all_of_a_namespace_leaves_out_what_others_made_or_has_ended() -> None:
    found = Found()
    pods = [
        owned("web-1", "ReplicaSet", "apps/v1"),
        owned("task-1", "Workflow", "argoproj.io/v1"),
        named("alone"),
        named("done") | {"status": {"phase": "Succeeded"}},
        named("failed") | {"status": {"phase": "Failed"}},
        named("odd") | {"status": 3},
    ]
    sets = [owned("web", "Deployment", "apps/v1"), named("free")]
    jobs = [owned("night-1", "CronJob", "batch/v1")]
    objects = EMPTY | {
        "/api/v1/namespaces/ml/pods": {"items": pods},
        f"{APPS}/replicasets": {"items": sets},
        f"{APPS}/deployments": {"items": [named("web")]},
        "/apis/batch/v1/namespaces/ml/jobs": {"items": jobs},
    }
    await live.read_all(FakeApi(objects), "ml", found)
    assert [
        "Pod ml/task-1",
        "Pod ml/alone",
        "Pod ml/odd",
        "Deployment ml/web",
        "ReplicaSet ml/free",
    ] == [one.label for one in found.manifests]


async def test_long_lists_are_read_page_by_page() -> None:
    first = "/api/v1/namespaces/ml/pods?limit=500"
    second = "/api/v1/namespaces/ml/pods?continue=more?limit=500"
    objects = EMPTY | {
        first: {"metadata": {"continue": "more"}, "items": [named("a")]},
        second: {"metadata": {}, "items": [named("b")]},
    }
    found = Found()
    await live.read_all(FakeApi(objects), "ml", found)
    assert ["Pod ml/a", "Pod ml/b"] == [one.label for one in found.manifests]


async def test_all_of_the_cluster_is_asked_for_without_a_namespace() -> None:
    objects = {path.replace("/namespaces/ml", ""): one for path, one in EMPTY.items()}
    objects["/apis/batch/v1/cronjobs"] = {"items": [named("night")]}
    found = Found()
    await live.read_all(FakeApi(objects), None, found)
    assert ["CronJob ml/night"] == [one.label for one in found.manifests]


async def test_a_list_that_must_not_be_read_is_not_known() -> None:
    with pytest.raises(ClusterError, match="Pods in the cluster: cannot be read"):
        await live.read_all(FakeApi({"/api/v1/pods": 403}), None, Found())
    api = FakeApi({"/api/v1/namespaces/ml/pods": 403})
    with pytest.raises(ClusterError, match="Pods in namespace ml: cannot be read"):
        await live.read_all(api, "ml", Found())


@pytest.mark.parametrize("most", [2, 1])
async def test_workloads_have_a_bound(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(live, "MAX_OBJECTS", most)
    items = [named("a"), named("b")]
    api = FakeApi(EMPTY | {"/api/v1/namespaces/ml/pods": {"items": items}})
    if most == 2:
        found = Found()
        await live.read_all(api, "ml", found)
        assert 2 == len(found.manifests)
    else:
        with pytest.raises(ConfigError, match="more than 1 workloads"):
            await live.read_all(api, "ml", Found())


async def test_labels_of_namespaces_are_read() -> None:
    api = FakeApi(
        {
            "/api/v1/namespaces/a": {"metadata": {"labels": {"x": "y"}}},
            "/api/v1/namespaces/c": 403,
        }
    )
    labels, notes = await live.read_namespaces(api, ["a", "b", "c"])
    assert {"a": {"x": "y"}} == labels
    (note,) = notes
    assert note.startswith("namespace c: its mode is not known: ")


def test_namespaces_are_those_of_workloads() -> None:
    found = Found()
    for value in ({"namespace": "b"}, {}, {"namespace": "b"}):
        found.take({"apiVersion": "v1", "kind": "Pod", "metadata": value}, "x")
    assert ["b", "default"] == list(live.namespaces_of(found, "default"))
