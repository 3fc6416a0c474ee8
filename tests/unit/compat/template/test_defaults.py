"""The functions of sprig about defaults.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param('{{default "d" "x"}}', "x", id='default "d" "x"'),
        pytest.param('{{default "d"}}', "d", id='default "d"'),
        pytest.param("{{coalesce 0 nil}}", "<no value>", id="coalesce 0 nil"),
        pytest.param("{{all}}", "true", id="all"),
        pytest.param("{{any}}", "false", id="any"),
        pytest.param('{{ternary "a" "b" true}}', "a", id='ternary "a" "b" true'),
    ],
)
def test_a_function_gives_what_go_gives(
    answer: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == answer(source)
