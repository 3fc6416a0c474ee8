"""Copying compatibility artifacts from one place to another."""

from pathlib import Path

import pytest

from app.demo.content import Repository
from app.demo.faults import status
from app.demo.registry_writing import store as put_manifest
from app.oci.images import finding
from app.oci.images.manifests import ARTIFACT_TYPE as TYPE
from app.oci.images.manifests import OCI_MANIFEST
from app.oci.limits import Limits
from app.oci.registry.transport import Answer, Request
from app.oci.writing.copying import MAX_BLOBS, Copied, Copy, copy
from app.oci.writing.folder import LayoutStore
from app.oci.writing.store import Failed, Store
from app.ports import Found, Missing, Platform, PlatformOutcome, Resolved
from tests.tools.writable import DATE, LIMITS, OTHER, SPEC, World, attach

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
EARLY = "2026-01-01T00:00:00Z"


async def copied(
    source: Store, destination: Store, **more: object
) -> list[tuple[str, Copy]]:
    """Digest and state of each artifact, in order."""
    outcomes = await copy([(source, destination)], LIMITS, **more)  # type: ignore[arg-type]
    assert all(isinstance(one, Copied) for one in outcomes), outcomes
    return [(one.digest, one.state) for one in outcomes if isinstance(one, Copied)]


async def found(store: Store, platform: Platform = AMD64) -> PlatformOutcome:
    outcome = await finding.find(store, [platform], LIMITS)
    assert isinstance(outcome, Resolved)
    return outcome.platforms[platform]


@pytest.mark.parametrize("has_api", [True, False])
async def test_the_destination_answers_as_the_source_does(
    api: World, tags: World, has_api: bool
) -> None:
    """From one kind of registry to the other; digests stay, tags are made anew."""
    source, destination = (tags, api) if has_api else (api, tags)
    root = await attach(source.store("multi"))
    own = await attach(source.store("multi"), OTHER, platform="linux/arm64")
    expected = [(root.digest, Copy.COPIED), (own.digest, Copy.COPIED)]
    assert expected == await copied(source.store("multi"), destination.store("multi"))
    for platform in (AMD64, ARM64):
        there = await found(destination.store("multi"), platform)
        assert isinstance(there, Found)
        assert await found(source.store("multi"), platform) == there
    for digest in (root.digest, own.digest):
        content = source.repository.blobs[digest]
        assert content == destination.repository.blobs[digest]


@pytest.mark.parametrize("has_api", [True, False])
async def test_what_is_there_already_is_not_sent_again(
    api: World, tags: World, has_api: bool
) -> None:
    source, destination = (tags, api) if has_api else (api, tags)
    attached = await attach(source.store())
    await copied(source.store(), destination.store())
    writes = destination.transport.writes()
    expected = [(attached.digest, Copy.PRESENT)]
    assert expected == await copied(source.store(), destination.store())
    assert writes == destination.transport.writes()


async def test_one_that_is_there_but_not_listed_is_listed(
    api: World, tags: World
) -> None:
    attached = await attach(api.store())
    content = api.repository.blobs[attached.digest]
    put_manifest(tags.repository, content, OCI_MANIFEST)
    assert Missing() == await found(tags.store())
    (one,) = await copy([(api.store(), tags.store())], LIMITS)
    assert isinstance(one, Copied)
    assert (Copy.COPIED, True) == (one.state, one.by_tag)
    assert isinstance(await found(tags.store()), Found)


async def test_one_that_is_listed_but_gone_is_sent(api: World, tags: World) -> None:
    attached = await attach(api.store())
    await copied(api.store(), tags.store())
    del tags.repository.types[attached.digest]
    expected = [(attached.digest, Copy.COPIED)]
    assert expected == await copied(api.store(), tags.store())
    assert isinstance(await found(tags.store()), Found)


async def test_what_is_attached_to_something_that_is_not_there_is_reported(
    api: World, tags: World
) -> None:
    root = await attach(api.store("multi"))
    own = await attach(api.store("multi"), OTHER, platform="linux/arm64")
    del tags.repository.types[own.subject]
    expected = [(root.digest, Copy.COPIED), (own.digest, Copy.NO_SUBJECT)]
    assert expected == await copied(api.store("multi"), tags.store("multi"))
    assert own.digest not in tags.repository.types


async def test_the_tag_at_the_destination_does_not_matter(
    api: World, tags: World
) -> None:
    attached = await attach(api.store())
    expected = [(attached.digest, Copy.COPIED)]
    assert expected == await copied(api.store(), tags.store("another"))
    assert isinstance(await found(tags.store()), Found)


async def test_between_a_layout_and_a_registry(
    layout: LayoutStore, folder: Path, tags: World
) -> None:
    attached = await attach(layout)
    assert [(attached.digest, Copy.COPIED)] == await copied(layout, tags.store())
    newer = await attach(tags.store(), OTHER, created="2026-04-01T00:00:00Z")
    back = LayoutStore(folder, "1", LIMITS)
    expected = [(newer.digest, Copy.COPIED), (attached.digest, Copy.PRESENT)]
    assert expected == await copied(tags.store(), back)
    assert await found(tags.store()) == await found(back)


async def test_the_newest_is_copied_first_and_a_failure_ends_it(
    api: World, tags: World
) -> None:
    """An older one alone would count at the destination."""
    older = await attach(api.store(), OTHER, created=EARLY)
    newest = await attach(api.store())

    async def refuse(request: Request) -> Answer | None:
        is_newest = request.url.endswith(newest.digest)
        return Answer(500) if request.method == "PUT" and is_newest else None

    tags.transport.before = refuse
    (one,) = await copy([(api.store(), tags.store())], LIMITS)
    assert isinstance(one, Failed)
    assert "ServerError" == one.reason
    assert older.digest not in tags.repository.types
    assert Missing() == await found(tags.store())


