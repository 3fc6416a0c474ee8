"""Nodes of files: what `imagecompat export`, `nfd export features` and kubectl print.

1. An `ExportedNodes` document is taken as it is.
2. An object without a kind is features as `nfd export features` prints them; the
   node's name is the file's, without its suffix.
3. `NodeFeature` and `Node` objects, alone or in Lists, are what a cluster holds:
   NodeFeatures are merged as nfd-master does, and of a node whose worker's own
   NodeFeature is missing nothing is known.
4. Features without a Node get one (`inferred`). But NodeFeatures of nodes that are
   not among Node objects, where there are any, are those of nodes that are gone.
5. Nothing may be said twice of one node: which one would count?
6. NodeFeatures count from the namespaces that are named. If none is, from NFD's own,
   as for the webhook: whoever may write NodeFeatures elsewhere must not change an
   answer. Where NFD's own is not there nobody knows which is: all count, with a note.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NoReturn

from app.cli.nodes import files
from app.cli.nodes.files import File
from app.cli.nodes.known import KnownNodes, named
from app.compat import features as compat_features
from app.compat.features import Features
from app.errors import ConfigError
from app.scheduling.node import Node
from app.snapshot import Snapshot

if TYPE_CHECKING:
    from app.cli.nodes.objects import Found, Raw
    from app.kube.features import FeatureSets, NodeFeature

NFD_NAMESPACE: Final = "node-feature-discovery"
"""Whose NodeFeatures come first, unless somebody says otherwise."""

INVALID: Final = "InvalidNodes"

MOST_PLAIN_BYTES: Final = 4 << 20
"""Features up to here are read with Python's own JSON, which is there already."""

_DECODE_ERRORS: Final = (ValueError, RecursionError)


def read(paths: Sequence[str], *, namespaces: Sequence[str] = ()) -> KnownNodes:
    """The nodes of all files together.

    Args:
        paths: files, folders of them, or `-` for standard input.
        namespaces: whose NodeFeatures count, NFD's own first; if there is none,
            as (6) says.

    Raises:
        ConfigError: a file cannot be read, or is none of those; it names file and
            place.
    """
    gathered = _Gathered()
    for path in paths:
        for one in files.read(path):
            try:
                gathered.take(one)
            except ConfigError as error:
                text = f"{one.name}: {error.message}"
                raise ConfigError(error.reason, text) from error
    if not gathered.places:
        text = f"{files.described(paths)}: no node and no features in it"
        raise ConfigError(INVALID, text)
    return gathered.known(files.described(paths), tuple(namespaces))


