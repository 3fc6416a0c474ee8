"""A pattern is found where Go finds it, or refused by name."""

from __future__ import annotations

import pytest

from app.compat import dialects, regexp
from app.errors import SpecError


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        pytest.param("VX5", "AVX512F", True, id="anywhere"),
        pytest.param("^AVX$", "AVX512F", False, id="anchored"),
        pytest.param("", "", True, id="nothing-in-nothing"),
        pytest.param("a$", "a\n", False, id="dollar-is-the-end-of-the-text"),
        pytest.param("a.c", "a\nc", False, id="dot-is-not-a-line-feed"),
        pytest.param("[^a]", "\n", True, id="a-negated-class-holds-line-feeds"),
        pytest.param(r"\d", "٣", False, id="digits-are-ascii"),
        pytest.param("(?i)k", "\u212a", True, id="case-folds-by-unicode"),
        pytest.param(r"\p{Greek}", "αβ", True, id="a-script"),
        pytest.param(r"\pL", "é", True, id="a-class-of-one-letter"),
        pytest.param(r"\P{^L}", "é", True, id="a-class-negated-twice"),
        pytest.param(r"[\pN]", "7", True, id="a-class-in-a-class"),
        pytest.param(r"\Q\C{9999999999}\E", "a", False, id="quoted-text-is-text"),
        pytest.param(r"\Q\pX", r"\pX", True, id="quoted-to-the-end"),
        pytest.param(r"[[:alpha:]]x", "bx", True, id="a-posix-class"),
        pytest.param(r"[]a]", "]", True, id="a-bracket-first-in-a-class"),
        pytest.param(r"[^]a]", "]", False, id="a-bracket-first-in-a-negated-class"),
        pytest.param(r"[{(?P<é>]", "(", True, id="a-class-holds-anything"),
        pytest.param(r"(?P<n>a)", "a", True, id="a-named-group"),
        pytest.param("a{2,3}", "aa", True, id="a-repeat"),
        pytest.param("a{,3}", "a{,3}", True, id="no-repeat"),
        pytest.param("a{0000000001}", "a{0000000001}", True, id="zeros-are-no-count"),
        pytest.param(r"\x{41}\x42", "AB", True, id="code-points"),
        pytest.param("\ufffd", "\udcff", True, id="what-is-no-utf-8-is-u-fffd"),
        pytest.param("\u0390", "\u0390", True, id="a-changed-character-plainly"),
    ],
)
def test_patterns_are_found_as_in_go(pattern: str, text: str, *, wanted: bool) -> None:
    assert wanted is regexp.compiled(pattern)(text)


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("(", id="an-open-group"),
        pytest.param("a**", id="a-repeated-repeat"),
        pytest.param("a{1001}", id="too-many"),
        pytest.param(r"(?=a)", id="look-ahead"),
        pytest.param(r"\C", id="re2-only-byte"),
        pytest.param("(?P<é>a)", id="re2-only-group"),
        pytest.param("(?<é>a)", id="re2-only-group-short"),
        pytest.param("a{1,10000000000}", id="re2-only-repeat"),
        pytest.param(r"\p{Old_Italic}", id="re2-only-class"),
        pytest.param(r"\p{Nope}", id="no-such-class"),
        pytest.param(r"\p{é}", id="a-class-that-is-not-ascii"),
        pytest.param(r"\p{L", id="an-open-class-name"),
        pytest.param(r"\p", id="no-class-name"),
        pytest.param(r"\x{110000}", id="beyond-unicode"),
        pytest.param(r"\x{", id="an-open-code-point"),
        pytest.param("a\\", id="a-lone-backslash"),
        pytest.param("[a", id="an-open-class"),
        pytest.param("(" * 1000 + ")" * 1000, id="nested-too-deeply"),
        pytest.param("a)" * 600, id="closed-but-never-opened"),
    ],
)
def test_what_go_does_not_take_is_invalid(pattern: str) -> None:
    with pytest.raises(SpecError) as caught:
        regexp.compiled(pattern)
    assert caught.value.reason == dialects.INVALID


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        pytest.param(r"\p{Letter}", "class", id="a-long-class-name"),
        pytest.param(r"\p{greek}", "class", id="a-class-in-other-case"),
        pytest.param(r"\P{^ASCII}", "class", id="a-class-of-go"),
        pytest.param(r"[\p{Lower_case-LETTER}]", "class", id="evened-out"),
        pytest.param(r"\pC", "other", id="the-class-c"),
        pytest.param(r"\p{Other}", "class", id="its-long-name"),
        pytest.param(r"\x{D800}", "surrogate", id="first-surrogate"),
        pytest.param(r"[\x{DFFF}]", "surrogate", id="last-surrogate"),
        pytest.param(r"\pL{1000}", "size", id="a-large-program"),
        pytest.param("(" * 999 + ")" * 999, "height", id="nearly-too-deep"),
        pytest.param("[x]" + "(" * 1000 + ")" * 1000, "height", id="with-a-class"),
        pytest.param("(?:|a" * 300 + ")*" * 300, "height", id="groups-that-hold-more"),
    ],
)
def test_what_only_go_takes_is_refused_by_name(pattern: str, what: str) -> None:
    with pytest.raises(SpecError) as caught:
        regexp.compiled(pattern)
    assert (dialects.UNSUPPORTED, dialects.GO_ONLY[what]) == (
        caught.value.reason,
        caught.value.message,
    )


