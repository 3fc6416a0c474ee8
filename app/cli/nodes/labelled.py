"""Keys and values of labels and taints that tell nothing of whose node it is.

Keys are known one by one: below `node-role.kubernetes.io/`, `nvidia.com/` and all
others anybody may put what he likes.
"""

from __future__ import annotations

import re
from typing import Final

from app.cli.nodes import harmless
from app.compat.lint import cpuid

_FLAGS: Final = "|".join(sorted(cpuid.EVERY))

KEYS: Final = frozenset(
    f"{domain}/{name}"
    for domain, names in (
        (
            "kubernetes.io",
            "arch os hostname",
        ),
        ("beta.kubernetes.io", "arch os instance-type fluentd-ds-ready"),
        ("topology.kubernetes.io", "zone region"),
        ("failure-domain.beta.kubernetes.io", "zone region"),
        (
            "node.kubernetes.io",
            (
                "instance-type windows-build not-ready unreachable memory-pressure "
                "disk-pressure pid-pressure network-unavailable unschedulable "
                "out-of-service exclude-from-external-load-balancers "
                "exclude-disruption microk8s-worker"
            ),
        ),
        (
            "node-role.kubernetes.io",
            "control-plane master worker infra etcd node agent controlplane",
        ),
        ("node.cloudprovider.kubernetes.io", "uninitialized shutdown"),
        ("node.cluster.x-k8s.io", "uninitialized"),
        (
            "karpenter.sh",
            "capacity-type nodepool registered initialized provisioner-name disrupted",
        ),
        (
            "cloud.google.com",
            (
                "gke-nodepool gke-accelerator gke-accelerator-count gke-boot-disk "
                "gke-container-runtime gke-cpu-scaling-level gke-gpu-driver-version "
                "gke-logging-variant gke-max-pods-per-node gke-memory-gb-scaling-level "
                "gke-os-distribution gke-provisioning gke-spot gke-preemptible "
                "gke-stack-type machine-family private-node"
            ),
        ),
        (
            "eks.amazonaws.com",
            (
                "nodegroup nodegroup-image capacityType compute-type "
                "sourceLaunchTemplateId sourceLaunchTemplateVersion"
            ),
        ),
        (
            "kubernetes.azure.com",
            (
                "agentpool cluster mode role scalesetpriority os-sku "
                "node-image-version storageprofile storagetier accelerator"
            ),
        ),
        ("node.openshift.io", "os_id"),
        ("nvidia.com", "gpu mig.config mig.config.state gpu.clique gpu.imex-domain"),
        ("amd.com", "gpu"),
        ("gpu.intel.com", "i915 xe"),
        ("feature.node.kubernetes.io", "memory-numa storage-nonrotationaldisk"),
    )
    for name in names.split()
) | {"type"}
"""Keys that platforms set, whatever their value."""

_WORDS: Final = (
    (r"(beta\.)?kubernetes\.io/arch", "386 amd64 arm arm64 ppc64le riscv64 s390x"),
    (r"(beta\.)?kubernetes\.io/os", "linux windows"),
    (r"karpenter\.sh/capacity-type", "on-demand reserved spot"),
    (r"type", "kwok virtual-kubelet"),
    (r"nvidia\.com/gpu\.mode", "compute graphics unknown"),
    (
        r"nvidia\.com/gpu\.family",
        (
            "ada-lovelace ampere blackwell hopper kepler maxwell pascal turing "
            "undefined volta"
        ),
    ),
    (r"nvidia\.com/gpu\.sharing-strategy", "none mps time-slicing"),
    (r"nvidia\.com/mig\.strategy", "mixed none single"),
    (r"nvidia\.com/mig\.config\.state", "failed pending rebooting success"),
    (r"(beta\.)?amd\.com/gpu\.family", "AI AR CI CZ KV NV RV SI VI"),
)
"""Keys, and all values of theirs that are kept."""

