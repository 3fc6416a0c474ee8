"""The registry in memory refuses what real ones refuse."""

import pytest

from app.demo.content import digest_of
from app.oci.registry.transport import Request
from tests.tools.writable import HOST, NAME, World, world

BASE = f"https://{HOST}/v2/{NAME}"
CONTENT = b"content"
DIGEST = digest_of(CONTENT)


async def status(world: World, method: str, path: str, body: bytes = b"") -> int:
    answer = await world.transport.send(Request(method, f"{BASE}/{path}", body=body))
    return answer.status


@pytest.fixture
def made() -> World:
    return world()


async def test_an_upload_that_was_not_begun_is_unknown(made: World) -> None:
    path = f"blobs/uploads/none?digest={DIGEST}"
    assert 404 == await status(made, "PUT", path, CONTENT)


async def test_an_upload_with_another_digest_is_refused(made: World) -> None:
    assert 202 == await status(made, "POST", "blobs/uploads/")
    path = f"blobs/uploads/upload-0?digest={DIGEST}"
    assert 400 == await status(made, "PUT", path, b"other")
    assert 201 == await status(made, "PUT", path, CONTENT)
    assert CONTENT == made.repository.blobs[DIGEST]


async def test_a_manifest_with_another_digest_is_refused(made: World) -> None:
    assert 400 == await status(made, "PUT", f"manifests/{DIGEST}", b"{}")
    assert 201 == await status(made, "PUT", f"manifests/{digest_of(b'{}')}", b"{}")


async def test_a_manifest_without_its_blobs_is_refused(made: World) -> None:
    body = b'{"layers":[{"digest":"%s"}]}' % DIGEST.encode()
    assert 400 == await status(made, "PUT", "manifests/t", body)


async def test_a_manifest_is_deleted_with_its_tags_once(made: World) -> None:
    digest = made.repository.tags["1"]
    assert 202 == await status(made, "DELETE", f"manifests/{digest}")
    assert "1" not in made.repository.tags
    assert 404 == await status(made, "DELETE", f"manifests/{digest}")
