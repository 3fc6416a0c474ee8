"""What the admin decides: modes, and an action for every answer we can give.

The table of defaults is design in code: each field of `Policy` is one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

MODE_KEY: Final = "imagecompat.dev/mode"
"""The Namespace label, and the Pod annotation, that choose a mode."""


class Mode(StrEnum):
    """How far a verdict goes, strictest first."""

    ENFORCE = "enforce"
    WARN = "warn"
    AUDIT = "audit"
    OFF = "off"

    @property
    def strictness(self) -> int:
        """Larger is stricter."""
        return -list(Mode).index(self)


class LabelledModes(StrEnum):
    """Which modes somebody else than the admin may choose: by label, by annotation."""

    ANY = "any"
    STRICTER_ONLY = "stricter-only"
    OFF = "off"


class Action(Enum):
    """What becomes of a request; the larger is the worse."""

    ALLOW = 0
    WARN = 1
    DENY = 2

    def __lt__(self, other: Action) -> bool:
        return self._value_ < other._value_


class NodesMayAppear(StrEnum):
    """Whether nodes that do not exist yet may turn up (an autoscaler)."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


POOL_LABELS: Final = (
    "karpenter.sh/nodepool",
    "cloud.google.com/gke-nodepool",
    "eks.amazonaws.com/nodegroup",
    "kubernetes.azure.com/agentpool",
)
"""Labels of managed or autoscaled pools: any of them means nodes may appear."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The admin's decisions.

    Attributes:
        mode: of namespaces without a valid label of their own.
        namespace_modes: which modes a namespace's label may choose.
        pod_modes: which modes a Pod's annotation may choose.
        on_no_candidates: no node is left to the Pod by the scheduler's filters.
        on_unknown: no candidate fits, and of some nothing is known.
        on_missing: an image carries no artifact.
        on_unavailable: its registry could not answer.
        on_unauthorized: no credential of ours is accepted.
        on_image_not_found: the registry knows no such image.
        on_invalid: the artifact or its spec is broken or too costly.
        on_error: an exception of ours.
        on_overload: more reviews at once than we take on.
        on_stale: cap of a misfit, and of unknown candidates, while our view of the
            cluster is stale.
        on_scalable: the same where nodes may appear.
        daemon_sets: the same for Pods of DaemonSets.
        stale_after_seconds: silence of the API server that makes a view stale.
        nodes_may_appear: whether an autoscaler may add nodes.
        pool_labels: node labels that `auto` looks for.
    """

    mode: Mode = Mode.ENFORCE
    namespace_modes: LabelledModes = LabelledModes.ANY
    pod_modes: LabelledModes = LabelledModes.OFF
    on_no_candidates: Action = Action.WARN
    on_unknown: Action = Action.WARN
    on_missing: Action = Action.ALLOW
    on_unavailable: Action = Action.WARN
    on_unauthorized: Action = Action.ALLOW
    on_image_not_found: Action = Action.WARN
    on_invalid: Action = Action.WARN
    on_error: Action = Action.WARN
    on_overload: Action = Action.ALLOW
    on_stale: Action = Action.WARN
    on_scalable: Action = Action.WARN
    daemon_sets: Action = Action.WARN
    stale_after_seconds: float = 120.0
    nodes_may_appear: NodesMayAppear = NodesMayAppear.AUTO
    pool_labels: tuple[str, ...] = POOL_LABELS


_CAPS: Final[Mapping[Mode, Action]] = {
    Mode.ENFORCE: Action.DENY,
    Mode.WARN: Action.WARN,
    Mode.AUDIT: Action.ALLOW,
    Mode.OFF: Action.ALLOW,
}


def cap(mode: Mode) -> Action:
    """The worst that `mode` lets happen."""
    return _CAPS[mode]


def mode_of(policy: Policy, labels: Mapping[str, str] | None) -> Mode:
    """The mode of a namespace.

    Args:
        policy: gives the mode of namespaces without a valid label.
        labels: of the Namespace; `None` if it could not be had, which is `warn`
            at the strictest: what we do not know denies nothing.
    """
    if labels is None:
        return Mode.WARN if policy.mode is Mode.ENFORCE else policy.mode
    return _chosen(policy.mode, policy.namespace_modes, labels.get(MODE_KEY))


def mode_of_pod(policy: Policy, mode: Mode, annotations: Mapping[str, object]) -> Mode:
    """The mode of a Pod in a namespace of `mode`."""
    return _chosen(mode, policy.pod_modes, annotations.get(MODE_KEY))


def _chosen(mode: Mode, allowed: LabelledModes, word: object) -> Mode:
    """What `word` makes of `mode`; a word that is no mode makes nothing of it."""
    if allowed is LabelledModes.OFF or not isinstance(word, str):
        return mode
    try:
        chosen = Mode(word)
    except ValueError:
        return mode
    if allowed is LabelledModes.STRICTER_ONLY and chosen.strictness < mode.strictness:
        return mode
    return chosen


def nodes_may_appear(policy: Policy, labelled: Callable[[str], object]) -> bool:
    """Whether nodes that do not exist yet may turn up.

    Args:
        policy: `auto` looks at the labels.
        labelled: key of a label -> something true if any Node carries it.
    """
    if policy.nodes_may_appear is not NodesMayAppear.AUTO:
        return policy.nodes_may_appear is NodesMayAppear.YES
    return any(map(labelled, policy.pool_labels))
