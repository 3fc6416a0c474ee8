"""Manifests, nodes and specs in files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

IMAGE = "registry.example.com/ml/trainer:2.1"
SPEC = """\
version: v1alpha1
compatibilities:
- tag: fast
  weight: 10
  description: with a GPU
  rules:
  - name: driver
    matchFeatures:
    - feature: kernel.loadedmodule
      matchExpressions:
        nvidia: {op: Exists}
- rules:
  - name: cpu
    matchFeatures:
    - feature: cpu.cpuid
      matchExpressions:
        AVX512F: {op: Exists}
    - feature: kernel.version
      matchExpressions:
        full: {op: Ge, type: version, value: ["6.0"]}
"""


def manifest(name: str, image: str = IMAGE, **metadata: str) -> dict[str, Any]:
    containers = [{"name": "main", "image": image}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, **metadata},
        "spec": {"template": {"spec": {"containers": containers}}},
    }


@dataclass(frozen=True)
class Files:
    """Files of one folder.

    Attributes:
        folder: where they are.
        train: a Deployment.
        hosts: a folder of three hosts: `gpu` has a module, `cpu` a new kernel and
            AVX-512, `old` neither.
        spec: what its image asks for.
    """

    folder: Path
    train: str
    hosts: str
    spec: str

    @property
    def given(self) -> tuple[str, ...]:
        """Options that need no registry and no cluster."""
        return ("--nodes", self.hosts, "--spec", f"{IMAGE}={self.spec}")

    def write(self, name: str, value: object) -> str:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return str(path)


def host(*modules: str, cpuid: tuple[str, ...] = (), kernel: str = "5.14.0") -> object:
    return {
        "flags": {
            "kernel.loadedmodule": {"elements": {one: {} for one in modules}},
            "cpu.cpuid": {"elements": {one: {} for one in ("SSE2", *cpuid)}},
        },
        "attributes": {
            "kernel.version": {"elements": {"full": kernel}},
            "system.osrelease": {"elements": {"ID": "debian"}},
        },
    }


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path, "", str(tmp_path / "hosts"), "")
    made.write("hosts/gpu.json", host("nvidia"))
    made.write("hosts/cpu.json", host(cpuid=("AVX512F",), kernel="6.8.0"))
    made.write("hosts/old.json", host())
    train = made.write("train.json", manifest("trainer", namespace="ml"))
    return Files(tmp_path, train, made.hosts, made.write("spec.yaml", SPEC))
