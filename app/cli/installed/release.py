"""The Pods and the Deployment of a release, and what each Pod tells of itself.

A Pod's `/statusz` is read through the API server, so that the rights of whoever
asks decide (`get` on `pods/proxy`), and no port has to be forwarded.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import msgspec

from app import status
from app.cli.installed.asking import Api, Metadata, Unread, fetch
from app.errors import ClusterError
from app.kube.transport import UNAUTHORIZED, RefusedError
from app.status import Status

COMPONENT: Final = "webhook"
STATUS_PORT: Final = 8080
STATUS_PORT_NAME: Final = "status"


@dataclass(frozen=True, slots=True)
class Deployment:
    """How many Pods there should be, and are.

    Attributes:
        name: of the object.
        wanted: by its spec.
        ready: as their probes say.
        updated: of the newest template.
    """

    name: str
    wanted: int
    ready: int
    updated: int


@dataclass(frozen=True, slots=True)
class Pod:
    """One Pod of the release.

    Attributes:
        name: of the object.
        is_ready: as its probes say.
        port: its status port.
    """

    name: str
    is_ready: bool
    port: int


@dataclass(frozen=True, slots=True)
class Replica:
    """What a Pod tells of itself.

    Attributes:
        name: of the Pod, or the address that was asked.
        is_ready: as its probes say.
        status: its own document; `None` if it cannot be read.
        unread: why not.
    """

    name: str
    is_ready: bool
    status: Status | None
    unread: Unread | None = None


def selector(release: str) -> str:
    """The label selector of a release's Pods, as the chart sets them."""
    instance = f"app.kubernetes.io/instance={release}"
    return f"{instance},app.kubernetes.io/component={COMPONENT}"


class _Port(msgspec.Struct, rename="camel"):
    name: str = ""
    container_port: int = STATUS_PORT


class _Container(msgspec.Struct):
    ports: list[_Port] = msgspec.field(default_factory=list)


class _PodSpec(msgspec.Struct):
    containers: list[_Container] = msgspec.field(default_factory=list)


class _Condition(msgspec.Struct):
    type: str = ""
    status: str = ""


class _PodStatus(msgspec.Struct):
    conditions: list[_Condition] = msgspec.field(default_factory=list)
    phase: str = ""


class _Pod(msgspec.Struct):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: _PodSpec = msgspec.field(default_factory=_PodSpec)
    status: _PodStatus = msgspec.field(default_factory=_PodStatus)


class _Pods(msgspec.Struct):
    items: list[_Pod] | None = None


class _DeploymentSpec(msgspec.Struct):
    replicas: int = 1


class _DeploymentStatus(msgspec.Struct, rename="camel"):
    ready_replicas: int = 0
    updated_replicas: int = 0


class _Deployment(msgspec.Struct):
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    spec: _DeploymentSpec = msgspec.field(default_factory=_DeploymentSpec)
    status: _DeploymentStatus = msgspec.field(default_factory=_DeploymentStatus)


class _Deployments(msgspec.Struct):
    items: list[_Deployment] | None = None


async def find_deployment(
    api: Api, namespace: str, release: str
) -> Deployment | Unread | None:
    """The Deployment of a release; `None` if there is none.

    Raises:
        ClusterError: as for `asking.fetch`.
    """
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    query = {"labelSelector": selector(release)}
    found = await fetch(api, path, query, shape=_Deployments)
    if isinstance(found, Unread):
        return found
    for one in found.items or []:
        counts = one.status
        return Deployment(
            one.metadata.name,
            one.spec.replicas,
            counts.ready_replicas,
            counts.updated_replicas,
        )
    return None


async def find_pods(api: Api, namespace: str, release: str) -> list[Pod] | Unread:
    """The Pods of a release that have not ended, by name.

    Raises:
        ClusterError: as for `asking.fetch`.
    """
    path = f"/api/v1/namespaces/{namespace}/pods"
    query = {"labelSelector": selector(release)}
    found = await fetch(api, path, query, shape=_Pods)
    if isinstance(found, Unread):
        return found
    running = [
        one
        for one in found.items or []
        if one.status.phase not in {"Succeeded", "Failed"}
    ]
    return sorted(map(_pod, running), key=lambda one: one.name)


def _pod(found: _Pod) -> Pod:
    ports = [
        port.container_port
        for container in found.spec.containers
        for port in container.ports
        if port.name == STATUS_PORT_NAME
    ]
    is_ready = any(
        one.type == "Ready" and one.status == "True" for one in found.status.conditions
    )
    return Pod(found.metadata.name, is_ready, next(iter(ports), STATUS_PORT))


async def read_replicas(
    api: Api, namespace: str, pods: list[Pod]
) -> tuple[Replica, ...]:
    """What each Pod tells of itself, asked all at once.

    Raises:
        ClusterError: the API server takes no credential.
    """
    return tuple(
        await asyncio.gather(*(_read(api, namespace, pod) for pod in pods)),
    )


async def _read(api: Api, namespace: str, pod: Pod) -> Replica:
    path = f"/api/v1/namespaces/{namespace}/pods/{pod.name}:{pod.port}/proxy/statusz"
    try:
        body = await api.get(path, {})
    except RefusedError as error:
        if error.reason == UNAUTHORIZED:
            raise
        return _silent(pod, error)
    except ClusterError as error:  # a Pod that hangs lets the API server hang
        return _silent(pod, error)
    try:
        return Replica(pod.name, pod.is_ready, document(body))
    except ValueError as error:
        unread = Unread("UnexpectedAnswer", f"no document of ours: {error}")
        return Replica(pod.name, pod.is_ready, None, unread)


def document(body: bytes) -> Status:
    """What `/statusz` answered.

    Raises:
        ValueError: it is no such document, or one that we do not understand.
    """
    found = status.decode(body)
    if found.version != status.VERSION:
        text = f"version {found.version} of the document, expected {status.VERSION}"
        raise ValueError(f"{text}: use the imagecompat of the webhook's own version")
    return found


def _silent(pod: Pod, error: ClusterError) -> Replica:
    return Replica(pod.name, pod.is_ready, None, Unread(error.reason, error.message))
