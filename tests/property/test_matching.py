"""Laws of the evaluator, on generated specs and nodes."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compat import table
from app.compat.explain import explain
from app.compat.features import Features, merge
from app.compat.gotext import json_string
from app.compat.matching import View, fits, judge, judge_rule
from app.compat.operators import OPERATORS, check
from app.compat.outcome import Outcome, decide
from app.compat.spec import (
    Compatibility,
    FeatureMatcherTerm,
    GroupRule,
    MatchExpression,
    Spec,
)
from app.compat.status import report, to_json
from app.compat.version import number, version
from app.errors import SpecError

FEATURES = ("cpu.cpuid", "pci.device", "kernel.version", "rule.matched", "vendor.gpu")
NAMES = st.sampled_from(("a", "b", "c", "1"))
VALUES = st.sampled_from(("", "1", "2", "10", "true", "5.14.0-el9_3", "v1.2", "é"))
FEATURE = st.sampled_from((*FEATURES, "CPU.cpuid", "no.such"))

ELEMENTS = st.none() | st.dictionaries(NAMES, VALUES, max_size=3)
FLAGS = st.none() | st.frozensets(NAMES, max_size=3)
INSTANCES = st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=3).map(tuple)
KEYS = st.sampled_from(FEATURES)
NODES = st.builds(
    Features,
    flags=st.dictionaries(KEYS, FLAGS, max_size=3),
    attributes=st.dictionaries(KEYS, ELEMENTS, max_size=3),
    instances=st.dictionaries(KEYS, INSTANCES, max_size=3),
)

OPERANDS = st.lists(VALUES | st.sampled_from(("^1", "(", "x{2,1}")), max_size=2)
EXPRESSIONS = st.builds(
    MatchExpression,
    op=st.sampled_from((*OPERATORS, *OPERATORS, "Bad")),
    value=OPERANDS.map(tuple),
    type=st.sampled_from(("", "", "version", "other")),
)
SOUND = st.sampled_from(
    (
        MatchExpression("Exists"),
        MatchExpression("DoesNotExist"),
        MatchExpression("In", ("1", "true")),
        MatchExpression("NotIn", ("1",)),
        MatchExpression("InRegexp", ("^1",)),
        MatchExpression("IsTrue"),
    )
)
"""Expressions that can be evaluated against anything."""


def specs(expressions: st.SearchStrategy[MatchExpression]) -> st.SearchStrategy[Spec]:
    terms = st.lists(
        st.builds(
            FeatureMatcherTerm,
            feature=FEATURE,
            match_expressions=st.none()
            | st.dictionaries(NAMES, expressions, max_size=2),
            match_name=st.none() | expressions,
        ),
        max_size=3,
    ).map(tuple)
    rules = st.builds(
        GroupRule,
        name=st.sampled_from(("r", "<&>", "世界 50%", "x" * 90)),
        vars=st.dictionaries(NAMES, VALUES, max_size=2),
        vars_template=st.sampled_from(("", "", "a=1", "b={{len .}}", "{{", "novalue")),
        match_features=terms,
        match_any=st.lists(terms, max_size=2).map(tuple),
    )
    sets = st.builds(
        Compatibility,
        rules=st.lists(rules, max_size=3).map(tuple),
        weight=st.integers(-5, 5),
        tag=st.sampled_from(("", "t")),
    )
    return st.builds(Spec, compatibilities=st.lists(sets, max_size=2).map(tuple))


ANY_SPEC = specs(EXPRESSIONS)
SOUND_SPEC = specs(SOUND)


@given(NODES, NODES, NODES)
def test_merging_may_be_done_in_steps(
    one: Features, two: Features, three: Features
) -> None:
    """merge(a, b, c) == merge(merge(a, b), c) == merge(a, merge(b, c))."""
    whole = merge([one, two, three])
    assert whole == merge([merge([one, two]), three])
    assert whole == merge([one, merge([two, three])])


@given(NODES, NODES)
def test_merging_changes_no_object(one: Features, two: Features) -> None:
    before = deepcopy((one, two))
    merge([one, two])
    assert before == (one, two)


@given(ANY_SPEC, NODES)
def test_judging_is_a_function_that_changes_nothing(spec: Spec, node: Features) -> None:
    before = deepcopy(node)
    assert judge(spec, node) == judge(spec, node)
    assert before == node


@given(ANY_SPEC, NODES)
def test_there_is_a_report_unless_a_rule_erred(spec: Spec, node: Features) -> None:
    results = judge(spec, node)
    errors = [rule.error for one in results for rule in one.rules if rule.error]
    if errors:
        with pytest.raises(SpecError) as caught:
            report(results)
        assert caught.value.message == errors[0]
        return
    statuses = report(results)
    written = json.loads(to_json(statuses))
    matches = [[rule.is_match for rule in one.rules] for one in results]
    assert matches == [
        [rule["isMatch"] for rule in one["rules"] or ()] for one in written
    ]
    assert fits(results) is any(map(all, matches))
    drawn = table.render(statuses, colour=False)
    assert drawn.count(" RULE: ") == sum(map(len, matches))


@given(SOUND_SPEC, NODES)
def test_failing_fast_changes_no_verdict(spec: Spec, node: Features) -> None:
    """Where nothing errs, and rule.matched is the same to start with."""
    for one in spec.compatibilities:
        for rule in one.rules:
            slow = judge_rule(rule, View(node))
            fast = judge_rule(rule, View(node), fail_fast=True)
            if slow.error is None:
                assert (None, slow.is_match) == (fast.error, fast.is_match)


@given(ANY_SPEC, NODES)
def test_what_is_known_agrees_with_nfd(spec: Spec, node: Features) -> None:
    """An outcome that is known stays the same, however much counts as unknown."""
    results = judge(spec, node)
    plain, careful = decide(results), decide(results, published=frozenset())
    for sure, unsure in zip(plain.sets, careful.sets, strict=True):
        assert unsure.outcome in {sure.outcome, Outcome.UNKNOWN}
        for rule in unsure.rules:
            is_unknown = rule.outcome is Outcome.UNKNOWN
            assert is_unknown is bool(rule.reasons)
            assert is_unknown or rule.result.is_match is (rule.outcome is Outcome.FITS)
    if plain.outcome is Outcome.FITS:
        assert fits(results)
    weights = [
        one.result.compatibility.weight
        for one in plain.sets
        if one.outcome is Outcome.FITS
    ]
    assert plain.score == max(weights, default=None)


@given(ANY_SPEC, NODES)
def test_a_set_lacks_something_exactly_if_a_rule_is_false(
    spec: Spec, node: Features
) -> None:
    results = judge(spec, node)
    for result, explained in zip(results, explain(results, node), strict=True):
        false = [r for r in result.rules if r.error is None and not r.is_match]
        assert bool(false) is bool(explained.unmet)
        assert {r.rule.name for r in false} == {x.need.rule for x in explained.unmet}


@given(VALUES | st.text(), st.lists(VALUES, min_size=1))
def test_not_in_is_the_opposite_of_in_for_what_exists(
    value: str, of: list[str]
) -> None:
    inside = check(MatchExpression("In", tuple(of)))(True, value)
    outside = check(MatchExpression("NotIn", tuple(of)))(True, value)
    assert inside is not outside


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_the_order_operators_order_numbers(value: int, bound: int) -> None:
    found = {
        op: check(MatchExpression(op, (str(bound),)))(True, str(value))
        for op in ("Gt", "Ge", "Lt", "Le")
    }
    wanted = {
        "Gt": value > bound,
        "Ge": value >= bound,
        "Lt": value < bound,
        "Le": value <= bound,
    }
    assert wanted == found


@given(st.integers())
def test_a_number_is_read_if_it_has_64_bits(value: int) -> None:
    wanted = value if -(2**63) <= value < 2**63 else None
    assert wanted == number(str(value))


@given(
    st.tuples(*[st.integers(0, 2**64 - 1)] * 3), st.sampled_from(("", "-rc.1", "+b"))
)
def test_a_version_is_its_three_numbers(
    numbers: tuple[int, int, int], suffix: str
) -> None:
    assert numbers == version(".".join(map(str, numbers)) + suffix)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_json_strings_read_back(text: str) -> None:
    written = json_string(text)
    assert text == json.loads(written)
    assert not set(written) & set("<>&\u2028\u2029")
