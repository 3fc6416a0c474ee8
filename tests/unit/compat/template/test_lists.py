"""The functions of sprig about lists.

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
            '{{sortAlpha (list "b" 3 "a" nil)}}',
            "[3 a b]",
            id='sortAlpha (list "b" 3 "a" nil)',
        ),
        pytest.param("{{sortAlpha 5}}", "[5]", id="sortAlpha 5"),
        pytest.param("{{last (list 1 2)}}", "2", id="last (list 1 2)"),
        pytest.param("{{rest (list)}}", "[]", id="rest (list)"),
        pytest.param("{{initial (list 1)}}", "[]", id="initial (list 1)"),
        pytest.param("{{append (list 1) 2}}", "[1 2]", id="append (list 1) 2"),
        pytest.param("{{prepend (list 1) 2}}", "[2 1]", id="prepend (list 1) 2"),
        pytest.param(
            "{{concat (list 1) (list 2 nil) .kernel.loadedmodule}}",
            "[1 2 <nil>]",
            id="concat (list 1) (list 2 nil) .kernel.loadedmodule",
        ),
        pytest.param("{{reverse (list 1 2 3)}}", "[3 2 1]", id="reverse (list 1 2 3)"),
        pytest.param(
            '{{uniq (list 1 1 "1" 1.0 1.0 (list 1) (list 1) nil nil (int64 1))}}',
            "[1 1 1 [1] <nil> 1]",
            id='uniq (list 1 1 "1" 1.0 1.0 (list 1) (list 1) nil nil (int64 ',
        ),
        pytest.param(
            "{{without (list 1 2 3 2) 2}}", "[1 3]", id="without (list 1 2 3 2) 2"
        ),
        pytest.param(
            '{{has (dict "a" 1) (list (dict "a" 1))}}',
            "true",
            id='has (dict "a" 1) (list (dict "a" 1))',
        ),
        pytest.param("{{has 1 nil}}", "false", id="has 1 nil"),
        pytest.param(
            '{{compact (list 1 "" nil 0 "a" false)}}',
            "[1 a]",
            id='compact (list 1 "" nil 0 "a" false)',
        ),
        pytest.param("{{slice (list) 5}}", "<no value>", id="slice (list) 5"),
        pytest.param(
            '{{slice (list 1 2 3) "1" "2"}}', "[2]", id='slice (list 1 2 3) "1" "2"'
        ),
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
            '{{append "x" 2}}',
            'template: :1:2: executing "" at <append "x" 2>: error calling append: Cannot push on type string',
            id='append "x" 2',
        ),
        pytest.param(
            '{{concat (list 1) "a"}}',
            'template: :1:2: executing "" at <concat (list 1) "a">: error calling concat: Cannot concat type string as list',
            id='concat (list 1) "a"',
        ),
        pytest.param(
            "{{concat nil}}",
            'template: :1:2: executing "" at <concat nil>: error calling concat: runtime error: invalid memory address or nil pointer dereference',
            id="concat nil",
        ),
        pytest.param(
            '{{has 1 "a"}}',
            'template: :1:2: executing "" at <has 1 "a">: error calling has: Cannot find has on type string',
            id='has 1 "a"',
        ),
        pytest.param(
            "{{chunk 0 (list)}}",
            'template: :1:2: executing "" at <chunk 0 (list)>: error calling chunk: runtime error: makeslice: len out of range',
            id="chunk 0 (list)",
        ),
        pytest.param(
            '{{chunk 1 "a"}}',
            'template: :1:2: executing "" at <chunk 1 "a">: error calling chunk: Cannot chunk type string',
            id='chunk 1 "a"',
        ),
        pytest.param(
            '{{slice "abc" 1 2}}',
            'template: :1:2: executing "" at <slice "abc" 1 2>: error calling slice: list should be type of slice or array but string',
            id='slice "abc" 1 2',
        ),
        pytest.param(
            "{{slice nil}}",
            'template: :1:2: executing "" at <slice nil>: error calling slice: runtime error: invalid memory address or nil pointer dereference',
            id="slice nil",
        ),
        pytest.param(
            "{{slice (list 1 2 3) 4}}",
            'template: :1:2: executing "" at <slice (list 1 2 3) 4>: error calling slice: reflect.Value.Slice: slice index out of bounds',
            id="slice (list 1 2 3) 4",
        ),
        pytest.param(
            "{{chunk 0 (list 1)}}",
            'template: :1:2: executing "" at <chunk 0 (list 1)>: error calling chunk: runtime error: makeslice: len out of range',
            id="chunk 0 (list 1)",
        ),
    ],
)
def test_a_function_fails_with_the_text_of_go(
    failure: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == failure(source)
