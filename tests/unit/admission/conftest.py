"""Findings to start from: two images that fit different nodes."""

import pytest

from app.admission.findings import (
    Answer,
    Attached,
    Closest,
    Group,
    ImageFinding,
    PodFinding,
    Unmet,
)

TRAINER = ImageFinding(
    image="registry.example.com/ml/trainer:2.1",
    containers=("trainer",),
    answers={Answer.FOUND: ""},
    digest="sha256:" + "1" * 64,
    specs=("sha256:3f9a2c01" + "0" * 56,),
    artifacts=(
        Attached("sha256:3f9a2c01" + "0" * 56, "sha256:b", "index", "sha256:c"),
    ),
)
DPDK = ImageFinding(
    image="registry.example.com/net/dpdk:24.11",
    containers=("dpdk", "probe"),
    answers={Answer.FOUND: ""},
    digest="sha256:" + "2" * 64,
    specs=("sha256:88d1e07b" + "0" * 56,),
)
NVIDIA = Unmet(0, "driver", "kernel.loadedmodule nvidia", "Exists", "not loaded", True)
AVX512 = Unmet(0, "cpu", "cpu.cpuid AVX512F", "Exists", "absent")
VFIO = Unmet(1, "vfio", "kernel.loadedmodule vfio_pci", "Exists", "not loaded", True)


@pytest.fixture
def trainer() -> ImageFinding:
    return TRAINER


@pytest.fixture
def one_image() -> PodFinding:
    """One image, three candidates, none fits."""
    return PodFinding(
        images=(TRAINER,),
        candidates=3,
        known_nodes=5,
        excluded={"NodeAffinity": 2},
        groups=(
            Group(2, ("gpu-a", "gpu-b"), (NVIDIA,)),
            Group(1, ("cpu-c",), (NVIDIA, AVX512)),
        ),
        closest=Closest("gpu-a", (NVIDIA,)),
    )


@pytest.fixture
def two_images() -> PodFinding:
    """Two images that fit different nodes."""
    return PodFinding(
        images=(TRAINER, DPDK),
        candidates=2,
        known_nodes=2,
        groups=(Group(1, ("gpu-a",), (VFIO,)), Group(1, ("gpu-b",), (NVIDIA,))),
        closest=Closest("gpu-a", (VFIO,)),
    )
