"""Image layouts: what oras wrote, what Python writes, and what is hostile."""

import asyncio
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.demo.content import ARTIFACT_TYPE, INDEX_TYPE, MANIFEST_TYPE, REF_NAME
from app.demo.layout import Layout
from app.errors import RegistryError
from app.oci import layout
from app.oci.layouts import LayoutArtifacts
from app.oci.limits import Limits
from app.ports import (
    Found,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Missing,
    Platform,
    PlatformAbsent,
    PlatformOutcome,
    Resolved,
    Unavailable,
)

AMD = Platform("linux", "amd64")
ARM = Platform("linux", "arm64")
S390 = Platform("linux", "s390x")
BY_ORAS = Path(__file__).parent / "data" / "oci-layout-by-oras-1.3.3.tar.gz"


@pytest.fixture(scope="session")
def by_oras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("oras")
    with tarfile.open(BY_ORAS) as archive:
        archive.extractall(folder, filter="data")
    return folder / "lay"


@pytest.fixture
def built(tmp_path: Path) -> Layout:
    """A layout at the place of `registry.example/team/app`."""
    return Layout(tmp_path / "registry.example" / "team" / "app")


async def look(
    where: Path | LayoutArtifacts, image: str, *platforms: Platform
) -> ImageOutcome:
    """Looks in a root, or in the layout itself where `image` is but a tag."""
    artifacts = where
    if isinstance(artifacts, Path):
        artifacts = LayoutArtifacts(artifacts, reads_any_folder=True)
    return await artifacts.find(image, platforms or (AMD,), deadline_seconds=5)


def one(outcome: ImageOutcome, platform: Platform = AMD) -> PlatformOutcome:
    assert isinstance(outcome, Resolved), outcome
    return outcome.platforms[platform]


def content(outcome: PlatformOutcome) -> bytes:
    assert isinstance(outcome, Found), outcome
    return outcome.content


# What oras wrote -----------------------------------------------------------------


async def test_the_newer_artifact_that_oras_attached_counts(by_oras: Path) -> None:
    found = one(await look(by_oras, f"oci-layout://{by_oras}:single"))
    assert isinstance(found, Found)
    assert "2026-03-01T00:00:00Z" == found.created
    assert found.digest.startswith("sha256:ec8fe426")
    assert found.subject.startswith("sha256:7d4a7059")
    assert found.spec_digest.startswith("sha256:1e70c550")
    assert found.content.startswith(b"version: v1alpha1\n")


async def test_an_index_and_its_child_have_their_own_artifacts(by_oras: Path) -> None:
    outcome = await look(by_oras, f"oci-layout://{by_oras}:multi", AMD, ARM, S390)
    assert isinstance(outcome, Resolved)
    assert outcome.digest.startswith("sha256:81c36ef5")
    assert b"My image requirements" in content(outcome.platforms[AMD])
    assert b"arm64 kernel" in content(outcome.platforms[ARM])
    assert PlatformAbsent(has_spec=True) == outcome.platforms[S390]


async def test_the_same_manifest_under_two_tags_has_the_same_artifact(
    by_oras: Path,
) -> None:
    """`plain` and `single` are one digest in what oras wrote."""
    single = await look(by_oras, f"oci-layout://{by_oras}:single")
    assert single == await look(by_oras, f"oci-layout://{by_oras}:plain")


async def test_an_image_without_an_artifact_has_none(by_oras: Path) -> None:
    assert Missing() == one(await look(by_oras, f"oci-layout://{by_oras}:amd"))


async def test_a_child_that_is_not_listed_is_found_by_its_digest(built: Layout) -> None:
    child = built.image("amd64", "x")
    built.tag(built.index([("amd64", child)]), "1")
    built.attach(child, b"spec", created=None)
    built.close()
    image = f"oci-layout://{built.folder}@{child['digest']}"
    assert b"spec" == content(one(await look(built.folder, image)))


# Referrers -----------------------------------------------------------------------


async def test_an_artifact_with_a_tag_counts_like_one_without(built: Layout) -> None:
    image = built.image("amd64", "x")
    built.tag(image, "1")
    artifact = built.attach(image, b"spec", created=None)
    built.listed.pop()
    built.tag(artifact, "spec-of-1")
    built.close()
    assert b"spec" == content(one(await look(built.folder, at(built))))


