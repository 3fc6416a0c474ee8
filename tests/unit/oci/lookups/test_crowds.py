"""Many that never answer, and a registry that does."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.demo.registry import Registry
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry.shared import Shared
from app.oci.ways.ways import Ways
from app.ports import ImageOutcome, Platform, Unavailable

AMD = Platform("linux", "amd64")
HOST = "registry.example"
NAMED = "plain.example"
OVERLOADED = Unavailable("Overloaded", "too many lookups are under way")
SOON = 0.01

Make = Callable[..., RegistryArtifacts]


async def look(
    artifacts: RegistryArtifacts, image: str, seconds: float = 30.0
) -> ImageOutcome:
    return await artifacts.find(image, (AMD,), deadline_seconds=seconds)


async def word(artifacts: RegistryArtifacts, image: str, seconds: float = 30.0) -> str:
    outcome = await look(artifacts, image, seconds)
    return getattr(outcome, "reason", type(outcome).__name__)


async def flood(
    artifacts: RegistryArtifacts, count: int, of: str = "h{}.evil.example"
) -> list["asyncio.Task[ImageOutcome]"]:
    """So many lookups on hosts that never answer, all under way or waiting."""
    tasks = [
        asyncio.create_task(look(artifacts, of.format(number) + "/x:1"))
        for number in range(count)
    ]
    await settled()
    return tasks


async def settled() -> None:
    """Lets every task run until it waits for something outside."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def tarpits(transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is not here never answers."""
    send = transport.send

    async def tarpit(request: Any) -> Any:
        if "evil" in request.url:
            await asyncio.Event().wait()
        return await send(request)

    monkeypatch.setattr(transport, "send", tarpit)


@pytest.mark.parametrize(
    "of",
    [
        pytest.param("h{}.evil.example", id="one-zone"),
        pytest.param("evil{}.example", id="many-zones"),
    ],
)
async def test_tarpits_take_no_turn_from_a_registry_that_answered(
    of: str, make: Make
) -> None:
    artifacts = make()
    await look(artifacts, f"{HOST}/app:first")
    await flood(artifacts, 200, of)
    assert "ImageNotFound" == await word(artifacts, f"{HOST}/app:1", 0.5)


async def test_tarpits_take_no_turn_from_a_registry_that_settings_name(
    make: Make,
) -> None:
    artifacts = make()
    await flood(artifacts, 200, "evil{}.example")
    assert "ImageNotFound" == await word(artifacts, f"{NAMED}/app:1", 0.5)


async def test_tarpits_take_no_turn_from_a_registry_with_mirrors_of_its_own(
    shared: Shared,
) -> None:
    shared = replace(shared, ways=Ways({HOST: (), "_default": ()}))
    artifacts = RegistryArtifacts(shared)
    await flood(artifacts, 200, "evil{}.example")
    assert "ImageNotFound" == await word(artifacts, f"{HOST}/app:1", 0.5)
    assert "Overloaded" == await word(artifacts, "other.example/app:1", SOON)
    await artifacts.close()


async def test_tarpits_of_one_zone_take_no_turn_from_a_new_registry(
    make: Make,
) -> None:
    artifacts = make()
    await flood(artifacts, 100)
    assert "ImageNotFound" == await word(artifacts, f"{HOST}/app:1", 0.5)


async def test_tarpits_leave_room_to_wait(make: Make) -> None:
    """For the registry that answered all of it, for a new one what no zone takes."""
    artifacts = make(limits=replace(Limits(), waiting=8))
    await look(artifacts, f"{HOST}/app:first")
    await flood(artifacts, 9)
    assert 2 == len(artifacts._flights)
    await flood(artifacts, 9, "evil{}.example")
    assert 4 == len(artifacts._flights)
    assert OVERLOADED == await look(artifacts, "new.example/app:1", SOON)
    assert "ImageNotFound" == await word(artifacts, f"{HOST}/app:1", 0.5)


async def test_to_wait_for_a_turn_is_no_fault_of_a_registry(
    make: Make, clock: Any, registry: Registry
) -> None:
    limits = replace(Limits(), lookups=2, lookup_seconds=0.1)
    artifacts = make(limits=limits)
    tasks = await flood(artifacts, 1)
    waiting = asyncio.create_task(look(artifacts, f"{HOST}/app:1", 0.05))
    await asyncio.sleep(0)
    clock.now += 1.0
    assert OVERLOADED == await waiting
    assert [] == registry.log
    await asyncio.wait(tasks)
    clock.now += 10
    assert not artifacts._patience.is_hanging(HOST)
    assert "ImageNotFound" == await word(artifacts, f"{HOST}/app:2", 0.5)


