"""The port on registries: what is asked again, who waits, and for how long."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.demo.content import Descriptor
from app.demo.faults import status
from app.demo.registry import Api, Basic, Bearer, Registry
from app.oci.cache import ENTRY_BYTES
from app.oci.limits import Limits
from app.oci.lookups import cached
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.lookups.cached import Times
from app.oci.registry.client import Shared
from app.ports import (
    Found,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Missing,
    Platform,
    PlatformOutcome,
    Resolved,
    Unauthorized,
    Unavailable,
)

AMD = Platform("linux", "amd64")
ARM = Platform("linux", "arm64")
HOST = "registry.example"
IMAGE = f"{HOST}/team/app:1"
SOON = 0.01
"""Seconds: a deadline that passes."""
LONG = 30.0
"""Seconds: a deadline that a test would be seen to reach."""

Make = Callable[..., RegistryArtifacts]


@pytest.fixture
def image(registry: Registry) -> Descriptor:
    """`team/app:1`, with an artifact."""
    repository = registry.repository("team/app")
    made = repository.image("amd64", "x")
    repository.tag(made, "1")
    repository.attach(made, b"spec", created="2026-01-01T00:00:00Z")
    return made


async def look(
    artifacts: RegistryArtifacts,
    image: str = IMAGE,
    *platforms: Platform,
    seconds: float = LONG,
) -> ImageOutcome:
    return await artifacts.find(image, platforms or (AMD,), deadline_seconds=seconds)


async def settled() -> None:
    """Lets every task run until it waits for something outside."""
    for _ in range(50):
        await asyncio.sleep(0)


def one(outcome: ImageOutcome, platform: Platform = AMD) -> PlatformOutcome:
    assert isinstance(outcome, Resolved), outcome
    return outcome.platforms[platform]


def content(outcome: ImageOutcome) -> bytes:
    found = one(outcome)
    assert isinstance(found, Found), found
    return found.content


def word(outcome: ImageOutcome | PlatformOutcome) -> str:
    """What kind of outcome, and the reason if it has one."""
    return getattr(outcome, "reason", type(outcome).__name__)


# What is remembered --------------------------------------------------------------


@pytest.mark.usefixtures("image")
async def test_a_cold_image_takes_four_requests_and_a_known_one_none(
    make: Make, registry: Registry
) -> None:
    artifacts = make()
    first = await look(artifacts)
    assert b"spec" == content(first)
    assert ["resolve", "referrers", "manifest", "blob"] == registry.asked()
    assert first is await look(artifacts)
    assert 4 == len(registry.log)


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize(
    ("later", "asked"),
    [
        pytest.param(29.9, [], id="the-tag-holds-30-s"),
        pytest.param(30.0, ["resolve"], id="then-it-is-resolved-again"),
        pytest.param(60.0, ["resolve", "referrers"], id="artifacts-hold-60-s"),
        pytest.param(
            3600.0,
            ["resolve", "referrers", "manifest", "blob"],
            id="content-holds-an-hour",
        ),
    ],
)
async def test_what_ran_out_is_asked_again_and_nothing_else(
    later: float, asked: list[str], make: Make, registry: Registry, clock: Any
) -> None:
    artifacts = make()
    await look(artifacts)
    registry.log.clear()
    clock.now += later
    assert b"spec" == content(await look(artifacts))
    assert asked == registry.asked()


async def test_an_outcome_holds_no_longer_than_what_it_rests_on(
    image: Descriptor, make: Make, registry: Registry, clock: Any
) -> None:
    """Artifacts known for 50 s give a new tag an answer for 10 s only."""
    artifacts = make()
    await look(artifacts)
    clock.now += 50
    registry.repository("team/app").tag(image, "2")
    await look(artifacts, f"{HOST}/team/app:2")
    clock.now += 10
    registry.log.clear()
    await look(artifacts, f"{HOST}/team/app:2")
    assert ["referrers"] == registry.asked()


async def test_an_artifact_that_is_attached_later_is_seen_after_15_seconds(
    make: Make, registry: Registry, clock: Any
) -> None:
    repository = registry.repository("team/app")
    made = repository.image("amd64", "x")
    repository.tag(made, "1")
    artifacts = make()
    assert Missing() == one(await look(artifacts))
    repository.attach(made, b"spec", created=None)
    clock.now += 14.9
    assert Missing() == one(await look(artifacts))
    clock.now += 0.1
    assert b"spec" == content(await look(artifacts))


@pytest.mark.usefixtures("image")
async def test_a_fault_is_forgotten_after_5_seconds(
    make: Make, registry: Registry, clock: Any
) -> None:
    artifacts = make()
    registry.faults["resolve"] = status(503)
    assert "ServerError" == word(await look(artifacts))
    registry.faults.clear()
    clock.now += 4.9
    assert "ServerError" == word(await look(artifacts))
    clock.now += 0.1
    assert b"spec" == content(await look(artifacts))


async def test_another_platform_costs_only_what_is_new(
    make: Make, registry: Registry
) -> None:
    repository = registry.repository("team/app")
    arm = repository.image("arm64", "y")
    index = repository.index(
        [("amd64", repository.image("amd64", "x")), ("arm64", arm)]
    )
    repository.tag(index, "1")
    repository.attach(index, b"index", created=None)
    repository.attach(arm, b"arm", created=None)
    artifacts = make()
    assert b"index" == content(await look(artifacts))
    assert 6 == len(registry.log)
    registry.log.clear()
    outcome = await look(artifacts, IMAGE, AMD, ARM)
    assert isinstance(outcome, Resolved)
    assert isinstance(outcome.platforms[ARM], Found)
    assert ["referrers", "manifest", "blob"] == registry.asked()


async def test_a_missing_api_is_asked_for_once_in_a_repository(
    image: Descriptor, make: Make, registry: Registry, clock: Any
) -> None:
    registry.api = Api(referrers=False)
    repository = registry.repository("team/app")
    repository.write_fallback_tag(str(image["digest"]))
    artifacts = make()
    assert b"spec" == content(await look(artifacts))
    assert 5 == len(registry.log)
    clock.now += 60
    registry.log.clear()
    await look(artifacts)
    assert ["HEAD", "GET"] == [entry.method for entry in registry.log]
    assert "/manifests/sha256-" in registry.log[1].path


async def test_a_missing_api_in_one_repository_says_nothing_of_another(
    image: Descriptor, make: Make, registry: Registry
) -> None:
    """Else a repository without it would hide the artifacts of all others."""
    other = registry.repository("team/other")
    made = other.image("amd64", "y")
    other.tag(made, "1")
    other.attach(made, b"other", created=None)
    artifacts = make()
    registry.api = Api(referrers=False)
    assert Missing() == one(await look(artifacts))
    registry.api = Api()
    assert b"other" == content(await look(artifacts, f"{HOST}/team/other:1"))
    assert image["digest"] != made["digest"]


@pytest.mark.usefixtures("image")
async def test_what_may_be_read_in_one_repository_is_not_read_for_another(
    make: Make, registry: Registry
) -> None:
    """The same content, but the registry keeps it from us there."""
    artifacts = make()
    await look(artifacts)
    registry.auth = Bearer(is_open=False)
    registry.repositories["secret/app"] = registry.repositories["team/app"]
    outcome = await look(artifacts, f"{HOST}/secret/app:1")
    assert isinstance(outcome, Unauthorized)


# One lookup for many -------------------------------------------------------------


@pytest.mark.usefixtures("image")
async def test_a_hundred_pods_of_one_image_cause_one_lookup(
    make: Make, registry: Registry
) -> None:
    artifacts = make()
    outcomes = await asyncio.gather(*(look(artifacts) for _ in range(100)))
    assert {b"spec"} == {content(outcome) for outcome in outcomes}
    assert 4 == len(registry.log)


@pytest.mark.usefixtures("image")
async def test_a_caller_that_gives_up_does_not_end_the_lookup(
    make: Make, transport: Any, registry: Registry
) -> None:
    artifacts = make()
    transport.held.clear()
    cancelled = asyncio.create_task(look(artifacts))
    patient = asyncio.create_task(look(artifacts))
    assert "Timeout" == word(await look(artifacts, seconds=SOON))
    cancelled.cancel()
    transport.held.set()
    assert b"spec" == content(await patient)
    assert b"spec" == content(await look(artifacts))
    assert 4 == len(registry.log)
    with pytest.raises(asyncio.CancelledError):
        await cancelled


@pytest.mark.usefixtures("image")
async def test_no_time_left_is_an_answer_and_the_lookup_goes_on(
    make: Make, transport: Any
) -> None:
    artifacts = make()
    transport.held.clear()
    assert "Timeout" == word(await look(artifacts, seconds=-1))
    transport.held.set()
    assert b"spec" == content(await look(artifacts))


# A registry that hangs -----------------------------------------------------------


@pytest.mark.usefixtures("image")
async def test_nobody_waits_for_a_registry_that_held_somebody_for_4_seconds(
    make: Make, transport: Any, clock: Any
) -> None:
    artifacts = make()
    transport.held.clear()
    assert "Timeout" == word(await look(artifacts, seconds=SOON))
    clock.now += 4.0
    assert "Timeout" == word(await look(artifacts, seconds=LONG))
    assert "Timeout" == word(await look(artifacts, f"{HOST}/team/other:1"))


@pytest.mark.usefixtures("image")
async def test_a_lookup_that_ran_out_leaves_its_registry_hanging_until_it_answers(
    make: Make, transport: Any, registry: Registry, clock: Any
) -> None:
    artifacts = make(limits=replace(Limits(), lookup_seconds=0.1))
    transport.held.clear()
    assert "Timeout" == word(await look(artifacts))
    clock.now += 5
    assert "Timeout" == word(await look(artifacts)), "asked in the background"
    transport.held.set()
    await settled()
    assert 4 == len(registry.log)
    assert b"spec" == content(await look(artifacts))
    other = await look(artifacts, f"{HOST}/team/other:1")
    assert isinstance(other, ImageNotFound), "it is waited for again"


@pytest.mark.usefixtures("image")
async def test_another_registry_is_waited_for_meanwhile(
    make: Make, transport: Any, clock: Any
) -> None:
    artifacts = make()
    transport.held.clear()
    await look(artifacts, "hanging.example/team/app:1", seconds=SOON)
    clock.now += 4.0
    waiting = asyncio.create_task(look(artifacts))
    await asyncio.sleep(0)
    transport.held.set()
    assert b"spec" == content(await waiting)


# Bounds --------------------------------------------------------------------------


async def test_lookups_take_turns_in_all_and_for_each_registry(
    make: Make, transport: Any
) -> None:
    limits = replace(Limits(), lookups=5, per_host=3)
    artifacts = make(limits=limits)
    for host in ("a", "b", "c"):
        await look(artifacts, f"{host}.example/app:first")
    transport.held.clear()
    waiting = [
        asyncio.create_task(look(artifacts, f"{host}.example/app:{tag}"))
        for tag in range(6)
        for host in ("a", "b", "c")
    ]
    await settled()
    assert 5 == transport.under_way
    transport.held.set()
    outcomes = await asyncio.gather(*waiting)
    assert {"ImageNotFound"} == {word(outcome) for outcome in outcomes}
    assert 5 == transport.most


async def test_one_registry_leaves_room_for_others(
    make: Make, transport: Any, registry: Registry
) -> None:
    limits = replace(Limits(), lookups=4, per_host=3)
    artifacts = make(limits=limits)
    await look(artifacts, "hanging.example/app:first")
    transport.held.clear()
    hanging = [
        asyncio.create_task(look(artifacts, f"hanging.example/app:{tag}"))
        for tag in range(9)
    ]
    await settled()
    assert 3 == transport.under_way
    other = asyncio.create_task(look(artifacts))
    await settled()
    assert 4 == transport.under_way
    transport.held.set()
    await asyncio.gather(other, *hanging)
    assert 11 == len(registry.log)


async def test_more_lookups_than_may_wait_are_turned_away(
    make: Make, transport: Any
) -> None:
    artifacts = make(limits=replace(Limits(), waiting=2))
    await look(artifacts, f"{HOST}/app:first")
    transport.held.clear()
    for tag in ("1", "2"):
        await look(artifacts, f"{HOST}/app:{tag}", seconds=SOON)
    refused = await look(artifacts, f"{HOST}/app:3", seconds=SOON)
    assert Unavailable("Overloaded", "too many lookups are under way") == refused
    assert "Timeout" == word(await look(artifacts, f"{HOST}/app:2", seconds=SOON))


async def test_closing_ends_lookups_and_connections(make: Make, transport: Any) -> None:
    artifacts = make()
    transport.held.clear()
    waiting = asyncio.create_task(look(artifacts))
    await asyncio.sleep(0)
    await artifacts.close()
    assert "Timeout" == word(await waiting)
    assert transport.is_closed
    assert 0 == transport.under_way


# Other outcomes ------------------------------------------------------------------


async def test_what_is_no_reference_is_invalid_and_costs_nothing(
    make: Make, registry: Registry
) -> None:
    outcome = await look(make(), "registry.example/UPPER")
    assert isinstance(outcome, Invalid)
    assert "InvalidReference" == outcome.reason
    assert [] == registry.log


@pytest.mark.usefixtures("image")
async def test_refusals_hold_15_seconds(
    make: Make, registry: Registry, clock: Any
) -> None:
    registry.auth = Basic({"u": "p"})
    artifacts = make()
    assert "Unauthorized" == word(await look(artifacts))
    registry.auth = None
    clock.now += 14.9
    assert "Unauthorized" == word(await look(artifacts))
    clock.now += 0.1
    assert b"spec" == content(await look(artifacts))


class Counts:
    """Counts questions to the cache, and requests."""

    def __init__(self) -> None:
        self.results: list[str] = []
        self.went: list[str] = []
        self.requests: list[tuple[str, str]] = []

    def cache(self, result: str) -> None:
        self.results.append(result)

    def evicted(self, cache: str) -> None:
        self.went.append(cache)

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
        assert seconds >= 0
        self.requests.append((kind, outcome))


@pytest.mark.usefixtures("image")
async def test_questions_and_requests_are_counted(
    shared: Shared, registry: Registry
) -> None:
    counts = Counts()
    shared = replace(shared, observer=counts)
    artifacts = RegistryArtifacts(shared, times=Times(), observer=counts)
    await asyncio.gather(look(artifacts), look(artifacts))
    await look(artifacts)
    registry.faults["resolve"] = status(500)
    await look(artifacts, f"{HOST}/team/app:2")
    await artifacts.close()
    assert ["miss", "joined", "hit", "miss"] == counts.results
    assert [
        ("resolve", "2xx"),
        ("referrers", "2xx"),
        ("manifest", "2xx"),
        ("blob", "2xx"),
        ("resolve", "5xx"),
    ] == counts.requests


@pytest.mark.usefixtures("image")
async def test_what_is_remembered_is_told_by_what_it_is(shared: Shared) -> None:
    artifacts = RegistryArtifacts(shared)
    empty = dict.fromkeys(("images", "tags", "referrers", "contents"), (0, 0))
    assert empty == {n: (len(c), c.size_bytes) for n, c in artifacts.caches().items()}
    await look(artifacts)
    filled = artifacts.caches()
    await artifacts.close()
    assert 1 == len(filled["images"]) == len(filled["tags"]) == len(filled["referrers"])
    assert len(filled["contents"]) > 1
    assert all(one.size_bytes > 0 for one in filled.values())


async def test_what_goes_for_want_of_room_is_counted(
    shared: Shared, image: Descriptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for what one tag points to, and not for two."""
    monkeypatch.setattr(cached, "TAGS_BYTES", ENTRY_BYTES)
    counts = Counts()
    artifacts = RegistryArtifacts(shared, observer=counts)
    await look(artifacts)
    assert [] == counts.went
    await look(artifacts, f"{HOST}/team/app@{image['digest']}")
    await artifacts.close()
    assert ["tags"] == counts.went
