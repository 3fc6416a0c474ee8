"""`values.schema.json`: the settings' own schema, and the chart's values by hand.

The sections that mirror `app.settings` come from its models, less what the chart
decides itself (`WIRED`). YAML as Helm reads it takes a bare `off`, `yes` or `no`
for a boolean, so where such a word may stand, the boolean may, too. And `--set`
reads `7.5` as a text, so a number may be one; the settings take it for the number.

A section whose keys are all commented out is null, and null takes the section out of
the values: what has a default has to be there, so that this has a message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from app.admission.policy import Action
from app.settings.sections import Settings

Schema = dict[str, Any]

SECTIONS: Final = ("server", "certificates", "cluster", "registry", "policy")

WIRED: Final[Mapping[str, str]] = {
    "server.certificate": "the Secret's mount, unless tls.mode is self",
    "server.privateKey": "the same",
    "server.validateTimeoutSeconds": "webhook.timeoutSeconds",
    "server.mutateTimeoutSeconds": "webhook.annotateTimeoutSeconds",
    "certificates.mode": "self or files, by tls.mode",
    "certificates.namespace": "the release's",
    "certificates.secret": "the Secret that the chart makes",
    "certificates.service": "the Service that the chart makes",
    "certificates.validatingConfiguration": "the one that the chart makes",
    "certificates.mutatingConfiguration": "the same; none without policy.annotate",
    "cluster.kubeconfig": "a Pod has its own service account",
    "cluster.context": "the same",
}
"""Settings that are no values -> where they come from."""

WORDS: Final[Mapping[str, tuple[bool, ...]]] = {
    "policy.mode": (False,),
    "policy.namespaceModes": (False,),
    "policy.podModes": (False,),
    "policy.nodesMayAppear": (True, False),
    "policy.unpublishedFeatures": (False,),
}
"""Settings whose words YAML 1.1 takes for booleans -> these booleans."""

PORTS: Final = ("server.port", "server.statusPort")
"""A Service leads there: the system must not choose one."""


def obj(properties: Schema, *, required: tuple[str, ...] = ()) -> Schema:
    """A mapping with these keys and no others."""
    found: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }
    return found | ({"required": list(required)} if required else {})


def one_of(*words: object) -> Schema:
    """One of a few values."""
    return {"enum": list(words)}


def integer(least: int, most: int | None = None) -> Schema:
    """A whole number within bounds."""
    found: Schema = {"type": "integer", "minimum": least}
    return found if most is None else found | {"maximum": most}


def items(kind: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": kind}


BOOL: Final[Schema] = {"type": "boolean"}
TEXT: Final[Schema] = {"type": "string"}
NAME: Final[Schema] = {"type": "string", "minLength": 1}
PORT: Final = integer(1, 65535)
FREE: Final[Schema] = {"type": "object"}
"""What Kubernetes itself checks: selectors, affinities, resources."""
LABELS: Final[Schema] = {"type": "object", "additionalProperties": TEXT}
LIST: Final = items(FREE)
DURATION: Final[Schema] = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$"}
PERCENT_OR_COUNT: Final[Schema] = {
    "anyOf": [integer(0), {"type": "string", "pattern": "^[0-9]+%$"}]
}
CONDITIONS: Final = items(
    obj({"name": NAME, "expression": NAME}, required=("name", "expression"))
)
MONITOR: Final = obj(
    {
        "enabled": BOOL,
        "labels": LABELS,
        "interval": DURATION,
        "scrapeTimeout": DURATION,
    }
)


def _probe() -> Schema:
    names = ("periodSeconds", "timeoutSeconds", "failureThreshold")
    return obj({name: integer(1) for name in names})


CHART: Final[Schema] = {
    "dockerConfigSecret": TEXT,
    "tls": obj(
        {
            "mode": one_of("self", "certManager", "existingSecret"),
            "existingSecret": TEXT,
            "caBundle": TEXT,
            "certManager": obj(
                {
                    "issuerRef": obj({"name": NAME, "kind": NAME, "group": NAME}),
                    "duration": DURATION,
                    "renewBefore": DURATION,
                }
            ),
        }
    ),
    "webhook": obj(
        {
            "failurePolicy": one_of("Ignore", "Fail"),
            "acceptOutages": BOOL,
            "timeoutSeconds": integer(1, 30),
            "annotateTimeoutSeconds": integer(1, 30),
            "workloads": BOOL,
            "exemptNamespaces": items(NAME),
            "namespaceSelector": obj({"matchLabels": LABELS, "matchExpressions": LIST}),
            "objectSelector": obj({"matchLabels": LABELS, "matchExpressions": LIST}),
            "podMatchConditions": CONDITIONS,
            "workloadMatchConditions": CONDITIONS,
            "annotations": LABELS,
        }
    ),
    "replicaCount": integer(1),
    "autoscaling": obj(
        {
            "enabled": BOOL,
            "minReplicas": integer(1),
            "maxReplicas": integer(1),
            "targetCPUUtilizationPercentage": integer(1),
        }
    ),
    "podDisruptionBudget": obj({"enabled": BOOL, "maxUnavailable": PERCENT_OR_COUNT}),
    "priorityClassName": TEXT,
    "resourceQuota": obj({"enabled": BOOL, "pods": integer(1)}),
    "revisionHistoryLimit": integer(0),
    "image": obj(
        {
            "repository": NAME,
            "tag": TEXT,
            "digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
            "pullPolicy": one_of("Always", "IfNotPresent", "Never"),
        }
    ),
    "imagePullSecrets": items(obj({"name": NAME}, required=("name",))),
    "resources": obj({"requests": FREE, "limits": FREE, "claims": LIST}),
    "nodeSelector": LABELS,
    "tolerations": LIST,
    "affinity": FREE,
    "topologySpreadConstraints": LIST,
    "podAnnotations": LABELS,
    "podLabels": LABELS,
    "hostNetwork": BOOL,
    "openshift": BOOL,
    "dnsPolicy": one_of("", "ClusterFirst", "ClusterFirstWithHostNet", "Default"),
    "extraEnv": LIST,
    "extraVolumes": LIST,
    "extraVolumeMounts": LIST,
    "livenessProbe": _probe(),
    "readinessProbe": _probe(),
    "startupProbe": _probe(),
    "nameOverride": TEXT,
    "fullnameOverride": TEXT,
    "commonLabels": LABELS,
    "serviceAccount": obj({"annotations": LABELS}),
    "rbac": obj({"create": BOOL, "namespacedNodeFeatures": BOOL}),
    "service": obj({"annotations": LABELS}),
    "networkPolicy": obj(
        {
            "enabled": BOOL,
            "webhookFrom": LIST,
            "statusFrom": LIST,
            "apiServerPorts": items(PORT),
            "apiServerCidrs": items(NAME),
            "registryPorts": items(PORT),
            "registryCidrs": items(NAME),
            "extraEgress": LIST,
        }
    ),
    "policies": obj({"namespaceLabel": BOOL, "self": BOOL}),
    "metrics": obj({"service": BOOL}),
    "podMonitor": MONITOR,
    "serviceMonitor": MONITOR,
    "prometheusRule": obj(
        {
            "enabled": BOOL,
            "runbookUrl": {"type": "string", "pattern": "^https?://\\S+/$"},
            "labels": LABELS,
        }
    ),
    "dashboard": obj({"enabled": BOOL, "labels": LABELS, "annotations": LABELS}),
    "selftest": obj({"enabled": BOOL, "namespace": NAME}),
    "uninstallHook": obj({"enabled": BOOL}),
    "extraObjects": items({"type": ["object", "string"]}),
    "global": FREE,
}
"""The chart's own values. Helm gives every chart `global`."""


