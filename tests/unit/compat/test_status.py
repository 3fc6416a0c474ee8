"""NFD's report, and its JSON to the byte."""

from __future__ import annotations

import pytest

from app.compat import parse
from app.compat.features import Features
from app.compat.matching import judge
from app.compat.operators import EVALUATION
from app.compat.status import CompatibilityStatus, RuleStatus, report, to_json
from app.errors import SpecError

NODE = Features(
    flags={"cpu.cpuid": frozenset({"AVX"}), "both.kinds": frozenset()},
    attributes={"cpu.model": {"vendor_id": "AMD"}, "both.kinds": {"a": "1"}},
    instances={
        "pci.device": (
            {"class": "0600", "vendor": "8086"},
            {"class": "0200", "vendor": "10de"},
        )
    },
)


def reported(text: str) -> str:
    return to_json(report(judge(parse.read(text.encode()), NODE)))


def of_rule(rule: str) -> str:
    """The report on one rule, without what stands around it."""
    text = reported(f"compatibilities: [{{rules: [{{name: r, {rule}}}]}}]")
    return text.removeprefix('[{"rules":[{"name":"r",').removesuffix("}]}]")


def test_the_report_is_nfds_to_the_byte() -> None:
    """The first report of `nfd compat validate-node` that we kept."""
    wanted = (
        '[{"rules":[{"name":"kernel and cpu","isMatch":false,"matchedExpressions":['
        '{"feature":"cpu.cpuid","name":"","expression":{"op":"InRegexp","value":'
        '["^AVX"]},"matcherType":"matchName","isMatch":true},'
        '{"feature":"cpu.model","name":"vendor_id","expression":{"op":"In","value":'
        '["Intel","AMD"]},"matcherType":"matchExpression","isMatch":true},'
        '{"feature":"kernel.config","name":"NOPE","expression":{"op":"Exists"},'
        '"matcherType":"matchExpression","isMatch":false}]},'
        '{"name":"nics","isMatch":true,"matchedAny":[{"matchedExpressions":['
        '{"feature":"pci.device","name":"class","expression":{"op":"In","value":'
        '["0600"]},"matcherType":"matchExpression","isMatch":true}]},'
        '{"matchedExpressions":[{"feature":"pci.device","name":"vendor","expression":'
        '{"op":"In","value":["0fff"]},"matcherType":"matchExpression","isMatch":false}'
        ']}]}],"description":"my image requirements","weight":10,"tag":"prefered"}]'
    )
    assert wanted == reported(
        """
compatibilities:
- tag: prefered
  weight: 10
  description: my image requirements
  rules:
  - name: kernel and cpu
    matchFeatures:
    - {feature: kernel.config, matchExpressions: {NOPE: {op: Exists}}}
    - feature: cpu.model
      matchExpressions: {vendor_id: {op: In, value: [Intel, AMD]}}
    - {feature: cpu.cpuid, matchName: {op: InRegexp, value: [^AVX]}}
  - name: nics
    matchAny:
    - matchFeatures:
      - {feature: pci.device, matchExpressions: {class: {op: In, value: ["0600"]}}}
    - matchFeatures:
      - {feature: pci.device, matchExpressions: {vendor: {op: In, value: [0fff]}}}
"""
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("", "[]", id="nothing"),
        pytest.param("compatibilities: [{}]", '[{"rules":null}]', id="no-rules"),
        pytest.param(
            "compatibilities: [{rules: [{}]}]",
            '[{"rules":[{"name":"","isMatch":true}]}]',
            id="an-empty-rule",
        ),
        pytest.param(
            "compatibilities: [{weight: -1, rules: [{matchAny: [{}]}]}]",
            '[{"rules":[{"name":"","isMatch":true,"matchedAny":'
            '[{"matchedExpressions":null}]}],"weight":-1}]',
            id="an-empty-element",
        ),
        pytest.param(
            'compatibilities: [{description: "<a&b>", tag: "\\u2028"}]',
            '[{"rules":null,"description":"\\u003ca\\u0026b\\u003e","tag":"\\u2028"}]',
            id="html-is-escaped",
        ),
    ],
)
def test_what_is_empty_is_left_out_as_in_go(text: str, wanted: str) -> None:
    assert wanted == reported(text)


