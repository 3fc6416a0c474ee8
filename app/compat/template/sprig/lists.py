"""sprig's functions on lists. The `must` forms fail with the same texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.compat.template.limits import Meter
from app.compat.template.refusal import refuse
from app.compat.template.sprig.casting import (
    NIL_DEREFERENCE,
    float_to_int64,
    listed,
    to_bytes,
    to_int64,
    to_strings,
)
from app.compat.template.sprig.equality import Members
from app.compat.template.values import (
    ANY,
    ANYS,
    CHUNKS,
    INT,
    Function,
    GoError,
    Slice,
    Value,
    anys,
    grown,
    is_true,
    kind_of,
    strings,
)


def make(_meter: Meter, *values: Value) -> Slice:
    """A list of the arguments."""
    return anys(values)


def push(_meter: Meter, items: Value, value: Value) -> Slice:
    """The list and one more element."""
    given = listed(items, "push on")
    return grown(ANYS, [*given.values(), value])


def prepend(_meter: Meter, items: Value, value: Value) -> Slice:
    """One more element and the list."""
    given = listed(items, "prepend on")
    return grown(ANYS, [value, *given.values()])


def _divided(one: float, other: float) -> float:
    """Go's division of floats."""
    if other:
        return one / other
    if not one:
        return float("nan")
    return float("inf") if one > 0 else float("-inf")


def chunk(meter: Meter, size: int, items: Value) -> Slice:
    """The elements in lists of `size`."""
    given = listed(items, "chunk")
    values = given.values()
    quotient = _divided(float(len(values) - 1), float(size))
    is_finite = quotient - quotient == 0
    count = float_to_int64(quotient // 1 + 1) if is_finite else -1
    if count < 0 or (count == 1 and size < 0 and len(values) % size == 0):
        raise GoError("runtime error: makeslice: len out of range")
    meter.listing(count)
    meter.slow(count)
    step = max(size, 1)
    parts = (values[at : at + step] for at in range(0, count * step, step))
    return Slice(CHUNKS, [anys(part) for part in parts])


def last(_meter: Meter, items: Value) -> Value:
    """The last element; nil of an empty list."""
    given = listed(items, "find last on")
    return given.items[given.stop - 1] if len(given) else None


def first(_meter: Meter, items: Value) -> Value:
    """The first element; nil of an empty list."""
    given = listed(items, "find first on")
    return given.items[given.start] if len(given) else None


def _part(given: Slice, start: int, stop: int) -> Slice:
    """A copy of a part; a nil list of an empty one."""
    if not len(given):
        return Slice(ANYS, [], is_nil=True)
    return anys(given.values()[start:stop])


def rest(_meter: Meter, items: Value) -> Slice:
    """All elements but the first."""
    given = listed(items, "find rest on")
    return _part(given, 1, len(given))


def initial(_meter: Meter, items: Value) -> Slice:
    """All elements but the last."""
    given = listed(items, "find initial on")
    return _part(given, 0, len(given) - 1)


def reverse(_meter: Meter, items: Value) -> Slice:
    """The elements, the last one first."""
    return anys(reversed(listed(items, "find reverse on").values()))


def sort_alpha(meter: Meter, items: Value) -> Slice:
    """The elements as texts in order; a list of strings is sorted in place."""
    if not isinstance(items, Slice):
        return strings([to_bytes(meter, items)])
    result = to_strings(meter, items)
    meter.slow(len(result))
    result.items[result.start : result.stop] = sorted(result.values())
    return result


def compact(meter: Meter, items: Value) -> Slice:
    """The elements that are not empty."""
    given = listed(items, "compact on")
    meter.slow(len(given))
    return grown(ANYS, [v for v in given.values() if not is_empty(v)])


def is_empty(value: Value) -> bool:
    """The `empty` of sprig: the opposite of true."""
    return not is_true(value)


def uniq(meter: Meter, items: Value) -> Slice:
    """The elements, each once."""
    given = listed(items, "find uniq on")
    meter.slow(len(given))
    seen = Members(meter)
    result: list[Value] = []
    for value in given.values():
        if value not in seen:
            seen.add(value)
            result.append(value)
    return grown(ANYS, result)


def without(meter: Meter, items: Value, *omitted: Value) -> Slice:
    """The elements that equal none of the others."""
    given = listed(items, "find without on")
    meter.slow(len(given))
    left_out = Members(meter, omitted)
    return grown(ANYS, [v for v in given.values() if v not in left_out])


def has(meter: Meter, needle: Value, items: Value) -> bool:
    """Whether an element equals a value."""
    if items is None:
        return False
    given = listed(items, "find has on")
    return needle in Members(meter, given.values())


def window(_meter: Meter, items: Value, *bounds: Value) -> Value:
    """`slice list 1 3` is list[1:3], on the same elements."""
    if not isinstance(items, Slice):
        if items is None:
            raise GoError(NIL_DEREFERENCE)
        kind = kind_of(items)
        raise GoError(f"list should be type of slice or array but {kind}")
    if not len(items):
        return None
    start = to_int64(bounds[0]) if bounds else 0
    stop = to_int64(bounds[1]) if len(bounds) > 1 else len(items)
    room = len(items.items) - items.start
    if start < 0 or stop < start or (stop > room and items.exact):
        raise GoError("reflect.Value.Slice: slice index out of bounds")
    if stop > room:
        refuse("slice", "an end beyond a list that has grown")
    return items.window(start, stop)


def concat(meter: Meter, *lists: Value) -> Slice:
    """The elements of all lists."""
    result: list[Value] = []
    for items in lists:
        if items is not None and not isinstance(items, Slice):
            raise GoError(f"Cannot concat type {kind_of(items)} as list")
        given = listed(items, "concat")
        meter.listing(len(result) + len(given))
        result += given.values()
    if not result:
        return Slice(ANYS, [], is_nil=True)
    return grown(ANYS, result)


_BOTH: Final[Mapping[str, Function]] = {
    "append": Function(push, (ANY, ANY)),
    "chunk": Function(chunk, (INT, ANY)),
    "compact": Function(compact, (ANY,)),
    "first": Function(first, (ANY,), boxed=True),
    "has": Function(has, (ANY, ANY)),
    "initial": Function(initial, (ANY,)),
    "last": Function(last, (ANY,), boxed=True),
    "prepend": Function(prepend, (ANY, ANY)),
    "push": Function(push, (ANY, ANY)),
    "rest": Function(rest, (ANY,)),
    "reverse": Function(reverse, (ANY,)),
    "slice": Function(window, (ANY,), ANY, boxed=True),
    "uniq": Function(uniq, (ANY,)),
    "without": Function(without, (ANY,), ANY),
}
"""Functions with a `must` form, which fails in the same way."""

FUNCTIONS: Final[Mapping[str, Function]] = {
    **_BOTH,
    **{f"must{n[0].upper()}{n[1:]}": function for n, function in _BOTH.items()},
    "concat": Function(concat, (), ANY, boxed=True),
    "list": Function(make, (), ANY),
    "sortAlpha": Function(sort_alpha, (ANY,)),
    "tuple": Function(make, (), ANY),
}
"""By name."""
