"""The functions of sprig about encoding.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param('{{b64dec "aGVsbG8="}}', "hello", id='b64dec "aGVsbG8="'),
        pytest.param(
            '{{b64dec "aGVsbG8"}}',
            "illegal base64 data at input byte 4",
            id='b64dec "aGVsbG8"',
        ),
        pytest.param(
            '{{b64dec "a==="}}',
            "illegal base64 data at input byte 1",
            id='b64dec "a==="',
        ),
        pytest.param(
            '{{b64dec "aa=a"}}',
            "illegal base64 data at input byte 2",
            id='b64dec "aa=a"',
        ),
        pytest.param(
            '{{b64dec "aa="}}', "illegal base64 data at input byte 3", id='b64dec "aa="'
        ),
        pytest.param(
            '{{b64dec "aa==x"}}',
            "illegal base64 data at input byte 4",
            id='b64dec "aa==x"',
        ),
        pytest.param('{{b64dec ""}}', "", id='b64dec ""'),
        pytest.param(
            '{{b32dec "NBSWY3D"}}',
            "illegal base32 data at input byte 0",
            id='b32dec "NBSWY3D"',
        ),
        pytest.param('{{b32dec "NB======"}}', "h", id='b32dec "NB======"'),
        pytest.param(
            '{{b32dec "NB====="}}',
            "illegal base32 data at input byte 7",
            id='b32dec "NB====="',
        ),
        pytest.param(
            '{{b32dec "NB=====x"}}',
            "illegal base32 data at input byte 6",
            id='b32dec "NB=====x"',
        ),
        pytest.param(
            '{{b32dec "NBS====="}}',
            "illegal base32 data at input byte 3",
            id='b32dec "NBS====="',
        ),
        pytest.param('{{b32dec ""}}', "", id='b32dec ""'),
        pytest.param(
            '{{b32dec "1"}}', "illegal base32 data at input byte 0", id='b32dec "1"'
        ),
        pytest.param(
            '{{sha1sum "a"}}',
            "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
            id='sha1sum "a"',
        ),
        pytest.param('{{adler32sum "hello"}}', "103547413", id='adler32sum "hello"'),
    ],
)
def test_a_function_gives_what_go_gives(
    answer: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == answer(source)
