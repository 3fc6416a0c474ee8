"""Who publishes what: one kind of one feature, over all nodes.

A *column* (flags of `cpu.cpuid`, attributes of `kernel.config`) holds each feature
set once, with the nodes that publish it. Sets are told apart by identity: what
nodes share is one set here, and sets that are merely equal cost time, not truth.
What an element's value is on which nodes is not kept: it is read from the sets
when somebody asks for the first time, and only what was asked is kept up to date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Final, Generic, TypeAlias, TypeVar

from app.bits import Bits, bits_in, bits_of, members_of
from app.compat.features import Features
from app.compat.nodes import Changes

FeatureSet = TypeVar("FeatureSet")

Instances: TypeAlias = tuple[Mapping[str, str], ...]


class Absent(Enum):
    """The node does not publish the feature: not even null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

KINDS: Final = ("flags", "attributes", "instances")

Place: TypeAlias = tuple[str, str]
"""(kind, feature as it is published)."""

_MAX_GROWTH: Final = 4
_MIN_NAMES: Final = 1024


def read(features: Features, place: Place) -> object:
    """What one node publishes in a place; `ABSENT` if nothing, `None` for null."""
    kind, feature = place
    sets: Mapping[str, object] = getattr(features, kind)
    return sets.get(feature, ABSENT)


class Delta(Generic[FeatureSet]):
    """What one update changes in one column."""

    def __init__(self) -> None:
        self.removed: dict[int, list[int]] = {}
        self.added: dict[int, list[int]] = {}
        self.sets: dict[int, FeatureSet | None] = {}

    def remove(self, number: int, one: FeatureSet | None) -> None:
        """Node `number` no longer publishes this set."""
        self.removed.setdefault(id(one), []).append(number)

    def add(self, number: int, one: FeatureSet | None) -> None:
        """Node `number` publishes this set now."""
        key = id(one)
        if key not in self.sets:
            self.sets[key] = one
        self.added.setdefault(key, []).append(number)


class Column(Generic[FeatureSet]):
    """One kind of one feature.

    Attributes:
        sets: identity -> feature set, without null; in the order of `members`.
        members: identity -> the nodes that publish that set.
        published: the nodes that publish any set, null included.
        nulls: the nodes that publish null.
        changes: which nodes' sets changed when.
        lineage: the same object in a column and its copies.
    """

    def __init__(self, names: Callable[[FeatureSet], AbstractSet[str]]) -> None:
        self.sets: dict[int, FeatureSet] = {}
        self.members: dict[int, int] = {}
        self.published: Bits = 0
        self.nulls: Bits = 0
        self.changes = Changes()
        self.lineage = object()
        self._names_in: Final = names
        self._names: AbstractSet[str] | None = None
        self._most_names = 0

    @property
    def filled(self) -> Bits:
        """The nodes that publish something that is not null."""
        return self.published & ~self.nulls

    def copy(self) -> Column[FeatureSet]:
        """The same, to be changed while somebody still reads this one."""
        copy = Column(self._names_in)
        copy.sets, copy.members = self.sets.copy(), self.members.copy()
        copy.published, copy.nulls = self.published, self.nulls
        copy.changes, copy.lineage = self.changes.copy(), self.lineage
        copy._names, copy._most_names = self._names, self._most_names
        return copy

    def apply(self, delta: Delta[FeatureSet], generation: int) -> None:
        """Makes the changes of one update."""
        changed = 0
        for key, numbers in delta.removed.items():
            changed |= self._remove(key, bits_of(numbers))
        for key, numbers in delta.added.items():
            changed |= self._add(key, delta.sets[key], bits_of(numbers))
        self.changes.record(generation, changed)

    def names(self) -> AbstractSet[str]:
        """Every name of an element that some node publishes, and perhaps more."""
        names = self._names
        if names is None:
            names = frozenset[str]().union(*map(self._names_in, self.sets.values()))
            self._most_names = _MAX_GROWTH * max(len(names), _MIN_NAMES)
            self._names = names
        return names

    def _remove(self, key: int, bits: Bits) -> Bits:
        self.published &= ~bits
        if key not in self.members:
            self.nulls &= ~bits
            return bits
        left = bits_in(self.members[key]) & ~bits
        if left:
            self.members[key] = members_of(left)
        else:
            del self.members[key], self.sets[key]
        return bits

    def _add(self, key: int, one: FeatureSet | None, bits: Bits) -> Bits:
        self.published |= bits
        if one is None:
            self.nulls |= bits
        elif key in self.members:
            self.members[key] = bits_in(self.members[key]) | bits
        else:
            self.sets[key] = one
            self.members[key] = members_of(bits)
            self._learn(one)
        return bits

    def _learn(self, one: FeatureSet) -> None:
        """Adds the names of a new set; forgets all when too many are outdated."""
        names = self._names
        if names is not None and not self._names_in(one) <= names:
            names = names | self._names_in(one)
            self._names = names if len(names) <= self._most_names else None


def flag_names(flags: frozenset[str]) -> AbstractSet[str]:
    """The names of a set of flags."""
    return flags


def attribute_names(attributes: Mapping[str, str]) -> AbstractSet[str]:
    """The names of a set of attributes."""
    return attributes.keys()


def instance_names(instances: Instances) -> AbstractSet[str]:
    """The names of the attributes that any instance has."""
    return frozenset().union(*instances)


NAMES: Final[Mapping[str, Callable[..., AbstractSet[str]]]] = {
    "flags": flag_names,
    "attributes": attribute_names,
    "instances": instance_names,
}
"""Kind -> how to read the names of its elements."""
