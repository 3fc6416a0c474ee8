"""USB devices.

NFD v0.19.0 `source/usb`. A device whose class is `00` says it for each of its
interfaces: it is published once for each, with the interface's class, so that two
interfaces of one class give two equal instances.
"""

from __future__ import annotations

from typing import Final

from app.compat import gotext
from app.host.published import Published
from app.host.tree import Tree

DEVICES: Final = "/sys/bus/usb/devices"
FILES: Final = {
    "class": "bDeviceClass",
    "vendor": "idVendor",
    "device": "idProduct",
    "serial": "serial",
}
_OF_INTERFACES: Final = "00"
_OF_INTERFACE: Final = "bInterfaceClass"


def discover(tree: Tree) -> Published:
    """What the source `usb` publishes."""
    devices: list[dict[str, str]] = []
    for path in _holding(tree, DEVICES, FILES["device"]):
        devices += _device(tree, path)
    return Published(instances={"device": tuple(devices)})


def _holding(tree: Tree, folder: str, file: str) -> list[str]:
    """The folders in a folder in which such a file is listed."""
    paths = [f"{folder}/{name}" for name in tree.names(folder)]
    return [path for path in paths if file in tree.names(path)]


def _device(tree: Tree, path: str) -> list[dict[str, str]]:
    attributes: dict[str, str] = {}
    for name, file in FILES.items():
        value = gotext.trimmed(tree.as_read(f"{path}/{file}") or "")
        if value:
            attributes[name] = value
    if attributes.get("class") != _OF_INTERFACES:
        return [attributes]
    classes: list[str] = []
    for interface in _holding(tree, path, _OF_INTERFACE):
        found = tree.as_read(f"{interface}/{_OF_INTERFACE}")
        if found is None:
            return []
        classes.append(gotext.trimmed(found))
    return [attributes | {"class": name} for name in classes]
