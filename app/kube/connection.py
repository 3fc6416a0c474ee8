"""The way to the API server: address, TLS and credentials, and requests over them.

The official package reads the configuration: a kubeconfig with tokens, token
files, client certificates, exec plugins, OIDC; or the Pod's service account,
whose token it reads again every minute. Requests go through one aiohttp session
of ours, because its own clients build objects that we do not need
(`app.kube.decode`). Nothing of the environment (proxies, netrc) counts; a
kubeconfig's `proxy-url` and `tls-server-name` do.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml
from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.client import Configuration

from app.errors import ClusterError, ConfigError
from app.kube.credentials import CREDENTIALS, Loader
from app.kube.transport import TIMEOUT, TLS_FAILURE, Response

CONNECT_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 90.0
"""Silence that ends a request. Bookmarks come about once a minute, but none where the
API server has heard nothing since it started: an open watch that is silent is no
fault, and the next one tells whether anybody is there."""

JSON: Final = "application/json"

_READ_BUFFER_BYTES: Final = 256 << 10
_WARNING: Final = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
"""RFC 9110, 5.6.4: a quoted string in which a backslash quotes one character."""


@dataclass(frozen=True, slots=True)
class _Access:
    """What one loading of the configuration gave; holds secrets."""

    configuration: Any
    tls: ssl.SSLContext

    def __repr__(self) -> str:
        return f"_Access({self.configuration.host!r})"


class Connection:
    """Requests to one API server; implements `Transport`.

    Make one with `Connection.open`, and close it.
    """

    def __init__(
        self,
        access: _Access,
        *,
        kubeconfig: Path | None,
        context: str | None,
        idle_seconds: float,
    ) -> None:
        self._access = access
        self._kubeconfig: Final = kubeconfig
        self._context: Final = context
        self._renewing: Final = asyncio.Lock()
        self._session: Final = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_SECONDS, sock_read=idle_seconds
            ),
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=_READ_BUFFER_BYTES,
        )

    @classmethod
    async def open(
        cls,
        *,
        kubeconfig: Path | None = None,
        context: str | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> Connection:
        """Reads the configuration; nothing is asked of the API server yet.

        Args:
            kubeconfig: a file; `None` for the service account of the Pod.
            context: of that file; `None` for its current one.
            idle_seconds: silence that ends a request.

        Raises:
            ConfigError: there is no usable configuration.
            ClusterError: a program that gives credentials fails.
        """
        access = await _load(kubeconfig, context)
        return cls(
            access, kubeconfig=kubeconfig, context=context, idle_seconds=idle_seconds
        )

    @property
    def address(self) -> str:
        """The API server's, as the configuration has it; without any secret."""
        return str(self._access.configuration.host)

    async def close(self) -> None:
        """Closes every connection."""
        await self._session.close()
        await asyncio.sleep(0)  # for those that were hung up

    async def renew(self) -> None:
        """Loads address, TLS and credentials again.

        Raises:
            ConfigError: there is no usable configuration any more; the old one stays.
            ClusterError: a program that gives credentials fails; likewise.
        """
        async with self._renewing:
            self._access = await _load(self._kubeconfig, self._context)

    @asynccontextmanager
    async def get(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Response]:
        """GETs `path`; every fault on the way is a `ClusterError`."""
        async with self.send("GET", path, query) as response:
            yield response

    @asynccontextmanager
    async def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: bytes | None = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> AsyncIterator[HttpResponse]:
        """Any request, sent once; every fault on the way is a `ClusterError`."""
        access = self._access
        configuration = access.configuration
        headers = {
            "Accept": accept,
            "Accept-Encoding": "identity",
            "User-Agent": "imagecompat",
        }
        if body is not None:
            headers["Content-Type"] = content_type
        with _faults():
            token = await configuration.get_api_key_with_prefix("BearerToken")
        if token:
            headers["Authorization"] = token.strip()
        with _faults():
            response = await self._session.request(
                method,
                configuration.host + path,
                params=query,
                data=body,
                headers=headers,
                ssl=access.tls,
                server_hostname=configuration.tls_server_name or None,
                proxy=configuration.proxy,
                allow_redirects=False,
            )
        try:
            yield HttpResponse(response)
        finally:
            _hang_up(response)