async def test_an_artifact_that_an_index_lists_counts(built: Layout) -> None:
    """Tools that copy a whole graph may put it there."""
    image = built.image("amd64", "x")
    built.tag(image, "1")
    artifact = built.attach(image, b"spec", created=None)
    built.listed.pop()
    value = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [artifact]}
    built.tag(built.manifest(INDEX_TYPE, value), "all")
    built.close()
    assert b"spec" == content(one(await look(built.folder, at(built))))


async def test_the_fallback_tag_is_honoured(built: Layout) -> None:
    image = built.image("amd64", "x")
    built.tag(image, "1")
    built.attach(image, b"spec", created=None)
    built.write_fallback_tag(str(image["digest"]))
    built.listed = [entry for entry in built.listed if "artifactType" not in entry]
    built.close()
    assert b"spec" == content(one(await look(built.folder, at(built))))


async def test_a_broken_manifest_of_something_else_does_no_harm(built: Layout) -> None:
    image = built.image("amd64", "x")
    built.tag(image, "1")
    built.attach(image, b"spec", created=None)
    other = built.manifest(MANIFEST_TYPE, {"layers": 1})
    built.listed.append({**other, "artifactType": "application/x-sbom"})
    built.listed.append({**other, "size": (1 << 20) + 1})
    built.close()
    assert b"spec" == content(one(await look(built.folder, at(built))))


async def test_entries_that_are_gone_are_passed_over(built: Layout) -> None:
    image = built.image("amd64", "x")
    built.tag(image, "1")
    gone = built.attach(image, b"newer", created="2026-02-01T00:00:00Z")
    built.attach(image, b"older", created="2026-01-01T00:00:00Z")
    index = built.index([])
    built.tag(index, "gone")
    del built.blobs[str(gone["digest"])], built.blobs[str(index["digest"])]
    built.close()
    assert b"older" == content(one(await look(built.folder, at(built))))


# A root of layouts ---------------------------------------------------------------


async def test_an_ordinary_name_is_looked_for_below_the_root(
    built: Layout, tmp_path: Path
) -> None:
    image = built.image("amd64", "x")
    built.tag(image, "1")
    built.attach(image, b"spec", created=None)
    built.close()
    artifacts = LayoutArtifacts(tmp_path)
    assert artifacts.holds("registry.example/team/app:2")
    assert b"spec" == content(one(await look(artifacts, "registry.example/team/app:1")))
    assert ImageNotFound("the layout has no 2") == await look(
        artifacts, "registry.example/team/app:2"
    )


@pytest.mark.parametrize(
    "image",
    [
        pytest.param("registry.example/team/other", id="another-repository"),
        pytest.param("registry.example/team/app/..", id="no-reference"),
        pytest.param(f"{'a' * 300}.example/team/app", id="too-long-for-a-folder"),
        pytest.param("oci-layout:///tmp:1", id="a-folder-in-a-pod"),
    ],
)
def test_what_the_root_does_not_hold_is_left_to_registries(
    image: str, built: Layout, tmp_path: Path
) -> None:
    built.close()
    assert not LayoutArtifacts(tmp_path).holds(image)
    assert not LayoutArtifacts().holds(image)


async def test_a_pod_cannot_name_a_folder(by_oras: Path, tmp_path: Path) -> None:
    outcome = await look(LayoutArtifacts(tmp_path), f"oci-layout://{by_oras}:single")
    assert isinstance(outcome, Invalid)
    assert "InvalidReference" == outcome.reason


async def test_a_layout_is_read_once_in_five_seconds(
    built: Layout, tmp_path: Path, clock: Any
) -> None:
    image = built.image("amd64", "x")
    built.tag(image, "1")
    built.close()
    artifacts = LayoutArtifacts(tmp_path, clock=clock)
    name = "registry.example/team/app:1"
    first, second = await asyncio.gather(look(artifacts, name), look(artifacts, name))
    assert first is second
    built.attach(image, b"spec", created=None)
    built.close()
    clock.now += 4.9
    assert Missing() == one(await look(artifacts, name))
    clock.now += 0.1
    assert b"spec" == content(one(await look(artifacts, name)))


