"""Image references, read as the kubelet reads them.

The grammar is that of `github.com/distribution/reference` v0.6.0, which the
kubelet uses (`ParseDockerRef`):

    reference := name [ ":" tag ] [ "@" digest ]
    name      := [ domain "/" ] component *( "/" component )

* The first component is a domain if it holds `.` or `:`, is `localhost`, or has
  an upper case letter; else the domain is `docker.io`.
* One component on docker.io gets `library/` before it.
* Neither tag nor digest means `latest`; of both the digest counts.

Input is hostile: what does not match whole is refused, so that nothing of a
reference can reach a URL but letters, digits and `._-:/@[]`.

A registry has several spellings: letters of both cases, zeros before the port, which
Go's dialer takes for the number (`:0443`), addresses with more or fewer zeros.
Credentials see the one that was written, as the kubelet's do; everything else sees
`Reference.host`, which is the same for all of them.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from app.errors import RegistryError
from app.oci.images.digest import Digest

MAX_CHARACTERS: Final = 1024
"""Longer than any valid reference: 255 for the repository, 128 for the tag."""

MAX_REPOSITORY_CHARACTERS: Final = 255

DOCKER_HUB: Final = "docker.io"
HUB_API: Final = "registry-1.docker.io"
_HUB_NAMES: Final = frozenset({DOCKER_HUB, f"index.{DOCKER_HUB}"})

_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN: Final = re.compile(
    rf"(?:{_PART}(?:\.{_PART})*|\[(?P<address>[a-fA-F0-9:]+)\])"
    r"(?::(?P<port>[0-9]+))?",
    re.ASCII,
)
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"[\w][\w.-]{0,127}"
_REST: Final = re.compile(
    rf"(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    rf"(?::(?P<tag>{_TAG}))?(?:@(?P<digest>[^@]+))?",
    re.ASCII,
)
_MAX_PORT: Final = 65535
_IDENTIFIER: Final = re.compile(r"[a-f0-9]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """An image, named without doubt.

    Attributes:
        domain: the registry as credentials know it (`docker.io`, `r.example:5000`).
        repository: path on that registry (`library/nginx`).
        tag: `None` where the digest counts.
        digest: `None` where the tag counts.
    """

    domain: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @property
    def host(self) -> str:
        """Where the registry's API is, with its port if one is given."""
        return api_host(self.domain)

    @property
    def name(self) -> str:
        """Domain and repository, as credentials are matched."""
        return f"{self.domain}/{self.repository}"

    @property
    def wanted(self) -> str:
        """Tag or digest, as manifests are asked for."""
        return str(self.digest) if self.digest is not None else self.tag or "latest"

    def __str__(self) -> str:
        mark = "@" if self.digest is not None else ":"
        return f"{self.name}{mark}{self.wanted}"


def parse(text: str) -> Reference:
    """Reads a reference as it stands in a Pod.

    Raises:
        RegistryError: it is none; the reason is `InvalidReference`.
    """
    if len(text) > MAX_CHARACTERS:
        raise _invalid(f"longer than {MAX_CHARACTERS} characters")
    if _IDENTIFIER.fullmatch(text):
        raise _invalid("64 hexadecimal digits are an identifier, not a name")
    domain, rest = _split(text)
    if not _is_host(domain):
        raise _invalid("the registry's name is not a host")
    match = _REST.fullmatch(rest)
    if match is None:
        raise _invalid("expected [REGISTRY/]REPOSITORY[:TAG][@DIGEST] in lower case")
    if len(match["path"]) > MAX_REPOSITORY_CHARACTERS:
        raise _invalid(f"its name is over {MAX_REPOSITORY_CHARACTERS} characters")
    if match["digest"] is None:
        return Reference(domain, match["path"], tag=match["tag"] or "latest")
    digest = Digest.parse(match["digest"])
    if digest is None:
        raise _invalid("expected a digest as sha256:<64 hex> or sha512:<128 hex>")
    return Reference(domain, match["path"], digest=digest)


def api_host(domain: str) -> str:
    """Where a registry's API is, by any name of Docker Hub, as `authority` has it."""
    name = authority(domain)
    return HUB_API if name in _HUB_NAMES else name


def authority(text: str) -> str:
    """A host with its port, if any, in the one spelling of all that mean the same.

    What is neither host nor port is only put into lower case.
    """
    text = text.lower()
    host, colon, port = text.rpartition(":")
    if not (colon and port.isascii() and port.isdigit()):
        host, port = text, ""
    if host.startswith("[") and host.endswith("]"):
        with suppress(ValueError):
            host = f"[{ipaddress.IPv6Address(host[1:-1])}]"
    return f"{host}:{port.lstrip('0') or '0'}" if port else host


def is_tag(text: str) -> bool:
    """Whether `text` can be a tag."""
    return re.fullmatch(_TAG, text, re.ASCII) is not None


def _split(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    if not slash:
        return DOCKER_HUB, f"library/{text}"
    is_domain = (
        any(mark in first for mark in ".:")
        or first == "localhost"
        or first.lower() != first
    )
    if not is_domain:
        return DOCKER_HUB, text
    if first not in (DOCKER_HUB, f"index.{DOCKER_HUB}"):
        return first, rest
    return DOCKER_HUB, rest if "/" in rest else f"library/{rest}"


def _is_host(domain: str) -> bool:
    """The grammar's domain, and one that can be asked: Go checks that later."""
    match = _DOMAIN.fullmatch(domain)
    if match is None or int(match["port"] or 0) > _MAX_PORT:
        return False
    if match["address"] is None:
        return True
    try:
        ipaddress.IPv6Address(match["address"])
    except ValueError:
        return False
    return True


def _invalid(why: str) -> RegistryError:
    return RegistryError("InvalidReference", f"not an image reference: {why}")
