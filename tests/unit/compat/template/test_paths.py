"""The functions of sprig about paths.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param('{{base ""}}', ".", id='base ""'),
        pytest.param('{{base "a"}}', "a", id='base "a"'),
        pytest.param('{{dir "a/b/../../.."}}', ".", id='dir "a/b/../../.."'),
        pytest.param('{{ext "a."}}', ".", id='ext "a."'),
        pytest.param('{{clean "a/../../b"}}', "../b", id='clean "a/../../b"'),
        pytest.param('{{clean "/.."}}', "/", id='clean "/.."'),
        pytest.param('{{isAbs "a"}}', "false", id='isAbs "a"'),
    ],
)
def test_a_function_gives_what_go_gives(
    answer: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == answer(source)
