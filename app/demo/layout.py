"""Writes OCI image layouts: images with compatibility artifacts, no registry.

What is written is what `oras attach` writes, byte for byte but for dates, which
are fixed here so that every run has the same digests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ARTIFACT_TYPE: Final = "application/vnd.nfd.image-compatibility.v1alpha1"
SPEC_TYPE: Final = "application/vnd.nfd.image-compatibility.spec.v1alpha1+yaml"
MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"
EMPTY_TYPE: Final = "application/vnd.oci.empty.v1+json"
CREATED: Final = "org.opencontainers.image.created"
TITLE: Final = "org.opencontainers.image.title"
REF_NAME: Final = "org.opencontainers.image.ref.name"

Descriptor = Mapping[str, object]


def digest_of(content: bytes) -> str:
    """`sha256:` and the hex digest."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def encode(value: object) -> bytes:
    """Compact JSON, keys in the order given."""
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass
class Layout:
    """One layout folder that grows; `close` writes its index.

    Attributes:
        folder: where `oci-layout`, `index.json` and `blobs/` are written.
    """

    folder: Path
    _index: list[Descriptor] = field(default_factory=list)

    def blob(self, media_type: str, content: bytes) -> dict[str, object]:
        """Stores `content`; returns its descriptor."""
        digest = digest_of(content)
        path = self.folder / "blobs" / "sha256" / digest.removeprefix("sha256:")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def image(self, architecture: str, name: str) -> dict[str, object]:
        """Stores an image of one layer for linux on `architecture`."""
        config = encode({"architecture": architecture, "os": "linux", "config": {}})
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": self.blob(CONFIG_TYPE, config),
            "layers": [
                self.blob("application/vnd.oci.image.layer.v1.tar", name.encode())
            ],
        }
        return self.blob(MANIFEST_TYPE, encode(manifest))

    def index(self, children: Sequence[tuple[str, Descriptor]]) -> dict[str, object]:
        """Stores an index over `(architecture, image)` pairs."""
        manifests = [
            {**child, "platform": {"architecture": architecture, "os": "linux"}}
            for architecture, child in children
        ]
        content = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": manifests}
        return self.blob(INDEX_TYPE, encode(content))

    def tag(self, descriptor: Descriptor, tag: str) -> None:
        """Names what `descriptor` describes."""
        self._index.append({**descriptor, "annotations": {REF_NAME: tag}})

    def attach(
        self,
        subject: Descriptor,
        spec: bytes,
        *,
        created: str,
        title: str = "spec.yaml",
    ) -> dict[str, object]:
        """Attaches a compatibility spec to `subject`; returns its descriptor."""
        layer = self.blob(SPEC_TYPE, spec)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": ARTIFACT_TYPE,
            "config": {**self.blob(EMPTY_TYPE, b"{}"), "data": "e30="},
            "layers": [{**layer, "annotations": {TITLE: title}}],
            "subject": subject,
            "annotations": {CREATED: created},
        }
        descriptor = self.blob(MANIFEST_TYPE, encode(manifest))
        annotations = {CREATED: created}
        self._index.append(
            {**descriptor, "annotations": annotations, "artifactType": ARTIFACT_TYPE}
        )
        return descriptor

    def close(self) -> None:
        """Writes `index.json` and the marker file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "oci-layout").write_bytes(b'{"imageLayoutVersion":"1.0.0"}')
        index = {
            "schemaVersion": 2,
            "mediaType": INDEX_TYPE,
            "manifests": self._index,
        }
        (self.folder / "index.json").write_bytes(encode(index))
