"""Hosts that differ in what Node Feature Discovery looks at.

Their names say in what; see `host_trees` for what a description is.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Final

from tests.tools.host_trees import (
    BLOCK,
    DMI,
    FEATURES,
    FOLDER,
    GONE,
    HUGE,
    ND,
    NET,
    PCI,
    PIPE,
    RELEASE,
    USB,
    Entries,
    Entry,
    Link,
)


def _of(folder: str, **files: Entry) -> dict[str, Entry]:
    """Files of one folder; `__` in a name stands for a slash."""
    return {f"{folder}/{name.replace('__', '/')}": each for name, each in files.items()}


def _pci(slot: str, ids: str, **files: Entry) -> dict[str, Entry]:
    """A device: class, vendor, device, and those of the subsystem."""
    names = ("class", "vendor", "device", "subsystem_vendor", "subsystem_device")
    known = {
        name: f"0x{value}\n" for name, value in zip(names, ids.split(), strict=True)
    }
    return _of(f"{PCI}/{slot}", **known, **files)


def _usb(port: str, ids: str, **files: Entry) -> dict[str, Entry]:
    """A device: class, vendor and product."""
    names = ("bDeviceClass", "idVendor", "idProduct")
    known = {name: f"{value}\n" for name, value in zip(names, ids.split(), strict=True)}
    return _of(f"{USB}/{port}", **known, **files)


def _features(**files: Entry) -> dict[str, Entry]:
    return {f"{FEATURES}/{name}": each for name, each in files.items()}


def _kernel(release: str, **more: Entry) -> dict[str, Entry]:
    return {RELEASE: release, **more}


def packed(content: bytes) -> bytes:
    """One gzip member, the same each time."""
    return gzip.compress(content, mtime=0)


_PACKED: Final = packed(b"CONFIG_IKCONFIG_PROC=y\nCONFIG_HZ=1000\n")
_LONG: Final = "x" * (1 << 16)
_FAR: Final = "2999-01-01T00:00:00Z"
_PAST: Final = "2001-01-01T00:00:00Z"

KERNELS: Final[Mapping[str, Entries]] = {
    "a-kernel-of-rhel": _kernel("5.14.0-427.13.1.el9_4.x86_64\n"),
    "a-kernel-in-real-time": _kernel("5.14.0-427.13.1.el9_4.x86_64+rt\n"),
    "a-kernel-of-debian-13": _kernel("6.12.74+deb13+1-amd64\n"),
    "a-kernel-of-azure-linux": _kernel("6.6.134.1-2.azl3\n"),
    "a-kernel-with-a-plus-at-its-end": _kernel("6.12.55+\n"),
    "a-kernel-with-a-major-alone": _kernel("6-talos\n"),
    "a-kernel-without-a-revision": _kernel(" \t6.18\u00a0\n"),
    "a-kernel-between-dashes": _kernel("-_.6.1.0-._-\n"),
    "a-kernel-of-two-lines": _kernel("6.1.0\n6.2.0\n"),
    "a-kernel-of-odd-characters": _kernel("6.1.0-größe\udcff\udce2\udc82/🙂\n"),
    "a-kernel-of-digits-beyond-ascii": _kernel("६.1.0\n"),
    "a-kernel-without-a-name": _kernel("\n"),
    "a-kernel-that-is-not-told": _kernel("x")
    | {RELEASE: GONE, "/usr/src/linux/.config": "CONFIG_A=y\n"},
    "a-kernel-that-leads-elsewhere": {
        RELEASE: "../../x\n",
        "/usr/src/x/.config": "CONFIG_LEXICAL=y\n",
        "/usr/src/linux-..": Link("/opt/deep"),
        "/opt/deep": FOLDER,
        "/opt/x/.config": "CONFIG_PHYSICAL=y\n",
    },
    "options-packed-in-proc": {"/proc/config.gz": _PACKED},
    "options-packed-in-two-members": {
        "/proc/config.gz": _PACKED + packed(b"CONFIG_MORE=m")
    },
    "options-that-are-not-packed": {"/proc/config.gz": "CONFIG_PLAIN=y\n"},
    "options-whose-end-is-missing": {"/proc/config.gz": _PACKED[:-9]},
    "options-with-rubbish-behind": {"/proc/config.gz": _PACKED + b"\0\0\0"},
    "options-of-nothing": {"/proc/config.gz": b""},
    "options-of-nothing-packed": {"/proc/config.gz": packed(b"")},
    "options-that-are-a-folder": {
        "/proc/config.gz": FOLDER,
        "/boot/config-6.8.0-52-generic": GONE,
        "/boot/config-6.8.0-52-generic/x": "",
    },
    "options-nowhere": {"/boot/config-6.8.0-52-generic": GONE},
    "options-oddly-written": {
        "/boot/config-6.8.0-52-generic": (
            'CONFIG_A=""quoted""\r\nCONFIG_B= y \n CONFIG_C=y\nCONFIG_D\nCONFIG_=z\n'
            "CONFIG_E=a=b\nCONFIG_F=<&>\u2028\udcff\nCONFIG_A=again\nCONFIG_G=m"
        ),
    },
    "modules-oddly-written": {
        "/proc/modules": "a\tb\n  c d\n\ne\u2003f\n\udcff 1\n<x> 1\ny\x1cz 1\nword\n",
        "/lib/modules/6.8.0-52-generic/modules.builtin": (
            "  kernel/a-b.ko \n/.ko\nkernel/c.ko.xz\nd.ko\r\n\u00a0e.ko\nf/\n.ko\n"
        ),
    },
    "modules-only-loaded": {"/lib/modules/6.8.0-52-generic/modules.builtin": GONE},
    "modules-only-built-in": {"/proc/modules": GONE},
    "modules-none": {
        "/proc/modules": "",
        "/lib/modules/6.8.0-52-generic/modules.builtin": "",
    },
    "modules-that-are-a-folder": {
        "/proc/modules": FOLDER,
        "/lib/modules/6.8.0-52-generic/modules.builtin": FOLDER,
    },
    "selinux-that-enforces": {"/sys/fs/selinux/enforce": "1"},
    "selinux-that-warns": {"/sys/fs/selinux/enforce": "0"},
    "selinux-that-cannot-be-read": {"/sys/fs/selinux/enforce": FOLDER},
    "selinux-below-a-file": {"/sys/fs/selinux": "1"},
    "no-file-systems": {"/sys/fs": GONE},
    "virtual-machines-can-run": {"/sys/devices/virtual/misc/kvm/dev": "10:232\n"},
    "virtual-machines-below-a-file": {"/sys/devices/virtual/misc": "x"},
}
"""Kernels: versions, options, modules, SELinux, KVM."""

_CONFIGS: Final = (
    "/usr/src/linux-1/.config",
    "/usr/src/linux-rt-1/.config",
    "/usr/src/linux/.config",
    "/usr/lib/modules/1/config",
    "/usr/lib/ostree-boot/config-1",
    "/usr/lib/kernel/config-1",
    "/usr/src/linux-headers-1/.config",
    "/lib/modules/1/build/.config",
    "/usr/src/linux-rt-headers-1/.config",
    "/boot/config-1",
)
PLACES_OF_OPTIONS: Final[Mapping[str, Entries]] = {
    f"options-in-place-{index}": {RELEASE: "1"}
    | {path: f"CONFIG_FROM={path}\n" for path in _CONFIGS[index:]}
    for index in range(len(_CONFIGS))
}
"""Each place, with all that come after it."""

MEMORIES: Final[Mapping[str, Entries]] = {
    "swap": {"/proc/swaps": "Filename\n/dev/sda2 partition 1 0 -2\n"},
    "swap-without-a-heading": {"/proc/swaps": "\n \n\u2003\n/swap\n"},
    "swap-that-is-not-told": {"/proc/swaps": GONE},
    "two-numa-nodes": {"/sys/bus/node/devices/node1": FOLDER},
    "no-numa-node": {
        "/sys/bus/node/devices/node0": GONE,
        "/sys/bus/node/devices": FOLDER,
    },
    "numa-that-is-not-told": {"/sys/bus/node/devices/node0": GONE},
    "numa-in-a-file": {
        "/sys/bus/node/devices/node0": GONE,
        "/sys/bus/node/devices": "x",
    },
    "persistent-memory": _of(f"{ND}/dax0.0", devtype="nd_dax\n", mode="devdax\n")
    | _of(f"{ND}/region0", devtype="nd_pmem\n")
    | _of(f"{ND}/ndbus0", mode=FOLDER),
    "persistent-memory-of-none": {ND: FOLDER},
    "persistent-memory-in-a-file": {ND: "x"},
    "huge-pages-of-several-sizes": {
        f"{HUGE}/hugepages-{size}kB/nr_hugepages": f"{count}\n"
        for size, count in ((64, 0), (2048, 1024), (32768, 0), (1048576, 4))
    },
    "huge-pages-none": {f"{HUGE}/hugepages-2048kB/nr_hugepages": GONE},
    "huge-pages-in-a-file": {
        f"{HUGE}/hugepages-2048kB/nr_hugepages": GONE,
        HUGE: "x",
    },
    "huge-pages-of-odd-names": {
        f"{HUGE}/{name}/nr_hugepages": f"{count}\n"
        for count, name in enumerate(
            (
                "hugepages-3kB",
                "hugepages-0004kB",
                "hugepages-0kB",
                "hugepages-kB",
                "hugepages-+7kB",
                "hugepages--8kB",
                "hugepages-1024",
                "hugepages-99999999999kB",
                "hugepages-999999999999kB",
                "hugepages-9223372036854775807kB",
                "hugepages-99999999999999999999999kB",
                "hugepages-000000000000000000000000000008kB",
                "hugepages-abckB",
                "hugepages-2MkB",
                "hugepages-16kBkB",
                "32",
                "hugepages-hugepages-8kB",
            ),
            start=-1,
        )
    },
    "huge-pages-of-odd-counts": {
        f"{HUGE}/hugepages-{8 * size}kB/nr_hugepages": count
        for size, count in enumerate(("", " +0 ", "1_0", "٣", "-3", "x"), start=1)
    }
    | _of(f"{HUGE}/hugepages-256kB", nr_hugepages=FOLDER)
    | _of(HUGE, file="1", **{"hugepages-8192kB": FOLDER})
    | _of(HUGE, **{"hugepages-4096kB": Link("hugepages-8kB")}),
    "huge-pages-beyond-any-number": {
        f"{HUGE}/hugepages-2048kB/nr_hugepages": "9223372036854775808"
    },
    "huge-pages-at-the-highest-number": {
        f"{HUGE}/hugepages-2048kB/nr_hugepages": "0009223372036854775807"
    },
    "huge-pages-with-a-sign": {f"{HUGE}/hugepages-2048kB/nr_hugepages": "+5\n"},
}
"""Memory."""

DEVICES: Final[Mapping[str, Entries]] = {
    "a-network-card-with-functions": _of(
        f"{NET}/ens1f0",
        operstate="up\n",
        speed="25000\n",
        mtu="9000\n",
        device__sriov_numvfs="8\n",
        device__sriov_totalvfs="64\n",
    )
    | _of(f"{NET}/ens1f0v0", operstate="down\n", mtu="1500\n", device__x=""),
    "a-bond-and-its-cards": _of(f"{NET}/bond0", operstate="up\n", speed="20000\n")
    | _of(f"{NET}/eth0", device=Link("../../../devices/eth0"), mtu="1500\n")
    | {f"{NET}/bonding_masters": "bond0\n", "/sys/devices/eth0": FOLDER},
    "interfaces-of-odd-shapes": {
        f"{NET}/file": "x",
        f"{NET}/lost": Link("nowhere"),
        f"{NET}/loop": Link("loop"),
        f"{NET}/eth9/device": Link("nowhere"),
        f"{NET}/eth8/device": "a file\n",
        f"{NET}/eth8/operstate": FOLDER,
        f"{NET}/\udcff\udcfe/mtu": "\udcc3(\n",
        f"{NET}/é<&>/mtu": "\x1b\x7f\u2028\u0085\n",
        f"{NET}/absolute": Link("/sys/devices/net0"),
        "/sys/devices/net0/mtu": "1\n",
    },
    "no-interfaces": {
        f"{NET}/lo/operstate": GONE,
        f"{NET}/lo/mtu": GONE,
        NET: FOLDER,
    },
    "pci-devices": _pci("0000:00:00.0", "060000 8086 0d57 0000 0000")
    | _pci(
        "0000:3b:00.0",
        "020000 8086 1593 8086 0002",
        sriov_totalvfs="64\n",
        iommu_group__type="DMA-FQ\n",
        iommu__intel_iommu="x",
    )
    | _pci("0000:3b:00.1", "020000 8086 1593 8086 0002", sriov_totalvfs=FOLDER)
    | _pci("0000:af:00.0", "030200 10de 2330 10de 16c1")
    | {f"{PCI}/0000:af:00.0/iommu/intel-iommu/version": "1:0\n"},
    "pci-devices-that-are-links": {
        f"{PCI}/0000:00:01.0": Link("../../../devices/pci0000:00/0000:00:01.0"),
    }
    | {
        path.replace("/sys/bus/pci/devices", "/sys/devices/pci0000:00"): entry
        for path, entry in _pci("0000:00:01.0", "010802 1d0f cd01 1d0f cd01").items()
    },
    "pci-devices-oddly-written": _pci("0000:00:02.0", "ab 0x1 0X2 \udcff é")
    | _of(
        f"{PCI}/0000:00:03.0",
        **{
            "class": "123é5",
            "vendor": " 0x8086 ",
            "device": "",
            "subsystem_vendor": "",
        },
        subsystem_device="\n",
    )
    | _of(f"{PCI}/0000:00:04.0", **{"class": "0x030000\n", "vendor": "0x10de\n"})
    | {f"{PCI}/0000:00:05.0": "x"},
    "disks": _of(
        f"{BLOCK}/nvme0n1/queue",
        dax="0\n",
        rotational="0\n",
        nr_zones="0\n",
        zoned="none",
    )
    | _of(f"{BLOCK}/sda/queue", rotational="1\n", dax=FOLDER)
    | _of(f"{BLOCK}/sdb/queue", zoned="host-managed\n", nr_zones="55880\n")
    | {f"{BLOCK}/loop0": FOLDER, f"{BLOCK}/zram0": "x"},
    "usb-devices": _usb("1-1", "00 046d c52b", serial="A<1>\n")
    | _of(f"{USB}/1-1/1-1:1.0", bInterfaceClass="03\n")
    | _of(f"{USB}/1-1/1-1:1.1", bInterfaceClass="03\n")
    | _of(f"{USB}/1-1/1-1:1.2", bInterfaceClass="ff\n")
    | _of(f"{USB}/1-1/power", control="auto")
    | {f"{USB}/1-1/1-1:1.3": Link("1-1:1.2"), f"{USB}/1-1/driver": "x"}
    | _usb("usb1", "09 1d6b 0002", serial="0000:00:14.0\n")
    | _of(f"{USB}/1-0:1.0", bInterfaceClass="09\n"),
    "usb-devices-of-odd-shapes": _usb("1-2", "00 1 2")
    | _usb("1-3", "00 1 3")
    | _of(f"{USB}/1-3/a", bInterfaceClass="01\n")
    | _of(f"{USB}/1-3/b", bInterfaceClass=FOLDER)
    | _of(f"{USB}/1-4", idProduct=Link("nowhere"), serial=" \n")
    | _of(f"{USB}/1-5", idProduct="5\n", bDeviceClass="\n")
    | _of(f"{USB}/1-6", bDeviceClass="00\n", idProduct="6\n")
    | _of(f"{USB}/1-6/a", bInterfaceClass="\n")
    | _of(f"{USB}/.hidden", idProduct="7\n")
    | {f"{USB}/file": "x", f"{USB}/1-8": Link("1-5")},
    "usb-in-a-file": {USB: "x"},
}
"""Devices: network, PCI, storage, USB."""

SYSTEMS: Final[Mapping[str, Entries]] = {
    "os-release-oddly-quoted": {
        "/etc/os-release": (
            'A=\'single\'\nB="double"\nC="\'both\'"\nD="\nE=\nF= spaced \n G=x\n'
            'H=a=b\r\n#I=1\nJ-K=1\nL=\udcff\nM="a" # b\nÖ=1\nA=again\nN=<&>\u2029\n'
            "VERSION_ID=9.4.1-x"
        )
    },
    "os-release-with-a-long-line": {
        "/etc/os-release": f"A=1\nB={_LONG[:65532]}\nC={_LONG[:65533]}\nD=1\n"
    },
    "os-release-with-a-longest-line-last": {
        "/etc/os-release": f"A=1\nB={_LONG[:65533]}"
    },
    "os-release-with-a-line-too-long-last": {
        "/etc/os-release": f"A=1\nB={_LONG[:65534]}"
    },
    "os-release-with-a-long-line-of-windows": {
        "/etc/os-release": f"A=1\nB={_LONG[:65532]}\r\nC=1\n"
    },
    "os-release-that-is-a-folder": {"/etc/os-release": FOLDER},
    "os-release-that-is-empty": {"/etc/os-release": ""},
    "os-release-that-is-a-link": {
        "/etc/os-release": Link("../usr/lib/os-release"),
        "/usr/lib/os-release": "ID=rhel\nVERSION_ID=9\n",
    },
    "os-release-that-is-an-absolute-link": {
        "/etc/os-release": Link("/etc/static/os-release"),
        "/etc/static": Link("/nix/etc"),
        "/nix/etc/os-release": "ID=nixos\nVERSION_ID='25.05'\n",
    },
    "os-release-whose-link-would-leave": {
        "/etc/os-release": Link("../../../../../../../../usr/lib/os-release"),
        "/usr/lib/os-release": "ID=inside\n",
    },
    "os-release-that-leads-nowhere": {"/etc/os-release": Link("nowhere")},
    "os-release-that-leads-to-itself": {"/etc/os-release": Link("os-release")},
    "os-release-with-a-letter-before-the-number": {
        "/etc/os-release": "ID=talos\nVERSION_ID=v1.13.10\n"
    },
    "os-release-with-one-number": {"/etc/os-release": "VERSION_ID=2023\n"},
    "os-release-with-a-dot-at-the-end": {"/etc/os-release": "VERSION_ID=12.\n"},
    "os-release-with-a-word-after-the-number": {
        "/etc/os-release": "VERSION_ID=12.x.y\n"
    },
    "what-the-firmware-says": _of(
        DMI,
        bios_vendor="SeaBIOS\n",
        product_name="  PowerEdge <R750> \n",
        sys_vendor="\n",
        product_uuid="secret\n",
        chassis_type=FOLDER,
        board_name="\udcff\udcfe\n",
    ),
}
"""Operating systems and firmware."""

LOCALS: Final[Mapping[str, Entries]] = {
    "feature-files": _features(
        b="vendor.io/x=2\nplain\nempty=\n\n# a comment\n=nameless\n a = b = c \n",
        a="vendor.io/x=1\nonly.a=1\n",
    )
    | _features(**{".hidden": "hidden=1\n", "Z": "plain=capital\n"}),
    "feature-files-with-times": _features(
        a=(
            f"first=1\n# +expiry-time={_PAST}\nover=1\n# +expiry-time={_FAR}\nback=1\n"
            "# +expiry-time=rubbish\nstill=1\n# +expiry-time\nstill2=1\n"
            f"# +expiry-time=  {_PAST} \n# +no-label\nover2=1\n# +no-feature\n"
            f"# +expiry-time={_FAR}\nneither=1\nboth=1\n"
        ),
        b=f"# +expiry-time={_PAST}\n# +expiry-time=2001\nstill-over=1\n",
        c="next-file=1\n",
    ),
    "feature-files-with-odd-times": _features(
        **{
            f"f{index}": f"# +expiry-time={time}\nk{index}=1\n"
            for index, time in enumerate(
                (
                    "2999-01-01T00:00:00+01:00",
                    "2999-01-01t00:00:00z",
                    "2999-01-01T0:00:00Z",
                    "2999-01-01T00:00:00,5Z",
                    "2999-02-29T00:00:00Z",
                    "2999-01-01T24:00:00Z",
                    "2999-01-01 00:00:00Z",
                    "0000-01-01T00:00:00Z",
                    "0001-01-01T00:00:00Z",
                    "0000-01-01T00:00:00+23:00",
                    "9999-12-31T23:59:59-23:00",
                    "12999-01-01T00:00:00Z",
                    "2001-01-01T00:00:00.999999999999Z",
                    "\udcff",
                    "=2001-01-01T00:00:00Z",
                    "",
                )
            )
        }
    ),
    "feature-files-with-directives": _features(
        a=(
            "# +no-feature\nlabel-only=1\n# +no-label\nfeature-only\n# +no-feature\n"
            "# +no-label\nnothing=1\nboth=1\n# +no-feature=with-a-value\nl=1\n"
            "#+no-feature\nb1=1\n# + no-feature\nb2=1\n  # +no-label  \nf2=1\n"
            "# +unknown\nb3=1\n# +\nb4=1\n# +no-label\n# a comment\n\nf3=1\n"
            "taken=1\n# +no-feature\ntaken=2\nback=1\n# +no-label\nback=2\nback=3\n"
            "# +NO-LABEL\nb5=1\n"
        ),
        b="# +no-label\nback=from-b\n# +no-feature\ntaken=from-b\n",
    ),
    "feature-files-oddly-written": _features(
        a=b"crlf=1\r\n\xff=1\n\xfe=2\nx=\xe2\x82\n\xc2\xa0nbsp=1\xc2\xa0\nno-end=1",
        b='\u2028sep\u2028\nnul=\x00\nctl\x01=\x1f\nq"=\\\n<a>=&\n🙂=1\n\ufffd=genuine\n',
    ),
    "feature-files-at-the-limit": _features(
        a="a=1\n".ljust(65536, "x"), b="b=1\n".ljust(65537, "x"), c="c=1\n"
    ),
    "feature-files-of-odd-kinds": _features(
        a=FOLDER,
        b=Link("nowhere"),
        c=Link("../../../c"),
        d=Link("/etc/absolute"),
        e=PIPE,
    )
    | {"/etc/c": "c=1\n", "/etc/absolute": "d=1\n", f"{FEATURES}/a/nested": "n=1\n"},
    "feature-files-none": {FEATURES: FOLDER},
    "feature-files-in-a-file": {FEATURES: "x=1\n"},
}
"""Files below `features.d`."""

TREES: Final[Mapping[str, Entries]] = {
    "as-the-base": {},
    **KERNELS,
    **PLACES_OF_OPTIONS,
    **MEMORIES,
    **DEVICES,
    **SYSTEMS,
    **LOCALS,
}
"""All of them, by name."""

WHOLE: Final[Entries] = {
    **DEVICES["a-network-card-with-functions"],
    **DEVICES["a-bond-and-its-cards"],
    **DEVICES["pci-devices"],
    **DEVICES["disks"],
    **DEVICES["usb-devices"],
    **KERNELS["options-packed-in-proc"],
    **KERNELS["selinux-that-enforces"],
    **KERNELS["virtual-machines-can-run"],
    **MEMORIES["persistent-memory"],
    **SYSTEMS["what-the-firmware-says"],
    **LOCALS["feature-files"],
}
"""A host on which every source has something to publish."""
