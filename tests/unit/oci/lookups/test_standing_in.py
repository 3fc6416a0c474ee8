"""The port, while a registry that was asked before cannot be asked."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from app.demo.content import Descriptor
from app.demo.faults import Reply, status
from app.demo.registry import Basic, Registry
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.lookups.cached import Times
from app.oci.registry.shared import Shared
from app.ports import ImageOutcome, Platform, Puller, Resolved
from tests.tools.pull_secrets import Secrets, secret

AMD = Platform("linux", "amd64")
HOST = "registry.example"
IMAGE = f"{HOST}/team/app:1"

Make = Callable[..., RegistryArtifacts]


@pytest.fixture(autouse=True)
def image(registry: Registry) -> Descriptor:
    """`team/app:1`, with an artifact."""
    repository = registry.repository("team/app")
    made = repository.image("amd64", "x")
    repository.tag(made, "1")
    repository.attach(made, b"spec", created="2026-01-01T00:00:00Z")
    return made


async def told(
    artifacts: RegistryArtifacts,
    image: str = IMAGE,
    *,
    seconds: float = 30.0,
    puller: Puller | None = None,
) -> str:
    """What kind of outcome, and its mark."""
    outcome = await artifacts.find(
        image, (AMD,), deadline_seconds=seconds, puller=puller or Puller()
    )
    return word(outcome)


def word(outcome: ImageOutcome) -> str:
    part = outcome.platforms[AMD] if isinstance(outcome, Resolved) else outcome
    return f"{getattr(part, 'reason', type(part).__name__)} {part.mark}".strip()


@pytest.mark.parametrize(
    ("later", "expected"),
    [(30.0, "Found stale"), (629.9, "Found stale"), (630.0, "ServerError")],
)
async def test_what_was_found_stands_in_for_ten_minutes_after_its_time(
    later: float, expected: str, make: Make, registry: Registry, clock: Any
) -> None:
    """A tag's answer holds for 30 s."""
    artifacts = make()
    assert "Found" == await told(artifacts)
    registry.faults["all"] = status(500)
    clock.now += later
    assert expected == await told(artifacts)


async def test_how_long_is_a_setting(
    make: Make, registry: Registry, clock: Any
) -> None:
    artifacts = make(times=Times(stale_seconds=0))
    await told(artifacts)
    registry.faults["all"] = status(500)
    clock.now += 30
    assert "ServerError" == await told(artifacts)


async def test_the_time_is_not_prolonged_by_failures(
    make: Make, registry: Registry, clock: Any
) -> None:
    artifacts = make()
    await told(artifacts)
    registry.faults["all"] = status(500)
    clock.now += 30
    for _ in range(99):
        clock.now += 6
        assert "Found stale" == await told(artifacts)
    clock.now += 5.9
    assert "Found stale" == await told(artifacts), "asked just before its end"
    clock.now += 0.1
    assert "Found stale" != await told(artifacts)


async def test_a_registry_that_failed_is_asked_again_after_5_seconds(
    make: Make, registry: Registry, clock: Any
) -> None:
    artifacts = make()
    await told(artifacts)
    registry.faults["all"] = status(500)
    clock.now += 30
    await told(artifacts)
    registry.log.clear()
    clock.now += 4.9
    assert "Found stale" == await told(artifacts)
    assert [] == registry.log
    registry.faults.clear()
    clock.now += 0.1
    assert "Found" == await told(artifacts)


@pytest.mark.parametrize(
    ("code", "expected"), [(404, "ImageNotFound"), (401, "Unauthorized")]
)
async def test_a_refusal_ends_what_stood_in(
    code: int, expected: str, make: Make, registry: Registry, clock: Any
) -> None:
    artifacts = make()
    await told(artifacts)
    clock.now += 30
    registry.faults["all"] = status(code)
    assert expected == await told(artifacts)
    registry.faults["all"] = status(500)
    clock.now += 60
    assert "ServerError" == await told(artifacts)


async def test_what_one_credential_earned_stands_in_for_no_other(
    make: Make, registry: Registry, clock: Any
) -> None:
    registry.auth = Basic({"ada": "one"})
    pods = Secrets({"ada": (secret("ada", "one"),), "eve": (secret("eve", "two"),)})
    artifacts = make(secrets=pods)
    assert "Found" == await told(artifacts, puller=Puller("ada"))
    clock.now += 30
    registry.faults["all"] = status(500)
    assert "Found stale" == await told(artifacts, puller=Puller("ada"))
    assert "ServerError" == await told(artifacts, puller=Puller("eve"))
    assert "ServerError remembered" == await told(artifacts, puller=Puller("eve"))
    assert "ServerError" == await told(artifacts)


async def test_who_cannot_wait_is_told_what_was_found_before(
    make: Make, clock: Any, transport: Any
) -> None:
    artifacts = make()
    await told(artifacts)
    clock.now += 30
    transport.held.clear()
    assert "Found stale" == await told(artifacts, seconds=0.01)
    transport.held.set()