async def test_other_images_are_copied_though_one_of_them_fails(
    api: World, tags: World
) -> None:
    await attach(api.store("multi"))
    pairs = [("none", "none"), ("multi", "multi")]
    outcomes = await copy([(api.store(a), tags.store(b)) for a, b in pairs], LIMITS)
    assert [Failed, Copied] == [type(one) for one in outcomes]
    assert api.store("none").name == getattr(outcomes[0], "image", "")


async def test_an_image_without_artifacts_says_nothing(api: World, tags: World) -> None:
    assert [] == await copied(api.store(), tags.store())
    assert [] == tags.transport.asked


async def test_a_dry_run_sends_nothing(api: World, tags: World) -> None:
    attached = await attach(api.store())
    planned = await copied(api.store(), tags.store(), dry_run=True)
    assert [(attached.digest, Copy.PLANNED)] == planned
    assert [] == tags.transport.writes()


async def test_progress_ends_with_everything_done(api: World, tags: World) -> None:
    await attach(api.store())
    told: list[tuple[str, int, int]] = []
    await copied(api.store(), tags.store(), progress=lambda *one: told.append(one))
    assert (1, 1) == told[-1][1:]
    assert {0} == {done for _, done, _ in told[:-1]}
    assert any("manifest" in what for what, _, _ in told)


# What cannot be copied -----------------------------------------------------------


def put(repository: Repository, **changes: object) -> str:
    image = repository.listed[0]
    plain = {key: image[key] for key in ("mediaType", "digest", "size")}
    one = repository.attach(plain, SPEC, created=DATE, changes=changes)
    return str(one["digest"])


async def test_entries_that_lead_nowhere_or_elsewhere_are_not_copied(
    api: World, tags: World
) -> None:
    gone = put(tags.repository)
    put(tags.repository, subject=dict(tags.repository.listed[-2]))
    tags.repository.write_fallback_tag(tags.repository.tags["1"])
    del tags.repository.types[gone]
    assert [] == await copied(tags.store(), api.store())


async def reason(source: World, destination: World, limits: Limits = LIMITS) -> str:
    (one,) = await copy([(source.store(), destination.store())], limits)
    assert isinstance(one, Failed)
    assert [] == destination.transport.writes()
    return one.reason


async def test_one_that_cannot_be_read_is_a_reason(api: World, tags: World) -> None:
    one = put(api.repository)
    api.repository.blobs[one] = b"broken"
    assert "DigestMismatch" == await reason(api, tags)


async def test_a_signature_that_is_listed_as_ours_is_not_copied(
    api: World, tags: World
) -> None:
    """An older spec alone would count at the destination, so that is the end."""
    await attach(tags.store(), created=EARLY)
    digest = put(tags.repository, artifactType="application/vnd.example.signature")
    tag = tags.repository.tags["1"].replace(":", "-")
    tags.repository.write_fallback_tag(tags.repository.tags["1"])
    listed = tags.repository.blobs[tags.repository.tags[tag]]
    wrong = listed.replace(b"application/vnd.example.signature", TYPE.encode())
    assert wrong != listed
    await tags.store().edit_tag(tag, lambda _: wrong, most_bytes=1 << 20)
    assert "TypeMismatch" == await reason(tags, api)
    assert digest not in api.repository.types
    assert Missing() == await found(api.store())


@pytest.mark.parametrize(("more", "is_copied"), [(0, True), (1, False)])
async def test_as_many_blobs_are_copied_as_may_be(
    api: World, tags: World, more: int, is_copied: bool
) -> None:
    number = MAX_BLOBS - 1 + more
    layers = [api.repository.blob("m", str(n).encode()) for n in range(number)]
    put(api.repository, layers=layers)
    if is_copied:
        assert 1 == len(await copied(api.store(), tags.store()))
    else:
        assert "InvalidArtifact" == await reason(api, tags)


@pytest.mark.parametrize(("less", "is_copied"), [(0, True), (1, False)])
async def test_a_blob_is_as_large_as_readers_take(
    api: World, tags: World, less: int, is_copied: bool
) -> None:
    put(api.repository)
    few = Limits(retries=0, spec_bytes=len(SPEC) - less)
    if is_copied:
        (one,) = await copy([(api.store(), tags.store())], few)
        assert isinstance(one, Copied)
    else:
        assert "TooLarge" == await reason(api, tags, few)


async def test_a_destination_that_cannot_answer_is_a_reason(
    api: World, tags: World
) -> None:
    await attach(api.store())
    tags.registry.faults["resolve"] = status(503)
    tags.registry.faults["manifest"] = status(503)
    assert "ServerError" == await reason(api, tags)


async def test_a_source_that_cannot_answer_is_a_reason(api: World, tags: World) -> None:
    await attach(api.store())
    api.registry.faults["referrers"] = status(503)
    assert "ServerError" == await reason(api, tags)


async def test_bytes_are_copied_as_they_are(api: World, tags: World) -> None:
    """An artifact that another tool wrote, with spaces and unknown fields."""
    digest = put(api.repository)
    content = api.repository.blobs[digest].replace(b"{", b'{ "mine": 1.50,', 1)
    del api.repository.types[digest]
    api.repository.listed.pop()
    put_manifest(api.repository, content, OCI_MANIFEST)
    ((name, _),) = await copied(api.store(), tags.store())
    assert content == tags.repository.blobs[name]
