"""The functions of sprig about durations.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("{{duration 95}}", "0s", id="duration 95"),
        pytest.param("{{duration (int64 3600)}}", "1h0m0s", id="duration (int64 3600)"),
        pytest.param('{{duration "x"}}', "0s", id='duration "x"'),
        pytest.param(
            '{{duration "99999999999999999999"}}',
            "-1s",
            id='duration "99999999999999999999"',
        ),
        pytest.param(
            '{{duration "18446744074"}}', "290.448384ms", id='duration "18446744074"'
        ),
        pytest.param(
            "{{durationRound (int64 7200000000000)}}",
            "2h",
            id="durationRound (int64 7200000000000)",
        ),
        pytest.param("{{durationRound 5}}", "0s", id="durationRound 5"),
        pytest.param('{{durationRound "1"}}', "0s", id='durationRound "1"'),
        pytest.param('{{durationRound "h"}}', "0s", id='durationRound "h"'),
        pytest.param(
            '{{durationRound "3000000h"}}', "0s", id='durationRound "3000000h"'
        ),
        pytest.param(
            '{{durationRound "1.99999999999999999999999999h"}}',
            "2h",
            id='durationRound "1.99999999999999999999999999h"',
        ),
        pytest.param(
            '{{durationRound "9223372036854775808ns"}}',
            "0s",
            id='durationRound "9223372036854775808ns"',
        ),
        pytest.param(
            '{{duration "20211507185753197"}}',
            "512ns",
            id='duration "20211507185753197"',
        ),
    ],
)
def test_a_function_gives_what_go_gives(
    answer: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == answer(source)
