"""Kubernetes objects in a text, JSON or YAML, each as raw JSON with its place.

A List is taken apart; a YAML text may hold several documents. What an object means
is for others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

import msgspec

from app.errors import ConfigError

INVALID: Final = "InvalidNodes"

DECODE_ERRORS: Final = (ValueError, RecursionError)
"""What msgspec raises for input of any kind."""

Raw: TypeAlias = msgspec.Raw | bytes | memoryview

_SPACE: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
_JSON_STARTS: Final = (b"{", b"[")
_NULL: Final = msgspec.Raw(b"null")


class _Head(msgspec.Struct, gc=False, rename="camel"):
    """What tells one kind of object from another."""

    kind: str = ""
    api_version: str = ""
    items: msgspec.Raw = _NULL


_HEAD: Final = msgspec.json.Decoder(_Head)
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)


@dataclass(frozen=True, slots=True)
class Found:
    """One object.

    Attributes:
        kind: as it says; empty if it says none.
        raw: the whole object, in JSON.
        place: where it stands in its text (`document 2, items[3]`); empty for one
            that is the whole text.
    """

    kind: str
    raw: Raw
    place: str


def read(content: bytes) -> Iterator[Found]:
    """Every object of a text, in order.

    Raises:
        ConfigError: it is no JSON or YAML, or no object; with the place.
    """
    text = content.removeprefix(_BOM)
    if text.lstrip(_SPACE)[:1] in _JSON_STARTS:
        yield from _objects(text, "", text)
        return
    from app.cli.nodes import yaml_stream  # noqa: PLC0415 - most files are JSON

    for document in yaml_stream.read(content):
        place = f"document {document.index}, line {document.line}"
        yield from _objects(msgspec.json.encode(document.value), place, b"")


def said(place: str, text: str) -> str:
    """A message with its place before it, if there is one."""
    return f"{place}: {text}" if place else text


def _objects(raw: Raw, place: str, text: bytes) -> Iterator[Found]:
    head = _head(raw, place, text)
    if not head.kind.endswith("List"):
        yield Found(head.kind, raw, place)
        return
    try:
        items = _ITEMS.decode(head.items) or []
    except DECODE_ERRORS as error:
        _refuse(place, f"items: {error}")
    # A typed list's items need not say their kind.
    kind = head.kind.removesuffix("List")
    for index, item in enumerate(items):
        where = f"{place}, items[{index}]" if place else f"items[{index}]"
        yield Found(_head(item, where, b"").kind or kind, item, where)


def _head(raw: Raw, place: str, text: bytes) -> _Head:
    try:
        return _HEAD.decode(raw)
    except msgspec.ValidationError as error:
        _refuse(place, f"no object of Kubernetes, and no features: {error}")
    except DECODE_ERRORS as error:
        _refuse(place or _line(str(error), text), f"no valid JSON: {error}")


def _line(problem: str, text: bytes) -> str:
    """The line that msgspec's `(byte 17)` is in."""
    _, found, rest = problem.rpartition("(byte ")
    if not found:
        return ""
    before = text.count(b"\n", 0, int(rest.rstrip(")")))
    return f"line {before + 1}"


def _refuse(place: str, text: str) -> NoReturn:
    raise ConfigError(INVALID, said(place, text))
