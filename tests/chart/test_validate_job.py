"""The Job that validates the node it runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli.commands import COMMANDS
from app.cli.frame.loading import load
from app.host import kernel, local, memory, system
from tests.chart import rendering, validate_job

JOB: dict[str, Any] = yaml.safe_load(
    (rendering.ROOT / "manifests" / validate_job.NAME).read_text()
)
POD: dict[str, Any] = JOB["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.mark.parametrize(
    "path",
    [
        *(kernel.RELEASE, kernel.MODULES, kernel.CONFIG_GZ, memory.SWAPS),
        *("/proc/cpuinfo", "/sys/bus/pci/devices", "/lib/modules/6.1/modules.builtin"),
        *("/boot/config-6.1", "/usr/lib/modules/6.1/config"),
        *(local.FOLDER, system.OS_RELEASE),
    ],
)
def test_what_the_sources_read_is_mounted_read_only(path: str) -> None:
    mounts = {
        one["mountPath"].removeprefix("/host"): one for one in CONTAINER["volumeMounts"]
    }
    found = [one for at, one in mounts.items() if Path(path).is_relative_to(at)]
    assert [True] == [one["readOnly"] for one in found]
    assert all(one["mountPath"].startswith("/host/") for one in mounts.values())


def test_each_mount_is_the_hosts_own_path() -> None:
    paths = {one["name"]: one["hostPath"]["path"] for one in POD["volumes"]}
    assert {f"/host{path}" for path in paths.values()} == {
        one["mountPath"] for one in CONTAINER["volumeMounts"]
    }
    assert all(
        one["mountPath"] == f"/host{paths[one['name']]}"
        for one in CONTAINER["volumeMounts"]
    )


def test_it_has_no_right_that_reading_does_not_need() -> None:
    assert {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
    } == CONTAINER["securityContext"]
    assert POD["securityContext"]["runAsNonRoot"]
    assert "RuntimeDefault" == POD["securityContext"]["seccompProfile"]["type"]
    assert (False, False) == (
        POD["automountServiceAccountToken"],
        POD["enableServiceLinks"],
    )
    assert not {"hostPID", "hostNetwork", "hostIPC"} & POD.keys()


def test_a_node_that_does_not_fit_is_asked_once_and_on_the_node_itself() -> None:
    assert (0, "Never") == (JOB["spec"]["backoffLimit"], POD["restartPolicy"])
    assert (validate_job.NODE, [{"operator": "Exists"}]) == (
        POD["nodeName"],
        POD["tolerations"],
    )


def test_the_command_line_is_one_that_we_have() -> None:
    name, *arguments = CONTAINER["args"]
    (row,) = [one for one in COMMANDS if one.name == name]
    given = load(row).make_context(name, list(arguments)).params
    assert (validate_job.IMAGE, Path("/host")) == (given["image"], given["root"])
