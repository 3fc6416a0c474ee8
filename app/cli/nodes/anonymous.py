"""Nodes without names: for bug reports.

What is kept is listed; all else is replaced, the same by the same, so that what was
equal stays equal. What is replaced becomes `node-1`, `value-2`, `serial-1`, ...; words
that name nobody (`true`, numbers, nothing) stay everywhere. Kept are:

1. all of `cpu`, `memory` and `pci`, flags of `kernel` (names of modules), its version
   and its state of SELinux;
2. of the kernel's configuration `y`, `m`, `n`, numbers, and the options in `_OPTIONS`;
3. of `system.osrelease` and `system.dmiid` the fields in `_OS_RELEASE` and `_DMI`;
4. of devices all attributes in `_DEVICES`, names as the kernel and udev give them;
5. of labels and `local` features what the vendors in `_VENDORS` publish.

The names of features that NFD does not publish itself are replaced, too. At last
every name of a node is replaced wherever it stands inside something that was kept; not
one like `ubuntu`, a word without digit, dot or hyphen, which may mean something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from app.compat.features import Attributes, Features
from app.scheduling.node import Node, Taint
from app.snapshot import Snapshot

_NAME: Final = re.compile(r"...*[0-9.-]|[0-9.-]..", re.ASCII)
"""A name that is looked for inside other text: not `ubuntu`, which may be a word."""

_HARMLESS: Final = re.compile(r"|true|false|[+-]?[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)

_KEPT_DOMAINS: Final = frozenset({"cpu", "memory", "pci"})
_KEPT: Final = frozenset({"kernel.version", "kernel.selinux", "kernel.kvm"})

_CONFIGURED: Final = re.compile(r"[ymn]|-?[0-9]+|0x[0-9a-fA-F]+", re.ASCII)
_OPTIONS: Final = frozenset(
    {
        "ARCH",
        "AS_VERSION",
        "CC_VERSION_TEXT",
        "DEFAULT_CUBIC",
        "DEFAULT_IOSCHED",
        "DEFAULT_NET_SCH",
        "DEFAULT_SECURITY",
        "DEFAULT_TCP_CONG",
        "LSM",
        "OUTPUT_FORMAT",
        "PREEMPT",
        "ZRAM_DEF_COMP",
    }
)

_OS_RELEASE: Final = frozenset(
    {
        "CPE_NAME",
        "ID",
        "ID_LIKE",
        "NAME",
        "OPENSHIFT_VERSION",
        "OSTREE_VERSION",
        "PLATFORM_ID",
        "PRETTY_NAME",
        "RHEL_VERSION",
        "SUPPORT_END",
        "UBUNTU_CODENAME",
        "VARIANT",
        "VARIANT_ID",
        "VERSION",
        "VERSION_CODENAME",
        "VERSION_ID",
        "VERSION_ID.major",
        "VERSION_ID.minor",
    }
)

_DMI: Final = frozenset(
    {
        "bios_date",
        "bios_vendor",
        "bios_version",
        "board_name",
        "board_vendor",
        "board_version",
        "chassis_type",
        "chassis_vendor",
        "product_family",
        "product_name",
        "product_version",
        "sys_vendor",
    }
)

_DEVICES: Final[Mapping[str, frozenset[str]]] = {
    "network": frozenset(
        {"operstate", "speed", "mtu", "sriov_numvfs", "sriov_totalvfs"}
    ),
    "storage": frozenset({"dax", "rotational", "nr_zones", "zoned"}),
    "usb": frozenset({"class", "vendor", "device"}),
}

_DEVICE_NAMES: Final = re.compile(
    r"lo|(eth|ib|wlan|bond|team|br|dummy|tunl|docker|cilium_|veth|cali|lxc|flannel\.)?[0-9]+"
    r"|(en|ib|wl)P?[0-9]*(o|s|p)[0-9]+[a-z0-9]*"
    r"|(sd|vd|xvd|hd)[a-z]{1,3}|(nvme|loop|dm-|md|sr|zram|ram|nbd|mmcblk|pmem)[0-9][a-z0-9]*",
    re.ASCII,
)
"""`eth0`, `enp65s0f0np0`, `nvme0n1`; not `enx` and an address."""

_VENDORS: Final = (
    "amd.com/",
    "feature.node.kubernetes.io/cpu-",
    "feature.node.kubernetes.io/kernel-",
    "feature.node.kubernetes.io/memory-",
    "feature.node.kubernetes.io/pci-",
    "feature.node.kubernetes.io/storage-",
    "gpu.intel.com/",
    "intel.feature.node.kubernetes.io/",
    "nvidia.com/cuda.",
    "nvidia.com/gpu.",
    "nvidia.com/mig.",
    "nvidia.com/mofed.",
    "nvidia.com/mps.",
    "nvidia.com/vgpu.",
)
_NAMING: Final = frozenset({"nvidia.com/gpu.clique", "nvidia.com/gpu.imex-domain"})
"""Of these vendors, and yet the name of something."""

_LABELS: Final = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "kubernetes.io/arch",
        "kubernetes.io/os",
        "node.kubernetes.io/windows-build",
        "karpenter.sh/capacity-type",
        "type",
    }
)
"""Labels whose values are kept; webhooks and platforms look at them."""

_KEY_DOMAINS: Final = (
    "kubernetes.io",
    "k8s.io",
    "karpenter.sh",
    "cloud.google.com",
    "eks.amazonaws.com",
    "kubernetes.azure.com",
    "node.openshift.io",
    "amd.com",
    "nvidia.com",
    "intel.com",
)
"""Keys of labels and taints below these domains are kept, whatever their value."""

_HOSTNAME: Final = "kubernetes.io/hostname"

_Elements: TypeAlias = Any
"""Flags, attributes or instances."""


class _Aliases:
    """Original -> what stands for it."""

    def __init__(self, prefix: str) -> None:
        self._prefix: Final = prefix
        self._known: Final[dict[str, str]] = {}

    def __call__(self, original: str) -> str:
        """The same for the same."""
        return self._known.setdefault(
            original, f"{self._prefix}-{len(self._known) + 1}"
        )


@dataclass(slots=True)
class _Names:
    """All that is replaced, and by what."""

    nodes: Mapping[str, str]
    inside: re.Pattern[str] | None
    keys: _Aliases = field(default_factory=lambda: _Aliases("key"))
    values: _Aliases = field(default_factory=lambda: _Aliases("value"))
    serials: _Aliases = field(default_factory=lambda: _Aliases("serial"))
    devices: _Aliases = field(default_factory=lambda: _Aliases("device"))
    features: _Aliases = field(default_factory=lambda: _Aliases("feature"))

    def kept(self, text: str) -> str:
        """The text, without the name of any node in it."""
        if self.inside is None:
            return text
        return self.inside.sub(lambda found: self.nodes[found[0]], text)

    def value(self, text: str) -> str:
        """What stands for a value of which nothing is known."""
        if text in self.nodes:
            return self.nodes[text]
        return text if _HARMLESS.fullmatch(text) else self.values(text)

    def labelled(self, key: str, value: str) -> tuple[str, str]:
        """A label, or an element of `local.label`."""
        if key.startswith(_VENDORS) and key not in _NAMING:
            return self.kept(key), self.kept(value)
        if key in _LABELS:
            return key, self.kept(value)
        return self.key(key), self.value(value)

    def key(self, key: str) -> str:
        """The key of a label or taint."""
        domain, slash, _ = key.rpartition("/")
        is_known = key in _LABELS or (
            bool(slash)
            and any(domain == one or domain.endswith(f".{one}") for one in _KEY_DOMAINS)
        )
        return self.kept(key) if is_known else self.keys(key)


def anonymize(snapshot: Snapshot) -> Snapshot:
    """The same nodes, called `node-1`, `node-2`, ... in the order of their names."""
    names = _names(snapshot)
    features = _OfFeatures(names)
    order = sorted(snapshot.nodes)
    return Snapshot(
        {names.nodes[name]: _node(snapshot.nodes[name], names) for name in order},
        {
            names.nodes[name]: features.of(snapshot.features[name])
            for name in order
            if name in snapshot.features
        },
        snapshot.generation,
    )


def _names(snapshot: Snapshot) -> _Names:
    order = sorted(snapshot.nodes)
    aliases = {name: f"node-{number}" for number, name in enumerate(order, 1)}
    for name in order:
        for other in _other_names(name, snapshot):
            aliases.setdefault(other, aliases[name])
    looked_for = sorted(
        (re.escape(name) for name in aliases if _NAME.search(name)),
        key=len,
        reverse=True,
    )
    inside = None
    if looked_for:
        inside = re.compile(
            rf"(?<![A-Za-z0-9])(?:{'|'.join(looked_for)})(?![A-Za-z0-9])"
        )
    return _Names(aliases, inside)


def _other_names(name: str, snapshot: Snapshot) -> Iterable[str]:
    """What else a node is called: its host's name, and the first part of each."""
    own = [name, snapshot.nodes[name].labels.get(_HOSTNAME, "")]
    if name in snapshot.features:
        published = snapshot.features[name].attributes.get("system.name") or {}
        own.append(published.get("nodename", ""))
    for one in own:
        for part in (one, one.partition(".")[0]):
            if part:
                yield part


