"""A process that has not begun to serve: signals that come while it starts."""

from __future__ import annotations

import json
import os
import signal
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tools.served import settings, started

pytestmark = pytest.mark.integration


def hanging(folder: Path) -> tuple[Path, Path]:
    """A kubeconfig whose credential plugin never answers; where its id will stand."""
    plugin, noted = folder / "plugin", folder / "pid"
    plugin.write_text(f"#!/bin/sh\necho $$ > {noted}\nexec sleep 600\n")
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    command = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(plugin),
        "interactiveMode": "Never",
    }
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"exec": command}}],
    }
    path = folder / "hanging"
    path.write_text(json.dumps(content))
    return path, noted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_process_whose_credential_plugin_hangs(
    tmp_path: Path, number: signal.Signals
) -> None:
    kubeconfig, noted = hanging(tmp_path)
    values = settings(tmp_path, cluster={"kubeconfig": str(kubeconfig)})
    with started(tmp_path, values) as one:
        one.wait_for(lambda: noted.exists() and noted.read_text().strip())
        plugin = int(noted.read_text())
        one.tell(number)
        try:
            assert 0 == one.ended()
            assert ["stopped"] == [line["event"] for line in one.lines("stopped")]
        finally:
            with suppress(ProcessLookupError):
                os.kill(plugin, signal.SIGKILL)
