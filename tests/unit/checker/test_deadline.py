"""One deadline for all images of a review, however many there are and often asked."""

import asyncio
from collections.abc import Collection

import pytest

from app.admission.findings import Answer
from app.ports import NOBODY, ImageOutcome, Missing, Platform, Puller, Resolved
from app.ports import Unavailable as Away
from tests.tools.doubles import ARM, FakeArtifacts, FakeCluster
from tests.unit.checker.test_gathering import gathering, pod

SECONDS = 0.2
MANY = 16
ENOUGH = 5.0
"""Seconds after which a test is seen to hang."""


class Slow(FakeArtifacts):
    """Answers when so many ask at the same time, or when time is over.

    Attributes:
        together: how many.
        given: the time that each was given, in seconds.
    """

    def __init__(self, together: int) -> None:
        super().__init__()
        self.together = together
        self.given: list[float] = []
        self.all = asyncio.Event()

    async def find(
        self,
        image: str,
        platforms: Collection[Platform],
        *,
        deadline_seconds: float,
        puller: Puller = NOBODY,
    ) -> ImageOutcome:
        del puller
        self.asked.append((image, tuple(platforms)))
        self.given.append(deadline_seconds)
        if len(self.given) == self.together:
            self.all.set()
        try:
            await asyncio.wait_for(self.all.wait(), deadline_seconds)
        except TimeoutError:
            return Away("Timeout", "x")
        return Resolved("d", dict.fromkeys(platforms, Missing()))


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.add("a")
    return made


async def test_images_are_looked_up_at_the_same_time_with_the_same_deadline(
    cluster: FakeCluster,
) -> None:
    slow = Slow(together=MANY)
    made = gathering(cluster, slow)
    images = [f"x{number}" for number in range(MANY)]
    async with asyncio.timeout(ENOUGH):
        finding = await made.find(pod(*images), deadline_seconds=SECONDS)
    answers = {answer for image in finding.images for answer in image.answers}
    assert {Answer.MISSING} == answers
    assert 1 == len(set(slow.given))
    assert 0 < slow.given[0] <= SECONDS


async def test_images_that_hang_take_one_deadline_together(
    cluster: FakeCluster,
) -> None:
    slow = Slow(together=MANY + 1)
    made = gathering(cluster, slow)
    images = [f"x{number}" for number in range(MANY)]
    loop = asyncio.get_running_loop()
    started = loop.time()
    finding = await made.find(pod(*images), deadline_seconds=SECONDS)
    assert SECONDS * 3 > loop.time() - started
    assert not finding.in_time
    answers = {answer for image in finding.images for answer in image.answers}
    assert {Answer.UNAVAILABLE} == answers


async def test_a_second_look_gets_what_the_first_left(cluster: FakeCluster) -> None:
    """A node of another platform came while the registry was asked."""

    class Growing(Slow):
        async def find(
            self,
            image: str,
            platforms: Collection[Platform],
            *,
            deadline_seconds: float,
            puller: Puller = NOBODY,
        ) -> ImageOutcome:
            if not self.given:
                cluster.add("arm", labels=ARM)
                await asyncio.sleep(0.05)
            return await super().find(
                image, platforms, deadline_seconds=deadline_seconds, puller=puller
            )

    growing = Growing(together=1)
    made = gathering(cluster, growing)
    await made.find(pod("x"), deadline_seconds=SECONDS)
    first, second = growing.given
    assert 0 < second <= first - 0.05 + 0.001
