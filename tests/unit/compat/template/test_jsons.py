"""The functions of sprig about jsons.

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
            '{{toJson "<a>&\\u2028\\x00\\x1f\\"\\\\/é\\xff\\x7f\\b\\f\\n\\r\\t"}}',
            '"\\u003ca\\u003e\\u0026\\u2028\\u0000\\u001f\\"\\\\/é\\ufffd\x7f\\b\\f\\n\\r\\t"',
            id='toJson "<a>&/u2028/x00/x1f/"///?/xff/x7f/b/f/n/r/t"',
        ),
        pytest.param(
            '{{toRawJson "<a>&\\u2028\\"é"}}',
            '"<a>&\\u2028\\"é"',
            id='toRawJson "<a>&/u2028/"?"',
        ),
        pytest.param("{{toJson 1e21}}", "1e+21", id="toJson 1e21"),
        pytest.param('{{toJson (float64 "NaN")}}', "", id='toJson (float64 "NaN")'),
        pytest.param(
            '{{toPrettyJson (dict "a" (list 1 (dict)) "b" (dict "c" nil))}}',
            '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": {\n    "c": null\n  }\n}',
            id='toPrettyJson (dict "a" (list 1 (dict)) "b" (dict "c" nil))',
        ),
        pytest.param("{{toJson (1i)}}", "", id="toJson (1i)"),
        pytest.param(
            '{{toJson (semver "1.2")}}', '"1.2.0"', id='toJson (semver "1.2")'
        ),
        pytest.param(
            '{{toJson (list nil true (int64 5) (index "a" 0))}}',
            "[null,true,5,97]",
            id='toJson (list nil true (int64 5) (index "a" 0))',
        ),
        pytest.param("{{toJson (concat)}}", "null", id="toJson (concat)"),
        pytest.param(
            '{{toJson (index . "nope")}}', "null", id='toJson (index . "nope")'
        ),
        pytest.param(
            '{{fromJson `{"a":[1,2,{"b":null}],"c":"\\u00e9\\ud83d\\ude00\\ud800\\n"}`}}',
            "map[a:[1 2 map[b:<nil>]] c:é😀�\n]",
            id='fromJson `{"a":(1,2,{"b":null}),"c":"/u00e9/ud83d/ude00/ud80',
        ),
        pytest.param("{{fromJson `nope`}}", "<no value>", id="fromJson `nope`"),
        pytest.param(
            "{{mustFromJson `[[],{}]`}}", "[[] map[]]", id="mustFromJson `((),{})`"
        ),
        pytest.param(
            '{{mustFromJson `"\\ud800\\u0041"`}}',
            "�A",
            id='mustFromJson `"/ud800/u0041"`',
        ),
        pytest.param("{{toPrettyJson 1i}}", "", id="toPrettyJson 1i"),
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
            "{{mustFromJson `{`}}",
            'template: :1:2: executing "" at <mustFromJson `{`>: error calling mustFromJson: unexpected end of JSON input',
            id="mustFromJson `{`",
        ),
        pytest.param(
            '{{mustFromJson `{"a"`}}',
            'template: :1:2: executing "" at <mustFromJson `{"a"`>: error calling mustFromJson: unexpected end of JSON input',
            id='mustFromJson `{"a"`',
        ),
        pytest.param(
            '{{mustFromJson `{"a":`}}',
            'template: :1:2: executing "" at <mustFromJson `{"a":`>: error calling mustFromJson: unexpected end of JSON input',
            id='mustFromJson `{"a":`',
        ),
        pytest.param(
            '{{mustFromJson `{"a":1`}}',
            'template: :1:2: executing "" at <mustFromJson `{"a":1`>: error calling mustFromJson: unexpected end of JSON input',
            id='mustFromJson `{"a":1`',
        ),
        pytest.param(
            "{{mustFromJson `[1 2]`}}",
            "template: :1:2: executing \"\" at <mustFromJson `[1 2]`>: error calling mustFromJson: invalid character '2' after array element",
            id="mustFromJson `(1 2)`",
        ),
        pytest.param(
            "{{mustFromJson `[1,`}}",
            'template: :1:2: executing "" at <mustFromJson `[1,`>: error calling mustFromJson: unexpected end of JSON input',
            id="mustFromJson `(1,`",
        ),
        pytest.param(
            '{{mustFromJson `"\\x"`}}',
            'template: :1:2: executing "" at <mustFromJson `"\\x"`>: error calling mustFromJson: invalid character \'x\' in string escape code',
            id='mustFromJson `"/x"`',
        ),
        pytest.param(
            '{{mustFromJson `"\\u12`}}',
            'template: :1:2: executing "" at <mustFromJson `"\\u12`>: error calling mustFromJson: invalid character \' \' in \\u hexadecimal character escape',
            id='mustFromJson `"/u12`',
        ),
        pytest.param(
            '{{mustFromJson "\\"a\\nb\\""}}',
            'template: :1:2: executing "" at <mustFromJson "\\"a\\nb\\"">: error calling mustFromJson: invalid character \'\\n\' in string literal',
            id='mustFromJson "/"a/nb/""',
        ),
        pytest.param(
            "{{mustFromJson `-`}}",
            "template: :1:2: executing \"\" at <mustFromJson `-`>: error calling mustFromJson: invalid character ' ' in numeric literal",
            id="mustFromJson `-`",
        ),
        pytest.param(
            "{{mustFromJson `1.`}}",
            "template: :1:2: executing \"\" at <mustFromJson `1.`>: error calling mustFromJson: invalid character ' ' after decimal point in numeric literal",
            id="mustFromJson `1.`",
        ),
        pytest.param(
            "{{mustFromJson `1e`}}",
            "template: :1:2: executing \"\" at <mustFromJson `1e`>: error calling mustFromJson: invalid character ' ' in exponent of numeric literal",
            id="mustFromJson `1e`",
        ),
        pytest.param(
            "{{mustFromJson `1e+`}}",
            "template: :1:2: executing \"\" at <mustFromJson `1e+`>: error calling mustFromJson: invalid character ' ' in exponent of numeric literal",
            id="mustFromJson `1e+`",
        ),
        pytest.param(
            "{{mustFromJson `1e999`}}",
            'template: :1:2: executing "" at <mustFromJson `1e999`>: error calling mustFromJson: json: cannot unmarshal number 1e999 into Go value of type float64',
            id="mustFromJson `1e999`",
        ),
        pytest.param(
            "{{mustFromJson `1'`}}",
            "template: :1:2: executing \"\" at <mustFromJson `1'`>: error calling mustFromJson: invalid character '\\'' after top-level value",
            id="mustFromJson `1'`",
        ),
        pytest.param(
            '{{mustFromJson `1"`}}',
            'template: :1:2: executing "" at <mustFromJson `1"`>: error calling mustFromJson: invalid character \'"\' after top-level value',
            id='mustFromJson `1"`',
        ),
    ],
)
def test_a_function_fails_with_the_text_of_go(
    failure: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == failure(source)
