"""The index under the fallback tag."""

import asyncio
import json

import pytest

from app.demo.faults import header, status
from app.demo.registry_writing import Writing
from app.errors import RegistryError
from app.oci.images.digest import Digest
from app.oci.images.manifests import ARTIFACT_TYPE, OCI_INDEX, OCI_MANIFEST
from app.oci.limits import Limits
from app.oci.registry.transport import Answer, Request
from app.oci.writing import referrers_tag
from app.oci.writing.folder import LayoutStore
from app.oci.writing.raw_index import RawIndex
from app.oci.writing.remote import WINDOW_SECONDS
from app.oci.writing.store import RawDescriptor
from tests.tools.writable import LIMITS, Hook, World, attach, world

ZERO = Digest.parse(f"sha256:{0:064x}")


def subject(world: World) -> Digest:
    digest = Digest.parse(world.repository.tags["1"])
    assert digest is not None
    return digest


def entry(world: World, number: int) -> RawDescriptor:
    """An artifact's descriptor; its manifest is there."""
    said = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "number": number}
    return {
        **world.repository.manifest(OCI_MANIFEST, said),
        "annotations": {"n": str(number)},
        "artifactType": ARTIFACT_TYPE,
    }


def listed(world: World) -> list[str]:
    tag = world.repository.tags[subject(world).fallback_tag]
    index = json.loads(world.repository.blobs[tag])
    return [one["digest"] for one in index["manifests"]]


async def test_the_first_artifact_makes_the_list_and_others_follow(
    tags: World,
) -> None:
    one, two = entry(tags, 1), entry(tags, 2)
    await referrers_tag.add(tags.store(), subject(tags), one, LIMITS)
    await referrers_tag.add(tags.store(), subject(tags), two, LIMITS)
    tag = tags.repository.tags[subject(tags).fallback_tag]
    written = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [one, two]}
    assert written == json.loads(tags.repository.blobs[tag])
    assert OCI_INDEX == tags.repository.types[tag]


async def test_what_is_listed_already_is_not_written(tags: World) -> None:
    one = entry(tags, 1)
    await referrers_tag.add(tags.store(), subject(tags), one, LIMITS)
    writes, now = tags.transport.writes(), tags.clock.now
    await referrers_tag.add(tags.store(), subject(tags), one, LIMITS)
    assert writes == tags.transport.writes()
    assert now == tags.clock.now


async def test_a_tag_that_is_no_list_is_refused(tags: World) -> None:
    other = str(tags.repository.image("amd64", "somebody's")["digest"])
    tags.repository.tags[subject(tags).fallback_tag] = other
    with pytest.raises(RegistryError, match="remove it first") as error:
        await referrers_tag.add(tags.store(), subject(tags), entry(tags, 1), LIMITS)
    assert "NotAnIndex" == error.value.reason
    assert [] == tags.transport.writes()
    assert ZERO is not None
    assert not await referrers_tag.drop(tags.store(), subject(tags), ZERO, LIMITS)
    assert not await referrers_tag.lists(tags.store(), subject(tags), ZERO, LIMITS)


async def test_as_many_are_listed_as_readers_take_and_no_more(tags: World) -> None:
    few = Limits(retries=0, descriptors=2)
    for number in (1, 2):
        one = entry(tags, number)
        await referrers_tag.add(tags.store(), subject(tags), one, few)
    with pytest.raises(RegistryError) as error:
        await referrers_tag.add(tags.store(), subject(tags), entry(tags, 3), few)
    assert "TooManyReferrers" == error.value.reason
    assert 2 == len(listed(tags))


@pytest.mark.parametrize("more", [0, 1])
async def test_a_list_is_as_large_as_readers_take_and_no_larger(
    tags: World, more: int
) -> None:
    one = entry(tags, 1)
    size = len(RawIndex.empty().adding(one).encode())
    few = Limits(retries=0, manifest_bytes=size - more)
    if not more:
        await referrers_tag.add(tags.store(), subject(tags), one, few)
        assert [one["digest"]] == listed(tags)
        return
    with pytest.raises(RegistryError) as error:
        await referrers_tag.add(tags.store(), subject(tags), one, few)
    assert "TooManyReferrers" == error.value.reason


async def test_an_artifact_is_taken_out_and_an_empty_list_stays(
    tags: World,
) -> None:
    one = entry(tags, 1)
    digest = Digest.parse(str(one["digest"]))
    assert digest is not None
    assert not await referrers_tag.drop(tags.store(), subject(tags), digest, LIMITS)
    await referrers_tag.add(tags.store(), subject(tags), one, LIMITS)
    assert await referrers_tag.lists(tags.store(), subject(tags), digest, LIMITS)
    assert await referrers_tag.drop(tags.store(), subject(tags), digest, LIMITS)
    assert [] == listed(tags)
    assert not await referrers_tag.drop(tags.store(), subject(tags), digest, LIMITS)
    assert not await referrers_tag.lists(tags.store(), subject(tags), digest, LIMITS)


