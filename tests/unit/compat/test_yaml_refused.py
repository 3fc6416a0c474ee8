"""Texts that NFD refuses as YAML: its own messages, and the place for a person."""

from __future__ import annotations

import pytest

from app.compat import parse
from app.errors import SpecError

REFUSED = [
    ("a: b: c", "yaml: mapping values are not allowed in this context", (1, 5)),
    ("a:\n\tb", "yaml: line 2: found character that cannot start any token", (2, 1)),
    (
        "compatibilities:\n- [",
        "yaml: line 2: did not find expected node content",
        (3, 1),
    ),
    ("compatibilities: [}", "yaml: did not find expected node content", (1, 19)),
    ('a: "x', "yaml: found unexpected end of stream", (1, 4)),
    ("a: 'x\n---\n", "yaml: line 2: found unexpected document indicator", (1, 4)),
    ("\na: *x", "yaml: unknown anchor 'x' referenced", (2, 4)),
    ("*x", "yaml: unknown anchor 'x' referenced", (1, 1)),
    ("a: &a [*a]", "yaml: anchor 'a' value contains itself", (1, 8)),
    ("a: &a {<<: *a}", "yaml: anchor 'a' value contains itself", (1, 12)),
    ("- a\nb: c", "yaml: line 1: did not find expected '-' indicator", (2, 1)),
    ("a: 1\nb", "yaml: line 3: could not find expected ':'", (2, 1)),
    ("@", "yaml: found character that cannot start any token", (1, 1)),
    ("a: `x", "yaml: found character that cannot start any token", (1, 4)),
    ("%YAML 1.2\n---\na: 1", "yaml: found incompatible YAML document", (1, 1)),
    (
        "\n%YAML 1.2\n---\na: 1",
        "yaml: line 1: found incompatible YAML document",
        (2, 1),
    ),
    ("%YAML 2.0\n--- x", "yaml: found incompatible YAML document", (1, 1)),
    ("%FOO\n--- x", "yaml: found unknown directive name", (1, 5)),
    ("%TAG x\n--- x", "yaml: did not find expected '!'", (1, 6)),
    ("a: !e!x b", "yaml: found undefined tag handle", (1, 4)),
    (
        "a: |\n\tb",
        "yaml: line 2: found a tab character where an indentation space is expected",
        (2, 1),
    ),
    ("a: |0\n b", "yaml: found an indentation indicator equal to 0", (1, 5)),
    ('a: "\\q"', "yaml: found unknown escape character", (1, 5)),
    ('a: "\\ud800"', "yaml: found invalid Unicode character escape code", (1, 7)),
    ("[a?b]", "yaml: did not find expected ',' or ']'", (1, 3)),
    ("\n[a?b]", "yaml: line 1: did not find expected ',' or ']'", (2, 3)),
    ("x:\n- {a?b: c}\n", "yaml: line 1: did not find expected ',' or '}'", (2, 5)),
    ("[a?b: c]", "yaml: did not find expected ',' or ']'", (1, 3)),
    ("[? a?b : c]", "yaml: did not find expected ',' or ']'", (1, 5)),
    ("{? a?b : c}", "yaml: did not find expected ',' or '}'", (1, 5)),
    ("x: [\na\nb?]", "yaml: line 2: did not find expected ',' or ']'", (3, 2)),
    ('x: ["\\/"]', "yaml: found unknown escape character", (1, 6)),
    ('\nx: ["a\n\\/"]', "yaml: line 3: found unknown escape character", (3, 1)),
    ("[a: *b]", "yaml: unknown anchor 'b' referenced", (1, 5)),
    (
        "{<<: 1}",
        "yaml: map merge requires map or sequence of maps as the value",
        (1, 6),
    ),
    (
        "{<<: [1]}",
        "yaml: map merge requires map or sequence of maps as the value",
        (1, 7),
    ),
    (
        "{<<: [[{a: b}]]}",
        "yaml: map merge requires map or sequence of maps as the value",
        (1, 7),
    ),
    (
        "x: &a [1]\ny: {<<: *a}",
        "yaml: map merge requires map or sequence of maps as the value",
        (2, 9),
    ),
    (
        "x: &a [1]\ny: {<<: [*a]}",
        "yaml: map merge requires map or sequence of maps as the value",
        (2, 10),
    ),
    ("{[1]: x}", "yaml: invalid map key: []interface {}{1}", (1, 2)),
    (
        "? {a: {1: yes, 2.5: ~}}\n: x",
        (
            'yaml: invalid map key: map[interface {}]interface {}{"a":'
            "map[interface {}]interface {}{1:true, 2.5:interface {}(nil)}}"
        ),
        (1, 3),
    ),
    (
        '{&a x: 1, ? [*a, "\\""] : 2}',
        'yaml: invalid map key: []interface {}{"x", "\\""}',
        (1, 13),
    ),
    (
        "{a: {~: [~, 0.5, 18446744073709551615, {b: c}]}}",
        (
            "unsupported map key of type: %!s(<nil>), key: <nil>, value: "
            "[]interface {}{interface {}(nil), 0.5, 0xffffffffffffffff, "
            'map[interface {}]interface {}{"b":"c"}}'
        ),
        (1, 6),
    ),
    (
        "[{~: ~}]",
        "unsupported map key of type: %!s(<nil>), key: <nil>, value: <nil>",
        (1, 3),
    ),
    (
        "18446744073709551615: 1",
        "unsupported map key of type: uint64, key: 0xffffffffffffffff, value: 1",
        (1, 1),
    ),
    ("x: .nan", "json: unsupported value: NaN", (1, 4)),
    ("x: [{y: -.inf}]", "json: unsupported value: -Inf", (1, 9)),
    ("version: .nan\nx: .inf", "json: unsupported value: +Inf", (2, 4)),
    ("a: !!binary x", "yaml: !!binary value contains invalid base64 data", (1, 4)),
    ("a: !<x", "yaml: did not find the expected '>'", (1, 7)),
    ("\x01", "yaml: control characters are not allowed", (1, 1)),
    ("a: b\n\n  é\x7f", "yaml: control characters are not allowed", (3, 4)),
    ("{a: b", "yaml: line 1: did not find expected ',' or '}'", (2, 1)),
    ("[a, b", "yaml: line 1: did not find expected ',' or ']'", (2, 1)),
    ("a: ]", "yaml: did not find expected node content", (1, 4)),
    ("? a\n? b\n- c", "yaml: line 2: did not find expected key", (3, 1)),
    (
        "{a: b}: c",
        'yaml: invalid map key: map[interface {}]interface {}{"a":"b"}',
        (1, 1),
    ),
    ("a: !x%2", "yaml: did not find URI escaped octet", (1, 6)),
    ("rules: [{taints: [{timeAdded: .nan}]}]", "json: unsupported value: NaN", (1, 31)),
]
"""A text -> NFD's message after its prefix, and the place it is about.

NFD's lines are left as they are: absent in the first line, and one too small where
the parser, not the scanner, found the fault.
"""


