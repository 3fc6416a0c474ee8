import asyncio
import threading
from collections.abc import Collection

from app.admission.findings import Answer, PodFinding
from app.admission.policy import Policy
from app.admission.review import Review
from app.checker import gathering as gathering_module
from app.checker import subject
from app.checker.explanation import Explainer
from app.checker.gathering import DEFAULT_PLATFORM, Gathering
from app.checker.subject import Subject
from app.checker.view import View
from app.ports import (
    NOBODY,
    ImageOutcome,
    Missing,
    Platform,
    PlatformAbsent,
    Puller,
    Resolved,
)
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

VARIABLES = """\
version: v1alpha1
compatibilities:
- rules:
  - name: says
    varsTemplate: "a={{len .kernel.loadedmodule}}"
    matchFeatures:
    - feature: kernel.loadedmodule
  - name: wants
    matchFeatures:
    - feature: rule.matched
      matchExpressions:
        a: {op: In, value: ["no"]}
"""


def gathering(cluster: FakeCluster, artifacts: FakeArtifacts) -> Gathering:
    view = View(cluster)
    explainer = Explainer(view.index, view.nodes, ())
    options = candidates.Options()
    return Gathering(cluster, artifacts, Policy(), options, (), view, explainer)


def pod(*images: str, **spec: object) -> Subject:
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
    return asked


async def gathered(
    cluster: FakeCluster, artifacts: FakeArtifacts, *images: str, **spec: object
) -> PodFinding:
    made = gathering(cluster, artifacts)
    return await made.find(pod(*images, **spec), deadline_seconds=4.0)


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


async def test_a_new_spec_is_judged_in_a_thread_and_found_again(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("a", "one")
    cluster.add("b")
    artifacts.images["x"] = resolved(wants_module("one"))
    made = gathering(cluster, artifacts)
    assert 1 == (await made.find(pod("x"), deadline_seconds=4.0)).fits
    calls = made.view.index.calls
    await made.worker.close()  # so that the thread can do nothing more
    assert 1 == (await made.find(pod("x"), deadline_seconds=4.0)).fits
    assert calls == made.view.index.calls


async def test_an_evaluation_that_takes_too_long_is_unknown_and_goes_on(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("a", "one")
    cluster.add("b")
    artifacts.images["x"] = resolved(wants_module("one"))
    artifacts.images["y"] = resolved(wants_module("two"))
    made, held = gathering(cluster, artifacts), threading.Event()
    await made.find(pod("y"), deadline_seconds=4.0)
    holding = asyncio.create_task(made.worker.run(held.wait))
    late = await made.find(pod("x"), deadline_seconds=0.05)
    assert (0, 2) == (late.fits, late.unknown)
    known = await made.find(pod("y"), deadline_seconds=0.05)
    assert (0, 0) == (known.fits, known.unknown)
    both = await made.find(pod("x", "y"), deadline_seconds=0.05)
    assert (0, 0) == (both.fits, both.unknown), "what is late hides no misfit"
    held.set()
    await holding
    found = await made.find(pod("x"), deadline_seconds=4.0)
    assert (1, 0) == (found.fits, found.unknown)


async def test_nodes_that_came_while_a_registry_was_asked_are_judged(
    cluster: FakeCluster,
) -> None:
    cluster.add("amd")

    class Slow(FakeArtifacts):
        async def find(
            self,
            image: str,
            platforms: Collection[Platform],
            *,
            deadline_seconds: float,
            puller: Puller = NOBODY,
        ) -> ImageOutcome:
            del puller
            cluster.add("arm", "one", labels=ARM)
            return await super().find(
                image, platforms, deadline_seconds=deadline_seconds
            )

    slow = Slow({"x": resolved(wants_module("one"))})
    finding = await gathering(cluster, slow).find(pod("x"), deadline_seconds=4.0)
    assert (2, 1) == (finding.candidates, finding.fits)
    assert [("x", (AMD64,)), ("x", (AMD64, ARM64))] == slow.asked


async def test_a_cluster_that_never_rests_is_answered_all_the_same(
    cluster: FakeCluster,
) -> None:
    """Whatever is not found out in the last turn is unknown, not denied."""
    cluster.add("amd")

    class Restless(FakeArtifacts):
        async def find(
            self,
            image: str,
            platforms: Collection[Platform],
            *,
            deadline_seconds: float,
            puller: Puller = NOBODY,
        ) -> ImageOutcome:
            name = f"n{len(self.asked)}"
            labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": name}
            cluster.add(name, labels=labels)
            await super().find(
                image, platforms, deadline_seconds=deadline_seconds, puller=puller
            )
            one = found(wants_module("one"))
            return Resolved("d", dict.fromkeys(platforms, one))

    restless = Restless({"x": Missing()})  # type: ignore[dict-item]
    finding = await gathering(cluster, restless).find(pod("x"), deadline_seconds=4.0)
    assert gathering_module.MAX_TURNS == len(restless.asked)
    assert (0, finding.candidates) == (finding.fits, finding.unknown)


async def test_a_misfit_is_explained_once(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("a")
    artifacts.images["x"] = resolved(wants_module("one"))
    made = gathering(cluster, artifacts)
    first = await made.find(pod("x"), deadline_seconds=4.0)
    again = await made.find(pod("x"), deadline_seconds=4.0)
    assert first.groups
    assert first.closest is not None
    assert first.groups is again.groups


async def test_a_costly_explanation_is_left_to_the_thread_and_left_out_if_late(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("a")
    artifacts.images["x"] = resolved(VARIABLES)
    made, held = gathering(cluster, artifacts), threading.Event()
    found = await made.find(pod("x"), deadline_seconds=4.0)
    assert found.groups
    cluster.add("a", "m0")
    holding = asyncio.create_task(made.worker.run(held.wait))
    late = await made.find(pod("x"), deadline_seconds=0.05)
    assert (0, 0, ()) == (late.fits, late.unknown, late.groups)
    held.set()
    await holding


async def test_images_are_looked_up_with_the_secrets_of_the_pod() -> None:
    artifacts = FakeArtifacts({"i": Resolved("sha256:0", {AMD64: Missing()})})
    await gathered(FakeCluster(), artifacts, "i", imagePullSecrets=[{"name": "s"}])
    assert [Puller("", ("s",))] * 2 == artifacts.pullers


async def test_all_images_of_a_review_are_asked_for_one_set_of_platforms() -> None:
    """It is a part of each image's key: who makes it once hashes it once."""

    class Noting(FakeArtifacts):
        def at_hand(
            self, image: str, platforms: Collection[Platform], puller: Puller = NOBODY
        ) -> ImageOutcome | None:
            noted.append(platforms)
            return super().at_hand(image, platforms, puller)

    noted: list[Collection[Platform]] = []
    none: ImageOutcome = Resolved("d", {AMD64: Missing()})
    images = dict.fromkeys(("a", "b", "c"), none)
    await gathered(FakeCluster(), Noting(images), "a", "b", "c")
    assert 3 == len(noted)
    assert isinstance(noted[0], frozenset)
    assert all(one is noted[0] for one in noted)


def test_a_platform_is_hashed_without_python() -> None:
    assert tuple.__hash__ is Platform.__hash__
    assert "windows/amd64:10.0" == str(Platform("windows", "amd64", "", "10.0"))
