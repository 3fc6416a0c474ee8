"""The scheduler's filters on sets of nodes: each label and taint is asked once.

The same as `candidates`, which tells what each filter means; only how it is
read from postings is said here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from app.bits import Bits, Members, bits_in, union
from app.scheduling.affinity import NAME_FIELD
from app.scheduling.candidates import Options, asked_for
from app.scheduling.placement import (
    IGNORED,
    LIMITS,
    NODE_AFFINITY,
    NODE_NAME,
    NODE_UNSCHEDULABLE,
    POD_OS,
    TAINT_TOLERATION,
    Limits,
    NodeTerm,
    Placement,
)
from app.scheduling.postings import Postings, Values
from app.scheduling.selector import Requirement, bound_of, is_valid
from app.scheduling.taints import CORDON, NO_EXECUTE, NO_SCHEDULE, Tolerated


@dataclass(frozen=True, slots=True)
class CandidateBits:
    """The answer for one Pod, as `candidates.Candidates` gives it, in numbers.

    Attributes:
        eventual: the candidates.
        now: those of them that the scheduler would take this minute.
        excluded: filter -> how many of the other nodes it is the first to take
            out; one that takes none out is absent.
        waiting: filter -> how many candidates it keeps out of `now`, likewise.
        left_out: filters of which a part was too costly to run.
    """

    eventual: Bits = 0
    now: Bits = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters on one cluster.

    Attributes:
        postings: of all nodes, and followed as they change.
        numbers: name -> number of each node, likewise.
    """

    postings: Postings
    numbers: Mapping[str, int]

    @property
    def bits(self) -> Bits:
        """All nodes."""
        return self.postings.bits

    def find(
        self,
        placement: Placement,
        options: Options,
        limits: Limits = LIMITS,
        *,
        is_running: bool,
    ) -> CandidateBits:
        """The candidates; arguments as for `candidates.find`."""
        asked = asked_for(placement, self._count_values, limits, is_running=is_running)
        hard, soft = self._taints(asked, options)
        filters = [(IGNORED, self._ignored(options))]
        if asked.node_name:
            named = self._named(asked.node_name)
            filters.append((NODE_NAME, self.bits & ~bits_in(named)))
        filters += [
            (TAINT_TOLERATION, hard),
            (NODE_AFFINITY, self.bits & ~self._affinity(asked)),
            (POD_OS, self._other_os(asked.os)),
        ]
        eventual, excluded = _sifted(self.bits, filters)
        now, waiting = _sifted(eventual, soft)
        return CandidateBits(eventual, now, excluded, waiting, asked.left_out)

    def _count_values(self, label: str) -> int:
        return len(self.postings.labels[label].nodes)

    # Filters: which nodes each takes out

    def _ignored(self, options: Options) -> Bits:
        return self._all_of(options.ignore) if options.ignore else 0

    def _taints(
        self, placement: Placement, options: Options
    ) -> tuple[Bits, tuple[tuple[str, Bits], ...]]:
        """What taints take out for good; what cordons and transient taints do now."""
        if placement.node_name:
            effects: tuple[str, ...] = (NO_EXECUTE,)
        elif placement.scheduler_name in options.schedulers:
            effects = (NO_SCHEDULE, NO_EXECUTE)
        else:
            return 0, ()
        hard: list[Bits] = []
        soft: list[Bits] = []
        tolerated = Tolerated(placement.tolerations)
        for (key, effect, _), values in self.postings.taints.items():
            if effect in effects:
                out = _intolerable(values, tolerated.values(key, effect))
                (soft if key in options.transient else hard).append(out)
        waits = (TAINT_TOLERATION, union(soft))
        if placement.node_name or CORDON in tolerated:
            return union(hard), (waits,)
        return union(hard), ((NODE_UNSCHEDULABLE, self.postings.cordoned), waits)

    def _affinity(self, placement: Placement) -> Bits:
        """The nodes on which `nodeSelector` and one of the required terms hold."""
        bits = self.bits
        for key, value in dict(placement.node_selector).items():
            bits &= self.postings.labels[key].having((value,))
            if not bits:
                return 0
        if placement.required_terms is None:
            return bits
        return bits & self._any_of(placement.required_terms)

    def _other_os(self, wanted: str) -> Bits:
        if not wanted:
            return 0
        found = self.postings.by_label("os")
        return self.bits & ~(found[""] | found.get(wanted, 0))

    # Requirements: on which nodes each holds

    def _any_of(self, terms: Iterable[NodeTerm]) -> Bits:
        """The nodes on which one of the terms holds."""
        bits = 0
        single: list[Members] = []
        for term in terms:
            members = self._term(term)
            if members < 0:
                single.append(members)
                continue
            bits |= members
            if bits == self.bits:
                return bits
        return bits | union(single)

    def _term(self, term: NodeTerm) -> Members:
        if term.match_fields:
            names = self._names(term.match_fields)
            if not names or not term.match_expressions:
                return names
            return bits_in(names) & self._all_of(term.match_expressions)
        return self._all_of(term.match_expressions) if term.match_expressions else 0

    def _names(self, fields: Iterable[Requirement]) -> Members:
        """The nodes that all fields admit; none if one of those is invalid."""
        wanted: set[str] | None = None
        others: set[str] = set()
        for each in fields:
            if len(each.values) != 1 or each.operator not in ("In", "NotIn"):
                return 0
            name, is_in = each.values[0], each.operator == "In"
            if each.key != NAME_FIELD:
                # A node has no other field: it reads as empty.
                if is_in != (name == ""):
                    return 0
            elif is_in:
                wanted = {name} if wanted is None else wanted & {name}
            else:
                others.add(name)
        if wanted is not None:
            # One at most.
            return sum(map(self._named, wanted - others))
        return self.bits & ~union(map(self._named, others))

    def _all_of(self, requirements: Iterable[Requirement]) -> Bits:
        """The nodes that meet all requirements; none if one is invalid."""
        bits = self.bits
        for each in requirements:
            if not bits or not is_valid(each):
                return 0
            values = self.postings.labels[each.key]
            bits &= _OPERATORS[each.operator](self.bits, values, each)
        return bits

    def _named(self, name: str) -> Members:
        number = self.numbers.get(name)
        return ~number if number is not None else 0


# Operators: which of all nodes meet a valid requirement --------------------------

_Operator: TypeAlias = Callable[[Bits, Values, Requirement], Bits]


_OPERATORS: Final[Mapping[str, _Operator]] = MappingProxyType(
    {
        "In": lambda _, values, each: values.having(each.values),
        "NotIn": lambda bits, values, each: bits & ~values.having(each.values),
        "Exists": lambda _, values, __: bits_in(values.present),
        "DoesNotExist": lambda bits, values, _: bits & ~bits_in(values.present),
        "Gt": lambda _, values, each: values.greater(bound_of(each.values)),
        "Lt": lambda _, values, each: values.less(bound_of(each.values)),
    }
)


# Helpers ------------------------------------------------------------------------


def _intolerable(values: Values, tolerated: AbstractSet[str] | None) -> Bits:
    """The nodes with a taint of a group whose value is not tolerated."""
    if tolerated is None:
        return 0
    spared = values.having(tolerated & values.nodes.keys())
    return bits_in(values.present) & ~spared


def _sifted(
    bits: Bits, filters: Iterable[tuple[str, Bits]]
) -> tuple[Bits, dict[str, int]]:
    """What the filters leave; filter -> how many it is the first to take out."""
    counts: dict[str, int] = {}
    for name, out in filters:
        taken = bits & out
        if taken:
            counts[name] = taken.bit_count()
            bits ^= taken
    return bits, counts
