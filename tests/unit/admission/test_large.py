"""Reviews that are too large to be built whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.admission import review
from app.admission.annotations import OUTPUT_KEYS
from app.admission.large import MAX_VALUES, MAX_WHOLE_BYTES
from app.admission.policy import MODE_KEY
from app.errors import ReviewError
from app.scheduling import kinds, podspec
from app.scheduling.manifest import TOO_LARGE

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {
        "name": "p",
        "creationTimestamp": None,
        "labels": {"a": "b"},
        "annotations": {"a": "b", "imagecompat.dev/mode": "warn"},
        "ownerReferences": [
            {"kind": "Job", "name": "j", "apiVersion": "batch/v1", "controller": True}
        ],
    },
    "spec": {
        "containers": [
            {"name": "c", "image": "i", "resources": {}, "env": [{"name": "A"}]}
        ],
        "initContainers": [{"name": "d", "image": "j"}],
        "ephemeralContainers": [{"name": "e", "image": "k"}],
        "volumes": [{"name": "v", "image": {"reference": "r"}}, {"name": "w"}],
        "nodeName": "n",
        "nodeSelector": {"zone": "a"},
        "affinity": {
            "nodeAffinity": {
                REQUIRED: {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": "q", "operator": "In", "values": ["a", "b"]}
                            ]
                        }
                    ]
                }
            },
            "podAffinity": {},
        },
        "tolerations": [{"key": "t", "operator": "Exists", "tolerationSeconds": 3}],
        "schedulerName": "s",
        "serviceAccountName": "robot",
        "imagePullSecrets": [{"name": "s"}, {"name": "t"}],
        "os": {"name": "linux"},
    },
    "status": {},
}


def read(obj: object, *, size: int = MAX_WHOLE_BYTES + 1, **request: Any) -> Any:
    """What a review of `size` bytes is read as."""
    envelope = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"uid": "u", "object": obj, **request},
        "padding": "",
    }
    missing = size - len(json.dumps(envelope))
    return review.read(json.dumps({**envelope, "padding": "x" * missing}).encode())


def spec(**parts: Any) -> Any:
    return read({"spec": parts}).object["spec"]


def test_a_review_is_built_whole_up_to_a_limit() -> None:
    assert POD == read(POD, size=MAX_WHOLE_BYTES).object
    assert "status" not in read(POD, size=MAX_WHOLE_BYTES + 1).object


def test_of_a_large_review_all_is_read_that_we_look_at() -> None:
    large = read(POD, oldObject=POD, name="p")
    assert podspec.of(kinds.POD, POD) == podspec.of(kinds.POD, large.object)
    assert large.object == large.old_object
    assert {"imagecompat.dev/mode": "warn"} == large.object["metadata"]["annotations"]
    assert ("u", "p") == (large.uid, large.name)
    assert [{"name": "c", "image": "i"}] == large.object["spec"]["containers"]


@pytest.mark.parametrize("kind", kinds.KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_is_read(kind: kinds.Kind) -> None:
    obj = POD
    for key in reversed(kind.template):
        obj = {key: obj}
    assert podspec.of(kind, obj) == podspec.of(kind, read(obj).object)


def test_annotations_are_those_that_we_write_or_read() -> None:
    ours = dict.fromkeys((*OUTPUT_KEYS, MODE_KEY, "kubernetes.io/config.mirror"), "x")
    large = read({"metadata": {"annotations": {**ours, "other": "y"}}})
    assert ours == large.object["metadata"]["annotations"]


def test_nothing_stays_nothing() -> None:
    assert {"containers": None, "affinity": None, "volumes": None} == spec(
        containers=None, affinity=None, volumes=None
    )
    assert read(None).object is None


@pytest.mark.parametrize(
    ("part", "size"),
    [
        # Two each: the comma that the first one lacks is the bracket of the list.
        pytest.param("tolerations", MAX_VALUES // 2, id="list"),
        pytest.param("containers", MAX_VALUES, id="containers"),
        pytest.param("volumes", MAX_VALUES, id="volumes"),
        pytest.param("imagePullSecrets", MAX_VALUES, id="pull-secrets"),
    ],
)
def test_a_part_is_read_up_to_a_limit(part: str, size: int) -> None:
    assert [{}] * size == spec(**{part: [{}] * size})[part]
    assert TOO_LARGE is spec(**{part: [{}] * (size + 1)})[part]


def test_the_limit_is_for_all_parts_together() -> None:
    half: list[dict[str, str]] = [{}] * (MAX_VALUES // 2)
    both = spec(containers=half, initContainers=half, ephemeralContainers=[{}])
    assert [half, half] == [both["containers"], both["initContainers"]]
    assert TOO_LARGE is both["ephemeralContainers"]


def test_what_does_not_count_is_not_counted() -> None:
    many = [{"name": "A"}] * MAX_VALUES * 2
    large = read({"metadata": {"managedFields": many}, "spec": {"hostAliases": many}})
    assert {"metadata": {}, "spec": {}} == large.object


@pytest.mark.parametrize(
    "part",
    [
        pytest.param({"containers": ["c"]}, id="containers"),
        pytest.param({"volumes": {}}, id="volumes"),
    ],
)
def test_a_part_of_another_type_is_not_read(part: dict[str, Any]) -> None:
    assert dict.fromkeys(part, TOO_LARGE) == spec(**part)


@pytest.mark.parametrize(
    "obj",
    [
        pytest.param({"spec": []}, id="spec"),
        pytest.param({"spec": {"nodeName": 1}}, id="text"),
        pytest.param({"metadata": {"name": {}}}, id="name"),
    ],
)
def test_an_object_that_is_no_workload_is_empty(obj: object) -> None:
    assert {} == read(obj).object


def test_an_object_that_is_none_is_refused() -> None:
    with pytest.raises(ReviewError, match="no AdmissionReview"):
        read([])


def test_templates_in_templates_are_refused() -> None:
    obj = b'{"spec":{"template":' * 40_000
    with pytest.raises(ReviewError, match="RecursionError"):
        review.read(b'{"request":{"uid":"u","object":' + obj)
