"""Which nodes kube-scheduler's filters leave to a Pod.

Two views (design 3.3): `now` is what the scheduler sees this minute; `eventual`
sets aside what goes away by itself, cordons and transient taints, and decides. A
filter that is left out (resources, ports, volumes, other Pods, other schedulers'
rules) can only add candidates, so it can turn a denial into an admission, never
the other way round.

The rules:

* Filters run in the scheduler's order and are named as its plugins; a node is
  excluded by the first one that fails. Before them, nodes that match
  `Options.ignore`: NFD never describes them.
* `spec.os.name` is checked by the kubelet, not by the scheduler. It excludes a
  node that is labelled with another operating system.
* A Pod that names its node passes by the scheduler: that node is its only
  candidate, and what the kubelet checks is left (affinity, `NoExecute` taints).
  Once it runs there, nothing but the name is.
* Another scheduler than `Options.schedulers` may have its own view of taints:
  they do not filter.
* What is beyond a limit of `placement.Limits` is left out.

Source: `pkg/scheduler/apis/config/v1/default_plugins.go`, the plugins it names,
and `pkg/kubelet/lifecycle/predicate.go` at Kubernetes v1.35.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final

from app.scheduling.affinity import all_of, any_term
from app.scheduling.node import Node, Taint, os_of
from app.scheduling.placement import (
    DEFAULT_SCHEDULER,
    EVERYTHING,
    IGNORED,
    LIMITS,
    NODE_AFFINITY,
    NODE_NAME,
    NODE_UNSCHEDULABLE,
    POD_OS,
    TAINT_TOLERATION,
    Limits,
    Placement,
    bounded,
)
from app.scheduling.selector import Requirement, Test
from app.scheduling.taints import (
    CORDON,
    NO_EXECUTE,
    NO_SCHEDULE,
    TRANSIENT,
    Tolerated,
    Transient,
)


@dataclass(frozen=True, slots=True)
class Options:
    """What an admin decides about candidates.

    Attributes:
        schedulers: those that filter as kube-scheduler does.
        ignore: requirements on labels; a node that meets all of them is no
            candidate. Empty takes no node out.
        transient: taints that `eventual` sets aside.
    """

    schedulers: frozenset[str] = frozenset({DEFAULT_SCHEDULER})
    ignore: tuple[Requirement, ...] = (Requirement("type", "In", ("virtual-kubelet",)),)
    transient: Transient = TRANSIENT


@dataclass(frozen=True, slots=True)
class Candidates:
    """The answer for one Pod.

    Attributes:
        eventual: the candidates, in the order of the nodes.
        now: those of them that the scheduler would take this minute.
        excluded: filter -> the other nodes, each under the first that takes it
            out. A filter that takes none out is absent.
        waiting: filter -> the candidates that are not in `now`, likewise.
        left_out: filters of which a part was too costly to run.
    """

    eventual: tuple[Node, ...] = ()
    now: tuple[Node, ...] = ()
    excluded: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)
    waiting: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def excluded_counts(self) -> dict[str, int]:
        """Filter -> how many nodes it takes out."""
        return {name: len(nodes) for name, nodes in self.excluded.items()}

    @property
    def waiting_counts(self) -> dict[str, int]:
        """Filter -> how many candidates it takes out of `now`."""
        return {name: len(nodes) for name, nodes in self.waiting.items()}


@dataclass(frozen=True, slots=True)
class Compiled:
    """The filters of one Pod, to be asked about any number of nodes.

    Attributes:
        eventual: filter -> its test, in order; cordons and transient taints are
            set aside.
        waiting: what a node of `eventual` must pass besides to be in `now`.
    """

    eventual: tuple[tuple[str, Test], ...]
    waiting: tuple[tuple[str, Test], ...] = ()


def find(
    placement: Placement,
    nodes: Iterable[Node] | Mapping[str, Node],
    *,
    options: Options | None = None,
    is_running: bool = False,
    limits: Limits = LIMITS,
) -> Candidates:
    """The candidates among `nodes`.

    Args:
        placement: what the Pod asks for.
        nodes: all nodes of the cluster, or name -> Node.
        options: `None` for the defaults.
        is_running: the Pod runs on its node already (an UPDATE), so nothing
            else is asked of that node.
        limits: how much of the placement is asked for.
    """
    every = tuple(nodes.values() if isinstance(nodes, Mapping) else nodes)
    asked = asked_for(
        placement, partial(_count_values, every), limits, is_running=is_running
    )
    compiled = _compiled(asked, options or Options())
    eventual: list[Node] = []
    now: list[Node] = []
    excluded: dict[str, list[Node]] = {name: [] for name, _ in compiled.eventual}
    waiting: dict[str, list[Node]] = {name: [] for name, _ in compiled.waiting}
    checks, waits = compiled.eventual, compiled.waiting
    # Most nodes have neither taint nor cordon: those are not asked about them.
    plain = tuple(check for check in checks if check[0] != TAINT_TOLERATION)
    for node in every:
        for reason, admits in checks if node.taints else plain:
            if not admits(node):
                excluded[reason].append(node)
                break
        else:
            eventual.append(node)
            for reason, admits in waits if node.taints or node.unschedulable else ():
                if not admits(node):
                    waiting[reason].append(node)
                    break
            else:
                now.append(node)
    return Candidates(
        eventual=tuple(eventual),
        now=tuple(now),
        excluded={name: tuple(found) for name, found in excluded.items() if found},
        waiting={name: tuple(found) for name, found in waiting.items() if found},
        left_out=asked.left_out,
    )


def asked_for(
    placement: Placement,
    count_values: Callable[[str], int],
    limits: Limits,
    *,
    is_running: bool,
) -> Placement:
    """What of a placement is asked for; arguments as for `find` and `bounded`.

    A Pod that runs is where it is, and nothing filters but the name.
    """
    if is_running and placement.node_name:
        return Placement(placement.node_name, tolerations=EVERYTHING)
    return bounded(placement, count_values, limits)


def _count_values(nodes: Iterable[Node], label: str) -> int:
    return len({node.labels[label] for node in nodes if label in node.labels})


def _compiled(placement: Placement, options: Options) -> Compiled:
    """Reads a Pod's constraints once."""
    hard = _not_ignored(options.ignore)
    soft: list[tuple[str, Test]] = []
    if placement.node_name:
        hard.append((NODE_NAME, node_name(placement)))
        hard.append((TAINT_TOLERATION, _taints(placement, _KUBELET, options.transient)))
        soft.append((TAINT_TOLERATION, _taints(placement, _KUBELET)))
    elif placement.scheduler_name in options.schedulers:
        hard.append((TAINT_TOLERATION, _taints(placement, _BOTH, options.transient)))
        soft.append((NODE_UNSCHEDULABLE, node_unschedulable(placement)))
        soft.append((TAINT_TOLERATION, taint_toleration(placement)))
    if placement.node_selector or placement.required_terms is not None:
        hard.append((NODE_AFFINITY, node_affinity(placement)))
    if placement.os:
        hard.append((POD_OS, pod_os(placement)))
    return Compiled(tuple(hard), tuple(soft))


