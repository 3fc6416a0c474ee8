"""The exchange of what reviews are decided by, while they go on."""

import asyncio
import gc
import weakref
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

import pytest

from app.admission.policy import Mode, Policy
from app.admission.review import Response, Review
from app.checker import Checker, Options, setup
from app.checker.view import PORTION, View
from app.compat.index import Judgement
from app.compat.outcome import UnpublishedFeatures
from app.ports import NOBODY, ImageOutcome, Platform, Puller
from app.scheduling import candidates
from app.telemetry import Metrics
from tests.tools.doubles import FakeArtifacts, FakeCluster, resolved, wants_module

AUDIT = Options(policy=Policy(mode=Mode.AUDIT))
ABSENT = Options(unpublished=UnpublishedFeatures.NO)
SPEC = wants_module("nvidia")


def creating(image: str) -> Review:
    spec = {"containers": [{"name": "c", "image": image}]}
    return Review(
        uid="u",
        kind="Pod",
        resource="pods",
        operation="CREATE",
        namespace="default",
        object={"spec": spec},
    )


@dataclass
class Gated(FakeArtifacts):
    """Answers when told to."""

    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def find(
        self,
        image: str,
        platforms: Collection[Platform],
        *,
        deadline_seconds: float,
        puller: Puller = NOBODY,
    ) -> ImageOutcome:
        find = super().find(
            image, platforms, deadline_seconds=deadline_seconds, puller=puller
        )
        answer = await find
        await self.is_open.wait()
        return answer


@pytest.fixture
def world(cluster: FakeCluster, artifacts: FakeArtifacts) -> FakeCluster:
    """Two nodes; `nvidia` fits none of them."""
    cluster.add("a", "vfio_pci")
    cluster.add("b")
    artifacts.images["nvidia"] = resolved(SPEC)
    return cluster


def checker_of(
    cluster: FakeCluster, artifacts: FakeArtifacts, options: Options | None = None
) -> Checker:
    return Checker(cluster, artifacts, Metrics(), options)


async def validated(checker: Checker, image: str = "nvidia") -> Response:
    return await checker.validate(creating(image), deadline_seconds=20.0)


def view_of(checker: Checker) -> View:
    return checker._setups.current.gathering.view


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


