"""The parts of a Pod's manifest that we look at, as the API server writes them.

Whatever passed a real API server has these types. Before it has looked at an
object (a file, a caller that is none) any shape may be wrong, so reading never
fails: a part of a wrong type counts as absent, null as in Go, and its path is
kept. Nothing else of an object is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec

from app.scheduling.placement import NodeTerm
from app.scheduling.taints import Toleration

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"

MAX_UNREADABLE: Final = 16
"""How many paths are kept; one is enough to refuse an object."""

S = TypeVar("S", bound=msgspec.Struct)


class TooLarge:
    """Stands in an object for a part that is too large to be read."""


TOO_LARGE: Final = TooLarge()


class Container(msgspec.Struct):
    """A container; both texts are as written, and may be absent."""

    name: str = ""
    image: str = ""


class ImageSource(msgspec.Struct):
    """`volumes[].image`."""

    reference: str = ""


class Volume(msgspec.Struct):
    """A volume, whatever it is made of."""

    name: str = ""
    image: ImageSource = msgspec.field(default_factory=ImageSource)


class NodeSelector(msgspec.Struct, rename="camel"):
    """The required node affinity; a nil slice of Go is null."""

    node_selector_terms: tuple[NodeTerm, ...] | None = None


class NodeAffinity(msgspec.Struct):
    """`spec.affinity.nodeAffinity`."""

    required: NodeSelector | None = msgspec.field(name=REQUIRED, default=None)


class Affinity(msgspec.Struct, rename="camel"):
    """`spec.affinity`."""

    node_affinity: NodeAffinity = msgspec.field(default_factory=NodeAffinity)


class SecretReference(msgspec.Struct):
    """`imagePullSecrets[]`."""

    name: str = ""


class System(msgspec.Struct):
    """`spec.os`."""

    name: str = ""


class Spec(msgspec.Struct, rename="camel"):
    """A Pod's `spec`."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    ephemeral_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    node_name: str = ""
    node_selector: dict[str, str] = msgspec.field(default_factory=dict)
    affinity: Affinity = msgspec.field(default_factory=Affinity)
    tolerations: tuple[Toleration, ...] = ()
    scheduler_name: str = ""
    service_account_name: str = ""
    image_pull_secrets: tuple[SecretReference, ...] = ()
    os: System = msgspec.field(default_factory=System)


class OwnerReference(msgspec.Struct, rename="camel"):
    """An owner of an object."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    controller: bool = False


class Metadata(msgspec.Struct, rename="camel"):
    """An object's `metadata`."""

    owner_references: tuple[OwnerReference, ...] = ()


# Shapes: a type, `[shape]` for a list, keys with their shapes; for what is not as it
# should be.

_TEXTS: Final = "any key with a text"
_CONTAINERS: Final = [{"name": str, "image": str}]
_REQUIREMENTS: Final = [{"key": str, "operator": str, "values": [str]}]
_TERMS: Final = [{"matchExpressions": _REQUIREMENTS, "matchFields": _REQUIREMENTS}]
_SHAPES: Final[Mapping[type[msgspec.Struct], Mapping[str, object]]] = MappingProxyType(
    {
        Spec: {
            "containers": _CONTAINERS,
            "initContainers": _CONTAINERS,
            "ephemeralContainers": _CONTAINERS,
            "nodeName": str,
            "nodeSelector": _TEXTS,
            "affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": _TERMS}}},
            "tolerations": [{"key": str, "operator": str, "value": str, "effect": str}],
            "schedulerName": str,
            "serviceAccountName": str,
            "imagePullSecrets": [{"name": str}],
            "os": {"name": str},
            "volumes": [{"name": str, "image": {"reference": str}}],
        },
        Metadata: {
            "ownerReferences": [
                {"apiVersion": str, "kind": str, "name": str, "controller": bool}
            ]
        },
    }
)


class Reading:
    """Reads the parts of one object.

    Attributes:
        unreadable: paths of what has a wrong type, in order; bounded.
        too_large: keys of what is `TOO_LARGE`.
    """

    def __init__(self) -> None:
        self.unreadable: list[str] = []
        self.too_large: set[str] = set()

    def note(self, path: str) -> None:
        """Something is wrong at `path`."""
        if len(self.unreadable) < MAX_UNREADABLE:
            self.unreadable.append(path)

    def inner(
        self, holder: Mapping[str, object], key: str, at: str
    ) -> Mapping[str, object]:
        """The mapping under a key; an empty one if there is none."""
        value = holder.get(key)
        if isinstance(value, Mapping):
            return value
        if value is not None:
            self.note(at + key)
        return {}

    def parts(self, kind: type[S], value: Mapping[str, object], at: str) -> S:
        """What `kind` has of a mapping; each wrong type is noted, and left out."""
        try:
            return msgspec.convert(value, kind)
        except (msgspec.ValidationError, RecursionError):
            tidy = self._mapping(value, _SHAPES[kind], at)
            return msgspec.convert(tidy, kind)

    def _mapping(
        self, value: Mapping[str, object], shape: Mapping[str, object], at: str
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, inner in shape.items():
            part = value.get(key)
            if part is TOO_LARGE:
                self.too_large.add(key)
            elif part is not None:
                kept = self._part(part, inner, at + key)
                if kept is not None:
                    found[key] = kept
        return found

    def _part(self, value: object, shape: object, path: str) -> object:
        """The value as its shape wants it; `None` if it is of another type."""
        if isinstance(shape, list) and isinstance(value, list | tuple):
            return [
                self._item(item, shape[0], f"{path}[{index}]")
                for index, item in enumerate(value)
            ]
        if isinstance(shape, dict) and isinstance(value, Mapping):
            return self._mapping(value, shape, f"{path}.")
        if shape is _TEXTS and isinstance(value, Mapping):
            return dict(self._texts(value, path))
        if isinstance(shape, type) and isinstance(value, shape):
            return value
        self.note(path)
        return None

    def _item(self, item: object, shape: object, path: str) -> object:
        kept = self._part(item, shape, path) if item is not None else None
        if kept is not None:
            return kept
        return "" if shape is str else {}

    def _texts(
        self, value: Mapping[object, object], path: str
    ) -> Iterator[tuple[str, str]]:
        for key, text in value.items():
            if isinstance(key, str) and isinstance(text, str | None):
                yield key, text or ""
            else:
                self.note(path)
