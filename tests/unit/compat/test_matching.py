"""Terms, rules, sets and specs on one node, quirks of NFD included."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace

import pytest

from app.compat import parse
from app.compat.budget import CALLS_PER_STEP, STEPS_PER_CHARACTER, Budget
from app.compat.features import Features
from app.compat.matching import (
    RULE_MATCHED,
    RuleResult,
    View,
    fits,
    judge,
    judge_rule,
)
from app.compat.spec import (
    Compatibility,
    FeatureMatcherTerm,
    GroupRule,
    MatchExpression,
    Spec,
)
from app.compat.varstemplate import MAX_TEMPLATE_BYTES
from app.errors import SpecError

NODE = Features(
    flags={"cpu.cpuid": frozenset({"AVX", "AVX2", "SSE"}), "none.flags": None},
    attributes={
        "kernel.version": {"major": "6", "full": "6.1.0"},
        "empty.attributes": {},
        "none.attributes": None,
        "mixed.feature": {"a": "1", "only": "x"},
    },
    instances={
        "pci.device": (
            {"vendor": "10de", "class": "0302"},
            {"vendor": "8086", "class": "0200"},
        ),
        "usb.device": (),
        "odd.device": ({}, {"id": "7"}),
    },
)
MIXED = replace(NODE, flags={**NODE.flags, "mixed.feature": frozenset({"a", "b"})})


def term(text: str, features: Features = NODE) -> RuleResult:
    """One rule with the one term that `text` writes in YAML's flow style."""
    return rule(f"matchFeatures: [{text}]", features)


def rule(text: str, features: Features = NODE) -> RuleResult:
    """One rule, its keys written in YAML's block style."""
    (result,) = judge(one_rule(text), features)
    return result.rules[0]


def one_rule(text: str) -> Spec:
    """A spec with one rule, its keys written in YAML's block style."""
    lines = "\n".join(f"      {line}" for line in text.split("\n"))
    content = f"compatibilities:\n  - rules:\n    - name: r\n{lines}\n"
    return parse.read(content.encode())


def expressions(feature: str, text: str, features: Features = NODE) -> RuleResult:
    return term(f"{{feature: {feature}, matchExpressions: {text}}}", features)


def names(feature: str, text: str, features: Features = NODE) -> RuleResult:
    return term(f"{{feature: {feature}, matchName: {text}}}", features)


@pytest.mark.parametrize(
    ("feature", "text", "wanted"),
    [
        pytest.param("cpu.cpuid", "{AVX: {op: Exists}}", True, id="a-flag"),
        pytest.param("CPU.cpuid", "{AVX: {op: Exists}}", True, id="any-case"),
        pytest.param(
            "cpu.cpuid", "{AVX: {op: NotIn, value: [x]}}", False, id="no-value"
        ),
        pytest.param(
            "kernel.version", "{major: {op: Ge, value: ['6']}}", True, id="gt"
        ),
        pytest.param(
            "kernel.version", "{minor: {op: NotIn, value: ['1']}}", False, id="absent"
        ),
        pytest.param(
            "kernel.version",
            "{major: {op: Exists}, minor: {op: DoesNotExist}}",
            True,
            id="and",
        ),
        pytest.param("no.such", "{a: {op: DoesNotExist}}", False, id="no-feature"),
        pytest.param("no.such", "{a: {op: Bad}}", False, id="nothing-evaluated"),
        pytest.param("usb.device", "{a: {op: DoesNotExist}}", False, id="no-device"),
        pytest.param("odd.device", "{id: {op: DoesNotExist}}", True, id="one-lacks-it"),
        pytest.param(
            "pci.device",
            "{vendor: {op: In, value: [10de]}, class: {op: In, value: ['0302']}}",
            True,
            id="one-device-has-both",
        ),
        pytest.param(
            "pci.device",
            "{vendor: {op: In, value: [10de]}, class: {op: In, value: ['0200']}}",
            False,
            id="two-devices-have-one-each",
        ),
        pytest.param("empty.attributes", "{}", True, id="nothing-of-empty"),
        pytest.param("none.attributes", "{}", False, id="nothing-of-null"),
        pytest.param("none.flags", "{a: {op: ''}}", False, id="any-of-null"),
        pytest.param("pci.device", "{}", True, id="nothing-of-devices"),
        pytest.param("usb.device", "{}", False, id="nothing-of-no-device"),
    ],
)
def test_expressions_match_by_kind(feature: str, text: str, *, wanted: bool) -> None:
    assert wanted is expressions(feature, text).is_match


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("{a: {op: In, value: ['1']}}", True, id="in-attributes"),
        pytest.param("{b: {op: Exists}}", True, id="in-flags"),
        pytest.param("{b: {op: Exists}, only: {op: Exists}}", True, id="one-in-each"),
        pytest.param("{c: {op: Exists}}", False, id="in-neither"),
        pytest.param("{c: {op: DoesNotExist}}", True, id="missing-from-both"),
        pytest.param("{b: {op: DoesNotExist}}", False, id="missing-from-attributes"),
        pytest.param("{only: {op: DoesNotExist}}", False, id="missing-from-flags"),
    ],
)
def test_flags_and_attributes_are_one_union(text: str, *, wanted: bool) -> None:
    assert wanted is expressions("mixed.feature", text, MIXED).is_match


