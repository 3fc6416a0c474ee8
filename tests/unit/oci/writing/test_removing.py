"""Removing compatibility artifacts."""

from collections.abc import Callable, Mapping

import pytest

from app.demo.content import Descriptor
from app.demo.faults import status
from app.oci.images import finding
from app.oci.images.digest import Digest
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
from app.oci.writing.store import Failed
from app.ports import Found, Missing, Platform, PlatformOutcome, Resolved
from tests.tools.writable import DATE, LIMITS, OTHER, SPEC, World, attach, tree

AMD64 = Platform("linux", "amd64")
EARLY = "2026-01-01T00:00:00Z"


async def found(world: World, wanted: str = "1") -> PlatformOutcome:
    outcome = await finding.find(world.store(wanted), [AMD64], LIMITS)
    assert isinstance(outcome, Resolved)
    return outcome.platforms[AMD64]


async def removed(world: World, which: Which, wanted: str = "1") -> dict[str, Removed]:
    outcomes = await remove(world.store(wanted), which, LIMITS)
    assert all(isinstance(one, Removed) for one in outcomes), outcomes
    return {one.digest: one for one in outcomes if isinstance(one, Removed)}


@pytest.mark.parametrize("has_api", [True, False])
async def test_the_one_that_counts_is_removed_and_the_older_counts_again(
    api: World, tags: World, has_api: bool
) -> None:
    world = api if has_api else tags
    older = await attach(world.store(), OTHER, created=EARLY)
    newest = await attach(world.store())
    (one,) = (await removed(world, Counting())).values()
    assert (newest.digest, newest.subject, Removal.REMOVED) == (
        one.digest,
        one.subject,
        one.state,
    )
    outcome = await found(world)
    assert isinstance(outcome, Found)
    assert older.digest == outcome.digest
    assert newest.digest not in world.repository.types


@pytest.mark.parametrize("has_api", [True, False])
async def test_one_is_removed_by_its_digest(
    api: World, tags: World, has_api: bool
) -> None:
    world = api if has_api else tags
    older = await attach(world.store(), OTHER, created=EARLY)
    newest = await attach(world.store())
    done = await removed(world, ByDigest(older.digest))
    assert {older.digest: Removal.REMOVED} == {key: v.state for key, v in done.items()}
    outcome = await found(world)
    assert isinstance(outcome, Found)
    assert newest.digest == outcome.digest


async def test_all_of_an_image_and_its_platforms_are_removed(tags: World) -> None:
    attached = [
        await attach(tags.store("multi"), created=EARLY),
        await attach(tags.store("multi")),
        await attach(tags.store("multi"), OTHER, platform="linux/arm64"),
    ]
    done = await removed(tags, All(), "multi")
    assert {one.digest for one in attached} == set(done)
    assert {Removal.REMOVED} == {one.state for one in done.values()}
    assert Missing() == await found(tags, "multi")


@pytest.mark.parametrize("which", [All("linux/arm64"), Counting("linux/arm64")])
async def test_only_those_of_a_platform_are_removed(api: World, which: Which) -> None:
    await attach(api.store("multi"))
    own = await attach(api.store("multi"), OTHER, platform="linux/arm64")
    assert {own.digest} == set(await removed(api, which, "multi"))
    assert isinstance(await found(api, "multi"), Found)


@pytest.mark.parametrize(
    "which", [All(), Counting(), ByDigest(f"sha256:{0:064x}"), Counting("linux/amd64")]
)
async def test_what_is_not_there_is_missing(api: World, which: Which) -> None:
    (one,) = (await removed(api, which)).values()
    digest = which.digest if isinstance(which, ByDigest) else ""
    assert (Removal.MISSING, digest, "") == (one.state, one.digest, one.subject)
    assert [] == api.transport.writes()


async def test_an_artifact_of_another_image_is_missing_here(api: World) -> None:
    other = await attach(api.store("multi"))
    (one,) = (await removed(api, ByDigest(other.digest))).values()
    assert Removal.MISSING is one.state
    assert isinstance(await found(api, "multi"), Found)


@pytest.mark.parametrize(
    ("which", "wanted", "reason"),
    [
        (ByDigest("latest"), "1", "InvalidReference"),
        (Counting("linux/s390x"), "multi", "NoSuchPlatform"),
        (All("linux"), "multi", "InvalidPlatform"),
        (All(), "none", "ImageNotFound"),
    ],
)
async def test_what_cannot_be_removed_is_a_reason(
    api: World, which: Which, wanted: str, reason: str
) -> None:
    (one,) = await remove(api.store(wanted), which, LIMITS)
    assert isinstance(one, Failed)
    assert reason == one.reason


async def test_a_dry_run_removes_nothing(tags: World) -> None:
    attached = await attach(tags.store())
    writes = tags.transport.writes()
    (one,) = await remove(tags.store(), All(), LIMITS, dry_run=True)
    assert isinstance(one, Removed)
    assert (attached.digest, Removal.PLANNED) == (one.digest, one.state)
    assert writes == tags.transport.writes()


async def test_progress_is_told_for_each_artifact(api: World) -> None:
    attached = await attach(api.store())
    told: list[tuple[str, int, int]] = []
    store = api.store()
    await remove(store, All(), LIMITS, progress=lambda *one: told.append(one))
    assert [(f"{store.name}: {attached.digest}", 0, 1), (store.name, 1, 1)] == told


# Registries that forbid it -------------------------------------------------------


async def test_one_that_is_still_listed_is_forbidden(api: World) -> None:
    attached = await attach(api.store())
    api.writing.deletes = False
    one = (await removed(api, All()))[attached.digest]
    assert Removal.FORBIDDEN is one.state
    assert (
        "the registry forbids deleting: attach a newer spec, which then counts, or have"
        " its administrator delete this one"
    ) == one.detail
    assert isinstance(await found(api), Found)


