"""The files of a host, under `/` or under a folder that holds a copy of them.

Reading is bounded, and never raises: what is absent is `None`, as NFD passes over
it; what is there but cannot be read is `None` too, and kept in `unread`.

Below another root than `/` a symbolic link means what it means on that host: an
absolute one begins at the root, and none leads out of it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from app.compat.template import runes

MAX_FILE_BYTES: Final = 16 << 20
"""Far above any file that is looked at (a kernel's configuration, module lists)."""

MAX_NAMES: Final = 16384
"""In one folder. A node with hundreds of Pods has some thousand interfaces."""

MAX_LINKS: Final = 40
"""On the way to one file, as in the kernel."""

MAX_PATH_BYTES: Final = 4095
"""Of a path, as in the kernel."""

MAX_DEPTH: Final = 64
"""Folders above a file; the deepest of `/sys` are below twenty."""

MAX_STEPS: Final = 1_000_000
"""Names in all links that are followed. A node with the most devices that a folder
may hold has some hundred thousand; links of a copy may be made to be many more."""

_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_NO_VALUE: Final = frozenset({errno.EINVAL, errno.ENODEV, errno.EOPNOTSUPP})
"""How a file below `/sys` says that there is no such value (the speed of a cable
that is not plugged in)."""

_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
"""Nothing to wait for: a pipe is opened, and then refused."""
_CHUNK_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True, order=True)
class Unread:
    """Something that is there and could not be read, or that every host has.

    Attributes:
        path: as the host calls it: `/sys/...`, whatever the tree's root.
        why: for a person: `Permission denied`.
    """

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Names below the root, none of which is a link, and how many links led there."""

    steps: tuple[bytes, ...] = ()
    links: int = 0


class Tree:
    """Reads files of one host, which stays as it is meanwhile.

    Args:
        root: of the host; another than `/` for a copy, or a host's files as a
            container sees them.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self.root: Final = root
        self._base: Final = os.fsencode(root.absolute()).rstrip(b"/")
        self._unread: dict[str, Unread] = {}
        self._folders: Final[dict[bytes, _Place]] = {b"": _Place()}
        self._steps = 0

    @property
    def is_live(self) -> bool:
        """Whether these are the files of the machine that we run on."""
        return not self._base

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What could not be read until now, sorted by path."""
        return tuple(sorted(self._unread.values()))

    def path(self, path: str) -> Path:
        """Where a file of the host is for us; in a loop of links, where none is.

        Args:
            path: as the host calls it (`/proc/modules`).
        """
        try:
            return Path(os.fsdecode(self._real(path)))
        except (OSError, ValueError):
            return self.root / "proc" / "unreachable"

    def content(self, path: str, *, limit: int = MAX_FILE_BYTES) -> bytes | None:
        """The bytes of a file; `None` if there are none to be had.

        Args:
            path: as the host calls it.
            limit: in bytes; a larger file is not read.
        """
        try:
            content = _read(self._real(path), limit)
        except OSError as error:
            if error.errno not in _ABSENT | _NO_VALUE:
                self.refuse(path, _why(error))
            return None
        except ValueError:  # a zero byte in the path: there is no such file
            return None
        if content is None:
            self.refuse(path, "not a file")
        elif len(content) > limit:
            self.refuse(path, f"larger than {limit} bytes")
            return None
        return content

    def as_read(self, path: str, *, limit: int = MAX_FILE_BYTES) -> str | None:
        """The text of a file, whole; bytes that are no UTF-8 are lone surrogates."""
        content = self.content(path, limit=limit)
        return None if content is None else runes.escaped(content)

    def text(self, path: str) -> str | None:
        """The text of a file, whole; each byte that is no UTF-8 becomes U+FFFD."""
        content = self.content(path)
        return None if content is None else runes.to_text(content)

    def names(self, path: str) -> tuple[str, ...]:
        """The names in a folder, by their bytes; none if it is not to be had."""
        return self.listed(path) or ()

    def listed(self, path: str) -> tuple[str, ...] | None:
        """The names in a folder, by their bytes; `None` if it is not to be had.

        Bytes that are no UTF-8 are lone surrogates.
        """
        return self._listed(path, lambda _: True)

    def folders(self, path: str) -> tuple[str, ...] | None:
        """As `listed`, but for names of files and of links."""
        return self._listed(path, lambda entry: entry.is_dir(follow_symlinks=False))

    def _listed(
        self, path: str, is_wanted: Callable[[os.DirEntry[bytes]], bool]
    ) -> tuple[str, ...] | None:
        try:
            with os.scandir(self._real(path)) as entries:
                found = list(islice(entries, MAX_NAMES + 1))
            wanted = [entry.name for entry in found if is_wanted(entry)]
        except OSError as error:
            if error.errno not in _ABSENT:
                self.refuse(path, _why(error))
            return None
        except ValueError:
            return None
        if len(found) > MAX_NAMES:
            self.refuse(path, f"more than {MAX_NAMES} entries")
            return None
        return tuple(map(runes.escaped, sorted(wanted)))

    def exists(self, path: str) -> bool:
        """Whether there is such a file or folder."""
        return self._status(path) is not None

    def is_absent(self, path: str) -> bool:
        """Whether there is certainly no such file or folder."""
        try:
            os.stat(self._real(path))  # noqa: PTH116 - bytes
        except OSError as error:
            return error.errno == errno.ENOENT
        except ValueError:
            return False
        return False

    def is_folder(self, path: str) -> bool:
        """Whether it is a folder, or a link to one."""
        status = self._status(path)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def miss(self, path: str) -> None:
        """Keeps that there is no such thing, though every host has it."""
        self._unread.setdefault(path, Unread(path, os.strerror(errno.ENOENT)))

    def refuse(self, path: str, why: str) -> None:
        """Keeps what could not be read."""
        self._unread[path] = Unread(path, why)

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.stat(self._real(path))  # noqa: PTH116 - bytes
        except OSError as error:
            if error.errno not in _ABSENT:
                self.refuse(path, _why(error))
        except ValueError:
            pass
        return None

    def _real(self, path: str) -> bytes:
        """Where a path of the host is for us.

        Raises:
            OSError: too many links, or too long a path.
        """
        host = runes.to_bytes(path)
        if not self._base:
            return host
        if len(host) > MAX_PATH_BYTES:
            raise _error(errno.ENAMETOOLONG)
        folder, _, name = host.rpartition(b"/")
        place = self._walk(self._folder(folder), name)
        return b"/".join((self._base, *place.steps))

    def _folder(self, path: bytes) -> _Place:
        """Where a folder is; found out once, as are those above it.

        Raises:
            OSError: as for `_real`.
        """
        known = self._folders.get(path)
        if known is not None:
            return known
        place, way = _Place(), b""
        for name in path.split(b"/"):
            way = b"/".join((way, name)) if name else way
            further = self._folders.get(way)
            if further is None:
                further = self._folders[way] = self._walk(place, name)
            place = further
        return place

    def _walk(self, start: _Place, path: bytes) -> _Place:
        """Where a path leads from a place, as the host resolves it.

        Raises:
            OSError: as for `_real`.
        """
        ahead, behind, links = _steps(path), list(start.steps), start.links
        while ahead:
            step = ahead.pop()
            if step == b"..":
                del behind[-1:]
                continue
            behind.append(step)
            if len(behind) > MAX_DEPTH:
                raise _error(errno.ENAMETOOLONG)
            target = self._target(behind)
            if target is None:
                continue
            links += 1
            behind = [] if target.startswith(b"/") else behind[:-1]
            steps = _steps(target)
            self._steps += len(steps) + 1
            if links > MAX_LINKS or self._steps > MAX_STEPS:
                raise _error(errno.ELOOP)
            ahead += steps
        return _Place(tuple(behind), links)

    def _target(self, steps: list[bytes]) -> bytes | None:
        """Where the link leads that `steps` name; `None` for what is no link."""
        try:
            return os.readlink(b"/".join((self._base, *steps)))  # noqa: PTH115 - bytes
        except OSError:
            return None


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _steps(path: bytes) -> list[bytes]:
    """The names of a path, the last one first."""
    return [step for step in reversed(path.split(b"/")) if step not in {b"", b"."}]


def _read(path: bytes, limit: int) -> bytes | None:
    """The bytes of a file, some more than `limit` at most; `None` for no file."""
    handle = os.open(path, _READ)
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            raise _error(errno.EISDIR)
        if not stat.S_ISREG(kind):
            return None
        chunks: list[bytes] = []
        size = 0
        while size <= limit and (chunk := os.read(handle, _CHUNK_BYTES)):
            chunks.append(chunk)
            size += len(chunk)
        return b"".join(chunks)
    finally:
        os.close(handle)


def _why(error: OSError) -> str:
    return error.strerror or "cannot be read"
