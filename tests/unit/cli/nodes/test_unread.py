"""Paths that could not be read, without names that others gave."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.cli.nodes.unread import without_names
from app.host import kernel, memory, network, pci, storage, system, usb
from app.host.cpu import arm, cpuinfo, rdt, security, sysfs
from app.host.discovery import TOLD_BY
from app.host.local import FOLDER as FEATURES
from app.host.tree import Unread
from tests.tools import host_trees
from tests.tools.host_trees import PIPE

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

MODULES = (
    *(kernel, memory, network, pci, storage, system, usb),
    *(arm, cpuinfo, rdt, security, sysfs),
)


def paths(*given: str) -> list[str]:
    return [one.path for one in without_names([Unread(one, "why") for one in given])]


def test_what_we_look_for_ourselves_keeps_its_name() -> None:
    ours = [
        value
        for module in MODULES
        for name, value in vars(module).items()
        if not name.startswith("__")
        if isinstance(value, str) and value.startswith("/")
    ]
    known = [*ours, *TOLD_BY, *(one for one in kernel.CONFIGS if "{}" not in one)]
    assert 20 < len(known)
    assert list(dict.fromkeys(known)) == paths(*known)
    files = (
        [f"{network.INTERFACES}/*/{file}" for file in network.OF_DEVICES]
        + [f"{pci.DEVICES}/*/{file}" for file in pci.NEEDED + pci.OPTIONAL]
        + [f"{usb.DEVICES}/*/{file}" for file in usb.FILES.values()]
        + [f"{system.FIRMWARE}/{file}" for file in system.OF_FIRMWARE]
    )
    assert files == paths(*files)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/sys/class/net/enxacme/speed", "/sys/class/net/*/speed"),
        (f"{FEATURES}/acme", f"{FEATURES}/*"),
        ("/boot/config-6.1-acme", "/boot/*"),
        ("/lib/modules/6.1-acme/modules.builtin", "/lib/modules/*/modules.builtin"),
        ("/acme/info/L3/num_closids", "/*/info/L3/num_closids"),
        ("/sys/bus/cpu/devices/cpu12/topology", "/sys/bus/cpu/devices/cpu12/topology"),
        ("/sys/bus/cpu/devices/cpu-acme", "/sys/bus/cpu/devices/*"),
        ("the instruction CPUID", "the instruction CPUID"),
    ],
)
def test_what_others_named_is_a_star(path: str, kept: str) -> None:
    assert [kept] == paths(path)


def test_what_becomes_the_same_is_there_once() -> None:
    names = itertools.product(["a", "b"], ["speed", "mtu"])
    assert ["/sys/class/net/*/speed", "/sys/class/net/*/mtu"] == paths(
        *(f"/sys/class/net/{name}/{file}" for name, file in names)
    )


def test_a_document_without_names_has_none_there_either(
    run: Run, tmp_path: Path
) -> None:
    entries = {f"{FEATURES}/acme-secret": PIPE}
    root = host_trees.make(tmp_path, entries)
    words = ("export", "--root", str(root))
    assert "acme-secret" in run(*words).out
    ran = run(*words, "--anonymize", "--quiet")
    assert (0, "") == (ran.status, ran.err)
    assert "acme-secret" not in ran.out
    (node,) = json.loads(ran.out)["nodes"]
    assert {"path": f"{FEATURES}/*", "why": "not a file"} in node["unread"]
