"""Tokens: where to ask for one, how long it holds, and whom it serves.

A registry says with its challenge what it wants; we decide what it gets:

* The scope is ours (`repository:<name>:<actions>`), never the challenge's.
* A token server must be the registry's host, one of a built-in table, or one that
  the operator lists for that registry; with a registry on HTTPS it must be too.
* A user and a password are sent with GET; an identity token is exchanged by POST
  (OAuth2's `refresh_token` grant).
* A token is kept for one registry (each that a mirror stands for is one), repository,
  set of actions and credential, and until 10 s before it expires (half its time, if
  that is shorter).

Source: distribution `docs/spec/auth/token.md`, `docs/spec/auth/oauth.md`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from app.oci.cache import TimedCache
from app.oci.credentials import Credential
from app.oci.images.reference import Reference
from app.oci.joining import Joined
from app.oci.registry.challenges import Challenge
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.transport import Request

__all__ = [
    "Challenge",
    "TokenCache",
    "TokenKey",
    "Worked",
    "is_sendable",
    "read_token",
    "token_request",
]

REALMS: Final[Mapping[str, frozenset[str]]] = {
    "registry-1.docker.io": frozenset({"auth.docker.io"}),
    "registry.gitlab.com": frozenset({"gitlab.com"}),
}
"""Registry host -> token servers elsewhere that are known to be its own."""

DEFAULT_SECONDS: Final = 60
"""A token without `expires_in` (token.md)."""

MAX_TOKEN_BYTES: Final = 16 << 20

_EARLY_SECONDS: Final = 10
_MAX_SECONDS: Final = 3600

_WORKED_SECONDS: Final = 300.0
_WORKED_BYTES: Final = 16 << 20
_CLIENT: Final = "imagecompat"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """What a token is for, and whose it is.

    Attributes:
        host: of the registry, with its port if it has one.
        repository: on that registry.
        actions: on the repository, as a scope names them.
        owner: fingerprint of the credential that earned it; `""` for none.
        place: tells apart what one host serves (`Way.place`).
    """

    host: str
    repository: str
    actions: str
    owner: str = ""
    place: str = ""

    @classmethod
    def of(
        cls,
        image: Reference,
        actions: str,
        credential: Credential | None,
        place: str = "",
    ) -> TokenKey:
        """For an image's repository."""
        owner = credential.fingerprint if credential is not None else ""
        return cls(image.host, image.repository, actions, owner, place)

    @property
    def scope(self) -> str:
        """As a token server is asked for it."""
        return f"repository:{self.repository}:{self.actions}"


def token_request(
    challenge: Challenge,
    key: TokenKey,
    credential: Credential | None,
    policy: RegistryPolicy,
    *,
    most_bytes: int,
) -> Request | None:
    """How to ask for a token; `None` if the realm is none that we trust.

    Args:
        challenge: of the bearer scheme.
        key: of the token.
        credential: that is to earn it; `None` for none.
        policy: what the operator allows.
        most_bytes: of the answer.
    """
    realm = _realm(challenge, key.host, policy)
    if realm is None:
        return None
    service = challenge.parameters.get("service", "")
    if credential is not None and credential.identity_token:
        form = {
            "grant_type": "refresh_token",
            "service": service or key.host,
            "client_id": _CLIENT,
            "scope": key.scope,
            "refresh_token": credential.identity_token,
        }
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form).encode()
        return Request("POST", realm, kind, most_bytes, body=body)
    query = {"scope": key.scope} | ({"service": service} if service else {})
    mark = "&" if urlsplit(realm).query else "?"
    headers = {"Authorization": credential.basic} if credential is not None else {}
    return Request("GET", f"{realm}{mark}{urlencode(query)}", headers, most_bytes)


def _realm(challenge: Challenge, host: str, policy: RegistryPolicy) -> str | None:
    """The token server's URL; `None` if it is none that we trust."""
    realm = challenge.parameters.get("realm", "")
    try:
        parts = urlsplit(realm)
        authority = parts.netloc
    except ValueError:
        return None
    secure = parts.scheme == "https"
    if not secure and not (parts.scheme == "http" and policy.of(host).plain_http):
        return None
    trusted = {host} | REALMS.get(host, frozenset())
    trusted |= policy.token_servers(host)
    is_same_host = secure and parts.hostname == urlsplit(f"//{host}").hostname
    if not (authority in trusted or is_same_host):
        return None
    if "@" in authority or parts.fragment:
        return None
    return realm


class _Token(msgspec.Struct):
    token: str | None = None
    access_token: str | None = None
    expires_in: float | None = None
    issued_at: str | None = None


def read_token(content: bytes, date: str = "") -> tuple[str, float] | None:
    """A token and the seconds it lasts; `None` if the answer holds none.

    Args:
        content: of the answer.
        date: of the answer, from its header; `""` where there is none. By the token
            server's own clock, so that ours may be wrong, `issued_at` says how old
            the token is.
    """
    try:
        answer = msgspec.json.decode(content, type=_Token)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    token = answer.token or answer.access_token
    if not token or not is_sendable(token):
        return None
    lasts = (answer.expires_in or DEFAULT_SECONDS) - _age(answer.issued_at, date)
    return token, min(max(lasts, 0), _MAX_SECONDS)


def _age(issued_at: str | None, date: str) -> float:
    """How old a token was when it was sent, in seconds; 0 where nobody says."""
    if not issued_at or not date:
        return 0.0
    try:
        issued = msgspec.convert(issued_at, datetime)
        age = (parsedate_to_datetime(date) - issued).total_seconds()
    except (msgspec.ValidationError, ValueError, TypeError, OverflowError):
        return 0.0
    return max(age, 0.0)


def is_sendable(token: str) -> bool:
    """Whether a token may stand in a header."""
    return token.isascii() and token.isprintable() and " " not in token


@dataclass(frozen=True, slots=True)
class Worked:
    """What a registry accepted.

    Attributes:
        credential: `None` for none.
    """

    credential: Credential | None


class TokenCache:
    """Tokens, and which credential worked; both bounded in bytes and time.

    Attributes:
        runs: requests for tokens under way: one for all who want the same.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._known: Final[TimedCache[TokenKey, str]] = TimedCache(
            clock, most_bytes=MAX_TOKEN_BYTES
        )
        self._worked: Final[TimedCache[tuple[TokenKey, str], Worked]] = TimedCache(
            clock, most_bytes=_WORKED_BYTES
        )
        self.runs: Final[Joined[TokenKey, str]] = Joined()

    def get(self, key: TokenKey) -> str:
        """The token; `""` for none that still holds."""
        return self._known.get(key) or ""

    def put(self, key: TokenKey, token: str, *, seconds: float) -> None:
        """Keeps a token until shortly before it expires."""
        self._known.put(
            key,
            token,
            seconds=max(seconds - _EARLY_SECONDS, seconds / 2),
            content_bytes=len(token),
        )

    def drop(self, key: TokenKey, token: str) -> None:
        """Forgets a token that is refused, but not one that came after it."""
        if self._known.get(key) == token:
            self._known.drop(key)

    def worked(self, key: TokenKey, ring: str) -> Worked | None:
        """What a repository accepted; `None` if nothing is known.

        Args:
            key: of the repository, without an owner.
            ring: fingerprint of the Pod's own credentials.
        """
        return self._worked.get((key, ring))

    def remember(self, key: TokenKey, ring: str, credential: Credential | None) -> None:
        """What to try first the next time; arguments as for `worked`."""
        self._worked.put(
            (key, ring),
            Worked(credential),
            seconds=_WORKED_SECONDS,
            content_bytes=len(ring),
        )
