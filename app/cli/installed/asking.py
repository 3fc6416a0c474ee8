"""Questions to the API server with the rights of whoever runs the command.

A refusal is an `Unread` value: commands go on and say what they could not see. No
way to the API server, or no credentials, is a `ClusterError` and ends them.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import msgspec

from app.errors import ClusterError, ConfigError
from app.kube import transport
from app.kube.connection import JSON, Connection
from app.kube.transport import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, RefusedError

METADATA_LIST: Final = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
TABLE: Final = f"{JSON};as=Table;g=meta.k8s.io;v=v1"

MAX_ANSWER_BYTES: Final = 64 << 20
"""A page of metadata is far below."""

PAGE_LIMIT: Final = 500

_NONE: Final[Mapping[str, str]] = {}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read, and why.

    Attributes:
        reason: one CamelCase word (`Forbidden`, `NotFound`).
        message: what the API server said.
    """

    reason: str
    message: str

    @property
    def is_forbidden(self) -> bool:
        """Whether the user has no right to it."""
        return self.reason == FORBIDDEN

    @property
    def is_absent(self) -> bool:
        """Whether there is no such thing."""
        return self.reason == NOT_FOUND


@dataclass(frozen=True, slots=True)
class Created:
    """The answer to a creation.

    Attributes:
        status: the HTTP status.
        body: the object, or a Status.
        warnings: what kubectl would print.
    """

    status: int
    body: bytes
    warnings: tuple[str, ...] = ()


class Api(Protocol):
    """The API server; every fault is a `ClusterError`."""

    async def get(
        self, path: str, query: Mapping[str, str], *, accept: str = JSON
    ) -> bytes:
        """The body of a 200; anything else is a `RefusedError`."""
        ...

    async def create(self, path: str, query: Mapping[str, str], body: bytes) -> Created:
        """POSTs `body`; whatever the server answers is the answer."""
        ...


class KubeApi:
    """A real API server; implements `Api`."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    async def get(
        self, path: str, query: Mapping[str, str], *, accept: str = JSON
    ) -> bytes:
        """See `Api`."""
        async with self._connection.send("GET", path, query, accept=accept) as answer:
            await transport.require_ok(answer)
            return await transport.read(answer, limit_bytes=MAX_ANSWER_BYTES)

    async def create(self, path: str, query: Mapping[str, str], body: bytes) -> Created:
        """See `Api`."""
        async with self._connection.send("POST", path, query, body=body) as answer:
            text = await transport.read(answer, limit_bytes=MAX_ANSWER_BYTES)
            return Created(answer.status, text, answer.warnings)


@asynccontextmanager
async def opened(
    *, kubeconfig: Path | None, context: str | None, idle_seconds: float
) -> AsyncIterator[Api]:
    """The API server that kubectl would ask; see `connected`."""
    async with connected(
        kubeconfig=kubeconfig, context=context, idle_seconds=idle_seconds
    ) as connection:
        yield KubeApi(connection)


@asynccontextmanager
async def connected(
    *, kubeconfig: Path | None, context: str | None, idle_seconds: float
) -> AsyncIterator[Connection]:
    """The way to the API server that kubectl would ask.

    Args:
        kubeconfig: a file; `None` for the one that `find_kubeconfig` finds.
        context: of that file; `None` for its current one.
        idle_seconds: silence that ends a request.

    Raises:
        ConfigError: there is no usable configuration.
    """
    file = kubeconfig or find_kubeconfig(os.environ)
    _check(file)
    if file is None and not os.environ.get("KUBERNETES_SERVICE_HOST"):
        text = "no cluster to ask: name a kubeconfig with --kubeconfig or $KUBECONFIG"
        raise ConfigError("NoKubeconfig", text)
    connection = await Connection.open(
        kubeconfig=file,
        context=context,
        idle_seconds=idle_seconds,
    )
    try:
        yield connection
    finally:
        await connection.close()


def _check(file: Path | None) -> None:
    """Raises `ConfigError` for a file that is not there; kubectl takes a list, too."""
    if file is None:
        return
    if not any(Path(one).exists() for one in str(file).split(os.pathsep) if one):
        raise ConfigError("NoKubeconfig", f"{file}: no such kubeconfig file")


def find_kubeconfig(environment: Mapping[str, str]) -> Path | None:
    """`$KUBECONFIG`, else `~/.kube/config`; `None` for the Pod's service account.

    A container's user has no home, and need not stand in any list of users.
    """
    named, home = environment.get("KUBECONFIG"), environment.get("HOME")
    if named:
        return Path(named)
    default = Path(home) / ".kube" / "config" if home else None
    return default if default is not None and default.is_file() else None


async def fetch(
    api: Api,
    path: str,
    query: Mapping[str, str] = _NONE,
    *,
    shape: type[T],
    accept: str = JSON,
) -> T | Unread:
    """What stands at `path`, read as `shape`.

    Raises:
        ClusterError: there is no way to the API server, or it takes no credential.
    """
    try:
        body = await api.get(path, query, accept=accept)
    except RefusedError as error:
        if error.reason == UNAUTHORIZED:
            raise
        return Unread(error.reason, error.message)
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = f"{path}: the answer has another shape: {error}"
        raise ClusterError("UnexpectedAnswer", text) from error


class Metadata(msgspec.Struct):
    """What every object has."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)


class Named(msgspec.Struct):
    """An object of which only the metadata counts."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)


class ListMetadata(msgspec.Struct, rename="camel"):
    """Where a list goes on."""

    continue_: str = msgspec.field(default="", name="continue")


class NamedList(msgspec.Struct):
    """A page of such objects; of none, the API server says `null`."""

    metadata: ListMetadata = msgspec.field(default_factory=ListMetadata)
    items: list[Named] | None = None


async def fetch_labels(
    api: Api, path: str, query: Mapping[str, str] = _NONE
) -> list[Metadata] | Unread:
    """The metadata of every object of a collection, page by page.

    Raises:
        ClusterError: as for `fetch`.
    """
    found: list[Metadata] = []
    more = {**query, "limit": str(PAGE_LIMIT)}
    while True:
        page = await fetch(api, path, more, shape=NamedList, accept=METADATA_LIST)
        if isinstance(page, Unread):
            return page
        found += [one.metadata for one in page.items or []]
        if not page.metadata.continue_:
            return found
        more = {**more, "continue": page.metadata.continue_}


class _Row(msgspec.Struct):
    cells: list[Any]


class _Table(msgspec.Struct):
    metadata: ListMetadata = msgspec.field(default_factory=ListMetadata)
    rows: list[_Row] | None = None


async def fetch_names(
    api: Api, path: str, query: Mapping[str, str] = _NONE
) -> list[str] | Unread:
    """The names of every object of a collection, page by page.

    As a table without objects: the metadata of a NodeFeature alone are 45 KB, since
    `managedFields` repeat every feature.

    Raises:
        ClusterError: as for `fetch`.
    """
    found: list[str] = []
    more = {**query, "includeObject": "None", "limit": str(PAGE_LIMIT)}
    while True:
        page = await fetch(api, path, more, shape=_Table, accept=TABLE)
        if isinstance(page, Unread):
            return page
        found += [str(row.cells[0]) for row in page.rows or []]
        if not page.metadata.continue_:
            return found
        more = {**more, "continue": page.metadata.continue_}
