"""A dozen things that people do to a cluster, as the API server would send them.

Each scenario is one admission request and the command that causes it. Their
order tells a story: the first is why anybody would want this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from app.demo.images import REGISTRY
from app.demo.nodes import UNKNOWN_NODE

Json: TypeAlias = dict[str, object]

GPU_TOLERATION: Final = {"key": "nvidia.com/gpu", "operator": "Exists"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One request.

    Attributes:
        title: what it shows.
        command: what the user typed.
        done: what kubectl prints if it is admitted.
        kind: of the object.
        resource: plural, lower case.
        object: the new object.
        old_object: the stored one of an update.
        namespace: where.
        subresource: `ephemeralcontainers` for `kubectl debug`.
    """

    title: str
    command: str
    done: str
    kind: str
    resource: str
    object: Json
    old_object: Json | None = None
    namespace: str = "default"
    subresource: str = ""


def image(name: str) -> str:
    """The full reference of one of the demo's images."""
    return f"{REGISTRY}/{name}"


def pod(name: str, images: Mapping[str, str], **spec: object) -> Json:
    """A Pod whose containers are `images`: container -> reference."""
    containers = [{"name": who, "image": what} for who, what in images.items()]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "containers": containers,
            "schedulerName": "default-scheduler",
            **spec,
        },
    }


def _apply(title: str, name: str, obj: Json, *, namespace: str = "default") -> Scenario:
    where = "" if namespace == "default" else f" -n {namespace}"
    return Scenario(
        title=title,
        command=f"kubectl apply{where} -f {name}.yaml",
        done=f"pod/{name} created",
        kind="Pod",
        resource="pods",
        object=obj,
        namespace=namespace,
    )


def _daemon_pod(name: str, node: str, what: str) -> Json:
    term = {
        "matchFields": [
            {"key": "metadata.name", "operator": "In", "values": [node]},
        ]
    }
    required = {"nodeSelectorTerms": [term]}
    affinity = {"requiredDuringSchedulingIgnoredDuringExecution": required}
    made = pod(name, {"agent": what}, affinity={"nodeAffinity": affinity})
    owner = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "name": "agent",
        "uid": "d-1",
        "controller": True,
    }
    made["metadata"] = {"name": name, "ownerReferences": [owner]}
    return made


def _deployment(name: str, what: str) -> Json:
    template = {"spec": {"containers": [{"name": "main", "image": what}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"template": template},
    }


def _set_image() -> Scenario:
    placed = {"nodeName": "cos-gke-n2"}
    return Scenario(
        title="An update to an image that the Pod's node cannot run is denied",
        command=f"kubectl set image pod/web main={image('security/agent:7')}",
        done="pod/web image updated",
        kind="Pod",
        resource="pods",
        object=pod("web", {"main": image("security/agent:7")}, **placed),
        old_object=pod("web", {"main": image("plain/web:1.27")}, **placed),
    )


def _debug() -> Scenario:
    placed = {"nodeName": "cos-gke-n2"}
    running = {"main": image("security/agent:7")}
    debugger = {"name": "debugger", "image": image("plain/web:1.27")}
    return Scenario(
        title="Debugging a Pod that does not fit its node works",
        command=f"kubectl debug agent --image={image('plain/web:1.27')}",
        done="Defaulting debug container name to debugger.",
        kind="Pod",
        resource="pods",
        object=pod("agent", running, ephemeralContainers=[debugger], **placed),
        old_object=pod("agent", running, **placed),
        subresource="ephemeralcontainers",
    )


def _forged() -> Scenario:
    obj = pod("liar", {"main": image("hpc/solver:v4")})
    forged = {"imagecompat.dev/verdict": "fits everywhere", "note": "mine"}
    obj["metadata"] = {"name": "liar", "annotations": forged}
    return _apply("Our annotations cannot be forged", "liar", obj)


def _deploy() -> Scenario:
    return Scenario(
        title="A Deployment is warned about at once, its Pods are denied later",
        command="kubectl apply -f trainer-deployment.yaml",
        done="deployment.apps/trainer created",
        kind="Deployment",
        resource="deployments",
        object=_deployment("trainer", image("ml/trainer:13.0")),
    )


def all_scenarios(registry_down: str) -> tuple[Scenario, ...]:
    """The story.

    Args:
        registry_down: `host:port` of a registry that answers 503.
    """
    gpu = {"tolerations": [GPU_TOLERATION]}
    trainer, dpdk = image("ml/trainer:12.4"), image("net/dpdk:24.11")
    return (
        _apply(
            "A CUDA image that needs a newer driver than any node has is denied",
            "train",
            pod("train", {"trainer": image("ml/trainer:13.0")}, **gpu),
        ),
        _apply(
            "The image for the older driver is admitted and annotated",
            "train",
            pod("train", {"trainer": trainer}, **gpu),
        ),
        _apply(
            "Two images that fit different nodes: no node fits both",
            "pipeline",
            pod("pipeline", {"trainer": trainer, "dpdk": dpdk}, **gpu),
        ),
        _apply(
            "In a namespace with mode warn the same Pod is warned about",
            "pipeline",
            pod("pipeline", {"trainer": trainer, "dpdk": dpdk}, **gpu),
            namespace="staging",
        ),
        _apply(
            "In a namespace with mode audit it is only recorded",
            "pipeline",
            pod("pipeline", {"trainer": trainer, "dpdk": dpdk}, **gpu),
            namespace="lab",
        ),
        _apply(
            "A registry that cannot answer stops nobody",
            "web",
            pod("web", {"main": f"{registry_down}/team/web:1"}),
        ),
        _apply(
            "A broken artifact is its author's fault, and named",
            "broken",
            pod("broken", {"main": image("broken/app:1")}),
        ),
        _apply(
            "An image without an artifact is nobody's business",
            "plain",
            pod("plain", {"main": image("plain/web:1.27")}),
        ),
        _apply(
            "The Pod of a DaemonSet is judged on its own node, and warned about",
            "agent-x7k2p",
            _daemon_pod("agent-x7k2p", "cos-gke-n2", image("security/agent:7")),
        ),
        _apply(
            "An index: each platform has its own spec, each node is judged by its own",
            "encoder",
            pod("encoder", {"main": image("media/encoder:5")}),
        ),
        _apply(
            "A selector that leaves no node is the scheduler's business",
            "solver",
            pod(
                "solver",
                {"main": image("hpc/solver:v4")},
                nodeSelector={"pool": "quantum"},
            ),
        ),
        _apply(
            "A node that NFD has not described yet is unknown, not unfit",
            "early",
            pod(
                "early",
                {"main": image("hpc/solver:v4")},
                nodeSelector={"kubernetes.io/hostname": UNKNOWN_NODE},
                tolerations=[{"key": "burn-in", "operator": "Exists"}],
            ),
        ),
        _deploy(),
        _set_image(),
        _debug(),
        _forged(),
    )
