"""Golden texts: what kubectl prints, character by character."""

from dataclasses import replace
from typing import Any

import pytest

from app.admission import message
from app.admission.findings import (
    Answer,
    Closest,
    Group,
    ImageFinding,
    PodFinding,
    Unmet,
)
from app.admission.message import Detail
from app.admission.policy import Action, Mode, Policy
from app.admission.verdict import decide


def denial(
    finding: PodFinding,
    policy: Policy | None = None,
    detail: Detail = Detail.FULL,
) -> str:
    decision = decide(policy or Policy(), Mode.ENFORCE, finding)
    assert Action.DENY is decision.action
    return message.denial(finding, decision, detail)


def warned(
    finding: PodFinding,
    policy: Policy | None = None,
    mode: Mode = Mode.WARN,
) -> tuple[str, ...]:
    decision = decide(policy or Policy(), mode, finding)
    return message.warnings(finding, decision, Detail.FULL)


def test_a_misfit_of_one_image(one_image: PodFinding) -> None:
    expected = """\
[IC101] no node fits the image: 0 of 3 candidate nodes fit (excluded: NodeAffinity 2)
container trainer: registry.example.com/ml/trainer:2.1, spec 3f9a2c01
- gpu-a, gpu-b: rule "driver": kernel.loadedmodule nvidia: want Exists, found not loaded
- cpu-c: rule "driver": kernel.loadedmodule nvidia: want Exists, found not loaded; \
rule "cpu": cpu.cpuid AVX512F: want Exists, found absent
closest: gpu-a, 1 change would do: kernel.loadedmodule nvidia: want Exists, \
found not loaded
counting the 5 nodes that exist now"""
    assert expected == denial(one_image)


def test_a_misfit_of_two_images(two_images: PodFinding) -> None:
    expected = """\
[IC101] no node fits all images: 0 of 2 candidate nodes fit
container trainer: registry.example.com/ml/trainer:2.1, spec 3f9a2c01
container dpdk +1 more: registry.example.com/net/dpdk:24.11, spec 88d1e07b
- gpu-a: dpdk: rule "vfio": kernel.loadedmodule vfio_pci: want Exists, found not loaded
- gpu-b: trainer: rule "driver": kernel.loadedmodule nvidia: want Exists, \
found not loaded
closest: gpu-a, 1 change would do: dpdk: kernel.loadedmodule vfio_pci: want Exists, \
found not loaded
counting the 2 nodes that exist now"""
    assert expected == denial(two_images)


def test_an_image_without_a_spec_is_no_reason_to_say_all_images(
    one_image: PodFinding,
) -> None:
    plain = ImageFinding("plain:1", ("side",), {Answer.MISSING: ""})
    finding = replace(one_image, images=(plain, *one_image.images))
    assert denial(finding).startswith("[IC101] no node fits the image: ")
    assert "plain:1" not in denial(finding)


def test_counts_name_no_node_and_no_feature(one_image: PodFinding) -> None:
    expected = """\
[IC101] no node fits the image: 0 of 3 candidate nodes fit (excluded: NodeAffinity 2)
container trainer: registry.example.com/ml/trainer:2.1, spec 3f9a2c01
counting the 5 nodes that exist now"""
    assert expected == denial(one_image, detail=Detail.COUNTS)


def test_one_candidate_is_one_node(one_image: PodFinding) -> None:
    one = replace(one_image, candidates=1, known_nodes=1, excluded={}, groups=())
    expected = """\
[IC101] no node fits the image: 0 of 1 candidate node fit
container trainer: registry.example.com/ml/trainer:2.1, spec 3f9a2c01
closest: gpu-a, 1 change would do: kernel.loadedmodule nvidia: want Exists, \
found not loaded
counting the 1 node that exists now"""
    assert expected == denial(one)


FIXED = Unmet(0, "cpu", "cpu.cpuid AVX512F", "Exists", "absent")


