"""An API server that only lists and watches, for clusters too large for a real one.

`python -m bench.apiserver` reads a `Load` as JSON from its first line of standard
input, prints its port, and serves until that input ends: pages with `limit` and
`continue`, and streaming lists (KEP-3157), as kube-apiserver writes them. Objects are
made when they are asked for: 1.9 GB of them need no disk.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from bench import objects, scene

_ROOT: Final = Path(__file__).parent.parent
_FEATURES: Final = (
    f"/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/{objects.NAMESPACE}/nodefeatures"
)
_VERSION: Final = "1000"
_CHUNK_BYTES: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Load:
    """What is in the cluster.

    Attributes:
        nodes: how many, each with a NodeFeature.
        size: of these, see `scene.SIZES`.
        is_streaming: whether streaming lists are served.
    """

    nodes: int
    size: str = "63 KB"
    is_streaming: bool = True


@dataclass(frozen=True, slots=True)
class _Kind:
    """One collection: its name, and each of its objects by number."""

    name: str
    count: int
    one: Callable[[int], bytes]

    def all(self, start: int, end: int) -> Iterator[bytes]:
        return (self.one(number).rstrip() for number in range(start, end))


def _kinds(load: Load) -> Mapping[str, _Kind]:
    nodes, features = scene.cluster(load.nodes, size=load.size)
    names = list(nodes)
    writer = objects.NodeFeatures(is_managed=scene.SIZES[load.size].is_managed)

    def node(number: int) -> bytes:
        return objects.node(nodes[names[number]], uid=number)

    def feature(number: int) -> bytes:
        return writer.write(names[number], features[names[number]], version="1")

    def namespace(number: int) -> bytes:
        name = ("default", objects.NAMESPACE)[number]
        return json.dumps({"kind": "Namespace", "metadata": {"name": name}}).encode()

    return {
        "/api/v1/nodes": _Kind("Node", len(nodes), node),
        "/api/v1/namespaces": _Kind("Namespace", 2, namespace),
        _FEATURES: _Kind("NodeFeature", len(features), feature),
    }


async def _list(request: web.Request, kind: _Kind) -> web.StreamResponse:
    start = int(request.query.get("continue", "0"))
    end = min(kind.count, start + int(request.query.get("limit", "500")))
    token = str(end) if end < kind.count else ""
    metadata = json.dumps({"continue": token, "resourceVersion": _VERSION}).encode()
    body = b",".join(kind.all(start, end))
    whole = b'{"items":[' + body + b'],"kind":"List","metadata":' + metadata + b"}\n"
    return web.Response(body=whole, content_type="application/json")


async def _stream(request: web.Request, kind: _Kind) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    if "sendInitialEvents" in request.query:
        chunk = bytearray()
        for one in kind.all(0, kind.count):
            chunk += b'{"type":"ADDED","object":' + one + b"}\n"
            if len(chunk) > _CHUNK_BYTES:
                await response.write(bytes(chunk))
                chunk.clear()
        notes = {"k8s.io/initial-events-end": "true"}
        metadata = {"resourceVersion": _VERSION, "annotations": notes}
        ended = {"type": "BOOKMARK", "object": {"metadata": metadata}}
        await response.write(bytes(chunk) + json.dumps(ended).encode() + b"\n")
    await asyncio.sleep(float(request.query.get("timeoutSeconds", "600")))
    return response


def _application(load: Load) -> web.Application:
    kinds = _kinds(load)

    async def answer(request: web.Request) -> web.StreamResponse:
        kind = kinds.get(request.path)
        if kind is None:
            return web.Response(status=404)
        if "watch" not in request.query:
            return await _list(request, kind)
        if "sendInitialEvents" in request.query and not load.is_streaming:
            return web.Response(status=422)
        return await _stream(request, kind)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    return application


async def _serve(load: Load) -> None:
    runner = web.AppRunner(_application(load), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None  # noqa: SLF001 - it has no other way to say the port
    print(json.dumps({"port": site._server.sockets[0].getsockname()[1]}), flush=True)  # type: ignore[attr-defined]  # noqa: SLF001
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


@asynccontextmanager
async def serving(load: Load, folder: Path) -> AsyncIterator[Path]:
    """Serves until left; yields a kubeconfig."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.apiserver",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps(asdict(load)).encode() + b"\n")
        port = json.loads(await process.stdout.readline())["port"]
        yield _kubeconfig(folder, f"http://127.0.0.1:{port}")
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _kubeconfig(folder: Path, url: str) -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": url}}],
        "users": [{"name": "bench", "user": {"token": "bench"}}],
        "contexts": [
            {"name": "bench", "context": {"cluster": "bench", "user": "bench"}}
        ],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(content))
    return path


def main() -> None:
    """Serves until standard input ends."""
    asyncio.run(_serve(msgspec.json.decode(sys.stdin.readline(), type=Load)))


if __name__ == "__main__":
    main()
