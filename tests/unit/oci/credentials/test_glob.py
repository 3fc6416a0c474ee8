"""Globs, as Go answered them."""

import pytest

from app.oci.credentials import glob
from app.oci.credentials.glob import is_glob

# pattern, text -> what Go's filepath.Match says; a broken pattern matches nothing
GLOBS = [
    ("*", "abc", True),
    ("*", "", True),
    ("a*", "abc", True),
    ("a*", "a", True),
    ("*c", "abc", True),
    ("*b*", "abc", True),
    ("a*c", "abdc", True),
    ("a*c", "abx", False),
    ("**", "x", True),
    ("?", "a", True),
    ("?", "", False),
    ("?", "ab", False),
    ("a?c", "abc", True),
    ("[a-z]", "m", True),
    ("[a-z]", "M", False),
    ("[^a-z]", "M", True),
    ("[^a-z]", "m", False),
    ("[!a]", "!", True),
    ("[!a]", "b", False),
    ("[abc]", "b", True),
    ("[abc]", "", False),
    ("[]a]", "]", False),
    ("[-]", "-", False),
    ("[a-]", "-", False),
    ("[-a]", "-", False),
    ("[a", "a", False),
    ("[", "[", False),
    ("[]", "", False),
    ("[^]", "^", False),
    ("[b-a]", "a", False),
    ("[\\]a]", "]", True),
    ("[a\\-z]", "-", True),
    ("[\\-]", "-", True),
    ("\\*", "*", True),
    ("\\*", "a", False),
    ("a\\", "a", False),
    ("\\", "", False),
    ("", "", True),
    ("", "a", False),
    ("a", "a", True),
    ("a", "b", False),
    ("*[", "a", False),
    ("a[", "a", False),
    ("a[", "b", False),
    ("[a-b-c]", "c", False),
    ("[a-c]*", "bxyz", True),
    ("*.x", "a.x", True),
    ("*-east-?", "us-east-1", True),
    ("ä?", "äö", True),
    ("[ä-ö]", "ä", True),
    ("[[]", "[", True),
    ("[a-zA-Z0-9]", "Z", True),
    ("x*y*z", "x1y2z", True),
    ("x*y*z", "x1z2y", False),
    ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", False),
]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [pytest.param(*row, id=f"{at}") for at, row in enumerate(GLOBS)],
)
def test_a_glob_matches_as_in_go(pattern: str, text: str, expected: bool) -> None:
    assert expected is glob(pattern, text)


def test_a_glob_of_many_stars_takes_no_time() -> None:
    """A backtracking matcher would not end here."""
    assert not glob("*a" * 200 + "b", "a" * 2000)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        pytest.param("ab*ba", "aba", False, id="ends-that-overlap"),
        pytest.param("a*a", "a", False, id="one-for-two"),
        pytest.param("*ab*ab", "xab", False, id="one-end-for-two"),
        pytest.param("*ab*ab", "xabab", True, id="two-ends"),
        pytest.param("*a*b*c", "abcabc", True, id="as-early-as-it-comes"),
        pytest.param("***", "", True, id="stars-for-nothing"),
    ],
)
def test_stars_alone_match_as_stars_among_others(
    pattern: str, text: str, expected: bool
) -> None:
    assert expected is glob(pattern, text)
    assert expected is glob(f"?{pattern}", f"x{text}")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("*[a-z]?\\*", True, id="whole"),
        pytest.param("", True, id="empty"),
        pytest.param("[a", False, id="open"),
        pytest.param("a\\", False, id="backslash"),
    ],
)
def test_a_broken_glob_is_told(pattern: str, expected: bool) -> None:
    assert expected is is_glob(pattern)
