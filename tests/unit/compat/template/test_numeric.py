"""The functions of sprig about numeric.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

# ruff: noqa: E501 - the texts are as long as they are

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            '{{add "1" "0x10" "010" "2.0" "1.5" true nil}}',
            "28",
            id='add "1" "0x10" "010" "2.0" "1.5" true nil',
        ),
        pytest.param("{{sub 5 7}}", "-2", id="sub 5 7"),
        pytest.param("{{mul 3 4 5}}", "60", id="mul 3 4 5"),
        pytest.param("{{div 7.9 2}}", "3", id="div 7.9 2"),
        pytest.param("{{mod -7 2}}", "-1", id="mod -7 2"),
        pytest.param("{{max 1 5 3}}", "5", id="max 1 5 3"),
        pytest.param("{{min 4 2 8}}", "2", id="min 4 2 8"),
        pytest.param('{{minf 1.5 3 "-2"}}', "-2", id='minf 1.5 3 "-2"'),
        pytest.param('{{maxf "NaN" 1}}', "NaN", id='maxf "NaN" 1'),
        pytest.param('{{minf "Inf" "-Inf"}}', "-Inf", id='minf "Inf" "-Inf"'),
        pytest.param('{{maxf "-0" 0}}', "0", id='maxf "-0" 0'),
        pytest.param("{{addf}}", "0", id="addf"),
        pytest.param('{{addf "1e308" "1e308"}}', "+Inf", id='addf "1e308" "1e308"'),
        pytest.param("{{subf 1.1 2.2}}", "-1.1", id="subf 1.1 2.2"),
        pytest.param('{{mulf "1e300" "1e300"}}', "+Inf", id='mulf "1e300" "1e300"'),
        pytest.param('{{mulf "1e-300" "1e-300"}}', "0", id='mulf "1e-300" "1e-300"'),
        pytest.param("{{divf 2 3}}", "0.6666666666666667", id="divf 2 3"),
        pytest.param("{{add1f 1.5}}", "2.5", id="add1f 1.5"),
        pytest.param(
            "{{round 123.49999999 0 .4}}", "124", id="round 123.49999999 0 .4"
        ),
        pytest.param("{{round 1.5 400}}", "NaN", id="round 1.5 400"),
        pytest.param("{{round 1.5 -400}}", "NaN", id="round 1.5 -400"),
        pytest.param("{{int64 1e300}}", "-9223372036854775808", id="int64 1e300"),
        pytest.param('{{float64 " 1"}}', "0", id='float64 " 1"'),
        pytest.param('{{atoi "42"}}', "42", id='atoi "42"'),
        pytest.param('{{atoi "1e3"}}', "0", id='atoi "1e3"'),
        pytest.param(
            '{{atoi "99999999999999999999"}}',
            "9223372036854775807",
            id='atoi "99999999999999999999"',
        ),
        pytest.param("{{toDecimal 777}}", "511", id="toDecimal 777"),
        pytest.param('{{toDecimal "8"}}', "0", id='toDecimal "8"'),
        pytest.param("{{until 0}}", "[]", id="until 0"),
        pytest.param("{{seq}}", "", id="seq"),
        pytest.param("{{seq 0}}", "1 0", id="seq 0"),
        pytest.param("{{seq 10 2 0}}", "", id="seq 10 2 0"),
        pytest.param("{{add1 (int64 5)}}", "6", id="add1 (int64 5)"),
        pytest.param("{{biggest 3 9 2}}", "9", id="biggest 3 9 2"),
        pytest.param('{{float64 "x"}}', "0", id='float64 "x"'),
        pytest.param("{{float64 nil}}", "0", id="float64 nil"),
        pytest.param("{{float64 (list)}}", "0", id="float64 (list)"),
        pytest.param('{{int64 "x"}}', "0", id='int64 "x"'),
        pytest.param("{{float64 (int64 3)}}", "3", id="float64 (int64 3)"),
    ],
)
def test_a_function_gives_what_go_gives(
    answer: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == answer(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            "{{div 1 0}}",
            'template: :1:2: executing "" at <div 1 0>: error calling div: runtime error: integer divide by zero',
            id="div 1 0",
        ),
        pytest.param(
            "{{mod 7 0}}",
            'template: :1:2: executing "" at <mod 7 0>: error calling mod: runtime error: integer divide by zero',
            id="mod 7 0",
        ),
        pytest.param(
            "{{max}}",
            'template: :1:2: executing "" at <max>: wrong number of args for max: want at least 1 got 0',
            id="max",
        ),
        pytest.param(
            '{{addf "Inf"}}',
            'template: :1:2: executing "" at <addf "Inf">: error calling addf: Cannot create a Decimal from +Inf',
            id='addf "Inf"',
        ),
        pytest.param(
            "{{divf 1 0}}",
            'template: :1:2: executing "" at <divf 1 0>: error calling divf: decimal division by 0',
            id="divf 1 0",
        ),
    ],
)
def test_a_function_fails_with_the_text_of_go(
    failure: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == failure(source)
