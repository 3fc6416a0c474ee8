"""Other nodes, or other features of the same: what `--what-if` puts in place.

A file of nodes (an export, features, manifests, a folder of these) replaces nodes
of the same name and adds the others. A `WhatIf` says what becomes of nodes that are
there: an upgrade of the operating system, a driver, a pool that goes. Its steps are
taken in order:

    kind: WhatIf
    steps:
    - nodes: {selector: pool=old}   # or names: [a, b], or all: true
      remove: true
    - nodes: {all: true}
      attributes: {kernel.version: {full: 6.8.0, minor: "8"}}
      flags: {kernel.loadedmodule: {vfio_pci: true, nvidia: false}}

An attribute that is null, a flag that is false and a label that is null go;
`instances` replaces all devices of a feature; `unpublish` takes whole features away.
Nodes of which nothing is known stay so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from app.cli.checking import files
from app.cli.nodes import reading, yaml_stream
from app.cli.nodes.known import KnownNodes
from app.cli.output import read_input
from app.compat.features import Features
from app.compat.gotext import lower
from app.errors import ConfigError
from app.ports import Snapshot
from app.scheduling import selector
from app.scheduling.affinity import all_of
from app.scheduling.node import Node

INVALID: Final = "InvalidWhatIf"
KIND: Final = "WhatIf"

MAX_BYTES: Final = 1 << 20
"""Of a `WhatIf`; what is larger is a file of nodes."""

_Set = TypeVar("_Set")
_Old = TypeVar("_Old")
_Changes = TypeVar("_Changes")


class _Which(msgspec.Struct, forbid_unknown_fields=True):
    names: list[str] | None = None
    selector: str | None = None
    all: bool = False


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    nodes: _Which
    remove: bool = False
    attributes: dict[str, dict[str, str | None]] = msgspec.field(default_factory=dict)
    flags: dict[str, dict[str, bool]] = msgspec.field(default_factory=dict)
    instances: dict[str, list[dict[str, str]]] = msgspec.field(default_factory=dict)
    unpublish: list[str] = msgspec.field(default_factory=list)
    labels: dict[str, str | None] = msgspec.field(default_factory=dict)


class WhatIf(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What becomes of nodes that are there."""

    kind: str
    steps: list[_Step]
    api_version: str = ""


def apply(
    known: KnownNodes,
    paths: Sequence[str],
    *,
    replaces_all: bool = False,
    namespaces: Sequence[str] = (),
) -> KnownNodes:
    """The nodes as they would be.

    Args:
        known: as they are.
        paths: files of nodes and `WhatIf`s, in order.
        replaces_all: whether nodes of files take the place of all that are there.
        namespaces: whose NodeFeatures count, as for `reading.read`.

    Raises:
        ConfigError: a file cannot be read, says nothing sensible, or names nodes
            that are not there.
    """
    nodes = {} if replaces_all else dict(known.snapshot.nodes)
    features = {} if replaces_all else dict(known.snapshot.features)
    notes = () if replaces_all else known.notes
    inferred = frozenset[str]() if replaces_all else known.inferred
    for path in paths:
        wanted = _read(path)
        if wanted is not None:
            for number, step in enumerate(wanted.steps):
                _take(step, f"{path}: steps[{number}]", nodes, features)
            continue
        others = reading.read([path], namespaces=namespaces)
        for name in others.snapshot.nodes:
            features.pop(name, None)
        nodes |= others.snapshot.nodes
        features |= others.snapshot.features
        notes += others.notes
        inferred = inferred - others.snapshot.nodes.keys() | others.inferred
    names = ", ".join(paths)
    origin = names if replaces_all else f"{known.origin} with {names}"
    inferred &= nodes.keys()
    return KnownNodes(Snapshot(nodes, features), origin, notes, inferred)


