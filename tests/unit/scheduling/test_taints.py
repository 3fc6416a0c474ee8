from __future__ import annotations

import pytest

from app.scheduling.node import Taint
from app.scheduling.taints import TRANSIENT, Tolerated, Toleration, Transient

TAINT = Taint("gpu", "a", "NoSchedule")


@pytest.mark.parametrize(
    ("expected", "toleration"),
    [
        pytest.param(
            True, Toleration("gpu", "Equal", "a", "NoSchedule"), id="the-same"
        ),
        pytest.param(True, Toleration("gpu", "", "a"), id="no-operator-is-equal"),
        pytest.param(False, Toleration("gpu", "Equal", "b"), id="another-value"),
        pytest.param(False, Toleration("gpu"), id="the-empty-value-is-a-value"),
        pytest.param(True, Toleration("gpu", "Exists"), id="exists"),
        pytest.param(True, Toleration("gpu", "Exists", "b"), id="exists-takes-any"),
        pytest.param(False, Toleration("cpu", "Exists"), id="another-key"),
        pytest.param(
            False, Toleration("gpu", "Exists", effect="NoExecute"), id="another-effect"
        ),
        pytest.param(True, Toleration(operator="Exists"), id="everything"),
        pytest.param(
            True,
            Toleration(operator="Exists", effect="NoSchedule"),
            id="everything-of-an-effect",
        ),
        pytest.param(True, Toleration("", "Equal", "a"), id="any-key-with-the-value"),
        pytest.param(False, Toleration("", "Equal", "b"), id="any-key-other-value"),
        pytest.param(False, Toleration("gpu", "Gt", "0"), id="gt-is-off"),
        pytest.param(False, Toleration("gpu", "Lt", "9"), id="lt-is-off"),
        pytest.param(False, Toleration("gpu", "exists"), id="unknown-operator"),
    ],
)
def test_a_toleration_covers_a_taint(expected: bool, toleration: Toleration) -> None:
    assert expected is (TAINT in Tolerated([toleration]))


def test_one_of_several_tolerations_is_enough() -> None:
    others = [Toleration("x", "Exists"), Toleration("gpu", "Equal", "b")]
    assert TAINT not in Tolerated(others)
    assert TAINT in Tolerated([*others, Toleration("gpu", "Exists")])


def test_without_tolerations_nothing_is_tolerated() -> None:
    assert TAINT not in Tolerated([])


@pytest.mark.parametrize(
    ("expected", "tolerations"),
    [
        pytest.param(set(), [], id="none"),
        pytest.param({"a"}, [Toleration("gpu", "", "a")], id="one"),
        pytest.param(
            {"a", "b", "c"},
            [
                Toleration("gpu", "Equal", "a"),
                Toleration("gpu", "Equal", "b", "NoSchedule"),
                Toleration("", "Equal", "c"),
                Toleration("gpu", "Equal", "d", "NoExecute"),
                Toleration("cpu", "Equal", "e"),
            ],
            id="of-all-that-apply",
        ),
        pytest.param(
            None, [Toleration("gpu", "", "a"), Toleration("", "Exists")], id="all"
        ),
    ],
)
def test_values_with_which_a_taint_is_tolerated(
    expected: set[str] | None, tolerations: list[Toleration]
) -> None:
    assert expected == Tolerated(tolerations).values("gpu", "NoSchedule")


@pytest.mark.parametrize(
    ("expected", "key"),
    [
        pytest.param(True, "node.kubernetes.io/not-ready", id="not-ready"),
        pytest.param(True, "node.kubernetes.io/unschedulable", id="cordon"),
        pytest.param(True, "ToBeDeletedByClusterAutoscaler", id="autoscaler"),
        pytest.param(True, "karpenter.sh/disrupted", id="karpenter"),
        pytest.param(True, "startup-taint.example.com/x", id="prefix"),
        pytest.param(
            True, "ignore-taint.cluster-autoscaler.kubernetes.io/x", id="long-prefix"
        ),
        pytest.param(False, "node.kubernetes.io/not-ready-yet", id="longer-key"),
        pytest.param(False, "node-role.kubernetes.io/control-plane", id="role"),
        pytest.param(False, "", id="empty"),
    ],
)
def test_transient_taints_are_those_that_go_away(expected: bool, key: str) -> None:
    assert expected is (key in TRANSIENT)


def test_the_list_of_transient_taints_can_be_extended() -> None:
    extended = TRANSIENT.extended(["example.com/booting", "boot.example.com/*"])
    assert "example.com/booting" in extended
    assert "boot.example.com/disk" in extended
    assert "node.kubernetes.io/not-ready" in extended
    assert "startup-taint.x" in extended
    assert "example.com/booting-later" not in extended
    assert "example.com/booting" not in TRANSIENT


def test_nothing_is_transient_in_an_empty_list() -> None:
    assert "node.kubernetes.io/not-ready" not in Transient(frozenset())
