"""Exported nodes: the file that `imagecompat export` writes and every command reads.

JSON, one line for each feature set and each node (docs/reference/exported-nodes.md):

* A feature set is there once, whatever number of nodes hold it; a node names its
  sets by their place in the list, from 0. Flags, attributes and instances of one
  feature are sets of their own: one of them may differ on every node.
* `elements: null` is Go's nil map, and not an empty set.
* A node without `features` is one of which nothing is known; an empty list says that
  it publishes nothing.
* A node that is the host itself lists what could not be read of it: for people.
* The same nodes give the same bytes: sets and nodes are sorted, and so is all that
  has no order of its own.

Whoever reads gets sets that are shared as the file shares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Any, Final, Literal, NoReturn, TypeAlias

import msgspec

from app.compat.features import Attributes, Features, Flags, Instances
from app.compat.template import runes
from app.errors import ConfigError
from app.host.tree import Unread
from app.kube.decode import DECODE_ERRORS, Raw, interned, shared_taints
from app.scheduling.node import Node
from app.snapshot import Snapshot

KIND: Final = "ExportedNodes"
API_VERSION: Final = "imagecompat.dev/v1alpha1"

INVALID: Final = "InvalidNodes"
"""Reason of the error for a document of another shape."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may hold.

    Attributes:
        nodes: Kubernetes itself is made for 5,000 of them, the largest for 65,000.
        sets: distinct feature sets; a node has about 25.
    """

    nodes: int = 100_000
    sets: int = 2_000_000


LIMITS: Final = Limits()

_Kind: TypeAlias = Literal["flags", "attributes", "instances"]
_KINDS: Final[tuple[_Kind, ...]] = ("flags", "attributes", "instances")
_NULL: Final = msgspec.Raw(b"null")


class _Set(msgspec.Struct, gc=False):
    feature: str
    kind: _Kind
    elements: msgspec.Raw = _NULL


class _Taint(msgspec.Struct, gc=False, omit_defaults=True):
    key: str
    value: str = ""
    effect: str = ""


class _Unread(msgspec.Struct, gc=False):
    path: str
    why: str


class _Node(msgspec.Struct, gc=False, omit_defaults=True):
    name: str
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    taints: list[_Taint] = msgspec.field(default_factory=list)
    unschedulable: bool = False
    features: list[int] | None = None
    unread: list[_Unread] = msgspec.field(default_factory=list)


class _Document(msgspec.Struct, gc=False, rename="camel"):
    kind: str
    api_version: str
    sets: list[_Set]
    nodes: list[_Node]


_DOCUMENT: Final = msgspec.json.Decoder(_Document)
_FLAGS: Final = msgspec.json.Decoder(list[str] | None)
_ATTRIBUTES: Final = msgspec.json.Decoder(dict[str, str] | None)
_INSTANCES: Final = msgspec.json.Decoder(list[dict[str, str]])
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


# Writing ------------------------------------------------------------------------


def encode(snapshot: Snapshot, *, unread: Sequence[Unread] = ()) -> bytes:
    """The document, with an end of line.

    Args:
        snapshot: the nodes.
        unread: what could not be read of the one node that there is.
    """
    names = sorted(snapshot.nodes)
    lines = _Lines()
    for name in names:
        lines.add(snapshot.features.get(name))
    places = lines.places()
    nodes = (
        _node_line(
            snapshot.nodes[name],
            lines.of(snapshot.features.get(name), places),
            unread,
        )
        for name in names
    )
    head = {"apiVersion": API_VERSION, "kind": KIND}
    return b"".join(
        (
            _ENCODER.encode(head)[:-1],
            b',"sets":[\n',
            b",\n".join(places),
            b'\n],"nodes":[\n',
            b",\n".join(nodes),
            b"\n]}\n",
        )
    )


class _Lines:
    """The line of each feature set, made once for each object."""

    def __init__(self) -> None:
        self._of: Final[dict[tuple[str, str, int], bytes]] = {}

    def add(self, features: Features | None) -> None:
        """Makes the lines of a node's sets; its features outlive this."""
        for kind, name, elements in _sets(features):
            key = (kind, name, id(elements))
            if key not in self._of:
                raw = msgspec.Raw(_ENCODER.encode(elements))
                self._of[key] = _ENCODER.encode(_Set(name, kind, raw))

    def places(self) -> dict[bytes, int]:
        """Line -> its place among all, in order."""
        lines = sorted(set(self._of.values()))
        return {line: place for place, line in enumerate(lines)}

    def of(
        self, features: Features | None, places: Mapping[bytes, int]
    ) -> list[int] | None:
        """The places of a node's sets."""
        if features is None:
            return None
        keys = ((kind, name, id(one)) for kind, name, one in _sets(features))
        return sorted(places[self._of[key]] for key in keys)


