"""Specs to start from: one for each thing that images often need of a host.

Each is a YAML file beside this module, to be read and edited by people: a comment
above every rule says why it is as it is. What they evaluate to on fifteen kinds of
hosts is recorded in `tests/data/suites/recipes.yaml`, and agreed with NFD's own
evaluator.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Final


@dataclass(frozen=True, slots=True)
class Recipe:
    """A spec to start from.

    Attributes:
        name: of its file, without `.yaml`.
        summary: what the image needs, in a line.
        needs: what must run in the cluster so that nodes can match; empty for
            nothing but NFD as it comes.
    """

    name: str
    summary: str
    needs: str = ""

    @property
    def content(self) -> bytes:
        """The spec, as it is printed."""
        path = resources.files(__name__) / f"{self.name}.yaml"
        return path.read_bytes()


RECIPES: Final = (
    Recipe("amx-inference", "Intel AMX tiles, else AVX-512 VNNI"),
    Recipe("arm64-sve", "SVE2 or SVE on arm64"),
    Recipe(
        "cuda-12.4",
        "an NVIDIA GPU, Ampere or newer, with a driver for CUDA 12.4",
        needs="NVIDIA GPU Feature Discovery, writing features.d",
    ),
    Recipe(
        "dpdk-vfio-hugepages",
        "vfio-pci, an IOMMU and reserved huge pages",
        needs="NFD 0.18",
    ),
    Recipe("efa", "AWS Elastic Fabric Adapter and its driver"),
    Recipe("kernel-min-5.14", "Linux 5.14 or newer, of any distribution"),
    Recipe(
        "kvm-nested",
        "KVM, best on bare metal, else nested",
        needs="NFD 0.19 for the first set",
    ),
    Recipe("local-nvme", "NVMe storage inside the node, else any NVMe"),
    Recipe("rdma-infiniband", "ConnectX with RDMA: InfiniBand, else RoCE"),
    Recipe("realtime-kernel", "a PREEMPT_RT kernel"),
    Recipe("selinux-host", "SELinux in enforcing mode"),
    Recipe("sriov-nic", "a network card with SR-IOV, best with virtual functions"),
    Recipe("userfaultfd-wp", "userfaultfd with write protection"),
    Recipe("x86-64-v2", "a CPU of level x86-64-v2"),
    Recipe("x86-64-v3", "a CPU of level x86-64-v3"),
    Recipe("x86-64-v4", "a CPU of level x86-64-v4, else v3"),
)
"""All of them, by name."""

NAMED: Final = {recipe.name: recipe for recipe in RECIPES}
