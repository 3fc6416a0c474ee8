"""All known nodes and what they publish: numbers, columns, and what changed.

An update is told from what was known by identity, node by node and feature set by
feature set: what is the same object has not changed, and costs nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import compress
from operator import is_not
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


class Census:
    """What all known nodes publish, now.

    Attributes:
        nodes: names and numbers.
        features: node number -> features.
        columns: (kind, feature) -> column; only what some node publishes.
        changes: which nodes changed when.
        generation: grows with every update that changes something.
    """

    def __init__(self) -> None:
        self.nodes: Final = Nodes()
        self.features: Final[dict[int, Features]] = {}
        self.columns: Final[dict[Place, AnyColumn]] = {}
        self.changes: Final = Changes()
        self.generation = 0
        self._last: Mapping[str, Features] = {}
        self._published: frozenset[str] | None = None

    @property
    def published(self) -> frozenset[str]:
        """The features that any known node publishes, in lower case."""
        if self._published is None:
            self._published = frozenset(lower(feature) for _, feature in self.columns)
        return self._published

    def update(self, features: Mapping[str, Features]) -> None:
        """These are all known nodes, now; `features` must not change afterwards."""
        if features is self._last:
            return
        last, self._last = self._last, features
        changed: list[tuple[str, Features | None]] = [
            (name, features[name]) for name in _differing(last, features)
        ]
        changed += [(name, None) for name in last.keys() - features.keys()]
        if changed:
            self._apply(changed)

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

    def _apply(self, changed: Iterable[tuple[str, Features | None]]) -> None:
        self.generation += 1
        deltas: _Deltas = {}
        olds: list[Features] = []  # identities must not be used again meanwhile
        touched: list[int] = []
        gone = [(name, new) for name, new in changed if new is None]
        stay = [(name, new) for name, new in changed if new is not None]
        for name, new in gone + stay:
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
        self.changes.record(self.generation, bits_of(touched))
        for place, delta in deltas.items():
            self._apply_column(place, delta)

    def _apply_column(self, place: Place, delta: Delta[Any]) -> None:
        column = self.columns.get(place)
        if column is None:
            column = self.columns[place] = Column(NAMES[place[0]])
            self._published = None
        column.apply(delta, self.generation)
        if not column.published:
            del self.columns[place]
            self._published = None


def _differing(
    last: Mapping[str, Features], now: Mapping[str, Features]
) -> Iterable[str]:
    """The names whose features are another object now, or new."""
    if list(last) == list(now):
        return compress(now, map(is_not, last.values(), now.values()))
    return [name for name, one in now.items() if last.get(name) is not one]


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
