"""Single objects: read, written and watched by name, as bytes.

For the few objects that we write: one Secret and the `caBundle` of two webhook
configurations. Whoever writes says which version they mean, and losing such a race
is no error but `None`: look again.

* `merge` (RFC 7386) changes the named fields of an object and leaves the others;
  `metadata.resourceVersion` in it makes the API server check the version (409).
* `patch` (RFC 6902) changes places in lists; its first operation tests the version,
  which the API server answers by 422, as it does a patch that it cannot accept: so
  the version is looked up then.

A fault names the verb and the object: for 403 that is what RBAC has to allow.
401 and a fault of TLS make the connection load its credentials again.

`now` is the API server's clock, from the `Date` of its last answer: it is the one
that judges certificates, and all replicas see the same.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Iterator,
    Mapping,
)
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    asynccontextmanager,
    contextmanager,
)
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import msgspec

from app.errors import ClusterError, ImagecompatError
from app.kube import decode
from app.kube.decode import DECODE_ERRORS
from app.kube.lines import LineSplitter
from app.kube.transport import (
    CONFLICT,
    INVALID,
    NOT_FOUND,
    TIMEOUT,
    TLS_FAILURE,
    TRUNCATED,
    UNAUTHORIZED,
    RefusedError,
    Response,
    read,
    require_ok,
)

REQUEST_SECONDS: Final = 10.0
WATCH_SECONDS: Final = 75
"""A watch ends by itself; before its silence, which is the rule, would end it."""

MAX_OBJECT_BYTES: Final = 2 << 20
"""etcd's own limit is 1.5 MiB."""

MERGE: Final = "application/merge-patch+json"
PATCH: Final = "application/json-patch+json"

_FIELD_MANAGER: Final = {"fieldManager": "imagecompat"}


class DatedResponse(Response, Protocol):
    """An answer that says when it was given."""

    @property
    def date(self) -> datetime | None:
        """`Date`, if it is there and can be read."""
        ...


class SendingTransport(Protocol):
    """Sends any request to the API server; `kube.connection` implements it."""

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> AbstractAsyncContextManager[DatedResponse]:
        """Sends it once; raises `ClusterError` for every fault, inside `with` too."""
        ...

    async def renew(self) -> None:
        """Loads address, TLS and credentials again."""
        ...


class _Metadata(msgspec.Struct):
    resource_version: str = msgspec.field(name="resourceVersion", default="")


class _Object(msgspec.Struct):
    metadata: _Metadata


