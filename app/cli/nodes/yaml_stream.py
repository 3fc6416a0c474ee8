"""The documents of a YAML text, each as the JSON that the API server would get.

Scalars and keys become what kubectl makes of them (`yaml11`), anchors are expanded,
and what that comes to is counted. A merge key puts the keys of its mappings in its
own place, so that it beats what stands before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NoReturn, TypeAlias, cast

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    StreamEndEvent,
)

from app.compat import yaml11
from app.compat.yaml_nodes import Mark, ScalarNode
from app.errors import ConfigError, SpecError

INVALID: Final = "InvalidYaml"

_REMEMBERED: Final = 1 << 16
_MERGE: Final = object()
"""A plain `<<`, until it is known whether it is a key."""

Value: TypeAlias = Any
"""None, bool, int, float, str, or a list or dict of these."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a text may hold.

    Attributes:
        bytes: of the text; beyond it, JSON is read fifty times as fast.
        nodes: YAML nodes of all documents, anchors expanded.
        depth: nested collections.
    """

    bytes: int = 64 << 20
    nodes: int = 10_000_000
    depth: int = 200


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Document:
    """One document.

    Attributes:
        index: its place in the text, from 1.
        line: where it begins, from 1.
        value: what it says.
    """

    index: int
    line: int
    value: Value


def read(content: bytes, *, limits: Limits = LIMITS) -> Iterator[Document]:
    """Every document, as it is reached; those that say nothing are left out.

    Raises:
        ConfigError: `InvalidYaml`; with document and line.
    """
    if len(content) > limits.bytes:
        text = f"larger than {limits.bytes} bytes of YAML: use JSON (kubectl -o json)"
        raise ConfigError(INVALID, text)
    reader = _Reader(content, limits)
    while (document := reader.next()) is not None:
        if document.value is not None:
            yield document


@dataclass(slots=True)
class _Open:
    """A collection that has not ended yet."""

    value: list[Value] | dict[str, Value]
    counted: int
    anchor: str | None
    key: object = None


@dataclass(slots=True)
class _Anchored:
    """What an anchor stands for; no weight while it has not ended."""

    value: Value
    weight: int | None


class _Reader:
    """One run over the events of a text."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        self._limits: Final = limits
        self._parser: Final = CParser(content)
        self._line = 0
        self._index = 0
        self._count = 0

    def next(self) -> Document | None:
        """The next document; `None` after the last one."""
        while True:
            event = self._event()
            if isinstance(event, StreamEndEvent):
                return None
            if isinstance(event, DocumentStartEvent):
                break
        self._index += 1
        line = self._line
        return Document(self._index, line, _Builder(self).build())

    def event(self) -> Event:
        """The next event, inside a document."""
        return self._event()

    def _event(self) -> Event:
        try:
            event = cast("Event", self._parser.get_event())
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._line = mark.line + 1 if mark else self._line
            self.refuse(error.problem or "it cannot be read")
        except (YAMLError, UnicodeDecodeError) as error:
            self.refuse(str(error).splitlines()[0])
        self._line = cast("Mark", event.start_mark).line + 1
        return event

    def count(self, weight: int) -> int:
        """Counts nodes; how many there were before."""
        before = self._count
        self._count += weight
        if self._count > self._limits.nodes:
            self.refuse(f"more than {self._limits.nodes} values")
        return before

    @property
    def counted(self) -> int:
        """How many nodes there were until now."""
        return self._count

    @property
    def depth(self) -> int:
        """How many collections may be open at once."""
        return self._limits.depth

    def refuse(self, problem: str) -> NoReturn:
        """Raises for something at the newest event."""
        place = f"document {max(self._index, 1)}, line {max(self._line, 1)}"
        raise ConfigError(INVALID, f"{place}: no valid YAML: {problem}")


@dataclass(slots=True)
class _Builder:
    """Makes one document."""

    reader: _Reader
    open: list[_Open] = field(default_factory=list)
    anchors: dict[str, _Anchored] = field(default_factory=dict)

    def build(self) -> Value:
        """The document's value."""
        root: Value = None
        while True:
            event = self.reader.event()
            if isinstance(event, DocumentEndEvent):
                return root
            if isinstance(event, CollectionStartEvent):
                self._push(event)
                continue
            if isinstance(event, CollectionEndEvent):
                value = self._pop()
            elif isinstance(event, AliasEvent):
                value = self._alias(str(event.anchor))
            else:
                value = self._scalar(cast("ScalarEvent", event))
            if self.open:
                self._put(self.open[-1], value)
            else:
                root = _text(value)

    def _push(self, event: CollectionStartEvent) -> None:
        if len(self.open) >= self.reader.depth:
            self.reader.refuse(f"nested deeper than {self.reader.depth}")
        before = self.reader.count(1)
        value: list[Value] | dict[str, Value]
        value = {} if isinstance(event, MappingStartEvent) else []
        self.open.append(_Open(value, before, event.anchor))
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored(value, None)

    def _pop(self) -> Value:
        closed = self.open.pop()
        if closed.anchor is not None:
            weight = self.reader.counted - closed.counted
            self.anchors[closed.anchor] = _Anchored(closed.value, weight)
        return closed.value

    def _alias(self, name: str) -> Value:
        found = self.anchors.get(name)
        if found is None:
            self.reader.refuse(f"unknown anchor {name!r}")
        if found.weight is None:
            self.reader.refuse(f"anchor {name!r} contains itself")
        self.reader.count(found.weight)
        return found.value

    def _scalar(self, event: ScalarEvent) -> Value:
        self.reader.count(1)
        tag, is_plain = event.tag or "", event.implicit[0]
        if is_plain and not tag and event.value == "<<":
            return _MERGE
        try:
            value = _plain(event.value) if is_plain and not tag else _tagged(event)
        except SpecError as error:
            self.reader.refuse(error.message)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored(value, 1)
        return value

    def _put(self, into: _Open, value: Value) -> None:
        if isinstance(into.value, list):
            into.value.append(_text(value))
        elif into.key is None:
            into.key = _MERGE if value is _MERGE else self._key(value)
        elif into.key is _MERGE:
            into.value.update(self._merged(value))
            into.key = None
        else:
            into.value[cast("str", into.key)] = _text(value)
            into.key = None

    def _merged(self, value: Value) -> dict[str, Value]:
        """The keys of one mapping, or of several of which the first wins."""
        many = value if isinstance(value, list) else [value]
        if not all(isinstance(one, dict) for one in many):
            wanted = "map merge requires map or sequence of maps as the value"
            self.reader.refuse(wanted)
        found: dict[str, Value] = {}
        for one in reversed(many):
            found |= one
        return found

    def _key(self, value: Value) -> str:
        text = yaml11.key_text(value) if not isinstance(value, list | dict) else None
        if text is None:
            self.reader.refuse("a key is no text")
        return text


def _text(value: Value) -> Value:
    """What is no merge key after all is a text."""
    return "<<" if value is _MERGE else value


@lru_cache(maxsize=_REMEMBERED)
def _plain(text: str) -> Value:
    return yaml11.resolve(ScalarNode(text, "", implicit=True, line=0, column=0))


def _tagged(event: ScalarEvent) -> Value:
    mark = cast("Mark", event.start_mark)
    return yaml11.resolve(
        ScalarNode(
            event.value, event.tag or "", event.implicit[0], mark.line, mark.column
        )
    )
