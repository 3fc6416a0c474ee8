"""Removing deletes what it has read, and nothing on the word of a list.

Whoever may write tags writes the list under the fallback tag: it may name the image
itself, another image, or a signature, as compatibility artifacts.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from app.oci.images.digest import Digest
from app.oci.images.manifests import ARTIFACT_TYPE, OCI_INDEX, OCI_MANIFEST
from app.oci.limits import Limits
from app.oci.registry.transport import Answer, Request
from app.oci.writing.folder import LayoutStore
from app.oci.writing.removing import (
    All,
    ByDigest,
    Counting,
    Removal,
    Removed,
    Which,
    remove,
)
from app.oci.writing.store import Failed, Store
from tests.tools.writable import DATE, LIMITS, SPEC, World, attach, tree

Makes = Callable[[str], Which]
EVERY_WAY = pytest.mark.parametrize(
    "which",
    [ByDigest, lambda _: All(), lambda _: Counting()],
    ids=["by its digest", "all", "the one that counts"],
)
LISTING = pytest.mark.parametrize(
    "which", [ByDigest, lambda _: All()], ids=["by its digest", "all"]
)
LARGE = 4096


async def own(store: Store) -> Digest:
    return (await store.resolve()).digest


async def list_for(store: Store, digest: str, kind: str = ARTIFACT_TYPE) -> None:
    """The list of the image names this one, and nothing else."""
    entry = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1}
    listed = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [{**entry, "artifactType": kind} if kind else entry],
    }
    content = json.dumps(listed).encode()
    tag = (await own(store)).fallback_tag
    await store.edit_tag(tag, lambda _: content, most_bytes=1 << 20)


def failing(digest: str, limits: Limits) -> Callable[[Request], object]:
    """A registry that is busy whenever an artifact is asked for."""

    async def answer(request: Request) -> Answer | None:
        is_artifact = request.most_bytes == limits.artifact_bytes
        is_wanted = request.url.endswith(f"/manifests/{digest}")
        return Answer(503) if is_artifact and is_wanted else None

    return answer


def deletions(world: World) -> list[str]:
    return [one for one in world.transport.writes() if one.startswith("DELETE")]


def put(world: World, changes: Mapping[str, object]) -> str:
    """A manifest that refers to the image, in some way."""
    repository = world.repository
    image = {key: repository.listed[0][key] for key in ("mediaType", "digest", "size")}
    one = repository.attach(image, SPEC, created=DATE, changes=changes)
    return str(one["digest"])


# The image -----------------------------------------------------------------------


@EVERY_WAY
@pytest.mark.parametrize("fault", ["none", "busy", "too large"])
async def test_the_image_itself_stays_whatever_is_listed(
    tags: World, which: Makes, fault: str
) -> None:
    store, limits = tags.store(), replace(LIMITS, retries=0)
    digest = str(await own(store))
    await list_for(store, digest)
    if fault == "busy":
        tags.transport.before = failing(digest, limits)  # type: ignore[assignment]
    if fault == "too large":
        limits = replace(limits, artifact_bytes=64)
    outcomes = await remove(store, which(digest), limits)
    assert [] == deletions(tags)
    assert digest in tags.repository.types
    for one in outcomes:
        state = one.state if isinstance(one, Removed) else None
        assert state in {None, Removal.MISSING}, outcomes


@pytest.mark.parametrize("tag", ["1", "multi"])
@pytest.mark.parametrize("has_api", [True, False])
@pytest.mark.parametrize("dry_run", [True, False])
async def test_what_the_image_consists_of_is_refused_outright(
    api: World, tags: World, has_api: bool, tag: str, dry_run: bool
) -> None:
    world = api if has_api else tags
    store = world.store(tag)
    content = json.loads(world.repository.blobs[str(await own(store))])
    parts = [one["digest"] for one in content.get("manifests", [])]
    for digest in (str(await own(store)), *parts):
        (one,) = await remove(store, ByDigest(digest), LIMITS, dry_run=dry_run)
        text = f"{digest} is a manifest of the image itself: it is never removed"
        assert Failed(store.name, "OwnManifest", text) == one
    assert [] == world.transport.writes()


async def test_a_platform_that_says_it_is_an_artifact_is_refused(tags: World) -> None:
    """It is of our type, names the other platform, and is a part of the index."""
    repository = tags.repository
    children = json.loads(repository.blobs[repository.tags["multi"]])["manifests"]
    first = {key: children[0][key] for key in ("mediaType", "digest", "size")}
    made = repository.attach(first, SPEC, created=DATE)
    entry = {key: made[key] for key in ("mediaType", "digest", "size")}
    platform = {"os": "linux", "architecture": "riscv64"}
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [*children, {**entry, "platform": platform}],
    }
    content = json.dumps(index).encode()
    digest = str(Digest.of(content))
    repository.blobs[digest] = content
    repository.types[digest] = OCI_INDEX
    repository.tags["odd"] = digest
    repository.write_fallback_tag(str(first["digest"]))
    (one,) = await remove(tags.store("odd"), All(), LIMITS)
    assert isinstance(one, Failed)
    assert "OwnManifest" == one.reason
    assert [] == tags.transport.writes()


# Others --------------------------------------------------------------------------


@EVERY_WAY
@pytest.mark.parametrize("kind", [ARTIFACT_TYPE, ""])
@pytest.mark.parametrize("dry_run", [True, False])
async def test_what_could_not_be_read_stays_as_it_is(
    tags: World, which: Makes, kind: str, dry_run: bool
) -> None:
    store, limits = tags.store(), replace(LIMITS, retries=0)
    attached = (await attach(store)).digest
    await list_for(store, attached, kind)
    tags.transport.before = failing(attached, limits)  # type: ignore[assignment]
    writes = tags.transport.writes()
    (one,) = await remove(store, which(attached), limits, dry_run=dry_run)
    assert isinstance(one, Failed)
    assert "ServerError" == one.reason
    assert "\n" not in one.detail
    assert writes == tags.transport.writes()


async def test_why_it_could_not_be_read_is_told(tags: World) -> None:
    store, limits = tags.store(), replace(LIMITS, retries=0)
    attached = (await attach(store)).digest
    tags.transport.before = failing(attached, limits)  # type: ignore[assignment]
    (one,) = await remove(store, ByDigest(attached), limits)
    assert isinstance(one, Failed)
    expected = f"{attached} cannot be read, so it is not deleted: r.example answered"
    assert one.detail.startswith(expected), one.detail


@LISTING
async def test_what_is_too_large_for_an_artifact_only_leaves_the_list(
    tags: World, which: Makes
) -> None:
    digest = put(tags, {"annotations": {"long": "x" * LARGE}})
    await list_for(tags.store(), digest)
    limits = replace(LIMITS, artifact_bytes=LARGE)
    (one,) = await remove(tags.store(), which(digest), limits)
    assert isinstance(one, Removed)
    assert Removal.UNLISTED is one.state
    assert one.detail.startswith(f"{digest} cannot be read, so it is not deleted: ")
    assert [] == deletions(tags)
    assert [] == await tags.store().referrers(await own(tags.store()))


@LISTING
async def test_what_is_too_large_and_of_no_type_stays_listed(
    tags: World, which: Makes
) -> None:
    """It may be anybody's: a list of materials, say."""
    digest = put(tags, {"annotations": {"long": "x" * LARGE}})
    await list_for(tags.store(), digest, "")
    limits = replace(LIMITS, artifact_bytes=LARGE)
    writes = tags.transport.writes()
    (one,) = await remove(tags.store(), which(digest), limits)
    assert isinstance(one, Failed)
    assert "TooLarge" == one.reason
    assert writes == tags.transport.writes()


