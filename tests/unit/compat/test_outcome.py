"""Fits, does not fit, unknown: what NFD's yes and no leave open."""

from __future__ import annotations

import pytest

from app.compat import parse
from app.compat.features import Features
from app.compat.matching import fits, judge
from app.compat.outcome import (
    AfterUnknown,
    Erred,
    Outcome,
    Reason,
    RuleOutcome,
    SpecOutcome,
    Unpublished,
    UnpublishedFeatures,
    all_of,
    any_of,
    decide,
)

FITS, MISFIT, UNKNOWN = Outcome.FITS, Outcome.DOES_NOT_FIT, Outcome.UNKNOWN

NODE = Features(
    flags={"cpu.cpuid": frozenset({"AVX"})},
    attributes={"kernel.version": {"major": "6"}},
)
PUBLISHED = frozenset({"cpu.cpuid", "kernel.version", "other.feature"})

HOLDS = "{feature: cpu.cpuid, matchExpressions: {AVX: {op: Exists}}}"
FAILS = "{feature: cpu.cpuid, matchExpressions: {NEON: {op: Exists}}}"
ERRS = "{feature: cpu.cpuid, matchExpressions: {AVX: {op: Bad}}}"
ELSEWHERE = "{feature: Other.Feature}"
NOWHERE = "{feature: Vendor.GPU}"
MATCHED = "{feature: rule.matched, matchExpressions: {a: {op: DoesNotExist}}}"
UNMATCHED = "{feature: rule.matched, matchExpressions: {a: {op: Exists}}}"


def decided(text: str, *, published: frozenset[str] | None = PUBLISHED) -> SpecOutcome:
    spec = parse.read(f"compatibilities: [{text}]".encode())
    return decide(judge(spec, NODE), published=published)


def rules(
    *texts: str, published: frozenset[str] | None = PUBLISHED
) -> list[RuleOutcome]:
    text = f"{{rules: [{', '.join(f'{{{text}}}' for text in texts)}]}}"
    return list(decided(text, published=published).sets[0].rules)


def terms(*texts: str) -> str:
    return f"matchFeatures: [{', '.join(texts)}]"


def elements(*texts: str) -> str:
    return f"matchAny: [{', '.join(f'{{{terms(text)}}}' for text in texts)}]"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param(terms(HOLDS), FITS, id="true"),
        pytest.param(terms(FAILS), MISFIT, id="false"),
        pytest.param(terms(ELSEWHERE), MISFIT, id="published-elsewhere-is-false"),
        pytest.param(terms(NOWHERE), UNKNOWN, id="published-nowhere-is-unknown"),
        pytest.param(terms(HOLDS, NOWHERE), UNKNOWN, id="true-and-unknown"),
        pytest.param(terms(NOWHERE, FAILS), MISFIT, id="unknown-and-false"),
        pytest.param(elements(FAILS, NOWHERE), UNKNOWN, id="false-or-unknown"),
        pytest.param(elements(NOWHERE, HOLDS), FITS, id="unknown-or-true"),
        pytest.param(
            f"{elements(NOWHERE)}, {terms(HOLDS)}", UNKNOWN, id="any-unknown-and-true"
        ),
        pytest.param(
            f"{elements(NOWHERE)}, {terms(FAILS)}", MISFIT, id="any-unknown-and-false"
        ),
        pytest.param(
            f"{elements(FAILS)}, {terms(NOWHERE)}", MISFIT, id="any-false-and-unknown"
        ),
        pytest.param(terms(ERRS), UNKNOWN, id="an-error"),
        pytest.param(terms(FAILS, ERRS), UNKNOWN, id="an-error-behind-a-false-term"),
        pytest.param("vars: {}", FITS, id="nothing-asked"),
    ],
)
def test_a_rule_combines_its_terms_by_kleene(text: str, wanted: Outcome) -> None:
    (found,) = rules(text)
    assert wanted is found.outcome