@pytest.mark.parametrize("pattern", [r"(?i)a", r"\pL", r"\P{Han}", r"(?si:a)"])
@pytest.mark.parametrize("text", ["\u0390", "\ufb05", "\u31ef", "\U0002ebf0"])
def test_texts_that_unicode_changed_are_refused(pattern: str, text: str) -> None:
    found = regexp.compiled(pattern)
    with pytest.raises(SpecError) as caught:
        found(text)
    assert caught.value.message == dialects.GO_ONLY["text"]


def test_a_pattern_has_at_most_16_kib() -> None:
    longest = "a" * dialects.MAX_PATTERN_BYTES
    assert regexp.compiled(longest)(longest)
    with pytest.raises(SpecError) as caught:
        regexp.compiled(longest + "a")
    assert caught.value.message == dialects.GO_ONLY["length"]


def test_a_long_list_of_alternatives_is_taken() -> None:
    pattern = "|".join(f"{number:04x}" for number in range(900))
    assert regexp.compiled(pattern)("0383")


@pytest.mark.parametrize("more", [0, 1])
def test_texts_too_long_to_remember_are_searched_again(more: int) -> None:
    text = "a" * (regexp.MAX_REMEMBERED_TEXT + more)
    found = regexp.compiled("a$")
    assert [True, True, False] == [found(text), found(text), found(text[1:] + "b")]


def test_compiled_patterns_are_bounded() -> None:
    """As many as are kept cost nothing when they are needed again."""
    regexp.forget()
    patterns = [f"p{number}" for number in range(regexp.MAX_COMPILED + 1)]
    counts: list[int] = []
    for pattern in patterns:
        regexp.compiled(pattern, counts.append)
    counts.clear()
    for pattern in patterns[:0:-1]:
        regexp.compiled(pattern, counts.append)
    assert not counts
    regexp.compiled(patterns[0], counts.append)
    assert counts


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        pytest.param("ab", 2 * 4, id="by-its-length"),
        pytest.param("é", 2 * 4, id="in-bytes"),
        pytest.param(r"\pL\PN", 6 * 4 + 2 * 128, id="unicode-classes-most"),
    ],
)
def test_a_pattern_costs_before_it_is_read_and_once_it_is_compiled(
    pattern: str, wanted: int
) -> None:
    regexp.forget()
    counts: list[int] = []
    found = regexp.compiled(pattern, counts.append)
    assert [wanted, found.size] == counts
    assert found is regexp.compiled(pattern, counts.append)
    assert 2 == len(counts), "it still is compiled"


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        pytest.param("(broken", 0, id="no-pattern"),
        pytest.param(r"\pL{1000}", 8_192, id="too-large"),
    ],
)
def test_a_pattern_that_is_none_costs_once_what_it_took(
    pattern: str, wanted: int
) -> None:
    regexp.forget()
    counts: list[int] = []
    for _ in range(2):
        with pytest.raises(SpecError):
            regexp.compiled(pattern, counts.append)
    assert [regexp.price_of_reading(pattern.encode()), wanted] == counts


def test_nothing_is_compiled_that_cannot_be_paid() -> None:
    def refuse(_calls: int) -> None:
        raise SpecError("TooCostly", "no more")

    regexp.forget()
    with pytest.raises(SpecError, match="no more"):
        regexp.compiled("(", refuse)
    with pytest.raises(SpecError, match="not a regular expression"):
        regexp.compiled("(")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("", 1, id="nothing"),
        pytest.param("x" * 126, 1 + 127 * 9 // 128, id="by-its-length"),
        pytest.param("x" * 127, 1 + 9, id="a-byte-more"),
        pytest.param("é" * 63, 1 + 9 * (4 * 63 + 1) // 128, id="four-bytes-each"),
    ],
)
def test_a_search_costs_by_the_program_and_the_text(text: str, wanted: int) -> None:
    found = regexp.compiled("abcde")
    assert 9 == found.size
    assert wanted == found.price(text)


def test_a_pattern_may_name_32_classes() -> None:
    most = "[" + r"\pL" * dialects.MAX_CLASSES + "]"
    assert regexp.compiled(most)("a")
    with pytest.raises(SpecError) as caught:
        regexp.compiled(most + r"\PN")
    assert caught.value.message == dialects.GO_ONLY["classes"]


def test_nothing_is_printed_about_a_bad_pattern(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SpecError):
        regexp.compiled("(printed?")
    assert capfd.readouterr() == ("", "")
