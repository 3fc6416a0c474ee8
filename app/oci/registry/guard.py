"""Where we connect to: image references are anybody's input.

Every address is checked after name resolution, and the connection is made to the
checked address, so that a name cannot point elsewhere a moment later. Addresses
that a process on a node or in a cloud trusts by position are refused for every
host: link-local ones (the metadata service), the API server, and the like.
Private ranges and loopback need the operator's word for that host.

Behind a proxy it is the proxy that resolves names. There is no address to check then,
so that names which lead inside by their form need the operator's word instead; from
which addresses others are kept is for the proxy's own rules to say.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from app.oci.images.reference import Reference
from app.oci.registry.patterns import Pattern

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA: Final = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")
)
"""Metadata services of clouds, some outside the link-local range."""

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

_PRIVATE: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
    )
)
"""What `HostPolicy.private` opens: RFC 1918, RFC 6598 (carriers, and Pod networks
of clouds) and RFC 4193. Other ranges that are not global stay closed."""


_CLOSED: Final = tuple(
    ipaddress.ip_network(text) for text in ("192.0.0.0/24", "fec0::/10")
)
"""Not global (RFC 6890, RFC 3879), but so in older versions of `ipaddress`."""

_NUMBERS: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?")
"""Forms of an address that `inet_aton` reads, beside the plain one."""


_INSIDE: Final = frozenset({"internal", "local", "localdomain", "localhost", "svc"})
"""Last parts of names that no public name server knows (RFC 6761, RFC 6762, ICANN's
`internal`), and of Services in search domains of a cluster."""
_SERVICE: Final = "svc"

_HTTPS: Final = "443"
_HTTP: Final = "80"
_OF_HTTPS: Final = f":{_HTTPS}"


class RefusedAddressError(OSError):
    """A host resolves to addresses that we do not connect to, and to no other."""


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """What the operator allows towards one host.

    Attributes:
        plain_http: speak HTTP instead of HTTPS.
        private: connect to addresses of private networks.
        loopback: connect to this machine.
        plain_http_credentials: send credentials even over HTTP.
    """

    plain_http: bool = False
    private: bool = False
    loopback: bool = False
    plain_http_credentials: bool = False


@dataclass(frozen=True, slots=True)
class RegistryPolicy:
    """What the operator allows.

    Attributes:
        hosts: host -> what is allowed towards it. One without a port stands for 443,
            and with `plain_http` for 80: what else listens there is no registry.
        refused: addresses that are never connected to (the API server's).
        realms: further token servers, registry host (likewise) -> hosts.
        allow: the only repositories that are asked; empty for all.
        deny: repositories that are never asked; they win.
    """

    hosts: Mapping[str, HostPolicy] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    realms: Mapping[str, frozenset[str]] = field(default_factory=dict)
    allow: tuple[Pattern, ...] = ()
    deny: tuple[Pattern, ...] = ()

    def allows(self, image: Reference) -> bool:
        """Whether an image may be looked for, by its own name, wherever it is got."""
        plain = self.of(image.host).plain_http
        if any(one.matches(image, plain_http=plain) for one in self.deny):
            return False
        return not self.allow or any(
            one.matches(image, plain_http=plain) for one in self.allow
        )

    def of(self, host: str) -> HostPolicy:
        """What is allowed towards `host` (with port, if any)."""
        key = self._key(host)
        listed = self.hosts.get(key, HostPolicy())
        if key != host and host.endswith(_OF_HTTPS):
            return replace(listed, plain_http=False, plain_http_credentials=False)
        return listed

    def token_servers(self, host: str) -> frozenset[str]:
        """Further ones of `host` (with port, if any)."""
        return self.realms.get(self._key(host), frozenset())

    def lists(self, host: str, port: int) -> bool:
        """Whether the operator says anything of a host, without brackets."""
        return self._key(_joined(host, port)) in self.hosts

    def _key(self, host: str) -> str:
        """How a host is listed, if it is: as it stands, or without its own port."""
        name, _, port = host.rpartition(":")
        listed = self.hosts.get(name)
        if host in self.hosts or listed is None:
            return host
        own = {_HTTPS, _HTTP} if listed.plain_http else {_HTTPS}
        return name if port in own else host


def is_allowed(text: str, policy: HostPolicy, refused: frozenset[str]) -> bool:
    """Whether we connect to an address.

    Args:
        text: an IP address; a zone is ignored.
        policy: of the host that resolves to it.
        refused: addresses that no policy allows.
    """
    address = _plain(ipaddress.ip_address(text.partition("%")[0]))
    if str(address) in refused or address in _METADATA:
        return False
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address.is_loopback:
        return policy.loopback
    if any(address in network for network in _PRIVATE):
        return policy.private
    if any(address in network for network in _CLOSED):
        return False
    return address.is_global and not address.is_reserved


def _plain(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where there is one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo is not None else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


class GuardedResolver(AbstractResolver):
    """Resolves names, and gives only addresses that we connect to."""

    def __init__(self, policy: RegistryPolicy, resolver: AbstractResolver) -> None:
        self._policy = policy
        self._resolver = resolver

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        """The addresses of `host`.

        Raises:
            RefusedAddressError: none of them is allowed.
        """
        found = await self._resolver.resolve(host, port, family)
        policy = policy_for(self._policy, host, port)
        allowed = [
            one
            for one in found
            if is_allowed(one["host"], policy, self._policy.refused)
        ]
        if not allowed:
            raise RefusedAddressError(f"{host} is not a public address")
        return allowed

    async def close(self) -> None:
        """Closes the inner resolver."""
        await self._resolver.close()


def policy_for(policy: RegistryPolicy, host: str, port: int) -> HostPolicy:
    """What is allowed towards a port of a host, without brackets."""
    return policy.of(_joined(host, port))


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def literal_is_allowed(policy: RegistryPolicy, host: str, port: int) -> bool:
    """Whether a host that is itself an address is allowed; names pass here.

    An address is not resolved, so that the resolver never sees it. Numbers that
    only some C libraries take for an address (`2130706433`, `127.1`) are refused.

    Args:
        policy: what the operator allows.
        host: in ASCII, as it is connected to: a name in Unicode can become an
            address when it is encoded.
        port: that is connected to.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.isascii() and not _NUMBERS.fullmatch(host)
    return is_allowed(host, policy_for(policy, host, port), policy.refused)


def name_is_allowed(policy: RegistryPolicy, host: str, port: int) -> bool:
    """Whether a proxy may be asked for a host; addresses pass here.

    Args:
        policy: what the operator allows: a host that is listed may have any name.
        host: in ASCII, name or address without brackets.
        port: that is asked for.
    """
    name = host.lower().rstrip(".")
    parts = name.split(".")
    is_word = len(parts) == 1 and ":" not in name
    is_inside = is_word or parts[-1] in _INSIDE or _SERVICE in parts[1:]
    return not is_inside or policy.lists(name, port)
