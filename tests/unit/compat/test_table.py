# ruff: noqa: E501 - goldens are as wide as tables
"""The table of `nfd compat validate-node`; every golden was drawn by go-pretty."""

from __future__ import annotations

import re

import pytest

from app.compat.columns import width
from app.compat.spec import MatchExpression
from app.compat.status import CompatibilityStatus, MatchedExpression, RuleStatus
from app.compat.table import render


def row(
    feature: str, name: str, op: str, *value: str, ok: bool = True
) -> MatchedExpression:
    matcher = "matchExpression" if name else "matchName"
    return MatchedExpression(feature, name, MatchExpression(op, value), matcher, ok)


NICS = CompatibilityStatus(
    (
        RuleStatus(
            "nics",
            is_match=True,
            matched_any=(
                (row("pci.device", "class", "In", "0600"),),
                (row("pci.device", "vendor", "In", "0fff", ok=False),),
            ),
        ),
    ),
    description="My image requirements",
    weight=10,
    tag="prefered",
)

LONG_NAME = (
    "a rule whose name is much longer than the table that stands under it, "
    "and_has_words_that_do_not_fit_into_one_line_of_it_at_all"
)


def plain(rule: RuleStatus) -> str:
    """The table of one rule, without the two lines of its set."""
    text = render([CompatibilityStatus((rule,))], colour=False)
    return text.removeprefix("COMPATIBILITY SET #1 Weight: 0\nDescription: \n")


def test_a_set_is_printed_as_nfd_prints_it() -> None:
    assert render([NICS], colour=False) == (
        "COMPATIBILITY SET #1 Weight: 10; Tag: prefered\n"
        "Description: My image requirements\n"
        "┌────────────────────────────────────────────────────────────────────────────────┐\n"
        "│ RULE: NICS -  OK                                                               │\n"
        "├───┬───────────────────┬─────────────────────────────┬─────────────────┬────────┤\n"
        "│   │ Feature           │ Expression                  │ Matcher Type    │ Status │\n"
        "├───┼───────────────────┼─────────────────────────────┼─────────────────┼────────┤\n"
        '│ 1 │ pci.device.class  │ {op: "In", value: ["0600"]} │ matchExpression │ OK     │\n'
        "├───┼───────────────────┼─────────────────────────────┼─────────────────┼────────┤\n"
        '│ 2 │ pci.device.vendor │ {op: "In", value: ["0fff"]} │ matchExpression │ FAIL   │\n'
        "└───┴───────────────────┴─────────────────────────────┴─────────────────┴────────┘\n"
        "\n"
    )


def test_a_set_is_coloured_as_nfd_colours_it() -> None:
    assert render([NICS], colour=True) == (
        "\x1b[36;1mCOMPATIBILITY SET #1 \x1b[0m\x1b[36mWeight: 10\x1b[0m"
        "\x1b[36m; Tag: prefered\x1b[0m\n"
        "\x1b[37mDescription: My image requirements\x1b[0m\n"
        "┌────────────────────────────────────────────────────────────────────────────────┐\n"
        "│ \x1b[1mRULE: NICS - \x1b[42m OK \x1b[0m                                                              │\n"
        "├───┬───────────────────┬─────────────────────────────┬─────────────────┬────────┤\n"
        "│   │ Feature           │ Expression                  │ Matcher Type    │ Status │\n"
        "├───┼───────────────────┼─────────────────────────────┼─────────────────┼────────┤\n"
        '│ 1 │ pci.device.class  │ {op: "In", value: ["0600"]} │ matchExpression │ \x1b[92mOK\x1b[0m     │\n'
        "├───┼───────────────────┼─────────────────────────────┼─────────────────┼────────┤\n"
        '│ 2 │ pci.device.vendor │ {op: "In", value: ["0fff"]} │ matchExpression │ \x1b[91mFAIL\x1b[0m   │\n'
        "└───┴───────────────────┴─────────────────────────────┴─────────────────┴────────┘\n"
        "\n"
    )


def test_wide_characters_take_two_columns_and_marks_none() -> None:
    rule = RuleStatus(
        "世界 ß ﬁ",
        is_match=False,
        matched_expressions=(
            row("日本.機能", "", "Exists"),
            row("a.b", "e\u0301", "In", "😀", ok=False),
        ),
    )
    assert plain(rule) == (
        "┌──────────────────────────────────────────────────────────────────────┐\n"
        "│ RULE: 世界 ß ﬁ -  FAIL                                               │\n"
        "├───┬───────────┬───────────────────────────┬─────────────────┬────────┤\n"
        "│   │ Feature   │ Expression                │ Matcher Type    │ Status │\n"
        "├───┼───────────┼───────────────────────────┼─────────────────┼────────┤\n"
        '│ 1 │ 日本.機能 │ {op: "Exists"}            │ matchName       │ OK     │\n'
        '│ 2 │ a.b.e\u0301     │ {op: "In", value: ["😀"]} │ matchExpression │ FAIL   │\n'
        "└───┴───────────┴───────────────────────────┴─────────────────┴────────┘\n"
        "\n"
    )


