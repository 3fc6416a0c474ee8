"""The clusters that are measured on, the same on every run.

*pools*: hosts of 12 kinds (`scene`); of what is large, only the loaded modules
differ from node to node. *unique*: every large feature set of every node is its
own, so nothing can be shared; real clusters are like the first.

Both are written as NodeFeature objects, a line of JSON each, for NFD's evaluator
to read; and decoded from these lines as the webhook does it, sharing what is equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from app.compat.features import Attributes, Features, Flags, Instances
from app.kube.features import NODE_NAME_LABEL, FeatureSets
from bench import objects, scene

_CPUID: Final = (
    "ADX AESNI AVX AVX2 AVX512BF16 AVX512BITALG AVX512BW AVX512CD AVX512DQ AVX512F "
    "AVX512FP16 AVX512IFMA AVX512VBMI AVX512VBMI2 AVX512VL AVX512VNNI AVX512VPOPCNTDQ "
    "AVXVNNI AMXBF16 AMXINT8 AMXTILE CLDEMOTE CMPXCHG8 FMA3 FSRM FXSR GFNI HYPERVISOR "
    "IBPB IBRS LAHF MOVBE MOVDIR64B MOVDIRI OSXSAVE PCLMULQDQ RDRAND RDSEED SHA SSE42 "
    "STIBP SYSCALL SYSEE VAES VMX VPCLMULQDQ WAITPKG WBNOINVD X87 XSAVE XSAVEC "
    "XSAVEOPT XSAVES"
)
_MODULES: Final = (
    "vfio-pci ip_tables overlay nvidia nvidia_uvm mlx5_core ice i40e kvm_intel "
    "br_netfilter rdma_cm nvme xfs ext4 tls veth irdma nf_conntrack dm_mod bonding"
)
_FURTHER: Final = [f"kmod_{each:03d}" for each in range(400)]
_FIXED: Final = {
    "NO_HZ": "y",
    "NO_HZ_IDLE": "y",
    "BPF": "y",
    "HZ": "1000",
    "NR_CPUS": "8192",
    "LSM": "landlock,lockdown,yama,apparmor",
    "PREEMPT_RT": "y",
}
_OPTIONS: Final = [f"SUBSYS_{each % 90:02d}_OPTION_{each:04d}" for each in range(1_738)]
"""Of `kernel.config`, beside the fixed ones."""
_SEED: Final = 1845


def pools(count: int) -> Iterator[bytes]:
    """NodeFeatures of `count` nodes of 12 kinds, some 60 KB each."""
    _, features = scene.cluster(count)
    writer = _Writer()
    return (writer.write(name, one) for name, one in features.items())


def unique(count: int) -> Iterator[bytes]:
    """NodeFeatures of `count` nodes that are all different, some 60 KB each."""
    random = Random(_SEED)
    for number in range(count):
        yield _Writer().write(f"node-{number:05d}", _unique(random, number))


def decoded(lines: Iterable[bytes]) -> dict[str, Features]:
    """Node -> its features, which share sets that are equal."""
    sets = FeatureSets()
    items = [sets.decode(line).value for line in lines]
    return {one.name: one.features for one in items if one.features is not None}


def written(lines: Iterable[bytes], path: Path) -> dict[str, Features]:
    """As `decoded`; the lines go to a file besides."""
    with path.open("wb") as file:
        return decoded(_kept(lines, file.write))


def _kept(lines: Iterable[bytes], keep: Callable[[bytes], object]) -> Iterator[bytes]:
    for line in lines:
        keep(line)
        yield line


class _Writer:
    """Writes NodeFeatures; sets that are one object are written once."""

    def __init__(self) -> None:
        self._known: Final[dict[int, tuple[object, msgspec.Raw]]] = {}

    def write(self, name: str, features: Features) -> bytes:
        spec = {
            kind: {one: self._raw(found) for one, found in sets.items()}
            for kind, sets in (
                ("flags", features.flags),
                ("attributes", features.attributes),
                ("instances", features.instances),
            )
        }
        labels = {NODE_NAME_LABEL: name}
        place = {"name": name, "namespace": objects.NAMESPACE, "labels": labels}
        one = {"kind": "NodeFeature", "metadata": place, "spec": {"features": spec}}
        return msgspec.json.encode(one) + b"\n"

    def _raw(self, found: Flags | Attributes | Instances) -> msgspec.Raw:
        known = self._known.get(id(found))
        if known is None:
            raw = msgspec.Raw(msgspec.json.encode({"elements": _elements(found)}))
            known = self._known[id(found)] = (found, raw)
        return known[1]


def _elements(found: Flags | Attributes | Instances) -> object:
    if isinstance(found, frozenset):
        return {name: {} for name in sorted(found)}
    if isinstance(found, tuple):
        return [{"attributes": instance} for instance in found]
    return found


def _unique(random: Random, number: int) -> Features:
    minor, patch = random.randint(1, 12), random.randrange(80)
    system = random.choice(["ubuntu", "debian", "rhel"])
    texts = {
        "kernel.version": {
            "full": f"6.{minor}.{patch}-{random.randint(10, 59)}-generic",
            "major": "6",
            "minor": str(minor),
            "revision": str(patch),
        },
        "kernel.selinux": {"enabled": "false"},
        "cpu.model": {
            "vendor_id": random.choice(["Intel", "AMD"]),
            "family": "6",
            "id": str(random.randint(80, 159)),
        },
        "cpu.topology": {
            "hardware_multithreading": "true",
            "socket_count": str(random.randint(1, 2)),
        },
        "memory.numa": {"is_numa": "true", "node_count": str(random.randint(1, 8))},
        "memory.swap": {"enabled": "false"},
        "system.osrelease": {
            "ID": system,
            "VERSION_ID": random.choice(["22.04", "24.04", "12"]),
            "VERSION_ID.major": "22",
            "VERSION_ID.minor": "04",
            "NAME": "Some Linux",
            "PRETTY_NAME": "Some Linux 22.04.4 LTS",
            "HOME_URL": "https://example.org/",
            "VERSION_CODENAME": "some",
        },
        "system.name": {"nodename": f"node-{number:05d}"},
        "system.dmiid": {
            "sys_vendor": "Some Vendor",
            "product_name": "Some Server 9000",
            "bios_version": "2.19.1",
        },
        "local.label": {"vendor.example/rack": str(random.randrange(40))},
        "kernel.config": _config(random),
    }
    flags = {
        "cpu.cpuid": _some(random, _CPUID, random.randint(80, 119)),
        "kernel.loadedmodule": _some(random, _MODULES, random.randint(130, 169)),
        "kernel.enabledmodule": _some(random, _MODULES, random.randint(320, 359)),
    }
    return Features(flags, texts, _instances(random))


def _some(random: Random, known: str, count: int) -> frozenset[str]:
    """Most of the known names, filled up with others."""
    found = [name for name in known.split() if random.random() < 0.75]
    return frozenset(found + _FURTHER[: count - len(found)])


def _config(random: Random) -> dict[str, str]:
    values = random.choices("yymmm", k=len(_OPTIONS))
    return {**_FIXED, **dict(zip(_OPTIONS, values, strict=True))}


def _instances(random: Random) -> dict[str, tuple[dict[str, str], ...]]:
    hexadecimal = [f"{each:04x}" for each in random.sample(range(65_536), 80)]
    devices = tuple(
        {
            "class": random.choice(["0200", "0300", "0302", "0108", "0604", "0880"]),
            "vendor": random.choice(["8086", "10de", "15b3", "1022", "0eee"]),
            "device": hexadecimal[2 * each],
            "subsystem_vendor": "1028",
            "subsystem_device": hexadecimal[2 * each + 1],
            "iommu_group/type": "DMA-FQ",
        }
        for each in range(random.randint(20, 39))
    )
    usb = {"class": "0e", "vendor": "1d6b", "serial": ""}
    disk = {"rotational": "0", "dax": "0", "zoned": "none", "nr_zones": "0"}
    network = {
        "operstate": "up",
        "mtu": "9000",
        "sriov_totalvfs": "64",
        "sriov_numvfs": "0",
    }
    speeds = ["1000", "25000", "100000"]
    return {
        "pci.device": devices,
        "usb.device": tuple({**usb, "device": f"{each:04x}"} for each in range(4)),
        "storage.block": tuple({**disk, "name": f"nvme{n}n1"} for n in range(6)),
        "network.device": tuple(
            {**network, "name": f"eth{each}", "speed": random.choice(speeds)}
            for each in range(4)
        ),
    }
