"""The files of a host, under `/` or under a folder that holds a copy of them.

Reading is bounded, and never raises: what is absent is `None`, as NFD passes over
it; what is there but cannot be read is `None` too, and kept in `unread`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_FILE_BYTES: Final = 16 << 20
"""Far above any file that is looked at (a kernel's configuration, module lists)."""

_ABSENT: Final = (FileNotFoundError, NotADirectoryError)


@dataclass(frozen=True, slots=True, order=True)
class Unread:
    """Something that is there and could not be read.

    Attributes:
        path: as the host calls it: `/sys/...`, whatever the tree's root.
        why: for a person: `Permission denied`.
    """

    path: str
    why: str


class Tree:
    """Reads files of one host.

    Args:
        root: of the host; another than `/` for a copy, or a host's files as a
            container sees them.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self.root: Final = root
        self._unread: dict[str, Unread] = {}

    @property
    def is_live(self) -> bool:
        """Whether these are the files of the machine that we run on."""
        return self.root == Path("/")

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What could not be read until now, sorted by path."""
        return tuple(sorted(self._unread.values()))

    def path(self, path: str) -> Path:
        """Where a file of the host is for us.

        Args:
            path: as the host calls it (`/proc/modules`).
        """
        return self.root / path.lstrip("/")

    def content(self, path: str) -> bytes | None:
        """The bytes of a file; `None` if there are none to be had."""
        try:
            with self.path(path).open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
        except _ABSENT:
            return None
        except OSError as error:
            self.refuse(path, error.strerror or "cannot be read")
            return None
        if len(content) > MAX_FILE_BYTES:
            self.refuse(path, f"larger than {MAX_FILE_BYTES} bytes")
            return None
        return content

    def text(self, path: str) -> str | None:
        """The text of a file, whole; bytes that are no UTF-8 become U+FFFD."""
        content = self.content(path)
        return None if content is None else content.decode(errors="replace")

    def names(self, path: str) -> tuple[str, ...]:
        """The names in a folder, sorted; none if it is not to be had."""
        try:
            return tuple(sorted(os.listdir(self.path(path))))  # noqa: PTH208 - names
        except _ABSENT:
            return ()
        except OSError as error:
            self.refuse(path, error.strerror or "cannot be read")
            return ()

    def exists(self, path: str) -> bool:
        """Whether there is such a file or folder."""
        try:
            return self.path(path).exists()
        except OSError as error:
            self.refuse(path, error.strerror or "cannot be read")
            return False

    def refuse(self, path: str, why: str) -> None:
        """Keeps what could not be read."""
        self._unread[path] = Unread(path, why)
