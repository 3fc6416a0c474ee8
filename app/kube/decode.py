"""Kubernetes objects -> our values; everything else of them is never built.

Objects arrive as raw JSON, up to 380 KB each, most of which we do not need.
msgspec walks over unknown fields without making objects of them, and names that
repeat from node to node are one string.

An object whose metadata cannot be read raises `ValueError` or `RecursionError`:
nobody knows which object it is. One whose *content* cannot be read is a value
that says so (`Item.is_readable`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from app.ports import Namespace
from app.scheduling.node import Node, Taint

T = TypeVar("T")

INITIAL_EVENTS_END: Final = "k8s.io/initial-events-end"
"""KEP-3157: this annotation on a bookmark ends a streaming list."""

DECODE_ERRORS: Final = (ValueError, RecursionError)
"""What msgspec raises for input of any kind."""

Raw: TypeAlias = msgspec.Raw | bytes | memoryview


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """One object.

    Attributes:
        key: names it among the objects of its kind: `name` or `namespace/name`.
        version: `metadata.resourceVersion`.
        value: what we keep.
        is_readable: whether its content has the shape that we know.
    """

    key: str
    version: str
    value: T
    is_readable: bool = True


Decode: TypeAlias = Callable[[Raw], Item[T]]


class Metadata(msgspec.Struct, gc=False):
    """ObjectMeta, as far as we look at it."""

    name: str
    namespace: str = ""
    version: str = msgspec.field(name="resourceVersion", default="")
    labels: dict[str, str] | None = None


class _Taint(msgspec.Struct, gc=False):
    key: str = ""
    value: str = ""
    effect: str = ""


class _NodeSpec(msgspec.Struct, gc=False):
    taints: list[_Taint] | None = None
    unschedulable: bool | None = None


class _Node(msgspec.Struct, gc=False):
    metadata: Metadata
    spec: _NodeSpec | None = None


class _Namespace(msgspec.Struct, gc=False):
    metadata: Metadata


class _Event(msgspec.Struct, gc=False):
    type: str
    object: msgspec.Raw


class _BookmarkMetadata(msgspec.Struct, gc=False):
    version: str = msgspec.field(name="resourceVersion", default="")
    annotations: dict[str, str] | None = None


class _Bookmark(msgspec.Struct, gc=False):
    metadata: _BookmarkMetadata


class Status(msgspec.Struct, gc=False):
    """The object of an ERROR event."""

    code: int = 0
    reason: str = ""
    message: str = ""


class _ListMetadata(msgspec.Struct, gc=False):
    version: str = msgspec.field(name="resourceVersion", default="")
    token: str = msgspec.field(name="continue", default="")


class Page(msgspec.Struct, gc=False):
    """One page of a list."""

    metadata: _ListMetadata
    items: list[msgspec.Raw] | None = None


_LINE: Final = re.compile(rb'\{"type":"([A-Z]+)","object":(?=\{)')
_EVENT: Final = msgspec.json.Decoder(_Event)
_BOOKMARK: Final = msgspec.json.Decoder(_Bookmark)
_STATUS: Final = msgspec.json.Decoder(Status)
_PAGE: Final = msgspec.json.Decoder(Page)
_NODE: Final = msgspec.json.Decoder(_Node)
_NAMESPACE: Final = msgspec.json.Decoder(_Namespace)


def event(line: bytes) -> tuple[str, Raw]:
    """The type of a watch's line, and its object, unread.

    Servers write lines in one way only, which is seen without reading all of it;
    what stands behind the object is then a fault of the object.
    """
    match = _LINE.match(line)
    if match is not None and line.endswith(b"}}"):
        return match[1].decode(), memoryview(line)[match.end() : -1]
    read = _EVENT.decode(line)
    return read.type, read.object


def bookmark(raw: Raw) -> tuple[str, bool]:
    """A bookmark's resource version, and whether it ends a streaming list."""
    metadata = _BOOKMARK.decode(raw).metadata
    ends = (metadata.annotations or {}).get(INITIAL_EVENTS_END) == "true"
    return metadata.version, ends


def status(raw: Raw) -> Status:
    """The Status of an ERROR event."""
    return _STATUS.decode(raw)


def page(body: bytes) -> Page:
    """A page of a list, its items unread."""
    return _PAGE.decode(body)


@lru_cache(maxsize=4096)
def shared_taints(taints: tuple[tuple[str, str, str], ...]) -> tuple[Taint, ...]:
    """One tuple for all nodes with the same taints: candidates remember by identity."""
    return tuple(Taint(*(intern(text) for text in one)) for one in taints)


def node(raw: Raw) -> Item[Node]:
    """A Node, reduced to what decides about candidates."""
    read = _NODE.decode(raw)
    spec = read.spec or _NodeSpec()
    taints = shared_taints(
        tuple((one.key, one.value, one.effect) for one in spec.taints or ())
    )
    name = intern(read.metadata.name)
    value = Node(
        name,
        labels=interned(read.metadata.labels),
        taints=taints,
        unschedulable=bool(spec.unschedulable),
    )
    return Item(name, read.metadata.version, value)


def namespace(raw: Raw) -> Item[Namespace]:
    """A Namespace."""
    metadata = _NAMESPACE.decode(raw).metadata
    value = Namespace(metadata.name, interned(metadata.labels))
    return Item(metadata.name, metadata.version, value)


def interned(texts: Mapping[str, str] | None) -> dict[str, str]:
    """The same mapping, its strings shared with every other one."""
    return {intern(key): intern(value) for key, value in (texts or {}).items()}
