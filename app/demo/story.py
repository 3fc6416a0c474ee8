"""`imagecompat demo`: the real webhook over TLS, on a cluster in memory.

Nothing here decides anything: the webhook that runs is the one that `imagecompat
serve` runs, with two parts exchanged: the cluster is `MemoryCluster` on recorded
hosts, and images are read from OCI layouts in a temporary folder. A second
registry, which always answers 503, is a real server on loopback.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from app.bootstrap import wiring
from app.demo import certificates, images, nodes, scenarios
from app.demo.cluster import MemoryCluster
from app.demo.kubectl import Outcome, send
from app.demo.registry import failing_registry
from app.settings.registry import RegistryHostSettings, RegistrySettings
from app.settings.sections import ServerSettings, Settings
from app.webhook.server import serving

_SHOWN: Final = 90
"""Characters of an annotation's value that are printed."""

Print = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Running:
    """A demo that serves.

    Attributes:
        port: of the webhook, on loopback.
        authority: the CA's certificate, for clients.
        registry_down: `host:port` of the registry that answers 503.
        root: folder of the OCI layouts.
    """

    port: int
    authority: Path
    registry_down: str
    root: Path


@asynccontextmanager
async def running(folder: Path, *, port: int = 0) -> AsyncIterator[Running]:
    """Serves the demo's webhook on loopback until left."""
    authority = certificates.write_pair(folder)
    root = folder / "layouts"
    images.write(root)
    known = nodes.recorded()
    cluster = MemoryCluster(nodes.nodes(known), known)
    async with failing_registry() as registry_down:
        settings = Settings(
            server=ServerSettings(
                host="127.0.0.1",
                port=port,
                status_port=0,
                certificate=folder / "tls.crt",
                private_key=folder / "tls.key",
            ),
            registry=RegistrySettings(
                layout_root=root,
                hosts={
                    registry_down: RegistryHostSettings(plain_http=True, loopback=True)
                },
            ),
        )
        wired = wiring.wire_on(settings, cluster)
        async with serving(wired, settings.server) as bound:
            yield Running(bound.https, authority, registry_down, root)


async def tell(show: Print) -> list[tuple[scenarios.Scenario, Outcome]]:
    """Plays every scenario against a running demo and prints it."""
    told: list[tuple[scenarios.Scenario, Outcome]] = []
    with tempfile.TemporaryDirectory(prefix="imagecompat-demo-") as name:
        async with running(Path(name)) as demo, _session(demo) as session:

            async def post(path: str, body: bytes) -> bytes:
                headers = {"Content-Type": "application/json"}
                url = f"https://127.0.0.1:{demo.port}{path}"
                async with session.post(url, data=body, headers=headers) as answer:
                    answer.raise_for_status()
                    return await answer.read()

            for number, scenario in enumerate(
                scenarios.all_scenarios(demo.registry_down), start=1
            ):
                outcome = await send(scenario, post)
                told.append((scenario, outcome))
                _show(number, scenario, outcome, show)
    return told


def _session(demo: Running) -> aiohttp.ClientSession:
    context = ssl.create_default_context(cafile=str(demo.authority))
    connector = aiohttp.TCPConnector(ssl=context)
    return aiohttp.ClientSession(connector=connector, trust_env=False)


def _show(
    number: int, scenario: scenarios.Scenario, outcome: Outcome, show: Print
) -> None:
    show(f"\n{number}. {scenario.title}")
    show(f"$ {scenario.command}")
    for line in outcome.lines:
        show(line)
    for key, value in sorted(outcome.annotations.items()):
        cut = value if len(value) <= _SHOWN else value[: _SHOWN - 3] + "..."
        show(f"  {key}: {cut}")


async def serve_forever(show: Print, *, port: int) -> None:
    """Serves the demo until cancelled; prints where and how to ask it."""
    with tempfile.TemporaryDirectory(prefix="imagecompat-demo-") as name:
        async with running(Path(name), port=port) as demo:
            show(f"https://127.0.0.1:{demo.port}/v1/validate  (CA: {demo.authority})")
            show(f"OCI layouts: {demo.root}")
            await asyncio.Event().wait()
