"""RuntimeClasses: where Pods that name one may run.

The API server's admission plugin `RuntimeClass` writes `scheduling` of the class into
the Pod before any webhook is asked, and so do we, also into templates: their Pods
will have it. Source: `setScheduling` in kubernetes v1.34,
`plugin/pkg/admission/runtimeclass/admission.go`:

1. `nodeSelector` is merged; a key with two values refuses the Pod.
2. `tolerations` are appended. The plugin leaves out what others cover: no difference.

The class's overhead changes nothing that is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.cli.checking.manifests import Found, Manifest, refuse


@dataclass(frozen=True, slots=True)
class Scheduling:
    """What a RuntimeClass adds to Pods.

    Attributes:
        node_selector: label -> value.
        tolerations: as in a Pod.
    """

    node_selector: Mapping[str, str]
    tolerations: Sequence[object]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Scheduling:
        """Of an object of the kind RuntimeClass, whatever its shape."""
        part = value.get("scheduling")
        held = part if isinstance(part, Mapping) else {}
        labels, tolerations = held.get("nodeSelector"), held.get("tolerations")
        return cls(
            labels if isinstance(labels, Mapping) else {},
            tolerations if isinstance(tolerations, list) else (),
        )


def name_of(manifest: Manifest) -> str:
    """The class that a workload's Pods name; empty for none."""
    name = manifest.pod_spec.get("runtimeClassName")
    return name if isinstance(name, str) else ""


def missing(found: Found) -> list[str]:
    """Classes that workloads name and no manifest has, each once."""
    names = dict.fromkeys(map(name_of, found.manifests))
    return [name for name in names if name and name not in found.runtime_classes]


def apply(found: Found, absent: Iterable[str] = ()) -> list[str]:
    """Writes classes into the workloads that name them; notes on those not known.

    Args:
        found: workloads, and objects of the kind RuntimeClass by name.
        absent: classes that the cluster does not have.

    Raises:
        ConfigError: a manifest's node selector and its class's exclude each other.
    """
    gone = frozenset(absent)
    classes = {key: Scheduling.of(one) for key, one in found.runtime_classes.items()}
    notes: dict[str, None] = {}
    for number, one in enumerate(found.manifests):
        name = name_of(one)
        if name in classes:
            found.manifests[number] = _merged(one, name, classes[name], notes)
        elif name in gone:
            notes[f"there is no RuntimeClass {name}: its Pods are refused"] = None
        elif name:
            text = f"RuntimeClass {name} is not known: where it lets Pods run"
            notes[f"{text} does not count"] = None
    return list(notes)


def _merged(
    one: Manifest, name: str, scheduling: Scheduling, notes: dict[str, None]
) -> Manifest:
    spec = one.pod_spec
    labels, tolerations = spec.get("nodeSelector") or {}, spec.get("tolerations") or []
    for key, value in scheduling.node_selector.items():
        if labels.get(key, value) != value:
            text = (
                f"{one.label}: nodeSelector {key}={labels[key]}, and RuntimeClass "
                f"{name} wants {key}={value}: its Pods are refused"
            )
            if not one.is_live:
                refuse(one.place, text)
            notes[text] = None
            return one
    return one.with_pod_spec(
        {
            "nodeSelector": {**labels, **scheduling.node_selector},
            "tolerations": [*tolerations, *scheduling.tolerations],
        }
    )
