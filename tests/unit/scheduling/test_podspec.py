from __future__ import annotations

from typing import Any

import pytest

from app.scheduling import kinds
from app.scheduling.manifest import MAX_UNREADABLE, TOO_LARGE
from app.scheduling.placement import EVERYTHING, NodeTerm, Placement
from app.scheduling.podspec import (
    MAX_CONTAINERS,
    MAX_PULL_SECRETS,
    ContainerKind,
    ImageUse,
    ImageVolume,
    Owner,
    PodSpec,
    images_changed,
    of,
)
from app.scheduling.selector import Requirement
from app.scheduling.taints import Toleration

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
CONTAINERS = [{"name": "c", "image": "i"}]
IMAGES = (ImageUse("c", "i", "containers"),)


def pod(**spec: Any) -> PodSpec:
    return of(kinds.POD, {"spec": {"containers": CONTAINERS, **spec}})


def owned(*references: Any) -> PodSpec:
    return of(kinds.POD, {"metadata": {"ownerReferences": list(references)}})


@pytest.mark.parametrize("kind", kinds.KINDS.values(), ids=lambda kind: kind.name)
def test_images_are_found_in_every_kind(kind: kinds.Kind) -> None:
    obj: dict[str, Any] = {"spec": {"containers": CONTAINERS, "nodeName": "n"}}
    for key in reversed(kind.template):
        obj = {key: obj}
    assert PodSpec(IMAGES, Placement(node_name="n")) == of(kind, obj)


def test_containers_of_all_kinds_count() -> None:
    spec = pod(
        ephemeralContainers=[{"name": "e", "image": "k"}],
        initContainers=[{"name": "s", "image": "j", "restartPolicy": "Always"}],
    )
    assert (
        ImageUse("c", "i", "containers"),
        ImageUse("s", "j", "initContainers"),
        ImageUse("e", "k", "ephemeralContainers"),
    ) == spec.images


def test_image_volumes_are_reported() -> None:
    spec = pod(
        volumes=[
            {"name": "v", "image": {"reference": "models:1", "pullPolicy": "Always"}},
            {"name": "w", "emptyDir": {}},
            {"name": "x", "image": {}},
        ]
    )
    assert (ImageVolume("v", "models:1"),) == spec.image_volumes
    assert IMAGES == spec.images


def test_everything_about_placement_is_read() -> None:
    requirement = {"key": "zone", "operator": "In", "values": ["a", "b"]}
    field = {"key": "metadata.name", "operator": "In", "values": ["n"]}
    term = {"matchExpressions": [requirement], "matchFields": [field]}
    spec = pod(
        nodeName="n",
        nodeSelector={"b": "2", "a": "1"},
        schedulerName="mine",
        os={"name": "linux"},
        tolerations=[
            {"key": "k", "operator": "Equal", "value": "v", "effect": "NoExecute"},
            {"operator": "Exists", "tolerationSeconds": 5},
        ],
        affinity={
            "nodeAffinity": {
                REQUIRED: {"nodeSelectorTerms": [term]},
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}],
            },
            "podAffinity": {},
        },
    )
    assert (
        Placement(
            node_name="n",
            node_selector=(("a", "1"), ("b", "2")),
            required_terms=(
                NodeTerm(
                    (Requirement("zone", "In", ("a", "b")),),
                    (Requirement("metadata.name", "In", ("n",)),),
                ),
            ),
            tolerations=(
                Toleration("k", "Equal", "v", "NoExecute"),
                Toleration(operator="Exists"),
            ),
            scheduler_name="mine",
            os="linux",
        )
        == spec.placement
    )
    assert () == spec.unreadable


@pytest.mark.parametrize(
    ("expected", "affinity"),
    [
        pytest.param(None, None, id="no-affinity"),
        pytest.param(None, {"nodeAffinity": None}, id="no-node-affinity"),
        pytest.param(None, {"nodeAffinity": {REQUIRED: None}}, id="not-required"),
        pytest.param((), {"nodeAffinity": {REQUIRED: {}}}, id="terms-absent"),
        pytest.param(
            (),
            {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": None}}},
            id="terms-null",
        ),
        pytest.param(
            (), {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}}, id="no-terms"
        ),
        pytest.param(
            (NodeTerm(), NodeTerm(), NodeTerm()),
            {
                "nodeAffinity": {
                    REQUIRED: {
                        "nodeSelectorTerms": [{}, None, {"matchFields": None}],
                    }
                }
            },
            id="empty-terms",
        ),
    ],
)
def test_an_affinity_without_terms_is_not_an_absent_one(
    expected: tuple[NodeTerm, ...] | None, affinity: Any
) -> None:
    spec = pod(affinity=affinity)
    assert expected == spec.placement.required_terms
    assert () == spec.unreadable


