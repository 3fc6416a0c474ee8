"""Golden texts where an answer comes from memory: what is said of that, and where."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.admission import annotations, message
from app.admission.findings import Answer, ImageFinding, PodFinding
from app.admission.message import MAX_WARNING_BYTES, Detail
from app.admission.policy import Action, Mode, Policy
from app.admission.verdict import decide

DENY = Policy(
    on_missing=Action.DENY,
    on_unavailable=Action.DENY,
    on_unauthorized=Action.DENY,
    on_image_not_found=Action.DENY,
    on_invalid=Action.DENY,
)
LONG = 200
"""Longer than any name is told."""


def stale(finding: PodFinding, answer: Answer = Answer.FOUND) -> PodFinding:
    """The same, with a first image whose spec stands in for its registry's answer."""
    first, *others = finding.images
    marked = replace(first, answers={answer: ""}, marks={answer: "stale"})
    return replace(finding, images=(marked, *others))


def denial(finding: PodFinding, policy: Policy = DENY) -> str:
    return message.denial(finding, decide(policy, Mode.ENFORCE, finding), Detail.FULL)


def warned(finding: PodFinding, policy: Policy = DENY) -> str:
    decision = decide(policy, Mode.WARN, finding)
    (line,) = message.warnings(finding, decision, Detail.COUNTS)
    return line


def test_a_denial_may_rest_on_a_stale_spec_and_says_so(one_image: PodFinding) -> None:
    """It is the newest that is known of an image whose digest has not changed."""
    expected = """\
[IC101] no node fits the image (stale spec): 0 of 3 candidate nodes fit \
(excluded: NodeAffinity 2)
container trainer: registry.example.com/ml/trainer:2.1, spec 3f9a2c01, \
stale: its registry cannot be asked now
"""
    assert denial(stale(one_image)).startswith(expected)


def test_of_several_images_the_stale_one_is_named(two_images: PodFinding) -> None:
    lines = denial(stale(two_images)).splitlines()
    assert "[IC101] no node fits all images (stale spec): 0 of 2" in lines[0]
    assert lines[1].endswith("stale: its registry cannot be asked now")
    assert "stale" not in "".join(lines[2:])


def test_a_platform_that_was_lacking_may_be_stale_too(one_image: PodFinding) -> None:
    assert "(stale spec)" in denial(stale(one_image, Answer.PLATFORM_ABSENT))


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        pytest.param(
            {},
            "[IC101] no node fits the image (stale spec): 0 of 3 candidate nodes fit",
            id="misfit",
        ),
        pytest.param(
            {"unknown": 3, "undescribed": 3},
            "[IC103] no node is known to fit the image (stale spec): 3 of 3 candidate "
            "nodes unknown (no NFD data)",
            id="unknown",
        ),
        pytest.param(
            {"candidates": 0},
            "[IC102] not judged: none of 5 nodes is a candidate (stale spec) "
            "(excluded: NodeAffinity 2)",
            id="no-candidates",
        ),
    ],
)
def test_a_warning_that_rests_on_a_stale_spec_says_so(
    finding: dict[str, Any], expected: str, one_image: PodFinding
) -> None:
    assert expected == warned(replace(stale(one_image), **finding))


SAID = {
    Answer.UNAVAILABLE: "[IC202] image a:1 {} not judged: registry could not answer: x",
    Answer.UNAUTHORIZED: "[IC203] image a:1 {} not judged: no access: x",
    Answer.NOT_FOUND: "[IC204] image a:1 {} not judged: not found: x",
    Answer.INVALID: (
        "[IC205] image a:1 {} not judged: its compatibility spec is invalid: x"
    ),
    Answer.MISSING: "[IC201] image a:1 {} carries no compatibility spec",
}


@pytest.mark.parametrize(("answer", "expected"), SAID.items())
def test_a_no_from_memory_is_said_to_be_one(answer: Answer, expected: str) -> None:
    image = ImageFinding("a:1", ("c",), {answer: "x"}, marks={answer: "remembered"})
    finding = PodFinding(images=(image,))
    assert [expected.format("(remembered)")] * 2 == [denial(finding), warned(finding)]


def test_a_mark_is_said_of_its_own_answer_only() -> None:
    """Another platform's was got just now."""
    image = ImageFinding(
        "a:1",
        ("c",),
        {Answer.MISSING: "", Answer.UNAVAILABLE: "x"},
        marks={Answer.MISSING: "remembered"},
    )
    policy = replace(DENY, on_missing=Action.ALLOW)
    assert "remembered" not in warned(PodFinding(images=(image,)), policy)


@pytest.mark.parametrize("answer", list(Answer))
def test_a_mark_is_never_cut_off(answer: Answer, one_image: PodFinding) -> None:
    """However long names are, and whatever else there is to say."""
    is_spec = answer in {Answer.FOUND, Answer.PLATFORM_ABSENT}
    mark = "stale" if is_spec else "remembered"
    image = ImageFinding(
        "i" * LONG, ("c" * LONG,), {answer: "d" * LONG}, marks={answer: mark}
    )
    finding = replace(
        one_image,
        images=(image, replace(one_image.images[0], image="j" * LONG)),
        template_of="Deployment " + "t" * LONG,
        candidates=15_000,
        excluded={"e" * LONG: 1},
        scalable=True,
        daemon_set=True,
    )
    for unknown in (0, 15_000):
        seen = replace(finding, unknown=unknown)
        decision = decide(DENY, Mode.ENFORCE, seen)
        lines = message.warnings(seen, decision, Detail.FULL)
        assert any(f"({mark}" in line for line in lines)
        assert all(len(line) <= MAX_WARNING_BYTES for line in lines)


def test_annotations_say_how_an_answer_was_come_by() -> None:
    images = (
        ImageFinding("plain:1", ("c",), {Answer.FOUND: ""}, digest="sha256:a"),
        ImageFinding(
            "old:1",
            ("c",),
            {Answer.FOUND: "", Answer.MISSING: ""},
            digest="sha256:b",
            marks={Answer.FOUND: "stale", Answer.MISSING: "remembered"},
        ),
        ImageFinding(
            "lost:1",
            ("c",),
            {Answer.UNAVAILABLE: ""},
            marks={Answer.UNAVAILABLE: "remembered"},
        ),
    )
    finding = PodFinding(images=images[:2], others=images[2:])
    assert {
        "plain:1": "sha256:a",
        "old:1": "sha256:b (remembered, stale)",
        "lost:1": "(remembered)",
    } == json.loads(annotations.images(finding))
