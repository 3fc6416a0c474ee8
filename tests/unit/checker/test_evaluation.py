"""Candidates divided by what images ask: bit 0 is the first node."""

import pytest

from app.checker.demand import LATE, Asked, Judged, Lacking, Stand
from app.checker.evaluation import Tally, tally
from app.compat import parse
from app.compat.index import Judgement
from tests.tools.doubles import AMD64, ARM64, wants_module

ASKED = Asked("sha256:v", parse.read(wants_module("x").encode()))


def judged(fits: int, unknown: int = 0, nodes: int = 0b1111) -> Judged:
    return Judged(ASKED, Judgement(1, nodes, fits, unknown, ()))


@pytest.mark.parametrize(
    ("stands", "platforms", "expected"),
    [
        pytest.param([], {AMD64: 0b11}, Tally(0b11, 0, 0), id="nothing is asked"),
        pytest.param(
            [{AMD64: judged(0b001, 0b010)}],
            {AMD64: 0b111},
            Tally(0b001, 0b010, 0b100),
            id="one image",
        ),
        pytest.param(
            [{AMD64: judged(0b0011)}, {AMD64: judged(0b0101, 0b0010)}],
            {AMD64: 0b1111},
            Tally(0b0001, 0b0010, 0b1100),
            id="one node must fit all images",
        ),
        pytest.param(
            [{AMD64: judged(0b01)}, {AMD64: LATE}],
            {AMD64: 0b11},
            Tally(0, 0b01, 0b10),
            id="what is late hides no misfit",
        ),
        pytest.param(
            [{AMD64: judged(0b01, nodes=0b01)}],
            {AMD64: 0b11},
            Tally(0b01, 0b10, 0),
            id="of one node nothing is known",
        ),
        pytest.param(
            [{AMD64: judged(0b1111)}],
            {AMD64: 0b0011},
            Tally(0b0011, 0, 0),
            id="who is no candidate does not count",
        ),
        pytest.param(
            [{AMD64: judged(0b0001), ARM64: Lacking(ARM64)}],
            {AMD64: 0b0011, ARM64: 0b1100},
            Tally(0b0001, 0, 0b1110),
            id="an index lacks a platform",
        ),
        pytest.param(
            [{ARM64: judged(0)}],
            {AMD64: 0b0011, ARM64: 0b1100},
            Tally(0b0011, 0, 0b1100),
            id="a platform without a spec bounds no node",
        ),
        pytest.param(
            [{AMD64: judged(0b01)}, {}],
            {None: 0b10, AMD64: 0b01},
            Tally(0b01, 0b10, 0),
            id="a node that does not say what it is",
        ),
        pytest.param(
            [{}], {None: 0b10}, Tally(0b10, 0, 0), id="nor is it asked anything"
        ),
        pytest.param([{AMD64: LATE}], {}, Tally(0, 0, 0), id="no candidate"),
    ],
)
def test_candidates_are_divided(
    stands: list[dict[object, Stand]],
    platforms: dict[object, int],
    expected: Tally,
) -> None:
    assert expected == tally(stands, platforms)  # type: ignore[arg-type]
