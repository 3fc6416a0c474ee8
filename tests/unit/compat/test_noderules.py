"""What the rules of NodeFeatureRules create on a node."""

from __future__ import annotations

import pytest

from app.compat import nodefeaturerule
from app.compat.features import Features
from app.compat.nodefeaturerule import Taint
from app.compat.noderules import NodeRuleResult, judge_rules, resolve

NODE = Features(
    flags={"cpu.cpuid": frozenset({"AVX"})},
    attributes={"cpu.model": {"id": "85", "a.b": "dots"}, "x.y": None},
)
HOLDS = "matchFeatures: [{feature: cpu.cpuid, matchExpressions: {AVX: {op: Exists}}}]"
FAILS = "matchFeatures: [{feature: no.such}]"


def judged(*rules: str) -> tuple[NodeRuleResult, ...]:
    text = f"rules: [{', '.join(f'{{{rule}}}' for rule in rules)}]"
    return judge_rules(nodefeaturerule.read(text.encode()), NODE)


EVERYTHING = (
    "labels: {a: '1', static: '@cpu.model.id'}, annotations: {note: v}, "
    "vars: {v: '1'}, extendedResources: {r: '2'}, "
    "taints: [{key: k, value: v, effect: NoSchedule}], "
    'labelsTemplate: "{{range .cpu.cpuid}}{{.Name}}=1\\na=template\\n{{end}}", '
    'varsTemplate: "n={{len .cpu.cpuid}}\\nv=template"'
)


def test_a_matching_rule_creates_all_it_states_and_static_values_win() -> None:
    (result,) = judged(f"name: r, {EVERYTHING}, {HOLDS}")
    assert result == NodeRuleResult(
        result.rule,
        is_match=True,
        labels={"AVX": "1", "a": "1", "static": "@cpu.model.id"},
        annotations={"note": "v"},
        vars={"n": "1", "v": "1"},
        taints=(Taint("k", "v", "NoSchedule"),),
        extended_resources={"r": "2"},
    )


def test_a_rule_that_does_not_match_creates_nothing() -> None:
    (result,) = judged(f"{EVERYTHING}, {FAILS}")
    assert result == NodeRuleResult(result.rule, is_match=False)


def test_a_rule_that_errs_creates_nothing_and_the_next_is_evaluated() -> None:
    broken = f'labels: {{a: "1"}}, labelsTemplate: "{{{{", {HOLDS}'
    first, second = judged(broken, HOLDS)
    wanted = "failed to parse template: invalid template: template: :1: unclosed action"
    assert first == NodeRuleResult(first.rule, is_match=False, error=wanted)
    assert second.is_match


def test_labels_and_then_variables_are_seen_by_later_rules() -> None:
    wants = "{a: {op: In, value: [label]}, b: {op: In, value: [var]}}"
    look = f"matchFeatures: [{{feature: rule.matched, matchExpressions: {wants}}}]"
    give = "labels: {a: label, b: label}, vars: {b: var}"
    assert [True, True] == [result.is_match for result in judged(give, look)]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param("plain", {"l": "plain"}, id="as-written"),
        pytest.param("", {"l": ""}, id="nothing"),
        pytest.param("@cpu.model.id", {"l": "85"}, id="an-attribute"),
        pytest.param("@cpu.model.a.b", {"l": "dots"}, id="an-element-with-dots"),
        pytest.param("@cpu.model.nope", {}, id="no-such-element"),
        pytest.param("@no.such.id", {}, id="no-such-feature"),
        pytest.param("@x.y.z", {}, id="null-elements"),
        pytest.param("@cpu.cpuid.AVX", {}, id="a-flag-has-no-value"),
        pytest.param("@cpu.model", {}, id="no-element"),
        pytest.param("@", {}, id="nothing-named"),
    ],
)
def test_dynamic_values_are_looked_up_or_dropped(
    value: str, wanted: dict[str, str]
) -> None:
    assert wanted == resolve({"l": value}, NODE)
