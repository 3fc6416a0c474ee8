"""Lookups under way: how many may be, and what took their time."""

import asyncio
from typing import Any

import pytest

from app.oci.lookups.flights import Flight, Flights
from app.ports import ImageNotFound, ImageOutcome


async def never() -> ImageOutcome:
    await asyncio.Event().wait()
    return ImageNotFound("x")


@pytest.mark.parametrize(
    ("is_queued", "asked", "expected"),
    [
        pytest.param(True, None, True, id="its-turn-never-came"),
        pytest.param(True, 106.0, True, id="asked-for-4-of-10-seconds"),
        pytest.param(True, 105.0, False, id="asked-for-half"),
        pytest.param(False, 106.0, False, id="came-at-once"),
        pytest.param(False, None, False, id="did-not-begin"),
    ],
)
async def test_what_took_most_of_a_lookups_time(
    is_queued: bool, asked: float | None, expected: bool
) -> None:
    task = asyncio.create_task(never())
    flight = Flight("r.example", task, 100.0, is_queued=is_queued, asked=asked)
    assert expected is flight.waited_longest(110.0)
    task.cancel()


@pytest.mark.parametrize(
    ("known", "unknown", "zone", "expected"),
    [
        pytest.param(7, [], "", False, id="room-for-a-known-one"),
        pytest.param(8, [], "", True, id="full"),
        pytest.param(0, ["a", "a", "b", "b"], "", False, id="half-is-left"),
        pytest.param(0, ["a", "a", "b", "b"], "c", True, id="none-for-unknown-ones"),
        pytest.param(0, ["a", "a", "b"], "a", True, id="none-for-a-zone"),
        pytest.param(0, ["a", "a", "b"], "b", False, id="room-for-another"),
        pytest.param(7, [], "a", False, id="known-ones-count-not-as-unknown"),
        pytest.param(8, [], "a", True, id="full-for-all"),
    ],
)
async def test_unknown_registries_have_half_of_the_room_and_a_zone_a_quarter(
    known: int, unknown: list[str], zone: str, expected: bool, clock: Any
) -> None:
    flights: Flights[int] = Flights(8, clock)
    for number, one in enumerate([""] * known + unknown):
        flights.begin(number, "r.example", never(), unknown=one)
    assert expected is flights.is_full(zone)
    await flights.close()


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_there_is_room_for_one_at_the_least(most: int, clock: Any) -> None:
    flights: Flights[int] = Flights(most, clock)
    assert not flights.is_full("a")
    flights.begin(1, "r.example", never(), unknown="a")
    assert flights.is_full("a")
    await flights.close()


async def test_a_registry_is_asked_for_as_long_as_its_oldest_lookup(
    clock: Any,
) -> None:
    flights: Flights[int] = Flights(8, clock)
    assert 0 == flights.asked_seconds("r.example")
    for number, host in enumerate(["r.example", "r.example", "s.example"]):
        flights.begin(number, host, never()).asked = clock.now + number
    flights.begin(4, "r.example", never())
    clock.now += 5
    assert 5.0 == flights.asked_seconds("r.example")
    await flights.close()
