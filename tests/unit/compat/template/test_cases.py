"""The functions of sprig about cases.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param('{{snakecase "GO_PATH"}}', "go_path", id='snakecase "GO_PATH"'),
        pytest.param(
            '{{snakecase "Bld4Floor3rd"}}',
            "bld4_floor_3rd",
            id='snakecase "Bld4Floor3rd"',
        ),
        pytest.param('{{snakecase "a.B,c"}}', "a.b,c", id='snakecase "a.B,c"'),
        pytest.param(
            '{{snakecase "世界Hello"}}', "世界_hello", id='snakecase "??Hello"'
        ),
        pytest.param(
            '{{snakecase "a\\xffB\\xff"}}', "a_�b�", id='snakecase "a/xffB/xff"'
        ),
        pytest.param('{{snakecase "1a2B3"}}', "1a2_b3", id='snakecase "1a2B3"'),
        pytest.param('{{snakecase "X"}}', "x", id='snakecase "X"'),
        pytest.param('{{kebabcase "--a--"}}', "--a--", id='kebabcase "--a--"'),
        pytest.param('{{camelcase "-"}}', "--", id='camelcase "-"'),
        pytest.param('{{camelcase "X y-z__w"}}', "XYZ_W", id='camelcase "X y-z__w"'),
    ],
)
def test_a_function_gives_what_go_gives(
    answer: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == answer(source)
