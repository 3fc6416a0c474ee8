"""What a repository holds: images, indexes and artifacts, built in memory.

Artifacts are what `oras attach` writes, byte for byte but for dates, which are
fixed here so that every run has the same digests. `layout` writes a repository to
a folder, `registry` serves it over HTTP.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

ARTIFACT_TYPE: Final = "application/vnd.nfd.image-compatibility.v1alpha1"
SPEC_TYPE: Final = "application/vnd.nfd.image-compatibility.spec.v1alpha1+yaml"
MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"
EMPTY_TYPE: Final = "application/vnd.oci.empty.v1+json"
LAYER_TYPE: Final = "application/vnd.oci.image.layer.v1.tar"
CREATED: Final = "org.opencontainers.image.created"
TITLE: Final = "org.opencontainers.image.title"
REF_NAME: Final = "org.opencontainers.image.ref.name"

Descriptor = Mapping[str, object]


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """The algorithm and the hex digest."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def encode(value: object) -> bytes:
    """Compact JSON, keys in the order given."""
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass
class Repository:
    """One repository that grows.

    Attributes:
        blobs: digest -> content; manifests are among them.
        types: digest of a manifest or index -> its media type.
        tags: tag -> digest.
        listed: descriptors of what is tagged or attached, in order; an artifact's
            is as a registry's referrers API gives it.
        subjects: digest of an artifact -> digest of its subject.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    listed: list[Descriptor] = field(default_factory=list)
    subjects: dict[str, str] = field(default_factory=dict)

    def blob(self, media_type: str, content: bytes) -> dict[str, object]:
        """Stores `content`; returns its descriptor."""
        digest = digest_of(content)
        self.blobs[digest] = content
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def manifest(self, media_type: str, value: object) -> dict[str, object]:
        """Stores a manifest or index; returns its descriptor."""
        descriptor = self.blob(media_type, encode(value))
        self.types[str(descriptor["digest"])] = media_type
        return descriptor

    def image(self, architecture: str, name: str) -> dict[str, object]:
        """Stores an image of one layer for linux on `architecture`."""
        config = encode({"architecture": architecture, "os": "linux", "config": {}})
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": self.blob(CONFIG_TYPE, config),
            "layers": [self.blob(LAYER_TYPE, name.encode())],
        }
        return self.manifest(MANIFEST_TYPE, manifest)

    def index(self, children: Sequence[tuple[str, Descriptor]]) -> dict[str, object]:
        """Stores an index over `(architecture, image)` pairs."""
        manifests = [
            {**child, "platform": {"architecture": architecture, "os": "linux"}}
            for architecture, child in children
        ]
        content = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": manifests}
        return self.manifest(INDEX_TYPE, content)

    def tag(self, descriptor: Descriptor, tag: str) -> None:
        """Names what `descriptor` describes."""
        self.tags[tag] = str(descriptor["digest"])
        self.listed.append({**descriptor, "annotations": {REF_NAME: tag}})

    def attach(
        self,
        subject: Descriptor,
        spec: bytes,
        *,
        created: str | None,
        title: str = "spec.yaml",
        changes: Mapping[str, object] | None = None,
    ) -> dict[str, object]:
        """Attaches a compatibility spec to `subject`; returns its descriptor.

        Args:
            subject: descriptor of a manifest or index.
            spec: the spec's bytes.
            created: RFC 3339, or whatever stands there; `None` for undated.
            title: the file name that oras would note.
            changes: keys of the manifest that are to differ from what oras writes.
        """
        layer = self.blob(SPEC_TYPE, spec)
        annotations = {} if created is None else {CREATED: created}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": ARTIFACT_TYPE,
            "config": {**self.blob(EMPTY_TYPE, b"{}"), "data": "e30="},
            "layers": [{**layer, "annotations": {TITLE: title}}],
            "subject": subject,
            "annotations": annotations,
            **(changes or {}),
        }
        descriptor = self.manifest(MANIFEST_TYPE, manifest)
        digest = str(descriptor["digest"])
        self.subjects[digest] = str(subject["digest"])
        kind = manifest["artifactType"]
        self.listed.append(
            {**descriptor, "annotations": annotations, "artifactType": kind}
        )
        return descriptor

    def referrers(self, subject: str) -> list[Descriptor]:
        """Descriptors of what is attached to the digest `subject`, in order."""
        return [
            one
            for one in self.listed
            if self.subjects.get(str(one["digest"])) == subject
        ]

    def write_fallback_tag(self, subject: str) -> dict[str, object]:
        """Tags an index of the referrers, as clients do without a referrers API."""
        manifests = self.referrers(subject)
        content = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": manifests}
        descriptor = self.manifest(INDEX_TYPE, content)
        algorithm, _, encoded = subject.partition(":")
        self.tag(descriptor, f"{algorithm}-{encoded[:64]}")
        return descriptor
