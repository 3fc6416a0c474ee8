"""sprig's functions on dicts.

`set`, `unset` and the merges change a dict in place, as in Go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.compat.template import runes
from app.compat.template.limits import Meter
from app.compat.template.refusal import refuse
from app.compat.template.sprig.casting import NIL_DEREFERENCE, to_bytes
from app.compat.template.sprig.merging import MergeError, merge_into
from app.compat.template.values import (
    ANY,
    ANYS,
    DICT,
    STRING,
    Function,
    GoError,
    Map,
    Pointer,
    Slice,
    Struct,
    Value,
    grown,
    pure,
    strings,
    type_of,
)

_FEWEST_TO_DIG: Final = 3


def make(meter: Meter, *pairs: Value) -> Map:
    """A dict of keys and values in turn; a value that is missing is empty."""
    values = [*pairs, b""] if len(pairs) % 2 else pairs
    keys = [to_bytes(meter, key) for key in values[::2]]
    return Map(DICT, dict(zip(keys, values[1::2], strict=True)))


def get(given: Map, key: bytes) -> Value:
    """A value; the empty string where there is none."""
    return given.entries.get(key, b"")


def put(meter: Meter, given: Map, key: bytes, value: Value) -> Map:
    """Sets a value."""
    if given.is_nil:
        raise GoError("assignment to entry in nil map")
    given.entries[key] = value
    meter.listing(len(given))
    return given


def unset(given: Map, key: bytes) -> Map:
    """Removes a value."""
    given.entries.pop(key, None)
    return given


def pluck(key: bytes, *dicts: Map) -> Slice:
    """The values of a key in all dicts that have it."""
    return grown(ANYS, [d.entries[key] for d in dicts if key in d.entries])


def keys(meter: Meter, *dicts: Map) -> Slice:
    """The keys of all dicts, sorted in each (Go leaves their order to chance)."""
    meter.listing(sum(map(len, dicts)))
    result = strings(key for given in dicts for key in given.keys())  # noqa: SIM118 - sorted keys
    result.exact = False
    return result


def values(given: Map) -> Slice:
    """The values in the order of their keys (Go leaves it to chance)."""
    ordered = [given.entries[key] for key in given.keys()]  # noqa: SIM118 - as above
    return grown(ANYS, ordered)


def pick(given: Map, *names: bytes) -> Map:
    """The entries of these keys."""
    entries = given.entries
    return Map(DICT, {name: entries[name] for name in names if name in entries})


def omit(given: Map, *names: bytes) -> Map:
    """The entries of all other keys."""
    left_out = set(names)
    kept = {k: v for k, v in given.entries.items() if k not in left_out}
    return Map(DICT, kept)


def _must_be(value: Value, wanted: type[bytes | Map]) -> Value:
    kind = DICT if wanted is Map else STRING
    if value is not None and type_of(value) is kind:
        return value
    found = "nil" if value is None else type_of(value)
    raise GoError(f"interface conversion: interface {{}} is {found}, not {kind}")


def dig(*args: Value) -> Value:
    """The value at the end of a path of keys; a default where the path ends early."""
    if len(args) < _FEWEST_TO_DIG:
        raise GoError("dig needs at least three arguments")
    *path, default, given = args
    current = _must_be(given, Map)
    names = [_must_be(name, bytes) for name in path]
    for name in names[:-1]:
        if name not in current.entries:
            return default
        current = _must_be(current.entries[name], Map)
    return current.entries.get(names[-1], default)


def _merged(meter: Meter, target: Map, sources: tuple[Map, ...], *, over: bool) -> Map:
    for source in sources:
        if target.is_nil and not source.is_nil:
            target = Map(DICT, {})
        merge_into(meter, target, source, over=over)
        meter.listing(len(target))
    return target


def _merge(*, over: bool, must: bool) -> Function:
    def call(meter: Meter, target: Map, *sources: Map) -> Value:
        try:
            return _merged(meter, target, sources, over=over)
        except MergeError as e:
            if must:
                raise GoError(str(e)) from e
            return b""

    return Function(call, (DICT,), DICT, boxed=True)


def deep_copy(meter: Meter, value: Value) -> Value:
    """A copy that shares no list and no dict."""
    if value is None:
        raise GoError("reflect: call of reflect.Value.Type on zero Value")
    return _copied(meter, value, 0)


def _copied(meter: Meter, value: Value, depth: int) -> Value:
    meter.nested(depth)
    match value:
        case Map():
            copies = {
                key: _copied(meter, item, depth + 1)
                for key, item in value.entries.items()
            }
            return Map(value.type, copies, is_nil=value.is_nil)
        case Slice():
            items = [_copied(meter, item, depth + 1) for item in value.values()]
            result = Slice(value.type, items, is_nil=value.is_nil)
            result.exact = value.exact and value.stop == len(value.items)
            return result
        case Pointer() | Struct():
            refuse("deepCopy", "a version in it would lose its numbers")
    return value


def text_of(given: Map, key: bytes) -> bytes:
    """The text of a key; `b""` where there is none.

    Raises:
        GoError: the value is no text.
    """
    value = given.entries.get(key, b"")
    if isinstance(value, bytes):
        return value
    kind = type_of(value).kind if value is not None else None
    if kind is None:
        raise GoError(NIL_DEREFERENCE)
    name = runes.to_text(key)
    raise GoError(
        f"unable to parse {name} key, must be of type string, but {kind} found"
    )


FUNCTIONS: Final[Mapping[str, Function]] = {
    "deepCopy": Function(deep_copy, (ANY,), boxed=True),
    "dict": Function(make, (), ANY),
    "dig": pure(dig, variadic=ANY),
    "get": pure(get, DICT, STRING),
    "hasKey": pure(lambda given, key: key in given.entries, DICT, STRING),
    "keys": Function(keys, (), DICT),
    "merge": _merge(over=False, must=False),
    "mergeOverwrite": _merge(over=True, must=False),
    "mustDeepCopy": Function(deep_copy, (ANY,), boxed=True),
    "mustMerge": _merge(over=False, must=True),
    "mustMergeOverwrite": _merge(over=True, must=True),
    "omit": pure(omit, DICT, variadic=STRING),
    "pick": pure(pick, DICT, variadic=STRING),
    "pluck": pure(pluck, STRING, variadic=DICT),
    "set": Function(put, (DICT, STRING, ANY)),
    "unset": pure(unset, DICT, STRING),
    "values": pure(values, DICT),
}
"""By name."""
