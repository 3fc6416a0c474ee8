from __future__ import annotations

import pytest

from app.errors import ConfigError
from app.scheduling.node import Node
from app.scheduling.selector import (
    Requirement,
    as_test,
    integer,
    is_label_key,
    is_label_value,
    parse,
)

NODE = Node("n", {"zone": "a", "number": "5", "empty": "", "word": "x"})


@pytest.mark.parametrize(
    ("expected", "key", "operator", "values"),
    [
        pytest.param(True, "zone", "In", ("b", "a"), id="in-one-of"),
        pytest.param(False, "zone", "In", ("b",), id="in-other"),
        pytest.param(False, "absent", "In", ("a",), id="in-absent"),
        pytest.param(False, "absent", "In", ("",), id="in-absent-is-not-empty"),
        pytest.param(True, "empty", "In", ("",), id="in-empty"),
        pytest.param(False, "zone", "NotIn", ("b", "a"), id="not-in-one-of"),
        pytest.param(True, "zone", "NotIn", ("b",), id="not-in-other"),
        pytest.param(True, "absent", "NotIn", ("a",), id="not-in-absent"),
        pytest.param(True, "absent", "NotIn", ("",), id="not-in-absent-empty"),
        pytest.param(True, "empty", "Exists", (), id="exists-empty"),
        pytest.param(False, "absent", "Exists", (), id="exists-absent"),
        pytest.param(False, "zone", "DoesNotExist", (), id="does-not-exist"),
        pytest.param(True, "absent", "DoesNotExist", (), id="does-not-exist-absent"),
        pytest.param(True, "number", "Gt", ("4",), id="gt"),
        pytest.param(False, "number", "Gt", ("5",), id="gt-is-strict"),
        pytest.param(True, "number", "Lt", ("6",), id="lt"),
        pytest.param(False, "number", "Lt", ("5",), id="lt-is-strict"),
        pytest.param(True, "number", "Gt", ("04",), id="gt-leading-zero"),
        pytest.param(False, "absent", "Gt", ("4",), id="gt-absent"),
        pytest.param(False, "absent", "Lt", ("4",), id="lt-absent"),
        pytest.param(False, "empty", "Lt", ("4",), id="lt-empty"),
        pytest.param(False, "word", "Gt", ("4",), id="gt-word"),
        pytest.param(False, "word", "Lt", ("4",), id="lt-word"),
    ],
)
def test_a_requirement_tests_a_label(
    expected: bool, key: str, operator: str, values: tuple[str, ...]
) -> None:
    test = as_test(Requirement(key, operator, values))
    assert test is not None
    assert expected is test(NODE)


@pytest.mark.parametrize(
    ("key", "operator", "values"),
    [
        pytest.param("zone", "In", (), id="in-without-value"),
        pytest.param("zone", "NotIn", (), id="not-in-without-value"),
        pytest.param("zone", "Exists", ("a",), id="exists-with-value"),
        pytest.param("zone", "DoesNotExist", ("a",), id="does-not-exist-with-value"),
        pytest.param("zone", "Gt", (), id="gt-without-value"),
        pytest.param("zone", "Gt", ("1", "2"), id="gt-with-two"),
        pytest.param("zone", "Lt", (), id="lt-without-value"),
        pytest.param("zone", "Lt", ("1", "2"), id="lt-with-two"),
        pytest.param("zone", "Gt", ("x",), id="gt-with-word"),
        pytest.param("zone", "Lt", ("1_0",), id="lt-with-underscore"),
        pytest.param("zone", "Gt", ("+4",), id="a-signed-bound-is-no-label-value"),
        pytest.param("zone", "Gt", ("-4",), id="nor-is-a-negative-one"),
        pytest.param("zone", "Gt", (str(2**63),), id="gt-beyond-int64"),
        pytest.param("zone", "Near", ("a",), id="unknown-operator"),
        pytest.param("zone", "in", ("a",), id="lower-case-operator"),
        pytest.param("zone", "", (), id="no-operator"),
        pytest.param("", "Exists", (), id="empty-key"),
        pytest.param("zone", "In", ("a", "a b"), id="one-bad-value-spoils-all"),
        pytest.param("zone", "NotIn", ("v" * 64,), id="long-value"),
    ],
)
def test_an_invalid_requirement_is_no_test(
    key: str, operator: str, values: tuple[str, ...]
) -> None:
    assert as_test(Requirement(key, operator, values)) is None


def test_a_requirement_that_was_not_read_is_invalid() -> None:
    assert as_test(Requirement()) is None


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        pytest.param(5, "5", id="plain"),
        pytest.param(5, "+5", id="plus"),
        pytest.param(-5, "-5", id="minus"),
        pytest.param(7, "007", id="leading-zeros"),
        pytest.param(0, "-0", id="minus-zero"),
        pytest.param(0, "000", id="zeros"),
        pytest.param(6, "0" * 5000 + "6", id="more-digits-than-int-takes"),
        pytest.param(2**63 - 1, "9223372036854775807", id="largest"),
        pytest.param(None, "9223372036854775808", id="beyond-largest"),
        pytest.param(-(2**63), "-9223372036854775808", id="smallest"),
        pytest.param(None, "-9223372036854775809", id="beyond-smallest"),
        pytest.param(None, "1" * 5000, id="far-beyond"),
        pytest.param(None, "1_000", id="underscore"),
        pytest.param(None, " 5", id="space"),
        pytest.param(None, "5\n", id="newline"),
        pytest.param(None, "٥", id="other-script"),
        pytest.param(None, "1.5", id="fraction"),
        pytest.param(None, "0x5", id="hex"),
        pytest.param(None, "+", id="sign-alone"),
        pytest.param(None, "", id="empty"),
    ],
)
def test_integers_are_those_of_go(expected: int | None, text: str) -> None:
    assert expected == integer(text)


