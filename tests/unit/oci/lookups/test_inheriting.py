"""What another port found before: it may stand in, and is no answer of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from app.demo.faults import status
from app.demo.registry import Basic, Registry
from app.oci.lookups.artifacts import RegistryArtifacts
from app.ports import Mark, Platform, Puller, Resolved
from tests.tools.pull_secrets import Secrets, secret

AMD = Platform("linux", "amd64")
IMAGE = "registry.example/team/app:1"

Make = Callable[..., RegistryArtifacts]


@pytest.fixture
def artifacts(registry: Registry, make: Make) -> RegistryArtifacts:
    """Of `team/app:1` with an artifact."""
    repository = registry.repository("team/app")
    made = repository.image("amd64", "x")
    repository.tag(made, "1")
    repository.attach(made, b"spec", created="2026-01-01T00:00:00Z")
    return make()


async def told(artifacts: RegistryArtifacts, puller: Puller | None = None) -> str:
    """What kind of outcome, and its mark."""
    outcome = await artifacts.find(
        IMAGE, (AMD,), deadline_seconds=9.0, puller=puller or Puller()
    )
    part = outcome.platforms[AMD] if isinstance(outcome, Resolved) else outcome
    return f"{getattr(part, 'reason', type(part).__name__)} {part.mark}".strip()


async def test_what_another_found_is_asked_for_anew(
    artifacts: RegistryArtifacts, make: Make, registry: Registry
) -> None:
    """Though it still holds for the other: who asks may be somebody else now."""
    await told(artifacts)
    other = make()
    other.inherit(artifacts)
    assert other.at_hand(IMAGE, (AMD,)) is None
    asked = len(registry.log)
    assert "Found" == await told(other)
    assert len(registry.log) > asked
    assert other.at_hand(IMAGE, (AMD,)) is not None


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, f"Found {Mark.STALE}"),
        (629.9, f"Found {Mark.STALE}"),
        (630.0, "ServerError"),
    ],
)
async def test_what_another_found_stands_in_until_its_time(
    seconds: float,
    expected: str,
    artifacts: RegistryArtifacts,
    make: Make,
    registry: Registry,
    clock: Any,
) -> None:
    await told(artifacts)
    other = make()
    other.inherit(artifacts)
    registry.faults["resolve"] = registry.faults["manifest"] = status(503)
    clock.now += seconds
    assert expected == await told(other)


async def test_a_refusal_counts_whatever_another_found(
    artifacts: RegistryArtifacts, make: Make, registry: Registry
) -> None:
    """A credential that does not count any more is no fault of the registry."""
    await told(artifacts)
    other = make()
    other.inherit(artifacts)
    registry.auth = Basic({"ada": "one"})
    assert "Unauthorized" == await told(other)


async def test_what_another_finds_later_is_no_answer_either(
    artifacts: RegistryArtifacts, make: Make
) -> None:
    other = make()
    other.inherit(artifacts)
    assert "Found" == await told(artifacts)
    assert other.at_hand(IMAGE, (AMD,)) is None


async def test_what_stands_in_stays_with_the_credential_that_earned_it(
    make: Make, registry: Registry, artifacts: RegistryArtifacts
) -> None:
    del artifacts
    registry.auth = Basic({"ada": "one", "bob": "two"})
    secrets = Secrets({"ada": (secret("ada", "one"),), "bob": (secret("bob", "two"),)})
    first, other = make(secrets=secrets), make(secrets=secrets)
    assert "Found" == await told(first, Puller("ada"))
    other.inherit(first)
    registry.faults["resolve"] = registry.faults["manifest"] = status(503)
    assert f"Found {Mark.STALE}" == await told(other, Puller("ada"))
    assert "ServerError" == await told(other, Puller("bob"))
