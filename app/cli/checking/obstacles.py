"""What keeps all nodes from being candidates of a workload, in its own words.

A report counts how many nodes each of the scheduler's plugins takes out; who wrote
the manifest wants to know what in it, or on the nodes, that comes from. Each part of
a placement is asked for by itself, with the filters that decide
(`scheduling.index`), so that nothing is judged here a second time. What is said of a
placement is remembered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from app.admission.message import clean
from app.checker.judged import Judged
from app.scheduling.candidates import Options
from app.scheduling.index import NodeIndex
from app.scheduling.node import Node, Taint
from app.scheduling.placement import (
    EVERYTHING,
    IGNORED,
    NODE_AFFINITY,
    NODE_NAME,
    POD_OS,
    TAINT_TOLERATION,
    NodeTerm,
    Placement,
)
from app.scheduling.selector import Requirement
from app.scheduling.taints import NO_EXECUTE, NO_SCHEDULE, Tolerated

MAX_OBSTACLES: Final = 8
"""Of one workload."""

MAX_LABELS: Final = 64
"""Labels of a `nodeSelector` that are looked at."""

MAX_PARTS: Final = 4
"""Terms, requirements of a term, and values of one that are told."""

MAX_TEXT: Final = 120
"""Characters of one part."""

_EVERY_NODE: Final = Options(ignore=())


class Obstacles:
    """Tells what excludes all of these nodes.

    Args:
        nodes: all that there are.
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._taints: Final = Counter(t for node in nodes for t in set(node.taints))
        self._told: Final[dict[Placement, tuple[str, ...]]] = {}

    def of(self, judged: Judged) -> tuple[str, ...]:
        """One text for each obstacle; none where a candidate is left."""
        finding = judged.gathered.finding
        if finding.candidates:
            return ()
        placement = judged.asked.pod.placement
        told = self._told.get(placement)
        if told is None:
            index, options = judged.gathering.view.nodes, judged.gathering.options
            found = (
                text
                for plugin in finding.excluded
                for text in _TEXTS[plugin](self, placement, index, options)
            )
            told = self._told[placement] = tuple(islice(found, MAX_OBSTACLES))
        return told

    def ignored(self, _: Placement, __: NodeIndex, options: Options) -> Iterator[str]:
        """Nodes that NFD never describes."""
        yield f"nodes with {_all(options.ignore)} do not count"

    def name(self, placement: Placement, index: NodeIndex, _: Options) -> Iterator[str]:
        """The node that the Pod names."""
        is_there = index.number(placement.node_name) is not None
        end = "" if is_there else ": there is no such node"
        yield f"nodeName {clean(placement.node_name, MAX_TEXT)}{end}"

    def taints(
        self, placement: Placement, _: NodeIndex, options: Options
    ) -> Iterator[str]:
        """Taints that are not tolerated; the most frequent first."""
        effects = {NO_EXECUTE} if placement.node_name else {NO_EXECUTE, NO_SCHEDULE}
        tolerated = Tolerated(placement.tolerations)
        for taint, count in self._taints.most_common():
            is_set_aside = taint.key in options.transient
            if taint.effect in effects and not is_set_aside and taint not in tolerated:
                yield f"taint {_taint(taint)} is not tolerated ({_nodes(count)})"

    def affinity(
        self, placement: Placement, index: NodeIndex, _: Options
    ) -> Iterator[str]:
        """Labels and terms that do not hold on every node."""
        for pair in placement.node_selector[:MAX_LABELS]:
            alone = Placement(node_selector=(pair,), tolerations=EVERYTHING)
            text = f"nodeSelector {clean('='.join(pair), MAX_TEXT)}"
            yield from _held(text, alone, index)
        terms = placement.required_terms
        if terms is not None:
            alone = Placement(required_terms=terms, tolerations=EVERYTHING)
            yield from _held(f"node affinity {_any(terms)}", alone, index)

    def system(self, placement: Placement, _: NodeIndex, __: Options) -> Iterator[str]:
        """The operating system that the Pod names."""
        yield f"spec.os.name {clean(placement.os, MAX_TEXT)}"


_Teller = Callable[[Obstacles, Placement, NodeIndex, Options], Iterator[str]]

_TEXTS: Final[Mapping[str, _Teller]] = {
    IGNORED: Obstacles.ignored,
    NODE_NAME: Obstacles.name,
    TAINT_TOLERATION: Obstacles.taints,
    NODE_AFFINITY: Obstacles.affinity,
    POD_OS: Obstacles.system,
}
"""Plugin -> who tells what it goes by."""


def _held(text: str, alone: Placement, index: NodeIndex) -> Iterator[str]:
    """How many nodes a part of a placement holds on; nothing if on all."""
    count, every = index.find(alone, _EVERY_NODE).eventual.bit_count(), len(index)
    if count < every:
        yield f"{text} (holds on {count:,} of {_nodes(every)})"


def _nodes(count: int) -> str:
    return f"{count:,} node{'' if count == 1 else 's'}"


def _taint(taint: Taint) -> str:
    value = f"={taint.value}" if taint.value else ""
    return clean(f"{taint.key}{value}:{taint.effect}", MAX_TEXT)


def _any(terms: tuple[NodeTerm, ...]) -> str:
    """Alternatives; `nothing` for none, and for one that asks nothing."""
    found = (_all((*one.match_expressions, *one.match_fields)) for one in terms)
    return _few(found, len(terms), " or ") or "nothing"


def _all(requirements: tuple[Requirement, ...]) -> str:
    return _few(map(_requirement, requirements), len(requirements), " and ") or (
        "nothing"
    )


def _requirement(one: Requirement) -> str:
    values = _few(iter(one.values), len(one.values), ", ")
    text = f"{one.key} {one.operator} [{values}]" if one.values else ""
    return clean(text or f"{one.key} {one.operator}", MAX_TEXT)


def _few(texts: Iterator[str], count: int, between: str) -> str:
    more = f"{between}{count - MAX_PARTS:,} more" if count > MAX_PARTS else ""
    return f"{between.join(islice(texts, MAX_PARTS))}{more}"
