"""The survey as JSON, for scripts.

`version` changes when a field goes, or comes to mean something else; fields that
are new do not change it. A replica's `status` is its `/statusz`, as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.cli.installed.asking import Unread
from app.cli.installed.fault import Problem
from app.cli.installed.survey import Survey

VERSION: Final = 1


def of(survey: Survey, problems: Sequence[Problem], unread: Sequence[str]) -> str:
    """The document, indented, without an end of line."""
    content = {
        "version": VERSION,
        "release": survey.release,
        "namespace": survey.namespace,
        "isHealthy": not problems and not unread,
        "problems": [
            {"reason": one.reason, "problem": one.problem, "do": one.do}
            for one in problems
        ],
        "notSeen": list(unread),
        "deployment": _deployment(survey),
        "replicas": _replicas(survey),
        "webhooks": _webhooks(survey),
        "readyEndpoints": _seen(survey.endpoints),
        "namespaceModes": _modes(survey),
        "isNodeFeatureInstalled": _seen(survey.is_kind_there),
        "untrustedNamespaces": _seen(survey.untrusted),
        "nodesWithoutFeatures": _seen(survey.nodes),
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()


def _seen(value: object) -> object:
    return None if isinstance(value, Unread) else value


def _deployment(survey: Survey) -> dict[str, Any] | None:
    found = survey.deployment
    if found is None or isinstance(found, Unread):
        return None
    return {
        "name": found.name,
        "wanted": found.wanted,
        "ready": found.ready,
        "updated": found.updated,
    }


def _replicas(survey: Survey) -> list[dict[str, Any]] | None:
    if isinstance(survey.replicas, Unread):
        return None
    return [
        {
            "name": one.name,
            "isReady": one.is_ready,
            "status": one.status,
            "notSeen": one.unread.message if one.unread else "",
        }
        for one in survey.replicas
    ]


def _webhooks(survey: Survey) -> list[dict[str, Any]]:
    return [
        {
            "name": hook.name,
            "kind": kind,
            "configuration": one.name,
            "failurePolicy": hook.failure_policy,
            "timeoutSeconds": hook.timeout_seconds,
            "hasCaBundle": bool(hook.ca_bundle),
            "service": str(hook.service) if hook.service else None,
            "exemptNamespaces": list(hook.exempt_namespaces),
        }
        for kind, found in (survey.configurations or {}).items()
        for one in (() if isinstance(found, Unread) else found)
        for hook in one.hooks
    ]


def _modes(survey: Survey) -> list[dict[str, str]] | None:
    found = survey.labelled
    if found is None or isinstance(found, Unread):
        return None
    return [{"namespace": one.namespace, "mode": one.mode} for one in found]