def _read(path: str) -> WhatIf | None:
    """A `WhatIf`; `None` if the file holds nodes."""
    if path == files.STDIN or Path(path).is_dir() or not _is_small(path):
        return None
    content = read_input(path)
    if KIND.encode() not in content:
        return None
    try:
        documents = list(yaml_stream.read(content))
    except ConfigError as error:
        raise ConfigError(INVALID, f"{path}: {error.message}") from error
    first = documents[0].value if documents else None
    if not isinstance(first, Mapping) or first.get("kind") != KIND:
        return None
    if len(documents) > 1:
        _refuse(path, f"{len(documents)} documents; expected one {KIND}")
    try:
        return msgspec.convert(first, WhatIf)
    except msgspec.ValidationError as error:
        _refuse(path, str(error))


def _is_small(path: str) -> bool:
    try:
        return Path(path).stat().st_size <= MAX_BYTES
    except OSError:
        return True  # reading it says why


# One step -------------------------------------------------------------------------


def _take(
    step: _Step, place: str, nodes: dict[str, Node], features: dict[str, Features]
) -> None:
    names = _chosen(step.nodes, place, nodes)
    if step.remove:
        for name in names:
            del nodes[name]
            features.pop(name, None)
        return
    change = _Change(step)
    for name in names:
        if step.labels:
            nodes[name] = replace(
                nodes[name], labels=_merged(nodes[name].labels, step.labels)
            )
        if name in features:
            features[name] = change.of(features[name])


def _chosen(which: _Which, place: str, nodes: Mapping[str, Node]) -> list[str]:
    given = (which.names is not None, which.selector is not None, which.all)
    if sum(given) != 1:
        _refuse(place, "nodes: expected one of names, selector, all: true")
    if which.names is not None:
        absent = [name for name in which.names if name not in nodes]
        if absent:
            _refuse(place, f"there is no node {absent[0]}")
        return list(dict.fromkeys(which.names))
    if which.selector is None:
        return list(nodes)
    try:
        test = all_of(selector.parse(which.selector))
    except ConfigError as error:
        raise ConfigError(INVALID, f"{place}: {error.message}") from error
    found = [name for name, node in nodes.items() if test is None or test(node)]
    if not found:
        _refuse(place, f"no node has the labels {which.selector}")
    return found


class _Change:
    """What a step makes of features; equal sets stay one object.

    Sets are shared between nodes, and evaluated once for all that share them.
    """

    def __init__(self, step: _Step) -> None:
        self._attributes: Final = _lowered(step.attributes)
        self._flags: Final = _lowered(step.flags)
        self._instances: Final = {
            name: tuple(found) for name, found in _lowered(step.instances).items()
        }
        self._gone: Final = frozenset(map(lower, step.unpublish))
        self._made: Final[dict[tuple[str, int], tuple[object, Any]]] = {}

    def of(self, features: Features) -> Features:
        """The features of a node afterwards."""
        attributes = self._each(features.attributes, self._attributes, _merged)
        flags = self._each(features.flags, self._flags, _switched)
        instances = dict(features.instances) | self._instances
        return Features(
            flags=self._left(flags),
            attributes=self._left(attributes),
            instances=self._left(instances),
        )

    def _left(self, sets: Mapping[str, _Set]) -> dict[str, _Set]:
        return {name: one for name, one in sets.items() if name not in self._gone}

    def _each(
        self,
        sets: Mapping[str, _Old],
        wanted: Mapping[str, _Changes],
        make: Callable[[_Old | None, _Changes], _Old],
    ) -> dict[str, _Old]:
        found = dict(sets)
        for name, changes in wanted.items():
            old = sets.get(name)
            key = (name, id(old))
            if key not in self._made:
                self._made[key] = (old, make(old, changes))  # keeps the id in use
            found[name] = self._made[key][1]
        return found


def _merged(
    old: Mapping[str, str] | None, changes: Mapping[str, str | None]
) -> dict[str, str]:
    both = {**(old or {}), **changes}
    return {name: value for name, value in both.items() if value is not None}


def _switched(old: Iterable[str] | None, changes: Mapping[str, bool]) -> frozenset[str]:
    on = {name for name, is_on in changes.items() if is_on}
    return frozenset(old or ()) - changes.keys() | on


def _lowered(found: Mapping[str, _Set]) -> dict[str, _Set]:
    return {lower(name): one for name, one in found.items()}


def _refuse(place: str, text: str) -> NoReturn:
    raise ConfigError(INVALID, f"{place}: {text}")
