"""One expression against one input, error texts included, as NFD evaluates it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from app.compat import dialects, regexp
from app.compat.operators import EVALUATION, OPERATORS, check, described, price
from app.compat.spec import MatchExpression
from app.errors import SpecError

PRESENCE = ("", "Exists", "DoesNotExist")
ORDER = ("Gt", "Ge", "Lt", "Le", "GtLt", "GeLe")
WITH_VALUE = [op for op in OPERATORS if op not in PRESENCE]


def expression(op: str, *value: str, of: str = "") -> MatchExpression:
    return MatchExpression(op, value, of)


def evaluate(one: MatchExpression, value: str) -> bool:
    return check(one)(True, value)


def error(one: MatchExpression | None, value: str = "x") -> SpecError:
    with pytest.raises(SpecError) as caught:
        check(one)(True, value)
    return caught.value


def beyond(one: MatchExpression, value: str) -> int:
    """What an expression costs beyond its operator call."""
    counts: list[int] = []
    with suppress(SpecError):
        check(one)(True, value, counts.append)
    return sum(counts)


@pytest.mark.parametrize(
    ("one", "value", "wanted"),
    [
        pytest.param(expression("In", *map(str, range(999))), "x" * 999, 0, id="in"),
        pytest.param(expression("Gt", "1"), "9" * 999, 15, id="no number, long"),
        pytest.param(expression("Gt", "1"), "9" * 63, 0, id="no number, not so long"),
        pytest.param(expression("Lt", "1"), "é" * 63, 63, id="escaped"),
        pytest.param(expression("Ge", "1"), 'a"', 2, id="a quote"),
        pytest.param(expression("Gt", "é" * 999), "7", 0, id="a bound that is none"),
        pytest.param(expression("GtLt", "1", "9"), "-" * 64, 1, id="an interval"),
        pytest.param(expression("Gt", "1"), "7", 0, id="a number"),
    ],
)
def test_what_takes_longer_than_a_call_counts(
    one: MatchExpression, value: str, wanted: int
) -> None:
    assert wanted == beyond(one, value)


def test_patterns_count_when_they_are_compiled_and_when_they_are_searched() -> None:
    regexp.forget()
    one = expression("InRegexp", "costs-a", "costs-b")
    first, second = regexp.Pattern(regexp.Vetted("costs-a")), beyond(one, "x")
    both = 2 * first.price("x")
    reading = 2 * (first.size + regexp.price_of_reading(b"costs-a"))
    assert [both + reading, both] == [second, beyond(one, "x")]
    assert first.price("costs-a") == beyond(one, "costs-a"), "the first one decides"


def test_patterns_that_no_budget_pays_for_are_read_another_time() -> None:
    def refuse(_calls: int) -> None:
        raise SpecError("TooCostly", "no more")

    regexp.forget()
    test = check(expression("InRegexp", "a"))
    with pytest.raises(SpecError, match="no more"):
        test(True, "a", refuse)
    assert test(True, "a")


@pytest.mark.parametrize(
    ("count", "wanted"), [pytest.param(15, 0, id="few"), pytest.param(16, 1, id="more")]
)
def test_making_a_check_costs_by_its_operands(count: int, wanted: int) -> None:
    assert wanted == price(expression("In", *("v",) * count))


def test_a_null_expression_costs_nothing() -> None:
    assert 0 == price(None)


def test_there_are_nfds_operators_and_no_other() -> None:
    wanted = {*PRESENCE, *ORDER, "In", "NotIn", "InRegexp", "IsTrue", "IsFalse"}
    assert wanted == set(OPERATORS)


@pytest.mark.parametrize(
    ("op", "present", "absent"),
    [("", True, True), ("Exists", True, False), ("DoesNotExist", False, True)],
)
def test_presence_is_all_that_counts_without_operands(
    op: str, *, present: bool, absent: bool
) -> None:
    test = check(expression(op))
    assert (present, present, absent) == (
        test(True, "v"),
        test(True, None),
        test(False, None),
    )


@pytest.mark.parametrize("op", PRESENCE)
def test_presence_operators_refuse_operands_even_of_what_is_absent(op: str) -> None:
    with pytest.raises(SpecError) as caught:
        check(expression(op, "a", "b"))(False, None)
    wanted = f"invalid expression, 'value' field must be empty for Op \"{op}\""
    assert caught.value.message == f"{wanted} (have [a b])"


@pytest.mark.parametrize("op", WITH_VALUE)
@pytest.mark.parametrize("operands", [(), ("(",), ("a", "b", "c")])
def test_not_in_and_all_others_are_false_when_the_element_is_absent(
    op: str, operands: tuple[str, ...]
) -> None:
    """Operands are not looked at: quirk 11 of NFD."""
    assert not check(expression(op, *operands, of="?"))(False, "")


@pytest.mark.parametrize("op", WITH_VALUE)
def test_a_flag_has_no_value_to_match(op: str) -> None:
    assert not check(expression(op, "x"))(True, None)


@pytest.mark.parametrize("is_valid", [True, False])
def test_an_unknown_operator_is_an_error_whatever_the_input(*, is_valid: bool) -> None:
    with pytest.raises(SpecError) as caught:
        check(expression("in", "x"))(is_valid, "x")
    assert (caught.value.reason, caught.value.message) == (
        EVALUATION,
        'invalid Op "in"',
    )


def test_a_null_expression_is_an_error_where_nfd_crashes() -> None:
    assert error(None).message == "the expression is null"


@pytest.mark.parametrize(
    ("one", "value", "wanted"),
    [
        pytest.param(expression("In", "a", "b"), "b", True, id="in"),
        pytest.param(expression("In", "a"), "A", False, id="in-minds-case"),
        pytest.param(expression("NotIn", "a", "b"), "c", True, id="not-in"),
        pytest.param(expression("NotIn", "a", "b"), "b", False, id="not-not-in"),
        pytest.param(expression("InRegexp", "^a", "c$"), "bc", True, id="any-pattern"),
        pytest.param(expression("InRegexp", "^a", "c$"), "b", False, id="no-pattern"),
        pytest.param(expression("InRegexp", "VX"), "AVX2", True, id="one-pattern"),
        pytest.param(expression("Gt", "5"), "6", True, id="gt"),
        pytest.param(expression("Gt", "5"), "5", False, id="not-gt"),
        pytest.param(expression("Ge", "5"), "+05", True, id="ge"),
        pytest.param(expression("Lt", "5"), "-5", True, id="lt"),
        pytest.param(expression("Lt", "5"), "5", False, id="not-lt"),
        pytest.param(expression("Le", "5"), "5", True, id="le"),
        pytest.param(expression("GtLt", "1", "5"), "2", True, id="inside"),
        pytest.param(expression("GtLt", "1", "5"), "5", False, id="open-end"),
        pytest.param(expression("GeLe", "1", "5"), "5", True, id="closed-end"),
        pytest.param(expression("GeLe", "1", "5"), "6", False, id="outside"),
        pytest.param(expression("IsTrue"), "true", True, id="true"),
        pytest.param(expression("IsTrue"), "True", False, id="true-in-lower-case"),
        pytest.param(expression("IsTrue"), "1", False, id="one-is-not-true"),
        pytest.param(expression("IsFalse"), "false", True, id="false"),
        pytest.param(expression("IsFalse"), "", False, id="nothing-is-not-false"),
        pytest.param(
            expression("Ge", "5.15", of="version"),
            "5.15.0-1034-aws",
            True,
            id="version",
        ),
        pytest.param(
            expression("Lt", "1.10", of="version"), "1.9", True, id="version-by-number"
        ),
        pytest.param(
            expression("GeLe", "5", "5", of="version"), "5.0", True, id="one-version"
        ),
        pytest.param(
            expression("GtLt", "9", "1", of="version"),
            "5",
            False,
            id="versions-reversed",
        ),
        pytest.param(expression("In", "a", of="?"), "a", True, id="type-is-ignored"),
    ],
)
def test_operators_compare_as_nfd_does(
    one: MatchExpression, value: str, *, wanted: bool
) -> None:
    assert wanted is evaluate(one, value)


@pytest.mark.parametrize(
    ("one", "value", "wanted"),
    [
        *(
            pytest.param(
                expression(op),
                "x",
                f"invalid expression, 'value' field must be non-empty for Op \"{op}\"",
                id=f"{op}-without-operands",
            )
            for op in ("In", "NotIn", "InRegexp")
        ),
        pytest.param(
            expression("InRegexp", "x", "("),
            "x",
            "invalid expressiom, 'value' field must only contain valid regexps "
            'for Op "InRegexp" (have [x (])',
            id="a-bad-pattern-behind-one-that-matches",
        ),
        pytest.param(
            expression("Gt", "1", "2"),
            "x",
            "invalid expression, 'value' field must contain exactly one element "
            'for Op "Gt" (have [1 2])',
            id="two-bounds-for-one",
        ),
        pytest.param(
            expression("GtLt", "1"),
            "x",
            "invalid expression, 'value' field must contain exactly two elements "
            'for Op "GtLt" (have [1])',
            id="one-bound-for-two",
        ),
        *(
            pytest.param(
                expression(op, *operands, of="semver"),
                "x",
                "invalid expression, 'type' field only accepts \"version\" value "
                f'for Op "{op}" (have "semver")',
                id=f"{op}-of-unknown-type",
            )
            for op, operands in (("Gt", ("x",)), ("GeLe", ("x", "y")))
        ),
        pytest.param(
            expression("Gt", "y"), "x", 'not a number "x"', id="the-input-is-read-first"
        ),
        pytest.param(
            expression("Gt", "y"),
            "1",
            'not a number "y" in {op: "Gt", value: ["y"]}',
            id="then-the-operand",
        ),
        pytest.param(
            expression("GtLt", "1", "y"), "x", 'not a number "x"', id="input-of-two"
        ),
        pytest.param(
            expression("GtLt", "x", "y"),
            "1",
            'not a number "x" in {op: "GtLt", value: ["x" "y"]}',
            id="first-operand-of-two",
        ),
        pytest.param(
            expression("GtLt", "1", "y"),
            "1",
            'not a number "y" in {op: "GtLt", value: ["1" "y"]}',
            id="second-operand-of-two",
        ),
        pytest.param(
            expression("GeLe", "5", "5"),
            "5",
            "invalid expression, value[0] must be less than Value[1] "
            'for Op "GeLe" (have [5 5])',
            id="an-interval-of-one-number",
        ),
        pytest.param(
            expression("Lt", "1", of="version"),
            "5.14.0-362.8.1.el9_3.x86_64",
            'not a version "5.14.0-362.8.1.el9_3.x86_64"',
            id="a-kernel-of-rhel-is-no-version",
        ),
        pytest.param(
            expression("GeLe", "1", "1_", of="version"),
            "1",
            'not a version "1_" in {op: "GeLe", value: ["1" "1_"]}',
            id="a-version-operand",
        ),
        *(
            pytest.param(
                expression(op, "true"),
                "true",
                f"invalid expression, 'value' field must be empty for Op \"{op}\" "
                "(have [true])",
                id=f"{op}-with-operands",
            )
            for op in ("IsTrue", "IsFalse")
        ),
    ],
)
def test_errors_are_nfds_words(one: MatchExpression, value: str, wanted: str) -> None:
    caught = error(one, value)
    assert (EVALUATION, wanted) == (caught.reason, caught.message)


def test_a_pattern_that_only_go_takes_is_named() -> None:
    caught = error(expression("InRegexp", "a", r"\p{Letter}"))
    assert caught.reason == dialects.UNSUPPORTED
    wanted = f'pattern "\\\\p{{Letter}}": {dialects.GO_ONLY["class"]}'
    assert wanted == caught.message


def test_an_expression_is_described_without_its_type() -> None:
    assert described(expression("Exists")) == '{op: "Exists"}'
    one = expression("In", "a", 'b"', of="version")
    assert described(one) == '{op: "In", value: ["a" "b\\""]}'
