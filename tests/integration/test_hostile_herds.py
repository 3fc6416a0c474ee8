"""Many at once, and registries that ask to be left alone: nobody waits for long."""

from __future__ import annotations

import asyncio
import time

import pytest

from app.demo import faults
from app.demo.registry import Bearer, Registry
from app.oci.limits import Limits
from app.ports import Unavailable
from tests.tools.hostile import (
    SPEC,
    app,
    content,
    filled,
    look,
    part,
    reading,
    word,
)

pytestmark = pytest.mark.integration

PODS = 100


def many(count: int) -> Registry:
    """`team/app:1` with an artifact, and as many other tags of it."""
    registry = filled()
    repository = registry.repository("team/app")
    for number in range(count):
        repository.tags[f"t{number}"] = repository.tags["1"]
    return registry


async def test_a_hundred_pods_of_one_image_are_one_lookup() -> None:
    registry = filled(auth=Bearer())
    async with registry.serving(), reading(registry) as artifacts:
        found = await asyncio.gather(
            *(look(artifacts, app(registry)) for _ in range(PODS))
        )
    assert {SPEC} == {content(one) for one in found}
    assert 1 == registry.asked().count("token")
    assert 6 == len(registry.log)


async def test_a_registry_is_asked_so_many_things_at_the_same_time() -> None:
    registry, limits = many(PODS), Limits(per_host=3)
    now = most = 0

    async def count(_request: object, reply: faults.Reply) -> faults.Reply:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return reply

    registry.faults["all"] = count
    async with registry.serving(), reading(registry, limits=limits) as artifacts:
        await asyncio.gather(
            *(look(artifacts, app(registry, f"t{at}")) for at in range(PODS))
        )
    assert 3 == most


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "after", ["9999", "1e9", "-1", "x", "Fri, 31 Dec 9999 23:59:59 GMT"]
)
async def test_a_retry_after_of_hours_holds_nobody(status: int, after: str) -> None:
    registry = many(20)
    registry.faults["all"] = faults.status(status, {"Retry-After": after})
    started = time.monotonic()
    async with registry.serving(), reading(registry) as artifacts:
        found = await asyncio.gather(
            *(look(artifacts, app(registry, f"t{at}")) for at in range(20))
        )
    assert time.monotonic() - started < Limits().lookup_seconds
    assert all(isinstance(part(one), Unavailable) for one in found)


async def test_a_registry_that_fails_is_left_alone_and_others_are_not() -> None:
    broken, well = many(PODS), filled()
    broken.faults["all"] = faults.no_http
    limits = Limits(retries=0)
    async with (
        broken.serving(),
        well.serving(),
        reading(broken, well, limits=limits) as artifacts,
    ):
        for at in range(PODS):
            found = await look(artifacts, app(broken, f"t{at}"))
            assert isinstance(part(found), Unavailable)
        assert SPEC == content(await look(artifacts, app(well)))
    assert len(broken.log) <= limits.breaker_failures


async def test_a_registry_that_hangs_takes_no_place_from_another() -> None:
    hanging, well = many(PODS), filled()
    hanging.faults["all"] = faults.hang
    async with (
        hanging.serving(),
        well.serving(),
        reading(hanging, well) as artifacts,
    ):
        waiting = [
            asyncio.create_task(look(artifacts, app(hanging, f"t{at}")))
            for at in range(PODS)
        ]
        await asyncio.sleep(0.1)
        started = time.monotonic()
        assert SPEC == content(await look(artifacts, app(well)))
        assert time.monotonic() - started < 1.0
        found = await asyncio.gather(*waiting)
    assert {"Unavailable Timeout"} == {word(one) for one in found}
