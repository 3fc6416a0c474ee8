r"""YAML text into nodes, with the syntax that NFD's YAML library has.

NFD reads YAML with goyaml.v2 (go.yaml.in/yaml/v2 v2.4.3), a translation of
libyaml 0.1.5; we read with libyaml 0.2.5, through PyYAML. `compose` makes up for
what changed in between, so that the same texts are accepted, mean the same, and
are refused with the same words:

1. A `%YAML 1.2` directive is refused.
2. A `?` ends a plain scalar inside `[]` or `{}`, which is then an error.
3. A `:` before `,?[]{}` is part of a plain scalar inside `[]` or `{}`.
4. A double-quoted scalar may hold the escape `\'`, and not `\/`.
5. A tag may hold `,`, `[` and `]`.
6. A byte order mark inside the text is a character like others.
7. An empty `[]` or `{}` that stands as the first key of the document is the
   whole document.

3 to 6 are texts that libyaml 0.2.5 refuses or misreads; there the text is spelled
differently (`spelling`) and read again, a few times at most.

Nothing here recurses, and no node is built beyond the limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias, cast

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)
from yaml.reader import ReaderError

from app.compat import yaml_errors
from app.compat.limits import Limits
from app.compat.spelling import Text
from app.compat.yaml_errors import Position

_MAX_RESPELLINGS: Final = 8
_INPUT_BYTES: Final = 512  # what goyaml.v2 reads at a time
_LIBYAML_INPUT_BYTES: Final = 16 * 1024

_IN_A_TAG: Final = frozenset({"while scanning a tag", "while parsing a tag"})
_SHORT_TAG: Final = re.compile(r"(?:&[\w-]+\s+)?!(?!<)[^\s,\[\]{}]*")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_LINE_BREAK: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Mark(Position):
    """libyaml's own mark has these fields; `index` counts characters."""

    index: int


@dataclass(slots=True, eq=False)
class ScalarNode:
    """A scalar as written. Marks count from 0, as libyaml's do.

    Attributes:
        tag: the tag in full (`tag:yaml.org,2002:int`), `""` without one.
        implicit: whether the text alone decides about the type (plain style).
    """

    value: str
    tag: str
    implicit: bool
    line: int
    column: int


@dataclass(slots=True, eq=False)
class SequenceNode:
    """A sequence."""

    line: int
    column: int
    children: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class MappingNode:
    """A mapping; `children` holds key, value, key, value, ..."""

    line: int
    column: int
    children: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class AliasNode:
    """A reference to an earlier node, perhaps to one that contains it."""

    name: str
    target: Node
    line: int
    column: int


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode | AliasNode


def compose(content: bytes, limits: Limits) -> Node | None:
    """Reads the first document of a YAML stream.

    Args:
        content: the text; UTF-8, or UTF-16 with a byte order mark.
        limits: `nodes` bounds the nodes as written, `depth` their nesting.

    Returns:
        The root; `None` if the stream holds no document.

    Raises:
        SpecError: `InvalidYaml` with goyaml.v2's message, or `TooCostly`.
    """
    text = Text(content)
    for _ in range(_MAX_RESPELLINGS + 1):
        try:
            return _Composer(text, limits).compose()
        except _MisreadTagError as misread:
            text.spell_tag(misread.index)
        except MarkedYAMLError as error:
            if not _respell(text, error):
                raise yaml_errors.from_libyaml(error) from error
        except ReaderError as error:
            raise yaml_errors.from_reader(error, text.content) from error
        except UnicodeDecodeError as error:
            raise yaml_errors.refusal("a tag is no UTF-8 text", None) from error
    raise yaml_errors.too_costly(
        f"more than {_MAX_RESPELLINGS} places where a tag or a plain scalar holds one"
        " of ',[]{}': quote them",
        None,
    )


def _respell(text: Text, error: MarkedYAMLError) -> bool:
    """Spells the place differently if goyaml.v2 would take it."""
    mark = cast("Mark", error.problem_mark)
    found = text.decoded[mark.index : mark.index + 2]
    if error.problem == "found unexpected ':'":  # (3)
        text.spell_colons(mark.index)
    elif error.problem == "found unknown escape character" and found == "\\'":  # (4)
        text.spell_quotes()
    elif error.context in _IN_A_TAG and found[:1] in {",", "[", "]"}:
        text.spell_tag(mark.index)  # (5)
    else:
        return False
    return True


class _MisreadTagError(Exception):
    """libyaml ended a tag at a `,` that goyaml.v2 counts to the tag."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class _Input:
    """Hands the text out in goyaml.v2's portions.

    What follows the first document is read, and found invalid, exactly as far
    as goyaml.v2 reads ahead.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def read(self, size: int = _LIBYAML_INPUT_BYTES, /) -> bytes:
        """The next bytes; `size` is what libyaml's buffer still takes."""
        left_over = _LIBYAML_INPUT_BYTES - size
        end = self._position + max(_INPUT_BYTES - left_over, 1)
        chunk = self._content[self._position : end]
        self._position = end
        return chunk


