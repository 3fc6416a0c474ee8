"""The functions that Go itself defines.

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
            '{{eq (semver "1") (semver "1")}}',
            "false",
            id='eq (semver "1") (semver "1")',
        ),
        pytest.param(
            '{{eq ((semver "1").IncPatch) ((semver "1").IncPatch)}}',
            "true",
            id='eq ((semver "1").IncPatch) ((semver "1").IncPatch)',
        ),
        pytest.param("{{eq nil nil}}", "true", id="eq nil nil"),
        pytest.param("{{eq nil 1}}", "false", id="eq nil 1"),
        pytest.param("{{ge 1 1}}", "true", id="ge 1 1"),
        pytest.param("{{html}}", "", id="html"),
        pytest.param(
            '{{js "<a>\'\\"\\\\&=\\n\\té\\u00a0\\u2028\\U0001F600\\xff"}}',
            "\\u003Ca\\u003E\\'\\\"\\\\\\u0026\\u003D\\u000A\\u0009é\\u00A0\\u2028😀�",
            id='js "<a>\'/"//&=/n/t?/u00a0/u2028/U0001F600/xff"',
        ),
        pytest.param("{{urlquery 1 2}}", "1+2", id="urlquery 1 2"),
        pytest.param("{{not (int64 0)}}", "true", id="not (int64 0)"),
    ],
)
def test_a_function_of_go_gives_what_go_gives(
    answer: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == answer(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            "{{eq 1}}",
            'template: :1:2: executing "" at <eq 1>: error calling eq: missing argument for comparison',
            id="eq 1",
        ),
        pytest.param(
            "{{eq (list) (list)}}",
            'template: :1:2: executing "" at <eq (list) (list)>: error calling eq: non-comparable type []: []interface {}',
            id="eq (list) (list)",
        ),
        pytest.param(
            "{{eq (dict) (list)}}",
            'template: :1:2: executing "" at <eq (dict) (list)>: error calling eq: non-comparable types map[]: map[string]interface {}, []interface {}: []',
            id="eq (dict) (list)",
        ),
        pytest.param(
            '{{ne 1 "a"}}',
            'template: :1:2: executing "" at <ne 1 "a">: error calling ne: incompatible types for comparison: int and string',
            id='ne 1 "a"',
        ),
        pytest.param(
            "{{lt nil 1}}",
            'template: :1:2: executing "" at <lt nil 1>: error calling lt: invalid type for comparison',
            id="lt nil 1",
        ),
        pytest.param(
            "{{lt 1i 2i}}",
            'template: :1:2: executing "" at <lt 1i 2i>: error calling lt: invalid type for comparison',
            id="lt 1i 2i",
        ),
        pytest.param(
            '{{gt 1 "a"}}',
            'template: :1:2: executing "" at <gt 1 "a">: error calling gt: incompatible types for comparison: int and string',
            id='gt 1 "a"',
        ),
        pytest.param(
            '{{index (list 1 2) "a"}}',
            'template: :1:2: executing "" at <index (list 1 2) "a">: error calling index: cannot index slice/array with type string',
            id='index (list 1 2) "a"',
        ),
        pytest.param(
            "{{index (list 1 2) nil}}",
            'template: :1:2: executing "" at <index (list 1 2) nil>: error calling index: cannot index slice/array with nil',
            id="index (list 1 2) nil",
        ),
        pytest.param(
            "{{index (list nil) 0 1}}",
            'template: :1:2: executing "" at <index (list nil) 0 1>: error calling index: index of nil pointer',
            id="index (list nil) 0 1",
        ),
        pytest.param(
            '{{index (dict "a" 1) 1}}',
            'template: :1:2: executing "" at <index (dict "a" 1) 1>: error calling index: value has type int; should be string',
            id='index (dict "a" 1) 1',
        ),
        pytest.param(
            '{{index (dict "a" 1) nil}}',
            'template: :1:2: executing "" at <index (dict "a" 1) nil>: error calling index: value is nil; should be of type string',
            id='index (dict "a" 1) nil',
        ),
        pytest.param(
            '{{index . "nope" "x" 0}}',
            'template: :1:2: executing "" at <index . "nope" "x" 0>: error calling index: reflect: slice index out of range',
            id='index . "nope" "x" 0',
        ),
        pytest.param(
            '{{index "abc" 3}}',
            'template: :1:2: executing "" at <index "abc" 3>: error calling index: reflect: string index out of range',
            id='index "abc" 3',
        ),
        pytest.param(
            '{{index "abc" 4}}',
            'template: :1:2: executing "" at <index "abc" 4>: error calling index: index out of range: 4',
            id='index "abc" 4',
        ),
        pytest.param(
            "{{index 1 0}}",
            'template: :1:2: executing "" at <index 1 0>: error calling index: can\'t index item of type int',
            id="index 1 0",
        ),
        pytest.param(
            "{{index nil}}",
            'template: :1:2: executing "" at <index nil>: error calling index: index of untyped nil',
            id="index nil",
        ),
        pytest.param(
            "{{len 5}}",
            'template: :1:2: executing "" at <len 5>: error calling len: len of type int',
            id="len 5",
        ),
        pytest.param(
            '{{index (list 1) (semver "18446744073709551615").Major}}',
            'template: :1:2: executing "" at <index (list 1) (semver "18446744073709551615").Major>: error calling index: index out of range: -1',
            id='index (list 1) (semver "18446744073709551615").Major',
        ),
    ],
)
def test_a_function_of_go_fails_with_the_text_of_go(
    failure: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == failure(source)
