from __future__ import annotations

from dataclasses import replace

import pytest

from app.admission.findings import Answer, Attached
from app.checker import reading, specs
from app.checker.demand import LATE, Judged, Lacking
from app.checker.reading import Looked, Memory, Reading
from app.checker.specs import Specs
from app.compat.features import Features
from app.compat.index import Index, Limits
from app.compat.spec import Spec
from app.ports import (
    Doubt,
    Found,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Mark,
    Missing,
    Platform,
    PlatformAbsent,
    Resolved,
    Unauthorized,
    Unavailable,
)
from tests.tools.doubles import AMD64, ARM64, found, resolved, wants_module

VFIO = found(wants_module("vfio_pci"))


def node(*modules: str) -> Features:
    return Features(flags={"kernel.loadedmodule": frozenset(modules)})


class Known:
    """Specs and an index, and what has been judged."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.specs = Specs()
        self.index = Index(limits or Limits())
        self.index.update({"a": node("vfio_pci"), "b": node()})

    def judge(self, one: Found) -> None:
        spec = specs.read(one.content)
        self.specs.keep(one.spec_digest, spec)
        if isinstance(spec, Spec):
            first = self.index.begin(one.spec_digest, spec)
            first.run()
            self.index.accept(first)

    def read(self, **outcomes: ImageOutcome) -> Reading:
        looked = Looked(frozenset({AMD64, ARM64}), outcomes)
        containers = {image: (f"c-{image}",) for image in outcomes}
        memory = Memory(self.specs, self.index, ())
        return reading.read(looked, containers, (AMD64, ARM64), memory)


def test_a_spec_that_is_new_is_cold_and_the_image_late() -> None:
    known = Known()
    read = known.read(x=resolved(VFIO.content.decode()))
    assert [VFIO.spec_digest] == list(read.cold)
    assert [{AMD64: LATE, ARM64: LATE}] == read.stands
    assert {Answer.FOUND: ""} == read.images[0].answers


def test_a_spec_that_was_parsed_and_not_judged_is_cold() -> None:
    known = Known()
    known.specs.keep(VFIO.spec_digest, specs.read(VFIO.content))
    assert [VFIO.spec_digest] == list(known.read(x=Resolved("d", {AMD64: VFIO})).cold)


def test_a_spec_seen_before_is_judged_for_all_nodes() -> None:
    known = Known()
    known.judge(VFIO)
    read = known.read(x=Resolved("d", {AMD64: VFIO, ARM64: Missing()}))
    assert {} == read.cold
    ((platform, stand),) = read.stands[0].items()
    assert AMD64 == platform
    assert isinstance(stand, Judged)
    assert ["a"] == known.index.names(stand.judgement.fits)
    assert {Answer.FOUND: "", Answer.MISSING: ""} == read.images[0].answers
    assert ("d", (VFIO.spec_digest,)) == (read.images[0].digest, read.images[0].specs)


def test_a_change_of_few_nodes_is_caught_up_with_at_once() -> None:
    known = Known()
    known.judge(VFIO)
    known.index.change({"b": node("vfio_pci")})
    read = known.read(x=Resolved("d", {AMD64: VFIO, ARM64: VFIO}))
    stand = read.stands[0][AMD64]
    assert isinstance(stand, Judged)
    assert ["a", "b"] == known.index.names(stand.judgement.fits)
    assert stand is read.stands[0][ARM64]


def test_a_change_of_more_than_a_review_may_spend_is_left_to_the_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = Known()
    known.judge(VFIO)
    known.judge(other := found(wants_module("other")))
    known.index.change({"b": node("other")})
    monkeypatch.setattr(reading, "REFRESH_CALLS", reading.REFRESH_PRICE)
    read = known.read(
        x=Resolved("d", {AMD64: VFIO, ARM64: VFIO}),
        y=Resolved("d", {AMD64: other, ARM64: other}),
    )
    assert [other.spec_digest] == list(read.cold)


def test_a_spec_that_is_too_costly_is_invalid_and_asks_nothing() -> None:
    known = Known(Limits(calls=0))
    known.judge(VFIO)
    read = known.read(x=Resolved("d", {AMD64: VFIO, ARM64: VFIO}))
    assert [{}] == read.stands
    assert [Answer.INVALID] == list(read.images[0].answers)
    assert "too costly" in read.images[0].answers[Answer.INVALID]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param("a: [", "line 1: did not find", id="syntax"),
        pytest.param("version: {}\ncompatibilities: []", "line 1: json: ", id="type"),
        pytest.param("version: v1alpha1", "compatibilities", id="no sets"),
    ],
)
def test_a_broken_spec_is_named_by_its_line(spec: str, expected: str) -> None:
    known = Known()
    known.judge(broken := found(spec))
    read = known.read(x=Resolved("d", {AMD64: broken, ARM64: Missing()}))
    assert expected in read.images[0].answers[Answer.INVALID]


def test_a_platform_that_the_index_lacks_matters_if_the_image_has_a_spec() -> None:
    read = Known().read(
        x=Resolved(
            "d",
            {
                AMD64: PlatformAbsent(has_spec=True),
                ARM64: PlatformAbsent(has_spec=False),
            },
        )
    )
    assert [{AMD64: Lacking(AMD64)}] == read.stands
    assert {Answer.PLATFORM_ABSENT: "", Answer.MISSING: ""} == read.images[0].answers


@pytest.mark.parametrize(
    ("root", "is_index", "level"),
    [
        pytest.param(VFIO.subject, False, "manifest", id="manifest"),
        pytest.param(VFIO.subject, True, "index", id="index"),
        pytest.param("sha256:root", True, "linux/amd64", id="child"),
    ],
)
def test_a_finding_says_who_answered(root: str, is_index: bool, level: str) -> None:
    known = Known()
    known.judge(VFIO)
    odd = replace(VFIO, doubts=(Doubt.FUTURE,))
    platforms = {AMD64: odd, ARM64: odd if root == VFIO.subject else Missing()}
    read = known.read(x=Resolved(root, platforms, is_index))
    wanted = Attached(
        VFIO.spec_digest, VFIO.digest, level, VFIO.subject, ("dated in the future",)
    )
    assert (wanted,) == read.images[0].artifacts


def test_a_broken_specs_artifact_is_named() -> None:
    known = Known()
    known.judge(broken := found("a: ["))
    read = known.read(x=Resolved("d", {AMD64: broken, ARM64: broken}))
    assert [broken.digest] == [one.artifact for one in read.images[0].artifacts]
    assert () == read.images[0].specs


def test_a_platform_that_nobody_asked_for_is_late() -> None:
    assert [{ARM64: LATE}] == Known().read(x=Resolved("d", {AMD64: Missing()})).stands


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(Invalid("r", "why"), {Answer.INVALID: "why"}, id="invalid"),
        pytest.param(
            Unavailable("r", "why"), {Answer.UNAVAILABLE: "why"}, id="unavailable"
        ),
        pytest.param(
            Unauthorized("why"), {Answer.UNAUTHORIZED: "why"}, id="unauthorized"
        ),
        pytest.param(ImageNotFound("why"), {Answer.NOT_FOUND: "why"}, id="not found"),
    ],
)
def test_an_image_that_was_not_resolved_asks_nothing(
    outcome: ImageOutcome, expected: dict[Answer, str]
) -> None:
    read = Known().read(x=outcome)
    assert [{}] == read.stands
    assert expected == read.images[0].answers
    assert ("x", ("c-x",), None) == (
        read.images[0].image,
        read.images[0].containers,
        read.images[0].digest,
    )


# Marks ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outcome",
    [
        Invalid("TooLarge", "x", Mark.REMEMBERED),
        Unavailable("Timeout", "x", Mark.REMEMBERED),
        Unauthorized("x", Mark.REMEMBERED),
        ImageNotFound("x", Mark.REMEMBERED),
    ],
)
def test_an_image_that_was_not_judged_keeps_its_mark(outcome: ImageOutcome) -> None:
    (image,) = Known().read(x=outcome).images
    assert dict.fromkeys(image.answers, "remembered") == image.marks


def test_what_was_answered_just_now_has_no_mark() -> None:
    known = Known()
    known.judge(VFIO)
    (image,) = known.read(x=Resolved("d", {AMD64: VFIO, ARM64: Missing()})).images
    assert {} == image.marks


def test_a_stale_spec_is_judged_and_marked() -> None:
    known = Known()
    known.judge(VFIO)
    stale = replace(VFIO, mark=Mark.STALE)
    none = Missing(Mark.REMEMBERED)
    read = known.read(x=Resolved("d", {AMD64: stale, ARM64: none}))
    assert isinstance(read.stands[0][AMD64], Judged)
    marks = {Answer.FOUND: "stale", Answer.MISSING: "remembered"}
    assert marks == read.images[0].marks
    assert read.images[0].is_stale


def test_a_stale_spec_that_is_invalid_is_marked_as_that() -> None:
    known = Known()
    known.judge(broken := found("version: v1alpha1"))
    parts = dict.fromkeys((AMD64, ARM64), replace(broken, mark=Mark.STALE))
    (image,) = known.read(x=Resolved("d", parts)).images
    assert {Answer.INVALID: "stale"} == image.marks
    assert not image.is_stale


@pytest.mark.parametrize("order", [(AMD64, ARM64), (ARM64, AMD64)])
def test_of_two_marks_of_one_answer_the_worst_stays(
    order: tuple[Platform, Platform],
) -> None:
    marks = (Mark.STALE, Mark.REMEMBERED)
    parts = {
        platform: PlatformAbsent(has_spec=True, mark=mark)
        for platform, mark in zip(order, marks, strict=True)
    }
    (image,) = Known().read(x=Resolved("d", parts)).images
    assert {Answer.PLATFORM_ABSENT: "stale"} == image.marks
