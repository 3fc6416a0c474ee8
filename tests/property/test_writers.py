"""Law: of several writers on one fallback tag each is listed, or is told.

Time is virtual. Each request takes a while to arrive and its answer a while to come
back, as the example says; the registry keeps no versions, or it does.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from app.demo.registry import Api
from app.demo.registry_writing import Writing
from app.errors import RegistryError
from app.oci.failure import unavailable
from app.oci.images import reference
from app.oci.images.digest import Digest
from app.oci.images.manifests import OCI_MANIFEST
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.shared import Shared
from app.oci.registry.transport import Answer, Request
from app.oci.writing import referrers_tag
from app.oci.writing.remote import WINDOW_SECONDS, RemoteStore
from app.oci.writing.store import RawDescriptor
from tests.tools import virtual
from tests.tools.writable import HOST, LIMITS, NAME, Memory, World, world

SLOWEST_SECONDS = WINDOW_SECONDS * 0.6
"""Of one way; so some changes of the list take longer than their window."""

delays = st.lists(st.floats(0, SLOWEST_SECONDS), min_size=1, max_size=12)


@dataclass
class Slow:
    """Implements `oci.transport.Transport`: requests and answers take their time."""

    memory: Memory
    delays: Iterator[float]

    async def send(self, request: Request) -> Answer:
        try:
            async with asyncio.timeout(request.seconds):
                await asyncio.sleep(next(self.delays))
                answer = await self.memory.send(request)
                await asyncio.sleep(next(self.delays))
                return answer
        except TimeoutError as error:
            raise unavailable("Timeout", "too slow") from error

    async def close(self) -> None:
        return


def repeated(values: list[float]) -> Iterator[float]:
    while True:
        yield from values


def entry(made: World, number: int) -> RawDescriptor:
    """An artifact whose manifest is there."""
    said = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "number": number}
    return made.repository.manifest(OCI_MANIFEST, said)


def subject(made: World) -> Digest:
    digest = Digest.parse(made.repository.tags["1"])
    assert digest is not None
    return digest


async def _write(
    made: World, transport: Slow, one: RawDescriptor, starts: float
) -> tuple[str, str]:
    """One writer, with a way of its own: the artifact, and why it is not listed."""
    await asyncio.sleep(starts)
    loop = asyncio.get_running_loop()
    shared = Shared(transport, RegistryPolicy(), limits=LIMITS, clock=loop.time)
    jitter = transport.delays
    store = RemoteStore(
        shared,
        reference.parse(f"{HOST}/{NAME}:1"),
        chance=lambda: next(jitter) / SLOWEST_SECONDS,
    )
    try:
        await referrers_tag.add(store, subject(made), one, LIMITS)
    except RegistryError as error:
        return str(one["digest"]), error.reason
    return str(one["digest"]), ""


def _listed(made: World) -> set[str]:
    tag = made.repository.tags.get(subject(made).fallback_tag)
    content = made.repository.blobs[tag] if tag else b'{"manifests":[]}'
    return {one["digest"] for one in json.loads(content)["manifests"]}


async def _race(
    all_delays: list[list[float]], starts: list[float], *, versions: bool
) -> tuple[dict[str, str], set[str]]:
    made = world(Writing(subjects=False, versions=versions))
    made.registry.api = Api(referrers=False)
    writers = [
        _write(made, Slow(made.transport, repeated(own)), entry(made, number), start)
        for number, (own, start) in enumerate(zip(all_delays, starts, strict=False))
    ]
    outcomes = dict(await asyncio.gather(*writers))
    return outcomes, _listed(made)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(delays, min_size=2, max_size=4),
    st.lists(st.floats(0, WINDOW_SECONDS), min_size=4, max_size=4),
    st.booleans(),
)
def test_each_writer_is_listed_or_is_told(
    all_delays: list[list[float]], starts: list[float], versions: bool
) -> None:
    outcomes, listed = virtual.run(_race(all_delays, starts, versions=versions))
    for digest, reason in outcomes.items():
        assert reason in {"", "Lost", "Timeout"}
        if not reason:
            assert digest in listed


@settings(deadline=None, max_examples=150)
@given(st.lists(delays, min_size=2, max_size=3))
def test_two_or_three_quick_writers_are_all_listed(
    all_delays: list[list[float]],
) -> None:
    """Where each way takes a fifth of the window at the most."""
    quick = [[one * 0.3 for one in own] for own in all_delays]
    outcomes, listed = virtual.run(_race(quick, [0.0] * 3, versions=False))
    assert {""} == set(outcomes.values())
    assert set(outcomes) == listed
