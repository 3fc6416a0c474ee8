"""JSON into typed values as Go's encoding/json decodes it into structs.

The JSON is the tree that `yaml11.read` gives: NFD writes it out with its keys in
byte order and decodes that (sigs.k8s.io/yaml v1.6.0 `yaml.go#L83`). What counts:

* A number or a boolean where a string belongs becomes text before.
* Keys match fields in any case; unknown keys are ignored. If one field is given
  in several spellings, they are decoded one after the other, in byte order, into
  the same value: a later list overwrites an earlier one item by item, a mapping
  is merged, null clears a list or a mapping and leaves text alone.
* The first value of a wrong type, in byte order of the keys, is the error.
* NaN and infinities cannot be written as JSON, wherever they stand.

Types are data: `parse` holds the ones of NFD.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias, cast

from app.compat import govalue, yaml_errors
from app.compat.limits import Limits
from app.compat.template import strconv
from app.compat.yaml11 import Data, Document, Value
from app.errors import SpecError

INVALID_SPEC: Final = "InvalidSpec"

Record: TypeAlias = dict[str, Any]
"""A decoded struct: the fields that were given, by their name in Go's JSON."""

WHOLE: Final = re.compile("-?[0-9]+")
"""A whole number as Go's JSON writes it."""


class Text(NamedTuple):
    """A string kind; `go` is the type's name in messages."""

    go: str = "string"


class Integer(NamedTuple):
    """An int of 64 bits."""

    go: str = "int"


class Parsed(NamedTuple):
    """A type that decodes itself from a string; null is nil.

    Attributes:
        parse: gives the text to keep; its `ValueError` holds Go's message.
    """

    parse: Callable[[str], str | None]
    go: str = "string"


class ListOf(NamedTuple):
    """A slice. `counted` is the field of `Limits` that its items count for."""

    go: str
    item: Type
    counted: str = ""


class MapOf(NamedTuple):
    """A map with string keys."""

    go: str
    item: Type


class Pointer(NamedTuple):
    """A pointer: null is nil."""

    to: Struct | MapOf


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct.

    Attributes:
        go: the type's name with its package.
        fields: name in JSON -> type.
        check: looks at a decoded struct of this type, given its place.
        folded: folded name -> name in JSON and type; made from `fields`.
    """

    go: str
    fields: Mapping[str, Type]
    check: Callable[[Record, Value, Limits], None] | None = None
    folded: dict[str, tuple[str, Type]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in self.fields.items():
            self.folded[fold(name)] = (name, kind)


Type: TypeAlias = Text | Integer | Parsed | ListOf | MapOf | Pointer | Struct


@dataclass(slots=True)
class Items:
    """A decoded slice: its memory, and how much of it counts.

    Go keeps what a longer list left behind, and the next list that is decoded
    into the same slice finds it there.
    """

    memory: list[Any]
    length: int

    def __iter__(self) -> Iterator[Any]:
        return iter(self.memory[: self.length])


def fold(key: str) -> str:
    """A key without the differences that Go's JSON ignores.

    Those are case, the long s and the Kelvin sign (encoding/json `fold.go`); a
    key with other characters beyond ASCII matches no field.
    """
    if not key.isascii():
        key = key.replace("\N{LATIN SMALL LETTER LONG S}", "s")
        key = key.replace("\N{KELVIN SIGN}", "k")
    return key.lower() if key.isascii() else key


def as_text(data: Data) -> str | None:
    """What a string field gets of a value; `None` where there is no text in it."""
    if isinstance(data, str):
        return data
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, int):
        return str(data)
    if isinstance(data, float):
        return govalue.float32(data)
    return None


def decode(kind: Struct, document: Document, limits: Limits) -> Record:
    """Decodes a document into a struct; null gives an empty one.

    Raises:
        SpecError: `InvalidSpec` with Go's message for a value of a wrong type,
            `InvalidYaml` for NaN and infinities, `TooCostly` beyond the limits.
    """
    if document.has_non_finite:
        _check_finite(kind, document.root)
    return cast("Record", _Decoder(limits).decode(kind, document.root, None, ("", "")))


_Path: TypeAlias = tuple[str, str]
"""The innermost struct's name, and the names of the fields down to a value."""


