"""What kubectl and the API server make of our answers, as far as the demo shows.

The API server calls the mutating webhook, applies its patch, then calls the
validating one; kubectl prints warnings first, then the outcome. The sentences
around ours are the API server's own (v1.35); the integration tests compare the
whole with the real ones.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.demo.scenarios import Json, Scenario

WEBHOOK: Final = "pods.imagecompat.dev"
TEMPLATES: Final = "workloads.imagecompat.dev"

_GROUPS: Final = {"Deployment": "apps"}

Post = Callable[[str, bytes], Awaitable[bytes]]
"""Sends a body to a path of the webhook; gives the answer's body."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the user sees.

    Attributes:
        allowed: whether the request went through.
        lines: what kubectl prints.
        annotations: of ours, on the object as it would be stored.
    """

    allowed: bool
    lines: tuple[str, ...]
    annotations: Mapping[str, str]


async def send(scenario: Scenario, post: Post) -> Outcome:
    """Plays one request through both webhooks."""
    obj = json.loads(json.dumps(scenario.object))
    if scenario.kind == "Pod" and not scenario.subresource:
        answer = await _ask(post, "/v1/mutate?timeout=2s", scenario, obj)
        _apply(obj, answer)
    answer = await _ask(post, "/v1/validate?timeout=5s", scenario, obj)
    lines = [f"Warning: {line}" for line in answer.get("warnings", ())]
    if answer["allowed"]:
        lines.append(scenario.done)
    else:
        lines.append(_denied(scenario, answer["status"]))
    written = obj["metadata"].get("annotations") or {}
    ours = {k: v for k, v in written.items() if k.startswith("imagecompat.dev/")}
    shown = ours if answer["allowed"] and scenario.kind == "Pod" else {}
    return Outcome(answer["allowed"], tuple(lines), shown)


def _denied(scenario: Scenario, status: Mapping[str, Any]) -> str:
    name = WEBHOOK if scenario.kind == "Pod" else TEMPLATES
    file = scenario.command.rpartition(" ")[2]
    creating = f'error when creating "{file}": ' if file.endswith(".yaml") else ""
    return (
        f"Error from server ({status['reason']}): {creating}"
        f'admission webhook "{name}" denied the request: {status["message"]}'
    )


async def _ask(post: Post, path: str, scenario: Scenario, obj: Json) -> dict[str, Any]:
    uid = str(uuid.uuid4())
    request = {
        "uid": uid,
        "kind": {"group": _GROUPS.get(scenario.kind, ""), "kind": scenario.kind},
        "resource": {"resource": scenario.resource},
        "subResource": scenario.subresource,
        "operation": "UPDATE" if scenario.old_object else "CREATE",
        "namespace": scenario.namespace,
        "userInfo": {"username": "demo", "groups": ["system:authenticated"]},
        "object": {**obj, "kind": scenario.kind},
        "oldObject": scenario.old_object,
    }
    review = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": request,
    }
    answer: dict[str, Any] = json.loads(await post(path, json.dumps(review).encode()))
    response: dict[str, Any] = answer["response"]
    if response["uid"] != uid:
        raise AssertionError("the webhook answered another review")
    return response


def _apply(obj: Json, answer: Mapping[str, Any]) -> None:
    """Applies our patch: `add` and `remove` on annotations, nothing else."""
    metadata = obj["metadata"]
    if not isinstance(metadata, dict):
        raise TypeError("a scenario's metadata is a mapping")
    for operation in json.loads(base64.b64decode(answer.get("patch", "W10="))):
        if operation["path"] == "/metadata/annotations":
            metadata["annotations"] = dict(operation["value"])
            continue
        key = operation["path"].rpartition("/")[2].replace("~1", "/")
        if operation["op"] == "remove":
            del metadata["annotations"][key]
        else:
            metadata["annotations"][key] = operation["value"]