@pytest.mark.parametrize(("text", "message", "place"), REFUSED)
def test_what_nfd_cannot_read_is_refused_in_its_words(
    text: str, message: str, place: tuple[int, int]
) -> None:
    with pytest.raises(SpecError) as caught:
        parse.read(text.encode())
    assert "error converting YAML to JSON: " + message == caught.value.message
    assert "InvalidYaml" == caught.value.reason
    assert place == (caught.value.line, caught.value.column)


@pytest.mark.parametrize(
    ("content", "message", "place"),
    [
        pytest.param(
            b"a: \xff", "invalid leading UTF-8 octet", (1, 4), id="no-lead-byte"
        ),
        pytest.param(
            b"a:\n \xc3(", "invalid trailing UTF-8 octet", (2, 3), id="no-tail-byte"
        ),
        pytest.param(
            b"\xe2\x82", "incomplete UTF-8 octet sequence", (1, 1), id="cut-short"
        ),
        pytest.param(
            b"\xc0\x80", "invalid length of a UTF-8 sequence", (1, 1), id="overlong"
        ),
        pytest.param(
            b"\xed\xa0\x80", "invalid Unicode character", (1, 1), id="surrogate"
        ),
        pytest.param(
            b"a: \x00", "control characters are not allowed", (1, 4), id="nul"
        ),
        pytest.param(
            b"\xff\xfea\x00\x00\xdc",
            "unexpected low surrogate area",
            (1, 2),
            id="utf-16",
        ),
    ],
)
def test_bytes_that_are_no_text_are_refused_in_its_words(
    content: bytes, message: str, place: tuple[int, int]
) -> None:
    with pytest.raises(SpecError) as caught:
        parse.read(content)
    assert "error converting YAML to JSON: yaml: " + message == caught.value.message
    assert place == (caught.value.line, caught.value.column)


def test_a_tag_that_is_no_text_is_refused() -> None:
    with pytest.raises(SpecError, match="a tag is no UTF-8 text"):
        parse.read(b"a: !%c0%80 x")


def test_a_long_value_is_cut_and_control_characters_are_escaped() -> None:
    with pytest.raises(SpecError) as caught:
        parse.read(b'a: !!int "\\e' + b"x" * 1000 + b'"')
    assert (
        "error converting YAML to JSON: yaml: cannot decode !!str `\\x1b"
        + "x" * 199
        + "...` as a !!int"
    ) == caught.value.message
