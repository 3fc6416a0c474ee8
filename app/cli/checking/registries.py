"""The way to the registries of manifests' images, for as long as a command runs.

As for the commands on specs: the hosts that are named may be anywhere, Docker's
credentials of whoever runs it count, what is typed comes first.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from app.bootstrap import registries, registry_files
from app.bootstrap.observers import RegistryObserver
from app.cli.specs import opening, reaching
from app.cli.specs.options import Reach
from app.errors import ConfigError, RegistryError
from app.oci.credentials import Credential, Keyring, Offers
from app.oci.images import reference
from app.oci.images.reference import Reference
from app.oci.layouts import LayoutArtifacts, LayoutsFirst
from app.oci.lookups.artifacts import RegistryArtifacts, Times
from app.ports import Artifacts
from app.telemetry import Metrics


@asynccontextmanager
async def opened(
    reach: Reach, images: Iterable[str], *, reads_any_folder: bool = False
) -> AsyncIterator[Artifacts]:
    """Who finds the specs of these images, until it is left.

    Args:
        reach: as it was typed.
        images: as manifests write them; what is no reference has no host.
        reads_any_folder: whether `oci-layout://FOLDER:TAG` is one of them: only for
            what a person types, never for what stands in a manifest.

    Raises:
        ConfigError: an option or a file that it names cannot be used.
    """
    references = tuple(_references(images))
    require_one_registry(reach, references)
    settings = reaching.settings(
        reach, references, environment=os.environ, home=Path.home()
    )
    files = registry_files.read(settings)
    typed = reaching.keyring(reach, references, opening.secret(reach))
    observer = RegistryObserver(Metrics())
    programs = opening.AlongPath(os.environ)
    shared = registries.shared(settings, files, observer, programs)
    shared.operator = Typed(typed, shared.operator)
    times = Times(**settings.times.model_dump())
    found = RegistryArtifacts(shared, times=times, observer=observer)
    layouts = LayoutArtifacts(
        settings.layout_root, shared.limits, reads_any_folder=reads_any_folder
    )
    try:
        yield LayoutsFirst(layouts, found)
    finally:
        await found.close()


def stdin_is_taken(reach: Reach) -> bool:
    """Whether standard input holds a password or token."""
    return reach.registry_password_stdin or reach.registry_token_stdin


def require_one_registry(reach: Reach, references: Iterable[Reference]) -> None:
    """A secret that was typed is for one registry, not for any that a manifest names.

    Raises:
        ConfigError: the images are of several.
    """
    domains = sorted({one.domain for one in references})
    if stdin_is_taken(reach) and len(domains) > 1:
        few = ", ".join(domains[:3])
        text = (
            f"a password or token on standard input is for one registry, and the "
            f"images are of {len(domains)} ({few}): use --docker-config"
        )
        raise ConfigError("InvalidOptions", text)


def _references(images: Iterable[str]) -> Iterator[Reference]:
    for image in images:
        try:
            yield reference.parse(image)
        except RegistryError:
            continue


class Typed:
    """Implements `Offers`: what was typed, then what the operator's files hold."""

    def __init__(self, typed: Keyring, others: Offers) -> None:
        self._both: Final = (typed, others)

    async def offers(self, image: Reference) -> AsyncIterator[Credential]:
        """See `Offers`."""
        for source in self._both:
            async for credential in source.offers(image):
                yield credential
