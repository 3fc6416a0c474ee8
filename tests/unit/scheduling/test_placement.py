from __future__ import annotations

import pytest
from msgspec import structs

from app.scheduling.placement import EVERYTHING, LIMITS, NodeTerm, Placement, bounded
from app.scheduling.selector import Requirement
from app.scheduling.taints import Toleration

AFFINITY = ("NodeAffinity",)
TAINTS = ("NodeUnschedulable", "TaintToleration")
EXISTS = Requirement("q", "Exists")
NAME = Requirement("metadata.name", "In", ("n",))
GREATER = NodeTerm(
    (Requirement("n", "Gt", ("1",)), Requirement("n", "Lt", ("9",)), EXISTS)
)
LESS = NodeTerm((Requirement("m", "Lt", ("1",)),))


def count(label: str) -> int:
    """As many values as its limit are spread over two labels."""
    return {"n": LIMITS.compared - 7, "m": 7, "big": LIMITS.compared}.get(label, 0)


def terms(*some: NodeTerm) -> Placement:
    return Placement(required_terms=some)


def selector(size: int) -> Placement:
    return Placement(node_selector=tuple((f"k{n}", "") for n in range(size)))


def requirements(size: int) -> Placement:
    half = size // 2
    return terms(NodeTerm((EXISTS,) * half), NodeTerm((EXISTS,) * (size - half)))


def values(size: int) -> Placement:
    some = tuple(f"v{n}" for n in range(size - 3))
    return terms(
        NodeTerm((Requirement("q", "In", some), Requirement("q", "In", ("a",)))),
        NodeTerm((Requirement("q", "NotIn", ("a", "b")),)),
    )


def fields(size: int) -> Placement:
    return terms(NodeTerm((), (NAME,) * (size - 1)), NodeTerm((EXISTS,), (NAME,)))


@pytest.mark.parametrize(
    ("at_limit", "beyond"),
    [
        pytest.param(
            selector(LIMITS.selector), selector(LIMITS.selector + 1), id="selector"
        ),
        pytest.param(
            terms(*(NodeTerm(),) * LIMITS.terms),
            terms(*(NodeTerm(),) * (LIMITS.terms + 1)),
            id="terms",
        ),
        pytest.param(fields(LIMITS.fields), fields(LIMITS.fields + 1), id="fields"),
        pytest.param(
            requirements(LIMITS.requirements),
            requirements(LIMITS.requirements + 1),
            id="requirements",
        ),
        pytest.param(values(LIMITS.values), values(LIMITS.values + 1), id="values"),
        pytest.param(
            terms(GREATER, LESS),
            terms(GREATER, LESS, NodeTerm((Requirement("big", "Gt", ("1",)),))),
            id="compared",
        ),
    ],
)
def test_an_affinity_beyond_a_limit_counts_as_absent(
    at_limit: Placement, beyond: Placement
) -> None:
    assert at_limit is bounded(at_limit, count)
    assert Placement(left_out=AFFINITY) == bounded(beyond, count)


def test_labels_that_are_not_compared_may_have_any_number_of_values() -> None:
    asked = terms(NodeTerm((Requirement("big", "In", ("1",)),)), GREATER)
    assert asked is bounded(asked, count)


def test_tolerations_beyond_their_limit_count_as_one_of_everything() -> None:
    one = Toleration("gpu", "Exists")
    at_limit = Placement(tolerations=(one,) * LIMITS.tolerations)
    assert at_limit is bounded(at_limit, count)
    beyond = Placement(tolerations=(one,) * (LIMITS.tolerations + 1))
    expected = Placement(tolerations=EVERYTHING, left_out=TAINTS)
    assert expected == bounded(beyond, count)


def test_what_was_left_out_before_stays_so() -> None:
    large = structs.replace(selector(LIMITS.selector + 1), left_out=TAINTS)
    assert (*AFFINITY, *TAINTS) == bounded(large, count).left_out


def test_one_part_beyond_its_limit_leaves_the_others() -> None:
    large = structs.replace(
        selector(LIMITS.selector + 1), required_terms=(LESS,), os="linux"
    )
    expected = Placement(required_terms=(LESS,), os="linux", left_out=AFFINITY)
    assert expected == bounded(large, count)


def test_a_placement_is_a_value() -> None:
    assert hash(selector(3)) == hash(selector(3))
    assert selector(3) != selector(4)
    with pytest.raises(AttributeError):
        setattr(selector(3), "os", "linux")  # noqa: B010 - mypy sees the other way