@pytest.mark.parametrize(
    ("feature", "text", "wanted"),
    [
        pytest.param("cpu.cpuid", "{op: InRegexp, value: [^AVX]}", True, id="a-flag"),
        pytest.param("cpu.cpuid", "{op: In, value: [NEON]}", False, id="no-flag"),
        pytest.param("kernel.version", "{op: In, value: [full]}", True, id="attribute"),
        pytest.param("pci.device", "{op: In, value: [class]}", True, id="device"),
        pytest.param("cpu.cpuid", "{op: Exists}", True, id="exists"),
        pytest.param("cpu.cpuid", "{op: DoesNotExist}", False, id="never-absent"),
        pytest.param("usb.device", "{op: ''}", False, id="no-name-at-all"),
        pytest.param("none.flags", "{op: In}", False, id="no-name-no-error"),
    ],
)
def test_names_match_if_any_does(feature: str, text: str, *, wanted: bool) -> None:
    assert wanted is names(feature, text).is_match


def test_names_are_compared_even_behind_one_that_matches() -> None:
    assert names("odd.device", "{op: Gt, value: ['1']}").error == 'not a number "id"'


def test_both_matchers_of_a_term_must_hold() -> None:
    both = "{feature: cpu.cpuid, matchExpressions: {AVX: {op: Exists}}, matchName: %s}"
    assert term(both % "{op: In, value: [SSE]}").is_match
    assert not term(both % "{op: In, value: [NEON]}").is_match


def test_names_are_not_looked_at_once_expressions_failed() -> None:
    result = term(
        "{feature: cpu.cpuid, matchExpressions: {NEON: {op: Exists}}, "
        "matchName: {op: Bad}}"
    )
    assert (False, None) == (result.is_match, result.error)


def test_a_bare_feature_matches_where_it_is_published() -> None:
    assert term("{feature: none.flags}").is_match
    assert not term("{feature: no.such}").is_match


def test_of_several_broken_expressions_the_first_by_name_is_reported() -> None:
    text = "{full: {op: Gt, value: ['1']}, a: {op: Bad1}, b: {op: Bad2}}"
    assert expressions("kernel.version", text).error == 'invalid Op "Bad1"'


def test_a_null_expression_is_an_error_where_nfd_crashes() -> None:
    assert expressions("cpu.cpuid", "{AVX: null}").error == "the expression is null"
    assert expressions("no.such", "{AVX: null}").error is None


# Rules --------------------------------------------------------------------------


def test_an_empty_rule_matches() -> None:
    assert rule("vars: {}").is_match
    assert rule("matchAny: []").is_match


def test_all_terms_must_hold() -> None:
    result = rule(
        "matchFeatures:\n"
        "- {feature: cpu.cpuid, matchExpressions: {AVX: {op: Exists}}}\n"
        "- {feature: no.such}\n"
        "- {feature: kernel.version, matchExpressions: {x: {op: Exists}}}"
    )
    assert not result.is_match
    assert [True, False, False] == [one.holds for one in result.features]


