"""What the settings file says now, and the Docker config file that it names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from app.bootstrap import registries
from app.errors import ConfigError
from app.oci.credentials import Keyring
from app.settings import Accepted, Fault, Refused, Settings, judge, read_file

_DOCKER_CONFIG = ("registry", "dockerConfig")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a process is to use.

    Attributes:
        settings: of the file, the environment and defaults.
        keyring: of the Docker config file that they name.
    """

    settings: Settings
    keyring: Keyring


Said: TypeAlias = Wanted | Refused
"""What both files say, or what is wrong with either."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Both files at one moment.

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
        ConfigError: they cannot be used, or the Docker config file cannot; with the
            lines that a running process would log.
    """
    said = SettingsFiles(path).look().said
    if isinstance(said, Refused):
        raise ConfigError("InvalidSettings", "\n".join(said.lines))
    return said.settings


class SettingsFiles:
    """Reads both files; blocks, so call it in a thread.

    Args:
        path: of the settings file; `None` for none: what the environment says.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._judged: tuple[bytes, Accepted | Refused] | None = None

    def look(self) -> Sight:
        """What they say now; never raises."""
        content = b"" if self.path is None else read_file(self.path)
        if isinstance(content, Refused):
            return Sight(_digest("\n".join(content.lines).encode()), content)
        digest = _digest(content)
        judged = self._judge(content)
        if isinstance(judged, Refused):
            return Sight(digest, judged)
        return self._with_keyring(digest, judged)

    def _judge(self, content: bytes) -> Accepted | Refused:
        """As `judge`; the same content is read once."""
        if self._judged is None or self._judged[0] != content:
            name = str(self.path) if self.path is not None else "the settings"
            self._judged = (content, judge(content, name))
        return self._judged[1]

    def _with_keyring(self, digest: str, accepted: Accepted) -> Sight:
        settings = accepted.settings
        try:
            content = registries.docker_config(settings.registry)
            both = _digest(digest.encode() + content)
            keyring = registries.keyring(settings.registry, content)
        except ConfigError as error:
            text = error.message.removeprefix("registry.dockerConfig ")
            place = accepted.document.place(_DOCKER_CONFIG)
            name = str(self.path) if self.path is not None else "the settings"
            refused = Refused(name, (Fault(text, _DOCKER_CONFIG, place),))
            return Sight(_digest(digest.encode() + text.encode()), refused)
        return Sight(both, Wanted(settings, keyring))


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
