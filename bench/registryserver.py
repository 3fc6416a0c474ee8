"""A registry in a process of its own, that takes its time: `python -m bench...`.

It serves the demo's registry with so many images, each with a spec, and answers each
request after a while, as one that is far away does.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from app.demo.content import Repository
from app.demo.faults import Reply
from app.demo.registry import Registry

SPEC: Final = b"version: v1alpha1\ncompatibilities:\n" + b"# a typical spec\n" * 120
"""2 KB; the largest spec that we know has 9 KB."""

_ROOT: Final = Path(__file__).parent.parent


def image(address: str, number: int) -> str:
    """The reference of one image; each has a repository of its own."""
    return f"{address}/bench/app-{number}:1"


def add(registry: Registry, number: int) -> Repository:
    """Puts one image with a spec into a registry."""
    repository = registry.repository(f"bench/app-{number}")
    made = repository.image("amd64", f"app-{number}")
    repository.tag(made, "1")
    spec = SPEC + f"# {number}\n".encode()
    repository.attach(made, spec, created="2026-03-01T00:00:00Z")
    return repository


@asynccontextmanager
async def serving(images: int, seconds: float) -> AsyncIterator[str]:
    """Yields `127.0.0.1:PORT` of such a registry in another process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.registryserver", str(images), str(seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the registry has no output")
        yield (await process.stdout.readline()).decode().strip()
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def _serve(images: int, seconds: float) -> None:
    """Until its input ends."""

    async def later(_request: web.Request, reply: Reply) -> Reply:
        await asyncio.sleep(seconds)
        return reply

    registry = Registry(faults={"all": later} if seconds else {})
    for number in range(images):
        add(registry, number)
    async with registry.serving():
        print(registry.address, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
