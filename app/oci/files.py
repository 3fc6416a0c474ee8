"""Reading files of an image layout: plain ones, inside it, and bounded."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from app.oci.failure import invalid, unavailable


def read(folder: Path, name: str, *, most_bytes: int) -> bytes | None:
    """The bytes of a plain file below `folder`; `None` if there is none.

    Links are followed as long as they stay inside (a mounted ConfigMap consists of
    them). A device or a pipe is never opened for long: it could block for ever.

    Raises:
        LookupFailedError: the file is outside, too large, or cannot be read.
    """
    try:
        root = folder.resolve(strict=True)
        path = (root / name).resolve(strict=True)
        if not path.is_relative_to(root):
            raise invalid("OutsideLayout", "a file of the layout leads out of it")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise unavailable("UnreadableLayout", "a part of it is no plain file")
            content = file.read(most_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, RuntimeError, ValueError) as error:
        # RuntimeError: links in a circle; ValueError: a null in the path.
        text = getattr(error, "strerror", None) or "its path cannot be followed"
        raise unavailable("UnreadableLayout", f"the layout: {text}") from error
    if len(content) > most_bytes:
        raise invalid("TooLarge", f"a file is larger than {most_bytes} bytes")
    return content


class Stamp(NamedTuple):
    """Tells one version of a file from the next."""

    device: int
    inode: int
    size: int
    changed_ns: int


def stamp(folder: Path, name: str) -> Stamp | None:
    """Of the file that `read` would read; `None` if there is none to be had."""
    try:
        found = (folder / name).stat()
    except (OSError, RuntimeError, ValueError):
        return None
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
