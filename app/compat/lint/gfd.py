"""Labels of NVIDIA's GPU Feature Discovery (`internal/lm` of k8s-device-plugin).

nfd-worker publishes them as elements of local.label and local.feature.
"""

from __future__ import annotations

import re
from typing import Final

PREFIX: Final = "nvidia.com/"

LABELS: Final = (
    *("cuda.driver-version.major", "cuda.driver-version.minor"),
    *("cuda.driver-version.revision", "cuda.driver-version.full"),
    *("cuda.runtime-version.major", "cuda.runtime-version.minor"),
    *("cuda.runtime-version.full", "cuda.driver.major", "cuda.driver.minor"),
    *("cuda.driver.rev", "cuda.runtime.major", "cuda.runtime.minor"),
    *("gfd.timestamp", "gpu.present", "gpu.count", "gpu.product", "gpu.family"),
    *("gpu.memory", "gpu.machine", "gpu.mode", "gpu.replicas", "gpu.clique"),
    *("gpu.sharing-strategy", "gpu.compute.major", "gpu.compute.minor"),
    *("gpu.multiprocessors", "gpu.slices.ci", "gpu.slices.gi", "gpu.engines.copy"),
    *("gpu.engines.decoder", "gpu.engines.encoder", "gpu.engines.jpeg"),
    *("gpu.engines.ofa", "gpu.imex-domain", "gpu.addressing-mode", "mig.capable"),
    *("mig.strategy", "mps.capable", "vgpu.present", "vgpu.host-driver-version"),
    *("vgpu.host-driver-branch", "mofed.version"),
)
"""Without the prefix; the last is of NVIDIA's nic-feature-discovery."""

_LONGEST: Final = 64
_OF_A_PART: Final = re.compile(r"mig-[0-9]+[a-z0-9.+-]*")


def is_of_a_part(name: str) -> bool:
    """Whether it is a label of one kind of MIG devices, as mig-1g.5gb.count."""
    return len(name) <= _LONGEST and bool(_OF_A_PART.fullmatch(name))