def test_a_new_layout_is_noticed_after_five_seconds(
    built: Layout, tmp_path: Path, clock: Any
) -> None:
    artifacts = LayoutArtifacts(tmp_path, clock=clock)
    name = "registry.example/team/app:1"
    assert not artifacts.holds(name)
    built.close()
    clock.now += 4.9
    assert not artifacts.holds(name)
    clock.now += 0.1
    assert artifacts.holds(name)


def test_a_terminal_can_name_a_folder(tmp_path: Path) -> None:
    artifacts = LayoutArtifacts(reads_any_folder=True)
    assert artifacts.holds(f"oci-layout://{tmp_path}:1")


async def test_without_a_root_there_is_no_layout() -> None:
    outcome = await look(LayoutArtifacts(), "registry.example/team/app:1")
    assert isinstance(outcome, Invalid)
    assert "NoLayout" == outcome.reason


async def test_no_time_left_is_unavailable(by_oras: Path) -> None:
    artifacts = LayoutArtifacts(reads_any_folder=True)
    image = f"oci-layout://{by_oras}:single"
    outcome = await artifacts.find(image, [AMD], deadline_seconds=0)
    assert Unavailable("Timeout", "reading the layout took too long") == outcome


# Names ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "folder", "wanted"),
    [
        pytest.param("/a/b:1", "/a/b", "1", id="absolute"),
        pytest.param("a:1", "a", "1", id="relative"),
        pytest.param("/a/b", "/a/b", "latest", id="no-tag"),
        pytest.param("/a:5000/b", "/a:5000/b", "latest", id="colon-in-a-folder"),
        pytest.param("/a@b/c:1", "/a@b/c", "1", id="at-in-a-folder"),
        pytest.param(
            f"/a@sha256:{'0' * 64}", "/a", f"sha256:{'0' * 64}", id="by-digest"
        ),
    ],
)
def test_a_layout_is_named_by_folder_and_tag_or_digest(
    text: str, folder: str, wanted: str
) -> None:
    assert (Path(folder), wanted) == layout.split(f"oci-layout://{text}")


@pytest.mark.parametrize("text", ["", ":1", "/a:", "/a:b c", f"/a:{'x' * 129}"])
def test_what_names_no_layout_is_refused(text: str) -> None:
    with pytest.raises(RegistryError) as caught:
        layout.split(f"oci-layout://{text}")
    assert "InvalidReference" == caught.value.reason


# Hostile layouts -----------------------------------------------------------------


def at(built: Layout) -> str:
    return f"oci-layout://{built.folder}:1"


def blob_path(built: Layout, digest: object) -> Path:
    return built.folder / "blobs" / "sha256" / str(digest).removeprefix("sha256:")


def with_artifact(built: Layout) -> Path:
    """Writes an image with an artifact; returns the file of its spec."""
    image = built.image("amd64", "x")
    built.tag(image, "1")
    built.attach(image, b"spec", created=None)
    built.close()
    return blob_path(built, built.blob("x", b"spec")["digest"])


def _replace_by_link(path: Path, secret: Path) -> None:
    path.unlink()
    path.symlink_to(secret)


def _replace_by_loop(path: Path, _secret: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _replace_by_folder(path: Path, _secret: Path) -> None:
    path.unlink()
    path.mkdir()


def _replace_by_pipe(path: Path, _secret: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link_the_blobs_out(path: Path, secret: Path) -> None:
    blobs = path.parent
    blobs.rename(secret.parent / "moved")
    blobs.symlink_to(secret.parent / "moved")


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        pytest.param(_replace_by_link, (Invalid, "OutsideLayout"), id="link-out"),
        pytest.param(_link_the_blobs_out, (Invalid, "OutsideLayout"), id="folder-out"),
        pytest.param(_replace_by_loop, (Unavailable, "UnreadableLayout"), id="loop"),
        pytest.param(_replace_by_pipe, (Unavailable, "UnreadableLayout"), id="pipe"),
        pytest.param(
            _replace_by_folder, (Unavailable, "UnreadableLayout"), id="folder"
        ),
        pytest.param(
            lambda path, _: path.unlink(), (Invalid, "MissingLayer"), id="gone"
        ),
        pytest.param(
            lambda path, _: path.write_bytes(b"sp3c"),
            (Invalid, "DigestMismatch"),
            id="changed",
        ),
        pytest.param(
            lambda path, _: path.write_bytes(bytes(5)),
            (Invalid, "TooLarge"),
            id="larger-than-the-limit",
        ),
    ],
)
async def test_a_layout_cannot_lead_out_nor_lie(
    harm: Callable[[Path, Path], None],
    expected: tuple[type, str],
    built: Layout,
    tmp_path: Path,
) -> None:
    path = with_artifact(built)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"spec")
    harm(path, outside / "secret")
    limits = replace(Limits(), spec_bytes=4)
    artifacts = LayoutArtifacts(limits=limits, reads_any_folder=True)
    outcome: object = await look(artifacts, at(built))
    outcome = one(outcome) if isinstance(outcome, Resolved) else outcome
    assert isinstance(outcome, Invalid | Unavailable)
    assert expected == (type(outcome), outcome.reason)


