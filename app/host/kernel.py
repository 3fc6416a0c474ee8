"""The kernel: its version, options, modules, SELinux and KVM.

NFD v0.19.0 `source/kernel`. What is odd there, and kept:

* A release that is no plain number with a suffix (`6.12.74+deb13-amd64`) gives
  `full` alone; `6-x` gives an empty `minor`.
* `full` has `_` for each character that a label cannot hold.
* Names of loaded modules have `_`, names of built-in ones what their file has.
* Without a readable `modules.builtin` there is no `enabledmodule` at all.
* SELinux that only warns is as none.
"""

from __future__ import annotations

import posixpath
import re
import zlib
from typing import Final

from app.compat import gotext
from app.compat.features import Attributes, Flags
from app.compat.template import runes
from app.host.published import Published
from app.host.tree import MAX_FILE_BYTES, Tree

RELEASE: Final = "/proc/sys/kernel/osrelease"
MODULES: Final = "/proc/modules"
KVM: Final = "/sys/devices/virtual/misc/kvm"
ENFORCE: Final = "/sys/fs/selinux/enforce"
CONFIG_GZ: Final = "/proc/config.gz"
CONFIG_UNVERSIONED: Final = "/usr/src/linux/.config"
CONFIGS: Final = (
    "/usr/src/linux-{}/.config",
    "/usr/src/linux-rt-{}/.config",
    CONFIG_UNVERSIONED,
    "/usr/lib/modules/{}/config",
    "/usr/lib/ostree-boot/config-{}",
    "/usr/lib/kernel/config-{}",
    "/usr/src/linux-headers-{}/.config",
    "/lib/modules/{}/build/.config",
    "/usr/src/linux-rt-headers-{}/.config",
    "/boot/config-{}",
)
"""Where else the options are looked for; `{}` stands for the release."""

_FORBIDDEN: Final = re.compile("[^-A-Za-z0-9_.]")
_VERSION: Final = re.compile(
    r"(?P<major>[0-9]+)(\.(?P<minor>[0-9]+))?(\.(?P<revision>[0-9]+))?(-.*)?"
)
_OPTION: Final = re.compile("^CONFIG_([^=\n]*)=(.*)", re.MULTILINE)
_GZIP_BITS: Final = 31
MAX_MEMBERS: Final = 16
"""Of a gzip file; a kernel writes one."""


def discover(tree: Tree) -> Published:
    """What the source `kernel` publishes."""
    release = _release(tree)
    published = Published()
    if release is not None:
        published.attributes["version"] = version(release)
    _take(published, "config", _config(tree, release))
    _take(published, "selinux", _selinux(tree))
    _take(published, "kvm", _kvm(tree))
    loaded, builtin = _loaded(tree), _builtin(tree, release)
    if loaded is not None:
        published.flags["loadedmodule"] = loaded
    if builtin is not None:
        published.flags["enabledmodule"] = builtin | (loaded or frozenset())
    return published


def _take(published: Published, name: str, found: Attributes) -> None:
    if found is not None:
        published.attributes[name] = found


def _release(tree: Tree) -> str | None:
    found = tree.as_read(RELEASE)
    if found is None:
        tree.miss(RELEASE)
        return None
    return gotext.trimmed(found)


def version(release: str) -> dict[str, str]:
    """The parts of a kernel's release: `full`, and `major` to `revision` if plain."""
    full = _FORBIDDEN.sub("_", release).strip("-_.")
    plain = _VERSION.fullmatch(full)
    parts = plain.groupdict() if plain else {}
    return {"full": full} | {name: part or "" for name, part in parts.items()}


def _config(tree: Tree, release: str | None) -> dict[str, str] | None:
    found = _unpacked(tree, CONFIG_GZ)
    if found is not None:
        return options(found)
    path = CONFIG_UNVERSIONED
    for pattern in (path,) if release is None else CONFIGS:
        path = posixpath.normpath(pattern.format(release))
        content = tree.content(path)
        if content is not None:
            return options(content)
    if tree.is_folder(path):
        return {}  # NFD looks at what the last attempt read, not whether it failed
    tree.miss(path)
    return None


def options(content: bytes) -> dict[str, str]:
    """Options of a kernel's configuration, without `CONFIG_` and outer quotes."""
    found = _OPTION.findall(runes.escaped(content))
    return {name: value.strip('"') for name, value in found}


def _unpacked(tree: Tree, path: str) -> bytes | None:
    packed = tree.content(path)
    if packed is None:
        return None
    content = b""
    for _ in range(MAX_MEMBERS):  # Go's reader joins them
        member = zlib.decompressobj(_GZIP_BITS)
        try:
            content += member.decompress(packed, MAX_FILE_BYTES + 1 - len(content))
        except zlib.error:
            break
        if len(content) > MAX_FILE_BYTES:
            tree.refuse(path, f"larger than {MAX_FILE_BYTES} bytes")
            return None
        packed = member.unused_data
        if not packed:
            if member.eof:
                return content
            break
    tree.refuse(path, "not a whole gzip file")
    return None


def _loaded(tree: Tree) -> frozenset[str] | None:
    found = tree.as_read(MODULES)
    if found is None:
        tree.miss(MODULES)
        return None
    lines = map(gotext.trimmed, found.split("\n"))
    return frozenset(_first_word(line) for line in lines if line)


def _first_word(line: str) -> str:
    for position, char in enumerate(line):
        if char in runes.SPACES:
            return line[:position]
    return line


def _builtin(tree: Tree, release: str | None) -> Flags:
    if release is None:
        return None
    path = posixpath.normpath(f"/lib/modules/{release}/modules.builtin")
    found = tree.as_read(path)
    if found is None:
        tree.miss(path)
        return None
    lines = map(gotext.trimmed, found.split("\n"))
    return frozenset(
        line.rpartition("/")[2].removesuffix(".ko")
        for line in lines
        if line.endswith(".ko")
    )


def _selinux(tree: Tree) -> Attributes:
    if not tree.exists("/sys/fs"):
        tree.miss("/sys/fs")
        return None
    found = tree.content(ENFORCE)
    if found is None:
        return {"enabled": "false"} if tree.is_absent(ENFORCE) else None
    if not found:  # NFD crashes
        tree.refuse(ENFORCE, "empty")
        return None
    return {"enabled": "true" if found.startswith(b"1") else "false"}


def _kvm(tree: Tree) -> Attributes:
    if tree.exists(KVM):
        return {"enabled": "true"}
    return {"enabled": "false"} if tree.is_absent(KVM) else None
