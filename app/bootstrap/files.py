"""What the settings file says now, and the files that it names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from app.bootstrap import registry_files
from app.bootstrap.registry_files import RegistryFiles
from app.bootstrap.registry_material import material
from app.errors import ConfigError
from app.settings.faults import Fault
from app.settings.loading import Accepted, Refused, judge, read_file
from app.settings.registry import RegistrySettings
from app.settings.sections import Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a process is to use.

    Attributes:
        settings: of the file, the environment and defaults.
        files: that they name for registries.
    """

    settings: Settings
    files: RegistryFiles = field(default_factory=RegistryFiles)


Said: TypeAlias = Wanted | Refused
"""What all files say, or what is wrong with one."""


@dataclass(frozen=True, slots=True)
class Sight:
    """All files at one moment.

    Attributes:
        digest: of their contents, never of a time: equal digests, equal meaning.
        said: what they say.
    """

    digest: str
    said: Said


def load(path: Path | None) -> Settings:
    """The settings that a process starts with.

    Args:
        path: a YAML file; `None` for none.

    Raises:
        ConfigError: they cannot be used, or a file that they name cannot; with the
            lines that a running process would log.
    """
    said = SettingsFiles(path).look().said
    if isinstance(said, Refused):
        raise ConfigError("InvalidSettings", "\n".join(said.lines))
    return said.settings


class SettingsFiles:
    """Reads all files; blocks, so call it in a thread.

    Args:
        path: of the settings file; `None` for none: what the environment says.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._judged: tuple[bytes, Accepted | Refused] | None = None
        self._known: tuple[RegistrySettings, RegistryFiles] | None = None
        self._faults: tuple[Fault, ...] = ()

    def look(self) -> Sight:
        """What they say now; never raises."""
        content = b"" if self.path is None else read_file(self.path)
        if isinstance(content, Refused):
            return Sight(_digest("\n".join(content.lines).encode()), content)
        digest = _digest(content)
        judged = self._judge(content)
        if isinstance(judged, Refused):
            return Sight(digest, judged)
        return self._with_files(digest, judged)

    def _judge(self, content: bytes) -> Accepted | Refused:
        """As `judge`; the same content is read once."""
        if self._judged is None or self._judged[0] != content:
            name = str(self.path) if self.path is not None else "the settings"
            self._judged = (content, judge(content, name))
        return self._judged[1]

    def _with_files(self, digest: str, accepted: Accepted) -> Sight:
        registry = accepted.settings.registry
        found = registry_files.read(registry)
        both = _digest(f"{digest} {found.digest}".encode())
        faults = self._wrong(registry, found)
        if not faults:
            return Sight(both, Wanted(accepted.settings, found))
        name = str(self.path) if self.path is not None else "the settings"
        place = accepted.document.place
        placed = (replace(one, place=place(one.path)) for one in faults)
        return Sight(both, Refused(name, tuple(placed)))

    def _wrong(
        self, registry: RegistrySettings, found: RegistryFiles
    ) -> tuple[Fault, ...]:
        """What is wrong with the files; the same ones are read once."""
        if self._known != (registry, found):
            held = material(registry, found)
            self._faults = held if isinstance(held, tuple) else ()
            self._known = registry, found
        return self._faults


class Unwatched:
    """Stands for files where there are none: settings that only their caller knows."""

    path: Path | None = None

    def __init__(self, wanted: Wanted) -> None:
        self._sight = Sight("", wanted)

    def look(self) -> Sight:
        """What the process was made from."""
        return self._sight


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
