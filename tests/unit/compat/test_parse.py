"""Specs as a whole: every field in its place, bounds, and what admission adds."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from app.compat import nodefeaturerule, parse
from app.compat.limits import LIMITS, Limits
from app.compat.nodefeaturerule import Rule, Taint
from app.compat.spec import (
    Compatibility,
    FeatureMatcherTerm,
    GroupRule,
    MatchExpression,
    Spec,
)
from app.errors import SpecError

SPEC = b"""
version: v1alpha1
compatibilities:
- rules:
  - name: kernel and cpu
    vars: {low: 1, on: yes}
    varsTemplate: |
      a=b
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: In, value: ["5", 6]}
        full: {op: Ge, value: [5.10], type: version}
        nothing: ~
    - feature: cpu.cpuid
      matchName: {op: InRegexp, value: ['^AVX']}
    matchAny:
    - matchFeatures: [{feature: pci.device}]
    - matchFeatures: []
  - name: second
  weight: 10
  tag: prefered
  description: my image
- tag: other
"""

EXPECTED = Spec(
    version="v1alpha1",
    compatibilities=(
        Compatibility(
            rules=(
                GroupRule(
                    name="kernel and cpu",
                    vars={"low": "1", "true": "true"},
                    vars_template="a=b\n",
                    match_features=(
                        FeatureMatcherTerm(
                            feature="kernel.version",
                            match_expressions={
                                "major": MatchExpression("In", ("5", "6")),
                                "full": MatchExpression("Ge", ("5.1",), "version"),
                                "nothing": None,
                            },
                        ),
                        FeatureMatcherTerm(
                            feature="cpu.cpuid",
                            match_name=MatchExpression("InRegexp", ("^AVX",)),
                        ),
                    ),
                    match_any=((FeatureMatcherTerm(feature="pci.device"),), ()),
                ),
                GroupRule(name="second"),
            ),
            weight=10,
            tag="prefered",
            description="my image",
        ),
        Compatibility(tag="other"),
    ),
)

EMPTY_SETS = b"compatibilities: [~, {}]"


def test_every_field_of_a_spec_is_read() -> None:
    assert EXPECTED == parse.read(SPEC)


def test_json_is_read_by_the_same_reader() -> None:
    text = json.dumps(
        {
            "version": "v1alpha1",
            "compatibilities": [
                {
                    "rules": [
                        {
                            "name": "r",
                            "matchFeatures": [
                                {
                                    "feature": "kernel.config",
                                    "matchExpressions": {
                                        "X": {"op": "In", "value": ["y", 1.10]}
                                    },
                                }
                            ],
                        }
                    ],
                    "weight": 5,
                }
            ],
        }
    )
    (only,) = parse.read(text.encode()).compatibilities
    term = FeatureMatcherTerm(
        "kernel.config", {"X": MatchExpression("In", ("y", "1.1"))}
    )
    assert (GroupRule("r", match_features=(term,)),) == only.rules
    assert 5 == only.weight


def test_fields_of_other_kinds_are_ignored() -> None:
    text = (
        b"{apiVersion: v1, compatibilities: [{rules: [{labels: {a: b}, taints: 1}]}]}"
    )
    assert Spec(compatibilities=(Compatibility((GroupRule(),)),)) == parse.read(text)


def test_null_sets_and_rules_are_empty_ones() -> None:
    spec = parse.read(b"compatibilities: [~, {rules: [~]}, {rules: ~}]")
    rules = [compatibility.rules for compatibility in spec.compatibilities]
    assert [(), (GroupRule(),), ()] == rules


def test_the_rules_of_a_group_are_read() -> None:
    text = b"featureGroupRules: [{name: a, vars: {x: 1}}]\nrules: [{name: b}]"
    assert (GroupRule("a", {"x": "1"}),) == parse.read_group(text)


@pytest.mark.parametrize("read", [parse.read_group, nodefeaturerule.read])
@pytest.mark.parametrize("text", ["", "~", "{}", "other: 1", "rules: ~"])
def test_no_rules_are_no_rules(read: Callable[[bytes], object], text: str) -> None:
    assert () == read(text.encode())


def test_every_field_of_a_rule_is_read() -> None:
    text = b"""
    rules:
    - name: r
      labels: {a: 1}
      labelsTemplate: lt
      annotations: {b: 2}
      vars: {c: 3}
      varsTemplate: vt
      taints: [{key: k, value: v, effect: NoExecute}]
      extendedResources: {d: 4}
      matchFeatures: [{feature: x.y}]
      matchAny: [{matchFeatures: [{feature: z.w}]}, ~]
    """
    assert (
        Rule(
            name="r",
            labels={"a": "1"},
            labels_template="lt",
            annotations={"b": "2"},
            vars={"c": "3"},
            vars_template="vt",
            taints=(Taint("k", "v", "NoExecute"),),
            extended_resources={"d": "4"},
            match_features=(FeatureMatcherTerm("x.y"),),
            match_any=((FeatureMatcherTerm("z.w"),), ()),
        ),
    ) == nodefeaturerule.read(text)


def test_an_empty_rule_has_nothing() -> None:
    assert (Rule(),) == nodefeaturerule.read(b"rules: [~]")


# Bounds


def rules(count: int) -> bytes:
    half = "{rules: [" + "{}," * (count // 2) + "]}"
    rest = "{rules: [" + "{}," * (count - count // 2) + "]}"
    return f"compatibilities: [{half}, {rest}]".encode()


def terms(count: int) -> bytes:
    some = "matchFeatures: [" + "{}," * (count - 2) + "]"
    any_of = "matchAny: [{matchFeatures: [{}]}, {matchFeatures: [{}]}]"
    return f"compatibilities: [{{rules: [{{{some}, {any_of}}}]}}]".encode()


def values(count: int) -> bytes:
    name = "{op: In, value: [" + "a," * (count - 1) + "]}"
    term = f"{{matchName: {name}, matchExpressions: {{x: {{value: [a]}}}}}}"
    return f"compatibilities: [{{rules: [{{matchFeatures: [{term}]}}]}}]".encode()


def pattern(count: int) -> bytes:
    name = "{op: InRegexp, value: [" + "a" * (count - 2) + "é]}"
    term = f"{{matchName: {name}}}"
    return f"compatibilities: [{{rules: [{{matchFeatures: [{term}]}}]}}]".encode()


def length(count: int) -> bytes:
    return EMPTY_SETS + b" " * (count - len(EMPTY_SETS))


@pytest.mark.parametrize(
    ("make", "limit", "message"),
    [
        pytest.param(rules, 256, "257 rules, at most 256 are allowed", id="rules"),
        pytest.param(terms, 2048, "2049 terms, at most 2048 are allowed", id="terms"),
        pytest.param(
            values, 4096, "4097 values, at most 4096 are allowed", id="values"
        ),
        pytest.param(
            pattern,
            1024,
            "a pattern of 1025 bytes, at most 1024 are allowed",
            id="pattern",
        ),
        pytest.param(
            length,
            262144,
            "262145 bytes of text, at most 262144 are allowed",
            id="bytes",
        ),
    ],
)
def test_a_bound_holds_at_its_edge(
    make: Callable[[int], bytes], limit: int, message: str
) -> None:
    assert parse.read(make(limit)).compatibilities
    with pytest.raises(SpecError) as caught:
        parse.read(make(limit + 1))
    assert "TooCostly" == caught.value.reason
    assert f"too costly: {message}" == caught.value.message


def test_a_bound_names_the_first_item_beyond_it() -> None:
    text = b"featureGroupRules:\n- {}\n- {}\n- name: third\n- {}\n"
    with pytest.raises(SpecError) as caught:
        parse.read_group(text, limits=Limits(rules=2))
    assert (4, 3) == (caught.value.line, caught.value.column)
    assert "too costly: 4 rules, at most 2 are allowed" == caught.value.message


def test_a_long_pattern_is_fine_for_other_operators() -> None:
    text = pattern(5000).replace(b"InRegexp", b"In")
    assert parse.read(text).compatibilities


def test_an_expression_of_patterns_without_values_is_read() -> None:
    text = b"featureGroupRules: [{matchFeatures: [{matchName: {op: InRegexp}}]}]"
    (rule,) = parse.read_group(text)
    assert MatchExpression("InRegexp") == rule.match_features[0].match_name


def test_rules_of_every_kind_are_bounded() -> None:
    text = b"rules: [" + b"{}," * 257 + b"]"
    with pytest.raises(SpecError, match="257 rules"):
        nodefeaturerule.read(text)


def test_the_bounds_are_those_of_the_design() -> None:
    assert (
        Limits(
            bytes=256 * 1024,
            nodes=20_000,
            depth=64,
            rules=256,
            terms=2_048,
            values=4_096,
            pattern_bytes=1_024,
        )
        == LIMITS
    )


# Admission


def test_admission_reads_what_nfd_reads() -> None:
    assert EXPECTED == parse.read_for_admission(SPEC)


@pytest.mark.parametrize(
    "text",
    [
        "Compatibilities: [{}]",
        "{VERSION: 1, COMPATIBILITIES: [~]}",
        "{verſion: 1, compatibilities: [{}]}",
        "compatibilities: [{unknown: 1, rules: [{labels: {}}]}]",
        "{<<: {version: x}, compatibilities: [{}]}",
    ],
)
def test_admission_takes_known_keys_in_any_case(text: str) -> None:
    assert parse.read_for_admission(text.encode()).compatibilities


@pytest.mark.parametrize(
    ("text", "key", "place"),
    [
        pytest.param(
            "version: x\ncompatibilites:\n- {}", '"compatibilites"', (2, 1), id="typo"
        ),
        pytest.param(
            "apiVersion: v1\ncompatibilities: [{}]", '"apiVersion"', (1, 1), id="other"
        ),
        pytest.param("compatibilities: [{}]\n1: x", '"1"', (2, 1), id="number"),
        pytest.param(
            'compatibilities: [{}]\n"a\\e\\n": x', '"a\\x1b\\n"', (2, 1), id="control"
        ),
        pytest.param(
            f"compatibilities: [{{}}]\n{'k' * 300}: x",
            '"' + "k" * 200 + '..."',
            (2, 1),
            id="long",
        ),
        pytest.param("<<: {x: 1}\ncompatibilities: [~]", '"x"', (1, 6), id="merged"),
    ],
)
def test_admission_refuses_an_unknown_key_at_the_top(
    text: str, key: str, place: tuple[int, int]
) -> None:
    with pytest.raises(SpecError) as caught:
        parse.read_for_admission(text.encode())
    assert (
        f"unknown key {key} at the top of the spec:"
        ' expected "version" or "compatibilities"'
    ) == caught.value.message
    assert "InvalidSpec" == caught.value.reason
    assert place == (caught.value.line, caught.value.column)
    assert parse.read(text.encode()) is not None


@pytest.mark.parametrize(
    "text", ["", "~", "{}", "version: x", "compatibilities: ~", "compatibilities: []"]
)
def test_admission_refuses_a_spec_without_sets(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse.read_for_admission(text.encode())
    assert (
        'the spec has no compatibility sets: expected a list "compatibilities"'
        " with at least one"
    ) == caught.value.message
    assert "InvalidSpec" == caught.value.reason
    assert (1, 1) == (caught.value.line, caught.value.column)


def test_admission_refuses_what_nfd_refuses() -> None:
    with pytest.raises(SpecError, match="cannot unmarshal array"):
        parse.read_for_admission(b"[]")
    with pytest.raises(SpecError, match="too costly"):
        parse.read_for_admission(EMPTY_SETS, limits=Limits(bytes=3))
