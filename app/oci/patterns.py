"""Patterns of repositories, by the rules of the kubelet's `matchImages`.

    pattern := host-glob [ ":" port ] [ "/" path ]

* The host has as many parts as the image's, and each matches as a glob: `*.io` is
  `quay.io`, not `a.quay.io`.
* The port is equal; 443 and none are one.
* The path is a prefix of the repository, as text: `team` is `team-b/app`, too, and
  `team/` is not.

Source: Kubernetes v1.35.4, `pkg/credentialprovider/keyring.go`, `URLsMatch`. Whoever
may create Pods must not get around a pattern by another spelling of one registry, so
that hosts are compared in lower case, addresses as addresses, and Docker Hub by any
of its names.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from app.oci.credentials.glob import glob, is_glob
from app.oci.reference import DOCKER_HUB, Reference

MAX_CHARACTERS: Final = 512

_HUB: Final = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_HTTPS: Final = "443"


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

    def matches(self, image: Reference) -> bool:
        """Whether the image's repository is one of these."""
        host, port = _split(image.domain.lower())
        if self.port != port or not image.repository.startswith(self.path):
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
    authority, _, path = text.partition("/")
    host, port = _split(authority.lower())
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


def _split(authority: str) -> tuple[str, str]:
    """Host and port, in the one spelling in which they are compared."""
    host, colon, port = authority.rpartition(":")
    if not colon or (authority.startswith("[") and authority.endswith("]")):
        host, port = authority, ""
    if host in _HUB:
        host = DOCKER_HUB
    if ":" in host:
        try:
            host = f"[{ipaddress.IPv6Address(host[1:-1])}]"
        except ValueError:
            return "", ""
    return host, "" if port == _HTTPS else port
