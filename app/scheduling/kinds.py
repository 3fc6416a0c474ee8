"""The kinds of object that say what shall run: Pods, and what makes Pods.

Design rule: a template is judged only where a person wrote it. A workload that
another workload of the table owns (the ReplicaSet of a Deployment) is left out:
its owner was judged, and its Pods will be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that carries a Pod spec.

    Attributes:
        name: `kind` as the API writes it.
        group: its API group; `""` is the core group.
        template: keys from the object to the mapping that holds the Pod's
            `metadata` and `spec`; empty for a Pod, which is that mapping.
    """

    name: str
    group: str
    template: tuple[str, ...]

    @property
    def is_template(self) -> bool:
        """Whether objects of this kind make Pods and are none themselves."""
        return bool(self.template)


_TEMPLATE = ("spec", "template")

POD: Final = Kind("Pod", "", ())

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            POD,
            Kind("ReplicationController", "", _TEMPLATE),
            Kind("Deployment", "apps", _TEMPLATE),
            Kind("ReplicaSet", "apps", _TEMPLATE),
            Kind("StatefulSet", "apps", _TEMPLATE),
            Kind("DaemonSet", "apps", _TEMPLATE),
            Kind("Job", "batch", _TEMPLATE),
            Kind("CronJob", "batch", ("spec", "jobTemplate", *_TEMPLATE)),
        )
    }
)
"""Kind's name -> Kind. No two kinds of the table share a name."""


def find(kind: str, api_version: str) -> Kind | None:
    """The kind of a manifest (`Deployment`, `apps/v1`); `None` if not one of ours."""
    found = KINDS.get(kind)
    return found if found is not None and found.group == group(api_version) else None


def group(api_version: str) -> str:
    """The group of an `apiVersion`: `apps` of `apps/v1`, `""` of `v1`."""
    return api_version.rpartition("/")[0]
