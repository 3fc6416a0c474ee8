"""PCI devices, all of them: the classes that NFD is told bound its labels only.

NFD v0.19.0 `source/pci`. A device without one of the first five files is left out.
"""

from __future__ import annotations

from typing import Final

from app.compat import gotext
from app.compat.template import runes
from app.host.published import Published
from app.host.tree import Tree

DEVICES: Final = "/sys/bus/pci/devices"
NEEDED: Final = ("class", "vendor", "device", "subsystem_vendor", "subsystem_device")
OPTIONAL: Final = ("sriov_totalvfs", "iommu_group/type", "iommu/intel-iommu/version")
_CLASS_BYTES: Final = 4
"""Class and subclass; the programming interface is left out."""


def discover(tree: Tree) -> Published:
    """What the source `pci` publishes; nothing if there is no such folder."""
    names = tree.listed(DEVICES)
    if names is None:
        tree.miss(DEVICES)
        return Published()
    devices = (_device(tree, name) for name in names)
    return Published(instances={"device": tuple(filter(None, devices))})


def _device(tree: Tree, name: str) -> dict[str, str] | None:
    attributes: dict[str, str] = {}
    for file in NEEDED + OPTIONAL:
        value = tree.as_read(f"{DEVICES}/{name}/{file}")
        if value is not None:
            attributes[file] = gotext.trimmed(value.removeprefix("0x"))
        elif file in NEEDED:
            return None
    number = runes.to_bytes(attributes["class"])[:_CLASS_BYTES]
    return attributes | {"class": runes.escaped(number)}
