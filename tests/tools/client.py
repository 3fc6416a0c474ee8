"""Calls to a test's API server over one kept connection, for who asks often."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any, Final, Self
from urllib.parse import urlsplit

from tests.tools.servers import ADMIN_TOKEN, ApiServer, encoded

MERGE: Final = "application/merge-patch+json"
_SECONDS: Final = 10.0


class ApiError(Exception):
    """The API server refused; `status` is HTTP's, `message` what kubectl prints."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status: Final = status
        try:
            self.message = str(json.loads(text)["message"])
        except (ValueError, KeyError):
            self.message = text


class Client:
    """Asks as admin, or with another token; not to be shared by threads."""

    def __init__(self, server: ApiServer, token: str = ADMIN_TOKEN) -> None:
        self._address: Final = urlsplit(server.url)
        self._tls: Final = ssl.create_default_context(cafile=str(server.ca))
        self._token: Final = token
        self._connection: http.client.HTTPSConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
    ) -> Any:
        """The decoded answer.

        Raises:
            ApiError: the answer is an error.
            OSError: there was none.
        """
        content, headers = encoded(body, content_type, self._token)
        status, text = self._exchange(method, path, content, headers)
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise ApiError(status, text.decode(errors="replace"))
        return json.loads(text)

    def find(self, path: str) -> Any:
        """An object; `None` if it is not there."""
        try:
            return self.call("GET", path)
        except ApiError as error:
            if error.status != http.HTTPStatus.NOT_FOUND:
                raise
            return None

    def merge(self, path: str, body: object) -> Any:
        """Changes an object by a merge patch; `None` if it is not there."""
        return self._unless_gone("PATCH", path, body, MERGE)

    def delete(self, path: str, *, grace_seconds: int | None = None) -> None:
        """Deletes an object, which may be gone already."""
        body = None
        if grace_seconds is not None:
            kind = {"apiVersion": "v1", "kind": "DeleteOptions"}
            body = {**kind, "gracePeriodSeconds": grace_seconds}
        self._unless_gone("DELETE", path, body, "application/json")

    def _unless_gone(self, method: str, path: str, body: object, kind: str) -> Any:
        try:
            return self.call(method, path, body, content_type=kind)
        except ApiError as error:
            if error.status != http.HTTPStatus.NOT_FOUND:
                raise
            return None

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        """One request; a kept connection may have been closed meanwhile."""
        kept = self._connection is not None
        try:
            return self._once(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if not kept:
                raise OSError(f"{method} {path}: {error!r}") from error
        try:
            return self._once(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise OSError(f"{method} {path}: {error!r}") from error

    def _once(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        if self._connection is None:
            host, port = self._address.hostname or "", self._address.port
            self._connection = http.client.HTTPSConnection(
                host, port, timeout=_SECONDS, context=self._tls
            )
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return response.status, response.read()
