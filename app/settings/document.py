"""A settings file's text: YAML values, each with its place.

YAML 1.1 as PyYAML's safe loader reads it, one document with a mapping at the top,
and stricter: a key that stands twice in a mapping is a fault (YAML 1.2, section
3.2.1.3: keys are unique), and so is one that is no text. Anchors and merge keys
(`<<`) work, tags do not; what they expand to is bounded, as is depth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import yaml

from app.settings.faults import Fault, Path, Place, ordered

MAX_NODES: Final = 50_000
"""Values and keys, aliases counted as what they stand for."""

MAX_DEPTH: Final = 32

_MERGE: Final = "tag:yaml.org,2002:merge"
_TAGS: Final = frozenset({None, "tag:yaml.org,2002:str"})
_SAY_TAG: Final = "expected a value without a tag (`!`)"
_SAY_TWICE: Final = "stands here a second time"
_SAY_MERGE: Final = "expected a mapping, or a list of mappings, to merge"
LOADER: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""In C where PyYAML was built so."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a settings file says.

    Attributes:
        content: the mapping at its top.
        keys: path -> where its key stands; of an item of a list, the item itself.
        values: path -> where its value begins.
    """

    content: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[Path, Place] = field(default_factory=dict)
    values: Mapping[Path, Place] = field(default_factory=dict)

    def place(self, path: Path) -> Place | None:
        """Where a value is, or the innermost thing around it that is there."""
        for end in range(len(path), 0, -1):
            found = self.values.get(path[:end])
            if found is not None:
                return found
        return None


def read(text: bytes) -> Document | tuple[Fault, ...]:
    """What a text says, or everything that is wrong with it; never raises."""
    loader: yaml.SafeLoader | None = None
    try:
        _check(text)
        loader = LOADER(text)
        root = loader.get_single_node()
        if root is None:
            return Document()
        reader = _Reader(loader)
        content = reader.read(root, (), 1)
    except RefusedError as error:
        return (Fault(error.message, place=error.place),)
    except yaml.MarkedYAMLError as error:
        return (_fault(error),)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return (Fault(f"no valid YAML: {one_line(error)}"),)
    finally:
        if loader is not None:
            loader.dispose()
    if reader.faults:
        return ordered(reader.faults)
    if content is None:
        return Document()
    if not isinstance(content, dict):
        say = "expected a mapping of settings at the top"
        return (Fault(say, place=_place(root.start_mark)),)
    return Document(content, reader.keys, reader.values)


class RefusedError(Exception):
    """There is no use in reading on."""

    def __init__(self, message: str, place: Place | None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


def _check(text: bytes) -> None:
    """Before anything is built.

    A tag can make PyYAML build any of its types, and fail in ways of its own.
    """
    for event in bounded(text, depth=MAX_DEPTH, events=2 * MAX_NODES):
        if getattr(event, "tag", None) not in _TAGS:
            raise RefusedError(_SAY_TAG, _place(event.start_mark))


def bounded(text: bytes, *, depth: int, events: int) -> Iterator[yaml.Event]:
    """A text's events, as long as it keeps to the bounds.

    To be gone through before anything is built: libyaml goes as deep as a text, and
    its caller runs out of stack.

    Raises:
        RefusedError: it does not keep to them.
        yaml.YAMLError: it is no YAML.
    """
    level = 0
    for count, event in enumerate(yaml.parse(text, Loader=LOADER)):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1
        if level > depth:
            raise _too_deep(event, depth)
        if count > events:
            raise _too_many(event, events // 2)
        yield event


def _too_deep(node: yaml.Event | yaml.Node, depth: int = MAX_DEPTH) -> RefusedError:
    text = f"nested more than {depth} levels deep"
    return RefusedError(text, _place(node.start_mark))


def _too_many(node: yaml.Event | yaml.Node, nodes: int = MAX_NODES) -> RefusedError:
    return RefusedError(f"more than {nodes} values", _place(node.start_mark))


class _Reader:
    """Builds values out of nodes."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self.keys: Final[dict[Path, Place]] = {}
        self.values: Final[dict[Path, Place]] = {}
        self.faults: Final[list[Fault]] = []
        self._loader = loader
        self._left = MAX_NODES

    def read(self, node: yaml.Node, path: Path, depth: int) -> object:
        self._spend(node)
        if depth > MAX_DEPTH:  # of an alias, this time
            raise _too_deep(node)
        self.values[path] = _place(node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return {
                key: self.read(value, (*path, key), depth + 1)
                for key, value in self._pairs(node, path, depth)
            }
        if isinstance(node, yaml.SequenceNode):
            self._mark_items(node, path)
            return [
                self.read(one, (*path, position), depth + 1)
                for position, one in enumerate(node.value)
            ]
        return self._scalar(node, path)

    def _mark_items(self, node: yaml.SequenceNode, path: Path) -> None:
        for position, one in enumerate(node.value):
            self.keys[*path, position] = _place(one.start_mark)

    def _scalar(self, node: yaml.Node, path: Path) -> object:
        try:
            value: object = self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            problem = getattr(error, "problem", None) or error
            say = f"no valid value: {one_line(problem)}"
            self.faults.append(Fault(say, path, _place(node.start_mark)))
            return None
        return value

    def _pairs(
        self, node: yaml.MappingNode, path: Path, depth: int
    ) -> list[tuple[str, yaml.Node]]:
        """Keys and values; a mapping's own keys win over those that it merges."""
        if depth > MAX_DEPTH:
            raise _too_deep(node)
        own: dict[str, yaml.Node] = {}
        merged: dict[str, yaml.Node] = {}
        for key_node, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            self._spend(key_node)
            if key_node.tag == _MERGE:
                for one in self._sources(value, path):
                    for name, inner in self._pairs(one, path, depth + 1):
                        merged.setdefault(name, inner)
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            place = _place(key_node.start_mark)
            if key in own:
                self.faults.append(Fault(_SAY_TWICE, (*path, key), place))
                continue
            own[key] = value
            self.keys[*path, key] = place
        return list((merged | own).items())

    def _sources(self, node: yaml.Node, path: Path) -> Iterator[yaml.MappingNode]:
        several = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for one in several:
            self._spend(one)
            if isinstance(one, yaml.MappingNode):
                yield one
            else:
                place = _place(one.start_mark)
                self.faults.append(Fault(_SAY_MERGE, (*path, "<<"), place))

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        """A key's text; YAML takes some bare words and all numbers for other things."""
        is_scalar = isinstance(node, yaml.ScalarNode)
        key = self._scalar(node, path) if is_scalar else None
        if isinstance(key, str):
            return key
        text = "expected a text as key"
        if is_scalar:
            text += f': quote it ("{one_line(node.value)}")'
        self.faults.append(Fault(text, path, _place(node.start_mark)))
        return None

    def _spend(self, node: yaml.Node) -> None:
        self._left -= 1
        if self._left < 0:
            raise _too_many(node)


def _place(mark: Any) -> Place:  # noqa: ANN401 - PyYAML has two classes of marks
    return Place(mark.line + 1, mark.column + 1)


def _fault(error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    words = ", ".join(filter(None, (error.context, error.problem)))
    place = _place(mark) if mark is not None else None
    return Fault(f"no valid YAML: {one_line(words)}", place=place)


def one_line(error: object) -> str:
    """The beginning of a text, on one line."""
    return " ".join(str(error).split())[:200]
