"""Pull secrets of Pods: what one credential earned serves no other."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.demo.content import Descriptor
from app.demo.registry import Basic, Registry
from app.oci import patterns, rings
from app.oci.artifacts import RegistryArtifacts
from app.oci.guard import RegistryPolicy
from app.oci.reference import parse
from app.oci.rings import NO_OPENER, Rings
from app.oci.shared import Shared
from app.oci.ways import hosts_toml
from app.oci.ways.ways import Configured, Ways
from app.ports import (
    NOBODY,
    Found,
    ImageNotFound,
    ImageOutcome,
    Platform,
    Puller,
    PullSecret,
    Resolved,
    Unauthorized,
)

AMD = Platform("linux", "amd64")
HOST = "registry.example"
IMAGE = f"{HOST}/team/app:1"

Make = Callable[..., RegistryArtifacts]


def config(auths: Mapping[str, object]) -> bytes:
    return json.dumps({"auths": auths}).encode()


def secret(user: str, password: str, *, host: str = HOST) -> PullSecret:
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    kind = "kubernetes.io/dockerconfigjson"
    return PullSecret(user, kind, {".dockerconfigjson": config({host: {"auth": auth}})})


BROKEN = PullSecret(
    "broken", "kubernetes.io/dockerconfigjson", {".dockerconfigjson": b"{"}
)


@dataclass
class Secrets:
    """Implements `PullSecrets`: namespace -> its secrets.

    Attributes:
        held: reading waits here while it is not set.
        is_at_hand: whether nothing has to be read.
        given: the time that each reading was given, in seconds.
        asked: how often they were asked for without waiting.
    """

    of: Mapping[str, tuple[PullSecret, ...]] = field(default_factory=dict)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    is_at_hand: bool = True
    given: list[float] = field(default_factory=list)
    asked: int = 0

    def at_hand(self, puller: Puller) -> tuple[PullSecret, ...] | None:
        self.asked += 1
        return self.of.get(puller.namespace, ()) if self.is_at_hand else None

    async def read(
        self, puller: Puller, *, deadline_seconds: float
    ) -> tuple[PullSecret, ...]:
        self.given.append(deadline_seconds)
        try:
            await asyncio.wait_for(self.held.wait(), deadline_seconds)
        except TimeoutError:
            return ()
        self.is_at_hand = True
        return self.of.get(puller.namespace, ())


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


async def test_secrets_are_read_before_the_lookup_and_within_its_deadline(
    make: Make, secrets: Secrets
) -> None:
    secrets.is_at_hand = False
    artifacts = make(secrets=secrets)
    assert artifacts.at_hand(IMAGE, (AMD,), ADA) is None
    secrets.held.set()
    assert is_found(await look(artifacts, ADA, seconds=7))
    assert [7.0] == secrets.given


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
async def test_secrets_that_do_not_come_in_time_are_left_out(
    seconds: float, make: Make, secrets: Secrets
) -> None:
    secrets.is_at_hand = False
    artifacts = make(secrets=secrets)
    outcome = await asyncio.wait_for(look(artifacts, ADA, seconds=seconds), 5)
    assert not is_found(outcome)
    assert [max(seconds, 0.0)] == secrets.given


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


# What it costs -------------------------------------------------------------------


def test_nobodys_secrets_are_not_asked_for(secrets: Secrets) -> None:
    assert NO_OPENER is Rings(secrets, Ways(), lambda: 0.0).at_hand(NOBODY)
    assert 0 == secrets.asked


def test_secrets_of_one_content_are_read_once(secrets: Secrets) -> None:
    """However often they came from the API server."""
    found = Rings(secrets, Ways(), lambda: 0.0)
    assert found.at_hand(ADA) is found.at_hand(Puller("again"))
    assert found.at_hand(ADA) is not found.at_hand(BOB)


def test_a_fault_names_no_secret_of_another_namespace() -> None:
    """Though both have the same content."""
    other = PullSecret("other", BROKEN.type, BROKEN.data)
    found = Rings(Secrets({"a": (BROKEN,), "b": (other,)}), Ways(), lambda: 0.0)
    first, second = found.at_hand(Puller("a")), found.at_hand(Puller("b"))
    assert first is not None
    assert second is not None
    assert "broken" in str(first.fault)
    assert "broken" not in str(second.fault)


def test_the_order_of_secrets_counts() -> None:
    """It decides which credential is tried first."""
    ada, bob = secret("ada", "one"), secret("bob", "two")
    found = Rings(Secrets({"a": (ada, bob), "b": (bob, ada)}), Ways(), lambda: 0.0)
    assert found.at_hand(Puller("a")) is not found.at_hand(Puller("b"))


def test_what_secrets_open_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {str(n): (secret("ada", str(n)),) for n in range(3)}
    size = len(many["0"][0].data[".dockerconfigjson"])
    monkeypatch.setattr(rings, "KEYRINGS_BYTES", 2 * (4 * size + 1024))
    found = Rings(Secrets(many), Ways(), lambda: 0.0)
    openers = [found.at_hand(Puller(name)) for name in many]
    assert openers[2] is found.at_hand(Puller("2"))
    assert openers[1] is found.at_hand(Puller("1"))
    assert openers[0] is not found.at_hand(Puller("0"))


def test_images_of_one_pod_that_are_remembered_are_bounded(secrets: Secrets) -> None:
    found = Rings(secrets, Ways(), lambda: 0.0)
    opener = found.at_hand(ADA)
    assert opener is not None
    images = [parse(f"{HOST}/app{n}:1") for n in range(rings.MAX_RINGS + 1)]
    assert 1 == len({found.ring(opener, image) for image in images})
    assert rings.MAX_RINGS >= len(opener.rings) > 0


def test_a_fingerprint_is_short_however_many_credentials_there_are() -> None:
    content = {f"{HOST}": {"auth": "YTpi"}, f"{HOST}/app": {"auth": "YzpkZQ=="}}
    many = PullSecret("many", BROKEN.type, {".dockerconfigjson": config(content)})
    found = Rings(Secrets({"many": (many,)}), Ways(), lambda: 0.0)
    opener = found.at_hand(Puller("many"))
    assert opener is not None
    image = parse(f"{HOST}/app:1")
    assert 2 == len(opener.keyring.lookup(image))
    assert 64 == len(found.ring(opener, image))


def test_a_mirror_has_credentials_of_its_own() -> None:
    """What a Pod's secret for a mirror earned there serves no other Pod."""
    hosts = hosts_toml.read(b'[host."https://mirror.example"]\n')
    ways = Ways({"r.example": tuple(Configured(one) for one in hosts)})
    secret_for = {
        "a": (secret("ada", "one", host="mirror.example"),),
        "b": (secret("bob", "two", host="mirror.example"),),
    }
    found = Rings(Secrets(secret_for), ways, lambda: 0.0)
    first, second = (found.at_hand(Puller(name)) for name in secret_for)
    assert first is not None
    assert second is not None
    image = parse("r.example/app:1")
    assert found.ring(first, image) != found.ring(second, image)


def test_no_secret_is_shown() -> None:
    opener = Rings(
        Secrets({"ada": (secret("ada", "canary"),)}), Ways(), lambda: 0.0
    ).at_hand(Puller("ada"))
    assert "canary" not in repr(opener)


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
