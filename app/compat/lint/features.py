"""Every feature that NFD v0.19 publishes, and what is known of its elements.

Source: `docs/usage/customization-guide.md` (*Available features*) and `source/` of
NFD v0.19.0. Where the two differ the code counts: `cpu.pstate` has
`scaling_governor`, not `scaling`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from app.compat.lint import cpuid


class Kind(Enum):
    """What an element's value is."""

    TEXT = "text"
    VERSION = "a version"
    NUMBER = "a number"
    BOOLEAN = '"true" or "false"'
    ONLY_TRUE = '"true", or the element is absent'
    PCI_ID = "four hexadecimal digits in lower case"
    USB_ID = "hexadecimal digits in lower case"


class Form(Enum):
    """How a feature's elements are published."""

    FLAG = "flags"
    ATTRIBUTE = "attributes"
    INSTANCE = "instances"


@dataclass(frozen=True, slots=True)
class Element:
    """One element.

    Attributes:
        kind: of its value.
        absent: on which hosts it is missing; empty if it always is there.
        values: all that its value can be; empty if that is open.
    """

    kind: Kind = Kind.TEXT
    absent: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature.

    Attributes:
        form: how its elements are published.
        elements: name -> what is known of it.
        others: what other names look like; empty if there are no others.
        otherwise: what is known of an element with such a name.
        absent: on which hosts the whole feature is missing; empty if on none.
    """

    form: Form
    elements: Mapping[str, Element] = field(default_factory=dict)
    others: str = ""
    otherwise: Element = Element()
    absent: str = ""

    def element(self, name: str) -> Element | None:
        """What is known of an element; `None` if NFD never publishes it."""
        known = self.elements.get(name)
        if known is None and self.others and re.fullmatch(self.others, name):
            return self.otherwise
        return known


_TEXT: Final = Element()
_NUMBER: Final = Element(Kind.NUMBER)
_BOOLEAN: Final = Element(Kind.BOOLEAN, values=("true", "false"))
_HOSTS: Final = "hosts without it"
_SOME: Final = Element(absent=_HOSTS)
_SOME_NUMBER: Final = Element(Kind.NUMBER, _HOSTS)
_ONLY_TRUE: Final = Element(Kind.ONLY_TRUE, _HOSTS, ("true",))
_ID: Final = Element(Kind.PCI_ID)
_DIGIT: Final = Element(Kind.NUMBER, _HOSTS, ("0", "1"))

# https://github.com/nyrahul/linux-kernel-configs and published node labels
_UNSPLIT: Final = 'hosts whose release NFD cannot split ("6.6.134.1-2.azl3")'

VENDORS: Final = (
    *("Intel", "AMD", "VIA", "Transmeta", "NSC", "KVM", "MSVM", "VMware", "XenHVM"),
    *("Bhyve", "Hygon", "SiS", "RDC", "Ampere", "ARM", "Broadcom", "Cavium", "DEC"),
    *("Fujitsu", "Infineon", "Motorola", "NVIDIA", "AMCC", "Qualcomm", "Marvell"),
    *("QEMU", "QNX", "ACRN", "SRE", "Apple", "SiFive", "StarFive", "THead", "Andes"),
    *("SpacemiT", "VendorUnknown", "IBM_S390"),
)
"""What klauspost/cpuid v2.4.0 calls vendors, and s390x its own."""

_DMI: Final = (
    *("bios_date", "bios_vendor", "bios_version", "board_asset_tag", "board_name"),
    *("board_vendor", "board_version", "chassis_asset_tag", "chassis_vendor"),
    *("chassis_version", "product_family", "product_name", "product_sku"),
    *("product_version", "sys_vendor"),
)
_OS_RELEASE: Final = (
    *("VERSION", "VERSION_CODENAME", "PRETTY_NAME", "ID_LIKE", "BUILD_ID"),
    *("VARIANT", "VARIANT_ID", "IMAGE_ID", "IMAGE_VERSION", "CPE_NAME"),
    *("OPENSHIFT_VERSION", "RHEL_VERSION", "PLATFORM_ID"),
)
_ANY: Final = "(?s:.*)"

FEATURES: Final[Mapping[str, Feature]] = MappingProxyType(
    {
        "cpu.cpuid": Feature(
            Form.FLAG,
            {"AVX10_VERSION": _SOME_NUMBER, **dict.fromkeys(cpuid.EVERY, _SOME)},
        ),
        "cpu.cstate": Feature(
            Form.ATTRIBUTE,
            {
                "enabled": Element(
                    Kind.BOOLEAN, "hosts without intel_idle", ("true", "false")
                )
            },
        ),
        "cpu.model": Feature(
            Form.ATTRIBUTE,
            {
                "vendor_id": Element(values=VENDORS),
                "family": _NUMBER,
                "id": _NUMBER,
                "hypervisor": Element(absent="NFD before 0.18"),
            },
        ),
        "cpu.pstate": Feature(
            Form.ATTRIBUTE,
            {
                "status": Element(
                    absent="hosts without intel_pstate",
                    values=("off", "active", "passive"),
                ),
                "turbo": Element(
                    Kind.BOOLEAN, "hosts without intel_pstate", ("true", "false")
                ),
                "scaling_governor": Element(absent="hosts without intel_pstate"),
            },
        ),
        "cpu.rdt": Feature(
            Form.ATTRIBUTE,
            {
                **dict.fromkeys(
                    ("RDTMON", "RDTCMT", "RDTMBM", "RDTL3CA", "RDTL2CA", "RDTMBA"),
                    _ONLY_TRUE,
                ),
                "RDTL3CA_NUM_CLOSID": _SOME_NUMBER,
            },
        ),
        "cpu.security": Feature(
            Form.ATTRIBUTE,
            {
                **dict.fromkeys(
                    (
                        *("sgx.enabled", "se.enabled", "tdx.enabled", "tdx.protected"),
                        *("sev.enabled", "sev.es.enabled", "sev.snp.enabled"),
                    ),
                    _ONLY_TRUE,
                ),
                **dict.fromkeys(
                    (
                        *("sgx.epc", "tdx.total_keys", "sev.asids"),
                        "sev.encrypted_state_ids",
                    ),
                    _SOME_NUMBER,
                ),
            },
        ),
        "cpu.sst": Feature(
            Form.ATTRIBUTE,
            {"bf.enabled": Element(Kind.BOOLEAN, _HOSTS, ("true", "false"))},
        ),
        "cpu.topology": Feature(
            Form.ATTRIBUTE,
            {
                "hardware_multithreading": _BOOLEAN,
                "socket_count": _NUMBER,
            },
        ),
        "cpu.coprocessor": Feature(
            Form.ATTRIBUTE,
            {"nx_gzip": Element(Kind.BOOLEAN, _HOSTS, ("true", "false"))},
        ),
        "kernel.config": Feature(
            Form.ATTRIBUTE,
            others=_ANY,
            otherwise=Element(absent="kernels that have the option off"),
            absent="hosts whose kernel configuration cannot be read",
        ),
        "kernel.enabledmodule": Feature(
            Form.FLAG,
            others=_ANY,
            otherwise=_SOME,
            absent="hosts whose modules.builtin cannot be read",
        ),
        "kernel.kvm": Feature(
            Form.ATTRIBUTE, {"enabled": _BOOLEAN}, absent="NFD before 0.19"
        ),
        "kernel.loadedmodule": Feature(
            Form.FLAG,
            others=_ANY,
            otherwise=_SOME,
            absent="hosts without /proc/modules, whose kernel has no modules",
        ),
        "kernel.selinux": Feature(Form.ATTRIBUTE, {"enabled": _BOOLEAN}),
        "kernel.version": Feature(
            Form.ATTRIBUTE,
            {
                "full": _TEXT,
                "major": Element(Kind.NUMBER, _UNSPLIT),
                "minor": Element(Kind.NUMBER, _UNSPLIT),
                "revision": Element(Kind.NUMBER, _UNSPLIT),
            },
        ),
        "local.feature": Feature(Form.ATTRIBUTE, others=_ANY, otherwise=_SOME),
        "local.label": Feature(Form.ATTRIBUTE, others=_ANY, otherwise=_SOME),
        "memory.hugepages": Feature(
            Form.ATTRIBUTE,
            {"enabled": _BOOLEAN},
            others="hugepages-[0-9]+(Ki|Mi|Gi)",
            otherwise=_SOME_NUMBER,
            absent="NFD before 0.18",
        ),
        "memory.numa": Feature(
            Form.ATTRIBUTE, {"is_numa": _BOOLEAN, "node_count": _NUMBER}
        ),
        "memory.nv": Feature(Form.INSTANCE, {"devtype": _TEXT, "mode": _SOME}),
        "memory.swap": Feature(Form.ATTRIBUTE, {"enabled": _BOOLEAN}),
        "network.device": Feature(
            Form.INSTANCE,
            {
                "name": _TEXT,
                "operstate": _TEXT,
                "speed": Element(Kind.NUMBER, "devices that tell no speed"),
                "mtu": _NUMBER,
                "sriov_numvfs": Element(Kind.NUMBER, "devices without SR-IOV"),
                "sriov_totalvfs": Element(Kind.NUMBER, "devices without SR-IOV"),
            },
        ),
        "network.virtual": Feature(
            Form.INSTANCE,
            {
                "name": _TEXT,
                "operstate": _TEXT,
                "speed": Element(Kind.NUMBER, "devices that tell no speed"),
                "mtu": _NUMBER,
            },
            absent="NFD before 0.15",
        ),
        "pci.device": Feature(
            Form.INSTANCE,
            {
                **dict.fromkeys(
                    (
                        *("class", "vendor", "device", "subsystem_vendor"),
                        "subsystem_device",
                    ),
                    _ID,
                ),
                "sriov_totalvfs": Element(Kind.NUMBER, "devices without SR-IOV"),
                "iommu_group/type": Element(absent="devices without an IOMMU"),
                "iommu/intel-iommu/version": Element(absent="devices without one"),
            },
        ),
        "rule.matched": Feature(
            Form.ATTRIBUTE, others=_ANY, otherwise=_SOME, absent="the first rule"
        ),
        "storage.block": Feature(
            Form.INSTANCE,
            {
                "name": _TEXT,
                "dax": _DIGIT,
                "rotational": _DIGIT,
                "nr_zones": Element(Kind.NUMBER, _HOSTS),
                "zoned": _SOME,
            },
        ),
        "system.dmiid": Feature(
            Form.ATTRIBUTE,
            {**dict.fromkeys(_DMI, _SOME), "chassis_type": _SOME_NUMBER},
            absent="hosts without DMI tables",
        ),
        "system.name": Feature(Form.ATTRIBUTE, {"nodename": _TEXT}),
        "system.osrelease": Feature(
            Form.ATTRIBUTE,
            {
                "ID": _TEXT,
                "NAME": _TEXT,
                "VERSION_ID": Element(Kind.VERSION, "rolling releases"),
                "VERSION_ID.major": Element(Kind.NUMBER, "Talos, rolling releases"),
                "VERSION_ID.minor": Element(Kind.NUMBER, "Debian, Talos and others"),
                **dict.fromkeys(_OS_RELEASE, _SOME),
            },
            others="[A-Z][A-Z0-9_]*",
            otherwise=_SOME,
        ),
        "usb.device": Feature(
            Form.INSTANCE,
            {
                "class": Element(Kind.USB_ID),
                "vendor": Element(Kind.USB_ID),
                "device": Element(Kind.USB_ID),
                "serial": _SOME,
            },
        ),
    }
)
"""Feature -> what is known of it."""

DOMAINS: Final = frozenset(name.partition(".")[0] for name in FEATURES) | {
    "custom",
    "fake",
}
"""What stands before the first dot in the names of NFD's own features."""


def element(feature: str, name: str) -> Element | None:
    """What is known of an element; `None` if it is nothing of NFD's."""
    known = FEATURES.get(feature)
    return None if known is None else known.element(name)
