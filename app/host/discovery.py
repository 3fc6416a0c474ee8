"""All sources joined: what nfd-worker would publish of a host.

NFD's sources that publish nothing by themselves are left out: `custom` has labels
only, `fake` is for tests. Where `nfd export features` gives up because a folder is
missing (`/sys/class/net`, `/sys/bus/pci/devices`, `/sys/block`), nfd-worker goes on
without that source, and so do we; the folder is listed in `unread`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from app.compat.features import Features
from app.compat.template import runes
from app.host import cpu, kernel, local, memory, network, pci, storage, system, usb
from app.host.cpu import place
from app.host.published import Published
from app.host.tree import Tree, Unread

TOLD_BY: Final = (
    "/sys/bus",  # persistent memory, USB
    "/sys/bus/cpu/devices",  # the processors' topology
    "/sys/devices/system/cpu",  # idle states, frequencies
    "/sys/devices/virtual",  # KVM, what the firmware says
    "/sys/kernel/mm",  # huge pages
    "/sys/module",  # protection of guests
)
"""Folders that every host has, and what NFD concludes from what is not in them.

Without one NFD publishes that there is nothing of the kind, and so do we; but it is
listed, because of a copy it only says that the folder was not copied.
"""

NODE_NAME: Final = "NODE_NAME"
"""The variable that names the node, as nfd-worker reads it."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What is known of a host.

    Attributes:
        features: named with their source (`kernel.version`).
        unread: what could not be read, sorted by path.
        as_read: the same features for `nfd_json`, which prints bytes that are no
            UTF-8 as Go does: they are lone surrogates here, U+FFFD in `features`.
    """

    features: Features
    unread: tuple[Unread, ...]
    as_read: Features


def discover(root: Path = Path("/"), *, machine: str | None = None) -> Discovery:
    """Finds the features of a host; needs no rights, and never raises.

    Args:
        root: where the host's files are.
        machine: the kind of its processors, as `platform.machine()` calls it. By
            default what its `/proc/cpuinfo` is of, else what we run on.
    """
    tree = Tree(root)
    kind = machine or cpu.machine_of(tree) or place.machine()
    node_name = os.environ.get(NODE_NAME, "")
    now = datetime.now(UTC)
    sources: Mapping[str, Callable[[], Published]] = {
        "cpu": lambda: cpu.discover(tree, machine=kind),
        "kernel": lambda: kernel.discover(tree),
        "local": lambda: local.discover(tree, now=now),
        "memory": lambda: memory.discover(tree),
        "network": lambda: network.discover(tree),
        "pci": lambda: pci.discover(tree),
        "storage": lambda: storage.discover(tree),
        "system": lambda: system.discover(tree, node_name=node_name),
        "usb": lambda: usb.discover(tree),
    }
    found = _joined({name: source() for name, source in sources.items()})
    for folder in TOLD_BY:
        if not tree.exists(folder):
            tree.miss(folder)
    return Discovery(_cleaned(found), tree.unread, found)


def _joined(sources: Mapping[str, Published]) -> Features:
    return Features(
        *(
            {
                f"{source}.{name}": elements
                for source, published in sources.items()
                for name, elements in getattr(published, kind).items()
            }
            for kind in ("flags", "attributes", "instances")
        )
    )


def _cleaned(found: Features) -> Features:
    clean = runes.clean
    return Features(
        flags={
            name: frozenset(map(clean, elements or ()))
            for name, elements in found.flags.items()
        },
        attributes={
            name: _cleaned_texts(elements or {})
            for name, elements in found.attributes.items()
        },
        instances={
            name: tuple(map(_cleaned_texts, elements))
            for name, elements in found.instances.items()
        },
    )


def _cleaned_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """Of names that become the same the last counts, as for who reads NFD's JSON."""
    return {
        runes.clean(name): runes.clean(texts[name])
        for name in sorted(texts, key=runes.to_bytes)
    }