@pytest.mark.parametrize(
    ("elements", "wanted"),
    [
        pytest.param("- matchFeatures: []", True, id="an-empty-element"),
        pytest.param("- {matchFeatures: [{feature: no.such}]}", False, id="none"),
        pytest.param(
            "- {matchFeatures: [{feature: no.such}]}\n"
            "- {matchFeatures: [{feature: cpu.cpuid}]}",
            True,
            id="the-second",
        ),
    ],
)
def test_one_element_of_match_any_suffices(elements: str, *, wanted: bool) -> None:
    assert wanted is rule(f"matchAny:\n{elements}").is_match


def test_match_any_and_match_features_must_both_hold() -> None:
    text = "matchAny:\n- matchFeatures: [{feature: %s}]\nmatchFeatures: [{feature: %s}]"
    assert rule(text % ("cpu.cpuid", "kernel.version")).is_match
    assert not rule(text % ("no.such", "kernel.version")).is_match
    assert not rule(text % ("cpu.cpuid", "no.such")).is_match


def test_an_error_behind_a_failed_match_any_is_still_seen() -> None:
    text = (
        "matchAny:\n- matchFeatures: [{feature: no.such}]\n"
        "matchFeatures: [{feature: cpu.cpuid, matchName: {op: Bad}}]"
    )
    assert rule(text).error == 'invalid Op "Bad"'


def test_after_a_failed_term_names_are_not_evaluated() -> None:
    """Quirk 5 of NFD; the truth of the term is known all the same."""
    text = (
        "matchFeatures:\n"
        "- {feature: cpu.cpuid, matchExpressions: {NEON: {op: Exists}}}\n"
        "- {feature: cpu.cpuid, matchName: {op: Exists}}\n"
        "- {feature: cpu.cpuid, matchName: {op: Bad}}\n"
        "- {feature: cpu.cpuid}\n"
        "- {feature: cpu.cpuid, matchExpressions: {AVX: {op: Exists}}}\n"
        "- {feature: cpu.cpuid, matchName: {op: Exists}}"
    )
    result = rule(text)
    assert result.error is None
    assert [False, True, None, True, True, True] == [x.holds for x in result.features]
    matches = [one.is_match for one in result.features]
    assert [False, False, False, False, True, True] == matches


# Variables and templates --------------------------------------------------------


def test_variables_are_seen_by_later_rules_and_sets() -> None:
    spec = parse.read(
        b"""
compatibilities:
- rules:
  - {name: first, vars: {a: "1"}, matchFeatures: [{feature: cpu.cpuid}]}
  - name: second
    matchFeatures:
    - {feature: rule.matched, matchExpressions: {a: {op: In, value: ["1"]}}}
- tag: other
  rules:
  - name: third
    matchFeatures: [{feature: rule.matched, matchExpressions: {a: {op: Exists}}}]
"""
    )
    assert [[True, True], [True]] == _matches(spec)
    assert [[False]] == _matches(spec, tags=("other",))


def _matches(spec: Spec, tags: tuple[str, ...] = ()) -> list[list[bool]]:
    return [
        [one.is_match for one in result.rules]
        for result in judge(spec, NODE, tags=tags)
    ]


def test_the_empty_tag_selects_sets_without_a_tag() -> None:
    spec = Spec(
        compatibilities=(
            Compatibility(tag="a"),
            Compatibility(),
            Compatibility(tag="b"),
        )
    )
    found = judge(spec, NODE, tags=("", "b"))
    assert ["", "b"] == [one.compatibility.tag for one in found]


def test_rule_matched_exists_after_the_first_rule_only() -> None:
    view = View(NODE)
    assert view.find(RULE_MATCHED) is None
    judge_rule(GroupRule(), view)
    found = view.find(RULE_MATCHED)
    assert found is not None
    assert found.attributes == {}


def test_later_variables_win_and_the_nodes_own_stay() -> None:
    features = Features(attributes={RULE_MATCHED: {"a": "node", "b": "node"}})
    view = View(features)
    judge_rule(GroupRule(vars={"a": "1"}), view)
    judge_rule(GroupRule(vars={"a": "2"}), view)
    found = view.find(RULE_MATCHED)
    assert found is not None
    assert found.attributes == {"a": "2", "b": "node"}
    assert features.attributes[RULE_MATCHED] == {"a": "node", "b": "node"}


