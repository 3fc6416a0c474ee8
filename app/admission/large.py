"""The object of a review that is too large to be built whole.

A Pod may come with megabytes of environment, annotations and managed fields, and
building objects of them blocks the event loop for a hundred milliseconds. So of a
large review only what we look at is read; the rest is walked over. A part that we
look at and that is too large itself becomes `manifest.TOO_LARGE`: the core leaves
out what it would have filtered.

Types are those that the API server writes: a part of other ones is not read
either, and an object that is no workload at all is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypedDict

import msgspec

from app.scheduling.manifest import TOO_LARGE

MAX_WHOLE_BYTES: Final = 32 * 1024
"""A review up to this is built whole: at worst 11,000 empty objects, in 1 ms.

Real ones have 5-20 KiB."""

MAX_VALUES: Final = 16_384
"""JSON values that are built of a large object, all its parts together; counted by
their separators, also those in texts. They take 3 ms at worst."""


class _Metadata(TypedDict, total=False):
    name: str
    annotations: msgspec.Raw
    ownerReferences: msgspec.Raw


class _System(TypedDict, total=False):
    name: str


class _NodeSelector(TypedDict, total=False):
    nodeSelectorTerms: msgspec.Raw


class _NodeAffinity(TypedDict, total=False):
    requiredDuringSchedulingIgnoredDuringExecution: _NodeSelector | None


class _Affinity(TypedDict, total=False):
    nodeAffinity: _NodeAffinity | None


class _Spec(TypedDict, total=False):
    containers: msgspec.Raw
    initContainers: msgspec.Raw
    ephemeralContainers: msgspec.Raw
    volumes: msgspec.Raw
    nodeName: str
    nodeSelector: msgspec.Raw
    affinity: _Affinity | None
    tolerations: msgspec.Raw
    schedulerName: str
    serviceAccountName: str
    imagePullSecrets: msgspec.Raw
    os: _System | None
    template: Object | None
    jobTemplate: Object | None


class Object(TypedDict, total=False):
    """A Pod or a workload, as far as we look at it."""

    metadata: _Metadata | None
    spec: _Spec | None


class _Container(TypedDict, total=False):
    name: str
    image: str


class _ImageSource(TypedDict, total=False):
    reference: str


class _Volume(TypedDict, total=False):
    name: str
    image: _ImageSource


class _SecretReference(TypedDict, total=False):
    name: str


class _OwnerReference(TypedDict, total=False):
    apiVersion: str
    kind: str
    name: str
    controller: bool


# All that anything of ours looks at.
_Annotations = TypedDict(
    "_Annotations",
    {
        "imagecompat.dev/images": str,
        "imagecompat.dev/mode": str,
        "imagecompat.dev/nodes": str,
        "imagecompat.dev/specs": str,
        "imagecompat.dev/verdict": str,
        "kubernetes.io/config.mirror": str,
    },
    total=False,
)

_Part: TypeAlias = tuple[msgspec.json.Decoder[Any], bytes]
"""How to build a part, and what there is one of for each value that is built."""

_CONTAINERS: Final[_Part] = msgspec.json.Decoder(list[_Container]), b"{"
_PARTS: Final[Mapping[str, _Part]] = MappingProxyType(
    {
        "containers": _CONTAINERS,
        "initContainers": _CONTAINERS,
        "ephemeralContainers": _CONTAINERS,
        "volumes": (msgspec.json.Decoder(list[_Volume]), b"{"),
        "imagePullSecrets": (msgspec.json.Decoder(list[_SecretReference]), b"{"),
        "ownerReferences": (msgspec.json.Decoder(list[_OwnerReference]), b"{"),
    }
)
_ANYTHING: Final[_Part] = msgspec.json.Decoder(), b"{[,"
_ANNOTATIONS: Final = msgspec.json.Decoder(_Annotations)


def read(obj: Object) -> dict[str, object]:
    """The object with its parts read."""
    return _Reading().mapping(obj)


class _Reading:
    def __init__(self) -> None:
        self._left = MAX_VALUES

    def mapping(self, holder: Mapping[str, object]) -> dict[str, object]:
        return {key: self._value(key, value) for key, value in holder.items()}

    def _value(self, key: str, value: object) -> object:
        if isinstance(value, dict):
            return self.mapping(value)
        return self._part(key, value) if isinstance(value, msgspec.Raw) else value

    def _part(self, key: str, raw: msgspec.Raw) -> object:
        if key == "annotations":
            return _decoded(_ANNOTATIONS, raw)
        decoder, marks = _PARTS.get(key, _ANYTHING)
        text = bytes(raw)
        # As fast for a text of nothing else; `count` is not.
        values = len(text) - len(text.translate(None, marks))
        if values > self._left:
            return TOO_LARGE
        self._left -= values
        return _decoded(decoder, raw)


def _decoded(decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw) -> object:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        return None if bytes(raw) == b"null" else TOO_LARGE