def test_expressions_are_sorted_by_feature_name_and_text() -> None:
    text = of_rule(
        "matchFeatures: ["
        "{feature: cpu.model, matchExpressions: {b: {op: Exists}, a: {op: Exists}}}, "
        "{feature: cpu.model, matchExpressions: {a: {op: In, value: [x]}}}, "
        "{feature: cpu.cpuid, matchName: {op: Exists}}]"
    )
    found = [
        (part.split('"')[2], part.split('"')[6]) for part in text.split("feature")[1:]
    ]
    wanted = [
        ("cpu.cpuid", ""),
        ("cpu.model", "a"),
        ("cpu.model", "a"),
        ("cpu.model", "b"),
    ]
    assert wanted == found
    assert text.index('"op":"Exists"},"matcherType":"matchExpression"') < text.index(
        '"op":"In"'
    )


def marks(rule: str) -> list[bool]:
    text = of_rule(rule).split('"matchedExpressions":')[1]
    return [part.startswith("true") for part in text.split('"isMatch":')[1:]]


def test_an_upper_case_feature_is_never_marked() -> None:
    """Quirk 7 of NFD: the rule matches, its expression does not."""
    rule = (
        "matchFeatures: [{feature: Cpu.cpuid, matchExpressions: {AVX: {op: Exists}}}]"
    )
    assert of_rule(rule).startswith('"isMatch":true')
    assert [False] == marks(rule)


def test_expressions_that_differ_in_type_share_a_mark() -> None:
    """Quirk 8 of NFD."""
    same = "{feature: pci.device, matchExpressions: {class: {op: Ge, value: ['%s']%s}}}"
    rule = f"matchFeatures: [{same % ('1', '')}, {same % ('1', ', type: version')}]"
    assert [True, True] == marks(rule)
    other = f"matchFeatures: [{same % ('1', '')}, {same % ('9999', '')}]"
    assert [True, False] == marks(other)


def test_names_share_a_mark_too() -> None:
    same = "{feature: cpu.cpuid, matchName: {op: In, value: [%s]}}"
    rule = f"matchFeatures: [{same % 'AVX'}, {same % 'AVX'}, {same % 'SSE'}]"
    assert [True, True, False] == marks(rule)


def test_what_holds_for_flags_is_marked_though_attributes_differ() -> None:
    """Quirk 9 of NFD."""
    term = "{feature: both.kinds, matchExpressions: {a: {op: DoesNotExist}}}"
    rule = f"matchFeatures: [{term}]"
    assert of_rule(rule).startswith('"isMatch":false')
    assert [True] == marks(rule)


def test_what_different_devices_have_is_marked() -> None:
    """Quirk 10 of NFD."""
    rule = (
        "matchFeatures: [{feature: pci.device, matchExpressions: "
        "{class: {op: In, value: ['0600']}, vendor: {op: In, value: [10de]}}}]"
    )
    assert of_rule(rule).startswith('"isMatch":false')
    assert [True, True] == marks(rule)


def test_a_null_expression_is_written_as_null() -> None:
    text = of_rule("matchFeatures: [{feature: no.such, matchExpressions: {a: null}}]")
    assert '"name":"a","expression":null,"matcherType":"matchExpression"' in text


def test_twins_of_a_null_expression_are_not_marked() -> None:
    text = of_rule(
        "matchFeatures: [{feature: no.such, matchExpressions: {a: null}}, "
        "{feature: no.such, matchExpressions: {a: {op: Exists}}}]"
    )
    assert text.count('"isMatch":false') == 3


def test_a_type_is_written_behind_the_values() -> None:
    term = "{feature: no.such, matchName: {op: Gt, value: ['1'], type: x}}"
    rule = f"matchFeatures: [{term}]"
    assert '"expression":{"op":"Gt","value":["1"],"type":"x"}' in of_rule(rule)


def test_the_first_error_leaves_nothing_to_report() -> None:
    text = (
        "compatibilities: [{rules: [{}]}, {rules: [{}, "
        "{matchFeatures: [{feature: cpu.cpuid, matchName: {op: Bad1}}]}, "
        "{matchFeatures: [{feature: cpu.cpuid, matchName: {op: Bad2}}]}]}]"
    )
    with pytest.raises(SpecError) as caught:
        reported(text)
    assert (EVALUATION, 'invalid Op "Bad1"') == (
        caught.value.reason,
        caught.value.message,
    )


def test_a_report_is_made_of_values() -> None:
    spec = parse.read(b"compatibilities: [{rules: [{name: r}], weight: 3, tag: t}]")
    wanted = CompatibilityStatus((RuleStatus("r", is_match=True),), weight=3, tag="t")
    assert (wanted,) == report(judge(spec, NODE))