def test_what_cannot_be_changed_is_said(one_image: PodFinding) -> None:
    closest = Closest("cpu-c", (FIXED,) * 3, more=2, more_fixed=1)
    text = denial(replace(one_image, closest=closest, groups=()))
    expected = (
        "closest: cpu-c, lacks 5: "
        "cpu.cpuid AVX512F: want Exists, found absent (cannot be changed); "
        "cpu.cpuid AVX512F: want Exists, found absent (cannot be changed); "
        "cpu.cpuid AVX512F: want Exists, found absent (cannot be changed); +2 more"
    )
    assert expected in text.splitlines()


@pytest.mark.parametrize(
    ("closest", "expected"),
    [
        pytest.param(Closest("a", (replace(FIXED, changeable=True),)), True, id="yes"),
        pytest.param(Closest("a", (FIXED,)), False, id="no"),
        pytest.param(
            Closest("a", (replace(FIXED, changeable=True),), 2, 1), False, id="the rest"
        ),
    ],
)
def test_a_node_can_be_changed_if_all_that_it_lacks_can(
    closest: Closest, *, expected: bool
) -> None:
    assert expected is closest.is_changeable


@pytest.mark.parametrize(
    ("unmet", "expected"),
    [
        pytest.param(
            Unmet(0, "gpu", "", "", "", changeable=True),
            'rule "gpu" does not match',
            id="a rule of which no more is known",
        ),
        pytest.param(
            Unmet(0, "", "", "", ""), "no compatibility set fits", id="a whole spec"
        ),
        pytest.param(
            Unmet(0, "r", "rule.matched gpu", "Exists", ""),
            'rule "r": rule.matched gpu: want Exists',
            id="nothing is known of what was found",
        ),
        pytest.param(
            Unmet(0, "", "image index", "a manifest for linux/arm64", "none"),
            "image index: want a manifest for linux/arm64, found none",
            id="no rule",
        ),
    ],
)
def test_a_reason_in_words(one_image: PodFinding, unmet: Unmet, expected: str) -> None:
    finding = replace(one_image, groups=(Group(3, ("a", "b", "c"), (unmet,)),))
    assert f"- a, b, c: {expected}" in denial(finding).splitlines()


def test_nodes_reasons_and_images_beyond_the_most_are_counted(
    trainer: ImageFinding,
) -> None:
    unmet = tuple(Unmet(0, "r", f"f{n}", "w", "x") for n in range(3))
    finding = PodFinding(
        images=tuple(replace(trainer, image=f"i:{n}", specs=()) for n in range(6)),
        candidates=9_000,
        known_nodes=9_000,
        groups=(Group(8_000, ("n0", "n1", "n2"), unmet, more=2),),
    )
    lines = denial(finding).splitlines()
    assert "container trainer: i:3" in lines
    assert "container trainer: i:4" not in lines
    assert "+2 more images" in lines
    assert (
        '- n0, n1, n2 +7997 more: trainer: rule "r": f0: want w, found x; '
        'trainer: rule "r": f1: want w, found x; '
        'trainer: rule "r": f2: want w, found x; +2 more'
    ) in lines
    assert "- 1000 more nodes, for other reasons" in lines


def test_an_image_that_lacks_a_platform_is_named_without_a_spec() -> None:
    image = ImageFinding("a:1", (), {Answer.PLATFORM_ABSENT: "linux/arm64"})
    finding = PodFinding(images=(image,), candidates=1, known_nodes=1)
    assert "container -: a:1" in denial(finding).splitlines()


def test_every_other_cause_follows_in_a_line(one_image: PodFinding) -> None:
    lost = ImageFinding("lost:1", ("c",), {Answer.UNAVAILABLE: "r.example: timeout"})
    finding = replace(one_image, images=(*one_image.images, lost))
    last = denial(finding).splitlines()[-1]
    assert (
        "[IC202] image lost:1 not judged: registry could not answer: r.example: timeout"
        == last
    )


