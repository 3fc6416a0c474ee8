"""Values of a wrong type, and fields that are spelled in several ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.compat import nodefeaturerule, parse
from app.compat.spec import (
    Compatibility,
    FeatureMatcherTerm,
    GroupRule,
    MatchExpression,
    Spec,
)
from app.errors import SpecError

TERM = """compatibilities:
- rules:
  - matchFeatures:
    - """

REFUSED = [
    (parse.read, "[]", "array", "", "v1alpha1.Spec", (1, 1)),
    (parse.read, "x", "string", "", "v1alpha1.Spec", (1, 1)),
    (parse.read, "1", "number", "", "v1alpha1.Spec", (1, 1)),
    (parse.read, "yes", "bool", "", "v1alpha1.Spec", (1, 1)),
    (parse.read, "version: []", "array", "Spec.version", "string", (1, 10)),
    (parse.read, "version: {}", "object", "Spec.version", "string", (1, 10)),
    (
        parse.read,
        "compatibilities: x",
        "string",
        "Spec.compatibilities",
        "[]v1alpha1.Compatibility",
        (1, 18),
    ),
    (
        parse.read,
        "compatibilities: {}",
        "object",
        "Spec.compatibilities",
        "[]v1alpha1.Compatibility",
        (1, 18),
    ),
    (
        parse.read,
        "compatibilities: [1]",
        "number",
        "Spec.compatibilities",
        "v1alpha1.Compatibility",
        (1, 19),
    ),
    (
        parse.read,
        "compatibilities: [[]]",
        "array",
        "Spec.compatibilities",
        "v1alpha1.Compatibility",
        (1, 19),
    ),
    (
        parse.read,
        "compatibilities:\n- rules: {}",
        "object",
        "Compatibility.compatibilities.rules",
        "[]v1alpha1.GroupRule",
        (2, 10),
    ),
    (
        parse.read,
        "compatibilities:\n- rules: [x]",
        "string",
        "Compatibility.compatibilities.rules",
        "v1alpha1.GroupRule",
        (2, 11),
    ),
    (
        parse.read,
        "compatibilities:\n- weight: 1.5",
        "number 1.5",
        "Compatibility.compatibilities.weight",
        "int",
        (2, 11),
    ),
    (
        parse.read,
        "compatibilities: [{weight: 1e30}]",
        "number 1e+30",
        "Compatibility.compatibilities.weight",
        "int",
        (1, 28),
    ),
    (
        parse.read,
        "compatibilities: [{weight: yes}]",
        "bool",
        "Compatibility.compatibilities.weight",
        "int",
        (1, 28),
    ),
    (
        parse.read,
        'compatibilities: [{weight: "5"}]',
        "string",
        "Compatibility.compatibilities.weight",
        "int",
        (1, 28),
    ),
    (
        parse.read,
        "compatibilities: [{weight: []}]",
        "array",
        "Compatibility.compatibilities.weight",
        "int",
        (1, 28),
    ),
    (
        parse.read,
        "compatibilities: [{weight: {}}]",
        "object",
        "Compatibility.compatibilities.weight",
        "int",
        (1, 28),
    ),
    (
        parse.read,
        "compatibilities: [{weight: 1e-7}]",
        "number 1e-7",
        "Compatibility.compatibilities.weight",
        "int",
        (1, 28),
    ),
    (
        parse.read,
        "compatibilities: [{weight: 9223372036854775808}]",
        "number 9223372036854775808",
        "Compatibility.compatibilities.weight",
        "int",
        (1, 28),
    ),
    (
        parse.read,
        "compatibilities: [{weight: -1e19}]",
        "number -10000000000000000000",
        "Compatibility.compatibilities.weight",
        "int",
        (1, 28),
    ),
    (
        parse.read,
        "compatibilities: [{rules: [{name: []}]}]",
        "array",
        "GroupRule.compatibilities.rules.name",
        "string",
        (1, 35),
    ),
    (
        parse.read,
        "compatibilities: [{rules: [{vars: x}]}]",
        "string",
        "GroupRule.compatibilities.rules.vars",
        "map[string]string",
        (1, 35),
    ),
    (
        parse.read,
        "compatibilities: [{rules: [{vars: [x]}]}]",
        "array",
        "GroupRule.compatibilities.rules.vars",
        "map[string]string",
        (1, 35),
    ),
    (
        parse.read,
        "compatibilities: [{rules: [{vars: {a: [x]}}]}]",
        "array",
        "GroupRule.compatibilities.rules.vars",
        "string",
        (1, 39),
    ),
    (
        parse.read,
        "compatibilities: [{rules: [{matchFeatures: x}]}]",
        "string",
        "GroupRule.compatibilities.rules.matchFeatures",
        "v1alpha1.FeatureMatcher",
        (1, 44),
    ),
    (
        parse.read,
        "compatibilities: [{rules: [{matchFeatures: [x]}]}]",
        "string",
        "GroupRule.compatibilities.rules.matchFeatures",
        "v1alpha1.FeatureMatcherTerm",
        (1, 45),
    ),
    (
        parse.read,
        "compatibilities: [{rules: [{matchAny: {}}]}]",
        "object",
        "GroupRule.compatibilities.rules.matchAny",
        "[]v1alpha1.MatchAnyElem",
        (1, 39),
    ),
    (
        parse.read,
        "compatibilities: [{rules: [{matchAny: [x]}]}]",
        "string",
        "GroupRule.compatibilities.rules.matchAny",
        "v1alpha1.MatchAnyElem",
        (1, 40),
    ),
    (
        parse.read,
        "compatibilities: [{rules: [{matchAny: [{matchFeatures: 1}]}]}]",
        "number",
        "MatchAnyElem.compatibilities.rules.matchAny.matchFeatures",
        "v1alpha1.FeatureMatcher",
        (1, 56),
    ),
    (
        parse.read,
        "compatibilities: [{tag: []}]\nversion: {}",
        "array",
        "Compatibility.compatibilities.tag",
        "string",
        (1, 25),
    ),
    (
        parse.read,
        "version: {}\nVERSION: []",
        "array",
        "Spec.version",
        "string",
        (2, 10),
    ),
    (
        parse.read,
        TERM + "matchExpressions: []",
        "array",
        "FeatureMatcherTerm.compatibilities.rules.matchFeatures.matchExpressions",
        "v1alpha1.MatchExpressionSet",
        (4, 25),
    ),
    (
        parse.read,
        TERM + "matchExpressions: {a: 1}",
        "number",
        "FeatureMatcherTerm.compatibilities.rules.matchFeatures.matchExpressions",
        "v1alpha1.MatchExpression",
        (4, 29),
    ),
    (
        parse.read,
        TERM + "matchExpressions: {a: {op: []}}",
        "array",
        "MatchExpression.compatibilities.rules.matchFeatures.matchExpressions.op",
        "v1alpha1.MatchOp",
        (4, 34),
    ),
    (
        parse.read,
        TERM + "matchExpressions: {a: {value: x}}",
        "string",
        "MatchExpression.compatibilities.rules.matchFeatures.matchExpressions.value",
        "v1alpha1.MatchValue",
        (4, 37),
    ),
    (
        parse.read,
        TERM + "matchExpressions: {a: {value: [x, [x]]}}",
        "array",
        "MatchExpression.compatibilities.rules.matchFeatures.matchExpressions.value",
        "string",
        (4, 41),
    ),
    (
        parse.read,
        TERM + "matchExpressions: {a: {type: {}}}",
        "object",
        "MatchExpression.compatibilities.rules.matchFeatures.matchExpressions.type",
        "v1alpha1.ValueType",
        (4, 36),
    ),
    (
        parse.read,
        TERM + "matchName: x",
        "string",
        "FeatureMatcherTerm.compatibilities.rules.matchFeatures.matchName",
        "v1alpha1.MatchExpression",
        (4, 18),
    ),
    (
        parse.read,
        TERM + "feature: []",
        "array",
        "FeatureMatcherTerm.compatibilities.rules.matchFeatures.feature",
        "string",
        (4, 16),
    ),
    (
        nodefeaturerule.read,
        "rules: x",
        "string",
        "NodeFeatureRuleSpec.rules",
        "[]v1alpha1.Rule",
        (1, 8),
    ),
    (
        nodefeaturerule.read,
        "rules: [{taints: x}]",
        "string",
        "Rule.rules.taints",
        "[]v1.Taint",
        (1, 18),
    ),
    (
        nodefeaturerule.read,
        "rules: [{taints: [x]}]",
        "string",
        "Rule.rules.taints",
        "v1.Taint",
        (1, 19),
    ),
    (
        nodefeaturerule.read,
        "rules: [{taints: [{effect: []}]}]",
        "array",
        "Taint.rules.taints.effect",
        "v1.TaintEffect",
        (1, 28),
    ),
    (
        nodefeaturerule.read,
        "rules: [{taints: [{timeAdded: 5}]}]",
        "number",
        "Taint.rules.taints.timeAdded",
        "string",
        (1, 31),
    ),
    (
        nodefeaturerule.read,
        "rules: [{taints: [{timeAdded: yes}]}]",
        "bool",
        "Taint.rules.taints.timeAdded",
        "string",
        (1, 31),
    ),
    (
        nodefeaturerule.read,
        "rules: [{taints: [{timeAdded: []}]}]",
        "array",
        "Taint.rules.taints.timeAdded",
        "string",
        (1, 31),
    ),
    (
        nodefeaturerule.read,
        "rules: [{labels: [x]}]",
        "array",
        "Rule.rules.labels",
        "map[string]string",
        (1, 18),
    ),
    (
        nodefeaturerule.read,
        "rules: [{annotations: {a: {}}}]",
        "object",
        "Rule.rules.annotations",
        "string",
        (1, 27),
    ),
    (
        nodefeaturerule.read,
        "rules: [{matchFeatures: [{matchName: []}]}]",
        "array",
        "FeatureMatcherTerm.rules.matchFeatures.matchName",
        "v1alpha1.MatchExpression",
        (1, 38),
    ),
    (parse.read_group, "[]", "array", "", "v1alpha1.NodeFeatureGroupSpec", (1, 1)),
    (
        parse.read_group,
        "featureGroupRules: x",
        "string",
        "NodeFeatureGroupSpec.featureGroupRules",
        "[]v1alpha1.GroupRule",
        (1, 20),
    ),
    (
        parse.read_group,
        "featureGroupRules: [{name: {}}]",
        "object",
        "GroupRule.featureGroupRules.name",
        "string",
        (1, 28),
    ),
]
"""Reader, text -> what was found, in which field (`""`: the top), its type, place."""


@pytest.mark.parametrize(("read", "text", "found", "field", "kind", "place"), REFUSED)
def test_a_value_of_a_wrong_type_is_refused_in_the_words_of_go(
    read: Callable[[bytes], object],
    text: str,
    found: str,
    field: str,
    kind: str,
    place: tuple[int, int],
) -> None:
    with pytest.raises(SpecError) as caught:
        read(text.encode())
    where = f"struct field {field}" if field else "value"
    assert (
        "error unmarshaling JSON: while decoding JSON:"
        f" json: cannot unmarshal {found} into Go {where} of type {kind}"
    ) == caught.value.message
    assert "InvalidSpec" == caught.value.reason
    assert place == (caught.value.line, caught.value.column)


def rule_of(text: str) -> GroupRule:
    (rule,) = parse.read_group(text.encode())
    return rule


def term_of(text: str) -> FeatureMatcherTerm:
    (term,) = rule_of(
        f"featureGroupRules: [{{matchFeatures: [{text}]}}]"
    ).match_features
    return term


@pytest.mark.parametrize(
    "key",
    [
        "compatibilities",
        "Compatibilities",
        "COMPATIBILITIES",
        "compatibilitieſ",
    ],
)
def test_a_key_matches_its_field_in_any_case(key: str) -> None:
    assert Spec(compatibilities=(Compatibility(tag="t"),)) == parse.read(
        f"{key}: [{{tag: t}}]".encode()
    )


@pytest.mark.parametrize("key", ["compatibilities ", "compatıbilities", "compat", "é"])
def test_an_unknown_key_is_ignored(key: str) -> None:
    assert Spec() == parse.read(f'"{key}": [[[1]]]'.encode())


def test_of_two_spellings_of_a_key_the_larger_in_byte_order_wins() -> None:
    assert (
        "small"
        == rule_of("featureGroupRules: [{name: small, Name: Large, NAME: x}]").name
    )
    assert "b" == rule_of('featureGroupRules: [{"nAme": b, "NAme": a}]').name


def test_null_leaves_the_text_of_another_spelling_alone() -> None:
    assert "kept" == rule_of("featureGroupRules: [{NAME: kept, name: ~}]").name


def test_null_clears_the_list_of_another_spelling() -> None:
    rule = rule_of("featureGroupRules: [{MatchAny: [{}], matchAny: ~}]")
    assert () == rule.match_any


def test_mappings_of_two_spellings_are_merged() -> None:
    rule = rule_of("featureGroupRules: [{VARS: {a: 1, b: 1}, vars: {b: 2, c: ~}}]")
    assert {"a": "1", "b": "2", "c": ""} == rule.vars


def test_lists_of_two_spellings_are_merged_item_by_item() -> None:
    text = """
    featureGroupRules:
    - {name: one, vars: {a: 1}}
    - {name: two}
    FeatureGroupRules:
    - {Name: ONE, varsTemplate: x}
    - {name: zwei, varsTemplate: z}
    - {name: drei}
    """
    rules = parse.read_group(text.encode())
    assert (
        GroupRule(name="one", vars={"a": "1"}, vars_template="x"),
        GroupRule(name="two", vars_template="z"),
    ) == rules


def test_a_third_spelling_finds_what_a_longer_list_left_behind() -> None:
    text = "{op: In, VALUE: [a, b, c], Value: [d], value: [~, ~]}"
    term = term_of(f"{{matchName: {text}}}")
    assert MatchExpression("In", ("d", "b")) == term.match_name


def test_an_empty_list_leaves_nothing_behind() -> None:
    text = "{op: In, VALUE: [a, b, c], Value: [], value: [~, ~]}"
    term = term_of(f"{{matchName: {text}}}")
    assert MatchExpression("In", ("", "")) == term.match_name


def test_a_pointer_of_two_spellings_is_one_value() -> None:
    term = term_of("{MATCHNAME: {op: In, value: [a]}, matchName: {op: Exists}}")
    assert MatchExpression("Exists", ("a",)) == term.match_name


def test_an_expression_of_two_spellings_is_replaced() -> None:
    term = term_of(
        "{MatchExpressions: {a: {op: In, value: [x]}}, matchExpressions: {a: {}, b: ~}}"
    )
    assert {"a": MatchExpression(), "b": None} == term.match_expressions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{}", FeatureMatcherTerm(), id="absent"),
        pytest.param(
            "{matchExpressions: ~, matchName: ~}", FeatureMatcherTerm(), id="null"
        ),
        pytest.param(
            "{matchExpressions: {}}",
            FeatureMatcherTerm(match_expressions={}),
            id="empty-mapping",
        ),
        pytest.param(
            "{matchName: {}}",
            FeatureMatcherTerm(match_name=MatchExpression()),
            id="empty-expression",
        ),
        pytest.param("~", FeatureMatcherTerm(), id="null-term"),
    ],
)
def test_nil_is_told_from_empty_where_nfd_does(
    text: str, expected: FeatureMatcherTerm
) -> None:
    assert expected == term_of(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        ("-7", -7),
        ("1e2", 100),
        ("0x10", 16),
        ("-0.0", 0),
        ("~", 0),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_a_weight_is_any_number_that_json_writes_without_a_fraction(
    text: str, expected: int
) -> None:
    spec = parse.read(f"compatibilities: [{{weight: {text}}}]".encode())
    assert expected == spec.compatibilities[0].weight


def test_a_null_weight_leaves_the_one_of_another_spelling_alone() -> None:
    spec = parse.read(b"compatibilities: [{WEIGHT: 3, weight: ~}]")
    assert 3 == spec.compatibilities[0].weight


@pytest.mark.parametrize(
    "text",
    [
        "featureGroupRules: [{name: .nan}]",
        "featureGroupRules: [{vars: {a: .inf}}]",
        "featureGroupRules: [{matchFeatures: [{matchName: {value: [.nan]}}]}]",
        "featureGroupRules: [{matchFeatures: [{matchExpressions: {a: {op: -.inf}}}]}]",
        "{x: .nan, x: 1}",
        ".nan: 1",
    ],
)
def test_nan_is_fine_where_it_becomes_text_or_is_overwritten(text: str) -> None:
    assert parse.read_group(text.encode()) is not None