def test_variables_for_null_elements_are_an_error_where_nfd_crashes() -> None:
    view = View(Features(attributes={RULE_MATCHED: None}))
    assert judge_rule(GroupRule(), view).error is None
    wanted = "elements of rule.matched are null"
    assert wanted == judge_rule(GroupRule(vars={"a": "1"}), view).error


def test_a_rule_that_erred_publishes_nothing() -> None:
    broken = FeatureMatcherTerm("cpu.cpuid", match_name=MatchExpression("Bad"))
    view = View(NODE)
    result = judge_rule(GroupRule(vars={"a": "1"}, match_features=(broken,)), view)
    assert (False, 'invalid Op "Bad"', {}) == (
        result.is_match,
        result.error,
        result.vars,
    )
    assert view.find(RULE_MATCHED) is None


def test_a_rule_that_failed_by_match_any_alone_still_publishes() -> None:
    """Quirk 6 of NFD: not with matchFeatures that failed, and not in groups."""
    fail = ((FeatureMatcherTerm("no.such"),),)
    anyway = GroupRule(vars={"a": "1"}, match_any=fail)
    assert judge_rule(anyway, View(NODE)).vars == {"a": "1"}
    assert judge_rule(anyway, View(NODE), fail_fast=True).vars == {}
    failed = GroupRule(vars={"a": "1"}, match_features=fail[0])
    assert judge_rule(failed, View(NODE)).vars == {}


@pytest.mark.parametrize(
    ("feature", "matcher", "template", "wanted"),
    [
        pytest.param(
            "cpu.cpuid",
            "matchName: {op: InRegexp, value: [AVX]}",
            "{{range .cpu.cpuid}}{{.Name}}=1\\n{{end}}",
            {"AVX": "1", "AVX2": "1"},
            id="flags-by-name",
        ),
        pytest.param(
            "kernel.version",
            "matchExpressions: {major: {op: Exists}, x: {op: DoesNotExist}}",
            "{{range .kernel.version}}{{.Name}}={{.Value}}\\n{{end}}",
            {"major": "6", "x": ""},
            id="attributes-and-what-does-not-exist",
        ),
        pytest.param(
            "pci.device",
            "matchExpressions: {vendor: {op: In, value: [10de]}}",
            "{{range .pci.device}}{{.vendor}}={{.class}}\\n{{end}}",
            {"10de": "0302"},
            id="matching-devices",
        ),
        pytest.param(
            "pci.device",
            "matchName: {op: In, value: [class]}",
            "n={{len .pci.device}}",
            {"n": "2"},
            id="devices-by-name",
        ),
        pytest.param(
            "Pci.Device",
            "matchName: {op: Exists}",
            "n={{len .Pci.Device}}",
            {"n": "2"},
            id="domain-and-feature-as-the-spec-spells-them",
        ),
    ],
)
def test_templates_see_what_matched(
    feature: str, matcher: str, template: str, wanted: dict[str, str]
) -> None:
    result = rule(
        f'varsTemplate: "{template}"\n'
        f"matchFeatures: [{{feature: {feature}, {matcher}}}]"
    )
    assert (None, wanted) == (result.error, result.vars)


def test_templates_see_flags_before_attributes_of_the_same_name() -> None:
    result = rule(
        'varsTemplate: "{{range $i, $e := .mixed.feature}}{{$i}}={{$e.Name}}:'
        '{{len $e}}\\n{{end}}"\n'
        "matchFeatures:\n- {feature: mixed.feature, matchName: {op: Exists}}",
        MIXED,
    )
    assert result.vars == {"0": "a:1", "1": "a:2", "2": "b:1", "3": "only:2"}


def test_a_feature_without_a_dot_is_its_own_domain() -> None:
    result = rule(
        'varsTemplate: "n={{len (index .plain \\"\\")}}"\n'
        "matchFeatures: [{feature: Plain, matchName: {op: Exists}}]",
        Features(flags={"plain": frozenset("ab")}),
    )
    assert result.vars == {"n": "2"}


