"""Whether a tree is of the machine that we run on, so that its processor can be asked.

It is if it is `/`, or if the kernel's own `/proc` or `/sys` is mounted in it, as
`/host/sys` is where a container sees its host: such a file system can only be that
of the kernel that we run under. A folder that merely holds files is a copy, and may
be of any machine.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path
from typing import Final

from app.host.tree import Tree

_KERNELS_OWN: Final = {"/proc": "proc", "/sys": "sysfs"}
"""Folder -> kind of file system."""
_OWN_MOUNTS: Final = "/proc/self/mountinfo"
_MOUNT: Final = re.compile(r"\S+ \S+ \S+ \S+ (\S+) .*?- (\S+) ", re.ASCII)
"""Where it is mounted, and the kind of file system (proc(5))."""

_LONG: Final = {"i686": "x86_64", "i586": "x86_64", "armv8l": "aarch64"}
"""What the kernel says to a process of that personality -> what the processor is."""
_SHORT_MAX: Final = (1 << 32) - 1


def machine() -> str:
    """What kind of processor we run on, as `platform.machine()` calls it.

    That is what `uname` says, which under a personality of 32 bits (`setarch linux32`)
    is not what a process of 64 bits runs on.
    """
    told = platform.machine()
    return _LONG.get(told, told) if sys.maxsize > _SHORT_MAX else told


def is_here(tree: Tree, kind: str) -> bool:
    """Whether the processor that we run on is the tree's.

    Args:
        tree: the host.
        kind: what kind of processor it has, as `platform.machine()` calls it.
    """
    if kind != machine():
        return False
    if tree.is_live:
        return True
    return holds_kernels_own(tree.root, Tree().text(_OWN_MOUNTS) or "")


def holds_kernels_own(root: Path, mountinfo: str) -> bool:
    """Whether `/proc` or `/sys` below this folder are the kernel's.

    Args:
        root: the folder.
        mountinfo: the text of `/proc/self/mountinfo` (proc(5)).
    """
    mounted = set()
    for line in mountinfo.split("\n"):
        fields = _MOUNT.match(line)
        if fields:
            mounted.add((_unescaped(fields[1]), fields[2]))
    # Links are followed as the tree does: one of a copy cannot lead out of it.
    copy = Tree(Path(os.path.realpath(root)))
    return any(
        (str(copy.path(folder)), kind) in mounted
        for folder, kind in _KERNELS_OWN.items()
    )


def _unescaped(place: str) -> str:
    r"""A path as proc(5) writes it: `\040` is a space."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), place)
