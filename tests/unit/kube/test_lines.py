"""Lines of any length, in bounded memory."""

from __future__ import annotations

import pytest

from app.kube.lines import LineSplitter


def split(*chunks: bytes, limit: int = 5) -> list[bytes | None]:
    splitter = LineSplitter(limit)
    return [line for chunk in chunks for line in splitter.feed(chunk)]


@pytest.mark.parametrize(
    ("lines", "chunks"),
    [
        pytest.param([b"a", b"b"], [b"a\nb\n"], id="two lines in a chunk"),
        pytest.param([b"abc"], [b"a", b"b", b"c\n"], id="a line in three chunks"),
        pytest.param([b"a", b"b"], [b"a\n", b"b", b"\n"], id="its end alone"),
        pytest.param([b"a"], [b"\n\r\n a \r\n\n"], id="blanks are left out"),
        pytest.param([], [b"abc"], id="no end"),
        pytest.param([b"abcde"], [b"abcde\n"], id="as long as may be"),
        pytest.param([None], [b"abcdef\n"], id="one byte longer"),
        pytest.param([None], [b"abc", b"def", b"ghi\n"], id="longer, in chunks"),
        pytest.param([None, b"a"], [b"abcdef", b"\na\n"], id="the next is in step"),
    ],
)
def test_lines_are_found_in(lines: list[bytes | None], chunks: list[bytes]) -> None:
    assert lines == split(*chunks)


def test_a_line_that_is_too_long_is_not_kept() -> None:
    splitter = LineSplitter(5)
    for _ in range(3):
        assert [] == list(splitter.feed(b"abcd"))
    assert [] == splitter._parts
    assert splitter.is_inside_line


def test_at_the_end_of_a_line_none_has_begun() -> None:
    splitter = LineSplitter(5)
    assert [b"ab"] == list(splitter.feed(b"ab\n"))
    assert not splitter.is_inside_line
