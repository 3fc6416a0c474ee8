"""Challenges and tokens.

A registry says with `WWW-Authenticate` what it wants; we decide what it gets:

* The scope is ours (`repository:<name>:pull`), never the challenge's.
* A token server must be the registry's host, one of a built-in table, or one that
  the operator lists for that registry; with a registry on HTTPS it must be too.
* A token is kept for one registry, repository and credential, and until 10 s
  before it expires (half its time, if that is shorter).

Source: RFC 7235 (challenges), distribution `docs/spec/auth/token.md`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from app.oci.cache import TimedCache
from app.oci.credentials import Credential
from app.oci.guard import RegistryPolicy

REALMS: Final[Mapping[str, frozenset[str]]] = {
    "registry-1.docker.io": frozenset({"auth.docker.io"}),
    "registry.gitlab.com": frozenset({"gitlab.com"}),
}
"""Registry host -> token servers elsewhere that are known to be its own."""

DEFAULT_SECONDS: Final = 60
"""A token without `expires_in` (token.md)."""

MAX_CHALLENGES: Final = 8
"""More than registries send; each may cost a request for a token."""

MAX_TOKEN_BYTES: Final = 16 << 20

_EARLY_SECONDS: Final = 10
_MAX_SECONDS: Final = 3600

_SCHEME: Final = re.compile(r"\s*(?:,\s*)?([A-Za-z][\w-]*)(?=[\s,]|$)", re.ASCII)
_PARAM: Final = re.compile(
    r'\s*(?:,\s*)?([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))',
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One thing that a registry accepts.

    Attributes:
        scheme: in lower case (`basic`, `bearer`).
        parameters: name in lower case -> value.
    """

    scheme: str
    parameters: Mapping[str, str]


def read_all(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """The first `MAX_CHALLENGES` of all `WWW-Authenticate` headers of an answer."""
    found = (one for header in headers for one in read_challenges(header))
    return tuple(islice(found, MAX_CHALLENGES))


def read_challenges(header: str) -> tuple[Challenge, ...]:
    """The challenges of a `WWW-Authenticate` header; what is none is left out."""
    found: list[Challenge] = []
    at = 0
    while True:
        scheme = _SCHEME.match(header, at)
        if scheme is None:
            return tuple(found)
        at = scheme.end()
        parameters: dict[str, str] = {}
        while (param := _PARAM.match(header, at)) is not None:
            quoted = re.sub(r"\\(.)", r"\1", param[2] or "")
            parameters.setdefault(param[1].lower(), param[3] or quoted)
            at = param.end()
        found.append(Challenge(scheme[1].lower(), parameters))


def token_url(
    challenge: Challenge, host: str, repository: str, policy: RegistryPolicy
) -> str | None:
    """Where to ask for a token; `None` if the realm is none that we trust.

    Args:
        challenge: of the bearer scheme.
        host: of the registry, with its port if it has one.
        repository: that we want to read.
        policy: what the operator allows.
    """
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
    trusted |= policy.realms.get(host, frozenset())
    is_same_host = secure and parts.hostname == urlsplit(f"//{host}").hostname
    if not (authority in trusted or is_same_host):
        return None
    if "@" in authority or parts.fragment:
        return None
    query = {"scope": f"repository:{repository}:pull"}
    service = challenge.parameters.get("service")
    if service:
        query["service"] = service
    mark = "&" if parts.query else "?"
    return f"{realm}{mark}{urlencode(query)}"


class _Token(msgspec.Struct):
    token: str | None = None
    access_token: str | None = None
    expires_in: float | None = None


def read_token(content: bytes) -> tuple[str, float] | None:
    """A token and the seconds it lasts; `None` if the answer holds none."""
    try:
        answer = msgspec.json.decode(content, type=_Token)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    token = answer.token or answer.access_token
    if not token or not token.isascii() or not token.isprintable():
        return None
    lasts = answer.expires_in or DEFAULT_SECONDS
    return token, min(max(lasts, 0), _MAX_SECONDS)


class TokenCache:
    """Authorization headers that worked, by registry, repository and credential."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._known: TimedCache[tuple[str, str, str], str] = TimedCache(
            clock, most_bytes=MAX_TOKEN_BYTES
        )

    def get(self, host: str, repository: str, credential: Credential | None) -> str:
        """The header's value; `""` for none that still holds."""
        return self._known.get((host, repository, _fingerprint(credential))) or ""

    def put(
        self,
        host: str,
        repository: str,
        credential: Credential | None,
        *,
        value: str,
        seconds: float,
    ) -> None:
        """Keeps a header until shortly before it expires."""
        self._known.put(
            (host, repository, _fingerprint(credential)),
            value,
            seconds=max(seconds - _EARLY_SECONDS, seconds / 2),
            content_bytes=len(value),
        )

    def drop(self, host: str, repository: str, credential: Credential | None) -> None:
        """Forgets a header that is no longer accepted."""
        self._known.drop((host, repository, _fingerprint(credential)))


def _fingerprint(credential: Credential | None) -> str:
    return credential.fingerprint if credential is not None else ""
