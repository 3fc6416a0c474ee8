"""An OCI layout, to read and to write."""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.oci.failure import LookupFailedError
from app.oci.images.digest import Digest
from app.oci.images.manifests import ARTIFACT_TYPE, OCI_INDEX, OCI_MANIFEST
from app.oci.layout import REF_NAME
from app.oci.limits import Limits
from app.oci.writing.folder import LayoutStore
from app.oci.writing.store import Deletion, Edited, Tagged
from tests.tools.writable import LIMITS, attach, tree

CONTENT = b"what is written"
DIGEST = Digest.of(CONTENT)
BLOB = f"blobs/sha256/{DIGEST.encoded}"
INDEX = b'{"schemaVersion":2,"mediaType":"%s","manifests":[]}' % OCI_INDEX.encode()


def entries(folder: Path) -> list[dict[str, object]]:
    listed: list[dict[str, object]]
    listed = json.loads((folder / "index.json").read_bytes())["manifests"]
    return listed


async def reason(store: LayoutStore) -> str:
    with pytest.raises(LookupFailedError) as error:
        await store.put_blob(DIGEST, CONTENT)
    return error.value.reason


# Blobs ---------------------------------------------------------------------------


async def test_a_blob_is_written_under_its_digest(
    layout: LayoutStore, folder: Path
) -> None:
    assert not await layout.has_blob(DIGEST)
    assert await layout.put_blob(DIGEST, CONTENT)
    assert CONTENT == (folder / BLOB).read_bytes()
    assert await layout.has_blob(DIGEST)
    assert not await layout.put_blob(DIGEST, CONTENT)


async def test_a_blob_with_other_bytes_is_healed(
    layout: LayoutStore, folder: Path
) -> None:
    (folder / BLOB).write_bytes(b"broken")
    assert await layout.put_blob(DIGEST, CONTENT)
    assert CONTENT == (folder / BLOB).read_bytes()


async def test_a_blob_of_another_algorithm_gets_a_folder_of_its_own(
    layout: LayoutStore, folder: Path
) -> None:
    digest = Digest.parse(f"sha512:{'ab' * 64}")
    assert digest is not None
    assert await layout.put_blob(digest, CONTENT)
    assert CONTENT == (folder / "blobs" / "sha512" / ("ab" * 64)).read_bytes()


