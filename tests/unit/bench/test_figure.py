import json
from typing import Any

import pytest

from bench.figure import Better, Figure, line


def written(figure: Figure) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(line(figure))
    return decoded


def test_a_figure_is_one_line_of_json() -> None:
    figure = Figure("x_5000", 4.25, "milliseconds", 5.0, {"NFD, milliseconds": 203.0})
    assert "\n" not in line(figure)
    assert {
        "name": "x_5000",
        "value": 4.25,
        "unit": "milliseconds",
        "goal": 5.0,
        "met": True,
        "better": "lower",
        "beside": {"NFD, milliseconds": 203.0},
        "note": "",
    } == written(figure)


@pytest.mark.parametrize(
    ("value", "better", "met"),
    [
        pytest.param(10.0, "lower", True, id="lower: at the goal"),
        pytest.param(10.1, "lower", False, id="lower: above"),
        pytest.param(10.0, "higher", True, id="higher: at the goal"),
        pytest.param(9.9, "higher", False, id="higher: below"),
    ],
)
def test_a_goal_may_be_an_upper_or_a_lower_bound(
    value: float,
    better: Better,
    met: bool,
) -> None:
    figure = Figure("x", value, "ms", 10.0, better=better)
    assert met is figure.is_met


@pytest.mark.parametrize(
    "figure",
    [
        pytest.param(Figure("x", 1.0, "ms"), id="no goal"),
        pytest.param(Figure("x", None, "ms", 1.0, note="why"), id="no value"),
    ],
)
def test_nothing_is_met_or_missed_without_a_goal_and_a_value(figure: Figure) -> None:
    assert written(figure)["met"] is None


def test_the_goal_is_compared_with_what_was_measured_not_with_what_is_printed() -> None:
    figure = Figure("x", 5.00001, "ms", 5.0)
    assert (5.0, False) == (written(figure)["value"], written(figure)["met"])


def test_four_digits_are_printed_and_whole_numbers_stay() -> None:
    figure = Figure("x", 0.000123456, "s", beside={"nodes": 15000.0, "ms": 1234.56})
    assert 0.0001235 == written(figure)["value"]
    assert {"nodes": 15000.0, "ms": 1235.0} == written(figure)["beside"]
