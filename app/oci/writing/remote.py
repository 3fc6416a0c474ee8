"""A repository of a registry, to read and to write.

It reads and writes at the registry itself, never at a mirror, under the same guard,
limits, credentials and TLS as lookups; each operation has a deadline of its own, and
asks for no more rights than it needs (`pull`, `pull,push`, `pull,push,delete`).

* A blob is sent only if the registry lacks it: POST, then PUT of the whole to the
  address that came. A credential goes there only if that is the registry itself; an
  address elsewhere gets the bytes alone, never from HTTPS over HTTP.
* Nothing that writes is sent twice.
* A tag is changed under `If-Match` where the registry names versions; few registries
  look at that. So each change takes `window_seconds` at the most, from reading to the
  end of writing, and whoever wrote looks again after that time (`settle`).

Source: OCI distribution-spec v1.1, sections *Push*, *Pushing Manifests with Subject*
and *Content Management*.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin, urlsplit

from app.oci.credentials import NOTHING, Keyring
from app.oci.failure import (
    LookupFailedError,
    NotThereError,
    invalid,
    not_found,
    unauthorized,
    unavailable,
)
from app.oci.images import manifests
from app.oci.images.digest import Digest
from app.oci.images.manifests import ACCEPT, OCI_INDEX, Descriptor
from app.oci.images.reference import Reference
from app.oci.images.source import Root
from app.oci.registry.authorizing import PULL
from app.oci.registry.client import RemoteSource
from app.oci.registry.exchange import Asked, Exchange, origin
from app.oci.registry.shared import Shared
from app.oci.registry.transport import Answer, Request
from app.oci.writing.store import (
    Deletion,
    Edit,
    Edited,
    Pushed,
    RawDescriptor,
    Tagged,
)
from app.ports import Unauthorized

WINDOW_SECONDS: Final = 2.0
PUSH: Final = "pull,push"
DELETE: Final = "pull,push,delete"

_BYTES: Final = "application/octet-stream"
_OK: Final = HTTPStatus.OK
_STORED: Final = frozenset({200, 201})
_DELETED: Final = frozenset({200, 202, 204})
_FORBIDDEN: Final = frozenset({400, 405, 501})
_REFUSED: Final = frozenset({401, 403})
_NOT_FOUND: Final = HTTPStatus.NOT_FOUND
_FAILURES: Final = {
    405: ("ReadOnly", "{host} takes nothing here: it answered 405 to {what}"),
    413: ("TooLarge", "{host} takes no {what} of this size"),
    429: ("TooManyRequests", "{host} answered 429"),
    507: ("NoSpace", "{host} has no room left"),
}


class RemoteStore:
    """One image in a registry; implements `store.Store`.

    Args:
        shared: the way to registries.
        image: which one.
        name: as the user named it.
        keyring: credentials beside `shared.operator`.
        seconds: of each operation.
        window_seconds: from reading a tag to the end of writing it.
        pause: waits that many seconds.
        chance: random, from 0 to 1, so that writers who met do not meet again.
    """

    def __init__(
        self,
        shared: Shared,
        image: Reference,
        *,
        name: str = "",
        keyring: Keyring = NOTHING,
        seconds: float = 60.0,
        window_seconds: float = WINDOW_SECONDS,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name: Final = name or str(image)
        self.place: Final = f"{image.host}/{image.repository}"
        self._shared = shared
        self._image = image
        self._keyring = keyring
        self._seconds = seconds
        self._window_seconds = window_seconds
        self._pause = pause
        self._chance = chance

    # Reading --------------------------------------------------------------------

    def _source(self) -> RemoteSource:
        ends = self._shared.clock() + self._seconds
        return RemoteSource(self._shared, self._image, ends=ends, keyring=self._keyring)

    async def resolve(self) -> Root:
        """See `source.Source`."""
        return await self._source().resolve()

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        return await self._source().manifest(digest, most_bytes=most_bytes)

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        return await self._source().blob(digest, most_bytes=most_bytes)

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """See `source.Source`."""
        return await self._source().referrers(subject)

    async def described(self, digest: Digest) -> RawDescriptor:
        """See `store.Store`: a registry knows no more."""
        del digest
        return {}

    async def has(self, digest: Digest) -> bool:
        """See `store.Store`."""
        asked = Asked("resolve", "HEAD", self._url(f"manifests/{digest}"), ACCEPT)
        answer = await self._exchange(PULL).ask(asked)
        if answer.status in {_OK, _NOT_FOUND}:
            return answer.status == _OK
        most = self._shared.limits.manifest_bytes
        try:
            await self.manifest(digest, most_bytes=most)
        except NotThereError:
            return False
        return True

    async def has_blob(self, digest: Digest) -> bool:
        """See `store.Store`; a registry that does not say so may have it or not."""
        asked = Asked("blob", "HEAD", self._url(f"blobs/{digest}"), "*/*")
        return (await self._exchange(PULL).ask(asked)).status == _OK

    # Writing --------------------------------------------------------------------

    async def put_blob(self, digest: Digest, content: bytes) -> bool:
        """See `store.Store`."""
        if await self.has_blob(digest):
            return False
        ends = self._shared.clock() + self._seconds
        exchange = self._exchange(PUSH)
        url = self._url("blobs/uploads/")
        started = await exchange.ask(Asked("upload", "POST", url, "*/*"))
        if started.status == HTTPStatus.CREATED:
            return True
        if started.status != HTTPStatus.ACCEPTED:
            raise self._failure(started, "an upload")
        target = self._target(url, started.headers.get("location", ""), digest)
        asked = Asked("upload", "PUT", target, "*/*", 0, content, _BYTES)
        if origin(target) == origin(url):
            answer = await exchange.ask(asked)
        else:
            answer = await self._put_elsewhere(asked, ends)
        if answer.status not in _STORED:
            raise self._failure(answer, "the blob")
        return True

    def _target(self, url: str, location: str, digest: Digest) -> str:
        """Where the bytes go."""
        host = self._image.host
        try:
            target = urljoin(url, location)
            new = urlsplit(target)
        except ValueError as error:
            text = f"{host} names no address to upload to"
            raise unavailable("BadUpload", text) from error
        if not location or not new.hostname or "@" in new.netloc:
            raise unavailable("BadUpload", f"{host} names no address to upload to")
        is_plain = new.scheme == "http" and urlsplit(url).scheme == "http"
        if not (new.scheme == "https" or is_plain):
            text = f"{host} wants the upload without TLS"
            raise unavailable("BadUpload", text)
        query = f"{new.query}&" if new.query else ""
        return new._replace(query=f"{query}digest={digest}", fragment="").geturl()

    async def _put_elsewhere(self, asked: Asked, ends: float) -> Answer:
        """To an address outside the registry: without a credential, no redirect."""
        headers = {"Accept": asked.accept, "Content-Type": asked.content_type}
        request = Request(asked.method, asked.url, headers, body=asked.body)
        host = self._image.host
        answer = await self._shared.sender.send(
            asked.kind,
            request,
            host=host,
            ends=ends,
            repository=self._image.repository,
        )
        if answer.status in _REFUSED:
            text = f"{host} wants the upload where we are refused"
            raise unavailable("BadUpload", text)
        return answer

    async def put_manifest(
        self, digest: Digest, content: bytes, media_type: str
    ) -> Pushed:
        """See `store.Store`."""
        answer = await self._put(str(digest), content, media_type)
        if answer.status not in _STORED:
            raise self._failure(answer, "the manifest")
        claimed = Digest.parse(answer.headers.get("docker-content-digest", ""))
        if claimed is not None and claimed != digest:
            text = f"{self._image.host} stored {digest} as {claimed}"
            raise invalid("DigestMismatch", text)
        subject = manifests.read_manifest(content).subject
        said = answer.headers.get("oci-subject")
        return Pushed(digest, subject is not None and said == subject.digest)

    async def _put(
        self,
        wanted: str,
        content: bytes,
        media_type: str,
        *,
        version: str = "",
        seconds: float | None = None,
    ) -> Answer:
        url = self._url(f"manifests/{wanted}")
        match = (("If-Match", version),) if version else ()
        asked = Asked("push", "PUT", url, "*/*", 0, content, media_type, match)
        return await self._exchange(PUSH, seconds).ask(asked)

    async def delete_manifest(self, digest: Digest) -> Deletion:
        """See `store.Store`."""
        asked = Asked("delete", "DELETE", self._url(f"manifests/{digest}"), "*/*")
        try:
            answer = await self._exchange(DELETE).ask(asked)
        except LookupFailedError as error:
            if not isinstance(error.outcome, Unauthorized):
                raise
            text = f"{self._image.host} lets none of our credentials delete"
            raise unauthorized(text) from error
        if answer.status in _DELETED:
            return Deletion.DELETED
        if answer.status == _NOT_FOUND:
            return Deletion.MISSING
        if answer.status in _FORBIDDEN:
            return Deletion.FORBIDDEN
        raise self._failure(answer, "the deletion")

    # Tags -----------------------------------------------------------------------

    async def tagged(self, tag: str, *, most_bytes: int) -> Tagged | None:
        """See `store.Store`."""
        return await self._tagged(tag, most_bytes, self._seconds)

    async def _tagged(self, tag: str, most: int, seconds: float) -> Tagged | None:
        url = self._url(f"manifests/{tag}")
        asked = Asked("referrers", "GET", url, ACCEPT, most)
        answer = await self._exchange(PULL, seconds).ask(asked)
        if answer.status == _NOT_FOUND:
            return None
        if answer.status != _OK:
            raise self._failure(answer, "a tag")
        claimed = Digest.parse(answer.headers.get("docker-content-digest", ""))
        if claimed is not None and not claimed.matches(answer.body):
            text = f"the content of {claimed} has another hash"
            raise invalid("DigestMismatch", text)
        said = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        kind = manifests.type_of(answer.body, said)
        etag = answer.headers.get("etag", "")
        return Tagged(answer.body, kind, etag if etag.startswith('"') else "")

    async def edit_tag(self, tag: str, edit: Edit, *, most_bytes: int) -> Edited:
        """See `store.Store`."""
        ends = self._shared.clock() + self._window_seconds
        try:
            before = await self._tagged(tag, most_bytes, self._window_seconds)
            after = edit(before)
            if after is None:
                return Edited.UNCHANGED
            kind = manifests.type_of(after, OCI_INDEX)
            answer = await self._put(
                tag,
                after,
                kind,
                version=before.version if before is not None else "",
                seconds=ends - self._shared.clock(),
            )
        except LookupFailedError as error:
            if error.reason == "Timeout":
                return Edited.OVERTAKEN
            raise
        if answer.status == HTTPStatus.PRECONDITION_FAILED:
            return Edited.OVERTAKEN
        if answer.status not in _STORED:
            raise self._failure(answer, "the list of artifacts")
        return Edited.WRITTEN

    async def settle(self) -> None:
        """See `store.Store`."""
        await self._pause(self._window_seconds * (1 + self._chance()))

    # Asking ---------------------------------------------------------------------

    def _url(self, path: str) -> str:
        image = self._image
        scheme = "http" if self._shared.policy.of(image.host).plain_http else "https"
        return f"{scheme}://{image.host}/v2/{image.repository}/{path}"

    def _exchange(self, actions: str, seconds: float | None = None) -> Exchange:
        ends = self._shared.clock() + (self._seconds if seconds is None else seconds)
        return Exchange(
            self._shared,
            self._image,
            ends=ends,
            keyring=self._keyring,
            actions=actions,
        )

    def _failure(self, answer: Answer, what: str) -> LookupFailedError:
        """Why something was not written; the answer's body is not told."""
        host, status = self._image.host, answer.status
        if status == _NOT_FOUND:
            return not_found(f"{host} has no such repository, or hides it")
        if status in _FAILURES:
            reason, text = _FAILURES[status]
            return unavailable(reason, text.format(host=host, what=what))
        is_server = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        reason = "ServerError" if is_server else "Rejected"
        return unavailable(reason, f"{host} answered {status} to {what}")
