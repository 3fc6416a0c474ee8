"""What each source makes of files; `tests/integration/test_host.py` asks NFD itself."""

from pathlib import Path
from typing import Any

import pytest

from app.host import memory
from app.host.discovery import discover
from tests.tools import host_examples, host_trees

FULL = "full"


def version(full: str, *parts: str) -> dict[str, str]:
    names = ("major", "minor", "revision")
    return {FULL: full, **dict(zip(names, parts, strict=False))}


CARD = {
    "class": "0200",
    "vendor": "8086",
    "device": "1593",
    "subsystem_vendor": "8086",
    "subsystem_device": "0002",
}

IN_TIME = dict.fromkeys(("first", "back", "still", "still2", "both", "next-file"), "1")
ODD_MODULES = {"a", "c", "e", "\ufffd", "<x>", "y\x1cz", "word"}

ROWS: dict[str, dict[str, Any]] = {
    "as-the-base": {
        "kernel.version": version("6.8.0-52-generic", "6", "8", "0"),
        "kernel.config": {
            "64BIT": "y",
            "KVM": "m",
            "LSM": "landlock,lockdown",
            "HZ": "250",
            "EMPTY": "",
        },
        "kernel.loadedmodule": {"vfio_pci", "kvm"},
        "kernel.enabledmodule": {"vfio_pci", "kvm", "nvme-core", "ext4"},
        "kernel.selinux": {"enabled": "false"},
        "kernel.kvm": {"enabled": "false"},
        "local.feature": {},
        "local.label": {},
        "memory.hugepages": {"enabled": "false", "hugepages-2Mi": "0"},
        "memory.numa": {"is_numa": "false", "node_count": "1"},
        "memory.nv": (),
        "memory.swap": {"enabled": "false"},
        "network.device": (),
        "network.virtual": ({"name": "lo", "operstate": "unknown", "mtu": "65536"},),
        "pci.device": (),
        "storage.block": (),
        "system.dmiid": None,
        "usb.device": (),
    },
    "a-kernel-in-real-time": {
        "kernel.version": version("5.14.0-427.13.1.el9_4.x86_64_rt", "5", "14", "0")
    },
    "a-kernel-of-debian-13": {"kernel.version": version("6.12.74_deb13_1-amd64")},
    "a-kernel-of-azure-linux": {"kernel.version": version("6.6.134.1-2.azl3")},
    "a-kernel-with-a-plus-at-its-end": {
        "kernel.version": version("6.12.55", "6", "12", "55")
    },
    "a-kernel-with-a-major-alone": {"kernel.version": version("6-talos", "6", "", "")},
    "a-kernel-between-dashes": {"kernel.version": version("6.1.0", "6", "1", "0")},
    "a-kernel-without-a-name": {"kernel.version": version("")},
    "a-kernel-that-is-not-told": {
        "kernel.version": None,
        "kernel.config": {"A": "y"},
        "kernel.enabledmodule": None,
    },
    "a-kernel-that-leads-elsewhere": {"kernel.config": {"LEXICAL": "y"}},
    "options-packed-in-proc": {"kernel.config": {"IKCONFIG_PROC": "y", "HZ": "1000"}},
    "options-packed-in-two-members": {
        "kernel.config": {"IKCONFIG_PROC": "y", "HZ": "1000", "MORE": "m"}
    },
    "options-of-nothing-packed": {"kernel.config": {}},
    "options-that-are-a-folder": {"kernel.config": {}},
    "options-nowhere": {"kernel.config": None},
    "modules-oddly-written": {
        "kernel.loadedmodule": ODD_MODULES,
        "kernel.enabledmodule": ODD_MODULES | {"a-b", "", "d", "e"},
    },
    "modules-only-loaded": {
        "kernel.loadedmodule": {"vfio_pci", "kvm"},
        "kernel.enabledmodule": None,
    },
    "modules-only-built-in": {
        "kernel.loadedmodule": None,
        "kernel.enabledmodule": {"nvme-core", "ext4"},
    },
    "modules-none": {"kernel.loadedmodule": set(), "kernel.enabledmodule": set()},
    "selinux-that-enforces": {"kernel.selinux": {"enabled": "true"}},
    "selinux-that-warns": {"kernel.selinux": {"enabled": "false"}},
    "selinux-that-cannot-be-read": {"kernel.selinux": None},
    "no-file-systems": {"kernel.selinux": None},
    "virtual-machines-can-run": {"kernel.kvm": {"enabled": "true"}},
    "virtual-machines-below-a-file": {"kernel.kvm": None},
    "swap": {"memory.swap": {"enabled": "true"}},
    "swap-without-a-heading": {"memory.swap": {"enabled": "false"}},
    "swap-that-is-not-told": {"memory.swap": None},
    "two-numa-nodes": {"memory.numa": {"is_numa": "true", "node_count": "2"}},
    "no-numa-node": {"memory.numa": {"is_numa": "false", "node_count": "0"}},
    "numa-that-is-not-told": {"memory.numa": None},
    "persistent-memory": {
        "memory.nv": (
            {"name": "dax0.0", "devtype": "nd_dax", "mode": "devdax"},
            {"name": "ndbus0"},
            {"name": "region0", "devtype": "nd_pmem"},
        )
    },
    "persistent-memory-in-a-file": {"memory.nv": None},
    "huge-pages-of-several-sizes": {
        "memory.hugepages": {
            "enabled": "true",
            "hugepages-64Ki": "0",
            "hugepages-2Mi": "1024",
            "hugepages-32Mi": "0",
            "hugepages-1Gi": "4",
        }
    },
    "huge-pages-none": {"memory.hugepages": {"enabled": "false"}},
    "huge-pages-in-a-file": {"memory.hugepages": None},
    "huge-pages-of-odd-names": {
        "memory.hugepages": {
            "enabled": "true",
            "hugepages-2Mi": "0",
            "hugepages-3Ki": "-1",
            "hugepages-0004Ki": "0",
            "hugepages-0": "2",
            "hugepages-+7Ki": "3",
            "hugepages--8Ki": "4",
            "hugepages-1Mi": "5",
            "hugepages-99999999999Ki": "6",
            "hugepages-999999999999Ki": "7",
            "hugepages-9223372036854775807": "9",
            "hugepages-8Ki": "10",
            "hugepages-16Ki": "13",
            "hugepages-32Ki": "14",
        }
    },
    "huge-pages-beyond-any-number": {
        "memory.hugepages": {
            "enabled": "false",
            "hugepages-2Mi": "9223372036854775808",
        }
    },
    "huge-pages-with-a-sign": {
        "memory.hugepages": {"enabled": "true", "hugepages-2Mi": "+5"}
    },
    "huge-pages-of-odd-counts": {
        "memory.hugepages": {
            "enabled": "false",
            "hugepages-8Ki": "",
            "hugepages-16Ki": "+0",
            "hugepages-24Ki": "1_0",
            "hugepages-32Ki": "٣",
            "hugepages-40Ki": "-3",
            "hugepages-48Ki": "x",
            "hugepages-256Ki": "",
            "hugepages-8Mi": "",
            "hugepages-2Mi": "0",
        }
    },
    "a-network-card-with-functions": {
        "network.device": (
            {
                "name": "ens1f0",
                "operstate": "up",
                "speed": "25000",
                "mtu": "9000",
                "sriov_numvfs": "8",
                "sriov_totalvfs": "64",
            },
            {"name": "ens1f0v0", "operstate": "down", "mtu": "1500"},
        )
    },
    "a-bond-and-its-cards": {
        "network.device": ({"name": "eth0", "mtu": "1500"},),
        "network.virtual": (
            {"name": "bond0", "operstate": "up", "speed": "20000"},
            {"name": "lo", "operstate": "unknown", "mtu": "65536"},
        ),
    },
    "pci-devices": {
        "pci.device": (
            {
                "class": "0600",
                "vendor": "8086",
                "device": "0d57",
                "subsystem_vendor": "0000",
                "subsystem_device": "0000",
            },
            CARD | {"sriov_totalvfs": "64", "iommu_group/type": "DMA-FQ"},
            CARD,
            {
                "class": "0302",
                "vendor": "10de",
                "device": "2330",
                "subsystem_vendor": "10de",
                "subsystem_device": "16c1",
                "iommu/intel-iommu/version": "1:0",
            },
        )
    },
    "pci-devices-oddly-written": {
        "pci.device": (
            {
                "class": "ab",
                "vendor": "0x1",
                "device": "0X2",
                "subsystem_vendor": "\ufffd",
                "subsystem_device": "é",
            },
            {
                "class": "123\ufffd",
                "vendor": "0x8086",
                "device": "",
                "subsystem_vendor": "",
                "subsystem_device": "",
            },
        )
    },
    "disks": {
        "storage.block": (
            {"name": "loop0"},
            {
                "name": "nvme0n1",
                "dax": "0",
                "rotational": "0",
                "nr_zones": "0",
                "zoned": "none",
            },
            {"name": "sda", "rotational": "1"},
            {"name": "sdb", "zoned": "host-managed", "nr_zones": "55880"},
            {"name": "zram0"},
        )
    },
    "usb-devices": {
        "usb.device": (
            *(
                {"class": kind, "vendor": "046d", "device": "c52b", "serial": "A<1>"}
                for kind in ("03", "03", "ff", "ff")
            ),
            {
                "class": "09",
                "vendor": "1d6b",
                "device": "0002",
                "serial": "0000:00:14.0",
            },
        )
    },
    "usb-devices-of-odd-shapes": {
        "usb.device": (
            {"device": "7"},
            {},
            {"device": "5"},
            {"class": "", "device": "6"},
            {"device": "5"},
        )
    },
    "os-release-with-a-long-line": {
        "system.osrelease": {"A": "1", "B": "x" * 65532, "C": "x" * 65533, "D": "1"}
    },
    "os-release-with-a-line-too-long-last": {"system.osrelease": {"A": "1"}},
    "os-release-oddly-quoted": {
        "system.osrelease": {
            "A": "again",
            "B": "double",
            "C": "both",
            "D": "",
            "F": " spaced ",
            "H": "a=b",
            "L": "\ufffd",
            "M": 'a" # b',
            "N": "<&>\u2029",
            "VERSION_ID": "9.4.1-x",
            "VERSION_ID.major": "9",
            "VERSION_ID.minor": "4",
        }
    },
    "os-release-that-is-a-folder": {"system.osrelease": {}},
    "os-release-that-leads-nowhere": {"system.osrelease": None},
    "os-release-with-one-number": {
        "system.osrelease": {"VERSION_ID": "2023", "VERSION_ID.major": "2023"}
    },
    "what-the-firmware-says": {
        "system.dmiid": {
            "bios_vendor": "SeaBIOS",
            "product_name": "PowerEdge <R750>",
            "sys_vendor": "",
            "board_name": "\ufffd\ufffd",
        }
    },
    "feature-files": {
        "local.feature": {
            "vendor.io/x": "2",
            "plain": "true",
            "empty": "",
            "": "nameless",
            "a ": " b = c",
            "only.a": "1",
        }
    },
    "feature-files-with-times": {
        "local.feature": IN_TIME,
        "local.label": IN_TIME,
    },
    "feature-files-with-directives": {
        "local.feature": {
            "feature-only": "true",
            "both": "1",
            **{f"b{number}": "1" for number in range(1, 6)},
            "f2": "1",
            "f3": "1",
            "back": "from-b",
        },
        "local.label": {
            "label-only": "1",
            "both": "1",
            "l": "1",
            **{f"b{number}": "1" for number in range(1, 6)},
            "taken": "from-b",
            "back": "3",
        },
    },
    "feature-files-oddly-written": {
        "local.label": {
            "crlf": "1",
            "\ufffd": "1",
            "x": "\ufffd\ufffd",
            "nbsp": "1",
            "no-end": "1",
            "sep": "true",
            "nul": "\x00",
            "ctl\x01": "\x1f",
            'q"': "\\",
            "<a>": "&",
            "🙂": "1",
        }
    },
    "feature-files-with-odd-times": {
        "local.feature": dict.fromkeys(
            (f"k{number}" for number in (0, 1, 2, 3, 4, 5, 6, 10, 11, 13, 14, 15)), "1"
        )
    },
    "feature-files-of-odd-kinds": {"local.label": {"c": "1", "d": "1"}},
}
"""Example -> feature -> elements; `None` for a feature that is not published."""