@dataclass(slots=True, eq=False)
class _Open:
    """A collection that is not complete yet, and the event that opened it."""

    node: SequenceNode | MappingNode
    event: CollectionStartEvent


class _Composer:
    """One run over the events of a text."""

    def __init__(self, text: Text, limits: Limits) -> None:
        self._text = text
        self._limits = limits
        self._parser = CParser(_Input(text.content))
        self._anchors: dict[str, Node] = {}
        self._open: list[_Open] = []
        self._count = 0
        self._unusual = text.respelled or any(
            char in text.decoded for char in ("?", "!", "\\/")
        )

    def compose(self) -> Node | None:
        """The root of the first document; `None` if there is no document."""
        self._parser.get_event()
        event = self._parser.get_event()
        if not isinstance(event, DocumentStartEvent):
            return None
        if event.version not in {None, (1, 1)}:  # (1)
            problem = "found incompatible YAML document"
            raise yaml_errors.parser_error(problem, _start(event))
        return self._root()

    def _root(self) -> Node:
        stack, get_event = self._open, self._parser.get_event
        while True:
            event = get_event()
            if isinstance(event, ScalarEvent):
                node: Node = self._scalar(event)
            elif isinstance(event, CollectionStartEvent):
                self._push(event)
                continue
            elif isinstance(event, AliasEvent):
                node = self._alias(event)
            else:
                closed = stack.pop()
                node = closed.node
                if self._is_the_document(closed):
                    return node
            if not stack:
                get_event()  # looks ahead at what ends the document
                return node
            stack[-1].node.children.append(node)

    def _scalar(self, event: ScalarEvent) -> ScalarNode:
        mark = _start(event)
        self._count_one(mark)
        node = ScalarNode(
            event.value, event.tag or "", event.implicit[0], mark.line, mark.column
        )
        if self._unusual:
            self._mend(node, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: AliasEvent) -> AliasNode:
        mark, name = _start(event), cast("str", event.anchor)
        self._count_one(mark)
        target = self._anchors.get(name)
        if target is None:
            raise yaml_errors.refusal(f"unknown anchor '{name}' referenced", mark)
        return AliasNode(name, target, mark.line, mark.column)

    def _push(self, event: CollectionStartEvent) -> None:
        mark = _start(event)
        self._count_one(mark)
        node: SequenceNode | MappingNode
        if isinstance(event, MappingStartEvent):
            node = MappingNode(mark.line, mark.column)
        else:
            node = SequenceNode(mark.line, mark.column)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._open.append(_Open(node, event))
        if len(self._open) > self._limits.depth:
            raise yaml_errors.too_deep(self._limits, mark)

    def _count_one(self, mark: Mark) -> None:
        self._count += 1
        if self._count > self._limits.nodes:
            raise yaml_errors.too_many_nodes(self._limits, mark)

    def _is_the_document(self, closed: _Open) -> bool:
        """(7): goyaml.v2's scanner forgets that `[]` or `{}` may be a key."""
        if len(self._open) != 1 or closed.node.children:
            return False
        root, event = self._open[0], closed.event
        return (
            bool(event.flow_style)
            and not root.event.flow_style
            and isinstance(root.node, MappingNode)
            and not root.node.children
            and event.anchor is None
            and event.tag is None
            and _start(event).index == _start(root.event).index
        )

    def _mend(self, node: ScalarNode, event: ScalarEvent) -> None:
        """Makes up for what libyaml 0.2.5 reads in another way."""
        text, start = self._text.decoded, _start(event).index
        source = text[start : _end(event).index]
        in_flow = bool(self._open) and bool(self._open[-1].event.flow_style)
        if event.style == '"':
            for escape in _ESCAPE.finditer(source):
                if escape[1] == "/":  # (4)
                    place = self._position(start + escape.start())
                    problem = "found unknown escape character"
                    raise yaml_errors.scanner_error(problem, place)
        elif event.style == "" and in_flow and "?" in node.value:  # (2)
            place = self._position(text.index("?", start))
            problem = f"did not find expected ',' or '{self._bracket()}'"
            raise yaml_errors.parser_error(problem, place)
        if node.tag and in_flow:  # (5)
            found = _SHORT_TAG.match(text, start)
            if found is not None and text.startswith(",", found.end()):
                raise _MisreadTagError(found.end())
        if self._text.respelled:
            double_quoted = event.style == '"'
            node.value = self._text.restore(node.value, double_quoted=double_quoted)

    def _bracket(self) -> str:
        """What closes the collection that is open; `a: b` in a sequence has no own."""
        event = self._open[-1].event
        start, end = _start(event).index, _end(event).index
        is_pair = start == end or self._text.decoded[start] == "?"
        return "}" if isinstance(event, MappingStartEvent) and not is_pair else "]"

    def _position(self, index: int) -> Position:
        before = self._text.decoded[:index]
        breaks = list(_LINE_BREAK.finditer(before))
        return Position(len(breaks), index - (breaks[-1].end() if breaks else 0))


def _start(event: Event) -> Mark:
    return cast("Mark", event.start_mark)


def _end(event: Event) -> Mark:
    return cast("Mark", event.end_mark)
