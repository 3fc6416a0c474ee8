"""Whose circuit a request belongs to, on the way that it takes."""

from typing import Any

import pytest

from app.oci.images import reference
from app.oci.registry.breaker import Way as Circuit
from app.oci.registry.exchange import Asked, Exchange
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.shared import Shared
from app.oci.registry.transport import Answer, Request
from app.oci.ways.way import Way

IMAGE = reference.parse("docker.io/library/app:1")
PLAIN = Way("https", "mirror.example", query="ns=docker.io", is_upstream=False)
MARKED = Way(
    "https",
    "mirror.example",
    headers={"X-Mine": "1"},
    query="ns=docker.io",
    is_upstream=False,
)


TOKENS = "tokens.mirror.example"


class Broken:
    """Wants a token, which nobody gives."""

    async def send(self, request: Request) -> Answer:
        if "tokens" in request.url:
            return Answer(500)
        realm = 'Bearer realm="https://tokens.mirror.example/token",service="x"'
        return Answer(401, challenges=(realm,))

    async def close(self) -> None:
        return


@pytest.mark.parametrize("way", [PLAIN, MARKED], ids=["plain", "marked"])
async def test_a_mirrors_repositories_and_registries_are_told_apart(way: Way) -> None:
    policy = RegistryPolicy(realms={"mirror.example": frozenset({TOKENS})})
    shared = Shared(Broken(), policy)
    exchange = Exchange(shared, IMAGE, ends=shared.clock() + 10, way=way)
    with pytest.raises(Exception, match="answered 500"):
        await exchange.ask(Asked("resolve", "HEAD", exchange.url("manifests/1"), ""))
    expected = Circuit("mirror.example", TOKENS, way.place, "library/app")
    assert {expected, expected.host} == failed(shared)


@pytest.mark.parametrize("way", [PLAIN, MARKED], ids=["plain", "marked"])
async def test_what_a_mirror_answers_is_of_one_registry_and_repository(
    way: Way,
) -> None:
    transport: Any = Broken()
    transport.send = fault
    shared = Shared(transport, RegistryPolicy())
    exchange = Exchange(shared, IMAGE, ends=shared.clock() + 10, way=way)
    await exchange.ask(Asked("resolve", "HEAD", exchange.url("manifests/1"), ""))
    expected = Circuit("mirror.example", "mirror.example", way.place, "library/app")
    assert {expected, expected.host} == failed(shared)


async def fault(_request: Request) -> Answer:
    return Answer(500)


def failed(shared: Shared) -> set[Circuit]:
    """Whose circuits are kept: of what did not fail there is none."""
    return set(shared.sender.breaker._circuits)
