"""Whether every value has the type that NFD wants, and what happens to it if not.

The types are those of `parse`. Where Go stops at the first wrong one, this goes on:
every wrong type, every key that means nothing, every text that NFD gets otherwise
than it was written, and every bound that is passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, cast

from app.compat import gojson, govalue, parse
from app.compat.gojson import Integer, ListOf, MapOf, Pointer, Struct, Text, Type
from app.compat.limits import Limits
from app.compat.lint import near
from app.compat.lint.problem import At, Problem, Problems, found, shown
from app.compat.lint.written import Part, Sources, fields, folded, items, key_at
from app.compat.yaml11 import Data

_OF_NODE_FEATURE_RULE: Final = frozenset(
    {"labels", "labelstemplate", "annotations", "taints", "extendedresources"}
)
"""Fields, folded, that a NodeFeatureRule's rule has and a compatibility rule lacks."""

_WANTED: Final[Mapping[type, str]] = MappingProxyType(
    {
        Text: "text",
        Integer: "a whole number of 64 bits",
        ListOf: "a list",
        MapOf: "a mapping",
        Struct: "a mapping",
    }
)


class Shape:
    """Walks through a document by its types.

    Args:
        sources: what was written.
        limits: every bound.
    """

    def __init__(self, sources: Sources, limits: Limits) -> None:
        self._sources: Final = sources
        self._limits: Final = limits
        self._counts: Final[dict[str, int]] = {}

    def check(self, root: Part) -> Problems:
        """Every problem of the document's shape, but not what it says."""
        if root.value.data is None:
            return
        yield from self._value(parse.SPEC, root)

    def _value(self, kind: Type, part: Part) -> Problems:
        match kind:
            case Text():
                yield from self._text(part)
            case Struct():
                yield from self._struct(kind, part)
            case ListOf():
                yield from self._list(kind, part)
            case MapOf():
                yield from self._map(kind, part)
            case Pointer():
                yield from self._value(kind.to, part)
            case Integer():
                yield from _integer(part)
            case _:  # pragma: no cover - no field of a compatibility spec is `Parsed`
                raise TypeError(kind)

    def _text(self, part: Part) -> Problems:
        text = gojson.as_text(part.value.data)
        if text is None:
            yield _wrong_type(Text, part)
            return
        source = self._sources.written(part.value, text)
        if source != text:
            message = (
                f"{govalue.echo(source)} is {_kind(part.value.data)} in YAML 1.1: NFD"
                f" gets the text {shown(text)}, expected a quoted text"
            )
            yield found("coerced-value", part.at, message, _quoting(source, text))

    def _struct(self, kind: Struct, part: Part) -> Problems:
        if not isinstance(part.value.data, dict):
            yield _wrong_type(Struct, part)
            return
        spelled: dict[str, str] = {}
        for key, one in fields(part):
            at, _ = key_at(one.value, one.path)
            known = kind.folded.get(folded(key))
            if known is None:
                yield _unknown(kind, key, at)
                continue
            name, field_kind = known
            yield from _spelling(name, key, spelled.get(name), at)
            spelled[name] = key
            if one.value.data is not None:
                yield from self._value(field_kind, one)
            else:
                message = f"{name} is null: it counts as left out"
                yield found("null-value", one.at, message, f"leave out {name}")

    def _list(self, kind: ListOf, part: Part) -> Problems:
        values = part.value.data
        if not isinstance(values, list):
            hint = ""
            if isinstance(kind.item, Text) and not isinstance(values, dict):
                hint = f"write [{_literal(values)}]"
            yield _wrong_type(ListOf, part, hint)
            return
        if kind.counted:
            yield from self._count(kind.counted, part)
        for one in items(part):
            if one.value.data is not None:
                yield from self._value(kind.item, one)
            else:
                what = "text" if isinstance(kind.item, Text) else "one"
                message = f"an item is null: it counts as an empty {what}"
                yield found("null-value", one.at, message, "leave the item out")

    def _map(self, kind: MapOf, part: Part) -> Problems:
        if not isinstance(part.value.data, dict):
            yield _wrong_type(MapOf, part)
            return
        for name, one in fields(part):
            at, source = key_at(one.value, one.path)
            if source != name:
                message = (
                    f"the name {govalue.echo(source)} is no text in YAML 1.1: NFD gets"
                    f" {shown(name)}, expected a quoted name"
                )
                yield found("coerced-key", at, message, _quoting(source, name))
            if one.value.data is not None:
                yield from self._value(kind.item, one)
            elif isinstance(kind.item, Pointer):
                message = f"the expression of {shown(name)} is null"
                hint = "write {op: Exists}; NFD crashes here where the feature exists"
                yield found("null-expression", at, message, hint)
            else:
                message = f"{shown(name)} is null: it counts as an empty text"
                yield found("null-value", at, message, 'write ""')

    def _count(self, counted: str, part: Part) -> Problems:
        values = cast("list[object]", part.value.data)
        before = self._counts.get(counted, 0)
        after = self._counts[counted] = before + len(values)
        limit: int = getattr(self._limits, counted)
        if before <= limit < after:
            first = list(items(part))[limit - before]
            message = f"more than {limit} {counted}: expected at most {limit}"
            yield found("too-costly", first.at, message)


def _integer(part: Part) -> Problems:
    data = part.value.data
    if not isinstance(data, bool) and isinstance(data, int | float):
        number = govalue.json_number(data)
        is_whole = gojson.WHOLE.fullmatch(number)
        if is_whole and govalue.MIN_INT64 <= int(number) <= govalue.MAX_INT64:
            return
    yield _wrong_type(Integer, part, "write a number without quotes, as in 10")


def _wrong_type(wanted: type, part: Part, hint: str = "") -> Problem:
    message = f"found {_described(part.value.data)}, expected {_WANTED[wanted]}"
    return found("wrong-type", part.at, message, hint)


def _unknown(kind: Struct, key: str, at: At) -> Problem:
    hint = near.meant(key, kind.fields)
    known = " or ".join(f'"{name}"' for name in kind.fields)
    if kind is parse.SPEC:
        message = f"unknown key {shown(key)} at the top of the spec: expected {known}"
        return found("unknown-top-key", at, message, hint)
    if folded(key) in _OF_NODE_FEATURE_RULE and "vars" in kind.fields:
        message = f"{shown(key)} belongs to a NodeFeatureRule: NFD ignores it here"
        return found("ignored-field", at, message, "leave it out, or use vars")
    message = f"unknown key {shown(key)}, which NFD ignores: expected {known}"
    return found("unknown-key", at, message, hint)


def _spelling(name: str, key: str, before: str | None, at: At) -> Problems:
    if before is not None:
        message = f"{shown(key)} is the same key as {shown(before)}: the values merge"
        yield found("key-case", at, message, f"keep one, and write {name}")
    elif key != name:
        message = f"{shown(key)} is read as {shown(name)}: other readers may ignore it"
        yield found("key-case", at, message, f"write {name}")


def _quoting(source: str, text: str) -> str:
    return (
        f'quote it: "{govalue.echo(source)}"; or write {shown(text)}, if you mean that'
    )


def _literal(data: Data) -> str:
    text = gojson.as_text(data)
    return "" if text is None else shown(text)


def _kind(data: Data) -> str:
    match data:
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case _:
            return "not plain text"


def _described(data: Data) -> str:
    match data:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return "the boolean " + ("true" if data else "false")
        case int() | float():
            return f"the number {govalue.echo(govalue.syntax(data))}"
        case _:
            return f"the text {shown(data or '')}"
