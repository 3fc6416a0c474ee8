"""However many references there are, what is kept of them stays bounded."""

from collections.abc import Callable
from typing import Any

import pytest

from app.demo.faults import status
from app.demo.registry import Registry
from app.oci.cache import ENTRY_BYTES
from app.oci.lookups import artifacts as port
from app.oci.lookups import cached, known, outcomes, patience
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry import breaker
from app.ports import Platform, Unavailable

AMD = Platform("linux", "amd64")
ROOM = 20 * ENTRY_BYTES
MANY = 200

Make = Callable[..., RegistryArtifacts]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, make: Make) -> RegistryArtifacts:
    """The port with room for a few entries in each of its caches."""
    for name in ("TAGS_BYTES", "LISTS_BYTES", "CONTENTS_BYTES"):
        monkeypatch.setattr(cached, name, ROOM)
    monkeypatch.setattr(outcomes, "OUTCOMES_BYTES", ROOM)
    monkeypatch.setattr(patience, "HANGING_BYTES", ROOM)
    monkeypatch.setattr(known, "KNOWN_BYTES", ROOM)
    monkeypatch.setattr(breaker, "MAX_CIRCUITS", 20)
    return make()


async def look(artifacts: RegistryArtifacts, image: str, seconds: float = 30) -> object:
    return await artifacts.find(image, (AMD,), deadline_seconds=seconds)


def sizes(artifacts: RegistryArtifacts) -> dict[str, int]:
    """How much there is of everything that goes by a name of somebody's."""
    return {
        **{name: len(cache) for name, cache in artifacts.caches().items()},
        "hanging": len(artifacts._patience),
        "circuits": len(artifacts._shared.sender.breaker),
        "lookups": len(artifacts._flights),
        "turns": len(artifacts._turns),
        "known": len(artifacts._known_hosts),
    }


async def test_images_with_specs_leave_no_more_than_there_is_room_for(
    small: RegistryArtifacts, registry: Registry
) -> None:
    for number in range(MANY):
        repository = registry.repository(f"app-{number}")
        made = repository.image("amd64", str(number))
        repository.tag(made, "1")
        repository.attach(made, b"spec %d" % number, created=None)
        await look(small, f"registry.example/app-{number}:1")
    found = sizes(small)
    assert all(20 >= size for size in found.values())
    assert all(0 < found[name] for name in small.caches())


async def test_hosts_that_fail_leave_no_more_than_there_is_room_for(
    small: RegistryArtifacts, registry: Registry
) -> None:
    registry.faults["all"] = status(500)
    for number in range(MANY):
        await look(small, f"r{number}.example/app:1")
    found = sizes(small)
    assert 20 == found["circuits"]
    assert all(20 >= size for size in found.values())


async def test_registries_that_hang_leave_no_more_than_there_is_room_for(
    small: RegistryArtifacts, transport: Any
) -> None:
    for number in range(MANY):
        small._patience.learn(f"r{number}.example", Unavailable("Timeout", "x"))
        small._known_hosts.learn(f"h{number}.example")
    assert 0 < sizes(small)["hanging"] <= 20
    assert 0 < sizes(small)["known"] <= 20
    transport.held.clear()
    for number in range(MANY):
        await look(small, f"h{number}.example/app:1", 0)
    assert MANY == sizes(small)["lookups"], "bounded by `waiting`"
    await small.close()
    found = sizes(small)
    assert (0, 0) == (found["lookups"], found["turns"])


async def test_names_that_were_read_are_bounded(make: Make) -> None:
    artifacts = make()
    for number in range(port.NAMES + 1):
        artifacts.at_hand(f"r.example/app-{number}:1", (AMD,))
    assert port.NAMES == artifacts._named.cache_info().currsize