@pytest.mark.parametrize(
    ("expected", "key"),
    [
        pytest.param(True, "zone", id="plain"),
        pytest.param(True, "Zo_n.e-1", id="all-characters"),
        pytest.param(True, "k" * 63, id="name-at-its-limit"),
        pytest.param(False, "k" * 64, id="name-beyond-its-limit"),
        pytest.param(True, "p" * 253 + "/k", id="prefix-at-its-limit"),
        pytest.param(False, "p" * 254 + "/k", id="prefix-beyond-its-limit"),
        pytest.param(True, "a-b.c/k", id="prefix"),
        pytest.param(False, "A.b/k", id="upper-case-prefix"),
        pytest.param(False, "a_b/k", id="underscore-in-prefix"),
        pytest.param(False, "a..b/k", id="empty-label-in-prefix"),
        pytest.param(False, "/k", id="empty-prefix"),
        pytest.param(False, "a/", id="empty-name"),
        pytest.param(False, "a/b/c", id="two-slashes"),
        pytest.param(False, "", id="empty"),
        pytest.param(False, "-k", id="begins-with-hyphen"),
        pytest.param(False, "k\n", id="newline"),
        pytest.param(False, "é", id="not-ascii"),
    ],
)
def test_a_label_key_is_a_qualified_name(expected: bool, key: str) -> None:
    assert expected is is_label_key(key)


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        pytest.param(True, "", id="empty"),
        pytest.param(True, "1.5-b_C", id="all-characters"),
        pytest.param(True, "v" * 63, id="at-its-limit"),
        pytest.param(False, "v" * 64, id="beyond-its-limit"),
        pytest.param(False, "v.", id="ends-with-dot"),
        pytest.param(False, "a/b", id="slash"),
        pytest.param(False, "v\n", id="newline"),
    ],
)
def test_a_label_value_is_short_and_plain(expected: bool, value: str) -> None:
    assert expected is is_label_value(value)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        pytest.param((), "", id="empty"),
        pytest.param((), "  ", id="blank"),
        pytest.param(
            (Requirement("type", "In", ("virtual-kubelet",)),),
            "type=virtual-kubelet",
            id="equal",
        ),
        pytest.param((Requirement("a", "In", ("b",)),), " a == b ", id="double-equal"),
        pytest.param((Requirement("a", "In", ("",)),), "a=", id="empty-value"),
        pytest.param((Requirement("a", "NotIn", ("b",)),), "a!=b", id="not-equal"),
        pytest.param((Requirement("a", "Exists"),), "a", id="exists"),
        pytest.param((Requirement("a", "DoesNotExist"),), "! a", id="absent"),
        pytest.param((Requirement("a", "Gt", ("1",)),), "a>1", id="greater"),
        pytest.param((Requirement("a", "Lt", ("1",)),), "a < 1", id="less"),
        pytest.param(
            (Requirement("a", "In", ("b", "c")),), "a in ( b,c )", id="in-a-set"
        ),
        pytest.param(
            (Requirement("a", "NotIn", ("",)),), "a notin()", id="not-in-empty"
        ),
        pytest.param((Requirement("in", "In", ("in",)),), "in in (in)", id="words"),
        pytest.param(
            (
                Requirement("x.y/a", "In", ("b",)),
                Requirement("c", "DoesNotExist"),
                Requirement("d", "Exists"),
            ),
            "x.y/a=b, !c ,d",
            id="several",
        ),
    ],
)
def test_a_selector_is_read_as_kubectl_reads_it(
    expected: tuple[Requirement, ...], text: str
) -> None:
    assert expected == parse(text)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        pytest.param(1, ",", id="comma-alone"),
        pytest.param(1, "a,", id="comma-at-the-end"),
        pytest.param(1, "a b", id="two-words"),
        pytest.param(1, "=b", id="no-key"),
        pytest.param(1, "a=b c", id="space-in-value"),
        pytest.param(1, "a in b", id="set-without-parentheses"),
        pytest.param(1, "a in (b", id="set-without-end"),
        pytest.param(1, "a>x", id="bound-is-no-integer"),
        pytest.param(1, "!a=b", id="absent-with-value"),
        pytest.param(5, "a=b,-c=d", id="second-key-is-invalid"),
        pytest.param(1, "a=" + "v" * 64, id="value-is-too-long"),
    ],
)
def test_a_bad_selector_names_the_column(column: int, text: str) -> None:
    with pytest.raises(ConfigError, match=f"at column {column}:") as caught:
        parse(text)
    assert "InvalidSelector" == caught.value.reason