def test_null_is_the_zero_value_as_in_go() -> None:
    spec = pod(
        nodeName=None,
        nodeSelector={"a": None},
        schedulerName=None,
        os=None,
        tolerations=[None],
        affinity={
            "nodeAffinity": {
                REQUIRED: {
                    "nodeSelectorTerms": [{"matchExpressions": [{"values": [None]}]}]
                }
            }
        },
        volumes=None,
    )
    assert (
        Placement(
            node_selector=(("a", ""),),
            required_terms=(NodeTerm((Requirement("", "", ("",)),)),),
            tolerations=(Toleration(),),
        )
        == spec.placement
    )
    assert () == spec.unreadable


@pytest.mark.parametrize(
    ("path", "spec"),
    [
        pytest.param("spec.nodeName", {"nodeName": 1}, id="node-name"),
        pytest.param("spec.nodeSelector", {"nodeSelector": ["a"]}, id="selector"),
        pytest.param("spec.nodeSelector", {"nodeSelector": {"a": 1}}, id="label"),
        pytest.param("spec.tolerations", {"tolerations": {}}, id="tolerations"),
        pytest.param("spec.tolerations[1]", {"tolerations": [{}, 1]}, id="toleration"),
        pytest.param(
            "spec.tolerations[0].key", {"tolerations": [{"key": []}]}, id="key"
        ),
        pytest.param("spec.os", {"os": "linux"}, id="os"),
        pytest.param("spec.affinity", {"affinity": []}, id="affinity"),
        pytest.param(
            f"spec.affinity.nodeAffinity.{REQUIRED}",
            {"affinity": {"nodeAffinity": {REQUIRED: []}}},
            id="required",
        ),
        pytest.param(
            f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0]"
            ".matchExpressions[0].values[0]",
            {
                "affinity": {
                    "nodeAffinity": {
                        REQUIRED: {
                            "nodeSelectorTerms": [
                                {"matchExpressions": [{"values": [1]}]}
                            ]
                        }
                    }
                }
            },
            id="value",
        ),
        pytest.param("spec.containers[1]", {"containers": [*CONTAINERS, "i"]}, id="c"),
        pytest.param("spec.initContainers", {"initContainers": "i"}, id="init"),
        pytest.param(
            "spec.initContainers[0].image", {"initContainers": [{"name": "s"}]}, id="im"
        ),
        pytest.param(
            "spec.initContainers[0].name", {"initContainers": [{"image": "i"}]}, id="na"
        ),
        pytest.param("spec.volumes[0].image", {"volumes": [{"image": 1}]}, id="volume"),
    ],
)
def test_what_cannot_be_read_is_named_and_left_out(
    path: str, spec: dict[str, Any]
) -> None:
    read = pod(**spec)
    assert path == read.unreadable[0]
    assert IMAGES == read.images


@pytest.mark.parametrize(
    ("path", "kind", "obj"),
    [
        pytest.param("spec", kinds.POD, {"spec": []}, id="pod"),
        pytest.param(
            "spec.template",
            kinds.KINDS["Deployment"],
            {"spec": {"template": "t"}},
            id="template",
        ),
        pytest.param(
            "spec.jobTemplate.spec",
            kinds.KINDS["CronJob"],
            {"spec": {"jobTemplate": {"spec": 1}}},
            id="inner-spec",
        ),
        pytest.param("metadata", kinds.POD, {"metadata": 1}, id="metadata"),
    ],
)
def test_an_object_of_another_shape_asks_for_nothing(
    path: str, kind: kinds.Kind, obj: dict[str, Any]
) -> None:
    assert PodSpec(unreadable=(path,)) == of(kind, obj)


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(MAX_UNREADABLE, id="limit"),
        pytest.param(MAX_UNREADABLE + 1, id="beyond"),
    ],
)
def test_the_list_of_unreadable_parts_is_bounded(count: int) -> None:
    assert MAX_UNREADABLE == len(pod(tolerations=[1] * count).unreadable)