# Two writers ---------------------------------------------------------------------


class Overwriting:
    """Somebody who read before us, and writes after us, so many times."""

    def __init__(self, world: World, entry: RawDescriptor, times: int) -> None:
        self._world = world
        self._entry = entry
        self._left = times

    async def __call__(self, request: Request) -> Answer | None:
        tag = subject(self._world).fallback_tag
        if request.method == "PUT" and request.url.endswith(tag) and self._left:
            self._left -= 1
            repository = self._world.repository
            value = {"schemaVersion": 2, "mediaType": OCI_INDEX}
            index = repository.manifest(
                OCI_INDEX, {**value, "manifests": [self._entry]}
            )
            repository.tags[tag] = str(index["digest"])
        return None


@pytest.mark.parametrize("times", [1, referrers_tag.TRIES - 1])
async def test_who_is_overwritten_writes_again(tags: World, times: int) -> None:
    one, two = entry(tags, 1), entry(tags, 2)
    tags.transport.after = Overwriting(tags, two, times)
    await referrers_tag.add(tags.store(), subject(tags), one, LIMITS)
    assert [two["digest"], one["digest"]] == listed(tags)


async def test_who_is_overwritten_every_time_is_told(tags: World) -> None:
    tags.transport.after = Overwriting(tags, entry(tags, 2), referrers_tag.TRIES)
    with pytest.raises(RegistryError, match="nothing is attached; try again") as error:
        await referrers_tag.add(tags.store(), subject(tags), entry(tags, 1), LIMITS)
    assert "Lost" == error.value.reason


async def test_who_removes_and_is_overwritten_every_time_is_told(
    tags: World,
) -> None:
    one = entry(tags, 1)
    digest = Digest.parse(str(one["digest"]))
    assert digest is not None
    await referrers_tag.add(tags.store(), subject(tags), one, LIMITS)
    tags.transport.after = Overwriting(tags, one, referrers_tag.TRIES)
    with pytest.raises(RegistryError, match="nothing is removed; try again") as error:
        await referrers_tag.drop(tags.store(), subject(tags), digest, LIMITS)
    assert "Lost" == error.value.reason


async def test_a_registry_that_keeps_versions_lets_nobody_be_overwritten() -> None:
    made = world(Writing(subjects=False, versions=True))
    await referrers_tag.add(made.store(), subject(made), entry(made, 0), LIMITS)
    turns = asyncio.Barrier(2)

    async def meet(request: Request) -> Answer | None:
        """Both read before either of them writes, the first time."""
        if request.method == "PUT" and not met.is_set():
            await turns.wait()
            met.set()
        return None

    met = asyncio.Event()
    made.transport.before = meet
    numbers = [1, 2]
    await asyncio.gather(
        *(
            referrers_tag.add(made.store(), subject(made), entry(made, n), LIMITS)
            for n in numbers
        )
    )
    assert {str(entry(made, n)["digest"]) for n in (0, 1, 2)} == set(listed(made))


@pytest.mark.parametrize("gap", [0.0, WINDOW_SECONDS / 2, WINDOW_SECONDS - 0.01])
async def test_who_wrote_first_sees_that_a_later_writer_had_not_seen_it(
    tags: World, gap: float
) -> None:
    """The first looks again only when the second can no longer write.

    Both read the empty list; the first writes; the second writes `gap` seconds after
    the first has, which overwrites it.
    """
    one, two = entry(tags, 1), entry(tags, 2)
    overwriting = Overwriting(tags, two, 1)
    original = tags.clock.pause
    at = tags.clock.now + gap

    async def pause(seconds: float) -> None:
        tag = subject(tags).fallback_tag
        request = Request("PUT", f"https://r.example/{tag}")
        if tags.clock.now <= at < tags.clock.now + seconds:
            await overwriting(request)
        await original(seconds)

    store = tags.store()
    store._pause = pause
    await referrers_tag.add(store, subject(tags), one, LIMITS)
    assert [two["digest"], one["digest"]] == listed(tags)


async def test_two_writers_of_a_layout_lose_nothing(layout: LayoutStore) -> None:
    dates = [f"2026-03-0{day}T00:00:00Z" for day in range(1, 9)]
    attached = await asyncio.gather(*(attach(layout, created=one) for one in dates))
    root = await layout.resolve()
    found = await layout.referrers(root.digest)
    assert {one.digest for one in attached} == {one.digest for one in found}


def takes_it_for_the_digest(world: World, *, always: bool) -> Hook:
    """GitLab answers the tag of a digest with the subject itself."""

    async def answer(request: Request) -> Answer | None:
        digest = subject(world)
        is_tag = request.url.endswith(digest.fallback_tag)
        has_tag = digest.fallback_tag in world.repository.tags
        if request.method != "GET" or not is_tag or (has_tag and not always):
            return None
        headers = {"content-type": world.repository.types[str(digest)]}
        return Answer(200, headers, body=world.repository.blobs[str(digest)])

    return answer


