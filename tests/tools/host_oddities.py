"""Hosts with what nobody writes, and what NFD makes of it all the same."""

from __future__ import annotations

from typing import Final

from tests.tools.host_trees import (
    BLOCK,
    DMI,
    FEATURES,
    FOLDER,
    GONE,
    HUGE,
    NET,
    PCI,
    RELEASE,
    USB,
    Entries,
    Link,
)

_DEEP: Final = "/d" + "/a" * 50

TREES: Final[dict[str, Entries]] = {
    "features-with-carriage-returns": {
        f"{FEATURES}/a": "x=1\r\ny=2\r\n# +no-feature\r\nz=3\r\nv=1\rw=2\r"
    },
    "features-after-a-mark-of-byte-order": {f"{FEATURES}/a": "\ufeffx=1\ny=2\n"},
    "features-with-zero-bytes": {f"{FEATURES}/a": b"x\0y=1\0\n\0\nz=2"},
    "features-with-too-many-signs": {
        f"{FEATURES}/a": "=x\na=b=c\n=\n==\n  k  =  v  \n\tq\n"
    },
    "features-with-unicode-s-spaces": {
        f"{FEATURES}/a": "\u00a0x=1\u00a0\n\u2003y=2\u2003\n\u200bz=3\u200b\n"
        "\x85w=4\x85\n\x1cv=5\x1c\n\x0bu=1\x0c\n\x1et=2\x1f\n"
    },
    "directives-that-are-nearly-some": {
        f"{FEATURES}/a": "# +no-label\n# +no-feature\nx=1\n#+no-label\ny=2\n"
        "# + no-label\nz=3\n# +no-label \nw=4\n# +no-label=1\nv=5\n# +NO-LABEL\nu=6\n"
        " # +no-label\nt=7\n"
    },
    "times-that-are-nearly-some": {
        f"{FEATURES}/a": "".join(
            f"# +expiry-time={time}\nx{number}=1\n"
            for number, time in enumerate(
                (
                    *("2000-01-01t00:00:00z", "2999-01-01 00:00:00Z", ""),
                    *("2999-01-01T00:00:00.5Z", "2000-01-01T00:00:00,5Z"),
                    *("2000-01-01T24:00:00Z", "2000-02-30T00:00:00Z"),
                    *("2000-01-01T0:00:00Z", "2000-01-01T00:00:00+24:00"),
                )
            )
        )
    },
    "a-feature-that-another-file-takes-back": {
        f"{FEATURES}/a": "x=1\n# +no-feature\nx=2\n",
        f"{FEATURES}/b": "# +no-label\nx=9\n",
    },
    "feature-files-that-are-links": {
        f"{FEATURES}/a": "x=1\n",
        f"{FEATURES}/b": Link("a"),
        f"{FEATURES}/c": Link("/nowhere"),
        f"{FEATURES}/d": Link("d"),
        f"{FEATURES}/e": FOLDER,
        f"{FEATURES}/f": Link("e"),
        f"{FEATURES}/g~": Link("/etc/os-release"),
    },
    "an-os-release-that-a-shell-would-not-take": {
        "/etc/os-release": 'ID="a b"\n ID2=x\nexport ID3=y\nVERSION_ID=9.x.1\nA=\n'
        'B=""\nC=\'\'\nD="\'x\'"\nE=x"y\nF==z\n#G=1\nH=1 # c\nÄ=1\nI=a=b\nJ=\r\n'
    },
    "a-release-that-leads-elsewhere": {RELEASE: "../../etc\n"},
    "a-release-of-other-digits": {RELEASE: "\u0666.1\n"},
    "a-release-of-broken-bytes": {RELEASE: b"6.1\xff.0\n"},
    "modules-built-in-with-odd-names": {
        "/lib/modules/6.8.0-52-generic/modules.builtin": "a.ko\nkernel/b.ko \n"
        "kernel/c.ko.xz\n/d.ko\n.ko\nkernel/.ko\nkernel\\e.ko\nkernel/f.KO\n"
    },
    "options-that-are-nearly-some": {
        "/boot/config-6.8.0-52-generic": 'CONFIG_A=y\n CONFIG_B=y\nCONFIG_C="a\\"b"\n'
        "CONFIG_D=\nCONFIG_=y\nCONFIG_E\n#CONFIG_F=y\nCONFIG_I==\nCONFIG_J=y # c\n"
        'CONFIG_A=m\nCONFIG_K=y\r\nconfig_L=y\nCONFIG_M=""x""\n'
    },
    "pages-of-odd-sizes": {
        f"{HUGE}/hugepages-64kB/nr_hugepages": "0x10\n",
        f"{HUGE}/hugepages-32768kB/nr_hugepages": "-1\n",
        f"{HUGE}/hugepages-3kB/nr_hugepages": "+2",
        f"{HUGE}/other/nr_hugepages": "1",
        f"{HUGE}/hugepages-4kB": FOLDER,
        f"{HUGE}/hugepages-8kB": "x",
        f"{HUGE}/hugepages-16kB": Link("hugepages-2048kB"),
    },
    "interfaces-that-are-none": {
        f"{NET}/file": "x",
        f"{NET}/gone": Link("nowhere"),
        f"{NET}/eth1/device": Link("nowhere"),
        f"{NET}/a b/operstate": "up",
        f"{NET}/<x>/operstate": 'a\tb"\\\u2028',
        f"{NET}/eth9": Link(_DEEP),
        f"{_DEEP}/operstate": "up\n",
    },
    "numbers-of-pci-that-are-none": {
        f"{PCI}/a/class": "é0x",
        f"{PCI}/a/vendor": "0x10DE\n",
        f"{PCI}/a/device": "10\n",
        f"{PCI}/a/subsystem_vendor": "0x0x1\n",
        f"{PCI}/a/subsystem_device": "",
        f"{PCI}/a/sriov_totalvfs": FOLDER,
    },
    "usb-behind-links": {
        f"{USB}/1-1": Link("../../../devices/u"),
        "/sys/devices/u/idProduct": "1\n",
        "/sys/devices/u/bDeviceClass": " 00 ",
        "/sys/devices/u/l": Link("m"),
        "/sys/devices/u/m/bInterfaceClass": "ff",
    },
    "disks-that-are-none": {
        f"{BLOCK}/sda/queue/zoned": "\u00a0none\u00a0\n",
        f"{BLOCK}/sdb": Link("sda"),
        f"{BLOCK}/sdc": "f",
        f"{BLOCK}/sdd/queue": FOLDER,
        f"{BLOCK}/sde": Link("no"),
    },
    "a-firmware-that-stutters": {
        f"{DMI}/product_name": " x\n\n",
        f"{DMI}/sys_vendor": "",
        f"{DMI}/bios_date": b"\xff\xfe",
        f"{DMI}/board_name": FOLDER,
        f"{DMI}/chassis_type": Link("chassis_type"),
    },
    "a-kvm-that-leads-nowhere": {"/sys/devices/virtual/misc/kvm": Link("nowhere")},
    "no-virtual-devices-at-all": {"/sys/devices/virtual": GONE},
    "a-file-for-a-folder": {"/sys/devices/virtual": "x"},
    "no-memory-management": {f"{HUGE}/hugepages-2048kB/nr_hugepages": GONE},
}