class _Decoder:
    """Decodes one document and counts what is bounded."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._counts: dict[str, int] = {}

    def decode(self, kind: Type, value: Value, current: Any, path: _Path) -> Any:  # noqa: ANN401 - as many types as Go's reflection
        """The value as `kind`, decoded into what is there already."""
        match kind:
            case Text():
                return _text(kind, value, current, path)
            case Struct():
                return self._struct(kind, value, current, path)
            case ListOf():
                return self._list(kind, value, current, path)
            case MapOf():
                return self._map(kind, value, current, path)
            case Pointer():
                if value.data is None:
                    return None
                return self.decode(kind.to, value, current, path)
            case Integer():
                return _integer(kind, value, current, path)
        return _parsed(kind, value, path)

    def _struct(
        self, kind: Struct, value: Value, current: Record | None, path: _Path
    ) -> Record:
        record: Record = {} if current is None else current
        entries = value.data
        if entries is None:
            return record
        if not isinstance(entries, dict):
            raise _wrong_type(value, kind.go, path)
        owner = kind.go.rpartition(".")[2]
        for key in sorted(entries):
            known = kind.folded.get(fold(key))
            if known is not None:
                name, field_kind = known
                record[name] = self.decode(
                    field_kind,
                    entries[key],
                    record.get(name),
                    (owner, f"{path[1]}.{name}"),
                )
        if kind.check is not None:
            kind.check(record, value, self._limits)
        return record

    def _list(
        self, kind: ListOf, value: Value, current: Items | None, path: _Path
    ) -> Items | None:
        items = value.data
        if items is None:
            return None
        if not isinstance(items, list):
            raise _wrong_type(value, kind.go, path)
        if kind.counted:
            self._count(kind.counted, items)
        memory = current.memory if current is not None and items else []
        for index, item in enumerate(items):
            if index < len(memory):
                memory[index] = self.decode(kind.item, item, memory[index], path)
            else:
                memory.append(self.decode(kind.item, item, None, path))
        return Items(memory, len(items))

    def _map(
        self, kind: MapOf, value: Value, current: dict[str, Any] | None, path: _Path
    ) -> dict[str, Any] | None:
        entries = value.data
        if entries is None:
            return None
        if not isinstance(entries, dict):
            raise _wrong_type(value, kind.go, path)
        decoded = {} if current is None else current
        for key in sorted(entries):
            decoded[key] = self.decode(kind.item, entries[key], None, path)
        return decoded

    def _count(self, counted: str, items: list[Value]) -> None:
        before = self._counts.get(counted, 0)
        found = self._counts[counted] = before + len(items)
        limit: int = getattr(self._limits, counted)
        if found > limit:
            raise yaml_errors.too_costly(
                f"{found} {counted}, at most {limit} are allowed", items[limit - before]
            )


def _text(kind: Text, value: Value, current: str | None, path: _Path) -> str:
    if value.data is None:
        return current or ""
    text = as_text(value.data)
    if text is None:
        raise _wrong_type(value, kind.go, path)
    return text


def _integer(kind: Integer, value: Value, current: int | None, path: _Path) -> int:
    data = value.data
    if data is None:
        return current or 0
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise _wrong_type(value, kind.go, path)
    number = govalue.json_number(data)
    if not WHOLE.fullmatch(number) or not (
        govalue.MIN_INT64 <= int(number) <= govalue.MAX_INT64
    ):
        raise _wrong_type(value, kind.go, path, f"number {number}")
    return int(number)


def _parsed(kind: Parsed, value: Value, path: _Path) -> str | None:
    data = value.data
    if data is None:
        return None
    if not isinstance(data, str):
        raise _wrong_type(value, kind.go, path)
    try:
        return kind.parse(data)
    except ValueError as error:
        raise _refusal(str(error), value) from error


def _wrong_type(value: Value, go: str, path: _Path, found: str = "") -> SpecError:
    owner, names = path
    where = f"struct field {owner}{names}" if owner else "value"
    found = found or _kind(value.data)
    return _refusal(
        f"json: cannot unmarshal {found} into Go {where} of type {go}", value
    )


def _refusal(problem: str, value: Value) -> SpecError:
    return SpecError(
        INVALID_SPEC,
        f"error unmarshaling JSON: while decoding JSON: {problem}",
        line=value.line + 1,
        column=value.column + 1,
    )


def _kind(data: Data) -> str:
    """What JSON calls the value."""
    match data:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _check_finite(kind: Type | None, value: Value) -> None:
    """Raises for the first number that JSON cannot have and no string takes."""
    kind = kind.to if isinstance(kind, Pointer) else kind
    data = value.data
    if isinstance(data, dict):
        for key in sorted(data):
            _check_finite(_item_kind(kind, key), data[key])
    elif isinstance(data, list):
        for item in data:
            _check_finite(kind.item if isinstance(kind, ListOf) else None, item)
    elif (
        isinstance(data, float)
        and not math.isfinite(data)
        and not isinstance(kind, Text)
    ):
        problem = f"json: unsupported value: {strconv.format_float(data, 'g', -1)}"
        raise yaml_errors.invalid(problem, value)


def _item_kind(kind: Type | None, key: str) -> Type | None:
    if isinstance(kind, Struct):
        return kind.folded.get(fold(key), ("", None))[1]
    return kind.item if isinstance(kind, MapOf) else None
