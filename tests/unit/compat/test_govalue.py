"""Numbers and values as Go prints them; every expected text is Go's."""

from __future__ import annotations

import math

import pytest

from app.compat import govalue


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.1, "1.1"),
        (22.04, "22.04"),
        (-0.5, "-0.5"),
        (100000.0, "100000"),
        (999999.5, "999999.5"),
        (1000000.0, "1e+06"),
        (1234567.0, "1.234567e+06"),
        (0.0001, "0.0001"),
        (0.00012345, "0.00012345"),
        (0.00001, "1e-05"),
        (16777217.0, "1.6777216e+07"),
        (3.4028235e38, "3.4028235e+38"),
        (3.5e38, "+Inf"),
        (-1e300, "-Inf"),
        (1e-45, "1e-45"),
        (1e-46, "0"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
        (0.000244140625, "0.00024414063"),
        (-0.00146484375, "-0.0014648438"),
        (3726972.75, "3.7269728e+06"),
        (2.0**-126, "1.1754944e-38"),
        (2.0**-96, "1.2621775e-29"),
        (2.0**90, "1.2379401e+27"),
        (9007199254740992.0, "9.007199e+15"),
    ],
)
def test_a_float_is_printed_as_a_float32(value: float, expected: str) -> None:
    assert expected == govalue.float32(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, "7"),
        (100.0, "100"),
        (1.5, "1.5"),
        (-0.0, "-0"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
    ],
)
def test_a_number_is_printed_as_in_json(value: float, expected: str) -> None:
    assert expected == govalue.json_number(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "interface {}(nil)"),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (2**63, "0x8000000000000000"),
        (1e6, "1e+06"),
        ('a"\n', '"a\\"\\n"'),
    ],
)
def test_a_value_is_printed_in_go_syntax(value: govalue.Scalar, expected: str) -> None:
    assert expected == govalue.syntax(value)


def test_an_echo_is_printable_and_bounded() -> None:
    assert "a\\n\\x1bé`" == govalue.echo("a\n\x1bé`")
    assert "x" * 200 == govalue.echo("x" * 200)
    assert "x" * 200 + "..." == govalue.echo("x" * 201)
