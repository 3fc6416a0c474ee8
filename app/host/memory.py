"""Memory: NUMA nodes, swap, persistent memory, huge pages.

NFD v0.19.0 `source/memory`. Values of huge pages are how many there are in all.
"""

from __future__ import annotations

import re
from typing import Final

from app.compat import gotext
from app.compat.features import Attributes, Instances
from app.host.published import Published
from app.host.tree import Tree

SWAPS: Final = "/proc/swaps"
NODES: Final = "/sys/bus/node/devices"
PERSISTENT: Final = "/sys/bus/nd/devices"
HUGE_PAGES: Final = "/sys/kernel/mm/hugepages"

_WHOLE: Final = re.compile("([-+]?)([0-9]*)")
_POSITIVE: Final = re.compile(r"\+?0*([1-9][0-9]{0,18})")
_MAX: Final = (1 << 63) - 1
_KIBI: Final = 1024
_SUFFIXES: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_FAST_DIGITS: Final = 11
"""Of a number in Ki that Kubernetes does not take the long way with."""
_EIGHT: Final = 8


def discover(tree: Tree) -> Published:
    """What the source `memory` publishes."""
    published = Published()
    for name, find in (("numa", _numa), ("swap", _swap), ("hugepages", _huge_pages)):
        found = find(tree)
        if found is not None:
            published.attributes[name] = found
    persistent = _persistent(tree)
    if persistent is not None:
        published.instances["nv"] = persistent
    return published


def _numa(tree: Tree) -> Attributes:
    nodes = tree.listed(NODES)
    if nodes is None:
        tree.miss(NODES)
        return None
    return {"is_numa": _truth(len(nodes) > 1), "node_count": str(len(nodes))}


def _swap(tree: Tree) -> Attributes:
    found = tree.as_read(SWAPS)
    if found is None:
        tree.miss(SWAPS)
        return None
    lines = [line for line in found.split("\n") if gotext.trimmed(line)]
    return {"enabled": _truth(len(lines) > 1)}


def _persistent(tree: Tree) -> Instances | None:
    devices = tree.listed(PERSISTENT)
    if devices is None:
        return () if tree.is_absent(PERSISTENT) else None
    return tuple(_device(tree, name) for name in devices)


def _device(tree: Tree, name: str) -> dict[str, str]:
    attributes = {"name": name}
    for attribute in ("devtype", "mode"):
        value = tree.as_read(f"{PERSISTENT}/{name}/{attribute}")
        if value is not None:
            attributes[attribute] = gotext.trimmed(value)
    return attributes


def _huge_pages(tree: Tree) -> Attributes:
    sizes = tree.folders(HUGE_PAGES)
    if sizes is None:
        return {"enabled": "false"} if tree.is_absent(HUGE_PAGES) else None
    found = {"enabled": "false"}
    for name in sizes:
        size = quantity(name.removeprefix("hugepages-").rstrip("kB"))
        if size is None:
            continue
        count = gotext.trimmed(tree.as_read(f"{HUGE_PAGES}/{name}/nr_hugepages") or "")
        found[f"hugepages-{size}"] = count
        positive = _POSITIVE.fullmatch(count)
        if positive and int(positive[1]) <= _MAX:
            found["enabled"] = "true"
    return found


def quantity(kibibytes: str) -> str | None:
    """A number of Ki as Kubernetes writes it (`2048`: `2Mi`); `None` if it is none.

    What is no multiple of eight stays as it is written. Source: `ParseQuantity` of
    k8s.io/apimachinery. Fractions, which no kernel has, are not read.
    """
    found = _WHOLE.fullmatch(kibibytes)
    if found is None:
        return None
    sign, digits = found[1], found[2].lstrip("0")
    if len(digits) > len(str(_MAX)):
        digits = str(_MAX)
    number = int(digits or "0")
    if number % _EIGHT and len(digits) <= _FAST_DIGITS:
        return f"{kibibytes}Ki"
    number = min(number * _KIBI, _MAX)
    power = 0
    while number and number % _KIBI == 0 and power < len(_SUFFIXES) - 1:
        number //= _KIBI
        power += 1
    return f"{'-' if sign == '-' and number else ''}{number}{_SUFFIXES[power]}"


def _truth(is_true: bool) -> str:  # noqa: FBT001 - what is asked
    return "true" if is_true else "false"
