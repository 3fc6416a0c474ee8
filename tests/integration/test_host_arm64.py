"""arm64 processors, emulated: what NFD publishes of them, and what we do.

The real client for arm64 runs under QEMU. We run here, on the files that such a
processor's kernel shows: what a program of arm64 reads there under the same QEMU.
"""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from app.compat.features import Flags
from app.host import cpu
from app.host.cpu import arm, sysfs
from app.host.published import Published
from app.host.tree import Tree
from tests.tools import needed
from tests.tools.processors import recorded, tree_of

pytestmark = pytest.mark.integration

MODELS: Final = tuple(one["name"].split()[0] for one in recorded("arm64"))
SECONDS: Final = 120.0


def run(qemu: Path, model: str, program: Path, *arguments: str) -> Any:
    done = subprocess.run(
        [qemu, "-cpu", model, program, *arguments],
        capture_output=True,
        check=True,
        text=True,
        timeout=SECONDS,
    )
    return json.loads(done.stdout)


def theirs(exported: dict[str, Any]) -> Published:
    """NFD's features of the source `cpu`, without the source's name."""

    def named(kind: str) -> dict[str, Any]:
        return {
            name.removeprefix("cpu."): one["elements"]
            for name, one in exported[kind].items()
            if name.startswith("cpu.")
        }

    flags: dict[str, Flags] = {
        name: frozenset(elements) for name, elements in named("flags").items()
    }
    return Published(flags, named("attributes"), named("instances"))


@pytest.mark.parametrize("model", MODELS)
def test_an_emulated_processor_publishes_what_nfd_publishes(
    model: str, tmp_path: Path
) -> None:
    qemu, nfd, probe = needed.programs("qemu-aarch64", "nfd-arm64", "arm64-probe")
    wanted = theirs(run(qemu, model, nfd, "export", "features"))
    shown = run(qemu, model, probe)
    vector = base64.b64decode(shown["auxv"])
    register = f"{shown['midr']}\n"
    tree = tree_of(tmp_path, {arm.AUXILIARY: vector, arm.REGISTER: register})
    found = cpu.discover(tree, machine=cpu.ARM64)
    # QEMU lets a program see the files of this machine.
    here = {**found.attributes, "topology": sysfs.topology(Tree())}
    assert wanted == replace(found, attributes=here)
    assert wanted.flags["cpuid"]