class _Gathered:
    """What the files say.

    Attributes:
        places: what is said -> where that was.
        unseen: nodes that only NodeFeatures name, and of which nothing is known.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.features: dict[str, Features] = {}
        self.objects: list[NodeFeature] = []
        self.places: dict[str, str] = {}
        self.unseen: set[str] = set()
        self.has_nodes = False
        self.sets: FeatureSets | None = None

    def take(self, file: File) -> None:
        """Takes in all of a file."""
        plain = _plain_features(file.content)
        if plain is not None:
            self.say(f"features of node {file.stem}", file.name)
            self.features[file.stem] = compat_features.from_json(plain)
            return
        from app.cli.nodes import objects  # noqa: PLC0415 - slow, and not always asked

        for found in objects.read(file.content):
            self.add(file, found)

    def add(self, file: File, found: Found) -> None:
        """Takes in one object of a file."""
        try:
            if found.kind in _TAKEN:
                _TAKEN[found.kind](self, file, found)
            else:
                kind = found.kind[:100]
                kinds = ", ".join(name for name in _TAKEN if name)
                _refuse(f"kind {kind!r}, expected {kinds} or a List of them")
        except ConfigError as error:
            text = f"{found.place}: {error.message}" if found.place else error.message
            raise ConfigError(error.reason, text) from error

    def say(self, what: str, file: str, place: str = "") -> None:
        """Notes that something is said; refuses to hear it twice."""
        if what in self.places:
            _refuse(f"{what} is there already: {self.places[what]}")
        self.places[what] = f"{file}: {place}" if place else file

    def take_document(self, file: File, found: Found) -> None:
        """(1)."""
        from app.cli.nodes import document  # noqa: PLC0415 - only where there is one

        snapshot = document.decode(found.raw)
        for name in snapshot.nodes:
            self.say(f"node {name}", file.name, found.place)
        for name in snapshot.features:
            self.say(f"features of node {name}", file.name, found.place)
        self.nodes.update(snapshot.nodes)
        self.features.update(snapshot.features)

    def take_features(self, file: File, found: Found) -> None:
        """(2)."""
        self.say(f"features of node {file.stem}", file.name, found.place)
        import msgspec  # noqa: PLC0415 - slow, and not always asked

        try:
            content = msgspec.json.decode(found.raw)
        except _DECODE_ERRORS as error:
            raise ConfigError(INVALID, f"no valid JSON: {error}") from error
        if not _FEATURES & content.keys():
            _refuse("no kind, and no flags, attributes or instances")
        self.features[file.stem] = compat_features.from_json(content)

    def take_node(self, file: File, found: Found) -> None:
        """(3), a Node."""
        from app.kube import decode  # noqa: PLC0415 - only where there is one

        try:
            node = decode.node(found.raw).value
        except _DECODE_ERRORS as error:
            raise ConfigError(INVALID, f"no valid Node: {error}") from error
        self.say(f"node {node.name}", file.name, found.place)
        self.nodes[node.name] = node
        self.has_nodes = True

    def take_node_feature(self, file: File, found: Found) -> None:
        """(3), a NodeFeature."""
        from app.kube.features import FeatureSets  # noqa: PLC0415 - as above

        self.sets = self.sets or FeatureSets()
        try:
            item = self.sets.decode(found.raw)
        except _DECODE_ERRORS as error:
            raise ConfigError(INVALID, f"no valid NodeFeature: {error}") from error
        one = item.value
        self.say(f"NodeFeature {item.key}", file.name, found.place)
        if one.features is None:
            _refuse(f"NodeFeature {item.key}: {_fault(found.raw)}")
        self.objects.append(one)

    def known(self, origin: str, namespaces: tuple[str, ...]) -> KnownNodes:
        """All of it together; (3) and (4)."""
        notes: list[str] = []
        self._merge(namespaces, notes)
        lacking = self.features.keys() - self.nodes.keys()
        if lacking:
            from app.cli.nodes import inferred  # noqa: PLC0415 - only where needed

            for name in sorted(lacking):
                self.nodes[name] = inferred.node(name, self.features[name])
        return KnownNodes(
            Snapshot(self.nodes, self.features, 1),
            origin,
            tuple(notes),
            frozenset(lacking | self.unseen),
        )

    def _merge(self, namespaces: tuple[str, ...], notes: list[str]) -> None:
        """Adds what NodeFeatures say to `features`, and nodes that only they name."""
        if not self.objects:
            return
        from app.kube.snapshot import Store  # noqa: PLC0415 - only where needed

        given = tuple(sorted({one.namespace for one in self.objects}))
        counted = namespaces or ((NFD_NAMESPACE,) if NFD_NAMESPACE in given else given)
        if not namespaces and len(counted) > 1:
            text = "name those that are trusted with --nfd-namespace"
            notes.append(f"NodeFeatures of {named(given)} count: {text}")
        objects = [one for one in self.objects if one.namespace in counted]
        speaking = {one.node for one in objects if one.node}
        others = speaking - self.nodes.keys()
        merged = speaking - others if self.has_nodes else speaking
        store = Store(counted)
        for name in merged:
            store.put_node(self.nodes.get(name) or Node(name))
        for one in objects:
            store.put_feature(one)
        features = store.snapshot().features
        for name, found in features.items():
            if name in self.features:
                _refuse(f"features of node {name} are there already, of another kind")
            self.features[name] = found
        self._note(notes, objects, others if self.has_nodes else set())
        for name in sorted(merged - features.keys() - self.nodes.keys()):
            self.nodes[name] = Node(name, labels={"kubernetes.io/hostname": name})
            self.unseen.add(name)

    def _note(
        self, notes: list[str], counted: list[NodeFeature], gone: set[str]
    ) -> None:
        ignored = len(self.objects) - len(counted)
        if ignored:
            trusted = {one.namespace for one in counted}
            others = {one.namespace for one in self.objects} - trusted
            notes.append(
                f"{ignored} NodeFeatures of {named(others)} do not count: "
                "name trusted namespaces with --nfd-namespace"
            )
        unnamed = sum(not one.node for one in counted)
        if unnamed:
            notes.append(f"{unnamed} NodeFeatures name no node, and do not count")
        if gone:
            notes.append(f"NodeFeatures of {named(gone)}: there is no such Node")


_FEATURES: Final = frozenset({"flags", "attributes", "instances"})

_TAKEN: Final = {
    "": _Gathered.take_features,
    "ExportedNodes": _Gathered.take_document,
    "NodeFeature": _Gathered.take_node_feature,
    "Node": _Gathered.take_node,
}
"""Kind -> what takes it in."""


def _plain_features(content: bytes) -> Mapping[str, object] | None:
    """Features as NFD prints them; `None` for all else, and for what is no JSON."""
    if len(content) > MOST_PLAIN_BYTES:
        return None
    try:
        value = json.loads(content)
    except _DECODE_ERRORS:
        return None
    is_plain = isinstance(value, dict) and "kind" not in value
    return value if is_plain and _FEATURES & value.keys() else None


def _fault(raw: Raw) -> str:
    """What is wrong with the shape of a NodeFeature's spec."""
    import msgspec  # noqa: PLC0415 - only of what is wrong

    try:
        spec = msgspec.json.decode(raw).get("spec")
    except _DECODE_ERRORS as error:
        return str(error)
    if not isinstance(spec, Mapping):
        return "spec: expected an object"
    try:
        compat_features.from_json(spec.get("features"))
    except ConfigError as error:
        return f"spec.features: {error.message}"
    return "spec: not as NFD's"  # pragma: no cover - `from_json` refuses as much


def _refuse(text: str) -> NoReturn:
    raise ConfigError(INVALID, text)
