"""Files of hosts, made from short descriptions.

A description maps paths to what stands there: text or bytes for a file, `Link` for
a symbolic link, `FOLDER`, `PIPE`, and `GONE` for what `BASE` has and this host has
not. `host_examples.py` has many.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    to: str


class Kind(Enum):
    """What is no file and no link."""

    FOLDER = "folder"
    PIPE = "pipe"
    GONE = "gone"


FOLDER: Final = Kind.FOLDER
PIPE: Final = Kind.PIPE
GONE: Final = Kind.GONE

Entry: TypeAlias = str | bytes | Link | Kind
Entries: TypeAlias = Mapping[str, Entry]

RELEASE: Final = "/proc/sys/kernel/osrelease"
FEATURES: Final = "/etc/kubernetes/node-feature-discovery/features.d"
NET: Final = "/sys/class/net"
PCI: Final = "/sys/bus/pci/devices"
USB: Final = "/sys/bus/usb/devices"
BLOCK: Final = "/sys/block"
ND: Final = "/sys/bus/nd/devices"
HUGE: Final = "/sys/kernel/mm/hugepages"
DMI: Final = "/sys/devices/virtual/dmi/id"

BASE: Final[Entries] = {
    RELEASE: "6.8.0-52-generic\n",
    "/proc/modules": "vfio_pci 16384 0 - Live 0x0\nkvm 1 2 kvm_intel, Live 0x0\n",
    "/proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
    "/lib/modules/6.8.0-52-generic/modules.builtin": (
        "kernel/drivers/nvme/host/nvme-core.ko\nkernel/fs/ext4/ext4.ko\n"
    ),
    "/boot/config-6.8.0-52-generic": (
        "#\n# Linux\n#\nCONFIG_64BIT=y\nCONFIG_KVM=m\n# CONFIG_NUMA is not set\n"
        'CONFIG_LSM="landlock,lockdown"\nCONFIG_HZ=250\nCONFIG_EMPTY=""\n'
    ),
    "/etc/os-release": 'ID=ubuntu\nVERSION_ID="24.04"\nNAME="Ubuntu"\n',
    "/sys/devices/virtual": FOLDER,
    "/sys/fs": FOLDER,
    "/sys/module": FOLDER,
    "/sys/bus/node/devices/node0": FOLDER,
    f"{HUGE}/hugepages-2048kB/nr_hugepages": "0\n",
    f"{PCI}": FOLDER,
    f"{BLOCK}": FOLDER,
    f"{NET}/lo/operstate": "unknown\n",
    f"{NET}/lo/mtu": "65536\n",
}
"""A host on which each source finds something, or nothing that is wrong."""


def make(root: Path, entries: Entries, base: Entries = BASE) -> Path:
    """Makes a tree of `base` and what is different; gives its root."""
    for path, entry in sorted({**base, **entries}.items()):
        if entry is not GONE:
            _put(root / path.lstrip("/"), entry)
    return root


def _put(place: Path, entry: Entry) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    match entry:
        case str():
            place.write_bytes(entry.encode("utf-8", "surrogateescape"))
        case bytes():
            place.write_bytes(entry)
        case Link(to):
            place.symlink_to(to)
        case Kind.PIPE:
            os.mkfifo(place)
        case _:
            place.mkdir(exist_ok=True)


GIVE_UP: Final[Mapping[str, str]] = {
    NET: "network",
    PCI: "pci",
    BLOCK: "storage",
}
"""Folders without which `nfd export features` gives up, and their sources."""
