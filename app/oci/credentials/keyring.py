"""Credentials, matched with images as the kubelet matches them.

The rules of `pkg/credentialprovider` at Kubernetes v1.35.4
(`keyring.go`, `BasicDockerKeyring`):

1. An entry's key is read as a URL (`address`); one that is none is left out. It
   loses its scheme and a leading `/v1` or `/v2` before another slash; a path that is
   then empty leaves the host alone.
2. Keys are tried in reverse order as texts, so that longer ones come first; every
   entry that matches is a candidate, and those with one key stay in their order.
3. A key matches an image's name if the ports are equal, the hosts have equally
   many parts and each matches as a glob (`filepath.Match`), and the key's path is
   a prefix, as text, of the repository's.
4. An image of the default registry that nothing matches gets the entry
   `index.docker.io`. To the kubelet that is Docker Hub, and any registry whose name
   is one word without a port (`localhost`).
5. An entry without a credential matches like any other, and offers nothing: so it
   can keep (4) away.

Here a credential that several keys give is tried once.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from app.oci.credentials import address
from app.oci.credentials.glob import glob
from app.oci.images.reference import DOCKER_HUB, MAX_CHARACTERS, Reference

_HUB_KEY: Final = "index.docker.io"
_STARS: Final = re.compile(r"\*\*+")
_MOST_CHARACTERS: Final = 2 * MAX_CHARACTERS + 1
"""No image matches a host or a path that is longer, with a star at every place."""


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
    """A key, normalised, and what it opens.

    Attributes:
        key: as it is ordered: host, port and path.
        host: parts with globs, and dots between them.
        port: empty for none.
        path: a prefix; empty for every path.
        credential: one without a text opens nothing.
    """

    key: str
    host: tuple[str, ...]
    port: str
    path: str
    credential: Credential

    @classmethod
    def of(cls, key: str, credential: Credential) -> Entry | None:
        """An entry of a Docker config file (1); `None` for one that counts nowhere."""
        given = address.read(key)
        if given is None:
            return None
        path = given.path
        if path.startswith(("/v1/", "/v2/")):
            path = path[3:]
        normal = given.host if path == "/" else f"{given.host}{path}"
        # As `Lookup` does: what is decoded by now is read once more.
        return cls.as_written(normal, credential)

    @classmethod
    def as_written(cls, key: str, credential: Credential) -> Entry | None:
        """The same for a key that is normal: without (1), as `matchImages` are read."""
        read = address.read(f"https://{key}")
        if read is None:
            return None
        host, port = _split_port(_STARS.sub("*", read.host))
        if max(len(host), len(read.path)) > _MOST_CHARACTERS:
            return None
        return cls(key, tuple(host.split(".")), port, read.path, credential)

    def matches(self, host: Sequence[str], port: str, path: str) -> bool:
        """Whether it is for a repository (3).

        Args:
            host: the parts of the registry's name.
            port: of the registry; empty for none.
            path: the repository, with a slash before it.
        """
        return (
            self.port == port
            and len(self.host) == len(host)
            and path.startswith(self.path)
            and all(map(glob, self.host, host))
        )


@dataclass(frozen=True, slots=True)
class Keyring:
    """Entries in the order in which they are tried."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Entry | None]) -> Keyring:
        """Orders entries (2)."""
        counted = (one for one in entries if one is not None)
        return cls(tuple(sorted(counted, key=lambda one: one.key, reverse=True)))

    def lookup(self, image: Reference) -> Ring:
        """What to try for an image, in order; empty for nothing."""
        return self._found(image, is_default=_is_default(image.domain))

    async def offers(self, image: Reference) -> AsyncIterator[Credential]:
        """See `Offers`.

        What serves every Pod does not go where a Pod's author only has to find a name
        of one word: of (4) just Docker Hub counts.
        """
        for credential in self._found(image, is_default=image.domain == DOCKER_HUB):
            yield credential

    def _found(self, image: Reference, *, is_default: bool) -> Ring:
        name, port = _split_port(image.domain)
        host, path = name.split("."), f"/{image.repository}"
        found = [one for one in self.entries if one.matches(host, port, path)]
        if not found and is_default:
            found = [one for one in self.entries if one.key == _HUB_KEY]
        offered = (one.credential for one in found)
        return tuple(dict.fromkeys(one for one in offered if one != _NONE))


NOTHING: Final = Keyring()
"""Opens nothing."""

_NONE: Final = Credential()


def _is_default(domain: str) -> bool:
    """`isDefaultRegistryMatch`, for names as a `Reference` has them (4)."""
    return domain == DOCKER_HUB or not ("." in domain or ":" in domain)


def _split_port(authority: str) -> tuple[str, str]:
    """As Go's `net.SplitHostPort`: an address loses its brackets with its port."""
    host, colon, port = authority.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], port
    if not colon or ":" in host:
        return authority, ""
    return host, port
