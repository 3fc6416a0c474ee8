"""Which taints keep a Pod off a node, and which of those pass by themselves.

A taint filters if its effect is `NoSchedule` or `NoExecute`, as written; no other
effect does. It is tolerated if a toleration names its key (or none), its effect
(or none), and its value: `Exists` takes any value, `Equal` (or no operator) the
same one. Any other operator, the alpha `Gt` and `Lt` among them, tolerates nothing.

Source: `Toleration.ToleratesTaint`, k8s.io/api v0.35.3 `core/v1/toleration.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from app.scheduling.node import Taint

Tolerates: TypeAlias = Callable[[Taint], bool]

NO_SCHEDULE: Final = "NoSchedule"
NO_EXECUTE: Final = "NoExecute"

CORDON: Final = Taint("node.kubernetes.io/unschedulable", "", NO_SCHEDULE)
"""The taint that `spec.unschedulable` stands for."""


@dataclass(frozen=True, slots=True)
class Toleration:
    """A toleration as written; the default is Equal with an empty value."""

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True)
class Transient:
    """Keys of taints that go away by themselves: a Pod would only wait for it.

    Attributes:
        keys: whole keys.
        prefixes: what a key may begin with.
    """

    keys: frozenset[str]
    prefixes: tuple[str, ...] = ()

    def __contains__(self, key: str) -> bool:
        return key in self.keys or key.startswith(self.prefixes)

    def extended(self, patterns: Iterable[str]) -> Transient:
        """With more keys; one that ends in `*` is a prefix."""
        names = frozenset(patterns)
        prefixes = {name.removesuffix("*") for name in names if name.endswith("*")}
        return Transient(
            self.keys | {name for name in names if not name.endswith("*")},
            tuple(sorted({*self.prefixes, *prefixes})),
        )


TRANSIENT: Final = Transient(
    keys=frozenset(
        {
            # What the cluster autoscaler sets aside too (`SanitizeTaints`).
            "node.kubernetes.io/not-ready",
            "node.kubernetes.io/unreachable",
            "node.kubernetes.io/unschedulable",
            "node.kubernetes.io/memory-pressure",
            "node.kubernetes.io/disk-pressure",
            "node.kubernetes.io/network-unavailable",
            "node.kubernetes.io/pid-pressure",
            "node.cloudprovider.kubernetes.io/uninitialized",
            "node.cloudprovider.kubernetes.io/shutdown",
            "cloud.google.com/impending-node-termination",
            "NodeWithImpairedVolumes",
            "ToBeDeletedByClusterAutoscaler",
            "DeletionCandidateOfClusterAutoscaler",
            # Set while a node starts or is replaced.
            "karpenter.sh/unregistered",
            "karpenter.sh/disrupted",
            "node.cilium.io/agent-not-ready",
        }
    ),
    prefixes=(
        "ignore-taint.cluster-autoscaler.kubernetes.io/",
        "startup-taint.",
        "status-taint.",
    ),
)


def tolerates(tolerations: Iterable[Toleration]) -> Tolerates:
    """Reads tolerations once; the result tells whether one covers a taint.

    Its cost does not grow with the number of tolerations.
    """
    any_value: set[tuple[str, str]] = set()
    one_value: set[tuple[str, str, str]] = set()
    for each in tolerations:
        if each.operator == "Exists":
            any_value.add((each.key, each.effect))
        elif each.operator in ("", "Equal"):
            one_value.add((each.key, each.effect, each.value))
    if not any_value and not one_value:
        return lambda _: False

    def test(taint: Taint) -> bool:
        key, effect, value = taint.key, taint.effect, taint.value
        # An empty key or effect of a toleration stands for all of them.
        for pair in ((key, effect), (key, ""), ("", effect), ("", "")):
            if pair in any_value or (*pair, value) in one_value:
                return True
        return False

    return test