@pytest.mark.parametrize("name", ROWS)
def test_a_source_publishes_what_stands_in_files(name: str, tmp_path: Path) -> None:
    root = host_trees.make(tmp_path, host_examples.TREES[name])
    found = discover(root).features
    known = {**found.flags, **found.attributes, **found.instances}
    for feature, elements in ROWS[name].items():
        assert (feature, elements) == (feature, known.get(feature))


@pytest.mark.parametrize(
    ("kibibytes", "expected"),
    [
        ("2048", "2Mi"),
        ("1048576", "1Gi"),
        ("64", "64Ki"),
        ("4", "4Ki"),
        ("0004", "0004Ki"),
        ("+7", "+7Ki"),
        ("-8", "-8Ki"),
        ("", "0"),
        ("-0", "0"),
        ("000", "0"),
        ("99999999999", "99999999999Ki"),
        ("999999999999", "999999999999Ki"),
        ("9223372036854775807", "9223372036854775807"),
        ("9" * 5000, "9223372036854775807"),
        ("1152921504606846976", "9223372036854775807"),
        ("1125899906842624", "1Ei"),
        ("2M", None),
        ("x", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_a_size_is_written_as_kubernetes_writes_it(
    kibibytes: str, expected: str | None
) -> None:
    assert expected == memory.quantity(kibibytes)