def _hang_up(response: aiohttp.ClientResponse) -> None:
    """Gives a connection back, or ends it if the body has not been read."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        # `close` would wait for the server's farewell, which may never come.
        connection.transport.abort()
    response.close()


class HttpResponse:
    """An answer of aiohttp; implements `Response`."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response: Final = response

    @property
    def status(self) -> int:
        """See `Response`."""
        return self._response.status

    @property
    def retry_after_seconds(self) -> float | None:
        """See `Response`."""
        text = self._response.headers.get("Retry-After", "")
        return float(text) if text.isascii() and text.isdigit() else None

    @property
    def date(self) -> datetime | None:
        """`Date`: the API server's clock, in whole seconds."""
        try:
            found = parsedate_to_datetime(self._response.headers.get("Date", ""))
        except ValueError:
            return None
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The texts of its `Warning` headers, as kubectl prints them."""
        return warning_texts(self._response.headers.getall("Warning", []))

    async def chunks(self) -> AsyncIterator[bytes]:
        """See `Response`."""
        with _faults():
            async for chunk in self._response.content.iter_any():
                yield chunk


def warning_texts(headers: Iterable[str]) -> tuple[str, ...]:
    """What `Warning` headers say, without code and agent."""
    return tuple(
        re.sub(r"\\(.)", r"\1", found[1])
        for line in headers
        for found in _WARNING.finditer(line)
    )


@contextmanager
def _faults() -> Iterator[None]:
    """Turns what aiohttp, TLS and files raise into `ClusterError`."""
    try:
        yield
    except TimeoutError as error:
        raise ClusterError(TIMEOUT, "the API server does not answer") from error
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise ClusterError(
            TLS_FAILURE, f"no trust in the API server: {_first_line(error)}"
        ) from error
    except kubernetes_config.ConfigException as error:
        raise ClusterError(CREDENTIALS, _first_line(error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise ClusterError(
            "Unreachable", f"no way to the API server: {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{error.host}:{error.port}: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{error.host}:{error.port}: {_cause(error.os_error)}"
    return (str(error) or type(error).__name__).splitlines()[0]


def _cause(error: OSError) -> str:
    """As the system says it; of names, and of several addresses, as Python does."""
    if isinstance(error, ssl.SSLError):
        return str(error)
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)


async def _load(kubeconfig: Path | None, context: str | None) -> _Access:
    configuration = Configuration()
    try:
        if kubeconfig is None:
            kubernetes_config.load_incluster_config(  # type: ignore[no-untyped-call]
                client_configuration=configuration
            )
        else:
            await _load_file(kubeconfig, context, configuration)
        return _Access(configuration, _tls(configuration))
    except (kubernetes_config.ConfigException, OSError, ValueError) as error:
        place = "the service account" if kubeconfig is None else str(kubeconfig)
        raise ConfigError(
            "Kubeconfig", f"{place}: no way to the cluster: {_first_line(error)}"
        ) from error


async def _load_file(path: Path, context: str | None, into: Configuration) -> None:
    try:
        loader = Loader(path, context)
        await loader.load_and_set(into)  # type: ignore[no-untyped-call]
    except (AttributeError, KeyError, TypeError, yaml.YAMLError) as error:
        # What the package raises for a file of another shape, or none.
        raise ValueError("this is no kubeconfig file") from error


def _tls(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(
        cafile=configuration.ssl_ca_cert, cadata=configuration.ca_cert_data
    )
    # Many clusters' own authorities lack the key identifiers that this asks for;
    # Go does not ask, and Python before 3.13 did not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
