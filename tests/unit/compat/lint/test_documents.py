"""Keys that stand twice, documents that nobody reads."""

from __future__ import annotations

import pytest

from app.compat.lint import lint
from tests.unit.compat.lint.examples import codes, of_expressions, of_sets, only

GOOD = "- rules: [{name: a, vars: {a: b}}]\n"


def test_a_key_that_stands_twice_names_the_first_line() -> None:
    problem = only(of_sets("- rules: []\n  rules: [{name: a, vars: {a: b}}]\n"))
    assert ("duplicate-key", 4, 3) == (problem.code, problem.line, problem.column)
    assert '"rules" stands in line 3 already: NFD takes the last' == problem.message
    assert "$.compatibilities[0].rules" == problem.path


def test_an_anchored_key_may_stand_twice() -> None:
    spec = of_expressions("local.label", "&n a: {op: Exists}\n*n : {op: Exists}")
    assert ["duplicate-key"] == codes(spec)


def test_merge_keys_may_be_repeated() -> None:
    spec = of_sets(
        """\
- &one {rules: [{name: a, vars: {a: b}}]}
- &two {weight: 5, <<: *one}
- {<<: *one, <<: *two}
"""
    )
    assert [] == codes(spec)


def test_a_key_that_is_no_text_is_no_duplicate() -> None:
    assert "yaml-syntax" in codes(of_sets("- {[a]: 1, [a]: 2}"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("---\na: b\n", 4, id="marked"),
        pytest.param("---\n", 4, id="empty"),
        pytest.param("--- {a: b}\n", 4, id="on the line of the mark"),
        pytest.param("...\na: b\n", 4, id="after an end"),
        pytest.param("... # end\n\n---\na: b", 4, id="after an end, marked"),
        pytest.param("\n---\r\na: b\n", 5, id="carriage return"),
    ],
)
def test_a_second_document_is_warned_of(text: str, line: int) -> None:
    problem = only(of_sets(GOOD + text))
    assert ("second-document", line) == (problem.code, problem.line)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("...\n", id="end"),
        pytest.param("...\n# that was it\n\n...\n", id="end and a comment"),
        pytest.param("# ---\n", id="comment"),
        pytest.param("  # --- indented\n", id="indented"),
    ],
)
def test_one_document_is_no_second(text: str) -> None:
    assert () == lint(of_sets(GOOD + text))


def test_a_mark_before_the_only_document_is_fine() -> None:
    assert () == lint(b"# licence\n---\n" + of_sets(GOOD))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("y: a, yes: b, 'true': c", 2),
        ("y: a, n: b", 0),
        ("1: a, '1': b", 1),
        ("0x1: a, 1: b", 1),
    ],
)
def test_keys_that_become_one_are_told(keys: str, expected: int) -> None:
    spec = of_sets(f"- rules: [{{name: r, vars: {{{keys}}}}}]")
    found = [one for one in lint(spec) if one.code == "duplicate-key"]
    assert expected == len(found)


def test_keys_that_become_one_are_named_as_they_are_written() -> None:
    spec = of_sets("- rules: [{name: r, vars: {'true': a, yes: c}}]")
    (message,) = [one.message for one in lint(spec) if one.code == "duplicate-key"]
    assert (
        '"yes" is the same key as "true" in line 3: NFD gets "true" for both, and keeps'
        " one"
    ) == message


@pytest.mark.parametrize("top", ["---\n# chart\n---\n", "---\n---\n"])
def test_a_first_document_that_is_empty_hides_the_spec(top: str) -> None:
    found = lint(top.encode() + of_sets("- rules: [{name: r, vars: {a: b}}]"))
    assert ["no-sets", "second-document"] == [one.code for one in found]
    assert found[1].message.endswith("NFD reads the first only, which is empty")
    assert "take out the --- before it" == found[1].hint


@pytest.mark.parametrize("text", ["---\n# only\n", "# only\n---\n"])
def test_one_empty_document_is_no_second(text: str) -> None:
    assert ["no-sets"] == [one.code for one in lint(text.encode())]
