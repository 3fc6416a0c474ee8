"""Reading registries as settings say: files, certificates, mirrors and proxies."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.bootstrap import registry_files
from app.bootstrap.registries import Sources, sources
from app.demo.registry import Registry
from app.ports import Found, ImageOutcome, Platform, Resolved
from app.settings.registry import RegistrySettings
from app.telemetry import Metrics
from tests.tools.authority import Authority

AMD = Platform("linux", "amd64")
HERE = {"plainHttp": True, "loopback": True}
NEW = "2026-02-01T00:00:00Z"


@dataclass(frozen=True)
class Reader:
    """Reads images by one set of settings.

    Attributes:
        sources: made of them.
        metrics: that they count.
    """

    sources: Sources
    metrics: Metrics

    async def look(self, image: str, seconds: float = 20.0) -> ImageOutcome:
        """What an image carries for amd64."""
        port = self.sources.port
        return await port.find(image, (AMD,), deadline_seconds=seconds)

    async def word(self, image: str, seconds: float = 20.0) -> str:
        """The spec of an image, or what kind of outcome there is, and its reason."""
        outcome = await self.look(image, seconds)
        one: object = outcome
        if isinstance(outcome, Resolved):
            one = outcome.platforms[AMD]
        if isinstance(one, Found):
            return one.content.decode()
        return f"{type(one).__name__} {getattr(one, 'reason', '')}".strip()


@asynccontextmanager
async def reading(**registry: Any) -> AsyncIterator[Reader]:
    """The port, as `registry` of a settings file makes it."""
    settings = RegistrySettings.model_validate(registry)
    metrics = Metrics()
    made = sources(settings, registry_files.read(settings), metrics)
    try:
        yield Reader(made, metrics)
    finally:
        await made.close()


def filled(spec: str | None = "spec", content: str = "x") -> Registry:
    """`team/app:1`, with an artifact if there is a spec."""
    registry = Registry()
    repository = registry.repository("team/app")
    image = repository.image("amd64", content)
    repository.tag(image, "1")
    if spec is not None:
        repository.attach(image, spec.encode(), created=NEW)
    return registry


def mirrors(folder: Path, texts: Mapping[str, str]) -> Path:
    """A folder of `HOST/hosts.toml`, by registries."""
    for host, text in texts.items():
        name = host.replace(":", "_") + "_" if ":" in host else host
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "hosts.toml").write_text(text)
    return folder


def server_context(
    authority: Authority, *names: str, is_mutual: bool = False
) -> ssl.SSLContext:
    """TLS of a server that an authority vouches for.

    Args:
        authority: that issues the certificate.
        names: of the server; none for 127.0.0.1 and localhost.
        is_mutual: whether clients need a certificate of the authority.
    """
    pair = (authority.certificate, authority.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*(authority.issue(*names) if names else pair))
    if is_mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.ca)
    return context
