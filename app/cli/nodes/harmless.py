"""What tells nothing of whose node it is: all that `anonymous` keeps.

Everything here is a list of what is known, never of what is secret:

1. features and elements that NFD v0.19 publishes (`compat.lint.features`);
2. their values where these are numbers, identifiers or words of a closed set;
3. texts that consist of words that many hosts have in common (`_WORDS`), of short
   numbers and of codes of models (`R760`, `DL380`);
4. labels by their keys, and values of some of them.

Names of kernel modules and of kernel options are open sets: what looks like one is
kept, and tells its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from app.compat.lint.features import FEATURES, VENDORS, Form, Kind

NOTHING: Final = frozenset({"", "true", "false"})
"""Values that name nobody, wherever they stand."""

_MODULE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_OPTION: Final = re.compile(r"[A-Z0-9][A-Za-z0-9_]{0,79}", re.ASCII)

_KINDS: Final[Mapping[Kind, re.Pattern[str]]] = {
    kind: re.compile(pattern, re.ASCII)
    for kind, pattern in (
        (Kind.NUMBER, r"[+-]?[0-9]{1,7}"),
        (Kind.PCI_ID, r"[0-9a-f]{4}"),
        (Kind.USB_ID, r"[0-9a-f]{2,4}"),
        (Kind.BOOLEAN, r"true|false"),
        (Kind.ONLY_TRUE, r"true"),
    )
}


def _one_of(words: str) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words.split())))


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\S+", text))


_VALUES: Final[Mapping[tuple[str, str], re.Pattern[str]]] = {
    ("cpu.cpuid", "AVX10_VERSION"): _KINDS[Kind.NUMBER],
    ("cpu.model", "hypervisor"): _one_of(
        " ".join(("none", "powervm", "zvm", *(one.lower() for one in VENDORS)))
    ),
    ("cpu.pstate", "scaling_governor"): _one_of(
        "conservative ondemand performance powersave schedutil userspace"
    ),
    ("cpu.security", "sgx.epc"): re.compile(r"[0-9]{1,13}", re.ASCII),
    ("memory.nv", "devtype"): _one_of(
        "nd_btt nd_dax nd_namespace_io nd_namespace_pmem nd_pfn"
    ),
    ("memory.nv", "mode"): _one_of("devdax fsdax memory raw safe sector"),
    ("pci.device", "iommu_group/type"): _one_of("DMA DMA-FQ blocked identity"),
    ("pci.device", "iommu/intel-iommu/version"): re.compile(r"[0-9]{1,2}:[0-9]{1,2}"),
    ("storage.block", "zoned"): _one_of("none host-aware host-managed"),
    ("system.dmiid", "bios_date"): re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}", re.ASCII),
    **dict.fromkeys(
        ((feature, "operstate") for feature in ("network.device", "network.virtual")),
        _one_of("dormant down lowerlayerdown notpresent testing unknown up"),
    ),
}
"""Values of elements that are texts, and yet of few forms."""

_TEXTS: Final[Mapping[str, frozenset[str]]] = {
    "kernel.config": _words(
        """
        ARCH AS_VERSION CC_VERSION_TEXT DEFAULT_CUBIC DEFAULT_IOSCHED
        DEFAULT_NET_SCH DEFAULT_SECURITY DEFAULT_TCP_CONG LOCALVERSION LSM
        OUTPUT_FORMAT PREEMPT ZRAM_DEF_COMP
        """
    ),
    "system.dmiid": _words(
        """
        bios_vendor bios_version board_name board_vendor board_version
        chassis_vendor chassis_version product_family product_name
        product_version sys_vendor
        """
    ),
    "system.osrelease": _words(
        """
        CPE_NAME ID ID_LIKE NAME OPENSHIFT_VERSION OSTREE_VERSION PLATFORM_ID
        PRETTY_NAME RHEL_VERSION SUPPORT_END UBUNTU_CODENAME VARIANT VARIANT_ID
        VERSION VERSION_CODENAME VERSION_ID VERSION_ID.major VERSION_ID.minor
        """
    ),
}
"""Elements whose values are texts: see `is_text`."""

_MORE_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "network.device": frozenset({"address"}),
    "storage.block": frozenset({"model", "serial", "wwid"}),
    "system.dmiid": frozenset(
        ["board_serial", "chassis_serial", "product_serial", "product_uuid"]
    ),
    "system.osrelease": _words(
        """
        ANSI_COLOR BUG_REPORT_URL DEFAULT_HOSTNAME DOCUMENTATION_URL HOME_URL
        LOGO PRIVACY_POLICY_URL SUPPORT_URL VENDOR_NAME VENDOR_URL
        """
    ),
}
"""Elements whose names are known, too; their values are not kept."""

_CONFIGURED: Final = re.compile(r"[ymn]")
_COUNTED: Final = re.compile(
    r"HZ|NR_CPUS|BASE|PHYSICAL_(START|ALIGN)|[A-Z0-9_]+_(SHIFT|BITS|BITS_MAX|BITS_MIN"
    r"|VERSION|TIMEOUT|LEVELS?|ORDER|SIZE|SIZE_MBYTES|THRESHOLD|OFFSET|SECTIONS)",
    re.ASCII,
)
"""Options of the kernel whose values are numbers."""

_COUNT: Final = re.compile(r"-?[0-9]{1,7}|0x[0-9a-fA-F]{1,16}", re.ASCII)

DEVICES: Final = re.compile(
    r"lo|(eth|ib|wlan|bond|team|br|dummy|tunl|sit|docker|virbr|flannel\.)[0-9]{1,4}"
    r"|(en|ib|wl|ww)(P[0-9]{1,5})?(p[0-9]{1,3})?[so][0-9]{1,5}(f[0-9]{1,3})?"
    r"(d[0-9]{1,3}|v[0-9]{1,3}|n?p[0-9]{1,3}|npf?[0-9]{1,3}vf[0-9]{1,3})?"
    r"|(sd|vd|xvd|hd)[a-z]{1,2}|nvme[0-9]{1,3}(c[0-9]{1,3})?n[0-9]{1,3}"
    r"|(loop|dm-|md|sr|zram|ram|nbd|pmem)[0-9]{1,4}|mmcblk[0-9]{1,2}",
    re.ASCII,
)
"""Names as the kernel and udev give them: `eth0`, `enp65s0f0np0`, `nvme0n1`; not
`enx` and an address, nor the digest of a Pod's name."""


