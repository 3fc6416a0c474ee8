"""Block devices, with what their queue says.

NFD v0.19.0 `source/storage`. Loop devices are among them, and say that they do not
rotate.
"""

from __future__ import annotations

from typing import Final

from app.compat import gotext
from app.host.published import Published
from app.host.tree import Tree

DEVICES: Final = "/sys/block"
OF_QUEUE: Final = ("dax", "rotational", "nr_zones", "zoned")


def discover(tree: Tree) -> Published:
    """What the source `storage` publishes; nothing if there is no such folder."""
    names = tree.listed(DEVICES)
    if names is None:
        tree.miss(DEVICES)
        return Published()
    return Published(instances={"block": tuple(_device(tree, name) for name in names)})


def _device(tree: Tree, name: str) -> dict[str, str]:
    attributes = {"name": name}
    for file in OF_QUEUE:
        value = tree.as_read(f"{DEVICES}/{name}/queue/{file}")
        if value is not None:
            attributes[file] = gotext.trimmed(value)
    return attributes
