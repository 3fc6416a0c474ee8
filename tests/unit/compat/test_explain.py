"""What a set wants and a node does not have."""

from __future__ import annotations

import pytest

from app.compat import parse
from app.compat.explain import (
    ABSENT,
    MAX_TEXT,
    NO_ELEMENTS,
    NONE,
    NOT_LOADED,
    NOT_PUBLISHED,
    Need,
    Part,
    SetExplanation,
    Unmet,
    closest,
    explain,
    is_changeable,
    want,
)
from app.compat.features import Features
from app.compat.matching import judge
from app.compat.spec import MatchExpression

NODE = Features(
    flags={
        "cpu.cpuid": frozenset({"AVX", "AVX2"}),
        "kernel.loadedmodule": frozenset({"nvme"}),
        "none.flags": None,
    },
    attributes={
        "kernel.version": {"major": "5", "full": "5.15.0"},
        "both.kinds": {"a": "1"},
    },
    instances={
        "pci.device": (
            {"vendor": "10de", "class": "0302", "slot": "1"},
            {"vendor": "8086", "class": "0200", "slot": "2"},
            {"vendor": "8086", "class": "0604", "slot": "3"},
            {"vendor": "1af4", "class": "0c03", "slot": "4"},
            {"vendor": "1b36", "class": "0604", "slot": "5"},
        ),
        "usb.device": (),
        "both.kinds": ({"b": "2", "c": "3"},),
    },
)


def explained(text: str) -> tuple[SetExplanation, ...]:
    spec = parse.read(text.encode())
    return explain(judge(spec, NODE), NODE)


def unmet(rule: str) -> tuple[Unmet, ...]:
    lines = "\n".join(f"    {line}" for line in rule.split("\n"))
    (one,) = explained(f"compatibilities:\n- rules:\n  - name: r\n{lines}\n")
    return one.unmet


def lacks(rule: str) -> list[tuple[str, str, str]]:
    return [(one.need.name, one.need.want, one.found) for one in unmet(rule)]


def of_term(feature: str, text: str) -> list[tuple[str, str, str]]:
    return lacks(f"matchFeatures: [{{feature: {feature}, {text}}}]")


