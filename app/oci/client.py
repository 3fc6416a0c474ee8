"""The distribution API, as far as reading an image's artifact needs it.

`RemoteSource` is one lookup on one repository, within one deadline; it implements
`finding.Source`. What it returns is verified; how an answer is understood:

| answer | means |
|---|---|
| 200 | checked against digest and size, bounded |
| 301, 302, 303, 307, 308 | followed, at most `limits.redirects`; never to HTTP |
| 401 | the next credential is tried; none left: unauthorized |
| 403 | unauthorized |
| 404 | not there; for referrers: the registry has no such API |
| 429, 5xx and the rest | could not look |

Source: OCI distribution-spec v1.1, sections *Pulling manifests*, *Listing Referrers*
and *Referrers Tag Schema*.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import quote, urljoin, urlsplit

from app.oci import auth, manifests
from app.oci.auth import Challenge, TokenCache
from app.oci.credentials import Credential, Keyring
from app.oci.digest import Digest
from app.oci.failure import (
    LookupFailedError,
    NotThereError,
    invalid,
    not_found,
    unauthorized,
    unavailable,
)
from app.oci.guard import RegistryPolicy
from app.oci.limits import Limits
from app.oci.manifests import ACCEPT, ARTIFACT_TYPE, INDEX_TYPES, Descriptor
from app.oci.reference import Reference
from app.oci.source import Root
from app.oci.transport import Answer, Request, Transport

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OK: Final = HTTPStatus.OK
_NOT_FOUND: Final = HTTPStatus.NOT_FOUND
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NO_HEAD: Final = frozenset({200, 400, 405, 501})
"""Statuses of a HEAD after which a GET may still tell."""
_MAX_CREDENTIALS: Final = 8
_NEXT: Final = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.ASCII)
_UNSUPPORTED_SECONDS: Final = 600.0
_BASIC_SECONDS: Final = 3600.0


class Observer(Protocol):
    """Counts what goes over the wire."""

    def request(self, kind: str, outcome: str) -> None:
        """One request: what for (`resolve`, `token`, ...), and its status class."""
        ...


class Silent:
    """Counts nothing."""

    def request(self, kind: str, outcome: str) -> None:
        """See `Observer`."""


@dataclass(slots=True)
class Shared:
    """What all lookups of a process share.

    Attributes:
        transport: sends requests.
        policy: what the operator allows.
        keyring: the operator's credentials.
        limits: every bound.
        observer: counts requests.
        tokens: authorization headers that worked.
        without_api: registry host -> until when its missing referrers API is known.
    """

    transport: Transport
    policy: RegistryPolicy
    keyring: Keyring = field(default_factory=Keyring)
    limits: Limits = field(default_factory=Limits)
    observer: Observer = field(default_factory=Silent)
    tokens: TokenCache = field(default_factory=TokenCache)
    without_api: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question to the registry, before authorization."""

    kind: str
    method: str
    url: str
    accept: str
    most_bytes: int