async def test_reviews_that_begin_after_an_exchange_see_the_new_options(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    checker = checker_of(world, artifacts)
    assert not (await validated(checker)).allowed
    await checker.exchange(AUDIT)
    assert AUDIT == checker.options
    response = await validated(checker)
    assert (True, "audit") == (response.allowed, response.audit["mode"])


async def test_a_review_under_way_ends_on_what_it_began_with(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    old, new = Gated(artifacts.images), artifacts
    checker = checker_of(world, old)
    review = asyncio.create_task(validated(checker))
    while not old.asked:  # noqa: ASYNC110 - no event there
        await asyncio.sleep(0)
    await checker.exchange(AUDIT, new)
    assert (await validated(checker)).allowed
    old.is_open.set()
    assert not (await review).allowed
    assert [1, 1] == [len(old.asked), len(new.asked)]


async def test_a_port_is_unused_once_the_last_review_that_asks_it_has_ended(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    """Whatever else was exchanged while that review went on."""
    old = Gated(artifacts.images)
    checker = checker_of(world, old)
    first = asyncio.create_task(validated(checker))
    while not old.asked:  # noqa: ASYNC110 - no event there
        await asyncio.sleep(0)
    await checker.exchange(AUDIT)
    unused = asyncio.create_task(checker.until_unused(old))
    also = asyncio.create_task(checker.until_unused(old))
    await asyncio.sleep(0)
    await checker.exchange(AUDIT, artifacts)
    second = asyncio.create_task(validated(checker))
    await second
    assert not unused.done()
    old.is_open.set()
    await first
    await asyncio.gather(unused, also)


async def test_a_port_that_nobody_asks_is_unused_at_once(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    checker = checker_of(world, FakeArtifacts())
    old = checker._setups.current.gathering.artifacts
    await checker.exchange(Options(), artifacts)
    await checker.until_unused(old)


async def test_what_concerns_no_index_is_exchanged_at_no_cost(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    usual = Options()
    checker = checker_of(world, artifacts, usual)
    await validated(checker)
    before = checker._setups.current.gathering
    equal = candidates.Options()
    assert equal is not usual.candidates
    await checker.exchange(replace(AUDIT, candidates=equal))
    after = checker._setups.current.gathering
    assert before.view is after.view
    assert before.explainer is after.explainer
    assert before.options is after.options, "answers are remembered by identity"
    assert 1 == len(after.view.index)


async def test_other_candidates_need_no_new_index(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    checker = checker_of(world, artifacts)
    assert "0/2" == (await validated(checker)).audit["nodes"]
    view = view_of(checker)
    world.nodes["b"] = replace(world.nodes["b"], labels={"pool": "virtual"})
    ignore = candidates.Options(ignore=candidates.Options().ignore[:0])
    await checker.exchange(Options(candidates=ignore))
    assert "0/2" == (await validated(checker)).audit["nodes"]
    assert view is view_of(checker)


async def test_other_tags_find_the_known_specs_judged(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    artifacts.images["nvidia"] = resolved(
        SPEC.replace("- rules", "- tag: gpu\n  rules")
    )
    checker = checker_of(world, artifacts)
    await validated(checker)
    (digest,) = view_of(checker).index.keys()
    await checker.exchange(Options(tags=("gpu",)))
    assert [digest] == view_of(checker).index.keys(("gpu",))
    assert isinstance(view_of(checker).index.at_hand(digest, ("gpu",)), Judgement)
    assert not (await validated(checker)).allowed
    await checker.exchange(Options(tags=("other",)))
    response = await validated(checker)
    assert (True, "IC201") == (response.allowed, response.audit["causes"])


async def test_what_an_unpublished_feature_is_takes_another_index(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    """No node publishes PCI devices here."""
    artifacts.images["pci"] = resolved(
        SPEC.replace("kernel.loadedmodule", "pci.device")
    )
    checker = checker_of(world, artifacts)
    assert (await validated(checker, "pci")).allowed
    before = view_of(checker)
    await checker.exchange(ABSENT)
    after = view_of(checker)
    assert before is not after
    assert [2, 1] == [len(after.nodes), len(after.index)]
    assert not (await validated(checker, "pci")).allowed


async def test_reviews_go_on_on_the_old_index_while_the_new_one_is_made(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    for number in range(5 * PORTION):
        world.add(f"n{number}")
    checker = checker_of(world, artifacts)
    await validated(checker)
    before = view_of(checker)
    exchange = asyncio.create_task(checker.exchange(ABSENT))
    answered = 0
    while before is view_of(checker):
        response = await validated(checker)
        assert f"0/{5 * PORTION + 2}" == response.audit["nodes"]
        answered += 1
    await exchange
    assert answered > 1
    assert 5 * PORTION + 2 == len(view_of(checker).nodes)


async def test_an_exchange_that_is_given_up_changes_nothing(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    for number in range(2 * PORTION):
        world.add(f"n{number}")
    checker = checker_of(world, artifacts)
    await validated(checker)
    before = view_of(checker)
    exchange = asyncio.create_task(checker.exchange(ABSENT))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    exchange.cancel()
    await asyncio.gather(exchange, return_exceptions=True)
    assert before is view_of(checker)
    assert Options() == checker.options
    await checker.exchange(AUDIT)
    assert (await validated(checker)).allowed


async def test_of_exchanges_in_a_row_the_last_holds(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    for number in range(2 * PORTION):
        world.add(f"n{number}")
    checker = checker_of(world, artifacts)
    await asyncio.gather(
        checker.exchange(ABSENT), checker.exchange(Options()), checker.exchange(AUDIT)
    )
    assert AUDIT == checker.options
    assert 2 * PORTION + 2 == len(view_of(checker).nodes)


@pytest.mark.usefixtures("_no_collector")
async def test_the_old_index_goes_with_its_last_review_without_the_collector(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    """Which may have been told to leave it alone."""
    old = Gated(artifacts.images)
    old.is_open.set()
    checker = checker_of(world, old)
    await validated(checker)
    view = view_of(checker)
    held = [weakref.ref(one) for one in (view, view.nodes, view.index)]
    del view
    old.is_open.clear()
    asked = len(old.asked)
    review = asyncio.create_task(validated(checker))
    while len(old.asked) == asked:  # noqa: ASYNC110 - no event there
        await asyncio.sleep(0)
    await checker.exchange(ABSENT)
    assert None not in [one() for one in held]
    old.is_open.set()
    await review
    del review
    assert [None, None, None] == [one() for one in held]


async def test_a_spec_that_cannot_be_judged_holds_up_no_exchange(
    world: FakeCluster, artifacts: FakeArtifacts, caplog: pytest.LogCaptureFixture
) -> None:
    checker = checker_of(world, artifacts)
    await validated(checker)
    gathering = checker._setups.current.gathering

    async def broken(act: object) -> None:
        raise RuntimeError(f"a bug in {act}")

    gathering.worker.run = broken  # type: ignore[method-assign, assignment]
    await checker.exchange(ABSENT)
    assert ABSENT == checker.options
    assert ["evaluation failed"] == [one.message for one in caplog.records]


async def test_specs_that_take_too_long_are_left_to_the_reviews_that_ask(
    world: FakeCluster, artifacts: FakeArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    checker = checker_of(world, artifacts)
    await validated(checker)
    monkeypatch.setattr(setup, "WARM_SECONDS", 0.0)
    await checker.exchange(ABSENT)
    assert 0 == len(view_of(checker).index)
    assert not (await validated(checker)).allowed
    assert 1 == len(view_of(checker).index)


async def test_work_for_an_old_index_is_not_taken_for_that_of_the_new(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    """The same spec is judged in both at the same time, each for its own reviews."""
    checker = checker_of(world, artifacts)
    first = asyncio.create_task(validated(checker))
    worker = checker._setups.current.gathering.worker
    while not len(worker):  # noqa: ASYNC110 - no event there
        await asyncio.sleep(0)
    (name,) = worker._under_way
    await checker.exchange(ABSENT)
    second = await validated(checker)
    assert [False, False] == [second.allowed, (await first).allowed]
    assert name != checker._setups.current.gathering._name(name.partition(" ")[0])
