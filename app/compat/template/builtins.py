"""The functions that text/template itself defines.

`and`, `or` and `call` are not here: they do not evaluate their arguments as others
do (`evaluate`). `slice` is sprig's: NFD's function map overrides Go's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.compat.template import runes
from app.compat.template.gofmt import show, sprint, sprintf, sprintln
from app.compat.template.limits import Meter
from app.compat.template.values import (
    ANY,
    REFLECTED,
    SIGNED,
    STRING,
    UINT8,
    UNSIGNED,
    Function,
    GoError,
    Map,
    Number,
    Pointer,
    Slice,
    Struct,
    Value,
    is_nil,
    is_true,
    kind_of,
    pure,
    type_of,
    unbox,
    zero,
)

_HTML: Final = {
    0: runes.ERROR,
    ord('"'): "&#34;",
    ord("'"): "&#39;",
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
}
_JS: Final = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
}
_UNRESERVED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
)
_QUERY: Final = {
    code: chr(code) if code in _UNRESERVED else f"%{code:02X}" for code in range(256)
} | {ord(" "): "+"}

_INT64_MAX: Final = (1 << 63) - 1


def integer_of(value: Value) -> int | None:
    """The number of an integer of any type; `None` for other values."""
    if isinstance(value, Number):
        return value.number
    return value if type(value) is int else None


def target_of(value: Value) -> Value:
    """The struct behind a pointer; other values as they are."""
    return value.target if isinstance(value, Pointer) else value


# Indexing.


def index(meter: Meter, item: Value, *indexes: Value) -> Value:
    """`index x 1 2` is x[1][2]; a key that a map lacks gives the zero value."""
    item = unbox(item)
    if item is None:
        raise GoError("index of untyped nil")
    for at in map(unbox, indexes):
        meter.step()
        item = target_of(unbox(item))
        if item is None:
            raise GoError("index of nil pointer")
        item = _index_one(item, at)
    return item


def _index_one(item: Value, at: Value) -> Value:
    match item:
        case Map():
            return _index_map(item, at)
        case Slice():
            number = _position(at, len(item))
            if number == len(item):
                raise GoError("reflect: slice index out of range")
            return item.at(number)
        case bytes():
            number = _position(at, len(item))
            if number == len(item):
                raise GoError("reflect: string index out of range")
            return Number(UINT8, item[number])
    raise GoError(f"can't index item of type {type_of(item)}")


def _index_map(item: Map, key: Value) -> Value:
    if key is None:
        raise GoError("value is nil; should be of type string")
    if not isinstance(key, bytes):
        raise GoError(f"value has type {type_of(key)}; should be string")
    if key in item.entries:
        return item.at(key)
    return zero(item.type.elem or ANY)


def _position(at: Value, size: int) -> int:
    if at is None:
        raise GoError("cannot index slice/array with nil")
    number = integer_of(at)
    if number is None:
        raise GoError(f"cannot index slice/array with type {type_of(at)}")
    if number > _INT64_MAX:
        number -= 1 << 64
    if not 0 <= number <= size:
        raise GoError(f"index out of range: {number}")
    return number


def length(item: Value) -> int:
    """The length of a string, slice or map."""
    if item is None:
        raise GoError("reflect: call of reflect.Value.Type on zero Value")
    item = target_of(unbox(item))
    if item is None:
        raise GoError("len of nil pointer")
    if isinstance(item, bytes | Slice | Map):
        return len(item)
    raise GoError(f"len of type {type_of(item)}")


def negation(item: Value) -> bool:
    """Whether a value is false."""
    return not is_true(unbox(item))


# Comparison.

_BASIC: Final[Mapping[str, str]] = {
    "bool": "bool",
    "string": "string",
    "float64": "float",
    "complex128": "complex",
    **dict.fromkeys(SIGNED, "int"),
    **dict.fromkeys(UNSIGNED, "uint"),
}


def _basic(value: Value) -> str | None:
    return _BASIC.get(kind_of(value))


def _plain(value: Value) -> Value:
    return value.number if isinstance(value, Number) else value


def _are_integers(first: str | None, second: str | None) -> bool:
    return {first, second} <= {"int", "uint"}


def equal(meter: Meter, first: Value, *others: Value) -> bool:
    """Whether the first value equals any of the others."""
    if not others:
        raise GoError("missing argument for comparison")
    one = unbox(first)
    return any(_equals(meter, one, unbox(other)) for other in others)


def _equals(meter: Meter, one: Value, other: Value) -> bool:
    meter.step()
    first, second = _basic(one), _basic(other)
    if first != second and not _are_integers(first, second):
        if one is not None and other is not None:
            raise GoError(
                "incompatible types for comparison: "
                f"{type_of(one)} and {type_of(other)}"
            )
        return False
    if first is not None:
        return bool(_plain(one) == _plain(other))
    return _same(meter, one, other)


def _same(meter: Meter, one: Value, other: Value) -> bool:
    """Compares values that have no order: nil equals nil, pointers themselves."""
    if not _can_compare(one, other):
        shown = show(meter, one, "s"), show(meter, other)
        raise GoError(
            f"non-comparable types {runes.escaped(shown[0])}: {type_of(one)}, "
            f"{type_of(other)}: {runes.escaped(shown[1])}"
        )
    if is_nil(one) or is_nil(other):
        return is_nil(one) == is_nil(other)
    if isinstance(other, Slice | Map):
        text = runes.escaped(show(meter, other, "s"))
        raise GoError(f"non-comparable type {text}: {type_of(other)}")
    if isinstance(other, Struct):
        return bool(one.fields() == other.fields())
    return one is other


def _can_compare(one: Value, other: Value) -> bool:
    kinds = {kind_of(one), kind_of(other)}
    return len(kinds) == 1 or "invalid" in kinds


def not_equal(meter: Meter, one: Value, other: Value) -> bool:
    """The inverse of `eq`, for two values."""
    return not equal(meter, one, other)


def less(one: Value, other: Value) -> bool:
    """Whether a number or string is less than another."""
    first, second = unbox(one), unbox(other)
    kinds = _basic(first), _basic(second)
    if None in kinds:
        raise GoError("invalid type for comparison")
    if kinds[0] != kinds[1] and not _are_integers(*kinds):
        raise GoError(
            f"incompatible types for comparison: {type_of(first)} and {type_of(second)}"
        )
    if kinds[0] in {"bool", "complex"}:
        raise GoError("invalid type for comparison")
    return bool(_plain(first) < _plain(second))


def less_or_equal(meter: Meter, one: Value, other: Value) -> bool:
    """`lt` or `eq`."""
    return less(one, other) or equal(meter, one, other)


def greater(meter: Meter, one: Value, other: Value) -> bool:
    """The inverse of `le`."""
    return not less_or_equal(meter, one, other)


def greater_or_equal(one: Value, other: Value) -> bool:
    """The inverse of `lt`."""
    return not less(one, other)


# Escaping.


def _printed(meter: Meter, values: tuple[Value, ...]) -> bytes:
    """The values as a template would print them."""
    if len(values) == 1 and isinstance(values[0], bytes):
        return values[0]
    return sprint(meter, [b"<no value>" if v is None else v for v in values])


def html(meter: Meter, *values: Value) -> bytes:
    """Escapes for HTML."""
    text = runes.escaped(_printed(meter, values))
    return runes.to_bytes(text.translate(_HTML))


def _js_rune(rune: str) -> str:
    if rune in _JS:
        return _JS[rune]
    if rune < " ":
        return f"\\u{ord(rune):04X}"
    is_kept = rune.isascii() or "\ud800" <= rune <= "\udfff" or runes.is_print(rune)
    return rune if is_kept else f"\\u{ord(rune):04X}"


def javascript(meter: Meter, *values: Value) -> bytes:
    """Escapes for JavaScript."""
    text = runes.escaped(_printed(meter, values))
    meter.slow(len(text))
    return runes.to_bytes("".join(map(_js_rune, text)))


def query(meter: Meter, *values: Value) -> bytes:
    """Escapes for the query of a URL."""
    data = _printed(meter, values)
    meter.slow(len(data))
    return "".join(_QUERY[code] for code in data).encode()


BUILTINS: Final[Mapping[str, Function]] = {
    "eq": Function(equal, (REFLECTED,), REFLECTED),
    "ge": pure(greater_or_equal, REFLECTED, REFLECTED),
    "gt": Function(greater, (REFLECTED, REFLECTED)),
    "html": Function(html, (), ANY),
    "index": Function(index, (REFLECTED,), REFLECTED),
    "js": Function(javascript, (), ANY),
    "le": Function(less_or_equal, (REFLECTED, REFLECTED)),
    "len": pure(length, REFLECTED),
    "lt": pure(less, REFLECTED, REFLECTED),
    "ne": Function(not_equal, (REFLECTED, REFLECTED)),
    "not": pure(negation, REFLECTED),
    "print": Function(lambda meter, *values: sprint(meter, values), (), ANY),
    "printf": Function(
        lambda meter, text, *values: sprintf(meter, text, values), (STRING,), ANY
    ),
    "println": Function(lambda meter, *values: sprintln(meter, values), (), ANY),
    "urlquery": Function(query, (), ANY),
}
"""Go's own functions by name."""

SPECIAL: Final = frozenset({"and", "call", "or"})
"""Names that `evaluate` handles itself."""