def more_names(feature: str) -> frozenset[str]:
    """Elements that hosts have besides those that NFD's documentation names."""
    return _MORE_NAMES.get(feature, frozenset()) | _TEXTS.get(feature, frozenset())


def is_feature(name: str) -> bool:
    """Whether NFD publishes it; the names of others may say whose they are."""
    return name in FEATURES


def is_flag(feature: str, element: str) -> bool:
    """Whether a flag's name is kept; those of `local` are keys of labels."""
    if feature in {"kernel.loadedmodule", "kernel.enabledmodule"}:
        return _MODULE.fullmatch(element) is not None
    known = FEATURES.get(feature)
    return known is not None and known.form is Form.FLAG and element in known.elements


def is_element(feature: str, name: str) -> bool:
    """Whether the name of an attribute is kept."""
    known = FEATURES.get(feature)
    if known is None:
        return False
    if feature == "kernel.config":
        return _OPTION.fullmatch(name) is not None
    if name in known.elements or name in more_names(feature):
        return True
    return feature == "memory.hugepages" and known.element(name) is not None


def is_value(feature: str, name: str, value: str) -> bool:
    """Whether an attribute's value is kept; `kernel.version` has a rule of its own."""
    if value in NOTHING:
        return True
    if name in _TEXTS.get(feature, ()):
        return is_text(value)
    if feature == "kernel.config":
        if _CONFIGURED.fullmatch(value):
            return True
        return bool(_COUNTED.fullmatch(name) and _COUNT.fullmatch(value))
    pattern = _VALUES.get((feature, name))
    if pattern is not None:
        return pattern.fullmatch(value) is not None
    known = FEATURES.get(feature)
    element = known.element(name) if known and is_element(feature, name) else None
    if element is None:
        return False
    if value in element.values:
        return True
    shape = _KINDS.get(element.kind)
    return shape is not None and shape.fullmatch(value) is not None


