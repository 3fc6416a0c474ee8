"""Other settings for a process that runs, and what becomes of the old registries."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.admission.review import Review
from app.bootstrap.files import Wanted
from app.bootstrap.options import options
from app.bootstrap.registries import Sources
from app.bootstrap.registry_files import DOCKER_CONFIG, File, RegistryFiles
from app.bootstrap.switch import Switch
from app.checker import Checker
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry.client import Shared
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.transport import Answer, Request
from app.ports import NOBODY, ImageOutcome, Missing, Platform, Puller, Resolved
from app.settings.sections import Settings
from app.telemetry import Metrics
from tests.tools.doubles import AMD64, FakeArtifacts, FakeCluster

OTHERS = RegistryFiles((File(DOCKER_CONFIG, Path("/config.json"), b"{}"),))
POD = Review(
    uid="u",
    kind="Pod",
    resource="pods",
    operation="CREATE",
    namespace="default",
    object={"spec": {"containers": [{"name": "c", "image": "x"}]}},
)


def wanted(files: RegistryFiles | None = None, **sections: object) -> Wanted:
    return Wanted(Settings.model_validate(sections), files or RegistryFiles())


AUDIT = wanted(policy={"mode": "audit"})
HOSTS = wanted(registry={"hosts": {"r.example": {"private": True}}})


@dataclass
class FakeTransport:
    """Notes when it is closed."""

    is_closed: bool = False

    async def send(self, request: Request) -> Answer:
        raise AssertionError(request)

    async def close(self) -> None:
        self.is_closed = True


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


class Scene:
    """A checker, and registries that are made anew with every exchange."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.made: list[tuple[Wanted, FakeTransport, Gated]] = []
        first = self.make(wanted())
        self.checker = Checker(cluster, first.port, Metrics())
        self.settled = 0
        given = (self.checker, first, wanted(), self.make)
        self.switch = Switch(*given, settle=self.settle)

    def settle(self) -> None:
        self.settled += 1

    def make(self, given: Wanted) -> Sources:
        transport = FakeTransport()
        port = Gated({"x": Resolved("d", {AMD64: Missing()})})
        self.made.append((given, transport, port))
        policy, limits = RegistryPolicy(), Limits()
        shared = Shared(transport, policy, limits=limits)
        return Sources(port, RegistryArtifacts(shared))

    def closed(self) -> list[bool]:
        return [transport.is_closed for _, transport, _ in self.made]


@pytest.fixture
def scene() -> Scene:
    cluster = FakeCluster()
    cluster.add("a")
    return Scene(cluster)


async def test_a_policy_keeps_the_registries(scene: Scene) -> None:
    await scene.switch.to(AUDIT)
    assert 1 == len(scene.made)
    assert options(AUDIT.settings) == scene.checker.options
    assert AUDIT == scene.switch.wanted
    await scene.switch.close()
    assert [True] == scene.closed()


async def test_other_indexes_are_told_to_who_keeps_the_collector_away(
    scene: Scene,
) -> None:
    await scene.switch.to(AUDIT)
    assert 0 == scene.settled
    await scene.switch.to(wanted(policy={"unpublished_features": "no"}))
    await scene.switch.to(wanted(policy={"unpublished_features": "no", "mode": "warn"}))
    assert 1 == scene.settled
    await scene.switch.close()


@pytest.mark.parametrize("other", [HOSTS, wanted(OTHERS)], ids=["hosts", "credentials"])
async def test_other_registry_settings_make_other_registries(
    scene: Scene, other: Wanted
) -> None:
    await scene.switch.to(other)
    assert other == scene.made[1][0]
    assert scene.made[1][2] is scene.switch.sources.port
    await scene.switch.close()
    assert [True, True] == scene.closed()


async def test_other_registries_inherit_from_those_before(scene: Scene) -> None:
    """Else a rotated file would end what stands in for a registry that is down."""
    first = scene.switch.sources
    noted: list[tuple[Sources, Sources]] = []

    class Noting(Sources):
        def inherit(self, other: Sources) -> None:
            noted.append((self, other))

    scene.switch._make = lambda given: Noting(
        (made := scene.make(given)).port, made.registries
    )
    await scene.switch.to(wanted(OTHERS))
    second = scene.switch.sources
    assert [(second, first)] == noted
    await scene.switch.to(HOSTS)
    assert (scene.switch.sources, second) == noted[1]
    await scene.switch.close()


async def begun(scene: Scene) -> "asyncio.Task[object]":
    port = scene.made[-1][2]
    review = asyncio.create_task(scene.checker.validate(POD, deadline_seconds=20.0))
    while not port.asked:  # noqa: ASYNC110 - no event there
        await asyncio.sleep(0)
    return review


async def test_old_registries_are_closed_after_the_last_review_that_asks_them(
    scene: Scene,
) -> None:
    review = await begun(scene)
    await scene.switch.to(HOSTS)
    await scene.switch.to(wanted(OTHERS))
    while not scene.made[1][1].is_closed:  # noqa: ASYNC110 - no event there
        await asyncio.sleep(0)
    assert [False, True, False] == scene.closed()
    scene.made[0][2].is_open.set()
    await review
    while not scene.made[0][1].is_closed:  # noqa: ASYNC110 - no event there
        await asyncio.sleep(0)
    await scene.switch.close()
    assert [True, True, True] == scene.closed()


async def test_closing_waits_for_no_review(scene: Scene) -> None:
    review = await begun(scene)
    await scene.switch.to(HOSTS)
    await scene.switch.close()
    assert [True, True] == scene.closed()
    scene.made[0][2].is_open.set()
    await review


async def test_an_exchange_that_is_given_up_leaves_nothing_open(scene: Scene) -> None:
    begun = asyncio.Event()

    async def never(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    scene.checker.exchange = never  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(scene.switch.to(HOSTS))
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [False, True] == scene.closed()
    assert wanted() == scene.switch.wanted
    assert scene.made[0][2] is scene.switch.sources.port
