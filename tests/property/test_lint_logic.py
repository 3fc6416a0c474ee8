"""What lint calls a contradiction, no value satisfies."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from app.compat import operators
from app.compat.lint import lint
from app.compat.spec import MatchExpression
from app.errors import SpecError

TEXTS = st.sampled_from(
    ["", "1", "2", "3", "5", "7", "1.5", "5.1", "a", "true", "false"]
)
PATTERNS = st.sampled_from(["^[0-9]$", "a", "true|5", r"\.", "^$"])
ORDER = st.sampled_from(["Gt", "Ge", "Lt", "Le"])
KINDS = st.sampled_from(["", "version"])


def of(op: str, *values: str, kind: str = "") -> MatchExpression:
    return MatchExpression(op, values, kind)


EXPRESSIONS = st.one_of(
    st.sampled_from(
        [of(one) for one in ("Exists", "DoesNotExist", "IsTrue", "IsFalse")]
    ),
    st.builds(
        lambda op, values: of(op, *values),
        st.sampled_from(["In", "NotIn"]),
        st.lists(TEXTS, min_size=1, max_size=3, unique=True),
    ),
    st.builds(lambda one: of("InRegexp", one), PATTERNS),
    st.builds(lambda op, one, kind: of(op, one, kind=kind), ORDER, TEXTS, KINDS),
    st.builds(
        lambda op, low, high, kind: of(op, low, high, kind=kind),
        st.sampled_from(["GtLt", "GeLe"]),
        TEXTS,
        TEXTS,
        KINDS,
    ),
)

CANDIDATES = [
    *(str(number) for number in range(-1, 10)),
    *("", "a", "b", "true", "false", "1.5", "5.0.1", "5.1", "5.1.1", "5.2", "2.0"),
]


def passes(expression: MatchExpression, value: str | None) -> bool:
    """Whether a value passes; one that errs might on another node."""
    try:
        return operators.check(expression)(value is not None, value)
    except SpecError:
        return False


def is_refuted(asked: list[MatchExpression]) -> bool:
    """Whether lint says that these cannot all hold for one element."""
    terms = [
        {
            "feature": "local.label",
            "matchExpressions": {
                "x": {"op": one.op, "value": list(one.value), "type": one.type}
            },
        }
        for one in asked
    ]
    rules = [{"name": "r", "matchFeatures": terms}]
    spec = {"version": "v1alpha1", "compatibilities": [{"rules": rules}]}
    return "contradiction" in {one.code for one in lint(json.dumps(spec).encode())}


@given(st.lists(EXPRESSIONS, min_size=2, max_size=4))
def test_no_value_satisfies_a_contradiction(asked: list[MatchExpression]) -> None:
    if is_refuted(asked):
        for value in (None, *CANDIDATES):
            assert not all(passes(one, value) for one in asked), value


@given(st.lists(EXPRESSIONS, min_size=2, max_size=3), st.sampled_from(CANDIDATES))
def test_what_a_value_satisfies_is_no_contradiction(
    asked: list[MatchExpression], value: str
) -> None:
    assert not is_refuted([one for one in asked if passes(one, value)])