async def test_who_finds_no_room_is_told_what_was_found_before(
    make: Make, clock: Any, transport: Any
) -> None:
    artifacts = make(limits=replace(Limits(), waiting=1))
    await told(artifacts)
    clock.now += 30
    transport.held.clear()
    await told(artifacts, f"{HOST}/team/other:1", seconds=0)
    assert "Found stale" == await told(artifacts)
    assert "Overloaded" == await told(artifacts, f"{HOST}/team/third:1")
    transport.held.set()


async def test_a_no_is_marked_when_it_comes_from_memory(make: Make, clock: Any) -> None:
    artifacts = make()
    other = f"{HOST}/team/other:1"
    assert "ImageNotFound" == await told(artifacts, other)
    assert "ImageNotFound remembered" == await told(artifacts, other)
    clock.now += 15
    assert "ImageNotFound" == await told(artifacts, other)


async def test_who_waited_for_one_lookup_is_told_the_same(
    make: Make, transport: Any
) -> None:
    """It was asked for just now, for all of them."""
    artifacts = make()
    transport.held.clear()
    other = f"{HOST}/team/other:1"
    waiting = [asyncio.create_task(told(artifacts, other)) for _ in range(3)]
    await asyncio.sleep(0)
    transport.held.set()
    assert ["ImageNotFound"] * 3 == await asyncio.gather(*waiting)


async def test_what_stood_in_is_counted(
    transport: Any, policy: Any, registry: Registry, clock: Any
) -> None:
    class Counts:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def cache(self, result: str) -> None:
            self.seen.append(result)

        def evicted(self, cache: str) -> None:
            raise AssertionError(cache)

    counts = Counts()
    shared = Shared(transport, policy, clock=clock, chance=clock.chance)
    artifacts = RegistryArtifacts(shared, observer=counts, clock=clock)
    await told(artifacts)
    registry.faults["all"] = status(500)
    clock.now += 30
    await told(artifacts)
    await told(artifacts)
    assert ["miss", "miss", "stale", "hit"] == counts.seen


# A host that is left alone --------------------------------------------------------


async def test_a_host_that_is_left_alone_is_not_asked_and_answers_come_at_once(
    make: Make, registry: Registry, clock: Any
) -> None:
    limits = replace(Limits(), breaker_failures=2, retries=0)
    artifacts = make(limits=limits)
    await told(artifacts)
    registry.faults["all"] = status(500)
    clock.now += 60
    for number in range(2):
        assert "ServerError" == await told(artifacts, f"{HOST}/team/other-{number}:1")
    registry.log.clear()
    assert "CircuitOpen" == await told(artifacts, f"{HOST}/team/other-3:1")
    assert "Found stale" == await told(artifacts)
    assert [] == registry.log
    assert {"open": 1, "half open": 0} == artifacts.circuits()
    registry.faults.clear()
    clock.now += 30
    assert {"open": 0, "half open": 1} == artifacts.circuits()
    assert "Found" == await told(artifacts)
    assert {"open": 0, "half open": 0} == artifacts.circuits()


async def test_a_repository_that_fails_closes_the_way_to_no_other_one(
    make: Make, registry: Registry, clock: Any
) -> None:
    async def fault(request: web.Request, reply: Reply) -> Reply:
        return Reply(502) if "/bad/" in request.path else reply

    registry.faults["all"] = fault
    artifacts = make()
    words = []
    for number in range(6):
        words.append(await told(artifacts, f"{HOST}/team/bad/app:{number}"))
        clock.now += 1
    assert ["ServerError"] * 5 + ["CircuitOpen"] == words
    assert "Found" == await told(artifacts)


async def test_a_hanging_registry_that_is_left_alone_still_holds_nobody(
    make: Make, clock: Any, transport: Any
) -> None:
    """That it is not asked is no answer: nobody waits for the one that is tried."""
    limits = replace(Limits(), breaker_failures=1, lookup_seconds=0.1)
    artifacts = make(limits=replace(limits, connect_seconds=0.0))
    transport.held.clear()
    assert "Timeout" == await told(artifacts)
    assert {"open": 1, "half open": 0} == artifacts.circuits()
    clock.now += 5
    await told(artifacts)
    await asyncio.sleep(0.01)
    clock.now += 30
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert "Timeout" == await told(artifacts)
    assert 0.09 > loop.time() - started
    transport.held.set()


async def test_a_probe_of_many_lookups_is_one(
    make: Make, registry: Registry, clock: Any, transport: Any
) -> None:
    artifacts = make(limits=replace(Limits(), breaker_failures=1, retries=0))
    registry.faults["all"] = status(500)
    await told(artifacts)
    clock.now += 30
    registry.log.clear()
    transport.held.clear()
    waiting = [
        asyncio.create_task(told(artifacts, f"{HOST}/team/app:t{n}")) for n in range(5)
    ]
    for _ in range(20):
        await asyncio.sleep(0)
    assert 1 == transport.under_way
    transport.held.set()
    words = await asyncio.gather(*waiting)
    assert 1 == len(registry.log)
    assert ["CircuitOpen"] * 4 + ["ServerError"] == sorted(words)
