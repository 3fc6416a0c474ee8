"""`manifests/validate-node-job.yaml`: a host's features against an image, from a Job.

What is mounted is what nfd-worker mounts (NFD v0.19.0
`deployment/helm/node-feature-discovery/templates/worker.yaml`), read-only, below one
folder.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from tests.chart import values
from tests.chart.rendering import CHART

NAME: Final = "validate-node-job.yaml"

HEAD: Final = """\
# Does an image fit a node? Reads the host that it runs on, as nfd-worker does; Node
# Feature Discovery need not be there. Put your image and your node for the two below
# (docs/how-to/validate-a-node.md). The verdict is the Job's: complete if the image
# fits, failed if it does not, with the reasons in its log.
# Made by `make manifests` (tests/chart/validate_job.py).
---
"""

FOLDERS: Final = (
    "/boot",
    "/etc/kubernetes/node-feature-discovery/features.d",
    "/lib",
    "/proc",
    "/sys",
    "/usr/lib",
)
FILES: Final = ("/etc/os-release",)
OWN: Final = "/etc/kubernetes/node-feature-discovery/features.d"
"""What a node need not have; the kubelet makes it, as for nfd-worker."""


IMAGE: Final = "registry.example.com/team/app:1.0"
NODE: Final = "my-node"


class _Plain(yaml.SafeDumper):
    """Without anchors, which are for programs."""

    def ignore_aliases(self, data: object) -> bool:
        """Everything is written out."""
        del data
        return True


def text() -> str:
    """The manifest."""
    return HEAD + yaml.dump(_job(), Dumper=_Plain, sort_keys=False)


def _image() -> str:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    return f"{values.defaults()['image']['repository']}:{chart['appVersion']}"


def _job() -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "imagecompat-validate-node"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "validate-node", "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": 300,
            "ttlSecondsAfterFinished": 3600,
            "template": {"metadata": {"labels": labels}, "spec": _pod()},
        },
    }


def _pod() -> dict[str, Any]:
    return {
        # Not the scheduler's to choose: a cordon or a taint is no obstacle.
        "nodeName": NODE,
        "tolerations": [{"operator": "Exists"}],
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container()],
        "volumes": [_volume(one) for one in sorted((*FOLDERS, *FILES))],
    }


def _container() -> dict[str, Any]:
    node = {"fieldRef": {"fieldPath": "spec.nodeName"}}
    return {
        "name": "validate-node",
        "image": _image(),
        "args": ["validate-node", "--image", IMAGE, "--root", "/host"],
        "env": [{"name": "NODE_NAME", "valueFrom": node}],
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": _name(one), "mountPath": f"/host{one}", "readOnly": True}
            for one in sorted((*FOLDERS, *FILES))
        ],
    }


def _volume(path: str) -> dict[str, Any]:
    kind = "File" if path in FILES else "Directory"
    if path == OWN:
        kind = "DirectoryOrCreate"
    return {"name": _name(path), "hostPath": {"path": path, "type": kind}}


def _name(path: str) -> str:
    if path == OWN:
        return "features-d"
    return "host" + path.replace("/", "-").replace(".", "-")
