"""One question to a registry, with whatever authorization and redirects it takes.

* A credential is sent to the registry that it belongs to and to that registry's
  token server, never to a host that either of them redirects to.
* What a registry accepts (its challenge) is remembered for a while, so that another
  repository of it costs a token and no refusal.
* Redirects are followed `limits.redirects` times, never from HTTPS to HTTP; the
  transport checks the address of each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import urljoin, urlsplit

from app.oci import auth
from app.oci.auth import Challenge, TokenCache
from app.oci.cache import TimedCache
from app.oci.credentials import Credential, Keyring
from app.oci.failure import LookupFailedError, unauthorized, unavailable
from app.oci.guard import RegistryPolicy
from app.oci.limits import Limits
from app.oci.reference import Reference
from app.oci.transport import Answer, Request, Transport

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_MAX_CREDENTIALS: Final = 8
_BASIC_SECONDS: Final = 3600.0
_CHALLENGE_SECONDS: Final = 600.0
_HABITS_BYTES: Final = 4 << 20


class Observer(Protocol):
    """Counts what goes over the wire."""

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
        """One request.

        Args:
            kind: what for (`resolve`, `token`, ...).
            outcome: its status class (`2xx`), or why there is no answer;
                `Unfinished` if nobody waited for it any more.
            seconds: from the request to the end of the answer.
        """
        ...


class Silent:
    """Counts nothing."""

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
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
        clock: in seconds, monotonic.
        tokens: authorization headers that worked.
        challenges: registry host -> what it accepts.
        without_api: host and repository -> true where there is no referrers API.
            Some registries have it for some repositories only.
    """

    transport: Transport
    policy: RegistryPolicy
    keyring: Keyring = field(default_factory=Keyring)
    limits: Limits = field(default_factory=Limits)
    observer: Observer = field(default_factory=Silent)
    clock: Callable[[], float] = time.monotonic
    tokens: TokenCache = field(init=False)
    challenges: TimedCache[str, tuple[Challenge, ...]] = field(init=False)
    without_api: TimedCache[tuple[str, str], bool] = field(init=False)

    def __post_init__(self) -> None:
        """Makes what fills up with use."""
        self.tokens = TokenCache(self.clock)
        self.challenges = TimedCache(self.clock, most_bytes=_HABITS_BYTES)
        self.without_api = TimedCache(self.clock, most_bytes=_HABITS_BYTES)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, before authorization.

    Attributes:
        kind: for the observer.
        method: GET or HEAD.
        url: absolute.
        accept: media types.
        most_bytes: of the answer's body.
    """

    kind: str
    method: str
    url: str
    accept: str
    most_bytes: int = 0


class Exchange:
    """Asks one repository, until a deadline.

    Args:
        shared: what lookups share.
        image: whose repository it is.
        ends: the deadline, on `shared.clock`.
    """

    def __init__(self, shared: Shared, image: Reference, *, ends: float) -> None:
        self._shared = shared
        self._image = image
        self._ends = ends
        policy = shared.policy.of(image.host)
        self.scheme: Final = "http" if policy.plain_http else "https"
        known = shared.keyring.lookup(image)[:_MAX_CREDENTIALS]
        self._credentials: tuple[Credential | None, ...] = (*known, None)

    async def ask(self, asked: Asked) -> Answer:
        """The answer, which is neither 401, 403 nor a redirect.

        Raises:
            LookupFailedError: no credential is accepted, or no answer comes.
        """
        answer = await self._ask(asked)
        if answer.status in _REFUSED:
            host = self._image.host
            raise unauthorized(f"{host} wants a credential that we do not have")
        return answer

    async def _ask(self, asked: Asked) -> Answer:
        for credential in self._credentials:
            known = self._shared.tokens.get(*self._key(credential))
            if known:
                answer = await self._follow(asked, known)
                if answer.status not in _REFUSED:
                    return answer
                self._shared.tokens.drop(*self._key(credential))
        host = self._image.host
        remembered = self._shared.challenges.get(host)
        if remembered is not None:
            accepted = await self._authorized(asked, remembered)
            if accepted is not None:
                return accepted
        answer = await self._follow(asked, "")
        challenges = auth.read_all(answer.challenges)
        if answer.status not in _REFUSED or challenges == remembered:
            return answer
        accepted = await self._authorized(asked, challenges)
        if accepted is None:
            return answer
        self._shared.challenges.put(
            host,
            challenges,
            seconds=_CHALLENGE_SECONDS,
            content_bytes=sum(map(len, answer.challenges)),
        )
        return accepted

    # Authorization --------------------------------------------------------------

    def _key(self, credential: Credential | None) -> tuple[str, str, Credential | None]:
        return self._image.host, self._image.repository, credential

    async def _authorized(
        self, asked: Asked, challenges: Sequence[Challenge]
    ) -> Answer | None:
        """The answer to the first credential that is accepted; `None` if none is."""
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
        return None

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
        """A token and how long it holds; `None` if the credential is refused."""
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
        if answer.status != HTTPStatus.OK:
            text = f"the token server of {host} answered {answer.status}"
            raise unavailable("TokenError", text)
        token = auth.read_token(answer.body)
        if token is None:
            raise unavailable("TokenError", f"the token server of {host} gave no token")
        return token

    # Sending --------------------------------------------------------------------

    async def _follow(self, asked: Asked, authorization: str) -> Answer:
        """Sends, and follows redirects; a credential stays with its origin."""
        headers = {"Accept": asked.accept}
        if authorization:
            headers["Authorization"] = authorization
        request = Request(asked.method, asked.url, headers, asked.most_bytes)
        for _ in range(self._shared.limits.redirects + 1):
            answer = await self._send(asked.kind, request)
            is_elsewhere = _origin(request.url) != _origin(asked.url)
            if is_elsewhere and answer.status in _REFUSED:
                text = f"{self._image.host} redirects to where we are refused"
                raise unavailable("BadRedirect", text)
            if answer.status not in _REDIRECTS:
                return answer
            request = self._redirected(request, answer)
        text = f"{self._image.host} redirects too often"
        raise unavailable("TooManyRedirects", text)

    def _redirected(self, request: Request, answer: Answer) -> Request:
        host = self._image.host
        try:
            url = urljoin(request.url, answer.headers.get("location", ""))
            new = urlsplit(url)
            same = _origin(request.url) == _origin(url)
        except ValueError as error:
            text = f"{host} redirects to no address"
            raise unavailable("BadRedirect", text) from error
        plain = new.scheme == "http" and self.scheme == "http"
        if not (new.scheme == "https" or plain):
            raise unavailable("BadRedirect", f"{host} redirects away from HTTPS")
        if not new.hostname or "@" in new.netloc:
            raise unavailable("BadRedirect", f"{host} redirects to no address")
        headers = {
            name: value
            for name, value in request.headers.items()
            if same or name != "Authorization"
        }
        return replace(request, url=url, headers=headers)

    async def _send(self, kind: str, request: Request) -> Answer:
        shared, started = self._shared, self._shared.clock()
        left = self._ends - started
        if left <= 0:
            raise unavailable("Timeout", f"no time left to ask {self._image.host}")
        outcome = "Unfinished"
        try:
            answer = await shared.transport.send(replace(request, seconds=left))
            outcome = f"{answer.status // 100}xx"
        except LookupFailedError as error:
            outcome = error.reason
            raise
        finally:
            shared.observer.request(kind, outcome, seconds=shared.clock() - started)
        return answer


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
