"""Specs are attached, listed, copied and removed on real registries."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.demo.layout import Layout
from app.demo.registry import Registry
from app.demo.registry_writing import Writing
from app.oci.credentials import Credential, Entry, Keyring
from app.oci.images import finding
from app.oci.images.digest import Digest
from app.oci.writing import attaching
from app.oci.writing.copying import Copied, Copy, copy
from app.oci.writing.folder import LayoutStore
from app.oci.writing.listing import ImageSpecs, State, list_specs
from app.oci.writing.removing import All, Counting, Removal, Removed, remove
from app.oci.writing.showing import Shown, show
from app.oci.writing.store import Deletion, Failed, Store
from app.ports import Found, Missing, Platform, PlatformOutcome, Resolved
from tests.tools import needed
from tests.tools.registries import (
    HTPASSWD,
    PASSWORD,
    READER,
    Guard,
    distribution,
    push,
    referrers_registry,
)
from tests.tools.writable import NAME, OTHER, SPEC, attach, fill, spec
from tests.tools.writers import LIMITS, content, ways

pytestmark = pytest.mark.integration

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
EARLY = "2026-01-01T00:00:00Z"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Servers:
    """Addresses of registries that hold the same images."""

    referrers: str
    tags: str
    undeletable: str

    def __getitem__(self, kind: str) -> str:
        return str(getattr(self, kind))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    needed.programs("registry", "distribution")
    make = tmp_path_factory.mktemp
    with (
        referrers_registry(make("referrers")) as referrers,
        distribution(make("tags")) as tags,
        distribution(make("kept"), Guard(deletes=False)) as undeletable,
    ):
        yield Servers(referrers, tags, undeletable)


@pytest.fixture
def name(request: pytest.FixtureRequest, servers: Servers) -> str:
    """A repository of the test's own, on each of them."""
    own = f"{NAME}/{Digest.of(request.node.nodeid.encode()).encoded[:16]}"
    for kind in ("referrers", "tags", "undeletable"):
        push(servers[kind], own, content())
    return own


KINDS = pytest.mark.parametrize("kind", ["referrers", "tags"])


async def found(store: Store, platform: Platform = AMD64) -> PlatformOutcome:
    outcome = await finding.find(store, [platform], LIMITS)
    assert isinstance(outcome, Resolved)
    return outcome.platforms[platform]


@KINDS
async def test_what_is_attached_is_found_listed_and_shown(
    servers: Servers, name: str, kind: str
) -> None:
    async with ways(servers[kind]) as way:
        store = way.store(servers[kind], "multi", name=name)
        root = await attach(store)
        own = await attach(store, OTHER, platform="linux/arm64")
        assert root.by_tag
        outcomes = [await found(store, one) for one in (AMD64, ARM64)]
        assert [SPEC, OTHER] == [
            one.content for one in outcomes if isinstance(one, Found)
        ]
        specs = await list_specs(store, LIMITS, now=NOW)
        assert isinstance(specs, ImageSpecs)
        assert [(root.digest, State.COUNTS), (own.digest, State.COUNTS)] == [
            (one.digest, one.state)
            for subject in specs.subjects
            for one in subject.artifacts
        ]
        shown = await show(store, LIMITS, platform="linux/arm64")
        assert isinstance(shown, Shown)
        assert (OTHER, own.digest) == (shown.content, shown.digest)


@KINDS
async def test_what_is_removed_is_gone_and_the_older_counts_again(
    servers: Servers, name: str, kind: str
) -> None:
    async with ways(servers[kind]) as way:
        store = way.store(servers[kind], name=name)
        older = await attach(store, OTHER, created=EARLY)
        newest = await attach(store)
        (one,) = await remove(store, Counting(), LIMITS)
        assert isinstance(one, Removed)
        assert (newest.digest, Removal.REMOVED) == (one.digest, one.state)
        outcome = await found(store)
        assert isinstance(outcome, Found)
        assert older.digest == outcome.digest
        (one,) = await remove(store, All(), LIMITS)
        assert isinstance(one, Removed)
        assert Removal.REMOVED is one.state
        assert Missing() == await found(store)
        (one,) = await remove(store, All(), LIMITS)
        assert isinstance(one, Removed)
        assert Removal.MISSING is one.state


async def test_a_registry_that_forbids_deleting_only_forgets(
    servers: Servers, name: str
) -> None:
    async with ways(servers.undeletable) as way:
        store = way.store(servers.undeletable, name=name)
        await attach(store)
        (one,) = await remove(store, All(), LIMITS)
        assert isinstance(one, Removed)
        assert Removal.UNLISTED is one.state
        assert Missing() == await found(store)


