"""The distribution API, as far as reading an image's artifact needs it.

`RemoteSource` is one lookup on one repository, within one deadline; it implements
`source.Source`. What it returns is verified; how an answer is understood:

| answer | means |
|---|---|
| 200 | checked against digest and size, bounded |
| 301, 302, 303, 307, 308 | followed, at most `limits.redirects`; never to HTTP |
| 401, 403 | the next credential is tried; none left: unauthorized |
| 404 | not there; for referrers: the registry has no such API |
| 405, 406, 501 | for referrers, too (Artifactory says 406) |
| 429, 5xx and the rest | could not look |

Source: OCI distribution-spec v1.1, sections *Pulling manifests*, *Listing Referrers*
and *Referrers Tag Schema*.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from app.errors import RegistryError
from app.oci.credentials import NOTHING, Keyring
from app.oci.failure import (
    LookupFailedError,
    NotThereError,
    TooLargeError,
    invalid,
    not_found,
    unavailable,
)
from app.oci.images import manifests
from app.oci.images.digest import Digest
from app.oci.images.manifests import (
    ACCEPT,
    ARTIFACT_TYPE,
    DOCKER_SCHEMA_1,
    INDEX_TYPES,
    KNOWN_TYPES,
    OCI_INDEX,
    Descriptor,
)
from app.oci.images.reference import Reference
from app.oci.images.source import Root
from app.oci.registry.exchange import Asked, Exchange
from app.oci.registry.sending import Observer, Silent
from app.oci.registry.shared import Shared
from app.oci.registry.transport import Answer
from app.oci.ways.way import Way

__all__ = ["Observer", "RemoteSource", "Shared", "Silent"]

_OK: Final = HTTPStatus.OK
_NOT_FOUND: Final = HTTPStatus.NOT_FOUND
_NO_API: Final = frozenset({404, 405, 406, 501})
"""Statuses of a registry without a referrers API. go-containerregistry takes 406 for
that, too (`pkg/v1/remote/referrers.go`), and 400, which is what registries that have
one answer to a digest that they do not like (Quay, zot)."""
_SERVER_ERROR: Final = HTTPStatus.INTERNAL_SERVER_ERROR
_REASONS: Final = {429: "TooManyRequests"}
_NO_HEAD: Final = frozenset({200, 400, 405, 501})
"""Statuses of a HEAD after which a GET may still tell."""
_NEXT: Final = re.compile(
    r'<([^<>]*)>\s*;[^,<]*\brel=(?:"next"|next(?=[\s;,]|$))', re.ASCII
)
_HABIT_SECONDS: Final = 600.0
_TOO_LONG: Final = frozenset({"TooLarge", "TooManyReferrers"})
_TOLD: Final = KNOWN_TYPES | DOCKER_SCHEMA_1
"""Types after which the content need not be asked."""


class RemoteSource:
    """One lookup in one repository.

    Args:
        shared: what lookups share.
        image: what is looked for.
        ends: the deadline, on `shared.clock`.
        keyring: of the Pod that wants it.
        way: where it is asked; `None` for the image's own registry.
    """

    def __init__(
        self,
        shared: Shared,
        image: Reference,
        *,
        ends: float,
        keyring: Keyring = NOTHING,
        way: Way | None = None,
    ) -> None:
        self._limits = shared.limits
        self._without_api = shared.without_api
        self._exchange = Exchange(shared, image, ends=ends, keyring=keyring, way=way)
        self._image = self._exchange.image

    # Resolving ------------------------------------------------------------------

    async def resolve(self) -> Root:
        """See `source.Source`; a HEAD, which Docker Hub does not count as a pull."""
        url = self._exchange.url(f"manifests/{self._image.wanted}")
        answer = await self._exchange.ask(Asked("resolve", "HEAD", url, ACCEPT))
        digest = self._image.digest or _claimed(answer)
        media_type = _media_type(answer)
        if answer.status == _OK and digest is not None and media_type in _TOLD:
            return Root(digest, media_type)
        if answer.status not in _NO_HEAD:
            self._require_ok(answer)
        return await self._resolve_by_content(url)

    async def _resolve_by_content(self, url: str) -> Root:
        """For registries that do not answer HEAD as they should."""
        most = self._limits.manifest_bytes
        answer = await self._exchange.ask(Asked("resolve", "GET", url, ACCEPT, most))
        self._require_ok(answer)
        wanted = self._image.digest or _claimed(answer)
        if _media_type(answer) in DOCKER_SCHEMA_1:
            return Root(wanted or Digest.of(answer.body), _media_type(answer))
        _require_match(answer.body, wanted)
        media_type = self._type_of(answer, is_verified=wanted is not None)
        return Root(wanted or Digest.of(answer.body), media_type)

    # Content --------------------------------------------------------------------

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        url = self._exchange.url(f"manifests/{digest}")
        return await self._content(
            Asked("manifest", "GET", url, ACCEPT, most_bytes), digest
        )

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        url = self._exchange.url(f"blobs/{digest}")
        return await self._content(Asked("blob", "GET", url, "*/*", most_bytes), digest)

    async def _content(self, asked: Asked, digest: Digest) -> bytes:
        try:
            answer = await self._exchange.ask(asked)
        except TooLargeError as error:
            raise invalid("TooLarge", error.message) from error
        if answer.status == _NOT_FOUND:
            raise NotThereError(str(digest))
        self._require_ok(answer)
        _require_match(answer.body, digest)
        return answer.body

    # Referrers ------------------------------------------------------------------

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """See `source.Source`: the API, else the tag that stands in for it."""
        key = (self._exchange.place, self._image.repository)
        is_without = self._without_api.get(key)
        if is_without:
            return await self._from_tag(subject)
        found = await self._from_api(subject)
        # One 404 of an API that is known to be there is no word about the next one.
        if found is not None or is_without is None:
            self._without_api.put(
                key, value=found is None, seconds=_HABIT_SECONDS, content_bytes=0
            )
        return await self._from_tag(subject) if found is None else found

    async def _from_api(self, subject: Digest) -> list[Descriptor] | None:
        """What the referrers API lists; `None` if the registry has none.

        All of it: Harbor before 2.11 applies a filter to the type of the config
        (goharbor/harbor issue 19867), and would hide what is there. A list that is
        too long is asked for once more, with the filter.
        """
        path = f"referrers/{subject}"
        try:
            return await self._pages(self._exchange.url(path))
        except LookupFailedError as error:
            if error.reason not in _TOO_LONG:
                raise
            wanted = quote(ARTIFACT_TYPE, safe="")
            filtered = self._exchange.url(f"{path}?artifactType={wanted}")
            found = await self._pages(filtered)
            if found is None:
                raise
            return found

    async def _pages(self, first: str) -> list[Descriptor] | None:
        """A list from its first page on; `None` if there is no such API."""
        found: list[Descriptor] = []
        seen = {first}
        url: str | None = first
        while url is not None:
            if len(seen) > self._limits.pages:
                host, most = self._image.host, self._limits.pages
                text = f"{host} lists referrers on more than {most} pages"
                raise unavailable("TooManyReferrers", text)
            most = self._limits.manifest_bytes
            asked = Asked("referrers", "GET", url, OCI_INDEX, most)
            answer = await self._exchange.ask(asked)
            if url == first and _has_no_api(answer):
                return None
            found.extend(self._page(answer))
            self._require_few(found)
            url = self._next(answer, url, seen)
        return found

    def _page(self, answer: Answer) -> list[Descriptor]:
        """One page. The registry made it, so that its faults are the registry's."""
        self._require_ok(answer)
        try:
            if _media_type(answer) in INDEX_TYPES:
                return manifests.read_index(answer.body).manifests or []
        except RegistryError as error:
            text = f"{self._image.host} lists referrers in no valid index"
            raise unavailable("BadAnswer", text) from error
        raise unavailable("BadAnswer", f"a page of {self._image.host} is no index")

    def _next(self, answer: Answer, url: str, seen: set[str]) -> str | None:
        """The next page; it must be of the same list."""
        link = _NEXT.search(answer.headers.get("link", ""))
        if link is None:
            return None
        text = f"{self._image.host} links to a page that is none of its referrers"
        try:
            following = str(urljoin(url, link[1]))
            old, new = urlsplit(url)[:3], urlsplit(following)[:3]
        except ValueError as error:
            raise unavailable("BadLink", text) from error
        if following in seen or old != new:
            raise unavailable("BadLink", text)
        seen.add(following)
        return following

    async def _from_tag(self, subject: Digest) -> list[Descriptor]:
        """What an index under the fallback tag lists; empty if there is none."""
        url = self._exchange.url(f"manifests/{subject.fallback_tag}")
        most = self._limits.manifest_bytes
        answer = await self._exchange.ask(Asked("referrers", "GET", url, ACCEPT, most))
        if answer.status == _NOT_FOUND:
            return []
        self._require_ok(answer)
        claimed = _claimed(answer)
        _require_match(answer.body, claimed)
        if subject.matches(answer.body):
            return []  # GitLab takes the tag for the digest
        is_verified = claimed is not None
        if self._type_of(answer, is_verified=is_verified) not in INDEX_TYPES:
            return []
        listed = manifests.read_index(answer.body).manifests or []
        self._require_few(listed)
        return listed

    def _type_of(self, answer: Answer, *, is_verified: bool) -> str:
        """What kind of manifest came; a page for people is none of the author's."""
        try:
            return manifests.type_of(answer.body, _media_type(answer))
        except RegistryError as error:
            if is_verified:
                raise
            text = f"{self._image.host} answered with no manifest"
            raise unavailable("BadAnswer", text) from error

    def _require_few(self, listed: Sequence[Descriptor]) -> None:
        most = self._limits.descriptors
        if len(listed) > most:
            text = f"more than {most} artifacts refer to the image"
            raise unavailable("TooManyReferrers", text)

    def _require_ok(self, answer: Answer) -> None:
        """What is no 200 is no answer; 401 and 403 were handled before."""
        host, status = self._image.host, answer.status
        if status == _OK:
            return
        if status == _NOT_FOUND:
            raise not_found(f"{host} has no such image, or hides it")
        other = "ServerError" if status >= _SERVER_ERROR else "BadAnswer"
        raise unavailable(_REASONS.get(status, other), f"{host} answered {status}")


def _has_no_api(answer: Answer) -> bool:
    """A status that says so, or a 200 of another kind: a page for people."""
    is_other = answer.status == _OK and _media_type(answer) not in INDEX_TYPES
    return answer.status in _NO_API or is_other


def _claimed(answer: Answer) -> Digest | None:
    """The digest that the registry says its answer has."""
    return Digest.parse(answer.headers.get("docker-content-digest", ""))


def _require_match(content: bytes, digest: Digest | None) -> None:
    if digest is not None and not digest.matches(content):
        raise invalid("DigestMismatch", f"the content of {digest} has another hash")


def _media_type(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()