async def test_a_write_that_fails_leaves_the_file_as_it_was(
    layout: LayoutStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = tree(folder)
    monkeypatch.setattr(os, "fsync", full)
    assert "UnwritableLayout" == await reason(layout)
    assert before == tree(folder)


async def test_nothing_is_written_through_a_link_that_leads_out(
    layout: LayoutStore, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / "blobs" / "sha512").symlink_to(outside)
    digest = Digest.parse(f"sha512:{'ab' * 64}")
    assert digest is not None
    with pytest.raises(LookupFailedError) as error:
        await layout.put_blob(digest, CONTENT)
    assert "OutsideLayout" == error.value.reason
    assert [] == list(outside.iterdir())


async def test_nothing_is_deleted_through_a_link_that_leads_out(
    layout: LayoutStore, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ("ab" * 64)).write_bytes(b"somebody's")
    (folder / "blobs" / "sha512").symlink_to(outside)
    layer = {"digest": f"sha512:{'ab' * 64}", "mediaType": "m", "size": 1}
    manifest = json.dumps({"layers": [layer]}).encode()
    digest = Digest.of(manifest)
    await layout.put_manifest(digest, manifest, OCI_MANIFEST)
    assert Deletion.DELETED is await layout.delete_manifest(digest)
    assert b"somebody's" == (outside / ("ab" * 64)).read_bytes()


async def test_a_link_under_the_name_of_a_blob_is_not_written_through(
    layout: LayoutStore, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "file"
    outside.write_bytes(b"somebody's")
    (folder / BLOB).symlink_to(outside)
    with pytest.raises(LookupFailedError) as error:
        await layout.put_blob(DIGEST, CONTENT)
    assert "OutsideLayout" == error.value.reason
    assert b"somebody's" == outside.read_bytes()


# The folder ----------------------------------------------------------------------


async def test_no_layout_is_written_to_where_there_is_none(tmp_path: Path) -> None:
    store = LayoutStore(tmp_path / "none", "1", LIMITS)
    assert "ImageNotFound" == await reason(store)
    assert not (tmp_path / "none").exists()


async def test_a_layout_is_made_if_that_is_wanted(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    store = LayoutStore(folder, "1", LIMITS, creates=True)
    assert not await store.has(DIGEST)
    await store.put_blob(DIGEST, CONTENT)
    assert {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": INDEX,
        BLOB: CONTENT,
    } == tree(folder)


async def test_a_folder_with_something_else_becomes_no_layout(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    store = LayoutStore(tmp_path, "1", LIMITS, creates=True)
    with pytest.raises(LookupFailedError) as error:
        await store.edit_tag("t", lambda _: INDEX, most_bytes=1000)
    assert "ImageNotFound" == error.value.reason
    assert not (tmp_path / "index.json").exists()


async def test_a_file_is_no_layout(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "ImageNotFound" == await reason(LayoutStore(tmp_path / "file", "1", LIMITS))


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


async def test_a_writer_waits_for_another_one_but_not_for_ever(folder: Path) -> None:
    with locked(folder):
        store = LayoutStore(folder, "1", LIMITS, seconds=0)
        assert "Locked" == await reason(store)


async def test_a_writer_goes_on_when_the_other_is_done(
    layout: LayoutStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = threading.Event()
    with locked(folder) as other:

        def wait(_seconds: float) -> None:
            waited.set()
            fcntl.flock(other, fcntl.LOCK_UN)

        monkeypatch.setattr("app.oci.writing.folder.time.sleep", wait)
        assert await layout.put_blob(DIGEST, CONTENT)
    assert waited.is_set()


# Manifests -----------------------------------------------------------------------


async def test_an_artifact_is_added_to_the_index_and_nothing_else_changes(
    layout: LayoutStore, folder: Path
) -> None:
    index = folder / "index.json"
    foreign = b'{"digest":"%s", "artifactType":"foreign/type", "mine": [1.50 ]},'
    listed = b'"manifests":[' + foreign % str(DIGEST).encode()
    content = index.read_bytes().replace(b'"manifests":[', listed)
    index.write_bytes(b'{"also":{ },' + content[1:])
    before = index.read_bytes()
    attached = await attach(layout)
    entry = (
        f'{{"mediaType":"{OCI_MANIFEST}","digest":"{attached.digest}",'
        f'"size":{len(attached.manifest)},"annotations":'
        f'{{"org.opencontainers.image.created":"{attached.created}"}},'
        f'"artifactType":"{ARTIFACT_TYPE}"}}'
    )
    assert before[:-2] + b"," + entry.encode() + before[-2:] == index.read_bytes()


async def test_an_artifact_that_is_there_is_not_listed_twice(
    layout: LayoutStore, folder: Path
) -> None:
    await attach(layout)
    before = tree(folder)
    await attach(layout)
    assert before == tree(folder)


async def test_an_artifact_without_its_blobs_is_refused(
    layout: LayoutStore, folder: Path
) -> None:
    manifest = json.dumps({"layers": [{"digest": str(DIGEST)}]}).encode()
    before = tree(folder)
    with pytest.raises(LookupFailedError) as error:
        await layout.put_manifest(Digest.of(manifest), manifest, OCI_MANIFEST)
    assert "MissingBlob" == error.value.reason
    assert before == tree(folder)


async def test_a_manifest_is_there_if_it_says_that_it_is_one(
    layout: LayoutStore, folder: Path, tmp_path: Path
) -> None:
    digest = Digest.parse(str(entries(folder)[0]["digest"]))
    assert digest is not None
    assert await layout.has(digest)
    assert not await layout.has(DIGEST)
    with pytest.raises(LookupFailedError):
        await LayoutStore(tmp_path / "none", "1", LIMITS).has(digest)


async def test_a_tag_says_more_of_an_image_and_a_digest_does_not(
    layout: LayoutStore, folder: Path
) -> None:
    raw = entries(folder)[0]
    digest = Digest.parse(str(raw["digest"]))
    assert digest is not None
    assert raw == await layout.described(digest)
    assert {} == await layout.described(DIGEST)
    assert {} == await LayoutStore(folder, str(digest), LIMITS).described(digest)


# Deleting ------------------------------------------------------------------------


async def test_an_artifact_is_deleted_with_what_only_it_needs(
    layout: LayoutStore, folder: Path
) -> None:
    before = tree(folder)
    attached = await attach(layout)
    digest = Digest.parse(attached.digest)
    assert digest is not None
    assert Deletion.DELETED is await layout.delete_manifest(digest)
    assert before == tree(folder)
    assert Deletion.MISSING is await layout.delete_manifest(digest)


async def test_blobs_that_another_artifact_needs_stay(
    layout: LayoutStore, folder: Path
) -> None:
    await attach(layout, created="2026-01-01T00:00:00Z")
    before = tree(folder)
    newer = await attach(layout)
    digest = Digest.parse(newer.digest)
    assert digest is not None
    await layout.delete_manifest(digest)
    assert before == tree(folder)


async def test_an_artifact_that_something_refers_to_is_deleted_all_the_same(
    layout: LayoutStore, folder: Path
) -> None:
    attached = await attach(layout)
    subject = {"digest": attached.digest, "mediaType": OCI_MANIFEST, "size": 1}
    signature = json.dumps({"layers": [], "subject": subject}).encode()
    await layout.put_manifest(Digest.of(signature), signature, OCI_MANIFEST)
    digest = Digest.parse(attached.digest)
    assert digest is not None
    assert Deletion.DELETED is await layout.delete_manifest(digest)
    assert not (folder / "blobs" / "sha256" / digest.encoded).exists()


async def test_an_artifact_in_somebodys_index_is_not_deleted(
    layout: LayoutStore, folder: Path
) -> None:
    attached = await attach(layout)
    digest = Digest.parse(attached.digest)
    assert digest is not None
    own = json.dumps({"manifests": [{"digest": attached.digest}]}).encode()
    await layout.edit_tag("mine", lambda _: own, most_bytes=1000)
    before = tree(folder)
    with pytest.raises(LookupFailedError) as error:
        await layout.delete_manifest(digest)
    assert "ListedByIndex" == error.value.reason
    assert before == tree(folder)


async def test_a_mention_that_is_no_index_keeps_nothing(
    layout: LayoutStore,
) -> None:
    attached = await attach(layout)
    digest = Digest.parse(attached.digest)
    assert digest is not None
    odd = json.dumps({"manifests": [1, attached.digest]}).encode()
    await layout.edit_tag("mine", lambda _: odd, most_bytes=1000)
    assert Deletion.DELETED is await layout.delete_manifest(digest)


async def test_an_entry_that_leads_nowhere_is_deleted(
    layout: LayoutStore, folder: Path
) -> None:
    attached = await attach(layout)
    digest = Digest.parse(attached.digest)
    assert digest is not None
    (folder / "blobs" / "sha256" / digest.encoded).unlink()
    assert Deletion.DELETED is await layout.delete_manifest(digest)
    assert attached.digest not in {one["digest"] for one in entries(folder)}


async def test_no_blob_is_deleted_from_a_layout_that_cannot_all_be_read(
    layout: LayoutStore, folder: Path
) -> None:
    attached = await attach(layout)
    digest = Digest.parse(attached.digest)
    assert digest is not None
    blobs = set((folder / "blobs" / "sha256").iterdir())
    multi = next(one for one in entries(folder) if one["mediaType"] == OCI_INDEX)
    path = folder / "blobs" / "sha256" / str(multi["digest"])[7:]
    path.unlink()
    path.mkdir()
    assert Deletion.DELETED is await layout.delete_manifest(digest)
    assert blobs == set((folder / "blobs" / "sha256").iterdir())


async def test_a_large_blob_is_not_searched_for_digests(
    folder: Path,
) -> None:
    """It is larger than a manifest can be."""
    few = Limits(manifest_bytes=2000)
    layout = LayoutStore(folder, "1", few)
    attached = await attach(layout)
    digest = Digest.parse(attached.digest)
    assert digest is not None
    content = b'{"%s":"%s"}' % (attached.spec_digest.encode(), b"x" * 2000)
    large = Digest.of(content)
    await layout.put_blob(large, content)
    named = json.dumps({"layers": [{"digest": str(large)}]}).encode()
    await layout.put_manifest(Digest.of(named), named, OCI_MANIFEST)
    await layout.delete_manifest(digest)
    assert not (folder / "blobs" / "sha256" / attached.spec_digest[7:]).exists()


# Tags ----------------------------------------------------------------------------


async def test_a_tag_is_made_and_then_points_elsewhere(
    layout: LayoutStore, folder: Path
) -> None:
    before = tree(folder)
    assert Edited.WRITTEN is await layout.edit_tag("t", lambda _: INDEX, most_bytes=99)
    assert Tagged(INDEX, OCI_INDEX) == await layout.tagged("t", most_bytes=99)
    longer = INDEX + b" "
    await layout.edit_tag("t", lambda _: longer, most_bytes=99)
    assert [{REF_NAME: "t"}] == [one["annotations"] for one in entries(folder)[2:]]
    added = set(tree(folder)) - set(before)
    assert {f"blobs/sha256/{Digest.of(longer).encoded}"} == added
    await layout.settle()


async def test_a_list_that_somebody_else_names_stays_when_the_tag_moves(
    layout: LayoutStore, folder: Path
) -> None:
    await layout.edit_tag("t", lambda _: INDEX, most_bytes=99)
    await layout.edit_tag("u", lambda _: INDEX, most_bytes=99)
    await layout.edit_tag("t", lambda _: INDEX + b" ", most_bytes=99)
    assert (folder / "blobs" / "sha256" / Digest.of(INDEX).encoded).exists()


async def test_a_list_that_is_written_again_stays(
    layout: LayoutStore, folder: Path
) -> None:
    for _ in range(2):
        await layout.edit_tag("t", lambda _: INDEX, most_bytes=99)
    assert Tagged(INDEX, OCI_INDEX) == await layout.tagged("t", most_bytes=99)
    assert 3 == len(entries(folder))


async def test_a_tag_may_stay_as_it_is(layout: LayoutStore, folder: Path) -> None:
    before = tree(folder)
    edited = await layout.edit_tag("t", lambda _: None, most_bytes=1000)
    assert Edited.UNCHANGED is edited
    assert before == tree(folder)


async def test_a_tag_that_leads_nowhere_is_none(
    layout: LayoutStore, folder: Path
) -> None:
    await layout.edit_tag("t", lambda _: INDEX, most_bytes=99)
    (folder / "blobs" / "sha256" / Digest.of(INDEX).encoded).unlink()
    assert None is await layout.tagged("t", most_bytes=99)


def test_a_layout_is_named_by_its_folder_and_tag(folder: Path) -> None:
    store = LayoutStore(folder, "1", LIMITS)
    assert f"oci-layout://{folder}:1" == store.name
    assert str(folder) == store.place
