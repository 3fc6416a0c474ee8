"""An OCI layout, to read and to write.

* A blob is written to a temporary file, synced, and renamed to its digest. Then
  `index.json` is replaced by a rename. Whatever is cut short leaves blobs that
  nobody names.
* Whoever writes holds a lock on the folder (`flock`), so that of two writers none
  loses anything. Other programs know nothing of it.
* Entries and fields of `index.json` that are not ours stay as they are.
* Nothing is written through a link that leads out of the folder.
* A blob is deleted only if nothing in the layout mentions its digest any more.

Source: OCI image-spec v1.1 `image-layout.md`.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from app.errors import RegistryError
from app.oci import files
from app.oci.failure import LookupFailedError, NotThereError, not_found, unavailable
from app.oci.images import manifests
from app.oci.images.digest import Digest
from app.oci.images.manifests import OCI_INDEX, Descriptor
from app.oci.images.source import Root
from app.oci.layout import REF_NAME, VERSION, LayoutSource
from app.oci.limits import Limits
from app.oci.writing import encoding
from app.oci.writing.raw_index import RawIndex
from app.oci.writing.store import (
    Deletion,
    Edit,
    Edited,
    Pushed,
    RawDescriptor,
    Tagged,
)

_T = TypeVar("_T")

INDEX: Final = "index.json"
MARKER: Final = "oci-layout"
_MARKER_CONTENT: Final = encoding.dump({"imageLayoutVersion": VERSION})
_POLL_SECONDS: Final = 0.02
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIGESTS: Final = re.compile(rb"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")


class LayoutStore:
    """One image of a layout folder; implements `store.Store`.

    Args:
        folder: the layout.
        wanted: tag or digest.
        limits: every bound.
        name: as the user named it.
        seconds: that a write waits for another writer.
        creates: whether a layout is made where there is none, at the first write.
    """

    def __init__(
        self,
        folder: Path,
        wanted: str,
        limits: Limits,
        *,
        name: str = "",
        seconds: float = 60.0,
        creates: bool = False,
    ) -> None:
        self.name: Final = name or f"oci-layout://{folder}:{wanted}"
        self.place: Final = str(folder)
        self._folder = folder
        self._wanted = wanted
        self._limits = limits
        self._seconds = seconds
        self._creates = creates
        self._source = LayoutSource(folder, wanted, limits)

    # Reading --------------------------------------------------------------------

    async def resolve(self) -> Root:
        """See `source.Source`."""
        return await self._source.resolve()

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        return await self._source.manifest(digest, most_bytes=most_bytes)

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        return await self._source.blob(digest, most_bytes=most_bytes)

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """See `source.Source`."""
        return await self._source.referrers(subject)

    async def described(self, digest: Digest) -> RawDescriptor:
        """See `store.Store`: the entry of the tag in `index.json`."""
        return await asyncio.to_thread(self._described, digest)

    def _described(self, digest: Digest) -> RawDescriptor:
        for raw in self._index().entries:
            entry = msgspec.json.decode(raw, type=Descriptor)
            name = (entry.annotations or {}).get(REF_NAME)
            if entry.digest == str(digest) and name == self._wanted:
                read: RawDescriptor = msgspec.json.decode(raw)
                return read
        return {}

    async def has(self, digest: Digest) -> bool:
        """See `store.Store`: whether there is a blob that says that it is one."""
        if not self._creates:
            await asyncio.to_thread(self._index)
        try:
            content = await self.blob(digest, most_bytes=self._most)
            return bool(manifests.type_of(content, ""))
        except NotThereError:
            return False

    async def has_blob(self, digest: Digest) -> bool:
        """See `store.Store`."""
        return await asyncio.to_thread(self._path(digest).is_file)

    # Writing --------------------------------------------------------------------

    async def put_blob(self, digest: Digest, content: bytes) -> bool:
        """See `store.Store`."""
        return await self._locked(lambda: self._write_blob(digest, content))

    async def put_manifest(
        self, digest: Digest, content: bytes, media_type: str
    ) -> Pushed:
        """See `store.Store`: a blob, and an entry of `index.json`.

        Raises:
            LookupFailedError: a blob that it names is gone, `MissingBlob`: somebody
                removed another artifact with the same one in between.
        """
        return await self._locked(lambda: self._put(digest, content, media_type))

    def _put(self, digest: Digest, content: bytes, media_type: str) -> Pushed:
        manifest = manifests.read_manifest(content)
        named = [*(manifest.layers or []), *filter(None, [manifest.config])]
        for one in named:
            if not self._path(manifests.digest_of(one)).is_file():
                raise unavailable(
                    "MissingBlob", f"{one.digest} is gone from the layout"
                )
        self._write_blob(digest, content)
        index = self._index()
        if not index.lists(str(digest)):
            entry = {
                "mediaType": media_type,
                "digest": str(digest),
                "size": len(content),
                "annotations": manifest.annotations,
                "artifactType": manifest.type,
            }
            self._write_index(index.adding(encoding.descriptor(entry)))
        return Pushed(digest, is_listed=True)

    async def delete_manifest(self, digest: Digest) -> Deletion:
        """See `store.Store`.

        Raises:
            LookupFailedError: an index of the layout lists it, `ListedByIndex`; that
                is somebody's list, and stays as it is.
        """
        return await self._locked(lambda: self._delete(digest))

    def _delete(self, digest: Digest) -> Deletion:
        content = self._content(digest)
        index = self._index()
        if content is None and not index.lists(str(digest)):
            return Deletion.MISSING
        kept = index.without(str(digest))
        mentioned = self._mentioned(kept)
        if any(self._lists(one, digest) for one in mentioned or ()):
            text = f"another index of the layout lists {digest}"
            raise unavailable("ListedByIndex", text)
        self._write_index(kept)
        if mentioned is not None:
            needless = set(_digests(content or b"")) - mentioned
            for one in needless | {digest}:
                self._unlink(one)
        return Deletion.DELETED

    def _lists(self, one: Digest, child: Digest) -> bool:
        """Whether a blob is an index with this child."""
        content = self._content(one) or b""
        if str(child).encode() not in content:
            return False
        try:
            return RawIndex.read(content).lists(str(child))
        except RegistryError:
            return False

    def _mentioned(self, index: RawIndex) -> set[Digest] | None:
        """Every digest that the layout mentions; `None` if it cannot all be read.

        Whatever looks like a digest in a JSON blob counts, whoever wrote it.
        """
        seen: set[Digest] = set()
        waiting = list(_digests(index.encode()))
        try:
            while waiting:
                one = waiting.pop()
                if one in seen:
                    continue
                seen.add(one)
                waiting.extend(_digests(self._content(one) or b""))
        except LookupFailedError:
            return None
        return seen

    # Tags -----------------------------------------------------------------------

    async def tagged(self, tag: str, *, most_bytes: int) -> Tagged | None:
        """See `store.Store`."""
        return await asyncio.to_thread(self._tagged, tag, most_bytes)

    def _tagged(self, tag: str, most_bytes: int) -> Tagged | None:
        named = self._index().named(REF_NAME, tag)
        digest = Digest.parse(named[0]) if named else None
        if digest is None:
            return None
        content = self._read(digest, most_bytes)
        if content is None:
            return None
        return Tagged(content, manifests.type_of(content, ""))

    async def edit_tag(self, tag: str, edit: Edit, *, most_bytes: int) -> Edited:
        """See `store.Store`; one step, under the lock."""
        return await self._locked(lambda: self._edit(tag, edit, most_bytes))

    def _edit(self, tag: str, edit: Edit, most_bytes: int) -> Edited:
        before = self._tagged(tag, most_bytes)
        after = edit(before)
        if after is None:
            return Edited.UNCHANGED
        kind = manifests.type_of(after, OCI_INDEX)
        digest = Digest.of(after)
        self._write_blob(digest, after)
        entry = {
            "mediaType": kind,
            "digest": str(digest),
            "size": len(after),
            "annotations": {REF_NAME: tag},
        }
        index = self._index()
        old = index.named(REF_NAME, tag)
        changed = index.without_named(REF_NAME, tag)
        self._write_index(changed.adding(encoding.descriptor(entry)))
        self._forget(old, but=digest)
        return Edited.WRITTEN

    def _forget(self, digests: Sequence[str], *, but: Digest) -> None:
        """Deletes lists that a tag pointed to, if nothing else names them."""
        mentioned = self._mentioned(self._index())
        for text in digests:
            digest = Digest.parse(text)
            if mentioned is None or digest is None or digest == but:
                continue
            if digest not in mentioned:
                self._unlink(digest)

    async def settle(self) -> None:
        """See `store.Store`: the lock leaves nobody to wait for."""

    # Files ----------------------------------------------------------------------

    @property
    def _most(self) -> int:
        return self._limits.manifest_bytes

    def _path(self, digest: Digest) -> Path:
        return self._folder / "blobs" / digest.algorithm / digest.encoded

    def _content(self, digest: Digest) -> bytes | None:
        """A JSON blob; `None` if it is not there, empty for another or a large one."""
        path = self._path(digest)
        if path.is_file() and path.stat().st_size > self._most:
            return b""
        content = self._read(digest, self._most)
        return content if content is None or content[:1] == b"{" else b""

    def _read(self, digest: Digest, most_bytes: int) -> bytes | None:
        name = f"blobs/{digest.algorithm}/{digest.encoded}"
        return files.read(self._folder, name, most_bytes=most_bytes)

    def _index(self) -> RawIndex:
        content = files.read(self._folder, INDEX, most_bytes=self._most)
        if content is None:
            raise not_found("there is no OCI layout")
        return RawIndex.read(content)

    def _write_index(self, index: RawIndex) -> None:
        with _opened(self._folder) as folder:
            _replace(folder, INDEX, index.encode())

    def _write_blob(self, digest: Digest, content: bytes) -> bool:
        if self._read(digest, len(content)) == content:
            return False
        parent = self._path(digest).parent
        parent.mkdir(parents=True, exist_ok=True)
        if not self._is_inside(parent):
            raise unavailable("OutsideLayout", "a folder of the layout leads out of it")
        with _opened(parent) as folder:
            _replace(folder, digest.encoded, content)
        return True

    def _unlink(self, digest: Digest) -> None:
        path = self._path(digest)
        if self._is_inside(path.parent):
            path.unlink(missing_ok=True)

    def _is_inside(self, folder: Path) -> bool:
        return folder.resolve().is_relative_to(self._folder.resolve())

    async def _locked(self, work: Callable[[], _T]) -> _T:
        """Does something that writes, while nobody else of us does."""
        return await asyncio.to_thread(self._do, work)

    def _do(self, work: Callable[[], _T]) -> _T:
        try:
            if self._creates:
                self._folder.mkdir(parents=True, exist_ok=True)
            with _opened(self._folder) as folder:
                self._lock(folder)
                self._begin(folder)
                return work()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise not_found("there is no OCI layout") from error
        except OSError as error:
            text = f"the layout: {error.strerror or 'it cannot be written'}"
            raise unavailable("UnwritableLayout", text) from error

    def _lock(self, folder: int) -> None:
        ends = time.monotonic() + self._seconds
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > ends:
                    text = "another process writes to the layout"
                    raise unavailable("Locked", text) from error
                time.sleep(_POLL_SECONDS)
            else:
                return

    def _begin(self, folder: int) -> None:
        """Makes a new layout, if that is wanted and the folder holds none."""
        if not self._creates or os.listdir(folder):
            return
        _replace(folder, INDEX, RawIndex.empty().encode())
        _replace(folder, MARKER, _MARKER_CONTENT)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, _DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _replace(folder: int, name: str, content: bytes) -> None:
    """Writes a file of an open folder as a whole, or not at all."""
    partial = f".{name[:64]}.{secrets.token_hex(8)}"
    with os.fdopen(os.open(partial, _NEW, 0o644, dir_fd=folder), "wb") as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.rename(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(partial, dir_fd=folder)
            raise
    os.fsync(folder)


def _digests(content: bytes) -> Iterator[Digest]:
    """Whatever looks like a digest."""
    for text in _DIGESTS.findall(content):
        algorithm, encoded = text.decode().split(":")
        yield Digest(algorithm, encoded)
