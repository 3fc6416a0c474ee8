"""The operating system, the node's name, and what the firmware says of the machine.

NFD v0.19.0 `source/system`. Every field of `os-release` is published, and the parts
of `VERSION_ID` if it is a number; of the firmware, what needs no rights to read.
"""

from __future__ import annotations

import re
from typing import Final

from app.compat import gotext
from app.compat.features import Attributes
from app.compat.template import runes
from app.host.published import Published
from app.host.tree import Tree

OS_RELEASE: Final = "/etc/os-release"
FIRMWARE: Final = "/sys/devices/virtual/dmi/id"
OF_FIRMWARE: Final = (
    "bios_date",
    "bios_vendor",
    "bios_version",
    "board_asset_tag",
    "board_name",
    "board_vendor",
    "board_version",
    "chassis_asset_tag",
    "chassis_type",
    "chassis_vendor",
    "chassis_version",
    "product_family",
    "product_name",
    "product_sku",
    "product_version",
    "sys_vendor",
)

MAX_LINE_BYTES: Final = (1 << 16) - 1
"""Of `os-release`, its end included: NFD stops reading at the first longer line."""

_FIELD: Final = re.compile("([0-9A-Za-z_]+)=(.+)")
_VERSION: Final = re.compile(r"(?P<major>[0-9]+)(\.(?P<minor>[0-9]+))?(\..*)?")


def discover(tree: Tree, *, node_name: str) -> Published:
    """What the source `system` publishes.

    Args:
        tree: the host's files.
        node_name: what nfd-worker is given as `NODE_NAME`; may be empty.
    """
    published = Published(attributes={"name": {"nodename": node_name}})
    release = _os_release(tree)
    if release is not None:
        published.attributes["osrelease"] = release
    firmware = _firmware(tree)
    if firmware:
        published.attributes["dmiid"] = firmware
    return published


def _os_release(tree: Tree) -> Attributes:
    content = tree.content(OS_RELEASE)
    if content is None:
        if tree.is_folder(OS_RELEASE):
            return {}  # NFD opens it, and passes over what reading it says
        tree.miss(OS_RELEASE)
        return None
    return fields(content)


def fields(content: bytes) -> dict[str, str]:
    """The fields of `os-release`, and the parts of `VERSION_ID`."""
    found: dict[str, str] = {}
    for line in content.split(b"\n"):
        if len(line) > MAX_LINE_BYTES:
            break
        field = _FIELD.match(runes.escaped(line.removesuffix(b"\r")))
        if field:
            found[field[1]] = field[2].strip("\"'")
    version = _VERSION.fullmatch(found.get("VERSION_ID", ""))
    for name, part in version.groupdict().items() if version else ():
        if part:
            found[f"VERSION_ID.{name}"] = part
    return found


def _firmware(tree: Tree) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in OF_FIRMWARE:
        value = tree.as_read(f"{FIRMWARE}/{name}")
        if value is not None:
            found[name] = gotext.trimmed(value)
    return found
