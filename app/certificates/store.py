"""The Secret and the webhook configurations as the API server has them.

Reads and writes them through `Objects`; what they mean is `holding`'s business. Of
the Secret we own four keys of its data, of a configuration its `caBundle`s:
everything else, other people's labels and fields too, is left as it is.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol, TypeVar

import msgspec
from cryptography import x509

from app.certificates import holding as holdings
from app.certificates.holding import Configuration, Holding
from app.certificates.pair import pem_of
from app.errors import ClusterError

HELM_PREFIX: Final = "meta.helm.sh/"
"""Of the annotations that name the release an object belongs to."""


class Objects(Protocol):
    """Single objects of the API server; `kube.objects` implements it.

    A `None` for a write: it lost a race. Every fault is a `ClusterError`.
    """

    def now(self) -> datetime:
        """The API server's time."""
        ...

    async def get(self, collection: str, name: str) -> bytes | None:
        """The object; `None` if there is none."""
        ...

    async def create(self, collection: str, name: str, content: bytes) -> bytes | None:
        """The object as created."""
        ...

    async def merge(self, collection: str, name: str, content: bytes) -> bytes | None:
        """The object with `content` merged in, at the version that it names."""
        ...

    async def patch(
        self,
        collection: str,
        name: str,
        operations: list[dict[str, object]],
        *,
        version: str,
    ) -> bytes | None:
        """The object with a JSON patch applied, if it is at `version`."""
        ...

    def watch(
        self, collection: str, name: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes | None]]:
        """The object, and each change of it; `None` when it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object is."""

    collection: str
    name: str

    def __str__(self) -> str:
        return f"{self.collection.rpartition('/')[2]}/{self.name}"


@dataclass(frozen=True, slots=True)
class Marks:
    """Whose an object is: what makes it part of a release."""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


class _Metadata(msgspec.Struct):
    resource_version: str = msgspec.field(name="resourceVersion", default="")
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class _Object(msgspec.Struct):
    metadata: _Metadata


class _Secret(msgspec.Struct):
    metadata: _Metadata
    data: dict[str, str] | None = None


class _Client(msgspec.Struct):
    ca_bundle: str | None = msgspec.field(name="caBundle", default=None)


class _Webhook(msgspec.Struct):
    client: _Client = msgspec.field(name="clientConfig", default_factory=_Client)


class _Configuration(msgspec.Struct):
    metadata: _Metadata
    webhooks: list[_Webhook] | None = None


_Kind = TypeVar("_Kind", _Object, _Secret, _Configuration)


def version_of(content: bytes) -> str:
    """The resourceVersion of an object.

    Raises:
        ClusterError: as for all that read here: this is no such object.
    """
    return _decoded(content, _Object).metadata.resource_version


def marks(content: bytes) -> Marks:
    """What a Secret of the same release carries: all labels, and what Helm notes.

    Helm neither removes nor takes over what does not carry both.
    """
    found = _decoded(content, _Object).metadata
    annotations = found.annotations or {}
    noted = {
        key: text for key, text in annotations.items() if key.startswith(HELM_PREFIX)
    }
    return Marks(found.labels or {}, noted)


def secret_data(content: bytes) -> dict[str, bytes]:
    """What a Secret holds."""
    found = _decoded(content, _Secret)
    return {key: _from_base64(value) for key, value in (found.data or {}).items()}


def configuration(content: bytes) -> Configuration:
    """What a webhook configuration publishes."""
    found = _decoded(content, _Configuration)
    bundles = (one.client.ca_bundle or "" for one in found.webhooks or ())
    version = found.metadata.resource_version
    return holdings.published(version, map(_from_base64, bundles))


async def hold(
    objects: Objects,
    place: Place,
    holding: Holding,
    *,
    version: str | None,
    made_with: Marks,
) -> bytes | None:
    """Writes the Secret, if it is at `version`; `None`: if there is none.

    One that is made gets the marks `made_with`; of one that is there they stay.
    """
    data = {key: _to_base64(value) for key, value in holdings.write(holding).items()}
    if version is None:
        metadata: dict[str, object] = {
            "name": place.name,
            "labels": dict(made_with.labels),
            "annotations": dict(made_with.annotations),
        }
        made = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque"}
        content = json.dumps({**made, "metadata": metadata, "data": data})
        return await objects.create(place.collection, place.name, content.encode())
    metadata = {"name": place.name, "resourceVersion": version}
    content = json.dumps({"metadata": metadata, "data": data})
    return await objects.merge(place.collection, place.name, content.encode())


async def publish(
    objects: Objects,
    place: Place,
    found: Configuration,
    bundle: tuple[x509.Certificate, ...],
) -> bytes | None:
    """Writes the `caBundle`s of a configuration that are not `bundle`."""
    operations: list[dict[str, object]] = [
        {
            "op": "add",
            "path": f"/webhooks/{number}/clientConfig/caBundle",
            "value": _to_base64(pem_of(*bundle)),
        }
        for number, one in enumerate(found.bundles)
        if one != frozenset(bundle)
    ]
    return await objects.patch(
        place.collection, place.name, operations, version=found.version
    )


def _decoded(content: bytes, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(content, type=kind)
    except (ValueError, RecursionError) as error:
        raise ClusterError("Malformed", "an object cannot be read") from error


def _to_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _from_base64(text: str) -> bytes:
    """The bytes; some that are no PEM for what is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b"no base64"
