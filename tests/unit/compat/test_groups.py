"""A node's membership in a NodeFeatureGroup."""

from __future__ import annotations

from app.compat import parse
from app.compat.features import Features
from app.compat.groups import belongs, judge_group
from app.compat.matching import RuleResult

NODE = Features(flags={"cpu.cpuid": frozenset({"AVX"})})
HOLDS = "{feature: cpu.cpuid, matchExpressions: {AVX: {op: Exists}}}"
FAILS = "{feature: cpu.cpuid, matchExpressions: {NEON: {op: Exists}}}"
ERRS = "{feature: cpu.cpuid, matchExpressions: {AVX: {op: Bad}}}"


def judged(*rules: str) -> tuple[RuleResult, ...]:
    text = f"featureGroupRules: [{', '.join(rules)}]"
    return judge_group(parse.read_group(text.encode()), NODE)


def test_any_matching_rule_makes_a_member() -> None:
    fails, holds = (f"{{matchFeatures: [{term}]}}" for term in (FAILS, HOLDS))
    assert belongs(judged(fails, holds))
    assert not belongs(judged(fails, fails))
    assert not belongs(judged())


def test_a_rule_that_errs_is_passed_over() -> None:
    results = judged(f"{{matchFeatures: [{ERRS}]}}", f"{{matchFeatures: [{HOLDS}]}}")
    assert ['invalid Op "Bad"', None] == [result.error for result in results]
    assert belongs(results)


def test_variables_are_seen_by_later_rules() -> None:
    wants = "{a: {op: In, value: ['1']}}"
    look = f"{{matchFeatures: [{{feature: rule.matched, matchExpressions: {wants}}}]}}"
    give = f"{{vars: {{a: '1'}}, matchFeatures: [{HOLDS}]}}"
    assert [True, True] == [result.is_match for result in judged(give, look)]
    assert [False, True] == [result.is_match for result in judged(look, give)]


def test_a_failed_rule_publishes_nothing() -> None:
    wants = "{a: {op: Exists}}"
    look = f"{{matchFeatures: [{{feature: rule.matched, matchExpressions: {wants}}}]}}"
    give = f"{{vars: {{a: '1'}}, matchAny: [{{matchFeatures: [{FAILS}]}}]}}"
    assert [False, False] == [result.is_match for result in judged(give, look)]


def test_a_failed_term_hides_errors_of_later_ones() -> None:
    (result,) = judged(f"{{matchFeatures: [{FAILS}, {ERRS}]}}")
    assert (False, None) == (result.is_match, result.error)