@pytest.mark.parametrize(
    ("answer", "detail", "policy", "expected"),
    [
        pytest.param(
            Answer.UNAVAILABLE,
            "r.example: 503",
            Policy(on_unavailable=Action.DENY),
            "[IC202] image a:1 not judged: registry could not answer: r.example: 503",
            id="unavailable",
        ),
        pytest.param(
            Answer.UNAUTHORIZED,
            "",
            Policy(on_unauthorized=Action.DENY),
            "[IC203] image a:1 not judged: no access",
            id="unauthorized",
        ),
        pytest.param(
            Answer.NOT_FOUND,
            "",
            Policy(on_image_not_found=Action.DENY),
            "[IC204] image a:1 not judged: not found",
            id="not found",
        ),
        pytest.param(
            Answer.INVALID,
            "line 3: bad",
            Policy(on_invalid=Action.DENY),
            "[IC205] image a:1 not judged: its compatibility spec is invalid: "
            "line 3: bad",
            id="invalid",
        ),
        pytest.param(
            Answer.MISSING,
            "",
            Policy(on_missing=Action.DENY),
            "[IC201] image a:1 carries no compatibility spec",
            id="missing",
        ),
    ],
)
def test_a_denial_for_an_image_says_why(
    answer: Answer, detail: str, policy: Policy, expected: str
) -> None:
    finding = PodFinding(images=(ImageFinding("a:1", ("c",), {answer: detail}),))
    assert expected == denial(finding, policy)


def test_a_warning_is_one_line(one_image: PodFinding) -> None:
    (line,) = warned(one_image)
    assert (
        "[IC101] no node fits the image: 0 of 3 candidate nodes fit; closest gpu-a: "
        "kernel.loadedmodule nvidia: want Exists, f..."
    ) == line


def test_a_warning_that_names_no_node(one_image: PodFinding) -> None:
    decision = decide(Policy(), Mode.WARN, one_image)
    assert ("[IC101] no node fits the image: 0 of 3 candidate nodes fit",) == (
        message.warnings(one_image, decision, Detail.COUNTS)
    )


@pytest.mark.parametrize(
    ("mode", "scalable", "expected"),
    [
        pytest.param(
            Mode.ENFORCE,
            False,
            "its Pods will be denied, as no node fits the image: "
            "0 of 3 candidate nodes fit",
            id="enforce",
        ),
        pytest.param(
            Mode.WARN,
            False,
            "no node fits the image: 0 of 3 candidate nodes fit",
            id="warn",
        ),
        pytest.param(
            Mode.ENFORCE,
            True,
            "no node fits the image: 0 of 3 candidate nodes fit "
            "(only a warning: nodes may appear)",
            id="capped",
        ),
    ],
)
def test_a_warning_for_a_template_names_the_workload_and_what_comes_of_its_pods(
    one_image: PodFinding, mode: Mode, *, scalable: bool, expected: str
) -> None:
    finding = replace(
        one_image, template_of="Deployment train", closest=None, scalable=scalable
    )
    text = f"[IC101] Deployment train: {expected}"
    assert (message.clean_line(text),) == warned(finding, mode=mode)


def test_a_cap_is_said(one_image: PodFinding) -> None:
    finding = replace(one_image, scalable=True, closest=None)
    assert (
        (
            "[IC101] no node fits the image: 0 of 3 candidate nodes fit "
            "(only a warning: nodes may appear)"
        ),
    ) == warned(finding, mode=Mode.ENFORCE)


def test_no_candidates_and_unknown_nodes_have_their_words(
    one_image: PodFinding,
) -> None:
    assert (
        "[IC102] not judged: none of 5 nodes is a candidate (excluded: NodeAffinity 2)",
    ) == warned(replace(one_image, candidates=0))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"undescribed": 2}, "no NFD data", id="not described"),
        pytest.param({"undescribed": 1}, "1 without NFD data", id="some not described"),
        pytest.param({"in_time": False}, "not judged in time", id="late"),
        pytest.param({}, "NFD publishes too little", id="partial data"),
    ],
)
def test_unknown_nodes_have_their_reason(
    one_image: PodFinding, changes: dict[str, Any], why: str
) -> None:
    (line,) = warned(replace(one_image, unknown=2, **changes))
    assert (
        "[IC103] no node is known to fit the image: 2 of 3 candidate nodes unknown "
        f"({why})"
    ) == line


