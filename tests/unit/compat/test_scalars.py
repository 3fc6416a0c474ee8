"""What a scalar means: a table of texts and what NFD's own decoder makes of them."""

from __future__ import annotations

import pytest

from app.compat import nodefeaturerule
from app.errors import SpecError

VALUES = [
    ("y", "true"),
    ("N", "false"),
    ("Yes", "true"),
    ("no", "false"),
    ("On", "true"),
    ("OFF", "false"),
    ("tRue", "tRue"),
    ("~", ""),
    ("null", ""),
    ("nUll", "nUll"),
    ("-0", "0"),
    ("+1", "1"),
    ("007", "7"),
    ("0777", "511"),
    ("08", "8"),
    ("0200", "128"),
    ("0o17", "15"),
    ("0x1F", "31"),
    ("0b101", "5"),
    ("0b-1", "-1"),
    ("0b12", "0b12"),
    ("0b", "0b"),
    ("1_000", "1000"),
    ("_1", "_1"),
    ("-_1", "-1"),
    ("1.10", "1.1"),
    ("5.10", "5.1"),
    ("22.04", "22.04"),
    ("1.0", "1"),
    ("1.", "1"),
    (".5", "0.5"),
    (".5_5", "0.55"),
    ("._5", "._5"),
    (".5__5", ".5__5"),
    ("1e3", "1000"),
    ("1E+3", "1000"),
    ("1e400", "1e400"),
    ("1e-400", "0"),
    ("1e21", "1e+21"),
    ("100000.0", "100000"),
    ("1000000.0", "1e+06"),
    ("0.0001", "0.0001"),
    ("0.00001", "1e-05"),
    ("16777217.0", "1.6777216e+07"),
    ("3.14159265358979", "3.1415927"),
    ("123456789.123", "1.2345679e+08"),
    ("3.5e38", "+Inf"),
    ("-0.0", "-0"),
    ("12:30", "12:30"),
    ("190:20:30", "190:20:30"),
    (".inf", "+Inf"),
    ("-.INF", "-Inf"),
    (".nan", "NaN"),
    ("NaN", "NaN"),
    ("Infinity", "Infinity"),
    ("2001-01-01", "2001-01-01"),
    ("9223372036854775807", "9223372036854775807"),
    ("9223372036854775808", "9223372036854775808"),
    ("-9223372036854775809", "-9.223372e+18"),
    ("18446744073709551615", "18446744073709551615"),
    ("18446744073709551616", "1.8446744e+19"),
    ("0xFFFFFFFFFFFFFFFF", "18446744073709551615"),
    ("0x10000000000000000", "0x10000000000000000"),
    ("0777777777777777777777", "9223372036854775807"),
    ("0x1p3", "0x1p3"),
    ("1.2.3", "1.2.3"),
    ("v1.2", "v1.2"),
    ('"5"', "5"),
    ("'yes'", "yes"),
    ('""', ""),
    ("! 5", "5"),
    ('! "5"', "5"),
    ("!!str 5", "5"),
    ('!!int "5"', "5"),
    ("!!float 1", "1"),
    ("!!bool yes", "true"),
    ("!!null ''", ""),
    ("!!timestamp 2001-01-01", "2001-01-01"),
    ("!!timestamp 2001-1-1t1:2:3Z", "2001-1-1t1:2:3Z"),
    ("!!timestamp 2001-1-1  1:2:3.5", "2001-1-1  1:2:3.5"),
    ("!!timestamp 0000-02-29", "0000-02-29"),
    ("!!binary aGk=", "hi"),
    ("!!binary /w==", "�"),
    ("!!binary 4oIA", "��\x00"),
    ("!foo 5", "5"),
    ("!!seq 5", "5"),
    ("<<", "<<"),
    ("!!merge <<", "<<"),
    ("a:b", "a:b"),
]
"""A scalar as the author writes it -> the string that a string field gets."""

KEYS = [
    ("3.5e38", ".inf"),
    (".inf", ".inf"),
    ("-.INF", "-.inf"),
    (".nan", ".nan"),
]
"""The few that are another text where they stand as a key."""