_FORMS: Final = (
    (r"node\.kubernetes\.io/windows-build", r"[0-9.]{1,12}"),
    (
        r"nvidia\.com/mig\.config",
        r"all-(disabled|enabled|balanced|[1-7]g\.[0-9]{1,3}gb(\.me)?)",
    ),
    (
        r"nvidia\.com/(cuda|mofed|vgpu)\.[a-z.-]{1,40}",
        r"[0-9]{1,4}([.-][0-9]{1,4}){0,4}",
    ),
    (
        (
            r"nvidia\.com/((gpu|mig)\.(present|count|memory|replicas|capable"
            r"|compute\.(major|minor)|engines\.[a-z]{1,8}|slices\.[a-z]{1,4}"
            r"|multiprocessors|deploy\.[a-z-]{1,32})|mps\.capable|gfd\.timestamp)"
        ),
        r"[0-9]{1,7}|true|false",
    ),
    (
        r"nvidia\.com/gpu\.product",
        (
            r"(NVIDIA|Tesla|Quadro|GRID|GeForce)(-(RTX|GTX|GeForce|Tesla|TITAN|PCIE|PCIe"
            r"|SXM|NVL|HBM[0-9]e?|MIG|SHARED|Ada|Generation|SUPER|Ti|Laptop|GPU"
            r"|[A-Z]{0,4}[0-9]{1,4}[A-Z]{0,2}|[1-7]g\.[0-9]{1,3}gb(\.me)?)){1,8}"
        ),
    ),
    (
        (
            r"(beta\.)?amd\.com/gpu\.(cu-count|simd-count|device-id|vram)"
            r"|gpu\.intel\.com/(millicores|memory\.max|cards|tiles"
            r"|device-id\.[0-9a-f-]{1,20}\.(count|present))"
        ),
        r"[0-9]{1,7}[GMT]?|[0-9a-f]{4}|true|false",
    ),
    (
        (
            r"intel\.feature\.node\.kubernetes\.io/(gpu|npu|qat|sgx|dsa|dlb|iaa)"
            rf"|feature\.node\.kubernetes\.io/(cpu-cpuid\.({_FLAGS})"
            r"|cpu-(hardware_multithreading|coprocessor\.nx_gzip|cstate\.enabled"
            r"|pstate\.(turbo|status|scaling_governor)|sst\.bf\.enabled"
            r"|rdt\.RDT[A-Z0-9_]{1,16}|model\.(family|id|vendor_id|hypervisor)"
            r"|security\.(sgx|se|tdx|sev)(\.[a-z]{1,9}){0,2}|topology\.socket_count)"
            r"|kernel-(selinux|kvm)\.enabled|kernel-version\.(major|minor|revision)"
            r"|memory-(numa|nv\.present|nv\.dax|swap\.enabled)|network-sriov\.(capable"
            r"|configured)|pci-[0-9a-f]{4}(_[0-9a-f]{4}){0,3}\.(present|sriov\.capable)"
            r"|storage-nonrotationaldisk|usb-[0-9a-f]{2}(_[0-9a-f]{4}){0,2}\.present)"
        ),
        r"[0-9]{1,7}|true|false|active|passive|off|AMD|ARM|Intel",
    ),
)
"""Keys, and what those of their values look like that are kept."""

_TEXTS: Final = re.compile(
    (
        r"nvidia\.com/gpu\.machine"
        r"|feature\.node\.kubernetes\.io/system-os_release\.(ID|VERSION_ID(\.(major|minor))?"
        r"|OSTREE_VERSION|OPENSHIFT_VERSION|RHEL_VERSION)"
        r"|feature\.node\.kubernetes\.io/kernel-version\.full"
    ),
    re.ASCII,
)
"""Keys whose values are texts: see `harmless.is_text`."""

_VALUES: Final = tuple(
    (re.compile(key, re.ASCII), re.compile(value, re.ASCII))
    for key, value in (
        *((key, "|".join(map(re.escape, words.split()))) for key, words in _WORDS),
        *_FORMS,
    )
)


def is_key(key: str) -> bool:
    """Whether a key is kept."""
    if key in KEYS or _TEXTS.fullmatch(key):
        return True
    return any(pattern.fullmatch(key) for pattern, _ in _VALUES)


def is_value(key: str, value: str) -> bool:
    """Whether a value is kept."""
    if value in harmless.NOTHING:
        return True
    if _TEXTS.fullmatch(key):
        return harmless.is_text(value)
    return any(
        keys.fullmatch(key) and values.fullmatch(value) for keys, values in _VALUES
    )