def test_unpublished_features_can_be_held_for_missing() -> None:
    (found,) = rules(terms(NOWHERE), published=None)
    assert found.outcome is MISFIT
    spec = parse.read(f"compatibilities: [{{rules: [{{{terms(NOWHERE)}}}]}}]".encode())
    no = UnpublishedFeatures.NO
    asked = decide(judge(spec, NODE), published=PUBLISHED, unpublished=no)
    assert asked.outcome is MISFIT


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param(
            terms(NOWHERE, NOWHERE), (Unpublished("vendor.gpu"),), id="each-once"
        ),
        pytest.param(terms(ERRS), (Erred('invalid Op "Bad"'),), id="an-error"),
        pytest.param(elements(NOWHERE, HOLDS), (), id="none-if-it-is-known"),
        pytest.param(terms(NOWHERE, FAILS), (), id="none-if-it-is-false"),
    ],
)
def test_reasons_are_values(text: str, wanted: tuple[Reason, ...]) -> None:
    (found,) = rules(text)
    assert wanted == found.reasons


@pytest.mark.parametrize("first", [terms(NOWHERE), terms(ERRS)])
@pytest.mark.parametrize("second", [terms(MATCHED), terms(UNMATCHED)])
def test_looking_at_an_unknown_rule_is_unknown(first: str, second: str) -> None:
    _, found, third = rules(first, second, terms(HOLDS))
    assert (UNKNOWN, (AfterUnknown(),)) == (found.outcome, found.reasons)
    assert third.outcome is FITS


def test_looking_at_known_rules_is_known() -> None:
    outcomes = [one.outcome for one in rules(terms(FAILS), terms(UNMATCHED))]
    assert [MISFIT, MISFIT] == outcomes
    outcomes = [one.outcome for one in rules(terms(UNMATCHED))]
    assert [MISFIT] == outcomes


def test_an_unknown_rule_is_remembered_in_later_sets() -> None:
    text = f"{{rules: [{{{terms(ERRS)}}}]}}, {{rules: [{{{terms(MATCHED)}}}]}}"
    assert [UNKNOWN, UNKNOWN] == [one.outcome for one in decided(text).sets]


def test_a_term_that_nfd_leaves_out_counts_by_itself() -> None:
    """Behind a failed term on rule.matched, which is unknown now."""
    name = "{feature: cpu.cpuid, matchName: {op: In, value: [%s]}}"
    _, no, yes = rules(
        terms(NOWHERE),
        terms(UNMATCHED, name % "NEON"),
        terms(UNMATCHED, name % "AVX"),
    )
    assert (MISFIT, UNKNOWN) == (no.outcome, yes.outcome)
    _, erring = rules(
        terms(NOWHERE),
        terms(UNMATCHED, "{feature: cpu.cpuid, matchName: {op: Bad}}"),
    )
    assert erring.outcome is UNKNOWN


@pytest.mark.parametrize(
    ("outcomes", "every", "some"),
    [
        ((), FITS, MISFIT),
        ((FITS,), FITS, FITS),
        ((FITS, UNKNOWN), UNKNOWN, FITS),
        ((UNKNOWN, MISFIT), MISFIT, UNKNOWN),
        ((FITS, UNKNOWN, MISFIT), MISFIT, FITS),
    ],
)
def test_outcomes_combine(
    outcomes: tuple[Outcome, ...], every: Outcome, some: Outcome
) -> None:
    assert (every, some) == (all_of(outcomes), any_of(outcomes))


def test_the_score_is_the_highest_weight_that_fits() -> None:
    found = decided(
        f"{{weight: 1}}, {{weight: 9, rules: [{{{terms(FAILS)}}}]}}, "
        f"{{weight: 5, rules: [{{{terms(HOLDS)}}}]}}, "
        f"{{weight: 7, rules: [{{{terms(NOWHERE)}}}]}}"
    )
    assert (FITS, 5) == (found.outcome, found.score)
    assert [FITS, MISFIT, FITS, UNKNOWN] == [one.outcome for one in found.sets]


def test_nothing_that_fits_has_no_score() -> None:
    found = decided(f"{{weight: 9, rules: [{{{terms(NOWHERE)}}}]}}")
    assert (UNKNOWN, None) == (found.outcome, found.score)
    assert decide(()) == SpecOutcome(MISFIT, ())


@pytest.mark.parametrize("text", [HOLDS, FAILS, NOWHERE, ELSEWHERE])
def test_without_unknowns_it_is_nfds_own_verdict(text: str) -> None:
    spec = parse.read(f"compatibilities: [{{rules: [{{{terms(text)}}}]}}]".encode())
    results = judge(spec, NODE)
    assert fits(results) is (decide(results).outcome is FITS)
