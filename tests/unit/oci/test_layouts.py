"""The port on layouts: what is at hand, what is read again, and its bounds."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.demo.layout import Layout
from app.oci import files, layouts
from app.oci.layout import LayoutSource
from app.oci.layouts import LayoutArtifacts, LayoutsFirst
from app.oci.limits import Limits
from app.ports import (
    NOBODY,
    Found,
    ImageNotFound,
    ImageOutcome,
    Mark,
    Missing,
    Platform,
    Puller,
    Resolved,
)

AMD, ARM = Platform("linux", "amd64"), Platform("linux", "arm64")
IMAGE = "registry.example/team/app:1"


class Reads:
    """Counts what is read of layouts, and holds it while told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.under_way = 0
        self.most = 0
        self.free = asyncio.Event()
        self.free.set()
        real = LayoutSource.resolve

        async def resolve(source: LayoutSource) -> Any:
            self.count += 1
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await self.free.wait()
            self.under_way -= 1
            return await real(source)

        monkeypatch.setattr(LayoutSource, "resolve", resolve)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


@pytest.fixture
def built(tmp_path: Path) -> Layout:
    """`registry.example/team/app:1` with an artifact."""
    made = Layout(tmp_path / "registry.example" / "team" / "app")
    image = made.image("amd64", "x")
    made.tag(image, "1")
    made.attach(image, b"spec", created=None)
    made.close()
    return made


@pytest.fixture
def artifacts(built: Layout, tmp_path: Path, clock: Any) -> LayoutArtifacts:
    assert built.folder.is_dir()
    return LayoutArtifacts(tmp_path, clock=clock)


async def look(
    artifacts: LayoutArtifacts, image: str = IMAGE, *, seconds: float = 5.0
) -> ImageOutcome:
    return await artifacts.find(image, (AMD,), deadline_seconds=seconds)


def spec(outcome: ImageOutcome | None) -> bytes:
    assert isinstance(outcome, Resolved), outcome
    part = outcome.platforms[AMD]
    return part.content if isinstance(part, Found) else b""


# At hand -------------------------------------------------------------------------


async def test_what_was_read_is_at_hand_for_five_seconds(
    artifacts: LayoutArtifacts, clock: Any
) -> None:
    assert artifacts.at_hand(IMAGE, (AMD,)) is None
    first = await look(artifacts)
    clock.now += 4.9
    assert first == artifacts.at_hand(IMAGE, (AMD,))
    assert b"spec" == spec(first)
    clock.now += 0.1
    assert artifacts.at_hand(IMAGE, (AMD,)) is None


async def test_other_platforms_and_images_are_not_at_hand(
    artifacts: LayoutArtifacts,
) -> None:
    await look(artifacts)
    assert artifacts.at_hand(IMAGE, (ARM,)) is None
    assert artifacts.at_hand(IMAGE, (AMD, ARM)) is None
    assert artifacts.at_hand(IMAGE.replace(":1", ":2"), (AMD,)) is None


async def test_a_no_that_is_at_hand_is_marked(artifacts: LayoutArtifacts) -> None:
    other = IMAGE.replace(":1", ":2")
    first = await look(artifacts, other)
    known = artifacts.at_hand(other, (AMD,))
    assert first == known
    assert Mark.REMEMBERED is getattr(known, "mark", None)
    assert Mark.NONE is getattr(first, "mark", None)


# Read again ----------------------------------------------------------------------


async def test_what_did_not_change_is_not_read_again_for_five_minutes(
    artifacts: LayoutArtifacts, reads: Reads, clock: Any
) -> None:
    """Only the list's own file is looked at."""
    for _ in range(60):
        assert b"spec" == spec(await look(artifacts))
        clock.now += 5
    assert 1 == reads.count
    await look(artifacts)
    assert 2 == reads.count


async def test_a_change_is_seen_after_five_seconds(
    artifacts: LayoutArtifacts, built: Layout, reads: Reads, clock: Any
) -> None:
    await look(artifacts)
    image = built.image("amd64", "x")
    built.attach(image, b"newer", created="2026-01-01T00:00:00Z")
    built.close()
    clock.now += 4.9
    assert b"spec" == spec(await look(artifacts))
    clock.now += 0.1
    assert b"newer" == spec(await look(artifacts))
    assert 2 == reads.count


@pytest.mark.parametrize("what", ["mtime", "inode", "size"])
async def test_any_sign_of_a_change_counts(
    what: str, artifacts: LayoutArtifacts, built: Layout, reads: Reads, clock: Any
) -> None:
    """A mounted ConfigMap changes by a link, an editor by another file."""
    await look(artifacts)
    index = built.folder / "index.json"
    before = index.stat()
    if what == "inode":
        copy = index.with_name("copy")
        copy.write_bytes(index.read_bytes())
        copy.replace(index)
    if what == "size":
        index.write_bytes(index.read_bytes() + b" ")
    later = before.st_mtime_ns + (what == "mtime")
    os.utime(index, ns=(later, later))
    clock.now += 5
    await look(artifacts)
    assert 2 == reads.count