def _node(node: Node, names: _Names) -> Node:
    labels = dict(
        names.labelled(key, value) for key, value in sorted(node.labels.items())
    )
    taints = tuple(
        Taint(names.key(one.key), names.value(one.value), one.effect)
        for one in node.taints
    )
    return Node(
        names.nodes[node.name],
        labels=labels,
        taints=taints,
        unschedulable=node.unschedulable,
    )


class _OfFeatures:
    """Replaces what features hold; sets that were shared stay shared."""

    def __init__(self, names: _Names) -> None:
        self._names: Final = names
        self._done: Final[dict[tuple[str, int], tuple[_Elements, _Elements]]] = {}

    def of(self, features: Features) -> Features:
        """Features of a node that live as long as this."""
        return Features(
            flags=self._all(features.flags, self._flags),
            attributes=self._all(features.attributes, self._attributes),
            instances=self._all(features.instances, self._instances),
        )

    def _all(
        self,
        sets: Mapping[str, _Elements],
        replace: Callable[[str, _Elements], _Elements],
    ) -> dict[str, _Elements]:
        found: dict[str, _Elements] = {}
        for feature, elements in sorted(sets.items()):
            key = (feature, id(elements))
            if key not in self._done:
                # The original stays here, so that nothing else gets its identity.
                self._done[key] = (elements, replace(feature, elements))
            found[self._feature(feature)] = self._done[key][1]
        return found

    def _feature(self, feature: str) -> str:
        return (
            feature if _domain(feature) in _DOMAINS else self._names.features(feature)
        )

    def _flags(self, feature: str, elements: _Elements) -> _Elements:
        if elements is None:
            return None
        domain = _domain(feature)
        if domain in _KEPT_DOMAINS or domain == "kernel":
            return frozenset(map(self._names.kept, elements))
        if domain == "local":
            return frozenset(
                self._names.labelled(one, "")[0] for one in sorted(elements)
            )
        return frozenset(map(self._names.value, sorted(elements)))

    def _attributes(self, feature: str, elements: Attributes) -> Attributes:
        if elements is None:
            return None
        return dict(
            self._attribute(feature, name, value)
            for name, value in sorted(elements.items())
        )

    def _instances(self, feature: str, elements: _Elements) -> _Elements:
        return tuple(
            dict(
                self._attribute(feature, name, value)
                for name, value in sorted(one.items())
            )
            for one in elements
        )

    def _attribute(self, feature: str, name: str, value: str) -> tuple[str, str]:
        names, domain = self._names, _domain(feature)
        if domain in _KEPT_DOMAINS or feature in _KEPT:
            return names.kept(name), names.kept(value)
        if domain == "local":
            return names.labelled(name, value)
        if domain in _DEVICES:
            return name, self._of_device(domain, name, value)
        fields = _FIELDS.get(feature)
        if fields is not None:
            is_kept = name in fields or (
                feature == "kernel.config" and _CONFIGURED.fullmatch(value)
            )
            return name, names.kept(value) if is_kept else names.value(value)
        return names.value(name), names.value(value)

    def _of_device(self, domain: str, name: str, value: str) -> str:
        names = self._names
        if name in _DEVICES[domain]:
            return names.kept(value)
        if name == "name":
            return value if _DEVICE_NAMES.fullmatch(value) else names.devices(value)
        return names.serials(value) if name == "serial" else names.value(value)


_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "kernel.config": _OPTIONS,
    "system.dmiid": _DMI,
    "system.name": frozenset(),
    "system.osrelease": _OS_RELEASE,
}
"""Features whose elements are fields that all hosts have, and which are kept."""

_DOMAINS: Final = frozenset(
    {*_KEPT_DOMAINS, *_DEVICES, "kernel", "local", "rule", "system"}
)
"""NFD's own: the names of their features say nothing of anybody."""


def _domain(feature: str) -> str:
    return feature.partition(".")[0]