def test_templates_run_on_every_element_that_matches_and_static_vars_win() -> None:
    result = rule(
        'vars: {cpuid: "static"}\n'
        'varsTemplate: "{{range $d, $f := .}}{{range $n, $_ := $f}}{{$n}}={{$d}}\\n'
        '{{end}}{{end}}"\n'
        "matchAny:\n"
        "- matchFeatures: [{feature: cpu.cpuid}]\n"
        "- matchFeatures: [{feature: no.such}]\n"
        "- matchFeatures: [{feature: pci.device}]\n"
        "matchFeatures: [{feature: kernel.version}]"
    )
    wanted = {"cpuid": "static", "device": "pci", "version": "kernel"}
    assert (None, wanted) == (result.error, result.vars)


def test_lines_are_trimmed_but_not_around_the_equals_sign() -> None:
    result = rule(
        'varsTemplate: " a = b=c \\r\\n\\n=empty\\na2=\\na2=2\\n"\n'
        "matchFeatures: [{feature: cpu.cpuid}]"
    )
    assert result.vars == {"a ": " b=c", "": "empty", "a2": "2"}


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        pytest.param(
            "{{", "failed to parse template: invalid template: template: :1: unclosed "
            "action", id="unreadable",
        ),
        pytest.param(
            "key", "failed to expand template: missing value in expanded template line "
            "\"key\", (format must be '<key>=<value>')", id="a-line-without-a-value",
        ),
        pytest.param(
            "{{.no.such}}=1", "failed to expand template: template: :1:5: executing "
            '"" at <.no.such>: map has no entry for key "no"', id="missing-data",
        ),
    ],
)  # fmt: skip
def test_template_errors_are_nfds_words(template: str, wanted: str) -> None:
    result = rule(
        f'varsTemplate: "{template}"\nmatchFeatures: [{{feature: cpu.cpuid}}]'
    )
    assert wanted == result.error


def test_a_broken_template_is_no_error_where_the_rule_does_not_match() -> None:
    text = 'varsTemplate: "{{"\nmatchFeatures: [{feature: no.such}]'
    assert (None, False) == (rule(text).error, rule(text).is_match)
    assert rule('varsTemplate: "{{"\nvars: {a: "1"}').vars == {"a": "1"}


def test_a_template_has_at_most_64_kib() -> None:
    longest = "é=" + "x" * (MAX_TEMPLATE_BYTES - 3)
    features = (FeatureMatcherTerm("cpu.cpuid"),)
    within = GroupRule(vars_template=longest, match_features=features)
    assert judge_rule(within, View(NODE)).error is None
    beyond = GroupRule(vars_template=longest + "x", match_features=features)
    assert judge_rule(beyond, View(NODE)).error == (
        "failed to parse template: template exceeds maximum allowed size: "
        "65537 bytes > 65536 limit"
    )


# Fail-fast, as nfd-master runs rules --------------------------------------------


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        pytest.param(
            "{feature: cpu.cpuid, matchExpressions: {AVX: {op: Exists}}}",
            2,
            id="an expression on flags and attributes",
        ),
        pytest.param(
            "{feature: pci.device, matchExpressions: {a: {op: Exists}, b: {op: In}}}",
            8,
            id="two expressions on two instances too",
        ),
        pytest.param("{feature: cpu.cpuid, matchName: {op: Exists}}", 3, id="flags"),
        pytest.param(
            "{feature: kernel.version, matchName: {op: Exists}}", 2, id="attributes"
        ),
        pytest.param(
            "{feature: pci.device, matchName: {op: Exists}}", 4, id="all instances"
        ),
        pytest.param("{feature: cpu.cpuid}", 0, id="nothing is asked"),
        pytest.param("{feature: x.y, matchName: {op: Exists}}", 0, id="not published"),
    ],
)
def test_a_budget_bounds_operator_calls(text: str, calls: int) -> None:
    asked = one_rule(f"matchFeatures: [{text}]")
    budget = Budget(calls)
    assert judge(asked, NODE) == judge(asked, NODE, budget=budget)
    assert calls == budget.calls
    if calls:
        with pytest.raises(SpecError, match="on this node") as caught:
            judge(asked, NODE, budget=Budget(calls - 1, "this node"))
        assert "TooCostly" == caught.value.reason