@pytest.mark.parametrize(
    ("kind", "other"), [("referrers", "tags"), ("tags", "referrers")]
)
async def test_artifacts_follow_their_images_from_place_to_place(
    servers: Servers, name: str, kind: str, other: str, tmp_path: Path
) -> None:
    """From one registry into a layout, and from there into another registry."""
    layout = Layout(tmp_path / "layout")
    fill(layout)
    layout.close()
    folder = LayoutStore(layout.folder, "multi", LIMITS)
    async with ways(servers[kind], servers[other]) as way:
        source = way.store(servers[kind], "multi", name=name)
        destination = way.store(servers[other], "multi", name=name)
        await attach(source)
        await attach(source, OTHER, platform="linux/arm64")
        for pair in ((source, folder), (folder, destination)):
            outcomes = await copy([pair], LIMITS)
            assert [Copy.COPIED, Copy.COPIED] == [
                one.state for one in outcomes if isinstance(one, Copied)
            ]
        for platform in (AMD64, ARM64):
            expected = await found(source, platform)
            assert isinstance(expected, Found)
            assert expected == await found(folder, platform)
            assert expected == await found(destination, platform)
        again = await copy([(source, destination)], LIMITS)
        assert {Copy.PRESENT} == {one.state for one in again if isinstance(one, Copied)}


@KINDS
async def test_writers_at_the_same_time_lose_nothing(
    servers: Servers, name: str, kind: str
) -> None:
    """Neither registry keeps versions of tags."""
    async with ways(servers[kind]) as way:
        dates = [f"2026-02-0{day}T00:00:00Z" for day in (1, 2, 3)]
        attached = await asyncio.gather(
            *(attach(way.store(servers[kind], name=name), created=one) for one in dates)
        )
        store = way.store(servers[kind], name=name)
        listed = await store.referrers((await store.resolve()).digest)
        assert {one.digest for one in attached} <= {one.digest for one in listed}


@KINDS
async def test_an_entry_that_leads_nowhere_does_not_keep_others_out(
    servers: Servers, name: str, kind: str
) -> None:
    """Somebody deleted an artifact, and left the list as it was."""
    async with ways(servers[kind]) as way:
        store = way.store(servers[kind], name=name)
        gone = await attach(store, OTHER, created="2026-05-01T00:00:00Z")
        digest = Digest.parse(gone.digest)
        assert digest is not None
        assert Deletion.DELETED is await store.delete_manifest(digest)
        newer = await attach(store)
        outcome = await found(store)
        assert isinstance(outcome, Found)
        assert newer.digest == outcome.digest


async def test_an_author_needs_a_credential_that_may_push(
    tmp_path: Path,
) -> None:
    needed.programs("distribution")
    credential = Credential(READER, PASSWORD)
    with (
        distribution(tmp_path) as is_open,
        distribution(tmp_path, Guard(htpasswd=HTPASSWD)) as guarded,
    ):
        push(is_open, NAME, content())
        async with ways(guarded) as way:
            store = way.store(guarded)
            (failed,) = await attaching.attach([store], spec(), LIMITS, created=EARLY)
            assert isinstance(failed, Failed)
            assert "Unauthorized" == failed.reason
        keyring = Keyring.of([Entry.of(guarded, credential)])
        async with ways(guarded, keyring=keyring) as way:
            await attach(way.store(guarded))
            assert isinstance(await found(way.store(guarded)), Found)


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("http://169.254.169.254/latest", id="metadata"),
        pytest.param("http://localhost:{port}/upload", id="this machine"),
        pytest.param("http://10.0.0.1/upload", id="private"),
    ],
)
async def test_an_upload_goes_to_no_address_that_is_closed(location: str) -> None:
    """The registry itself may be on this machine; what it names may not."""
    async with Registry().serving() as other, Registry().serving() as registry:
        port = other.address.rpartition(":")[2]
        location = location.replace("{port}", port)
        registry.handlers |= Writing(location=location).handlers()
        fill(registry.repository(NAME))
        async with ways(registry.address) as way:
            (failed,) = await attaching.attach(
                [way.store(registry.address)], spec(), LIMITS, created=EARLY
            )
        assert isinstance(failed, Failed)
        assert "AddressRefused" == failed.reason
        assert [] == other.log


async def test_a_registry_that_is_gone_is_a_reason() -> None:
    async with ways("127.0.0.1:9") as way:
        (failed,) = await attaching.attach(
            [way.store("127.0.0.1:9")], spec(), LIMITS, created=EARLY
        )
        assert isinstance(failed, Failed)
        assert "CannotConnect" == failed.reason
