"""`imagecompat serve` as a process of its own: when it is ready, what it takes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from app.demo import certificates
from app.demo.layout import Layout
from bench.registry import REGISTRY

READY_SECONDS: Final = 120.0
_ROOT: Final = Path(__file__).parent.parent
_MIB: Final = 1024.0


def resident(pid: int, key: str = "VmRSS") -> float:
    """A process's resident memory, or with `VmHWM` its peak; MiB."""
    text = Path(f"/proc/{pid}/status").read_text()
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(lines[key].split()[0]) / _MIB


@dataclass(frozen=True, slots=True)
class Webhook:
    """A running webhook.

    Attributes:
        port: on loopback.
        authority: the CA's certificate.
        pid: of its process.
        ready_seconds: from its start to `/readyz`.
    """

    port: int
    authority: str
    pid: int
    ready_seconds: float

    def memory(self) -> tuple[float, float]:
        """Resident now and at its peak; MiB."""
        return resident(self.pid), resident(self.pid, "VmHWM")

    async def review(self, bodies: Sequence[str]) -> None:
        """Has each body reviewed once, one after the other.

        Raises:
            aiohttp.ClientError: one was not answered, or not with 200.
        """
        context = ssl.create_default_context(cafile=self.authority)
        connector = aiohttp.TCPConnector(ssl=context)
        headers = {"Content-Type": "application/json"}
        url = f"https://127.0.0.1:{self.port}/v1/validate?timeout=30s"
        async with aiohttp.ClientSession(connector=connector) as session:
            for body in bodies:
                async with session.post(url, data=body, headers=headers) as answer:
                    answer.raise_for_status()


@asynccontextmanager
async def serving(
    folder: Path, kubeconfig: Path, specs: Mapping[str, bytes]
) -> AsyncIterator[Webhook]:
    """Serves until left; images are OCI layouts that carry `specs`."""
    authority = certificates.write_pair(folder)
    for name, spec in specs.items():
        layout = Layout(folder / "layouts" / REGISTRY / "bench" / name)
        image = layout.image("amd64", name)
        layout.tag(image, "1")
        if spec:
            layout.attach(image, spec, created="2026-03-01T00:00:00Z")
        layout.close()
    port = _free_port()
    (folder / "settings.yaml").write_text(
        json.dumps(_settings(folder, kubeconfig, port))
    )
    with (folder / "log").open("wb") as log:
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "app", "serve", "--config", str(folder / "settings.yaml")),
            stdout=log,
            stderr=log,
            cwd=_ROOT,
            env={k: v for k, v in os.environ.items() if not k.startswith("KUBE")},
        )
    try:
        await _until_ready(process, port, authority, folder / "log")
        seconds = time.perf_counter() - started
        yield Webhook(port, str(authority), process.pid, seconds)
    finally:
        await _ended(process)


def _settings(folder: Path, kubeconfig: Path, port: int) -> object:
    return {
        "server": {
            "host": "127.0.0.1",
            "port": port,
            "statusPort": 0,
            "drainSeconds": 0,
            "certificate": str(folder / "tls.crt"),
            "privateKey": str(folder / "tls.key"),
        },
        "cluster": {"kubeconfig": str(kubeconfig)},
        "registry": {"layoutRoot": str(folder / "layouts")},
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


async def _until_ready(
    process: asyncio.subprocess.Process, port: int, authority: Path, log: Path
) -> None:
    ends = time.monotonic() + READY_SECONDS
    context = ssl.create_default_context(cafile=str(authority))
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector) as session:
        while True:
            if process.returncode is not None or time.monotonic() > ends:
                raise RuntimeError(f"the webhook is not ready:\n{_tail(log)}")
            try:
                async with session.get(f"https://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.02)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(20):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
