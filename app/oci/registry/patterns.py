"""Patterns of repositories, by the rules of the kubelet's `matchImages`.

    pattern := host-glob [ ":" port ] [ "/" path ]

* The host has as many parts as the image's, and each matches as a glob: `*.io` is
  `quay.io`, not `a.quay.io`.
* The port is equal; 443 and none are one, and where plain HTTP is spoken 80, too.
* The path is a prefix of the repository, as text: `team` is `team-b/app`, too, and
  `team/` is not.

Source: Kubernetes v1.35.4, `pkg/credentialprovider/keyring.go`, `URLsMatch`. Whoever
may create Pods must not get around a pattern by another spelling of one registry, so
that hosts are compared in lower case, addresses as addresses, ports as numbers, and
Docker Hub by any of its names.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from app.oci.credentials.glob import glob, is_glob
from app.oci.images.reference import DOCKER_HUB, Reference, authority

MAX_CHARACTERS: Final = 512

_HUB: Final = frozenset(
    {
        DOCKER_HUB,
        "index.docker.io",
        "registry-1.docker.io",
        "registry.hub.docker.com",
    }
)
_HTTPS: Final = "443"
_HTTP: Final = "80"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern, split.

    Attributes:
        host: a glob for each part, or an address in brackets.
        port: empty for HTTPS's own.
        path: prefix of a repository; empty for all.
    """

    host: str
    port: str
    path: str

    def matches(self, image: Reference, *, plain_http: bool = False) -> bool:
        """Whether the image's repository is one of these.

        Args:
            image: is asked for.
            plain_http: is what its registry speaks.
        """
        host, port = _split(image.domain)
        own = {"", _HTTP} if plain_http else {""}
        is_port = self.port == port or {self.port, port} <= own
        if not is_port or not image.repository.startswith(self.path):
            return False
        if ":" in self.host:
            return self.host == host  # an address
        patterns, parts = self.host.split("."), host.split(".")
        return len(patterns) == len(parts) and all(
            glob(one, part) for one, part in zip(patterns, parts, strict=True)
        )


def parse(text: str) -> Pattern:
    """Reads a pattern.

    Raises:
        ValueError: it is none; the message says what was expected.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"expected at most {MAX_CHARACTERS} characters")
    if "://" in text:
        raise ValueError(f"{text}: expected HOST[:PORT][/PATH] without a scheme")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"{text!r}: expected ASCII without spaces")
    place, _, path = text.partition("/")
    host, port = _split(place)
    if not host or (port and not port.isdigit()):
        raise ValueError(f"{text}: expected HOST[:PORT][/PATH]")
    if any(mark in path for mark in "*?[\\"):
        raise ValueError(f"{text}: a path is a prefix, and has no * in it")
    if ":" not in host and not all(map(_is_glob, host.split("."))):
        raise ValueError(f"{text}: expected a glob for each part of the host")
    return Pattern(host, port, path)


def _is_glob(part: str) -> bool:
    """Whether it is one that can match."""
    return bool(part) and "\\" not in part and is_glob(part)


def _split(place: str) -> tuple[str, str]:
    """Host and port, in the one spelling in which they are compared."""
    name = authority(place)
    host, colon, port = name.rpartition(":")
    if not colon or (name.startswith("[") and name.endswith("]")):
        host, port = name, ""
    if host in _HUB:
        host = DOCKER_HUB
    if ":" in host:
        try:
            address = ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            return "", ""
        # `[::ffff:c000:205]` is connected to as 192.0.2.5.
        host = str(address.ipv4_mapped or f"[{address}]")
    return host, "" if port == _HTTPS else port
