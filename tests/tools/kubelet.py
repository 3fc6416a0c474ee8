"""Kubelet and controllers in one, for the Deployments of a test: Pods are processes.

It stands for the Deployment controller (rolling updates by `maxSurge` and
`maxUnavailable`, ReplicaSets, status), the kubelet (`replica`), the EndpointSlice
controller (one slice for each replica and Service, since each has ports of its own)
and the garbage collector. Pods that nobody owns, as `helm test`'s, run once. An API
server with `--enable-aggregator-routing=true` then reaches a Service's replicas at a
non-loopback address of this machine.

What is late in real clusters is late here: `lag_seconds` pass from the moment that a
replica is told to end until its endpoint is gone. That is in favour of nobody: the
API server goes on sending to a process that ends.
"""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from tests.tools.client import ApiError, Client
from tests.tools.records import (
    HASH,
    NODE,
    Records,
    digest,
    pod_path,
    wanted_replicas,
)
from tests.tools.replica import TICK_SECONDS, Conditions, Replica
from tests.tools.servers import ApiServer
from tests.tools.volumes import Subject

LAG_SECONDS: Final = 3.0
WAIT_SECONDS: Final = 90.0
MOST_RESTARTS: Final = 4
"""More are a loop that nobody need wait for."""


def own_address() -> str:
    """An IPv4 address of this machine that is not loopback; nothing is sent.

    Raises:
        RuntimeError: there is none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))
        except OSError as error:
            raise RuntimeError("this machine has no address but loopback") from error
        address: str = one.getsockname()[0]
    return address


class Kubelet:
    """Runs the Deployments of some namespaces while entered.

    Attributes:
        slowest_seconds: its longest round. Endpoints were later than they had to be if
            this is not next to nothing: the machine stood still.
    """

    def __init__(
        self,
        server: ApiServer,
        folder: Path,
        namespaces: Sequence[str],
        *,
        lag_seconds: float = LAG_SECONDS,
        conditions: Conditions | None = None,
    ) -> None:
        """Prepares it.

        Args:
            server: its cluster.
            folder: for a folder per Pod.
            namespaces: whose Deployments it runs.
            lag_seconds: from a replica's end to the end of its endpoints.
            conditions: how Pods run.
        """
        self._server: Final = server
        self._folder: Final = folder
        self._namespaces: Final = tuple(namespaces)
        self._conditions: Final = conditions or Conditions()
        self._owned: Final[dict[str, list[Replica]]] = {}
        self._client: Final = Client(server)
        self._records: Final = Records(self._client, own_address(), lag_seconds)
        self._leaving: Final = threading.Event()
        self._solitary: Final[dict[str, Replica]] = {}
        self._started = 0
        self.slowest_seconds = 0.0
        self._errors: Final[list[str]] = []
        self._thread: Final = threading.Thread(target=self._work, name="kubelet")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()
        everyone = [*self._all(), *self._solitary.values()]
        for replica in everyone:
            replica.stop(grace_seconds=0)
        for replica in everyone:
            replica.join()
        with contextlib.suppress(OSError):  # the API server may be gone
            self._records.clear()
        self._client.close()

    # What tests ask -----------------------------------------------------------

    def replicas(self) -> list[Replica]:
        """Those that have not been told to end, oldest first."""
        return [one for one in self._all() if one.stopped_at is None]

    def said_once(self) -> str:
        """What Pods of nobody have printed."""
        return "".join(one.said() for one in self._solitary.values())

    def ready(self) -> list[Replica]:
        """Those that are ready."""
        return [one for one in self.replicas() if one.ready]

    def wait(self, holds: Callable[[], object], what: str) -> None:
        """Waits until `holds`.

        Raises:
            AssertionError: it did not in time; with the logs of all replicas.
        """
        ends = time.monotonic() + WAIT_SECONDS
        while not holds():
            loops = any(one.restarts > MOST_RESTARTS for one in self._all())
            if loops or time.monotonic() > ends:
                logs = [f"{one.name}: {one.said()[-2000:]}" for one in self._all()]
                raise AssertionError(
                    f"not in time: {what}\n" + "\n".join([*logs, *self._errors[-5:]])
                )
            time.sleep(TICK_SECONDS)

    def wait_ready(self, count: int) -> list[Replica]:
        """Waits until exactly so many run, are ready and have endpoints."""

        def settled() -> bool:
            everyone = self._all()
            return (
                len(everyone) == count
                and all(one.ready and one.stopped_at is None for one in everyone)
                and self._is_rolled_out()
            )

        self.wait(settled, f"{count} replicas that are ready")
        return self.replicas()

    def wait_gone(self) -> None:
        """Waits until no process is left."""
        self.wait(lambda: not self._all(), "no replica left")

    def _is_rolled_out(self) -> bool:
        """Whether the Deployments' status speaks of their newest generation."""
        for namespace in self._namespaces:
            path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
            for one in self._server.call("GET", path)["items"]:
                status = one.get("status", {})
                if status.get("observedGeneration") != one["metadata"]["generation"]:
                    return False
                if status.get("updatedReplicas", 0) != wanted_replicas(one):
                    return False
        return True

    def _all(self) -> list[Replica]:
        return [one for many in list(self._owned.values()) for one in list(many)]

    # One round ------------------------------------------------------------------

    def _work(self) -> None:
        while not self._leaving.is_set():
            began = time.monotonic()
            try:
                for namespace in self._namespaces:
                    self._round(namespace)
            except (ApiError, OSError, RuntimeError) as error:
                self._errors.append(repr(error))
            took = time.monotonic() - began
            self.slowest_seconds = max(self.slowest_seconds, took)
            self._leaving.wait(TICK_SECONDS)

    def _round(self, namespace: str) -> None:
        core = f"/api/v1/namespaces/{namespace}"
        apps = f"/apis/apps/v1/namespaces/{namespace}"
        deployments = self._list(f"{apps}/deployments")
        services = self._list(f"{core}/services")
        pods = {one["metadata"]["name"]: one for one in self._list(f"{core}/pods")}
        for one in deployments:
            self._reconcile(namespace, one, pods)
        for pod in pods.values():
            if HASH not in pod["metadata"].get("labels", {}):
                self._run_once(namespace, pod)
        living = {f"{namespace}/{one['metadata']['uid']}" for one in deployments}
        for key, many in self._owned.items():
            if key.startswith(f"{namespace}/"):
                if key not in living:
                    _stop(many)
                self._records.publish(namespace, services, many)
                self._records.bury(namespace, many)
        self._records.collect_sets(namespace, _names(deployments))
        self._records.collect_slices(namespace, _names(services))

    def _list(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._client.call(
            "GET", f"{path}?resourceVersion=0"
        )["items"]
        return items

    def _run_once(self, namespace: str, pod: Mapping[str, Any]) -> None:
        """Starts a Pod of nobody, and says how it ended."""
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        found = self._solitary.get(uid)
        if found is None:
            subject = Subject(namespace, name, pod["spec"])
            folder = self._folder / uid
            found = Replica(self._server, subject, folder, self._conditions)
            self._solitary[uid] = found
        if found.ended:
            phase = "Succeeded" if found.status == 0 else "Failed"
            if pod.get("status", {}).get("phase") != phase:
                path = f"{pod_path(namespace, name)}/status"
                self._client.merge(path, {"status": {"phase": phase}})

    def _reconcile(
        self, namespace: str, deployment: Mapping[str, Any], pods: Mapping[str, Any]
    ) -> None:
        """Starts and ends replicas as the Deployment's strategy says."""
        meta, spec = deployment["metadata"], deployment["spec"]
        mine = self._owned.setdefault(f"{namespace}/{meta['uid']}", [])
        for one in mine:
            pod = pods.get(one.name)
            if pod is None:  # perhaps not yet: the list is from a cache
                pod = self._client.find(pod_path(namespace, one.name))
            if pod is None or "deletionTimestamp" in pod["metadata"]:
                one.stop()
        mark = digest(spec["template"])
        alive = [one for one in mine if one.stopped_at is None]
        new = [one for one in alive if one.labels[HASH] == mark]
        wanted = wanted_replicas(deployment)
        surge, unavailable = room(spec.get("strategy", {}), wanted)
        missing = min(wanted - len(new), wanted + surge - len(alive))
        self._records.ensure_set(namespace, deployment, mark)
        for _ in range(missing):
            mine.append(self._start(namespace, deployment, mark))
        self._retire(alive, new, wanted, unavailable)
        self._records.tell(namespace, deployment, mine, new)

    def _retire(
        self,
        alive: Sequence[Replica],
        new: Sequence[Replica],
        wanted: int,
        unavailable: int,
    ) -> None:
        """Ends what is old, or too much, but never more than may be unavailable."""
        _stop(new[wanted:])
        ready = sum(one.ready for one in alive if one.stopped_at is None)
        for one in (it for it in alive if it not in new):
            if not one.ready:
                one.stop()
            elif ready - 1 >= wanted - unavailable:
                one.stop()
                ready -= 1

    def _start(
        self, namespace: str, deployment: Mapping[str, Any], mark: str
    ) -> Replica:
        self._started += 1
        template = deployment["spec"]["template"]
        name = f"{deployment['metadata']['name']}-{mark}-{self._started:05d}"
        labels = {**template["metadata"].get("labels", {}), HASH: mark}
        spec = {**template["spec"], "nodeName": NODE}
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "labels": labels,
                "annotations": template["metadata"].get("annotations", {}),
            },
            "spec": spec,
        }
        self._client.call("POST", f"/api/v1/namespaces/{namespace}/pods", body)
        subject = Subject(namespace, name, spec, labels)
        return Replica(self._server, subject, self._folder / name, self._conditions)


def _names(objects: Iterable[Mapping[str, Any]]) -> set[str]:
    return {one["metadata"]["name"] for one in objects}


def _stop(replicas: Iterable[Replica]) -> None:
    for one in replicas:
        one.stop()


def room(strategy: Mapping[str, Any], wanted: int) -> tuple[int, int]:
    """How many more, and how many fewer, an update may have."""
    if strategy.get("type") == "Recreate":
        return 0, wanted
    rolling = strategy.get("rollingUpdate", {})
    surge = _share(rolling.get("maxSurge", "25%"), wanted, math.ceil)
    unavailable = _share(rolling.get("maxUnavailable", "25%"), wanted, math.floor)
    return surge, unavailable


def _share(value: int | str, wanted: int, rounded: Callable[[float], int]) -> int:
    if isinstance(value, int):
        return value
    return rounded(wanted * int(value.removesuffix("%")) / 100)