def least_budget(template: str) -> int:
    """The least bound within which a rule without terms can run a template."""
    asked = one_rule(f"matchAny: [{{}}]\nvarsTemplate: '{template}'")

    def suffices(calls: int) -> bool:
        try:
            return bool(judge(asked, NODE, budget=Budget(calls)))
        except SpecError as error:
            return error.reason != "TooCostly"

    return bisect_left(range(1_000_000), 1, key=suffices)


@pytest.mark.parametrize(
    ("last", "is_error"),
    [
        pytest.param("a=1", False, id="a run that ends well"),
        pytest.param("{{fail .}}", True, id="a run that fails"),
        pytest.param("a+1", True, id="a run whose output is refused"),
    ],
)
def test_a_template_counts_by_the_steps_that_it_takes(
    last: str, *, is_error: bool
) -> None:
    """Whatever becomes of it: an iteration is a step."""
    short, long = (f"{{{{range {n}}}}}{{{{end}}}}{last}" for n in (100, 900))
    (result,) = judge(one_rule(f"matchAny: [{{}}]\nvarsTemplate: '{long}'"), NODE)
    assert is_error == (result.rules[0].error is not None)
    assert 800 * CALLS_PER_STEP == least_budget(long) - least_budget(short)


def test_a_template_that_goes_beyond_its_own_bound_is_an_error_of_its_rule() -> None:
    endless = "{{range 1000000}}{{end}}"
    asked = one_rule(f"matchAny: [{{}}]\nvarsTemplate: '{endless}'")
    (result,) = judge(asked, NODE, budget=Budget(201_000))
    assert "more than 100,000 steps" in str(result.rules[0].error)
    with pytest.raises(SpecError, match="spec is too costly"):
        judge(asked, NODE, budget=Budget(100_000))


def test_parsing_a_template_counts_by_its_length() -> None:
    comments = [f"a=1{{{{/*{'x' * size}*/}}}}" for size in (0, 1_000, 5_000)]
    least, longer, longest = map(least_budget, comments)
    parsing = STEPS_PER_CHARACTER * CALLS_PER_STEP
    assert [1_000 * parsing, 5_000 * parsing] == [longer - least, longest - least]


@pytest.mark.parametrize(
    "term",
    [
        "matchName: {op: InRegexp, value: ['(AVX|x)+$']}",
        "matchExpressions: {AVX: {op: InRegexp, value: [b]}, x: {op: Exists}}",
    ],
)
def test_patterns_count_by_what_they_cost(term: str) -> None:
    asked = one_rule(f"matchFeatures: [{{feature: cpu.cpuid, {term}}}]")
    judge(asked, NODE)
    budget = Budget()
    judge(asked, NODE, budget=budget)
    with pytest.raises(SpecError, match="too costly"):
        judge(asked, NODE, budget=Budget(budget.calls - 1))
    assert judge(asked, NODE) == judge(asked, NODE, budget=Budget(budget.calls))


def test_a_term_that_is_left_out_may_be_too_costly_too() -> None:
    """NFD does not evaluate it; whether it holds is looked at all the same."""
    asked = one_rule(
        "matchFeatures: [{feature: cpu.cpuid, matchExpressions: {NEON: {op: Exists}}}, "
        "{feature: cpu.cpuid, matchName: {op: InRegexp, value: ['(AVX|x)+$']}}]"
    )
    judge(asked, NODE)
    budget = Budget()
    judge(asked, NODE, budget=budget)
    with pytest.raises(SpecError, match="too costly"):
        judge(asked, NODE, budget=Budget(budget.calls - 1))


def test_failing_fast_leaves_later_terms_and_elements_alone() -> None:
    fail = FeatureMatcherTerm("cpu.cpuid", {"NEON": MatchExpression("Exists")})
    broken = FeatureMatcherTerm("cpu.cpuid", {"AVX": MatchExpression("Bad")})
    hold = FeatureMatcherTerm("cpu.cpuid")
    for one in (
        GroupRule(match_features=(fail, broken)),
        GroupRule(match_features=(FeatureMatcherTerm("no.such"), broken)),
        GroupRule(match_any=((hold,), (broken,))),
        GroupRule(match_any=((fail,),), match_features=(broken,)),
    ):
        assert judge_rule(one, View(NODE), fail_fast=True).error is None
        assert judge_rule(one, View(NODE)).error == 'invalid Op "Bad"'


