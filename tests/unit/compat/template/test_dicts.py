"""The functions of sprig about dicts.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

# ruff: noqa: E501 - the texts are as long as they are

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param('{{get nil "b"}}', "", id='get nil "b"'),
        pytest.param('{{unset nil "a"}}', "map[]", id='unset nil "a"'),
        pytest.param('{{hasKey nil "a"}}', "false", id='hasKey nil "a"'),
        pytest.param(
            '{{pluck "a" (dict "a" 1) (dict "b" 2) (dict "a" nil)}}',
            "[1 <nil>]",
            id='pluck "a" (dict "a" 1) (dict "b" 2) (dict "a" nil)',
        ),
        pytest.param('{{keys (dict "a" 1)}}', "[a]", id='keys (dict "a" 1)'),
        pytest.param('{{values (dict "a" 1)}}', "[1]", id='values (dict "a" 1)'),
        pytest.param(
            '{{pick (dict "a" 1 "b" 2) "a" "c"}}',
            "map[a:1]",
            id='pick (dict "a" 1 "b" 2) "a" "c"',
        ),
        pytest.param(
            '{{omit (dict "a" 1 "b" 2) "a" "c"}}',
            "map[b:2]",
            id='omit (dict "a" 1 "b" 2) "a" "c"',
        ),
        pytest.param(
            '{{dig "a" "b" "d" (dict "a" (dict "b" 1))}}',
            "1",
            id='dig "a" "b" "d" (dict "a" (dict "b" 1))',
        ),
        pytest.param(
            '{{dig "x" "c" "d" (dict "a" (dict "b" 1))}}',
            "d",
            id='dig "x" "c" "d" (dict "a" (dict "b" 1))',
        ),
        pytest.param(
            '{{merge (dict "a" 5) (dict "a" (dict "x" 1))}}',
            "map[a:5]",
            id='merge (dict "a" 5) (dict "a" (dict "x" 1))',
        ),
        pytest.param(
            '{{merge (dict "a" nil) (dict "a" nil "b" nil)}}',
            "map[a:<nil>]",
            id='merge (dict "a" nil) (dict "a" nil "b" nil)',
        ),
        pytest.param(
            '{{merge nil (dict "a" 1)}}', "map[a:1]", id='merge nil (dict "a" 1)'
        ),
        pytest.param(
            '{{merge (dict "v" (semver "1")) (dict "v" (dict "a" 1))}}',
            "",
            id='merge (dict "v" (semver "1")) (dict "v" (dict "a" 1))',
        ),
        pytest.param(
            '{{mergeOverwrite (dict "v" (semver "1")) (dict "v" (dict "a" 1))}}',
            "map[v:map[a:1]]",
            id='mergeOverwrite (dict "v" (semver "1")) (dict "v" (dict "a" 1',
        ),
        pytest.param(
            '{{mergeOverwrite (dict "a" 1) (dict "a" nil)}}',
            "map[a:<nil>]",
            id='mergeOverwrite (dict "a" 1) (dict "a" nil)',
        ),
        pytest.param(
            '{{mergeOverwrite (dict "a" 1) (dict "a" (list 2))}}',
            "map[a:[2]]",
            id='mergeOverwrite (dict "a" 1) (dict "a" (list 2))',
        ),
        pytest.param(
            '{{merge (dict "a" (split "," "x")) (dict "a" (split "," "y,z"))}}',
            "map[a:map[_0:x _1:z]]",
            id='merge (dict "a" (split "," "x")) (dict "a" (split "," "y,z")',
        ),
        pytest.param(
            "{{deepCopy .pci.device}}",
            "[map[class:0300 device:2204 vendor:10de] map[class:0200 sriov_totalvfs:8 vendor:8086]]",
            id="deepCopy .pci.device",
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
            '{{set nil "a" 1}}',
            'template: :1:2: executing "" at <set nil "a" 1>: error calling set: assignment to entry in nil map',
            id='set nil "a" 1',
        ),
        pytest.param(
            '{{dig "a" "x" "d" (dict "a" nil)}}',
            'template: :1:2: executing "" at <dig "a" "x" "d" (dict "a" nil)>: error calling dig: interface conversion: interface {} is nil, not map[string]interface {}',
            id='dig "a" "x" "d" (dict "a" nil)',
        ),
        pytest.param(
            '{{dig 1 "d" (dict)}}',
            'template: :1:2: executing "" at <dig 1 "d" (dict)>: error calling dig: interface conversion: interface {} is int, not string',
            id='dig 1 "d" (dict)',
        ),
        pytest.param(
            '{{dig "a" "d" "x"}}',
            'template: :1:2: executing "" at <dig "a" "d" "x">: error calling dig: interface conversion: interface {} is string, not map[string]interface {}',
            id='dig "a" "d" "x"',
        ),
        pytest.param(
            "{{dig}}",
            'template: :1:2: executing "" at <dig>: error calling dig: dig needs at least three arguments',
            id="dig",
        ),
        pytest.param(
            '{{mustMerge (dict "v" (semver "1")) (dict "v" (dict "a" 1))}}',
            'template: :1:2: executing "" at <mustMerge (dict "v" (semver "1")) (dict "v" (dict "a" 1))>: error calling mustMerge: src and dst must be of same type',
            id='mustMerge (dict "v" (semver "1")) (dict "v" (dict "a" 1))',
        ),
        pytest.param(
            "{{deepCopy nil}}",
            'template: :1:2: executing "" at <deepCopy nil>: error calling deepCopy: reflect: call of reflect.Value.Type on zero Value',
            id="deepCopy nil",
        ),
    ],
)
def test_a_function_fails_with_the_text_of_go(
    failure: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == failure(source)
