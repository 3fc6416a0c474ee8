"""A layout with images that have specs, and the commands on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.demo.layout import Layout

SPEC = b"""\
version: v1alpha1
compatibilities:
- rules:
  - name: sockets
    matchFeatures:
    - feature: cpu.topology
      matchExpressions:
        socket_count: {op: Ge, value: ["6"]}
"""
OTHER = SPEC.replace(b'"6"', b'"5"')


@dataclass(frozen=True)
class Images:
    """Names of images in one layout.

    Attributes:
        bare: a manifest without a spec.
        app: a manifest with two; the second is newer.
        multi: an index for amd64 and arm64 with a spec; arm64 has one of its own.
    """

    folder: Path
    bare: str
    app: str
    multi: str


@pytest.fixture
def images(tmp_path: Path) -> Images:
    folder = tmp_path / "layout"
    layout = Layout(folder)
    layout.tag(layout.image("amd64", "bare"), "bare")
    app = layout.image("amd64", "app")
    layout.tag(app, "app")
    layout.attach(app, OTHER, created="2026-02-01T00:00:00Z")
    layout.attach(app, SPEC, created="2026-03-01T00:00:00Z")
    kinds = ("amd64", "arm64")
    children = [(one, layout.image(one, f"multi-{one}")) for one in kinds]
    index = layout.index(children)
    layout.tag(index, "multi")
    layout.attach(index, SPEC, created="2026-03-01T00:00:00Z")
    layout.attach(children[1][1], OTHER, created="2026-03-02T00:00:00Z")
    layout.close()
    named = (f"oci-layout://{folder}:{tag}" for tag in ("bare", "app", "multi"))
    return Images(folder, *named)


@pytest.fixture(autouse=True)
def _nobodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials and proxies of who runs the tests are none of theirs."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("DOCKER_CONFIG", "HTTPS_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