def test_the_controller_is_the_first_owner_marked_so() -> None:
    spec = owned(
        {"kind": "Thing", "name": "t", "apiVersion": "x/v1"},
        {"kind": "Odd", "name": "o", "apiVersion": "x/v1", "controller": "true"},
        {
            "kind": "ReplicaSet",
            "name": "r",
            "apiVersion": "apps/v1",
            "controller": True,
        },
        {"kind": "Job", "name": "j", "apiVersion": "batch/v1", "controller": True},
    )
    assert Owner("ReplicaSet", "r", "apps") == spec.controller


@pytest.mark.parametrize(
    ("is_owned", "is_daemon_set_pod", "kind", "api_version"),
    [
        pytest.param(True, False, "ReplicaSet", "apps/v1", id="replicaset"),
        pytest.param(True, True, "DaemonSet", "apps/v1", id="daemonset"),
        pytest.param(True, False, "ReplicationController", "v1", id="core"),
        pytest.param(False, True, "DaemonSet", "apps.kruise.io/v1", id="a-namesake"),
        pytest.param(False, False, "Rollout", "argoproj.io/v1", id="not-of-the-table"),
    ],
)
def test_an_object_may_be_owned(
    is_owned: bool, is_daemon_set_pod: bool, kind: str, api_version: str
) -> None:
    spec = owned({"kind": kind, "apiVersion": api_version, "controller": True})
    assert is_owned is spec.is_owned
    assert is_daemon_set_pod is spec.is_daemon_set_pod


def test_an_object_without_owner_is_not_owned() -> None:
    assert not owned().is_owned
    assert not owned().is_daemon_set_pod


def uses(*found: tuple[str, str, ContainerKind]) -> PodSpec:
    return PodSpec(tuple(ImageUse(*each) for each in found))


OLD = uses(("a", "i:1", "containers"), ("b", "j", "initContainers"))


@pytest.mark.parametrize(
    ("expected", "new"),
    [
        pytest.param((), OLD, id="nothing"),
        pytest.param((), uses(("a", "i:1", "containers")), id="one-less"),
        pytest.param(
            (ImageUse("a", "i:2", "containers"),),
            uses(("a", "i:2", "containers"), ("b", "j", "initContainers")),
            id="another-image",
        ),
        pytest.param(
            (ImageUse("d", "k", "ephemeralContainers"),),
            uses(("a", "i:1", "containers"), ("d", "k", "ephemeralContainers")),
            id="another-container",
        ),
        pytest.param(
            (ImageUse("b", "j", "containers"),),
            uses(("b", "j", "containers")),
            id="the-name-in-another-list",
        ),
    ],
)
def test_what_a_request_adds_or_changes(
    expected: tuple[ImageUse, ...], new: PodSpec
) -> None:
    assert expected == images_changed(OLD, new)


def test_every_image_of_a_new_object_is_new() -> None:
    assert OLD.images == images_changed(None, OLD)


def test_the_service_account_is_read() -> None:
    pod = of(kinds.POD, {"spec": {"serviceAccountName": "robot"}})
    assert "robot" == pod.service_account


@pytest.mark.parametrize(
    ("expected", "has_any", "given"),
    [
        pytest.param(("b", "a"), True, [{"name": "b"}, {"name": "a"}], id="in-order"),
        pytest.param(("a",), True, [{"name": ""}, {}, {"name": "a"}], id="empty-ones"),
        pytest.param(("a",), True, [{"name": "a"}, {"name": "a"}], id="twice"),
        pytest.param((), True, [{"name": ""}], id="empty-ones-alone"),
        pytest.param((), True, TOO_LARGE, id="too-large"),
        pytest.param((), False, [], id="none"),
        pytest.param((), False, None, id="null"),
    ],
)
def test_pull_secrets_are_read(
    expected: tuple[str, ...], has_any: bool, given: object
) -> None:
    read = pod(imagePullSecrets=given)
    assert (expected, has_any) == (read.pull_secrets, read.has_pull_secrets)
    assert () == read.unreadable