REFUSED = [
    ("{~: v}", 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "v"'),
    ("{null: v}", 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "v"'),
    (
        "{9223372036854775808: v}",
        'unsupported map key of type: uint64, key: 0x8000000000000000, value: "v"',
    ),
    (
        "{18446744073709551615: v}",
        'unsupported map key of type: uint64, key: 0xffffffffffffffff, value: "v"',
    ),
    (
        "{0xFFFFFFFFFFFFFFFF: v}",
        'unsupported map key of type: uint64, key: 0xffffffffffffffff, value: "v"',
    ),
    ("!!int 1.5", "yaml: cannot decode !!float `1.5` as a !!int"),
    (
        "!!float 0xFFFFFFFFFFFFFFFF",
        "yaml: cannot decode !!int `0xFFFFFFFFFFFFFFFF` as a !!float",
    ),
    ("!!bool 1", "yaml: cannot decode !!int `1` as a !!bool"),
    (
        "{!!null '': v}",
        'unsupported map key of type: %!s(<nil>), key: <nil>, value: "v"',
    ),
    ("!!null x", "yaml: cannot decode !!str `x` as a !!null"),
    (
        "!!timestamp 2001-1-1 1:2:3Z",
        "yaml: cannot decode !!str `2001-1-1 1:2:3Z` as a !!timestamp",
    ),
    (
        "!!timestamp 2001-1-1T1:2:3",
        "yaml: cannot decode !!str `2001-1-1T1:2:3` as a !!timestamp",
    ),
    (
        "!!timestamp 2001-1-1T24:2:3Z",
        "yaml: cannot decode !!str `2001-1-1T24:2:3Z` as a !!timestamp",
    ),
    ("!!timestamp 2001-1-1x", "yaml: cannot decode !!str `2001-1-1x` as a !!timestamp"),
    (
        "!!timestamp 2003-02-29",
        "yaml: cannot decode !!str `2003-02-29` as a !!timestamp",
    ),
    ("!!timestamp x", "yaml: cannot decode !!str `x` as a !!timestamp"),
    ("!!timestamp ~", "yaml: cannot decode !!null `~` as a !!timestamp"),
    ("!!binary aGk", "yaml: !!binary value contains invalid base64 data"),
    ("{<<: v}", "yaml: map merge requires map or sequence of maps as the value"),
    (
        "{!!merge <<: v}",
        "yaml: map merge requires map or sequence of maps as the value",
    ),
]
"""A value that NFD refuses -> its message, after "error converting YAML to JSON: "."""


def labels(text: str) -> dict[str, str]:
    (rule,) = nodefeaturerule.read(f"rules: [{{labels: {text}}}]".encode())
    return dict(rule.labels)


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_a_scalar_becomes_the_string_that_nfd_makes_of_it(
    text: str, expected: str
) -> None:
    assert {"k": expected} == labels(f"{{k: {text}}}")


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_an_operand_is_read_as_any_other_string(text: str, expected: str) -> None:
    spec = (
        "rules: [{matchFeatures: [{feature: a.b, matchName:"
        f" {{op: In, value: [{text}]}}}}]}}]"
    )
    (rule,) = nodefeaturerule.read(spec.encode())
    (term,) = rule.match_features
    assert term.match_name is not None
    assert (expected,) == term.match_name.value


@pytest.mark.parametrize(("text", "expected"), KEYS)
def test_a_number_without_a_value_is_spelled_in_yaml_where_it_is_a_key(
    text: str, expected: str
) -> None:
    assert {expected: "v"} == labels(f"{{{text}: v}}")


NO_KEYS = {text for text, _ in KEYS} | {
    text[1:-4] for text, _ in REFUSED if text.startswith("{")
}


@pytest.mark.parametrize(
    ("text", "expected"), [row for row in VALUES if row[0] not in NO_KEYS]
)
def test_a_scalar_is_the_same_string_as_a_key(text: str, expected: str) -> None:
    assert {expected: "v"} == labels(f"{{{text}: v}}")


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_a_scalar_that_is_not_what_its_tag_or_place_wants_is_refused(
    text: str, expected: str
) -> None:
    with pytest.raises(SpecError) as caught:
        labels(f"{{k: {text}}}")
    assert "error converting YAML to JSON: " + expected == caught.value.message
    assert "InvalidYaml" == caught.value.reason
    assert 1 == caught.value.line
    assert 22 <= (caught.value.column or 0) <= 22 + len(text)


@pytest.mark.parametrize("text", ["9" * 5000, "-" + "9" * 5000 + ".5", "1e" + "9" * 99])
def test_a_number_of_any_length_is_read(text: str) -> None:
    assert labels(f"{{k: {text}}}").keys() == {"k"}


def test_a_null_item_of_a_list_is_an_empty_string() -> None:
    spec = b"rules: [{matchFeatures: [{matchName: {value: [~, '', null]}}]}]"
    (rule,) = nodefeaturerule.read(spec)
    assert rule.match_features[0].match_name is not None
    assert ("", "", "") == rule.match_features[0].match_name.value
