"""What nodes lack, in bitsets; that it is what explaining says is a property test."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.compat import parse
from app.compat.alike import Shortfall, shortfall
from app.compat.explain import Part
from app.compat.features import Features
from app.compat.index import Index


def short(
    rules: str, cluster: Mapping[str, Features], **options: int
) -> tuple[Index, Shortfall]:
    """What a cluster lacks of one set, or of the sets of a whole spec."""
    text = rules if rules.startswith("- ") else f"- rules: [{rules}]"
    spec = parse.read(f"version: v1alpha1\ncompatibilities:\n{text}\n".encode())
    index = Index()
    index.update(cluster)
    judgement = index.judge("key", spec)
    plan = index.plan("key")
    assert plan is not None
    among = judgement.nodes
    return index, shortfall(plan, judgement, index.census, among, **options)


def lacking(found: tuple[Index, Shortfall]) -> dict[str, list[str]]:
    """Need -> the nodes that lack it."""
    index, shortfall = found
    return {
        " ".join(filter(None, (need.rule, need.feature, need.name, need.want))): (
            index.names(bits)
        )
        for need, bits in shortfall.needs.items()
    }


def modules(*names: str) -> Features:
    return Features(flags={"kernel.loadedmodule": frozenset(names)})


def wants(name: str, feature: str = "kernel.loadedmodule") -> str:
    return f"{{feature: {feature}, matchExpressions: {{{name}: {{op: Exists}}}}}}"


def test_each_need_has_the_nodes_that_lack_it() -> None:
    found = short(
        f"{{name: r, matchFeatures: [{wants('a')}, {wants('b')}]}}",
        {"one": modules("a"), "none": modules(), "both": modules("a", "b")},
    )
    assert lacking(found) == {
        "r kernel.loadedmodule a Exists": ["none"],
        "r kernel.loadedmodule b Exists": ["one", "none"],
    }
    assert found[0].names(found[1].nodes) == ["one", "none"]


def test_of_alternatives_each_node_is_told_its_cheapest() -> None:
    rules = f"""\
