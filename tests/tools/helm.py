"""Helm on a test's cluster."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.tools.build import find
from tests.tools.servers import ApiServer

ROOT: Final = Path(__file__).resolve().parents[2]
CHART: Final = ROOT / "charts" / "imagecompat"
RELEASE: Final = "imagecompat"
NAMESPACE: Final = "imagecompat"
VERSIONS: Final = ("helm3", "helm4")
_SECONDS: Final = 120

Values = Mapping[str, Any]


def merged(one: Values, other: Values) -> dict[str, Any]:
    """Both; where they differ, `other`."""
    found = dict(one)
    for key, value in other.items():
        before = found.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        found[key] = merged(before, value) if both and before else value
    return found


class Helm:
    """One version of Helm, at one cluster."""

    def __init__(self, version: str, server: ApiServer, folder: Path) -> None:
        """Finds it.

        Args:
            version: `helm3` or `helm4`.
            server: the cluster.
            folder: for its caches.
        """
        self._program: Final = find(version)
        self._server: Final = server
        self._folder: Final = folder
        folder.mkdir(parents=True, exist_ok=True)

    def run(
        self, *arguments: str, values: Values | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Runs it; `values` go in by a file.

        Raises:
            RuntimeError: it failed and `check` is true.
        """
        command = [str(self._program), *arguments]
        if values is not None:
            file = self._folder / "values.json"
            file.write_text(json.dumps(values))
            command += ["--values", str(file)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env=self._environment(),
        )
        if check and done.returncode:
            said = f"{' '.join(arguments)}: {done.stderr}{done.stdout}"
            raise RuntimeError(f"{self._program.name} {said}")
        return done

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "HELM_CACHE_HOME": str(self._folder / "cache"),
            "HELM_CONFIG_HOME": str(self._folder / "config"),
            "HELM_DATA_HOME": str(self._folder / "data"),
            "KUBECONFIG": str(self._server.kubeconfig),
            "HELM_NAMESPACE": NAMESPACE,
        }

    def install(self, values: Values, chart: Path = CHART) -> str:
        """Installs or upgrades the release; what it prints."""
        text = self.run("upgrade", "--install", RELEASE, str(chart), values=values)
        return text.stdout

    def rollback(self) -> None:
        """To the revision before."""
        self.run("rollback", RELEASE)

    def uninstall(self) -> None:
        """Takes the release away, if there is one."""
        self.run("uninstall", RELEASE, "--ignore-not-found")
