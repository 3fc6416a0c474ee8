"""Writes OCI image layouts: images with compatibility artifacts, no registry."""

from __future__ import annotations

from pathlib import Path

from app.demo.content import INDEX_TYPE, Repository, encode


class Layout(Repository):
    """One repository that `close` writes to a folder as an OCI layout."""

    def __init__(self, folder: Path) -> None:
        """Prepares a layout in `folder`, which need not exist."""
        super().__init__()
        self.folder = folder

    def close(self) -> None:
        """Writes `blobs/`, `index.json` and the marker file."""
        for digest, content in self.blobs.items():
            algorithm, _, encoded = digest.partition(":")
            path = self.folder / "blobs" / algorithm / encoded
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "oci-layout").write_bytes(b'{"imageLayoutVersion":"1.0.0"}')
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": self.listed}
        (self.folder / "index.json").write_bytes(encode(index))