async def test_links_inside_are_followed_as_a_configmap_has_them(
    built: Layout,
) -> None:
    path = with_artifact(built)
    kept = built.folder / "..data"
    kept.mkdir()
    (kept / "spec").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(kept / "spec")
    assert b"spec" == content(one(await look(built.folder, at(built))))


def test_a_repository_that_is_a_link_out_of_the_root_is_none(
    by_oras: Path, tmp_path: Path
) -> None:
    (tmp_path / "registry.example").mkdir()
    (tmp_path / "registry.example" / "app").symlink_to(by_oras)
    (tmp_path / "registry.example" / "loop").symlink_to("loop")
    artifacts = LayoutArtifacts(tmp_path)
    assert not artifacts.holds("registry.example/app:single")
    assert not artifacts.holds("registry.example/loop:single")


@pytest.mark.parametrize(
    ("marker", "reason"),
    [
        pytest.param(b'{"imageLayoutVersion":"2.0.0"}', "UnreadableLayout", id="new"),
        pytest.param(b"{}", "UnreadableLayout", id="none"),
        pytest.param(b"no json", "UnreadableLayout", id="no-json"),
        pytest.param(b" " * 4097, "TooLarge", id="too-large"),
    ],
)
async def test_another_version_of_layout_is_not_read(
    marker: bytes, reason: str, built: Layout
) -> None:
    with_artifact(built)
    (built.folder / "oci-layout").write_bytes(marker)
    outcome = await look(built.folder, at(built))
    assert isinstance(outcome, Unavailable | Invalid)
    assert reason == outcome.reason


@pytest.mark.parametrize("name", ["oci-layout", "index.json"])
async def test_a_folder_that_is_no_layout_has_no_image(
    name: str, built: Layout
) -> None:
    with_artifact(built)
    (built.folder / name).unlink()
    outcome = await look(built.folder, at(built))
    assert ImageNotFound("there is no OCI layout") == outcome


async def test_a_null_in_a_path_is_an_outcome(by_oras: Path) -> None:
    outcome = await look(by_oras, "oci-layout:///a\0b:1")
    assert isinstance(outcome, Unavailable)
    assert "UnreadableLayout" == outcome.reason


@pytest.mark.parametrize(
    "digest", ["sha256:../../../../etc/passwd", "md5:0", "sha256:" + "0" * 63]
)
async def test_a_digest_is_no_path(digest: str, built: Layout) -> None:
    entry = {"mediaType": MANIFEST_TYPE, "digest": digest, "size": 2}
    built.listed.append({**entry, "annotations": {REF_NAME: "1"}})
    built.close()
    outcome = await look(built.folder, at(built))
    assert isinstance(outcome, Invalid)
    assert "InvalidManifest" == outcome.reason


async def test_an_artifact_of_ours_that_is_too_large_is_not_passed_over(
    built: Layout,
) -> None:
    """Passing over it would be a step back to an older one."""
    image = built.image("amd64", "x")
    built.tag(image, "1")
    built.attach(image, b"old", created="2026-01-01T00:00:00Z")
    built.attach(image, b"new", created="2026-02-01T00:00:00Z", title="t" * 2000)
    built.close()
    size = len(json.dumps(built.listed))
    limits = replace(Limits(), artifact_bytes=size)
    small = LayoutArtifacts(limits=limits, reads_any_folder=True)
    outcome = one(await look(small, at(built)))
    assert ARTIFACT_TYPE in str(built.listed[-1])
    assert isinstance(outcome, Invalid)
    assert "TooLarge" == outcome.reason
