"""All known nodes and what they publish: numbers, columns, and what changed.

A change is told from what was known by identity, node by node and feature set by
feature set: what is the same object has not changed, and costs nothing more.

A `Census` lives where its changes are made. What it is at one moment can be lent to
another thread: a `Frozen` never changes, because the census copies what both have
in common before it changes it, once for each column that a change touches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

from app.bits import Bits, bits_in, bits_of, numbers
from app.compat.features import Attributes, Features, Flags, Instances
from app.compat.gotext import lower
from app.compat.nodes import Changes, Nodes
from app.compat.postings import ABSENT, KINDS, NAMES, Absent, Column, Delta, Place, read
from app.compat.terms import FeatureSets

AnyColumn: TypeAlias = Column[Any]
"""A column of any kind; who reads it knows which."""

ClassKey: TypeAlias = tuple[object, ...]

_Deltas: TypeAlias = dict[Place, Delta[Any]]
_NOTHING: Final = Features()


@dataclass(frozen=True, slots=True)
class NodeClass:
    """Nodes that publish the same of one feature.

    Attributes:
        key: tells apart what is published, as long as `sets` is held.
        sets: what these nodes publish; `None` if they do not have the feature.
        bits: the nodes.
    """

    key: ClassKey
    sets: FeatureSets | None
    bits: Bits


@dataclass(slots=True)
class Frozen:
    """What all known nodes publish at one moment.

    Attributes:
        bits: the nodes.
        features: node number -> features.
        columns: (kind, feature) -> column; only what some node publishes.
        generation: grows with every change; equal generations, equal content.
    """

    bits: Bits = 0
    features: dict[int, Features] = field(default_factory=dict)
    columns: dict[Place, AnyColumn] = field(default_factory=dict)
    generation: int = 0
    _published: frozenset[str] | None = None

    @property
    def published(self) -> frozenset[str]:
        """The features that any known node publishes, in lower case."""
        published = self._published
        if published is None:
            published = frozenset(lower(feature) for _, feature in self.columns)
            self._published = published
        return published

    def column(self, kind: str, feature: str) -> AnyColumn | None:
        """A column; `None` if no node publishes it."""
        return self.columns.get((kind, feature))

    def classes(self, feature: str, among: Bits) -> list[NodeClass]:
        """Splits nodes by what they publish of a feature."""
        found = [(kind, self.columns.get((kind, feature))) for kind in KINDS]
        columns = {kind: column for kind, column in found if column is not None}
        if not (columns and among):
            return [NodeClass((), None, among)] if among else []
        work = 1
        for column in columns.values():
            work *= 1 + len(column.sets)
        if work <= among.bit_count():
            return _by_column(columns, among)
        return self._by_node(feature, among)

    def _by_node(self, feature: str, among: Bits) -> list[NodeClass]:
        found: dict[ClassKey, tuple[FeatureSets | None, list[int]]] = {}
        for number in numbers(among):
            features = self.features[number]
            sets = [read(features, (kind, feature)) for kind in KINDS]
            key = tuple(map(id, sets))
            try:
                found[key][1].append(number)
            except KeyError:
                found[key] = (
                    _feature_sets(dict(zip(KINDS, sets, strict=True))),
                    [number],
                )
        return [
            NodeClass(key, sets, bits_of(several))
            for key, (sets, several) in found.items()
        ]


class Census(Frozen):
    """What all known nodes publish, now.

    Args:
        number: as for `Nodes`.

    Attributes:
        nodes: names and numbers.
        changes: which nodes changed when.
    """

    def __init__(self, number: Callable[[str], int] | None = None) -> None:
        super().__init__()
        self.nodes: Final = Nodes(number)
        self.changes: Final = Changes()
        self._last: Mapping[str, Features] | None = None
        self._lent: set[Place] = set()
        self._are_features_lent = False

    def freeze(self) -> Frozen:
        """What is known now, to be read by any thread at any time."""
        self._lent = set(self.columns)
        self._are_features_lent = True
        return Frozen(
            self.bits,
            self.features,
            self.columns.copy(),
            self.generation,
            self._published,
        )

    def update(self, features: Mapping[str, Features]) -> None:
        """These are all known nodes, now; `features` must not change afterwards."""
        if features is self._last:
            return
        changed: dict[str, Features | None] = {
            name: None for name in self.nodes if name not in features
        }
        self.change({**changed, **features})
        self._last = features

    def change(self, changed: Mapping[str, Features | None]) -> None:
        """Some nodes are new, have changed, or are not known any more (`None`).

        Features that are the object that was given before have not changed.
        """
        gone, stay = [], []
        for name, new in changed.items():
            number = self.nodes.number(name)
            if new is None and number is not None:
                gone.append((name, new))
            elif new is not None and (
                number is None or self.features[number] is not new
            ):
                stay.append((name, new))
        self._last = None
        if gone or stay:
            self._apply([*gone, *stay])

    def _apply(self, changed: Iterable[tuple[str, Features | None]]) -> None:
        self.generation += 1
        if self._are_features_lent:
            self.features = self.features.copy()
            self._are_features_lent = False
        deltas: _Deltas = {}
        olds: list[Features] = []  # identities must not be used again meanwhile
        touched: list[int] = []
        for name, new in changed:
            number = self.nodes.number(name)
            if number is None:
                number = self.nodes.add(name)
            old = self.features.get(number, _NOTHING)
            olds.append(old)
            touched.append(number)
            _differ(deltas, number, old, new or _NOTHING)
            if new is None:
                self.nodes.remove(name)
                del self.features[number]
            else:
                self.features[number] = new
        self.bits = self.nodes.bits
        self.changes.record(self.generation, bits_of(touched))
        for place, delta in deltas.items():
            self._apply_column(place, delta)

    def _apply_column(self, place: Place, delta: Delta[Any]) -> None:
        column = self.columns.get(place)
        if column is None:
            column = self.columns[place] = Column(NAMES[place[0]])
            self._published = None
        elif place in self._lent:
            column = self.columns[place] = column.copy()
        self._lent.discard(place)
        column.apply(delta, self.generation)
        if not column.published:
            del self.columns[place]
            self._published = None


def _differ(deltas: _Deltas, number: int, old: Features, new: Features) -> None:
    """Notes the sets that are not the same object."""
    for kind in KINDS:
        before: Mapping[str, object] = getattr(old, kind)
        after: Mapping[str, object] = getattr(new, kind)
        for feature, one in after.items():
            known = before.get(feature, ABSENT)
            if known is one:
                continue
            delta = _delta(deltas, (kind, feature))
            delta.add(number, one)
            if known is not ABSENT:
                delta.remove(number, known)
        if before and before.keys() != after.keys():
            for feature in before.keys() - after.keys():
                _delta(deltas, (kind, feature)).remove(number, before[feature])


def _delta(deltas: _Deltas, place: Place) -> Delta[Any]:
    try:
        return deltas[place]
    except KeyError:
        delta = deltas[place] = Delta()
        return delta


def _by_column(columns: Mapping[str, AnyColumn], among: Bits) -> list[NodeClass]:
    parts: list[tuple[dict[str, object], Bits]] = [({}, among)]
    for kind in KINDS:
        column = columns.get(kind)
        if column is not None:
            parts = [
                ({**sets, kind: one}, bits)
                for sets, part in parts
                for one, bits in _of_column(column, part)
            ]
    return [
        NodeClass(
            tuple(id(sets.get(kind, ABSENT)) for kind in KINDS),
            _feature_sets(sets),
            bits,
        )
        for sets, bits in parts
    ]


def _of_column(column: AnyColumn, among: Bits) -> Iterable[tuple[object, Bits]]:
    for one, members in zip(column.sets.values(), column.members.values(), strict=True):
        if bits := bits_in(members) & among:
            yield one, bits
    if bits := column.nulls & among:
        yield None, bits
    if bits := among & ~column.published:
        yield ABSENT, bits


def _feature_sets(sets: Mapping[str, object]) -> FeatureSets | None:
    """As `matching.View.find` returns it."""
    flags, attributes, instances = (sets.get(kind, ABSENT) for kind in KINDS)
    if flags is attributes is instances is ABSENT:
        return None
    return FeatureSets(
        None if flags is ABSENT else cast("Flags", flags),
        None if attributes is ABSENT else cast("Attributes", attributes),
        () if isinstance(instances, Absent) else cast("Instances", instances),
    )
