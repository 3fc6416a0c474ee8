"""Registries that send too much, too slowly, packed, or less than they say."""

from __future__ import annotations

import asyncio
import resource
import time
from dataclasses import replace

import pytest
from aiohttp import web

from app.demo import faults
from app.demo.content import SPEC_TYPE
from app.demo.faults import Fault, Reply
from app.demo.registry import Bearer, Registry
from app.oci.limits import Limits
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.ports import ImageOutcome, Invalid, Unavailable
from tests.tools.hostile import (
    HERE,
    SPEC,
    filled,
    full_queue,
    look,
    outcome,
    part,
    reading,
    subject,
    word,
)

pytestmark = pytest.mark.integration

KINDS = ["resolve", "referrers", "manifest", "blob", "token"]
BODIES = ["referrers", "manifest", "blob", "token"]
QUICK = Limits(connect_seconds=0.5, lookup_seconds=0.6, retries=0)
BOMB_BYTES = 100 << 20


def private() -> Registry:
    """It wants a token, that anybody gets."""
    return filled(auth=Bearer())


async def timed(served: Registry, limits: Limits) -> tuple[ImageOutcome, float]:
    started = time.monotonic()
    found = await outcome(served, limits=limits)
    return found, time.monotonic() - started


# (1) Too much ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.endless, id="without-end"),
        pytest.param(faults.body(bytes(5 << 20)), id="declared"),
    ],
)
async def test_no_answer_is_read_beyond_its_limit(kind: str, fault: Fault) -> None:
    registry = private()
    registry.faults[kind] = fault
    async with registry.serving():
        found = part(await outcome(registry))
    assert isinstance(found, Invalid | Unavailable)
    assert "TooLarge" == found.reason


async def test_a_length_beyond_the_limit_is_refused_before_the_body_comes() -> None:
    registry = filled()
    registry.faults["blob"] = faults.claims(Limits().spec_bytes + 1)
    async with registry.serving():
        found, seconds = await timed(registry, Limits(lookup_seconds=5))
    assert "Invalid TooLarge" == word(found)
    assert seconds < 2


@pytest.mark.parametrize("kind", BODIES)
async def test_a_length_that_is_more_than_comes_is_waited_for_until_the_deadline(
    kind: str,
) -> None:
    registry = private()
    registry.faults[kind] = faults.claims(60_000)
    async with registry.serving():
        found, seconds = await timed(registry, QUICK)
    assert "Unavailable Timeout" == word(found)
    assert seconds < 2


async def test_a_length_that_is_less_than_comes_yields_no_content() -> None:
    """The rest must not be taken for the next answer on the connection."""
    registry = filled()
    registry.faults["manifest"] = faults.claims(10)
    async with registry.serving(), reading(registry, limits=QUICK) as artifacts:
        found = await look(artifacts, f"{registry.address}/team/app:1")
    assert word(found) in {"Invalid DigestMismatch", "Unavailable NetworkError"}


@pytest.mark.parametrize(
    ("count", "size"),
    [pytest.param(20_000, 10, id="many"), pytest.param(1, 200_000, id="large")],
)
async def test_headers_are_bounded(count: int, size: int) -> None:
    registry = filled()
    registry.faults["resolve"] = faults.headers(count, size)
    async with registry.serving():
        assert "Unavailable NetworkError" == word(await outcome(registry))


@pytest.mark.parametrize("kind", BODIES)
async def test_an_error_s_body_is_not_read_to_its_end(kind: str) -> None:
    async def fault(request: web.Request, reply: Reply) -> web.StreamResponse:
        return await faults.endless(request, Reply(418, reply.headers))

    registry = private()
    registry.faults[kind] = fault
    async with registry.serving():
        found = await outcome(registry)
    expected = "TokenError" if kind == "token" else "BadAnswer"
    assert f"Unavailable {expected}" == word(found)


# (2) Packed --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BODIES)
async def test_a_gzip_bomb_is_not_unpacked(kind: str) -> None:
    registry = private()
    registry.faults[kind] = faults.bomb(BOMB_BYTES)
    async with registry.serving():
        await outcome(registry)  # so that what both need is there
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = await outcome(registry)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "Unavailable UnwantedEncoding" == word(found)
    assert (after - before) << 10 < BOMB_BYTES / 2


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, identity", "x"])
async def test_no_encoding_is_accepted(encoding: str) -> None:
    registry = filled()
    registry.faults["blob"] = faults.header("Content-Encoding", encoding)
    async with registry.serving():
        assert "Unavailable UnwantedEncoding" == word(await outcome(registry))


@pytest.mark.parametrize("suffix", ["+gzip", ".gzip", "+yaml+gzip", "+zstd"])
async def test_a_packed_layer_is_refused_as_it_is(suffix: str) -> None:
    registry = filled()
    repository = registry.repository("team/app")
    layer = repository.blob(f"{SPEC_TYPE.partition('+')[0]}{suffix}", SPEC)
    repository.attach(
        subject(registry), SPEC, created="2026-04-01", changes={"layers": [layer]}
    )
    repository.attach(
        subject(registry),
        SPEC,
        created="2026-04-01T00:00:00Z",
        changes={"layers": [layer]},
    )
    async with registry.serving():
        found = await outcome(registry)
    assert "Invalid InvalidArtifact" == word(found)
    assert "blob" not in registry.asked()


# (3) Slowly --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.hang, id="hang"),
        pytest.param(faults.late(30), id="late"),
    ],
)
async def test_nothing_keeps_a_lookup_beyond_its_time(kind: str, fault: Fault) -> None:
    registry = private()
    registry.faults[kind] = fault
    async with registry.serving():
        found, seconds = await timed(registry, QUICK)
    assert "Unavailable Timeout" == word(found)
    assert seconds < 2


@pytest.mark.parametrize("kind", BODIES)
async def test_a_drip_does_not_win_time(kind: str) -> None:
    """Each byte is in time, the whole is not."""
    registry = private()
    registry.faults[kind] = faults.drip(0.05)
    async with registry.serving():
        found, seconds = await timed(registry, QUICK)
    assert "Unavailable Timeout" == word(found)
    assert seconds < 2


async def test_slow_answers_have_one_deadline_together() -> None:
    """Each of the five is in time, all of them are not."""
    registry = private()
    registry.faults["all"] = faults.late(0.25)
    async with registry.serving():
        found, seconds = await timed(registry, replace(QUICK, lookup_seconds=1.0))
    assert "Unavailable Timeout" == word(found)
    assert seconds < 2


async def test_a_connection_that_never_stands_is_given_up() -> None:
    limits = Limits(connect_seconds=0.3, lookup_seconds=5, retries=0)
    with full_queue() as (host, _):
        policy = RegistryPolicy({host: HERE})
        async with reading(policy=policy, limits=limits) as artifacts:
            started = time.monotonic()
            found = await look(artifacts, f"{host}/app:1")
            seconds = time.monotonic() - started
    assert word(found) in {"Unavailable Timeout", "Unavailable CannotConnect"}
    assert 0.2 < seconds < 2


async def test_a_handshake_that_never_ends_is_given_up() -> None:
    """It listens, and says nothing of TLS."""

    async def silent(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    policy = RegistryPolicy({host: HostPolicy(loopback=True)})
    async with server, reading(policy=policy, limits=QUICK) as artifacts:
        started = time.monotonic()
        found = await look(artifacts, f"{host}/app:1")
        seconds = time.monotonic() - started
    assert "Unavailable Timeout" == word(found)
    assert seconds < 2
