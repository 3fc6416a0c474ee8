"""NodeFeature objects, sharing what is equal.

A NodeFeature is 45-380 KB, nearly all of it equal on the next node. Each feature
set is known by a digest of its raw JSON: bytes that were seen before are not
decoded again, they stand for the same object. A set lives as long as a
NodeFeature holds it, so memory is bounded by what the cluster holds now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from sys import intern
from typing import Final, Generic, TypeVar
from weakref import WeakValueDictionary

import msgspec

from app.compat.features import Attributes, Features, Flags, Instances
from app.kube.decode import DECODE_ERRORS, Item, Metadata, Raw

NODE_NAME_LABEL: Final = "nfd.node.kubernetes.io/node-name"
"""Ties a NodeFeature to its node (`NodeFeatureObjNodeNameLabel` in NFD's API)."""

_Set = TypeVar("_Set", Flags, Attributes, Instances)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Shared(Generic[_Set]):
    """A feature set that several nodes may hold."""

    value: _Set


@dataclass(frozen=True, slots=True)
class NodeFeature:
    """A NodeFeature object.

    Attributes:
        node: the Node that it speaks of; empty if it names none.
        namespace: where it is.
        name: what nfd-worker's own is called like its node.
        features: what it says; `None` if it cannot be read.
        shared: keeps the sets in `features` shared while this object lives.
    """

    node: str
    namespace: str
    name: str
    features: Features | None
    shared: tuple[object, ...] = field(default=(), compare=False, repr=False)


class _Nothing(msgspec.Struct, gc=False):
    """Go's `Nil`: what stands behind the name of a flag."""


class _Instance(msgspec.Struct, gc=False):
    attributes: dict[str, str | None] | None = None


class _FlagSet(msgspec.Struct, gc=False):
    elements: dict[str, _Nothing | None] | None = None


class _AttributeSet(msgspec.Struct, gc=False):
    elements: dict[str, str | None] | None = None


class _InstanceSet(msgspec.Struct, gc=False):
    elements: list[_Instance | None] | None = None


class _Features(msgspec.Struct, gc=False):
    flags: dict[str, msgspec.Raw] | None = None
    attributes: dict[str, msgspec.Raw] | None = None
    instances: dict[str, msgspec.Raw] | None = None


class _Spec(msgspec.Struct, gc=False):
    features: _Features | None = None


class _NodeFeature(msgspec.Struct, gc=False):
    metadata: Metadata
    spec: _Spec | None = None


class _Any(msgspec.Struct, gc=False):
    metadata: Metadata


_OBJECT: Final = msgspec.json.Decoder(_NodeFeature)
_METADATA: Final = msgspec.json.Decoder(_Any)
_FLAG_SET: Final = msgspec.json.Decoder(_FlagSet | None)
_ATTRIBUTE_SET: Final = msgspec.json.Decoder(_AttributeSet | None)
_INSTANCE_SET: Final = msgspec.json.Decoder(_InstanceSet | None)


class FeatureSets:
    """Every feature set that some NodeFeature holds."""

    def __init__(self) -> None:
        self._flags: Final[_Pool[Flags]] = _Pool(_flags)
        self._attributes: Final[_Pool[Attributes]] = _Pool(_attributes)
        self._instances: Final[_Pool[Instances]] = _Pool(_instances)

    def __len__(self) -> int:
        return len(self._flags) + len(self._attributes) + len(self._instances)

    def decode(self, raw: Raw) -> Item[NodeFeature]:
        """A NodeFeature; not readable if its spec has another shape than NFD's."""
        shared: list[object] = []
        features: Features | None = None
        try:
            read = _OBJECT.decode(raw)
            features = self._features(read.spec, shared)
            metadata = read.metadata
        except DECODE_ERRORS:
            metadata = _METADATA.decode(raw).metadata
        value = NodeFeature(
            node=intern((metadata.labels or {}).get(NODE_NAME_LABEL, "")),
            namespace=intern(metadata.namespace),
            name=intern(metadata.name),
            features=features,
            shared=tuple(shared),
        )
        key = f"{metadata.namespace}/{metadata.name}"
        return Item(key, metadata.version, value, is_readable=features is not None)

    def _features(self, spec: _Spec | None, shared: list[object]) -> Features:
        sets = (spec and spec.features) or _Features()
        return Features(
            flags=self._flags.all(sets.flags, shared),
            attributes=self._attributes.all(sets.attributes, shared),
            instances=self._instances.all(sets.instances, shared),
        )


class _Pool(Generic[_Set]):
    """The sets of one kind, by digest."""

    def __init__(self, decode: Callable[[Raw], _Set]) -> None:
        self._decode: Final[Callable[[Raw], _Set]] = decode
        self._held: Final[WeakValueDictionary[bytes, Shared[_Set]]] = (
            WeakValueDictionary()
        )

    def __len__(self) -> int:
        return len(self._held)

    def all(
        self, sets: dict[str, msgspec.Raw] | None, shared: list[object]
    ) -> dict[str, _Set]:
        """Feature name -> elements; what keeps them shared goes to `shared`."""
        found: dict[str, _Set] = {}
        for name, raw in (sets or {}).items():
            one = self._one(raw)
            shared.append(one)
            found[intern(name)] = one.value
        return found

    def _one(self, raw: msgspec.Raw) -> Shared[_Set]:
        digest = blake2b(raw, digest_size=16).digest()
        one = self._held.get(digest)
        if one is None:
            one = Shared(self._decode(raw))
            self._held[digest] = one
        return one


def _flags(raw: Raw) -> Flags:
    read = _FLAG_SET.decode(raw)
    if read is None or read.elements is None:
        return None
    return frozenset(map(intern, read.elements))


def _attributes(raw: Raw) -> Attributes:
    read = _ATTRIBUTE_SET.decode(raw)
    return None if read is None else _texts(read.elements)


def _instances(raw: Raw) -> Instances:
    read = _INSTANCE_SET.decode(raw)
    elements = (read and read.elements) or ()
    return tuple(_texts(one.attributes) or {} if one else {} for one in elements)


def _texts(read: dict[str, str | None] | None) -> Attributes:
    """As Go reads a map of strings: null is the empty string."""
    if read is None:
        return None
    return {intern(key): intern(value or "") for key, value in read.items()}
