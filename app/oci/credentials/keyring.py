"""Credentials, matched with images as the kubelet matches them.

The rules of `pkg/credentialprovider` at Kubernetes v1.35.4:

1. An entry's key loses its scheme and a leading `/v1/` or `/v2/` of its path; a
   path that is then empty leaves the host alone.
2. Keys are tried in reverse order as texts, so that longer ones come first; every
   entry that matches is a candidate, to be tried in that order.
3. A key matches an image's name if the ports are equal, the hosts have equally
   many parts and each matches as a glob (`filepath.Match`), and the key's path is
   a prefix, as text, of the repository's.
4. An image of Docker Hub that nothing matches gets the entry `index.docker.io`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from app.oci.credentials.glob import glob
from app.oci.reference import DOCKER_HUB, Reference

_HUB_KEY: Final = "index.docker.io"


@dataclass(frozen=True, slots=True)
class Credential:
    """What opens a registry; nothing of it is ever shown.

    Attributes:
        username: with `password`, for Basic and for token servers.
        password: empty where one of the tokens stands instead.
        identity_token: exchanged for a token by the token server (OAuth2's
            `refresh_token`); empty for none.
        registry_token: sent to the registry as it is; empty for none.
    """

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of an `Authorization` header."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    @property
    def fingerprint(self) -> str:
        """Tells credentials apart without keeping them in another place."""
        parts = (
            self.username,
            self.password,
            self.identity_token,
            self.registry_token,
        )
        digest = hashlib.sha256()
        for part in parts:
            content = part.encode(errors="surrogatepass")
            digest.update(len(content).to_bytes(8, "big") + content)
        return digest.hexdigest()


Ring: TypeAlias = tuple[Credential, ...]
"""What a Pod's own secrets offer for one image, in the order in which to try it."""


def fingerprint(ring: Ring) -> str:
    """Of a whole ring; `""` for none: what it earned serves nobody else."""
    return ".".join(one.fingerprint for one in ring)


class Offers(Protocol):
    """The operator's own credentials, which serve every Pod."""

    def offers(self, image: Reference) -> AsyncIterator[Credential]:
        """What to try for an image after the Pod's own, in order.

        The next one is got only if those before were refused. Raises nothing: a
        source that fails offers nothing, and says so to its observer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A key, normalised, and what it opens."""

    host: str
    port: str
    path: str
    credential: Credential

    @classmethod
    def of(cls, key: str, credential: Credential) -> Entry:
        """An entry of a Docker config file (1)."""
        address = key.partition("://")[2] if "://" in key else key
        authority, slash, rest = address.partition("/")
        path = slash + rest
        if path.startswith(("/v1/", "/v2/")):
            path = path[3:]
        host, port = _split_port(authority)
        return cls(host, port, "" if path == "/" else path, credential)

    @property
    def key(self) -> str:
        """The key as it is ordered."""
        port = f":{self.port}" if self.port else ""
        return f"{self.host}{port}{self.path}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """Entries in the order in which they are tried."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Keyring:
        """Orders entries; those with one key stay in their order."""
        return cls(tuple(sorted(entries, key=lambda one: one.key, reverse=True)))

    def lookup(self, image: Reference) -> tuple[Credential, ...]:
        """What to try for an image, in order; empty for nothing."""
        host, port = _split_port(image.domain)
        path = f"/{image.repository}"
        found = [
            entry.credential
            for entry in self.entries
            if entry.port == port
            and path.startswith(entry.path)
            and matches_host(entry.host, host)
        ]
        if not found and image.domain == DOCKER_HUB:
            found = [e.credential for e in self.entries if e.key == _HUB_KEY]
        return tuple(dict.fromkeys(found))

    async def offers(self, image: Reference) -> AsyncIterator[Credential]:
        """See `Offers`."""
        for credential in self.lookup(image):
            yield credential


NOTHING: Final = Keyring()
"""Opens nothing."""


def _split_port(authority: str) -> tuple[str, str]:
    """As Go's `net.SplitHostPort`: an address loses its brackets with its port."""
    host, colon, port = authority.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], port
    if not colon or ":" in host:
        return authority, ""
    return host, port


def matches_host(pattern: str, host: str) -> bool:
    """Part by part, each as a glob (3)."""
    patterns, parts = pattern.split("."), host.split(".")
    return len(patterns) == len(parts) and all(
        glob(one, part) for one, part in zip(patterns, parts, strict=True)
    )
