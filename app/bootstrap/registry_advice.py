"""What files of registry settings say that never counts.

A process takes them as they are: `imagecompat validate-config --files` tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.bootstrap.registry_files import DOCKER_CONFIG, RegistryFiles
from app.oci.credentials.helpers import HelperNames, read_helpers
from app.settings.faults import Fault
from app.settings.registry import RegistrySettings


def advise(settings: RegistrySettings, found: RegistryFiles) -> tuple[Fault, ...]:
    """What looks like a mistake.

    Args:
        settings: that name the files.
        found: the files; nothing is wrong with them.
    """
    return (*_folders(settings), *_helpers(settings, found))


def _folders(settings: RegistrySettings) -> Iterator[Fault]:
    """Of programs and of layouts; that of mirrors is read, so it is there."""
    named: tuple[tuple[str, Path | None], ...] = (
        ("credentialHelpers", settings.credential_helpers),
        ("credentialProviderFolder", settings.credential_provider_folder),
        ("layoutRoot", settings.layout_root),
    )
    for name, folder in named:
        if folder is not None and not folder.is_dir():
            yield Fault(f"{folder} is no folder here", ("registry", name))


def _helpers(settings: RegistrySettings, found: RegistryFiles) -> Iterator[Fault]:
    file = found.of(*DOCKER_CONFIG)
    if file is None or settings.credential_helpers is not None:
        return
    if read_helpers(file.content) != HelperNames():
        text = f"{file.path} names credential helpers: none is asked"
        yield Fault(f"{text} without credentialHelpers", DOCKER_CONFIG)
