"""Network interfaces: those of devices, and virtual ones.

NFD v0.19.0 `source/network`. What `ip link` calls an interface is virtual here if
there is no `device` below its folder: bonds, bridges, tunnels, `lo`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.compat import gotext
from app.host.published import Published
from app.host.tree import Tree

INTERFACES: Final = "/sys/class/net"
OF_DEVICES: Final = (
    "operstate",
    "speed",
    "device/sriov_numvfs",
    "device/sriov_totalvfs",
    "mtu",
)
OF_VIRTUAL: Final = ("operstate", "speed", "mtu")
_NO_INTERFACE: Final = "bonding_masters"
"""A file among the folders, while there is a bond."""


def discover(tree: Tree) -> Published:
    """What the source `network` publishes; nothing if there is no such folder."""
    names = tree.listed(INTERFACES)
    if names is None:
        tree.miss(INTERFACES)
        return Published()
    devices: list[dict[str, str]] = []
    virtual: list[dict[str, str]] = []
    for name in names:
        if name == _NO_INTERFACE:
            continue
        if tree.exists(f"{INTERFACES}/{name}/device"):
            devices.append(_interface(tree, name, OF_DEVICES))
        else:
            virtual.append(_interface(tree, name, OF_VIRTUAL))
    return Published(instances={"device": tuple(devices), "virtual": tuple(virtual)})


def _interface(tree: Tree, name: str, files: Sequence[str]) -> dict[str, str]:
    attributes = {"name": name}
    for file in files:
        value = tree.as_read(f"{INTERFACES}/{name}/{file}")
        if value is not None:
            attributes[file.rpartition("/")[2]] = gotext.trimmed(value)
    return attributes
