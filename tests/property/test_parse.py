"""Laws of the spec reader: it answers any text, and its values survive their JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.compat import nodefeaturerule, parse
from app.compat.spec import (
    Compatibility,
    FeatureMatcherTerm,
    GroupRule,
    MatchExpression,
    Spec,
)
from app.errors import SpecError

TEXT = st.text(
    st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=8
)
"""NFD takes no surrogate pair, which JSON needs beyond the basic plane."""

NAMES = st.sampled_from(["In", "InRegexp", "", "version"]) | TEXT
EXPRESSIONS = st.builds(
    MatchExpression,
    op=NAMES,
    value=st.lists(TEXT, max_size=3).map(tuple),
    type=NAMES,
)
TERMS = st.builds(
    FeatureMatcherTerm,
    feature=TEXT,
    match_expressions=st.none()
    | st.dictionaries(TEXT, st.none() | EXPRESSIONS, max_size=3),
    match_name=st.none() | EXPRESSIONS,
)
MATCHERS = st.lists(TERMS, max_size=3).map(tuple)
RULES = st.builds(
    GroupRule,
    name=TEXT,
    vars=st.dictionaries(TEXT, TEXT, max_size=3),
    vars_template=TEXT,
    match_features=MATCHERS,
    match_any=st.lists(MATCHERS, max_size=2).map(tuple),
)
SPECS = st.builds(
    Spec,
    version=TEXT,
    compatibilities=st.lists(
        st.builds(
            Compatibility,
            rules=st.lists(RULES, max_size=2).map(tuple),
            weight=st.integers(-(2**63), 2**63 - 1),
            tag=TEXT,
            description=TEXT,
        ),
        max_size=2,
    ).map(tuple),
)
PIECES = st.lists(
    st.sampled_from(
        [
            "compatibilities",
            "rules",
            "matchFeatures",
            "vars",
            "weight",
            "name",
            "value",
            ":",
            "?",
            "-",
            ",",
            "[",
            "]",
            "{",
            "}",
            "#",
            "&",
            "*",
            "&a",
            "*a",
            "!",
            "!!int",
            "!!binary",
            "|",
            ">",
            "|-",
            "'",
            '"',
            "%",
            "---",
            "...",
            "<<",
            "1.10",
            "0x1F",
            "yes",
            "~",
            ".nan",
            "\\",
            "\\'",
            "\\/",
            " ",
            "  ",
            "\n",
            "\n  ",
            "\n- ",
            ": ",
            ", ",
            "\t",
            "\r",
            "\ufeff",
            "\x00",
        ]
    ),
    max_size=30,
).map("".join)


def expression(value: MatchExpression | None) -> object:
    if value is None:
        return None
    return {"op": value.op, "value": value.value, "type": value.type}


def matcher(terms: tuple[FeatureMatcherTerm, ...]) -> object:
    return [
        {
            "feature": term.feature,
            "matchExpressions": None
            if term.match_expressions is None
            else {k: expression(v) for k, v in term.match_expressions.items()},
            "matchName": expression(term.match_name),
        }
        for term in terms
    ]


def as_json(spec: Spec) -> dict[str, object]:
    return {
        "version": spec.version,
        "compatibilities": [
            {
                "rules": [
                    {
                        "name": rule.name,
                        "vars": rule.vars,
                        "varsTemplate": rule.vars_template,
                        "matchFeatures": matcher(rule.match_features),
                        "matchAny": [
                            {"matchFeatures": matcher(terms)}
                            for terms in rule.match_any
                        ],
                    }
                    for rule in one.rules
                ],
                "weight": one.weight,
                "tag": one.tag,
                "description": one.description,
            }
            for one in spec.compatibilities
        ],
    }


@given(SPECS)
def test_a_spec_survives_its_json(spec: Spec) -> None:
    assert spec == parse.read(json.dumps(as_json(spec)).encode())


@given(SPECS, st.booleans())
def test_a_spec_survives_its_yaml(spec: Spec, flow: bool) -> None:
    """Every string is quoted, as YAML 1.1 needs; the layout does not matter."""
    text = yaml.dump(
        json.loads(json.dumps(as_json(spec))),
        default_style='"',
        default_flow_style=flow,
    )
    assert spec == parse.read(text.encode())


def outcome(read: Callable[[bytes], object], content: bytes) -> SpecError | None:
    try:
        read(content)
    except SpecError as error:
        return error
    return None


@pytest.mark.parametrize(
    "read",
    [
        parse.read,
        parse.read_group,
        pytest.param(nodefeaturerule.read, id="read_rules"),
        parse.read_for_admission,
    ],
)
@given(content=st.binary(max_size=200) | PIECES.map(str.encode))
def test_any_text_is_read_or_refused_with_a_printable_message(
    read: Callable[[bytes], object], content: bytes
) -> None:
    error = outcome(read, content)
    if error is not None:
        assert error.reason in {"InvalidYaml", "InvalidSpec", "TooCostly"}
        assert error.message.isprintable()
        assert 1 <= (error.line or 1)
        assert 1 <= (error.column or 1)


@given(PIECES)
def test_admission_takes_nothing_that_nfd_refuses(text: str) -> None:
    content = text.encode()
    if outcome(parse.read_for_admission, content) is None:
        assert parse.read_for_admission(content) == parse.read(content)
        assert parse.read(content).compatibilities
