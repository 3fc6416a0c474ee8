"""Candidates among all nodes at once, as sets of numbers.

`candidates` asks every node; here every label and taint is asked once and stands
for its nodes. The law: for any Pod, both leave the same nodes, and take each of
the others out by the same filter. What a filter means is told there; this module
says only how it is read from sets.

* The index is not safe for threads: change and ask it from one. Its answers are
  values, and may go anywhere.
* Answers are remembered until a node really changes.
* Numbers are the index's own, or the caller's, so that sets can be joined with
  those of `compat`. A number may go to another node once its first one is gone:
  the index takes nodes out before it lets others in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import compress
from operator import is_not
from types import MappingProxyType
from typing import Final, TypeAlias

from app.scheduling.affinity import NAME_FIELD, is_too_costly
from app.scheduling.bits import Bits, Members, bits_in, numbers, union
from app.scheduling.candidates import (
    IGNORED,
    NODE_AFFINITY,
    NODE_NAME,
    NODE_UNSCHEDULABLE,
    POD_OS,
    TAINT_TOLERATION,
    Options,
)
from app.scheduling.node import Node, Taint
from app.scheduling.podspec import NodeTerm, Placement
from app.scheduling.postings import Change, Postings, Values
from app.scheduling.selector import Requirement, as_test, integer
from app.scheduling.taints import CORDON, NO_EXECUTE, NO_SCHEDULE, Tolerates, tolerates

MAX_REMEMBERED: Final = 1024
"""Answers that are kept, of about 4 KB each in a cluster of 15,000 nodes."""

MAX_SHAPE: Final = 16_384
"""Characters of a Placement's `repr`; the answer to a longer one is not kept."""

_DEFAULTS: Final = Options()


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


_Key: TypeAlias = tuple[Placement, int, bool]


