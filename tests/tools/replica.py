"""One Pod as a process of this machine: its container's command, volumes and probes.

Every replica listens on ports of its own, which variables tell it. Its environment
holds nothing but those and what the Pod asks for.
"""

from __future__ import annotations

import base64
import contextlib
import json
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.tools import program
from tests.tools.client import ApiError, Client
from tests.tools.probes import Health, Probes
from tests.tools.program import Program
from tests.tools.servers import ApiServer, free_port
from tests.tools.volumes import NotYetError, Subject, Volumes, mounted_account

TICK_SECONDS: Final = 0.05
BACKOFF_SECONDS: Final = (0.0, 1.0, 2.0, 4.0)
"""Before a container starts again; the kubelet's own go up to five minutes."""

PORTS: Final = {
    "https": "IMAGECOMPAT_SERVER__PORT",
    "status": "IMAGECOMPAT_SERVER__STATUS_PORT",
}
"""Name of a container's port -> the variable that says what it really is."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How Pods run here.

    Attributes:
        pace: times the periods of probes.
        sync_seconds: how often volumes are brought up to date.
        mounts: path in every container -> folder of this machine.
        environment: variables for every container.
    """

    pace: float = 0.2
    sync_seconds: float = 0.5
    mounts: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


class Replica:
    """One Pod that runs; a thread of its own looks after it.

    Attributes:
        name: of the Pod.
        labels: of the Pod.
        container: the name of its only container.
        ready: as its probes say.
        restarts: of its container.
        ended: whether its process and its thread are over.
        stopped_at: when it was told to end, on the monotonic clock.
        problem: why it cannot start, if it cannot.
        status: with which its container ended last.
    """

    def __init__(
        self, server: ApiServer, subject: Subject, folder: Path, conditions: Conditions
    ) -> None:
        self.name: Final = subject.name
        self.labels: Final = subject.labels
        self.ready = False
        self.restarts = 0
        self.ended = False
        self.stopped_at: float | None = None
        self.problem = ""
        self.status: int | None = None
        self._server: Final = server
        self._conditions: Final = conditions
        self._folder: Final = folder
        spec = mounted_account(subject.spec)
        self._subject: Final = Subject(
            subject.namespace, subject.name, spec, subject.labels
        )
        (self._container,) = spec["containers"]
        self._grace_seconds: float = spec.get("terminationGracePeriodSeconds", 30)
        self.container: Final[str] = self._container["name"]
        self._numbers: Final = {
            port["name"]: free_port() for port in self._container.get("ports", ())
        }
        mounts = {
            mount["mountPath"]: folder
            / "volumes"
            / mount["name"]
            / mount.get("subPath", "")
            for mount in self._container.get("volumeMounts", ())
        }
        self._launcher: Final = program.launcher({**mounts, **conditions.mounts})
        self._volumes: Final = Volumes(
            server,
            self._subject,
            folder / "volumes",
            changed=self._launcher.translated,
        )
        self._program: Program | None = None
        self._stopping: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._live, name=subject.name)
        folder.mkdir(parents=True)
        self._thread.start()

    # What others ask --------------------------------------------------------

    def port(self, wanted: int | str) -> int:
        """The real port behind the name or number of a container's port."""
        for port in self._container.get("ports", ()):
            if wanted in {port["name"], port["containerPort"]}:
                return self._numbers[port["name"]]
        raise KeyError(wanted)

    def said(self) -> str:
        """Its logs, those of former lives first."""
        logs = sorted(self._folder.glob("log-*"), key=lambda one: one.stat().st_mtime)
        return self.problem + "".join(one.read_text(errors="replace") for one in logs)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to its process."""
        if self._program is not None:
            program.send(self._program, number)

    def stop(self, *, grace_seconds: float | None = None) -> None:
        """Asks it to end as the kubelet does; `ended` tells when it has.

        Args:
            grace_seconds: until SIGKILL; `None` for what the Pod says.
        """
        if grace_seconds is not None:
            self._grace_seconds = grace_seconds
        if self.stopped_at is None:
            self.stopped_at = time.monotonic()
            self._stopping.set()

    def join(self) -> None:
        """Waits for its end."""
        self._thread.join()

    # Its life ---------------------------------------------------------------

    def _live(self) -> None:
        client = Client(self._server)
        try:
            while not self._stopping.is_set():
                if self._prepared(client):
                    self._run(client)
                    if self._subject.spec.get("restartPolicy") == "Never":
                        break
                    self._rest()
        except Exception as error:
            self.problem = f"{error!r}\n"
            raise
        finally:
            self._end()
            self.ready = False
            self.ended = True
            client.close()

    def _prepared(self, client: Client) -> bool:
        """Whether all volumes are there; waits a moment if not."""
        try:
            self._volumes.sync(client)
        except (NotYetError, ApiError, OSError) as error:
            self.problem = f"no volumes yet: {error}\n"
            self._stopping.wait(4 * TICK_SECONDS)
            return False
        self.problem = ""
        return True

    def _rest(self) -> None:
        """Between two lives of the container."""
        self.ready = False
        if not self._stopping.is_set():
            last = min(self.restarts, len(BACKOFF_SECONDS) - 1)
            self.restarts += 1
            self._stopping.wait(BACKOFF_SECONDS[last])

    def _run(self, client: Client) -> None:
        """One life of the container."""
        command = self._container.get("command") or [program.PROGRAM]
        self._program = running = self._launcher.launch(
            [*command, *self._container.get("args", ())],
            self._environment(client),
            server=self._server,
            folder=self._folder,
            log=self._folder / f"log-{self.restarts}",
        )
        probes = Probes(self._container, self.port, pace=self._conditions.pace)
        synced = time.monotonic()
        while running.is_running and not self._stopping.is_set():
            health = probes.tick()
            self.ready = health is Health.READY and running.is_running
            if health is Health.DEAD:
                break
            if time.monotonic() - synced > self._conditions.sync_seconds:
                with contextlib.suppress(NotYetError, ApiError, OSError):
                    self._volumes.sync(client)
                synced = time.monotonic()
            self._stopping.wait(TICK_SECONDS)
        self._end()
        self.status = running.wait(0)

    def _end(self) -> None:
        """SIGTERM, the time that the Pod grants, SIGKILL."""
        running = self._program
        if running is None or not running.is_running:
            return
        with contextlib.suppress(ProcessLookupError):
            running.terminate()
        try:
            running.wait(self._grace_seconds)
        except subprocess.TimeoutExpired:
            running.kill()

    def _environment(self, client: Client) -> dict[str, str]:
        port = self._server.url.rpartition(":")[2]
        found = {
            "HOSTNAME": self.name,
            # By name: no registry may have the API server's address, and those of the
            # tests are at 127.0.0.1, too.
            "KUBERNETES_SERVICE_HOST": "localhost",
            "KUBERNETES_SERVICE_PORT": port,
            **self._conditions.environment,
        }
        for variable in self._container.get("env", ()):
            value = variable.get("value")
            if value is None:
                value = self._value(client, variable.get("valueFrom", {}))
            found[variable["name"]] = value
        for name, told in PORTS.items():
            if name in self._numbers:
                found[told] = str(self._numbers[name])
        return found

    def _value(self, client: Client, source: Mapping[str, Any]) -> str:
        """What a variable's `valueFrom` means."""
        if "fieldRef" in source:
            return {
                "metadata.name": self.name,
                "metadata.namespace": self._subject.namespace,
                "spec.nodeName": str(self._subject.spec.get("nodeName", "")),
            }[source["fieldRef"]["fieldPath"]]
        if "secretKeyRef" in source:
            wanted = source["secretKeyRef"]
            path = f"/api/v1/namespaces/{self._subject.namespace}/secrets"
            secret = client.call("GET", f"{path}/{wanted['name']}")
            return base64.b64decode(secret["data"][wanted["key"]]).decode()
        raise NotImplementedError(f"a variable from {json.dumps(source)}")
