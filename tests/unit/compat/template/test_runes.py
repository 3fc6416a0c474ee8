"""Bytes as runes, the way Go reads them."""

from __future__ import annotations

import pytest

from app.compat.template import runes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a\u00e9", b"a\xc3\xa9", id="text"),
        pytest.param("a\udcff", b"a\xff", id="escaped-byte"),
        pytest.param("a\ud800", b"a\xef\xbf\xbd", id="lone-high-surrogate"),
    ],
)
def test_text_becomes_bytes(text: str, expected: bytes) -> None:
    assert expected == runes.to_bytes(text)


def test_each_invalid_byte_is_one_replacement() -> None:
    assert "a\ufffd\ufffdb" == runes.to_text(b"a\xe2\x82b")


def test_a_rune_is_mapped_to_one_rune() -> None:
    assert ("STRA\u00dfE", "\u01c5", "i\u0307"[:1]) == (
        runes.upper("stra\u00dfe"),
        runes.title("\u01c6"),
        runes.lower("\u0130"),
    )


@pytest.mark.parametrize(
    ("rune", "expected"),
    [
        pytest.param("A", "U", id="upper"),
        pytest.param("a", "L", id="lower"),
        pytest.param("\u01c5", "T", id="title"),
        pytest.param("\u4e16", "O", id="other-letter"),
        pytest.param("7", "D", id="digit"),
        pytest.param("\u00bd", "N", id="number"),
        pytest.param("!", "P", id="punctuation"),
        pytest.param("+", "S", id="symbol"),
        pytest.param("\u0301", "S", id="mark"),
        pytest.param("\u00a0", "-", id="space"),
        pytest.param("\U0010ffff", "-", id="last"),
    ],
)
def test_a_rune_has_a_class(rune: str, expected: str) -> None:
    assert expected == runes.category(rune)