def _sets(features: Features | None) -> Iterator[tuple[_Kind, str, object]]:
    if features is not None:
        for kind in _KINDS:
            for name, elements in getattr(features, kind).items():
                yield kind, name, elements


def _node_line(
    node: Node, features: list[int] | None, unread: Sequence[Unread]
) -> bytes:
    taints = [_Taint(one.key, one.value, one.effect) for one in node.taints]
    labels = dict(node.labels)
    return _ENCODER.encode(
        _Node(
            node.name,
            labels,
            taints,
            node.unschedulable,
            features,
            [_Unread(_text(one.path), _text(one.why)) for one in unread],
        )
    )


def _text(path: str) -> str:
    """Without lone surrogates, which JSON does not have."""
    return runes.clean(path)


# Reading ------------------------------------------------------------------------


def decode(content: Raw, *, limits: Limits = LIMITS) -> Snapshot:
    """The nodes of a document.

    Raises:
        ConfigError: `InvalidNodes`; the message names the place inside.
    """
    try:
        read = _DOCUMENT.decode(content)
    except DECODE_ERRORS as error:
        raise ConfigError(INVALID, f"no exported nodes: {error}") from error
    if (read.kind, read.api_version) != (KIND, API_VERSION):
        got = f"{read.api_version} {read.kind}"
        _refuse(f"got {got[:200]!r}, expected {API_VERSION} {KIND}")
    for name, count, most in (
        ("nodes", len(read.nodes), limits.nodes),
        ("sets", len(read.sets), limits.sets),
    ):
        if count > most:
            _refuse(f"{name}: {count}, at most {most} are read")
    sets = [_elements(index, one) for index, one in enumerate(read.sets)]
    holders = _Holders(read.sets, sets)
    nodes: dict[str, Node] = {}
    features: dict[str, Features] = {}
    for index, one in enumerate(read.nodes):
        node = _node(one)
        if not node.name or node.name in nodes:
            what = f"a second {node.name!r}" if node.name else "it has no name"
            _refuse(f"nodes[{index}]: {what}")
        nodes[node.name] = node
        if one.features is not None:
            features[node.name] = holders.of(index, one.features)
    return Snapshot(nodes, features, 1)


class _Holders:
    """Features by the sets that make them, shared between nodes with the same."""

    def __init__(self, named: list[_Set], elements: list[Any]) -> None:
        self._named: Final = [(one.kind, intern(one.feature)) for one in named]
        self._elements: Final = elements
        self._known: Final[dict[tuple[int, ...], Features]] = {}

    def of(self, node: int, places: list[int]) -> Features:
        """What a node with these sets publishes; `node` is its own place."""
        key = tuple(places)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._make(node, places)
        return found

    def _make(self, node: int, places: list[int]) -> Features:
        kinds: dict[str, dict[str, Any]] = {kind: {} for kind in _KINDS}
        for place in places:
            if not 0 <= place < len(self._named):
                _refuse(f"nodes[{node}]: set {place} of {len(self._named)}")
            kind, feature = self._named[place]
            if feature in kinds[kind]:
                _refuse(f"nodes[{node}]: two sets are {kind} of {feature!r}")
            kinds[kind][feature] = self._elements[place]
        return Features(**kinds)


def _flags(raw: Raw) -> Flags:
    read = _FLAGS.decode(raw)
    return None if read is None else frozenset(map(intern, read))


def _attributes(raw: Raw) -> Attributes:
    read = _ATTRIBUTES.decode(raw)
    return None if read is None else interned(read)


def _instances(raw: Raw) -> Instances:
    return tuple(map(interned, _INSTANCES.decode(raw)))


_READ: Final[Mapping[str, Callable[[Raw], Flags | Attributes | Instances]]] = {
    "flags": _flags,
    "attributes": _attributes,
    "instances": _instances,
}


def _elements(index: int, one: _Set) -> Flags | Attributes | Instances:
    try:
        return _READ[one.kind](one.elements)
    except DECODE_ERRORS as error:
        text = f"no exported nodes: sets[{index}].elements: {error}"
        raise ConfigError(INVALID, text) from error


def _node(read: _Node) -> Node:
    taints = tuple((one.key, one.value, one.effect) for one in read.taints)
    return Node(
        intern(read.name),
        labels=interned(read.labels),
        taints=shared_taints(taints),
        unschedulable=read.unschedulable,
    )


def _refuse(text: str) -> NoReturn:
    raise ConfigError(INVALID, f"no exported nodes: {text}")
