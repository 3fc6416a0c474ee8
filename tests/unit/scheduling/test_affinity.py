from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.scheduling.affinity import all_of, any_term
from app.scheduling.node import Node
from app.scheduling.placement import NodeTerm
from app.scheduling.selector import Requirement

NODE = Node("n1", {"zone": "a"})
HERE = Requirement("zone", "In", ("a",))
THERE = Requirement("zone", "In", ("b",))
INVALID = Requirement("zone", "Near", ("a",))


def name(operator: str, *values: str, key: str = "metadata.name") -> Requirement:
    return Requirement(key, operator, values)


def labels(*requirements: Requirement) -> NodeTerm:
    return NodeTerm(match_expressions=requirements)


def fields(*requirements: Requirement) -> NodeTerm:
    return NodeTerm(match_fields=requirements)


@pytest.mark.parametrize(
    ("expected", "terms"),
    [
        pytest.param(False, [], id="no-terms"),
        pytest.param(False, [NodeTerm()], id="an-empty-term-never-holds"),
        pytest.param(True, [NodeTerm(), labels(HERE)], id="nor-spoils-another"),
        pytest.param(True, [labels(HERE)], id="labels"),
        pytest.param(False, [labels(THERE)], id="other-labels"),
        pytest.param(False, [labels(HERE, THERE)], id="all-of-a-term"),
        pytest.param(True, [labels(HERE, HERE)], id="all-of-a-term-hold"),
        pytest.param(True, [labels(THERE), labels(HERE)], id="one-of-the-terms"),
        pytest.param(False, [labels(THERE), labels(THERE)], id="none-of-the-terms"),
        pytest.param(False, [labels(INVALID)], id="invalid"),
        pytest.param(False, [labels(HERE, INVALID)], id="invalid-spoils-its-term"),
        pytest.param(True, [labels(INVALID), labels(HERE)], id="but-no-other"),
        pytest.param(True, [fields(name("In", "n1"))], id="name"),
        pytest.param(False, [fields(name("In", "n2"))], id="other-name"),
        pytest.param(
            True, [fields(name("In", "n2")), fields(name("In", "n1"))], id="names"
        ),
        pytest.param(
            False, [fields(name("In", "n1"), name("In", "n2"))], id="two-names-at-once"
        ),
        pytest.param(
            False,
            [fields(name("In", "n1"), name("NotIn", "n1"))],
            id="a-name-and-not-that-name",
        ),
        pytest.param(
            True,
            [fields(name("In", "n1"), name("NotIn", "n2"))],
            id="a-name-and-not-another",
        ),
        pytest.param(False, [fields(name("NotIn", "n1"))], id="not-that-name"),
        pytest.param(True, [fields(name("NotIn", "n2"))], id="not-another-name"),
        pytest.param(
            False,
            [fields(name("NotIn", "n2"), name("NotIn", "n1"))],
            id="none-of-two-names",
        ),
        pytest.param(
            True,
            [fields(name("NotIn", "n1")), fields(name("NotIn", "n2"))],
            id="not-in-terms-are-alternatives",
        ),
        pytest.param(
            False, [fields(name("In", "n1", "n2"))], id="two-values-are-invalid"
        ),
        pytest.param(False, [fields(name("In"))], id="no-value-is-invalid"),
        pytest.param(False, [fields(name("Exists", "n1"))], id="field-operator"),
        pytest.param(
            True, [fields(name("In", "", key="x"))], id="another-field-is-empty"
        ),
        pytest.param(False, [fields(name("In", "n1", key="x"))], id="and-no-name"),
        pytest.param(
            True, [fields(name("NotIn", "n1", key="x"))], id="and-differs-from-all"
        ),
        pytest.param(
            False, [fields(name("NotIn", "", key="x"))], id="but-the-empty-text"
        ),
        pytest.param(
            True, [NodeTerm((HERE,), (name("In", "n1"),))], id="labels-and-name"
        ),
        pytest.param(False, [NodeTerm((THERE,), (name("In", "n1"),))], id="name-alone"),
        pytest.param(
            False, [NodeTerm((HERE,), (name("In", "n2"),))], id="labels-alone"
        ),
        pytest.param(
            True, [NodeTerm((HERE,), (name("NotIn", "n2"),))], id="labels-not-name"
        ),
        pytest.param(
            False, [NodeTerm((HERE,), (name("NotIn", "n1"),))], id="labels-that-name"
        ),
        pytest.param(
            True, [labels(THERE), fields(name("In", "n1"))], id="labels-or-name"
        ),
        pytest.param(
            True, [labels(HERE), fields(name("In", "n2"))], id="labels-or-other-name"
        ),
        pytest.param(
            False, [labels(THERE), fields(name("In", "n2"))], id="neither-of-both"
        ),
    ],
)
def test_terms_hold_on_a_node(expected: bool, terms: Sequence[NodeTerm]) -> None:
    assert expected is any_term(terms)(NODE)


def test_one_term_a_node_is_one_look_up() -> None:
    terms = [fields(name("In", f"n{number}")) for number in range(5000)]
    assert any_term(terms)(Node("n4999"))
    assert not any_term(terms)(Node("n5000"))


def test_all_of_nothing_holds_everywhere() -> None:
    nothing = all_of([])
    assert nothing is not None
    assert nothing(NODE)
