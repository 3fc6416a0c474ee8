import pytest

from app.admission.policy import (
    Action,
    LabelledModes,
    Mode,
    NodesMayAppear,
    Policy,
    cap,
    mode_of,
    mode_of_pod,
    nodes_may_appear,
)


@pytest.mark.parametrize(
    ("mode", "worst"),
    [
        (Mode.ENFORCE, Action.DENY),
        (Mode.WARN, Action.WARN),
        (Mode.AUDIT, Action.ALLOW),
        (Mode.OFF, Action.ALLOW),
    ],
)
def test_a_mode_caps_the_action(mode: Mode, worst: Action) -> None:
    assert worst is cap(mode)


@pytest.mark.parametrize(
    ("default", "labels", "mode"),
    [
        pytest.param(Mode.ENFORCE, {}, Mode.ENFORCE, id="no label"),
        pytest.param(
            Mode.ENFORCE, {"imagecompat.dev/mode": "audit"}, Mode.AUDIT, id="label"
        ),
        pytest.param(
            Mode.WARN, {"imagecompat.dev/mode": "Deny"}, Mode.WARN, id="no such mode"
        ),
        pytest.param(Mode.ENFORCE, None, Mode.WARN, id="unknown namespace"),
        pytest.param(Mode.AUDIT, None, Mode.AUDIT, id="unknown namespace, audit"),
    ],
)
def test_the_namespace_decides_its_mode(
    default: Mode, labels: dict[str, str] | None, mode: Mode
) -> None:
    assert mode is mode_of(Policy(mode=default), labels)


@pytest.mark.parametrize(
    ("setting", "labels", "expected"),
    [
        pytest.param(NodesMayAppear.AUTO, {"a"}, False, id="auto, bare"),
        pytest.param(
            NodesMayAppear.AUTO,
            {"a", "karpenter.sh/nodepool"},
            True,
            id="auto, one node of a pool",
        ),
        pytest.param(NodesMayAppear.AUTO, set(), False, id="auto, no node"),
        pytest.param(NodesMayAppear.YES, set(), True, id="yes"),
        pytest.param(NodesMayAppear.NO, {"karpenter.sh/nodepool"}, False, id="no"),
    ],
)
def test_nodes_may_appear_where_a_pool_is(
    setting: NodesMayAppear, labels: set[str], expected: bool
) -> None:
    policy = Policy(nodes_may_appear=setting)
    assert expected == nodes_may_appear(policy, labels.__contains__)


def test_actions_are_ordered_by_harm() -> None:
    assert Action.DENY == max(Action.ALLOW, Action.DENY, Action.WARN)


@pytest.mark.parametrize(
    ("allowed", "label", "mode"),
    [
        (LabelledModes.ANY, "enforce", Mode.ENFORCE),
        (LabelledModes.ANY, "off", Mode.OFF),
        (LabelledModes.STRICTER_ONLY, "enforce", Mode.ENFORCE),
        (LabelledModes.STRICTER_ONLY, "warn", Mode.WARN),
        (LabelledModes.STRICTER_ONLY, "audit", Mode.WARN),
        (LabelledModes.OFF, "enforce", Mode.WARN),
        (LabelledModes.OFF, "off", Mode.WARN),
        (LabelledModes.ANY, 3, Mode.WARN),
    ],
)
def test_labels_and_annotations_choose_what_they_may(
    allowed: LabelledModes, label: object, mode: Mode
) -> None:
    policy = Policy(mode=Mode.WARN, namespace_modes=allowed, pod_modes=allowed)
    if isinstance(label, str):
        assert mode is mode_of(policy, {"imagecompat.dev/mode": label})
    notes = {"imagecompat.dev/mode": label}
    assert mode is mode_of_pod(policy, Mode.WARN, notes)


def test_a_pod_chooses_nothing_by_default() -> None:
    notes = {"imagecompat.dev/mode": "off"}
    assert Mode.ENFORCE is mode_of_pod(Policy(), Mode.ENFORCE, notes)
