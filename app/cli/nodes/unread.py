"""Paths that could not be read, without what tells of whose host it was.

Folders of interfaces, feature files and the kernel's release have names that others
gave. What is not a word of the kernel's own, or of NFD's, becomes `*`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from app.host.system import OF_FIRMWARE
from app.host.tree import Unread

_WORDS: Final = frozenset(
    re.findall(
        r"\S+",
        """
        .config L3 affected_cpus auxv bDeviceClass bInterfaceClass base_frequency block
        boot build bus cgroup class config.gz cpu cpufreq cpuidle cpuinfo
        current_driver dax device devices devtype dmi enforce etc features.d fs
        hostname hugepages id idProduct idVendor identification info intel-iommu
        intel_idle intel_pstate iommu iommu_group kernel kubernetes kvm kvm_amd
        kvm_intel lib linux max_cstate midr_el1 misc misc.capacity mm mode module
        modules modules.builtin mountinfo mtu nd net no_turbo node
        node-feature-discovery nr_hugepages nr_zones num_closids operstate os-release
        osrelease ostree-boot parameters pci physical_package_id proc queue regs
        resctrl rotational scaling_governor self selinux serial sev sev_es sev_snp
        speed src sriov_numvfs sriov_totalvfs status subsystem_device subsystem_vendor
        swaps sys system tdx thread_siblings_list topology type usb usr vendor version
        virtual zoned
        """,
    )
) | set(OF_FIRMWARE)
_NUMBERED: Final = re.compile(r"(cpu|node|policy)[0-9]+|hugepages-[0-9]+kB", re.ASCII)


def without_names(unread: Sequence[Unread]) -> tuple[Unread, ...]:
    """The same with no names but the kernel's and NFD's, each once."""
    told = (replace(one, path=_path(one.path)) for one in unread)
    return tuple(dict.fromkeys(told))


def _path(path: str) -> str:
    if not path.startswith("/"):  # an instruction, not a file
        return path
    return "/".join(name if _is_known(name) else "*" for name in path.split("/"))


def _is_known(name: str) -> bool:
    return not name or name in _WORDS or _NUMBERED.fullmatch(name) is not None
