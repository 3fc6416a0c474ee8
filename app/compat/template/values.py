"""Go's types and values, as far as a template can see them.

text/template checks the types of arguments, and its error texts name them, so
Python's types alone are not enough:

| Go                         | here                       |
|----------------------------|----------------------------|
| string                     | `bytes`                    |
| bool, int, float64         | `bool`, `int`, `float`     |
| complex128                 | `complex`                  |
| int64, uint64, uint8       | `Number`                   |
| slices, maps               | `Slice`, `Map`             |
| pointers, structs          | `Pointer`, `Struct`        |
| nil in an interface        | `None`                     |

A *reflected* value is one of these, or `Boxed`: what Go reads out of a container
of `interface {}` keeps that static type until a pipeline unpacks it. A reflected
`None` is the invalid reflect.Value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from app.compat.template.limits import Meter

Value: TypeAlias = Any
"""A Go value, see the module's table. (A union of nine types helps no reader.)"""


@dataclass(frozen=True, slots=True, eq=False)
class Type:
    """A Go type; there is one object for each.

    Attributes:
        name: as `%T` prints it.
        kind: as reflect.Kind prints it.
        elem: type of the elements of a slice or map, target of a pointer.
    """

    name: str
    kind: str
    elem: Type | None = None

    def __str__(self) -> str:
        return self.name


STRING: Final = Type("string", "string")
BOOL: Final = Type("bool", "bool")
INT: Final = Type("int", "int")
INT64: Final = Type("int64", "int64")
UINT8: Final = Type("uint8", "uint8")
UINT64: Final = Type("uint64", "uint64")
FLOAT64: Final = Type("float64", "float64")
COMPLEX128: Final = Type("complex128", "complex128")
ANY: Final = Type("interface {}", "interface")
REFLECTED: Final = Type("reflect.Value", "struct")
"""The parameter type of functions that take any value as it is."""

STRINGS: Final = Type("[]string", "slice", STRING)
INTS: Final = Type("[]int", "slice", INT)
ANYS: Final = Type("[]interface {}", "slice", ANY)
CHUNKS: Final = Type("[][]interface {}", "slice", ANYS)
DICT: Final = Type("map[string]interface {}", "map", ANY)
STRING_MAP: Final = Type("map[string]string", "map", STRING)

# What NFD gives to a template (`rule.go#L237` and `expression.go#L388` at v0.19.0):
# Go names these types in errors, and `%T` prints them.
ELEMENT: Final = Type("nodefeaturerule.MatchedElement", "map", STRING)
ELEMENTS: Final = Type("[]nodefeaturerule.MatchedElement", "slice", ELEMENT)
DOMAIN: Final = Type("nodefeaturerule.domainMatchedFeatures", "map", ELEMENTS)
DOMAINS: Final = Type("nodefeaturerule.matchedFeatures", "map", DOMAIN)

SIGNED: Final = frozenset({"int", "int64"})
UNSIGNED: Final = frozenset({"uint8", "uint64"})
NILLABLE: Final = frozenset({"interface", "map", "ptr", "slice"})

_INT64_RANGE: Final = 1 << 64
_INT64_HALF: Final = 1 << 63


class GoError(Exception):
    """What a function returned as error, or panicked with; its text is Go's."""


def wrap64(number: int) -> int:
    """Two's complement of 64 bits, as Go's integers overflow."""
    return (number + _INT64_HALF) % _INT64_RANGE - _INT64_HALF


@dataclass(frozen=True, slots=True)
class Number:
    """An integer of a type other than int."""

    type: Type
    number: int


def int64(number: int) -> Number:
    """An int64; overflow wraps around."""
    return Number(INT64, wrap64(number))


class Missing:
    """Stands for a value where there is none."""


MISSING: Final = Missing()


class Slice:
    """A slice: a window on items that other slices may share.

    Attributes:
        exact: whether the items end where Go's capacity ends.
    """

    __slots__ = ("exact", "is_nil", "items", "start", "stop", "type")

    def __init__(self, kind: Type, items: list[Value], *, is_nil: bool = False) -> None:
        self.type: Final = kind
        self.items: Final = items
        self.is_nil: Final = is_nil
        self.start = 0
        self.stop = len(items)
        self.exact = True

    def __len__(self) -> int:
        return self.stop - self.start

    def window(self, start: int, stop: int) -> Slice:
        """The slice `s[start:stop]`, on the same items."""
        part = Slice(self.type, self.items)
        part.start, part.stop = self.start + start, self.start + stop
        part.exact = self.exact
        return part

    def values(self) -> list[Value]:
        """The elements, in a list of the caller's own."""
        return self.items[self.start : self.stop]

    def at(self, index: int) -> Value:
        """The reflected element at an index that exists."""
        item = self.items[self.start + index]
        return Boxed(item) if self.type.elem is ANY else item