@pytest.mark.parametrize(
    ("feature", "text", "wanted"),
    [
        pytest.param(
            "kernel.version",
            "matchExpressions: {major: {op: Ge, value: ['6']}, full: {op: Exists}}",
            [("major", "Ge 6", "5")],
            id="an-attribute",
        ),
        pytest.param(
            "kernel.version",
            "matchExpressions: {x: {op: Exists}, z: {op: In, value: [a, b]}}",
            [("x", "Exists", ABSENT), ("z", "In [a, b]", ABSENT)],
            id="what-is-absent",
        ),
        pytest.param(
            "kernel.loadedmodule",
            "matchExpressions: {vfio-pci: {op: Exists}}",
            [("vfio-pci", "Exists", NOT_LOADED)],
            id="a-module",
        ),
        pytest.param(
            "cpu.cpuid",
            "matchExpressions: {AVX: {op: DoesNotExist}}",
            [("AVX", "DoesNotExist", "present")],
            id="a-flag-that-should-not-be",
        ),
        pytest.param(
            "no.such",
            "matchExpressions: {b: {op: Exists}, a: {op: IsTrue}}, "
            "matchName: {op: Exists}",
            [
                ("a", "IsTrue", NOT_PUBLISHED),
                ("b", "Exists", NOT_PUBLISHED),
                ("", "a name Exists", NOT_PUBLISHED),
            ],
            id="a-feature-that-is-not-published",
        ),
        pytest.param(
            "no.such",
            "x: y",
            [("", "published", NOT_PUBLISHED)],
            id="a-bare-feature",
        ),
        pytest.param(
            "none.flags",
            "matchExpressions: {}",
            [("", "published", NO_ELEMENTS)],
            id="null-elements",
        ),
        pytest.param(
            "none.flags",
            "matchExpressions: {a: {op: Exists}}",
            [("a", "Exists", ABSENT)],
            id="nothing-to-look-at",
        ),
        pytest.param(
            "cpu.cpuid",
            "matchName: {op: InRegexp, value: [^AMX]}",
            [("", "a name InRegexp [^AMX]", NONE)],
            id="names",
        ),
        pytest.param(
            "usb.device",
            "matchName: {op: Exists}",
            [("", "a name Exists", NONE)],
            id="no-names",
        ),
        pytest.param(
            "cpu.cpuid",
            "matchExpressions: {NEON: {op: Exists}}, matchName: {op: In, value: [SVE]}",
            [("NEON", "Exists", ABSENT), ("", "a name In [SVE]", NONE)],
            id="both-matchers",
        ),
        pytest.param(
            "cpu.cpuid",
            "matchExpressions: {NEON: {op: Exists}}, matchName: {op: Exists}",
            [("NEON", "Exists", ABSENT)],
            id="names-that-hold-though-nfd-did-not-look",
        ),
        pytest.param(
            "cpu.cpuid",
            "matchExpressions: {NEON: {op: Exists}}, matchName: {op: Bad}",
            [("NEON", "Exists", ABSENT)],
            id="names-that-cannot-be-looked-at",
        ),
        pytest.param(
            "pci.device",
            "matchExpressions: {class: {op: In, value: ['0108']}}",
            [("class", "In [0108]", "0302, 0200, 0604 +1 more")],
            id="values-of-several-devices",
        ),
        pytest.param(
            "pci.device",
            "matchExpressions: {class: {op: In, value: ['0302']}, "
            "vendor: {op: In, value: ['10de']}, numa: {op: Exists}}",
            [("", "one with class In [0302], numa Exists, vendor In [10de]", NONE)],
            id="a-device",
        ),
        pytest.param(
            "both.kinds",
            "matchExpressions: {b: {op: In, value: ['2']}, c: {op: In, value: ['9']}}",
            [("", "one with b In [2], c In [9]", NONE)],
            id="a-device-where-flags-and-attributes-lack-more",
        ),
        pytest.param(
            "both.kinds",
            "matchExpressions: {a: {op: In, value: ['1']}, c: {op: In, value: ['9']}}",
            [("c", "In [9]", "3")],
            id="one-attribute-where-a-device-lacks-as-well",
        ),
        pytest.param(
            "both.kinds",
            "matchExpressions: {b: {op: Exists}, c: {op: Exists}}, "
            "matchName: {op: In, value: [z]}",
            [("", "a name In [z]", NONE)],
            id="a-device-that-is-there",
        ),
        pytest.param(
            "usb.device",
            "matchExpressions: {a: {op: Exists}, b: {op: Exists}}",
            [("", "one with a Exists, b Exists", NONE)],
            id="no-device-at-all",
        ),
    ],
)
def test_what_a_term_lacks(
    feature: str, text: str, wanted: list[tuple[str, str, str]]
) -> None:
    assert wanted == of_term(feature, text)


def test_what_is_unmet_says_whose_need_it_is() -> None:
    (one,) = unmet(
        "matchFeatures: [{feature: Kernel.Version, "
        "matchExpressions: {major: {op: Gt, value: ['5']}}}]"
    )
    expression = MatchExpression("Gt", ("5",))
    need = Need("r", "Kernel.Version", Part.ELEMENT, (("major", expression),))
    assert Unmet(need, "5") == one
    assert ("major", "Gt 5", False) == (need.name, need.want, need.is_changeable)


def test_a_rule_as_a_whole_wants_nothing_in_particular() -> None:
    need = Need("r", "", Part.RULE)
    assert ("", "", True) == (need.name, need.want, need.is_changeable)


def test_of_alternatives_the_one_that_lacks_least_is_explained() -> None:
    found = unmet(
        "matchAny:\n"
        "- matchFeatures: [{feature: no.such, matchExpressions: "
        "{a: {op: Exists}, b: {op: Exists}}}]\n"
        "- matchFeatures: [{feature: cpu.cpuid}, {feature: vendor.gpu}]\n"
        "matchFeatures: [{feature: usb.device, matchName: {op: Exists}}]"
    )
    assert [("vendor.gpu", 2), ("usb.device", 0)] == [
        (one.need.feature, one.alternatives) for one in found
    ]


