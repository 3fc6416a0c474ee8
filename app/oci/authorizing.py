"""Which credential a registry accepts for one repository.

1. A header that worked before is sent again.
2. Else what the registry accepts (its challenge) is taken from memory, or asked for
   with a request without a credential.
3. The credentials are tried in order until one is not refused: those of the Pod
   that wants the image, then the operator's own, then none.

What a registry accepts is remembered for a while, so that another repository of it
costs a token and no refusal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final, TypeAlias

from app.oci import auth
from app.oci.auth import Challenge
from app.oci.credentials import Credential, Keyring
from app.oci.failure import unavailable
from app.oci.reference import Reference
from app.oci.shared import Shared
from app.oci.transport import Answer, Request

REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
PULL: Final = "pull"
"""Actions on a repository, as the scope of a token names them."""

MAX_CREDENTIALS: Final = 8
"""Tried for one question; each may cost two requests."""

_BASIC_SECONDS: Final = 3600.0
_CHALLENGE_SECONDS: Final = 600.0

Send: TypeAlias = Callable[[str], Awaitable[Answer]]
"""Sends the request with this `Authorization`; `""` for none."""


class Authorizer:
    """Finds the credential that one repository takes, until a deadline.

    Args:
        shared: what lookups share.
        image: whose repository it is.
        keyring: of the Pod that wants it.
        ends: the deadline, on `shared.clock`.
        actions: on the repository, as a token's scope names them.
    """

    def __init__(
        self,
        shared: Shared,
        image: Reference,
        keyring: Keyring,
        *,
        ends: float,
        actions: str = PULL,
    ) -> None:
        self._shared: Final = shared
        self._image: Final = image
        self._ends: Final = ends
        self._actions: Final = actions
        self._ring: Final = keyring.lookup(image)[:MAX_CREDENTIALS]

    async def ask(self, send: Send) -> Answer:
        """The answer for the first credential that is accepted, else a refusal.

        Raises:
            LookupFailedError: no answer comes, or no token where there should be one.
        """
        async for credential in self._credentials():
            known = self._shared.tokens.get(*self._key(credential))
            if known:
                answer = await send(known)
                if answer.status not in REFUSED:
                    return answer
                self._shared.tokens.drop(*self._key(credential))
        host = self._image.host
        remembered = self._shared.challenges.get(host)
        if remembered is not None:
            accepted = await self._authorized(send, remembered)
            if accepted is not None:
                return accepted
        answer = await send("")
        challenges = auth.read_all(answer.challenges)
        if answer.status not in REFUSED or challenges == remembered:
            return answer
        accepted = await self._authorized(send, challenges)
        if accepted is None:
            return answer
        self._shared.challenges.put(
            host,
            challenges,
            seconds=_CHALLENGE_SECONDS,
            content_bytes=sum(map(len, answer.challenges)),
        )
        return accepted

    async def _credentials(self) -> AsyncIterator[Credential | None]:
        """What to try, in order; `None` is none, and the last."""
        for credential in self._ring:
            yield credential
        left = MAX_CREDENTIALS - len(self._ring)
        async for credential in self._shared.operator.offers(self._image):
            if left <= 0:
                break
            left -= 1
            yield credential
        yield None

    def _key(self, credential: Credential | None) -> tuple[str, str, Credential | None]:
        return self._image.host, self._image.repository, credential

    async def _authorized(
        self, send: Send, challenges: Sequence[Challenge]
    ) -> Answer | None:
        """The answer to the first credential that is accepted; `None` if none is."""
        async for credential in self._credentials():
            header = await self._header(challenges, credential)
            if header is None:
                continue
            value, seconds = header
            answer = await send(value)
            if answer.status not in REFUSED:
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
        answer = await self._shared.sender.send(
            "token", Request("GET", url, headers, most), host=host, ends=self._ends
        )
        if answer.status in REFUSED:
            return None
        if answer.status != HTTPStatus.OK:
            text = f"the token server of {host} answered {answer.status}"
            raise unavailable("TokenError", text)
        token = auth.read_token(answer.body)
        if token is None:
            raise unavailable("TokenError", f"the token server of {host} gave no token")
        return token