class Map:
    """A map with strings as keys."""

    __slots__ = ("entries", "is_nil", "type")

    def __init__(
        self, kind: Type, entries: dict[bytes, Value], *, is_nil: bool = False
    ) -> None:
        self.type: Final = kind
        self.entries: Final = entries
        self.is_nil: Final = is_nil

    def __len__(self) -> int:
        return len(self.entries)

    def keys(self) -> list[bytes]:
        """The keys in the order that fmt and range show them."""
        return sorted(self.entries)

    def at(self, key: bytes) -> Value:
        """The reflected value of a key that exists."""
        item = self.entries[key]
        return Boxed(item) if self.type.elem is ANY else item

    def find(self, _name: str, key: bytes) -> Value:
        """The reflected value of a key, given in two forms; or `MISSING`."""
        item = self.entries.get(key, MISSING)
        if item is MISSING or self.type.elem is not ANY:
            return item
        return Boxed(item)


class Struct(ABC):
    """A struct with methods; a subclass gives them.

    Attributes:
        type: its Go type.
        fields: names of its fields, none of them exported, and their values.
        methods: what can be called on the value.
        pointer_methods: what can be called on a pointer to it only.
    """

    type: Type
    methods: Mapping[bytes, Function]
    pointer_methods: Mapping[bytes, Function]

    @abstractmethod
    def fields(self) -> Mapping[str, Value]:
        """The fields in order; templates may not read them, but print them."""

    @abstractmethod
    def text(self) -> bytes:
        """What its String method returns."""


class Pointer:
    """A pointer to a struct."""

    __slots__ = ("target", "type")

    def __init__(self, kind: Type, target: Struct) -> None:
        self.type: Final = kind
        self.target: Final = target


class Boxed:
    """A reflected value whose static type is `interface {}`."""

    __slots__ = ("value",)
    type: Final = ANY

    def __init__(self, value: Value) -> None:
        self.value: Final = value


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function that templates can call.

    Attributes:
        call: gets the meter and the arguments; raises `GoError`.
        params: types of the parameters that are not variadic.
        variadic: type of each variadic argument, `None` if there are none.
        boxed: whether the static type of the result is `interface {}`.
    """

    call: Callable[..., Value]
    params: tuple[Type, ...] = ()
    variadic: Type | None = None
    boxed: bool = False


def pure(
    call: Callable[..., Value], *params: Type, variadic: Type | None = None
) -> Function:
    """A function that needs no meter of its own."""
    return Function(lambda _meter, *args: call(*args), params, variadic)


def slow(call: Callable[..., Value], *params: Type, steps: int = 1) -> Function:
    """A function that takes some steps for every byte of its texts."""

    def metered(meter: Meter, *args: Value) -> Value:
        meter.slow(sum(len(arg) for arg in args if isinstance(arg, bytes)) * steps)
        return call(*args)

    return Function(metered, params)


_NATIVE: Final[Mapping[type, Type]] = {
    bytes: STRING,
    bool: BOOL,
    int: INT,
    float: FLOAT64,
    complex: COMPLEX128,
}


def type_of(value: Value) -> Type:
    """The type of a reflected value other than `None`."""
    kind = _NATIVE.get(type(value))
    return value.type if kind is None else kind


def kind_of(value: Value) -> str:
    """The kind of a reflected value; that of `None` is `invalid`."""
    return "invalid" if value is None else type_of(value).kind


def unbox(value: Value) -> Value:
    """What an interface holds; `None` for a nil interface."""
    return value.value if type(value) is Boxed else value


def is_nil(value: Value) -> bool:
    """Tells nil maps and slices, and `None`; pointers here are never nil."""
    if isinstance(value, Slice | Map):
        return value.is_nil
    return value is None


def is_true(value: Value) -> bool:
    """Go's truth of an unboxed value: not the zero of its type, not empty."""
    match value:
        case None:
            return False
        case Slice() | Map():
            return len(value) > 0
        case Number():
            return value.number != 0
        case Pointer() | Struct():
            return True
    return bool(value)


def zero(kind: Type) -> Value:
    """The reflected zero value of a string, slice, map, or interface.

    A nil pointer is a nil interface here: only methods take one.
    """
    match kind.kind:
        case "slice":
            return Slice(kind, [], is_nil=True)
        case "map":
            return Map(kind, {}, is_nil=True)
        case "string":
            return b""
    return Boxed(None)


def anys(items: Iterable[Value]) -> Slice:
    """A `[]interface {}`."""
    return Slice(ANYS, list(items))


def strings(items: Iterable[bytes]) -> Slice:
    """A `[]string`."""
    return Slice(STRINGS, list(items))


def grown(kind: Type, items: Iterable[Value]) -> Slice:
    """A slice that Go grew by append: its capacity is not known here."""
    result = Slice(kind, list(items))
    result.exact = False
    return result
