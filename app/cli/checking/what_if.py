"""Other nodes, or other features of the same: what `--what-if` puts in place.

A file of nodes (an export, features, manifests, a folder of these) replaces nodes
of the same name and adds the others; features without a Node replace features only,
and a known node keeps its labels, taints and cordon. A `WhatIf` says what becomes of
nodes that are there: an upgrade of the operating system, a driver, a pool that goes.
Its steps are taken in order:

    kind: WhatIf
    steps:
    - nodes: {selector: pool=old}   # or names: [a, b], or all: true
      remove: true
    - nodes: {all: true}
      attributes: {kernel.version: {full: 6.8.0, minor: "8"}}
      flags: {kernel.loadedmodule: {vfio_pci: true, nvidia: false}}

An attribute that is null, a flag that is false and a label that is null go;
`instances` replaces all devices of a feature; `unpublish` takes whole features away.
Nodes of which nothing is known stay so. What would change nothing is refused, with its
place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

from app.cli.checking import files, steps
from app.cli.checking.steps import Step, Which
from app.cli.nodes import reading, yaml_stream
from app.cli.nodes.known import KnownNodes, named
from app.cli.output import read_input
from app.cli.suites.fields import near
from app.compat.features import Features
from app.compat.gotext import lower
from app.errors import ConfigError
from app.ports import Snapshot
from app.scheduling import selector
from app.scheduling.affinity import all_of
from app.scheduling.node import Node

INVALID: Final = "InvalidWhatIf"
_Set = TypeVar("_Set")
_Old = TypeVar("_Old")
_Changes = TypeVar("_Changes")


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
            for step in wanted:
                _take(step, nodes, features)
            continue
        others = reading.read([path], namespaces=namespaces)
        # Of these only features are said: what is known of the Node stays.
        kept = others.inferred & nodes.keys() - inferred
        for name, node in others.snapshot.nodes.items():
            features.pop(name, None)
            if name not in kept:
                nodes[name] = node
        features |= others.snapshot.features
        notes += others.notes
        inferred = (inferred - others.snapshot.nodes.keys()) | (others.inferred - kept)
    names = ", ".join(paths)
    origin = names if replaces_all else f"{known.origin} with {names}"
    inferred &= nodes.keys()
    return KnownNodes(Snapshot(nodes, features), origin, notes, inferred)


def _read(path: str) -> tuple[Step, ...] | None:
    """The steps of a `WhatIf`; `None` if the file holds nodes."""
    if path == files.STDIN or Path(path).is_dir() or not _is_small(path):
        return None
    content = read_input(path)
    if steps.KIND.encode() not in content:
        return None
    try:
        documents = list(yaml_stream.read(content))
    except ConfigError as error:
        raise ConfigError(INVALID, f"{path}: {error.message}") from error
    first = documents[0].value if documents else None
    if not isinstance(first, Mapping) or first.get("kind") != steps.KIND:
        return None
    if len(documents) > 1:
        place = f"{path}:{documents[1].line}"
        _refuse(place, f"{len(documents)} documents; expected one {steps.KIND}")
    found, problems = steps.read(content, path)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ConfigError(INVALID, f"{problems[0]}{more}")
    return found


def _is_small(path: str) -> bool:
    try:
        return Path(path).stat().st_size <= steps.MAX_BYTES
    except OSError:
        return True  # reading it says why


# One step -------------------------------------------------------------------------


def _take(step: Step, nodes: dict[str, Node], features: dict[str, Features]) -> None:
    names = _chosen(step.nodes, nodes)
    if step.remove:
        for name in names:
            del nodes[name]
            features.pop(name, None)
        return
    known = [name for name in names if name in features]
    if step.has_features and not known:
        text = f"nothing is known of the features of {named(names)}: none can change"
        _refuse(step.nodes.place, text)
    _require_published(step, [features[name] for name in known])
    change = _Change(step)
    for name in names:
        if step.labels:
            nodes[name] = replace(
                nodes[name], labels=_merged(nodes[name].labels, step.labels)
            )
        if name in features:
            features[name] = change.of(features[name])


def _require_published(step: Step, features: Sequence[Features]) -> None:
    """Refuses to take away what nobody has: most likely it is mistyped."""
    if not step.unpublish:
        return
    published = {
        name
        for one in features
        for sets in (one.flags, one.attributes, one.instances)
        for name in sets
    }
    for name, place in step.unpublish.items():
        if lower(name) not in published:
            hint = near(lower(name), published)
            _refuse(place, f"unpublish: none of these nodes publishes {name}{hint}")


def _chosen(which: Which, nodes: Mapping[str, Node]) -> list[str]:
    if which.every:
        return list(nodes)
    if which.names:
        absent = [name for name in which.names if name not in nodes]
        if absent:
            hint = near(absent[0], nodes.keys())
            _refuse(which.place, f"there is no node {absent[0]}{hint}")
        return list(dict.fromkeys(which.names))
    try:
        test = all_of(selector.parse(which.selector))
    except ConfigError as error:
        raise ConfigError(INVALID, f"{which.place}: {error.message}") from error
    found = [name for name, node in nodes.items() if test is None or test(node)]
    if not found:
        _refuse(which.place, f"no node has the labels {which.selector}")
    return found


class _Change:
    """What a step makes of features; equal sets stay one object.

    Sets are shared between nodes, and evaluated once for all that share them. They are
    known by identity: all of a step's nodes are there before the first one changes.
    """

    def __init__(self, step: Step) -> None:
        self._attributes: Final = _lowered(step.attributes)
        self._flags: Final = _lowered(step.flags)
        self._instances: Final = _lowered(step.instances)
        self._gone: Final = frozenset(map(lower, step.unpublish))
        self._made: Final[dict[tuple[str, int], Any]] = {}

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
                self._made[key] = make(old, changes)
            found[name] = self._made[key]
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


def _refuse(place: object, text: str) -> NoReturn:
    raise ConfigError(INVALID, f"{place}: {text}")
