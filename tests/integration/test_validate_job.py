"""What the Job that validates a node mounts is all that there is to see of a host.

The mounts of the manifest are made for real, in a mount namespace of their own.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart import rendering, validate_job

pytestmark = pytest.mark.integration

JOB: dict[str, Any] = yaml.safe_load(
    (rendering.ROOT / "manifests" / validate_job.NAME).read_text()
)
EXPORT = (sys.executable, "-m", "app", "export", "--output", "nfd-json", "--quiet")
ENVIRONMENT = {"PATH": os.environ["PATH"], "NODE_NAME": "this"}


def mounts(host: Path) -> list[str]:
    """Commands that mount what the Job mounts, with `host` for its `/host`."""
    (container,) = JOB["spec"]["template"]["spec"]["containers"]
    commands = []
    for one in container["volumeMounts"]:
        source = Path(one["mountPath"].removeprefix("/host"))
        target = host / str(source).lstrip("/")
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        else:
            target.mkdir(parents=True, exist_ok=True)
        if source.exists():
            commands.append(shlex.join(["mount", "--rbind", str(source), str(target)]))
    return commands


def exported(command: list[str]) -> str:
    """What is printed."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=rendering.ROOT,
        env=ENVIRONMENT,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_a_container_with_these_mounts_sees_the_host_that_we_see(
    tmp_path: Path,
) -> None:
    inside = shlex.join([*EXPORT, "--root", str(tmp_path)])
    script = " && ".join([*mounts(tmp_path), inside])
    as_root = () if os.geteuid() == 0 else ("--map-root-user",)
    theirs = exported(["unshare", "--mount", *as_root, "sh", "-c", script])
    assert exported([*EXPORT, "--host"]) == theirs
    assert '"kernel.version"' in theirs
    assert '"pci.device"' in theirs
