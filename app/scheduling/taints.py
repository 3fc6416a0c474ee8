"""Which taints keep a Pod off a node, and which of those pass by themselves.

A taint filters if its effect is `NoSchedule` or `NoExecute`, as written; no other
effect does. It is tolerated if a toleration names its key (or none), its effect
(or none), and its value: `Exists` takes any value, `Equal` (or no operator) the
same one. Any other operator, the alpha `Gt` and `Lt` among them, tolerates nothing.

Source: `Toleration.ToleratesTaint`, k8s.io/api v0.35.3 `core/v1/toleration.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

import msgspec

from app.scheduling.node import Taint

NO_SCHEDULE: Final = "NoSchedule"
NO_EXECUTE: Final = "NoExecute"

CORDON: Final = Taint("node.kubernetes.io/unschedulable", "", NO_SCHEDULE)
"""The taint that `spec.unschedulable` stands for."""


class Toleration(msgspec.Struct, frozen=True):
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


class Tolerated:
    """Tolerations, read once: what they cover costs the same however many they are."""

    __slots__ = ("_any_value", "_values")

    def __init__(self, tolerations: Iterable[Toleration]) -> None:
        # By key and effect; an empty one stands for all of them.
        self._any_value: set[tuple[str, str]] = set()
        self._values: dict[tuple[str, str], set[str]] = {}
        for each in tolerations:
            pair = each.key, each.effect
            if each.operator == "Exists":
                self._any_value.add(pair)
            elif each.operator in ("", "Equal"):
                self._values.setdefault(pair, set()).add(each.value)

    def __contains__(self, taint: Taint) -> bool:
        """Whether one of them tolerates the taint."""
        return any(
            pair in self._any_value or taint.value in self._values.get(pair, ())
            for pair in _pairs(taint.key, taint.effect)
        )

    def values(self, key: str, effect: str) -> AbstractSet[str] | None:
        """The values with which such a taint is tolerated; `None` for all."""
        pairs = _pairs(key, effect)
        if not self._any_value.isdisjoint(pairs):
            return None
        found = [self._values[pair] for pair in pairs if pair in self._values]
        return found[0] if len(found) == 1 else set().union(*found)


def _pairs(key: str, effect: str) -> tuple[tuple[str, str], ...]:
    return (key, effect), (key, ""), ("", effect), ("", "")
