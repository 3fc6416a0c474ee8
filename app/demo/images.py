"""The demo's images: one OCI layout for each repository, specs attached."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Final

from app.demo.layout import Layout
from app.recipes import NAMED

REGISTRY: Final = "registry.example.com"

SPECS: Final = {
    "ml/trainer:13.0": "cuda-13.0",
    "ml/trainer:12.4": "cuda-12.4",
    "net/dpdk:24.11": "dpdk-vfio-hugepages",
    "hpc/solver:v4": "x86-64-v4",
    "virt/runner:1.2": "kvm-nested",
    "edge/plc:3": "realtime-kernel",
    "security/agent:7": "selinux-host",
    "broken/app:1": None,
    "plain/web:1.27": "",
}
"""`repository:tag` -> name of the spec; `""` for none, `None` for a broken one."""

MULTI: Final = "media/encoder:5"
"""An index: an artifact on the arm64 image (SVE), another on the index (x86-64-v3)."""

_BROKEN: Final = b"version: v1alpha1\ncompatibilities:\n- rules: [{name: x, weight\n"


def spec(name: str) -> bytes:
    """The text of a recipe, or of a spec that only the demo has."""
    recipe = NAMED.get(name)
    if recipe is not None:
        return recipe.content
    path = resources.files("app.demo") / "data" / "specs" / f"{name}.yaml"
    return path.read_bytes()


def write(root: Path) -> None:
    """Writes the layouts below `root`, as `REGISTRY/REPOSITORY/`."""
    repositories = {name.rpartition(":")[0] for name in SPECS}
    for repository in sorted(repositories):
        layout = Layout(root / REGISTRY / repository)
        for name, which in SPECS.items():
            if name.rpartition(":")[0] == repository:
                _add(layout, name, which)
        layout.close()
    _write_multi(root)


def _add(layout: Layout, name: str, which: str | None) -> None:
    image = layout.image("amd64", name)
    layout.tag(image, name.rpartition(":")[2])
    if which is None:
        layout.attach(image, _BROKEN, created="2026-03-01T00:00:00Z")
    elif which:
        superseded = spec("kernel-min-5.14")
        layout.attach(image, superseded, created="2026-01-01T00:00:00Z")
        layout.attach(image, spec(which), created="2026-03-01T00:00:00Z")


def _write_multi(root: Path) -> None:
    repository, _, tag = MULTI.rpartition(":")
    layout = Layout(root / REGISTRY / repository)
    arm = layout.image("arm64", MULTI)
    index = layout.index([("amd64", layout.image("amd64", MULTI)), ("arm64", arm)])
    layout.tag(index, tag)
    layout.attach(index, spec("x86-64-v3"), created="2026-03-01T00:00:00Z")
    layout.attach(arm, spec("arm64-sve"), created="2026-03-01T00:00:00Z")
    layout.close()
