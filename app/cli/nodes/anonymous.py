"""Nodes without names: for bug reports.

What is kept is listed in `harmless` and `labelled`; all else is replaced, the same by
the same, so that what was equal stays equal. What is replaced becomes `node-1`,
`value-2`, `key-3`, `serial-1`, ... Kept are:

1. features and elements of NFD's own, and their values where these are numbers,
   identifiers, words of a closed set, or texts of words that many hosts have;
2. of the kernel's version every part that many hosts have, names of its modules and
   options, `y`, `m`, `n` and sizes;
3. names of devices as the kernel and udev give them;
4. labels and taints whose keys platforms and vendors set, and of some the values;
5. `true`, `false` and nothing, wherever they stand.

At last every name of a node is replaced wherever it stands inside something that was
kept, in upper or lower case, with `-` or `_`; not one like `ubuntu`, a word without
digit, dot or hyphen, which may mean something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from app.cli.nodes import harmless, labelled
from app.compat.features import Attributes, Features
from app.scheduling.node import Node, Taint
from app.snapshot import Snapshot

_NAME: Final = re.compile(r"...*[0-9.-]|[0-9.-]..", re.ASCII)
"""A name that is looked for inside other text: not `ubuntu`, which may be a word."""

_HOSTNAME: Final = "kubernetes.io/hostname"
_EFFECTS: Final = frozenset({"NoExecute", "NoSchedule", "PreferNoSchedule"})

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
    """All that is replaced, and by what.

    Attributes:
        nodes: what a node is called, in lower case and with hyphens -> its alias.
        inside: finds these inside other text.
    """

    nodes: Mapping[str, str]
    inside: re.Pattern[str] | None
    keys: _Aliases = field(default_factory=lambda: _Aliases("key"))
    values: _Aliases = field(default_factory=lambda: _Aliases("value"))
    serials: _Aliases = field(default_factory=lambda: _Aliases("serial"))
    devices: _Aliases = field(default_factory=lambda: _Aliases("device"))
    features: _Aliases = field(default_factory=lambda: _Aliases("feature"))

    def without_nodes(self, text: str) -> str:
        """The text, without the name of any node in it."""
        if self.inside is None:
            return text
        return self.inside.sub(lambda found: self.nodes[_plain(found[0])], text)

    def value(self, text: str) -> str:
        """What stands for a value of which nothing is known."""
        if text in harmless.NOTHING:
            return text
        return self.nodes.get(_plain(text)) or self.values(text)

    def labelled(self, key: str, value: str) -> tuple[str, str]:
        """A label, or an element of `local.label`."""
        told = self.without_nodes(value)
        is_kept = labelled.is_value(key, told)
        return self.key(key), told if is_kept else self.value(value)

    def key(self, key: str) -> str:
        """The key of a label or taint."""
        return key if labelled.is_key(key) else self.keys(key)

    def release(self, text: str) -> str:
        """A kernel's, without the parts that few hosts have."""
        told = harmless.ADDRESS.sub(
            lambda found: self.values(found[0]), self.without_nodes(text)
        )
        return harmless.WORD.sub(
            lambda found: (
                found[0] if harmless.is_word(found[0]) else self.values(found[0])
            ),
            told,
        )


def _plain(name: str) -> str:
    """A node's name, however it is written."""
    return name.casefold().replace("_", "-")


def anonymize(snapshot: Snapshot) -> Snapshot:
    """The same nodes, called `node-1`, `node-2`, ... in the order of their names."""
    order = sorted(snapshot.nodes)
    aliases = {name: f"node-{number}" for number, name in enumerate(order, 1)}
    names = _names(snapshot, aliases)
    features = _OfFeatures(names)
    return Snapshot(
        {
            alias: _node(snapshot.nodes[name], alias, names)
            for name, alias in aliases.items()
        },
        {
            alias: features.of(snapshot.features[name])
            for name, alias in aliases.items()
            if name in snapshot.features
        },
        snapshot.generation,
    )


def _names(snapshot: Snapshot, aliases: Mapping[str, str]) -> _Names:
    nodes: dict[str, str] = {}
    for name, alias in aliases.items():
        nodes.setdefault(_plain(name), alias)
    for name, alias in aliases.items():
        for other in _other_names(name, snapshot):
            nodes.setdefault(_plain(other), alias)
    # The longest first: `gpu-1` is not all of `gpu-1.acme.internal`.
    looked_for = sorted(filter(_NAME.search, nodes), key=len, reverse=True)
    if not looked_for:
        return _Names(nodes, None)
    written = "|".join(re.escape(name).replace(r"\-", "[-_]") for name in looked_for)
    pattern = rf"(?<![A-Za-z0-9])(?:{written})(?![A-Za-z0-9])"
    return _Names(nodes, re.compile(pattern, re.IGNORECASE))


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


def _node(node: Node, alias: str, names: _Names) -> Node:
    labels = dict(
        names.labelled(key, value) for key, value in sorted(node.labels.items())
    )
    taints = tuple(
        Taint(names.key(one.key), names.value(one.value), _effect(one, names))
        for one in node.taints
    )
    return Node(
        alias,
        labels=labels,
        taints=taints,
        unschedulable=node.unschedulable,
    )


def _effect(taint: Taint, names: _Names) -> str:
    return taint.effect if taint.effect in _EFFECTS else names.value(taint.effect)


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
        is_kept = harmless.is_feature(feature)
        return feature if is_kept else self._names.features(feature)

    def _flags(self, feature: str, elements: _Elements) -> _Elements:
        if elements is None:
            return None
        return frozenset(self._flag(feature, one) for one in sorted(elements))

    def _flag(self, feature: str, element: str) -> str:
        if feature in _LOCAL:
            return self._names.key(element)
        if harmless.is_flag(feature, element):
            return self._names.without_nodes(element)
        return self._names.value(element)

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
        names = self._names
        if feature in _LOCAL:
            return names.labelled(name, value)
        if not harmless.is_element(feature, name):
            return names.value(name), names.value(value)
        if feature == _VERSION:
            return name, names.release(value)
        if name == "name" and feature in _WITH_DEVICES:
            is_known = harmless.DEVICES.fullmatch(value) is not None
            return name, value if is_known else names.devices(value)
        if name == "serial":
            return name, names.serials(value)
        told = names.without_nodes(value)
        is_kept = harmless.is_value(feature, name, told)
        return name, told if is_kept else names.value(value)


_LOCAL: Final = frozenset({"local.feature", "local.label"})
_VERSION: Final = "kernel.version"
_WITH_DEVICES: Final = frozenset({"network.device", "network.virtual", "storage.block"})