class Objects:
    """See the module; a collection is its path (`/api/v1/namespaces/n/secrets`)."""

    def __init__(
        self,
        transport: SendingTransport,
        *,
        request_seconds: float = REQUEST_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request_seconds: Final = request_seconds
        self._transport: Final = transport
        self._monotonic: Final = monotonic
        self._dated: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """The time by the API server's clock; by ours before its first answer."""
        if self._dated is None:
            return datetime.now(UTC)
        date, at = self._dated
        return date + timedelta(seconds=self._monotonic() - at)

    async def get(self, collection: str, name: str) -> bytes | None:
        """The object; `None` if there is none of that name.

        Raises:
            ClusterError: the API server did not give a usable answer.
        """
        try:
            return await self._ask("get", collection, name, method="GET")
        except ClusterError as error:
            if error.reason == NOT_FOUND:
                return None
            raise

    async def create(self, collection: str, name: str, content: bytes) -> bytes | None:
        """The object as it was created; `None` if there is one of that name already.

        Raises:
            ClusterError: as for `get`; also where there is no such namespace.
        """
        try:
            return await self._ask(
                "create", collection, name, method="POST", body=content
            )
        except ClusterError as error:
            if error.reason == CONFLICT:
                return None
            raise

    async def merge(self, collection: str, name: str, content: bytes) -> bytes | None:
        """The object with `content` merged in; `None` if it has changed, or is gone.

        Args:
            collection: the path.
            name: of the object.
            content: a merge patch with `metadata.resourceVersion`.

        Raises:
            ClusterError: as for `get`.
        """
        try:
            return await self._ask(
                "patch",
                collection,
                name,
                method="PATCH",
                body=content,
                content_type=MERGE,
            )
        except ClusterError as error:
            if error.reason in {CONFLICT, NOT_FOUND}:
                return None
            raise

    async def patch(
        self,
        collection: str,
        name: str,
        operations: list[dict[str, object]],
        *,
        version: str,
    ) -> bytes | None:
        """The object with `operations` applied; `None` if it is not at `version`.

        Raises:
            ClusterError: as for `get`.
        """
        test = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
        try:
            return await self._ask(
                "patch",
                collection,
                name,
                method="PATCH",
                body=json.dumps([test, *operations]).encode(),
                content_type=PATCH,
            )
        except ClusterError as error:
            if error.reason in {CONFLICT, NOT_FOUND}:
                return None
            if error.reason != INVALID:
                raise
            found = await self.get(collection, name)
            if found is not None and _version(found) == version:
                raise
            return None

    @asynccontextmanager
    async def watch(
        self, collection: str, name: str
    ) -> AsyncIterator[AsyncIterator[bytes | None]]:
        """Entered once the watch is open; gives the object, and each change of it.

        `None` when it is gone. Begins with the object, if there is one; ends after
        a minute or so, and where a connection has fallen silent: the next request
        tells whether the API server is there.

        Raises:
            ClusterError: as for `get`.
        """
        query = {
            "watch": "1",
            "fieldSelector": f"metadata.name={name}",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        place = _place("watch", collection, name)
        async with self._sent(place, "GET", collection, query) as response:
            await require_ok(response)
            async with aclosing(_events(response)) as events:
                yield events

    async def _ask(
        self,
        verb: str,
        collection: str,
        name: str,
        *,
        method: str,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        path = collection if verb == "create" else f"{collection}/{name}"
        query = _FIELD_MANAGER if body is not None else {}
        place = _place(verb, collection, name)
        try:
            async with (
                asyncio.timeout(self._request_seconds),
                self._sent(
                    place, method, path, query, body=body, content_type=content_type
                ) as response,
            ):
                if response.status != 201:  # noqa: PLR2004 - HTTP's
                    await require_ok(response)
                return await read(response, limit_bytes=MAX_OBJECT_BYTES)
        except TimeoutError as error:
            text = f"{place}: no answer within {self._request_seconds:g} s"
            raise ClusterError(TIMEOUT, text) from error

    @asynccontextmanager
    async def _sent(
        self,
        place: str,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> AsyncIterator[DatedResponse]:
        """Sends a request; what fails, inside `with` too, names the place."""
        try:
            async with self._transport.send(
                method, path, query, body=body, content_type=content_type
            ) as response:
                if response.date is not None:
                    self._dated = response.date, self._monotonic()
                yield response
        except ClusterError as error:
            if error.reason in {UNAUTHORIZED, TLS_FAILURE}:
                await self._renew()
            raise ClusterError(error.reason, f"{place}: {error.message}") from error

    async def _renew(self) -> None:
        try:
            await self._transport.renew()
        except ImagecompatError:
            return  # what failed before is reported; the next try says it again


async def _events(response: Response) -> AsyncGenerator[bytes | None, None]:
    lines = LineSplitter(MAX_OBJECT_BYTES)
    try:
        async for chunk in response.chunks():
            for line in lines.feed(chunk):
                yield _event(line or b"")
    except ClusterError as error:
        if error.reason != TIMEOUT:
            raise


def _event(line: bytes) -> bytes | None:
    """The object of an event; `None` where it was deleted."""
    with _decoding():
        kind, raw = decode.event(line)
        if kind == "ERROR":
            status = decode.status(raw)
            raise RefusedError(status.code, status.message)
    return None if kind == "DELETED" else bytes(raw)


def _place(verb: str, collection: str, name: str) -> str:
    """The verb and the object, as RBAC spells them."""
    *_, before, namespace, kind = f"//{collection}".split("/")
    where = f" in {namespace}" if before == "namespaces" else ""
    return f"{verb} {kind} {name}{where}"


@contextmanager
def _decoding() -> Iterator[None]:
    try:
        yield
    except DECODE_ERRORS as error:
        raise ClusterError(TRUNCATED, "an event cannot be read") from error


def _version(content: bytes) -> str:
    with _decoding():
        found = msgspec.json.decode(content, type=_Object)
    return found.metadata.resource_version