def test_unknown_nodes_that_would_deny_say_why_they_only_warn(
    one_image: PodFinding,
) -> None:
    finding = replace(one_image, unknown=2, scalable=True)
    policy = Policy(on_unknown=Action.DENY)
    decision = decide(policy, Mode.ENFORCE, finding)
    (line,) = message.warnings(finding, decision, Detail.FULL)
    assert line.startswith("[IC103] ")
    assert line.endswith("(NFD publishes too little; nodes may appear)")


def test_nothing_is_said_where_nothing_is_warned_about(one_image: PodFinding) -> None:
    assert () == warned(one_image, mode=Mode.AUDIT)
    assert () == warned(replace(one_image, fits=1))


def test_the_same_warning_is_said_once(trainer: ImageFinding) -> None:
    lost = replace(trainer, answers={Answer.UNAVAILABLE: "x"}, image="y" * 300)
    finding = PodFinding(images=(lost, replace(lost, image="y" * 301)))
    assert len(warned(finding)) == 1


def test_an_error_of_ours_names_its_reason_only() -> None:
    assert (
        "[IC301] not judged: internal error (KeyError); see imagecompat's log"
        == message.internal_error("KeyError")
    )


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        pytest.param("plain", 10, "plain", id="plain"),
        pytest.param("x" * 10, 10, "x" * 10, id="at the edge"),
        pytest.param("x" * 11, 10, "x" * 7 + "...", id="beyond the edge"),
        pytest.param("a\nb\x1b[31m", 40, "a\\nb\\x1b[31m", id="control"),
        pytest.param("a\\nb", 40, "a\\\\nb", id="backslash"),
        pytest.param("é", 10, "\\xe9", id="not ascii"),
        pytest.param("日本語日本語", 20, "\\u65e5\\u672c\\u8a9...", id="wide"),
    ],
)
def test_a_name_is_printable_ascii_within_its_bound(
    text: str, most: int, expected: str
) -> None:
    assert expected == message.clean(text, most)


def test_groups_that_do_not_fit_into_the_bound_are_counted() -> None:
    unmet = tuple(Unmet(0, "r" * 40, "f" * 60, "w" * 60, "x" * 60) for _ in range(3))
    image = ImageFinding("i" * 100, ("c" * 30,), {Answer.FOUND: ""})
    finding = PodFinding(
        images=(image,),
        candidates=50,
        known_nodes=50,
        groups=tuple(Group(10, (f"n{n}",), unmet) for n in range(5)),
        closest=Closest("n0", unmet[:1]),
    )
    text = denial(finding)
    assert len(text) <= 1000
    assert "counting the 50 nodes that exist now" == text.splitlines()[-1]
    groups = [line for line in text.splitlines() if line.startswith("- n")]
    assert ["- n0 +9 more: rule", "- n1 +9 more: rule"] == [g[:18] for g in groups]
    assert [240, 240] == [len(line) for line in groups]
    assert "- 30 more nodes, for other reasons" in text.splitlines()


def test_where_no_group_fits_nothing_is_said_of_them() -> None:
    image = ImageFinding("i" * 100, ("c" * 30,), {Answer.FOUND: ""}, specs=("x" * 9,))
    unmet = (Unmet(0, "", "f" * 60, "w" * 60, "x" * 60),) * 3
    finding = PodFinding(
        images=(image,) * 6,
        candidates=50,
        known_nodes=50,
        groups=(Group(10, ("n0",), unmet),),
        closest=Closest("n0", unmet),
    )
    text = denial(finding)
    assert len(text) <= 1000
    assert [] == [line for line in text.splitlines() if line.startswith("- ")]


def test_a_group_without_reasons_says_so(one_image: PodFinding) -> None:
    finding = replace(one_image, groups=(Group(2, ("a", "b"), ()),))
    assert "- a, b: not explained" in denial(finding).splitlines()
