"""Pull secrets of Pods: what one credential earned serves no other."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.demo.content import Descriptor
from app.demo.registry import Basic, Registry
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry import patterns
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.shared import Shared
from app.ports import (
    NOBODY,
    Found,
    ImageNotFound,
    ImageOutcome,
    Platform,
    Puller,
    Resolved,
    Unauthorized,
    Unavailable,
    UnreadSecret,
)
from tests.tools.pull_secrets import BROKEN, HOST, Secrets, secret

AMD = Platform("linux", "amd64")
IMAGE = f"{HOST}/team/app:1"

Make = Callable[..., RegistryArtifacts]


def opened() -> asyncio.Event:
    made = asyncio.Event()
    made.set()
    return made


ADA, BOB, NONE = Puller("ada", ("ada",)), Puller("bob", ("bob",)), Puller("none")


@pytest.fixture
def secrets() -> Secrets:
    return Secrets(
        {
            "ada": (secret("ada", "one"),),
            "again": (secret("ada", "one"),),
            "bob": (secret("bob", "two"),),
            "wrong": (secret("ada", "wrong"),),
            "elsewhere": (secret("ada", "one", host="other.example"),),
            "broken": (BROKEN,),
        }
    )


@pytest.fixture
def image(registry: Registry) -> Descriptor:
    """`team/app:1` with an artifact, for two users only."""
    repository = registry.repository("team/app")
    made = repository.image("amd64", "x")
    repository.tag(made, "1")
    repository.attach(made, b"spec", created="2026-01-01T00:00:00Z")
    registry.auth = Basic({"ada": "one", "bob": "two"})
    return made


async def look(
    artifacts: RegistryArtifacts,
    puller: Puller = NOBODY,
    *,
    image: str = IMAGE,
    seconds: float = 30.0,
) -> ImageOutcome:
    return await artifacts.find(image, (AMD,), deadline_seconds=seconds, puller=puller)


def is_found(outcome: ImageOutcome) -> bool:
    return isinstance(outcome, Resolved) and isinstance(outcome.platforms[AMD], Found)


pytestmark = pytest.mark.usefixtures("image")


async def test_a_pods_secret_opens_its_registry(make: Make, secrets: Secrets) -> None:
    assert is_found(await look(make(secrets=secrets), ADA))


@pytest.mark.parametrize("other", ["none", "wrong", "elsewhere", "bob"])
async def test_what_a_credential_earned_serves_no_pod_without_it(
    other: str, make: Make, secrets: Secrets, registry: Registry, clock: Any
) -> None:
    """Neither the outcome, nor the tag's digest, the list or the content."""
    artifacts = make(secrets=secrets)
    await look(artifacts, ADA)
    registry.auth = Basic({"ada": "one"})
    assert artifacts.at_hand(IMAGE, (AMD,), Puller(other)) is None
    clock.now += 29  # what the tag points to still holds
    outcome = await look(artifacts, Puller(other))
    assert isinstance(outcome, Unauthorized)
    assert is_found(await look(artifacts, ADA))


async def test_who_holds_the_same_credential_shares_what_it_earned(
    make: Make, secrets: Secrets, registry: Registry
) -> None:
    artifacts = make(secrets=secrets)
    first = await look(artifacts, ADA)
    asked = len(registry.log)
    assert first is await look(artifacts, Puller("again", ("other-name",)))
    assert asked == len(registry.log)


async def test_a_secret_for_another_registry_is_none(
    make: Make, secrets: Secrets, registry: Registry
) -> None:
    """So that those Pods share with all who have no secret at all."""
    artifacts = make(secrets=secrets)
    first = await look(artifacts)
    assert isinstance(first, Unauthorized)
    asked = len(registry.log)
    assert first == await look(artifacts, Puller("elsewhere"))
    assert first == await look(artifacts, NONE)
    assert asked == len(registry.log)


async def test_lookups_of_two_credentials_do_not_join(
    make: Make, secrets: Secrets, registry: Registry, transport: Any
) -> None:
    """Else the one whose lookup is under way would answer for the other."""
    registry.auth = Basic({"ada": "one"})
    artifacts = make(secrets=secrets)
    transport.held.clear()
    ada = asyncio.create_task(look(artifacts, ADA))
    await asyncio.sleep(0)
    bob = asyncio.create_task(look(artifacts, BOB))
    await asyncio.sleep(0)
    transport.held.set()
    assert is_found(await ada)
    assert isinstance(await bob, Unauthorized)


# Reading them --------------------------------------------------------------------