async def test_a_lookup_whose_turn_never_came_is_no_fault_of_a_registry(
    make: Make, registry: Registry
) -> None:
    limits = replace(Limits(), lookups=2, lookup_seconds=0.05)
    artifacts = make(limits=limits)
    async with artifacts._turns.turn(
        artifacts._gates(artifacts._named("a.b/c").reference)
    ):
        assert OVERLOADED == await look(artifacts, f"{HOST}/app:1")
    assert [] == registry.log
    assert not artifacts._patience.is_hanging(HOST)


async def test_a_lookup_has_all_of_its_time_from_its_turn_on(
    make: Make, transport: Any
) -> None:
    limits = replace(Limits(), lookups=2, lookup_seconds=0.2)
    artifacts = make(limits=limits)
    gates = artifacts._gates(artifacts._named("a.b/c").reference)
    async with artifacts._turns.turn(gates):
        waiting = asyncio.create_task(word(artifacts, f"{HOST}/app:1"))
        await asyncio.sleep(0.15)
        transport.held.clear()
    await asyncio.sleep(0.15)
    transport.held.set()
    assert "ImageNotFound" == await waiting


async def test_who_waits_behind_a_registry_that_hangs_is_told_so(
    make: Make, transport: Any, clock: Any
) -> None:
    artifacts = make(limits=replace(Limits(), per_host=1))
    transport.held.clear()
    for tag, seconds in (("1", 1.9), ("2", 0.1)):
        waiting = asyncio.create_task(look(artifacts, f"{HOST}/app:{tag}", SOON))
        await settled()
        clock.now += seconds
        outcome = await waiting
    assert Unavailable("Timeout", f"{HOST} did not answer in time") == outcome
    assert "Overloaded" != await word(artifacts, f"{HOST}/app:3", SOON)


async def test_who_waits_behind_a_registry_that_answers_is_told_so(
    make: Make, transport: Any, clock: Any
) -> None:
    artifacts = make(limits=replace(Limits(), per_host=1))
    transport.held.clear()
    tasks = [
        asyncio.create_task(look(artifacts, f"{HOST}/app:{tag}", SOON))
        for tag in ("1", "2")
    ]
    await settled()
    clock.now += 1.9
    first, second = await asyncio.gather(*tasks)
    assert Unavailable("Timeout", f"{HOST} did not answer in time") == first
    assert OVERLOADED == second


async def test_a_registry_that_hangs_does_so_until_it_was_asked(make: Make) -> None:
    patience = make()._patience
    patience.learn(HOST, Unavailable("Timeout", "x"))
    patience.learn(HOST, OVERLOADED)
    assert patience.is_hanging(HOST)
    patience.learn(HOST, Unavailable("ServerError", "x"))
    assert not patience.is_hanging(HOST)
    patience.learn(HOST, OVERLOADED)
    assert not patience.is_hanging(HOST)


async def test_who_had_no_time_at_all_did_not_wait_for_others(
    make: Make, transport: Any, clock: Any
) -> None:
    """It is not too much that is under way; the clock goes on a little."""
    artifacts = make()
    transport.held.clear()
    waiting = asyncio.create_task(look(artifacts, f"{HOST}/app:1", 0.0))
    await asyncio.sleep(0)
    clock.now += 0.001
    assert Unavailable("Timeout", f"{HOST} did not answer in time") == await waiting


async def test_a_registry_that_runs_out_of_time_is_unknown_again(
    make: Make, transport: Any
) -> None:
    artifacts = make(limits=replace(Limits(), lookup_seconds=0.02))
    await look(artifacts, f"{HOST}/app:1")
    assert HOST in artifacts._known_hosts
    transport.held.clear()
    assert "Timeout" == await word(artifacts, f"{HOST}/app:2")
    assert HOST not in artifacts._known_hosts


async def test_a_registry_that_fails_stays_what_it_was(
    make: Make, registry: Registry
) -> None:
    artifacts = make()
    registry.faults["all"] = _fault
    await look(artifacts, "new.example/app:1")
    assert "new.example" not in artifacts._known_hosts
    registry.faults.clear()
    await look(artifacts, f"{HOST}/app:1")
    registry.faults["all"] = _fault
    await look(artifacts, f"{HOST}/app:2")
    assert HOST in artifacts._known_hosts


async def _fault(_request: object, reply: Any) -> Any:
    return replace(reply, status=500)
