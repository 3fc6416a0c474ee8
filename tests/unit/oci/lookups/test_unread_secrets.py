"""Pull secrets that the API server does not give: what an image's answer is then."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.demo.faults import status
from app.demo.registry import Basic, Registry
from app.kube.backoff import Clock as KubeClock
from app.oci.lookups.artifacts import RegistryArtifacts
from app.ports import Found, ImageOutcome, Mark, Platform, Resolved, Unauthorized
from tests.tools.secrets_api import Api, path, pod, reader, secret

AMD = Platform("linux", "amd64")
HOST = "registry.example"
ALLOWED = pod("regcred")
CONTENT = json.dumps({"auths": {HOST: {"username": "ada", "password": "one"}}}).encode()

Make = Callable[..., RegistryArtifacts]


@pytest.fixture
def api() -> Api:
    return Api({path("regcred"): secret(CONTENT)})


@pytest.fixture
def artifacts(
    api: Api, registry: Registry, clock: Any, make: Make
) -> RegistryArtifacts:
    """Of `team/app:1` with an artifact, for one user only."""
    repository = registry.repository("team/app")
    made = repository.image("amd64", "x")
    repository.tag(made, "1")
    repository.attach(made, b"spec", created="2026-01-01T00:00:00Z")
    registry.auth = Basic({"ada": "one"})
    return make(secrets=reader(api, clock=KubeClock(now=clock)))


async def look(artifacts: RegistryArtifacts) -> ImageOutcome:
    return await artifacts.find(
        f"{HOST}/team/app:1", (AMD,), deadline_seconds=4.0, puller=ALLOWED
    )


def mark(outcome: ImageOutcome) -> Mark | None:
    """Of what was found; `None` for nothing."""
    part = outcome.platforms[AMD] if isinstance(outcome, Resolved) else outcome
    return part.mark if isinstance(part, Found) else None


@pytest.mark.parametrize("refused", [429, 500, 503])
async def test_an_api_server_that_cannot_be_asked_makes_no_image_unauthorized(
    refused: int, api: Api, artifacts: RegistryArtifacts, registry: Registry
) -> None:
    """`onUnauthorized` allows: a throttled API server would be a way around a spec."""
    api.refused[path("regcred")] = refused
    outcome = await look(artifacts)
    assert "PullSecretUnread" == getattr(outcome, "reason", outcome)
    assert [] == registry.log


@pytest.mark.parametrize("gone", [403, 404])
async def test_without_a_secret_that_is_not_there_the_registry_is_asked(
    gone: int, api: Api, artifacts: RegistryArtifacts
) -> None:
    api.refused[path("regcred")] = gone
    assert isinstance(await look(artifacts), Unauthorized)


async def test_a_known_spec_outlasts_api_server_and_registry(
    api: Api, artifacts: RegistryArtifacts, registry: Registry, clock: Any
) -> None:
    """For ten minutes: the secret's last content is the key of what was found."""
    assert mark(await look(artifacts)) is Mark.NONE
    api.refused[path("regcred")] = 503
    clock.now += 61
    assert mark(await look(artifacts)) is Mark.NONE, "it is asked for with the secret"
    registry.faults["manifest"] = registry.faults["resolve"] = status(503)
    clock.now += 500
    assert mark(await look(artifacts)) is Mark.STALE
    clock.now += 100
    outcome = await look(artifacts)
    assert "PullSecretUnread" == getattr(outcome, "reason", outcome)
