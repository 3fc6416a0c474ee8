"""Every bound in the settings reaches what it bounds: from a setting to an outcome.

Each is tried at its edge: with the setting at what the registry needs, and one less.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import pytest
from aiohttp import web

from app.bootstrap.registries import registries
from app.bootstrap.registry_files import RegistryFiles
from app.demo import faults
from app.demo.content import Repository
from app.demo.faults import Fault, Reply
from app.demo.registry import Api, Bearer, Registry, Types
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts
from app.ports import Platform, Resolved
from app.settings.registry import RegistrySettings
from app.telemetry import Metrics

pytestmark = pytest.mark.integration

AMD, S390 = Platform("linux", "amd64"), Platform("linux", "s390x")
CREATED: Final = "2026-03-01T00:00:00Z"
SPEC: Final = b"version: v1alpha1\ncompatibilities: []\n"


@dataclass(frozen=True)
class Needs:
    """What a registry needs.

    Attributes:
        most: the least value of the setting with which all is found.
        beyond: the outcome with one less.
        platform: that is asked for.
    """

    most: int
    beyond: str
    platform: Platform = AMD


Setup = Callable[[Registry], Needs]


def plain(served: Registry, spec: bytes = SPEC) -> Repository:
    """`app:1` with one artifact."""
    repository = served.repository("app")
    image = repository.image("amd64", "app")
    repository.tag(image, "1")
    repository.attach(image, spec, created=CREATED)
    return repository


def manifest_bytes(served: Registry) -> Needs:
    repository = served.repository("app")
    image = repository.image("amd64", "app")
    index = repository.index([("amd64", {**image, "annotations": {"x": "y" * 2000}})])
    repository.tag(index, "1")
    repository.attach(image, SPEC, created=CREATED)
    return Needs(len(repository.blobs[str(index["digest"])]), "TooLarge")


def artifact_bytes(served: Registry) -> Needs:
    repository = served.repository("app")
    image = repository.image("amd64", "app")
    repository.tag(image, "1")
    made = repository.attach(image, SPEC, created=CREATED, title="t" * 2000)
    return Needs(len(repository.blobs[str(made["digest"])]), "TooLarge")


def spec_bytes(served: Registry) -> Needs:
    plain(served, SPEC + b"#" * 2000)
    return Needs(len(SPEC) + 2000, "TooLarge")


def token_bytes(served: Registry) -> Needs:
    plain(served)
    served.auth = Bearer()
    served.faults["token"] = padded(3000)
    return Needs(3000, "TooLarge")


def padded(size: int) -> Fault:
    """The right answer, with spaces until it has so many bytes."""

    async def fault(_request: web.Request, reply: Reply) -> Reply:
        return replace(reply, body=reply.body.ljust(size))

    return fault


def pages(served: Registry) -> Needs:
    repository = plain(served)
    served.api = Api(page_descriptors=1)
    more(repository, 2)
    return Needs(3, "TooManyReferrers")


def descriptors(served: Registry) -> Needs:
    more(plain(served), 2)
    return Needs(3, "TooManyReferrers")


def untyped(served: Registry) -> Needs:
    served.api = Api(types=Types.NONE, filtered=False)
    more(plain(served), 2)
    return Needs(3, "TooManyReferrers")


def more(repository: Repository, count: int) -> None:
    image = {"mediaType": "x", "digest": repository.tags["1"], "size": 1}
    subject = {**repository.listed[0], "annotations": None}
    subject = {key: subject[key] for key in image}
    for number in range(count):
        spec = SPEC + b"#%d" % number
        repository.attach(subject, spec, created=f"2026-02-0{number + 1}T00:00:00Z")


def redirects(served: Registry) -> Needs:
    plain(served)
    served.faults["blob"] = hops(3)
    return Needs(3, "TooManyRedirects")


def hops(count: int) -> Fault:
    """So many redirects, each to the same place, before the right answer."""

    async def fault(request: web.Request, reply: Reply) -> Reply:
        hop = int(request.query.get("hop", "0"))
        if hop == count:
            return reply
        return Reply(307, {"Location": f"{request.path}?hop={hop + 1}"})

    return fault


def children(served: Registry) -> Needs:
    repository = served.repository("app")
    names = ("amd64", "arm64", "s390x")
    images = [(name, repository.image(name, name)) for name in names]
    index = repository.index(images)
    repository.tag(index, "1")
    repository.attach(index, SPEC, created=CREATED)
    return Needs(3, "TooManyManifests")


def nested(served: Registry) -> Needs:
    repository = served.repository("app")
    inner = [
        repository.index([(name, repository.image(name, name))])
        for name in ("amd64", "arm64")
    ]
    value = {"schemaVersion": 2, "mediaType": inner[0]["mediaType"], "manifests": inner}
    outer = repository.manifest(str(inner[0]["mediaType"]), value)
    repository.tag(outer, "1")
    repository.attach(outer, SPEC, created=CREATED)
    return Needs(2, "TooManyManifests")


def retries(served: Registry) -> Needs:
    plain(served)
    left = [2]

    async def fault(_request: web.Request, reply: Reply) -> Reply:
        left[0] -= 1
        return Reply(503) if left[0] >= 0 else reply

    served.faults["resolve"] = fault
    return Needs(2, "ServerError")


COUNTED: Final[Mapping[str, Setup]] = {
    one.__name__: one
    for one in (
        manifest_bytes,
        artifact_bytes,
        spec_bytes,
        token_bytes,
        pages,
        descriptors,
        untyped,
        redirects,
        children,
        nested,
        retries,
    )
}


@asynccontextmanager
async def reading(
    served: Registry, metrics: Metrics | None = None, **limits: float
) -> AsyncIterator[RegistryArtifacts]:
    """What the settings make of it."""
    host = {"plain_http": True, "loopback": True, "plain_http_credentials": True}
    settings = RegistrySettings.model_validate(
        {"hosts": {served.address: host}, "limits": limits}
    )
    artifacts = registries(settings, RegistryFiles(), metrics or Metrics())
    try:
        yield artifacts
    finally:
        await artifacts.close()


async def told(
    artifacts: RegistryArtifacts,
    served: Registry,
    tag: str = "1",
    *,
    platform: Platform = AMD,
    seconds: float = 20.0,
) -> str:
    """What kind of outcome, and its reason if it has one."""
    image = f"{served.address}/app:{tag}"
    found: Any = await artifacts.find(image, (platform,), deadline_seconds=seconds)
    if isinstance(found, Resolved):
        found = found.platforms[platform]
    return str(getattr(found, "reason", type(found).__name__))


@pytest.mark.parametrize("name", COUNTED)
async def test_a_bound_of_the_settings_holds_at_its_edge(name: str) -> None:
    for less in (0, 1):
        async with Registry().serving() as served:
            needs = COUNTED[name](served)
            async with reading(served, None, **{name: needs.most - less}) as artifacts:
                found = await told(artifacts, served, platform=needs.platform)
        assert ("Found", needs.beyond)[less] == found


# Bounds of other kinds -----------------------------------------------------------


async def test_an_errors_body_is_read_up_to_its_bound() -> None:
    """Beyond it the connection is closed, and the next request opens another."""
    connections: list[set[object]] = []
    for most in (3000, 2999):
        async with Registry().serving() as served:
            seen: set[object] = set()

            async def fault(
                request: web.Request, _: Reply, seen: set[object] = seen
            ) -> web.StreamResponse:
                seen.add(request.transport)
                response = web.StreamResponse(status=404)
                await response.prepare(request)
                await response.write(b"x" * 3000)
                await asyncio.sleep(0.1)
                await response.write_eof()
                return response

            plain(served)
            served.faults["manifest"] = fault
            served.api = Api(head=False)
            async with reading(served, error_bytes=most) as artifacts:
                for tag in ("1", "2"):
                    assert "ImageNotFound" == await told(artifacts, served, tag)
            connections.append(seen)
    assert [1, 2] == [len(one) for one in connections]


async def test_a_lookup_ends_after_its_time() -> None:
    async with Registry().serving() as served:
        plain(served)
        served.faults["all"] = faults.hang
        async with reading(served, lookup_seconds=0.2) as artifacts:
            started = time.monotonic()
            assert "Timeout" == await told(artifacts, served)
            assert 1.5 > time.monotonic() - started


async def test_a_connection_stands_within_its_time() -> None:
    """A port that takes nobody in: its queue is full."""
    with closing(socket.socket()) as listening, ExitStack() as waiting:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        for _ in range(4):
            one = waiting.enter_context(closing(socket.socket()))
            one.setblocking(False)
            one.connect_ex(address)
        served = Registry(address=f"127.0.0.1:{address[1]}")
        async with reading(served, connect_seconds=0.2, lookup_seconds=5) as artifacts:
            started = time.monotonic()
            assert "Timeout" == await told(artifacts, served)
            assert 1.5 > time.monotonic() - started


@pytest.mark.parametrize("name", ["lookups", "per_host"])
async def test_so_many_lookups_run_at_the_same_time(name: str) -> None:
    async with Registry().serving() as served:
        under_way, most = [0], [0]

        async def fault(_request: web.Request, reply: Reply) -> Reply:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            await asyncio.sleep(0.05)
            under_way[0] -= 1
            return reply

        plain(served)
        served.faults["all"] = fault
        async with reading(served, None, **{name: 2}) as artifacts:
            tags = [f"t{number}" for number in range(6)]
            await asyncio.gather(*(told(artifacts, served, tag) for tag in tags))
    assert 2 == most[0]


@pytest.mark.parametrize(("waiting", "turned_away"), [(3, 0), (2, 1)])
async def test_so_many_lookups_may_wait(waiting: int, turned_away: int) -> None:
    async with Registry().serving() as served:
        plain(served)
        async with reading(served, waiting=waiting) as artifacts:
            tags = ("1", "2", "3")
            words = await asyncio.gather(*(told(artifacts, served, t) for t in tags))
    assert turned_away == words.count("Overloaded")


@pytest.mark.parametrize(("most", "expected"), [(1.0, "Found"), (0.9, "ServerError")])
async def test_a_retry_after_is_waited_for_up_to_its_bound(
    most: float, expected: str
) -> None:
    async with Registry().serving() as served:
        plain(served)
        replies = [Reply(503, {"Retry-After": "1"})]

        async def fault(_request: web.Request, reply: Reply) -> Reply:
            return replies.pop() if replies else reply

        served.faults["resolve"] = fault
        async with reading(served, retry_after_seconds=most) as artifacts:
            assert expected == await told(artifacts, served)


async def test_a_host_that_failed_is_left_alone_for_its_time() -> None:
    async with Registry().serving() as served:
        plain(served)
        served.faults["all"] = faults.status(500)
        metrics = Metrics()
        async with reading(
            served, metrics, breaker_failures=2, breaker_seconds=0.2
        ) as artifacts:
            words = [await told(artifacts, served, f"t{n}") for n in range(3)]
            served.faults.clear()
            await asyncio.sleep(0.2)
            words.append(await told(artifacts, served))
    assert ["ServerError", "ServerError", "CircuitOpen", "Found"] == words
    text = metrics.text().decode()
    assert "imagecompat_registry_circuits_opened_total 1.0" in text


OTHERS: Final = frozenset(
    {
        "error_bytes",
        "lookup_seconds",
        "connect_seconds",
        "lookups",
        "per_host",
        "waiting",
        "retry_after_seconds",
        "breaker_failures",
        "breaker_seconds",
    }
)
"""Tried by a test of their own."""


def test_no_bound_is_forgotten() -> None:
    assert {one.name for one in fields(Limits)} == {*COUNTED, *OTHERS}
