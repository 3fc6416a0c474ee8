"""Which ways lead to an image, in the order in which they are asked.

The folder of mirrors has one folder for each registry, found as containerd finds it:
for `r.example:5000` it is `r.example_5000_`, else `r.example:5000`, else `_default`.
A registry without one is asked itself.

Source: containerd at commit 301026e58c61, `config_unix.go` (`hostPaths`), `hosts.go`
(`hostDirectory`, `ConfigureHosts`) and `docker/registry.go` (`isProxy`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlencode

from app.oci.credentials import Keyring, fingerprint
from app.oci.images.reference import DOCKER_HUB, HUB_API, Reference
from app.oci.registry.guard import RegistryPolicy
from app.oci.ways.hosts_toml import Host
from app.oci.ways.trust import Material
from app.oci.ways.way import Way, upstream

DEFAULT: Final = "_default"
_LIST: Final = frozenset({"referrers", "resolve"})


class Observer(Protocol):
    """Is told which hosts are passed over."""

    def passed_over(self, host: str, reason: str) -> None:
        """A mirror did not answer, and another host is asked; `""`: it did."""
        ...


class Silent:
    """Tells nobody."""

    def passed_over(self, host: str, reason: str) -> None:
        """See `Observer`."""


@dataclass(frozen=True, slots=True)
class Configured:
    """A host of a `hosts.toml`, with the content of the files that it names.

    Attributes:
        host: as the file says.
        trust: of its files; `None` if it says nothing about TLS.
    """

    host: Host
    trust: Material | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """All ways that the operator configured.

    Attributes:
        folders: name of a folder of mirrors -> its hosts, the server last.
        observer: is told which are passed over.
    """

    folders: Mapping[str, tuple[Configured, ...]] = field(default_factory=dict)
    observer: Observer = field(default_factory=Silent, compare=False)

    def of(self, image: Reference, policy: RegistryPolicy) -> tuple[Way, ...]:
        """The ways to an image; the last is its registry, or what stands for it."""
        own = upstream(image, policy)
        hosts = self._hosts(image)
        if not hosts:
            return (own,)
        last = len(hosts) - 1
        return tuple(
            _way(one, image, own, is_upstream=at == last)
            for at, one in enumerate(hosts)
        )

    def name(self, image: Reference) -> bool:
        """Whether a folder is of the image's registry, not of all."""
        found = folders(image.domain)
        return any(one in self.folders for one in found if one != DEFAULT)

    def rings(self, image: Reference, keyring: Keyring) -> str:
        """What a Pod's secrets offer on all ways of an image; `""` for nothing."""
        if not keyring.entries:
            return ""
        if not self._hosts(image):
            return fingerprint(keyring.lookup(image))
        named = (way.named(image) for way in self.of(image, RegistryPolicy()))
        prints = [fingerprint(keyring.lookup(one)) for one in named]
        return "|".join(prints) if any(prints) else ""

    def _hosts(self, image: Reference) -> tuple[Configured, ...]:
        for name in folders(image.domain):
            found = self.folders.get(name)
            if found is not None:
                return found
        return ()


def folders(domain: str) -> tuple[str, ...]:
    """Where a registry's `hosts.toml` is looked for, in this order."""
    host, colon, port = domain.rpartition(":")
    if colon and host:
        return f"{host}_{port}_", domain, DEFAULT
    return domain, DEFAULT


def _way(one: Configured, image: Reference, own: Way, *, is_upstream: bool) -> Way:
    host = one.host
    if not host.host:
        return Way(
            own.scheme,
            own.host,
            headers=host.headers,
            trust=one.trust,
            connect_seconds=host.dial_seconds,
        )
    is_own = host.host in {image.domain, own.host}
    return Way(
        host.scheme,
        HUB_API if host.host == DOCKER_HUB else host.host,
        host.prefix,
        headers=host.headers,
        query="" if is_own else urlencode({"ns": image.domain}),
        can_resolve={"pull", "resolve"} <= host.capabilities,
        can_pull="pull" in host.capabilities,
        can_list="pull" in host.capabilities and bool(host.capabilities & _LIST),
        is_upstream=is_upstream,
        trust=one.trust,
        connect_seconds=host.dial_seconds,
    )