@pytest.mark.parametrize(
    ("expected", "unreadable", "given"),
    [
        pytest.param((), "", "s", id="text"),
        pytest.param((), "", {"name": "s"}, id="object"),
        pytest.param(("a",), "[0]", ["s", {"name": "a"}], id="text-in-it"),
        pytest.param(("a",), "[1].name", [{"name": "a"}, {"name": 7}], id="number"),
        pytest.param(("a",), "[0].name", [{"name": ["s"]}, {"name": "a"}], id="list"),
    ],
)
def test_pull_secrets_of_another_type_are_left_out_and_noted(
    expected: tuple[str, ...], unreadable: str, given: object
) -> None:
    read = pod(imagePullSecrets=given)
    assert (IMAGES, expected) == (read.images, read.pull_secrets)
    assert (f"spec.imagePullSecrets{unreadable}",) == read.unreadable


@pytest.mark.parametrize("count", [MAX_PULL_SECRETS, MAX_PULL_SECRETS + 1])
def test_pull_secrets_are_read_up_to_a_limit(count: int) -> None:
    read = pod(imagePullSecrets=[{"name": f"s{at}"} for at in range(count)])
    assert tuple(f"s{at}" for at in range(MAX_PULL_SECRETS)) == read.pull_secrets


# Parts that are too large


@pytest.mark.parametrize(
    ("expected", "spec"),
    [
        pytest.param(
            Placement(left_out=("NodeAffinity",)),
            {"nodeSelector": TOO_LARGE},
            id="selector",
        ),
        *(
            pytest.param(
                Placement(left_out=("NodeAffinity",)), {"affinity": affinity}, id=name
            )
            for name, affinity in (
                ("affinity", TOO_LARGE),
                ("node-affinity", {"nodeAffinity": TOO_LARGE}),
                ("required", {"nodeAffinity": {REQUIRED: TOO_LARGE}}),
                (
                    "terms",
                    {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": TOO_LARGE}}},
                ),
            )
        ),
        pytest.param(
            Placement(
                tolerations=EVERYTHING,
                left_out=("NodeUnschedulable", "TaintToleration"),
            ),
            {"tolerations": TOO_LARGE},
            id="tolerations",
        ),
        pytest.param(Placement(), {"volumes": TOO_LARGE}, id="volumes"),
    ],
)
def test_a_part_that_is_too_large_leaves_its_filter_out(
    expected: Placement, spec: dict[str, Any]
) -> None:
    read = pod(**spec)
    assert (expected, IMAGES, ()) == (read.placement, read.images, read.unreadable)
    assert read.too_large


@pytest.mark.parametrize(
    ("too_large", "count"),
    [
        pytest.param(set(), MAX_CONTAINERS, id="limit"),
        pytest.param({"initContainers"}, MAX_CONTAINERS + 1, id="beyond"),
    ],
)
def test_containers_of_a_list_are_read_up_to_a_limit(
    too_large: set[str], count: int
) -> None:
    many = [{"name": f"c{number}", "image": "j"} for number in range(count)]
    read = pod(initContainers=many)
    assert 1 + MAX_CONTAINERS == len(read.images)
    assert too_large == read.too_large


def test_of_containers_that_were_not_read_none_is_new() -> None:
    old = pod(initContainers=TOO_LARGE)
    new = pod(initContainers=[{"name": "s", "image": "j"}])
    assert () == images_changed(old, new)
    assert new.images == images_changed(None, new)
    changed = of(kinds.POD, {"spec": {"containers": [{"name": "c", "image": "k"}]}})
    assert changed.images == images_changed(old, changed)


def test_a_pod_whose_owners_are_too_many_may_be_a_daemon_sets() -> None:
    read = of(kinds.POD, {"metadata": {"ownerReferences": TOO_LARGE}})
    assert (True, False) == (read.is_daemon_set_pod, read.is_owned)


def test_a_selector_with_other_keys_than_texts_is_read_without_them() -> None:
    read = pod(nodeSelector={1: "a", "b": "2"})
    assert (("b", "2"),) == read.placement.node_selector
    assert ("spec.nodeSelector",) == read.unreadable
