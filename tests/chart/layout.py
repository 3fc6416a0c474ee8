"""The self-test's image: an OCI layout whose spec asks for what no node has.

Each term names a feature that nfd-worker publishes of every Linux host, and a
value that none has. One that is published and false decides (a conjunction with a
false term is false, whatever is unknown beside it), so the answer is *does not
fit* even where an admin has switched some of these features off.

There is one image and no index: what asks is the same on every platform.
"""

from __future__ import annotations

from app.demo.content import INDEX_TYPE, Repository, encode

REFERENCE = "selftest.imagecompat.invalid/unfit:1"
"""What `imagecompat selftest` asks for; `.invalid` can never be a real registry."""

SPEC = b"""\
version: v1alpha1
compatibilities:
- description: what no node has, so that a self-test is refused
  rules:
  - name: self-test
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        full: {op: In, value: [no-kernel-is-called-so]}
    - feature: system.osrelease
      matchExpressions:
        ID: {op: In, value: [no-system-is-called-so]}
    - feature: cpu.model
      matchExpressions:
        vendor_id: {op: In, value: [no-vendor-is-called-so]}
"""

CREATED = "2026-01-01T00:00:00Z"


def files() -> dict[str, bytes]:
    """Path in the layout -> content."""
    held = Repository()
    image = held.image("amd64", "self-test")
    held.tag(image, REFERENCE.rpartition(":")[2])
    held.attach(image, SPEC, created=CREATED)
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": held.listed}
    found = {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": encode(index),
    }
    for digest, content in held.blobs.items():
        found[f"blobs/{digest.replace(':', '/')}"] = content
    return found