class NodeIndex:
    """All nodes of a cluster, ready to be asked who takes a Pod.

    Args:
        number: name -> the number of a node; asked when a node comes or changes,
            and trusted to stay the same until then. `None` for numbers of the
            index's own: the lowest that is free.
    """

    def __init__(self, *, number: Callable[[str], int] | None = None) -> None:
        self._is_own = number is None
        self._ask = number if number is not None else self._own_number
        self._nodes: dict[str, Node] = {}
        self._numbers: dict[str, int] = {}
        self._holders: dict[int, str] = {}
        self._free: list[int] = []
        self._end = 0
        self._postings = Postings()
        self._answers: dict[_Key, tuple[Options, CandidateBits]] = {}
        self.generation = 0
        """Goes up with every change of a node."""

    def __len__(self) -> int:
        return len(self._nodes)

    # Who is there

    @property
    def bits(self) -> Bits:
        """All nodes."""
        return self._postings.bits

    def number(self, name: str) -> int | None:
        """The number of a node; `None` if there is no such node."""
        return self._numbers.get(name)

    def nodes(self, bits: Bits) -> tuple[Node, ...]:
        """The nodes of a set, by number; numbers that no node has are passed over."""
        names = self._holders
        return tuple(self._nodes[names[each]] for each in numbers(bits & self.bits))

    def platforms(self, bits: Bits) -> dict[tuple[str, str] | None, Bits]:
        """`node.platform_of` -> the nodes of a set that are of it, never none."""
        found: dict[tuple[str, str] | None, Bits] = {}
        left = bits & self.bits
        architectures = self._by_label("arch")
        for system, having in self._by_label("os").items():
            for architecture, also in architectures.items():
                both = having & also & left
                if both and system and architecture:
                    found[system, architecture] = both
        unlabelled = left & ~union(found.values())
        return found | ({None: unlabelled} if unlabelled else {})

    # Changes

    def update(self, nodes: Mapping[str, Node]) -> None:
        """These are all the nodes, now; costs little for those that are the same.

        A Node is taken for unchanged if it is the object that was given before.

        Args:
            nodes: `Node.name` -> Node.

        Raises:
            ValueError: as for `set`; nothing is changed then.
        """
        mine = self._nodes
        differ = map(is_not, map(mine.get, nodes), nodes.values())
        changed = {name: nodes[name] for name in compress(nodes, differ)}
        added = sum(name not in mine for name in changed)
        is_any_gone = len(mine) + added > len(nodes)
        gone = mine.keys() - nodes.keys() if is_any_gone else ()
        if changed or gone:
            self._change(changed, gone)

    def set(self, name: str, node: Node) -> None:
        """Adds a node, or changes the one of this name, which is `node.name`.

        Raises:
            ValueError: the caller's number is negative or another node has it.
        """
        self._change({name: node}, ())

    def remove(self, name: str) -> None:
        """Takes a node away; one that is not there is none."""
        if name in self._nodes:
            self._change({}, (name,))

    def _change(self, changed: Mapping[str, Node], gone: Collection[str]) -> None:
        touched = (*gone, *changed)
        released = {self._numbers[name] for name in touched if name in self._numbers}
        if self._is_own:
            for name in gone:
                heappush(self._free, self._numbers[name])
        taken = self._taken(changed, released)
        before = {
            number: self._nodes[self._holders[number]]
            for number in {*released, *taken}
            if number in self._holders
        }
        for name in gone:
            del self._nodes[name], self._numbers[name]
        for number in released:
            del self._holders[number]
        self._nodes.update(changed)
        self._holders.update(taken)
        self._numbers.update({name: number for number, name in taken.items()})
        after = {number: changed[name] for number, name in taken.items()}
        changes = dict(_changes(before, after))
        if changes:
            self._postings.change(changes)
            self._answers.clear()
            self.generation += 1

    def _taken(self, names: Iterable[str], released: Collection[int]) -> dict[int, str]:
        """The number of each node that comes or changes -> its name."""
        taken: dict[int, str] = {}
        for name in names:
            number = self._ask(name)
            is_held = number in self._holders and number not in released
            if number < 0 or is_held or number in taken:
                raise ValueError(f"number {number} of node {name!r} is not free")
            taken[number] = name
        return taken

    def _own_number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is not None:
            return number
        if self._free:
            return heappop(self._free)
        self._end += 1
        return self._end - 1

    # Answers

    def find(
        self,
        placement: Placement,
        options: Options | None = None,
        *,
        is_running: bool = False,
    ) -> CandidateBits:
        """The candidates; arguments as for `candidates.find`.

        Options are known again by identity: pass the same object every time.
        """
        chosen = options if options is not None else _DEFAULTS
        # The entry holds the options, so that no others can come by their id.
        key = (placement, id(chosen), is_running)
        entry = self._answers.pop(key, None)
        if entry is None:
            found = self._found(placement, chosen, is_running=is_running)
            if len(repr(placement)) > MAX_SHAPE:
                return found
            if len(self._answers) >= MAX_REMEMBERED:
                del self._answers[next(iter(self._answers))]
            entry = chosen, found
        self._answers[key] = entry
        return entry[1]

    def _found(
        self, placement: Placement, options: Options, *, is_running: bool
    ) -> CandidateBits:
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
        """What taints take out for good; what they and cordons do this minute."""
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
        for (key, effect), values in self._postings.taints.items():
            if effect in effects:
                found = _intolerable(
                    Taint(key, "", effect), values, is_tolerated, named
                )
                (soft if key in options.transient else hard).append(found)
        lasting = union(hard)
        taken = (TAINT_TOLERATION, lasting | union(soft))
        if placement.node_name or is_tolerated(CORDON):
            return lasting, (taken,)
        return lasting, ((NODE_UNSCHEDULABLE, self._postings.cordoned), taken)

    def _affinity(self, placement: Placement) -> Bits:
        """The nodes on which `nodeSelector` and one of the required terms hold."""
        bits = self.bits
        for key, value in dict(placement.node_selector).items():
            bits &= self._postings.labels[key].having((value,))
        if placement.required_terms is None or not bits:
            return bits
        return bits & union(self._terms(placement.required_terms))

    def _other_os(self, wanted: str) -> Bits:
        if not wanted:
            return 0
        found = self._by_label("os")
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
            values = self._postings.labels[each.key]
            bits &= _OPERATORS[each.operator](self.bits, values, each)
        return bits

    def _named(self, name: str) -> Members:
        number = self._numbers.get(name)
        return ~number if number is not None else 0

    def _by_label(self, name: str) -> dict[str, Bits]:
        stable, legacy = f"kubernetes.io/{name}", f"beta.kubernetes.io/{name}"
        return self._postings.by_label(stable, legacy)


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
    like: Taint, values: Values, is_tolerated: Tolerates, named: Collection[str]
) -> Bits:
    """The nodes with a taint of this key and effect that is not tolerated.

    Only a value that a toleration names can differ from all the others.
    """
    # Longer than any value that is named: it stands for all that are not.
    if is_tolerated(replace(like, value="".join(named) + "-")):
        return 0
    spared = frozenset(
        value
        for value in named
        if value in values.nodes and is_tolerated(replace(like, value=value))
    )
    return values.without(spared) if spared else bits_in(values.present)


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


def _changes(
    before: Mapping[int, Node], after: Mapping[int, Node]
) -> Iterator[tuple[int, Change]]:
    for number in {**before, **after}:
        old, new = before.get(number), after.get(number)
        if old != new:
            yield number, (old, new)
