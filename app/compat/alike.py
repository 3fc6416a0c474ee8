"""Many nodes that do not fit: what they lack, in bitsets.

`explain` says of one node what its cheapest set wants and the node does not have.
Here the same is read off the answers that a spec's judgement has left behind, for
all nodes together and without an operator call:

1. Each *need* (`explain.Need`) gets the nodes that lack it, set by set.
2. How much of a set a node lacks is counted with one bitset for each binary
   digit, so that the cheapest set is found for all nodes at once.
3. `divide` splits nodes by the needs that they lack, the largest part first, and
   `nearest` finds those that lack least.

The law: for each node, `Shortfall.needs` are those of `explain.closest`, and the
counts are their number. Left out, and counted as one need each, are a rule on
`rule.matched` and the rules of a spec with more than `MAX_NEEDS` needs: of these
it is told that the rule as a whole does not match. What is said of a part holds
for each of its nodes; where a bound ends the splitting, less is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

from app.bits import Bits, union
from app.compat.answers import Answer
from app.compat.census import AnyColumn, Census
from app.compat.explain import Need, Part
from app.compat.index import Judgement
from app.compat.matching import RULE_MATCHED
from app.compat.plan import Plan, PlannedRule, PlannedTerm, PlannedTerms
from app.compat.postings import KINDS
from app.compat.spec import MatchExpression
from app.compat.sweep import RuleBits, SetBits
from app.compat.tally import Digits, Tally, cheapest

MAX_NEEDS: Final = 512
"""Needs that are told apart in one shortfall; a spec with more is told by rules."""

MAX_OPERATIONS: Final = 8_192
"""Bitset operations of one division: about a millisecond for 15,000 nodes."""

MAX_PARTS: Final = 64

_ALL: Final = -1
_UNION: Final = KINDS[:2]
_DEVICES: Final = KINDS[2]


class Shortfall(NamedTuple):
    """What some nodes lack of one spec, each of its cheapest set.

    Attributes:
        nodes: the nodes.
        needs: need -> the nodes that lack it, in the spec's order; never none.
        all: how many needs each node lacks.
        fixed: how many of them nobody can change.
    """

    nodes: Bits
    needs: dict[Need, Bits]
    all: Digits
    fixed: Digits


@dataclass(frozen=True, slots=True)
class Division:
    """Nodes that lack the same.

    Attributes:
        nodes: the nodes.
        lacks: positions of the needs that each of them lacks, in order.
        is_whole: whether they lack nothing else; false beyond a bound.
    """

    nodes: Bits
    lacks: tuple[int, ...]
    is_whole: bool = True


def shortfall(
    plan: Plan,
    judgement: Judgement,
    census: Census,
    among: Bits,
    *,
    most_needs: int = MAX_NEEDS,
) -> Shortfall:
    """What those of some nodes lack that are known not to fit.

    Args:
        plan: the spec, with the answers of the judgement.
        judgement: of the census as it is now.
        census: what the nodes publish.
        among: the nodes to look at.
        most_needs: what the spec may ask for to be told by needs.
    """
    nodes = among & judgement.nodes & ~(judgement.fits | judgement.unknown)
    reader = _Reader(census, nodes, is_coarse=size(plan) > most_needs)
    options = [
        reader.of_set(planned.rules, bits)
        for planned, bits in zip(plan.sets, judgement.sets, strict=True)
    ]
    found = cheapest(options, nodes)
    needs: dict[Need, Bits] = {}
    for need, bits in found.needs:
        needs[need] = needs.get(need, 0) | bits
    return Shortfall(nodes, needs, found.all, found.fixed)


def size(plan: Plan) -> int:
    """How many needs a spec has, at most."""
    return sum(
        1 + len(term.expressions or ())
        for one in plan.sets
        for rule in one.rules
        for term in rule.terms()
    )


def divide(
    nodes: Bits,
    lacking: Sequence[Bits],
    *,
    most: int = MAX_PARTS,
    operations: int = MAX_OPERATIONS,
) -> list[Division]:
    """Splits nodes by what they lack; the largest parts, largest first.

    The order depends on the needs and on how many nodes lack them, never on which
    numbers the nodes have.

    Args:
        nodes: to be split.
        lacking: for each need the nodes that lack it, more nodes allowed.
        most: parts to return.
        operations: on bitsets, at most; then parts are as far as they got.
    """
    found: list[Division] = []
    heap: list[tuple[int, tuple[int, ...], int, Bits]] = []
    _push(heap, (), 0, nodes)
    left = operations
    while heap and len(found) < most:
        _, lacks, position, part = heappop(heap)
        while position < len(lacking) and left > 0:
            left -= 1
            hit = part & lacking[position]
            position += 1
            if hit == part:
                lacks = (*lacks, position - 1)
            elif hit:
                left -= 1
                _push(heap, lacks, position, part ^ hit)
                _push(heap, (*lacks, position - 1), position, hit)
                break
        else:
            found.append(Division(part, lacks, position == len(lacking)))
    return found


def _push(
    heap: list[tuple[int, tuple[int, ...], int, Bits]],
    lacks: tuple[int, ...],
    position: int,
    nodes: Bits,
) -> None:
    if nodes:
        heappush(heap, (-nodes.bit_count(), lacks, position, nodes))


# One set --------------------------------------------------------------------------


class _Term(NamedTuple):
    """One term, were it evaluated everywhere.

    Attributes:
        published: the nodes that publish the feature.
        holds: where it holds.
        errs: where it cannot be evaluated.
        needs: what is lacking where it does not hold.
    """

    published: Bits
    holds: Bits
    errs: Bits
    needs: list[tuple[Need, Bits]]


class _Reader:
    """Reads what nodes lack of rules from answers that are up to date."""

    def __init__(self, census: Census, nodes: Bits, *, is_coarse: bool) -> None:
        self._census: Final = census
        self._nodes: Final = nodes
        self._is_coarse: Final = is_coarse

    def of_set(self, rules: Iterable[PlannedRule], bits: SetBits) -> Tally:
        total = Tally()
        for rule, found in zip(rules, bits.rules, strict=True):
            if self._nodes & ~found.fits:
                total.extend(self._rule(rule, found))
        return total

    def _rule(self, rule: PlannedRule, bits: RuleBits) -> Tally:
        if self._is_coarse or any(t.feature == RULE_MATCHED for t in rule.terms()):
            whole = Tally()
            need = _of_whole(rule, is_coarse=self._is_coarse)
            whole.lacks(need, self._nodes & ~(bits.fits | bits.unknown))
            return whole
        errs, total = self._terms(rule, rule.features)
        alternatives = [self._terms(rule, terms) for terms in rule.any]
        if alternatives:
            total_of_any = cheapest([one for _, one in alternatives], self._nodes)
            total_of_any.extend(total)
            total = total_of_any
            for more, _ in alternatives:
                errs |= more
        # What is unknown could not be evaluated, unless nobody publishes a feature.
        published = self._census.published
        if all(term.feature in published for term in rule.terms()):
            errs = bits.unknown
        elif rule.rule.vars_template:
            errs |= bits.unknown
        return total.within(self._nodes & ~bits.fits & ~errs)

    def _terms(self, rule: PlannedRule, terms: PlannedTerms) -> tuple[Bits, Tally]:
        """Where one cannot be evaluated, and what is lacking, as `sweep` goes."""
        going, errs, total = self._nodes, 0, Tally()
        for term in terms:
            found = self._term(rule, term)
            evaluated = going if term.expressions is None else _ALL
            errs |= found.errs & evaluated
            going = (going & ~found.published) | (found.holds & evaluated)
            for need, bits in found.needs:
                total.lacks(need, bits)
        return errs, total

    # One term, as `explain` reads it ------------------------------------------

    def _term(self, rule: PlannedRule, term: PlannedTerm) -> _Term:
        nodes = self._nodes
        columns = {
            kind: column
            for kind in KINDS
            if (column := self._census.column(kind, term.feature)) is not None
        }
        published = nodes & union(column.published for column in columns.values())
        holds, errs, named, name_errs = published, 0, nodes, 0
        needs: list[tuple[Need, Bits]] = []
        if term.expressions is not None:
            holds, errs, needs = self._expressions(rule, term, columns)
        if term.name is not None:
            answers = [_held(term, ("name", kind)) for kind in columns]
            named = union(bits for bits, _ in answers) & nodes
            name_errs = union(bits for _, bits in answers) & nodes
            lacking = nodes & ~(named | name_errs)
            needs.append((_need(rule, term, Part.NAME, (("", term.name),)), lacking))
        errs |= holds & name_errs
        holds &= named & ~name_errs
        rest = nodes & ~(holds | union(bits for _, bits in needs))
        needs.append((_need(rule, term, Part.FEATURE), rest))
        return _Term(published, holds, errs, needs)

    def _expressions(
        self, rule: PlannedRule, term: PlannedTerm, columns: dict[str, AnyColumn]
    ) -> tuple[Bits, Bits, list[tuple[Need, Bits]]]:
        """Where all hold, where one errs, and which fail where fewest do."""
        nodes, expressions = self._nodes, term.expressions or ()
        kinds = {kind: columns[kind] for kind in _UNION if kind in columns}
        filled = nodes & union(column.filled for column in kinds.values())
        errs, failing = 0, [nodes] * len(expressions)
        for index, (_, expression) in enumerate(expressions if filled else ()):
            wants_both = expression is not None and expression.op == "DoesNotExist"
            holds = _ALL if wants_both else 0
            for kind, column in kinds.items():
                does_hold, does_err = _held(term, (index, kind))
                errs |= does_err
                holds = (
                    holds & (does_hold | ~column.filled)
                    if wants_both
                    else holds | does_hold
                )
            failing[index] = nodes & ~(holds & filled)
        holds = filled & ~union(failing)
        devices = columns.get(_DEVICES)
        if devices is not None:
            does_hold, does_err = _held(term, (_DEVICES, term.feature))
            holds, errs = holds | does_hold & nodes, errs | does_err
        fails = nodes & ~holds
        device = fails & _several(failing) & self._devices(columns, filled)
        needs = [
            (_need(rule, term, Part.ELEMENT, (one,)), bits & fails & ~device)
            for one, bits in zip(expressions, failing, strict=True)
        ]
        needs.append((_need(rule, term, Part.DEVICE, expressions), device))
        return holds & ~errs, errs & nodes, needs

    def _devices(self, columns: dict[str, AnyColumn], filled: Bits) -> Bits:
        """Where a device is asked for: there are some, or nothing else there is."""
        published = union(column.published for column in columns.values())
        asked = published & ~filled
        devices = columns.get(_DEVICES)
        if devices is not None and devices.filled & filled:
            asked |= union(
                members
                for one, members in zip(
                    devices.sets.values(), devices.members.values(), strict=True
                )
                if one
            )
        return asked


def _several(many: Iterable[Bits]) -> Bits:
    """The nodes that are in more than one set."""
    once = twice = 0
    for bits in many:
        twice |= once & bits
        once |= bits
    return twice


def _of_whole(rule: PlannedRule, *, is_coarse: bool) -> Need:
    """What a rule lacks that does not match: its only need, or just that."""
    terms = list(rule.terms())
    if len(terms) == 1 and not is_coarse:
        (term,) = terms
        if term.name is None and len(term.expressions or ()) == 1:
            return _need(rule, term, Part.ELEMENT, term.expressions or ())
        if term.name is None and not term.expressions:
            return _need(rule, term, Part.FEATURE)
        if term.name is not None and not term.expressions:
            return _need(rule, term, Part.NAME, (("", term.name),))
    return Need(rule.rule.name, "", Part.RULE)


def _need(
    rule: PlannedRule,
    term: PlannedTerm,
    part: Part,
    expressions: tuple[tuple[str, MatchExpression | None], ...] = (),
) -> Need:
    return Need(rule.rule.name, term.term.feature, part, expressions)


def _held(term: PlannedTerm, part: object) -> tuple[Bits, Bits]:
    """Where a part of a term holds, and where it errs."""
    answer = term.answer(part, None, _never, _NO_ANSWERS)
    return answer.holds, answer.errs


_NO_ANSWERS: Final[WeakValueDictionary[object, Answer[Any]]] = WeakValueDictionary()


def _never() -> Answer[Any]:
    raise LookupError("a judgement leaves every answer behind")
