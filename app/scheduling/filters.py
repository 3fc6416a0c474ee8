"""The scheduler's filters on sets of nodes: each label and taint is asked once.

The same as `candidates`, which tells what each filter means; only how it is
read from postings is said here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, TypeAlias

from app.bits import Bits, Members, bits_in, union
from app.scheduling.affinity import NAME_FIELD, is_too_costly
from app.scheduling.candidates import (
    IGNORED,
    NODE_AFFINITY,
    NODE_NAME,
    NODE_UNSCHEDULABLE,
    POD_OS,
    TAINT_TOLERATION,
    Options,
)
from app.scheduling.node import Taint
from app.scheduling.podspec import NodeTerm, Placement
from app.scheduling.postings import Postings, TaintGroup, Values
from app.scheduling.selector import Requirement, as_test, integer
from app.scheduling.taints import (
    CORDON,
    NO_EXECUTE,
    NO_SCHEDULE,
    Tolerates,
    tolerates,
)


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
        self, placement: Placement, options: Options, *, is_running: bool
    ) -> CandidateBits:
        """The candidates; arguments as for `candidates.find`."""
        left_out: tuple[str, ...] = ()
        is_placed = is_running and bool(placement.node_name)
        if not is_placed and is_too_costly(placement.required_terms or ()):
            left_out = (NODE_AFFINITY,)
            placement = replace(placement, required_terms=None)
        hard, soft = self._taints(placement, options)
        filters = [(IGNORED, self._ignored(options))]
        if placement.node_name:
            named = self._named(placement.node_name)
            filters.append((NODE_NAME, self.bits & ~bits_in(named)))
        if not is_placed:
            filters += [
                (TAINT_TOLERATION, hard),
                (NODE_AFFINITY, self.bits & ~self._affinity(placement)),
                (POD_OS, self._other_os(placement.os)),
            ]
        eventual, excluded = _sifted(self.bits, filters)
        now, waiting = _sifted(eventual, () if is_placed else soft)
        return CandidateBits(eventual, now, excluded, waiting, left_out)

    # Filters: which nodes each takes out

    def _ignored(self, options: Options) -> Bits:
        found = self._all_of(options.ignore) if options.ignore else None
        return found if found is not None else 0

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
        is_tolerated = tolerates(placement.tolerations)
        named = {each.value for each in placement.tolerations}
        for group, values in self.postings.taints.items():
            key, effect, _ = group
            if effect in effects:
                found = _intolerable(group, values, is_tolerated, named)
                (soft if key in options.transient else hard).append(found)
        waits = (TAINT_TOLERATION, union(soft))
        if placement.node_name or is_tolerated(CORDON):
            return union(hard), (waits,)
        return union(hard), ((NODE_UNSCHEDULABLE, self.postings.cordoned), waits)

    def _affinity(self, placement: Placement) -> Bits:
        """The nodes on which `nodeSelector` and one of the required terms hold."""
        bits = self.bits
        for key, value in dict(placement.node_selector).items():
            bits &= self.postings.labels[key].having((value,))
        if placement.required_terms is None or not bits:
            return bits
        return bits & union(self._terms(placement.required_terms))

    def _other_os(self, wanted: str) -> Bits:
        if not wanted:
            return 0
        found = self.postings.by_label("os")
        return self.bits & ~(found[""] | found.get(wanted, 0))

    # Requirements: on which nodes each holds

    def _terms(self, terms: Iterable[NodeTerm]) -> Iterator[Members]:
        """The nodes of each term; ends when all nodes are found."""
        found = 0
        for term in terms:
            names = self._names(term.match_fields)
            if not term.match_expressions:
                members = names if term.match_fields else 0
            else:
                labels = self._all_of(term.match_expressions)
                members = labels & bits_in(names) if labels is not None else 0
            yield members
            found |= max(members, 0)
            if found == self.bits:
                return

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

    def _all_of(self, requirements: Iterable[Requirement]) -> Bits | None:
        """The nodes that meet all requirements; `None` if one is invalid."""
        bits = self.bits
        for each in requirements:
            if as_test(each) is None:
                return None
            values = self.postings.labels[each.key]
            bits &= _OPERATORS[each.operator](self.bits, values, each)
        return bits

    def _named(self, name: str) -> Members:
        number = self.numbers.get(name)
        return ~number if number is not None else 0


# Operators: which of all nodes meet a valid requirement --------------------------

_Operator: TypeAlias = Callable[[Bits, Values, Requirement], Bits]


def _bound(requirement: Requirement) -> int:
    # A valid requirement has an integer: nothing else becomes 0.
    return integer(requirement.values[0]) or 0


_OPERATORS: Final[Mapping[str, _Operator]] = MappingProxyType(
    {
        "In": lambda _, values, each: values.having(frozenset(each.values)),
        "NotIn": lambda bits, values, each: (
            bits & ~values.having(frozenset(each.values))
        ),
        "Exists": lambda _, values, __: bits_in(values.present),
        "DoesNotExist": lambda bits, values, _: bits & ~bits_in(values.present),
        "Gt": lambda _, values, each: values.greater(_bound(each)),
        "Lt": lambda _, values, each: values.less(_bound(each)),
    }
)


# Helpers ------------------------------------------------------------------------


def _intolerable(
    group: TaintGroup, values: Values, is_tolerated: Tolerates, named: Collection[str]
) -> Bits:
    """The nodes with a taint of this key and effect that is not tolerated.

    Only a value that a toleration names can differ from all the others.
    """
    key, effect, _ = group
    # Longer than any value that is named: it stands for all that are not.
    if is_tolerated(Taint(key, "".join(named) + "-", effect)):
        return 0
    spared = frozenset(
        value
        for value in named
        if value in values.nodes and is_tolerated(Taint(key, value, effect))
    )
    return bits_in(values.present) & ~values.having(spared)


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
