"""What judging may cost: every count at its edge."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.compat.budget import (
    CALLS_PER_STEP,
    LOOKS_PER_CALL,
    MAX_CALLS,
    STEPS_PER_CHARACTER,
    Budget,
)
from app.compat.operators import check
from app.compat.regexp import Spend, free
from app.compat.spec import MatchExpression
from app.errors import SpecError


@pytest.mark.parametrize(
    ("count", "calls"),
    [
        pytest.param(Budget.call, 1, id="operator calls"),
        pytest.param(Budget.spend, 1, id="other work"),
        pytest.param(Budget.run, CALLS_PER_STEP, id="steps of a template"),
    ],
)
def test_what_is_counted_is_bounded(
    count: Callable[[Budget, int], None], calls: int
) -> None:
    budget = Budget(10 * calls)
    count(budget, 9)
    count(budget, 1)
    with pytest.raises(SpecError, match=f"than {10 * calls} operator") as caught:
        count(budget, 1)
    assert "TooCostly" == caught.value.reason


def test_sixteen_looks_are_one_call() -> None:
    budget = Budget(1)
    budget.look(2 * LOOKS_PER_CALL - 1)
    with pytest.raises(SpecError, match="more than 1 operator calls"):
        budget.look(1)


def test_a_template_is_parsed_once() -> None:
    budget = Budget(2 * STEPS_PER_CHARACTER * CALLS_PER_STEP)
    for _ in range(3):
        budget.parse("ab")
    assert 0 == budget.steps
    with pytest.raises(SpecError, match="too costly"):
        budget.parse("c")


def test_steps_are_left_until_all_are_spent() -> None:
    budget = Budget(5 * CALLS_PER_STEP)
    assert 5 == budget.steps
    budget.call(CALLS_PER_STEP)
    budget.run(3)
    assert 1 == budget.steps
    with pytest.raises(SpecError, match="too costly"):
        budget.run(2)
    assert 0 == budget.steps


def test_a_call_counts_as_several_if_it_costs_more() -> None:
    def dear(_exists: bool, _value: str | None, spend: Spend = free) -> bool:
        spend(9)
        return True

    budget = Budget(20)
    assert budget.judge(dear, "v", exists=True)
    assert 10 == budget.calls
    assert budget.judge(dear, "v", exists=True)
    with pytest.raises(SpecError, match="too costly"):
        budget.judge(dear, "v", exists=True)


def test_an_expression_that_cannot_be_evaluated_has_no_verdict() -> None:
    broken = check(MatchExpression("Bad"))
    assert Budget(1).judge(broken, "v", exists=True) is None


def test_an_error_says_where_the_calls_are_needed() -> None:
    with pytest.raises(SpecError) as caught:
        Budget(0, "this node").call()
    assert (
        "spec is too costly: it needs more than 0 operator calls on this node"
        == caught.value.message
    )


def test_the_bound_is_that_of_the_design() -> None:
    assert 2_000_000 == MAX_CALLS
