"""Reviews as an API server sends them: Pods of a Deployment, some 6 KB each.

The uid and the name are what `bench.client` replaces, so that each review is another
Pod of its shape.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from bench.client import NAME, UID

Json: TypeAlias = dict[str, Any]

_DEFAULT_TOLERATIONS: Final = [
    {
        "key": f"node.kubernetes.io/{key}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    for key in ("not-ready", "unreachable")
]


def review(obj: Json, *, namespace: str = "default") -> str:
    """An AdmissionReview v1 of a CREATE."""
    names = {"group": "", "version": "v1"}
    request = {
        "uid": UID,
        "kind": {**names, "kind": "Pod"},
        "resource": {**names, "resource": "pods"},
        "requestKind": {**names, "kind": "Pod"},
        "requestResource": {**names, "resource": "pods"},
        "name": NAME,
        "namespace": namespace,
        "operation": "CREATE",
        "userInfo": {
            "username": "system:serviceaccount:kube-system:replicaset-controller",
            "uid": "3f0f1a1c-5d1c-4a7e-9a52-0f7c3c1b7a11",
            "groups": [
                "system:serviceaccounts",
                "system:serviceaccounts:kube-system",
                "system:authenticated",
            ],
        },
        "object": obj,
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    }
    envelope = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}
    return json.dumps({**envelope, "request": request}, separators=(",", ":"))


def pod(images: Sequence[str], *, number: int = 0, **spec: object) -> Json:
    """A Pod of a ReplicaSet, as it is when validating webhooks see it."""
    app = f"app-{number:03d}"
    distinct = list(dict.fromkeys(images))
    own = ["worker", "sidecar", "third"]
    containers = [_container(own[i], image) for i, image in enumerate(distinct)]
    volumes = [
        {"name": "config", "configMap": {"name": app, "defaultMode": 420}},
        {"name": "scratch", "emptyDir": {}},
        _token_volume(),
    ]
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": _metadata(app),
        "spec": {
            "volumes": volumes,
            "containers": containers,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default",
            "serviceAccount": "default",
            "securityContext": {"runAsNonRoot": True, "fsGroup": 1000},
            "schedulerName": "default-scheduler",
            "tolerations": _DEFAULT_TOLERATIONS,
            "priority": 0,
            "enableServiceLinks": True,
            "preemptionPolicy": "PreemptLowerPriority",
            **spec,
        },
        "status": {"phase": "Pending", "qosClass": "Burstable"},
    }


def _metadata(app: str) -> Json:
    labels = {
        "app.kubernetes.io/name": app,
        "app.kubernetes.io/managed-by": "Helm",
        "pod-template-hash": "6d5f7c9b8d",
        "team": "platform",
    }
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"{app}-6d5f7c9b8d",
        "uid": "c0a1f7de-11f2-4c60-8f6a-1f0a4be2b6cf",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    container: Json = {
        f"f:{key}": {} for key in ("image", "imagePullPolicy", "name", "resources")
    }
    written = {
        "manager": "kube-controller-manager",
        "operation": "Update",
        "apiVersion": "v1",
        "time": "2026-11-21T09:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {
            "f:metadata": {
                "f:generateName": {},
                "f:labels": {".": {}, **{f"f:{key}": {} for key in labels}},
                "f:ownerReferences": {".": {}, f'k:{{"uid":"{owner["uid"]}"}}': {}},
            },
            "f:spec": {
                "f:containers": {'k:{"name":"worker"}': {".": {}, **container}},
                "f:dnsPolicy": {},
                "f:enableServiceLinks": {},
                "f:restartPolicy": {},
                "f:schedulerName": {},
                "f:securityContext": {},
                "f:terminationGracePeriodSeconds": {},
            },
        },
    }
    return {
        "name": NAME,
        "generateName": f"{app}-6d5f7c9b8d-",
        "namespace": "default",
        "uid": UID,
        "creationTimestamp": "2026-11-21T09:00:00Z",
        "labels": labels,
        "annotations": {
            "prometheus.io/scrape": "true",
            "checksum/config": "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b",
        },
        "ownerReferences": [owner],
        "managedFields": [written],
    }


def _container(name: str, image: str) -> Json:
    values = {f"SETTING_{i:02d}": f"value-of-setting-{i:02d}" for i in range(12)}
    field = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}
    probe = {
        "httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    return {
        "name": name,
        "image": image,
        "args": ["--config=/etc/app/config.yaml", "--listen=:8080"],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [
            *({"name": key, "value": value} for key, value in values.items()),
            {"name": "POD_NAME", "valueFrom": field},
        ],
        "resources": {
            "limits": {"memory": "512Mi"},
            "requests": {"cpu": "250m", "memory": "256Mi"},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/app", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},
            {
                "name": "kube-api-access",
                "readOnly": True,
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            },
        ],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _token_volume() -> Json:
    token = {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    items = [{"key": "ca.crt", "path": "ca.crt"}]
    ca = {"configMap": {"name": "kube-root-ca.crt", "items": items}}
    sources = [token, ca]
    projected = {"sources": sources, "defaultMode": 420}
    return {"name": "kube-api-access", "projected": projected}


def placed(number: int, pool: str, other: str, taints: Sequence[str]) -> Json:
    """What places the Pod of a shape: nothing, a selector, an affinity, or both."""
    how: Json = {}
    if number % 4 in {1, 3}:
        how["nodeSelector"] = {"kubernetes.io/os": "linux", "pool": pool}
    if number % 4 in {2, 3}:
        wanted = [
            {"key": "pool", "operator": "In", "values": [pool, other]},
            {"key": "imagecompat.dev/never", "operator": "DoesNotExist"},
        ]
        terms = {"nodeSelectorTerms": [{"matchExpressions": wanted}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": terms}
        how["affinity"] = {"nodeAffinity": required}
    if taints:
        own = [{"key": taint, "operator": "Exists"} for taint in taints]
        how["tolerations"] = [*_DEFAULT_TOLERATIONS, *own]
    return how
