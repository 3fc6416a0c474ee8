"""Texts are written as Go writes them."""

from __future__ import annotations

import pytest

from app.compat import gotext


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("plain", '"plain"', id="plain"),
        pytest.param('a"b\\c', r'"a\"b\\c"', id="quote-and-backslash"),
        pytest.param("\n\t\x07\x7f", r'"\n\t\a\x7f"', id="control-characters"),
        pytest.param("é世", '"é世"', id="printable"),
        pytest.param("\u2028\u00a0", r'"\u2028\u00a0"', id="not-printable"),
        pytest.param("\udcff", r'"\xff"', id="no-utf-8"),
    ],
)
def test_quoted_is_percent_q(text: str, wanted: str) -> None:
    assert wanted == gotext.quoted(text)


def test_a_list_is_printed_without_quotes() -> None:
    assert gotext.listed(["a", "b c"]) == "[a b c]"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("<a&b>", r'"\u003ca\u0026b\u003e"', id="html"),
        pytest.param("\u2028\u2029", r'"\u2028\u2029"', id="line-separators"),
        pytest.param('"\\', r'"\"\\"', id="quote-and-backslash"),
        pytest.param("\b\f\n\r\t\x01", r'"\b\f\n\r\t\u0001"', id="control-characters"),
        pytest.param("é\x7f", '"é\x7f"', id="everything-else-stays"),
        pytest.param("\udcff", r'"\ufffd"', id="no-utf-8"),
    ],
)
def test_json_strings_are_those_of_encoding_json(text: str, wanted: str) -> None:
    assert wanted == gotext.json_string(text)


@pytest.mark.parametrize(
    ("text", "lower", "upper"),
    [
        pytest.param("Cpu.CPUID", "cpu.cpuid", "CPU.CPUID", id="ascii"),
        pytest.param("İß", "iß", "İß", id="never-one-character-to-two"),
        pytest.param("ΣΑΣ", "σασ", "ΣΑΣ", id="no-final-sigma"),
    ],
)
def test_case_is_mapped_character_by_character(
    text: str, lower: str, upper: str
) -> None:
    assert (lower, upper) == (gotext.lower(text), gotext.upper(text))


def test_trimmed_cuts_what_go_calls_space() -> None:
    assert gotext.trimmed("\x85\u3000 a b \t") == "a b"
    assert gotext.trimmed("\x1ca") == "\x1ca"


def test_sizes_are_bytes() -> None:
    assert (3, 3) == (gotext.size_bytes("abc"), gotext.size_bytes("世"))
