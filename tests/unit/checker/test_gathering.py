import asyncio

import pytest

from app.admission.findings import Answer, PodFinding
from app.admission.policy import Policy
from app.admission.review import Review
from app.checker import specs, subject
from app.checker.evaluation import Evaluation
from app.checker.gathering import DEFAULT_PLATFORM, Gathering
from app.checker.specs import Specs
from app.checker.subject import Subject
from app.errors import SpecError
from app.ports import Found, Missing, PlatformAbsent, Resolved
from app.scheduling import candidates
from tests.tools.doubles import (
    AMD64,
    ARM,
    ARM64,
    FakeArtifacts,
    FakeCluster,
    found,
    resolved,
    wants_module,
)


async def gathered(
    cluster: FakeCluster, artifacts: FakeArtifacts, *images: str, **spec: object
) -> PodFinding:
    containers = [{"name": f"c{n}", "image": image} for n, image in enumerate(images)]
    review = Review(
        uid="u",
        kind="Pod",
        resource="pods",
        operation="CREATE",
        object={"spec": {"containers": containers, **spec}},
    )
    asked = subject.of(review)
    assert isinstance(asked, Subject)
    made = Gathering(cluster, artifacts, Policy(), candidates.Options(), Evaluation())
    return await made.find(asked, deadline_seconds=4.0)


async def test_platforms_are_those_of_the_candidates(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("a")
    cluster.add("b", labels=ARM)
    cluster.add("c", labels={})
    artifacts.images["x"] = Resolved("d", {AMD64: Missing(), ARM64: Missing()})
    await gathered(cluster, artifacts, "x")
    await gathered(
        cluster, artifacts, "x", nodeSelector={"kubernetes.io/arch": "arm64"}
    )
    assert [("x", (AMD64, ARM64)), ("x", (ARM64,))] == artifacts.asked


async def test_without_candidates_an_image_is_looked_up_all_the_same(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    artifacts.images["x"] = resolved(wants_module("x"))
    finding = await gathered(cluster, artifacts, "x")
    assert [("x", (DEFAULT_PLATFORM,))] == artifacts.asked
    assert finding.asks_for_something
    assert finding.candidates == 0


async def test_an_image_is_looked_up_once_however_many_containers_use_it(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("a")
    artifacts.images["x"] = Resolved("d", {AMD64: Missing()})
    finding = await gathered(cluster, artifacts, "x", "x")
    assert len(artifacts.asked) == 1
    assert ("c0", "c1") == finding.images[0].containers


async def test_each_platform_is_judged_by_its_own_spec(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("amd", "one")
    cluster.add("arm", "two", labels=ARM)
    one, two = found(wants_module("one")), found(wants_module("two"))
    artifacts.images["x"] = Resolved("d", {AMD64: one, ARM64: two})
    finding = await gathered(cluster, artifacts, "x")
    assert finding.fits == 2
    assert tuple(sorted((one.spec_digest, two.spec_digest))) == finding.images[0].specs


async def test_a_platform_that_the_index_lacks_matters_if_the_image_has_a_spec(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("arm", labels=ARM)
    artifacts.images["x"] = Resolved("d", {ARM64: PlatformAbsent(has_spec=True)})
    artifacts.images["y"] = Resolved("d", {ARM64: PlatformAbsent(has_spec=False)})
    unfit = await gathered(cluster, artifacts, "x")
    assert (0, 0) == (unfit.fits, unfit.unknown)
    assert {Answer.PLATFORM_ABSENT: ""} == unfit.images[0].answers
    fine = await gathered(cluster, artifacts, "y")
    assert fine.fits == 1
    assert {Answer.MISSING: ""} == fine.images[0].answers


async def test_a_broken_spec_is_named_by_its_line(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("a")
    for image, spec in (
        ("syntax", "a: ["),
        ("type", wants_module("x").replace("v1alpha1", "{}")),
        ("sets", "version: v1alpha1"),
    ):
        artifacts.images[image] = resolved(spec)
    finding = await gathered(cluster, artifacts, "syntax", "type", "sets")
    details = [image.answers[Answer.INVALID] for image in finding.images]
    assert details[0].startswith("line 1: ")
    assert details[1].startswith("line 1: json: ")
    assert "compatibilities" in details[2]
    assert finding.fits == 1


def test_specs_are_read_once_and_errors_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(specs, "MAX_SPECS", 2)
    known = Specs()
    good, bad = found(wants_module("x")), found("a: [")
    assert known.read(good) is known.read(good)
    with pytest.raises(SpecError) as first:
        known.read(bad)
    with pytest.raises(SpecError) as again:
        known.read(bad)
    assert first.value is again.value
    same = known.read(good)
    known.read(Found("d", "s", "sha256:third", b"compatibilities: [{}]"))
    assert same is known.read(good)
    assert len(known._known) == 2


async def test_an_evaluation_that_takes_too_long_is_unknown_and_goes_on(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("a", "one")
    cluster.add("b")
    artifacts.images["x"] = resolved(wants_module("one"))
    review = Review(
        uid="u",
        kind="Pod",
        resource="pods",
        operation="CREATE",
        object={"spec": {"containers": [{"name": "c", "image": "x"}]}},
    )
    asked = subject.of(review)
    assert isinstance(asked, Subject)
    made = Gathering(cluster, artifacts, Policy(), candidates.Options(), Evaluation())
    with made.evaluation._lock:
        late = await made.find(asked, deadline_seconds=0.05)
        assert (0, 2) == (late.fits, late.unknown)
        (task,) = made.under_way
    assert (await task).fits == 1
    await asyncio.sleep(0)
    assert not made.under_way
