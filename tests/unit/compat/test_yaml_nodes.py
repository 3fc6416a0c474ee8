r"""Where libyaml 0.2.5 and NFD's older translation of it read a text differently.

Every expected value here is what NFD's own decoder gave.
"""

from __future__ import annotations

import pytest

from app.compat import nodefeaturerule, parse
from app.errors import SpecError


def labels(text: str) -> dict[str, str]:
    (rule,) = nodefeaturerule.read(f"rules: [{{labels: {text}}}]".encode())
    return dict(rule.labels)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{a: x:}", {"a": "x:"}, id="colon-before-a-brace"),
        pytest.param(
            "{a:, b: x:,c: '}:,'}", {"a:": "", "b": "x:", "c": "}:,"}, id="more"
        ),
        pytest.param(
            "{k: pci:, '!x': y:}", {"k": "pci:", "!x": "y:"}, id="beside-a-tag"
        ),
        pytest.param("{k: &x a:, l: *x}", {"k": "a:", "l": "a:"}, id="anchored"),
        pytest.param(
            "{k: a*b:, l: it's:, m: c\":}",
            {"k": "a*b:", "l": "it's:", "m": 'c":'},
            id="one-by-one",
        ),
        pytest.param('{"a":b:}', {"a": "b:"}, id="after-a-quoted-key"),
        pytest.param("{k: a?b}", None, id="question-mark"),
        pytest.param("{k: 'a?b', l: \"a?b\"}", {"k": "a?b", "l": "a?b"}, id="quoted"),
        pytest.param('{k: "\\\'"}', {"k": "'"}, id="escaped-quote"),
        pytest.param(
            "{k: \"a\\\\\\'\\\\'b\", l: '\\', m: \\'x}",
            {"k": "a\\'\\'b", "l": "\\", "m": "\\'x"},
            id="escaped-quote-beside-other-backslashes",
        ),
        pytest.param('{k: "\\/"}', None, id="escaped-slash"),
        pytest.param(
            "{k: \"\\\\/\", l: '\\/'}", {"k": "\\/", "l": "\\/"}, id="no-escape"
        ),
        pytest.param("{k: !a,b c}", {"k": "c"}, id="comma-in-a-tag"),
        pytest.param("{k: !a[b] 5}", {"k": "5"}, id="brackets-in-a-tag"),
        pytest.param("{k: !!str, x}", {"k": "x"}, id="comma-ends-no-tag"),
        pytest.param("{k: &a !!int, 5}", {"k": "5"}, id="comma-after-an-anchored-tag"),
        pytest.param("{k: !!, 5}", {"k": "5"}, id="a-tag-that-is-a-comma"),
        pytest.param("{k: !<a,b> 5}", {"k": "5"}, id="verbatim-tag"),
        pytest.param("{k: !!str , l: x}", {"k": "", "l": "x"}, id="empty-tagged"),
        pytest.param(
            "{k: ! 5, l: &a ! 6, m: *a}", {"k": "5", "l": "6", "m": "6"}, id="bang"
        ),
        pytest.param(
            "{k: ! yes, l: ! ~, m: ! }",
            {"k": "yes", "l": "~", "m": ""},
            id="bang-is-text",
        ),
    ],
)
def test_a_text_reads_as_in_nfd(text: str, expected: dict[str, str] | None) -> None:
    if expected is None:
        with pytest.raises(SpecError):
            labels(text)
    else:
        assert expected == labels(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("version: a?b", "a?b", id="question-mark-outside"),
        pytest.param("version: a:[b]", "a:[b]", id="colon-outside"),
        pytest.param("x: [a:]\nversion: b:[c]", "b:[c]", id="colon-in-both"),
        pytest.param("version: a\ufeffb", "a\ufeffb", id="mark-inside"),
        pytest.param(
            "version: x\n\ufeffVERSION: y", "x", id="mark-at-the-start-of-a-line"
        ),
        pytest.param(
            'x: [a:]\nversion: "\\ue000\\uE001"',
            "\ue000\ue001",
            id="stand-ins-are-free",
        ),
        pytest.param("x: [a:]\nversion: \ue000", "\ue000", id="stand-in-in-the-text"),
        pytest.param("x: [\"\\'\", a:]\nversion: |\n  \\'a:,\n", "\\'a:,\n", id="both"),
    ],
)
def test_a_version_reads_as_in_nfd(text: str, expected: str) -> None:
    assert expected == parse.read(text.encode()).version


def test_utf_16_is_spelled_anew_as_well() -> None:
    assert "a:" == parse.read("{x: [b:], version: a:}".encode("utf-16")).version


def test_an_empty_collection_as_first_key_is_the_whole_document() -> None:
    assert () == parse.read(b"{}: 1\ncompatibilities: [{}]").compatibilities


@pytest.mark.parametrize(
    "text",
    ["&a {}: 1", "!!map {}: 1", "? {}\n: 1", "a: 1\n{}: 1", "{{}: 1}", "- {}: 1"],
)
def test_elsewhere_an_empty_collection_is_no_key(text: str) -> None:
    with pytest.raises(SpecError):
        parse.read(text.encode())


@pytest.mark.parametrize("text", ["x: {}", "{}", "x: [{}, []]", "? x\n: {}"])
def test_an_empty_collection_as_a_value_is_a_value(text: str) -> None:
    assert () == parse.read(text.encode()).compatibilities


def odd_tags(count: int) -> bytes:
    return f"x: [{'!a[b] c, ' * count}]".encode()


def test_unusual_spellings_are_bounded() -> None:
    assert () == parse.read(odd_tags(4)).compatibilities  # of two brackets each
    with pytest.raises(SpecError) as caught:
        parse.read(odd_tags(5))
    assert "TooCostly" == caught.value.reason
    assert "more than 8 places where a tag or a plain scalar" in caught.value.message


def test_any_number_of_colons_is_one_spelling() -> None:
    text = f"{{x: [{'a:, ' * 5_000}], version: z}}"
    assert "z" == parse.read(text.encode()).version