- rules: [{{name: s, matchFeatures: [{wants("a")}, {wants("b")}]}}]
- rules: [{{name: t, matchFeatures: [{wants("c")}, {wants("d")}]}}]"""
    cluster = {"a": modules("a"), "d": modules("d"), "x": modules()}
    assert lacking(short(rules, cluster)) == {
        "s kernel.loadedmodule a Exists": ["x"],
        "s kernel.loadedmodule b Exists": ["a", "x"],
        "t kernel.loadedmodule c Exists": ["d"],
    }


def test_a_spec_without_sets_lacks_nothing_that_could_be_had() -> None:
    index = Index()
    index.update({"a": modules()})
    judgement = index.judge(
        "key",
        parse.read(
            f"version: v1alpha1\ncompatibilities: [{{rules: [{{name: r, matchFeatures: "
            f"[{wants('x')}]}}]}}]".encode()
        ),
        ("none",),
    )
    plan = index.plan("key", ("none",))
    assert plan is not None
    found = shortfall(plan, judgement, index.census, -1 & judgement.nodes)
    assert (1, {}, [], []) == found[:4]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(
            wants("x", "rule.matched"), "rule.matched x Exists", id="an element"
        ),
        pytest.param("{feature: rule.matched}", "rule.matched published", id="alone"),
        pytest.param(
            "{feature: rule.matched, matchName: {op: In, value: [x]}}",
            "rule.matched a name In [x]",
            id="a name",
        ),
        pytest.param(
            "{feature: rule.matched, matchName: {op: In, value: [x]}, "
            "matchExpressions: {x: {op: Exists}}}",
            "",
            id="several needs",
        ),
        pytest.param(f"{wants('x', 'rule.matched')}, {wants('a')}", "", id="two terms"),
    ],
)
def test_of_a_rule_on_variables_its_only_need_is_told(rule: str, expected: str) -> None:
    found = lacking(
        short(
            f"{{name: r, matchFeatures: [{rule}]}}, "
            f"{{name: q, vars: {{v: '1'}}, matchFeatures: [{wants('lost')}]}}",
            {"a": modules()},
        )
    )
    assert [f"r {expected}".strip(), "q kernel.loadedmodule lost Exists"] == list(found)


def test_a_rule_on_variables_that_matches_or_is_unknown_lacks_nothing() -> None:
    found = short(
        f"{{name: q, vars: {{v: '1'}}}}, "
        f"{{name: r, matchFeatures: [{wants('v', 'rule.matched')}]}}, "
        f"{{name: s, matchFeatures: [{wants('lost')}]}}",
        {"a": modules()},
    )
    assert ["s kernel.loadedmodule lost Exists"] == list(lacking(found))


def test_a_rule_that_cannot_be_evaluated_lacks_nothing() -> None:
    bad = "{feature: kernel.loadedmodule, matchExpressions: {a: {op: Bad}}}"
    found = short(
        f"{{name: q, matchFeatures: [{bad}]}}, "
        f"{{name: r, vars_template: '', matchFeatures: [{wants('lost')}]}}, "
        f"{{name: t, varsTemplate: 'novalue'}}",
        {"a": modules()},
    )
    assert ["r kernel.loadedmodule lost Exists"] == list(lacking(found))


def test_a_rule_with_a_template_that_is_unknown_lacks_nothing() -> None:
    found = short(
        f"{{name: q, varsTemplate: 'a=1', matchFeatures: [{{feature: no.such}}]}}, "
        f"{{name: r, matchFeatures: [{wants('lost')}, {{feature: no.such}}]}}",
        {"a": modules()},
    )
    assert list(lacking(found)) == [
        "r kernel.loadedmodule lost Exists",
        "r no.such published",
    ]


def test_of_a_feature_of_all_kinds_a_device_is_wanted_where_there_is_one() -> None:
    def node(*devices: Mapping[str, str]) -> Features:
        return Features(
            attributes={"x.y": {}} if devices != ({"z": ""},) else {},
            instances={"x.y": devices},
        )

    found = short(
        "{name: r, matchFeatures: [{feature: x.y, matchExpressions: "
        "{a: {op: Exists}, b: {op: Exists}}}]}",
        {
            "device": node({"a": "1"}),
            "none": node(),
            "other": node({"z": ""}),
            "fits": node({"a": "1", "b": "2"}),
        },
    )
    assert lacking(found) == {
        "r x.y a Exists": ["none"],
        "r x.y b Exists": ["none"],
        "r x.y one with a Exists, b Exists": ["device", "other"],
    }


def test_names_flags_and_attributes_together() -> None:
    def node(*flags: str, **attributes: str) -> Features:
        return Features(flags={"x.y": frozenset(flags)}, attributes={"x.y": attributes})

    found = short(
        "{name: r, matchFeatures: [{feature: x.y, matchName: {op: In, value: [m]}, "
        "matchExpressions: {a: {op: DoesNotExist}}}]}",
        {
            "flag": node("a", "m"),
            "value": node("m", a="1"),
            "nameless": node(),
            "fits": node("m"),
            "flags": Features(flags={"x.y": frozenset("a")}),
        },
    )
    assert lacking(found) == {
        "r x.y a DoesNotExist": ["flag", "value", "flags"],
        "r x.y a name In [m]": ["nameless", "flags"],
    }


def test_of_matchany_the_element_that_lacks_least_is_told() -> None:
    found = short(
        f"{{name: r, matchFeatures: [{wants('f')}], matchAny: ["
        f"{{matchFeatures: [{wants('a')}, {wants('b')}]}}, "
        f"{{matchFeatures: [{wants('c')}]}}]}}",
        {"a": modules("a"), "c": modules("c"), "f": modules("f"), "x": modules()},
    )
    assert lacking(found) == {
        "r kernel.loadedmodule b Exists": ["a"],
        "r kernel.loadedmodule c Exists": ["f", "x"],
        "r kernel.loadedmodule f Exists": ["a", "c", "x"],
    }


def test_a_spec_with_more_needs_than_the_bound_is_told_by_rules() -> None:
    rules = f"{{name: r, matchFeatures: [{wants('a')}, {wants('b')}]}}"
    cluster = {"x": modules()}
    _, exact = short(rules, cluster, most_needs=2)
    assert [Part.ELEMENT, Part.ELEMENT] == [need.part for need in exact.needs]
    assert (2, [0, 1]) == (exact.size, exact.all)
    _, coarse = short(rules, cluster, most_needs=1)
    assert [("r", Part.RULE)] == [(need.rule, need.part) for need in coarse.needs]
    assert (1, [1]) == (coarse.size, coarse.all)


def test_a_spec_with_more_rules_than_the_bound_is_told_as_a_whole() -> None:
    rules = f"{{name: r, matchFeatures: [{wants('a')}]}}, {{name: s}}"
    _, by_rules = short(rules, {"x": modules()}, most_needs=2)
    assert ["r"] == [need.rule for need in by_rules.needs]
    _, whole = short(rules, {"x": modules()}, most_needs=1)
    assert [("", Part.RULE)] == [(need.rule, need.part) for need in whole.needs]
    assert (1, [1]) == (whole.size, whole.all)
    _, none = short(rules, {"x": modules("a")}, most_needs=1)
    assert (0, {}) == none[:2]