@pytest.mark.parametrize("tag", ["1", "multi"])
async def test_the_image_itself_under_the_tag_is_no_list(tags: World, tag: str) -> None:
    """Of an index, our entry would else stand among its platforms."""
    tags.repository.tags["1"] = tags.repository.tags[tag]
    tags.transport.before = takes_it_for_the_digest(tags, always=False)
    one = entry(tags, 1)
    digest = Digest.parse(str(one["digest"]))
    assert digest is not None
    assert not await referrers_tag.lists(tags.store(), subject(tags), digest, LIMITS)
    assert not await referrers_tag.drop(tags.store(), subject(tags), digest, LIMITS)
    await referrers_tag.add(tags.store(), subject(tags), one, LIMITS)
    assert [one["digest"]] == listed(tags)


async def test_a_registry_that_never_keeps_the_tag_is_found_out(tags: World) -> None:
    tags.transport.before = takes_it_for_the_digest(tags, always=True)
    with pytest.raises(RegistryError) as error:
        await referrers_tag.add(tags.store(), subject(tags), entry(tags, 1), LIMITS)
    assert "Lost" == error.value.reason


async def test_a_weak_version_does_not_keep_the_list_from_being_written(
    tags: World,
) -> None:
    await referrers_tag.add(tags.store(), subject(tags), entry(tags, 1), LIMITS)
    tags.registry.faults["manifest"] = header("ETag", 'W/"1"')
    await referrers_tag.add(tags.store(), subject(tags), entry(tags, 2), LIMITS)
    assert 2 == len(listed(tags))


async def without(world: World, number: int, *numbers: int) -> RawDescriptor:
    """Lists artifacts, and deletes one of them behind the list's back."""
    for one in (number, *numbers):
        await referrers_tag.add(
            world.store(), subject(world), entry(world, one), LIMITS
        )
    gone = entry(world, number)
    del world.repository.types[str(gone["digest"])]
    del world.repository.blobs[str(gone["digest"])]
    return gone


@pytest.mark.parametrize("code", [400, 404])
async def test_entries_that_lead_nowhere_do_not_keep_others_out(
    tags: World, code: int
) -> None:
    """Registries refuse a list whose manifests are not all there."""
    gone = str((await without(tags, 1, 2))["digest"]).encode()

    async def refuse(request: Request) -> Answer | None:
        return Answer(code) if gone in request.body else None

    tags.transport.before = refuse
    await referrers_tag.add(tags.store(), subject(tags), entry(tags, 3), LIMITS)
    expected = [entry(tags, number)["digest"] for number in (2, 3)]
    assert expected == listed(tags)


async def test_entries_that_lead_nowhere_do_not_keep_others_in(tags: World) -> None:
    gone = await without(tags, 1, 2)
    digest = Digest.parse(str(entry(tags, 2)["digest"]))
    assert digest is not None
    assert await referrers_tag.drop(tags.store(), subject(tags), digest, LIMITS)
    assert gone["digest"] not in listed(tags)
    assert [] == listed(tags)


async def refused(world: World, limits: Limits) -> None:
    async def refuse(request: Request) -> Answer | None:
        is_tag = request.url.endswith(subject(world).fallback_tag)
        return Answer(400) if request.method == "PUT" and is_tag else None

    world.transport.before = refuse
    with pytest.raises(RegistryError) as error:
        await referrers_tag.add(world.store(), subject(world), entry(world, 3), limits)
    assert "Rejected" == error.value.reason


async def test_a_list_that_is_refused_for_another_reason_is_an_error(
    tags: World,
) -> None:
    one = entry(tags, 1)
    await referrers_tag.add(tags.store(), subject(tags), one, LIMITS)
    await refused(tags, LIMITS)
    assert [one["digest"]] == listed(tags)


async def test_a_list_that_is_too_long_is_not_searched(tags: World) -> None:
    await without(tags, 1, 2)
    entries = [entry(tags, number) for number in (1, 2)]
    index = tags.repository.manifest(OCI_INDEX, {"manifests": entries})
    tag = subject(tags).fallback_tag
    tags.repository.tags[tag] = str(index["digest"])
    asked = len(tags.transport.asked)
    drop = Limits(retries=0, descriptors=1)
    digest = Digest.parse(str(entries[1]["digest"]))
    assert digest is not None

    async def refuse(request: Request) -> Answer | None:
        return Answer(400) if request.method == "PUT" else None

    tags.transport.before = refuse
    with pytest.raises(RegistryError):
        await referrers_tag.drop(tags.store(), subject(tags), digest, drop)
    methods = [one.method for one in tags.transport.asked[asked:]]
    assert "HEAD" not in methods


async def test_a_fault_on_the_way_is_not_tried_again(tags: World) -> None:
    tags.registry.faults["manifest"] = status(503)
    with pytest.raises(RegistryError) as error:
        await referrers_tag.add(tags.store(), subject(tags), entry(tags, 1), LIMITS)
    assert "ServerError" == error.value.reason
