"""All known nodes and what they publish: numbers, columns, and what changed.

A change is told from what was known by identity, node by node and feature set by
feature set: what is the same object has not changed, and costs nothing more.

A `Census` lives where its changes are made. What it is at one moment can be lent to
another thread: a `Frozen` never changes, because the census copies what both have
in common before it changes it, once for each column that a change touches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, product
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
_Step: TypeAlias = tuple[int, Features, Features | None]
"""Number of a node, what was known, what is known now."""

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


@dataclass(slots=True, eq=False, repr=False)
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
    """

    def __init__(self, number: Callable[[str], int] | None = None) -> None:
        super().__init__()
        self.nodes: Final = Nodes(number)
        self._came_and_went: Final = Changes()
        self._changes: Final = Changes()
        self._lost_at = 0
        self._frozen: Frozen | None = None
        self._lent: set[Place] = set()

    def freeze(self) -> Frozen:
        """What is known now, to be read by any thread at any time."""
        if self._frozen is None:
            self._frozen = Frozen(
                self.bits, self.features, self.columns, self.generation, self._published
            )
            self._lent = set(self.columns)
        return self._frozen

    def update(self, features: Mapping[str, Features]) -> None:
        """These are all known nodes, now."""
        get = cast("Callable[[int | None], Features | None]", self.features.get)
        known = map(get, map(self.nodes.number, features))
        differ = map(is_not, known, features.values())
        changed: dict[str, Features | None] = {
            name: features[name] for name in compress(features, differ)
        }
        added = sum(self.nodes.number(name) is None for name in changed)
        if len(self.nodes) + added > len(features):
            changed |= dict.fromkeys(self.nodes.absent(features))
        self.change(changed)

    def change(self, changed: Mapping[str, Features | None]) -> None:
        """Some nodes are new, have changed, or are not known any more (`None`).

        Features that are the object that was given before have not changed. Costs
        what it touches, however many nodes there are besides.

        Raises:
            ValueError: as `Nodes.change`; nothing has changed.
        """
        news: dict[str, Features] = {}
        gone: list[str] = []
        steps: list[_Step] = []
        for name, new in changed.items():
            number = self.nodes.number(name)
            if number is None:
                if new is not None:
                    news[name] = new
            elif new is not (old := self.features[number]):
                steps.append((number, old, new))
                if new is None:
                    gone.append(name)
        if news or steps:
            coming = self.nodes.change(gone, list(news))
            for number, one in zip(coming, news.values(), strict=True):
                steps.append((number, _NOTHING, one))
            self._apply(steps)

    def changed(self, generation: int, features: Collection[str]) -> Bits:
        """The nodes that publish something else of some features than they did.

        Those that came or went too, and perhaps others.

        Args:
            generation: since when.
            features: their names, as they are published.
        """
        if generation < self._lost_at:
            return self._changes.since(generation)
        bits = self._came_and_went.since(generation)
        for place in product(KINDS, features):
            column = self.columns.get(place)
            if column is not None:
                bits |= column.changes.since(generation)
        return bits

    def _apply(self, steps: Sequence[_Step]) -> None:
        """Makes changes; nodes that come are after those that go."""
        self.bits = self.nodes.bits
        self.generation += 1
        if self._frozen is not None:
            self._frozen = None
            self.features, self.columns = self.features.copy(), self.columns.copy()
        deltas: _Deltas = {}
        # What was known is held by `steps`: no identity is used again meanwhile.
        for number, old, new in steps:
            _differ(deltas, number, old, new or _NOTHING)
            if new is None:
                del self.features[number]
            else:
                self.features[number] = new
        all_numbers = [number for number, _, _ in steps]
        self._changes.record(self.generation, bits_of(all_numbers))
        others = [n for n, old, new in steps if old is _NOTHING or new is None]
        self._came_and_went.record(self.generation, bits_of(others))
        for place, delta in deltas.items():
            self._apply_column(place, delta)

    def _apply_column(self, place: Place, delta: Delta[Any]) -> None:
        column = self.columns.get(place)
        if column is None:
            column = self.columns[place] = Column(NAMES[place[0]])
            self._published = None
        elif place in self._lent:
            column = self.columns[place] = column.copy()
        self._lent.discard(place)  # also a new one of that name is our own
        column.apply(delta, self.generation)
        if not column.published:
            del self.columns[place]  # and what is known of its changes
            self._lost_at = self.generation
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
