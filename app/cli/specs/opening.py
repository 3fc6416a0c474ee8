"""Opens the images that a person names."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.bootstrap import registries, registry_files
from app.bootstrap.observers import RegistryObserver
from app.cli.progress import Meter
from app.cli.specs import names, reaching
from app.cli.specs.options import Reach
from app.errors import ConfigError
from app.oci.credentials import Keyring
from app.oci.credentials.helpers import HELPER_BYTES
from app.oci.credentials.programs import MAX_PROGRAMS, Failure, Programs, Ran
from app.oci.limits import Limits
from app.oci.registry.shared import Shared
from app.oci.writing.opening import open_store
from app.oci.writing.store import Store
from app.telemetry import Metrics

HELPER_SECONDS: Final = 60.0
"""A helper may ask its user to unlock something."""

MAX_SECRET_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens stores while a command runs.

    Attributes:
        shared: the way to registries.
        keyring: what was given on the command line.
        progress: of the command.
    """

    shared: Shared
    keyring: Keyring
    progress: Meter

    @property
    def limits(self) -> Limits:
        """Every bound of reading registries."""
        return self.shared.limits

    def open(self, image: str) -> Store:
        """The store of an image; see `open_store`."""
        return open_store(image, self.shared, keyring=self.keyring)


@asynccontextmanager
async def opened(reach: Reach, images: Iterable[str]) -> AsyncIterator[Opener]:
    """The way to the registries of these images, until it is left.

    Raises:
        ConfigError: an option or a file that it names cannot be used, or an image is
            neither a reference nor a layout.
    """
    references = names.named(images)
    settings = reaching.settings(
        reach, references, environment=os.environ, home=Path.home()
    )
    files = registry_files.read(settings)
    keyring = reaching.keyring(reach, references, secret(reach))
    observer = RegistryObserver(Metrics())
    shared = registries.shared(settings, files, observer, AlongPath(os.environ))
    try:
        with Meter(sys.stderr, quiet=reach.quiet) as meter:
            yield Opener(shared, keyring, meter)
    finally:
        await shared.transport.close()


def secret(reach: Reach) -> str:
    """The first line of standard input, where that is the password or token."""
    if not (reach.registry_password_stdin or reach.registry_token_stdin):
        return ""
    content = sys.stdin.buffer.read(MAX_SECRET_BYTES + 1)
    if len(content) > MAX_SECRET_BYTES:
        text = f"standard input: more than {MAX_SECRET_BYTES} bytes are no password"
        raise ConfigError("InputTooLarge", text)
    try:
        secret = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        secret = ""
    if not secret or not secret.isprintable():
        text = "standard input: expected one line with a password or token"
        raise ConfigError("InvalidInput", text)
    return secret


class AlongPath:
    """Runs Docker's helpers as Docker does: along `PATH`, in the user's environment.

    Implements `programs.Runner`. That is for people at a terminal; the webhook runs
    programs of one folder only.

    Args:
        environment: of the user.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment: Final = environment
        self._turns: Final = asyncio.Semaphore(MAX_PROGRAMS)

    @property
    def turns(self) -> asyncio.Semaphore:
        """See `Runner`."""
        return self._turns

    async def run(
        self,
        name: str,
        arguments: Sequence[str],
        content: bytes,
        *,
        more: Mapping[str, str] | None = None,
    ) -> Ran:
        """See `Runner`."""
        path = shutil.which(name, path=self._environment.get("PATH"))
        if path is None:
            return Failure.NOT_STARTED
        programs = Programs(
            Path(path).absolute().parent,  # noqa: ASYNC240 - asks no disk
            self._environment,
            seconds=HELPER_SECONDS,
            most_bytes=HELPER_BYTES,
            turns=self._turns,
        )
        return await programs.run(name, arguments, content, more=more)
