"""One HTTP request: bounded in bytes and time, to a checked address.

What an answer means is the client's business; this knows no registry. Tests of
the client put answers of their own in its place.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from app.oci.failure import TooLargeError, unavailable
from app.oci.limits import Limits
from app.oci.registry.connecting import (
    QUEUE_SECONDS,
    CrowdedError,
    ProxyConnector,
    ProxyResolver,
    SystemResolver,
)
from app.oci.registry.guard import (
    GuardedResolver,
    RefusedAddressError,
    RegistryPolicy,
    literal_is_allowed,
    name_is_allowed,
)
from app.oci.ways.proxies import Proxies
from app.oci.ways.trust import Material, Trust, UnusableMaterialError

_CHUNK_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Attributes:
        method: of HTTP.
        url: absolute, http or https.
        headers: never shown in `repr`: they may hold a credential.
        most_bytes: of a successful answer's body.
        seconds: time left for the whole exchange.
        body: that is sent; empty for none.
        trust: TLS material of the way that is taken; `None` for the host's own.
        connect_seconds: until a connection stands; `None` for the usual, and no more.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    most_bytes: int = 0
    seconds: float = 0.0
    body: bytes = field(default=b"", repr=False)
    trust: Material | None = None
    connect_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: names in lower case; several of one name are joined by commas.
        challenges: every `WWW-Authenticate` header.
        body: empty for errors, redirects and HEAD.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    challenges: tuple[str, ...] = ()
    body: bytes = field(default=b"", repr=False)


class Transport(Protocol):
    """Sends requests; raises `LookupFailedError` where no answer comes."""

    async def send(self, request: Request) -> Answer:
        """One exchange; follows no redirect, sends no credential of its own."""
        ...

    async def close(self) -> None:
        """Ends all connections."""
        ...


class AiohttpTransport:
    """The transport over aiohttp.

    Nothing of the environment is used: no proxy, no `.netrc`.

    Args:
        policy: what the operator allows.
        limits: every bound.
        trust: TLS contexts by host.
        proxies: which requests go through which.
    """

    def __init__(
        self,
        policy: RegistryPolicy,
        limits: Limits,
        trust: Trust | None = None,
        proxies: Proxies | None = None,
    ) -> None:
        self._policy = policy
        self._limits = limits
        self._trust = trust or Trust()
        self._proxies = proxies or Proxies()
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._resolvers: list[AbstractResolver] = []

    async def _open(self, *, is_proxied: bool) -> aiohttp.ClientSession:
        """Connections to registries, or those to proxies: they share nothing."""
        system = await self._trust.context("", 0)
        known = self._sessions.get(is_proxied)
        if known is None:
            connector = self._connector(system, is_proxied=is_proxied)
            known = self._sessions[is_proxied] = aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "imagecompat", "Accept-Encoding": "identity"},
            )
        return known

    def _connector(
        self, system: ssl.SSLContext, *, is_proxied: bool
    ) -> aiohttp.TCPConnector:
        limits = self._limits
        seconds = min(QUEUE_SECONDS, limits.lookup_seconds / 4)
        if is_proxied:
            kind: type[aiohttp.TCPConnector] = ProxyConnector
            proxies = self._proxies.hosts()
            inner = SystemResolver((name for name, _ in proxies), seconds=seconds)
            resolver: AbstractResolver = ProxyResolver(proxies, inner)
        else:
            kind = aiohttp.TCPConnector
            inner = SystemResolver(_named(self._policy), seconds=seconds)
            resolver = GuardedResolver(self._policy, inner)
        self._resolvers.append(resolver)
        return kind(
            resolver=resolver,
            limit=limits.lookups * 2,
            limit_per_host=limits.per_host,
            use_dns_cache=False,
            ssl=system,
        )

    async def send(self, request: Request) -> Answer:
        """See `Transport.send`."""
        url = _url(request.url)
        host, port = url.raw_host or "", url.port or 0
        if not literal_is_allowed(self._policy, host, port):
            raise unavailable("AddressRefused", f"{host} is not a public address")
        proxy = self._proxies.of(url.scheme, host, port)
        if proxy is not None and not name_is_allowed(self._policy, host, port):
            raise unavailable("AddressRefused", f"{host} is not a public name")
        tls = await self._context(host, port, request.trust)
        session = await self._open(is_proxied=proxy is not None)
        own, ending = self._headers(request, url.scheme, proxy)
        try:
            async with session.request(
                request.method,
                url,
                headers=own,
                data=request.body or None,
                allow_redirects=False,
                timeout=self._timeout(request),
                ssl=tls,
                proxy=proxy,
                proxy_headers=ending,
            ) as response:
                if proxy is not None and response.status == _PROXY_REFUSES:
                    raise unavailable("ProxyRefused", _REFUSAL.format(host=host))
                return await self._read(request, response)
        except TimeoutError as error:
            raise unavailable("Timeout", f"{host} did not answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise unavailable(*_failure(error, host)) from error
        except UnicodeError as error:
            raise unavailable("NoSuchHost", f"{host} has no address") from error
        except ValueError as error:
            raise unavailable("BadAnswer", f"{host} answered no HTTP") from error

    async def _context(
        self, host: str, port: int, material: Material | None
    ) -> ssl.SSLContext:
        try:
            return await self._trust.context(host, port, material)
        except UnusableMaterialError as error:
            text = f"the certificates for {host} cannot be used"
            raise unavailable("TlsError", text) from error

    def _headers(
        self, request: Request, scheme: str, proxy: str | None
    ) -> tuple[Mapping[str, str], Mapping[str, str] | None]:
        """Those of a request, and those of the tunnel that it goes through.

        A proxy's password ends at the proxy: it belongs to the tunnel, or to a
        request that the proxy itself sends on.
        """
        if proxy is None or not self._proxies.authorization:
            return request.headers, None
        ending = {"Proxy-Authorization": self._proxies.authorization}
        is_tunnel = scheme == "https"
        return request.headers if is_tunnel else {**request.headers, **ending}, ending

    def _timeout(self, request: Request) -> aiohttp.ClientTimeout:
        usual = self._limits.connect_seconds
        return aiohttp.ClientTimeout(
            total=max(request.seconds, 0.001),
            sock_connect=min(request.connect_seconds or usual, usual),
        )

    async def _read(self, request: Request, response: aiohttp.ClientResponse) -> Answer:
        ok = response.status == _OK and request.method in {"GET", "POST"}
        body = await _body(response, request.most_bytes) if ok else b""
        if not ok:
            await _drop(response, self._limits.error_bytes)
        found = response.headers
        headers = {name.lower(): ", ".join(found.getall(name)) for name in found}
        challenges = tuple(found.getall("WWW-Authenticate", ()))
        return Answer(response.status, headers, challenges, body)

    async def close(self) -> None:
        """See `Transport.close`."""
        while self._sessions:
            _, session = self._sessions.popitem()
            await session.close()
            await asyncio.sleep(0)
        while self._resolvers:
            await self._resolvers.pop().close()


_OK: Final = 200
_PROXY_REFUSES: Final = 407
_CROWDED: Final = ("Overloaded", "too many names are looked up")
_REFUSAL: Final = "the proxy towards {host} refuses to connect us"
_HOST: Final = re.compile(r"[a-zA-Z0-9._:%-]{1,255}")


def _named(policy: RegistryPolicy) -> set[str]:
    """The hosts that settings name, without their ports."""
    hosts = {*policy.hosts, *chain.from_iterable(policy.realms.values())}
    return {urlsplit(f"//{host}").hostname or "" for host in hosts}


def _url(text: str) -> URL:
    """The URL as it will be sent: its host is checked in the very form we use."""
    try:
        url = URL(text)
    except ValueError as error:
        raise unavailable("BadAddress", "a registry names no usable URL") from error
    host = url.raw_host or ""
    if url.scheme not in {"http", "https"} or not _HOST.fullmatch(host):
        raise unavailable("BadAddress", "a registry names no usable URL")
    return url


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    host = response.url.host or ""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        text = f"{host} answered with an encoding that was not asked for"
        raise unavailable("UnwantedEncoding", text)
    if (response.content_length or 0) > most:
        raise _too_large(host, most)
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        size += len(chunk)
        if size > most:
            response.close()
            raise _too_large(host, most)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(host: str, most: int) -> TooLargeError:
    return TooLargeError(f"{host} answered with more than {most} bytes")


async def _drop(response: aiohttp.ClientResponse, most: int) -> None:
    """Reads an unwanted body, so that the connection can be used again."""
    size = 0
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        size += len(chunk)
        if size > most:
            response.close()
            return


def _failure(error: Exception, host: str) -> tuple[str, str]:
    """A stable reason and a sentence; neither holds the library's own text."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, RefusedAddressError):
            return "AddressRefused", f"{host} is not a public address"
        if isinstance(cause, CrowdedError):
            return _CROWDED
        if getattr(cause, "reason", None) == _NO_CERTIFICATE:
            return "CertificateRequired", f"{host} wants a client certificate"
        cause = cause.__cause__ or cause.__context__
    for kind, reason, sentence in _FAILURES:
        if isinstance(error, kind):
            return reason, sentence.format(host=host)
    return "NetworkError", f"{host} cannot be reached"


_NO_CERTIFICATE: Final = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
"""TLS 1.3 says it with the first answer; TLS 1.2 says that the handshake failed."""

_FAILURES: Final = (
    (
        aiohttp.ClientProxyConnectionError,
        "ProxyUnreachable",
        "the proxy towards {host} cannot be reached",
    ),
    (aiohttp.ClientHttpProxyError, "ProxyRefused", _REFUSAL),
    (aiohttp.ClientConnectorDNSError, "NoSuchHost", "{host} has no address"),
    (
        aiohttp.ClientConnectorCertificateError,
        "UntrustedCertificate",
        "the certificate of {host} is not trusted",
    ),
    (aiohttp.ClientSSLError, "TlsError", "{host} does not speak TLS as it should"),
    (aiohttp.ClientConnectorError, "CannotConnect", "{host} cannot be reached"),
    (aiohttp.ClientPayloadError, "CutOff", "{host} ended its answer early"),
)