async def test_what_was_lacking_is_read_again(
    tmp_path: Path, reads: Reads, clock: Any
) -> None:
    """Its list may be there before its blobs are: a copy takes its time."""
    made = Layout(tmp_path / "registry.example" / "team" / "app")
    image = made.image("amd64", "x")
    made.tag(image, "1")
    made.attach(image, b"spec", created=None)
    made.close()
    (artifact,) = (one for one in made.listed if "artifactType" in one)
    blob = made.folder / "blobs" / str(artifact["digest"]).replace(":", "/")
    content = blob.read_bytes()
    blob.unlink()
    artifacts = LayoutArtifacts(tmp_path, clock=clock)
    first = await look(artifacts)
    assert isinstance(first, Resolved)
    assert Missing() == first.platforms[AMD]
    blob.write_bytes(content)
    clock.now += 5
    assert b"spec" == spec(await look(artifacts))
    assert 2 == reads.count


async def test_a_layout_that_goes_away_is_gone_after_five_seconds(
    artifacts: LayoutArtifacts, built: Layout, clock: Any
) -> None:
    await look(artifacts)
    (built.folder / "index.json").unlink()
    clock.now += 5
    assert "ImageNotFound" == type(await look(artifacts)).__name__


def test_what_cannot_be_looked_at_has_no_stamp(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for name in ("none", "loop", "a\0b", "x" * 300):
        assert files.stamp(tmp_path, name) is None


# Bounds --------------------------------------------------------------------------


async def test_a_hundred_callers_read_a_layout_once(
    artifacts: LayoutArtifacts, reads: Reads
) -> None:
    found = await asyncio.gather(*(look(artifacts) for _ in range(100)))
    assert {b"spec"} == {spec(one) for one in found}
    assert 1 == reads.count


async def test_who_cannot_wait_leaves_the_answer_to_the_next(
    artifacts: LayoutArtifacts, reads: Reads
) -> None:
    reads.free.clear()
    outcome = await look(artifacts, seconds=0.01)
    assert "Timeout" == getattr(outcome, "reason", outcome)
    reads.free.set()
    assert b"spec" == spec(await look(artifacts))
    assert 1 == reads.count


async def test_so_many_layouts_are_read_at_the_same_time(
    built: Layout, tmp_path: Path, reads: Reads
) -> None:
    assert built.folder.is_dir()
    artifacts = LayoutArtifacts(tmp_path, replace(Limits(), per_host=3))
    await _ask_many(artifacts, reads, 6)
    assert 3 == reads.most


async def test_more_readings_than_may_wait_are_turned_away(
    built: Layout, tmp_path: Path, reads: Reads
) -> None:
    assert built.folder.is_dir()
    artifacts = LayoutArtifacts(tmp_path, replace(Limits(), waiting=4))
    words = await _ask_many(artifacts, reads, 6)
    assert 2 == words.count("Overloaded")


async def _ask_many(artifacts: LayoutArtifacts, reads: Reads, count: int) -> list[str]:
    """Asks for so many tags at once; the reasons of their outcomes."""
    reads.free.clear()
    tags = [IMAGE.replace(":1", f":t{number}") for number in range(count)]
    asked = [asyncio.create_task(look(artifacts, tag)) for tag in tags]
    await asyncio.sleep(0.05)
    reads.free.set()
    found = await asyncio.gather(*asked)
    return [getattr(one, "reason", type(one).__name__) for one in found]


async def test_what_is_held_is_bounded(
    built: Layout, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that are not there are anybody's."""
    assert built.folder.is_dir()
    monkeypatch.setattr(layouts, "OUTCOMES_BYTES", 10 * 1200)
    artifacts = LayoutArtifacts(tmp_path, clock=clock)
    tags = [IMAGE.replace(":1", f":t{number}") for number in range(12)]
    for tag in tags:
        await look(artifacts, tag)
    known = [artifacts.at_hand(tag, (AMD,)) is not None for tag in tags]
    assert [False, True] == [known[0], known[-1]]


# Beside registries ----------------------------------------------------------------


class Named:
    """Implements the port: says which image it was asked for."""

    def at_hand(
        self, image: str, platforms: Any, puller: Puller = NOBODY
    ) -> ImageOutcome | None:
        del platforms, puller
        return ImageNotFound(f"at hand: {image}")

    async def find(
        self,
        image: str,
        platforms: Any,
        *,
        deadline_seconds: float,
        puller: Puller = NOBODY,
    ) -> ImageOutcome:
        del platforms, deadline_seconds, puller
        return ImageNotFound(image)


async def test_layouts_are_read_before_registries(tmp_path: Any) -> None:
    (tmp_path / "registry.example" / "here").mkdir(parents=True)
    artifacts = LayoutsFirst(LayoutArtifacts(tmp_path), Named())
    here, there = [
        await artifacts.find(f"registry.example/{name}:1", (AMD,), deadline_seconds=5)
        for name in ("here", "there")
    ]
    assert ImageNotFound("there is no OCI layout") == here
    assert ImageNotFound("registry.example/there:1") == there
    assert here == artifacts.at_hand("registry.example/here:1", (AMD,))
    known = artifacts.at_hand("registry.example/there:1", (AMD,))
    assert ImageNotFound("at hand: registry.example/there:1") == known
