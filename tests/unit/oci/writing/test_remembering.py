"""A source that reads everything once."""

import asyncio

import pytest

from app.errors import RegistryError
from app.oci.images.digest import Digest
from app.oci.writing.remembering import AT_ONCE, Remembering
from tests.tools.writable import World

DIGEST = Digest.of(b"")


async def test_two_questions_cost_one_request(api: World) -> None:
    source = Remembering(api.store())
    first, second = await asyncio.gather(source.resolve(), source.resolve())
    assert first == second == await source.resolve()
    assert 1 == len(api.transport.asked)
    await source.close()


async def test_an_error_is_remembered(api: World) -> None:
    source = Remembering(api.store())
    for _ in range(2):
        with pytest.raises(RegistryError):
            await source.blob(DIGEST, most_bytes=1)
    assert 1 == len(api.transport.asked)
    await source.close()


async def test_another_bound_is_another_question(api: World) -> None:
    source = Remembering(api.store())
    for most in (1, 2):
        with pytest.raises(RegistryError):
            await source.manifest(DIGEST, most_bytes=most)
    assert 2 == len(api.transport.asked)
    await source.close()


async def test_few_requests_are_under_way_and_none_after_the_end(api: World) -> None:
    held, most, now = asyncio.Event(), 0, 0

    async def hold(_request: object) -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        try:
            await held.wait()
        finally:
            now -= 1

    api.transport.before = hold
    source = Remembering(api.store())
    asked = [
        asyncio.create_task(source.blob(Digest.of(bytes(n)), most_bytes=1))
        for n in range(AT_ONCE + 2)
    ]
    for _ in range(20):
        await asyncio.sleep(0)
    await source.close()
    await asyncio.gather(*asked, return_exceptions=True)
    assert (AT_ONCE, 0) == (most, now)
