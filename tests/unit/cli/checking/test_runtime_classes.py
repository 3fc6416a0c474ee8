"""What a RuntimeClass adds to the Pods that name it."""

from __future__ import annotations

from typing import Any

import pytest

from app.cli.checking import runtime_classes
from app.cli.checking.manifests import LIVE, Found
from app.errors import ConfigError

KATA = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "kata"},
    "scheduling": {
        "nodeSelector": {"pool": "kata"},
        "tolerations": [{"key": "kata", "operator": "Exists"}],
    },
}


def pod(**spec: object) -> dict[str, Any]:
    more = {"runtimeClassName": "kata", **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": more}


def found(*objects: dict[str, Any], place: str = "a.yaml:1") -> Found:
    made = Found()
    for one in objects:
        made.take(one, place)
    return made


def test_where_its_pods_may_run_is_written_into_them() -> None:
    tolerations = [{"key": "x"}]
    made = found(pod(nodeSelector={"a": "b"}, tolerations=tolerations), KATA)
    assert [] == runtime_classes.apply(made)
    spec = made.manifests[0].object["spec"]
    assert {"a": "b", "pool": "kata"} == spec["nodeSelector"]
    assert [*tolerations, *KATA["scheduling"]["tolerations"]] == spec["tolerations"]  # type: ignore[index]
    assert {"RuntimeClass": 1} == made.others


def test_and_into_templates_whose_pods_will_have_it() -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j"},
        "spec": {"template": {"spec": {"runtimeClassName": "kata"}}},
    }
    made = found(KATA, job)
    runtime_classes.apply(made)
    spec = made.manifests[0].object["spec"]["template"]["spec"]
    assert {"pool": "kata"} == spec["nodeSelector"]
    assert "nodeSelector" not in job["spec"]["template"]["spec"]  # type: ignore[index]


def test_two_values_of_a_label_refuse_the_pod() -> None:
    made = found(pod(nodeSelector={"pool": "x"}), KATA)
    with pytest.raises(ConfigError) as caught:
        runtime_classes.apply(made)
    text = "nodeSelector pool=x, and RuntimeClass kata wants pool=kata"
    assert f"a.yaml:1: Pod p: {text}: its Pods are refused" == caught.value.message


def test_what_runs_already_is_judged_with_a_note() -> None:
    made = found(pod(nodeSelector={"pool": "x"}), KATA, place=LIVE)
    (note,) = runtime_classes.apply(made)
    assert note.endswith("its Pods are refused")
    assert {"pool": "x"} == made.manifests[0].object["spec"]["nodeSelector"]


def test_a_class_that_nobody_knows_is_noted_once() -> None:
    made = found(pod(), pod())
    assert ["kata"] == runtime_classes.missing(made)
    text = "RuntimeClass kata is not known: where it lets Pods run does not count"
    assert [text] == runtime_classes.apply(made)


def test_a_class_that_is_not_there_refuses_pods() -> None:
    text = "there is no RuntimeClass kata: its Pods are refused"
    assert [text] == runtime_classes.apply(found(pod()), ["kata"])


def test_a_class_among_the_manifests_is_not_missing() -> None:
    assert [] == runtime_classes.missing(found(pod(), KATA))


@pytest.mark.parametrize(
    "scheduling", [None, 3, {}, {"nodeSelector": 3, "tolerations": "x"}]
)
def test_a_class_need_not_say_anything(scheduling: object) -> None:
    made = found(pod(nodeSelector=None, tolerations=None))
    made.runtime_classes["kata"] = {"scheduling": scheduling}
    assert [] == runtime_classes.apply(made)
    spec = made.manifests[0].object["spec"]
    assert ({}, []) == (spec["nodeSelector"], spec["tolerations"])


@pytest.mark.parametrize("spec", [{"runtimeClassName": 3}, 3, None])
def test_a_pod_need_not_name_one(spec: object) -> None:
    one = {"apiVersion": "v1", "kind": "Pod", "spec": spec}
    made = found(one)
    assert ([], []) == (runtime_classes.missing(made), runtime_classes.apply(made))


def test_a_kind_of_another_group_is_none() -> None:
    made = found(KATA | {"apiVersion": "example.com/v1"})
    assert {} == made.runtime_classes
