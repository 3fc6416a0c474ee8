"""The functions of sprig about semver.

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
            '{{(semver "1.2.3-beta.1+ab").Prerelease}}',
            "beta.1",
            id='(semver "1.2.3-beta.1+ab").Prerelease',
        ),
        pytest.param(
            '{{(semver "1.2.3-beta.1+ab").Metadata}}',
            "ab",
            id='(semver "1.2.3-beta.1+ab").Metadata',
        ),
        pytest.param(
            '{{(semver "v1.2").Original}}', "v1.2", id='(semver "v1.2").Original'
        ),
        pytest.param(
            '{{(semver "v1.2").String}}', "1.2.0", id='(semver "v1.2").String'
        ),
        pytest.param(
            '{{(semver "v1.2.3-a").IncPatch}}',
            "1.2.3",
            id='(semver "v1.2.3-a").IncPatch',
        ),
        pytest.param(
            '{{(semver "1.2.3").SetPrerelease "rc.1"}}',
            "1.2.3-rc.1",
            id='(semver "1.2.3").SetPrerelease "rc.1"',
        ),
        pytest.param(
            '{{(semver "1.2.3-x").SetPrerelease ""}}',
            "1.2.3",
            id='(semver "1.2.3-x").SetPrerelease ""',
        ),
        pytest.param(
            '{{(semver "1.2.3").SetMetadata "a.b"}}',
            "1.2.3+a.b",
            id='(semver "1.2.3").SetMetadata "a.b"',
        ),
        pytest.param(
            '{{(semver "1.2.3").SetMetadata ""}}',
            "1.2.3",
            id='(semver "1.2.3").SetMetadata ""',
        ),
        pytest.param(
            '{{(semver "1.2.3").Equal nil}}', "false", id='(semver "1.2.3").Equal nil'
        ),
        pytest.param(
            '{{(semver "1.2.3").GreaterThan (semver "1.2.3-rc1")}}',
            "true",
            id='(semver "1.2.3").GreaterThan (semver "1.2.3-rc1")',
        ),
        pytest.param(
            '{{(semver "1.2.3-a.2").Compare (semver "1.2.3-a.10")}}',
            "-1",
            id='(semver "1.2.3-a.2").Compare (semver "1.2.3-a.10")',
        ),
        pytest.param(
            '{{(semver "1.2.3-a").Compare (semver "1.2.3-a.b")}}',
            "-1",
            id='(semver "1.2.3-a").Compare (semver "1.2.3-a.b")',
        ),
        pytest.param(
            '{{(semver "1.2.3").Value}}', "1.2.3", id='(semver "1.2.3").Value'
        ),
        pytest.param(
            '{{semverCompare "^0.0.3" "0.0.3"}}',
            "true",
            id='semverCompare "^0.0.3" "0.0.3"',
        ),
        pytest.param(
            '{{semverCompare "^0.0" "0.0.9"}}',
            "true",
            id='semverCompare "^0.0" "0.0.9"',
        ),
        pytest.param(
            '{{semverCompare "^1.2" "1.1"}}', "false", id='semverCompare "^1.2" "1.1"'
        ),
        pytest.param(
            '{{semverCompare "^0.0.3" "1.0.0"}}',
            "false",
            id='semverCompare "^0.0.3" "1.0.0"',
        ),
        pytest.param('{{semverCompare "~*" "9"}}', "true", id='semverCompare "~*" "9"'),
        pytest.param(
            '{{semverCompare "*" "1.5-a"}}', "false", id='semverCompare "*" "1.5-a"'
        ),
        pytest.param(
            '{{semverCompare "!=1.2" "1.2.5"}}',
            "false",
            id='semverCompare "!=1.2" "1.2.5"',
        ),
        pytest.param(
            '{{semverCompare "!=1" "1.3.5"}}', "false", id='semverCompare "!=1" "1.3.5"'
        ),
        pytest.param(
            '{{semverCompare "!=1" "2.3.5"}}', "true", id='semverCompare "!=1" "2.3.5"'
        ),
        pytest.param(
            '{{semverCompare "!=1.2.3" "1.2.3"}}',
            "false",
            id='semverCompare "!=1.2.3" "1.2.3"',
        ),
        pytest.param(
            '{{semverCompare "!=*" "0.0.1"}}', "true", id='semverCompare "!=*" "0.0.1"'
        ),
        pytest.param(
            '{{semverCompare "!=*" "0.1.0"}}', "true", id='semverCompare "!=*" "0.1.0"'
        ),
        pytest.param(
            '{{semverCompare "!=*" "0.0.0"}}', "false", id='semverCompare "!=*" "0.0.0"'
        ),
        pytest.param(
            '{{semverCompare ">1" "1.5"}}', "false", id='semverCompare ">1" "1.5"'
        ),
        pytest.param(
            '{{semverCompare ">*" "1.2.3"}}', "true", id='semverCompare ">*" "1.2.3"'
        ),
        pytest.param(
            '{{semverCompare "<=1" "1.3"}}', "true", id='semverCompare "<=1" "1.3"'
        ),
        pytest.param(
            '{{semverCompare "<=1.2.3" "1.2.3"}}',
            "true",
            id='semverCompare "<=1.2.3" "1.2.3"',
        ),
        pytest.param(
            '{{semverCompare "=1.2.3" "1.2.3"}}',
            "true",
            id='semverCompare "=1.2.3" "1.2.3"',
        ),
        pytest.param(
            '{{semverCompare "1.2 - 1.4 || 3" "3.1"}}',
            "true",
            id='semverCompare "1.2 - 1.4 || 3" "3.1"',
        ),
        pytest.param(
            '{{semverCompare ">1 <2" "2.5"}}', "false", id='semverCompare ">1 <2" "2.5"'
        ),
        pytest.param(
            '{{semverCompare "^1.2.3-a" "1.2.3-b"}}',
            "true",
            id='semverCompare "^1.2.3-a" "1.2.3-b"',
        ),
        pytest.param(
            '{{semverCompare "~1.2" "1.1"}}', "false", id='semverCompare "~1.2" "1.1"'
        ),
        pytest.param(
            '{{semverCompare "~1.2" "2.2"}}', "false", id='semverCompare "~1.2" "2.2"'
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
            '{{semver "x"}}',
            'template: :1:2: executing "" at <semver "x">: error calling semver: invalid semantic version',
            id='semver "x"',
        ),
        pytest.param(
            '{{semver "1.2.3-01"}}',
            'template: :1:2: executing "" at <semver "1.2.3-01">: error calling semver: version segment starts with 0',
            id='semver "1.2.3-01"',
        ),
        pytest.param(
            '{{(semver "18446744073709551615.1.1").IncMajor}}',
            'template: :1:37: executing "" at <(semver "18446744073709551615.1.1").IncMajor>: error calling IncMajor: major version increment would overflow uint64',
            id='(semver "18446744073709551615.1.1").IncMajor',
        ),
        pytest.param(
            '{{(semver "1.2.3").SetPrerelease "rc.01"}}',
            'template: :1:18: executing "" at <(semver "1.2.3").SetPrerelease>: error calling SetPrerelease: version segment starts with 0',
            id='(semver "1.2.3").SetPrerelease "rc.01"',
        ),
        pytest.param(
            '{{(semver "1.2.3").SetPrerelease "rc..1"}}',
            'template: :1:18: executing "" at <(semver "1.2.3").SetPrerelease>: error calling SetPrerelease: invalid prerelease string',
            id='(semver "1.2.3").SetPrerelease "rc..1"',
        ),
        pytest.param(
            '{{(semver "1.2.3").SetMetadata "a_b"}}',
            'template: :1:18: executing "" at <(semver "1.2.3").SetMetadata>: error calling SetMetadata: invalid metadata string',
            id='(semver "1.2.3").SetMetadata "a_b"',
        ),
        pytest.param(
            '{{(semver "1.2.3").Compare "1"}}',
            'template: :1:27: executing "" at <"1">: can\'t handle "1" for arg of type *semver.Version',
            id='(semver "1.2.3").Compare "1"',
        ),
        pytest.param(
            '{{(semver "1.2.3").Compare nil}}',
            'template: :1:18: executing "" at <(semver "1.2.3").Compare>: error calling Compare: runtime error: invalid memory address or nil pointer dereference',
            id='(semver "1.2.3").Compare nil',
        ),
        pytest.param(
            '{{(semver "1.2.3").major}}',
            'template: :1:10: executing "" at <"1.2.3">: major is an unexported field of struct type *semver.Version',
            id='(semver "1.2.3").major',
        ),
        pytest.param(
            '{{(semver "1.2.3").Foo}}',
            'template: :1:10: executing "" at <"1.2.3">: can\'t evaluate field Foo in type *semver.Version',
            id='(semver "1.2.3").Foo',
        ),
        pytest.param(
            '{{semverCompare "" "1"}}',
            'template: :1:2: executing "" at <semverCompare "" "1">: error calling semverCompare: improper constraint: ""',
            id='semverCompare "" "1"',
        ),
        pytest.param(
            '{{semverCompare "99999999999999999999" "1"}}',
            'template: :1:2: executing "" at <semverCompare "99999999999999999999" "1">: error calling semverCompare: constraint parser error',
            id='semverCompare "99999999999999999999" "1"',
        ),
        pytest.param(
            '{{semver (repeat 257 "1")}}',
            'template: :1:2: executing "" at <semver (repeat 257 "1")>: error calling semver: version string is too long (max 256 bytes)',
            id='semver (repeat 257 "1")',
        ),
        pytest.param(
            '{{semverCompare (repeat 513 "1") "1"}}',
            'template: :1:2: executing "" at <semverCompare (repeat 513 "1") "1">: error calling semverCompare: constraint string is too long (max 512 bytes)',
            id='semverCompare (repeat 513 "1") "1"',
        ),
        pytest.param(
            '{{semverCompare (repeat 33 "1||") "1"}}',
            'template: :1:2: executing "" at <semverCompare (repeat 33 "1||") "1">: error calling semverCompare: too many constraint groups (max 32)',
            id='semverCompare (repeat 33 "1||") "1"',
        ),
    ],
)
def test_a_function_fails_with_the_text_of_go(
    failure: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == failure(source)
