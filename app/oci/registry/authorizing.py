"""Which credential a registry accepts for one repository.

1. What the registry accepts (its challenge) is taken from memory, or asked for with a
   request without a credential. A registry that asks for nothing that we have (Basic,
   Bearer) gets nothing, and no program of the operator's is run for it.
2. The credentials are tried in order until one is not refused: the one that worked
   for this repository and these secrets last, those of the Pod that wants the image,
   the operator's own, then none. At most `MAX_CREDENTIALS`, besides none.
3. A token that holds is sent again. One that is refused is dropped, and got anew once
   for the same credential before the next one is tried; not if it was new already.
4. Where the registry says "not found" to the question what a reference names, it may
   mean "not for you": as the kubelet does, the next credential is tried. None is not.
5. Where everything is refused, the registry is asked once more what it accepts.
6. Over plain HTTP no credential is sent unless the operator says so for this host. If
   there would be one, and none is not enough, then we cannot look: that is not for the
   registry to say, but for the settings (`PlainHttpCredentials`).

What a registry accepts is remembered for a while, so that another repository of it
costs a token and no refusal. Many who want the same token wait for one request.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, TypeAlias

from app.oci.credentials import Credential, Keyring, fingerprint
from app.oci.failure import LookupFailedError, unavailable
from app.oci.images.reference import Reference
from app.oci.registry import auth
from app.oci.registry.auth import TokenKey
from app.oci.registry.challenges import Challenge, read_all
from app.oci.registry.shared import Shared
from app.oci.registry.transport import Answer, Request

REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
PULL: Final = "pull"
"""Actions on a repository, as the scope of a token names them."""

MAX_CREDENTIALS: Final = 8
"""Tried for one question; each may cost two requests."""

_NOT_FOUND: Final = HTTPStatus.NOT_FOUND
_NO_EXCHANGE: Final = REFUSED | {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
}
"""What a token server answers that does not take an identity token: RFC 6749, section
5.2 (`invalid_grant` is a 400), and oauth.md (one without OAuth2 has no POST)."""

_SCHEMES: Final = frozenset({"basic", "bearer"})
_CHALLENGE_SECONDS: Final = 600.0
_TIMEOUT: Final = "Timeout"

Send: TypeAlias = Callable[[str], Awaitable[Answer]]
"""Sends the request with this `Authorization`; `""` for none."""


@dataclass(frozen=True, slots=True)
class _Header:
    """An `Authorization`.

    Attributes:
        value: of the header.
        token: in it, if a token server gave it.
        was_known: whether that was before this question.
    """

    value: str = field(repr=False)
    token: str = field(default="", repr=False)
    was_known: bool = False


class Authorizer:
    """Finds the credential that one repository takes, until a deadline.

    Args:
        shared: what lookups share.
        image: whose repository it is.
        keyring: of the Pod that wants it.
        ends: the deadline, on `shared.clock`.
        actions: on the repository, as a token's scope names them.
        place: tells apart what one host serves (`Way.place`).

    Attributes:
        has_tried: whether a credential was tried, and refused until now.
    """

    def __init__(
        self,
        shared: Shared,
        image: Reference,
        keyring: Keyring,
        *,
        ends: float,
        actions: str = PULL,
        place: str = "",
    ) -> None:
        policy = shared.policy.of(image.host)
        self.has_tried = False
        self._shared: Final = shared
        self._image: Final = image
        self._ends: Final = ends
        self._actions: Final = actions
        self._place: Final = place
        self._ring: Final = keyring.lookup(image)[:MAX_CREDENTIALS]
        self._owners: Final = fingerprint(self._ring)
        self._withholds: Final = policy.plain_http and not policy.plain_http_credentials

    async def ask(self, send: Send, *, may_hide: bool = False) -> Answer:
        """The answer for the first credential that is accepted, else a refusal.

        Args:
            send: sends the request.
            may_hide: whether "not found" may mean "not for you" (4).

        Raises:
            LookupFailedError: no answer comes, no token where there should be one, or
                a credential must not be sent (6).
        """
        remembered = self._shared.challenges.get(self._whose)
        if remembered is not None:
            accepted = await self._tried(send, remembered, may_hide=may_hide)
            if accepted is not None:
                return accepted
        answer = await send("")
        if answer.status not in REFUSED:
            return answer
        challenges = _answerable(answer)
        if not challenges:
            return answer
        if remembered is None or _essence(challenges) != _essence(remembered):
            accepted = await self._tried(send, challenges, may_hide=may_hide)
            if accepted is not None:
                self._remember(answer, challenges)
                return accepted
        await self._require_sendable()
        return answer

    @property
    def _whose(self) -> tuple[str, str]:
        return self._image.host, self._place

    def _remember(self, answer: Answer, challenges: tuple[Challenge, ...]) -> None:
        self._shared.challenges.put(
            self._whose,
            challenges,
            seconds=_CHALLENGE_SECONDS,
            content_bytes=sum(map(len, answer.challenges)),
        )

    async def _require_sendable(self) -> None:
        """Refusals count, unless there is a credential that we did not send (6)."""
        if not self._withholds:
            return
        async with aclosing(self._all()) as credentials:
            async for _ in credentials:
                text = (
                    f"{self._image.host} wants a credential, and none is sent over "
                    "plain HTTP without plainHttpCredentials"
                )
                raise unavailable("PlainHttpCredentials", text)

    # Credentials ----------------------------------------------------------------

    async def _tried(
        self, send: Send, challenges: Sequence[Challenge], *, may_hide: bool
    ) -> Answer | None:
        """The answer to the first credential that is accepted; `None` if none is."""
        hidden: Answer | None = None
        async with aclosing(self._in_order()) as credentials:
            async for credential in credentials:
                if credential is None and hidden is not None:
                    break
                self.has_tried |= credential is not None
                answer = await self._with(send, challenges, credential)
                if answer is None or answer.status in REFUSED:
                    continue
                if may_hide and answer.status == _NOT_FOUND:
                    hidden = hidden or answer
                    continue
                self._shared.tokens.remember(self._key(None), self._owners, credential)
                return answer
        return hidden

    async def _in_order(self) -> AsyncGenerator[Credential | None, None]:
        """What to try (2); `None` is none."""
        worked = self._shared.tokens.worked(self._key(None), self._owners)
        tried: set[Credential | None] = set()
        if not self._withholds:
            if worked is not None:
                yield worked.credential
                tried.add(worked.credential)
            async for credential in self._all():
                if len(tried - {None}) >= MAX_CREDENTIALS:
                    break
                if credential not in tried:
                    tried.add(credential)
                    yield credential
        if None not in tried:
            yield None

    async def _all(self) -> AsyncGenerator[Credential, None]:
        """The Pod's, then the operator's."""
        for credential in self._ring:
            yield credential
        async for credential in self._shared.operator.offers(self._image):
            yield credential

    def _key(self, credential: Credential | None) -> TokenKey:
        return TokenKey.of(self._image, self._actions, credential, self._place)

    async def _with(
        self,
        send: Send,
        challenges: Sequence[Challenge],
        credential: Credential | None,
    ) -> Answer | None:
        """The answer to one credential; `None` if it fits no challenge, or is refused.

        A token that is refused is got anew once (3).
        """
        for challenge in challenges:
            header = await self._header(challenge, credential)
            if header is None:
                continue
            answer = await send(header.value)
            if answer.status in REFUSED and header.was_known:
                self._shared.tokens.drop(self._key(credential), header.token)
                header = await self._header(challenge, credential)
                if header is None:
                    continue
                answer = await send(header.value)
            if answer.status in REFUSED:
                self._shared.tokens.drop(self._key(credential), header.token)
            return answer
        return None

    async def _header(
        self, challenge: Challenge, credential: Credential | None
    ) -> _Header | None:
        """An `Authorization` for one credential; `None` if there can be none."""
        if challenge.scheme == "basic" and credential is not None:
            is_pair = bool(credential.username or credential.password)
            is_usable = is_pair and not credential.identity_token
            return _Header(credential.basic) if is_usable else None
        if challenge.scheme != "bearer":
            return None
        if credential is not None and credential.registry_token:
            token = credential.registry_token
            return _Header(f"Bearer {token}") if auth.is_sendable(token) else None
        known = self._shared.tokens.get(self._key(credential))
        token = known or await self._token(challenge, credential)
        return _Header(f"Bearer {token}", token, bool(known)) if token else None

    # Tokens ---------------------------------------------------------------------

    async def _token(self, challenge: Challenge, credential: Credential | None) -> str:
        """A new token; `""` if the credential is refused.

        Many who want the same wait for one request. If that has less time than we
        have, another one is made.
        """
        key = self._key(credential)
        runs = self._shared.tokens.runs
        while True:
            is_joined = key in runs
            try:
                return await runs.run(key, lambda: self._got(challenge, credential))
            except LookupFailedError as error:
                if not is_joined or error.reason != _TIMEOUT:
                    raise

    async def _got(self, challenge: Challenge, credential: Credential | None) -> str:
        host, key = self._image.host, self._key(credential)
        limits, policy = self._shared.limits, self._shared.policy
        asked = auth.token_request(
            challenge, key, credential, policy, most_bytes=limits.token_bytes
        )
        if asked is None:
            text = f"{host} names a token server that is not known to be its own"
            raise unavailable("RealmRefused", text)
        answer = await self._shared.sender.send(
            "token",
            asked,
            host=host,
            ends=self._ends,
            place=self._place,
            repository=self._image.repository,
        )
        if answer.status in _refusals(asked):
            return ""
        if answer.status != HTTPStatus.OK:
            text = f"the token server of {host} answered {answer.status}"
            raise unavailable("TokenError", text)
        read = auth.read_token(answer.body, answer.headers.get("date", ""))
        if read is None:
            raise unavailable("TokenError", f"the token server of {host} gave no token")
        token, seconds = read
        self._shared.tokens.put(key, token, seconds=seconds)
        return token


def _refusals(asked: Request) -> frozenset[HTTPStatus]:
    return _NO_EXCHANGE if asked.method == "POST" else REFUSED


def _answerable(answer: Answer) -> tuple[Challenge, ...]:
    """The challenges of a refusal that a credential can answer."""
    found = read_all(answer.challenges)
    return tuple(one for one in found if one.scheme in _SCHEMES)


def _essence(challenges: Sequence[Challenge]) -> list[tuple[str, str, str]]:
    return [one.essence for one in challenges]
