"""Go's reflect.DeepEqual, and membership in lists by it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final

from app.compat.template.limits import Meter
from app.compat.template.values import (
    Map,
    Number,
    Pointer,
    Slice,
    Struct,
    Value,
    type_of,
)

_HASHABLE: Final = (bytes, bool, int, complex, Number)


def deep_equal(meter: Meter, one: Value, other: Value, depth: int = 0) -> bool:
    """Whether two values are of the same type and deeply equal."""
    meter.nested(depth)
    if one is None or other is None:
        return one is other
    if type_of(one) is not type_of(other):
        return False
    match one:
        case Slice():
            return _equal_slices(meter, one, other, depth + 1)
        case Map():
            return _equal_maps(meter, one, other, depth + 1)
        case Pointer():
            return deep_equal(meter, one.target, other.target, depth + 1)
        case Struct():
            return bool(one.fields() == other.fields())
        case bytes():
            meter.work(len(one))
    return bool(one == other)


def _equal_slices(meter: Meter, one: Slice, other: Slice, depth: int) -> bool:
    if len(one) != len(other) or one.is_nil != other.is_nil:
        return False
    pairs = zip(one.values(), other.values(), strict=True)
    return all(deep_equal(meter, a, b, depth) for a, b in pairs)


def _equal_maps(meter: Meter, one: Map, other: Map, depth: int) -> bool:
    if len(one) != len(other) or one.is_nil != other.is_nil:
        return False
    return all(
        key in other.entries and deep_equal(meter, value, other.entries[key], depth)
        for key, value in one.entries.items()
    )


class Members:
    """A set of values by deep equality; the plain ones are found at once."""

    def __init__(self, meter: Meter, values: Iterable[Value] = ()) -> None:
        self.meter = meter
        self.plain: set[Hashable] = set()
        self.others: list[Value] = []
        given = list(values)
        meter.slow(len(given))
        for value in given:
            self.add(value)

    def add(self, value: Value) -> None:
        """Takes one more value."""
        if isinstance(value, _HASHABLE):
            self.plain.add((type(value), value))
        else:
            self.others.append(value)

    def __contains__(self, value: Value) -> bool:
        if isinstance(value, _HASHABLE):
            return (type(value), value) in self.plain
        return any(deep_equal(self.meter, value, other) for other in self.others)