async def test_one_that_nobody_finds_any_more_is_unlisted(tags: World) -> None:
    attached = await attach(tags.store())
    tags.writing.deletes = False
    one = (await removed(tags, All()))[attached.digest]
    assert Removal.UNLISTED is one.state
    assert "its bytes stay until its administrator deletes them" in one.detail
    assert Missing() == await found(tags)
    assert attached.digest in tags.repository.types


def refusing(code: int) -> Callable[[Request], object]:
    async def refuse(request: Request) -> Answer | None:
        return Answer(code) if request.method == "DELETE" else None

    return refuse


async def test_who_may_not_delete_is_told_what_to_do(api: World) -> None:
    attached = await attach(api.store())
    api.transport.before = refusing(403)  # type: ignore[assignment]
    one = (await removed(api, All()))[attached.digest]
    assert Removal.FORBIDDEN is one.state
    assert one.detail.startswith(
        "r.example lets none of our credentials delete: attach a newer spec"
    )


async def test_a_deletion_that_fails_is_a_reason_and_others_are_tried(
    tags: World,
) -> None:
    await attach(tags.store(), created=EARLY)
    await attach(tags.store())
    tags.transport.before = refusing(500)  # type: ignore[assignment]
    outcomes = await remove(tags.store(), All(), LIMITS)
    assert [Failed, Failed] == [type(one) for one in outcomes]
    assert {"ServerError"} == {one.reason for one in outcomes if type(one) is Failed}
    assert Missing() == await found(tags), "it is taken out of the list first"


async def test_a_list_that_cannot_be_changed_keeps_the_artifact(tags: World) -> None:
    await attach(tags.store())
    expected = await found(tags)

    async def refuse(request: Request) -> Answer | None:
        return Answer(403) if request.method == "PUT" else None

    tags.transport.before = refuse
    (one,) = await remove(tags.store(), All(), LIMITS)
    assert isinstance(one, Failed)
    assert "Unauthorized" == one.reason
    assert expected == await found(tags)


# Odd lists -----------------------------------------------------------------------


def put(world: World, changes: Mapping[str, object] | None = None) -> str:
    image: Descriptor = world.repository.listed[0]
    plain = {key: image[key] for key in ("mediaType", "digest", "size")}
    one = world.repository.attach(plain, SPEC, created=DATE, changes=changes)
    world.repository.write_fallback_tag(world.repository.tags["1"])
    return str(one["digest"])


@pytest.mark.parametrize("which", [All(), ByDigest("")])
async def test_an_entry_that_leads_nowhere_is_taken_out(
    tags: World, which: Which
) -> None:
    gone = put(tags)
    del tags.repository.types[gone]
    which = ByDigest(gone) if isinstance(which, ByDigest) else which
    assert Removal.REMOVED is (await removed(tags, which))[gone].state
    assert Removal.MISSING is next(iter((await removed(tags, which)).values())).state


async def test_an_artifact_of_something_else_only_leaves_the_list(
    tags: World,
) -> None:
    subject = {"subject": dict(tags.repository.listed[-1])}
    foreign = put(tags, subject)
    assert Removal.MISSING is (await removed(tags, All()))[""].state
    assert Removal.REMOVED is (await removed(tags, ByDigest(foreign)))[foreign].state
    assert foreign in tags.repository.types
    listed = await tags.store().referrers(parsed(tags.repository.tags["1"]))
    assert [] == listed


async def test_an_artifact_of_something_else_stays_where_the_api_lists_it(
    api: World,
) -> None:
    subject = {"subject": dict(api.repository.listed[1])}
    image = api.repository.listed[0]
    foreign = api.repository.attach(image, SPEC, created=DATE, changes=subject)
    digest = str(foreign["digest"])
    assert Removal.MISSING is (await removed(api, ByDigest(digest)))[digest].state
    assert digest in api.repository.types


def parsed(text: str) -> Digest:
    digest = Digest.parse(text)
    assert digest is not None
    return digest


# Layouts -------------------------------------------------------------------------


async def test_a_layout_is_as_it_was_before(layout: LayoutStore) -> None:
    before = tree(layout._folder)
    attached = await attach(layout)
    (one,) = await remove(layout, Counting(), LIMITS)
    assert isinstance(one, Removed)
    assert (attached.digest, Removal.REMOVED) == (one.digest, one.state)
    assert before == tree(layout._folder)


async def test_a_list_under_a_tag_of_a_layout_is_changed_too(
    layout: LayoutStore,
) -> None:
    """Other tools copy the fallback tag into layouts."""
    attached = await attach(layout)
    root = await layout.resolve()
    entry = b'{"mediaType":"m","digest":"%s","size":1}' % attached.digest.encode()
    listed = b'{"schemaVersion":2,"manifests":[%s]}' % entry
    await layout.edit_tag(root.digest.fallback_tag, lambda _: listed, most_bytes=1000)
    (one,) = await remove(layout, ByDigest(attached.digest), LIMITS)
    assert isinstance(one, Removed)
    assert Removal.REMOVED is one.state
    tagged = await layout.tagged(root.digest.fallback_tag, most_bytes=1000)
    assert tagged is not None
    assert b'{"schemaVersion":2,"manifests":[]}' == tagged.content


async def test_a_fault_of_the_registry_is_a_reason(api: World) -> None:
    await attach(api.store())
    api.registry.faults["referrers"] = status(500)
    (one,) = await remove(api.store(), All(), LIMITS)
    assert isinstance(one, Failed)
    assert "ServerError" == one.reason