class RemoteSource:
    """One lookup in one repository."""

    def __init__(self, shared: Shared, image: Reference, *, ends: float) -> None:
        self._shared = shared
        self._image = image
        self._ends = ends
        policy = shared.policy.of(image.host)
        self._scheme = "http" if policy.plain_http else "https"
        self._base = f"{self._scheme}://{image.host}/v2/{image.repository}"
        known = shared.keyring.lookup(image)[:_MAX_CREDENTIALS]
        self._credentials: tuple[Credential | None, ...] = (*known, None)

    # finding.Source -------------------------------------------------------------

    async def resolve(self) -> Root:
        """See `finding.Source`; a HEAD, which Docker Hub does not count as a pull."""
        url = f"{self._base}/manifests/{self._image.wanted}"
        answer = await self._ask(_Asked("resolve", "HEAD", url, ACCEPT, 0))
        if answer.status == _NOT_FOUND:
            raise not_found(f"{self._image.host} has no such image, or hides it")
        digest = self._image.digest or Digest.parse(
            answer.headers.get("docker-content-digest", "")
        )
        media_type = _media_type(answer)
        if answer.status == _OK and digest is not None and media_type:
            return Root(digest, media_type)
        if answer.status not in _NO_HEAD:
            self._raise_for(answer)
        return await self._resolve_by_content(url)

    async def _resolve_by_content(self, url: str) -> Root:
        """For registries that do not answer HEAD as they should."""
        most = self._shared.limits.manifest_bytes
        answer = await self._ask(_Asked("resolve", "GET", url, ACCEPT, most))
        self._raise_for(answer)
        wanted = self._image.digest
        if wanted is not None and not wanted.matches(answer.body):
            raise invalid("DigestMismatch", f"the content of {wanted} has another hash")
        media_type = manifests.read_manifest(answer.body).media_type
        return Root(wanted or Digest.of(answer.body), media_type or _media_type(answer))

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `finding.Source`."""
        url = f"{self._base}/manifests/{digest}"
        asked = _Asked("manifest", "GET", url, ACCEPT, most_bytes)
        return await self._content(asked, digest)

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `finding.Source`."""
        url = f"{self._base}/blobs/{digest}"
        return await self._content(
            _Asked("blob", "GET", url, "*/*", most_bytes), digest
        )

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """See `finding.Source`: the API, else the tag that stands in for it."""
        host, without = self._image.host, self._shared.without_api
        if time.monotonic() >= without.get(host, 0.0):
            found = await self._from_api(subject)
            if found is not None:
                return found
            without[host] = time.monotonic() + _UNSUPPORTED_SECONDS
        return await self._from_tag(subject)

    # Referrers ------------------------------------------------------------------

    async def _from_api(self, subject: Digest) -> list[Descriptor] | None:
        """What the referrers API lists; `None` if the registry has none."""
        limits = self._shared.limits
        wanted = quote(ARTIFACT_TYPE, safe="")
        first = f"{self._base}/referrers/{subject}?artifactType={wanted}"
        found: list[Descriptor] = []
        seen = {first}
        url: str | None = first
        while url is not None:
            if len(seen) > limits.pages:
                text = (
                    f"{self._image.host} lists referrers on over {limits.pages} pages"
                )
                raise unavailable("TooManyReferrers", text)
            asked = _Asked(
                "referrers", "GET", url, manifests.OCI_INDEX, limits.manifest_bytes
            )
            answer = await self._ask(asked)
            is_index = _media_type(answer) in INDEX_TYPES
            if url == first and (answer.status == _NOT_FOUND or self._is_other(answer)):
                return None
            self._raise_for(answer)
            if not is_index:
                raise unavailable("BadAnswer", "a page of referrers is no index")
            found.extend(manifests.read_index(answer.body).manifests or ())
            if len(found) > limits.descriptors:
                text = f"more than {limits.descriptors} artifacts refer to the image"
                raise unavailable("TooManyReferrers", text)
            url = self._next(answer, url, seen)
        return found

    @staticmethod
    def _is_other(answer: Answer) -> bool:
        """A 200 of another kind: a page for people, so there is no such API."""
        return answer.status == _OK and _media_type(answer) not in INDEX_TYPES

    def _next(self, answer: Answer, url: str, seen: set[str]) -> str | None:
        """The next page; it must belong to this repository's referrers."""
        link = _NEXT.search(answer.headers.get("link", ""))
        if link is None:
            return None
        following = str(urljoin(url, link[1]))
        if following in seen or not following.startswith(f"{self._base}/referrers/"):
            text = f"{self._image.host} links to a page that is none of its referrers"
            raise unavailable("BadLink", text)
        seen.add(following)
        return following

    async def _from_tag(self, subject: Digest) -> list[Descriptor]:
        """What an index under the fallback tag lists; empty if there is none."""
        limits = self._shared.limits
        url = f"{self._base}/manifests/{subject.fallback_tag}"
        asked = _Asked("referrers", "GET", url, ACCEPT, limits.manifest_bytes)
        answer = await self._ask(asked)
        if answer.status == _NOT_FOUND:
            return []
        self._raise_for(answer)
        index = manifests.read_index(answer.body)
        if (index.media_type or _media_type(answer)) not in INDEX_TYPES:
            return []
        listed = index.manifests or []
        if len(listed) > limits.descriptors:
            text = f"more than {limits.descriptors} artifacts refer to the image"
            raise unavailable("TooManyReferrers", text)
        return listed

    # Content --------------------------------------------------------------------

    async def _content(self, asked: _Asked, digest: Digest) -> bytes:
        answer = await self._ask(asked)
        if answer.status == _NOT_FOUND:
            raise NotThereError(str(digest))
        self._raise_for(answer)
        if not digest.matches(answer.body):
            text = f"the content of {digest} has another hash"
            raise invalid("DigestMismatch", text)
        return answer.body

    def _raise_for(self, answer: Answer) -> None:
        """What is no 200 is no answer; 401 and 403 were handled before."""
        if answer.status == _OK:
            return
        host = self._image.host
        if answer.status == _NOT_FOUND:
            raise not_found(f"{host} has no such image, or hides it")
        reason = _REASONS.get(answer.status, "")
        if not reason:
            reason = (
                "ServerError"
                if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
                else "BadAnswer"
            )
        raise unavailable(reason, f"{host} answered {answer.status}")

    # Authorization --------------------------------------------------------------

    async def _ask(self, asked: _Asked) -> Answer:
        """Sends a request with whatever authorization it takes."""
        for credential in self._credentials:
            known = self._shared.tokens.get(*self._key(credential))
            if known:
                answer = await self._follow(asked, known)
                if answer.status not in _REFUSED:
                    return answer
                self._shared.tokens.drop(*self._key(credential))
        answer = await self._follow(asked, "")
        if answer.status == HTTPStatus.UNAUTHORIZED:
            answer = await self._authorized(asked, answer)
        if answer.status in _REFUSED:
            host = self._image.host
            raise unauthorized(f"{host} wants a credential that we do not have")
        return answer

    def _key(self, credential: Credential | None) -> tuple[str, str, Credential | None]:
        return self._image.host, self._image.repository, credential

    async def _authorized(self, asked: _Asked, refused: Answer) -> Answer:
        """Tries every credential on what the registry says it accepts."""
        answer = refused
        challenges = [
            challenge
            for header in refused.challenges
            for challenge in auth.read_challenges(header)
        ]
        for credential in self._credentials:
            header = await self._header(challenges, credential)
            if header is None:
                continue
            value, seconds = header
            answer = await self._follow(asked, value)
            if answer.status not in _REFUSED:
                self._shared.tokens.put(
                    *self._key(credential), value=value, seconds=seconds
                )
                return answer
        return answer

    async def _header(
        self, challenges: Sequence[Challenge], credential: Credential | None
    ) -> tuple[str, float] | None:
        """An `Authorization` header for one credential, and how long it holds."""
        for challenge in challenges:
            if challenge.scheme == "bearer":
                token = await self._token(challenge, credential)
                if token is not None:
                    return f"Bearer {token[0]}", token[1]
            if challenge.scheme == "basic" and credential is not None:
                return credential.basic, _BASIC_SECONDS
        return None

    async def _token(
        self, challenge: Challenge, credential: Credential | None
    ) -> tuple[str, float] | None:
        host = self._image.host
        url = auth.token_url(
            challenge, host, self._image.repository, self._shared.policy
        )
        if url is None:
            text = f"{host} names a token server that is not known to be its own"
            raise unavailable("RealmRefused", text)
        headers = {"Authorization": credential.basic} if credential else {}
        most = self._shared.limits.token_bytes
        answer = await self._send("token", Request("GET", url, headers, most))
        if answer.status in _REFUSED:
            return None
        if answer.status != _OK:
            text = f"the token server of {host} answered {answer.status}"
            raise unavailable("TokenError", text)
        token = auth.read_token(answer.body)
        if token is None:
            raise unavailable("TokenError", f"the token server of {host} gave no token")
        return token

    # Sending --------------------------------------------------------------------

    async def _follow(self, asked: _Asked, authorization: str) -> Answer:
        """Sends, and follows redirects; a credential stays with its origin."""
        headers = {"Accept": asked.accept}
        if authorization:
            headers["Authorization"] = authorization
        request = Request(asked.method, asked.url, headers, asked.most_bytes)
        for _ in range(self._shared.limits.redirects + 1):
            answer = await self._send(asked.kind, request)
            if answer.status not in _REDIRECTS:
                return answer
            request = self._redirected(request, answer)
        text = f"{self._image.host} redirects too often"
        raise unavailable("TooManyRedirects", text)

    def _redirected(self, request: Request, answer: Answer) -> Request:
        host = self._image.host
        try:
            url = urljoin(request.url, answer.headers.get("location", ""))
            old, new = urlsplit(request.url), urlsplit(url)
            same = (old.scheme, old.netloc) == (new.scheme, new.netloc)
        except ValueError as error:
            text = f"{host} redirects to no address"
            raise unavailable("BadRedirect", text) from error
        plain = new.scheme == "http" and self._scheme == "http"
        if (
            not (new.scheme == "https" or plain)
            or not new.hostname
            or "@" in new.netloc
        ):
            raise unavailable("BadRedirect", f"{host} redirects away from HTTPS")
        headers = {
            name: value
            for name, value in request.headers.items()
            if same or name != "Authorization"
        }
        return replace(request, url=url, headers=headers)

    async def _send(self, kind: str, request: Request) -> Answer:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise unavailable("Timeout", f"no time left to ask {self._image.host}")
        try:
            answer = await self._shared.transport.send(replace(request, seconds=left))
        except LookupFailedError as error:
            self._shared.observer.request(kind, error.reason)
            raise
        self._shared.observer.request(kind, f"{answer.status // 100}xx")
        return answer


_REASONS: Final = {429: "TooManyRequests"}


def _media_type(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()
