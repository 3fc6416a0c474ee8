"""Whatever is cut short leaves an image as it was, or as it was to be.

Each request, and each write to a file, fails in turn, and all that follow; then
admission looks.
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from app.oci.images import finding
from app.oci.registry.transport import Answer, Request
from app.oci.writing import attaching
from app.oci.writing.copying import Copied, Copy, copy
from app.oci.writing.folder import LayoutStore
from app.oci.writing.removing import Counting, Removal, Removed, remove
from app.oci.writing.store import Failed, Store
from app.ports import Found, Platform, PlatformOutcome, Resolved
from tests.tools.writable import DATE, LIMITS, OTHER, SPEC, World, attach, spec, tree

AMD64 = Platform("linux", "amd64")
EARLY = "2026-01-01T00:00:00Z"
MANY = 30
"""More requests than anything takes here."""

KINDS = pytest.mark.parametrize("has_api", [True, False], ids=["api", "tags"])


async def found(store: Store) -> PlatformOutcome:
    outcome = await finding.find(store, [AMD64], LIMITS)
    assert isinstance(outcome, Resolved), outcome
    return outcome.platforms[AMD64]


async def content(store: Store) -> bytes:
    """Of the spec that counts; there always is one."""
    outcome = await found(store)
    assert isinstance(outcome, Found), outcome
    return outcome.content


def failing_after(world: World, requests: int) -> None:
    """Lets so many through, and none of those that follow."""
    asked = len(world.transport.asked)

    async def fail(_request: Request) -> Answer | None:
        is_late = len(world.transport.asked) > asked + requests
        return Answer(500) if is_late else None

    world.transport.before = fail


async def run(
    world: World, do: Callable[[], Awaitable[object]], is_done: Callable[[object], bool]
) -> list[bytes]:
    """What counts after each way of being cut short, until nothing is."""
    seen: list[bytes] = []
    for requests in range(MANY):
        failing_after(world, requests)
        outcome = await do()
        world.transport.before = None
        seen.append(await content(world.store()))
        if is_done(outcome):
            return seen
    raise AssertionError("it is never done")


@KINDS
async def test_attaching_leaves_the_older_spec_or_the_new_one(
    api: World, tags: World, has_api: bool
) -> None:
    world = api if has_api else tags
    await attach(world.store(), OTHER, created=EARLY)

    async def do() -> object:
        (one,) = await attaching.attach([world.store()], spec(), LIMITS, created=DATE)
        return one

    seen = await run(world, do, lambda one: not isinstance(one, Failed))
    assert sorted(seen, key=[OTHER, SPEC].index) == seen
    assert {OTHER, SPEC} == set(seen)


@KINDS
async def test_removing_leaves_the_newer_spec_or_the_older_one(
    api: World, tags: World, has_api: bool
) -> None:
    world = api if has_api else tags
    await attach(world.store(), OTHER, created=EARLY)
    newest = await attach(world.store(), SPEC)

    async def do() -> object:
        (one,) = await remove(world.store(), Counting(), LIMITS)
        return one

    def is_done(one: object) -> bool:
        return isinstance(one, Removed) and one.state is Removal.REMOVED

    seen: list[bytes] = []
    for requests in range(MANY):
        failing_after(world, requests)
        outcome = await do()
        world.transport.before = None
        seen.append(await content(world.store()))
        if is_done(outcome):
            break
        await attach(world.store(), SPEC)
    assert {SPEC, OTHER} == set(seen)
    assert OTHER == seen[-1]
    assert newest.digest not in world.repository.types


@KINDS
async def test_copying_leaves_the_destination_s_spec_or_the_newest(
    api: World, tags: World, has_api: bool
) -> None:
    """Never the older of two that are copied."""
    source, world = (tags, api) if has_api else (api, tags)
    middle = SPEC.replace(b'"4"', b'"5"')
    await attach(source.store(), middle, created="2026-02-01T00:00:00Z")
    await attach(source.store(), SPEC)
    await attach(world.store(), OTHER, created=EARLY)

    async def do() -> object:
        return await copy([(source.store(), world.store())], LIMITS)

    def is_done(outcomes: object) -> bool:
        assert isinstance(outcomes, tuple)
        states = [one.state for one in outcomes if isinstance(one, Copied)]
        return 2 == len(states) and {Copy.COPIED, Copy.PRESENT} >= set(states)

    seen = await run(world, do, is_done)
    assert {OTHER, SPEC} == set(seen)
    assert sorted(seen, key=[OTHER, SPEC].index) == seen


class Disk:
    """Is full after so many writes."""

    def __init__(self) -> None:
        self.left = MANY
        self._sync = os.fsync

    def __call__(self, descriptor: int) -> None:
        if not self.left:
            raise OSError(28, "No space left on device")
        self.left -= 1
        self._sync(descriptor)


async def test_a_full_disk_leaves_a_layout_with_the_older_spec_or_the_new_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LayoutStore(folder, "1", LIMITS)
    await attach(store, OTHER, created=EARLY)
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk)
    seen: list[bytes] = []
    for writes in range(MANY):
        disk.left = writes
        (one,) = await attaching.attach([store], spec(), LIMITS, created=DATE)
        seen.append(await content(store))
        if not isinstance(one, Failed):
            break
    assert OTHER == seen[0]
    assert SPEC == seen[-1]
    assert sorted(seen, key=[OTHER, SPEC].index) == seen
    assert not any("/." in f"/{name}" for name in tree(folder))


async def test_a_full_disk_leaves_a_layout_with_the_newer_spec_or_the_older_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LayoutStore(folder, "1", LIMITS)
    await attach(store, OTHER, created=EARLY)
    await attach(store)
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk)
    for writes in range(MANY):
        disk.left = writes
        (one,) = await remove(store, Counting(), LIMITS)
        counts = await content(store)
        if isinstance(one, Removed) or counts == OTHER:
            break
        assert SPEC == counts
    assert writes
    assert OTHER == await content(store)
