"""What cannot be answered by bitsets alone: templates, and `rule.matched`.

Variables flow from rule to rule, so they make nodes differ that publish the same.
They are kept as *states*: each different `rule.matched`, with the nodes that have
it. A rule with a template runs once for each *projection*: the elements that its
terms match, and the state. `matching` judges one node of each projection, so what
a template yields, and what goes wrong, is what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, TypeAlias, TypeVar

from app.bits import Bits, lowest
from app.compat import matching
from app.compat.budget import Budget
from app.compat.census import ClassKey, Frozen
from app.compat.features import Features
from app.compat.matching import RULE_MATCHED, Variables, View
from app.compat.postings import ABSENT
from app.compat.spec import FeatureMatcherTerm, GroupRule
from app.compat.terms import FeatureSets, match_expressions, match_names
from app.errors import SpecError

_DIGEST_BYTES: Final = 16

_Result = TypeVar("_Result")


class Memory:
    """Results that a spec may need again, by what they were made from.

    Kept are those that the last look at all nodes used, and what was added since.
    """

    def __init__(self) -> None:
        self._held: dict[object, tuple[object, object]] = {}
        self._used: dict[object, tuple[object, object]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: object, held: object, make: Callable[[], _Result]) -> _Result:
        """The result for a key; `held` is kept, so that identities in it last."""
        entry = self._used.get(key) or self._held.get(key) or (held, make())
        self._used[key] = entry
        return entry[1]  # type: ignore[return-value] # one key has one maker

    def settle(self, *, is_whole: bool, capacity: int) -> None:
        """Ends one look, at all nodes or at some."""
        if is_whole or len(self._held) + len(self._used) > capacity:
            self._held = self._used
        else:
            self._held |= self._used
        self._used = {}


@dataclass(frozen=True, slots=True)
class State:
    """One `rule.matched`, as nodes have it between two rules.

    Attributes:
        key: equal keys, equal states; as long as both are held.
        features: of a node, reduced to `rule.matched`.
    """

    key: ClassKey
    features: Features

    @property
    def sets(self) -> FeatureSets | None:
        """What terms on `rule.matched` see."""
        return View(self.features).find(RULE_MATCHED)

    def published(self, values: Variables) -> State:
        """The state after a rule.

        Raises:
            SpecError: as `View.publish`.
        """
        view = View(self.features)
        view.publish(values)
        sets = view.find(RULE_MATCHED)
        if sets is None or sets.attributes is None:
            return self
        known = self.features
        attributes = {RULE_MATCHED: sets.attributes}
        return _state(Features(known.flags, attributes, known.instances))


NO_STATE: Final = State((), Features())
"""Stands for every state where none is looked at."""

States: TypeAlias = list[tuple[State, Bits]]
"""Different states, and the nodes that have them."""


def states(census: Frozen, among: Bits) -> States:
    """The states before the first rule: what nodes publish themselves."""
    found: States = []
    for one in census.classes(RULE_MATCHED, among):
        features = census.features[lowest(one.bits)]
        own = Features(
            _only_variables(features.flags),
            _only_variables(features.attributes),
            _only_variables(features.instances),
        )
        found.append((_state(own), one.bits))
    return merged(found)


def merged(many: Iterable[tuple[State, Bits]]) -> States:
    """The same, with each state once, and none that no node has."""
    found: dict[ClassKey, tuple[State, Bits]] = {}
    for state, bits in many:
        if bits:
            known = found.get(state.key)
            found[state.key] = (state, bits | known[1]) if known else (state, bits)
    return list(found.values())


def matched_elements(
    term: FeatureMatcherTerm, sets: FeatureSets, budget: Budget
) -> bytes:
    """A digest of what a template sees of a term that holds.

    Raises:
        SpecError: `TooCostly`.
    """
    spend = budget.call
    spend(matching.calls(term, sets))
    elements = []
    if term.match_expressions is not None:
        matched = match_expressions(
            term.match_expressions, sets, fail_fast=False, spend=spend
        )
        elements += matched.elements
    if term.match_name is not None:
        elements += match_names(term.match_name, sets, spend)
    text = repr([sorted(one.items()) for one in elements])
    return blake2b(
        text.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES
    ).digest()


def run(
    rule: GroupRule, features: Features, state: State, budget: Budget
) -> Variables | None:
    """What a rule with a template publishes on a node; `None` if it errs.

    Raises:
        SpecError: `TooCostly`.
    """
    variables = state.features.attributes
    if variables:
        attributes = {**features.attributes, **variables}
        features = Features(features.flags, attributes, features.instances)
    result = matching.judge_rule(rule, View(features, budget))
    return None if result.error is not None else result.vars


def publish(state: State, values: Variables) -> State | None:
    """The state after a rule; `None` if publishing errs."""
    try:
        return state.published(values)
    except SpecError:
        return None


def _only_variables(kind: Mapping[str, _Result]) -> Mapping[str, _Result]:
    return {RULE_MATCHED: kind[RULE_MATCHED]} if RULE_MATCHED in kind else {}


def _state(features: Features) -> State:
    flags = features.flags.get(RULE_MATCHED, ABSENT)
    attributes = features.attributes.get(RULE_MATCHED, ABSENT)
    instances = features.instances.get(RULE_MATCHED, ABSENT)
    # None (null) and ABSENT stand for themselves.
    items = (
        frozenset(attributes.items())
        if attributes is not ABSENT and attributes is not None
        else attributes
    )
    return State((flags, items, id(instances)), features)