def sections() -> Schema:
    """The schema of each section that mirrors `app.settings`."""
    whole = Settings.model_json_schema(by_alias=True)
    defined = whole["$defs"]
    found: Schema = {}
    for section in SECTIONS:
        model = _plain(whole["properties"][section], defined)
        for path in WIRED:
            owner, _, name = path.partition(".")
            if owner == section:
                del model["properties"][name]
        found[section] = model
    for path, booleans in WORDS.items():
        section, _, name = path.partition(".")
        found[section]["properties"][name]["enum"] += booleans
        del found[section]["properties"][name]["type"]
    for path in PORTS:
        section, _, name = path.partition(".")
        found[section]["properties"][name]["minimum"] = 1
    return found


def _plain(node: Any, defined: Schema) -> Any:
    """A schema without references, and without what only repeats the values.

    Actions are numbers to the code and words to people.
    """
    if isinstance(node, list):
        return [_plain(one, defined) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if name == Action.__name__:
            return one_of(*(one.name.lower() for one in Action))
        return _plain(defined[name], defined)
    kept: Schema = {}
    if node.get("type") == "number":
        bounds = {k: v for k, v in node.items() if "inimum" in k or "aximum" in k}
        number = {"type": "number", **bounds}
        return {"anyOf": [number, {"type": "string", "pattern": r"^[0-9]+\.[0-9]+$"}]}
    for key, value in node.items():
        if key in {"title", "description", "default", "format", "uniqueItems"}:
            continue
        if key == "properties":
            kept[key] = {name: _plain(one, defined) for name, one in value.items()}
        else:
            kept[key] = _plain(value, defined)
    return kept


def whole(defaults: Mapping[str, Any]) -> Schema:
    """The schema of all values, which have these defaults."""
    found = obj(
        {
            **sections(),
            **{name: _needed(CHART[name], defaults.get(name)) for name in CHART},
        }
    )
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart imagecompat",
        **_needed_here(found, defaults),
    }


def _needed(schema: Schema, default: Any) -> Schema:
    """With what must be there, at every depth; but in settings, which have defaults."""
    if not isinstance(default, dict) or "properties" not in schema:
        return schema
    inner = {
        name: _needed(one, default.get(name))
        for name, one in schema["properties"].items()
    }
    return _needed_here({**schema, "properties": inner}, default)


def _needed_here(schema: Schema, default: Mapping[str, Any]) -> Schema:
    """What is empty by default may be left out."""
    names = [
        name for name in schema["properties"] if default.get(name) not in (None, {}, [])
    ]
    return {**schema, "required": names} if names else schema


def text(defaults: Mapping[str, Any]) -> str:
    """The file."""
    return json.dumps(whole(defaults), indent=1) + "\n"