def test_sets_and_rules_without_anything_in_them_are_printed() -> None:
    empty = CompatibilityStatus(rules=())
    rule = CompatibilityStatus((RuleStatus("none", is_match=True),))
    assert render([rule, empty], colour=False) == (
        "COMPATIBILITY SET #1 Weight: 0\n"
        "Description: \n"
        "┌──────────────────────────────────────────────────┐\n"
        "│ RULE: NONE -  OK                                 │\n"
        "├───┬─────────┬────────────┬──────────────┬────────┤\n"
        "│   │ Feature │ Expression │ Matcher Type │ Status │\n"
        "├───┼─────────┼────────────┼──────────────┼────────┤\n"
        "└───┴─────────┴────────────┴──────────────┴────────┘\n"
        "\n"
        "COMPATIBILITY SET #2 Weight: 0\n"
        "Description: \n"
        "\n"
    )
    assert render([], colour=True) == ""


def test_numbers_are_as_wide_as_the_last_one() -> None:
    """Elements without expressions draw no line of their own."""
    rows = tuple(row("f", str(number), "Exists") for number in range(9))
    rule = RuleStatus(
        "ten",
        is_match=True,
        matched_expressions=rows,
        matched_any=((), (row("f", "x", "Exists"),), ()),
    )
    assert plain(rule).splitlines()[-5:] == [
        '│  9 │ f.8     │ {op: "Exists"} │ matchExpression │ OK     │',
        "├────┼─────────┼────────────────┼─────────────────┼────────┤",
        '│ 10 │ f.x     │ {op: "Exists"} │ matchExpression │ OK     │',
        "└────┴─────────┴────────────────┴─────────────────┴────────┘",
        "",
    ]


def test_a_long_title_is_wrapped() -> None:
    rule = RuleStatus(LONG_NAME, False, (row("a", "b", "Exists"),))
    assert plain(rule).splitlines()[:5] == [
        "┌─────────────────────────────────────────────────────────┐",
        "│ RULE: A RULE WHOSE NAME IS MUCH LONGER THAN THE TABLE T │",
        "│ HAT STANDS UNDER IT, AND_HAS_WORDS_THAT_DO_NOT_FIT_INTO │",
        "│ _ONE_LINE_OF_IT_AT_ALL - FAIL                           │",
        "├───┬─────────┬────────────────┬─────────────────┬────────┤",
    ]


def test_colours_are_carried_over_to_the_next_line_of_a_title() -> None:
    rule = RuleStatus(LONG_NAME, False, (row("a", "b", "Exists"),))
    text = render([CompatibilityStatus((rule,))], colour=True)
    assert text.splitlines()[3:6] == [
        "│ \x1b[1mRULE: A RULE WHOSE NAME IS MUCH LONGER THAN THE TABLE T\x1b[0m │",
        "│ \x1b[1mHAT STANDS UNDER IT, AND_HAS_WORDS_THAT_DO_NOT_FIT_INTO\x1b[0m │",
        "│ \x1b[1m_ONE_LINE_OF_IT_AT_ALL - \x1b[41m FAIL \x1b[0m                         │",
    ]


@pytest.mark.parametrize("colour", [True, False])
def test_titles_of_every_length_keep_the_frame(*, colour: bool) -> None:
    for length in range(30, 140):
        name = " ".join(["x" * (length % 7 + 1)] * (length // (length % 7 + 2)))
        rule = RuleStatus(name, True, (row("a", "b", "Exists"),))
        text = render([CompatibilityStatus((rule,))], colour=colour)
        bare = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in text.splitlines()]
        assert {width(line) for line in bare[2:-1]} == {59}


def test_control_characters_are_shown_and_not_obeyed() -> None:
    hostile = CompatibilityStatus(
        (
            RuleStatus(
                "a\x1b[2Jb\n",
                is_match=True,
                matched_expressions=(row("f\r", "\t", "Exists"),),
            ),
        ),
        description="two\nlines\x1b]0;x\x07\u202e\u2066\u200b",
        tag="t\x9b",
    )
    text = render([hostile], colour=False)
    odd = "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]"
    assert [] == re.findall(odd, text)
    assert "; Tag: t\\u009b\n" in text
    told = "two\\nlines\\x1b]0;x\\a\\u202e\\u2066\\u200b"
    assert f"Description: {told}\n" in text
    assert "RULE: A\\x1b[2JB\\n - " in text
    assert "│ f\\r.\\t  │" in text


def test_a_percent_sign_in_a_name_is_printed_as_it_is() -> None:
    """NFD takes the name for a format here; we do not copy that."""
    assert "│ RULE: 50% FREE -  OK " in plain(RuleStatus("50% free", is_match=True))


def test_a_null_expression_is_printed_where_nfd_crashes() -> None:
    rows = (MatchedExpression("a", "b", None, "matchExpression", is_match=False),)
    assert "│ 1 │ a.b     │ null       │" in plain(RuleStatus("r", False, rows))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("abc", 3, id="ascii"),
        pytest.param("\x00\x1f\x7f", 0, id="control-characters"),
        pytest.param("e\u0301", 1, id="a-combining-mark"),
        pytest.param("世😀", 4, id="wide"),
        pytest.param("é\u0378", 2, id="narrow-and-unassigned"),
        pytest.param("\U0010ffff", 1, id="the-last-character"),
    ],
)
def test_columns_are_counted_as_go_runewidth_counts(text: str, wanted: int) -> None:
    assert wanted == width(text)
