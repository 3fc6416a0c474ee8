"""Whoever waits at a terminal sees for what: a server takes calls, and is silent."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SECONDS = 30.0


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server whose backlog takes connections that nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def kubeconfig(tmp_path: Path, port: int) -> Path:
    path = tmp_path / "config"
    content = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps(content))
    return path


def seen(arguments: list[str], text: str, *, term: str = "xterm") -> str:
    """What stands at a terminal as soon as `text` does; then the command ends."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - another process
        os.environ["TERM"] = term
        os.execv(sys.executable, [sys.executable, "-m", "app", *arguments])
    shown, until = "", time.monotonic() + SECONDS
    try:
        while text not in shown and time.monotonic() < until:
            if select.select([terminal], [], [], 0.5)[0]:
                shown += os.read(terminal, 4096).decode()
    except OSError:  # the command has ended
        pass
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    return shown


@pytest.mark.parametrize(
    "words",
    [
        "check -f pod.yaml",
        "export",
        "validate-node --spec spec.yaml --all-nodes",
    ],
)
def test_a_cluster_that_is_silent(
    words: str, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
    (tmp_path / "pod.yaml").write_text(
        f"{pod}spec: {{containers: [{{name: c, image: a}}]}}\n"
    )
    rules = "[{name: r, matchFeatures: [{feature: cpu.cpuid, matchExpressions: "
    (tmp_path / "spec.yaml").write_text(
        "version: v1alpha1\ncompatibilities:\n"
        f"- rules: {rules}{{AVX: {{op: Exists}}}}}}]}}]\n"
    )
    arguments = [*words.split(), "--kubeconfig", str(kubeconfig)]
    assert "\r\x1b[Kreading nodes" in seen(arguments, "reading nodes")


def test_a_registry_that_is_silent(port: int) -> None:
    image = f"127.0.0.1:{port}/app:1"
    arguments = ["validate-node", "--image", image, "--plain-http"]
    shown = seen(arguments, "looking up", term="dumb")
    assert (True, False) == (f"looking up {image}" in shown, "\x1b[K" in shown)
