"""Which proxy a URL goes through, if any.

What is not to go through one is said as programs know it from `NO_PROXY`, but is
never taken from the environment:

| rule | is asked directly |
|---|---|
| `registry.example` | that host |
| `.example` | every host below `example` |
| `10.0.0.0/8`, `10.1.2.3` | hosts that are addresses in it; names are not resolved |
| `RULE:PORT` | the same, for that port only |
| `*` | everything |
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from app.oci.credentials.keyring import Credential

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_PORTS: Final = {"http": 80, "https": 443}
_MAX_PORT: Final = 65535
_MAX_CHARACTERS: Final = 255
MAX_CREDENTIALS_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of what is asked directly.

    Attributes:
        host: in lower case; `.example` for all below, `*` for all; empty for `network`.
        network: of addresses.
        port: `None` for every one.
    """

    host: str = ""
    network: _Network | None = None
    port: int | None = None

    def covers(self, host: str, port: int) -> bool:
        """Whether a host (in lower case, without brackets) is asked directly."""
        if self.port not in {None, port}:
            return False
        if self.network is not None:
            address = _address(host)
            return address is not None and address in self.network
        if self.host.startswith("."):
            return host.endswith(self.host)
        return self.host in {"*", host}


def rule(text: str) -> Rule:
    """Reads a rule.

    Raises:
        ValueError: it is none; the message says what was expected.
    """
    host, port = _split(text)
    if port is not None and not 0 < port <= _MAX_PORT:
        raise ValueError(f"{text}: expected a port from 1 to {_MAX_PORT}")
    bare = host.removeprefix("[").removesuffix("]")
    try:
        return Rule(network=ipaddress.ip_network(bare), port=port)
    except ValueError:
        pass
    name = host.removeprefix(".").replace("-", "").replace(".", "").replace("_", "")
    is_name = name.isascii() and name.isalnum() and len(host) <= _MAX_CHARACTERS
    if host != "*" and not is_name:
        text = f"{text}: expected a host, .DOMAIN, an address or a network, or *"
        raise ValueError(text)
    return Rule(host=host.lower(), port=port)


@dataclass(frozen=True, slots=True)
class Proxies:
    """Where requests go through.

    Attributes:
        http: proxy for plain HTTP; `None` for none.
        https: proxy for HTTPS, which sees host and port only; `None` for none.
        direct: what goes through neither.
        user: for both; `None` for none.
        password: of that user.
    """

    http: str | None = None
    https: str | None = None
    direct: tuple[Rule, ...] = ()
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)

    @property
    def authorization(self) -> str:
        """What proxies are sent as `Proxy-Authorization`; empty for nothing."""
        if self.user is None:
            return ""
        return Credential(self.user, self.password).basic

    def of(self, scheme: str, host: str, port: int) -> str | None:
        """The proxy's URL for a request; `None` if it goes directly.

        Args:
            scheme: `http` or `https`.
            host: name or address, without brackets.
            port: that is asked.
        """
        proxy = self.https if scheme == "https" else self.http
        name = host.lower().removesuffix(".")
        if proxy is None or any(one.covers(name, port) for one in self.direct):
            return None
        return proxy

    def hosts(self) -> frozenset[tuple[str, int]]:
        """Names and ports of the proxies themselves; not of what is no URL."""
        return frozenset(
            found
            for found in (_place(one) for one in (self.http, self.https) if one)
            if found is not None
        )


def _place(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None


def read_credentials(content: bytes) -> tuple[str, str]:
    """User and password of a file with `USER:PASSWORD`, a line's end left out.

    Raises:
        ValueError: it is none; the message never holds its content.
    """
    if len(content) > MAX_CREDENTIALS_BYTES:
        raise ValueError(f"larger than {MAX_CREDENTIALS_BYTES} bytes")
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("expected USER:PASSWORD in UTF-8") from None
    user, colon, password = text.partition(":")
    if not colon or not user or not text.isprintable():
        raise ValueError("expected USER:PASSWORD in one line")
    return user, password


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _split(text: str) -> tuple[str, int | None]:
    """A rule without its port, and that; an IPv6 one has a port behind brackets."""
    host, colon, port = text.rpartition(":")
    is_bare_address = ":" in host and not host.startswith("[")
    is_whole = not colon or is_bare_address or text.endswith("]")
    if is_whole or "/" in port or not (port.isascii() and port.isdigit()):
        return text, None
    return host, int(port[:6])