# Texts ----------------------------------------------------------------------------

WORD: Final = re.compile(r"[^\W_]+")
"""What a text consists of; all between is kept with it."""

_WORDS: Final = _words(
    """
        a aarch64 al alma as bionic almalinux amazon amazonlinux amd amd64 amzn
        apparmor arch arm arm64 asus asustek atomic aws azl azure azurelinux bbr
        bochs bookworm bottlerocket bpf bullseye buster by capability centos
        cisco clang cloud cloudlinux codename compute computer container core
        coreos corp corporation cos cpe cubic cue debian dell dgx ec2 edge
        edition el elf emc engine enterprise esx express family fc fedora
        flatcar focal for forky fq fujitsu gcc gcp generic gigabyte gke gnu
        google h hat hewlett hp hpe huawei hwe i386 i440fx i686 ibm ich9 image
        inc inspur integrity intel international invalid ipe jammy jellyfish k8s
        kinvolk kirkstone kubernetes kvm landlock lenovo linux lld llvm loadpin
        lockdown long lowlatency lp lts lunar lz4 lzo machine mantic mariner
        metal micro microsoft ml mlnx noble none nonserver node null numbat numa
        nvidia o on openshift openstack opensuse optimized oracle os ovirt
        packard pae patch pc photon piix platform plus poweredge preempt
        primergy pro prod production project proliant proxmox pve qemu quanta
        qct r raspberry raspbian realtime red redhat release remix research rev
        rhcos rhel rocky rolling rt s safesetid seabios selinux server service
        sid silver smack sled sles slem sp standard stream supermicro suse
        suselinux support system systems talos tcg technologies technology term
        thinksystem tomoyo transactional trixie tumbleweed ubuntu ultra unknown value
        v version virt virtual virtualbox virtio vmware vyos webhost windows
        wolfi wiwynn x x64 x86 xeon xen xenial xlarge plow yama z zen zstd and the not
        specified to be filled oem default string
        """
)
"""Of systems, kernels, compilers, platforms and vendors, in lower case."""

_CODE: Final = re.compile(
    r"[0-9]{1,4}|(19|20)[0-9]{6}([0-9]{4})?|[A-Z]{1,4}[0-9]{1,4}[A-Z]{0,4}|[0-9]{1,4}[A-Z]{1,3}"
    r"|(al|amzn|azl|cos|deb|el|fc|g|gen|ol|p|ph|pve|r|rc|rt|sp|u|ubuntu|v)[0-9]{1,4}"
    r"|(?i:DGX|VMware|DGXH|Gen|Q)[0-9]{1,4}|TNR|bpo[0-9]{1,3}|[0-9]{1,2}xlarge"
    r"|[0-9]{1,3}(g|gb|kb|mb|me)|[a-z][0-9]{1,2}[a-z]{0,2}",
    re.ASCII,
)
"""Short numbers, days, codes of models and releases."""


ADDRESS: Final = re.compile(
    r"(?<![0-9.])[1-9][0-9]{1,2}(?:\.[0-9]{1,3}){3}(?![0-9])", re.ASCII
)
"""Of IPv4; a release like `6.6.134.1` is none."""


def is_word(word: str) -> bool:
    """Whether many hosts have it."""
    return word.casefold() in _WORDS or _CODE.fullmatch(word) is not None


def is_text(text: str) -> bool:
    """Whether it consists of words that many hosts have, and of ASCII."""
    if not text.isascii() or ADDRESS.search(text):
        return False
    return all(is_word(one[0]) for one in WORD.finditer(text))
