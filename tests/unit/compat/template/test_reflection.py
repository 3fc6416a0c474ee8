"""The functions of sprig about reflection.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            "{{typeOf (chunk 1 (list 1))}}",
            "[][]interface {}",
            id="typeOf (chunk 1 (list 1))",
        ),
        pytest.param('{{typeIs "int" 1}}', "true", id='typeIs "int" 1'),
        pytest.param(
            '{{typeIsLike "semver.Version" (semver "1")}}',
            "true",
            id='typeIsLike "semver.Version" (semver "1")',
        ),
        pytest.param('{{kindIs "map" (dict)}}', "true", id='kindIs "map" (dict)'),
        pytest.param(
            "{{deepEqual (list) (concat)}}", "false", id="deepEqual (list) (concat)"
        ),
        pytest.param(
            '{{deepEqual (semver "1") (semver "1")}}',
            "true",
            id='deepEqual (semver "1") (semver "1")',
        ),
        pytest.param("{{deepEqual .cpu .cpu}}", "true", id="deepEqual .cpu .cpu"),
        pytest.param(
            '{{deepEqual (dict "a" 1) (dict)}}',
            "false",
            id='deepEqual (dict "a" 1) (dict)',
        ),
    ],
)
def test_a_function_gives_what_go_gives(
    answer: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == answer(source)
