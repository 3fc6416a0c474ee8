"""A spec as it was written: every part with its place.

`parse` gives what NFD evaluates; this gives the same values with their places, and
as much of a broken spec as can be told. A field that has a wrong type is absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from app.compat import gojson
from app.compat.lint.problem import At, below
from app.compat.yaml11 import Value
from app.compat.yaml_nodes import (
    AliasNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text.

    Attributes:
        text: as NFD gets it.
        at: where it stands.
        source: as it was written, without quotes.
    """

    text: str
    at: At
    source: str

    @property
    def is_coerced(self) -> bool:
        """Whether NFD gets something else than was written."""
        return self.text != self.source


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression; `name` is the element's, the empty text for a matchName."""

    name: Text
    op: Text
    values: tuple[Text, ...]
    type: Text
    at: At
    is_null: bool = False

    @property
    def operands(self) -> tuple[str, ...]:
        """The values without their places."""
        return tuple(one.text for one in self.values)


@dataclass(frozen=True, slots=True)
class Term:
    """One term of matchFeatures.

    Attributes:
        feature: as it is written.
        key: its name as it is looked up.
        expressions: by element; empty if there are none.
        match_name: the expression on names, `None` if absent.
        at: where it stands.
    """

    feature: Text
    key: str
    expressions: tuple[Expression, ...]
    match_name: Expression | None
    at: At

    @property
    def every(self) -> tuple[Expression, ...]:
        """All of its expressions."""
        names = () if self.match_name is None else (self.match_name,)
        return (*self.expressions, *names)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One element of matchAny."""

    terms: tuple[Term, ...]
    at: At


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `vars` are the names of its static variables."""

    name: Text
    vars: tuple[Text, ...]
    template: Text | None
    terms: tuple[Term, ...]
    alternatives: tuple[Alternative, ...]
    at: At

    @property
    def every(self) -> tuple[Term, ...]:
        """All of its terms."""
        inner = (term for one in self.alternatives for term in one.terms)
        return (*self.terms, *inner)


@dataclass(frozen=True, slots=True)
class CompatibilitySet:
    """One compatibility set; `weight` is `None` if absent or no number."""

    rules: tuple[Rule, ...]
    weight: int | None
    weight_at: At
    tag: Text
    at: At


@dataclass(frozen=True, slots=True)
class Spec:
    """The whole spec."""

    version: Text
    sets: tuple[CompatibilitySet, ...]
    at: At

    @property
    def rules(self) -> Iterator[Rule]:
        """All rules of all sets."""
        return (rule for one in self.sets for rule in one.rules)


@dataclass(frozen=True, slots=True)
class Part:
    """A value, and the path to it."""

    value: Value
    path: str

    @property
    def at(self) -> At:
        """Where it stands."""
        return At(self.value.line + 1, self.value.column + 1, self.path)


class Sources:
    """Scalars as they were written, by their place."""

    def __init__(self, root: Node | None) -> None:
        self._scalars: Final[Mapping[tuple[int, int], str]] = _scalars(root)

    def written(self, value: Value, text: str) -> str:
        """What was written where a value stands; `text` where that is not known."""
        return self._scalars.get((value.line, value.column), text)


def _scalars(root: Node | None) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    open_nodes = [] if root is None else [root]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ScalarNode):
            place = (node.line, node.column)
            found[place] = node.value or found.get(place, "")
        elif isinstance(node, MappingNode | SequenceNode):
            open_nodes.extend(node.children)
    return found


def key_at(value: Value, path: str) -> tuple[At, str]:
    """Where the key of an entry stands, and how it is written."""
    key = value.key
    node = cast("ScalarNode", key.target if isinstance(key, AliasNode) else key)
    return At(node.line + 1, node.column + 1, path), node.value


LONGEST_FIELD: Final = 64


def folded(key: str) -> str:
    """A key as fields are compared; empty if it is longer than any field."""
    return gojson.fold(key) if len(key) <= LONGEST_FIELD else ""


def fields(part: Part) -> Iterator[tuple[str, Part]]:
    """The entries of a mapping, in byte order of their keys; none of others."""
    data = part.value.data
    if isinstance(data, dict):
        for key in sorted(data):
            yield key, Part(data[key], below(part.path, key))


def items(part: Part) -> Iterator[Part]:
    """The items of a list; none of others."""
    data = part.value.data
    if isinstance(data, list):
        for index, value in enumerate(data):
            yield Part(value, f"{part.path}[{index}]")


def read(root: Value, sources: Sources) -> Spec:
    """The spec that a document holds, as far as it can be told."""
    return _Reader(sources).spec(Part(root, "$"))


class _Reader:
    def __init__(self, sources: Sources) -> None:
        self._sources: Final = sources
        self._lowered: Final[dict[str, str]] = {}

    def spec(self, part: Part) -> Spec:
        sets = map(self._set, items(_field(part, "compatibilities")))
        return Spec(self._text(_field(part, "version")), tuple(sets), part.at)

    def _set(self, part: Part) -> CompatibilitySet:
        weight = _field(part, "weight")
        data = weight.value.data
        return CompatibilitySet(
            tuple(map(self._rule, items(_field(part, "rules")))),
            data if isinstance(data, int) and not isinstance(data, bool) else None,
            weight.at,
            self._text(_field(part, "tag")),
            part.at,
        )

    def _rule(self, part: Part) -> Rule:
        template = _field(part, "varsTemplate")
        return Rule(
            self._text(_field(part, "name")),
            tuple(self._key(*one) for one in fields(_field(part, "vars"))),
            self._text(template) if template.value.data is not None else None,
            self._terms(part),
            tuple(
                Alternative(self._terms(one), one.at)
                for one in items(_field(part, "matchAny"))
            ),
            part.at,
        )

    def _lower(self, name: str) -> str:
        """A name in lower case; a long one that aliases repeat is read once."""
        found = self._lowered.get(name)
        if found is None:
            found = self._lowered[name] = name.lower()
        return found

    def _terms(self, part: Part) -> tuple[Term, ...]:
        return tuple(map(self._term, items(_field(part, "matchFeatures"))))

    def _term(self, part: Part) -> Term:
        expressions = _field(part, "matchExpressions")
        names = _field(part, "matchName")
        feature = self._text(_field(part, "feature"))
        return Term(
            feature,
            self._lower(feature.text),
            tuple(
                self._expression(one, self._key(name, one))
                for name, one in fields(expressions)
            ),
            self._expression(names, Text("", names.at, ""))
            if isinstance(names.value.data, dict)
            else None,
            part.at,
        )

    def _expression(self, part: Part, name: Text) -> Expression:
        return Expression(
            name,
            self._text(_field(part, "op")),
            tuple(map(self._text, items(_field(part, "value")))),
            self._text(_field(part, "type")),
            name.at,
            is_null=part.value.data is None,
        )

    def _text(self, part: Part) -> Text:
        text = gojson.as_text(part.value.data)
        if text is None:
            return Text("", part.at, "")
        return Text(text, part.at, self._sources.written(part.value, text))

    def _key(self, name: str, part: Part) -> Text:
        at, source = key_at(part.value, part.path)
        return Text(name, at, source)


def _field(part: Part, name: str) -> Part:
    """A field of a mapping in any case, of several the last; null if there is none."""
    wanted, found = gojson.fold(name), None
    for key, one in fields(part):
        if folded(key) == wanted:
            found = one
    if found is not None:
        return found
    return Part(Value(None, part.value.line, part.value.column), below(part.path, name))
