"""The connection to the API server, before there is an event loop."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from app.errors import ClusterError
from app.kube.connection import JSON, Connection, HttpResponse
from app.kube.transport import UNAUTHORIZED, Response
from app.settings.sections import ClusterSettings


class LazyConnection:
    """Opens the connection when the application starts: it needs its event loop."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._connection: Connection | None = None
        self._failure = ClusterError("NotConnected", "the connection is not open yet")

    async def open(self) -> None:
        """Reads the configuration.

        Without credentials because their program fails, every request is refused as
        unauthorized, after which its sender renews them.

        Raises:
            ConfigError: there is no usable one.
        """
        try:
            await self._open()
        except ClusterError as error:
            self._failure = ClusterError(UNAUTHORIZED, error.message)

    async def _open(self) -> None:
        self._connection = await Connection.open(
            kubeconfig=self._settings.kubeconfig, context=self._settings.context
        )

    async def close(self) -> None:
        """Closes every connection."""
        if self._connection is not None:
            await self._connection.close()

    async def renew(self) -> None:
        """See `kube.transport.Transport`."""
        if self._connection is None:
            await self._open()
        else:
            await self._connection.renew()

    def get(
        self, path: str, query: Mapping[str, str]
    ) -> AbstractAsyncContextManager[Response]:
        """See `kube.transport.Transport`."""
        return self._opened().get(path, query)

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: bytes | None = None,
        content_type: str = JSON,
    ) -> AbstractAsyncContextManager[HttpResponse]:
        """See `kube.objects.SendingTransport`."""
        return self._opened().send(
            method, path, query, body=body, content_type=content_type
        )

    def _opened(self) -> Connection:
        if self._connection is None:
            raise ClusterError(self._failure.reason, self._failure.message)
        return self._connection