def test_of_equal_alternatives_the_one_with_more_to_change_is_explained() -> None:
    found = unmet(
        "matchAny:\n"
        "- matchFeatures: [{feature: cpu.model}]\n"
        "- matchFeatures: [{feature: vendor.gpu}]\n"
        "- matchFeatures: [{feature: vendor.net}]"
    )
    assert ["vendor.gpu"] == [one.need.feature for one in found]


def test_nothing_is_lacking_where_an_alternative_holds() -> None:
    found = unmet(
        "matchAny:\n"
        "- matchFeatures: [{feature: no.such}]\n"
        "- matchFeatures: [{feature: cpu.cpuid}]\n"
        "matchFeatures: [{feature: cpu.cpuid}, {feature: vendor.gpu}]"
    )
    assert ["vendor.gpu"] == [one.need.feature for one in found]


def test_rules_that_match_lack_nothing_and_those_that_err_say_why() -> None:
    (one,) = explained(
        """
compatibilities:
- rules:
  - {name: holds, vars: {a: "1"}}
  - {name: errs, matchFeatures: [{feature: cpu.cpuid, matchName: {op: Bad}}]}
  - name: fails
    matchFeatures:
    - {feature: rule.matched, matchExpressions: {a: {op: In, value: ["2"]}}}
"""
    )
    assert {"errs": 'invalid Op "Bad"'} == one.errors
    assert [("fails", "1")] == [(lack.need.rule, lack.found) for lack in one.unmet]


SETS = """
compatibilities:
- tag: two-changes
  rules: [{matchFeatures: [{feature: vendor.a}, {feature: vendor.b}]}]
- tag: one-fixed
  rules: [{matchFeatures: [{feature: cpu.sst, matchName: {op: Exists}}]}]
- tag: one-change
  rules: [{matchFeatures: [{feature: vendor.a}]}]
- tag: another-change
  rules: [{matchFeatures: [{feature: vendor.b}]}]
"""


def test_the_closest_set_lacks_least_and_can_be_changed() -> None:
    found = closest(explained(SETS))
    assert found is not None
    assert found.result.compatibility.tag == "one-change"
    assert closest(()) is None


@pytest.mark.parametrize(
    ("feature", "wanted"),
    [
        ("kernel.loadedmodule", True),
        ("Kernel.EnabledModule", True),
        ("memory.hugepages", True),
        ("local.label", True),
        ("nvidia.gpu", True),
        ("rule.matched", True),
        ("cpu.cpuid", False),
        ("pci.device", False),
        ("usb.device", False),
        ("kernel.version", False),
        ("kernel.config", False),
        ("system.osrelease", False),
        ("network.device", False),
        ("storage.block", False),
    ],
)
def test_what_an_admin_can_change(feature: str, *, wanted: bool) -> None:
    assert wanted is is_changeable(feature)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        pytest.param(None, "published", id="the-feature"),
        pytest.param(MatchExpression(), "any", id="any"),
        pytest.param(MatchExpression("Exists"), "Exists", id="exists"),
        pytest.param(MatchExpression("In", ("a", "b")), "In [a, b]", id="in"),
        pytest.param(MatchExpression("In", ("a",)), "In [a]", id="in-one"),
        pytest.param(MatchExpression("Gt", ("5",)), "Gt 5", id="gt"),
        pytest.param(MatchExpression("GtLt", ("5", "9")), "GtLt [5, 9]", id="interval"),
        pytest.param(
            MatchExpression("Ge", ("12.4",), "version"), "version >= 12.4", id="version"
        ),
        pytest.param(
            MatchExpression("GtLt", ("1", "2"), "version"),
            "version > 1 and < 2",
            id="versions",
        ),
        pytest.param(
            MatchExpression("Ge", ("1", "2"), "version"), "Ge [1, 2]", id="too-many"
        ),
        pytest.param(
            MatchExpression("In", ("1",), "version"), "In [1]", id="an-ignored-type"
        ),
    ],
)
def test_expressions_in_few_words(
    expression: MatchExpression | None, wanted: str
) -> None:
    assert wanted == want(expression)


def test_texts_are_cut_at_80_characters() -> None:
    fits = "x" * (MAX_TEXT - len("In []"))
    assert want(MatchExpression("In", (fits,))) == f"In [{fits}]"
    cut = want(MatchExpression("In", (fits + "x",)))
    assert (MAX_TEXT, "...") == (len(cut), cut[-3:])
