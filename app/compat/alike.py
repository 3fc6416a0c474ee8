"""Many nodes that do not fit: what they lack, in bitsets.

`explain` says of one node what its cheapest set wants and the node does not have.
Here the same is read off the answers that a spec's judgement has left behind, for
all nodes together and without an operator call:

1. Each *need* (`explain.Need`) gets the nodes that lack it, set by set.
2. How much of a set a node lacks is counted with one bitset for each binary
   digit, so that the cheapest set is found for all nodes at once.
3. `division.divide` splits nodes by the needs that they lack, the largest part
   first, and `tally.nearest` finds those that lack least.

The law: for each node, `Shortfall.needs` are those of `explain.closest`, and the
counts are their number. Where a rule looks at `rule.matched`, or a spec has more
needs than a bound, it is told that the rule does not match, or the spec, and that
counts as one need; and a rule with a template is left out where it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple, cast

from app.bits import Bits, union
from app.compat.answers import Answer
from app.compat.census import AnyColumn, Frozen
from app.compat.explain import Need, Part
from app.compat.index import Judgement
from app.compat.matching import RULE_MATCHED
from app.compat.plan import Plan, PlannedRule, PlannedTerm, PlannedTerms
from app.compat.postings import KINDS
from app.compat.spec import MatchExpression
from app.compat.sweep import RuleBits, SetBits
from app.compat.tally import Digits, Needs, cheapest

MAX_NEEDS: Final = 256
"""Needs that are told apart; a spec with more is told by rules, or as a whole."""

_ALL: Final = -1
_UNION: Final = KINDS[:2]
_DEVICES: Final = KINDS[2]
_DOES_NOT_EXIST: Final = "DoesNotExist"


class Shortfall(NamedTuple):
    """What some nodes lack of one spec, each of its cheapest set.

    Attributes:
        nodes: the nodes.
        needs: need -> the nodes that lack it, in the spec's order; never none.
        all: how many needs each node lacks.
        fixed: how many of them nobody can change.
        size: needs or rules that were looked at.
    """

    nodes: Bits
    needs: dict[Need, Bits]
    all: Digits
    fixed: Digits
    size: int


def shortfall(
    plan: Plan,
    judgement: Judgement,
    census: Frozen,
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
        most_needs: what the spec may ask for to be told by needs; and how many
            rules it may have to be told by rules.
    """
    nodes = among & judgement.nodes & ~(judgement.fits | judgement.unknown)
    rules = sum(len(one.rules) for one in plan.sets)
    if rules > most_needs:
        whole = {Need("", "", Part.RULE): nodes} if nodes else {}
        return Shortfall(nodes, whole, [nodes], [], 1)
    size = _size(plan, most_needs)
    reader = _Reader(census, nodes, is_coarse=size > most_needs)
    options = [
        reader.of_set(planned.rules, bits)
        for planned, bits in zip(plan.sets, judgement.sets, strict=True)
    ]
    found = cheapest(options, nodes)
    needs: dict[Need, Bits] = {}
    for need, bits in found.needs:
        needs[need] = needs.get(need, 0) | bits
    size = size if size <= most_needs else rules
    return Shortfall(nodes, needs, found.all, found.fixed, size)


def _size(plan: Plan, most: int) -> int:
    """How many needs a spec may have; counted until there are more than `most`."""
    size = 0
    for one in plan.sets:
        for rule in one.rules:
            for term in rule.terms():
                size += max(1, len(term.expressions or ()) + (term.name is not None))
                if size > most:
                    return size
    return size


# One set --------------------------------------------------------------------------


class _Terms(NamedTuple):
    """A list of terms: where one cannot be evaluated, and what is lacking."""

    errs: Bits
    needs: Needs


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
    needs: Needs