async def test_what_is_too_large_and_listed_by_the_registry_is_a_reason(
    api: World,
) -> None:
    digest = put(api, {"annotations": {"long": "x" * LARGE}})
    limits = replace(LIMITS, artifact_bytes=LARGE)
    (one,) = await remove(api.store(), ByDigest(digest), limits)
    assert isinstance(one, Failed)
    assert "TooLarge" == one.reason
    assert [] == deletions(api)


@EVERY_WAY
async def test_a_signature_that_is_listed_as_ours_only_leaves_the_list(
    tags: World, which: Makes
) -> None:
    digest = put(tags, {"artifactType": "application/vnd.example.signature"})
    await list_for(tags.store(), digest)
    (one,) = await remove(tags.store(), which(digest), LIMITS)
    assert isinstance(one, Removed)
    assert (Removal.UNLISTED, digest) == (one.state, one.digest)
    text = f"{digest} is no compatibility artifact: it is not deleted"
    assert text == one.detail
    assert digest in tags.repository.types
    assert [] == await tags.store().referrers(await own(tags.store()))


@LISTING
async def test_what_was_gone_when_it_was_read_is_not_deleted(
    tags: World, which: Makes
) -> None:
    """It may be there again: it was not seen."""
    attached = (await attach(tags.store())).digest

    async def hide(request: Request) -> Answer | None:
        is_wanted = request.url.endswith(f"/manifests/{attached}")
        return Answer(404) if is_wanted and request.method == "GET" else None

    tags.transport.before = hide
    (one,) = await remove(tags.store(), which(attached), LIMITS)
    assert isinstance(one, Removed)
    assert Removal.REMOVED is one.state
    assert [] == deletions(tags)


# Layouts -------------------------------------------------------------------------


@EVERY_WAY
@pytest.mark.parametrize("artifact_bytes", [LIMITS.artifact_bytes, 64])
async def test_a_layout_keeps_its_image_whatever_is_listed(
    layout: LayoutStore, which: Makes, artifact_bytes: int
) -> None:
    digest = str(await own(layout))
    await list_for(layout, digest)
    before = tree(layout._folder)
    limits = replace(LIMITS, artifact_bytes=artifact_bytes)
    await remove(layout, which(digest), limits)
    assert before == tree(layout._folder)


@LISTING
async def test_a_layout_keeps_what_is_too_large_for_an_artifact(
    layout: LayoutStore, which: Makes
) -> None:
    attached = (await attach(layout)).digest
    before = tree(layout._folder)
    limits = replace(LIMITS, artifact_bytes=64)
    (one,) = await remove(layout, which(attached), limits)
    assert isinstance(one, Failed)
    assert "TooLarge" == one.reason
    assert before == tree(layout._folder)
