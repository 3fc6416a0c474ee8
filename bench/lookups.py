"""What looking for the specs of images costs: requests, processor time, memory.

Over real sockets on loopback, with the registry of `app.demo`; where time counts it
runs in another process (`bench.registryserver`).
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from app.demo.registry import Api, Bearer, Registry
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.shared import Shared
from app.oci.registry.transport import AiohttpTransport
from app.ports import Found, ImageOutcome, Platform, Resolved
from bench import registry as memory
from bench import registryserver
from bench.figure import Figure, Rows
from bench.process import resident
from bench.registryserver import SPEC, image

AMD64: Final = Platform("linux", "amd64")
_OPEN: Final = HostPolicy(plain_http=True, loopback=True, plain_http_credentials=True)
_SECONDS: Final = 30.0

COLD_IMAGES: Final = 400
CPU_GOAL: Final = 2.0
PODS: Final = 100
IMAGES: Final = 16
ROUND_TRIP_SECONDS: Final = 0.05
PARALLEL_GOAL: Final = 3.0
REFERENCES: Final = 20_000
GROWTH_GOAL: Final = 5.0
"""MiB from the middle to the end, which is noise of the allocator."""


@asynccontextmanager
async def reading(address: str) -> AsyncIterator[RegistryArtifacts]:
    """The port as the webhook has it, towards one registry."""
    policy, limits = RegistryPolicy({address: _OPEN}), Limits()
    shared = Shared(AiohttpTransport(policy, limits), policy, limits=limits)
    artifacts = RegistryArtifacts(shared)
    try:
        yield artifacts
    finally:
        await artifacts.close()


async def look(artifacts: RegistryArtifacts, name: str) -> ImageOutcome:
    """The outcome for one image.

    Raises:
        RuntimeError: its spec was not found, so that nothing was measured.
    """
    found = await artifacts.find(name, (AMD64,), deadline_seconds=_SECONDS)
    part = found.platforms[AMD64] if isinstance(found, Resolved) else None
    if isinstance(part, Found):
        return found
    raise RuntimeError(f"{name}: {found}")


# Requests ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of image on a kind of registry, and how many requests it may take."""

    name: str
    goal: int
    is_index: bool = False
    api: bool = True
    auth: bool = False