async def test_secrets_are_read_before_the_lookup_and_within_half_its_deadline(
    make: Make, secrets: Secrets
) -> None:
    secrets.is_at_hand = False
    artifacts = make(secrets=secrets)
    assert artifacts.at_hand(IMAGE, (AMD,), ADA) is None
    secrets.held.set()
    assert is_found(await look(artifacts, ADA, seconds=7))
    assert [3.5] == secrets.given


async def test_time_that_secrets_take_is_taken_from_the_lookups(
    make: Make, secrets: Secrets, clock: Any, transport: Any
) -> None:
    artifacts = make(secrets=secrets)
    secrets.is_at_hand = False
    transport.held.clear()
    asked = asyncio.create_task(look(artifacts, ADA, seconds=3))
    await asyncio.sleep(0)
    clock.now += 3
    secrets.held.set()
    outcome = await asyncio.wait_for(asked, 1)
    assert "Timeout" == getattr(outcome, "reason", outcome)
    transport.held.set()


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.01])
async def test_nothing_is_asked_without_secrets_that_do_not_come_in_time(
    seconds: float, make: Make, secrets: Secrets, registry: Registry
) -> None:
    secrets.is_at_hand = False
    artifacts = make(secrets=secrets)
    outcome = await asyncio.wait_for(look(artifacts, ADA, seconds=seconds), 5)
    assert Unavailable("Timeout", "Secret ada: not read in time") == outcome
    assert [max(seconds, 0.0) / 2] == secrets.given
    assert [] == registry.log


@pytest.mark.parametrize("is_at_hand", [True, False])
@pytest.mark.parametrize(
    ("unread", "told"),
    [
        pytest.param(UnreadSecret("s"), "Secret s", id="secret"),
        pytest.param(
            UnreadSecret("sa", "ServiceAccount"), "ServiceAccount sa", id="account"
        ),
    ],
)
async def test_without_a_secret_that_cannot_be_read_nothing_is_asked(
    unread: UnreadSecret,
    told: str,
    is_at_hand: bool,
    make: Make,
    registry: Registry,
) -> None:
    """Else `Unauthorized` would be answered, which is allowed, and remembered."""
    given = (secret("ada", "one"), unread)
    artifacts = make(
        secrets=Secrets({"n": given}, is_at_hand=is_at_hand, held=opened())
    )
    outcome = await look(artifacts, Puller("n"))
    text = f"{told}: the API server cannot be asked"
    assert Unavailable("PullSecretUnread", text) == outcome
    assert [] == registry.log
    assert 0 == len(artifacts), "it is not remembered as the image's"


async def test_a_secret_that_is_read_later_opens_its_registry_at_once(
    make: Make, secrets: Secrets
) -> None:
    secrets.of = {"n": (UnreadSecret("s"),)}
    artifacts = make(secrets=secrets)
    assert isinstance(await look(artifacts, Puller("n")), Unavailable)
    secrets.of = {"n": (secret("ada", "one"),)}
    assert is_found(await look(artifacts, Puller("n")))


async def test_what_is_known_after_secrets_were_read_is_not_looked_for(
    make: Make, secrets: Secrets, registry: Registry
) -> None:
    artifacts = make(secrets=secrets)
    first = await look(artifacts, ADA)
    secrets.is_at_hand = False
    secrets.held.set()
    asked = len(registry.log)
    assert first is await look(artifacts, ADA)
    assert asked == len(registry.log)


@pytest.mark.parametrize("is_at_hand", [True, False])
async def test_a_secret_that_cannot_be_read_is_told_and_nothing_asked(
    is_at_hand: bool,
    make: Make,
    secrets: Secrets,
    registry: Registry,
) -> None:
    """As the kubelet, which pulls nothing with such a Secret."""
    secrets.is_at_hand = is_at_hand
    secrets.held.set()
    outcome = await look(make(secrets=secrets), Puller("broken"))
    assert "InvalidPullSecret" == getattr(outcome, "reason", outcome)
    assert [] == registry.log


# Repositories that may not be asked ----------------------------------------------


async def test_a_repository_that_is_not_allowed_is_never_asked(
    transport: Any, secrets: Secrets, registry: Registry, clock: Any
) -> None:
    """Nor are secrets read for it."""
    policy = RegistryPolicy(deny=(patterns.parse("registry.example/team"),))
    shared = Shared(transport, policy, clock=clock)
    artifacts = RegistryArtifacts(shared, secrets=secrets, clock=clock)
    outcome = artifacts.at_hand(IMAGE, (AMD,), ADA)
    assert "RegistryNotAllowed" == getattr(outcome, "reason", outcome)
    assert outcome == await look(artifacts, ADA)
    assert [] == registry.log
    assert 0 == secrets.asked
    other = await look(artifacts, ADA, image=f"{HOST}/other/app:1")
    assert isinstance(other, Unauthorized | ImageNotFound)
    assert registry.log
