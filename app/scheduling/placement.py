"""Where a Pod may run: what it asks of its node, and how much of that we ask for.

Anybody who may create a Pod writes these, by the megabyte if they like, and the
event loop answers; so each part has a limit (`Limits`). The rule:

* A part beyond its limit is left out whole, in the way that leaves more nodes:
  a `nodeSelector` or an affinity counts as absent, tolerations as ones that
  tolerate everything. Some of the tolerations would leave fewer.
* So it can turn a denial into an admission, never the other way round.
* The filter is named in `Placement.left_out`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from app.scheduling.selector import Requirement
from app.scheduling.taints import Toleration

DEFAULT_SCHEDULER: Final = "default-scheduler"

IGNORED: Final = "Ignored"
NODE_UNSCHEDULABLE: Final = "NodeUnschedulable"
NODE_NAME: Final = "NodeName"
TAINT_TOLERATION: Final = "TaintToleration"
NODE_AFFINITY: Final = "NodeAffinity"
POD_OS: Final = "PodOSNotSupported"

EVERYTHING: Final = (Toleration(operator="Exists"),)
"""Tolerates every taint, and cordons: filters by taints are left out."""


class NodeTerm(msgspec.Struct, frozen=True, rename="camel"):
    """A term of the required node affinity; all of it must hold.

    A term without any requirement holds on no node.
    """

    match_expressions: tuple[Requirement, ...] = ()
    match_fields: tuple[Requirement, ...] = ()


class Placement(msgspec.Struct, frozen=True, cache_hash=True):
    """Where a Pod may run: all that candidates depend on. Hashable.

    Attributes:
        node_name: `""` where the scheduler shall choose.
        node_selector: key and value of each wanted label, sorted.
        required_terms: alternatives; `None` without a required node affinity,
            which is not the same as none at all: that one holds on no node.
        tolerations: in order.
        scheduler_name: never empty.
        os: `spec.os.name`; `""` if not given.
        left_out: filters of which a part was too large, sorted.
    """

    node_name: str = ""
    node_selector: tuple[tuple[str, str], ...] = ()
    required_terms: tuple[NodeTerm, ...] | None = None
    tolerations: tuple[Toleration, ...] = ()
    scheduler_name: str = DEFAULT_SCHEDULER
    os: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a Placement we ask for; each takes a millisecond or two at most.

    Measured with 15,000 nodes. All limits are far above what people write.

    Attributes:
        selector: labels of `nodeSelector`.
        terms: of the required affinity. One a node, as some controllers write,
            is one look-up each.
        fields: requirements on fields, of all terms together.
        requirements: requirements on labels, likewise: each is a set of nodes.
        values: of all those requirements together: each is a look-up.
        compared: different values that nodes give to the labels that `Gt` and
            `Lt` name, together: they are put in order after each change.
        tolerations: of the Pod.
    """

    selector: int = 1_024
    terms: int = 1_024
    fields: int = 1_024
    requirements: int = 256
    values: int = 2_048
    compared: int = 1_024
    tolerations: int = 1_024


LIMITS: Final = Limits()
"""The bounds that hold unless a caller says otherwise."""


def bounded(
    placement: Placement, count_values: Callable[[str], int], limits: Limits = LIMITS
) -> Placement:
    """The same without the parts that are beyond a limit.

    Args:
        placement: what the Pod asks for.
        count_values: label -> how many different values the nodes give to it.
        limits: how much is asked for.
    """
    less: dict[str, Any] = {}
    left_out = set(placement.left_out)
    if len(placement.node_selector) > limits.selector:
        less["node_selector"] = ()
        left_out.add(NODE_AFFINITY)
    terms = placement.required_terms
    if terms and _is_too_large(terms, count_values, limits):
        less["required_terms"] = None
        left_out.add(NODE_AFFINITY)
    if len(placement.tolerations) > limits.tolerations:
        less["tolerations"] = EVERYTHING
        left_out |= {NODE_UNSCHEDULABLE, TAINT_TOLERATION}
    if not less:
        return placement
    less["left_out"] = tuple(sorted(left_out))
    return msgspec.structs.replace(placement, **less)


def _is_too_large(
    terms: tuple[NodeTerm, ...], count_values: Callable[[str], int], limits: Limits
) -> bool:
    if len(terms) > limits.terms:
        return True
    if sum(len(term.match_fields) for term in terms) > limits.fields:
        return True
    requirements = [each for term in terms for each in term.match_expressions]
    if len(requirements) > limits.requirements:
        return True
    if sum(len(each.values) for each in requirements) > limits.values:
        return True
    return sum(map(count_values, _compared(requirements))) > limits.compared


def _compared(requirements: Iterable[Requirement]) -> set[str]:
    return {each.key for each in requirements if each.operator in ("Gt", "Lt")}