class _Reader:
    """Reads what nodes lack of rules from answers that are up to date."""

    def __init__(self, census: Frozen, nodes: Bits, *, is_coarse: bool) -> None:
        self._census: Final = census
        self._nodes: Final = nodes
        self._is_coarse: Final = is_coarse
        self._features: Final[dict[str, _Feature]] = {}

    def of_set(self, rules: Iterable[PlannedRule], bits: SetBits) -> Needs:
        """What the rules of a set want and nodes do not have."""
        needs: Needs = []
        for rule, found in zip(rules, bits.rules, strict=True):
            lacking = _without(self._nodes, found.fits)
            if lacking:
                needs += self._rule(rule, found, lacking)
        return needs

    def _rule(self, rule: PlannedRule, bits: RuleBits, lacking: Bits) -> Needs:
        if self._is_coarse or any(t.feature == RULE_MATCHED for t in rule.terms()):
            lacking = _without(lacking, bits.unknown)
            need = _of_whole(rule, is_coarse=self._is_coarse)
            return [(need, lacking)] if lacking else []
        needs: Needs = []
        errs = 0
        if rule.any:
            alternatives = [self._terms(rule, terms) for terms in rule.any]
            errs = union(one.errs for one in alternatives)
            needs += cheapest([one.needs for one in alternatives], self._nodes).needs
        features = self._terms(rule, rule.features)
        needs += features.needs
        # What is unknown could not be evaluated, unless nobody publishes a feature.
        published = self._census.published
        if rule.rule.vars_template or all(t.feature in published for t in rule.terms()):
            errs = bits.unknown
        lacking = _without(lacking, errs | features.errs)
        if lacking == self._nodes:
            return needs
        return [(need, hit) for need, on in needs if (hit := on & lacking)]

    def _terms(self, rule: PlannedRule, terms: PlannedTerms) -> _Terms:
        """Where one cannot be evaluated, and what is lacking, as `sweep` goes."""
        going, errs = self._nodes, 0
        needs: Needs = []
        for term in terms:
            found = self._term(rule, term)
            evaluated = going if term.expressions is None else _ALL
            errs |= found.errs & evaluated
            going = _without(going, found.published) | (found.holds & evaluated)
            needs += found.needs
        return _Terms(errs, needs)

    # One term, as `explain` reads it ------------------------------------------

    def _term(self, rule: PlannedRule, term: PlannedTerm) -> _Term:
        nodes, of_feature = self._nodes, self._feature(term.feature)
        published = of_feature.published
        holds, errs, named, name_errs = published, 0, nodes, 0
        needs: Needs = []
        if term.expressions is not None:
            holds, errs, needs = self._expressions(rule, term, of_feature)
        if term.name is not None:
            answers = [_held(term, ("name", kind)) for kind in of_feature.columns]
            named = union(bits for bits, _ in answers) & nodes
            name_errs = union(bits for _, bits in answers) & nodes
            lacking = _without(nodes, named | name_errs)
            needs.append((_need(rule, term, Part.NAME, (("", term.name),)), lacking))
            errs |= holds & name_errs
            holds &= _without(named, name_errs)
        rest = _without(nodes, holds)
        for _, bits in needs:
            rest = _without(rest, bits)
        needs.append((_need(rule, term, Part.FEATURE), rest))
        return _Term(published, holds, errs, [one for one in needs if one[1]])

    def _expressions(
        self, rule: PlannedRule, term: PlannedTerm, feature: _Feature
    ) -> tuple[Bits, Bits, Needs]:
        """Where all hold, where one errs, and which fail where fewest do."""
        nodes, expressions = self._nodes, term.expressions or ()
        errs, failing = 0, [nodes] * len(expressions)
        for index, (_, expression) in enumerate(expressions if feature.filled else ()):
            is_absence = expression is not None and expression.op == _DOES_NOT_EXIST
            holds = feature.filled if is_absence else 0
            for kind in feature.union:
                does_hold, does_err = _held(term, (index, kind))
                errs |= does_err
                if is_absence:
                    holds = _without(holds, feature.columns[kind].filled) | (
                        holds & does_hold
                    )
                else:
                    holds |= does_hold
            failing[index] = _without(nodes, holds)
        holds = feature.filled
        for bits in failing:
            holds = _without(holds, bits)
        if _DEVICES in feature.columns:
            does_hold, does_err = _held(term, (_DEVICES, term.feature))
            holds, errs = holds | does_hold & nodes, errs | does_err
        device = 0
        if len(failing) > 1:
            device = _without(_several(failing) & feature.wants_device, holds)
        lacking = _without(nodes, holds | device)
        needs = [
            (_need(rule, term, Part.ELEMENT, (one,)), bits & lacking)
            for one, bits in zip(expressions, failing, strict=True)
        ]
        if device:
            needs.append((_need(rule, term, Part.DEVICE, expressions), device))
        return _without(holds, errs), errs & nodes, needs

    def _feature(self, name: str) -> _Feature:
        known = self._features.get(name)
        if known is None:
            known = self._features[name] = _read(self._census, name, self._nodes)
        return known


class _Feature(NamedTuple):
    """Who publishes a feature.

    Attributes:
        columns: by kind.
        union: the kinds that make one set together: flags and attributes.
        published: the nodes that publish it.
        filled: the nodes that publish flags or attributes, not null.
        wants_device: where a device is asked for: there are some, or nothing else
            there is.
    """

    columns: dict[str, AnyColumn]
    union: tuple[str, ...]
    published: Bits
    filled: Bits
    wants_device: Bits


def _read(census: Frozen, name: str, nodes: Bits) -> _Feature:
    found = [(kind, census.column(kind, name)) for kind in KINDS]
    columns = {kind: column for kind, column in found if column is not None}
    kinds = tuple(kind for kind in _UNION if kind in columns)
    published = nodes & union(one.published for one in columns.values())
    filled = nodes & union(columns[kind].filled for kind in kinds)
    wants_device, devices = _without(published, filled), columns.get(_DEVICES)
    if devices is not None and devices.filled & filled:
        pairs = zip(devices.sets.values(), devices.members.values(), strict=True)
        wants_device |= nodes & union(members for one, members in pairs if one)
    return _Feature(columns, kinds, published, filled, wants_device)


def _without(nodes: Bits, others: Bits) -> Bits:
    """As `nodes & ~others`, which takes several times as long."""
    return nodes ^ (nodes & others)


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
    """Where a part of a term holds, and where it errs; a judgement leaves it behind."""
    answer = cast("Answer[Any]", term.held(part))
    return answer.holds, answer.errs
