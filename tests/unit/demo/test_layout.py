from pathlib import Path

import msgspec

from app.demo.content import INDEX_TYPE, MANIFEST_TYPE
from app.demo.layout import Layout

ARM_SPEC = b"""\
version: v1alpha1
compatibilities:
- tag: arm
  weight: 10
  rules:
  - name: "arm64 kernel"
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: Ge, value: ["6"]}
"""
ARM_IMAGE = {
    "mediaType": MANIFEST_TYPE,
    "digest": "sha256:7187bc030232b8ed4b827310ef2f0d932a7b7136fd08ffbb8c2a489f97a588e9",
    "size": 529,
    "platform": {"architecture": "arm64", "os": "linux", "variant": "v8"},
}


def test_an_artifact_is_byte_for_byte_what_oras_attach_writes(tmp_path: Path) -> None:
    """The digest is that of the manifest that oras 1.3.3 wrote for this subject."""
    descriptor = Layout(tmp_path).attach(
        ARM_IMAGE, ARM_SPEC, created="2026-03-02T00:00:00Z", title="spec-arm.yaml"
    )
    assert {
        "mediaType": MANIFEST_TYPE,
        "digest": "sha256:435788613acb34792b13d69e3df9fcc4"
        "9850e028d2967b118b5ac3b4cd550dda",
        "size": 853,
    } == descriptor


def test_a_layout_names_its_images_and_artifacts(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    image = layout.image("amd64", "x")
    layout.tag(layout.index([("amd64", image)]), "1")
    artifact = layout.attach(image, b"{}", created="2026-01-01T00:00:00Z")
    layout.close()
    assert b'{"imageLayoutVersion":"1.0.0"}' == (tmp_path / "oci-layout").read_bytes()
    index = msgspec.json.decode((tmp_path / "index.json").read_bytes())
    first, second = index["manifests"]
    assert INDEX_TYPE == first["mediaType"]
    assert {"org.opencontainers.image.ref.name": "1"} == first["annotations"]
    assert artifact["digest"] == second["digest"]
    stored = {path.name for path in (tmp_path / "blobs" / "sha256").iterdir()}
    assert str(artifact["digest"]).removeprefix("sha256:") in stored