# The filters --------------------------------------------------------------------


def node_unschedulable(placement: Placement) -> Test:
    """A cordoned node takes only Pods that tolerate the cordon's taint."""
    is_tolerated = CORDON in Tolerated(placement.tolerations)
    return lambda node: is_tolerated or not node.unschedulable


def node_name(placement: Placement) -> Test:
    """`spec.nodeName` is empty or the node's name."""
    name = placement.node_name
    return lambda node: not name or node.name == name


def taint_toleration(placement: Placement) -> Test:
    """Every taint that filters is tolerated."""
    return _taints(placement, _BOTH)


def node_affinity(placement: Placement) -> Test:
    """`nodeSelector` holds, and one of the required terms."""
    wanted = dict(placement.node_selector).items()
    if placement.required_terms is None:
        return lambda node: wanted <= node.labels.items()
    holds = any_term(placement.required_terms)
    if not wanted:
        return holds
    return lambda node: wanted <= node.labels.items() and holds(node)


def pod_os(placement: Placement) -> Test:
    """`spec.os.name` is empty or the node's; an unlabelled node passes."""
    wanted = ("", placement.os)
    return lambda node: not placement.os or os_of(node) in wanted


FILTERS: Final[Mapping[str, Callable[[Placement], Test]]] = MappingProxyType(
    {
        NODE_UNSCHEDULABLE: node_unschedulable,
        NODE_NAME: node_name,
        TAINT_TOLERATION: taint_toleration,
        NODE_AFFINITY: node_affinity,
        POD_OS: pod_os,
    }
)
"""Filter -> how to make it for a Pod, in the scheduler's order, the kubelet's last."""


def _not_ignored(ignore: tuple[Requirement, ...]) -> list[tuple[str, Test]]:
    """The check that takes ignored nodes out; none if nothing is ignored."""
    is_ignored = all_of(ignore)
    if not ignore or is_ignored is None:
        return []
    return [(IGNORED, lambda node: not is_ignored(node))]


# Taints -------------------------------------------------------------------------

_BOTH = frozenset({NO_SCHEDULE, NO_EXECUTE})
_KUBELET = frozenset({NO_EXECUTE})
_NOTHING = Transient(frozenset())
_MAX_KNOWN = 4096


def _taints(
    placement: Placement, effects: frozenset[str], set_aside: Transient = _NOTHING
) -> Test:
    tolerated = Tolerated(placement.tolerations)
    # Nodes share their taints. The entry holds the taints, so that no other
    # object can come by their id.
    known: dict[int, tuple[tuple[Taint, ...], bool]] = {}

    def admits(taint: Taint) -> bool:
        return (
            taint.effect not in effects or taint in tolerated or taint.key in set_aside
        )

    def test(node: Node) -> bool:
        taints = node.taints
        entry = known.get(id(taints))
        if entry is None:
            if len(known) >= _MAX_KNOWN:
                known.clear()
            entry = known[id(taints)] = (taints, all(map(admits, taints)))
        return entry[1]

    return test