def test_failing_fast_with_a_template_looks_at_every_element() -> None:
    broken = FeatureMatcherTerm("cpu.cpuid", match_name=MatchExpression("Bad"))
    one = GroupRule(
        vars_template="a=1", match_any=((FeatureMatcherTerm("cpu.cpuid"),), (broken,))
    )
    assert judge_rule(one, View(NODE), fail_fast=True).error == 'invalid Op "Bad"'


def test_failing_fast_stops_at_the_first_failing_expression_by_name() -> None:
    fails = {"NEON": MatchExpression("Exists"), "Z": MatchExpression("Bad")}
    flags = GroupRule(match_features=(FeatureMatcherTerm("cpu.cpuid", fails),))
    devices = GroupRule(match_features=(FeatureMatcherTerm("pci.device", fails),))
    for one in (flags, devices):
        assert judge_rule(one, View(NODE), fail_fast=True).error is None


# Verdicts -----------------------------------------------------------------------


def test_a_spec_fits_if_all_rules_of_some_set_match() -> None:
    fail = GroupRule(match_features=(FeatureMatcherTerm("no.such"),))
    hold = GroupRule()

    def verdict(*sets: tuple[GroupRule, ...]) -> bool:
        spec = Spec(compatibilities=tuple(Compatibility(rules) for rules in sets))
        return fits(judge(spec, NODE))

    assert verdict((hold, fail), (hold, hold))
    assert verdict((fail,), ())
    assert not verdict((hold, fail), (fail,))
    assert not verdict()


def test_publishing_reports_what_it_cannot_do() -> None:
    with pytest.raises(SpecError) as caught:
        View(Features(attributes={RULE_MATCHED: None})).publish({"a": "1"})
    assert caught.value.reason == "EvaluationError"


def test_the_articles_example_reads_and_evaluates() -> None:
    """Kubernetes blog, 2025-06-25, "Image Compatibility In Cloud Native ..."."""
    article = b"""version: v1alpha1
compatibilities:
- description: "My image requirements"
  rules:
  - name: "kernel and cpu"
    matchFeatures:
    - feature: kernel.loadedmodule
      matchExpressions:
        vfio-pci: {op: Exists}
    - feature: cpu.model
      matchExpressions:
        vendor_id: {op: In, value: ["Intel", "AMD"]}
  - name: "one of available nics"
    matchAny:
    - matchFeatures:
      - feature: pci.device
        matchExpressions:
          vendor: {op: In, value: ["0eee"]}
          class: {op: In, value: ["0200"]}
    - matchFeatures:
      - feature: pci.device
        matchExpressions:
          vendor: {op: In, value: ["0fff"]}
          class: {op: In, value: ["0200"]}
"""
    spec = parse.read(article)
    node = Features(
        flags={"kernel.loadedmodule": frozenset({"vfio-pci"})},
        attributes={"cpu.model": {"vendor_id": "AMD"}},
        instances={"pci.device": ({"vendor": "0fff", "class": "0200"},)},
    )
    assert fits(judge(spec, node))
    other = replace(
        node, instances={"pci.device": ({"vendor": "0fff", "class": "03"},)}
    )
    assert [[True, False]] == [
        [one.is_match for one in result.rules] for result in judge(spec, other)
    ]


@pytest.mark.parametrize(
    ("vendor", "wanted"),
    [pytest.param("10de", True, id="found"), pytest.param("0000", False, id="missed")],
)
def test_failing_fast_takes_an_instance_that_satisfies_all(
    vendor: str, *, wanted: bool
) -> None:
    expressions = f"{{class: {{op: Exists}}, vendor: {{op: In, value: ['{vendor}']}}}}"
    asked = one_rule(
        f"matchFeatures: [{{feature: pci.device, matchExpressions: {expressions}}}]"
    )
    one = asked.compatibilities[0].rules[0]
    result = judge_rule(one, View(NODE), fail_fast=True)
    names = frozenset({"class", "vendor"}) if wanted else frozenset()
    assert (wanted, names) == (result.is_match, result.features[0].satisfied)
