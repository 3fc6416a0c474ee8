"""Nodes and NodeFeatures from an API server, in a process of its own.

`python -m bench.download KUBECONFIG HOW` prints seconds and bytes as JSON. HOW is
`stream` or `pages` for a plain download with the webhook's own client, which keeps
nothing; and `ready-stream` or `ready-pages` for the webhook's watches, from their
start until they are ready. `measure` starts one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from app.kube.cluster import NAMESPACES, NODES, KubeCluster, node_features
from app.kube.connection import Connection
from app.kube.pages import PAGE_LIMITS, TARGET_PAGE_BYTES
from app.kube.resource import Resource
from app.kube.transport import RefusedError, Response, read
from bench.objects import NAMESPACE

_RESOURCES: Final = (NODES, node_features(NAMESPACE), NAMESPACES)
_INVALID: Final = 422
_LARGE_BYTES: Final = 64 << 20
_MARK: Final = b"k8s.io/initial-events-end"


@dataclass(frozen=True, slots=True)
class Done:
    """What was downloaded, in which time, the process's own included."""

    seconds: float
    bytes: int
    own_seconds: float


class _Counting:
    """The webhook's transport, with or without streaming lists; counts bytes."""

    def __init__(self, connection: Connection, *, is_streaming: bool) -> None:
        self._connection: Final = connection
        self._is_streaming: Final = is_streaming
        self.bytes = 0

    async def renew(self) -> None:
        """See `kube.transport.Transport`."""
        await self._connection.renew()

    @asynccontextmanager
    async def get(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Response]:
        """See `kube.transport.Transport`."""
        if "sendInitialEvents" in query and not self._is_streaming:
            raise RefusedError(_INVALID, "streaming lists are switched off")
        async with self._connection.get(path, query) as response:
            yield _Counted(response, self)


class _Counted:
    """An answer whose bytes are counted."""

    def __init__(self, response: Response, counting: _Counting) -> None:
        self._response: Final = response
        self._counting: Final = counting
        self.status: Final = response.status
        self.retry_after_seconds: Final = response.retry_after_seconds

    async def chunks(self) -> AsyncIterator[bytes]:
        """See `kube.transport.Response`."""
        async for chunk in self._response.chunks():
            self._counting.bytes += len(chunk)
            yield chunk


class _Metadata(msgspec.Struct):
    token: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct):
    metadata: _Metadata
    items: list[msgspec.Raw]


async def _stream(transport: _Counting, resource: Resource) -> None:
    query = {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "timeoutSeconds": "300",
    }
    tail = b""
    async with transport.get(resource.path, query) as response:
        async for chunk in response.chunks():
            if _MARK in tail + chunk:
                return
            tail = chunk[-len(_MARK) :]


async def _pages(transport: _Counting, resource: Resource) -> None:
    token, limit = "", resource.page_limit
    while True:
        query = {"limit": str(limit)} | ({"continue": token} if token else {})
        async with transport.get(resource.path, query) as response:
            body = await read(response, limit_bytes=_LARGE_BYTES)
        page = msgspec.json.decode(body, type=_Page)
        token = page.metadata.token
        if not token:
            return
        fitting = TARGET_PAGE_BYTES * len(page.items) // len(body)
        limit = max(PAGE_LIMITS[0], min(fitting, limit * 2, PAGE_LIMITS[1]))


async def _ready(transport: _Counting) -> None:
    cluster = KubeCluster(transport, trusted_namespaces=[NAMESPACE])
    await cluster.start()
    while not cluster.ready():  # noqa: ASYNC110 - as the kubelet asks
        await asyncio.sleep(0.01)
    await cluster.stop()


async def _run(kubeconfig: Path, how: str) -> Done:
    connection = await Connection.open(kubeconfig=kubeconfig)
    transport = _Counting(connection, is_streaming=how.endswith("stream"))
    started, spent = time.perf_counter(), time.process_time()
    try:
        if how.startswith("ready"):
            await _ready(transport)
        else:
            get = _stream if how == "stream" else _pages
            await asyncio.gather(*(get(transport, one) for one in _RESOURCES))
        seconds = time.perf_counter() - started
        return Done(seconds, transport.bytes, time.process_time() - spent)
    finally:
        await connection.close()


async def measure(kubeconfig: Path, how: str) -> Done:
    """One download, or one start, in a fresh process.

    Raises:
        RuntimeError: it failed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.download", str(kubeconfig), how),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"{how}: the download failed")
    return msgspec.json.decode(said, type=Done)


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(_run(Path(sys.argv[1]), sys.argv[2])))))