CASES: Final = (
    Case("single", 4),
    Case("single_tag_fallback", 5, api=False),
    Case("index", 6, is_index=True),
    Case("index_tag_fallback", 8, is_index=True, api=False),
    Case("single_with_token", 6, auth=True),
    Case("index_with_token", 8, is_index=True, auth=True),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests.

    Attributes:
        cold: for an image that nobody has asked for.
        again: for the same, within its time.
        next: for another repository of the registry.
    """

    cold: int
    again: int
    next: int


async def counted(case: Case) -> Counted:
    """How many requests a case takes."""
    registry = Registry(
        api=Api(referrers=case.api), auth=Bearer() if case.auth else None
    )
    async with registry.serving():
        for number in range(2):
            _put(registry, number, case)
        async with reading(registry.address) as artifacts:
            counts = []
            for number in (0, 0, 1):
                await look(artifacts, image(registry.address, number))
                counts.append(len(registry.log))
                registry.log.clear()
    return Counted(*counts)


def _put(registry: Registry, number: int, case: Case) -> None:
    repository = registry.repository(f"bench/app-{number}")
    subject = repository.image("amd64", f"app-{number}")
    if case.is_index:
        subject = repository.index([("amd64", subject)])
    repository.tag(subject, "1")
    repository.attach(subject, SPEC, created="2026-03-01T00:00:00Z")
    if not case.api:
        repository.write_fallback_tag(str(subject["digest"]))


async def requests() -> AsyncIterator[Figure]:
    """Requests for a cold image, of each kind."""
    for case in CASES:
        found = await counted(case)
        yield Figure(
            name=f"cold_image_requests_{case.name}",
            value=found.cold,
            unit="requests",
            goal=case.goal,
            beside={"again": found.again, "next repository": found.next},
        )


async def one_fetch() -> AsyncIterator[Figure]:
    """Requests for many Pods of one image, all at once."""
    yield Figure(
        name="one_fetch_for_100_pods",
        value=await of_many_pods(),
        unit="requests",
        goal=4,
    )


async def of_many_pods(pods: int = PODS) -> int:
    """How many requests so many Pods of one image cause, all at once."""
    registry = Registry()
    async with registry.serving():
        _put(registry, 0, CASES[0])
        async with reading(registry.address) as artifacts:
            name = image(registry.address, 0)
            await asyncio.gather(*(look(artifacts, name) for _ in range(pods)))
    return len(registry.log)


# Time ----------------------------------------------------------------------------


async def processor_time() -> AsyncIterator[Figure]:
    """Of this process, for a cold image; the registry is another one."""
    async with (
        registryserver.serving(2 * COLD_IMAGES + 1, 0.0) as address,
        reading(address) as artifacts,
    ):
        await look(artifacts, image(address, 2 * COLD_IMAGES))
        gc.collect()
        alone = await _processor(artifacts, address, range(COLD_IMAGES), 1)
        others = range(COLD_IMAGES, 2 * COLD_IMAGES)
        together = await _processor(artifacts, address, others, IMAGES)
    yield Figure(
        name="cold_image_processor_time",
        value=alone,
        unit="ms of processor time",
        goal=CPU_GOAL,
        beside={"16 at the same time": together},
    )


async def _processor(
    artifacts: RegistryArtifacts, address: str, numbers: range, at_once: int
) -> float:
    started = time.process_time()
    for first in range(numbers.start, numbers.stop, at_once):
        batch = range(first, min(first + at_once, numbers.stop))
        await asyncio.gather(*(look(artifacts, image(address, n)) for n in batch))
    return (time.process_time() - started) * 1e3 / len(numbers)


async def in_parallel() -> AsyncIterator[Figure]:
    """Images of one Pod, over a round trip of 50 ms, as a share of one image."""
    turns = 5
    count = turns * (IMAGES + 1) + 1
    async with (
        registryserver.serving(count, ROUND_TRIP_SECONDS) as address,
        reading(address) as artifacts,
    ):
        numbers = iter(range(count))
        await look(artifacts, image(address, next(numbers)))
        one: list[float] = []
        many: list[float] = []
        for _ in range(turns):
            for times, size in ((one, 1), (many, IMAGES)):
                names = [image(address, next(numbers)) for _ in range(size)]
                started = time.perf_counter()
                await asyncio.gather(*(look(artifacts, name) for name in names))
                times.append(time.perf_counter() - started)
    yield Figure(
        name="images_in_parallel_16",
        value=statistics.median(many) / statistics.median(one),
        unit="times one image",
        goal=PARALLEL_GOAL,
        beside={
            "one, ms": statistics.median(one) * 1e3,
            "16, ms": statistics.median(many) * 1e3,
        },
    )


# Memory --------------------------------------------------------------------------


async def references(name: str, of: Callable[[int], str]) -> AsyncIterator[Figure]:
    """What distinct references leave behind."""
    before, middle, end = await _resident(of)
    yield Figure(
        name=name,
        value=end - middle,
        unit="MiB from the 10,000th reference to the 20,000th",
        goal=GROWTH_GOAL,
        beside={"MiB for the first 10,000": middle - before},
    )


def _with_spec(number: int) -> str:
    return memory.image("spec", f"new-{number}")


def _not_found(number: int) -> str:
    return f"registry-{number}.example.com/bench/none-{number}:1"


async def _resident(of: Callable[[int], str]) -> tuple[float, float, float]:
    """Resident memory before, in the middle and at the end; MiB."""
    artifacts = memory.artifacts({"spec": SPEC}, forgets=True)
    taken = [_taken()]
    for number in range(REFERENCES):
        name = of(number)
        await artifacts.find(name, (AMD64,), deadline_seconds=_SECONDS)
        if number + 1 in {REFERENCES // 2, REFERENCES}:
            taken.append(_taken())
    await artifacts.close()
    before, middle, end = taken
    return before, middle, end


def _taken() -> float:
    gc.collect()
    return resident(os.getpid())


ROWS: Final[Rows] = {
    "cold_image_requests": requests,
    "one_fetch": one_fetch,
    "cold_image_processor_time": processor_time,
    "images_in_parallel": in_parallel,
    "references_specs": partial(references, "references_specs_20000", _with_spec),
    "references_not_found": partial(
        references, "references_not_found_20000", _not_found
    ),
}
