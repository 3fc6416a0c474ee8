"""Settings from a file, the environment and defaults."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from app.errors import ConfigError
from app.settings import document, renamed
from app.settings.document import Document
from app.settings.faults import Fault, ordered
from app.settings.fitting import fit
from app.settings.sections import Settings

MAX_FILE_BYTES: Final = 1 << 20
"""A ConfigMap cannot be larger."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Settings that a process can use.

    Attributes:
        settings: all of them.
        document: the file's own words.
        advice: keys of an older version, under which they were read.
    """

    settings: Settings
    document: Document
    advice: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Settings that no process can use.

    Attributes:
        name: of the file, or of what stands for it.
        faults: everything that is wrong, in the file's order.
    """

    name: str
    faults: tuple[Fault, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each fault, its place first."""
        return tuple(one.line(self.name) for one in self.faults)


Judged: TypeAlias = Accepted | Refused


def load(path: Path | None) -> Settings:
    """Settings from a file, the environment and defaults.

    Args:
        path: a YAML file; `None` for none.

    Raises:
        ConfigError: the file cannot be read or a value is wrong; the message has a
            line for each fault, with its place and what was expected.
    """
    judged = judge(b"", "the settings") if path is None else judge_file(path)
    if isinstance(judged, Refused):
        raise ConfigError("InvalidSettings", "\n".join(judged.lines))
    return judged.settings


def judge_file(path: Path) -> Judged:
    """What a file and the environment say; never raises."""
    content = read_file(path)
    return content if isinstance(content, Refused) else judge(content, str(path))


def judge(content: bytes, name: str) -> Judged:
    """What a file's content and the environment say; never raises.

    Args:
        content: of the file; empty for none.
        name: of the file.
    """
    if len(content) > MAX_FILE_BYTES:
        fault = Fault(f"larger than {MAX_FILE_BYTES} bytes")
        return Refused(name, (fault,))
    found = document.read(content)
    if not isinstance(found, Document):
        return Refused(name, found)
    old = renamed.apply(found)
    fitted = fit(old.document, os.environ)
    if isinstance(fitted, Settings) and not old.faults:
        return Accepted(fitted, old.document, old.advice)
    others = () if isinstance(fitted, Settings) else fitted
    return Refused(name, ordered((*old.faults, *others)))


def read_file(path: Path) -> bytes | Refused:
    """A file's bytes, no more than are needed to see that it is too large.

    In a volume of the kubelet the file is a link through `..data`, which is changed
    at once for all files: one `open` sees one version. While the old one is taken
    away it may miss both, so that a file that is not there is looked for again.
    """
    try:
        content = _read(path)
    except FileNotFoundError:
        try:
            content = _read(path)
        except OSError as error:
            return _unreadable(path, error)
    except OSError as error:
        return _unreadable(path, error)
    return content


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def _unreadable(path: Path, error: OSError) -> Refused:
    return Refused(str(path), (Fault(f"cannot be read: {error.strerror}"),))
